//! Rows and cells of a table.

use super::{Builder, Frame, Kind, OpenCell};
use crate::text::render::line::one_line;
use crate::text::render::tree::Style;

impl Builder {
    /// Enters or leaves a part of a table, its head or another.
    pub(in super::super) fn table_part(&mut self, head: bool) {
        if self.close_cell()
            && let Some(Frame::Table(table)) = self.frames.last_mut()
        {
            table.grid.head(head, &mut self.filling);
        }
    }

    pub(in super::super) fn row(&mut self, open: bool) {
        if self.close_cell()
            && let Some(Frame::Table(table)) = self.frames.last_mut()
        {
            if open {
                table.grid.start_row(&mut self.filling);
            } else {
                table.grid.end_row(&mut self.filling);
            }
        }
    }

    pub(in super::super) fn open_cell(&mut self, header: bool, across: usize, down: usize) {
        if !self.close_cell() {
            return;
        }
        let cell = OpenCell {
            header,
            across,
            down,
            marks: std::mem::take(&mut self.marks),
            refused: std::mem::take(&mut self.refused),
        };
        self.style = Style::default();
        self.heading = None;
        if let Some(Frame::Table(table)) = self.frames.last_mut() {
            table.cell = Some(cell);
        }
    }

    /// Ends the open cell, if there is one. `false` where no table is open, or the tag belongs to a table in a cell, of which
    /// only lines are left.
    pub(in super::super) fn close_cell(&mut self) -> bool {
        if self.refused(Kind::Table) > 0 || self.code.is_some() {
            self.boundary();
            return false;
        }
        if !self.in_cell() {
            self.flush();
        }
        let Some(at) = self.nearest(Kind::Table) else {
            return false;
        };
        self.close_to(at + 1);
        if let Some(Frame::Table(table)) = self.frames.last_mut()
            && let Some(OpenCell {
                header,
                across,
                down,
                marks,
                refused,
            }) = table.cell.take()
        {
            let line = one_line(self.line.take().unwrap_or_default());
            table.grid.cell(line, header, across, down, &mut self.filling);
            self.marks = marks;
            self.refused = refused;
            self.code_in_cell = 0;
            self.style = Style::default();
            for (count, mark) in self.marks.open.iter().zip(Style::NESTING) {
                if *count > 0 {
                    self.style = self.style.with(mark);
                }
            }
        }
        true
    }

    pub(super) fn in_cell(&self) -> bool {
        matches!(self.frames.last(), Some(Frame::Table(table)) if table.cell.is_some())
    }
}
