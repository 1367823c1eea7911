//! What a reader types into the search box, as a tree that both databases can be asked with.
//!
//! Nothing is a syntax error: what is no phrase (`"…"`, `“…”`, `「…」`, `『…』`) and no exclusion (`-word`, `-"phrase"`) is words.

mod cutter;
mod expression;
mod holds;
mod known;
mod parse;
mod unit;

use std::collections::HashSet;

pub use cutter::{cut, is_loaded, load, warm};
pub use expression::{Strictness, Within};
pub use holds::holds;
pub use known::{Known, lookups, own_word};
pub use unit::Unit;
use unit::{phrase, side_by_side, words};

use super::flow::Needle;

/// How many words and phrases of a query count; what follows is left out.
const UNITS: usize = 24;

/// How many exclusions of a query count.
const EXCLUDED: usize = 8;

/// How many lexemes a query may name for the sake of synonyms: without a bound, 24 words with 19 synonyms of 50 characters each
/// would name 22,000.
const SYNONYMS: usize = 200;

/// How many characters of a query are read. The routes take fewer.
const CHARACTERS: usize = 500;

/// A query: words and phrases in the order in which they were typed, each once, and what must not occur.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    units: Vec<Unit>,
    excluded: Vec<Unit>,
}

impl Query {
    /// Reads what was typed. `cut` cuts a run of more than three Han characters into words, as [`cut`](fn@cut) does.
    pub fn parse(typed: &str, cut: &dyn Fn(&str) -> Vec<String>) -> Query {
        Self::parse_with(typed, cut, &Known::default())
    }

    /// The same where some words are known, of those that [`lookups`] gives: they are not cut, and each is found by its
    /// synonyms as well. Neither goes for phrases and exclusions.
    pub fn parse_with(typed: &str, cut: &dyn Fn(&str) -> Vec<String>, known: &Known) -> Query {
        let mut query = Query::default();
        for part in parse::parts(typed.chars().take(CHARACTERS)) {
            let units = if part.quoted {
                phrase(&part.tokens, true).into_iter().collect()
            } else {
                words(&part.tokens, cut, known)
            };
            match (part.excluded, part.quoted) {
                (false, _) => query.units.extend(units),
                (true, true) => query.excluded.extend(units),
                // Cut into words it would exclude too much: 自动 and 驾驶 somewhere is not 自动驾驶.
                (true, false) => query
                    .excluded
                    .extend(side_by_side(&part.tokens).filter_map(|tokens| phrase(tokens, false))),
            }
        }
        if query.units.iter().any(|unit| !unit.is_stop()) {
            query.units.retain(|unit| !unit.is_stop());
        }
        once_each(&mut query.units, UNITS);
        once_each(&mut query.excluded, EXCLUDED);
        bound_synonyms(&mut query.units);
        query
    }

    /// Whether there is nothing to look for: no words at all, or exclusions alone. Such a query finds nothing.
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// The words and phrases that are looked for.
    pub fn units(&self) -> &[Unit] {
        &self.units
    }

    /// Whether an article that the databases find may still lack a phrase, or one that they would find was not to be: ask
    /// [`TextCheck::phrases_ok`] for each.
    pub fn needs_text_check(&self) -> bool {
        self.units.iter().chain(&self.excluded).any(Unit::needs_text)
    }

    /// The check of the phrases that lexemes cannot decide, ready for many articles.
    pub fn text_check(&self) -> TextCheck {
        let needles = |units: &[Unit]| {
            units
                .iter()
                .filter(|unit| unit.needs_text())
                .map(|unit| Needle::new(unit.text()))
                .collect()
        };
        TextCheck {
            there: needles(&self.units),
            absent: needles(&self.excluded),
        }
    }
}

/// See [`Query::text_check`].
pub struct TextCheck {
    there: Vec<Needle>,
    absent: Vec<Needle>,
}

impl TextCheck {
    /// Whether the article has every phrase and none of the excluded ones. `flow` is
    /// [`flow_of`](super::flow::flow_of) title, summary, tags and body.
    pub fn phrases_ok(&self, flow: &str) -> bool {
        self.there.iter().all(|needle| needle.is_in(flow)) && !self.absent.iter().any(|needle| needle.is_in(flow))
    }
}

/// Leaves out what is there already. A word that comes again as its own synonym asks for nothing more; a phrase does, unless it is
/// there word for word.
fn once_each(units: &mut Vec<Unit>, most: usize) {
    let mut exact = HashSet::new();
    let mut in_any_form = HashSet::new();
    units.retain(|unit| {
        let text = unit.text();
        let new = !exact.contains(text) && (unit.quoted || !in_any_form.contains(text));
        if new && unit.others.is_empty() {
            exact.insert(text.to_owned());
        } else if new {
            in_any_form.extend(unit.texts().map(str::to_owned));
        }
        new
    });
    units.truncate(most);
}

