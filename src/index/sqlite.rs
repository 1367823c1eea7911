//! The index on SQLite: an FTS5 table without content and positions, and a narrow table beside it. What was edited lately
//! waits in a third, that searches read whole; see [`put_edit`].

use std::collections::HashMap;

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::audit::digest_of;
use super::{Entry, Facts, ids_text};

/// The tables of one index.
#[derive(Clone, Copy)]
pub(super) struct Tables {
    lexemes: &'static str,
    /// What was edited lately, in no index.
    fresh: Option<&'static str>,
    pub(super) facts: &'static str,
}

/// What is searched.
pub(super) const LIVE: Tables = Tables {
    lexemes: "article_index",
    fresh: Some("article_fresh"),
    facts: "article_facts",
};

/// A condition on `articles`, around the expression.
pub(super) const AMONG_ARTICLES: (&str, &str) = ("articles.id IN (WITH asked (what) AS (SELECT ", FOUND);

/// A condition on `article_hits`, around the expression.
pub(super) const AMONG_HITS: (&str, &str) = ("article_hits.article_id IN (WITH asked (what) AS (SELECT ", FOUND);

/// `CROSS JOIN`, so that what is asked comes first: the index answers nothing without it.
const FOUND: &str = ")
    SELECT article_index.rowid FROM asked CROSS JOIN article_index WHERE article_index MATCH what
    UNION ALL
    SELECT article_id FROM asked CROSS JOIN article_fresh WHERE lexemes_say(lexemes, what))";

/// How many entries wait beside the index, at most: each costs a search some 20 microseconds.
const FRESH: i64 = 128;

/// How many bytes of lexemes an entry has that waits, at most, some 12,000 characters of text: searches read them all.
const WAITING: usize = 64 << 10;

/// How long an entry must have been left alone to be moved into the index, in microseconds.
const LEFT_ALONE: i64 = 30_000_000;

/// How many entries one transaction moves, which takes some milliseconds for each: others wait to write.
const MOVED: i64 = 4;

#[derive(QueryableByName)]
struct HasRoom {
    #[diesel(sql_type = Bool)]
    has_room: bool,
}

/// Writes the entry of an article that was edited, and so will be edited again soon: without its thousands of lexemes going
/// into the index each time, as long as there are few such entries and this one is not long.
pub(super) fn put_edit(conn: &mut SqliteConnection, entry: &Entry<'_>, stamp: i64) -> QueryResult<()> {
    let mut lexemes = entry.lexemes();
    // Most are in order, which this sort notices.
    lexemes.sort();
    let lexemes = lexemes.join(" ");
    if !wait(conn, entry.id, &lexemes, stamp)? {
        put_lexemes(conn, LIVE, entry.id, &lexemes)?;
    }
    put_facts(conn, LIVE, entry.id, &entry.facts, stamp)
}

/// Lets lexemes wait beside the index, in place of what was there and in the index; not where they are many or there are many
/// that wait.
fn wait(conn: &mut SqliteConnection, id: i64, lexemes: &str, stamp: i64) -> QueryResult<bool> {
    if lexemes.len() > WAITING {
        return Ok(false);
    }
    let rewritten = diesel::sql_query("UPDATE article_fresh SET stamp = ?, lexemes = ? WHERE article_id = ?")
        .bind::<BigInt, _>(stamp)
        .bind::<Text, _>(lexemes)
        .bind::<BigInt, _>(id)
        .execute(conn)?;
    if rewritten == 0 {
        let HasRoom { has_room } = diesel::sql_query("SELECT count(*) < ? AS has_room FROM article_fresh")
            .bind::<BigInt, _>(FRESH)
            .get_result(conn)?;
        if !has_room {
            return Ok(false);
        }
        remove_lexemes(conn, LIVE, id)?;
        diesel::sql_query("INSERT INTO article_fresh (article_id, stamp, lexemes) VALUES (?, ?, ?)")
            .bind::<BigInt, _>(id)
            .bind::<BigInt, _>(stamp)
            .bind::<Text, _>(lexemes)
            .execute(conn)?;
    }
    Ok(true)
}

