//! Lists by name, which tags and authors share.

use utoipa::IntoParams;

use crate::db::cursor::{Cursor, Scope};
use crate::error::Result;
use crate::web::{FromPairs, Page, Paging, Pairs};

/// What a list by name is asked for.
#[derive(Debug)]
pub struct ByName {
    /// The part.
    pub paging: Paging,
    /// Whether all rows are to be counted.
    pub count: bool,
}

/// The parameters of [`ByName`].
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only described")]
pub struct ByNameParams {
    /// Rows wanted, 20 where absent.
    #[param(example = 20, minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `meta.next_cursor` of the part before.
    #[param(example = "AQIDBAUGBwgBAAAAAAAAAAPlsI_nsbM", pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// `exact` has all rows counted, as `meta.total`.
    #[param(example = "exact", format = "one of exact")]
    count: Option<String>,
}

impl FromPairs for ByName {
    fn from_pairs(pairs: &mut Pairs) -> Self {
        Self {
            paging: Paging::by_cursor(pairs),
            count: pairs.choice("count", &[("exact", true)]).unwrap_or(false),
        }
    }
}

impl ByName {
    /// Name and id of the row after which the part of the list of `table` begins, if it is not the first; 400 for a
    /// cursor of another list.
    pub fn after(&self, table: &str) -> Result<Option<(String, i64)>> {
        let cursor = self.paging.cursor_with_text(&Scope::of([table, "name"]), 1)?;
        Ok(cursor.and_then(|cursor| Some((cursor.text, *cursor.numbers.first()?))))
    }

    /// Rows to read: one more than asked for tells whether more follow.
    pub fn limit(&self) -> i64 {
        self.paging.limit + 1
    }

    /// The part as it is answered; `key` gives name and id of a row.
    pub fn page<T>(
        &self,
        table: &str,
        rows: Vec<T>,
        total: Option<i64>,
        request: &str,
        key: impl FnOnce(&T) -> (String, i64),
    ) -> Page<T> {
        Page::part(rows, &self.paging, total, request, |row| {
            let (text, id) = key(row);
            let cursor = Cursor {
                numbers: vec![id],
                text,
            };
            cursor.encode(&Scope::of([table, "name"]))
        })
    }
}
