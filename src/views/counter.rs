//! Group commit: views that arrive together are written together, and each is answered after the commit.
//!
//! Nothing waits for company: the first view begins a transaction at once, and what arrives while another is written
//! goes into the next one. Who has written answers, goes on with that for a while, and passes the turn on. What counts whatever
//! else was counted, as every view does where there is no window, is written by one statement without more ado; what that
//! leaves, in a transaction after it. Views of many articles are only noted by that statement, and added up a little later,
//! beside who counts.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::known::Known;
use super::store::{self, Clock};
use super::tally::{self, Outcome, Rule, View};
use super::upkeep;
use super::visitor::{Caller, Salts, Visitor};
use crate::config::Config;
use crate::db::{Db, DbConn, Lane, Timestamp, Tx};
use crate::error::{Error, Result};

/// How many views may wait; more are 503.
const WAITING: usize = 8192;

/// How many views one transaction takes, if they did not come as one.
const BATCH: usize = 1024;

/// How long one who has the turn goes on, until whoever else writes may do so.
const SLICE: Duration = Duration::from_millis(5);

/// How long views stay noted at most before they are added up. What is shown of them may be a second old, and most of that is
/// for whoever keeps answers (`web::content`).
const NOTED: Duration = Duration::from_millis(250);

/// For how long nothing more is noted before it is added up sooner.
const QUIET: Duration = Duration::from_millis(20);

/// How long the end of the server is put off for what is noted.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long it takes until what failed is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// Counts views. Cheap to clone.
#[derive(Clone)]
pub struct Counter {
    db: Db,
    rule: Rule,
    waiting: Arc<Mutex<Waiting>>,
    /// As it was last read. Who relies on it asks the database whether it is right.
    clock: Arc<Mutex<Option<Clock>>>,
    known: Arc<Known>,
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
    /// What is noted and not added up.
    noted: Option<Noted>,
    /// Whether there is somebody who adds it up.
    adding_up: bool,
    /// When views of many articles were noted last. While they come, those of few are noted as well, which else would wait for
    /// who adds up.
    crowded: Option<Instant>,
}

/// When views were noted: the first and the last.
struct Noted {
    first: Instant,
    last: Instant,
}

