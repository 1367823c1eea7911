//! How fast finished answers are sent, beside a bare handler that has the same bytes; and what that costs in memory.

use std::time::Instant;

use serde_json::Value;

use crate::bare;
use crate::by_hand::Much;
use crate::fill;
use crate::http::Client;
use crate::process::Server;
use crate::report::Report;
use crate::target::Target;
use crate::wrk::{median, reads};
use crate::{Result, in_words};

/// Settings of a server that keeps answers.
pub const CACHED: &[(&str, &str)] = &[("BROADSHEET_CACHE_BYTES", "64MiB")];

/// Measures reading from the cache.
#[derive(clap::Args, Clone)]
pub struct Read {
    #[command(flatten)]
    target: Target,
    /// How many addresses the load goes round.
    #[arg(long, default_value_t = 1_000)]
    addresses: usize,
    /// How long each run lasts, in seconds.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How many runs there are of each; the one in the middle counts.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

/// Something that is read.
struct Kind {
    name: &'static str,
    paths: Vec<String>,
    coding: Option<&'static str>,
    etags: Vec<String>,
    least: f64,
}

impl Read {
    /// Measures everything.
    pub async fn run(&self) -> Result<()> {
        let target = &self.target;
        fill::ensure(target).await?;
        let mut report = Report::new("read", target).await?;
        let begun = Instant::now();
        let server = Server::start_with(target, CACHED).await?;
        report.at_most(
            "start to first answer",
            begun.elapsed().as_secs_f64() * 1_000.0,
            300.0,
            "ms",
        );
        let client = server.client(8);
        let newest = slugs(&client, self.addresses).await?;
        let articles: Vec<String> = newest
            .iter()
            .map(|slug| format!("/api/v1/articles/by-slug/{slug}"))
            .collect();
        let lists: Vec<String> = (0..self.addresses)
            .map(|number| format!("/api/v1/articles?limit=20&page={}", number % 500 + 1))
            .collect();
        let mut bytes = 0;
        for path in articles.iter().take(100) {
            bytes += client.get(path).await?.length();
        }
        report.item(&format!("an article is {} bytes in the mean, plain", bytes / 100));
        let etags = etags(&server.origin, &articles).await?;
        drop(server);
        let kind = |name, paths: &Vec<String>, coding, least| Kind {
            name,
            paths: paths.clone(),
            coding,
            etags: Vec::new(),
            least,
        };
        let kinds = [
            kind("article by slug", &articles, None, 0.8),
            kind("article by slug, gzip", &articles, Some("gzip"), 0.9),
            kind("article by slug, br", &articles, Some("br"), 0.9),
            Kind {
                etags,
                ..kind("article by slug, 304", &articles, None, 0.9)
            },
            kind("list of 20", &lists, None, 0.8),
            kind("list of 20, gzip", &lists, Some("gzip"), 0.9),
        ];
        let mut rows = Vec::new();
        let mut bars = Vec::new();
        for kind in &kinds {
            let headers: Vec<(&str, &str)> = kind.coding.iter().map(|coding| ("Accept-Encoding", *coding)).collect();
            let (mut ours, mut floor) = (Vec::new(), Vec::new());
            let mut p99 = Vec::new();
            for round in 0..self.rounds {
                // How its memory happens to lie makes one process a few percent faster than another, for all its life.
                let server = Server::start_with(target, CACHED).await?;
                let bare = bare::Running::start(&server.origin, &kind.paths, None).await?;
                // Once unmeasured, so that every form is made.
                for origin in [&server.origin, &bare.origin] {
                    reads(origin, &kind.paths, &headers, &kind.etags, 1)?;
                }
                // Now one goes first, now the other: what else the machine does changes while they run.
                for own in [round % 2 == 1, round % 2 == 0] {
                    let origin = if own { &server.origin } else { &bare.origin };
                    let answered = reads(origin, &kind.paths, &headers, &kind.etags, self.seconds)?;
                    if own {
                        ours.push(answered.rate);
                        p99.push(answered.p99);
                    } else {
                        floor.push(answered.rate);
                    }
                }
            }
            let (ours, floor) = (median(ours), median(floor));
            rows.push(vec![
                kind.name.to_owned(),
                format!("{ours:.0}"),
                format!("{floor:.0}"),
                format!("{:.2}", ours / floor),
                format!("{:.1}", median(p99)),
            ]);
            bars.push((kind.name.to_owned(), ours / floor));
            report.at_least(kind.name, ours / floor, kind.least);
        }
        report.line(&format!(
            "32 connections, {} addresses in turn, {} runs of {} s each, of new processes each time, the median; answers a second",
            self.addresses, self.rounds, self.seconds
        ));
        report.table(&["what", "Broadsheet", "bare actix-web", "ratio", "p99 ms"], &rows);
        report.bars("share of the bare handler", &bars);

        // One that has answered nothing else.
        let server = Server::start_with(target, CACHED).await?;
        let client = server.client(4);
        let many = slugs(&client, 10_000.min(target.articles as usize * 9 / 10)).await?;
        let many: Vec<String> = many
            .iter()
            .map(|slug| format!("/api/v1/articles/by-slug/{slug}"))
            .collect();
        let one = reads(
            &server.origin,
            &many,
            &[("Accept-Encoding", "gzip")],
            &[],
            self.seconds * 6,
        )?;
        report.item(&format!(
            "{} different articles, gzip, for {} s: {:.0} a second; memory of the server after it: {}",
            many.len(),
            self.seconds * 6,
            one.rate,
            server.memory()
        ));
        drop(server);

        let server = Server::start(target).await?;
        let articles: Vec<String> = articles.into_iter().take(self.addresses).collect();
        let mut rows = Vec::new();
        for (name, paths, by_hand) in [
            ("article by slug", &articles, !target.is_postgres()),
            ("list of 20", &lists, false),
        ] {
            let file = target.folder().join("broadsheet.db");
            let mut others = Vec::new();
            for much in [Much::Whole, Much::Written, Much::Row].into_iter().filter(|_| by_hand) {
                others.push(bare::Running::start(&server.origin, paths, Some((&file, much))).await?);
            }
            let origins: Vec<&String> = std::iter::once(&server.origin)
                .chain(others.iter().map(|other| &other.origin))
                .collect();
            let mut rates = vec![Vec::new(); origins.len()];
            for round in 0..self.rounds {
                let mut turns: Vec<(&&String, &mut Vec<f64>)> = origins.iter().zip(&mut rates).collect();
                if round % 2 == 1 {
                    turns.reverse();
                }
                for (origin, rates) in turns {
                    // Once unmeasured: threads that had nothing to do for a while are gone, and their connections with them.
                    reads(origin, paths, &[], &[], 1)?;
                    rates.push(reads(origin, paths, &[], &[], self.seconds)?.rate);
                }
            }
            let mut rates = rates.into_iter().map(median);
            let ours = rates.next().unwrap_or(f64::NAN);
            let theirs: Vec<f64> = rates.collect();
            let whats = [
                "of a handler by hand",
                "of one that selects the row and writes the answer",
                "of one that only selects the row",
            ];
            for (what, rate) in whats.into_iter().zip(&theirs) {
                report.at_least(&format!("article by slug without the cache, {what}"), ours / rate, 0.8);
            }
            let mut row = vec![name.to_owned(), format!("{ours:.0}")];
            let shown = theirs.iter().map(|rate| format!("{rate:.0} ({:.2})", ours / rate));
            row.extend(shown.chain(std::iter::repeat("–".to_owned())).take(3));
            rows.push(row);
        }
        report.line(
            "Without the cache, beside three handlers by hand with rusqlite: one that reads all that the answer is made of and \
             writes it; one that selects the row, the body and the view number, has what stands around the article in memory, \
             and writes the answer; and one that selects the row and the body and has the answer in memory (in brackets: ours \
             by theirs)",
        );
        report.table(
            &[
                "what",
                "Broadsheet",
                "by hand",
                "by hand, row written",
                "by hand, row alone",
            ],
            &rows,
        );
        report.save(target.results.as_deref())
    }
}

/// The slugs of the newest articles, as they stand in addresses.
pub async fn slugs(client: &Client, wanted: usize) -> Result<Vec<String>> {
    let mut slugs = Vec::new();
    let mut next = Some("/api/v1/articles?limit=100".to_owned());
    while let Some(path) = next.filter(|_| slugs.len() < wanted) {
        let page = client.get(&path).await?.json()?;
        let rows = page.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
        slugs.extend(rows.iter().filter_map(|row| {
            let slug = row.get("slug")?.as_str()?;
            Some(percent_encoding::utf8_percent_encode(slug, percent_encoding::NON_ALPHANUMERIC).to_string())
        }));
        next = page.pointer("/links/next").and_then(Value::as_str).map(str::to_owned);
    }
    slugs.truncate(wanted);
    Ok(slugs)
}

async fn etags(origin: &str, paths: &[String]) -> Result<Vec<String>> {
    let http = awc::Client::default();
    let mut etags = Vec::new();
    for path in paths {
        let mut answer = http.get(format!("{origin}{path}")).send().await.map_err(in_words)?;
        let etag = answer.headers().get("etag").and_then(|etag| etag.to_str().ok());
        etags.push(etag.unwrap_or_default().to_owned());
        answer.body().limit(32 << 20).await.map_err(in_words)?;
    }
    Ok(etags)
}
