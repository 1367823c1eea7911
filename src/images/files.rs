//! The files of a site: uploads on their way in, and variants, made when first asked for.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::web::Bytes;
use tempfile::{NamedTempFile, TempPath};
use tokio::sync::{Notify, watch};

use super::crew::Crew;
use super::pipeline::{self, ImageError, Look, Probed, Rendered, Room};
use super::scratch::Scratch;
use super::storage::{ORIGINAL, Opened, Storage};
use super::variants::{Focus, Format, Variant};
use crate::config::Config;
use crate::error::{Code, Error, Result};

/// Memory that all decoding at a time may take: what the largest picture needs.
const MEMORY: u64 = pipeline::MAX_MEMORY;

/// How long a request waits for a picture to be made, its place in the queue included.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long AVIF waits for readers who ask for something else to be served first.
const COURTESY: Duration = Duration::from_secs(30);

/// How many AVIF files may be wanted; who comes later asks again.
const MOST_WANTED: usize = 256;

/// The files of a site. Cheap to clone.
#[derive(Clone)]
pub struct Files {
    /// Where they lie.
    pub storage: Storage,
    scratch: Arc<Scratch>,
    room: Room,
    /// One for each processor: more would not be faster, and take more memory.
    crew: Arc<Crew>,
    /// AVIF takes seconds; one at a time, beside what readers wait for.
    slow: Arc<Crew>,
    making: Arc<Mutex<HashMap<Order, Outcome>>>,
    wanted: Arc<Wanted>,
}

/// What is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Order {
    hash: String,
    variant: Variant,
}

/// What became of it, as soon as that is known; for everyone who waits.
type Outcome = watch::Receiver<Option<Result<()>>>;

#[derive(Default)]
struct Wanted {
    /// In the order in which they came, with the focal point of a crop.
    orders: Mutex<Vec<(Order, Focus)>>,
    known: Mutex<HashSet<Order>>,
    more: Notify,
}

impl Files {
    /// The files that the settings name; the error is one line.
    pub fn open(config: &Config) -> std::result::Result<Self, String> {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Ok(Self {
            storage: Storage::open(config)?,
            scratch: Arc::new(Scratch::open(&config.data_dir.join("tmp"))?),
            room: Room::new(MEMORY),
            crew: Arc::new(Crew::hire(processors)?),
            slow: Arc::new(Crew::hire(1)?),
            making: Arc::default(),
            wanted: Arc::default(),
        })
    }

    /// A new file for an upload, on the disk of the data folder; gone when it is dropped.
    pub fn temporary(&self) -> io::Result<NamedTempFile> {
        NamedTempFile::new_in(self.scratch.folder())
    }

    /// Finds out what a picture is, as soon as there is room to decode it.
    pub async fn probe(&self, path: PathBuf) -> Result<Probed> {
        let room = self.room.clone();
        in_time(async {
            let hand = self.crew.hand().await?;
            let work = move || {
                let bytes = std::fs::read(path).map_err(Error::internal)?;
                pipeline::probe(&bytes, &room).map_err(refused)
            };
            self.crew.work(hand, work).await
        })
        .await
    }

    /// Puts an upload in its place, durably.
    pub async fn keep(&self, upload: TempPath, hash: &str) -> Result<()> {
        self.storage.keep_upload(upload, hash).await
    }

    /// What to show until a picture has loaded; `None` where it cannot be told, now or ever.
    pub async fn look(&self, hash: &str) -> Result<Option<Look>> {
        let hand = self.crew.hand().await?;
        let Some(original) = self.storage.original(hash).await? else {
            return Ok(None);
        };
        let room = self.room.clone();
        let work = move || Ok(pipeline::look(&original.read()?, &room).ok());
        self.crew.work(hand, work).await
    }

    /// Opens a variant that has been made; with the name of its file.
    pub async fn open_variant(&self, hash: &str, variant: Variant) -> Result<Option<(String, Opened)>> {
        let name = variant.file_name();
        match self.storage.open_file(hash, &name).await? {
            Some(opened) => Ok(Some((name, opened))),
            None if variant.format == Format::Avif => {
                let name = variant.still_file_name();
                let still = self.storage.open_file(hash, &name).await?;
                Ok(still.map(|opened| (name, opened)))
            }
            None => Ok(None),
        }
    }

    /// Makes a variant, once however many ask; a crop around `focus`. 404 where there is no such picture, 503 where it
    /// takes too long; it is then made all the same, for whoever asks next. A failure is not kept.
    pub async fn make(&self, hash: &str, variant: Variant, focus: Focus) -> Result<()> {
        in_time(self.made(hash, variant, focus)).await
    }

