//! Articles that look like Chinese news to a search engine, made from a seed: the same seed and size give the same articles,
//! each of which can be made without the others, so that a million need no more memory than one.

mod prose;
mod traditional;
mod words;

use chrono::{DateTime, Utc};
use fastrand::Rng;
use jieba_rs::Jieba;

use prose::Voice;
pub use traditional::Traditional;
pub use words::Vocabulary;

/// Raised when the same seed gives other articles.
pub const VERSION: u32 = 1;

/// How many topics, words of a topic, tags, authors and invented words there are.
const TOPICS: usize = 200;
const TOPIC_WORDS: usize = 160;
const TAGS: usize = 300;
const AUTHORS: usize = 50;
const INVENTED: usize = 50;

/// One article in so many has a given invented word.
const INVENTED_IN: u64 = 600;

/// From when to when articles are published: eight years that lie behind, so that a run next year gives the same.
const FROM: i64 = 1_514_764_800;
const TO: i64 = 1_767_225_600;

/// When the scheduled ones are due.
const FAR: i64 = 4_070_908_800;

/// Categories that stand at the root, each with the ones below it.
const CATEGORIES: &[(&str, &[&str])] = &[
    ("新闻", &["国内", "国际", "财经", "社会"]),
    ("评测", &["手机", "电脑", "家电", "汽车"]),
    ("技术", &["编程", "芯片", "网络", "人工智能"]),
    ("生活", &["旅行", "美食", "健康", "影音"]),
];

/// A category; a parent stands before its children.
pub struct Category {
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: &'static str,
    /// The place of its parent in the list of categories.
    pub parent: Option<usize>,
}

/// Whether readers see an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// They do.
    Published,
    /// Its author has not finished it.
    Draft,
    /// It is due in some decades.
    Scheduled,
}

/// An article.
pub struct Article {
    /// Its id in the corpus; also its slug.
    pub external_id: String,
    /// Its title.
    pub title: String,
    /// Its body in Markdown.
    pub source: String,
    /// Places of its tags in [`Corpus::tags`].
    pub tags: Vec<usize>,
    /// The place of its author in [`Corpus::authors`].
    pub author: usize,
    /// The place of its category in [`Corpus::categories`].
    pub category: usize,
    /// When it is published, or when a draft was made.
    pub date: DateTime<Utc>,
    /// Whether readers see it.
    pub standing: Standing,
    /// How often it was read.
    pub views: i64,
}

struct Topic {
    words: Vocabulary,
    tags: Vec<usize>,
    category: usize,
}

/// Everything that articles are made of.
pub struct Corpus {
    seed: u64,
    size: u64,
    /// In hundredths of the usual length.
    length: u32,
    common: Vocabulary,
    names: Vocabulary,
    topics: Vec<Topic>,
    invented: Vec<String>,
    tags: Vec<String>,
    authors: Vec<String>,
    traditional: Traditional,
}

impl Corpus {
    /// A corpus of so many articles. Takes some seconds, since the dictionary is asked for its words.
    pub fn new(seed: u64, size: u64) -> Self {
        let jieba = Jieba::new();
        let common = Vocabulary::of(&jieba);
        let mut rng = Rng::with_seed(seed);
        let invented = words::invented(&jieba, &common, INVENTED, &mut rng);
        // Neither the words that stand everywhere nor those that hardly anybody knows.
        let several: Vec<&String> = (common.words().iter())
            .filter(|word| word.chars().nth(1).is_some())
            .skip(300)
            .take(25_000)
            .collect();
        let tags = pick(&several, TAGS, &mut rng);
        let characters: Vec<&String> = common
            .words()
            .iter()
            .filter(|word| word.chars().nth(1).is_none())
            .take(800)
            .collect();
        let authors = (0..AUTHORS).map(|_| pick(&characters, 3, &mut rng).concat());
        let authors = authors.collect();
        let leaves: Vec<usize> = (categories().iter().enumerate())
            .filter(|(_, category)| category.parent.is_some())
            .map(|(place, _)| place)
            .collect();
        let topics = (0..TOPICS).map(|_| Topic {
            words: Vocabulary::by_rank(5, pick(&several, TOPIC_WORDS, &mut rng)),
            tags: (0..8).map(|_| rng.usize(0..TAGS)).collect(),
            category: rng.choice(leaves.iter()).copied().unwrap_or_default(),
        });
        Self {
            topics: topics.collect(),
            seed,
            size,
            length: 100,
            common,
            names: prose::names(),
            invented,
            tags,
            authors,
            traditional: Traditional::new(),
        }
    }

    /// The same with articles of so many hundredths of their length.
    pub fn of_length(self, length: u32) -> Self {
        Self { length, ..self }
    }

