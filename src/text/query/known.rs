//! Words that are known before a query is cut: the site's own, which the dictionary would part, and those with synonyms.
//!
//! A query is asked which of its stretches may be such words ([`lookups`]), whoever keeps words says which of them are
//! ([`Known`]), and reading the query then leaves them whole. Nobody has to hold all words at once.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::CHARACTERS;
use super::cutter::{self, Cut};
use super::parse::{self, Token};
use super::unit::{Form, phrase};
use crate::text::flow::{Gap, flow};
use crate::text::normalise::Kind;

/// How long a word may be that is looked for anywhere in a query, in Han characters or whole Latin words and numbers. A longer one
/// is known where nothing else stands between the phrases and the exclusions of a query. It bounds what is looked up: twelve times
/// the characters of a query.
pub const LONGEST: usize = 12;

/// A word of this many characters is known wherever it stands; a shorter one only between words, so that 生活 is not in 发生活动.
const ANYWHERE: usize = 4;

/// The words of one query that are known.
#[derive(Clone, Debug, Default)]
pub struct Known {
    words: HashSet<String>,
    synonyms: HashMap<String, Vec<Form>>,
}

/// A stretch of a part's tokens.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stretch {
    /// One word.
    Known(Vec<Token>),
    /// What is left to be cut, with whether a known word took the beginning of its first token, and the end of its last.
    Rest {
        tokens: Vec<Token>,
        cut_before: bool,
        cut_after: bool,
    },
}

impl Known {
    /// Adds a word that is to stay whole. What [`own_word`] would not give is left out.
    pub fn add_word(&mut self, word: &str) {
        if let Some(word) = own_word(word) {
            self.words.insert(word);
        }
    }

    /// Adds `other` as what is to be found for `word` as well. `word` is the [flow] of a word; `other` is as it was typed.
    pub fn add_synonym(&mut self, word: &str, other: &str) {
        let Some(form) = phrase(&parse::tokens(other.chars()), false).map(|unit| unit.form) else {
            return;
        };
        let others = self.synonyms.entry(word.to_owned()).or_default();
        if form.text != word && !others.contains(&form) {
            others.push(form);
        }
    }

    /// What is to be found for a word as well, in the order in which it was added.
    pub(super) fn others(&self, word: &str) -> &[Form] {
        self.synonyms.get(word).map_or(&[], Vec::as_slice)
    }

    /// Whether a word, given as its flow, is known.
    pub(super) fn has(&self, word: &str) -> bool {
        self.words.contains(word) || self.synonyms.contains_key(word)
    }

    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.synonyms.is_empty()
    }

    /// Finds the words that stand whatever the dictionary says: those of at least [`ANYWHERE`] characters, and those of several
    /// tokens; from the left, the longest first.
    pub(super) fn stretches(&self, tokens: &[Token], cut: Cut<'_>) -> Vec<Stretch> {
        let atoms = Atoms::of(tokens);
        let mut stretches = Vec::new();
        let (mut done, mut at) = (0, 0);
        while at < atoms.0.len() && !self.is_empty() {
            let longest = atoms
                .growing(at)
                .chain(atoms.whole().filter(|_| at == 0).map(|text| (atoms.0.len(), text)))
                .filter(|(end, text)| self.stands(&atoms, at, *end, text, tokens, cut))
                .last();
            let Some((end, _)) = longest else {
                at += 1;
                continue;
            };
            stretches.extend(atoms.rest(tokens, done, at));
            stretches.push(Stretch::Known(atoms.tokens(tokens, at, end)));
            (done, at) = (end, end);
        }
        stretches.extend(atoms.rest(tokens, done, atoms.0.len()));
        stretches
    }

    fn stands(&self, atoms: &Atoms<'_>, from: usize, to: usize, text: &str, tokens: &[Token], cut: Cut<'_>) -> bool {
        if atoms.in_one_run(from, to) {
            return to - from >= ANYWHERE && self.has(text);
        }
        let between = |at| atoms.between_words(tokens, at, cut);
        to - from > 1 && self.synonyms.contains_key(text) && between(from) && between(to)
    }
}

