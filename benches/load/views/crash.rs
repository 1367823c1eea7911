//! Whether a server that is killed among views has lost one that it acknowledged, or made one up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use serde_json::Value;

use super::{UNDER_WAY, path_of, public, start, stored};
use crate::fill;
use crate::report::Report;
use crate::target::Target;
use crate::{Result, in_words};

/// Kills a server again and again.
#[derive(clap::Args, Clone)]
pub struct Crash {
    #[command(flatten)]
    target: Target,
    /// How often.
    #[arg(long, default_value_t = 20)]
    times: u64,
}

impl Crash {
    /// Fills a database of its own, and kills.
    pub async fn run(&self) -> Result<()> {
        let mut target = self.target.clone();
        target.data = target.data.join("views");
        fill::ensure(&target).await?;
        let mut report = Report::new("views-crash", &target).await?;
        let ids: Arc<[i64]> = public(&target).await?.into();
        let mut rng = Rng::with_seed(target.seed);
        let (mut good, mut all, mut more) = (0, 0, 0);
        for round in 1..=self.times {
            let before = stored(&target).await?;
            let mut server = start(&target, "0").await?;
            let client = server.client(64);
            let stopped = Arc::new(AtomicBool::new(false));
            let (acknowledged, attempted) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
            let clients = (0..64).map(|place| {
                let (client, ids, stopped) = (client.clone(), Arc::clone(&ids), Arc::clone(&stopped));
                let (acknowledged, attempted) = (Arc::clone(&acknowledged), Arc::clone(&attempted));
                actix_web::rt::spawn(async move {
                    for id in ids.iter().cycle().skip(place * 13) {
                        if stopped.load(Ordering::Relaxed) {
                            return;
                        }
                        attempted.fetch_add(1, Ordering::Relaxed);
                        let Ok(answer) = client.post(&path_of(*id), &Value::Null).await else {
                            return;
                        };
                        acknowledged.fetch_add(u64::from(answer.is_success()), Ordering::Relaxed);
                    }
                })
            });
            let clients: Vec<_> = clients.collect();
            actix_web::rt::time::sleep(UNDER_WAY + Duration::from_millis(rng.u64(0..800))).await;
            server.kill()?;
            stopped.store(true, Ordering::Relaxed);
            for outcome in join_all(clients).await {
                outcome.map_err(in_words)?;
            }
            let counted = stored(&target).await? - before;
            let (acknowledged, attempted) = (acknowledged.load(Ordering::Relaxed), attempted.load(Ordering::Relaxed));
            if (acknowledged..=attempted).contains(&counted) {
                good += 1;
            } else {
                report.item(&format!(
                    "round {round}: {acknowledged} acknowledged, {counted} stored, {attempted} attempted"
                ));
            }
            all += acknowledged;
            more += counted.saturating_sub(acknowledged);
        }
        report.line(&format!(
            "Killed {} times among 64 clients ({all} views acknowledged, {more} more stored that could not be answered): \
             {good} of {} times nothing was lost or made up.",
            self.times, self.times
        ));
        report.save(target.results.as_deref())?;
        if good == self.times {
            return Ok(());
        }
        Err(format!(
            "{} of {} times the views were wrong",
            self.times - good,
            self.times
        ))
    }
}
