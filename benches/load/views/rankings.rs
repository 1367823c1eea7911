//! How long a ranking takes on a site that has been read for a year.

use std::ops::Range;
use std::time::Duration;

use broadsheet::db::schema::{article_views, view_windows, views_by_day, views_by_hour};
use broadsheet::db::{Db, Timestamp};
use broadsheet::views::upkeep;
use diesel::prelude::*;
use fastrand::Rng;

use super::start;
use crate::fill;
use crate::report::{Report, Times};
use crate::target::Target;
use crate::{Result, in_words};

/// Ranks.
#[derive(clap::Args, Clone)]
pub struct Rankings {
    #[command(flatten)]
    target: Target,
    /// How many days the site has been read.
    #[arg(long, default_value_t = 365)]
    days: i64,
    /// How often each ranking is asked for.
    #[arg(long, default_value_t = 100)]
    times: u32,
}

/// In how many hours of a day an article is read.
const HOURS_A_DAY: usize = 4;

/// Days that are written as hours: a few more than are kept, which then become days as they always do. The days before are
/// written as what they would have become.
const DAYS_OF_HOURS: i64 = 42;

impl Rankings {
    /// Fills a database of its own with articles and a year of views, and asks.
    pub async fn run(&self) -> Result<()> {
        let mut target = self.target.clone();
        target.data = target.data.join("rankings");
        fill::ensure(&target).await?;
        self.read_for_a_year(&target).await?;
        let mut report = Report::new("rankings", &target).await?;
        let server = start(&target, "0").await?;
        let client = server.client(1);
        let mut rows = Vec::new();
        let mut of_a_week = f64::NAN;
        for query in [
            "window=24h",
            "window=7d",
            "window=30d",
            "window=all",
            "window=7d&limit=100",
            "window=7d&category=c3",
        ] {
            let path = format!("/api/v1/rankings/views?{query}");
            let mut times = Times::default();
            for _ in 0..self.times {
                times.add(client.get(&path).await?.took()?);
            }
            if query == "window=7d" {
                of_a_week = times.percentile(0.5);
            }
            rows.push([vec![query.to_owned()], times.cells().to_vec()].concat());
        }
        report.line(&format!(
            "Each article read in {HOURS_A_DAY} hours of each of {} days; milliseconds until the last byte, one client.",
            self.days
        ));
        report.table(&["ranking", "measured", "p50", "p95", "p99", "max"], &rows);
        report.at_most("of a week, p50", of_a_week, 10.0, "ms");
        report.save(target.results.as_deref())
    }

    /// Writes the hours of a year, and lets time do with them what it does.
    async fn read_for_a_year(&self, target: &Target) -> Result<()> {
        let config = target.config()?;
        let db = Db::open(&config)?;
        // Windows are moved on last: what there is without that is of a run that was broken off.
        let until: i64 = db
            .write(|tx| {
                let until = view_windows::table.select(view_windows::until).first(tx.conn)?;
                if until == 0 {
                    diesel::delete(views_by_day::table).execute(tx.conn)?;
                    diesel::delete(views_by_hour::table).execute(tx.conn)?;
                    diesel::update(article_views::table)
                        .set((article_views::hour.eq(0), article_views::hour_views.eq(0)))
                        .execute(tx.conn)?;
                }
                Ok(until)
            })
            .await
            .map_err(in_words)?;
        if until == 0 {
            let now = Timestamp::now();
            let this_hour = now.utc().timestamp().div_euclid(3_600) * 3_600;
            let articles = i64::try_from(target.articles).map_err(in_words)?;
            let mut rng = Rng::with_seed(target.seed);
            write_days(&db, articles, this_hour, DAYS_OF_HOURS..self.days).await?;
            for day in (0..self.days.min(DAYS_OF_HOURS)).rev() {
                let mut rows = Vec::new();
                for article in 1..=articles {
                    for hour in rng.choose_multiple(0..24_i64, HOURS_A_DAY) {
                        rows.push((
                            article,
                            this_hour - day * 86_400 - hour * 3_600,
                            views_an_hour(article, articles),
                        ));
                    }
                }
                db.write(move |tx| {
                    for rows in rows.chunks(5_000) {
                        let rows: Vec<_> = rows
                            .iter()
                            .map(|(article, hour, views)| {
                                (
                                    views_by_hour::article_id.eq(article),
                                    views_by_hour::hour.eq(hour),
                                    views_by_hour::views.eq(views),
                                )
                            })
                            .collect();
                        broadsheet::on_backend!(tx.conn, |conn| diesel::insert_into(views_by_hour::table)
                            .values(&rows)
                            .execute(conn)?);
                    }
                    Ok(())
                })
                .await
                .map_err(in_words)?;
            }
            // As if the views had been counted as they came: all of them in every window, which then move on.
            db.write(move |tx| {
                diesel::update(view_windows::table)
                    .set(view_windows::until.eq(this_hour))
                    .execute(tx.conn)?;
                for (window, seconds) in [("24h", 86_400), ("7d", 7 * 86_400), ("30d", 30 * 86_400)] {
                    let from = this_hour - seconds;
                    let update = diesel::sql_query(format!(
                        "UPDATE article_views SET views_{window} = (SELECT COALESCE(CAST(SUM(views) AS BIGINT), 0) \
                         FROM views_by_hour WHERE views_by_hour.article_id = article_views.article_id AND hour >= {from})"
                    ));
                    broadsheet::on_backend!(tx.conn, |conn| update.execute(conn)?);
                    for level in 1..40 {
                        let (least, below) = (1_i64 << (level - 1), 1_i64 << level);
                        let update = diesel::sql_query(format!(
                            "UPDATE article_views SET level_{window} = {level} \
                             WHERE views_{window} >= {least} AND views_{window} < {below}"
                        ));
                        broadsheet::on_backend!(tx.conn, |conn| update.execute(conn)?);
                    }
                }
                Ok(())
            })
            .await
            .map_err(in_words)?;
            let begun = std::time::Instant::now();
            upkeep::catch_up(&db, config.time_zone, now).await.map_err(in_words)?;
            let took: Duration = begun.elapsed();
            println!("hours became days in {:.1} s", took.as_secs_f64());
        }
        db.close().await;
        Ok(())
    }
}

/// How often an article is read in an hour: a few are read much.
fn views_an_hour(article: i64, articles: i64) -> i64 {
    1 + 10_000 / (article * 7_919 % articles + 1) / 24
}

/// Writes what became of the hours of days that lie so many days before that second; article by article, as they lie in the
/// table.
async fn write_days(db: &Db, articles: i64, second: i64, ago: Range<i64>) -> Result<()> {
    let hours = i64::try_from(HOURS_A_DAY).map_err(in_words)?;
    let last = i32::try_from(second.div_euclid(86_400)).map_err(in_words)?;
    let days: Vec<i32> = ago
        .rev()
        .filter_map(|ago| Some(last - i32::try_from(ago).ok()?))
        .collect();
    for article in 1..=articles {
        let views = hours * views_an_hour(article, articles);
        let rows: Vec<_> = days
            .iter()
            .map(|day| {
                (
                    views_by_day::article_id.eq(article),
                    views_by_day::day.eq(*day),
                    views_by_day::views.eq(views),
                )
            })
            .collect();
        db.write(move |tx| {
            broadsheet::on_backend!(tx.conn, |conn| diesel::insert_into(views_by_day::table)
                .values(&rows)
                .execute(conn)?);
            Ok(())
        })
        .await
        .map_err(in_words)?;
    }
    Ok(())
}
