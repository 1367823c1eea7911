//! Noting searches beside the requests: in memory first, written together a moment later.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use tokio::runtime::Handle;

use super::model::{Noted, folded};
use super::store;
use crate::db::{Db, Lane, Timestamp};
use crate::error::Result;

/// How long a search waits in memory. What a crash loses is a count of so many seconds.
const WAIT: Duration = Duration::from_secs(2);

/// How many different queries wait at most; those beyond are left out, and the log says so.
const DISTINCT: usize = 5_000;

/// How long searches are kept, in days.
const KEPT: u64 = 90;

/// How often old ones are looked for.
const CLEANING: Duration = Duration::from_secs(3_600);

/// Notes searches. Cheap to clone.
#[derive(Clone)]
pub struct QueryLog {
    db: Db,
    waiting: Arc<Mutex<Waiting>>,
    /// Held while what waited is written, so that a stop does not go past it.
    writing: Arc<tokio::sync::Mutex<Option<Instant>>>,
    /// The runtime that lives as long as the server; a worker's ends with the worker.
    runtime: Handle,
}

#[derive(Default)]
struct Waiting {
    /// By day and folded query.
    queries: HashMap<(NaiveDate, String), Counts>,
    left_out: u64,
    /// Whether a task will come for them.
    expected: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counts {
    searches: i64,
    without_answer: i64,
    last_total: i64,
    last_searched_at: Timestamp,
}

impl Waiting {
    /// Adds counts to those of the same query and day; tells whether there was room.
    fn add(&mut self, key: (NaiveDate, String), counts: Counts) -> bool {
        if let Some(known) = self.queries.get_mut(&key) {
            known.searches += counts.searches;
            known.without_answer += counts.without_answer;
            if counts.last_searched_at >= known.last_searched_at {
                known.last_total = counts.last_total;
                known.last_searched_at = counts.last_searched_at;
            }
            return true;
        }
        if self.queries.len() >= DISTINCT {
            return false;
        }
        self.queries.insert(key, counts);
        true
    }
}

impl QueryLog {
    /// A log in this database, on the present runtime.
    pub fn new(db: Db) -> Self {
        Self {
            db,
            waiting: Arc::default(),
            writing: Arc::default(),
            runtime: Handle::current(),
        }
    }

    /// Notes a search that found `total` articles at `now`, on the day that it was in `zone`.
    pub fn note(&self, typed: &str, total: i64, now: Timestamp, zone: Tz) {
        let query = folded(typed);
        if query.is_empty() {
            return;
        }
        let counts = Counts {
            searches: 1,
            without_answer: i64::from(total == 0),
            last_total: total,
            last_searched_at: now,
        };
        let mut waiting = self.lock();
        let day = now.utc().with_timezone(&zone).date_naive();
        if !waiting.add((day, query), counts) {
            waiting.left_out += 1;
            return;
        }
        if !std::mem::replace(&mut waiting.expected, true) {
            let log = self.clone();
            self.runtime.spawn(async move {
                tokio::time::sleep(WAIT).await;
                log.flush().await;
            });
        }
    }

    /// The lock is never held over a panic: what it guards is counted and moved, no more.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what waits, and once an hour takes out what is old. What cannot be written waits on.
    pub async fn flush(&self) {
        let mut cleaned = self.writing.lock().await;
        let taken = std::mem::take(&mut *self.lock());
        if taken.left_out > 0 {
            log::warn!(
                "{} searches were not noted: more than {DISTINCT} different ones in {} seconds",
                taken.left_out,
                WAIT.as_secs()
            );
        }
        if taken.queries.is_empty() {
            return;
        }
        let mut noted: Vec<Noted> = taken
            .queries
            .iter()
            .map(|((day, query), counts)| Noted {
                day: day.to_string(),
                query: query.clone(),
                searches: counts.searches,
                without_answer: counts.without_answer,
                last_total: counts.last_total,
                last_searched_at: counts.last_searched_at.to_rfc3339_micros(),
            })
            .collect();
        // In one order everywhere, or two instances could wait for each other's rows.
        noted.sort_unstable_by(|a, b| (&a.day, &a.query).cmp(&(&b.day, &b.query)));
        let written = self
            .db
            .write_in(Lane::Views, move |tx| store::add(tx.conn, &noted))
            .await;
        if let Err(error) = written {
            log::warn!("searches wait to be noted: {error}");
            let mut waiting = self.lock();
            for (key, counts) in taken.queries {
                if !waiting.add(key, counts) {
                    waiting.left_out += 1;
                }
            }
            return;
        }
        if cleaned.is_none_or(|at| at.elapsed() >= CLEANING) {
            *cleaned = Some(Instant::now());
            if let Err(error) = self.clean().await {
                log::warn!("old searches were not removed: {error}");
            }
        }
    }

    /// Takes out what is old, each part in a transaction of its own, so that no view waits long.
    async fn clean(&self) -> Result<()> {
        loop {
            let removed = self
                .db
                .write_in(Lane::Views, |tx| {
                    let first = tx.now.utc().date_naive() - Days::new(KEPT);
                    Ok(store::remove_before(tx.conn, &first.to_string())?)
                })
                .await?;
            if removed < store::PART {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(second: i64, total: i64) -> Counts {
        Counts {
            searches: 1,
            without_answer: i64::from(total == 0),
            last_total: total,
            last_searched_at: Timestamp::from_micros(second * 1_000_000).unwrap(),
        }
    }

    #[test]
    fn the_latest_search_says_what_was_found_last() {
        let key = (NaiveDate::default(), "小米".to_owned());
        let mut waiting = Waiting::default();
        for counts in [counts(1, 5), counts(3, 0), counts(2, 7)] {
            assert!(waiting.add(key.clone(), counts));
        }
        let expected = Counts {
            searches: 3,
            without_answer: 1,
            ..counts(3, 0)
        };
        assert_eq!(waiting.queries[&key], expected);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut waiting = Waiting::default();
        let key = |i: usize| (NaiveDate::default(), i.to_string());
        for i in 0..DISTINCT {
            assert!(waiting.add(key(i), counts(1, 1)));
        }
        assert!(!waiting.add(key(DISTINCT), counts(1, 1)));
        assert!(waiting.add(key(0), counts(1, 1)), "what waits already is counted on");
    }
}