/// What of a query may be a known word, as flows; sorted, each once, at most [`LONGEST`] for each character.
pub fn lookups(typed: &str) -> Vec<String> {
    let mut found = BTreeSet::new();
    let parts = parse::parts(typed.chars().take(CHARACTERS));
    for part in parts.iter().filter(|part| !part.quoted && !part.excluded) {
        let atoms = Atoms::of(&part.tokens);
        for from in 0..atoms.0.len() {
            found.extend(atoms.growing(from).map(|(_, text)| text));
        }
        found.extend(atoms.whole());
    }
    found.into_iter().collect()
}

/// A word that can keep a query from being cut in it: 2 to [`LONGEST`] characters of a script without spaces, and nothing else.
/// The answer is its flow.
pub fn own_word(word: &str) -> Option<String> {
    let flow = flow(word);
    let fits = (2..=LONGEST).contains(&flow.chars().count());
    let tokens = parse::tokens(flow.chars());
    (fits && matches!(tokens.as_slice(), [only] if only.kind == Kind::Gram)).then_some(flow)
}

/// What known words are made of.
struct Atom<'t> {
    /// A character of a script without spaces, or a Latin word, or a number.
    text: &'t str,
    /// Which of the tokens it is of.
    token: usize,
    /// How many characters of its token come before it.
    place: usize,
    gram: bool,
    /// Before its token.
    gap: Gap,
}

struct Atoms<'t>(Vec<Atom<'t>>);

impl<'t> Atoms<'t> {
    fn of(tokens: &'t [Token]) -> Self {
        let mut atoms = Vec::new();
        for (token, Token { text, kind, gap }) in tokens.iter().enumerate() {
            let atom = |place, text| Atom {
                text,
                token,
                place,
                gram: *kind == Kind::Gram,
                gap: *gap,
            };
            if *kind == Kind::Gram {
                let characters = text.char_indices().enumerate();
                atoms.extend(characters.filter_map(|(place, (start, c))| {
                    let character = text.get(start..start + c.len_utf8())?;
                    Some(atom(place, character))
                }));
            } else {
                atoms.push(atom(0, text.as_str()));
            }
        }
        Self(atoms)
    }

    /// Each stretch that begins at an atom, up to [`LONGEST`], with the atom before which it ends. Latin words that are glued
    /// together are not parted.
    fn growing(&self, from: usize) -> impl Iterator<Item = (usize, String)> + '_ {
        let most = if self.glued(from) { 0 } else { LONGEST };
        let mut text = String::new();
        let ends = self.0.iter().enumerate().skip(from).take(most).map(move |(at, atom)| {
            push(&mut text, atom);
            (at + 1, text.clone())
        });
        ends.filter(|(end, _)| !self.glued(*end))
    }

    /// All of it, where it is too long for [`Atoms::growing`].
    fn whole(&self) -> impl Iterator<Item = String> + '_ {
        let whole = (self.0.len() > LONGEST).then(|| {
            let mut text = String::new();
            self.0.iter().for_each(|atom| push(&mut text, atom));
            text
        });
        whole.into_iter()
    }

    /// Whether two Latin words or numbers meet here that are written as one: `node.js`, `iPhone16`.
    fn glued(&self, at: usize) -> bool {
        let before = at.checked_sub(1).and_then(|before| self.0.get(before));
        match (before, self.0.get(at)) {
            (Some(before), Some(after)) => !before.gram && !after.gram && after.gap == Gap::Glued,
            _ => false,
        }
    }

    fn in_one_run(&self, from: usize, to: usize) -> bool {
        let last = to.checked_sub(1).and_then(|last| self.0.get(last));
        match (self.0.get(from), last) {
            (Some(first), Some(last)) => first.gram && first.token == last.token,
            _ => false,
        }
    }

    /// Whether a word ends and another begins here: between tokens, or where the dictionary parts a long one.
    fn between_words(&self, tokens: &[Token], at: usize, cut: Cut<'_>) -> bool {
        let Some(atom) = self.0.get(at).filter(|atom| atom.place > 0) else {
            return true;
        };
        let run = tokens.get(atom.token).map_or("", |token| token.text.as_str());
        let mut length = 0;
        cutter::pieces(run, 4, cut).iter().any(|piece| {
            length += piece.chars().count();
            length == atom.place
        })
    }

    /// The tokens of a stretch, or what of them is in it.
    fn tokens(&self, tokens: &[Token], from: usize, to: usize) -> Vec<Token> {
        let atoms = self.0.get(from..to).unwrap_or_default();
        let parts = atoms.chunk_by(|a, b| a.token == b.token);
        parts
            .filter_map(|part| {
                let first = part.first()?;
                Some(Token {
                    text: part.iter().map(|atom| atom.text).collect(),
                    kind: tokens.get(first.token)?.kind,
                    gap: if first.place == 0 { first.gap } else { Gap::Glued },
                })
            })
            .collect()
    }

    /// What lies between known words, if anything.
    fn rest(&self, tokens: &[Token], from: usize, to: usize) -> Option<Stretch> {
        let inside = |at: usize| self.0.get(at).is_some_and(|atom| atom.place > 0);
        (from < to).then(|| Stretch::Rest {
            tokens: self.tokens(tokens, from, to),
            cut_before: inside(from),
            cut_after: inside(to),
        })
    }
}