/// Moves entries that were left alone into the index; whether there may be more.
pub(super) fn settle(conn: &mut SqliteConnection, now: i64) -> QueryResult<bool> {
    let due = due(conn, now)?;
    for FreshEntry { article_id, lexemes } in &due {
        put_lexemes(conn, LIVE, *article_id, lexemes)?;
    }
    Ok(i64::try_from(due.len()).is_ok_and(|moved| moved == MOVED))
}

/// An entry that waits.
#[derive(QueryableByName)]
pub(super) struct FreshEntry {
    #[diesel(sql_type = BigInt)]
    article_id: i64,
    #[diesel(sql_type = Text)]
    lexemes: String,
}

/// Some of the entries that were left alone.
pub(super) fn due(conn: &mut SqliteConnection, now: i64) -> QueryResult<Vec<FreshEntry>> {
    diesel::sql_query("SELECT article_id, lexemes FROM article_fresh WHERE stamp < ? ORDER BY stamp LIMIT ?")
        .bind::<BigInt, _>(now - LEFT_ALONE)
        .bind::<BigInt, _>(MOVED)
        .load(conn)
}

pub(super) fn put(conn: &mut SqliteConnection, tables: Tables, entry: &Entry<'_>, stamp: i64) -> QueryResult<()> {
    put_lexemes(conn, tables, entry.id, &entry.lexemes().join(" "))?;
    put_facts(conn, tables, entry.id, &entry.facts, stamp)
}

/// Deletes first: inserting a row that is there already would leave stale entries in such a table.
fn put_lexemes(conn: &mut SqliteConnection, tables: Tables, id: i64, lexemes: &str) -> QueryResult<()> {
    remove_lexemes(conn, tables, id)?;
    let index = tables.lexemes;
    diesel::sql_query(format!("INSERT INTO {index} (rowid, lexemes) VALUES (?, ?)"))
        .bind::<BigInt, _>(id)
        .bind::<Text, _>(lexemes)
        .execute(conn)?;
    Ok(())
}

