//! Queries of what time does to views.

use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Integer};

use super::begin_hour;
use crate::db::schema::{article_views, view_salts, view_windows, views_by_hour};
use crate::db::{self, DbConn, Tx};
use crate::views::visitor::NAMED_SALT;
use crate::views::windows::{HOUR, SHORTEST, WINDOWS};

/// How many rows are moved or forgotten in one transaction.
const SOME: i64 = 1_000;

/// What stands beside the counts of an article that was not read lately, instead of an hour.
const NO_HOUR: i64 = 0;

/// Moves windows on to `until` (a second since 1970 at which an hour begins), by one hour with views at most; whether
/// there is more to do. If the clock was ahead once, they move back. Hours that are old enough to leave a window are put
/// away first, for windows move by the rows of hours.
pub fn move_windows(tx: &mut Tx<'_>, until: i64) -> QueryResult<bool> {
    let before: i64 = view_windows::table.select(view_windows::until).first(tx.conn)?;
    // The clocks of instances differ a little.
    if (before - HOUR..=before).contains(&until) {
        return Ok(false);
    }
    // No window moves over a later hour, in either direction.
    if put_away(tx, until.max(before) - SHORTEST)? {
        return Ok(true);
    }
    let next = if until < before {
        log::warn!(
            "the clock was ahead by {} hours: rankings go back with it",
            (before - until) / HOUR
        );
        until
    } else {
        // The next hour with views that leaves a window.
        let mut next = until;
        for window in WINDOWS {
            let first: Option<i64> = views_by_hour::table
                .filter(views_by_hour::hour.ge(before - window.seconds))
                .order(views_by_hour::hour)
                .select(views_by_hour::hour)
                .first(tx.conn)
                .optional()?;
            next = first.map_or(next, |first| next.min(first + window.seconds + HOUR));
        }
        next.clamp((before + HOUR).min(until), until)
    };
    for window in WINDOWS {
        let bounds = (before - window.seconds, next - window.seconds);
        if next > before {
            shift(tx, window.name, '-', bounds)?;
        } else {
            shift(tx, window.name, '+', (bounds.1, bounds.0))?;
        }
    }
    diesel::update(view_windows::table)
        .set(view_windows::until.eq(next))
        .execute(tx.conn)?;
    Ok(next != until)
}

/// Makes rows of some of the hours that stand beside counts and began before that second; whether there may be more.
fn put_away(tx: &mut Tx<'_>, before: i64) -> QueryResult<bool> {
    let some: Vec<i64> = article_views::table
        .filter(article_views::hour.gt(NO_HOUR).and(article_views::hour.lt(before)))
        .order(article_views::hour)
        .select(article_views::article_id)
        .limit(SOME)
        .load(tx.conn)?;
    if !some.is_empty() {
        begin_hour(tx, NO_HOUR, &some)?;
    }
    Ok(i64::try_from(some.len()).is_ok_and(|rows| rows >= SOME))
}

/// Takes hours out of a window, or back into it; levels with them. Names and numbers are from this source alone.
fn shift(tx: &mut Tx<'_>, window: &str, sign: char, (from, to): (i64, i64)) -> QueryResult<()> {
    // PostgreSQL adds up to another type.
    let update = sql_query(format!(
        "UPDATE article_views SET views_{window} = views_{window} {sign} past.views \
         FROM (SELECT article_id AS id, CAST(SUM(views) AS BIGINT) AS views FROM views_by_hour \
         WHERE hour >= {from} AND hour < {to} GROUP BY article_id) AS past \
         WHERE article_id = past.id RETURNING article_id, views_{window} AS count, level_{window} AS level",
    ));
    let moved: Vec<Moved> = crate::on_backend!(tx.conn, |conn| update.load(conn)?);
    let mut levels: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    for Moved {
        article_id,
        count,
        level,
    } in moved
    {
        if db::level(count) != level {
            levels.entry(db::level(count)).or_default().push(article_id.to_string());
        }
    }
    for (level, ids) in levels {
        let ids = ids.join(", ");
        let update = sql_query(format!(
            "UPDATE article_views SET level_{window} = {level} WHERE article_id IN ({ids})"
        ));
        crate::on_backend!(tx.conn, |conn| update.execute(conn)?);
    }
    Ok(())
}

