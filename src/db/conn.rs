//! The connection to either database.
#![expect(missing_docs, reason = "what the derive generates has none")]

use diesel::{PgConnection, SqliteConnection};

/// A connection to either database. Queries written against it run on both.
#[derive(diesel::MultiConnection)]
pub enum DbConn {
    /// PostgreSQL.
    Postgres(PgConnection),
    /// SQLite.
    Sqlite(SqliteConnection),
}
