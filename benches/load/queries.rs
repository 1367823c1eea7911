//! What readers ask, by class; made from the corpus alone, so that every run and both databases get the same.

use crate::corpus::{Corpus, categories};
use crate::http::address;

/// Where searches go.
pub const SEARCH: &str = "/api/v1/search";

/// How many queries a class has.
const EACH: usize = 20;

/// Queries of one kind.
pub struct Class {
    /// What they have in common.
    pub name: &'static str,
    /// Paths with their queries.
    pub paths: Vec<String>,
}

fn class(name: &'static str, queries: impl Iterator<Item = String>, more: &[(&str, &str)]) -> Class {
    let path = |query: String| {
        let parameters: Vec<(&str, &str)> = [("q", query.as_str())]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        address(SEARCH, &parameters)
    };
    Class {
        name,
        paths: queries.take(EACH).map(path).collect(),
    }
}

/// Words of so many characters, from common to rare.
fn spread(corpus: &Corpus, characters: usize, skip: usize, step: usize) -> impl Iterator<Item = String> {
    let words = corpus
        .words()
        .iter()
        .filter(move |word| word.chars().count() == characters);
    words.skip(skip).step_by(step).cloned()
}

/// So many words of each topic in turn, the second, fourth, … frequent.
fn of_topics(corpus: &Corpus, words: usize, joint: &'static str) -> impl Iterator<Item = String> {
    (0..).map(move |topic| {
        let own: Vec<&str> = corpus
            .topic(topic)
            .iter()
            .skip(1)
            .step_by(2)
            .take(words)
            .map(String::as_str)
            .collect();
        own.join(joint)
    })
}

/// A piece of a sentence of each article in turn: four to eight Han characters side by side.
fn pieces(corpus: &Corpus) -> impl Iterator<Item = String> {
    (0..corpus.size()).step_by(7).filter_map(move |place| {
        let source = corpus.article(place).source;
        let length = 4 + usize::try_from(place % 5).unwrap_or_default();
        let han = |c: char| ('\u{4E00}'..='\u{9FFF}').contains(&c);
        let run = source.split(|c| !han(c)).find(|run| run.chars().count() >= length)?;
        Some(run.chars().take(length).collect())
    })
}

fn quoted(words: impl std::fmt::Display) -> String {
    format!("“{words}”")
}

/// Every class of plain searches.
pub fn classes(corpus: &Corpus) -> Vec<Class> {
    let two = |skip| spread(corpus, 2, skip, 40);
    let names = [
        "iPhone 16",
        "Node.js",
        "C++",
        "5G",
        "ai",
        "GitHub",
        "wi-fi 7",
        "usb-c",
        "python",
        "iPhone",
        "RTX 5090",
        "M.2",
    ];
    let names = names.iter().map(|name| (*name).to_owned());
    let mixed = of_topics(corpus, 1, "").map(|word| format!("{word} AI"));
    vec![
        class("1 character", spread(corpus, 1, 10, 60), &[]),
        class("2 characters", two(30), &[]),
        class("3 characters", spread(corpus, 3, 5, 50), &[]),
        class("4 characters", spread(corpus, 4, 5, 25), &[]),
        class("very common", spread(corpus, 2, 0, 1), &[]),
        class("rare (new words)", corpus.invented().iter().cloned(), &[]),
        class("2 words", of_topics(corpus, 2, " "), &[]),
        class("4 words", of_topics(corpus, 4, " "), &[]),
        class("3 words, glued", of_topics(corpus, 3, ""), &[]),
        class("Latin", names.clone().chain(mixed), &[]),
        class("quoted phrase, rare", pieces(corpus).map(quoted), &[]),
        class(
            "quoted phrase",
            spread(corpus, 4, 0, 2).take(EACH / 2).chain(names.clone()).map(quoted),
            &[],
        ),
        class(
            "exclusion",
            two(70).zip(two(11)).map(|(word, other)| format!("{word} -{other}")),
            &[],
        ),
    ]
}

/// Searches with more than a query.
pub fn classes_with_more(corpus: &Corpus) -> Vec<Class> {
    let two = |skip| spread(corpus, 2, skip, 30);
    let parent = categories().into_iter().find(|category| category.parent.is_none());
    let parent = parent.map(|category| category.slug).unwrap_or_default();
    vec![
        class("in a category", two(5), &[("category", &parent)]),
        class(
            "of two years",
            two(6),
            &[("published_from", "2020-01-01"), ("published_to", "2022-01-01")],
        ),
        class("with a tag", two(7), &[("tag", "t7")]),
        class("newest first", two(8), &[("sort", "-published_at")]),
    ]
}

/// Searches with every facet.
pub fn classes_with_facets(corpus: &Corpus) -> Vec<Class> {
    let all = ("facets", "category,tag,author,year");
    vec![
        class("facets: 2 characters", spread(corpus, 2, 9, 30), &[all]),
        class("facets: very common", spread(corpus, 2, 0, 1), &[all]),
        class("facets: 2 words", of_topics(corpus, 2, " "), &[all]),
    ]
}

/// What is in the search box after each key, for words of the corpus: in Chinese, and in pinyin letter by letter.
pub fn keystrokes(corpus: &Corpus) -> (Vec<String>, Vec<String>) {
    use pinyin::ToPinyin;
    let words: Vec<String> = of_topics(corpus, 2, "").take(EACH * 2).collect();
    let spelled = words.iter().map(|word| {
        let syllables = word.as_str().to_pinyin().flatten();
        syllables
            .take(3)
            .map(|syllable| syllable.plain().to_owned())
            .collect::<String>()
    });
    let pinyin = spelled.flat_map(|word| prefixes(&word)).collect();
    let latin = ["iphone 16", "node.js", "github"].into_iter().flat_map(prefixes);
    let chinese = words.iter().flat_map(|word| prefixes(word)).chain(latin).collect();
    (chinese, pinyin)
}

fn prefixes(word: &str) -> Vec<String> {
    let ends = word.char_indices().map(|(at, c)| at + c.len_utf8());
    ends.filter_map(|end| word.get(..end)).map(str::to_owned).collect()
}
