//! What a query found, shown on the original text: escaped HTML in which `<mark>` is the only element.

mod excerpt;

use std::ops::Range;

use super::analyse::ANALYSED;
use super::flow::{Needle, Scanner, Step};
use super::normalise::{Kind, look};
use super::query::Query;

/// How many characters of a text are read. The index knows [`ANALYSED`] of them without punctuation and blanks.
const READ: usize = 2 * ANALYSED;

/// Marks the words and phrases of one query in any number of texts.
pub struct Highlighter {
    /// Each with the unit of the query that it is a form of.
    needles: Vec<(u32, Needle)>,
}

/// Where a word or phrase of the query stands, in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mark {
    place: Range<usize>,
    /// Which of the query's units it is, as one bit.
    unit: u64,
}

impl Highlighter {
    /// Gets ready for a query.
    pub fn new(query: &Query) -> Highlighter {
        let forms = (0..)
            .zip(query.units())
            .flat_map(|(i, unit)| unit.texts().map(move |text| (i, text)));
        Highlighter {
            needles: forms.map(|(i, text)| (i, Needle::new(text))).collect(),
        }
    }

    /// A whole field (title, summary), white space collapsed; `None` where nothing of the query is in it.
    pub fn field(&self, original: &str) -> Option<String> {
        let text = collapsed(original);
        let marks = self.marks(&text);
        (!marks.is_empty()).then(|| render(&text, &marks, 0..text.len()))
    }

    /// The stretches of a text that show most of the query, best first: up to `most`, each of about `width` characters (1,000
    /// at most), which do not overlap. `…` stands where text is left out. Empty where nothing of the query is in it.
    pub fn excerpts(&self, original: &str, most: usize, width: usize) -> Vec<String> {
        let text = collapsed(original);
        let marks = self.marks(&text);
        excerpt::best(&text, &marks, most, width)
            .into_iter()
            .map(|frame| render(&text, &marks, frame))
            .collect()
    }

    /// Every place of every needle, in order.
    fn marks(&self, text: &[char]) -> Vec<Mark> {
        let (flow, origin) = traced(text);
        let at = |byte: usize| origin.get(byte).map_or(0, |&character| character as usize);
        let mut marks: Vec<Mark> = Vec::new();
        for (i, needle) in &self.needles {
            marks.extend(needle.places(&flow).map(|bytes| {
                let end = at(bytes.end - 1) + 1;
                let trailing = text.iter().skip(end).take_while(|&&c| look(c).1 == Kind::Mark).count();
                Mark {
                    place: at(bytes.start)..end + trailing,
                    unit: 1u64.wrapping_shl(*i),
                }
            }));
        }
        marks.sort_by_key(|mark| (mark.place.start, mark.place.end));
        marks
    }
}

/// The text with each run of white space as one blank, or as one line feed where the run had one; none at the ends.
fn collapsed(original: &str) -> Vec<char> {
    let mut text = Vec::with_capacity(original.len().min(4 * READ) / 2);
    let mut blank: Option<char> = None;
    for c in original.chars() {
        if look(c).1 == Kind::Blank {
            blank = Some(if c == '\n' || blank == Some('\n') { '\n' } else { ' ' });
            continue;
        }
        if text.len() >= READ {
            break;
        }
        if let Some(blank) = blank.take().filter(|_| !text.is_empty()) {
            text.push(blank);
        }
        text.push(c);
    }
    text
}

/// The flow of a text, and for each byte of it the character it comes from.
fn traced(text: &[char]) -> (String, Vec<u32>) {
    let mut flow = String::with_capacity(text.len() * 3);
    let mut origin: Vec<u32> = Vec::with_capacity(text.len() * 3);
    let mut scanner = Scanner::default();
    for (i, &c) in (0u32..).zip(text) {
        match scanner.step(c) {
            Step::Skip => continue,
            Step::Next(folded) => flow.push(folded),
            Step::First(folded, _, gap) => {
                if !flow.is_empty() {
                    flow.push(gap.separator());
                }
                flow.push(folded);
            }
        }
        origin.resize(flow.len(), i);
    }
    (flow, origin)
}

