//! A table as it is read: rows and cells set to one grid.

use super::tree::{Cell, Node};

/// How many cells may be added to fill the grid of one article: without a bound `rowspan` could make a small source huge.
pub(super) const FILLING: usize = 10_000;

/// Largest number of columns and rows that one cell may span.
const MAX_SPAN: usize = 1_000;

#[derive(Debug, Default)]
pub(super) struct Grid {
    header: Option<Vec<Cell>>,
    rows: Vec<Vec<Cell>>,
    row: Option<Row>,
    /// For each column, how many of the coming rows are taken by a cell from above.
    taken: Vec<usize>,
    in_head: bool,
}

#[derive(Debug, Default)]
struct Row {
    cells: Vec<Cell>,
    /// Whether a cell that is no header cell is among them.
    data: bool,
}

impl Grid {
    /// Enters or leaves the head of the table.
    pub(super) fn head(&mut self, inside: bool, filling: &mut usize) {
        self.end_row(filling);
        self.in_head = inside;
    }

    pub(super) fn start_row(&mut self, filling: &mut usize) {
        self.end_row(filling);
        self.row = Some(Row::default());
    }

    /// Adds a cell to the row at hand.
    pub(super) fn cell(&mut self, cell: Cell, header: bool, across: usize, down: usize, filling: &mut usize) {
        let row = self.row.get_or_insert_default();
        row.data |= !header;
        fill_taken(row, &mut self.taken, filling);
        let column = row.cells.len();
        row.cells.push(cell);
        for _ in 1..across.min(MAX_SPAN) {
            if !spend(filling) {
                break;
            }
            row.cells.push(Cell::new());
        }
        if down > 1 {
            self.taken.resize(self.taken.len().max(row.cells.len()), 0);
            for taken in self.taken.iter_mut().take(row.cells.len()).skip(column) {
                *taken = down.min(MAX_SPAN);
            }
        }
    }

    pub(super) fn end_row(&mut self, filling: &mut usize) {
        let Some(mut row) = self.row.take() else {
            return;
        };
        fill_taken(&mut row, &mut self.taken, filling);
        for taken in &mut self.taken {
            *taken = taken.saturating_sub(1);
        }
        while self.taken.last() == Some(&0) {
            self.taken.pop();
        }
        let first = self.header.is_none() && self.rows.is_empty();
        if first && !row.cells.is_empty() && (self.in_head || !row.data) {
            self.header = Some(row.cells);
        } else if row.cells.iter().any(|cell| !cell.is_empty()) {
            self.rows.push(row.cells);
        }
    }

    /// The table; `None` where no cell has anything in it.
    pub(super) fn finish(mut self, filling: &mut usize) -> Option<Node> {
        self.end_row(filling);
        let mut header = self.header.filter(|cells| cells.iter().any(|cell| !cell.is_empty()));
        let columns = header.iter().chain(&self.rows).map(Vec::len).max()?;
        for cells in header.iter_mut().chain(&mut self.rows) {
            while cells.len() < columns && spend(filling) {
                cells.push(Cell::new());
            }
        }
        Some(Node::Table {
            header,
            rows: self.rows,
        })
    }
}

fn fill_taken(row: &mut Row, taken: &mut [usize], filling: &mut usize) {
    while taken.get(row.cells.len()).is_some_and(|&rows| rows > 0) && spend(filling) {
        row.cells.push(Cell::new());
    }
}

fn spend(filling: &mut usize) -> bool {
    let left = filling.checked_sub(1);
    *filling = left.unwrap_or(0);
    left.is_some()
}
