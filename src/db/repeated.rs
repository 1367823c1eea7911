//! Statements that stay prepared.

use diesel::backend::Backend;
use diesel::connection::Connection;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};

/// A statement that has the same text each time. diesel takes a query by text to be another one each time, so that PostgreSQL
/// parses and plans it anew; this one is prepared once a connection.
pub struct Repeated<V> {
    /// What stands before the values.
    pub head: &'static str,
    /// The values.
    pub values: V,
    /// What stands behind them.
    pub tail: &'static str,
}

impl<DB: Backend, V: QueryFragment<DB>> QueryFragment<DB> for Repeated<V> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.head);
        self.values.walk_ast(out.reborrow())?;
        out.push_sql(self.tail);
        Ok(())
    }
}

// Its text tells it apart.
impl<V> QueryId for Repeated<V> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<V, C: Connection> RunQueryDsl<C> for Repeated<V> {}
