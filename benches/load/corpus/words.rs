//! Words with the frequencies of real Chinese: those of jieba's dictionary. It has no list to read, but it answers whether
//! a word is in it and how frequent it is, so every likely combination of frequent characters is asked for once.

use fastrand::Rng;
use jieba_rs::Jieba;

/// How many of the most frequent characters words are made of.
const CHARACTERS: usize = 2_200;

/// How many of the most frequent words of two characters longer ones begin with, and with how many characters they go on.
const HEADS: usize = 4_000;
const TAILS: usize = 1_000;

/// How many of the most frequent words of two characters are tried in pairs.
const HALVES: usize = 1_800;

/// Words, the most frequent first.
pub struct Vocabulary {
    words: Vec<String>,
    /// For each word the sum of the frequencies up to it.
    sums: Vec<u64>,
}

impl Vocabulary {
    /// Asks the dictionary. Takes about three seconds.
    pub fn of(jieba: &Jieba) -> Self {
        let known = |word: &str| jieba.has_word(word).then(|| (word.to_owned(), frequency(jieba, word)));
        let mut characters: Vec<(String, u64)> = ('\u{4E00}'..='\u{9FA5}')
            .map(String::from)
            .filter(|character| fast2s::convert(character) == *character)
            .filter_map(|character| known(&character))
            .collect();
        sort(&mut characters);
        characters.truncate(CHARACTERS);
        let mut twos = joined(&characters, &characters, &known);
        sort(&mut twos);
        let mut words = joined(first(&twos, HEADS), first(&characters, TAILS), &known);
        words.extend(joined(first(&twos, HALVES), first(&twos, HALVES), &known));
        words.append(&mut twos);
        words.append(&mut characters);
        sort(&mut words);
        words.dedup_by(|a, b| a.0 == b.0);
        Self::new(words)
    }

    fn new(weighted: Vec<(String, u64)>) -> Self {
        let mut sum = 0;
        let sums = weighted.iter().map(|(_, weight)| {
            sum += weight;
            sum
        });
        Self {
            sums: sums.collect(),
            words: weighted.into_iter().map(|(word, _)| word).collect(),
        }
    }

    /// Words of which the n-th is drawn in proportion to 1/(n + flat).
    pub fn by_rank(flat: u64, words: Vec<String>) -> Self {
        let weighted = (flat + 1..).zip(words).map(|(rank, word)| (word, 1_000_000 / rank));
        Self::new(weighted.collect())
    }

    /// A word, by its frequency.
    pub fn draw(&self, rng: &mut Rng) -> &str {
        let sum = self.sums.last().copied().unwrap_or_default();
        if sum == 0 {
            return "";
        }
        let at = rng.u64(0..sum);
        let place = self.sums.partition_point(|sum| *sum <= at);
        self.words.get(place).map_or("", String::as_str)
    }

    /// Every word, the most frequent first.
    pub fn words(&self) -> &[String] {
        &self.words
    }
}

fn frequency(jieba: &Jieba, word: &str) -> u64 {
    u64::try_from(jieba.suggest_freq(word)).unwrap_or(u64::MAX)
}

fn first(words: &[(String, u64)], most: usize) -> &[(String, u64)] {
    words.get(..most).unwrap_or(words)
}

/// The words of the dictionary that are one of these and then one of those.
fn joined(
    heads: &[(String, u64)],
    tails: &[(String, u64)],
    known: &impl Fn(&str) -> Option<(String, u64)>,
) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    let mut word = String::new();
    for (head, _) in heads {
        for (tail, _) in tails {
            word.clear();
            word.push_str(head);
            word.push_str(tail);
            found.extend(known(&word));
        }
    }
    found
}

/// By frequency, then by name, so that every run has the same order.
fn sort(words: &mut [(String, u64)]) {
    words.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
}

/// New words that no dictionary has, as makers of products invent them: two to four characters of `vocabulary`'s middle.
pub fn invented(jieba: &Jieba, vocabulary: &Vocabulary, many: usize, rng: &mut Rng) -> Vec<String> {
    let characters: Vec<&String> = vocabulary
        .words()
        .iter()
        .filter(|word| word.chars().nth(1).is_none())
        .skip(200)
        .take(1_000)
        .collect();
    let mut words: Vec<String> = Vec::new();
    while words.len() < many && !characters.is_empty() {
        let length = rng.usize(3..=4);
        let word: String = (0..length)
            .filter_map(|_| rng.choice(characters.iter()))
            .map(|c| c.as_str())
            .collect();
        if !jieba.has_word(&word) && !words.contains(&word) {
            words.push(word);
        }
    }
    words
}
