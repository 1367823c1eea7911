//! The index on PostgreSQL: a narrow table with a `tsvector` without positions.

use std::borrow::Cow;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};

use super::{Entry, Facts, ids_text};

/// What is searched.
pub(super) const LIVE: &str = "article_hits";

/// A condition on `articles`, around the expression.
pub(super) const AMONG_ARTICLES: (&str, &str) = (
    "articles.id IN (SELECT article_id FROM article_hits WHERE lexemes @@ ",
    "::tsquery)",
);

/// A condition on `article_hits`, around the expression.
pub(super) const AMONG_HITS: (&str, &str) = ("article_hits.lexemes @@ ", "::tsquery");

pub(super) fn put(conn: &mut PgConnection, table: &str, entry: &Entry<'_>, stamp: i64) -> QueryResult<()> {
    let Facts {
        state,
        listed_at,
        category_id,
        locale,
        featured,
        tags,
        authors,
    } = entry.facts;
    diesel::sql_query(format!(
        "INSERT INTO {table} (article_id, state, listed_at, category_id, locale, featured, tags, authors, stamp, lexemes)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, array_to_tsvector($10))
         ON CONFLICT (article_id) DO UPDATE SET
         state = excluded.state, listed_at = excluded.listed_at, category_id = excluded.category_id,
         locale = excluded.locale, featured = excluded.featured, tags = excluded.tags, authors = excluded.authors,
         stamp = excluded.stamp, lexemes = excluded.lexemes"
    ))
    .bind::<BigInt, _>(entry.id)
    .bind::<Text, _>(state)
    .bind::<BigInt, _>(listed_at.micros())
    .bind::<Nullable<BigInt>, _>(category_id)
    .bind::<Text, _>(locale)
    .bind::<Bool, _>(featured)
    .bind::<Text, _>(ids_text(tags))
    .bind::<Text, _>(ids_text(authors))
    .bind::<BigInt, _>(stamp)
    .bind::<Array<Text>, _>(entry.lexemes())
    .execute(conn)?;
    Ok(())
}

/// Leaves the lexemes untouched, and so the index over them.
pub(super) fn put_facts(conn: &mut PgConnection, id: i64, facts: &Facts<'_>, stamp: i64) -> QueryResult<()> {
    diesel::sql_query(
        "UPDATE article_hits SET state = $2, listed_at = $3, category_id = $4, locale = $5, featured = $6, tags = $7,
         authors = $8, stamp = $9 WHERE article_id = $1",
    )
    .bind::<BigInt, _>(id)
    .bind::<Text, _>(facts.state)
    .bind::<BigInt, _>(facts.listed_at.micros())
    .bind::<Nullable<BigInt>, _>(facts.category_id)
    .bind::<Text, _>(facts.locale)
    .bind::<Bool, _>(facts.featured)
    .bind::<Text, _>(ids_text(facts.tags))
    .bind::<Text, _>(ids_text(facts.authors))
    .bind::<BigInt, _>(stamp)
    .execute(conn)?;
    Ok(())
}

pub(super) fn remove(conn: &mut PgConnection, table: &str, id: i64) -> QueryResult<()> {
    diesel::sql_query(format!("DELETE FROM {table} WHERE article_id = $1"))
        .bind::<BigInt, _>(id)
        .execute(conn)?;
    Ok(())
}

/// LOCK alone takes no snapshot, so what is read later is of after it.
pub(super) fn open(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute("LOCK TABLE article_hits IN ACCESS SHARE MODE; SET LOCAL enable_seqscan = off")
}

/// What a rebuild fills.
pub(super) const NEW: &str = "article_hits_new";

/// See [`behind`](super::rebuild::behind).
pub(super) const BEHIND: &str = "
    SELECT articles.id AS id, coalesce(live.stamp, -1) AS stamp FROM articles
    LEFT JOIN article_hits AS live ON live.article_id = articles.id
    LEFT JOIN article_hits_new AS fresh ON fresh.article_id = articles.id
    WHERE articles.id > $1 AND (fresh.article_id IS NULL OR fresh.stamp <> coalesce(live.stamp, -1))
    ORDER BY articles.id LIMIT $2";

