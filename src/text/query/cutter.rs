//! Long runs of Han characters into words, by jieba's dictionary. Only queries are cut, never articles, so another dictionary
//! needs no new index.

use std::sync::{Once, OnceLock};
use std::thread;

use jieba_rs::Jieba;

use super::known::{Known, LONGEST};
use super::unit::is_stop;
use crate::text::normalise::is_han;

/// Cuts a run of Han characters into words.
pub(super) type Cut<'a> = &'a dyn Fn(&str) -> Vec<String>;

static JIEBA: OnceLock<Jieba> = OnceLock::new();

/// Whether the dictionary is there.
pub fn is_loaded() -> bool {
    JIEBA.get().is_some()
}

/// Loads the dictionary: about 0.4 seconds and 32 MB, which a site that is only read does without.
pub fn load() {
    JIEBA.get_or_init(Jieba::new);
}

/// Begins to load the dictionary on a thread of its own. A query that comes before it is there waits.
pub fn warm() {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        if let Err(error) = thread::Builder::new().name("dictionary".into()).spawn(load) {
            log::warn!("the dictionary loads with the first search: {error}");
        }
    });
}

/// Cuts a run of folded Han characters into words of the dictionary.
pub fn cut(run: &str) -> Vec<String> {
    JIEBA
        .get_or_init(Jieba::new)
        .cut(run, true)
        .into_iter()
        .map(|token| token.word.to_owned())
        .collect()
}

/// A run of characters of scripts without spaces, to be cut.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) text: &'a str,
    /// Whether it is what a known word has left of a longer run: it is cut then, however short it is.
    pub(super) left: bool,
    /// Whether a known word stands right before it.
    pub(super) behind_known: bool,
}

/// The words of a run. Kana and hangul part Han from each other and stay whole. A character alone says little: it joins the word
/// before it, or else the one after it. Stop words and known words stay for themselves, and a character alone behind a known word
/// does not join what follows: in 手机壳推荐 it belonged to 手机.
pub(super) fn words(run: Run<'_>, cut: Cut<'_>, known: &Known) -> Vec<String> {
    let shortest = if run.left { 2 } else { 4 };
    let mut words: Vec<String> = Vec::new();
    let (mut open, mut stays_short, mut behind_known) = (false, false, run.behind_known);
    for (piece, is_known) in with_known(&pieces(run.text, shortest, cut), known) {
        let lone = is_lone(&piece);
        if is_known || (lone && is_stop(&piece)) {
            words.push(piece);
            open = false;
            behind_known = is_known;
            continue;
        }
        match words.last_mut() {
            Some(last) if open && (lone || (is_lone(last) && !stays_short)) => last.push_str(&piece),
            _ => {
                words.push(piece);
                stays_short = behind_known;
            }
        }
        open = true;
        behind_known = false;
    }
    words
}

/// Joins neighbouring pieces that are a known word together, from the left, the longest first; tells which are one.
fn with_known(pieces: &[String], known: &Known) -> Vec<(String, bool)> {
    let mut words = Vec::with_capacity(pieces.len());
    let mut rest = pieces;
    while let Some((first, after)) = rest.split_first() {
        let mut longest = None;
        let mut joined = String::new();
        for (count, piece) in (1..=LONGEST).zip(rest) {
            joined.push_str(piece);
            if !is_lone(&joined) && known.has(&joined) {
                longest = Some((joined.clone(), count));
            }
        }
        match longest {
            Some((word, count)) => {
                words.push((word, true));
                rest = rest.get(count..).unwrap_or_default();
            }
            None => {
                words.push((first.clone(), false));
                rest = after;
            }
        }
    }
    words
}