    /// The article at a place, from 0.
    pub fn article(&self, place: u64) -> Article {
        let mut rng = Rng::with_seed(scattered(self.seed, place));
        let rng = &mut rng;
        let topic = rng.choice(self.topics.iter());
        let names = [(); 3].map(|()| self.names.draw(rng));
        let voice = Voice {
            common: &self.common,
            topic: topic.map_or(&self.common, |topic| &topic.words),
            names: &names,
        };
        let mut source = voice.body(prose::length(rng) * self.length as usize / 100, rng);
        let mut title = voice.title(&source, rng);
        for (word, number) in self.invented.iter().zip(0..) {
            if place == number || scattered(number, place).is_multiple_of(INVENTED_IN) {
                prose::plant(&mut source, word);
            }
        }
        if rng.u32(0..50) == 0 {
            source = self.traditional.write(&source);
            title = self.traditional.write(&title);
        }
        let mut tags: Vec<usize> = Vec::with_capacity(3);
        while tags.len() < 3 {
            let own = topic.and_then(|topic| rng.choice(topic.tags.iter())).copied();
            let tag = own
                .filter(|_| rng.u32(0..3) > 0)
                .unwrap_or_else(|| rng.usize(0..self.tags.len().max(3)));
            if !tags.contains(&tag) {
                tags.push(tag);
            }
        }
        let standing = match rng.u32(0..200) {
            0 => Standing::Draft,
            1 => Standing::Scheduled,
            _ => Standing::Published,
        };
        let date = match standing {
            Standing::Scheduled => FAR + rng.i64(0..86_400 * 365),
            Standing::Draft | Standing::Published => self.date(place, rng),
        };
        Article {
            external_id: format!("corpus-{place}"),
            title,
            source,
            tags,
            author: rng.usize(0..AUTHORS),
            category: topic.map_or(0, |topic| topic.category),
            date: time(date),
            standing,
            views: (1.0 / (1.0 - rng.f64())).min(1e6) as i64,
        }
    }

    /// An article of somebody else's, as the corpus would have it at this place.
    pub fn adopt(&self, external_id: String, title: String, source: String, place: u64) -> Article {
        let own = self.article(place);
        let mut rng = Rng::with_seed(scattered(self.seed, place));
        Article {
            external_id,
            title,
            source,
            date: time(self.date(place, &mut rng)),
            standing: Standing::Published,
            ..own
        }
    }

    /// Later articles are newer, but for a month or so.
    fn date(&self, place: u64, rng: &mut Rng) -> i64 {
        let share = place as f64 / self.size.max(1) as f64;
        let spread = rng.i64(-30 * 86_400..30 * 86_400);
        (FROM + (share * (TO - FROM) as f64) as i64 + spread).clamp(FROM, TO)
    }

    /// How many articles there are.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The words, the most frequent first.
    pub fn words(&self) -> &[String] {
        self.common.words()
    }

    /// A word, by its frequency.
    pub fn draw(&self, rng: &mut Rng) -> &str {
        self.common.draw(rng)
    }

    /// The words of a topic, the most frequent first.
    pub fn topic(&self, topic: usize) -> &[String] {
        self.topics.get(topic % TOPICS).map_or(&[], |topic| topic.words.words())
    }

    /// Words that stand in no dictionary, in some articles each.
    pub fn invented(&self) -> &[String] {
        &self.invented
    }

    /// Names of the tags.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// Names of the authors.
    pub fn authors(&self) -> &[String] {
        &self.authors
    }
}

/// Every category, a parent before its children.
pub fn categories() -> Vec<Category> {
    let mut all: Vec<Category> = Vec::new();
    for (number, (name, below)) in (1..).zip(CATEGORIES) {
        let root = all.len();
        let slug = format!("c{number}");
        all.extend((1..).zip(*below).map(|(child, name)| Category {
            slug: format!("{slug}-{child}"),
            name,
            parent: Some(root),
        }));
        all.insert(
            root,
            Category {
                slug,
                name,
                parent: None,
            },
        );
    }
    all
}

/// So many different ones of these.
fn pick(from: &[&String], many: usize, rng: &mut Rng) -> Vec<String> {
    let mut picked = rng.choose_multiple(from.iter(), many);
    // They come in no order that a seed would fix.
    picked.sort_unstable();
    rng.shuffle(&mut picked);
    picked.into_iter().map(|word| (*word).clone()).collect()
}

/// Two numbers as one that looks random: the finish of `SplitMix64` (Steele, Lea and Flood, 2014).
fn scattered(one: u64, other: u64) -> u64 {
    let mut z = one.wrapping_add(other.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap_or_default()
}
