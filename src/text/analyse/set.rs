//! The lexemes of a flow, sorted.

use std::ops::Range;

use super::{PAIR, are_paired, is_gram, unsigned, word};

/// Lexemes as places in one text, since an article has thousands of them: nearly all stand in its flow as they are.
#[derive(Debug, Clone)]
pub(super) struct Set {
    /// The flow, and the pairs behind it.
    text: String,
    /// Each lexeme once, in order.
    sorted: Vec<Range<usize>>,
}

impl Set {
    /// The lexemes of a flow.
    pub(super) fn of(flow: String) -> Self {
        let mut grams = Vec::with_capacity(flow.len() / 3);
        let mut found = Vec::new();
        let mut pairs = String::new();
        let mut at = 0;
        for line in flow.split('\n') {
            let mut before: Option<&str> = None;
            for token in line.split(' ') {
                let start = at;
                // Behind each token stands one space or line feed.
                at += token.len() + 1;
                if is_gram(token) {
                    add_grams(token, start, &mut grams);
                    before = None;
                    continue;
                }
                let word = word(token);
                found.push(start..start + word.len());
                found.extend(unsigned(word).map(|bare| start..start + bare.len()));
                if let Some(before) = before.filter(|before| are_paired(before, word)) {
                    let start = flow.len() + pairs.len();
                    pairs.extend([before, PAIR, word]);
                    found.push(start..flow.len() + pairs.len());
                }
                before = (!word.is_empty()).then_some(word);
            }
        }
        let text = flow + &pairs;
        let mut all = each_gram(grams);
        // A word is none of them. Two lists that are in order are merged, which this sort notices.
        all.extend(sorted(&text, found));
        all.sort_by(|a, b| slice(&text, a).cmp(slice(&text, b)));
        Self { sorted: all, text }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &str> {
        self.sorted.iter().map(|place| slice(&self.text, place))
    }

    pub(super) fn contains(&self, lexeme: &str) -> bool {
        let found = self
            .sorted
            .binary_search_by(|place| slice(&self.text, place).cmp(lexeme));
        found.is_ok()
    }
}

/// What stands at a place that was found in this text.
fn slice<'a>(text: &'a str, place: &Range<usize>) -> &'a str {
    text.get(place.clone()).unwrap_or_default()
}

/// These places in the order of what stands there, each text once.
fn sorted(text: &str, places: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut keyed: Vec<(u128, Range<usize>)> = places
        .into_iter()
        .filter(|place| !place.is_empty())
        .map(|place| (first_bytes(slice(text, &place)), place))
        .collect();
    keyed.sort_unstable_by(|(a, at), (b, bt)| a.cmp(b).then_with(|| slice(text, at).cmp(slice(text, bt))));
    keyed.dedup_by(|(a, at), (b, bt)| a == b && slice(text, at) == slice(text, bt));
    keyed.into_iter().map(|(_, place)| place).collect()
}

/// Numbers that compare as the first sixteen bytes do; no lexeme has a zero byte.
fn first_bytes(lexeme: &str) -> u128 {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(lexeme.bytes()) {
        *to = from;
    }
    u128::from_be_bytes(bytes)
}

/// How many bits of a [`add_grams`] number say where it stands.
const PLACE: u32 = 32;

/// For each character of a run that begins at `at`, what begins with it, up to three characters, as one number: the text in
/// twelve bytes and then its place. In order, these numbers have what is the same side by side, and what begins alike too: most
/// of the time of an analysis goes into that.
fn add_grams(run: &str, at: usize, into: &mut Vec<u128>) {
    let starts = run.char_indices().map(|(start, _)| start);
    let ends = starts.clone().skip(3).chain(std::iter::repeat(run.len()));
    into.extend(
        starts
            .zip(ends)
            .map(|(start, end)| first_bytes(slice(run, &(start..end))) | (at + start) as u128),
    );
}

/// The places of all runs of one, two and three characters behind these numbers, in order, each text once.
fn each_gram(mut numbers: Vec<u128>) -> Vec<Range<usize>> {
    numbers.sort_unstable();
    let mut found = Vec::with_capacity(2 * numbers.len());
    // The last ones of one, two and three characters.
    let mut last = [0; 3];
    for number in numbers {
        let start = (number & ((1 << PLACE) - 1)) as usize;
        let mut length = 0;
        for last in &mut last {
            // A character says by its first byte how long it is; behind the last one stand zeros.
            length += match number << (8 * length) >> (u128::BITS - 8) {
                0 => break,
                1..0x80 => 1,
                0x80..0xE0 => 2,
                0xE0..0xF0 => 3,
                _ => 4,
            };
            let gram = number >> (u128::BITS - 8 * length);
            if *last != gram {
                *last = gram;
                found.push(start..start + length as usize);
            }
        }
    }
    found
}