pub(super) fn put_facts(
    conn: &mut SqliteConnection,
    tables: Tables,
    id: i64,
    facts: &Facts<'_>,
    stamp: i64,
) -> QueryResult<()> {
    let table = tables.facts;
    diesel::sql_query(format!(
        "INSERT OR REPLACE INTO {table}
         (article_id, state, listed_at, category_id, locale, featured, tags, authors, stamp)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    ))
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

pub(super) fn remove(conn: &mut SqliteConnection, tables: Tables, id: i64) -> QueryResult<()> {
    remove_lexemes(conn, tables, id)?;
    remove_from(conn, tables.facts, "article_id", id)
}

fn remove_lexemes(conn: &mut SqliteConnection, tables: Tables, id: i64) -> QueryResult<()> {
    if let Some(fresh) = tables.fresh {
        remove_from(conn, fresh, "article_id", id)?;
    }
    remove_from(conn, tables.lexemes, "rowid", id)
}

fn remove_from(conn: &mut SqliteConnection, table: &str, key: &str, id: i64) -> QueryResult<()> {
    diesel::sql_query(format!("DELETE FROM {table} WHERE {key} = ?"))
        .bind::<BigInt, _>(id)
        .execute(conn)?;
    Ok(())
}

/// What a rebuild fills.
pub(super) const NEW: Tables = Tables {
    lexemes: "article_index_new",
    fresh: None,
    facts: "article_facts_new",
};

/// See [`behind`](super::rebuild::behind).
pub(super) const BEHIND: &str = "
    SELECT articles.id AS id, coalesce(live.stamp, -1) AS stamp FROM articles
    LEFT JOIN article_facts AS live ON live.article_id = articles.id
    LEFT JOIN article_facts_new AS fresh ON fresh.article_id = articles.id
    WHERE articles.id > ? AND (fresh.article_id IS NULL OR fresh.stamp <> coalesce(live.stamp, -1))
    ORDER BY articles.id LIMIT ?";

/// Bytes of lexemes that FTS5 gathers before it writes them out: with its own 1 MB a rebuild takes three times as long.
const GATHERED: i64 = 64 << 20;

/// How many pages of the index one step of merging may write.
const MERGED: i64 = 2_000;

/// How many segments of one size make a larger one. An article is a segment at first: with FTS5's own 4 two thirds of a write
/// go into writing older ones anew.
const MERGED_AT: i64 = 16;

/// At how many segments of one size all are merged at once, which keeps a writer waiting: it must not come before the other.
const CROWDED: i64 = 64;

pub(super) fn begin(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute(&format!(
        "DROP TABLE IF EXISTS article_index_new; DROP TABLE IF EXISTS article_facts_new;
         CREATE VIRTUAL TABLE article_index_new USING fts5 (
           lexemes, content = '', contentless_delete = 1, detail = none, tokenize = \"ascii tokenchars '+#_'\"
         );
         INSERT INTO article_index_new (article_index_new, rank) VALUES ('hashsize', {GATHERED});
         INSERT INTO article_index_new (article_index_new, rank) VALUES ('automerge', {MERGED_AT});
         INSERT INTO article_index_new (article_index_new, rank) VALUES ('crisismerge', {CROWDED});
         CREATE TABLE article_facts_new (
           article_id INTEGER PRIMARY KEY,
           state TEXT NOT NULL,
           listed_at BIGINT NOT NULL,
           category_id BIGINT,
           locale TEXT NOT NULL,
           featured BOOLEAN NOT NULL,
           tags TEXT NOT NULL,
           authors TEXT NOT NULL,
           stamp BIGINT NOT NULL
         );"
    ))
}

/// One step of merging the segments that the index was written in.
pub(super) fn finish(conn: &mut SqliteConnection) -> QueryResult<bool> {
    let changes = |conn: &mut SqliteConnection| {
        diesel::select(diesel::dsl::sql::<BigInt>("total_changes()")).get_result::<i64>(conn)
    };
    let before = changes(conn)?;
    conn.batch_execute(&format!(
        "INSERT INTO article_index_new (article_index_new, rank) VALUES ('merge', {MERGED})"
    ))?;
    // By FTS5's documentation fewer than two changes mean that there was nothing to merge.
    Ok(changes(conn)? - before >= 2)
}

pub(super) fn swap(conn: &mut SqliteConnection) -> QueryResult<()> {
    // First what was removed meanwhile.
    conn.batch_execute(
        "DELETE FROM article_facts_new WHERE article_id NOT IN (SELECT id FROM articles);
         DELETE FROM article_index_new WHERE rowid IN (SELECT id FROM article_index_new_docsize
           WHERE id NOT IN (SELECT article_id FROM article_facts_new));
         INSERT INTO article_index_new (article_index_new, rank) VALUES ('hashsize', 1048576);
         DELETE FROM article_fresh;
         DROP VIEW article_hits;
         DROP TABLE article_index;
         DROP TABLE article_facts;
         ALTER TABLE article_index_new RENAME TO article_index;
         ALTER TABLE article_facts_new RENAME TO article_facts;
         CREATE VIEW article_hits AS
         SELECT article_id, state, listed_at, category_id, locale, featured, tags, authors, stamp FROM article_facts;",
    )
}

#[derive(QueryableByName)]
struct Instance {
    #[diesel(sql_type = BigInt)]
    doc: i64,
    #[diesel(sql_type = Text)]
    term: String,
}

/// For each article the sum of the digests of its lexemes.
pub(super) fn digests(conn: &mut SqliteConnection) -> QueryResult<HashMap<i64, u64>> {
    let mut digests: HashMap<i64, u64> = HashMap::new();
    let mut last = (String::new(), digest_of(""));
    let instances = diesel::sql_query("SELECT doc, term FROM article_vocab");
    for instance in instances.load_iter::<Instance, DefaultLoadingMode>(conn)? {
        let Instance { doc, term } = instance?;
        if term != last.0 {
            let digest = digest_of(&term);
            last = (term, digest);
        }
        let digest = digests.entry(doc).or_default();
        *digest = digest.wrapping_add(last.1);
    }
    let fresh = diesel::sql_query("SELECT article_id, lexemes FROM article_fresh");
    for entry in fresh.load_iter::<FreshEntry, DefaultLoadingMode>(conn)? {
        let FreshEntry { article_id, lexemes } = entry?;
        let digest = digests.entry(article_id).or_default();
        for lexeme in lexemes.split_ascii_whitespace() {
            *digest = digest.wrapping_add(digest_of(lexeme));
        }
    }
    Ok(digests)
}