pub(super) fn begin(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute(
        "DROP TABLE IF EXISTS article_hits_new;
         CREATE TABLE article_hits_new (LIKE article_hits INCLUDING CONSTRAINTS INCLUDING STORAGE)
           PARTITION BY HASH (article_id);
         CREATE TABLE article_hits_new_0 PARTITION OF article_hits_new FOR VALUES WITH (MODULUS 2, REMAINDER 0)
           WITH (toast_tuple_target = 128);
         CREATE TABLE article_hits_new_1 PARTITION OF article_hits_new FOR VALUES WITH (MODULUS 2, REMAINDER 1)
           WITH (toast_tuple_target = 128);
         ALTER TABLE article_hits_new ADD CONSTRAINT article_hits_new_pkey PRIMARY KEY (article_id);",
    )
}

/// Makes the index over the lexemes of one part, which in one go takes a fraction of what it takes row by row.
pub(super) fn finish(conn: &mut PgConnection, part: usize) -> QueryResult<bool> {
    conn.batch_execute(&format!(
        "SET LOCAL statement_timeout = 0; SET LOCAL maintenance_work_mem = '512MB';
         CREATE INDEX IF NOT EXISTS article_hits_new_{part}_lexemes ON article_hits_new_{part} USING GIN (lexemes)
           WITH (fastupdate = on, gin_pending_list_limit = 16384);
         ANALYZE article_hits_new_{part};"
    ))?;
    Ok(false)
}

pub(super) fn hold(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute(
        "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '2s';
         LOCK TABLE article_hits IN SHARE ROW EXCLUSIVE MODE",
    )
}

pub(super) fn swap(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute(
        "DELETE FROM article_hits_new WHERE NOT EXISTS (SELECT 1 FROM articles WHERE id = article_id);
         CREATE INDEX article_hits_new_lexemes ON article_hits_new USING GIN (lexemes);
         DROP TABLE article_hits;
         ALTER TABLE article_hits_new RENAME TO article_hits;
         ALTER INDEX article_hits_new_pkey RENAME TO article_hits_pkey;
         ALTER INDEX article_hits_new_lexemes RENAME TO article_hits_lexemes;
         ALTER TABLE article_hits_new_0 RENAME TO article_hits_0;
         ALTER INDEX article_hits_new_0_pkey RENAME TO article_hits_0_pkey;
         ALTER INDEX article_hits_new_0_lexemes RENAME TO article_hits_0_lexemes;
         ALTER TABLE article_hits_new_1 RENAME TO article_hits_1;
         ALTER INDEX article_hits_new_1_pkey RENAME TO article_hits_1_pkey;
         ALTER INDEX article_hits_new_1_lexemes RENAME TO article_hits_1_lexemes;",
    )
}

#[derive(QueryableByName)]
struct Has {
    #[diesel(sql_type = Bool)]
    has: bool,
}

/// Whether an article has exactly these lexemes.
pub(super) fn has(conn: &mut PgConnection, id: i64, lexemes: &[Cow<'_, str>]) -> QueryResult<bool> {
    let row: Has = diesel::sql_query(
        "SELECT EXISTS (
           SELECT 1 FROM article_hits WHERE article_id = $1 AND lexemes = array_to_tsvector($2)
         ) AS has",
    )
    .bind::<BigInt, _>(id)
    .bind::<Array<Text>, _>(lexemes)
    .get_result(conn)?;
    Ok(row.has)
}

/// Sorts in what writers have only appended, so that searches need not read it.
pub(super) fn tidy(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute(
        "SELECT gin_clean_pending_list('article_hits_0_lexemes'::regclass);
         SELECT gin_clean_pending_list('article_hits_1_lexemes'::regclass);",
    )
}
