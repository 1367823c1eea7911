//! The clean tree: the one form between what an author wrote and the four stored forms.
//!
//! Safety rests on this type. It has no case for a script, a frame, a style or an event attribute, so a writer cannot
//! write one, whatever the source was and however it was read.

use std::rc::Rc;

/// Marks of a run, as a set of bits. `blocks` shows the first four, the others live in `html` and `markdown` alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style(u8);

impl Style {
    pub(super) const BOLD: Self = Self(1);
    pub(super) const ITALIC: Self = Self(2);
    pub(super) const STRIKE: Self = Self(4);
    pub(super) const CODE: Self = Self(8);
    pub(super) const UNDERLINE: Self = Self(16);
    pub(super) const MARK: Self = Self(32);
    pub(super) const SUB: Self = Self(64);
    pub(super) const SUP: Self = Self(128);

    /// The order in which marks enclose each other, the outermost first.
    pub(super) const NESTING: [Self; 8] = [
        Self::BOLD,
        Self::ITALIC,
        Self::STRIKE,
        Self::UNDERLINE,
        Self::MARK,
        Self::SUB,
        Self::SUP,
        Self::CODE,
    ];

    pub(super) fn has(self, mark: Self) -> bool {
        self.0 & mark.0 != 0
    }

    pub(super) const fn with(self, mark: Self) -> Self {
        Self(self.0 | mark.0)
    }

    pub(super) fn without(self, mark: Self) -> Self {
        Self(self.0 & !mark.0)
    }

    /// The marks that both have.
    pub(super) fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// A stretch of text with the same marks and the same link; `\n` in it is a line break that the author asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) text: String,
    pub(super) style: Style,
    pub(super) link: Option<Rc<str>>,
}

/// Where a picture is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// An uploaded image, by id.
    Uploaded(i64),
    /// A picture elsewhere, by its https address.
    Elsewhere(String),
}

/// A picture with what its author wrote about it; an empty text is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) source: Source,
    pub(super) alt: Option<String>,
    pub(super) caption: Option<String>,
}

impl Image {
    /// What stands for the picture where only words can: the caption or else the alternative text.
    pub(super) fn words(&self) -> Option<&str> {
        self.caption.as_deref().or(self.alt.as_deref())
    }
}

/// A piece of a table cell, the only line that keeps a picture within it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Inline {
    Run(Run),
    Image(Image),
}

pub(super) type Cell = Vec<Inline>;

/// A block. Texts, lists, quotes and rows are never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Paragraph(Vec<Run>),
    Heading {
        level: u8,
        runs: Vec<Run>,
    },
    Image(Image),
    List {
        ordered: bool,
        start: u32,
        items: Vec<Vec<Node>>,
    },
    Quote(Vec<Node>),
    Code {
        language: Option<String>,
        code: String,
    },
    /// All rows, the header too, have the same number of cells, except in a table that is far too sparse to be filled up.
    Table {
        header: Option<Vec<Cell>>,
        rows: Vec<Vec<Cell>>,
    },
    Divider,
    Embed {
        url: String,
        provider: Option<&'static str>,
    },
}

/// Takes the links from all runs after those whose addresses together are as long as `left`: a link left open over many runs
/// repeats its address in each, and could make a short source huge.
pub(super) fn bound_links(nodes: &mut [Node], left: &mut usize) {
    for node in nodes {
        match node {
            Node::Paragraph(runs) | Node::Heading { runs, .. } => {
                for run in runs {
                    bound_link(run, left);
                }
            }
            Node::Quote(nodes) => bound_links(nodes, left),
            Node::List { items, .. } => {
                for item in items {
                    bound_links(item, left);
                }
            }
            Node::Table { header, rows } => {
                for inline in header.iter_mut().chain(rows).flatten().flatten() {
                    if let Inline::Run(run) = inline {
                        bound_link(run, left);
                    }
                }
            }
            Node::Image(_) | Node::Code { .. } | Node::Divider | Node::Embed { .. } => {}
        }
    }
}

fn bound_link(run: &mut Run, left: &mut usize) {
    if let Some(link) = &run.link {
        match left.checked_sub(link.len()) {
            Some(rest) => *left = rest,
            None => run.link = None,
        }
    }
}

/// The runs of a line without pictures.
pub(super) fn runs(line: Vec<Inline>) -> Vec<Run> {
    line.into_iter()
        .filter_map(|inline| match inline {
            Inline::Run(run) => Some(run),
            Inline::Image(_) => None,
        })
        .collect()
}
