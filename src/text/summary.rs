//! What is derived from an article's text while its author gives nothing: the summary, the number of words, the reading time.

use super::normalise::{Kind, look};

/// How long a derived summary is, in Chinese characters. A Latin letter counts half.
const SUMMARY: usize = 120;

/// The length from which a summary may end with a sentence.
const SENTENCE: usize = 60;

/// A line without an end mark that is no longer than this reads like a heading.
const HEADING: usize = 40;

/// How many headings before the first paragraph are passed over.
const HEADINGS: usize = 4;

/// How many words (Chinese characters) are read in a minute.
const A_MINUTE: i64 = 400;

/// The beginning of a plain text: about 120 Chinese characters or 240 Latin letters, white space collapsed. It ends with a
/// sentence where one ends in its second half, else with `…`. Headings before the first paragraph are passed over.
pub fn summary(text: &str) -> String {
    let start = first_paragraph(text);
    let mut summary = String::new();
    let mut width = 0;
    let mut blank = false;
    let mut sentence_end = None;
    // Where the last word begins, to cut before it.
    let mut border = 0;
    let mut before: Option<char> = None;
    for c in start.chars() {
        let kind = look(c).1;
        if kind == Kind::Blank {
            blank = true;
            continue;
        }
        if blank && before.is_some_and(|before| !is_wide_mark(before) && !is_wide_mark(c)) {
            summary.push(' ');
            width += 1;
        }
        let in_word = !blank && is_word(before) && is_word(Some(c));
        if kind != Kind::Mark && !in_word {
            border = summary.len();
        }
        width += if is_wide(c) { 2 } else { usize::from(kind != Kind::Mark) };
        if width > 2 * SUMMARY {
            return cut(summary, sentence_end, border);
        }
        summary.push(c);
        if width >= 2 * SENTENCE && ends_sentence(before, c) {
            sentence_end = Some(summary.len());
        }
        blank = false;
        before = Some(c);
        if summary.len() > 16 * SUMMARY {
            // Nothing but invisible characters goes on for so long.
            return cut(summary, sentence_end, border);
        }
    }
    summary
}

fn cut(mut summary: String, sentence_end: Option<usize>, border: usize) -> String {
    match sentence_end {
        Some(end) => summary.truncate(end),
        None => {
            // One word that fills the summary is cut where it is.
            if border > summary.len() / 2 {
                summary.truncate(border);
            }
            summary.truncate(summary.trim_end().len());
            summary.push('…');
        }
    }
    summary
}

/// The text from its first line that does not read like a heading; all of it where there is none.
fn first_paragraph(text: &str) -> &str {
    let text = text.trim_start();
    let mut rest = text;
    for _ in 0..=HEADINGS {
        let (line, after) = rest.split_once('\n').unwrap_or((rest, ""));
        if !is_heading(line) {
            return rest;
        }
        rest = after.trim_start();
        if rest.is_empty() {
            break;
        }
    }
    text
}

fn is_heading(line: &str) -> bool {
    let line = line.trim();
    line.chars().nth(HEADING).is_none()
        && !line.ends_with(['。', '！', '？', '；', '…', '.', '!', '?', ';', '”', '」', '，', '：'])
}

fn ends_sentence(before: Option<char>, c: char) -> bool {
    match c {
        '。' | '！' | '？' | '!' | '?' => true,
        '”' | '」' | '』' | '）' => matches!(before, Some('。' | '！' | '？')),
        // Not the point of 3.5 or of an abbreviation such as U.S.
        '.' => before.is_some_and(char::is_lowercase),
        _ => false,
    }
}

/// Whether a character is as wide as a Chinese one.
fn is_wide(c: char) -> bool {
    look(c).1 == Kind::Gram
        || matches!(c, '\u{3001}'..='\u{303F}' | '\u{FF01}'..='\u{FF60}' | '“' | '”' | '‘' | '’' | '…' | '—' | '\u{1F000}'..='\u{1FAFF}')
}

