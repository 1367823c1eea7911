//! Pictures in a body: which it shows, and what it says once they are uploaded.

use std::ops::Range;

use comrak::Arena;
use comrak::nodes::NodeValue;

use super::body::{Edits, Outline};

/// A place of a body that shows a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Where the picture is, as the body says it.
    pub address: String,
    /// What is to be replaced by the address of the upload.
    range: Range<usize>,
    form: Form,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// What follows the text of a Markdown image: `](address "title")`, `][label]` or `]`.
    Markdown {
        /// Its title.
        title: String,
    },
    /// The value of an attribute, with its quotes.
    Attribute,
}

/// Every picture that a body shows: by `![text](address)` in its three forms, or by `<img src>`.
pub fn references(source: &str) -> Vec<Reference> {
    if !source.contains("![") && !source.contains('<') {
        return Vec::new();
    }
    let arena = Arena::new();
    let outline = Outline::read(&arena, source);
    let mut found = Vec::new();
    for (node, range) in outline.nodes() {
        match &node.data.borrow().value {
            NodeValue::Image(link) => {
                if let Some(end) = source.get(range.clone()).and_then(end_of_text) {
                    found.push(Reference {
                        address: link.url.clone(),
                        range: range.start + end..range.end,
                        form: Form::Markdown {
                            title: link.title.clone(),
                        },
                    });
                }
            }
            NodeValue::HtmlBlock(_) | NodeValue::HtmlInline(_) => {
                let html = source.get(range.clone()).unwrap_or_default();
                for (value, address) in image_sources(html) {
                    found.push(Reference {
                        address,
                        range: range.start + value.start..range.start + value.end,
                        form: Form::Attribute,
                    });
                }
            }
            _ => {}
        }
    }
    found
}

/// The body with `image:ID` in the place of each reference that has an id.
pub fn replace(source: &str, references: &[(Reference, Option<i64>)]) -> String {
    let mut edits = Edits::default();
    for (reference, id) in references {
        let Some(id) = id else { continue };
        let text = match &reference.form {
            Form::Attribute => format!("\"image:{id}\""),
            Form::Markdown { title } if title.is_empty() => format!("](image:{id})"),
            Form::Markdown { title } => {
                let title = title.replace('\\', "\\\\").replace('"', "\\\"");
                format!("](image:{id} \"{title}\")")
            }
        };
        edits.add(reference.range.clone(), text);
    }
    edits.apply(source)
}

/// Where the text of `![text](…)` ends: at the bracket that closes the first.
fn end_of_text(image: &str) -> Option<usize> {
    let inside = image.strip_prefix("![")?;
    let mut open = 1_usize;
    let mut escaped = false;
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'[' => open += 1,
            b']' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at + 2);
        }
    }
    None
}

/// The values of `src` in the `<img>` of a piece of HTML: where they stand, quotes included, and what they say.
fn image_sources(html: &str) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = html.get(from..).and_then(|rest| rest.find('<')).map(|at| from + at) {
        from = at + 1;
        let rest = html.get(from..).unwrap_or_default();
        if let Some(inner) = rest.strip_prefix("!--") {
            from += 3 + inner.find("-->").unwrap_or(inner.len());
            continue;
        }
        let is_image = rest.get(..3).is_some_and(|name| name.eq_ignore_ascii_case("img"))
            && rest
                .get(3..)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_whitespace() || c == '/'));
        if is_image {
            let attributes = Attributes { html, at: from + 3 };
            for (name, value) in attributes {
                from = value.end;
                if html.get(name).is_some_and(|name| name.eq_ignore_ascii_case("src")) && !value.is_empty() {
                    let text = html.get(value.clone()).unwrap_or_default();
                    let text = text
                        .trim_matches(|c| matches!(c, '"' | '\''))
                        .trim()
                        .replace("&amp;", "&");
                    found.push((value, text));
                    break;
                }
            }
        }
    }
    found
}

/// The attributes of a tag: where their names and their values stand.
struct Attributes<'a> {
    html: &'a str,
    at: usize,
}

impl Attributes<'_> {
    /// Goes on while the condition holds.
    fn skip(&mut self, condition: impl Fn(char) -> bool) -> Range<usize> {
        let start = self.at;
        let rest = self.html.get(start..).unwrap_or_default();
        self.at += rest.find(|c| !condition(c)).unwrap_or(rest.len());
        start..self.at
    }

    fn next_char(&self) -> Option<char> {
        self.html.get(self.at..)?.chars().next()
    }
}

