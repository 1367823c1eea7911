//! The writer: on SQLite one thread with the only writing connection, on PostgreSQL two pools.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use diesel::connection::SimpleConnection;
use tokio::sync::oneshot;

use super::changes::{Changes, Touched};
use super::kept::Keeper;
use super::pool::Pool;
use super::{Begin, DbConn, Timestamp, Tx, begin, end};
use crate::error::{Error, Result};

/// The two queues of the writer, served in turn, so that a flood of views never keeps an editor waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Edits of every kind.
    Editors,
    /// View counting: one transaction at a time, on PostgreSQL across instances, since who looks whether a visitor has
    /// counted must see what the others write. What is only noted, outside of a transaction, waits for nobody.
    Views,
}

/// How many jobs may wait in one lane.
const QUEUE: usize = 512;

type Job = Box<dyn FnOnce(&mut DbConn) + Send>;

#[derive(Default)]
struct Queues {
    editors: VecDeque<Job>,
    views: VecDeque<Job>,
    views_next: bool,
    closed: bool,
}

impl Queues {
    fn lane(&mut self, lane: Lane) -> &mut VecDeque<Job> {
        match lane {
            Lane::Editors => &mut self.editors,
            Lane::Views => &mut self.views,
        }
    }

    fn take(&mut self) -> Option<Job> {
        let order = if self.views_next {
            [Lane::Views, Lane::Editors]
        } else {
            [Lane::Editors, Lane::Views]
        };
        for lane in order {
            if let Some(job) = self.lane(lane).pop_front() {
                self.views_next = lane == Lane::Editors;
                return Some(job);
            }
        }
        None
    }
}

#[derive(Default)]
pub(super) struct Shared {
    queues: Mutex<Queues>,
    wake: Condvar,
}

impl Shared {
    /// A panic in a job is caught before it could poison the lock, and the queues are whole after each step.
    fn lock(&self) -> MutexGuard<'_, Queues> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs writing transactions. Cheap to clone.
#[derive(Clone)]
pub(super) enum Writer {
    Thread {
        shared: Arc<Shared>,
        thread: Arc<Mutex<Option<JoinHandle<()>>>>,
        changes: Arc<Changes>,
    },
    Pools {
        editors: Pool,
        views: Pool,
        changes: Arc<Changes>,
    },
}

impl Writer {
    /// A writer thread on its own connection.
    pub(super) fn thread(mut conn: DbConn, changes: Arc<Changes>) -> Result<Self, String> {
        let shared = Arc::new(Shared::default());
        let inside = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || serve(&inside, &mut conn))
            .map_err(|error| format!("cannot start the writer: {error}"))?;
        Ok(Self::Thread {
            shared,
            thread: Arc::new(Mutex::new(Some(thread))),
            changes,
        })
    }

    /// Writes through a pool for each lane.
    pub(super) fn pools(editors: Pool, views: Pool, changes: Arc<Changes>) -> Self {
        Self::Pools {
            editors,
            views,
            changes,
        }
    }

