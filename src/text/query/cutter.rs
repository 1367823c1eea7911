//! Long runs of Han characters into words, by jieba's dictionary. Only queries are cut, never articles, so another dictionary
//! needs no new index.

use std::sync::OnceLock;
use std::thread;

use jieba_rs::Jieba;

use super::unit::is_stop;
use crate::text::normalise::is_han;

static JIEBA: OnceLock<Jieba> = OnceLock::new();

/// Loads the dictionary (about 0.4 seconds and 32 MB) on a thread of its own. A query that comes before it is there waits.
///
/// # Errors
/// When the thread cannot be started; the first query then loads the dictionary.
pub fn warm() -> std::io::Result<()> {
    thread::Builder::new().name("dictionary".into()).spawn(|| {
        JIEBA.get_or_init(Jieba::new);
    })?;
    Ok(())
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

/// The words of a run of more than three characters. Kana and hangul part Han from each other and stay whole. A character
/// alone says little: it joins the word before it, or else the one after it; stop words stay for themselves.
pub(super) fn words(run: &str, cut: &dyn Fn(&str) -> Vec<String>) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut open = false;
    for piece in pieces(run, cut) {
        let lone = is_lone(&piece);
        if lone && is_stop(&piece) {
            words.push(piece);
            open = false;
            continue;
        }
        match words.last_mut() {
            Some(last) if open && (lone || is_lone(last)) => last.push_str(&piece),
            _ => words.push(piece),
        }
        open = true;
    }
    words
}

fn pieces(run: &str, cut: &dyn Fn(&str) -> Vec<String>) -> Vec<String> {
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
        if part.len() > 3 && part.first().copied().is_some_and(is_han) {
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

    fn glued(pieces: &[&str]) -> Vec<String> {
        words(&pieces.concat(), &|_| {
            pieces.iter().map(|piece| (*piece).to_owned()).collect()
        })
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
            assert_eq!(words(run, &cut).concat(), run);
        }
    }

    #[test]
    fn japanese_and_korean_are_parted_by_script() {
        let cuts = |run: &str| words(run, &|_| panic!("no run of more than three Han characters"));
        assert_eq!(cuts("新型カメラの性能"), ["新型", "カメラの", "性能"]);
        assert_eq!(cuts("삼성전자갤럭시"), ["삼성전자갤럭시"]);
    }

    #[test]
    fn warming_and_cutting_at_once_load_one_dictionary() {
        warm().unwrap();
        assert_eq!(cut("量子计算"), ["量子", "计算"]);
    }
}
