//! One spelling for what readers take as the same: width, case, accents, traditional and simplified characters.
//!
//! [`fold`] maps one character to one character, so an offset counted in characters means the same before and after. What
//! search indexes and what it looks for both pass through it.

use std::sync::LazyLock;

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// What a character is to search, judged after [`fold`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Written without spaces between words and therefore found by n-grams: Han, kana, bopomofo, hangul.
    Gram,
    /// A letter of a script that puts spaces between words.
    Letter,
    /// A digit or another number sign.
    Digit,
    /// Invisible or combining: neither seen nor a border, as if it were not there.
    Mark,
    /// White space and control characters.
    Blank,
    /// Everything else: punctuation, symbols, emoji.
    Other,
}

/// Traditional and variant forms that the conversion table leaves as they are or maps to a rarer character.
const CORRECTIONS: &[(char, char)] = &[
    ('摺', '折'),
    ('藉', '借'),
    ('妳', '你'),
    ('牠', '它'),
    ('祂', '它'),
    ('祇', '只'),
    ('嚐', '尝'),
    ('彆', '别'),
    ('羣', '群'),
    ('峯', '峰'),
    ('懞', '蒙'),
    ('睏', '困'),
    ('拚', '拼'),
    ('囌', '苏'),
    ('伕', '夫'),
    ('諮', '咨'),
    ('谘', '咨'),
    ('効', '效'),
    ('凖', '准'),
    ('凈', '净'),
    ('糉', '粽'),
    ('皁', '皂'),
    ('疊', '叠'),
    ('尅', '克'),
    ('慼', '戚'),
    ('卽', '即'),
    ('眞', '真'),
    ('榖', '谷'),
    ('錬', '炼'),
    ('囓', '啮'),
    ('痲', '麻'),
    ('踡', '蜷'),
    ('郷', '乡'),
    ('瀋', '沈'),
    ('乹', '干'),
];

type Entry = (char, Kind);

/// The folded form and the kind of each character of the basic plane, worked out once.
static TABLE: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    // The codes of surrogates are no characters; nothing asks for them.
    (0..0x1_0000)
        .map(|code| char::from_u32(code).map_or(('\u{FFFD}', Kind::Other), |c| work_out(c, simplified(c))))
        .collect()
});

/// The folded form of a character and what it is: the one look-up behind indexing, querying and highlighting.
#[inline]
pub fn look(c: char) -> (char, Kind) {
    match TABLE.get(c as usize) {
        Some(&entry) => entry,
        None => work_out(c, c),
    }
}

/// Half width, lower case, without accents on Latin and Greek letters, simplified.
///
/// ```text
/// Ａ → a    É → e    　→ space    體 → 体    摺 → 折
/// ```
#[inline]
pub fn fold(c: char) -> char {
    look(c).0
}

/// [`fold`] for each character; as many characters out as in.
pub fn fold_str(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    folded.extend(text.chars().map(fold));
    folded
}

/// The key under which a name (tag, category, author) or an e-mail address is unique: compatibility forms and case folded,
/// invisible characters dropped, white space trimmed and collapsed. Traditional and simplified names stay two names.
pub fn fold_name(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for c in name.nfkc().flat_map(char::to_lowercase).nfc() {
        if is_invisible(c) {
            continue;
        }
        if c.is_whitespace() || c.is_control() {
            if !key.is_empty() && !key.ends_with(' ') {
                key.push(' ');
            }
        } else {
            key.push(c);
        }
    }
    if key.ends_with(' ') {
        key.pop();
    }
    key
}

/// Characters without a shape of their own: zero width, direction, soft hyphen, byte order mark.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}')
}

fn simplified(c: char) -> char {
    if !is_han(c) {
        return c;
    }
    match CORRECTIONS.iter().find(|(from, _)| *from == c) {
        Some(&(_, to)) => to,
        None => only(fast2s::convert(c.encode_utf8(&mut [0; 4])).chars()).unwrap_or(c),
    }
}

/// `simple` is `c` in its simplified form; the other steps happen here.
fn work_out(c: char, simple: char) -> Entry {
    let wide = only(std::iter::once(simple).nfkc()).unwrap_or(simple);
    let mut folded = only(without_accent(wide).to_lowercase()).unwrap_or(wide);
    if folded != c && is_han(folded) {
        // A compatibility ideograph may stand for a traditional one.
        folded = simplified(folded);
    }
    (folded, kind(folded))
}

/// The base letter where an accented Latin or Greek letter is one: readers leave accents out. Other scripts keep their marks,
/// which make other letters there (й, が).
fn without_accent(c: char) -> char {
    let mut parts = std::iter::once(c).nfd();
    match parts.next() {
        Some(base @ ('a'..='z' | 'A'..='Z' | '\u{370}'..='\u{3FF}')) if parts.all(is_combining_mark) => base,
        _ => c,
    }
}