/// Whether it is punctuation that brings its own space.
fn is_wide_mark(c: char) -> bool {
    is_wide(c) && look(c).1 == Kind::Other
}

fn is_word(c: Option<char>) -> bool {
    c.is_some_and(|c| matches!(look(c).1, Kind::Letter | Kind::Digit | Kind::Mark))
}

/// The number of words: each Han, kana, bopomofo or hangul character is one, and each run of other letters and digits.
pub fn word_count(text: &str) -> i64 {
    let mut words = 0;
    let mut in_word = false;
    for c in text.chars() {
        match look(c).1 {
            Kind::Gram => {
                words += 1;
                in_word = false;
            }
            Kind::Letter | Kind::Digit => {
                words += i64::from(!in_word);
                in_word = true;
            }
            Kind::Mark => {}
            Kind::Blank | Kind::Other => in_word = false,
        }
    }
    words
}

/// The minutes that reading takes at 400 words (Chinese characters) a minute, rounded up, at least one.
pub fn reading_minutes(words: i64) -> i32 {
    let words = words.max(0);
    let minutes = words / A_MINUTE + i64::from(words % A_MINUTE > 0);
    i32::try_from(minutes).unwrap_or(i32::MAX).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_text_is_its_own_summary() {
        assert_eq!(
            summary("  续航  很好，\n屏幕\t很亮。 Good\n\nscreen "),
            "续航 很好，屏幕 很亮。Good screen"
        );
        assert_eq!(summary(""), "");
        assert_eq!(summary(" \n\u{3000}"), "");
        assert_eq!(summary("只有标题"), "只有标题");
    }

    #[test]
    fn a_long_text_ends_with_a_sentence_or_an_ellipsis() {
        let sentence = "这是一个十五个字组成的句子吧。";
        assert_eq!(summary(&sentence.repeat(20)), sentence.repeat(8));
        let endless = "字".repeat(500);
        assert_eq!(summary(&endless), format!("{}…", "字".repeat(120)));
        let early = format!("短句。{endless}");
        assert_eq!(summary(&early), format!("短句。{}…", "字".repeat(117)));
        let english = "several words without an end ".repeat(20);
        let short = summary(&english);
        assert!(
            short.ends_with(" an…")
                || short.ends_with("several…")
                || short.ends_with("end…")
                || short.ends_with("words…")
                || short.ends_with("without…"),
            "{short}"
        );
        assert!((200..=241).contains(&short.chars().count()));
        assert_eq!(summary(&"x".repeat(1000)).chars().count(), 241);
    }

    #[test]
    fn a_point_in_a_number_ends_nothing() {
        let text = format!("{}版本3.5{}", "字".repeat(70), "字".repeat(200));
        assert!(summary(&text).ends_with('…'));
    }

    #[test]
    fn headings_before_the_text_are_passed_over() {
        assert_eq!(summary("小米14评测\n\n一、外观\n外观很好看。"), "外观很好看。");
        assert_eq!(
            summary("一\n二\n三\n四\n五\n六\n七。"),
            "一 二 三 四 五 六 七。",
            "a list of short lines is the text"
        );
    }

    #[test]
    fn invisible_characters_without_end_are_cut() {
        let long = format!("a{}", "\u{301}".repeat(1_000_000));
        assert!(summary(&long).len() < 16 * SUMMARY + 10);
        assert!(summary(&" \n".repeat(1_000_000)).is_empty());
    }

    #[test]
    fn characters_and_words_are_counted() {
        assert_eq!(word_count("小米14评测，iPhone16 Pro！"), 7);
        assert_eq!(word_count("カメラ 한국어 cafe\u{301}s"), 7);
        assert_eq!(word_count("，。 \n😀"), 0);
        assert_eq!(word_count("a中b"), 3);
    }

    #[test]
    fn reading_time_is_rounded_up() {
        for (words, minutes) in [(-5, 1), (0, 1), (400, 1), (401, 2), (7_800, 20), (i64::MAX, i32::MAX)] {
            assert_eq!(reading_minutes(words), minutes);
        }
    }
}
