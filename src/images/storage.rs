//! Where the files lie: in the data folder, or in a bucket of an S3-compatible store.
//!
//! `9f/9f86…/original` and, beside it, `w960.webp`: originals by the hash of their content, variants made of them. What has
//! a name is whole: a file is written under another name, made durable and renamed; an object appears at once.

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use tempfile::{NamedTempFile, TempPath};

use super::bucket::{Bucket, Pieces};
use crate::config::{Config, Media};
use crate::error::{Error, Result};

/// Read and sent at a time: what a slow reader holds.
const PIECE: usize = 64 << 10;

/// The file of an upload, beside its variants.
pub const ORIGINAL: &str = "original";

/// The files of a site.
#[derive(Clone)]
pub enum Storage {
    /// In this folder.
    Folder(PathBuf),
    /// In this bucket.
    Bucket(Arc<Bucket>),
}

/// A file that lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The hash that it belongs to, or what stands in its place.
    pub hash: String,
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: u64,
}

/// An upload, to be decoded.
pub enum Original {
    /// On disk.
    File(PathBuf),
    /// In memory.
    Bytes(Bytes),
}

impl Original {
    /// All of it. For threads that may wait; 404 where it has gone.
    pub fn read(self) -> Result<Bytes> {
        match self {
            Self::File(path) => match found(fs::read(path)) {
                Ok(bytes) => bytes.map(Bytes::from).ok_or_else(Error::not_found),
                Err(error) => Err(Error::internal(error)),
            },
            Self::Bytes(bytes) => Ok(bytes),
        }
    }
}

/// A file, open for reading.
pub enum Opened {
    /// A file of the folder.
    File {
        /// Its size.
        size: u64,
        /// Its first bytes, where they were read.
        first: Bytes,
        /// The file.
        file: File,
    },
    /// An object.
    Object {
        /// Its size.
        size: u64,
        /// All of it, on its way, where it was asked for.
        all: Option<Pieces>,
        /// The bucket.
        bucket: Arc<Bucket>,
        /// Its name there.
        key: String,
    },
    /// A file whose bytes are at hand.
    Memory(Bytes),
}

/// The bytes of an answer.
pub type Stream = BoxStream<'static, std::result::Result<Bytes, io::Error>>;

impl Storage {
    /// The place that the settings name; the error is one line.
    pub fn open(config: &Config) -> std::result::Result<Self, String> {
        match &config.media {
            Media::Folder => {
                let folder = config.data_dir.join("media");
                fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
                Ok(Self::Folder(folder))
            }
            Media::Bucket(settings) => Ok(Self::Bucket(Arc::new(Bucket::open(settings)?))),
        }
    }

    /// Whether there is a file of that name.
    pub async fn exists(&self, hash: &str, name: &str) -> Result<bool> {
        Ok(self.size(hash, name).await?.is_some())
    }

    /// The size of a file in bytes; `None` where there is none.
    pub async fn size(&self, hash: &str, name: &str) -> Result<Option<u64>> {
        match self {
            Self::Folder(folder) => {
                let path = file_in(folder, hash, name);
                let meta = blocking(move || found(fs::metadata(path))).await?;
                Ok(meta.filter(fs::Metadata::is_file).map(|meta| meta.len()))
            }
            Self::Bucket(bucket) => bucket.size(&key(hash, name)).await,
        }
    }

    /// The upload of an image, to be read where it is decoded; `None` where there is none.
    pub async fn original(&self, hash: &str) -> Result<Option<Original>> {
        match self {
            Self::Folder(folder) => Ok(Some(Original::File(file_in(folder, hash, ORIGINAL)))),
            Self::Bucket(bucket) => Ok(bucket.read(&key(hash, ORIGINAL)).await?.map(Original::Bytes)),
        }
    }

    /// Opens a file; `None` where there is none. Where all of it is to be sent, its first piece is read at once, or an object
    /// is asked for at once.
    pub async fn open_file(&self, hash: &str, name: &str, read: bool) -> Result<Option<Opened>> {
        match self {
            Self::Folder(folder) => {
                let path = file_in(folder, hash, name);
                blocking(move || found(open_here(&path, read))).await
            }
            Self::Bucket(bucket) => {
                let key = key(hash, name);
                let found = if read {
                    bucket.begin(&key).await?.map(|(size, all)| (size, Some(all)))
                } else {
                    bucket.size(&key).await?.map(|size| (size, None))
                };
                let bucket = Arc::clone(bucket);
                Ok(found.map(|(size, all)| Opened::Object { size, all, bucket, key }))
            }
        }
    }

