//! The body of a file: what is written in it for other programs becomes what an article says.
//!
//! The Markdown parser that renders articles tells where code, HTML, headings and pictures stand; only those places of
//! the source are changed, and all else stays as its author wrote it.

use std::ops::Range;

use comrak::nodes::{AstNode, NodeValue, Sourcepos};
use comrak::{Arena, Options, parse_document};

use super::plugins;

/// A body, made ready.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// The heading that became the title.
    pub title: Option<String>,
    /// The source without it.
    pub source: String,
    /// What was not understood.
    pub notes: Vec<String>,
}

/// Takes out `<!-- more -->` and, if it is wanted, the first heading, which becomes the title; tag plugins of Hexo
/// become HTML and Markdown where those can say the same.
pub fn prepare(text: &str, heading_is_title: bool) -> Body {
    let source = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut body = Body::default();
    let mut edits = Edits::default();
    let arena = Arena::new();
    let outline = Outline::read(&arena, &source);
    if heading_is_title && let Some((title, range)) = outline.first_heading() {
        body.title = Some(title);
        edits.add(range, "");
    }
    for range in outline.ranges(|value| matches!(value, NodeValue::HtmlBlock(_) | NodeValue::HtmlInline(_))) {
        if let Some(more) = more_mark(source.get(range.clone()).unwrap_or_default()) {
            edits.add(range.start + more.start..range.start + more.end, "");
        }
    }
    let code = outline.ranges(|value| matches!(value, NodeValue::CodeBlock(_) | NodeValue::Code(_)));
    plugins::replace(&source, &code, &mut edits, &mut body.notes);
    body.source = edits.apply(&source).trim_matches('\n').to_owned();
    body
}

/// Where `<!-- more -->` stands in a piece of HTML.
fn more_mark(html: &str) -> Option<Range<usize>> {
    let mut from = 0;
    while let Some(start) = html.get(from..)?.find("<!--").map(|at| from + at) {
        let inner = start + 4;
        let end = html.get(inner..)?.find("-->").map(|at| inner + at)?;
        if html.get(inner..end)?.trim().eq_ignore_ascii_case("more") {
            return Some(start..end + 3);
        }
        from = end + 3;
    }
    None
}

/// The parsed document, with its places in the source.
pub struct Outline<'a> {
    root: &'a AstNode<'a>,
    source: &'a str,
    lines: Vec<usize>,
}

impl<'a> Outline<'a> {
    /// Parses a source whose lines end in `\n`.
    pub fn read(arena: &'a Arena<'a>, source: &'a str) -> Self {
        // What the renderer reads as well, so that both see the same document.
        let mut options = Options::default();
        options.extension.table = true;
        options.extension.strikethrough = true;
        options.extension.autolink = true;
        options.extension.tasklist = true;
        options.extension.footnotes = true;
        options.extension.cjk_friendly_emphasis = true;
        let lines = std::iter::once(0)
            .chain(source.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        Self {
            root: parse_document(arena, source, &options),
            source,
            lines,
        }
    }

    /// The nodes of the document, in order, with their places.
    pub fn nodes(&self) -> impl Iterator<Item = (&'a AstNode<'a>, Range<usize>)> {
        self.root.descendants().filter_map(|node| {
            let place = node.data.borrow().sourcepos;
            Some((node, self.range(place)?))
        })
    }

    fn ranges(&self, wanted: impl Fn(&NodeValue) -> bool) -> Vec<Range<usize>> {
        self.nodes()
            .filter(|(node, _)| wanted(&node.data.borrow().value))
            .map(|(_, range)| range)
            .collect()
    }

    fn range(&self, place: Sourcepos) -> Option<Range<usize>> {
        let at = |line: usize, column: usize| Some(self.lines.get(line.checked_sub(1)?)? + column.checked_sub(1)?);
        let (start, end) = (
            at(place.start.line, place.start.column)?,
            at(place.end.line, place.end.column)? + 1,
        );
        self.source.get(start..end)?;
        Some(start..end)
    }

    /// The text of the first heading that has any, and its lines.
    fn first_heading(&self) -> Option<(String, Range<usize>)> {
        self.root.children().find_map(|node| {
            if !matches!(node.data.borrow().value, NodeValue::Heading(_)) {
                return None;
            }
            let title = plain(node);
            let range = self.range(node.data.borrow().sourcepos)?;
            let start = self.source.get(..range.start)?.rfind('\n').map_or(0, |at| at + 1);
            let rest = self.source.get(range.end..)?;
            let end = rest.find('\n').map_or(self.source.len(), |at| range.end + at + 1);
            (!title.is_empty()).then_some((title, start..end))
        })
    }
}

/// The text of a node, in one line.
fn plain<'a>(node: &'a AstNode<'a>) -> String {
    let mut text = String::new();
    for node in node.descendants() {
        match &node.data.borrow().value {
            NodeValue::Text(part) => text.push_str(part),
            NodeValue::Code(code) => text.push_str(&code.literal),
            NodeValue::SoftBreak | NodeValue::LineBreak => text.push(' '),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Changes of a source, each of a place of its own.
#[derive(Debug, Default)]
pub struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// Puts `text` in the place of `range`.
    pub fn add(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.0.push((range, text.into()));
    }

    /// The source as it becomes. Of changes that overlap, the one that begins first is made.
    pub fn apply(mut self, source: &str) -> String {
        self.0.sort_by_key(|(range, _)| range.start);
        let mut out = String::with_capacity(source.len());
        let mut done = 0;
        for (range, text) in self.0 {
            let Some(kept) = source.get(done..range.start) else {
                continue;
            };
            out.push_str(kept);
            out.push_str(&text);
            done = range.end;
        }
        out.push_str(source.get(done..).unwrap_or_default());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_heading_becomes_the_title_and_leaves_the_body() {
        for (text, title, source) in [
            ("# 海啸 `AI` **来了**\r\n\r\n正文", "海啸 AI 来了", "正文"),
            ("开头\n\n标题\n===\n\n正文", "标题", "开头\n\n\n正文"),
            ("#\n\n## 二\n正文", "二", "#\n\n正文"),
            ("```\n# no\n```\n\n# 标题", "标题", "```\n# no\n```"),
        ] {
            let body = prepare(text, true);
            assert_eq!(
                (body.title.as_deref(), body.source.as_str()),
                (Some(title), source),
                "{text}"
            );
        }
        assert_eq!(prepare("# a\n\nb", false).source, "# a\n\nb");
        assert_eq!(prepare("> # a\n\nb", true).title, None);
    }

    #[test]
    fn the_mark_of_an_excerpt_goes_but_not_in_code() {
        assert_eq!(
            prepare("a\n\n<!-- more -->\n\nb <!--more--> c", false).source,
            "a\n\n\n\nb  c"
        );
        let code = "`<!-- more -->`\n\n```\n<!-- more -->\n```\n\n<!-- note -->";
        assert_eq!(prepare(code, false).source, code);
    }

    #[test]
    fn hostile_bodies_end_soon() {
        for text in [
            "<!--".repeat(100_000),
            "{% ".repeat(100_000),
            "> ".repeat(50_000),
            "![".repeat(50_000),
            "<!-- more -->\n\n".repeat(20_000),
        ] {
            assert!(prepare(&text, true).source.len() <= text.len());
        }
    }
}
