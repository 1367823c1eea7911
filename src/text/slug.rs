//! The part of an article's address that its title gives, and what an author may give instead.

pub(super) mod readings;

use thiserror::Error;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use readings::{WORDS, reading};

use super::normalise::{fold, is_han, is_invisible};

/// The length of a slug made from a title, in bytes.
const MADE: usize = 80;

/// The length of a slug that an author gives, in characters.
const GIVEN: usize = 200;

/// The slug of a title in which nothing can be spelt.
const NAMELESS: &str = "article";

/// A slug of `[a-z0-9-]`, at most 80 long: pinyin without tones, a syllable a character, and Latin words and numbers in lower
/// case without accents. What cannot be spelt parts the words; where nothing can, the slug is `article`.
///
/// ```text
/// 小米14评测 → xiao-mi-14-ping-ce
/// ```
pub fn slug_from_title(title: &str) -> String {
    let mut slug = String::new();
    let mut whole = 0;
    let mut parted = true;
    // Twice the length of a slug of single letters: what follows cannot be in it, unless much cannot be spelt.
    let title: String = title.chars().filter(|&c| !is_invisible(c)).take(20 * MADE).collect();
    let mut rest = title.as_str();
    while let Some(c) = rest.chars().next() {
        if slug.len() > MADE {
            break;
        }
        if is_han(fold(c)) {
            let taken = spell(rest, &mut slug, &mut whole);
            rest = rest
                .char_indices()
                .nth(taken)
                .and_then(|(at, _)| rest.get(at..))
                .unwrap_or_default();
            parted = true;
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        if matches!(c, '\'' | '’') || is_combining_mark(c) {
            // don't → dont; the letter before a combining mark is spelt already.
            continue;
        }
        let start = slug.len();
        for c in spelling(c) {
            if parted {
                begin(&mut slug, &mut whole);
                parted = false;
            }
            slug.push(c);
        }
        parted |= slug.len() == start;
    }
    if slug.len() > MADE {
        // The last word that fits ends before the last hyphen; one word that fills the slug is cut where it is.
        slug.truncate(if (1..=MADE).contains(&whole) { whole } else { MADE });
    }
    if slug.is_empty() { NAMELESS.to_owned() } else { slug }
}

/// Begins a word, and notes where the one before it ends as long as that is within the bound.
fn begin(slug: &mut String, whole: &mut usize) {
    if !slug.is_empty() {
        if slug.len() <= MADE {
            *whole = slug.len();
        }
        slug.push('-');
    }
}

/// Spells the word of the table, or else the character, with which `rest` begins; returns how many characters that were.
fn spell(rest: &str, slug: &mut String, whole: &mut usize) -> usize {
    let ahead: String = rest.chars().take(4).map(fold).collect();
    if let Some((word, syllables)) = WORDS
        .iter()
        .filter(|(word, _)| ahead.starts_with(word))
        .max_by_key(|(word, _)| word.len())
    {
        for syllable in syllables.split(' ') {
            begin(slug, whole);
            slug.push_str(syllable);
        }
        return word.chars().count();
    }
    let folded = ahead.chars().next();
    let typed = rest.chars().next();
    if let Some(reading) = folded.and_then(reading).or_else(|| typed.and_then(reading)) {
        begin(slug, whole);
        // ü is typed as v.
        slug.extend(
            reading
                .chars()
                .map(|c| if c == 'ü' { 'v' } else { c })
                .filter(char::is_ascii_lowercase),
        );
    }
    1
}

/// The ASCII letters and digits that stand for a character which is not Han; none where it has no such spelling.
fn spelling(c: char) -> impl Iterator<Item = char> {
    let special = match c {
        'ß' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ø' | 'Ø' => "o",
        'ł' | 'Ł' => "l",
        'đ' | 'Đ' | 'ð' | 'Ð' => "d",
        'þ' | 'Þ' => "th",
        'ı' => "i",
        _ => "",
    };
    // A symbol such as ㎏ or ½ falls apart into letters and signs; the signs are no part of a word.
    let decomposed = special
        .is_empty()
        .then(|| std::iter::once(c).nfkd())
        .into_iter()
        .flatten();
    special
        .chars()
        .chain(decomposed)
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
}

/// Why a slug that an author gave cannot be one.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum SlugError {
    /// It has no characters.
    #[error("a slug has at least one character")]
    Empty,
    /// It has more than 200 characters.
    #[error("a slug has at most 200 characters")]
    TooLong,
    /// It has a character that is no letter, digit, hyphen or underscore.
    #[error("a slug has letters, digits, hyphens and underscores only, not {0:?}")]
    Character(char),
    /// A hyphen or underscore stands at an end or beside another, or a combining mark has no letter before it.
    #[error("in a slug each hyphen or underscore stands alone between letters or digits")]
    Border,
}

