//! The statements of counting that SQLite takes for many rows at once, as JSON. Their text is fixed, so that each connection
//! prepares them once; a statement a row takes twice as long.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};

use super::{Added, Counts};
use crate::db::schema::article_views;

/// Adds views to those articles that were read in this hour before.
pub fn add(conn: &mut SqliteConnection, hour: i64, added: &BTreeMap<i64, Added>) -> QueryResult<Vec<Counts>> {
    let added = added.iter().map(|(article_id, added)| {
        let ([day, week, month], views, in_hour) = (added.windows, added.views, added.in_hour);
        format!("[{article_id},{views},{day},{week},{month},{in_hour}]")
    });
    AddInHour {
        added: list(added),
        hour,
    }
    .load(conn)
}

/// Adds views to hours, by article and hour.
pub fn add_to_hours(conn: &mut SqliteConnection, hours: &BTreeMap<(i64, i64), i64>) -> QueryResult<()> {
    let hours = hours
        .iter()
        .map(|((article_id, hour), views)| format!("[{article_id},{hour},{views}]"));
    AddToHours(list(hours)).execute(conn)?;
    Ok(())
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
struct AddInHour {
    added: String,
    hour: i64,
}

impl QueryFragment<Sqlite> for AddInHour {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE article_views SET views = views + (added.value ->> 1), views_24h = views_24h + (added.value ->> 2), \
             views_7d = views_7d + (added.value ->> 3), views_30d = views_30d + (added.value ->> 4), \
             hour_views = hour_views + (added.value ->> 5) FROM json_each(",
        );
        out.push_bind_param::<Text, _>(&self.added)?;
        // Without the sign the index on hours would be taken, and the whole list be read for each article of this hour.
        out.push_sql(") AS added WHERE article_id = (added.value ->> 0) AND +hour = ");
        out.push_bind_param::<BigInt, _>(&self.hour)?;
        out.push_sql(
            " RETURNING article_id, views, views_24h, views_7d, views_30d, level, level_24h, level_7d, level_30d",
        );
        Ok(())
    }
}

impl Query for AddInHour {
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

impl RunQueryDsl<SqliteConnection> for AddInHour {}

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
