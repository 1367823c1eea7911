//! Views of many articles, counted at once: noted as one row, which is durable, and added to the articles soon after, those of
//! many rows together. A row costs a page; the rows of the articles would cost one each, and whoever else counts would wait for
//! them.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use crate::db::schema::{article_views, content_changes, noted_views};
use crate::db::{DbConn, Tx, among};

/// How many rows are taken at once.
const SOME: i64 = 1_000;

/// How often those of these articles have been read, as far as that is added up, that bear the mark that everybody sees them;
/// each with how often an article had been hidden then.
pub fn find_marked(conn: &mut DbConn, ids: &[i64]) -> QueryResult<Vec<(i64, i64, i64)>> {
    let hidden = content_changes::table.find(1).select(content_changes::hidden);
    let marked = article_views::table
        .filter(among(article_views::article_id, ids))
        .filter(article_views::public)
        .select((
            article_views::article_id,
            article_views::views,
            hidden.single_value().assume_not_null(),
        ));
    Ok(crate::on_backend!(conn, |conn| marked.load(conn)?))
}

/// Notes views of that second (since 1970), by article, by one statement, which may be a transaction by itself; unless an
/// article was hidden since that was so often. Whether they are noted.
pub fn note(conn: &mut DbConn, second: i64, views: &BTreeMap<i64, i64>, hidden: i64) -> QueryResult<bool> {
    let views =
        serde_json::to_string(views).map_err(|error| diesel::result::Error::SerializationError(error.into()))?;
    let row = content_changes::table
        .find(1)
        .filter(content_changes::hidden.eq(hidden))
        .select((second.into_sql::<BigInt>(), views.into_sql::<Text>()));
    let insert = diesel::insert_into(noted_views::table)
        .values(row)
        .into_columns((noted_views::viewed_at, noted_views::views));
    Ok(crate::on_backend!(conn, |conn| insert.execute(conn)?) == 1)
}

/// Views as they were noted.
#[derive(Debug)]
pub struct Noted {
    /// When they came, in seconds since 1970.
    pub second: i64,
    /// How many, by article.
    pub views: BTreeMap<i64, i64>,
}

/// Takes away some of what was noted, the oldest first, for who adds it up in this transaction; and whether there may be more.
pub fn take(tx: &mut Tx<'_>) -> QueryResult<(Vec<Noted>, bool)> {
    let some: Vec<(i64, i64, String)> = noted_views::table.order(noted_views::id).limit(SOME).load(tx.conn)?;
    let ids: Vec<i64> = some.iter().map(|(id, ..)| *id).collect();
    if !ids.is_empty() {
        let delete = diesel::delete(noted_views::table.filter(among(noted_views::id, &ids)));
        crate::on_backend!(tx.conn, |conn| delete.execute(conn)?);
    }
    let noted = some.into_iter().map(|(_, second, views)| {
        let views = serde_json::from_str(&views);
        let views = views.map_err(|error| diesel::result::Error::DeserializationError(error.into()))?;
        Ok(Noted { second, views })
    });
    let is_more = i64::try_from(ids.len()).is_ok_and(|rows| rows >= SOME);
    Ok((noted.collect::<QueryResult<_>>()?, is_more))
}
