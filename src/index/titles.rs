//! Titles alone, for what is still being typed.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::{Matches, condition, postgres, sqlite};
use crate::db::DbConn;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    found: i64,
}

/// The articles that have at least one lexeme of each list; nothing if there are no lists.
pub fn one_of_each(conn: &DbConn, lists: &[Vec<String>]) -> Option<Matches> {
    let around = match conn {
        DbConn::Postgres(_) => postgres::AMONG_ARTICLES,
        DbConn::Sqlite(_) => sqlite::AMONG_ARTICLES,
    };
    (!lists.is_empty()).then(|| condition(around, expression(conn, lists)))
}

/// Whether more than `most` published articles, due or not, are [`one_of_each`]. No further ones are read, which keeps it cheap.
pub fn are_more_than(conn: &mut DbConn, lists: &[Vec<String>], most: i64) -> QueryResult<bool> {
    let statement = match conn {
        DbConn::Postgres(_) => {
            "SELECT count(*) AS found
             FROM (SELECT 1 FROM article_hits WHERE lexemes @@ $1::tsquery LIMIT $2) AS hits"
        }
        DbConn::Sqlite(_) => {
            "WITH asked (what) AS (SELECT $1) SELECT count(*) AS found FROM (
               SELECT 1 FROM asked CROSS JOIN article_index WHERE article_index MATCH what
               UNION ALL SELECT 1 FROM asked CROSS JOIN article_fresh WHERE lexemes_say(lexemes, what) LIMIT $2
             ) AS hits"
        }
    };
    let count: Count = diesel::sql_query(statement)
        .bind::<Text, _>(expression(conn, lists))
        .bind::<BigInt, _>(most + 1)
        .get_result(conn)?;
    Ok(count.found > most)
}

/// Lexemes hold neither kind of quote nor a backslash.
fn expression(conn: &DbConn, lists: &[Vec<String>]) -> String {
    let (quote, and, or) = match conn {
        DbConn::Postgres(_) => ('\'', " & ", " | "),
        DbConn::Sqlite(_) => ('"', " AND ", " OR "),
    };
    let any = |list: &Vec<String>| {
        let terms: Vec<String> = list.iter().map(|lexeme| format!("{quote}{lexeme}{quote}")).collect();
        format!("({})", terms.join(or))
    };
    lists.iter().map(any).collect::<Vec<_>>().join(and)
}