    async fn made(&self, hash: &str, variant: Variant, focus: Focus) -> Result<()> {
        // Who asks for what is not there takes nobody's place.
        if !self.storage.exists(hash, ORIGINAL).await? {
            return Err(Error::not_found());
        }
        let order = Order {
            hash: hash.to_owned(),
            variant,
        };
        let mut outcome = self.order(order, focus);
        let outcome = outcome.wait_for(Option::is_some).await;
        let outcome = outcome.map_err(|_closed| Error::internal("making a variant panicked"))?;
        outcome.clone().unwrap_or(Ok(()))
    }

    /// Joins those who wait for it, or begins.
    fn order(&self, order: Order, focus: Focus) -> Outcome {
        let mut making = lock(&self.making);
        if let Some(outcome) = making.get(&order) {
            return outcome.clone();
        }
        let (tell, outcome) = watch::channel(None);
        making.insert(order.clone(), outcome.clone());
        drop(making);
        let files = self.clone();
        // On its own, so that it goes on where who asked has gone.
        tokio::spawn(async move {
            let done = Done { files: &files, order };
            let outcome = files.render(&done.order, focus).await;
            // Those who come from here on find the file, or try again.
            drop(done);
            tell.send_replace(Some(outcome));
        });
        outcome
    }

    async fn render(&self, order: &Order, focus: Focus) -> Result<()> {
        let crew = match order.variant.format {
            Format::Avif => &self.slow,
            _ => &self.crew,
        };
        let hand = crew.hand().await?;
        // Made by another, who was just done.
        if self.storage.exists(&order.hash, &order.variant.file_name()).await? {
            return Ok(());
        }
        let original = self.storage.original(&order.hash).await?;
        let original = original.ok_or_else(Error::not_found)?;
        let (room, variant) = (self.room.clone(), order.variant);
        let work = move || pipeline::render_variant(&original.read()?, variant, focus, &room).map_err(refused);
        let Rendered { bytes, still_of_moving } = crew.work(hand, work).await?;
        let name = if still_of_moving {
            variant.still_file_name()
        } else {
            variant.file_name()
        };
        let (bytes, folder) = (Bytes::from(bytes), self.scratch.folder());
        self.storage.keep_variant(bytes, &order.hash, &name, folder).await
    }

    /// Whether this AVIF is noted already.
    pub fn is_wanted(&self, hash: &str, variant: Variant) -> bool {
        let known = lock(&self.wanted.known);
        known.len() >= MOST_WANTED || known.iter().any(|order| order.variant == variant && order.hash == hash)
    }

    /// Notes that somebody would take this AVIF if it were there.
    pub fn want(&self, hash: &str, variant: Variant, focus: Focus) {
        let order = Order {
            hash: hash.to_owned(),
            variant,
        };
        let mut known = lock(&self.wanted.known);
        if known.len() < MOST_WANTED && known.insert(order.clone()) {
            lock(&self.wanted.orders).push((order, focus));
            self.wanted.more.notify_one();
        }
    }

    /// Makes the AVIF files that are wanted, one after the other, while readers wait for nothing else. Never ends.
    pub async fn make_wanted(&self) {
        loop {
            let next = {
                let mut orders = lock(&self.wanted.orders);
                (!orders.is_empty()).then(|| orders.remove(0))
            };
            let Some((order, focus)) = next else {
                self.wanted.more.notified().await;
                continue;
            };
            let _late = tokio::time::timeout(COURTESY, self.idle()).await;
            match self.made(&order.hash, order.variant, focus).await {
                Err(error) if error.code != Code::NotFound => {
                    log::warn!("{} of {}: {error}", order.variant.name(), order.hash);
                }
                _ => {}
            }
            lock(&self.wanted.known).remove(&order);
        }
    }

    async fn idle(&self) {
        while !self.crew.is_idle() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Takes the order off when its work is over, by a panic too.
struct Done<'a> {
    files: &'a Files,
    order: Order,
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        lock(&self.files.making).remove(&self.order);
    }
}

/// Nothing that is locked here can be half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, work).await.map_err(|elapsed| Error {
        retry_after: Some(5),
        ..Error::unavailable(elapsed)
    })?
}

fn refused(error: ImageError) -> Error {
    match error {
        ImageError::NotAnImage => Error::new(Code::UnsupportedMediaType),
        ImageError::TooLarge(limit) => Error::at_field(Code::TooLarge, "/file", limit),
        ImageError::Broken(_) => Error {
            cause: Some(error.to_string()),
            ..Error::at_field(Code::InvalidField, "/file", "the image is damaged")
        },
        ImageError::Encode(_) => Error::internal(error),
    }
}