fn only(mut chars: impl Iterator<Item = char>) -> Option<char> {
    let first = chars.next()?;
    chars.next().is_none().then_some(first)
}

/// Han of all planes, with 〇 and 々.
pub fn is_han(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' | '々' | '〇')
}

fn kind(c: char) -> Kind {
    if is_han(c) || is_kana(c) || is_hangul(c) || matches!(c, '\u{3105}'..='\u{312F}' | '\u{31A0}'..='\u{31BF}') {
        Kind::Gram
    } else if is_invisible(c) || is_combining_mark(c) {
        Kind::Mark
    } else if c.is_whitespace() || c.is_control() {
        Kind::Blank
    } else if c.is_numeric() {
        Kind::Digit
    } else if c.is_alphabetic() {
        Kind::Letter
    } else {
        Kind::Other
    }
}

fn is_kana(c: char) -> bool {
    matches!(c, '\u{3041}'..='\u{3096}' | '\u{309D}'..='\u{309F}' | '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' | '\u{1B000}'..='\u{1B16F}')
}

fn is_hangul(c: char) -> bool {
    matches!(c, '\u{1100}'..='\u{11FF}' | '\u{3131}'..='\u{318E}' | '\u{A960}'..='\u{A97C}' | '\u{AC00}'..='\u{D7A3}' | '\u{D7B0}'..='\u{D7FB}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_case_and_accents_fold() {
        assert_eq!(fold_str("ＡＩ　１２ｶ！Café ΆΛΦΑ"), "ai 12カ!cafe αλφα");
        assert_eq!(
            fold_str("Привет й が"),
            "привет й が",
            "marks that make another letter stay"
        );
        assert_eq!(fold('ß'), 'ß');
        assert_eq!(fold_str("𝐀𝟙"), "a1", "beyond the basic plane too");
    }

    #[test]
    fn traditional_becomes_simplified() {
        for (traditional, simple) in [
            ("軟體", "软体"),
            ("摺疊屏", "折叠屏"),
            ("幹部乾淨", "干部干净"),
            ("頭髮發展", "头发发展"),
            ("後來裏面裡", "后来里面里"),
            ("著名", "著名"),
            ("瀋陽憑藉", "沈阳凭借"),
            ("臺灣颱風", "台湾台风"),
            ("鐘錶隻有", "钟表只有"),
            ("什麼麵條", "什么面条"),
            ("網絡記憶體晶片", "网络记忆体晶片"),
        ] {
            assert_eq!(fold_str(traditional), simple);
        }
        assert_eq!(fold('\u{F9DC}'), '隆', "a compatibility form");
    }

    #[test]
    fn folding_is_one_to_one_and_stable_for_every_character() {
        let mut odd = Vec::new();
        for c in (0..=0x10_FFFF).filter_map(char::from_u32) {
            let (once, kind_once) = look(c);
            let (twice, kind_twice) = look(once);
            if once != twice || kind_once != kind_twice {
                odd.push(c);
            }
            if matches!(kind_once, Kind::Letter | Kind::Gram | Kind::Digit) {
                assert!(
                    !once.is_ascii() || once.is_ascii_lowercase() || once.is_ascii_digit(),
                    "{c:?} → {once:?}"
                );
                assert!(!once.is_whitespace() && !once.is_control());
            }
        }
        assert!(odd.is_empty(), "{odd:?}");
    }

    #[test]
    fn kinds_are_told_apart() {
        let kinds: Vec<Kind> = "中々かカー한ㄅa9é²\u{301}\u{200B}\u{FE0F} \n\0，😀\u{F8FF}"
            .chars()
            .map(|c| look(c).1)
            .collect();
        use Kind::*;
        assert_eq!(
            kinds,
            [
                Gram, Gram, Gram, Gram, Gram, Gram, Gram, Letter, Digit, Letter, Digit, Mark, Mark, Mark, Blank, Blank,
                Blank, Other, Other, Other
            ]
        );
    }

    #[test]
    fn names_that_look_alike_have_one_key() {
        for name in ["Li Ming", "  li\u{3000} MING ", "Ｌｉ Ｍｉｎｇ", "Li\u{200B} Ming\n"] {
            assert_eq!(fold_name(name), "li ming");
        }
        assert_eq!(fold_name("e\u{301}"), fold_name("É"));
        assert_ne!(fold_name("e"), fold_name("é"));
        assert_ne!(fold_name("軟體"), fold_name("软体"));
        assert_eq!(fold_name("A@B.com"), "a@b.com");
        assert_eq!(fold_name(" \u{3000}\t"), "");
    }
}