fn render(text: &[char], marks: &[Mark], frame: Range<usize>) -> String {
    let inside = text.get(frame.clone()).unwrap_or_default();
    let mut html = String::with_capacity(inside.len() * 3 + 64);
    let mut marks = marks.iter().skip_while(|mark| mark.place.end <= frame.start).peekable();
    let mut marked_to: Option<usize> = None;
    if frame.start > 0 {
        html.push('…');
    }
    for (at, &c) in (frame.start..).zip(inside) {
        let mut to = marked_to;
        while let Some(mark) = marks.next_if(|mark| mark.place.start <= at) {
            to = to.max(Some(mark.place.end));
        }
        let to = to.filter(|&to| to > at);
        match (marked_to, to) {
            (None, Some(_)) => html.push_str("<mark>"),
            (Some(_), None) => html.push_str("</mark>"),
            _ => {}
        }
        marked_to = to;
        escape(c, &mut html);
    }
    if marked_to.is_some() {
        html.push_str("</mark>");
    }
    if frame.end < text.len() {
        html.push('…');
    }
    html
}

fn escape(c: char, html: &mut String) {
    match c {
        '<' => html.push_str("&lt;"),
        '>' => html.push_str("&gt;"),
        '&' => html.push_str("&amp;"),
        '"' => html.push_str("&quot;"),
        '\'' => html.push_str("&#39;"),
        '\n' => html.push(' '),
        c => html.push(c),
    }
}

#[cfg(test)]
mod tests {
    use super::excerpt::NUDGE;
    use super::*;
    use crate::text::query::{Known, cut};

    fn on(typed: &str) -> Highlighter {
        Highlighter::new(&Query::parse(typed, &cut))
    }

    fn field(typed: &str, text: &str) -> String {
        on(typed).field(text).unwrap_or_default()
    }

    #[test]
    fn words_are_marked_on_the_original() {
        assert_eq!(
            field("马斯克 中国", "马斯克谈中国"),
            "<mark>马斯克</mark>谈<mark>中国</mark>"
        );
        assert_eq!(field("軟體", "软体与軟體"), "<mark>软体</mark>与<mark>軟體</mark>");
        assert_eq!(
            field("ＡＩ", "AI、ＡＩ、MAIL"),
            "<mark>AI</mark>、<mark>ＡＩ</mark>、MAIL"
        );
        assert_eq!(
            field("supersonic tsunami", "a Supersonic Tsunami\n!"),
            "a <mark>Supersonic</mark> <mark>Tsunami</mark> !"
        );
        assert_eq!(
            field("\"supersonic tsunami\"", "supersonic  tsunami"),
            "<mark>supersonic tsunami</mark>"
        );
        assert_eq!(
            field("iphone16", "iPhone 16、iPhone16、iPhone160"),
            "<mark>iPhone 16</mark>、<mark>iPhone16</mark>、iPhone160"
        );
        assert_eq!(field("c++", "学C++11"), "学<mark>C++</mark>11");
        assert_eq!(field("中国", "中\u{200B}国"), "<mark>中\u{200B}国</mark>");
        assert_eq!(
            field("café", "cafe\u{301}s cafe\u{301}!"),
            "cafe\u{301}s <mark>cafe\u{301}</mark>!"
        );
    }

    #[test]
    fn overlapping_and_touching_marks_are_one() {
        assert_eq!(field("人工智 智能 芯片", "人工智能芯片"), "<mark>人工智能芯片</mark>");
    }

    #[test]
    fn synonyms_are_marked_too() {
        let mut known = Known::default();
        for other in ["手机", "移动电话", "cell phone"] {
            known.add_synonym("手机", other);
        }
        let marks = Highlighter::new(&Query::parse_with("手机 评测", &cut, &known));
        assert_eq!(
            marks.field("手機、移動電話與Cell-Phone評測").unwrap(),
            "<mark>手機</mark>、<mark>移動電話</mark>與<mark>Cell-Phone評測</mark>"
        );
    }

