//! What an author wrote, in the four stored forms of an article's body.
//!
//! The source goes by one tree ([`tree`]), which can say only what an article may hold: [`read`] and [`build`] make it from
//! Markdown, HTML or text, and four small writers make HTML, Markdown, plain text and blocks of it. An uploaded image is a
//! [`Place`] in them, which [`fill`] replaces when the article is read.
//!
//! Time and memory grow with the length of the source alone, and the stack does not grow with its nesting.

mod address;
mod blocks;
mod build;
mod embed;
mod html;
mod inline;
mod line;
mod markdown;
mod place;
mod plain;
mod read;
mod table;
#[cfg(test)]
mod tests;
mod tree;

pub use blocks::{Block, Run, image_block};
pub use place::{Picture, Place, figure_html, fill, image_markdown, places};

use std::borrow::Cow;
use tree::{Inline, Node, Source};

/// Version of the output. It is raised when the same source gives other forms: stored forms of an older version are made anew.
pub const VERSION: i32 = 1;

/// How long the addresses of all links may be together, even in a short source.
const MIN_LINKS: usize = 1 << 16;

/// In which format an author wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceFormat {
    /// GitHub Flavored Markdown with footnotes, HTML in it, emphasis that suits Chinese, and no space at a line end between Han.
    Markdown,
    /// HTML, of which the allow-list is kept.
    Html,
    /// Plain text: blank lines part paragraphs.
    Text,
}

/// The stored forms of one body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Safe HTML with places.
    pub html: String,
    /// Markdown with places.
    pub markdown: String,
    /// Plain text, as search reads it; a picture is its caption or else its alternative text.
    pub text: String,
    /// JSON array of [`Block`] with places.
    pub blocks: String,
    /// Ids of the uploaded images in it, each once, in order.
    pub images: Vec<i64>,
}

/// Renders a source. Any string is a source; what cannot be kept is left out.
pub fn render(source: &str, format: SourceFormat) -> Rendered {
    let source = prepare(source);
    let mut nodes = match format {
        SourceFormat::Markdown => read::markdown(&source),
        SourceFormat::Html => read::html(&source),
        SourceFormat::Text => read::text(&source),
    };
    tree::bound_links(&mut nodes, &mut (4 * source.len() + MIN_LINKS));
    let mut images = Vec::new();
    collect_images(&nodes, &mut images);
    images.sort_unstable();
    images.dedup();
    Rendered {
        html: html::write(&nodes),
        markdown: markdown::write(&nodes),
        text: plain::write(&nodes),
        blocks: blocks::write(&nodes),
        images,
    }
}

/// Takes out the characters that no article holds, and makes each line end one `\n`.
fn prepare(source: &str) -> Cow<'_, str> {
    if !source.contains(line::is_forbidden) {
        return Cow::Borrowed(source);
    }
    let mut out = String::with_capacity(source.len());
    let mut rest = source.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\r' if rest.peek() != Some(&'\n') => out.push('\n'),
            _ if line::is_forbidden(c) => {}
            _ => out.push(c),
        }
    }
    Cow::Owned(out)
}

fn collect_images(nodes: &[Node], images: &mut Vec<i64>) {
    let mut add = |image: &tree::Image| {
        if let Source::Uploaded(id) = image.source {
            images.push(id);
        }
    };
    for node in nodes {
        match node {
            Node::Image(image) => add(image),
            Node::Table { header, rows } => {
                for inline in header.iter().chain(rows).flatten().flatten() {
                    if let Inline::Image(image) = inline {
                        add(image);
                    }
                }
            }
            _ => {}
        }
    }
    for node in nodes {
        match node {
            Node::Quote(nodes) => collect_images(nodes, images),
            Node::List { items, .. } => {
                for item in items {
                    collect_images(item, images);
                }
            }
            _ => {}
        }
    }
}
