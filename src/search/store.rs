//! Queries of search.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};

use crate::articles::ArticleQuery;
use crate::articles::model::BodyFormat;
use crate::db::schema::{article_bodies, article_tags, articles, tags};
use crate::db::{DbConn, Timestamp};
use crate::index::Matches;
use crate::index::rank::Candidate;

/// How many characters of a text are read: what the index knows, with its punctuation and blanks.
const READ: i32 = 100_000;

diesel::define_sql_function! {
    /// The characters of a text from the first one on, counted from 1.
    fn substr(text: Text, first: Integer, count: Integer) -> Text;
}

/// Narrows articles down to what the index found, without what was published after `begun` and without these.
pub fn narrowed<'a>(
    query: ArticleQuery<'a>,
    found: Matches,
    begun: Option<Timestamp>,
    without: &[i64],
) -> ArticleQuery<'a> {
    let mut query = query.filter(found);
    if let Some(begun) = begun {
        query = query.filter(articles::listed_at.le(begun));
    }
    if !without.is_empty() {
        query = query.filter(articles::id.ne_all(without.to_vec()));
    }
    query
}

/// The newest articles of a query, for ranking.
pub fn load_candidates(conn: &mut DbConn, query: ArticleQuery<'_>, most: i64) -> QueryResult<Vec<Candidate>> {
    let rows: Vec<(i64, Timestamp, String, Option<String>, String)> = query
        .order((articles::listed_at.desc(), articles::id.desc()))
        .limit(most)
        .select((
            articles::id,
            articles::listed_at,
            articles::title,
            articles::summary,
            articles::derived_summary,
        ))
        .load(conn)?;
    let ids = rows.iter().map(|row| row.0).collect();
    let mut tags = load_tag_names(conn, ids)?;
    let candidates = rows.into_iter().map(|(id, at, title, summary, derived)| Candidate {
        id,
        published_at_seconds: at.utc().timestamp(),
        title,
        summary: summary.unwrap_or(derived),
        tags: tags.remove(&id).unwrap_or_default(),
    });
    Ok(candidates.collect())
}

/// The names of the tags of these articles.
fn load_tag_names(conn: &mut DbConn, ids: Vec<i64>) -> QueryResult<HashMap<i64, Vec<String>>> {
    let rows: Vec<(i64, String)> = article_tags::table
        .inner_join(tags::table)
        .filter(article_tags::article_id.eq_any(ids))
        .order((article_tags::article_id, article_tags::position))
        .select((article_tags::article_id, tags::name))
        .load(conn)?;
    let mut names: HashMap<i64, Vec<String>> = HashMap::new();
    for (article, name) in rows {
        names.entry(article).or_default().push(name);
    }
    Ok(names)
}

/// The texts of these articles' bodies, as far as search reads them.
pub fn load_texts(conn: &mut DbConn, ids: Vec<i64>) -> QueryResult<HashMap<i64, String>> {
    let rows: Vec<(i64, String)> = article_bodies::table
        .filter(article_bodies::article_id.eq_any(ids))
        .filter(article_bodies::format.eq(BodyFormat::Text))
        .select((article_bodies::article_id, substr(article_bodies::content, 1, READ)))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}
