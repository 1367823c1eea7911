//! Where the files lie: originals by the hash of their content, variants beside them, made when first asked for.
//!
//! `media/9f/9f86…/original`, `media/9f/9f86…/w960.webp`. A file is written under another name, made durable, and
//! renamed, so that nobody meets half of one.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tempfile::{NamedTempFile, TempPath};
use tokio::sync::Semaphore;

use super::pipeline::{self, ImageError, Probed};
use super::variants::Variant;
use crate::error::{Code, Error, Result};

/// How many pictures are decoded at a time: memory, not processors, is what they could run out of.
const AT_A_TIME: usize = 2;

/// How long a request waits for room to decode.
const PATIENCE: Duration = Duration::from_secs(20);

/// The files of a site.
#[derive(Clone)]
pub struct Files {
    media: PathBuf,
    temporary: PathBuf,
    decoding: Arc<Semaphore>,
    /// Variants that are being made: whoever asks for one of them waits for the first.
    making: Arc<Mutex<HashMap<PathBuf, Weak<tokio::sync::Mutex<()>>>>>,
}

impl Files {
    /// The files in a data folder; the error is one line.
    pub fn open(data_dir: &Path) -> std::result::Result<Self, String> {
        let (media, temporary) = (data_dir.join("media"), data_dir.join("tmp"));
        for folder in [&media, &temporary] {
            fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        }
        Ok(Self {
            media,
            temporary,
            decoding: Arc::new(Semaphore::new(AT_A_TIME)),
            making: Arc::default(),
        })
    }

    /// A new file for an upload, on the disk of its later place; gone when it is dropped.
    pub fn temporary(&self) -> io::Result<NamedTempFile> {
        NamedTempFile::new_in(&self.temporary)
    }

    fn folder(&self, hash: &str) -> PathBuf {
        self.media.join(hash.get(..2).unwrap_or_default()).join(hash)
    }

    /// Where the uploaded file lies.
    pub fn original(&self, hash: &str) -> PathBuf {
        self.folder(hash).join("original")
    }

    /// Finds out what a picture is, as soon as there is room to decode it.
    pub async fn probe(&self, path: PathBuf) -> Result<Probed> {
        self.decode(move || pipeline::probe(&fs::read(path)?).map_err(Failure::Image))
            .await
    }

    /// Puts an upload in its place, durably.
    pub fn keep(&self, upload: TempPath, hash: &str) -> io::Result<()> {
        let folder = self.folder(hash);
        fs::create_dir_all(&folder)?;
        upload.persist(folder.join("original")).map_err(|error| error.error)?;
        // The names must be durable as well as the bytes.
        for folder in [folder.as_path(), folder.parent().unwrap_or(&self.media), &self.media] {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// Removes a picture with its variants.
    pub fn remove(&self, hash: &str) -> io::Result<()> {
        match fs::remove_dir_all(self.folder(hash)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            outcome => outcome,
        }
    }

    /// Where a variant lies; it is made if it is not there, once however many ask. 404 where there is no such picture.
    pub async fn variant(&self, hash: &str, variant: Variant) -> Result<PathBuf> {
        let path = self.folder(hash).join(variant.name());
        if path.is_file() {
            return Ok(path);
        }
        let original = self.original(hash);
        if !original.is_file() {
            return Err(Error::not_found());
        }
        let turn = self.turn(&path).lock_owned().await;
        if path.is_file() {
            return Ok(path);
        }
        let (temporary, target) = (self.temporary.clone(), path.clone());
        self.decode(move || {
            // Held until the file is there, also where who asked has gone.
            let _turn = turn;
            let bytes = pipeline::render_variant(&fs::read(original)?, variant).map_err(Failure::Image)?;
            let mut file = NamedTempFile::new_in(temporary)?;
            file.write_all(&bytes)?;
            file.as_file().sync_all()?;
            file.persist(target).map_err(|error| error.error)?;
            Ok(())
        })
        .await?;
        Ok(path)
    }

    fn turn(&self, path: &Path) -> Arc<tokio::sync::Mutex<()>> {
        let mut making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = making.get(path).and_then(Weak::upgrade) {
            return turn;
        }
        making.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::new(tokio::sync::Mutex::new(()));
        making.insert(path.to_owned(), Arc::downgrade(&turn));
        turn
    }

    async fn decode<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> std::result::Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        let waiting = Arc::clone(&self.decoding).acquire_owned();
        let room = tokio::time::timeout(PATIENCE, waiting)
            .await
            .map_err(Error::unavailable)?;
        let room = room.map_err(Error::unavailable)?;
        let outcome = tokio::task::spawn_blocking(move || {
            // The room is taken as long as the work lasts, not as long as somebody waits for it.
            let _room = room;
            work()
        });
        let outcome = outcome.await.map_err(Error::internal)?;
        outcome.map_err(Error::from)
    }
}

enum Failure {
    Io(io::Error),
    Image(ImageError),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            // Deleted meanwhile.
            Failure::Io(error) if error.kind() == io::ErrorKind::NotFound => Self::not_found(),
            Failure::Io(error) => Self::internal(error),
            Failure::Image(ImageError::NotAnImage) => Self::new(Code::UnsupportedMediaType),
            Failure::Image(ImageError::TooLarge(limit)) => Self::at_field(Code::TooLarge, "/file", limit),
            Failure::Image(error @ ImageError::Broken(_)) => {
                let cause = Some(error.to_string());
                Self {
                    cause,
                    ..Self::at_field(Code::InvalidField, "/file", "the image is damaged")
                }
            }
            Failure::Image(error @ ImageError::Encode(_)) => Self::internal(error),
        }
    }
}
