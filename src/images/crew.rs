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
    /// Before it all wait who do not go first; so no more than `size` of them ever stand in line for a thread.
    door: Arc<Semaphore>,
    size: usize,
}

/// A thread that is free for whoever holds this.
pub struct Hand {
    _free: OwnedSemaphorePermit,
    _door: Option<OwnedSemaphorePermit>,
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
            door: Arc::new(Semaphore::new(size)),
            size,
        })
    }

    /// Waits for a thread that is free, before all who wait in [`Crew::hand`].
    pub async fn first_hand(&self) -> Result<Hand> {
        let free = Arc::clone(&self.free).acquire_owned().await;
        free.map(|free| Hand {
            _free: free,
            _door: None,
        })
        .map_err(Error::unavailable)
    }

    /// Waits for a thread that is free.
    pub async fn hand(&self) -> Result<Hand> {
        let door = Arc::clone(&self.door).acquire_owned().await;
        let door = door.map_err(Error::unavailable)?;
        let hand = self.first_hand().await?;
        Ok(Hand {
            _door: Some(door),
            ..hand
        })
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

    #[actix_web::test]
    async fn who_goes_first_waits_for_work_alone_that_has_begun() {
        let crew = Arc::new(Crew::hire(1).unwrap());
        let busy = crew.hand().await.unwrap();
        let order = Arc::new(Mutex::new(Vec::new()));
        let come = |name, first: bool| {
            let (crew, order) = (Arc::clone(&crew), Arc::clone(&order));
            actix_web::rt::spawn(async move {
                let hand = if first {
                    crew.first_hand().await.unwrap()
                } else {
                    crew.hand().await.unwrap()
                };
                order.lock().unwrap().push(name);
                drop(hand);
            })
        };
        let mut all = vec![come("one", false), come("two", false)];
        tokio::task::yield_now().await;
        all.push(come("upload", true));
        tokio::task::yield_now().await;
        drop(busy);
        for one in all {
            one.await.unwrap();
        }
        assert_eq!(*order.lock().unwrap(), ["upload", "one", "two"]);
    }
}