    /// Puts an upload in its place, durably; not after that time, when somebody else may be at work there.
    pub async fn keep_upload(&self, upload: TempPath, hash: &str, until: Instant) -> Result<()> {
        match self {
            Self::Folder(folder) => {
                let path = file_in(folder, hash, ORIGINAL);
                let folder = folder.clone();
                blocking(move || {
                    let own = path.parent().unwrap_or(&folder);
                    fs::create_dir_all(own)?;
                    in_time(until)?;
                    upload.persist(&path).map_err(|error| error.error)?;
                    // The names must be durable as well as the bytes.
                    for folder in [own, own.parent().unwrap_or(&folder), &folder] {
                        File::open(folder)?.sync_all()?;
                    }
                    Ok(())
                })
                .await
            }
            Self::Bucket(bucket) => {
                let key = key(hash, ORIGINAL);
                let put = bucket.put_file(&key, upload);
                tokio::time::timeout_at(until.into(), put)
                    .await
                    .map_err(Error::unavailable)?
            }
        }
    }

    /// Puts a variant in its place. `temporary` is where it is written first. Where the image is gone by now, it is not
    /// kept: 404.
    pub async fn keep_variant(&self, bytes: Bytes, hash: &str, name: &str, temporary: &Path) -> Result<()> {
        match self {
            Self::Folder(folder) => {
                let path = file_in(folder, hash, name);
                let temporary = temporary.to_owned();
                let kept = blocking(move || {
                    let mut file = NamedTempFile::new_in(temporary)?;
                    file.write_all(&bytes)?;
                    file.as_file().sync_all()?;
                    // The folder is gone with the image.
                    found(file.persist(path).map_err(|error| error.error))
                });
                kept.await?.map(drop).ok_or_else(Error::not_found)
            }
            Self::Bucket(bucket) => {
                bucket.put(&key(hash, name), bytes).await?;
                // A deletion takes the original first and lists what else there is then: either it has seen the variant, or
                // this does not see the original.
                if bucket.exists(&key(hash, ORIGINAL)).await? {
                    return Ok(());
                }
                bucket.remove(&key(hash, name)).await?;
                Err(Error::not_found())
            }
        }
    }

    /// Removes a picture with its variants, durably; begins with nothing after that time, when somebody else may be at work
    /// there.
    pub async fn remove(&self, hash: &str, until: Instant) -> Result<()> {
        match self {
            Self::Folder(folder) => {
                let own = folder_in(folder, hash);
                blocking(move || {
                    in_time(until)?;
                    found(fs::remove_file(own.join(ORIGINAL)))?;
                    in_time(until)?;
                    found(fs::remove_dir_all(&own))?;
                    match own.parent() {
                        Some(parent) => found(File::open(parent).and_then(|parent| parent.sync_all())).map(drop),
                        None => Ok(()),
                    }
                })
                .await
            }
            Self::Bucket(bucket) => {
                let removed = async {
                    bucket.remove(&key(hash, ORIGINAL)).await?;
                    bucket.remove_below(&key(hash, "")).await
                };
                tokio::time::timeout_at(until.into(), removed)
                    .await
                    .map_err(Error::unavailable)?
            }
        }
    }

    /// Removes one file.
    pub async fn remove_file(&self, file: &Stored) -> Result<()> {
        match self {
            Self::Folder(folder) => {
                let path = file_in(folder, &file.hash, &file.name);
                blocking(move || found(fs::remove_file(path))).await.map(drop)
            }
            Self::Bucket(bucket) => bucket.remove(&key(&file.hash, &file.name)).await,
        }
    }

    /// All files, those of one image after each other. What is no file of an image is left out.
    pub async fn list(&self) -> Result<Vec<Stored>> {
        match self {
            Self::Folder(folder) => {
                let folder = folder.clone();
                blocking(move || Ok(list_here(&folder))).await
            }
            Self::Bucket(bucket) => {
                let keys = bucket.list().await?;
                let mut files: Vec<Stored> = keys.iter().filter_map(|(key, bytes)| stored(key, *bytes)).collect();
                files.sort_by(|one, other| one.hash.cmp(&other.hash));
                Ok(files)
            }
        }
    }

    /// Whether readers are sent to where the files lie.
    pub fn redirects(&self) -> bool {
        match self {
            Self::Folder(_) => false,
            Self::Bucket(bucket) => bucket.redirects(),
        }
    }

    /// Whether what is signed for the bucket holds for as long as it says.
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Folder(_) => true,
            Self::Bucket(bucket) => bucket.is_lasting(),
        }
    }

    /// An address of the file at the bucket, where readers are to be sent there; it holds for longer than it is cached.
    pub async fn address(&self, hash: &str, name: &str, holds_for: Duration) -> Result<Option<String>> {
        match self {
            Self::Bucket(bucket) if bucket.redirects() => bucket.address(&key(hash, name), holds_for).await.map(Some),
            _ => Ok(None),
        }
    }
}