    /// Runs `work` in a transaction and answers after its commit.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        lane: Lane,
        shared: Option<&'static str>,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, outcome) = oneshot::channel();
        let then = move |(), outcome| {
            // The caller may have gone; what was committed stays committed.
            let _gone = answer.send(outcome);
        };
        self.submit((lane, shared), (), |(), _| Ok(None), |(), tx| work(tx), then);
        outcome.await.map_err(|_dropped| Error::internal("a write panicked"))?
    }

    /// Runs `at_once`, and `work` in a transaction if that has no answer, and `then` after its commit, on the same thread.
    /// The transaction shares the name, if one is given, from its beginning on.
    pub(super) fn submit<S: Send + 'static, T>(
        &self,
        (lane, shared): (Lane, Option<&'static str>),
        mut state: S,
        at_once: impl FnOnce(&mut S, &mut DbConn) -> Result<Option<T>> + Send + 'static,
        work: impl FnOnce(&mut S, &mut Tx<'_>) -> Result<T> + Send + 'static,
        then: impl FnOnce(S, Result<T>) + Send + 'static,
    ) {
        let write = move |state: &mut S, conn: &mut DbConn, changes: &Changes| match at_once(state, conn)? {
            Some(answer) => Ok(answer),
            None => in_transaction(conn, changes, (lane, shared), |tx| work(state, tx)),
        };
        match self {
            Self::Pools {
                editors,
                views,
                changes,
            } => {
                let pool = match lane {
                    Lane::Editors => editors,
                    Lane::Views => views,
                };
                let (pool, changes) = (pool.clone(), Arc::clone(changes));
                tokio::task::spawn_blocking(move || {
                    let outcome = pool.lend(|conn| write(&mut state, conn, &changes));
                    then(state, outcome);
                });
            }
            Self::Thread { shared, changes, .. } => {
                let mut queues = shared.lock();
                let refused = if queues.closed {
                    Some("the writer has stopped")
                } else if queues.lane(lane).len() >= QUEUE {
                    Some("the queue of the writer is full")
                } else {
                    None
                };
                if let Some(reason) = refused {
                    drop(queues);
                    return then(state, Err(Error::unavailable(reason)));
                }
                let changes = Arc::clone(changes);
                queues.lane(lane).push_back(Box::new(move |conn| {
                    let outcome = write(&mut state, conn, &changes);
                    then(state, outcome);
                }));
                drop(queues);
                shared.wake.notify_one();
            }
        }
    }

    /// Lets the queues run empty, then ends the thread.
    pub(super) async fn close(&self) {
        let Self::Thread { shared, thread, .. } = self else {
            return;
        };
        shared.lock().closed = true;
        shared.wake.notify_one();
        let handle = thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = handle
            && tokio::task::spawn_blocking(move || handle.join().is_err())
                .await
                .unwrap_or(true)
        {
            log::error!("the writer ended by a panic");
        }
    }
}

/// A transaction, and what it touched noted when it is over.
fn in_transaction<T>(
    conn: &mut DbConn,
    changes: &Changes,
    (lane, shared): (Lane, Option<&'static str>),
    work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
) -> Result<T> {
    let keeper = Keeper::new(changes);
    let kind = match lane {
        Lane::Editors => Begin::Edit(shared),
        Lane::Views => Begin::CountViews,
    };
    begin(conn, kind)?;
    let mut tx = Tx {
        conn,
        now: Timestamp::now(),
        shared,
        touched: Touched::default(),
        keeper,
    };
    let outcome = work(&mut tx);
    let touched = tx.touched;
    let announced = match outcome {
        Ok(value) => changes
            .announce(conn, &touched)
            .map(|announced| (value, announced))
            .map_err(Error::from),
        Err(error) => Err(error),
    };
    match announced {
        Ok((value, announced)) => {
            let outcome = end(conn, Ok(value), announced.words());
            changes.settle(&touched, announced, outcome.is_ok());
            outcome
        }
        Err(error) => end(conn, Err(error), None),
    }
}

fn serve(shared: &Shared, conn: &mut DbConn) {
    loop {
        let job = {
            let mut queues = shared.lock();
            loop {
                if let Some(job) = queues.take() {
                    break job;
                }
                if queues.closed {
                    drop(queues);
                    if let Err(error) = conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)") {
                        log::warn!("the last checkpoint failed: {error}");
                    }
                    return;
                }
                queues = shared.wake.wait(queues).unwrap_or_else(PoisonError::into_inner);
            }
        };
        if catch_unwind(AssertUnwindSafe(|| job(conn))).is_err() {
            log::error!("a write panicked; its transaction is rolled back");
            if let Err(error) = <DbConn as diesel::Connection>::TransactionManager::rollback_transaction(conn) {
                log::error!("the rollback failed: {error}");
            }
        }
    }
}

use diesel::connection::TransactionManager;
