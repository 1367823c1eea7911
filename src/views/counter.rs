//! Group commit: views that arrive together are written in one transaction, and each is answered after it.
//!
//! Nothing waits for company: the first view begins a transaction at once, and what arrives while another is written
//! goes into the next one. Who has written answers, and passes the turn on, on the thread that wrote.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::store;
use super::tally::{self, Outcome, Rule, View};
use super::visitor::{Caller, Salts, Visitor};
use crate::config::Config;
use crate::db::{Db, Lane, Timestamp, Tx};
use crate::error::{Error, Result};

/// How many views may wait; more are 503.
const WAITING: usize = 8192;

/// How many views one transaction takes, if they did not come as one.
const BATCH: usize = 1024;

/// Counts views. Cheap to clone.
#[derive(Clone)]
pub struct Counter {
    db: Db,
    rule: Rule,
    waiting: Arc<Mutex<Waiting>>,
    salts: Arc<RwLock<Salts>>,
    /// Held by the one who asks for salts while others wait for them.
    settling: Arc<tokio::sync::Mutex<()>>,
    /// The runtime that lives as long as the server; a worker's ends with the worker.
    runtime: Handle,
}

#[derive(Default)]
struct Waiting {
    arrivals: VecDeque<Arrival>,
    /// How many views they are.
    views: usize,
    /// Whether somebody has the turn to write, and passes it on while there is more.
    writing: bool,
}

/// Views that came in one request.
struct Arrival {
    views: Vec<View>,
    answer: oneshot::Sender<Result<Vec<Outcome>>>,
}

impl Counter {
    /// A counter that writes to this database, on the present runtime.
    pub fn new(db: Db, config: &Config) -> Self {
        Self {
            db,
            rule: Rule {
                window: config.view_window,
                zone: config.time_zone,
            },
            waiting: Arc::default(),
            salts: Arc::default(),
            settling: Arc::default(),
            runtime: Handle::current(),
        }
    }

    /// Counts views of one visitor; an outcome for each, in their order, after the commit. 503 when too many wait.
    pub async fn count(&self, views: Vec<View>) -> Result<Vec<Outcome>> {
        let (answer, outcome) = oneshot::channel();
        let begin = {
            let mut waiting = self.lock();
            if waiting.views + views.len() > WAITING {
                return Err(Error::unavailable("too many views wait to be written"));
            }
            waiting.views += views.len();
            waiting.arrivals.push_back(Arrival { views, answer });
            !std::mem::replace(&mut waiting.writing, true)
        };
        if begin {
            Turn::take(self.clone());
        }
        outcome
            .await
            .map_err(|_dropped| Error::internal("views were not written"))?
    }

    /// The visitor behind a request; nothing where every view counts.
    pub async fn visitor(&self, caller: &Caller) -> Result<Option<Visitor>> {
        let Rule { window, .. } = self.rule;
        if window == Duration::ZERO {
            return Ok(None);
        }
        let now = Timestamp::now();
        let of = |salts: &Salts| Visitor::of(caller, salts, now, window);
        let known = || of(&self.salts.read().unwrap_or_else(PoisonError::into_inner));
        if let Some(visitor) = known() {
            return Ok(Some(visitor));
        }
        let _alone = self.settling.lock().await;
        if let Some(visitor) = known() {
            return Ok(Some(visitor));
        }
        let today = super::visitor::day_of(now.micros());
        let salts = self
            .db
            .write_in(Lane::Views, move |tx| Ok(store::settle_salts(tx, today, new_salt)?))
            .await?;
        let visitor = of(&salts).ok_or_else(|| Error::internal("no salt for today"))?;
        *self.salts.write().unwrap_or_else(PoisonError::into_inner) = salts;
        Ok(Some(visitor))
    }

    /// The lock is never held over a panic: what it guards is moved, no more.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what goes into the next transaction.
    fn take(&self) -> Vec<Arrival> {
        let mut waiting = self.lock();
        let mut batch = Vec::new();
        let mut views = 0;
        while views < BATCH
            && let Some(arrival) = waiting.arrivals.pop_front()
        {
            views += arrival.views.len();
            batch.push(arrival);
        }
        waiting.views -= views;
        batch
    }

    /// Whether more waits, for which somebody must have the turn.
    fn is_more(&self) -> bool {
        let mut waiting = self.lock();
        waiting.writing = !waiting.arrivals.is_empty();
        waiting.writing
    }
}

/// The right to write what waits. One at a time has it, and passes it on when it ends, however that happens.
struct Turn {
    counter: Counter,
    /// What it writes, once its transaction has begun: until then more may arrive.
    batch: Option<Vec<Arrival>>,
    /// Whether it is tried for the second time.
    again: bool,
}

impl Turn {
    fn take(counter: Counter) {
        let turn = Self {
            counter,
            batch: None,
            again: false,
        };
        turn.write();
    }

    fn batch(&mut self) -> &mut Vec<Arrival> {
        self.batch.get_or_insert_with(|| self.counter.take())
    }

    fn write(self) {
        let (db, rule, runtime) = (self.counter.db.clone(), self.counter.rule, self.counter.runtime.clone());
        // Also on a worker's thread, whose own runtime ends with it.
        let _inside = runtime.enter();
        let work = move |turn: &mut Self, tx: &mut Tx<'_>| {
            let arrivals = turn.batch().iter();
            let views: Vec<View> = arrivals.flat_map(|arrival| arrival.views.iter().copied()).collect();
            tally::count(tx, rule, &views)
        };
        db.write_then(Lane::Views, self, work, Self::answer);
    }

    fn answer(mut self, outcome: Result<Vec<Outcome>>) {
        if !self.again && outcome.as_ref().is_err_and(Error::is_conflict) {
            self.again = true;
            return self.write();
        }
        let mut outcomes = outcome.map(Vec::into_iter);
        for arrival in self.batch().drain(..) {
            let own = match &mut outcomes {
                Ok(outcomes) => Ok(outcomes.take(arrival.views.len()).collect()),
                Err(error) => Err(error.clone()),
            };
            // Who has gone was counted all the same.
            let _gone = arrival.answer.send(own);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        // What it has not answered is told so by being dropped. If it never ran, then nor would the next one.
        self.batch();
        if self.counter.is_more() {
            Self::take(self.counter.clone());
        }
    }
}

/// Random, 244 bits.
fn new_salt() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}
