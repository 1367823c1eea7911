//! The index on PostgreSQL: a narrow table with a `tsvector` without positions, in parts. What was edited lately is in a
//! part without an index over the lexemes, that searches read whole; see [`put_edit`].

mod put;

use std::borrow::Cow;

use diesel::connection::SimpleConnection;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};

use self::put::{Place, Put, Rewrite};
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

/// How many entries wait without an index, at most: each costs a search some 25 microseconds.
const FRESH: i64 = 256;

/// How long an entry must have been left alone to be moved to the index, in microseconds.
const LEFT_ALONE: i64 = 30_000_000;

/// How many entries one transaction moves, so that nobody waits long for one of their articles.
const MOVED: i64 = 50;

/// Whether one more entry may wait without an index. Unlike a query by text, it is prepared once a connection.
struct HasRoom;

impl QueryFragment<Pg> for HasRoom {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT count(*) < ");
        out.push_bind_param::<BigInt, _>(&FRESH)?;
        out.push_sql(" FROM article_hits WHERE fresh");
        Ok(())
    }
}

impl QueryId for HasRoom {
    type QueryId = Self;
}

impl Query for HasRoom {
    type SqlType = Bool;
}

impl RunQueryDsl<PgConnection> for HasRoom {}

/// Writes the entry of an article that was edited, and so will be edited again soon: without its thousands of lexemes going
/// into the index each time, as long as there are few such entries. Whoever writes an entry holds its article, so that it is
/// never in two parts.
pub(super) fn put_edit(conn: &mut PgConnection, entry: &Entry<'_>, stamp: i64) -> QueryResult<()> {
    let put = Put::new(Place::Fresh, entry, stamp);
    // This names the whole table, and so holds it for what follows; see `enter`.
    if Rewrite(&put).execute(conn)? > 0 {
        return Ok(());
    }
    let place = if HasRoom.get_result(conn)? {
        Place::Fresh
    } else {
        Place::Indexed
    };
    put.at(place).execute(conn)?;
    Ok(())
}

/// To be called before a statement that names a part of the table: a rebuild holds the whole first, and each would wait for
/// the other.
fn enter(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute("LOCK TABLE ONLY article_hits IN ROW EXCLUSIVE MODE")
}

/// Writes an entry into the index.
pub(super) fn put(conn: &mut PgConnection, entry: &Entry<'_>, stamp: i64) -> QueryResult<()> {
    enter(conn)?;
    Put::new(Place::Indexed, entry, stamp).execute(conn)?;
    Ok(())
}

/// Writes an entry into the index that a rebuild fills.
pub(super) fn put_new(conn: &mut PgConnection, entry: &Entry<'_>, stamp: i64) -> QueryResult<()> {
    Put::new(Place::New, entry, stamp).execute(conn)?;
    Ok(())
}

/// Whether an entry was left alone.
pub(super) fn is_unsettled(conn: &mut PgConnection, now: i64) -> QueryResult<bool> {
    let row: Has = diesel::sql_query("SELECT EXISTS (SELECT 1 FROM article_hits WHERE fresh AND stamp < $1) AS has")
        .bind::<BigInt, _>(now - LEFT_ALONE)
        .get_result(conn)?;
    Ok(row.has)
}

/// Moves entries that were left alone to the index; whether there may be more. An article that somebody holds is edited just
/// now.
pub(super) fn settle(conn: &mut PgConnection, now: i64) -> QueryResult<bool> {
    enter(conn)?;
    let moved = diesel::sql_query(
        "WITH due AS (SELECT article_id FROM article_hits WHERE fresh AND stamp < $1 ORDER BY stamp LIMIT $2),
         held AS (SELECT id FROM articles WHERE id IN (SELECT article_id FROM due) FOR NO KEY UPDATE SKIP LOCKED),
         moved AS (DELETE FROM article_hits WHERE fresh AND article_id IN (SELECT id FROM held) RETURNING *)
         INSERT INTO article_hits_indexed
         (article_id, state, listed_at, category_id, locale, featured, tags, authors, stamp, lexemes, fresh)
         SELECT article_id, state, listed_at, category_id, locale, featured, tags, authors, stamp, lexemes, false FROM moved",
    )
    .bind::<BigInt, _>(now - LEFT_ALONE)
    .bind::<BigInt, _>(MOVED)
    .execute(conn)?;
    Ok(i64::try_from(moved).is_ok_and(|moved| moved == MOVED))
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

/// See [`behind`](super::rebuild::behind).
pub(super) const BEHIND: &str = "
    SELECT articles.id AS id, coalesce(live.stamp, -1) AS stamp FROM articles
    LEFT JOIN article_hits AS live ON live.article_id = articles.id
    LEFT JOIN article_hits_new AS fresh ON fresh.article_id = articles.id
    WHERE articles.id > $1 AND (fresh.article_id IS NULL OR fresh.stamp <> coalesce(live.stamp, -1))
    ORDER BY articles.id LIMIT $2";

/// The settings of the parts are those of the migrations, which give the reasons.
pub(super) fn begin(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute(
        "DROP TABLE IF EXISTS article_hits_new;
         CREATE TABLE article_hits_new (LIKE article_hits INCLUDING DEFAULTS) PARTITION BY LIST (fresh);
         CREATE TABLE article_hits_new_indexed PARTITION OF article_hits_new (PRIMARY KEY (article_id))
           FOR VALUES IN (false) PARTITION BY HASH (article_id);
         CREATE TABLE article_hits_new_0 PARTITION OF article_hits_new_indexed FOR VALUES WITH (MODULUS 2, REMAINDER 0)
           WITH (toast_tuple_target = 128, autovacuum_analyze_scale_factor = 0.2);
         CREATE TABLE article_hits_new_1 PARTITION OF article_hits_new_indexed FOR VALUES WITH (MODULUS 2, REMAINDER 1)
           WITH (toast_tuple_target = 128, autovacuum_analyze_scale_factor = 0.2);
         CREATE TABLE article_hits_new_fresh PARTITION OF article_hits_new (PRIMARY KEY (article_id))
           FOR VALUES IN (true) WITH (toast_tuple_target = 128, toast.vacuum_truncate = false);
         ALTER TABLE article_hits_new_fresh
           ALTER COLUMN lexemes SET STORAGE EXTERNAL, ALTER COLUMN lexemes SET STATISTICS 0;",
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
         CREATE INDEX article_hits_new_indexed_lexemes ON article_hits_new_indexed USING GIN (lexemes);
         DROP TABLE article_hits;
         ALTER TABLE article_hits_new RENAME TO article_hits;
         ALTER TABLE article_hits_new_indexed RENAME TO article_hits_indexed;
         ALTER INDEX article_hits_new_indexed_pkey RENAME TO article_hits_indexed_pkey;
         ALTER INDEX article_hits_new_indexed_lexemes RENAME TO article_hits_indexed_lexemes;
         ALTER TABLE article_hits_new_fresh RENAME TO article_hits_fresh;
         ALTER INDEX article_hits_new_fresh_pkey RENAME TO article_hits_fresh_pkey;
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

/// Sorts in what writers have only appended, so that searches need not read it. Where another instance is doing it, there is
/// nothing to do, and no connection waits for its end.
pub(super) fn tidy(conn: &mut PgConnection) -> QueryResult<()> {
    conn.batch_execute(
        "SELECT CASE WHEN pg_try_advisory_xact_lock(hashtext('tidy')) THEN
           gin_clean_pending_list('article_hits_0_lexemes'::regclass)
           + gin_clean_pending_list('article_hits_1_lexemes'::regclass)
         END",
    )
}
