//! What somebody is typing, and where it stands in a name.

use super::readings::readings;
use super::{INITIALS, LETTERS, Name, beginnings, initials, sound};
use crate::text::analyse::{TITLE_MARK, gram_lexemes};
use crate::text::flow::{Gap, Scanner, Step};
use crate::text::normalise::Kind;

/// How many characters count; places among them are bits of a number.
const CHARACTERS: usize = 63;

/// How many lexemes of one run narrow a search; by then hardly a title is left.
const NARROWING: usize = 12;

/// What is being typed: all of it but the end is whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed {
    /// Its letters, digits and characters, folded, without what lies between them.
    chars: Vec<char>,
    /// The places that something parts from the one before, as bits: no word or syllable goes across.
    parted: u64,
    /// The places within a run of characters: the name must have them side by side.
    joined: u64,
    /// Where each run of characters, or of anything else, begins, and whether it is of characters.
    runs: Vec<(usize, bool)>,
}

/// Where a name has what was typed; the least is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Whether it stands further in, not at the beginning.
    pub within: bool,
    /// Whether its letters are initials alone.
    pub initials: bool,
    /// Whether the name goes on behind it.
    pub partial: bool,
}

/// What became of a part of a name when it was read.
enum Read {
    /// Something else was typed.
    Other,
    /// Up to this place it was typed.
    UpTo(usize),
    /// What was typed ends with it, or within it.
    End { whole: bool },
}

impl Typed {
    /// Reads what was typed; its first 63 characters count.
    pub fn new(text: &str) -> Typed {
        let mut typed = Typed::default();
        let mut scanner = Scanner::default();
        let mut in_gram = false;
        for c in text.chars() {
            let (c, first) = match scanner.step(c) {
                Step::Skip => continue,
                Step::Next(c) => (c, None),
                Step::First(c, kind, gap) => (c, Some((kind == Kind::Gram, gap))),
            };
            let at = typed.chars.len();
            if at == CHARACTERS {
                break;
            }
            typed.chars.push(c);
            match first {
                None if in_gram => typed.joined |= 1 << at,
                None => {}
                Some((gram, gap)) => {
                    if gram || in_gram || at == 0 {
                        typed.runs.push((at, gram));
                    }
                    if gap != Gap::Glued {
                        typed.parted |= 1 << at;
                    }
                    in_gram = gram;
                }
            }
        }
        typed
    }

    /// Whether there is nothing to look for in a name.
    pub fn is_empty(&self) -> bool {
        self.chars.is_empty()
    }

    /// With what a key of [`keys`](super::keys) begins if its tag has what was typed: all of it, or the characters before the
    /// letters if both were typed.
    pub fn key(&self) -> String {
        let mut runs = self.runs.iter();
        let end = match (runs.next(), runs.next()) {
            (Some((_, true)), Some((end, false))) => *end,
            _ => self.chars.len(),
        };
        self.chars.iter().take(end).collect()
    }

    /// Where a name has it, if it does: at the beginning of one of the name's parts, gaps aside, in characters, in pinyin of
    /// which only the last syllable may be unfinished, or in initials.
    pub fn place_in(&self, name: &Name) -> Option<Place> {
        if self.is_empty() {
            return None;
        }
        let by_sound = self.find(name, false);
        // Without letters there are no initials, and a single one is the beginning of a syllable as well.
        let letters = self.chars.len() > 1 && self.chars.iter().any(char::is_ascii_lowercase);
        let by_initials = if letters { self.find(name, true) } else { None };
        by_sound.into_iter().chain(by_initials).min()
    }

    /// One pass over the name. `any` are the places up to which it has been read from some part on, `first` those from its
    /// first part on.
    fn find(&self, name: &Name, by_initials: bool) -> Option<Place> {
        let (mut any, mut first) = (0_u64, 1_u64);
        let mut best: Option<Place> = None;
        for (at, part) in name.parts.iter().enumerate() {
            any |= 1;
            let (mut next_any, mut next_first) = (0, 0);
            let mut read = |from: usize, unit: Read| match unit {
                Read::Other => {}
                Read::UpTo(to) => {
                    next_any |= 1 << to;
                    if first >> from & 1 == 1 {
                        next_first |= 1 << to;
                    }
                }
                Read::End { whole } => {
                    let place = Place {
                        within: first >> from & 1 == 0,
                        initials: by_initials,
                        partial: !whole || at + 1 < name.parts.len(),
                    };
                    best = Some(best.map_or(place, |best| best.min(place)));
                }
            };
            let mut left = any;
            while left != 0 {
                let from = left.trailing_zeros() as usize;
                left &= left - 1;
                if !(part.gram && part.apart && self.joined >> from & 1 == 1) {
                    read(from, self.read(from, name.of(part).iter().copied()));
                }
                if part.gram && self.chars.get(from).is_some_and(char::is_ascii_lowercase) {
                    for reading in name.of(part).iter().flat_map(|c| readings(*c)) {
                        let letters = if by_initials { 1 } else { reading.len() };
                        read(from, self.read(from, reading.chars().take(letters)));
                    }
                }
            }
            (any, first) = (next_any, next_first);
            if best.is_some() && first == 0 {
                break;
            }
        }
        best
    }

