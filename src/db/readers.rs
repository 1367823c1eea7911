//! Readers: a few threads that take what is to be read in the order in which it was asked for.
//!
//! There are fewer of them than connections, so that none waits for one. A thread of the runtime for each request that reads
//! would wait there, and give memory and switches of threads for nothing.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::pool::Pool;
use crate::error::{Error, Result};

/// How long a request waits for a reader before it is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);

type Job = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the threads when nobody can ask any more.
struct Open(Arc<Shared>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.wake.notify_all();
    }
}

/// The threads. Cheap to clone.
#[derive(Clone)]
pub(super) struct Readers(Arc<Open>);

impl Readers {
    /// Starts as many threads as that pool has connections for readers.
    pub(super) fn start(pool: &Pool) -> Result<Self, String> {
        let readers = Self(Arc::new(Open(Arc::default())));
        for number in 0..pool.readers_at_once() {
            let shared = Arc::clone(&readers.0.0);
            std::thread::Builder::new()
                .name(format!("reader {number}"))
                .spawn(move || serve(&shared))
                .map_err(|error| format!("cannot start a reader: {error}"))?;
        }
        Ok(readers)
    }

    /// Runs `work` on one of them. 503 if none gets round to it in time.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let asked = Instant::now();
        let (answer, outcome) = oneshot::channel();
        let job: Job = Box::new(move || {
            if answer.is_closed() {
                return;
            }
            let outcome = if asked.elapsed() < PATIENCE {
                work()
            } else {
                Err(Error::unavailable("no reader was free in time"))
            };
            // Who asked may have gone meanwhile.
            let _gone = answer.send(outcome);
        });
        self.0.0.lock().jobs.push_back(job);
        self.0.0.wake.notify_one();
        outcome.await.map_err(|_dropped| Error::internal("a read panicked"))?
    }
}

fn serve(shared: &Shared) {
    loop {
        let job = {
            let mut queue = shared.lock();
            loop {
                if let Some(job) = queue.jobs.pop_front() {
                    break job;
                }
                if queue.closed {
                    return;
                }
                queue = shared.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        };
        // Its transaction ends when the pool takes the connection back.
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            log::error!("a read panicked");
        }
    }
}
