//! Full text alone: sets of lexemes in, ids out. Which articles are meant, and what is shown of them, is for others.

mod postgres;
pub mod rank;
mod sqlite;

use diesel::dsl::sql;
use diesel::expression::SqlLiteral;
use diesel::expression::UncheckedBind;
use diesel::helper_types::AsExprOf;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};

use crate::db::DbConn;
use crate::text::analyse::lexemes;
use crate::text::query::{Query, Strictness};

/// A condition on `articles`: that the index says so.
pub type Matches = SqlLiteral<Bool, UncheckedBind<SqlLiteral<Bool>, AsExprOf<String, Text>>>;

/// Writes an article's lexemes in place of what was there; in the article's own transaction.
pub fn put(conn: &mut DbConn, id: i64, title: &str, summary: &str, tags: &[&str], text: &str) -> QueryResult<()> {
    let lexemes = lexemes(title, summary, tags, text);
    match conn {
        DbConn::Postgres(conn) => postgres::put(conn, id, &lexemes),
        DbConn::Sqlite(conn) => sqlite::put(conn, id, &lexemes),
    }
}

/// Takes an article out.
pub fn remove(conn: &mut DbConn, id: i64) -> QueryResult<()> {
    match conn {
        DbConn::Postgres(conn) => postgres::remove(conn, id),
        DbConn::Sqlite(conn) => sqlite::remove(conn, id),
    }
}

/// The articles that have any of these lexemes; nothing if there are none.
pub fn any_of<'a>(conn: &DbConn, lexemes: impl Iterator<Item = &'a String>) -> Option<Matches> {
    let (quote, or) = match conn {
        DbConn::Postgres(_) => ('\'', " | "),
        DbConn::Sqlite(_) => ('"', " OR "),
    };
    let terms: Vec<String> = lexemes.map(|lexeme| format!("{quote}{lexeme}{quote}")).collect();
    (!terms.is_empty()).then(|| matches(conn, terms.join(or)))
}

/// The articles that have what a query asks for: anywhere, or in their titles. What [`Query::needs_text_check`] says of
/// them is left to the caller.
pub fn meant_by(conn: &DbConn, query: &Query, strictness: Strictness, title_only: bool) -> Matches {
    let expression = match conn {
        DbConn::Postgres(_) => query.tsquery(strictness, title_only),
        DbConn::Sqlite(_) => query.fts5(strictness, title_only),
    };
    matches(conn, expression)
}

/// Keeps the planner, until the end of the transaction, from reading whole tables because it takes the index to be
/// slower than it is. SQLite always asks the index.
pub fn prefer_index(conn: &mut DbConn) -> QueryResult<()> {
    match conn {
        DbConn::Postgres(conn) => postgres::prefer_index(conn),
        DbConn::Sqlite(_) => Ok(()),
    }
}

/// The articles that an expression in the database's own language means.
fn matches(conn: &DbConn, expression: String) -> Matches {
    let (head, tail) = match conn {
        DbConn::Postgres(_) => postgres::CONDITION,
        DbConn::Sqlite(_) => sqlite::CONDITION,
    };
    sql::<Bool>(head).bind::<Text, _>(expression).sql(tail)
}