    #[test]
    fn excluded_and_absent_words_are_not_marked() {
        assert_eq!(field("手机 -小米 量子", "小米手机"), "小米<mark>手机</mark>");
        assert_eq!(on("电脑").field("小米手机"), None);
        assert_eq!(on("，").field("小米，手机"), None);
        assert_eq!(on("电脑").excerpts("小米手机", 3, 120), [] as [&str; 0]);
    }

    #[test]
    fn text_is_escaped_first() {
        let html = field("script", "<script>alert('\"&')</script>");
        assert_eq!(
            html,
            "&lt;<mark>script</mark>&gt;alert(&#39;&quot;&amp;&#39;)&lt;/<mark>script</mark>&gt;"
        );
        assert_eq!(
            field("mark amp", "<mark>&amp;"),
            "&lt;<mark>mark</mark>&gt;&amp;<mark>amp</mark>;"
        );
    }

    #[test]
    fn the_window_with_most_of_the_query_comes_first() {
        let filler = "无关紧要的内容，".repeat(40);
        let text = format!("电池。{filler}这里说电池与续航。{filler}续航。");
        let found = on("电池 续航").excerpts(&text, 3, 60);
        assert_eq!(found.len(), 3);
        assert!(found[0].contains("<mark>电池</mark>与<mark>续航</mark>"), "{found:?}");
        assert!(found[1].starts_with("<mark>电池</mark>。") && found[1].ends_with('…'));
        assert!(found[2].starts_with('…') && found[2].ends_with("<mark>续航</mark>。"));
    }

    #[test]
    fn an_excerpt_begins_with_its_sentence_when_that_is_near() {
        let text = format!("{}。第一句讲屏幕很亮。{}", "前文".repeat(100), "后文".repeat(100));
        let found = on("屏幕").excerpts(&text, 1, 60);
        assert!(
            found[0].starts_with("…第一句讲<mark>屏幕</mark>很亮。后文"),
            "{found:?}"
        );
    }

    #[test]
    fn excerpts_keep_words_and_composed_characters_whole() {
        let text = format!("{} target {}", "wonderful ".repeat(60), "e\u{301}\u{302}".repeat(200));
        for width in 20..90 {
            let found = on("target").excerpts(&text, 1, width);
            let inner = found[0].trim_matches('…');
            assert!(
                inner.starts_with("wonderful") || inner.starts_with("<mark>"),
                "{width} {inner}"
            );
            let tail = inner.rsplit(' ').next().unwrap();
            assert!(
                !tail.contains('e') || tail.ends_with('\u{302}') || tail.ends_with("</mark>"),
                "{width} {inner:?}"
            );
        }
    }

    #[test]
    fn every_excerpt_is_well_formed_and_near_its_width() {
        let text = format!(
            "{}AI<b>\n 芯片&\u{0}“评测”{}",
            "开头，AI 与芯片。".repeat(50),
            "😀👨\u{200D}👩 ai".repeat(300)
        );
        for typed in ["AI", "ai 芯片 评测", "\"AI 与芯片\"", "b"] {
            for width in [0, 1, 10, 120, 900] {
                for html in on(typed).excerpts(&text, 4, width) {
                    assert_eq!(html.matches("<mark>").count(), html.matches("</mark>").count());
                    assert!(html.contains("<mark>"), "{typed} {width} {html}");
                    let plain = html.replace("<mark>", "").replace("</mark>", "");
                    assert!(!plain.contains(['<', '>', '\n', '\0']));
                    assert!(plain.chars().count() <= width + 2 * NUDGE + 20, "{typed} {width}");
                }
            }
        }
    }

    #[test]
    fn a_long_text_full_of_hits_is_quick() {
        let text = "人工智能 a ".repeat(200_000);
        let begun = std::time::Instant::now();
        assert_eq!(on("人工智能 工智 智能 人 工 智 能 a").excerpts(&text, 3, 120).len(), 3);
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    }
}