impl Waiting {
    /// What is noted, if it should be added up now; what is noted from now on may be missed by who does it.
    fn take_due(&mut self) -> Option<Noted> {
        self.noted
            .take_if(|noted| noted.first.elapsed() >= NOTED || noted.last.elapsed() >= QUIET)
    }
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
            clock: Arc::default(),
            known: Arc::default(),
            salts: Arc::default(),
            settling: Arc::default(),
            runtime: Handle::current(),
        }
    }

    /// Counts views of one visitor; an outcome for each, in their order, after the commit. 503 when too many wait.
    pub async fn count(&self, views: Vec<View>) -> Result<Vec<Outcome>> {
        let (answer, outcome) = oneshot::channel();
        let begin = {
            let mut waiting = lock(&self.waiting);
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

    /// Takes what goes into the next transaction.
    fn take(&self) -> Vec<Arrival> {
        let mut waiting = lock(&self.waiting);
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

    /// Waits until what is noted is added up, if that is soon; else whoever serves next does it.
    pub async fn finish(&self) {
        let begun = Instant::now();
        while lock(&self.waiting).adding_up && begun.elapsed() < PATIENCE {
            tokio::time::sleep(QUIET).await;
        }
    }

    /// Sees to it that what was noted now, of so many articles, will be added up.
    fn note(&self, articles: usize) {
        let last = Instant::now();
        let mut waiting = lock(&self.waiting);
        if articles >= tally::MANY {
            waiting.crowded = Some(last);
        }
        let first = waiting.noted.as_ref().map_or(last, |noted| noted.first);
        waiting.noted = Some(Noted { first, last });
        if !std::mem::replace(&mut waiting.adding_up, true) {
            self.runtime.spawn(self.clone().keep_adding_up());
        }
    }

    /// Adds up what is noted whenever it is due, until nothing is.
    async fn keep_adding_up(self) {
        loop {
            tokio::time::sleep(QUIET).await;
            let Some(noted) = lock(&self.waiting).take_due() else {
                continue;
            };
            let tell = |counts, read_at| self.known.refresh(counts, read_at);
            if let Err(error) = upkeep::add_up(&self.db, self.rule.zone, tell).await {
                log::warn!("views that are noted are not added up yet: {error}");
                tokio::time::sleep(AGAIN).await;
                lock(&self.waiting).noted = Some(noted);
                continue;
            }
            let mut waiting = lock(&self.waiting);
            if waiting.noted.is_none() {
                waiting.adding_up = false;
                return;
            }
        }
    }

    /// Whether more waits, for which somebody must have the turn.
    fn is_more(&self) -> bool {
        let mut waiting = lock(&self.waiting);
        waiting.writing = !waiting.arrivals.is_empty();
        waiting.writing
    }
}

/// The right to write what waits. One at a time has it, and passes it on when it ends, however that happens.
struct Turn {
    counter: Counter,
    /// What it writes, once it has a connection: until then more may arrive.
    batch: Option<Vec<Arrival>>,
    /// What became of their views, in their order, as far as it is known.
    outcomes: Vec<Option<Outcome>>,
    /// How often articles of the rest had been read before, as far as that was known.
    kept: HashMap<i64, i64>,
    /// Whether it is tried for the second time.
    again: bool,
}

impl Turn {
    fn take(counter: Counter) {
        let turn = Self {
            counter,
            batch: None,
            outcomes: Vec::new(),
            kept: HashMap::new(),
            again: false,
        };
        turn.write();
    }

    fn batch(&mut self) -> &mut Vec<Arrival> {
        self.batch.get_or_insert_with(|| self.counter.take())
    }

    /// The views that nothing is known of yet.
    fn rest(&mut self) -> Vec<View> {
        let views: Vec<View> = self
            .batch()
            .iter()
            .flat_map(|arrival| arrival.views.iter().copied())
            .collect();
        self.outcomes.resize(views.len(), None);
        let rest = views.into_iter().zip(&self.outcomes);
        rest.filter(|(_, outcome)| outcome.is_none())
            .map(|(view, _)| view)
            .collect()
    }

    fn write(self) {
        let (db, runtime) = (self.counter.db.clone(), self.counter.runtime.clone());
        // Also on a worker's thread, whose own runtime ends with it.
        let _inside = runtime.enter();
        db.write_then(Lane::Views, self, Self::count_at_once, Self::count, Self::answer);
    }

    /// Counts what one statement can, and what has arrived meanwhile by another one. If that is all, nothing is left to be said.
    fn count_at_once(&mut self, conn: &mut DbConn) -> Result<Option<Vec<Outcome>>> {
        let begun = Instant::now();
        loop {
            if !self.count_batch_at_once(conn)? {
                return Ok(None);
            }
            if begun.elapsed() >= SLICE {
                return Ok(Some(Vec::new()));
            }
            self.tell(Ok(Vec::new()));
            let next = self.counter.take();
            if next.is_empty() {
                return Ok(Some(Vec::new()));
            }
            self.batch = Some(next);
            self.again = false;
        }
    }

    /// Whether one statement counted all.
    fn count_batch_at_once(&mut self, conn: &mut DbConn) -> Result<bool> {
        let views = self.rest();
        let Some(clock) = lock(&self.counter.clock).clone() else {
            return Ok(false);
        };
        let plain = || views.iter().filter(|view| view.is_plain());
        let crowded = lock(&self.counter.waiting).crowded;
        let should_note = crowded.is_some_and(|crowded| crowded.elapsed() < NOTED);
        let counted = tally::count_at_once(conn, &self.counter.known, &clock, plain(), should_note);
        if !counted.as_ref().is_ok_and(|counted| counted.noted.is_some()) {
            // Also after an error: whether it was committed, only the database knows.
            let changes = self.counter.db.changes();
            changes.note_views(plain().map(|view| view.article_id));
        }
        let mut counted = counted?;
        let unknown = self.outcomes.iter_mut().filter(|outcome| outcome.is_none());
        for (outcome, view) in unknown.zip(&views) {
            let count = counted.before.get_mut(&view.article_id).filter(|_| view.is_plain());
            *outcome = count.map(|count| {
                *count += 1;
                Outcome::Counted(*count)
            });
        }
        if let Some(articles) = counted.noted {
            self.counter.note(articles);
        }
        Ok(self.outcomes.iter().all(Option::is_some))
    }

    /// Counts the rest.
    fn count(&mut self, tx: &mut Tx<'_>) -> Result<Vec<Outcome>> {
        let rule = self.counter.rule;
        let clock = store::find_clock(tx, rule.zone)?;
        let rest = self.rest();
        self.kept = self.counter.known.counts(rest.iter().map(|view| view.article_id)).0;
        let outcomes = tally::count(tx, rule, &clock, &rest);
        *lock(&self.counter.clock) = Some(clock);
        outcomes
    }

    /// What became of the rest, where what is noted counts as well.
    fn with_noted(&mut self, mut outcomes: Vec<Outcome>) -> Vec<Outcome> {
        for (view, outcome) in self.rest().iter().zip(&mut outcomes) {
            if let Outcome::Counted(views) = outcome
                && let Some(kept) = self.kept.get_mut(&view.article_id)
            {
                *kept = kept.saturating_add(1).max(*views);
                *views = *kept;
            }
        }
        self.counter.known.raise(std::mem::take(&mut self.kept));
        outcomes
    }

    fn answer(mut self, rest: Result<Vec<Outcome>>) {
        if !self.again && rest.as_ref().is_err_and(Error::is_conflict) {
            self.again = true;
            return self.write();
        }
        let rest = rest.map(|outcomes| self.with_noted(outcomes));
        self.tell(rest);
    }

    /// Answers the batch; `rest` became of the views that nothing is known of.
    fn tell(&mut self, rest: Result<Vec<Outcome>>) {
        let batch = std::mem::take(self.batch());
        let known = std::mem::take(&mut self.outcomes);
        let (rest, error) = match rest {
            Ok(rest) => (rest, Error::internal("a view was not judged")),
            Err(error) => (Vec::new(), error),
        };
        let mut rest = rest.into_iter();
        let known = known.into_iter().chain(std::iter::repeat(None));
        let mut outcomes = known.map(|known| known.or_else(|| rest.next()));
        for arrival in batch {
            let own: Vec<Option<Outcome>> = outcomes.by_ref().take(arrival.views.len()).collect();
            let own: Option<Vec<Outcome>> = own.into_iter().collect();
            // Who has gone was counted all the same.
            let _gone = arrival.answer.send(own.ok_or_else(|| error.clone()));
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

/// No lock is held over a panic: what they guard is moved, no more.
fn lock<T>(guarded: &Mutex<T>) -> MutexGuard<'_, T> {
    guarded.lock().unwrap_or_else(PoisonError::into_inner)
}