#[derive(QueryableByName)]
struct Moved {
    #[diesel(sql_type = BigInt)]
    article_id: i64,
    #[diesel(sql_type = BigInt)]
    count: i64,
    #[diesel(sql_type = Integer)]
    level: i32,
}

/// The oldest hour of which there are views, if it lies before that second.
pub fn oldest_hour(tx: &mut Tx<'_>, before: i64) -> QueryResult<Option<i64>> {
    views_by_hour::table
        .filter(views_by_hour::hour.lt(before))
        .order(views_by_hour::hour)
        .select(views_by_hour::hour)
        .first(tx.conn)
        .optional()
}

/// Lets some views of an hour become part of a day.
pub fn roll_up(tx: &mut Tx<'_>, hour: i64, day: i32) -> QueryResult<()> {
    let of_hour = views_by_hour::table.filter(views_by_hour::hour.eq(hour));
    let last: Option<i64> = of_hour
        .order(views_by_hour::article_id)
        .select(views_by_hour::article_id)
        .offset(SOME - 1)
        .first(tx.conn)
        .optional()?;
    let some = format!("hour = {hour} AND article_id <= {}", last.unwrap_or(i64::MAX));
    if let DbConn::Postgres(conn) = tx.conn {
        // Or an article that is deleted meanwhile could wait for this, and this for it.
        let held = format!(
            "SELECT 1 FROM article_views WHERE article_id IN (SELECT article_id FROM views_by_hour WHERE {some}) \
             ORDER BY article_id FOR KEY SHARE"
        );
        sql_query(held).execute(conn)?;
    }
    for step in [
        format!(
            "INSERT INTO views_by_day (article_id, day, views) \
             SELECT article_id, {day}, views FROM views_by_hour WHERE {some} \
             ON CONFLICT (article_id, day) DO UPDATE SET views = views_by_day.views + excluded.views",
        ),
        format!("DELETE FROM views_by_hour WHERE {some}"),
    ] {
        crate::on_backend!(tx.conn, |conn| sql_query(step).execute(conn)?);
    }
    Ok(())
}

/// Forgets the salts of days before that one.
pub fn forget_salts(tx: &mut Tx<'_>, before: i32) -> QueryResult<()> {
    let old = view_salts::day.lt(before).and(view_salts::day.ne(NAMED_SALT));
    diesel::delete(view_salts::table.filter(old)).execute(tx.conn)?;
    Ok(())
}

/// Forgets some of who was counted before that day; whether there may be more.
pub fn forget_counted(tx: &mut Tx<'_>, named: bool, before: i32) -> QueryResult<bool> {
    // By a range of the key: row by row, SQLite would look through the whole day for each.
    const KEY: &str = "day, visitor, article_id, viewed_at";
    const LAST: &str = "day DESC, visitor DESC, article_id DESC, viewed_at DESC";
    forget(
        tx,
        &format!(
            "DELETE FROM counted_views WHERE named = {named} AND ({KEY}) <= \
             (SELECT {KEY} FROM (SELECT {KEY} FROM counted_views WHERE named = {named} AND day < {before} \
             ORDER BY {KEY} LIMIT {SOME}) AS oldest ORDER BY {LAST} LIMIT 1)",
        ),
    )
}

/// Forgets some of the events before that microsecond; whether there may be more.
pub fn forget_events(tx: &mut Tx<'_>, before: i64) -> QueryResult<bool> {
    forget(
        tx,
        &format!(
            "DELETE FROM view_events WHERE event_id IN \
             (SELECT event_id FROM view_events WHERE viewed_at < {before} LIMIT {SOME})",
        ),
    )
}

fn forget(tx: &mut Tx<'_>, delete: &str) -> QueryResult<bool> {
    let forgotten = crate::on_backend!(tx.conn, |conn| sql_query(delete).execute(conn)?);
    Ok(i64::try_from(forgotten).is_ok_and(|rows| rows >= SOME))
}
