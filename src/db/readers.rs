//! Readers: a few threads that take what is to be read in the order in which it was asked for.
//!
//! There are no more of them than connections. A thread of the runtime for each request that reads would wait for a connection
//! there, and cost memory and switches between threads for nothing.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::pool::Pool;
use crate::error::{Error, Result};

/// How long a request waits for a reader before it is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many requests may wait.
const QUEUE: usize = 4096;

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

    /// Runs `work` on one of them. 503 if too many wait, or if none gets round to it in time.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let (answer, mut outcome) = oneshot::channel();
        let begun = Arc::new(AtomicBool::new(false));
        let begins = Arc::clone(&begun);
        let job: Job = Box::new(move || {
            if !answer.is_closed() && !begins.swap(true, Ordering::AcqRel) {
                // Who asked may have gone meanwhile.
                let _gone = answer.send(work());
            }
        });
        {
            let mut queue = self.0.0.lock();
            if queue.jobs.len() >= QUEUE {
                return Err(Error::unavailable("too many wait to read"));
            }
            queue.jobs.push_back(job);
        }
        self.0.0.wake.notify_one();
        let panicked = |_dropped| Error::internal("a read panicked");
        match tokio::time::timeout(PATIENCE, &mut outcome).await {
            Ok(outcome) => outcome.map_err(panicked)?,
            Err(_elapsed) if begun.swap(true, Ordering::AcqRel) => outcome.await.map_err(panicked)?,
            Err(_elapsed) => Err(Error::unavailable("no reader was free in time")),
        }
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
