//! Writes the clean tree as GFM that renders to the same tree again, in this renderer and in others.

use super::inline;
use super::place::{Place, write_image};
use super::tree::{Cell, Image, Inline, Node, Run, Source, Style};
use std::rc::Rc;

/// The Markdown of a tree, each uploaded image a place.
pub(super) fn write(nodes: &[Node]) -> String {
    let mut writer = Writer {
        out: String::new(),
        prefix: String::new(),
    };
    writer.nodes(nodes, Apart::Always);
    writer.out
}

/// Whether an empty line parts two blocks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Apart {
    Always,
    /// Not before a list that may follow a paragraph at once.
    InItem,
}

struct Writer {
    out: String,
    /// What stands before each line: the marks of the quotes and the room of the lists around it.
    prefix: String,
}

impl Writer {
    fn line(&mut self) {
        self.out.push('\n');
        self.out.push_str(&self.prefix);
    }

    fn empty_line(&mut self) {
        self.out.push('\n');
        self.out.push_str(self.prefix.trim_end());
    }

    fn nodes(&mut self, nodes: &[Node], apart: Apart) {
        let mut before: Option<&Node> = None;
        let mut other_marker = false;
        for node in nodes {
            if let Some(before) = before {
                if apart == Apart::Always || !is_tight(before, node) {
                    self.empty_line();
                }
                self.line();
            }
            // Two lists of one kind after each other would be one, had they the same marker.
            other_marker = matches!((before, node), (Some(Node::List { ordered: a, .. }), Node::List { ordered: b, .. }) if a == b)
                && !other_marker;
            self.node(node, other_marker);
            before = Some(node);
        }
    }

    fn node(&mut self, node: &Node, other_marker: bool) {
        match node {
            Node::Paragraph(runs) => {
                let line = inline::write(runs, inline::Lines::Several);
                self.lines(&line);
            }
            Node::Heading { level, runs } => {
                self.out.extend(std::iter::repeat_n('#', usize::from(*level)));
                self.out.push(' ');
                self.out.push_str(&inline::write(runs, inline::Lines::One));
            }
            Node::Image(image) => self.image(image, false),
            Node::List { ordered, start, items } => self.list(*ordered, *start, items, other_marker),
            Node::Quote(nodes) => {
                self.out.push_str("> ");
                let outer = self.prefix.len();
                self.prefix.push_str("> ");
                self.nodes(nodes, Apart::Always);
                self.prefix.truncate(outer);
            }
            Node::Code { language, code } => self.code(language.as_deref().unwrap_or_default(), code),
            Node::Table { header, rows } => self.table(header.as_deref(), rows),
            // Of the three forms this is the one that no marker of a list can turn into another.
            Node::Divider => self.out.push_str("___"),
            Node::Embed { url, .. } => {
                let link = Run {
                    text: url.clone(),
                    style: Style::default(),
                    link: Some(Rc::from(url.as_str())),
                };
                self.out.push_str(&inline::write(&[link], inline::Lines::One));
            }
        }
    }

    fn lines(&mut self, text: &str) {
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                if line.is_empty() {
                    self.empty_line();
                } else {
                    self.line();
                }
            }
            self.out.push_str(line);
        }
    }

    fn list(&mut self, ordered: bool, start: u32, items: &[Vec<Node>], other_marker: bool) {
        let tight = items
            .iter()
            .all(|item| item.windows(2).all(|pair| matches!(pair, [a, b] if is_tight(a, b))));
        for (number, item) in (start..).zip(items) {
            if number > start {
                if !tight {
                    self.empty_line();
                }
                self.line();
            }
            let marker = match (ordered, other_marker) {
                // Only the first number counts, and it has nine digits at most.
                (true, false) => format!("{}. ", number.min(999_999_999)),
                (true, true) => format!("{}) ", number.min(999_999_999)),
                (false, false) => "- ".to_owned(),
                (false, true) => "* ".to_owned(),
            };
            self.out.push_str(&marker);
            let outer = self.prefix.len();
            self.prefix.extend(std::iter::repeat_n(' ', marker.len()));
            self.nodes(item, Apart::InItem);
            self.prefix.truncate(outer);
        }
    }

    fn code(&mut self, language: &str, code: &str) {
        let fence = "`".repeat(inline::longest_run(code, '`').max(2) + 1);
        self.out.extend([&fence, language]);
        self.out.push('\n');
        self.out.push_str(&self.prefix);
        self.lines(code);
        self.line();
        self.out.push_str(&fence);
    }

    fn table(&mut self, header: Option<&[Cell]>, rows: &[Vec<Cell>]) {
        let columns = header.map_or_else(|| rows.iter().map(Vec::len).max().unwrap_or(0), <[Cell]>::len);
        // GFM has no table without a header: an empty one stands for none.
        let none = vec![Cell::new(); columns];
        self.row(header.unwrap_or(&none));
        self.line();
        self.out.push('|');
        for _ in 0..columns {
            self.out.push_str(" --- |");
        }
        for row in rows {
            self.line();
            self.row(row);
        }
    }

    fn row(&mut self, cells: &[Cell]) {
        self.out.push('|');
        for cell in cells {
            self.out.push(' ');
            let mut runs = Vec::new();
            for piece in cell {
                match piece {
                    Inline::Run(run) => runs.push(run.clone()),
                    Inline::Image(image) => {
                        self.out.push_str(&inline::write(&runs, inline::Lines::Cell));
                        runs.clear();
                        self.image(image, true);
                    }
                }
            }
            self.out.push_str(&inline::write(&runs, inline::Lines::Cell));
            self.out.push_str(" |");
        }
    }

    fn image(&mut self, image: &Image, inline: bool) {
        let (alt, caption) = (image.alt.clone(), image.caption.clone());
        match &image.source {
            Source::Uploaded(id) => Place {
                id: *id,
                alt,
                caption,
                inline,
            }
            .write(&mut self.out),
            Source::Elsewhere(address) => {
                write_image(
                    address,
                    &alt.unwrap_or_default(),
                    &caption.unwrap_or_default(),
                    &mut self.out,
                );
            }
        }
    }
}

/// Whether a list may follow at once: it can interrupt a paragraph.
fn is_tight(before: &Node, node: &Node) -> bool {
    matches!((before, node), (Node::Paragraph(_), Node::List { ordered, start, .. }) if !ordered || *start == 1)
}
