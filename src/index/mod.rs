//! Full text alone: what an article says goes in with a few facts about it, ids come out. Which articles are meant, and
//! what is shown of them, is for others.
//!
//! This is all that the house knows of the engine: [`put`], [`put_edit`], [`put_facts`] and [`remove`] in the article's own
//! transaction, [`says`] and [`hits`] to search, [`rebuild`] and [`audit`] to operate it.

pub mod audit;
mod postgres;
pub mod rank;
pub mod rebuild;
mod sqlite;
mod titles;

use std::borrow::Cow;
use std::collections::HashMap;

use diesel::connection::DefaultLoadingMode;
use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::expression::UncheckedBind;
use diesel::helper_types::AsExprOf;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use crate::db::schema::article_hits;
use crate::db::{DbConn, MultiBackend, Timestamp};
use crate::text::analyse::{BodyLexemes, UNPUBLISHED_MARK, lexemes};
use crate::text::query::{Query, Strictness, Within};
use crate::text::sound::Name;

pub use self::titles::{are_more_than, one_of_each};

/// A condition on `article_hits` or `articles`: that the index says so.
pub type Matches = SqlLiteral<Bool, UncheckedBind<SqlLiteral<Bool>, AsExprOf<String, Text>>>;

/// A query on the facts of indexed articles, which needs a condition by [`says`].
pub type HitQuery<'a> = article_hits::BoxedQuery<'a, MultiBackend>;

/// What an article says.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// Its title.
    pub title: &'a str,
    /// Its summary, derived or not.
    pub summary: &'a str,
    /// The names of its tags.
    pub tags: &'a [String],
    /// The text of its body.
    pub text: &'a str,
    /// The lexemes of that text, where they were worked out before.
    pub ahead: Option<&'a BodyLexemes>,
}

/// What the search of an article may be narrowed to, counted and sorted by.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// As in `articles`.
    pub state: &'a str,
    /// As in `articles`.
    pub listed_at: Timestamp,
    /// Its category.
    pub category_id: Option<i64>,
    /// Its language.
    pub locale: &'a str,
    /// Whether it is featured.
    pub featured: bool,
    /// Its tags.
    pub tags: &'a [i64],
    /// Its authors.
    pub authors: &'a [i64],
}

/// An article for the index.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its id.
    pub id: i64,
    /// What it says.
    pub words: Words<'a>,
    /// What else is known of it.
    pub facts: Facts<'a>,
}

impl Entry<'_> {
    /// The lexemes under which it is found, each once.
    fn lexemes(&self) -> Vec<Cow<'_, str>> {
        let Words {
            title,
            summary,
            tags,
            text,
            ahead,
        } = self.words;
        let mut lexemes = ahead
            .and_then(|body| body.behind(title, summary, tags))
            .unwrap_or_else(|| {
                let lexemes = lexemes(title, summary, tags, text).into_iter();
                lexemes.map(Cow::Owned).collect()
            });
        lexemes.extend(Name::new(title).lexemes().into_iter().map(Cow::Owned));
        if self.facts.state != "published" {
            for lexeme in &mut lexemes {
                lexeme.to_mut().insert_str(0, UNPUBLISHED_MARK);
            }
        }
        lexemes
    }
}

/// Writes an article's entry in place of what was there; in the article's own transaction.
pub fn put(conn: &mut DbConn, entry: &Entry<'_>) -> QueryResult<()> {
    let stamp = Timestamp::now().micros();
    match conn {
        DbConn::Postgres(conn) => postgres::put(conn, entry, stamp),
        DbConn::Sqlite(conn) => sqlite::put(conn, sqlite::LIVE, entry, stamp),
    }
}

/// Writes the entry of an article that has one and was edited. It is left out of the index until the article is left alone.
pub fn put_edit(conn: &mut DbConn, entry: &Entry<'_>) -> QueryResult<()> {
    let stamp = Timestamp::now().micros();
    match conn {
        DbConn::Postgres(conn) => postgres::put_edit(conn, entry, stamp),
        DbConn::Sqlite(conn) => sqlite::put_edit(conn, entry, stamp),
    }
}

/// Writes the facts alone: what the article says stayed, and whether it is published.
pub fn put_facts(conn: &mut DbConn, id: i64, facts: &Facts<'_>) -> QueryResult<()> {
    let stamp = Timestamp::now().micros();
    match conn {
        DbConn::Postgres(conn) => postgres::put_facts(conn, id, facts, stamp),
        DbConn::Sqlite(conn) => sqlite::put_facts(conn, sqlite::LIVE, id, facts, stamp),
    }
}

/// Takes an article out.
pub fn remove(conn: &mut DbConn, id: i64) -> QueryResult<()> {
    match conn {
        DbConn::Postgres(conn) => postgres::remove(conn, postgres::LIVE, id),
        DbConn::Sqlite(conn) => sqlite::remove(conn, sqlite::LIVE, id),
    }
}