/// Goes on with a flow.
fn push(text: &mut String, atom: &Atom<'_>) {
    if atom.place == 0 && !text.is_empty() {
        text.push(atom.gap.separator());
    }
    text.push_str(atom.text);
}

#[cfg(test)]
mod tests {
    use super::super::{Query, Unit, cut};
    use super::*;

    /// The words of a query that knows these, and their synonyms.
    fn texts(typed: &str, words: &[&str], groups: &[&[&str]]) -> Vec<String> {
        let query = Query::parse_with(typed, &cut, &known(words, groups));
        query.units().iter().map(Unit::text).map(str::to_owned).collect()
    }

    fn known(words: &[&str], groups: &[&[&str]]) -> Known {
        let mut known = Known::default();
        words.iter().for_each(|word| known.add_word(word));
        for group in groups {
            for word in *group {
                group.iter().for_each(|other| known.add_synonym(&flow(word), other));
            }
        }
        known
    }

    #[test]
    fn a_known_word_of_four_characters_stands_anywhere() {
        let words = ["自动驾驶", "折叠屏手机", "自动驾驶汽车"];
        assert_eq!(texts("自动驾驶", &[], &[]), ["自动", "驾驶"]);
        assert_eq!(texts("自动驾驶", &words, &[]), ["自动驾驶"]);
        assert_eq!(texts("論自動駕駛的未來", &words, &[]), ["论", "自动驾驶", "未来"]);
        assert_eq!(texts("自动驾驶汽车评测", &words, &[]), ["自动驾驶汽车", "评测"]);
        assert_eq!(
            texts("新折叠屏手机壳推荐", &words, &[]),
            ["新", "折叠屏手机", "壳", "推荐"]
        );
        assert_eq!(texts("\"自动驾驶汽车\" -自动驾驶", &words, &[]), ["自动驾驶汽车"]);
    }

    #[test]
    fn a_shorter_one_stands_between_words_of_the_dictionary_alone() {
        assert_eq!(
            texts("发生活动的地点", &["生活"], &[]),
            texts("发生活动的地点", &[], &[])
        );
        assert_eq!(texts("小米手机壳推荐", &[], &[]), ["小米", "手机壳", "推荐"]);
        assert_eq!(texts("小米手机壳推荐", &["手机"], &[]), ["小米", "手机", "壳", "推荐"]);
        assert_eq!(
            texts("苹果折叠屏发布", &["折叠屏", "叠屏发"], &[]),
            ["苹果", "折叠屏", "发布"]
        );
        assert_eq!(texts("手机壳", &["手机"], &[]), ["手机壳"], "a short run is one word");
    }

