//! The query as an expression of FTS5 and as a `tsquery`, both written from one tree of conditions on a set of lexemes.

use super::{Query, Unit};
use crate::text::analyse::{TITLE_MARK, UNPUBLISHED_MARK};

/// How many of a query's words must be there. Phrases always must, and what is excluded never may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Every one.
    All,
    /// At least two thirds, rounded up; for when [`Strictness::All`] finds too little. Long queries are held to more.
    TwoThirds,
}

/// Where a query looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Within {
    /// In titles alone. What is excluded stays excluded from the whole article.
    pub title_only: bool,
    /// In articles that are published.
    pub published: bool,
    /// In drafts and archived articles, which stand apart so that they cost the search of the others nothing.
    pub unpublished: bool,
}

impl Within {
    /// What everybody searches.
    pub const PUBLISHED: Self = Self {
        title_only: false,
        published: true,
        unpublished: false,
    };

    fn shelves(self) -> impl Iterator<Item = &'static str> {
        let unpublished = self.unpublished.then_some(UNPUBLISHED_MARK);
        self.published.then_some("").into_iter().chain(unpublished)
    }

    fn mark(self, shelf: &str) -> String {
        let mut mark = shelf.to_owned();
        mark.extend(self.title_only.then_some(TITLE_MARK));
        mark
    }
}

/// A lexeme that no article has: an underscore stands only between two words.
const NOTHING: &str = "_";

/// How many lexemes an expression may name, synonyms included, for the sake of leaving words out.
const NAMED: usize = 300;

impl Query {
    /// Whether [`Strictness::TwoThirds`] asks for less than [`Strictness::All`].
    pub fn has_looser(&self) -> bool {
        self.may_miss(Strictness::TwoThirds) > 0
    }

    /// The query for `MATCH` on an FTS5 table whose rows are lexemes parted by spaces; one that finds nothing where the query is
    /// empty. [`holds`](super::holds()) reads it as well.
    pub fn fts5(&self, strictness: Strictness, within: Within) -> String {
        self.write(&FTS5, strictness, within)
    }

    /// The query as text to be cast with `::tsquery` (not `to_tsquery`) and matched with a `tsvector` of lexemes. It accepts the sets that [`Query::fts5`] accepts.
    pub fn tsquery(&self, strictness: Strictness, within: Within) -> String {
        self.write(&TSQUERY, strictness, within)
    }

    fn write(&self, dialect: &Dialect, strictness: Strictness, within: Within) -> String {
        let mut out = String::new();
        if self.is_empty() {
            dialect.write(&Condition::Has(NOTHING), "", &mut out);
            return out;
        }
        let excluded: Vec<Condition<'_>> = self
            .excluded
            .iter()
            .filter(|unit| !unit.needs_text())
            .map(any_form)
            .collect();
        let excluded = Condition::Any(excluded);
        let wanted = self.wanted(self.may_miss(strictness));
        for shelf in within.shelves() {
            if !out.is_empty() {
                out.push_str(dialect.or);
            }
            out.push('(');
            dialect.write(&wanted, &within.mark(shelf), &mut out);
            if excluded.names() > 0 {
                out.push_str(dialect.not);
                dialect.write(&excluded, shelf, &mut out);
            }
            out.push(')');
        }
        out
    }

    /// How many words may be missing.
    fn may_miss(&self, strictness: Strictness) -> usize {
        if strictness == Strictness::All {
            return 0;
        }
        let words = self.units.iter().filter(|unit| !unit.is_phrase()).count();
        // n - ceil(2n/3) = floor(n/3)
        (1..=words / 3)
            .rev()
            .find(|&miss| self.wanted(miss).names() <= NAMED)
            .unwrap_or(0)
    }

    fn wanted(&self, may_miss: usize) -> Condition<'_> {
        let (phrases, words): (Vec<&Unit>, Vec<&Unit>) = self.units.iter().partition(|unit| unit.is_phrase());
        let mut all: Vec<Condition<'_>> = phrases.into_iter().map(any_form).collect();
        all.extend(all_but(&words, may_miss));
        Condition::All(all)
    }
}

/// A condition on a set of lexemes.
#[derive(Debug)]
enum Condition<'q> {
    Has(&'q str),
    All(Vec<Condition<'q>>),
    Any(Vec<Condition<'q>>),
}

impl Condition<'_> {
    fn names(&self) -> usize {
        match self {
            Condition::Has(_) => 1,
            Condition::All(parts) | Condition::Any(parts) => parts.iter().map(Condition::names).sum(),
        }
    }
}

/// A word in any of its forms.
fn any_form(unit: &Unit) -> Condition<'_> {
    let forms = unit.forms().map(|form| {
        let lexemes = form.lexemes.iter();
        Condition::All(lexemes.map(|lexeme| Condition::Has(lexeme)).collect())
    });
    Condition::Any(forms.collect())
}

