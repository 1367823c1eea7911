//! `column IN (ids)` as one value, so that the text of a statement does not depend on how many they are, and each connection
//! prepares it once. On SQLite diesel writes a place for each value of `eq_any`, and lets such a statement be prepared each time.

use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Text};

use super::MultiBackend;

/// The condition that a column has one of these values.
#[derive(Debug, Clone, QueryId, ValidGrouping)]
pub struct Among<C> {
    column: C,
    /// Separated by commas.
    ids: String,
}

/// Whether a column has one of these values.
pub fn among<C: Expression<SqlType = BigInt>>(column: C, ids: &[i64]) -> Among<C> {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    Among {
        column,
        ids: ids.join(","),
    }
}

impl<C> Expression for Among<C> {
    type SqlType = Bool;
}

impl<C: AppearsOnTable<Source>, Source> AppearsOnTable<Source> for Among<C> {}

impl<C: SelectableExpression<Source>, Source> SelectableExpression<Source> for Among<C> {}

impl<C: QueryFragment<MultiBackend>> QueryFragment<MultiBackend> for Among<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, MultiBackend>) -> QueryResult<()> {
        let (before, after) = match out.backend() {
            MultiBackend::Postgres(_) => (" = ANY(CAST('{' || ", " || '}' AS bigint[]))"),
            MultiBackend::Sqlite(_) => (" IN (SELECT value FROM json_each('[' || ", " || ']'))"),
        };
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(before);
        out.push_bind_param::<Text, _>(&self.ids)?;
        out.push_sql(after);
        Ok(())
    }
}
