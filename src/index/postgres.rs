//! The index on PostgreSQL: a narrow table with a `tsvector` without positions.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Text};

/// A condition on `articles`, around the expression.
pub(super) const CONDITION: (&str, &str) = (
    "articles.id IN (SELECT article_id FROM article_index WHERE lexemes @@ ",
    "::tsquery)",
);

pub(super) fn put(conn: &mut PgConnection, id: i64, lexemes: &[String]) -> QueryResult<()> {
    diesel::sql_query(
        "INSERT INTO article_index (article_id, lexemes) VALUES ($1, array_to_tsvector($2))
         ON CONFLICT (article_id) DO UPDATE SET lexemes = excluded.lexemes",
    )
    .bind::<BigInt, _>(id)
    .bind::<Array<Text>, _>(lexemes)
    .execute(conn)?;
    Ok(())
}

pub(super) fn remove(conn: &mut PgConnection, id: i64) -> QueryResult<()> {
    diesel::sql_query("DELETE FROM article_index WHERE article_id = $1")
        .bind::<BigInt, _>(id)
        .execute(conn)?;
    Ok(())
}

pub(super) fn prefer_index(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute("SET LOCAL enable_seqscan = off")
}
