//! What holds for every source, and the cases in their rooms.

mod forms;
mod fuzz;
mod hostile;
mod positions;
mod sanitiser;
mod scan;
mod scripts;

use super::place::write_image;
use super::tree::{Node, Run, Style};
use super::*;
use std::rc::Rc;

/// How many random sources a test tries.
const ROUNDS: usize = 3_000;

pub(super) const FORMATS: [SourceFormat; 3] = [SourceFormat::Markdown, SourceFormat::Html, SourceFormat::Text];

fn read(source: &str, format: SourceFormat) -> Vec<Node> {
    let source = prepare(source);
    match format {
        SourceFormat::Markdown => read::markdown(&source),
        SourceFormat::Html => read::html(&source),
        SourceFormat::Text => read::text(&source),
    }
}

/// HTML with its places written as an author would.
pub(super) fn html_source(html: &str) -> String {
    fill(html, |place, out| {
        let mut image = format!("<img src=\"image:{}\" alt=\"", place.id);
        html::escape(place.alt.as_deref().unwrap_or_default(), &mut image);
        image.push_str("\" title=\"");
        html::escape(place.caption.as_deref().unwrap_or_default(), &mut image);
        image.push_str("\">");
        if place.inline {
            out.push_str(&image);
        } else {
            out.extend(["<figure>", &image, "</figure>"]);
        }
    })
}

/// Markdown with its places written as an author would.
pub(super) fn markdown_source(markdown: &str) -> String {
    fill(markdown, |place, out| {
        let (alt, caption) = (
            place.alt.as_deref().unwrap_or_default(),
            place.caption.as_deref().unwrap_or_default(),
        );
        write_image(&format!("image:{}", place.id), alt, caption, out);
    })
}

/// An embed leaves a link in HTML and Markdown, so a tree read again has that.
fn embeds_as_links(nodes: Vec<Node>) -> Vec<Node> {
    nodes
        .into_iter()
        .map(|node| match node {
            Node::Embed { url, .. } => {
                let link = Some(Rc::from(url.as_str()));
                Node::Paragraph(vec![Run {
                    text: url,
                    style: Style::default(),
                    link,
                }])
            }
            Node::Quote(nodes) => Node::Quote(embeds_as_links(nodes)),
            Node::List { ordered, start, items } => Node::List {
                ordered,
                start,
                items: items.into_iter().map(embeds_as_links).collect(),
            },
            other => other,
        })
        .collect()
}

/// Checks all that holds for every source: the HTML is within the allow-list and passes it unchanged, places are well-formed and
/// agree with the images, the blocks are JSON, and HTML and Markdown render to the same tree again.
pub(super) fn check(source: &str, format: SourceFormat) -> Rendered {
    let nodes = read(source, format);
    let rendered = render(source, format);
    let told = |form: &str| format!("{format:?} {source:?} gave {form:?}");

    assert_eq!(
        sanitiser::clean(&rendered.html),
        rendered.html,
        "{}",
        told(&rendered.html)
    );
    if let Err(wrong) = scan::html(&html_source(&rendered.html)) {
        panic!("{wrong}: {}", told(&rendered.html));
    }

    for form in [&rendered.html, &rendered.markdown, &rendered.blocks] {
        let mut ids = Vec::new();
        fill(form, |place, _| ids.push(place.id));
        assert_eq!(form.matches(place::OPEN).count(), ids.len(), "{}", told(form));
        assert_eq!(form.matches(place::CLOSE).count(), ids.len(), "{}", told(form));
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids, rendered.images, "{}", told(form));
    }
    assert!(!rendered.text.contains(line::is_forbidden), "{}", told(&rendered.text));
    assert!(
        !rendered
            .html
            .contains(|c| line::is_forbidden(c) && c != place::OPEN && c != place::CLOSE)
    );

    let blocks = fill(&rendered.blocks, |_, out| {
        out.push_str("{\"type\":\"image\",\"image\":{}}");
    });
    let blocks: serde_json::Value =
        serde_json::from_str(&blocks).unwrap_or_else(|error| panic!("{error}: {}", told(&blocks)));
    scan::blocks(&blocks).unwrap_or_else(|wrong| panic!("{wrong}: {}", told(&rendered.blocks)));

    let nodes = embeds_as_links(nodes);
    let again = embeds_as_links(read(&html_source(&rendered.html), SourceFormat::Html));
    assert_eq!(again, nodes, "HTML read again: {}", told(&rendered.html));
    let markdown = markdown_source(&rendered.markdown);
    let again = embeds_as_links(read(&markdown, SourceFormat::Markdown));
    assert_eq!(again, nodes, "Markdown read again: {}", told(&markdown));
    rendered
}
