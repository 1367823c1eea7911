//! The lexemes of an article: the set of strings under which the index knows it.

mod set;

use std::borrow::Cow;

use self::set::Set;
use super::flow::Flow;
use super::normalise::{Kind, look};

/// Which lexemes an article gets: to be raised with any change to that, so that older indexes are rebuilt.
pub const ANALYSER: i32 = 1;

/// Stands before a lexeme of the title, so that one index answers for the title alone too. A private-use character: no text
/// can bring it into a lexeme of its own.
pub const TITLE_MARK: char = '\u{F8FF}';

/// Stands before every lexeme of an article that is not published, so that the search of the others never meets it. No lexeme
/// begins with an underscore by itself.
pub const UNPUBLISHED_MARK: &str = "_";

/// How many characters of an article are indexed, over all fields, punctuation not counted. PostgreSQL takes less than 1 MiB
/// of lexemes a row, and both databases must know the same text; 150,000 bytes are the bound for characters of four bytes.
pub const ANALYSED: usize = 50_000;

/// How much of a title gets marked lexemes.
const MARKED: usize = 1_000;

/// A longer word is known by its first characters.
const WORD: usize = 64;

/// A pair is made of words no longer than this, and so stays below [`WORD`] itself.
const PAIRED: usize = 31;

/// The sorted set of an article's lexemes.
///
/// Han, kana, bopomofo and hangul give every run of one, two and three characters; other words and numbers stand whole, and two
/// of them side by side also give a pair (`iphone_16`). A word that ends in signs (`disney+`) is there without them too, unless
/// it is one letter (`c++`). The title's lexemes stand again behind [`TITLE_MARK`]. Every lexeme consists of letters, digits,
/// `+`, `#`, `_` and the mark: nothing that FTS5's `ascii` tokeniser with these signs would split, or that a quoted `tsvector`
/// would have to escape.
pub fn lexemes(title: &str, summary: &str, tags: &[impl AsRef<str>], body: &str) -> Vec<String> {
    let mut flow = head(title, summary, tags);
    flow.field(body, ANALYSED);
    let mut lexemes: Vec<String> = Set::of(flow.text).iter().map(str::to_owned).collect();
    lexemes.extend(marked(title));
    lexemes.sort_unstable();
    lexemes
}

/// The lexemes of a body alone, which are most of an article's: worked out ahead of a transaction, they keep no other writer
/// waiting.
#[derive(Debug, Clone)]
pub struct BodyLexemes {
    set: Set,
    /// How many characters and bytes its flow has.
    extent: (usize, usize),
}

impl BodyLexemes {
    /// Analyses a body.
    pub fn new(body: &str) -> Self {
        let mut flow = Flow::default();
        flow.field(body, ANALYSED);
        Self {
            extent: (flow.characters, flow.text.len()),
            set: Set::of(flow.text),
        }
    }

    /// What [`lexemes`] gives for this body behind these fields, in another order; nothing if they leave it less room than it
    /// has by itself.
    pub fn behind(&self, title: &str, summary: &str, tags: &[impl AsRef<str>]) -> Option<Vec<Cow<'_, str>>> {
        let head = head(title, summary, tags);
        let (characters, bytes) = self.extent;
        // Two line feeds stand before the body.
        if head.characters + characters > ANALYSED || head.text.len() + 2 + bytes > 3 * ANALYSED {
            return None;
        }
        let of_head = Set::of(head.text);
        let new = of_head.iter().filter(|lexeme| !self.set.contains(lexeme));
        let of_body = self.set.iter().map(Cow::Borrowed);
        Some(
            of_body
                .chain(new.map(str::to_owned).chain(marked(title)).map(Cow::Owned))
                .collect(),
        )
    }
}

/// The flow of what stands before a body.
fn head(title: &str, summary: &str, tags: &[impl AsRef<str>]) -> Flow {
    let mut flow = Flow::default();
    flow.field(title, ANALYSED);
    flow.field(summary, ANALYSED);
    for tag in tags {
        flow.field(tag.as_ref(), ANALYSED);
    }
    flow
}

/// The lexemes of a title with their mark.
fn marked(title: &str) -> Vec<String> {
    let mut flow = Flow::default();
    flow.field(title, MARKED);
    let set = Set::of(flow.text);
    set.iter().map(|lexeme| format!("{TITLE_MARK}{lexeme}")).collect()
}

/// Whether a token is a run that is found by n-grams.
pub(super) fn is_gram(token: &str) -> bool {
    token.chars().next().is_some_and(|c| look(c).1 == Kind::Gram)
}

/// The lexemes whose conjunction stands for a run of such characters: itself up to three, else each three in a row.
pub(super) fn gram_lexemes(run: &str) -> Vec<String> {
    let starts: Vec<usize> = run.char_indices().map(|(start, _)| start).chain([run.len()]).collect();
    if starts.len() <= 4 {
        return vec![run.to_owned()];
    }
    starts
        .iter()
        .zip(starts.iter().skip(3))
        .filter_map(|(&from, &to)| run.get(from..to))
        .map(str::to_owned)
        .collect()
}

