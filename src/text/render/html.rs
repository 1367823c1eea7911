//! Writes the clean tree as HTML.
//!
//! The allow-list is what this file can write: no element, attribute or scheme but those spelt out here. A sanitiser after it
//! would have nothing to do; the tests hold the output against one.

use super::place::Place;
use super::tree::{Cell, Image, Inline, Node, Run, Source, Style};

/// What other pages learn of this one, and search engines of its opinion of them.
const REL: &str = "noopener noreferrer nofollow";

/// The HTML of a tree, each uploaded image a place.
pub(super) fn write(nodes: &[Node]) -> String {
    let mut out = String::new();
    write_nodes(nodes, &mut out);
    out
}

/// Appends text in a form that is text both between tags and within a quoted attribute.
pub(super) fn escape(text: &str, out: &mut String) {
    escape_text(text, true, out);
}

fn escape_text(text: &str, attribute: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' if attribute => out.push_str("&quot;"),
            '\u{a0}' => out.push_str("&nbsp;"),
            _ => out.push(c),
        }
    }
}

fn write_nodes(nodes: &[Node], out: &mut String) {
    for node in nodes {
        write_node(node, out);
    }
}

fn write_node(node: &Node, out: &mut String) {
    match node {
        Node::Paragraph(runs) => wrap("p", out, |out| write_runs(runs, 0, out)),
        Node::Heading { level, runs } => wrap(&format!("h{level}"), out, |out| write_runs(runs, 0, out)),
        Node::Image(image) => write_image(image, false, out),
        Node::List { ordered, start, items } => write_list(*ordered, *start, items, out),
        Node::Quote(nodes) => wrap("blockquote", out, |out| write_nodes(nodes, out)),
        Node::Code { language, code } => write_code(language.as_deref(), code, out),
        Node::Table { header, rows } => write_table(header.as_deref(), rows, out),
        Node::Divider => out.push_str("<hr>"),
        Node::Embed { url, .. } => wrap("p", out, |out| {
            open_link(url, out);
            escape_text(url, false, out);
            out.push_str("</a>");
        }),
    }
}

fn wrap(tag: &str, out: &mut String, inner: impl FnOnce(&mut String)) {
    out.extend(["<", tag, ">"]);
    inner(out);
    out.extend(["</", tag, ">"]);
}

fn write_list(ordered: bool, start: u32, items: &[Vec<Node>], out: &mut String) {
    match (ordered, start) {
        (true, 1) => out.push_str("<ol>"),
        (true, _) => out.push_str(&format!("<ol start=\"{start}\">")),
        (false, _) => out.push_str("<ul>"),
    }
    for item in items {
        wrap("li", out, |out| match item.split_first() {
            // One paragraph is the item's own line; several need their tags to stay apart.
            Some((Node::Paragraph(runs), rest))
                if !rest
                    .iter()
                    .any(|node| matches!(node, Node::Paragraph(_) | Node::Embed { .. })) =>
            {
                write_runs(runs, 0, out);
                write_nodes(rest, out);
            }
            _ => write_nodes(item, out),
        });
    }
    out.push_str(if ordered { "</ol>" } else { "</ul>" });
}

fn write_code(language: Option<&str>, code: &str, out: &mut String) {
    out.push_str("<pre><code");
    if let Some(language) = language {
        out.push_str(" class=\"language-");
        escape(language, out);
        out.push('"');
    }
    out.push('>');
    escape_text(code, false, out);
    out.push_str("\n</code></pre>");
}

fn write_table(header: Option<&[Cell]>, rows: &[Vec<Cell>], out: &mut String) {
    wrap("table", out, |out| {
        if let Some(cells) = header {
            wrap("thead", out, |out| write_row("th", cells, out));
        }
        if !rows.is_empty() {
            wrap("tbody", out, |out| {
                for cells in rows {
                    write_row("td", cells, out);
                }
            });
        }
    });
}

fn write_row(tag: &str, cells: &[Cell], out: &mut String) {
    wrap("tr", out, |out| {
        for cell in cells {
            wrap(tag, out, |out| write_cell(cell, out));
        }
    });
}

fn write_cell(cell: &Cell, out: &mut String) {
    let mut runs = Vec::new();
    for inline in cell {
        match inline {
            Inline::Run(run) => runs.push(run.clone()),
            Inline::Image(image) => {
                write_runs(&runs, 0, out);
                runs.clear();
                write_image(image, true, out);
            }
        }
    }
    write_runs(&runs, 0, out);
}

fn write_image(image: &Image, inline: bool, out: &mut String) {
    match &image.source {
        Source::Uploaded(id) => {
            Place {
                id: *id,
                alt: image.alt.clone(),
                caption: image.caption.clone(),
                inline,
            }
            .write(out);
        }
        Source::Elsewhere(address) => {
            if !inline {
                out.push_str("<figure>");
            }
            out.push_str("<img src=\"");
            escape(address, out);
            out.push_str("\" alt=\"");
            escape(image.alt.as_deref().unwrap_or_default(), out);
            // Who reads which article is nobody's business but the site's.
            out.push_str("\" loading=\"lazy\" decoding=\"async\" referrerpolicy=\"no-referrer\">");
            if !inline {
                if let Some(caption) = &image.caption {
                    wrap("figcaption", out, |out| escape_text(caption, false, out));
                }
                out.push_str("</figure>");
            }
        }
    }
}

fn open_link(address: &str, out: &mut String) {
    out.push_str("<a href=\"");
    escape(address, out);
    out.extend(["\" rel=\"", REL, "\">"]);
}

fn tag_of(mark: Style) -> &'static str {
    match mark {
        Style::BOLD => "strong",
        Style::ITALIC => "em",
        Style::STRIKE => "s",
        Style::UNDERLINE => "u",
        Style::MARK => "mark",
        Style::SUB => "sub",
        Style::SUP => "sup",
        _ => "code",
    }
}

/// Writes runs, neighbours with the same link or mark in one element. `level` 0 is the link, the marks follow in their order of
/// nesting; so this goes nine levels deep and no further.
fn write_runs(runs: &[Run], level: usize, out: &mut String) {
    if level == 0 {
        for group in runs.chunk_by(|a, b| a.link == b.link) {
            match group.first().and_then(|run| run.link.as_deref()) {
                Some(address) => {
                    open_link(address, out);
                    write_runs(group, 1, out);
                    out.push_str("</a>");
                }
                None => write_runs(group, 1, out),
            }
        }
        return;
    }
    let Some(&mark) = Style::NESTING.get(level - 1) else {
        for run in runs {
            for (at, line) in run.text.split('\n').enumerate() {
                if at > 0 {
                    out.push_str("<br>");
                }
                escape_text(line, false, out);
            }
        }
        return;
    };
    for group in runs.chunk_by(|a, b| a.style.has(mark) == b.style.has(mark)) {
        if group.first().is_some_and(|run| run.style.has(mark)) {
            wrap(tag_of(mark), out, |out| write_runs(group, level + 1, out));
        } else {
            write_runs(group, level + 1, out);
        }
    }
}
