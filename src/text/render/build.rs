//! Builds the clean tree from the events of a source: what opens, what closes, text.
//!
//! Containers that are open stand in a stack of at most [`MAX_DEPTH`]; marks are counters, so that `<b>a<i>b</b>c</i>` needs no
//! mending. Nothing here or in the writers goes deeper than that stack, however deep the source nests.

mod cells;
mod text;

use super::line::{self, Line, paragraphs};
use super::table::{FILLING, Grid};
use super::tree::{Node, Run, Style, runs};
use std::rc::Rc;

/// How deep lists, quotes, figures and tables may stand in each other; what is deeper stays as text at that depth. A list takes
/// three levels of JSON, and common readers of JSON give up at 128.
pub(super) const MAX_DEPTH: usize = 32;

/// How many marks and indents of containers all lines of an article may have together in Markdown, which writes them before each
/// line: without a bound a short source could make a form hundreds of times its length.
const INDENTING: usize = 500_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Quote,
    List,
    Figure,
    Table,
}

#[derive(Debug)]
enum Frame {
    Quote(Vec<Node>),
    List {
        ordered: bool,
        start: u32,
        items: Vec<Vec<Node>>,
    },
    Figure {
        nodes: Vec<Node>,
        caption: Vec<String>,
        in_caption: bool,
    },
    Table(Box<TableFrame>),
}

#[derive(Debug, Default)]
struct TableFrame {
    /// What stands in the table but in no cell of it; a browser shows it above.
    before: Vec<Node>,
    grid: Grid,
    cell: Option<OpenCell>,
}

/// An open cell, with what has to be as before when it closes.
#[derive(Debug)]
struct OpenCell {
    header: bool,
    across: usize,
    down: usize,
    marks: Marks,
    refused: [usize; 4],
}

/// How often each mark is open, in the order of [`Style::NESTING`], and the link.
#[derive(Clone, Debug, Default)]
struct Marks {
    open: [usize; Style::NESTING.len()],
    link: Option<Rc<str>>,
}

#[derive(Debug)]
struct Code {
    language: Option<String>,
    code: String,
}

#[derive(Debug)]
pub(super) struct Builder {
    /// Whether a line end of the source between two Han characters is no space.
    han: bool,
    root: Vec<Node>,
    frames: Vec<Frame>,
    /// How many containers of each kind are open in the source alone: too deep, or within a cell or code.
    refused: [usize; 4],
    line: Line,
    marks: Marks,
    style: Style,
    heading: Option<u8>,
    /// Pictures out of a heading or code, which follow it.
    after: Vec<Node>,
    code: Option<Code>,
    /// How many `pre` are open in the cell.
    code_in_cell: usize,
    /// How many cells may still be added to fill the grids of tables.
    filling: usize,
    /// How many marks and indents lines may still have.
    indenting: usize,
}

impl Builder {
    pub(super) fn new(han: bool) -> Self {
        Self {
            han,
            root: Vec::new(),
            frames: Vec::new(),
            refused: [0; 4],
            line: Line::default(),
            marks: Marks::default(),
            style: Style::default(),
            heading: None,
            after: Vec::new(),
            code: None,
            code_in_cell: 0,
            filling: FILLING,
            indenting: INDENTING,
        }
    }

    /// Closes all that is open and gives the tree.
    pub(super) fn finish(mut self) -> Vec<Node> {
        self.close_code();
        self.boundary();
        while !self.frames.is_empty() {
            self.close_top();
        }
        self.root
    }

    pub(super) fn open_quote(&mut self) {
        self.open(Kind::Quote, || Frame::Quote(Vec::new()));
    }

    pub(super) fn open_list(&mut self, ordered: bool, start: u32) {
        self.open(Kind::List, || Frame::List {
            ordered,
            start,
            items: Vec::new(),
        });
    }

    pub(super) fn open_figure(&mut self) {
        self.open(Kind::Figure, || Frame::Figure {
            nodes: Vec::new(),
            caption: Vec::new(),
            in_caption: false,
        });
    }

    pub(super) fn open_table(&mut self) {
        self.open(Kind::Table, || Frame::Table(Box::default()));
    }

    fn open(&mut self, kind: Kind, frame: impl FnOnce() -> Frame) {
        self.boundary();
        if self.code.is_some() || self.in_cell() || self.frames.len() >= MAX_DEPTH || self.indenting == 0 {
            self.count_refused(kind, |count| count + 1);
        } else {
            self.heading = None;
            self.frames.push(frame());
        }
    }

    pub(super) fn close(&mut self, kind: Kind) {
        self.boundary();
        if self.refused(kind) > 0 {
            self.count_refused(kind, |count| count - 1);
        } else if self.code.is_none()
            && let Some(at) = self.nearest(kind)
        {
            self.close_to(at);
        }
    }

    /// Begins an item: in the nearest list, whose item before ends here.
    pub(super) fn open_item(&mut self) {
        if let Some(items) = self.close_item() {
            items.push(Vec::new());
        }
    }

