//! How many views are counted, and whether exactly.

pub mod bare;
mod crash;
mod one_by_one;
mod rankings;

use std::collections::HashMap;
use std::time::Duration;

use broadsheet::db::schema::{article_views, noted_views};
use broadsheet::db::{Db, Timestamp};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::fill;
use crate::http::Client;
use crate::process::Server;
use crate::report::{Report, thousands};
use crate::target::Target;
use crate::wrk::{self, Answered, Load, succeeded};
use crate::{Result, in_words};
use bare::{Kind, Running};
pub use crash::Crash;
pub use rankings::Rankings;

/// Counts views as fast as they are answered.
#[derive(clap::Args, Clone)]
pub struct Views {
    #[command(flatten)]
    target: Target,
    /// How often each load is sent; the medians are told.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How long each load is sent, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

/// Connections of each load.
const CONNECTIONS: u32 = 64;

impl Views {
    /// Fills a database of its own, and counts.
    pub async fn run(&self) -> Result<()> {
        let mut target = self.target.clone();
        target.data = target.data.join("views");
        fill::ensure(&target).await?;
        let mut report = Report::new("views", &target).await?;
        let ids = public(&target).await?;
        report.line(&format!(
            "{CONNECTIONS} connections that stay open; the window off; medians of {} rounds of {} s, side by side.",
            self.rounds, self.seconds
        ));
        let mut rows = Vec::new();
        let mut judged = Vec::new();
        for (what, articles, floor) in [
            ("one article", 1, if target.is_postgres() { 0.25 } else { 0.4 }),
            ("1,000 articles", 1_000, 0.25),
        ] {
            let paths: Vec<String> = ids.iter().take(articles).map(|id| path_of(*id)).collect();
            let measured = self.side_by_side(&target, &paths).await?;
            let [ours, atomic, single] = measured.map(|rounds| median(&rounds));
            rows.push(vec![
                what.to_owned(),
                thousands(ours.rate as u64),
                format!("{:.1}", ours.p99),
                thousands(atomic.rate as u64),
                thousands(single.rate as u64),
            ]);
            judged.push((what, ours, atomic, single, floor));
        }
        report.table(
            &[
                "",
                "counted a second",
                "p99 (ms)",
                "bare, in memory",
                "one transaction a view",
            ],
            &rows,
        );
        for (what, ours, atomic, single, floor) in judged {
            report.at_least(&format!("{what}, of the bare handler"), ours.rate / atomic.rate, floor);
            report.at_least(
                &format!("{what}, of one transaction a view"),
                ours.rate / single.rate,
                10.0,
            );
            report.at_most(&format!("{what}, p99"), ours.p99, 25.0, "ms");
        }
        self.exactly(&target, &ids, &mut report).await?;
        if target.is_postgres() {
            self.two_instances(&target, &ids, &mut report).await?;
        }
        self.visitors(&target, &ids, &mut report).await?;
        report.save(target.results.as_deref())
    }

    /// Ours, the bare handler, one transaction a view; in turn.
    async fn side_by_side(&self, target: &Target, paths: &[String]) -> Result<[Vec<Answered>; 3]> {
        let mut measured = [const { Vec::new() }; 3];
        let load = Load {
            method: "POST",
            paths,
            headers: &[],
            etags: &[],
            connections: CONNECTIONS,
            threads: 1,
            seconds: self.seconds,
        };
        for _ in 0..self.rounds {
            let [ours, atomic, single] = &mut measured;
            {
                let server = start(target, "0").await?;
                let before = stored(target).await?;
                let answered = succeeded(wrk::run(&server.origin, &load)?)?;
                // wrk hangs up in the middle of as many requests as it has connections.
                let counted = stored(target).await? - before;
                if !(answered.succeeded..=answered.succeeded + u64::from(CONNECTIONS)).contains(&counted) {
                    return Err(format!(
                        "{} views were acknowledged, {counted} are stored",
                        answered.succeeded
                    ));
                }
                ours.push(answered);
            }
            let bare = Running::start(target, Kind::Atomic).await?;
            atomic.push(succeeded(wrk::run(&bare.origin, &load)?)?);
            drop(bare);
            let bare = Running::start(target, Kind::OneByOne).await?;
            single.push(succeeded(wrk::run(&bare.origin, &load)?)?);
        }
        Ok(measured)
    }

    /// What is acknowledged is what is stored, to the last view.
    async fn exactly(&self, target: &Target, ids: &[i64], report: &mut Report) -> Result<()> {
        let server = start(target, "0").await?;
        let before = stored(target).await?;
        let acknowledged = beat(&[server.client(64)], ids, 200).await?;
        let counted = stored(target).await? - before;
        report.item(&format!("{acknowledged} views acknowledged, {counted} stored"));
        equal(acknowledged, counted)
    }

