//! What was read when: the views of an article by hour or by day, with zeros where nothing was read.

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Duration, NaiveDate, Offset, TimeZone, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;

use super::model::ViewPoint;
use super::query::{Interval, Series};
use super::windows::HOUR;
use crate::db::schema::{article_views, views_by_day, views_by_hour};
use crate::db::{DbConn, Timestamp};
use crate::error::{Code, Error, Result};
use crate::web::query::TimeBound;

/// Days for which hours are kept before they become days.
pub const HOURS_KEPT: i64 = 40;

/// How many points a series may have.
const MOST_POINTS: usize = 1_000;

/// When the hour of the zone begins in which a second (since 1970) lies. Zones may be off by half an hour.
pub fn hour_of(second: i64, zone: Tz) -> i64 {
    second - (second + offset(second, zone)).rem_euclid(HOUR)
}

/// The day of the zone in which a second (since 1970) lies.
pub fn date_of(second: i64, zone: Tz) -> NaiveDate {
    let local = DateTime::from_timestamp(second + offset(second, zone), 0).unwrap_or_default();
    local.date_naive()
}

/// Counted from 1970-01-01.
pub fn number_of(date: NaiveDate) -> i32 {
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).unwrap_or(i32::MAX)
}

/// East of UTC, in seconds.
fn offset(second: i64, zone: Tz) -> i64 {
    let utc = DateTime::from_timestamp(second, 0).unwrap_or_default().naive_utc();
    i64::from(zone.offset_from_utc_datetime(&utc).fix().local_minus_utc())
}

/// The second (since 1970) at which the day of the zone begins.
fn begin_of(date: NaiveDate, zone: Tz) -> i64 {
    TimeBound::Day(date).resolve(zone).utc().timestamp()
}

/// A series of one article, as it was asked for at `now`.
pub fn series(conn: &mut DbConn, article_id: i64, asked: &Series, zone: Tz, now: Timestamp) -> Result<Vec<ViewPoint>> {
    let bound = |bound: Option<TimeBound>| bound.map(|bound| bound.resolve(zone).utc());
    let to = bound(asked.to).unwrap_or(now.utc());
    let wrong = |name: &str, message: &str| Error::at_parameter(Code::InvalidParameter, name, message);
    // The last point is the one in which the time just before the end lies.
    let last = (to - Duration::microseconds(1)).timestamp();
    // A day at either end of what a date can be would lie outside of it in some zone.
    if !(2..=9998).contains(&to.year()) {
        return Err(wrong("to", "must lie in the years 2 to 9998"));
    }
    let from = bound(asked.from).map(|from| from.timestamp());
    match asked.interval {
        Interval::Hour => {
            let last = hour_of(last, zone);
            let first = from.map_or(last - 23 * HOUR, |from| hour_of(from, zone));
            if first > last {
                return Err(wrong("to", "must be later than from"));
            }
            if first < now.utc().timestamp() - HOURS_KEPT * 24 * HOUR {
                let message = format!("hours are kept for {HOURS_KEPT} days; ask by interval=day");
                return Err(wrong("from", &message));
            }
            check_length(last - first, HOUR)?;
            let mut points = BTreeMap::new();
            let mut hour = first;
            while hour <= last {
                points.insert(hour, 0);
                // Where the clock is moved by half an hour, an hour is shorter or longer.
                hour = hour_of(hour + HOUR, zone).max(hour + HOUR / 2);
            }
            for (hour, views) in hours(conn, article_id, first, last + HOUR)? {
                if let Some(point) = points.get_mut(&hour_of(hour, zone)) {
                    *point += views;
                }
            }
            Ok(points
                .into_iter()
                .map(|(hour, views)| point(hour, zone, views))
                .collect())
        }
        Interval::Day => {
            let last = date_of(last, zone);
            let first = from.map_or(last - Duration::days(29), |from| date_of(from, zone));
            if first > last {
                return Err(wrong("to", "must be later than from"));
            }
            check_length(last.signed_duration_since(first).num_days(), 1)?;
            let mut points: BTreeMap<NaiveDate, i64> = first
                .iter_days()
                .take_while(|day| *day <= last)
                .map(|day| (day, 0))
                .collect();
            let end = begin_of(last.succ_opt().unwrap_or(last), zone);
            let by_hour = hours(conn, article_id, begin_of(first, zone), end)?
                .into_iter()
                .map(|(hour, views)| (date_of(hour, zone), views));
            let by_day = days(conn, article_id, number_of(first), number_of(last))?
                .into_iter()
                .map(|(day, views)| (NaiveDate::default() + Duration::days(i64::from(day)), views));
            for (day, views) in by_hour.chain(by_day) {
                if let Some(point) = points.get_mut(&day) {
                    *point += views;
                }
            }
            let point = |(day, views)| point(begin_of(day, zone), zone, views);
            Ok(points.into_iter().map(point).collect())
        }
    }
}