    /// Ends an item; gives the items of its list.
    pub(super) fn close_item(&mut self) -> Option<&mut Vec<Vec<Node>>> {
        self.boundary();
        if self.code.is_some() || self.refused(Kind::List) > 0 {
            return None;
        }
        let at = self.nearest(Kind::List)?;
        self.close_to(at + 1);
        match self.frames.last_mut() {
            Some(Frame::List { items, .. }) => Some(items),
            _ => None,
        }
    }

    /// Enters or leaves the caption of a figure.
    pub(super) fn caption(&mut self, inside: bool) {
        self.boundary();
        if let Some(Frame::Figure { in_caption, .. }) = self.frames.last_mut() {
            *in_caption = inside;
        }
    }

    /// The nearest open container of a kind; the search ends at a table, which only its own tags close.
    fn nearest(&self, kind: Kind) -> Option<usize> {
        for (at, frame) in self.frames.iter().enumerate().rev() {
            let found = match frame {
                Frame::Quote(_) => Kind::Quote,
                Frame::List { .. } => Kind::List,
                Frame::Figure { .. } => Kind::Figure,
                Frame::Table(_) => Kind::Table,
            };
            if found == kind {
                return Some(at);
            }
            if found == Kind::Table {
                break;
            }
        }
        None
    }

    fn refused(&self, kind: Kind) -> usize {
        self.refused.get(kind as usize).copied().unwrap_or(0)
    }

    fn count_refused(&mut self, kind: Kind, count: impl FnOnce(usize) -> usize) {
        if let Some(slot) = self.refused.get_mut(kind as usize) {
            *slot = count(*slot);
        }
    }

    fn close_to(&mut self, depth: usize) {
        while self.frames.len() > depth {
            self.close_top();
        }
    }

    fn close_top(&mut self) {
        if self.in_cell() {
            self.close_cell();
        } else {
            self.flush();
        }
        match self.frames.pop() {
            Some(Frame::Quote(nodes)) if !nodes.is_empty() => self.add(Node::Quote(nodes)),
            Some(Frame::List {
                ordered,
                start,
                mut items,
            }) => {
                items.retain(|item| !item.is_empty());
                if !items.is_empty() {
                    self.add(Node::List { ordered, start, items });
                }
            }
            Some(Frame::Figure { nodes, caption, .. }) => self.add_figure(nodes, &caption.join(" ")),
            Some(Frame::Table(table)) => {
                for node in table.before {
                    self.add(node);
                }
                if let Some(node) = table.grid.finish(&mut self.filling) {
                    self.put(node);
                }
            }
            Some(Frame::Quote(_)) | None => {}
        }
    }

    /// The caption belongs to the picture of the figure, if it has one and no other; else it follows as a paragraph.
    fn add_figure(&mut self, mut nodes: Vec<Node>, caption: &str) {
        let mut images = nodes.iter_mut().filter_map(|node| match node {
            Node::Image(image) => Some(image),
            _ => None,
        });
        let mut caption = line::words(caption);
        if let (Some(only), None) = (images.next(), images.next())
            && caption.is_some()
        {
            only.caption = caption.take();
        }
        for node in nodes {
            self.add(node);
        }
        if let Some(caption) = caption {
            self.line.text(&caption, Style::default(), None, self.han);
            self.flush();
        }
    }

    fn flush(&mut self) {
        if let Some(line) = self.line.take() {
            let runs = runs(line);
            if let Some(Frame::Figure {
                caption,
                in_caption: true,
                ..
            }) = self.frames.last_mut()
            {
                caption.push(runs.into_iter().map(|run| run.text).collect());
            } else if let Some(level) = self.heading {
                let runs = runs.into_iter().map(|mut run| {
                    run.text = run.text.replace("\n\n", "\n");
                    run
                });
                let runs = runs.collect();
                self.put(Node::Heading { level, runs });
            } else {
                for paragraph in paragraphs(runs) {
                    self.put(Node::Paragraph(paragraph));
                }
            }
        }
        self.add_after();
    }

    fn add_after(&mut self) {
        for node in std::mem::take(&mut self.after) {
            self.put(node);
        }
    }

    /// Adds a node that is no container. Where too many lines stand too deep, all containers end before it, for good.
    fn put(&mut self, node: Node) {
        let breaks = |runs: &[Run]| runs.iter().map(|run| run.text.matches('\n').count()).sum();
        let lines: usize = match &node {
            Node::Paragraph(runs) | Node::Heading { runs, .. } => breaks(runs),
            Node::Code { code, .. } => code.matches('\n').count(),
            Node::Table { rows, .. } => rows.len(),
            _ => 0,
        };
        self.indenting = self
            .indenting
            .saturating_sub((lines + 1).saturating_mul(self.frames.len()));
        if self.indenting == 0 {
            self.close_to(0);
        }
        self.add(node);
    }

    fn add(&mut self, node: Node) {
        match self.frames.last_mut() {
            None => self.root.push(node),
            Some(Frame::Quote(nodes) | Frame::Figure { nodes, .. }) => nodes.push(node),
            Some(Frame::List { items, .. }) => match items.last_mut() {
                Some(item) => item.push(node),
                None => items.push(vec![node]),
            },
            Some(Frame::Table(table)) => table.before.push(node),
        }
    }
}