    #[test]
    fn what_is_left_between_known_words_is_cut_however_short() {
        assert_eq!(texts("自动驾驶的未来", &["自动驾驶"], &[]), ["自动驾驶", "未来"]);
        assert_eq!(texts("新车自动驾驶", &["自动驾驶"], &[]), ["新车", "自动驾驶"]);
        assert_eq!(
            texts("量子自动驾驶手机", &["自动驾驶"], &[]),
            ["量子", "自动驾驶", "手机"]
        );
    }

    #[test]
    fn no_character_is_lost_beside_known_words() {
        let words = ["自动驾驶", "手机", "삼성전자", "スマート", "𠀁𠀂𠀃𠀄"];
        for run in [
            "龘自动驾驶龘手机龘",
            "手机手机手机手机",
            "자삼성전자갤럭시",
            "新スマートフォン手机",
            "𠀀𠀁𠀂𠀃𠀄𠀅",
            "自动驾驶驾驶自动",
        ] {
            // Not the query, which drops what comes twice.
            let tokens = parse::tokens(run.chars());
            let units = super::super::unit::words(&tokens, &cut, &known(&words, &[]));
            let whole: String = units.iter().map(Unit::text).collect();
            assert_eq!(whole, flow(run));
        }
    }

    #[test]
    fn synonyms_of_several_tokens_stay_whole() {
        let groups: &[&[&str]] = &[
            &["机器学习", "Machine Learning"],
            &["5G手机", "5G phone"],
            &["js", "JavaScript"],
        ];
        for (typed, expected) in [
            ("machine learning 教程", &["machine learning", "教程"][..]),
            ("machine-learning", &["machine learning"]),
            ("machine, learning", &["machine", "learning"]),
            ("machine learnings", &["machine", "learnings"]),
            ("机器学习教程", &["机器学习", "教程"]),
            ("便宜5G手机推荐", &["便宜", "5 g 手机", "推荐"]),
            ("5G手机壳", &["5 g", "手机壳"]),
            ("node.js js", &["node js", "js"]),
            ("xmachine learning", &["xmachine", "learning"]),
        ] {
            assert_eq!(texts(typed, &[], groups), expected, "{typed}");
        }
    }

    #[test]
    fn a_long_synonym_is_known_where_it_is_the_whole() {
        let long = "一二三四五六七八九十甲乙丙丁";
        let groups: &[&[&str]] = &[&[long, "x"]];
        assert_eq!(texts(long, &[], groups), [long]);
        assert_eq!(texts(&format!("“y” {long}"), &[], groups), ["y", long]);
        assert!(texts(&format!("{long}戊"), &[], groups).len() > 1);
    }

    #[test]
    fn lookups_are_all_stretches_and_bounded() {
        assert_eq!(lookups("手機"), ["手", "手机", "机"]);
        assert_eq!(
            lookups("node.js，小米 \"a\" -b"),
            ["node js", "node js\n小", "node js\n小米", "小", "小米", "米"]
        );
        assert!(lookups("自动驾驶").contains(&"自动驾驶".to_owned()));
        assert!(lookups(&"龘丽".repeat(1_000)).len() <= CHARACTERS * LONGEST + 1);
        let many: String = (0x4E00..0x4E00 + 200).filter_map(char::from_u32).collect();
        assert!(lookups(&many).len() <= 200 * LONGEST + 1);
        for nothing in ["", "😀", "\0", "\"手机\"", "-手机"] {
            assert!(lookups(nothing).is_empty(), "{nothing:?}");
        }
    }

    #[test]
    fn words_of_the_site_are_runs_of_two_to_twelve_characters() {
        assert_eq!(own_word(" 自動駕駛！").as_deref(), Some("自动驾驶"));
        for other in [
            "",
            "车",
            "AI",
            "小米14",
            "自动 驾驶",
            "一二三四五六七八九十甲乙丙",
            "😀",
            "\0",
        ] {
            assert_eq!(own_word(other), None, "{other:?}");
        }
    }
}
