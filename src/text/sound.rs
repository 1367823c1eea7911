//! How a name sounds, so that it is found while it is still being typed: by its characters, by its pinyin, or by the
//! initials of that.
//!
//! A [`Name`] is a title or a tag as its parts: a character each of the scripts without spaces, a word or number each of the
//! others. What was [typed](Typed) is compared with the parts, gaps aside. What is compared here and what
//! [`lexemes`](Name::lexemes) and [`keys`] say agree, so that the index finds what the comparison accepts.

mod readings;
mod typed;

use std::collections::BTreeSet;

pub use typed::{Place, Typed};

use super::flow::{Scanner, Step};
use super::normalise::{Kind, fold_name};
use readings::readings;

/// Stands before a lexeme that says how a title sounds. A private-use character, as
/// [`TITLE_MARK`](super::analyse::TITLE_MARK) is: no text can bring it into a lexeme of its own.
const SOUND_MARK: char = '\u{F8FE}';

/// Stands behind the mark where the lexeme is made of initials.
const INITIALS_MARK: char = '_';

/// How many parts of a name count: one Han character, Latin word or number each.
const PARTS: usize = 60;

/// How long the lexemes are: of letters, and of initials. One letter would find nearly every title; what is typed beyond the
/// longest narrows nothing in the index, but twelve letters are about four characters.
const LETTERS: &[usize] = &[2, 3, 4, 5, 6, 7, 8, 12];
const INITIALS: &[usize] = &[2, 3, 4];

/// How many ways to read what begins at one part the index knows: where several characters in a row have several readings,
/// the usual ones come first.
const WAYS: usize = 6;

/// How many characters of a key are kept, and of a word in a name: as many as may be typed.
const TYPED: usize = 50;

/// A title or the name of a tag, in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    /// Its letters, digits and characters, folded, without what lies between them.
    chars: Vec<char>,
    parts: Vec<Part>,
}

/// One character of a script without spaces, or one word or number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    from: usize,
    to: usize,
    /// Whether it is such a character.
    gram: bool,
    /// Whether something lies between it and the character before it.
    apart: bool,
}

impl Name {
    /// Reads a name; its first sixty parts count.
    pub fn new(text: &str) -> Name {
        let mut name = Name::default();
        let mut scanner = Scanner::default();
        let mut in_gram = false;
        for c in text.chars() {
            let (c, first) = match scanner.step(c) {
                Step::Skip => continue,
                Step::Next(c) => (c, false),
                Step::First(c, kind, _) => {
                    in_gram = kind == Kind::Gram;
                    (c, true)
                }
            };
            let from = name.chars.len();
            let full = name.parts.len() == PARTS;
            match name.parts.last_mut() {
                // What nobody can type is no use to keep.
                Some(part) if !in_gram && !first => {
                    if from - part.from <= TYPED {
                        name.chars.push(c);
                        part.to = from + 1;
                    }
                }
                _ if full => break,
                _ => {
                    name.chars.push(c);
                    name.parts.push(Part {
                        from,
                        to: from + 1,
                        gram: in_gram,
                        apart: first,
                    });
                }
            }
        }
        name
    }

    /// The characters of a part.
    fn of(&self, part: &Part) -> &[char] {
        self.chars.get(part.from..part.to).unwrap_or_default()
    }

    /// What the index knows of how a title sounds, sorted: for each part the beginnings of what may be typed from there on, of
    /// two to twelve letters by the whole pinyin and, where there is some, of two to four by its initials. Like the other
    /// lexemes they need no escaping.
    pub fn lexemes(&self) -> BTreeSet<String> {
        let mut lexemes = BTreeSet::new();
        for at in 0..self.parts.len() {
            let rest = self.parts.get(at..).unwrap_or_default();
            for way in self.ways(rest, longest(LETTERS), false, true) {
                lexemes.extend(beginnings(&way, LETTERS).map(|beginning| sound(&beginning)));
            }
            for way in self.ways(rest, longest(INITIALS), true, true) {
                lexemes.extend(beginnings(&way, INITIALS).map(|beginning| initials(&beginning)));
            }
        }
        lexemes
    }

    /// The ways to type these parts, at least `most` letters of them if there are so many. A character without readings ends
    /// a way if `read` says that all must be read, else it stands for itself.
    fn ways(&self, parts: &[Part], most: usize, by_initials: bool, read: bool) -> Vec<Vec<char>> {
        let mut ways: Vec<Vec<char>> = vec![Vec::new()];
        for part in parts {
            if ways.iter().all(|way| way.len() >= most) {
                break;
            }
            let own = self.of(part);
            let mut units: Vec<Vec<char>> = Vec::new();
            for reading in own.iter().take_while(|_| part.gram).flat_map(|c| readings(*c)) {
                let unit: Vec<char> = reading.chars().take(if by_initials { 1 } else { most }).collect();
                if !units.contains(&unit) {
                    units.push(unit);
                }
            }
            if units.is_empty() {
                if part.gram && read {
                    break;
                }
                units.push(own.to_vec());
            }
            // All ways with the usual reading come before those with another.
            ways = units
                .iter()
                .flat_map(|unit| ways.iter().map(|way| [way.as_slice(), unit].concat()))
                .take(WAYS)
                .collect();
        }
        ways
    }
}