/// All units but `miss` of them; nothing where that asks for nothing.
///
/// Halving keeps it short: either half may miss some, as long as the sum is right. With every choice of words written out,
/// 24 words of which 2 may miss would name 6,072; this way they name 288. With synonyms each word names more, and so fewer may
/// miss within [`NAMED`]. The depth is the logarithm of the number of units.
fn all_but<'q>(units: &[&'q Unit], miss: usize) -> Option<Condition<'q>> {
    if miss >= units.len() {
        return None;
    }
    if miss == 0 {
        return Some(Condition::All(units.iter().map(|unit| any_form(unit)).collect()));
    }
    let (left, right) = units.split_at(units.len() / 2);
    let mut ways = Vec::new();
    for left_miss in 0..=miss {
        let right_miss = miss - left_miss;
        if left_miss > left.len() || right_miss > right.len() {
            continue;
        }
        let way: Vec<Condition<'_>> = [all_but(left, left_miss), all_but(right, right_miss)]
            .into_iter()
            .flatten()
            .collect();
        ways.push(Condition::All(way));
    }
    Some(Condition::Any(ways))
}

struct Dialect {
    quote: char,
    and: &'static str,
    or: &'static str,
    not: &'static str,
}

const FTS5: Dialect = Dialect {
    quote: '"',
    and: " AND ",
    or: " OR ",
    not: " NOT ",
};
const TSQUERY: Dialect = Dialect {
    quote: '\'',
    and: " & ",
    or: " | ",
    not: " & !",
};