/// Leaves out the synonyms that go beyond [`SYNONYMS`], in the order of the words.
fn bound_synonyms(units: &mut [Unit]) {
    let mut left = SYNONYMS;
    for unit in units {
        unit.others.retain(|form| match left.checked_sub(form.lexemes.len()) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::flow::flow_of;

    fn parse(typed: &str) -> Query {
        Query::parse(typed, &cut)
    }

    fn texts(typed: &str) -> Vec<String> {
        parse(typed)
            .units
            .into_iter()
            .map(|unit| {
                if unit.quoted {
                    format!("\"{}\"", unit.text())
                } else {
                    unit.form.text
                }
            })
            .collect()
    }

    fn excluded(typed: &str) -> Vec<String> {
        parse(typed).excluded.into_iter().map(|unit| unit.form.text).collect()
    }

    #[test]
    fn short_runs_are_one_word_and_long_ones_are_cut() {
        assert_eq!(texts("果在 折叠屏 大模型"), ["果在", "折叠屏", "大模型"]);
        assert_eq!(texts("苹果手机电池续航"), ["苹果", "手机电池", "续航"]);
        assert_eq!(texts("马斯克 中国"), ["马斯克", "中国"]);
        assert_eq!(texts("小米14评测"), ["小米", "14", "评测"]);
        assert_eq!(texts("軟體　ＡＩ"), ["软体", "ai"]);
    }

    #[test]
    fn stop_words_go_unless_nothing_else_is_there() {
        assert_eq!(texts("的 手机 and 电脑"), ["手机", "电脑"]);
        assert_eq!(texts("如何"), ["如何"]);
        assert_eq!(texts("the 的"), ["the", "的"]);
        assert_eq!(texts("\"的\" 手机"), ["\"的\"", "手机"]);
    }

    #[test]
    fn quotes_make_phrases_and_lone_quotes_do_not() {
        assert_eq!(
            texts("\"machine  learning\" 的 “人工智能” 「a」 『b』 ＂c＂"),
            ["\"machine learning\"", "\"人工智能\"", "\"a\"", "\"b\"", "\"c\""]
        );
        assert_eq!(texts("\"苹果 手机"), ["苹果", "手机"]);
        assert_eq!(texts("“a” b”c"), ["\"a\"", "b", "c"]);
        assert_eq!(texts("\"\" \"，\""), [] as [&str; 0]);
    }

    #[test]
    fn a_hyphen_before_a_word_excludes_and_inside_does_not() {
        assert_eq!(
            (texts("手机 -小米 a-b"), excluded("手机 -小米 a-b")),
            (vec!["手机".into(), "a b".into()], vec!["小米".into()])
        );
        assert_eq!(
            excluded("手机 -\"折叠 屏\" -自动驾驶汽车 －Node.js"),
            ["折叠 屏", "自动驾驶汽车", "node js"]
        );
        assert_eq!(excluded("a - b --c -"), [] as [&str; 0]);
        assert!(parse("-小米").is_empty());
        assert_eq!(excluded("x -小米，华为"), ["小米", "华为"]);
    }

    #[test]
    fn nothing_to_look_for_is_empty() {
        for typed in [
            "",
            " ",
            "，。！",
            "\"",
            "*",
            "(",
            "😀",
            "\u{FFFD}",
            "\0",
            "-",
            "--",
            "\"\"",
            "-\"\"",
        ] {
            assert!(parse(typed).is_empty(), "{typed:?}");
        }
    }

    #[test]
    fn what_other_engines_read_as_operators_is_words() {
        assert_eq!(texts("title:x"), ["title", "x"]);
        assert_eq!(texts("NEAR( AND OR NOT"), ["near", "or", "not"]);
        assert_eq!(texts("{title body}:x ^x 你好*"), ["title", "body", "x", "你好"]);
        assert_eq!(texts("a'b"), ["a b"]);
    }

    #[test]
    fn a_query_is_bounded() {
        let many: String = (0..10_000).map(|i| format!("w{i} ")).collect();
        assert_eq!(parse(&many).units.len(), UNITS);
        let excluded: String = (0..100).map(|i| format!("-{i} ")).collect();
        assert_eq!(parse(&excluded).excluded.len(), EXCLUDED);
        assert_eq!(parse("a a A ａ").units.len(), 1);
        let han = parse(&"龘".repeat(1_000_000));
        assert!(han.units.iter().all(|unit| unit.text().chars().count() <= CHARACTERS));
        assert!(parse(&"“".repeat(1_000_000)).is_empty());
    }

    #[test]
    fn a_phrase_beside_its_synonyms_must_still_be_there() {
        let mut known = Known::default();
        for (word, other) in [("手机", "移动电话"), ("移动电话", "手机")] {
            known.add_synonym(word, other);
        }
        let units = |typed: &str| -> Vec<(String, bool)> {
            let units = Query::parse_with(typed, &cut, &known).units;
            units.into_iter().map(|unit| (unit.form.text, unit.quoted)).collect()
        };
        assert_eq!(units("手机 移动电话"), [("手机".into(), false)]);
        assert_eq!(
            units("手机 \"手机\" \"移动电话\""),
            [("手机".into(), false), ("手机".into(), true), ("移动电话".into(), true)]
        );
        assert_eq!(units("\"手机\" 手机"), [("手机".into(), true)]);
    }

    #[test]
    fn phrases_are_read_word_for_word() {
        let ok = |typed: &str, text: &str| parse(typed).text_check().phrases_ok(&flow_of(["标题", text]));
        assert!(ok("\"自动驾驶\"", "论自动驾驶汽车"));
        assert!(!ok("\"自动驾驶\"", "自动驾，动驾驶"));
        assert!(ok("“小米14 评测”", "小米 14评测"));
        assert!(!ok("“小米14 评测”", "小米143评测 小米14，评测"));
        assert!(ok("\"iPhone 16 Pro\"", "an iPhone-16 Pro."));
        assert!(!ok("\"iPhone 16 Pro\"", "iPhone 16 Promo; iPhone, 16 Pro"));
        assert!(!ok("手机 -\"自动驾驶\"", "自动驾驶"));
        assert!(ok("手机 -\"自动驾驶\"", "自动驾，动驾驶"));
        assert!(!ok("\"标题正文\"", "正文"), "no phrase over a field's border");
    }
}
