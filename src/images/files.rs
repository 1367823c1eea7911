//! The files of a site: uploads on their way in, and variants, made when first asked for.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use tempfile::{NamedTempFile, TempPath};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use super::crew::Crew;
use super::pipeline::{self, ImageError, Look, Probed, Rendered, Room};
use super::scratch::{self, Scratch};
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

/// How many variants may be in the making or waited for, and how many of them AVIF, which takes longer; then 503.
const MOST_ORDERS: usize = 64;
const MOST_SLOW_ORDERS: usize = 8;

/// How many variants are answered from memory at a time, by whoever made them, and up to which size; slow readers of others
/// are sent what lies in its place.
const MOST_FRESH: usize = 32;
const LARGEST_FRESH: usize = 1 << 20;

/// How long is remembered what no variant could be made of, so that a damaged file is not decoded for every request.
const REMEMBERED: Duration = Duration::from_secs(300);
const MOST_REMEMBERED: usize = 1000;

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
    /// Places of variants that are answered from memory.
    fresh: Arc<Semaphore>,
    making: Arc<Mutex<HashMap<Order, Outcome>>>,
    failed: Arc<Mutex<HashMap<Order, Failure>>>,
    wanted: Arc<Wanted>,
}

/// What is to be made.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Order {
    hash: String,
    variant: Variant,
}

/// Why it could not be made.
struct Failure {
    /// Size of the original that it could not be made of: another is another file.
    bytes: u64,
    at: Instant,
    error: Error,
}

/// What an image looks like.
pub enum Seen {
    /// This.
    Look(Look),
    /// That cannot be told: the file is damaged.
    Nothing,
    /// The file is not there.
    Missing,
}

/// A variant that was just made, as [`Files::open_variant`] finds it in its place; nothing where it is to be opened there.
type Made = Option<(String, Bytes)>;

/// What became of it, as soon as that is known; for everyone who waits.
type Outcome = watch::Receiver<Option<Result<Made>>>;

