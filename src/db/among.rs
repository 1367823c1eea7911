//! `column IN (ids)` as one value, so that the text of a statement does not depend on how many they are, and each connection
//! prepares it once. On SQLite diesel writes a place for each value of `eq_any`, and lets such a statement be prepared each time.

use diesel::backend::Backend;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Text};
use diesel::sqlite::Sqlite;

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

/// What stands around the ids.
trait Lists: Backend {
    fn around(&self) -> (&'static str, &'static str);
}

impl Lists for Pg {
    fn around(&self) -> (&'static str, &'static str) {
        (" = ANY(CAST('{' || ", " || '}' AS bigint[]))")
    }
}

impl Lists for Sqlite {
    fn around(&self) -> (&'static str, &'static str) {
        (" IN (SELECT value FROM json_each('[' || ", " || ']'))")
    }
}

impl Lists for MultiBackend {
    fn around(&self) -> (&'static str, &'static str) {
        match self {
            MultiBackend::Postgres(one) => one.around(),
            MultiBackend::Sqlite(one) => one.around(),
        }
    }
}

impl<C, DB> QueryFragment<DB> for Among<C>
where
    C: QueryFragment<DB>,
    DB: Lists + HasSqlType<Text>,
    String: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let (before, after) = out.backend().around();
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(before);
        out.push_bind_param::<Text, _>(&self.ids)?;
        out.push_sql(after);
        Ok(())
    }
}