impl Dialect {
    /// Writes a condition in brackets of its own, each lexeme behind the mark. Lexemes hold neither kind of quote nor a
    /// backslash.
    fn write(&self, condition: &Condition<'_>, mark: &str, out: &mut String) {
        let (parts, operator) = match condition {
            Condition::Has(lexeme) => {
                out.push(self.quote);
                out.push_str(mark);
                out.push_str(lexeme);
                out.push(self.quote);
                return;
            }
            Condition::All(parts) => (parts, self.and),
            Condition::Any(parts) => (parts, self.or),
        };
        if let [only] = parts.as_slice() {
            return self.write(only, mark, out);
        }
        out.push('(');
        for (i, part) in parts.iter().enumerate() {
            if i > 0 {
                out.push_str(operator);
            }
            self.write(part, mark, out);
        }
        out.push(')');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::query::{Known, SYNONYMS, cut};

    fn parse(typed: &str) -> Query {
        Query::parse(typed, &cut)
    }

    fn holds(condition: &Condition<'_>, set: &dyn Fn(&str) -> bool) -> bool {
        match condition {
            Condition::Has(lexeme) => set(lexeme),
            Condition::All(parts) => parts.iter().all(|part| holds(part, set)),
            Condition::Any(parts) => parts.iter().any(|part| holds(part, set)),
        }
    }

    #[test]
    fn both_dialects_are_written() {
        let query = parse("马斯克 iPhone16 \"深度学习\" -小米 -“自动驾驶” -a.b");
        let titles = Within {
            title_only: true,
            ..Within::PUBLISHED
        };
        let all = Within {
            unpublished: true,
            ..Within::PUBLISHED
        };
        assert_eq!(
            query.fts5(Strictness::All, Within::PUBLISHED),
            r#"((("深度学" AND "度学习") AND ("马斯克" AND "iphone_16")) NOT ("小米" OR "a_b"))"#
        );
        assert_eq!(
            query.tsquery(Strictness::All, titles),
            "((('\u{F8FF}深度学' & '\u{F8FF}度学习') & ('\u{F8FF}马斯克' & '\u{F8FF}iphone_16')) & !('小米' | 'a_b'))"
        );
        assert_eq!(parse("中").fts5(Strictness::All, Within::PUBLISHED), "(\"中\")");
        assert_eq!(
            parse("中 -国").fts5(Strictness::All, all),
            r#"("中" NOT "国") OR ("_中" NOT "_国")"#
        );
        assert_eq!(parse("，").fts5(Strictness::All, all), "\"_\"");
        assert_eq!(parse("-中").tsquery(Strictness::TwoThirds, titles), "'_'");
    }

    #[test]
    fn two_thirds_of_the_words_are_counted_right_for_every_set() {
        for n in 1..=13usize {
            let names: Vec<String> = (0..n).map(|i| format!("w{}", (b'a' + i as u8) as char)).collect();
            let query = parse(&names.join(" "));
            let may_miss = query.may_miss(Strictness::TwoThirds);
            assert_eq!(may_miss, n - (2 * n).div_ceil(3), "{n}");
            assert_eq!(query.has_looser(), n >= 3);
            let condition = query.wanted(may_miss);
            for bits in 0u32..1 << n {
                let set = |lexeme: &str| bits >> (lexeme.as_bytes()[1] - b'a') & 1 == 1;
                assert_eq!(
                    holds(&condition, &set),
                    bits.count_ones() as usize >= n - may_miss,
                    "{n} {bits:b}"
                );
            }
        }
    }

    #[test]
    fn phrases_must_be_there_even_when_words_may_miss() {
        let query = parse("\"必须\" 一个 两个 三个");
        let condition = query.wanted(query.may_miss(Strictness::TwoThirds));
        assert!(holds(&condition, &|lexeme| lexeme != "两个"));
        assert!(!holds(&condition, &|lexeme| lexeme != "必须"));
    }

    fn known(groups: &[&[&str]]) -> Known {
        let mut known = Known::default();
        for group in groups {
            for word in *group {
                let key = crate::text::flow::flow(word);
                group.iter().for_each(|other| known.add_synonym(&key, other));
            }
        }
        known
    }

    #[test]
    fn a_word_is_there_in_any_of_its_forms_in_both_dialects() {
        let groups = known(&[&["手机", "移动电话", "cell phone"], &["软件", "軟體"]]);
        let query = Query::parse_with("手机軟體 \"手机\" -软件", &cut, &groups);
        assert_eq!(
            query.fts5(Strictness::All, Within::PUBLISHED),
            r#"(("手机" AND (("手机" OR ("移动电" AND "动电话") OR "cell_phone") AND ("软体" OR "软件"))) NOT "软件")"#
        );
        let query = Query::parse_with("cell-phone", &cut, &groups);
        let titles = Within {
            title_only: true,
            ..Within::PUBLISHED
        };
        assert_eq!(
            query.tsquery(Strictness::All, titles),
            "(('\u{F8FF}cell_phone' | '\u{F8FF}手机' | ('\u{F8FF}移动电' & '\u{F8FF}动电话')))"
        );
    }

    #[test]
    fn a_word_with_its_synonyms_counts_as_one() {
        let groups = known(&[&["甲", "乙"], &["丙", "丁", "戊"]]);
        let query = Query::parse_with("甲 丙 己", &cut, &groups);
        let miss = query.may_miss(Strictness::TwoThirds);
        assert_eq!(miss, 1);
        let condition = query.wanted(miss);
        for (there, enough) in [("乙戊", true), ("甲乙", false), ("丙丁戊", false), ("丁己", true)] {
            assert_eq!(holds(&condition, &|lexeme| there.contains(lexeme)), enough, "{there}");
        }
        let twice = Query::parse_with("甲 乙 己", &cut, &groups);
        assert_eq!(twice.units.len(), 2, "who types both words asks for one");
        assert!(!twice.has_looser());
    }

    #[test]
    fn hostile_synonyms_are_words() {
        let hostile = [
            "\" OR title:x NOT \"",
            "' | !'b",
            "c++ & d#",
            "a\\' <-> 'b",
            "\u{F8FF}e",
            "😀 f",
            "g_h*",
        ];
        for word in hostile {
            let query = Query::parse_with("x", &cut, &known(&[&["x", word]]));
            let written = query.fts5(Strictness::All, Within::PUBLISHED);
            assert!(
                written.matches('"').count().is_multiple_of(2) && !written.contains("title:"),
                "{written}"
            );
            for lexeme in query.units[0].forms().flat_map(|form| &form.lexemes) {
                assert!(
                    lexeme.chars().all(|c| c.is_alphanumeric() || "_+#".contains(c)),
                    "{lexeme:?} of {word:?}"
                );
            }
        }
        for nothing in ["😀", "\0", "\"", " "] {
            let query = Query::parse_with("x", &cut, &known(&[&["x", nothing]]));
            assert_eq!(query.fts5(Strictness::All, Within::PUBLISHED), "(\"x\")");
        }
    }

    #[test]
    fn synonyms_lengthen_an_expression_within_a_bound() {
        let word = |i: u32| format!("词{}", char::from_u32(0x4E00 + i).unwrap());
        let groups: Vec<Vec<String>> = (0..24)
            .map(|i| {
                let long = (1..20).map(|j| format!("{}{}", word(i * 20 + j), "長".repeat(40)));
                std::iter::once(word(i)).chain(long).collect()
            })
            .collect();
        let borrowed: Vec<Vec<&str>> = groups
            .iter()
            .map(|group| group.iter().map(String::as_str).collect())
            .collect();
        let groups: Vec<&[&str]> = borrowed.iter().map(Vec::as_slice).collect();
        let typed: String = (0..24).map(|i| format!("{} ", word(i))).collect();
        let query = Query::parse_with(&typed, &cut, &known(&groups));
        assert_eq!(query.units.len(), 24);
        assert!(query.units[0].others.len() > 1 && query.wanted(0).names() <= 24 + SYNONYMS);
        assert!(query.wanted(query.may_miss(Strictness::TwoThirds)).names() <= NAMED);
    }

    #[test]
    fn an_expression_stays_short_however_long_the_query() {
        let words: String = (0..40)
            .map(|i| format!("词{} ", char::from_u32(0x4E00 + i).unwrap()))
            .collect();
        let query = parse(&words);
        let miss = query.may_miss(Strictness::TwoThirds);
        assert_eq!((query.units.len(), miss, query.wanted(miss).names()), (24, 2, 288));
        let long = format!("{} a b", "カ".repeat(300) + &"ひ".repeat(180));
        let query = parse(&long);
        assert!(query.wanted(query.may_miss(Strictness::TwoThirds)).names() <= 600);
    }
}