    fn read(&self, from: usize, unit: impl Iterator<Item = char>) -> Read {
        let mut at = from;
        for c in unit {
            match self.chars.get(at) {
                None => return Read::End { whole: false },
                Some(typed) if *typed == c && (at == from || self.parted >> at & 1 == 0) => at += 1,
                Some(_) => return Read::Other,
            }
        }
        if at == self.chars.len() {
            Read::End { whole: true }
        } else {
            Read::UpTo(at)
        }
    }

    /// What the index is to be asked: of each list one lexeme at least. Every title in whose first sixty parts
    /// [`Typed::place_in`] finds a place has them, the rarest readings of long runs aside. Empty where too little was typed.
    pub fn lexemes(&self) -> Vec<Vec<String>> {
        let mut wanted = Vec::new();
        let ends = self.runs.iter().skip(1).map(|(end, _)| *end).chain([self.chars.len()]);
        for ((from, gram), end) in self.runs.iter().zip(ends) {
            let run = self.chars.get(*from..end).unwrap_or_default();
            if *gram {
                let grams = gram_lexemes(&run.iter().collect::<String>());
                let marked = grams
                    .iter()
                    .take(NARROWING)
                    .map(|gram| vec![format!("{TITLE_MARK}{gram}")]);
                wanted.extend(marked);
            } else {
                // The longest says most. A run of one letter has none.
                let by_sound = beginnings(run, LETTERS).last().map(|letters| sound(&letters));
                let by_initials = beginnings(run, INITIALS).last().map(|letters| initials(&letters));
                wanted.extend(by_sound.zip(by_initials).map(|(one, other)| vec![one, other]));
            }
        }
        wanted
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::text::analyse;

    fn place(typed: &str, name: &str) -> Option<Place> {
        Typed::new(typed).place_in(&Name::new(name))
    }

    fn finds(typed: &str, name: &str) -> bool {
        place(typed, name).is_some()
    }

    #[test]
    fn a_name_is_found_at_every_keystroke() {
        for (name, ways) in [
            (
                "小米",
                &["小米", "xiaomi", "xm", "ｘｉａｏｍｉ", "XiaoMi", "xiao mi", "xiao'mi"][..],
            ),
            ("华为", &["华为", "華為", "huawei", "hw"]),
            ("重庆", &["重庆", "chongqing", "zhongqing", "cq", "zq"]),
            ("长城汽车", &["changchengqiche", "zhangchengqiche", "ccqc"]),
            ("女儿国", &["nverguo", "nuerguo", "neg"]),
            ("绿色", &["lvse", "luse", "ls"]),
            ("自动驾驶", &["自动驾驶", "自動駕駛", "zidongjiashi", "zdjs"]),
            ("iPhone 16", &["iphone 16", "iphone16", "iPhone-16"]),
            ("5G手机", &["5g手机", "5gshouji", "5gsj", "5 G 手机"]),
            ("西安", &["xian", "xi an", "xa"]),
            (
                "小米14评测",
                &["xiaomi14pingce", "xm14pc", "小米14pc", "小米14pingce", "xiaomi14评测"],
            ),
            ("Wi-Fi 7 路由器", &["wifi7luyouqi", "wi-fi 7 路由器", "wifi7lyq"]),
            ("ソニー新品", &["ソニー新品", "ソニーxinpin"]),
        ] {
            for typed in ways {
                let characters: Vec<char> = typed.chars().collect();
                let whole = place(typed, name).unwrap_or_else(|| panic!("{typed} in {name}"));
                assert!(!whole.within && !whole.partial, "{typed} in {name}: {whole:?}");
                for length in 1..characters.len() {
                    let begun: String = characters[..length].iter().collect();
                    let place = place(&begun, name).unwrap_or_else(|| panic!("{begun} in {name}"));
                    assert!(!place.within && place.partial, "{begun} in {name}: {place:?}");
                }
            }
        }
    }

    #[test]
    fn it_may_stand_further_in_where_a_part_begins() {
        let title = "今天：小米手机发布 New iPhone";
        for typed in [
            "小米",
            "米手",
            "xiaomi",
            "mishou",
            "xmsj",
            "sjfb",
            "iph",
            "fabunewiphone",
        ] {
            assert!(place(typed, title).unwrap().within, "{typed}");
        }
        for typed in ["iaomi", "phone", "hone", "ishouji"] {
            assert!(!finds(typed, title), "{typed} begins inside of a part");
        }
    }

    #[test]
    fn all_but_the_last_syllable_is_whole() {
        for (typed, name) in [
            ("xiaomshouji", "小米手机"),
            ("xmi", "小米"),
            ("xiaomsj", "小米手机"),
            ("xian'", "西北"),
            ("xi an", "先锋"),
            ("i phone", "iPhone"),
            ("ipho 16", "iPhone 16"),
            ("小米手机", "小米：手机"),
            ("米小", "小米"),
        ] {
            assert!(!finds(typed, name), "{typed} in {name}");
        }
        assert!(finds("小 米", "小米"), "blanks between characters do not count");
        assert!(finds("xian", "先锋") && finds("xian", "西安") && finds("fangan", "反感"));
    }

    #[test]
    fn the_best_place_counts() {
        let at = |within, initials, partial| {
            Some(Place {
                within,
                initials,
                partial,
            })
        };
        assert_eq!(place("mi", "米"), at(false, false, false));
        assert_eq!(place("mi", "迷你米"), at(false, false, true));
        assert_eq!(
            place("ha", "好啊"),
            at(false, false, true),
            "the beginning of a syllable before initials"
        );
        assert_eq!(place("hz", "好转"), at(false, true, false));
        assert_eq!(place("米", "小米"), at(true, false, false));
        assert!(place("mi", "米") < place("mi", "迷你米") && place("mi", "迷你米") < place("mi", "小米"));
    }

    #[test]
    fn keys_are_asked_by_what_stands_before_the_letters() {
        for (typed, key) in [
            ("Xiao Mi", "xiaomi"),
            ("小mi", "小"),
            ("小米14", "小米"),
            ("5g手", "5g手"),
            ("C++", "c++"),
            ("\"*", ""),
        ] {
            assert_eq!(Typed::new(typed).key(), key, "{typed}");
        }
    }

    #[test]
    fn the_index_is_asked_for_what_every_such_title_has() {
        let names = [
            "小米14评测：续航与快充",
            "重庆长安汽车，行业重组",
            "iPhone 16 Pro 与 Wi-Fi 7：5G手机",
            "ソニー新品 a.b C++ Привет мир",
            "乐乐重重长长行行了了着着",
            "史蒂夫·乔布斯",
        ];
        let mut found = 0;
        for title in names {
            let name = Name::new(title);
            let mut set: HashSet<String> = analyse::lexemes(title, "", &[] as &[&str], "").into_iter().collect();
            set.extend(name.lexemes());
            let mut ways: Vec<String> = vec![title.to_owned()];
            for way in [
                name.ways(&name.parts, 60, false, false),
                name.ways(&name.parts, 60, true, false),
            ]
            .concat()
            {
                ways.push(way.iter().collect());
            }
            for other in names {
                ways.push(other.to_owned());
            }
            for way in ways {
                let characters: Vec<char> = way.chars().collect();
                for from in 0..characters.len() {
                    for to in from + 1..=characters.len() {
                        let text: String = characters[from..to].iter().collect();
                        let typed = Typed::new(&text);
                        if typed.place_in(&name).is_some() {
                            found += 1;
                            for any in typed.lexemes() {
                                assert!(any.iter().any(|one| set.contains(one)), "{text} in {title}: {any:?}");
                            }
                        }
                    }
                }
            }
        }
        assert!(found > 1_000, "{found}");
    }

    #[test]
    fn odd_input_finds_nothing_and_takes_no_time() {
        for typed in ["", "，。！", "😀", "\0", "\u{F8FE}", "'\"*\\"] {
            let typed = Typed::new(typed);
            assert!(typed.is_empty() && typed.lexemes().is_empty());
            assert_eq!(typed.place_in(&Name::new("小米")), None);
        }
        let long = Typed::new(&"an".repeat(1_000));
        assert_eq!(long.chars.len(), CHARACTERS);
        assert_eq!(long.place_in(&Name::new(&"安".repeat(1_000))), place("an", "安全"));
        assert!(finds(&"a".repeat(60), &"啊".repeat(1_000)), "by initials");
        assert!(Typed::new(&"机".repeat(50)).lexemes().len() <= NARROWING);
        assert!(!finds("小", ""));
    }
}
