//! The statements of counting that SQLite takes for many rows at once, as JSON. Their text is fixed, so that each connection
//! prepares them once; a statement a row takes twice as long.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};

use super::{Added, Clock, Counts, CountsTypes};
use crate::db::schema::article_views;
use crate::views::windows::SHORTEST;

/// `store::add_at_once`.
pub fn add_at_once(
    conn: &mut SqliteConnection,
    clock: &Clock,
    hour: i64,
    added: &BTreeMap<i64, i64>,
) -> QueryResult<Vec<(i64, i64)>> {
    let update = AddAtOnce {
        added: object(added.iter().map(|(article_id, views)| (*article_id, *views))),
        hour,
        zone: clock.named.clone(),
    };
    update.load(conn)
}

/// Adds views to those articles that were read in this hour before, and that everybody sees or that are judged.
pub fn add(
    conn: &mut SqliteConnection,
    hour: i64,
    added: &BTreeMap<i64, Added>,
    judged: bool,
) -> QueryResult<Vec<Counts>> {
    // Of views that happened now, as nearly all did, a number says it: SQLite is slow to look into an array in an array.
    let (now, other): (Vec<_>, Vec<_>) = added.iter().partition(|(_, added)| added.is_of_now());
    let mut counts = Vec::new();
    if !now.is_empty() {
        let added = object(now.into_iter().map(|(article_id, added)| (*article_id, added.views)));
        counts = AddNow { added, hour, judged }.load(conn)?;
    }
    if !other.is_empty() {
        let added = other.into_iter().map(|(article_id, added)| {
            let ([day, week, month], views, in_hour) = (added.windows, added.views, added.in_hour);
            format!("[{article_id},{views},{day},{week},{month},{in_hour}]")
        });
        let added = list(added);
        counts.extend(AddInHour { added, hour, judged }.load::<Counts>(conn)?);
    }
    Ok(counts)
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

/// What is told of an article to which something was added.
const TOLD: &str =
    " RETURNING article_id, views, views_24h, views_7d, views_30d, level, level_24h, level_7d, level_30d";

/// Adds a number to all counts of an article; what follows is the list.
const ADD_NOW: &str = "UPDATE article_views SET views = views + added.value, views_24h = views_24h + added.value, \
                       views_7d = views_7d + added.value, views_30d = views_30d + added.value, \
                       hour_views = hour_views + added.value FROM json_each(";

/// To those of the list that were read before in the hour that follows. Without the sign the index on hours would be taken,
/// and the whole list be read for each article of this hour.
const OF_LIST: &str = ") AS added WHERE article_id = CAST(added.key AS INTEGER) AND +hour = ";

#[derive(QueryId)]
struct AddAtOnce {
    added: String,
    hour: i64,
    zone: Option<String>,
}

impl QueryFragment<Sqlite> for AddAtOnce {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(ADD_NOW);
        out.push_bind_param::<Text, _>(&self.added)?;
        out.push_sql(OF_LIST);
        out.push_bind_param::<BigInt, _>(&self.hour)?;
        // A level is the number of binary digits.
        out.push_sql(
            " AND public AND 2 * (views + added.value) >> level = 1 AND 2 * (views_24h + added.value) >> level_24h = 1 \
             AND 2 * (views_7d + added.value) >> level_7d = 1 AND 2 * (views_30d + added.value) >> level_30d = 1 \
             AND (SELECT time_zone FROM site LIMIT 1) IS ",
        );
        out.push_bind_param::<Nullable<Text>, _>(&self.zone)?;
        out.push_sql(" AND (SELECT until FROM view_windows LIMIT 1) <= ");
        out.push_bind_param::<BigInt, _>(&self.hour)?;
        out.push_sql(" + ");
        out.push_bind_param::<BigInt, _>(&SHORTEST)?;
        out.push_sql(" RETURNING article_id, views");
        Ok(())
    }
}

impl Query for AddAtOnce {
    type SqlType = (BigInt, BigInt);
}

impl RunQueryDsl<SqliteConnection> for AddAtOnce {}

#[derive(QueryId)]
struct AddNow {
    added: String,
    hour: i64,
    judged: bool,
}

impl QueryFragment<Sqlite> for AddNow {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(ADD_NOW);
        out.push_bind_param::<Text, _>(&self.added)?;
        out.push_sql(OF_LIST);
        out.push_bind_param::<BigInt, _>(&self.hour)?;
        out.push_sql(" AND (public OR ");
        out.push_bind_param::<Bool, _>(&self.judged)?;
        out.push_sql(")");
        out.push_sql(TOLD);
        Ok(())
    }
}

impl Query for AddNow {
    type SqlType = CountsTypes;
}

impl RunQueryDsl<SqliteConnection> for AddNow {}

#[derive(QueryId)]
struct AddInHour {
    added: String,
    hour: i64,
    judged: bool,
}

impl QueryFragment<Sqlite> for AddInHour {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE article_views SET views = views + (added.value ->> 1), views_24h = views_24h + (added.value ->> 2), \
             views_7d = views_7d + (added.value ->> 3), views_30d = views_30d + (added.value ->> 4), \
             hour_views = hour_views + (added.value ->> 5) FROM json_each(",
        );
        out.push_bind_param::<Text, _>(&self.added)?;
        // The sign as above.
        out.push_sql(") AS added WHERE article_id = (added.value ->> 0) AND +hour = ");
        out.push_bind_param::<BigInt, _>(&self.hour)?;
        out.push_sql(" AND (public OR ");
        out.push_bind_param::<Bool, _>(&self.judged)?;
        out.push_sql(")");
        out.push_sql(TOLD);
        Ok(())
    }
}

impl Query for AddInHour {
    type SqlType = CountsTypes;
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

/// A JSON object: numbers by the ids of articles.
fn object(numbers: impl Iterator<Item = (i64, i64)>) -> String {
    let numbers = numbers.map(|(article_id, number)| format!("\"{article_id}\":{number}"));
    format!("{{{}}}", numbers.collect::<Vec<_>>().join(","))
}

/// A JSON array.
fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}
