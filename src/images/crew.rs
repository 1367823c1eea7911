//! Threads that decode and encode: few, and always the same ones. The allocator keeps memory for every thread that ever
//! took some, so that pictures handed to ever other threads would each leave their size behind.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use crate::error::{Error, Result};

type Job = Box<dyn FnOnce() + Send>;

/// Some threads, and who may use them next. They end when this is dropped and their work is done.
pub struct Crew {
    jobs: mpsc::Sender<Job>,
    free: Arc<Semaphore>,
    size: usize,
}

/// A thread that is free for whoever holds this.
pub struct Hand {
    _free: OwnedSemaphorePermit,
}

impl Crew {
    /// So many threads, at least one; the error is one line.
    pub fn hire(size: usize) -> std::result::Result<Self, String> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        let size = size.max(1);
        for _ in 0..size {
            let queue = Arc::clone(&queue);
            std::thread::Builder::new()
                .name("pictures".into())
                .spawn(move || serve(&queue))
                .map_err(|error| format!("cannot start a thread for pictures: {error}"))?;
        }
        Ok(Self {
            jobs,
            free: Arc::new(Semaphore::new(size)),
            size,
        })
    }

    /// Waits for a thread that is free.
    pub async fn hand(&self) -> Result<Hand> {
        let permit = Arc::clone(&self.free).acquire_owned().await;
        permit.map(|free| Hand { _free: free }).map_err(Error::unavailable)
    }

    /// Lets it work. The thread is taken as long as the work lasts, not as long as somebody waits for it.
    pub async fn work<T: Send + 'static>(
        &self,
        hand: Hand,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (tell, outcome) = oneshot::channel();
        let job: Job = Box::new(move || {
            let done = work();
            drop(hand);
            // Who asked may have gone.
            let _gone = tell.send(done);
        });
        self.jobs.send(job).map_err(Error::internal)?;
        outcome
            .await
            .map_err(|_dropped| Error::internal("work on a picture panicked"))?
    }

    /// Whether nobody works.
    pub fn is_idle(&self) -> bool {
        self.free.available_permits() == self.size
    }
}

fn serve(queue: &Mutex<mpsc::Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else { return };
        // Whoever waits for it is told by what it dropped.
        if catch_unwind(AssertUnwindSafe(job)).is_err() {
            log::error!("work on a picture panicked");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[actix_web::test]
    async fn a_panic_ends_its_work_alone() {
        let crew = Crew::hire(1).unwrap();
        let hand = crew.hand().await.unwrap();
        let outcome: Result<()> = crew.work(hand, || panic!("as a decoder might")).await;
        assert!(outcome.is_err());
        let hand = crew.hand().await.unwrap();
        assert!(!crew.is_idle());
        assert_eq!(crew.work(hand, || Ok(7)).await.unwrap(), 7);
        assert!(crew.is_idle());
    }
}