fn check_length(span: i64, step: i64) -> Result<()> {
    if usize::try_from(span / step).is_ok_and(|steps| steps < MOST_POINTS) {
        return Ok(());
    }
    let message = format!("at most {MOST_POINTS} points from there to the end");
    Err(Error::at_parameter(Code::InvalidParameter, "from", message))
}

fn point(second: i64, zone: Tz, views: i64) -> ViewPoint {
    let start: DateTime<Utc> = DateTime::from_timestamp(second, 0).unwrap_or_default();
    ViewPoint {
        start: start.into(),
        date: date_of(second, zone),
        views,
    }
}

/// The views of hours that begin from `from` to before `to`.
fn hours(conn: &mut DbConn, article_id: i64, from: i64, to: i64) -> QueryResult<Vec<(i64, i64)>> {
    let mut hours: Vec<(i64, i64)> = views_by_hour::table
        .filter(views_by_hour::article_id.eq(article_id))
        .filter(views_by_hour::hour.ge(from).and(views_by_hour::hour.lt(to)))
        .select((views_by_hour::hour, views_by_hour::views))
        .load(conn)?;
    // The last one in which it was read, which has no row of its own yet.
    let last: Option<(i64, i64)> = article_views::table
        .find(article_id)
        .filter(article_views::hour.ge(from).and(article_views::hour.lt(to)))
        .select((article_views::hour, article_views::hour_views))
        .first(conn)
        .optional()?;
    hours.extend(last);
    Ok(hours)
}

/// The views of days from `first` to `last`, as far as they were made of hours.
fn days(conn: &mut DbConn, article_id: i64, first: i32, last: i32) -> QueryResult<Vec<(i32, i64)>> {
    views_by_day::table
        .filter(views_by_day::article_id.eq(article_id))
        .filter(views_by_day::day.ge(first).and(views_by_day::day.le(last)))
        .select((views_by_day::day, views_by_day::views))
        .load(conn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::{Asia, Australia};

    fn second(text: &str) -> i64 {
        Timestamp::parse(text).unwrap().utc().timestamp()
    }

    #[test]
    fn hours_begin_where_the_clocks_of_the_zone_say_so() {
        let at = second("2026-01-13T04:31:54Z");
        assert_eq!(hour_of(at, Asia::Shanghai), second("2026-01-13T04:00:00Z"));
        assert_eq!(hour_of(at, Asia::Kolkata), second("2026-01-13T04:30:00Z"));
        assert_eq!(hour_of(at, Asia::Kathmandu), second("2026-01-13T04:15:00Z"));
        assert_eq!(hour_of(-1, Asia::Shanghai), -3_600);
    }

    #[test]
    fn days_begin_at_the_midnight_of_the_zone() {
        assert_eq!(
            date_of(second("2026-01-12T16:00:00Z"), Asia::Shanghai),
            NaiveDate::from_ymd_opt(2026, 1, 13).unwrap()
        );
        assert_eq!(
            date_of(second("2026-01-12T15:59:59Z"), Asia::Shanghai),
            NaiveDate::from_ymd_opt(2026, 1, 12).unwrap()
        );
        assert_eq!(number_of(NaiveDate::from_ymd_opt(1970, 1, 2).unwrap()), 1);
        // Summer time begins there at two o'clock, by half an hour.
        let day = NaiveDate::from_ymd_opt(2026, 10, 4).unwrap();
        assert_eq!(begin_of(day, Australia::Lord_Howe), second("2026-10-03T13:30:00Z"));
    }
}
