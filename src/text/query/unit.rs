//! The words and phrases of a query, and the lexemes under which the index knows them.

use std::collections::HashSet;

use super::cutter::{self, Cut, Run};
use super::known::{Known, Stretch};
use super::parse::Token;
use crate::text::analyse::{gram_lexemes, is_gram, pair, word};
use crate::text::flow::Gap;
use crate::text::normalise::Kind;

/// A way to write a word or a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Form {
    /// As it stands in a [flow](crate::text::flow).
    pub(super) text: String,
    pub(super) lexemes: Vec<String>,
}

/// A word or a phrase of a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// As it was typed.
    pub(super) form: Form,
    /// Its synonyms, any of which does as well; a phrase has none.
    pub(super) others: Vec<Form>,
    pub(super) quoted: bool,
    /// Whether an article that has all the lexemes is sure to have the text.
    pub(super) exact: bool,
}

impl Unit {
    /// The word or phrase as it stands in a [flow](crate::text::flow): folded, its tokens parted by a space.
    pub fn text(&self) -> &str {
        &self.form.text
    }

    /// The same with its synonyms, itself first.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.forms().map(|form| form.text.as_str())
    }

    pub(super) fn forms(&self) -> impl Iterator<Item = &Form> {
        std::iter::once(&self.form).chain(&self.others)
    }

    /// Whether it was typed as a phrase: it must be there, word for word.
    pub fn is_phrase(&self) -> bool {
        self.quoted
    }

    fn of_gram_run(run: &str) -> Unit {
        let lexemes = gram_lexemes(run);
        Unit {
            exact: lexemes.len() == 1,
            form: Form {
                text: run.to_owned(),
                lexemes,
            },
            others: Vec::new(),
            quoted: false,
        }
    }

    pub(super) fn needs_text(&self) -> bool {
        self.quoted && !self.exact
    }

    pub(super) fn is_stop(&self) -> bool {
        !self.quoted && is_stop(self.text())
    }
}

/// The words of a part without quotes: what is known to be one; of the rest, a run of up to three Han characters is one, a longer
/// one is cut, and Latin words and numbers that are glued together (`node.js`, `iPhone16`) are one.
pub(super) fn words(tokens: &[Token], cut: Cut<'_>, known: &Known) -> Vec<Unit> {
    let mut units = Vec::new();
    for stretch in known.stretches(tokens, cut) {
        match stretch {
            Stretch::Known(tokens) => units.extend(phrase(&tokens, false)),
            Stretch::Rest {
                tokens,
                cut_before,
                cut_after,
            } => rest_of_words(&tokens, cut_before, cut_after, cut, known, &mut units),
        }
    }
    for unit in &mut units {
        unit.others = known.others(unit.text()).to_vec();
    }
    units
}

fn rest_of_words(
    tokens: &[Token],
    cut_before: bool,
    cut_after: bool,
    cut: Cut<'_>,
    known: &Known,
    units: &mut Vec<Unit>,
) {
    let mut rest = tokens;
    while let Some((first, after)) = rest.split_first() {
        if first.kind == Kind::Gram {
            let behind_known = cut_before && rest.len() == tokens.len();
            let run = Run {
                text: &first.text,
                left: behind_known || (cut_after && after.is_empty()),
                behind_known,
            };
            match first.text.chars().nth(3) {
                None if !run.left => units.push(Unit::of_gram_run(&first.text)),
                _ => units.extend(
                    cutter::words(run, cut, known)
                        .iter()
                        .map(|word| Unit::of_gram_run(word)),
                ),
            }
            rest = after;
        } else {
            let glued = after
                .iter()
                .take_while(|token| token.kind != Kind::Gram && token.gap == Gap::Glued)
                .count();
            let (word, after) = rest.split_at(glued + 1);
            units.extend(phrase(word, false));
            rest = after;
        }
    }
}