/// The lexeme of a word or number.
pub(super) fn word(token: &str) -> &str {
    match token.char_indices().nth(WORD) {
        Some((end, _)) => token.get(..end).unwrap_or(token),
        None => token,
    }
}

/// The word without its signs, where it has some and is longer than one letter.
fn unsigned(word: &str) -> Option<&str> {
    let bare = word.trim_end_matches(['+', '#']);
    (bare.len() < word.len() && bare.chars().nth(1).is_some()).then_some(bare)
}

/// What stands between the two words of a pair.
const PAIR: &str = "_";

/// The lexeme of two words side by side; none where one is too long for it.
pub(super) fn pair(before: &str, word: &str) -> Option<String> {
    are_paired(before, word).then(|| [before, PAIR, word].concat())
}

fn are_paired(before: &str, word: &str) -> bool {
    let fits = |word: &str| word.chars().nth(PAIRED).is_none();
    fits(before) && fits(word)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::text::flow::flow;

    fn body(text: &str) -> Vec<String> {
        lexemes("", "", &[] as &[&str], text)
    }

    #[test]
    fn han_gives_one_two_and_three_in_a_row() {
        assert_eq!(
            body("折叠屏幕"),
            ["叠", "叠屏", "叠屏幕", "屏", "屏幕", "幕", "折", "折叠", "折叠屏"]
        );
        assert_eq!(body("中，国"), ["中", "国"]);
    }

    #[test]
    fn words_numbers_and_pairs() {
        assert_eq!(body("iPhone16 Pro"), ["16", "16_pro", "iphone", "iphone_16", "pro"]);
        assert_eq!(
            body("C++，c# M.2 5G node.js"),
            [
                "2", "2_5", "5", "5_g", "c#", "c#_m", "c++", "g", "g_node", "js", "m", "m_2", "node", "node_js"
            ]
        );
        assert_eq!(body("Disney+"), ["disney", "disney+"]);
        assert_eq!(body("小米14评测").iter().filter(|l| l.contains('_')).count(), 0);
        assert_eq!(body("machine\nlearning"), ["learning", "machine"]);
        assert_eq!(body("Привет, Ελλάδα Café"), ["cafe", "ελλαδα", "ελλαδα_cafe", "привет"]);
    }

    #[test]
    fn kana_and_hangul_are_found_by_parts() {
        let set = body("ソニーの新製品は삼성전자가");
        for part in ["ニー", "の新", "新制品", "전자", "삼성전", "ー"] {
            assert!(set.contains(&part.to_owned()), "{part}");
        }
    }

    #[test]
    fn the_title_stands_again_with_the_mark_and_text_cannot_forge_it() {
        let set = lexemes("新 iPad", "摘", &["标"], "\u{F8FF}正");
        assert_eq!(set, ["ipad", "摘", "新", "标", "正", "\u{F8FF}ipad", "\u{F8FF}新"]);
    }

    #[test]
    fn fields_make_no_pairs_across_their_borders() {
        let set = lexemes("alpha", "beta", &["gamma", "delta"], "epsilon");
        assert!(set.iter().all(|lexeme| !lexeme.contains('_')));
    }

    #[test]
    fn the_set_equals_a_slow_reading_of_the_flow() {
        let text = "评测 iPhone16 与 C++17：a-b_c d. 大模型（LLM）x\u{301}y 3.5 Disney+plus 中文中文\n第二行";
        let mut slow = BTreeSet::new();
        for line in flow(text).split('\n') {
            let tokens: Vec<&str> = line.split(' ').collect();
            for (i, token) in tokens.iter().enumerate() {
                let chars: Vec<char> = token.chars().collect();
                if is_gram(token) {
                    for from in 0..chars.len() {
                        for to in from + 1..=(from + 3).min(chars.len()) {
                            slow.insert(chars[from..to].iter().collect::<String>());
                        }
                    }
                } else {
                    slow.insert((*token).to_owned());
                    if token.ends_with('+') && chars.iter().filter(|c| **c != '+').count() > 1 {
                        slow.insert(token.replace('+', ""));
                    }
                    if i > 0 && !is_gram(tokens[i - 1]) {
                        slow.insert(format!("{}_{token}", tokens[i - 1]));
                    }
                }
            }
        }
        assert_eq!(body(text), slow.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn the_set_equals_a_set_of_strings_whatever_is_mixed() {
        let parts = [
            "评",
            "测",
            "屏幕",
            "大模型",
            "中中中中",
            "𠀀",
            "𠀀𠀁𠀂𠀃",
            "한국",
            "の",
            "iPhone",
            "a",
            "pro",
            "16",
            "5",
            "c++",
            "c#",
            "Disney+",
            "é",
            " ",
            " ",
            "，",
            "-",
            ".",
            "\n",
            "\n\n",
            "+",
            "一二三四五六七八九十",
            "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst",
        ];
        let mut state = 7u64;
        let mut random = || {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 33) as usize
        };
        for round in 0..300 {
            let text: String = (0..round).map(|_| parts[random() % parts.len()]).collect();
            // The bound cuts one flow anywhere, also behind what parts two tokens.
            let most = if round % 3 == 0 { 1 + random() % 100 } else { ANALYSED };
            let mut flow = Flow::default();
            flow.field(&text, most);
            let mut slow = BTreeSet::new();
            for line in flow.text.split('\n') {
                let mut before: Option<&str> = None;
                for token in line.split(' ') {
                    if is_gram(token) {
                        let chars: Vec<char> = token.chars().collect();
                        for many in 1..=3 {
                            slow.extend(chars.windows(many).map(|run| run.iter().collect::<String>()));
                        }
                        before = None;
                        continue;
                    }
                    let word = word(token);
                    slow.insert(word.to_owned());
                    slow.extend(unsigned(word).map(str::to_owned));
                    slow.extend(before.and_then(|before| pair(before, word)));
                    before = (!word.is_empty()).then_some(word);
                }
            }
            slow.remove("");
            let set = Set::of(flow.text);
            assert!(set.iter().eq(slow.iter().map(String::as_str)), "{text:?} {most}");
            assert!(slow.iter().all(|lexeme| set.contains(lexeme)) && !set.contains("没有") && !set.contains(""));
        }
    }

    #[test]
    fn a_body_analysed_ahead_gives_the_same() {
        let tags = ["标签", "c++"];
        let nearly = "评".repeat(ANALYSED - 8);
        for body in ["", "正文 iPhone16，评测", "+b", "\n\n-x 屏幕", &nearly] {
            for (title, summary) in [
                ("新 iPad", "摘要"),
                ("!", ""),
                ("评测", "以 iPhone"),
                ("长", "十个字的摘要在这里了"),
            ] {
                let whole = lexemes(title, summary, &tags, body);
                let analysed = BodyLexemes::new(body);
                let Some(mut ahead) = analysed.behind(title, summary, &tags) else {
                    assert!(body.len() > 3 * ANALYSED - 50);
                    continue;
                };
                ahead.sort_unstable();
                assert_eq!(ahead, whole, "{title} {summary}");
            }
        }
        let fits = |body: &str| BodyLexemes::new(body).behind("标题", "", &tags).is_some();
        // The title has two characters, the tags have five.
        assert!(fits("正文") && fits(&"a".repeat(ANALYSED - 7)) && !fits(&"a".repeat(ANALYSED - 6)));
        // Of three bytes each, so many leave no room for what parts them from the tags.
        assert!(fits(&"评".repeat(ANALYSED - 11)) && !fits(&"评".repeat(ANALYSED - 7)));
    }

    #[test]
    fn lexemes_are_short_and_harmless_whatever_comes_in() {
        let all: String = (1..=0x10_FFFF).step_by(3).filter_map(char::from_u32).collect();
        let long = "x".repeat(1_000_000);
        let nasty = "'; DROP \\ \"a\" NEAR( a* ^b {c d}:x title:y (a OR b) NOT -- \0\u{1}\u{7F} ﷽ \u{202E}abc";
        let signs = format!("a{}", "+#".repeat(100_000));
        for text in [
            all.as_str(),
            &long,
            nasty,
            &signs,
            &"a-".repeat(200_000),
            &"(".repeat(300_000),
        ] {
            let set = body(text);
            assert!(set.is_sorted() && set.windows(2).all(|w| w[0] != w[1]));
            for lexeme in &set {
                assert!((1..=64).contains(&lexeme.chars().count()));
                for c in lexeme.chars() {
                    let plain = c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '+' | '#' | '_');
                    assert!(
                        plain || (!c.is_ascii() && matches!(look(c).1, Kind::Gram | Kind::Letter | Kind::Digit)),
                        "{lexeme:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_longest_text_stays_below_what_postgresql_takes() {
        let mut state = 1u64;
        let mut random = |from: u32, many: u32| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            char::from_u32(from + (state >> 33) as u32 % many).unwrap()
        };
        let han: String = (0..90_000).map(|_| random(0x4E00, 20_000)).collect();
        let rare: String = (0..90_000).map(|_| random(0x20000, 40_000)).collect();
        let words: String = (0..90_000)
            .map(|i| if i % 2 == 0 { random(0x1200, 70) } else { '1' })
            .collect();
        for text in [han, rare, words] {
            let bytes: usize = lexemes(&text, "", &[] as &[&str], &text).iter().map(String::len).sum();
            assert!(bytes < 1_048_575, "{bytes}");
        }
    }
}
