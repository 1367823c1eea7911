//! A query's characters into parts: phrases, exclusions, and the words between them.

use crate::text::flow::{Gap, Scanner, Step};
use crate::text::normalise::{Kind, look};

/// A run of a query's characters of one kind, folded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    pub(super) kind: Kind,
    pub(super) gap: Gap,
}

/// A stretch of a query.
pub(super) struct Part {
    pub(super) tokens: Vec<Token>,
    pub(super) quoted: bool,
    pub(super) excluded: bool,
}

/// The parts in order. Those without tokens are there too.
pub(super) fn parts(typed: impl Iterator<Item = char>) -> Vec<Part> {
    let characters: Vec<char> = typed.collect();
    let mut parts = Vec::new();
    let mut rest: &[char] = &characters;
    let mut plain = 0;
    let mut at_start = true;
    // `rest` begins with `plain` characters that are not yet in a part.
    while let Some(&c) = rest.get(plain) {
        let excluded = at_start && excludes(rest.get(plain..).unwrap_or_default());
        let from = plain + usize::from(excluded);
        let begun = rest.get(from..).unwrap_or_default();
        if let Some(length) = quoted(begun) {
            parts.extend(part(rest, 0, plain, false, false));
            parts.extend(part(rest, from + 1, from + 1 + length, true, excluded));
            rest = rest.get(from + length + 2..).unwrap_or_default();
            plain = 0;
            at_start = true;
        } else if excluded {
            let length = begun
                .iter()
                .take_while(|&&c| look(c).1 != Kind::Blank && closers(c).is_none())
                .count();
            parts.extend(part(rest, 0, plain, false, false));
            parts.extend(part(rest, from, from + length, false, true));
            rest = rest.get(from + length..).unwrap_or_default();
            plain = 0;
            at_start = false;
        } else {
            at_start = look(c).1 == Kind::Blank;
            plain += 1;
        }
    }
    parts.extend(part(rest, 0, plain, false, false));
    parts
}

/// Whether a hyphen stands here with a word or a phrase right behind it.
fn excludes(begun: &[char]) -> bool {
    match begun {
        [hyphen, next, ..] => {
            look(*hyphen).0 == '-'
                && (closers(*next).is_some() || matches!(look(*next).1, Kind::Gram | Kind::Letter | Kind::Digit))
        }
        _ => false,
    }
}

/// The length of what stands between the quotation mark here and its other half.
fn quoted(begun: &[char]) -> Option<usize> {
    let (open, after) = begun.split_first()?;
    let closers = closers(*open)?;
    after.iter().position(|&c| closers.contains(&look(c).0))
}

/// The marks that close what this one opens.
fn closers(open: char) -> Option<&'static [char]> {
    match look(open).0 {
        '"' | '“' => Some(&['"', '”', '“']),
        '「' => Some(&['」']),
        '『' => Some(&['』']),
        _ => None,
    }
}

fn part(characters: &[char], from: usize, to: usize, quoted: bool, excluded: bool) -> Option<Part> {
    Some(Part {
        tokens: tokens(characters.get(from..to)?.iter().copied()),
        quoted,
        excluded,
    })
}

/// The tokens of a text, which is taken as it is: quotation marks and hyphens are no more than punctuation.
pub(super) fn tokens(text: impl Iterator<Item = char>) -> Vec<Token> {
    let mut scanner = Scanner::default();
    let mut tokens: Vec<Token> = Vec::new();
    for c in text {
        match scanner.step(c) {
            Step::Skip => {}
            Step::First(folded, kind, gap) => tokens.push(Token {
                text: folded.into(),
                kind,
                gap,
            }),
            Step::Next(folded) => {
                if let Some(token) = tokens.last_mut() {
                    token.text.push(folded);
                }
            }
        }
    }
    tokens
}
