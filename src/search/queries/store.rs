//! Queries of the searches that were noted.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::model::{Noted, SearchedQuery};
use crate::db::DbConn;
use crate::error::{Error, Result};

/// How many rows one statement removes.
pub const PART: usize = 1_000;

/// Adds searches to those of the same query and day; one statement with one value, however many they are.
pub fn add(conn: &mut DbConn, noted: &[Noted]) -> Result<()> {
    let rows = match conn {
        DbConn::Postgres(_) => {
            "SELECT * FROM jsonb_to_recordset($1::jsonb) AS noted (day TEXT, query TEXT, searches BIGINT,
               without_answer BIGINT, last_total BIGINT, last_searched_at TIMESTAMPTZ)"
        }
        // Without a condition the parser would take ON for that of a join.
        DbConn::Sqlite(_) => {
            "SELECT value ->> 'day', value ->> 'query', value ->> 'searches', value ->> 'without_answer',
               value ->> 'last_total', value ->> 'last_searched_at' FROM json_each($1) WHERE true"
        }
    };
    let later = "excluded.last_searched_at >= search_queries.last_searched_at";
    let statement = format!(
        "INSERT INTO search_queries (day, query, searches, without_answer, last_total, last_searched_at) {rows}
         ON CONFLICT (day, query) DO UPDATE SET
           searches = search_queries.searches + excluded.searches,
           without_answer = search_queries.without_answer + excluded.without_answer,
           last_total = CASE WHEN {later} THEN excluded.last_total ELSE search_queries.last_total END,
           last_searched_at = CASE WHEN {later} THEN excluded.last_searched_at ELSE search_queries.last_searched_at END"
    );
    let noted = serde_json::to_string(noted).map_err(Error::internal)?;
    diesel::sql_query(statement).bind::<Text, _>(noted).execute(conn)?;
    Ok(())
}

/// Removes searches of days before this one, at most [`PART`]; how many they were.
pub fn remove_before(conn: &mut DbConn, day: &str) -> QueryResult<usize> {
    diesel::sql_query(format!(
        "DELETE FROM search_queries WHERE (day, query) IN
           (SELECT day, query FROM search_queries WHERE day < $1 ORDER BY day, query LIMIT {PART})"
    ))
    .bind::<Text, _>(day)
    .execute(conn)
}

/// Searches of these days, by query, with the counts of all days and what the last of them found.
const BY_QUERY: &str = "FROM (
       SELECT query, CAST(SUM(searches) AS BIGINT) AS count, CAST(SUM(without_answer) AS BIGINT) AS without_answer,
         MAX(day) AS day
       FROM search_queries WHERE day BETWEEN $1 AND $2 GROUP BY query
     ) AS found JOIN search_queries AS last ON last.day = found.day AND last.query = found.query
     WHERE (last.last_total = 0 OR NOT $3)";

/// Which searches are listed.
pub struct Wanted {
    /// The first and the last day.
    pub days: (String, String),
    /// Only those whose last search found nothing.
    pub without_answer: bool,
}

/// Searches from the one after this count and query on, the most frequent first.
pub fn list(
    conn: &mut DbConn,
    wanted: &Wanted,
    after: Option<(i64, String)>,
    offset: i64,
    limit: i64,
) -> QueryResult<Vec<SearchedQuery>> {
    // No count is that large.
    let (count, query) = after.unwrap_or((i64::MAX, String::new()));
    diesel::sql_query(format!(
        "SELECT found.query, found.count, found.without_answer, last.last_total, last.last_searched_at {BY_QUERY}
         AND (found.count < $4 OR (found.count = $4 AND found.query > $5))
         ORDER BY found.count DESC, found.query LIMIT $6 OFFSET $7"
    ))
    .bind::<Text, _>(&wanted.days.0)
    .bind::<Text, _>(&wanted.days.1)
    .bind::<Bool, _>(wanted.without_answer)
    .bind::<BigInt, _>(count)
    .bind::<Text, _>(query)
    .bind::<BigInt, _>(limit)
    .bind::<BigInt, _>(offset)
    .load(conn)
}

/// How many queries there are.
pub fn count(conn: &mut DbConn, wanted: &Wanted) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Total {
        #[diesel(sql_type = BigInt)]
        total: i64,
    }
    let total: Total = diesel::sql_query(format!("SELECT COUNT(*) AS total {BY_QUERY}"))
        .bind::<Text, _>(&wanted.days.0)
        .bind::<Text, _>(&wanted.days.1)
        .bind::<Bool, _>(wanted.without_answer)
        .get_result(conn)?;
    Ok(total.total)
}