/// The published articles that have any of these lexemes, as a condition on `articles`; nothing if there are none.
pub fn any_of<'a>(conn: &DbConn, lexemes: impl Iterator<Item = &'a String>) -> Option<Matches> {
    let (quote, or, around) = match conn {
        DbConn::Postgres(_) => ('\'', " | ", postgres::AMONG_ARTICLES),
        DbConn::Sqlite(_) => ('"', " OR ", sqlite::AMONG_ARTICLES),
    };
    let terms: Vec<String> = lexemes.map(|lexeme| format!("{quote}{lexeme}{quote}")).collect();
    (!terms.is_empty()).then(|| condition(around, terms.join(or)))
}

/// The articles that have what a query asks for, as a condition on `article_hits`. What [`Query::needs_text_check`] says
/// of them is left to the caller.
pub fn says(conn: &DbConn, query: &Query, strictness: Strictness, within: Within) -> Matches {
    match conn {
        DbConn::Postgres(_) => condition(postgres::AMONG_HITS, query.tsquery(strictness, within)),
        DbConn::Sqlite(_) => condition(sqlite::AMONG_HITS, query.fts5(strictness, within)),
    }
}

/// A condition in the database's own language.
fn condition((head, tail): (&str, &str), expression: String) -> Matches {
    sql::<Bool>(head).bind::<Text, _>(expression).sql(tail)
}

/// Moves some of what was [`put_edit`] and then left alone until `now` into the index; whether there may be more. To be called
/// every second or so.
pub fn settle(conn: &mut DbConn, now: Timestamp) -> QueryResult<bool> {
    match conn {
        DbConn::Postgres(conn) => postgres::settle(conn, now.micros()),
        DbConn::Sqlite(conn) => sqlite::settle(conn, now.micros()),
    }
}

/// Whether there is something for [`settle`] to move.
pub fn is_unsettled(conn: &mut DbConn, now: Timestamp) -> QueryResult<bool> {
    match conn {
        DbConn::Postgres(conn) => postgres::is_unsettled(conn, now.micros()),
        DbConn::Sqlite(conn) => Ok(!sqlite::due(conn, now.micros())?.is_empty()),
    }
}

/// Sorts in what writers on PostgreSQL have appended to its index. To be called every second or so.
pub fn tidy(conn: &mut DbConn) -> QueryResult<()> {
    match conn {
        DbConn::Postgres(conn) => postgres::tidy(conn),
        DbConn::Sqlite(_) => Ok(()),
    }
}

/// To be called first in a transaction that searches. It keeps a rebuilt index from being put in place between the
/// transaction's snapshot and the search, which would show it half filled; and the planner from reading whole tables
/// because it takes the index to be slower than it is. SQLite does neither.
pub fn open(conn: &mut DbConn) -> QueryResult<()> {
    match conn {
        DbConn::Postgres(conn) => postgres::open(conn),
        DbConn::Sqlite(_) => Ok(()),
    }
}

/// An article that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Its id.
    pub id: i64,
    /// When it was published, in microseconds since 1970.
    pub listed_at: i64,
}

/// How many of the articles that were found have what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By category, without descendants.
    pub categories: HashMap<i64, u64>,
    /// By tag.
    pub tags: HashMap<i64, u64>,
    /// By author.
    pub authors: HashMap<i64, u64>,
}

/// Every article that a query finds, in no order; counted too, if `counted`. One statement, which reads a narrow row for
/// each.
pub fn hits(conn: &mut DbConn, query: HitQuery<'_>, counted: bool) -> QueryResult<(Vec<Hit>, Counts)> {
    let mut hits = Vec::new();
    let mut counts = Counts::default();
    let place = (article_hits::article_id, article_hits::listed_at);
    if !counted {
        for row in query.select(place).load_iter::<(i64, i64), DefaultLoadingMode>(conn)? {
            let (id, listed_at) = row?;
            hits.push(Hit { id, listed_at });
        }
        return Ok((hits, counts));
    }
    let facts = (article_hits::category_id, article_hits::tags, article_hits::authors);
    let rows = query.select((place, facts));
    for row in rows.load_iter::<((i64, i64), (Option<i64>, String, String)), DefaultLoadingMode>(conn)? {
        let ((id, listed_at), (category, tags, authors)) = row?;
        hits.push(Hit { id, listed_at });
        if let Some(category) = category {
            *counts.categories.entry(category).or_default() += 1;
        }
        count_ids(&mut counts.tags, &tags);
        count_ids(&mut counts.authors, &authors);
    }
    Ok((hits, counts))
}

fn count_ids(counts: &mut HashMap<i64, u64>, ids: &str) {
    for id in ids.split_ascii_whitespace().filter_map(|id| id.parse().ok()) {
        *counts.entry(id).or_default() += 1;
    }
}

/// Ids as the facts keep them.
fn ids_text(ids: &[i64]) -> String {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    ids.join(" ")
}