/// All tokens as one unit.
pub(super) fn phrase(tokens: &[Token], quoted: bool) -> Option<Unit> {
    let mut text = String::new();
    let mut lexemes: Vec<String> = Vec::new();
    let mut before: Option<&str> = None;
    let mut alone = false;
    for token in tokens {
        if !text.is_empty() {
            text.push(if token.gap == Gap::Far { '\n' } else { ' ' });
        }
        text.push_str(&token.text);
        if is_gram(&token.text) {
            lexemes.extend(gram_lexemes(&token.text));
            before = None;
            continue;
        }
        let this = word(&token.text);
        match before
            .filter(|_| token.gap != Gap::Far)
            .and_then(|before| pair(before, this))
        {
            Some(pair) => {
                // The pair says more than its first half.
                if alone {
                    lexemes.pop();
                }
                lexemes.push(pair);
                alone = false;
            }
            None => {
                lexemes.push(this.to_owned());
                alone = true;
            }
        }
        before = Some(this);
    }
    let mut seen = HashSet::new();
    let one = lexemes.len() == 1;
    lexemes.retain(|lexeme| seen.insert(lexeme.clone()));
    let whole = tokens
        .iter()
        .all(|token| is_gram(&token.text) || word(&token.text).len() == token.text.len());
    (!lexemes.is_empty()).then_some(Unit {
        form: Form { text, lexemes },
        others: Vec::new(),
        quoted,
        exact: one && whole,
    })
}

pub(super) fn side_by_side(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens.chunk_by(|_, next| next.gap != Gap::Far)
}

/// Words that say nothing about an article, in folded form.
const STOP: &[&str] = &[
    "的",
    "了",
    "是",
    "在",
    "和",
    "与",
    "及",
    "或",
    "也",
    "就",
    "都",
    "而",
    "之",
    "着",
    "吗",
    "呢",
    "吧",
    "啊",
    "a",
    "an",
    "the",
    "of",
    "to",
    "in",
    "and",
    "for",
    "is",
    "on",
    "怎么",
    "怎样",
    "怎么样",
    "什么",
    "如何",
];

pub(super) fn is_stop(word: &str) -> bool {
    STOP.contains(&word)
}

#[cfg(test)]
mod tests {
    use super::super::{Query, cut};
    use crate::text::analyse::lexemes;
    use crate::text::flow::{Needle, flow_of};

    fn parse(typed: &str) -> Query {
        Query::parse(typed, &cut)
    }

    fn texts(typed: &str) -> Vec<String> {
        parse(typed).units.into_iter().map(|unit| unit.form.text).collect()
    }

    #[test]
    fn glued_latin_words_are_one() {
        assert_eq!(
            texts("node.js iPhone16 C++ M.2 a-b"),
            ["node js", "iphone 16", "c++", "m 2", "a b"]
        );
        assert_eq!(parse("iPhone16").units[0].form.lexemes, ["iphone_16"]);
        assert_eq!(parse("a.b.c").units[0].form.lexemes, ["a_b", "b_c"]);
        let long = "x".repeat(40);
        assert_eq!(
            parse(&format!("{long}1")).units[0].form.lexemes,
            [long.as_str(), "1"],
            "too long for a pair"
        );
    }

    #[test]
    fn only_phrases_that_lexemes_cannot_decide_need_the_text() {
        for (typed, needs) in [
            ("自动驾驶", false),
            ("\"折叠屏\"", false),
            ("\"machine learning\"", false),
            ("\"iPhone16\"", false),
            ("\"iPhone 16 Pro\"", true),
            ("\"自动驾驶\"", true),
            ("\"小米14\"", true),
            ("\"machine, learning\"", true),
            ("手机 -\"自动驾驶\"", true),
            ("手机 -自动驾驶", false),
        ] {
            assert_eq!(parse(typed).needs_text_check(), needs, "{typed}");
        }
        let long = format!("\"{}\"", "x".repeat(65));
        assert!(parse(&long).needs_text_check(), "a word beyond the length of a lexeme");
    }

    #[test]
    fn an_exact_phrase_is_one_whose_lexemes_say_all() {
        let texts = [
            "machine learning",
            "machine-learning",
            "learning machine",
            "machine, learning",
            "machine\nlearning",
            "iPhone 16",
            "iphone160",
            "折叠 屏",
            "折叠屏",
        ];
        for typed in ["\"machine learning\"", "\"iPhone16\"", "\"折叠屏\"", "\"16\""] {
            let query = parse(typed);
            let unit = &query.units[0];
            assert!(unit.exact);
            for text in texts {
                let set = lexemes("", "", &[] as &[&str], text);
                let by_lexemes = unit.form.lexemes.iter().all(|lexeme| set.contains(lexeme));
                assert_eq!(
                    by_lexemes,
                    Needle::new(unit.text()).is_in(&flow_of([text])),
                    "{typed} in {text}"
                );
            }
        }
    }
}
