//! The statements of counting that SQLite takes for many rows at once, as JSON. Their text is fixed, so that each connection
//! prepares them once; a statement a row takes twice as long.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};

use super::{Added, Counts};
use crate::db::schema::article_views;

/// Adds views to articles, and to the hours of those that are there.
pub fn add(
    conn: &mut SqliteConnection,
    added: &BTreeMap<i64, Added>,
    hours: &BTreeMap<(i64, i64), i64>,
) -> QueryResult<Vec<Counts>> {
    let added = added.iter().map(|(article_id, added)| {
        let ([day, week, month], views) = (added.windows, added.views);
        format!("[{article_id},{views},{day},{week},{month}]")
    });
    let counts: Vec<Counts> = AddToArticles(list(added)).load(conn)?;
    let there: BTreeSet<i64> = counts.iter().map(|counts| counts.article_id).collect();
    let hours = hours
        .iter()
        .filter(|((article_id, _), _)| there.contains(article_id))
        .map(|((article_id, hour), views)| format!("[{article_id},{hour},{views}]"));
    AddToHours(list(hours)).execute(conn)?;
    Ok(counts)
}

#[derive(QueryId)]
struct AddToHours(String);

impl QueryFragment<Sqlite> for AddToHours {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "INSERT INTO views_by_hour (article_id, hour, views) \
             SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each(",
        );
        out.push_bind_param::<Text, _>(&self.0)?;
        out.push_sql(
            ") WHERE true ON CONFLICT (article_id, hour) DO UPDATE SET views = views_by_hour.views + excluded.views",
        );
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for AddToHours {}

#[derive(QueryId)]
struct AddToArticles(String);

impl QueryFragment<Sqlite> for AddToArticles {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE article_views SET views = views + (added.value ->> 1), views_24h = views_24h + (added.value ->> 2), \
             views_7d = views_7d + (added.value ->> 3), views_30d = views_30d + (added.value ->> 4) FROM json_each(",
        );
        out.push_bind_param::<Text, _>(&self.0)?;
        out.push_sql(
            ") AS added WHERE article_id = (added.value ->> 0) \
             RETURNING article_id, views, views_24h, views_7d, views_30d, level, level_24h, level_7d, level_30d",
        );
        Ok(())
    }
}

impl Query for AddToArticles {
    type SqlType = (
        BigInt,
        BigInt,
        BigInt,
        BigInt,
        BigInt,
        Integer,
        Integer,
        Integer,
        Integer,
    );
}

impl RunQueryDsl<SqliteConnection> for AddToArticles {}

/// Writes the levels of articles.
pub fn set_levels(conn: &mut SqliteConnection, levels: &[(i64, [i32; 4])]) -> QueryResult<()> {
    for (article_id, [all, day, week, month]) in levels {
        diesel::update(article_views::table.find(article_id))
            .set((
                article_views::level.eq(all),
                article_views::level_24h.eq(day),
                article_views::level_7d.eq(week),
                article_views::level_30d.eq(month),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// A JSON array.
fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}