    /// The same with two servers on one database.
    async fn two_instances(&self, target: &Target, ids: &[i64], report: &mut Report) -> Result<()> {
        let (one, other) = (start(target, "0").await?, start(target, "0").await?);
        let before = stored(target).await?;
        let acknowledged = beat(&[one.client(64), other.client(64)], ids, 200).await?;
        let counted = stored(target).await? - before;
        report.item(&format!(
            "two instances: {acknowledged} views acknowledged, {counted} stored"
        ));
        equal(acknowledged, counted)
    }

    /// One visitor counts once, and ten thousand ten thousand times; also after a restart.
    async fn visitors(&self, target: &Target, ids: &[i64], report: &mut Report) -> Result<()> {
        let mut ids = ids.iter().rev();
        let mut next = || ids.next().copied().ok_or_else(|| "too few articles".to_owned());
        let (one, many) = (next()?, next()?);
        let before = stored(target).await?;
        let run = Timestamp::now().micros();
        for times in [5_000, 5_000] {
            let server = start(target, "30m").await?;
            let client = server.client(64);
            visit(&client, one, times, |_| format!("{run}")).await?;
        }
        let by_one = stored(target).await? - before;
        let server = start(target, "30m").await?;
        visit(&server.client(64), many, 10_000, |n| format!("{run}-{n}")).await?;
        let by_many = stored(target).await? - before - by_one;
        report.item(&format!(
            "10,000 requests by one visitor, over a restart: {by_one} counted; by 10,000 visitors: {by_many}"
        ));
        equal(1, by_one)?;
        equal(10_000, by_many)
    }
}

/// A server with that window.
async fn start(target: &Target, window: &str) -> Result<Server> {
    Server::start_with(target, &[("BROADSHEET_VIEW_WINDOW", window)]).await
}

fn path_of(id: i64) -> String {
    format!("/api/v1/articles/{id}/views")
}

fn equal(acknowledged: u64, stored: u64) -> Result<()> {
    if acknowledged == stored {
        return Ok(());
    }
    Err(format!("{acknowledged} expected, {stored} stored"))
}

/// Views of the articles in turn, 64 at a time from each client, `times` each; how many were acknowledged.
async fn beat(clients: &[Client], ids: &[i64], times: usize) -> Result<u64> {
    let beats = clients.iter().flat_map(|client| {
        (0..64).map(async |place: usize| {
            let mut acknowledged = 0;
            for id in ids.iter().cycle().skip(place * 7).take(times) {
                client.post(&path_of(*id), &Value::Null).await?.took()?;
                acknowledged += 1;
            }
            Ok::<u64, String>(acknowledged)
        })
    });
    join_all(beats).await.into_iter().sum()
}

async fn visit(client: &Client, id: i64, times: usize, name: impl Fn(usize) -> String) -> Result<()> {
    let name = &name;
    let beats = (0..64).map(async |place: usize| {
        for n in (0..times).skip(place).step_by(64) {
            let visitor = client.with("X-Visitor-Id", &name(n));
            visitor.post(&path_of(id), &json!({})).await?.took()?;
        }
        Ok::<(), String>(())
    });
    join_all(beats).await.into_iter().collect()
}

/// Articles that everybody sees.
async fn public(target: &Target) -> Result<Vec<i64>> {
    let server = start(target, "0").await?;
    let client = server.client(1);
    let mut ids = Vec::new();
    for page in 1..=20 {
        let path = format!("/api/v1/articles?limit=100&page={page}");
        let answer = client.get(&path).await?.json()?;
        let rows = answer
            .get("data")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        ids.extend(rows.iter().filter_map(|row| row.get("id").and_then(Value::as_i64)));
    }
    ids.truncate(1_000);
    Ok(ids)
}

/// All views that the database holds, added up or noted.
async fn stored(target: &Target) -> Result<u64> {
    let db = Db::open(&target.config()?)?;
    let views = db
        .read(|read| {
            // PostgreSQL adds up to another type.
            let all = article_views::table.select(sql::<Text>("CAST(COALESCE(SUM(views), 0) AS TEXT)"));
            let total: String = broadsheet::on_backend!(read.conn, |conn| all.get_result(conn)?);
            let noted: Vec<String> = noted_views::table.select(noted_views::views).load(read.conn)?;
            Ok((total, noted))
        })
        .await
        .map_err(in_words)?;
    db.close().await;
    let (total, noted) = views;
    let mut views: u64 = total.parse().map_err(in_words)?;
    for noted in noted {
        let noted: HashMap<i64, u64> = serde_json::from_str(&noted).map_err(in_words)?;
        views += noted.values().sum::<u64>();
    }
    Ok(views)
}

fn median(rounds: &[Answered]) -> Answered {
    let mut rounds = rounds.to_vec();
    rounds.sort_by(|one, other| one.rate.total_cmp(&other.rate));
    let none = Answered {
        succeeded: 0,
        failed: 0,
        rate: f64::NAN,
        p99: f64::NAN,
    };
    rounds.get(rounds.len() / 2).copied().unwrap_or(none)
}

/// Long enough that everything is under way.
const UNDER_WAY: Duration = Duration::from_millis(200);
