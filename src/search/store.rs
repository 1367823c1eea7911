//! Queries of search.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};

use crate::articles::model::BodyFormat;
use crate::db::schema::{article_bodies, article_hits, article_tags, articles, authors, tags};
use crate::db::{DbConn, Timestamp, among};
use crate::index::HitQuery;
use crate::index::rank::Candidate;

/// How many characters of a text are read: what the index knows, with its punctuation and blanks.
const READ: i32 = 100_000;

diesel::define_sql_function! {
    /// The characters of a text from the first one on, counted from 1.
    fn substr(text: Text, first: Integer, count: Integer) -> Text;
}

/// The newest articles of a query, at most so many.
pub fn newest_titled(conn: &mut DbConn, query: HitQuery<'_>, most: i64) -> QueryResult<Vec<i64>> {
    query
        .order((article_hits::listed_at.desc(), article_hits::article_id.desc()))
        .limit(most)
        .select(article_hits::article_id)
        .load(conn)
}

/// What ranking and checking read of these articles beside their texts, in no order.
pub fn load_candidates(conn: &mut DbConn, ids: &[i64]) -> QueryResult<Vec<Candidate>> {
    let rows: Vec<(i64, Timestamp, String, Option<String>, String)> = articles::table
        .filter(among(articles::id, ids))
        .select((
            articles::id,
            articles::listed_at,
            articles::title,
            articles::summary,
            articles::derived_summary,
        ))
        .load(conn)?;
    let mut tags = load_tags(conn, ids)?;
    let candidates = rows.into_iter().map(|(id, at, title, summary, derived)| Candidate {
        id,
        published_at_seconds: at.utc().timestamp(),
        title,
        summary: summary.unwrap_or(derived),
        tags: tags.remove(&id).unwrap_or_default(),
    });
    Ok(candidates.collect())
}

/// The names of the tags of these articles, each name read once.
fn load_tags(conn: &mut DbConn, ids: &[i64]) -> QueryResult<HashMap<i64, Vec<String>>> {
    let pairs: Vec<(i64, i64)> = article_tags::table
        .filter(among(article_tags::article_id, ids))
        .select((article_tags::article_id, article_tags::tag_id))
        .load(conn)?;
    let distinct: BTreeSet<i64> = pairs.iter().map(|(_, tag)| *tag).collect();
    let distinct: Vec<i64> = distinct.into_iter().collect();
    let names = load_tag_names(conn, &distinct)?;
    let mut tags: HashMap<i64, Vec<String>> = HashMap::new();
    for (article, tag) in pairs {
        if let Some((_slug, name)) = names.get(&tag) {
            tags.entry(article).or_default().push(name.clone());
        }
    }
    Ok(tags)
}

/// The texts of these articles' bodies, as far as search reads them.
pub fn load_texts(conn: &mut DbConn, ids: &[i64]) -> QueryResult<HashMap<i64, String>> {
    let rows: Vec<(i64, String)> = article_bodies::table
        .filter(among(article_bodies::article_id, ids))
        .filter(article_bodies::format.eq(BodyFormat::Text))
        .select((article_bodies::article_id, substr(article_bodies::content, 1, READ)))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Slugs and names of tags.
pub fn load_tag_names(conn: &mut DbConn, ids: &[i64]) -> QueryResult<HashMap<i64, (String, String)>> {
    let rows: Vec<(i64, (String, String))> = tags::table
        .filter(among(tags::id, ids))
        .select((tags::id, (tags::slug, tags::name)))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// Slugs and names of authors.
pub fn load_author_names(conn: &mut DbConn, ids: &[i64]) -> QueryResult<HashMap<i64, (String, String)>> {
    let rows: Vec<(i64, (String, String))> = authors::table
        .filter(among(authors::id, ids))
        .select((authors::id, (authors::slug, authors::name)))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}