/// The pieces of a run: by script, and where there are at least `shortest` Han characters in a row, by the dictionary.
pub(super) fn pieces(run: &str, shortest: usize, cut: Cut<'_>) -> Vec<String> {
    let script = |c: char| match c {
        _ if is_han(c) => 0,
        '\u{3041}'..='\u{309F}' => 1,
        '\u{30A0}'..='\u{30FF}' | '\u{31F0}'..='\u{31FF}' => 2,
        _ => 3,
    };
    let characters: Vec<char> = run.chars().collect();
    let mut pieces = Vec::new();
    for part in characters.chunk_by(|a, b| script(*a) == script(*b)) {
        let text: String = part.iter().collect();
        if part.len() >= shortest && part.first().copied().is_some_and(is_han) {
            pieces.extend(cut(&text));
        } else {
            pieces.push(text);
        }
    }
    pieces
}

fn is_lone(word: &str) -> bool {
    word.chars().nth(1).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Run<'_> {
        Run {
            text,
            left: false,
            behind_known: false,
        }
    }

    fn glued(pieces: &[&str]) -> Vec<String> {
        glued_with(pieces, &[])
    }

    fn glued_with(pieces: &[&str], words_known: &[&str]) -> Vec<String> {
        let mut known = Known::default();
        words_known.iter().for_each(|word| known.add_word(word));
        let cut = |_: &str| pieces.iter().map(|piece| (*piece).to_owned()).collect();
        words(whole(&pieces.concat()), &cut, &known)
    }

    #[test]
    fn lone_characters_join_a_neighbour() {
        assert_eq!(glued(&["手机", "壳", "推荐"]), ["手机壳", "推荐"]);
        assert_eq!(glued(&["新", "手机", "推荐"]), ["新手机", "推荐"]);
        assert_eq!(glued(&["大", "小", "手机"]), ["大小", "手机"]);
        assert_eq!(glued(&["手机", "的", "壳"]), ["手机", "的", "壳"]);
        assert_eq!(glued(&["的", "壳", "推荐"]), ["的", "壳推荐"]);
    }

    #[test]
    fn nothing_joins_a_known_word() {
        assert_eq!(glued_with(&["手机", "壳", "推荐"], &["手机"]), ["手机", "壳", "推荐"]);
        assert_eq!(glued_with(&["新", "手机", "推荐"], &["手机"]), ["新", "手机", "推荐"]);
        assert_eq!(
            glued_with(&["手机", "大", "小", "推荐"], &["手机"]),
            ["手机", "大小", "推荐"]
        );
        assert_eq!(glued_with(&["折叠", "屏", "推荐"], &["折叠屏"]), ["折叠屏", "推荐"]);
        assert_eq!(
            glued_with(&["折叠", "屏", "手机"], &["折叠", "折叠屏手机"]),
            ["折叠屏手机"]
        );
        assert_eq!(glued_with(&["手机", "推荐", "屏"], &["手机"]), ["手机", "推荐屏"]);
    }

    #[test]
    fn no_character_is_lost() {
        for run in [
            "量子计算芯片的未来在哪里",
            "龘龘龘龘龘龘",
            "𠀀𠀁𠀂𠀃𠀄",
            "〇〇〇〇〇",
            "スーパーコンピューターの開発",
            "삼성전자갤럭시",
            "々々々々々",
            "ㄅㄆㄇㄈㄉ",
        ] {
            assert_eq!(words(whole(run), &cut, &Known::default()).concat(), run);
        }
    }

    #[test]
    fn japanese_and_korean_are_parted_by_script() {
        let cuts = |run: &str| {
            let never = |_: &str| panic!("no run of more than three Han characters");
            words(whole(run), &never, &Known::default())
        };
        assert_eq!(cuts("新型カメラの性能"), ["新型", "カメラの", "性能"]);
        assert_eq!(cuts("삼성전자갤럭시"), ["삼성전자갤럭시"]);
    }

    #[test]
    fn warming_and_cutting_at_once_load_one_dictionary() {
        warm();
        assert_eq!(cut("量子计算"), ["量子", "计算"]);
    }
}
