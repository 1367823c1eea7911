//! The statements of counting that PostgreSQL takes for many rows at once. Their text is fixed, so that each connection
//! prepares them once.

use std::collections::BTreeMap;

use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text};

use super::{Added, Clock, CountedView, Counts, CountsTypes};
use crate::views::visitor::Key;
use crate::views::windows::SHORTEST;

/// When visitors counted, as `store::find_counted` asks: the place (from 1) of the one that was asked for, and the microsecond.
pub fn find_counted(
    conn: &mut PgConnection,
    asked: &BTreeMap<(Key, i64), (i64, i64)>,
    window: i64,
) -> QueryResult<Vec<(i64, i64)>> {
    let query = FindCounted {
        named: asked.keys().map(|(key, _)| key.named).collect(),
        days: asked.keys().map(|(key, _)| key.day).collect(),
        visitors: asked.keys().map(|(key, _)| key.visitor.to_vec()).collect(),
        articles: asked.keys().map(|(_, article_id)| *article_id).collect(),
        after: asked.values().map(|(first, _)| first - window).collect(),
        before: asked.values().map(|(_, last)| last + window).collect(),
    };
    query.load(conn)
}

#[derive(QueryId)]
struct FindCounted {
    named: Vec<bool>,
    days: Vec<i32>,
    visitors: Vec<Vec<u8>>,
    articles: Vec<i64>,
    after: Vec<i64>,
    before: Vec<i64>,
}

impl QueryFragment<Pg> for FindCounted {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT asked.place, counted_views.viewed_at FROM unnest(");
        out.push_bind_param::<Array<Bool>, _>(&self.named)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.days)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Binary>, _>(&self.visitors)?;
        for numbers in [&self.articles, &self.after, &self.before] {
            out.push_sql(", ");
            out.push_bind_param::<Array<BigInt>, _>(numbers)?;
        }
        out.push_sql(
            ") WITH ORDINALITY AS asked (named, day, visitor, article_id, after, before, place) \
             JOIN counted_views USING (named, day, visitor, article_id) \
             WHERE viewed_at > asked.after AND viewed_at < asked.before",
        );
        Ok(())
    }
}

impl Query for FindCounted {
    type SqlType = (BigInt, BigInt);
}

impl RunQueryDsl<PgConnection> for FindCounted {}

/// Notes who counted.
pub fn insert_counted(conn: &mut PgConnection, views: &[CountedView]) -> QueryResult<()> {
    let insert = InsertCounted {
        named: views.iter().map(|view| view.named).collect(),
        days: views.iter().map(|view| view.day).collect(),
        visitors: views.iter().map(|view| view.visitor.clone()).collect(),
        articles: views.iter().map(|view| view.article_id).collect(),
        times: views.iter().map(|view| view.viewed_at).collect(),
    };
    insert.execute(conn)?;
    Ok(())
}

#[derive(QueryId)]
struct InsertCounted {
    named: Vec<bool>,
    days: Vec<i32>,
    visitors: Vec<Vec<u8>>,
    articles: Vec<i64>,
    times: Vec<i64>,
}

impl QueryFragment<Pg> for InsertCounted {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("INSERT INTO counted_views (named, day, visitor, article_id, viewed_at) SELECT * FROM unnest(");
        out.push_bind_param::<Array<Bool>, _>(&self.named)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Integer>, _>(&self.days)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<Binary>, _>(&self.visitors)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.articles)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.times)?;
        out.push_sql(")");
        Ok(())
    }
}

impl RunQueryDsl<PgConnection> for InsertCounted {}

/// `store::add_at_once`. One instance at a time, as in a transaction of counting. What was read before the lock was there may
/// have changed meanwhile, but not for a row that still counts this hour: who moves windows on puts such hours away first.
pub fn add_at_once(
    conn: &mut PgConnection,
    clock: &Clock,
    hour: i64,
    added: &BTreeMap<i64, i64>,
) -> QueryResult<Vec<(i64, i64)>> {
    let update = AddAtOnce {
        articles: added.keys().copied().collect(),
        views: added.values().copied().collect(),
        hour,
        zone: clock.named.clone(),
    };
    update.load(conn)
}

#[derive(QueryId)]
struct AddAtOnce {
    articles: Vec<i64>,
    views: Vec<i64>,
    hour: i64,
    zone: Option<String>,
}

impl QueryFragment<Pg> for AddAtOnce {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE article_views AS kept SET views = kept.views + added.views, \
             views_24h = kept.views_24h + added.views, views_7d = kept.views_7d + added.views, \
             views_30d = kept.views_30d + added.views, hour_views = kept.hour_views + added.views FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.articles)?;
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(&self.views)?;
        out.push_sql(
            ") AS added (article_id, views) \
             WHERE (SELECT pg_advisory_xact_lock(hashtext('views')) IS NOT NULL) \
             AND (SELECT time_zone FROM site LIMIT 1) IS NOT DISTINCT FROM ",
        );
        out.push_bind_param::<Nullable<Text>, _>(&self.zone)?;
        out.push_sql(" AND (SELECT until FROM view_windows LIMIT 1) <= ");
        out.push_bind_param::<BigInt, _>(&self.hour)?;
        out.push_sql(" + ");
        out.push_bind_param::<BigInt, _>(&SHORTEST)?;
        // The sign, as on SQLite, keeps the index on hours from being taken, which has all that was read in this hour.
        out.push_sql(" AND kept.article_id = added.article_id AND kept.public AND +kept.hour = ");
        out.push_bind_param::<BigInt, _>(&self.hour)?;
        // A level is the number of binary digits.
        out.push_sql(
            " AND 2 * (kept.views + added.views) >> kept.level = 1 \
             AND 2 * (kept.views_24h + added.views) >> kept.level_24h = 1 \
             AND 2 * (kept.views_7d + added.views) >> kept.level_7d = 1 \
             AND 2 * (kept.views_30d + added.views) >> kept.level_30d = 1 \
             RETURNING kept.article_id, kept.views",
        );
        Ok(())
    }
}