impl Opened {
    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::File { size, .. } | Self::Object { size, .. } => *size,
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }

    /// The bytes of a part of it, which must lie within its size, piece by piece.
    pub async fn stream(self, part: Range<u64>) -> Result<Stream> {
        match self {
            Self::File { first, file, .. } if part.start == 0 && !first.is_empty() => {
                let rest = first.len() as u64..part.end;
                let first = futures_util::stream::once(async { Ok(first) });
                Ok(first.chain(pieces(file, rest)).boxed())
            }
            Self::File { file, .. } => Ok(pieces(file, part)),
            Self::Object { size, all, bucket, key } => {
                let pieces = match all {
                    Some(all) if part == (0..size) => all,
                    _ => bucket.stream(&key, part).await?,
                };
                Ok(pieces.map_err(io::Error::other).boxed())
            }
            Self::Memory(bytes) => {
                let pieces = (part.start..part.end).step_by(PIECE).map(move |start| {
                    let end = part.end.min(start + PIECE as u64);
                    Ok(bytes.slice(to_usize(start)..to_usize(end)))
                });
                Ok(futures_util::stream::iter(pieces).boxed())
            }
        }
    }

    /// The bytes of a part of it, where they are in memory already.
    pub fn at_hand(&self, part: &Range<u64>) -> Option<Bytes> {
        match self {
            Self::File { first, .. } if part.end <= first.len() as u64 => {
                Some(first.slice(to_usize(part.start)..to_usize(part.end)))
            }
            Self::Memory(bytes) if part.end - part.start <= PIECE as u64 => {
                Some(bytes.slice(to_usize(part.start)..to_usize(part.end)))
            }
            _ => None,
        }
    }
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn open_here(path: &Path, read: bool) -> io::Result<Opened> {
    use std::io::Read;
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut first = Vec::new();
    if read {
        first.reserve_exact(PIECE.min(to_usize(size)));
        (&file).take(PIECE as u64).read_to_end(&mut first)?;
    }
    Ok(Opened::File {
        size,
        first: first.into(),
        file,
    })
}

/// A part of a file, piece by piece, each read where waiting for a disk holds nobody up.
fn pieces(file: File, part: Range<u64>) -> Stream {
    use std::io::{Read, Seek, SeekFrom};
    futures_util::stream::try_unfold((file, part), |(mut file, part)| async move {
        if part.is_empty() {
            return Ok(None);
        }
        let reading = tokio::task::spawn_blocking(move || {
            file.seek(SeekFrom::Start(part.start))?;
            let mut piece = vec![0; PIECE.min(to_usize(part.end - part.start))];
            file.read_exact(&mut piece)?;
            let next = part.start + piece.len() as u64..part.end;
            Ok((Bytes::from(piece), (file, next)))
        });
        reading.await.map_err(io::Error::other)?.map(Some)
    })
    .boxed()
}

fn folder_in(folder: &Path, hash: &str) -> PathBuf {
    folder.join(hash.get(..2).unwrap_or_default()).join(hash)
}

fn file_in(folder: &Path, hash: &str, name: &str) -> PathBuf {
    folder_in(folder, hash).join(name)
}

fn key(hash: &str, name: &str) -> String {
    format!("{}/{hash}/{name}", hash.get(..2).unwrap_or_default())
}

/// The file at a key, if it is one that an image has.
fn stored(key: &str, bytes: u64) -> Option<Stored> {
    let mut parts = key.split('/');
    let (start, hash, name) = (parts.next()?, parts.next()?, parts.next()?);
    let ours = parts.next().is_none() && is_hash(hash) && hash.get(..2) == Some(start);
    ours.then(|| Stored {
        hash: hash.to_owned(),
        name: name.to_owned(),
        bytes,
    })
}

/// Whether it is a SHA-256 as addresses have it.
pub fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn list_here(folder: &Path) -> Vec<Stored> {
    let entries = walkdir::WalkDir::new(folder)
        .min_depth(3)
        .max_depth(3)
        .sort_by_file_name();
    entries
        .into_iter()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let bytes = entry.metadata().ok()?.len();
            stored(entry.path().strip_prefix(folder).ok()?.to_str()?, bytes)
        })
        .collect()
}

/// Refuses to begin what may no longer be done.
fn in_time(until: Instant) -> io::Result<()> {
    if Instant::now() < until {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "the disk takes too long"))
}

/// Runs what waits for a disk.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    let outcome = tokio::task::spawn_blocking(work).await.map_err(Error::internal)?;
    outcome.map_err(disk)
}

/// What a disk does not do: 503 where it may do it later.
pub fn disk(error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull
        | io::ErrorKind::QuotaExceeded
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::TimedOut => Error::unavailable(error),
        _ => Error::internal(error),
    }
}

/// `None` where there is nothing.
fn found<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}