impl Iterator for Attributes<'_> {
    type Item = (Range<usize>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip(|c| c.is_ascii_whitespace() || c == '/');
        let name = self.skip(|c| !c.is_ascii_whitespace() && !matches!(c, '=' | '>' | '/'));
        self.skip(|c| c.is_ascii_whitespace());
        if self.next_char() != Some('=') {
            return (!name.is_empty()).then_some((name, self.at..self.at));
        }
        self.at += 1;
        self.skip(|c| c.is_ascii_whitespace());
        let value = match self.next_char() {
            Some(quote @ ('"' | '\'')) => {
                let start = self.at;
                self.at += 1;
                self.skip(|c| c != quote);
                self.next_char()?;
                self.at += 1;
                start..self.at
            }
            _ => self.skip(|c| !c.is_ascii_whitespace() && c != '>'),
        };
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(source: &str) -> String {
        let numbered: Vec<_> = references(source).into_iter().zip((7..).map(Some)).collect();
        replace(source, &numbered)
    }

    #[test]
    fn markdown_images_are_found_wherever_they_stand() {
        for (source, wanted) in [
            ("![](a.jpg)", "![](image:7)"),
            (
                "前 ![海 [啸] \\]](<a b.jpg> '图 \"1\"') 后",
                "前 ![海 [啸] \\]](image:7 \"图 \\\"1\\\"\") 后",
            ),
            ("![a](x.png)![b](y.png)", "![a](image:7)![b](image:8)"),
            (
                "> - 引 ![a](x.png)\n>   ![b](y.png) 后\n",
                "> - 引 ![a](image:7)\n>   ![b](image:8) 后\n",
            ),
            (
                "| 海 | 啸 |\n|---|---|\n| 一 | ![a](x.png) |\n",
                "| 海 | 啸 |\n|---|---|\n| 一 | ![a](image:7) |\n",
            ),
            (
                "[![a](x.png)](https://example.org)",
                "[![a](image:7)](https://example.org)",
            ),
            (
                "**粗 ![a](x.png)**\n第二行 ![b](y.png)",
                "**粗 ![a](image:7)**\n第二行 ![b](image:8)",
            ),
            (
                "![a][p] 和 ![p]\n\n[p]: x.png \"题\"",
                "![a](image:7 \"题\") 和 ![p](image:8 \"题\")\n\n[p]: x.png \"题\"",
            ),
            (
                "1. 一\n\n   段 ![a](x.png)\n   - 二 ![b](y(1).png)\n",
                "1. 一\n\n   段 ![a](image:7)\n   - 二 ![b](image:8)\n",
            ),
            ("注[^1]\n\n[^1]: 看 ![a](x.png)", "注[^1]\n\n[^1]: 看 ![a](image:7)"),
            ("# 题 ![a](x.png)\n", "# 题 ![a](image:7)\n"),
            (
                "\t`![a](x.png)`\n\n`![a](x.png)`\n\n```\n![a](x.png)\n```\n\\![a](x.png)",
                "\t`![a](x.png)`\n\n`![a](x.png)`\n\n```\n![a](x.png)\n```\n\\![a](x.png)",
            ),
        ] {
            assert_eq!(replaced(source), wanted);
        }
    }

    #[test]
    fn html_images_are_found_by_their_source() {
        for (source, wanted) in [
            ("<img src=\"a.jpg\">", "<img src=\"image:7\">"),
            (
                "<p>\n<IMG alt='<b>' SRC = 'a.jpg' width=3>\n<img src=b.jpg/></p>",
                "<p>\n<IMG alt='<b>' SRC = \"image:7\" width=3>\n<img src=\"image:8\"></p>",
            ),
            (
                "文字 <img class=x src=a.jpg> 文字",
                "文字 <img class=x src=\"image:7\"> 文字",
            ),
            (
                "<img><img data-src=\"a.jpg\"><!-- <img src=a.jpg> --><imgs src=a>",
                "<img><img data-src=\"a.jpg\"><!-- <img src=a.jpg> --><imgs src=a>",
            ),
            ("`<img src=a.jpg>`", "`<img src=a.jpg>`"),
        ] {
            assert_eq!(replaced(source), wanted);
        }
    }

    #[test]
    fn a_reference_says_where_the_picture_is() {
        let addresses: Vec<_> = references("![a](/图/a%20b.jpg) <img src='x.png?a=1&amp;b=2'>")
            .into_iter()
            .map(|found| found.address)
            .collect();
        assert_eq!(addresses, ["/图/a%20b.jpg", "x.png?a=1&b=2"]);
    }

    #[test]
    fn hostile_bodies_end_soon() {
        for source in [
            "<img ".repeat(100_000),
            "<img src=".repeat(100_000),
            "![[".repeat(50_000),
            "<img a='".repeat(100_000),
            "<!--".repeat(100_000),
            "![a](b)".repeat(50_000),
        ] {
            assert!(references(&source).len() <= 50_000);
        }
    }
}