impl Query for AddAtOnce {
    type SqlType = (BigInt, BigInt);
}

impl RunQueryDsl<PgConnection> for AddAtOnce {}

/// Adds views to those articles that were read in this hour before, and that everybody sees or that are judged.
pub fn add(conn: &mut PgConnection, hour: i64, added: &BTreeMap<i64, Added>, judged: bool) -> QueryResult<Vec<Counts>> {
    let window = |of: fn([i64; 3]) -> i64| added.values().map(|added| of(added.windows)).collect();
    let update = Add {
        articles: [
            added.keys().copied().collect(),
            added.values().map(|added| added.views).collect(),
            window(|[day, _, _]| day),
            window(|[_, week, _]| week),
            window(|[_, _, month]| month),
            added.values().map(|added| added.in_hour).collect(),
        ],
        hour,
        judged,
    };
    update.load(conn)
}

#[derive(QueryId)]
struct Add {
    articles: [Vec<i64>; 6],
    hour: i64,
    judged: bool,
}

impl QueryFragment<Pg> for Add {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE article_views AS kept SET views = kept.views + added.views, \
             views_24h = kept.views_24h + added.day, views_7d = kept.views_7d + added.week, \
             views_30d = kept.views_30d + added.month, hour_views = kept.hour_views + added.in_hour FROM unnest(",
        );
        push_arrays(&mut out, &self.articles)?;
        out.push_sql(
            ") AS added (article_id, views, day, week, month, in_hour) \
             WHERE kept.article_id = added.article_id AND (kept.public OR ",
        );
        out.push_bind_param::<Bool, _>(&self.judged)?;
        out.push_sql(") AND +kept.hour = ");
        out.push_bind_param::<BigInt, _>(&self.hour)?;
        out.push_sql(
            " RETURNING kept.article_id, kept.views, kept.views_24h, kept.views_7d, kept.views_30d, \
             kept.level, kept.level_24h, kept.level_7d, kept.level_30d",
        );
        Ok(())
    }
}

impl Query for Add {
    type SqlType = CountsTypes;
}

impl RunQueryDsl<PgConnection> for Add {}

/// Adds views to hours, by article and hour.
pub fn add_to_hours(conn: &mut PgConnection, hours: &BTreeMap<(i64, i64), i64>) -> QueryResult<()> {
    let insert = AddToHours([
        hours.keys().map(|(article_id, _)| *article_id).collect(),
        hours.keys().map(|(_, hour)| *hour).collect(),
        hours.values().copied().collect(),
    ]);
    insert.execute(conn)?;
    Ok(())
}

#[derive(QueryId)]
struct AddToHours([Vec<i64>; 3]);

impl QueryFragment<Pg> for AddToHours {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("INSERT INTO views_by_hour (article_id, hour, views) SELECT * FROM unnest(");
        push_arrays(&mut out, &self.0)?;
        out.push_sql(") ON CONFLICT (article_id, hour) DO UPDATE SET views = views_by_hour.views + excluded.views");
        Ok(())
    }
}

impl RunQueryDsl<PgConnection> for AddToHours {}

/// Arrays, separated by commas.
fn push_arrays<'b>(out: &mut AstPass<'_, 'b, Pg>, arrays: &'b [Vec<i64>]) -> QueryResult<()> {
    for (place, array) in arrays.iter().enumerate() {
        if place > 0 {
            out.push_sql(", ");
        }
        out.push_bind_param::<Array<BigInt>, _>(array)?;
    }
    Ok(())
}

/// Writes the levels of articles.
pub fn set_levels(conn: &mut PgConnection, levels: &[(i64, [i32; 4])]) -> QueryResult<()> {
    let column = |of: fn([i32; 4]) -> i32| levels.iter().map(|(_, levels)| of(*levels)).collect();
    let update = SetLevels {
        articles: levels.iter().map(|(article_id, _)| *article_id).collect(),
        all: column(|[all, _, _, _]| all),
        days: column(|[_, day, _, _]| day),
        weeks: column(|[_, _, week, _]| week),
        months: column(|[_, _, _, month]| month),
    };
    update.execute(conn)?;
    Ok(())
}

#[derive(QueryId)]
struct SetLevels {
    articles: Vec<i64>,
    all: Vec<i32>,
    days: Vec<i32>,
    weeks: Vec<i32>,
    months: Vec<i32>,
}

impl QueryFragment<Pg> for SetLevels {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE article_views AS kept SET level = now.level, level_24h = now.day, level_7d = now.week, \
             level_30d = now.month FROM unnest(",
        );
        out.push_bind_param::<Array<BigInt>, _>(&self.articles)?;
        for levels in [&self.all, &self.days, &self.weeks, &self.months] {
            out.push_sql(", ");
            out.push_bind_param::<Array<Integer>, _>(levels)?;
        }
        out.push_sql(") AS now (article_id, level, day, week, month) WHERE kept.article_id = now.article_id");
        Ok(())
    }
}

impl RunQueryDsl<PgConnection> for SetLevels {}
