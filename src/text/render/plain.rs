//! Writes the clean tree as plain text: what search reads.

use super::line::words;
use super::tree::{Cell, Inline, Node, Run};

/// The text of a tree: blocks parted by an empty line; items and table rows on lines of their own, cells parted by tabs.
pub(super) fn write(nodes: &[Node]) -> String {
    let mut out = String::new();
    write_nodes(nodes, "\n\n", &mut out);
    out
}

fn write_nodes(nodes: &[Node], between: &str, out: &mut String) {
    let mut end = None;
    for node in nodes {
        if end.is_some() {
            out.push_str(between);
        }
        let before = out.len();
        write_node(node, out);
        if out.len() > before {
            end = Some(out.len());
        } else if let Some(end) = end {
            out.truncate(end);
        }
    }
}

fn write_node(node: &Node, out: &mut String) {
    match node {
        Node::Paragraph(runs) | Node::Heading { runs, .. } => write_runs(runs, out),
        Node::Image(image) => out.push_str(image.words().unwrap_or_default()),
        Node::List { items, .. } => {
            let before = out.len();
            for item in items {
                if out.len() > before && !out.ends_with('\n') {
                    out.push('\n');
                }
                write_nodes(item, "\n", out);
            }
            out.truncate(out.trim_end_matches('\n').len().max(before));
        }
        Node::Quote(nodes) => write_nodes(nodes, "\n\n", out),
        Node::Code { code, .. } => out.push_str(code),
        Node::Table { header, rows } => {
            for (at, row) in header.iter().chain(rows).enumerate() {
                if at > 0 {
                    out.push('\n');
                }
                write_row(row, out);
            }
        }
        Node::Divider | Node::Embed { .. } => {}
    }
}

fn write_row(cells: &[Cell], out: &mut String) {
    for (at, text) in cells.iter().filter_map(cell_text).enumerate() {
        if at > 0 {
            out.push('\t');
        }
        out.push_str(&text);
    }
}

fn cell_text(cell: &Cell) -> Option<String> {
    let mut text = String::new();
    for inline in cell {
        match inline {
            Inline::Run(run) => text.push_str(&run.text),
            Inline::Image(image) => text.extend([" ", image.words().unwrap_or_default(), " "]),
        }
    }
    words(&text)
}

fn write_runs(runs: &[Run], out: &mut String) {
    for run in runs {
        out.push_str(&run.text);
    }
}