/// Bytes that count among those that are answered from memory as long as anybody has them.
struct Fresh {
    bytes: Vec<u8>,
    _counted: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Fresh {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[derive(Default)]
struct Wanted {
    /// In the order in which they came.
    orders: Mutex<Vec<Order>>,
    known: Mutex<HashSet<Order>>,
    more: Notify,
}

impl Files {
    /// The files that the settings name; the error is one line.
    pub fn open(config: &Config) -> std::result::Result<Self, String> {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let storage = Storage::open(config)?;
        let temporary = match &storage {
            // In the same file system as they, whatever is mounted where.
            Storage::Folder(folder) => {
                scratch::clear(&config.data_dir.join("tmp"));
                folder.join("tmp")
            }
            Storage::Bucket(_) => config.data_dir.join("tmp"),
        };
        Ok(Self {
            storage,
            scratch: Arc::new(Scratch::open(&temporary)?),
            room: Room::new(MEMORY),
            crew: Arc::new(Crew::hire(processors)?),
            slow: Arc::new(Crew::hire(1)?),
            fresh: Arc::new(Semaphore::new(MOST_FRESH)),
            making: Arc::default(),
            failed: Arc::default(),
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
            let hand = self.crew.first_hand().await?;
            let work = move || {
                let bytes = std::fs::read(path).map_err(Error::internal)?;
                pipeline::probe(&bytes, &room).map_err(refused)
            };
            self.crew.work(hand, work).await
        })
        .await
    }

    /// Puts an upload in its place, durably; not after that time.
    pub async fn keep(&self, upload: TempPath, hash: &str, until: Instant) -> Result<()> {
        self.storage.keep_upload(upload, hash, until).await?;
        lock(&self.failed).retain(|order, _| order.hash != hash);
        Ok(())
    }

    /// What to show until a picture has loaded.
    pub async fn look(&self, hash: &str) -> Result<Seen> {
        let hand = self.crew.hand().await?;
        let Some(original) = self.storage.original(hash).await? else {
            return Ok(Seen::Missing);
        };
        let room = self.room.clone();
        let work = move || match original.read() {
            Ok(bytes) => Ok(pipeline::look(&bytes, &room).map_or(Seen::Nothing, Seen::Look)),
            Err(error) if error.code == Code::NotFound => Ok(Seen::Missing),
            Err(error) => Err(error),
        };
        self.crew.work(hand, work).await
    }

    /// Whether a variant has been made that is what it says: not a still of what moves.
    pub async fn has_variant(&self, hash: &str, variant: Variant) -> Result<bool> {
        self.storage.exists(hash, &variant.file_name()).await
    }

    /// Whether a still has been made of what moves.
    pub async fn has_still(&self, hash: &str, variant: Variant) -> Result<bool> {
        Ok(variant.format == Format::Avif && self.storage.exists(hash, &variant.still_file_name()).await?)
    }

    /// Opens a variant that has been made; with the name of its file. `read` is whether all of it is to be sent.
    pub async fn open_variant(&self, hash: &str, variant: Variant, read: bool) -> Result<Option<(String, Opened)>> {
        let name = variant.file_name();
        match self.storage.open_file(hash, &name, read).await? {
            Some(opened) => Ok(Some((name, opened))),
            None if variant.format == Format::Avif => {
                let name = variant.still_file_name();
                let still = self.storage.open_file(hash, &name, read).await?;
                Ok(still.map(|opened| (name, opened)))
            }
            None => Ok(None),
        }
    }

    /// Makes a variant, once however many ask, and opens it. 404 where there is no such picture; 503 where too many wait, or
    /// where it takes too long: what has begun by then is made all the same, for whoever asks next. A failure is not kept, but
    /// remembered for some minutes.
    pub async fn make(&self, hash: &str, variant: Variant, read: bool) -> Result<(String, Opened)> {
        if let Some((name, bytes)) = in_time(self.made(hash, variant)).await? {
            return Ok((name, Opened::Memory(bytes)));
        }
        let opened = self.open_variant(hash, variant, read).await?;
        opened.ok_or_else(Error::not_found)
    }

    async fn made(&self, hash: &str, variant: Variant) -> Result<Made> {
        let order = Order {
            hash: hash.to_owned(),
            variant,
        };
        if let Some((bytes, error)) = self.remembered(&order)
            && self.storage.size(hash, ORIGINAL).await? == Some(bytes)
        {
            return Err(error);
        }
        let mut outcome = self.order(order)?;
        let outcome = outcome.wait_for(Option::is_some).await;
        let outcome = outcome.map_err(|_closed| Error::internal("making a variant panicked"))?;
        outcome.clone().unwrap_or(Ok(None))
    }

    /// Joins those who wait for it, or begins.
    fn order(&self, order: Order) -> Result<Outcome> {
        let mut making = lock(&self.making);
        if let Some(outcome) = making.get(&order) {
            return Ok(outcome.clone());
        }
        let is_slow = |order: &Order| order.variant.format == Format::Avif;
        let slow = making.keys().filter(|order| is_slow(order)).count();
        let full = if is_slow(&order) {
            slow >= MOST_SLOW_ORDERS
        } else {
            making.len() - slow >= MOST_ORDERS
        };
        if full {
            return Err(later("too many variants are waited for"));
        }
        let (tell, outcome) = watch::channel(None);
        making.insert(order.clone(), outcome.clone());
        drop(making);
        let files = self.clone();
        // On its own, so that it goes on where who asked has gone.
        tokio::spawn(async move {
            let mut place = Place {
                files: &files,
                order,
                given_up: false,
            };
            let outcome = files.render(&mut place, &tell).await;
            // Those who come from here on find the file, or try again.
            drop(place);
            tell.send_replace(Some(outcome));
        });
        Ok(outcome)
    }

    async fn render(&self, place: &mut Place<'_>, tell: &watch::Sender<Option<Result<Made>>>) -> Result<Made> {
        let Order { hash, variant } = place.order.clone();
        let crew = match variant.format {
            Format::Avif => &self.slow,
            _ => &self.crew,
        };
        let hand = crew.hand().await?;
        // Given up by all who waited, or made by another, who was just done.
        if place.is_abandoned(tell) || self.has_variant(&hash, variant).await? || self.has_still(&hash, variant).await?
        {
            return Ok(None);
        }
        let original = self.storage.original(&hash).await?;
        let original = original.ok_or_else(Error::not_found)?;
        let room = self.room.clone();
        let focus = variant.focus.unwrap_or(Focus::MIDDLE);
        let work = move || {
            let original = original.read()?;
            let size = original.len() as u64;
            Ok((size, pipeline::render_variant(&original, variant, focus, &room)))
        };
        let (size, rendered) = crew.work(hand, work).await?;
        let Rendered { bytes, still_of_moving } = rendered.map_err(|error| {
            let error = refused(error);
            self.remember(&place.order, size, &error);
            error
        })?;
        let name = if still_of_moving {
            variant.still_file_name()
        } else {
            variant.file_name()
        };
        let (bytes, is_fresh) = self.fresh(bytes);
        let folder = self.scratch.folder();
        self.storage.keep_variant(bytes.clone(), &hash, &name, folder).await?;
        Ok(is_fresh.then_some((name, bytes)))
    }

    /// The bytes, and whether they may be answered from memory.
    fn fresh(&self, mut bytes: Vec<u8>) -> (Bytes, bool) {
        bytes.shrink_to_fit();
        let counted = (bytes.len() <= LARGEST_FRESH).then(|| Arc::clone(&self.fresh).try_acquire_owned().ok());
        match counted.flatten() {
            Some(counted) => {
                let fresh = Fresh {
                    bytes,
                    _counted: counted,
                };
                (Bytes::from_owner(fresh), true)
            }
            None => (bytes.into(), false),
        }
    }

    /// Why it could not be made some minutes ago, and the size of the original that was at fault.
    fn remembered(&self, order: &Order) -> Option<(u64, Error)> {
        let failed = lock(&self.failed);
        let failure = failed.get(order)?;
        (failure.at.elapsed() < REMEMBERED).then(|| (failure.bytes, failure.error.clone()))
    }

    fn remember(&self, order: &Order, bytes: u64, error: &Error) {
        log::warn!("{} of {} cannot be made: {error}", order.variant.name(), order.hash);
        let mut failed = lock(&self.failed);
        failed.retain(|_, failure| failure.at.elapsed() < REMEMBERED);
        if failed.len() < MOST_REMEMBERED {
            let failure = Failure {
                bytes,
                at: Instant::now(),
                error: error.clone(),
            };
            failed.insert(order.clone(), failure);
        }
    }

    /// Whether this AVIF is noted already.
    pub fn is_wanted(&self, hash: &str, variant: Variant) -> bool {
        let known = lock(&self.wanted.known);
        known.len() >= MOST_WANTED || known.iter().any(|order| order.variant == variant && order.hash == hash)
    }

    /// Notes that somebody would take this AVIF if it were there.
    pub fn want(&self, hash: &str, variant: Variant) {
        let order = Order {
            hash: hash.to_owned(),
            variant,
        };
        let mut known = lock(&self.wanted.known);
        if known.len() < MOST_WANTED && known.insert(order.clone()) {
            lock(&self.wanted.orders).push(order);
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
            let Some(order) = next else {
                self.wanted.more.notified().await;
                continue;
            };
            let _late = tokio::time::timeout(COURTESY, self.idle()).await;
            if let Err(error) = self.made(&order.hash, order.variant).await {
                log::debug!("{} of {}: {error}", order.variant.name(), order.hash);
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

/// An order's place among those that are being made; free when its work is over, by a panic too.
struct Place<'a> {
    files: &'a Files,
    order: Order,
    given_up: bool,
}

impl Place<'_> {
    /// Gives the place up if nobody waits for what is made there.
    fn is_abandoned(&mut self, tell: &watch::Sender<Option<Result<Made>>>) -> bool {
        let mut making = lock(&self.files.making);
        // One is there for those who come.
        self.given_up = tell.receiver_count() <= 1;
        if self.given_up {
            making.remove(&self.order);
        }
        self.given_up
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.given_up {
            lock(&self.files.making).remove(&self.order);
        }
    }
}

/// Nothing that is locked here can be half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn in_time<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, work).await.map_err(later)?
}

fn later(cause: impl std::fmt::Display) -> Error {
    Error {
        retry_after: Some(5),
        ..Error::unavailable(cause)
    }
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
