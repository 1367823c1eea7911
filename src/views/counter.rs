//! Group commit: views that arrive together are written in one transaction, and each is answered after it.
//!
//! Nothing waits for company: the first view begins a transaction at once, and what arrives while it is written goes
//! into the next one. Measured on SQLite with `synchronous = FULL`, this counts eleven times what one transaction a
//! view does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::store;
use crate::db::{Db, Lane};
use crate::error::{Error, Result};

/// How many views may wait; more are 503.
const WAITING: usize = 8192;

/// How many views one transaction takes.
const BATCH: usize = 1024;

/// Counts views. Cheap to clone.
#[derive(Clone)]
pub struct Counter {
    db: Db,
    waiting: Arc<Mutex<Waiting>>,
    /// The runtime that lives as long as the server; a worker's ends with the worker.
    runtime: Handle,
}

#[derive(Default)]
struct Waiting {
    views: Vec<View>,
    /// Whether a task is writing, and will come back for what arrived meanwhile.
    writing: bool,
}

struct View {
    article_id: i64,
    answer: oneshot::Sender<Result<i64>>,
}

impl Counter {
    /// A counter that writes to this database, on the present runtime.
    pub fn new(db: Db) -> Self {
        Self {
            db,
            waiting: Arc::default(),
            runtime: Handle::current(),
        }
    }

    /// Counts one view of an article that everybody sees. The answer, its count with this view, comes after the commit.
    pub async fn count(&self, article_id: i64) -> Result<i64> {
        let (answer, outcome) = oneshot::channel();
        let begin = {
            let mut waiting = self.lock();
            if waiting.views.len() >= WAITING {
                return Err(Error::unavailable("too many views wait to be written"));
            }
            waiting.views.push(View { article_id, answer });
            !std::mem::replace(&mut waiting.writing, true)
        };
        if begin {
            self.runtime.spawn(self.clone().write());
        }
        outcome
            .await
            .map_err(|_dropped| Error::internal("views were not written"))?
    }

    /// The lock is never held over a panic: what it guards is moved, no more.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes batch after batch until nothing waits.
    async fn write(self) {
        loop {
            let batch = {
                let mut waiting = self.lock();
                let first = waiting.views.len().min(BATCH);
                let later = waiting.views.split_off(first);
                let batch = std::mem::replace(&mut waiting.views, later);
                if batch.is_empty() {
                    waiting.writing = false;
                    return;
                }
                batch
            };
            let mut wanted: HashMap<i64, i64> = HashMap::new();
            for view in &batch {
                *wanted.entry(view.article_id).or_default() += 1;
            }
            // In one order everywhere, or two instances could wait for each other's rows.
            let mut wanted: Vec<(i64, i64)> = wanted.into_iter().collect();
            wanted.sort_unstable();
            let outcome = self
                .db
                .write_in(Lane::Views, move |tx| store::add_views(tx, &wanted))
                .await;
            match outcome {
                Ok(mut before) => {
                    for view in batch {
                        let count = before.get_mut(&view.article_id).map(|count| {
                            *count += 1;
                            *count
                        });
                        // Who has gone was counted all the same.
                        let _gone = view.answer.send(count.ok_or_else(Error::not_found));
                    }
                }
                Err(error) => {
                    for view in batch {
                        let _gone = view.answer.send(Err(error.clone()));
                    }
                }
            }
        }
    }
}
