//! Queries of suggestions.

use diesel::prelude::*;

use crate::db::schema::articles;
use crate::db::{DbConn, MultiBackend, Timestamp, is_public, is_public_of_few, is_public_within};
use crate::index::Matches;

/// An article that may be suggested.
#[derive(Debug, Queryable)]
pub struct Titled {
    /// Its id.
    pub id: i64,
    /// Its slug.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Where it stands among the newest, with its id.
    pub listed_at: Timestamp,
}

/// The newest articles that everybody sees, of those that the index found if it was asked: `most` of them, from the one
/// after that time and id on.
pub fn newest_titles(
    conn: &mut DbConn,
    now: Timestamp,
    found: Option<Matches>,
    after: Option<(Timestamp, i64)>,
    most: i64,
) -> QueryResult<Vec<Titled>> {
    let mut query = articles::table.into_boxed::<MultiBackend>();
    query = match found {
        Some(found) => query.filter(found).filter(is_public_of_few(now)),
        None if after.is_some() => query.filter(is_public_within(now)),
        None => query.filter(is_public(now)),
    };
    if let Some((at, id)) = after {
        query = query
            .filter(articles::listed_at.le(at))
            .filter(articles::listed_at.lt(at).or(articles::id.lt(id)));
    }
    query
        .order((articles::listed_at.desc(), articles::id.desc()))
        .limit(most)
        .select((articles::id, articles::slug, articles::title, articles::listed_at))
        .load(conn)
}
