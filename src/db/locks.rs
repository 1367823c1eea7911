//! What a transaction holds against others until its commit. SQLite has one writer and needs none of it.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Integer, Text};

use super::{DbConn, Tx};

#[diesel::declare_sql_function]
extern "SQL" {
    fn hashtext(name: Text) -> Integer;
    // Both answer nothing, which nobody reads.
    fn pg_advisory_xact_lock(key: Integer) -> Integer;
    fn pg_advisory_xact_lock_shared(key: Integer) -> Integer;
}

impl Tx<'_> {
    /// Holds one row against other writers until the commit.
    /// `table` is a name from this source, never input.
    pub fn lock_row(&mut self, table: &'static str, id: i64) -> QueryResult<()> {
        if let DbConn::Postgres(conn) = self.conn {
            let strength = "FOR UPDATE";
            LockRow { table, id, strength }.execute(conn)?;
        }
        Ok(())
    }

    /// The same, but what refers to the row may be written meanwhile: who counts views of an article does not wait until an
    /// edit of it ends, but for the last step of one that hides it.
    pub fn lock_row_to_edit(&mut self, table: &'static str, id: i64) -> QueryResult<()> {
        if let DbConn::Postgres(conn) = self.conn {
            let strength = "FOR NO KEY UPDATE";
            LockRow { table, id, strength }.execute(conn)?;
        }
        Ok(())
    }

    /// Keeps rows from being deleted until the commit, so that a reference to one that is found then can be written.
    /// `table` is a name from this source, never input.
    pub fn hold_rows(&mut self, table: &'static str, ids: &[i64]) -> QueryResult<()> {
        if let DbConn::Postgres(conn) = self.conn
            && !ids.is_empty()
        {
            // In one order, so that two that hold the same rows do not wait for each other.
            diesel::sql_query(format!(
                "SELECT 1 FROM {table} WHERE id = ANY($1) ORDER BY id FOR KEY SHARE"
            ))
            .bind::<Array<BigInt>, _>(ids)
            .execute(conn)?;
        }
        Ok(())
    }

    /// Lets one transaction at a time do what the name says, across instances, until the commit.
    pub fn lock_name(&mut self, name: &'static str) -> QueryResult<()> {
        if let DbConn::Postgres(conn) = self.conn {
            diesel::select(pg_advisory_xact_lock(hashtext(name))).execute(conn)?;
        }
        Ok(())
    }

    /// The same, but beside others that share the name; who has it by [`Tx::lock_name`] has it alone. Costs nothing where the
    /// transaction has shared it from its beginning on.
    pub fn share_name(&mut self, name: &'static str) -> QueryResult<()> {
        if self.shared == Some(name) {
            return Ok(());
        }
        if let DbConn::Postgres(conn) = self.conn {
            diesel::select(pg_advisory_xact_lock_shared(hashtext(name))).execute(conn)?;
        }
        Ok(())
    }
}

/// Locks a row. Unlike a query by text, it is prepared once a connection.
struct LockRow {
    table: &'static str,
    id: i64,
    strength: &'static str,
}

impl QueryFragment<Pg> for LockRow {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT 1 FROM ");
        out.push_sql(self.table);
        out.push_sql(" WHERE id = ");
        out.push_bind_param::<BigInt, _>(&self.id)?;
        out.push_sql(" ");
        out.push_sql(self.strength);
        Ok(())
    }
}

impl QueryId for LockRow {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl RunQueryDsl<PgConnection> for LockRow {}
