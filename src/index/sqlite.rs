//! The index on SQLite: an FTS5 table without content and positions.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

/// A condition on `articles`, around the expression.
pub(super) const CONDITION: (&str, &str) = (
    "articles.id IN (SELECT rowid FROM article_index WHERE article_index MATCH ",
    ")",
);

/// Deletes first: inserting a row that is there already would leave stale entries in such a table.
pub(super) fn put(conn: &mut SqliteConnection, id: i64, lexemes: &[String]) -> QueryResult<()> {
    remove(conn, id)?;
    diesel::sql_query("INSERT INTO article_index (rowid, lexemes) VALUES ($1, $2)")
        .bind::<BigInt, _>(id)
        .bind::<Text, _>(lexemes.join(" "))
        .execute(conn)?;
    Ok(())
}

pub(super) fn remove(conn: &mut SqliteConnection, id: i64) -> QueryResult<()> {
    diesel::sql_query("DELETE FROM article_index WHERE rowid = $1")
        .bind::<BigInt, _>(id)
        .execute(conn)?;
    Ok(())
}