/// The slug that an author gave, as it is stored: composed (NFC) and in lower case.
///
/// It may have the letters and digits of every script with their combining marks, and single hyphens and underscores between
/// them; 1 to 200 characters. So it never has a slash, point, percent sign, question mark, white space or control character.
///
/// # Errors
/// The first rule of these that it breaks.
pub fn check_slug(given: &str) -> Result<String, SlugError> {
    if given.is_empty() {
        return Err(SlugError::Empty);
    }
    // Composing can shorten a text to a quarter at most.
    if given.chars().nth(4 * GIVEN).is_some() {
        return Err(SlugError::TooLong);
    }
    let slug: String = given.nfc().flat_map(char::to_lowercase).nfc().collect();
    if slug.chars().nth(GIVEN).is_some() {
        return Err(SlugError::TooLong);
    }
    let mut border = true;
    for c in slug.chars() {
        match c {
            '-' | '_' if border => return Err(SlugError::Border),
            '-' | '_' => border = true,
            _ if is_combining_mark(c) => {
                if border {
                    return Err(SlugError::Border);
                }
            }
            _ if c.is_alphanumeric() => border = false,
            _ => return Err(SlugError::Character(c)),
        }
    }
    if border { Err(SlugError::Border) } else { Ok(slug) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_spelt_in_pinyin() {
        for (title, slug) in [
            ("小米14评测", "xiao-mi-14-ping-ce"),
            ("iPhone16 Pro：值得买吗？", "iphone16-pro-zhi-de-mai-ma"),
            ("重庆的音乐与银行", "chong-qing-de-yin-yue-yu-yin-hang"),
            (
                "还是长城，行业增长与重量",
                "hai-shi-chang-cheng-hang-ye-zeng-zhang-yu-zhong-liang",
            ),
            ("了解一下", "liao-jie-yi-xia"),
            ("重慶銀行", "chong-qing-yin-hang"),
            ("绿色女性旅行策略", "lv-se-nv-xing-lv-xing-ce-lve"),
            ("Café Zoë — don't: Ærø", "cafe-zoe-dont-aero"),
            ("cafe\u{301}s", "cafes"),
            ("ＡＩ　５Ｇ", "ai-5g"),
            ("C++ & C# 2.0", "c-c-2-0"),
            ("  --- 你好!!!世界 ---  ", "ni-hao-shi-jie"),
            ("董事长、家长和长度", "dong-shi-zhang-jia-zhang-he-chang-du"),
        ] {
            assert_eq!(slug_from_title(title), slug);
        }
    }

    #[test]
    fn a_title_without_letters_is_named_article() {
        for title in ["", "！？", "😀", "カメラ", "Привет", "\0", "-", "\u{301}"] {
            assert_eq!(slug_from_title(title), "article");
        }
    }

    #[test]
    fn a_long_title_is_cut_between_words() {
        let slug = slug_from_title(&"中文".repeat(60));
        assert_eq!(slug, "zhong-wen-".repeat(8).trim_end_matches('-').to_owned());
        assert_eq!(slug_from_title(&"x".repeat(300)), "x".repeat(80));
        let exact = format!("{} ab", "x".repeat(77));
        assert_eq!(slug_from_title(&exact).len(), 80);
        assert_eq!(slug_from_title(&format!("{exact}c")), "x".repeat(77));
        assert_eq!(slug_from_title(&format!("{exact} c")), exact.replace(' ', "-"));
        assert_eq!(slug_from_title(&format!("{} c", "x".repeat(80))), "x".repeat(80));
    }

    #[test]
    fn every_made_slug_is_a_slug() {
        let every: Vec<char> = (0..=0x2_FFFF).filter_map(char::from_u32).collect();
        for title in every
            .chunks(7)
            .map(|chunk| chunk.iter().collect::<String>())
            .chain(["龘\u{20000}〇々".into(), "中".repeat(1_000_000)])
        {
            let slug = slug_from_title(&title);
            assert!((1..=80).contains(&slug.len()), "{title:?}");
            assert!(
                slug.bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{title:?} {slug}"
            );
            assert_eq!(check_slug(&slug), Ok(slug.clone()), "{title:?}");
        }
    }

    #[test]
    fn authors_may_use_the_letters_of_any_script() {
        for (given, slug) in [
            ("小米14-评测", "小米14-评测"),
            ("Hello_World", "hello_world"),
            ("ПРИВЕТ", "привет"),
            ("cafe\u{301}", "café"),
            ("หนังสือ", "หนังสือ"),
            ("2024", "2024"),
        ] {
            assert_eq!(check_slug(given).as_deref(), Ok(slug));
        }
    }

    #[test]
    fn what_an_address_cannot_hold_is_refused() {
        assert_eq!(check_slug(""), Err(SlugError::Empty));
        for c in "/?#%. \t\n\0\u{7F}\u{200B}\u{202E}\u{3000}\"'<>\\&+:;@😀，".chars() {
            assert_eq!(check_slug(&format!("a{c}b")), Err(SlugError::Character(c)));
        }
        for given in ["-a", "a-", "_", "a--b", "a_-b", "\u{301}a", "a-\u{301}"] {
            assert_eq!(check_slug(given), Err(SlugError::Border), "{given}");
        }
        assert_eq!(check_slug(&"字".repeat(200)).map(|slug| slug.chars().count()), Ok(200));
        for long in [201, 799, 1_000_000] {
            assert_eq!(check_slug(&"字".repeat(long)), Err(SlugError::TooLong));
        }
    }
}