fn longest(lengths: &[usize]) -> usize {
    lengths.last().copied().unwrap_or_default()
}

/// The beginnings of a way to type that have these lengths.
fn beginnings<'a>(way: &'a [char], lengths: &'a [usize]) -> impl Iterator<Item = String> + 'a {
    lengths
        .iter()
        .filter_map(|length| Some(way.get(..*length)?.iter().collect()))
}

fn sound(letters: &str) -> String {
    format!("{SOUND_MARK}{letters}")
}

fn initials(letters: &str) -> String {
    format!("{SOUND_MARK}{INITIALS_MARK}{letters}")
}

/// Under which keys a tag is found by their beginnings, sorted: its name without gaps, its pinyin, its initials, up to fifty
/// characters of each. A name of signs alone has itself as its key; the empty name has none.
pub fn keys(name: &str) -> BTreeSet<String> {
    let parsed = Name::new(name);
    if parsed.parts.is_empty() {
        let own: String = fold_name(name).chars().take(TYPED).collect();
        return Some(own).filter(|own| !own.is_empty()).into_iter().collect();
    }
    let by_sound = parsed.ways(&parsed.parts, TYPED, false, false);
    let by_initials = parsed.ways(&parsed.parts, TYPED, true, false);
    std::iter::once(&parsed.chars)
        .chain(&by_sound)
        .chain(&by_initials)
        .map(|way| way.iter().take(TYPED).collect())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::analyse::{UNPUBLISHED_MARK, lexemes as text_lexemes};

    #[test]
    fn a_title_is_known_by_how_it_begins_at_each_part() {
        let lexemes = Name::new("小米，14").lexemes();
        let expected = [
            "14", "_m1", "_m14", "_xm", "_xm1", "_xm14", "mi", "mi1", "mi14", "xi", "xia", "xiao", "xiaom", "xiaomi",
            "xiaomi1", "xiaomi14",
        ];
        let with_mark: BTreeSet<String> = expected
            .iter()
            .map(|letters| format!("{SOUND_MARK}{letters}"))
            .collect();
        let own_initials = format!("{SOUND_MARK}_14");
        assert_eq!(&lexemes - &BTreeSet::from([own_initials]), with_mark);
    }

    #[test]
    fn tags_are_found_by_name_pinyin_and_initials() {
        for (name, expected) in [
            ("小米", &["xiaomi", "xm", "小米"][..]),
            ("西安", &["xa", "xian", "西安"]),
            ("Wi-Fi 7", &["wifi7"]),
            ("C++", &["c++"]),
            ("ｉＰｈｏｎｅ 16", &["iphone16"]),
            ("5G手機", &["5gshouji", "5gsj", "5g手机"]),
            ("ソニー", &["ソニー"]),
            ("🔥", &["🔥"]),
            (" ", &[]),
        ] {
            let found = keys(name);
            assert!(
                found.iter().map(String::as_str).eq(expected.iter().copied()),
                "{name}: {found:?}"
            );
        }
        let both = keys("重庆");
        assert!(
            ["chongqing", "zhongqing", "cq", "zq"]
                .iter()
                .all(|key| both.contains(*key)),
            "{both:?}"
        );
        assert!(keys(&"长".repeat(100)).iter().all(|key| key.chars().count() == TYPED));
    }

    #[test]
    fn the_lexemes_are_few_short_and_harmless_whatever_comes_in() {
        let all: String = (1..=0x10_FFFF).step_by(7).filter_map(char::from_u32).collect();
        let long = "x".repeat(1_000_000);
        let ambiguous = "重长行乐着差".repeat(1_000);
        let nasty = "'; DROP \\ \"a\" NEAR( a* ^b {c d}:x \0\u{1} ﷽ \u{F8FE}xm \u{202E}abc".repeat(20);
        let wide = "\u{118A0}\u{118A1} ".repeat(1_000);
        for text in [all.as_str(), &long, &ambiguous, &nasty, &wide] {
            let lexemes = Name::new(text).lexemes();
            let bytes: usize = lexemes.iter().map(String::len).sum();
            assert!(bytes < 40_000, "{bytes}");
            for lexeme in &lexemes {
                let letters = lexeme.strip_prefix(SOUND_MARK).expect("the mark");
                let letters = letters.strip_prefix(INITIALS_MARK).unwrap_or(letters);
                assert!(LETTERS.contains(&letters.chars().count()), "{lexeme:?}");
                assert!(
                    letters.chars().all(|c| c.is_alphanumeric() || matches!(c, '+' | '#')),
                    "{lexeme:?}"
                );
            }
        }
    }

    #[test]
    fn with_the_longest_text_they_stay_below_what_postgresql_takes() {
        let rare: String = (0x20000..0x20000 + 60_000).filter_map(char::from_u32).collect();
        let title = format!("{}{rare}", "重长行乐着差".repeat(10));
        let text = text_lexemes(&title, "", &[] as &[&str], &rare);
        let all = text
            .iter()
            .chain(&Name::new(&title).lexemes())
            .map(|lexeme| UNPUBLISHED_MARK.len() + lexeme.len())
            .sum::<usize>();
        assert!(all < 1_048_575, "{all}");
    }
}
