//! A bucket of an S3-compatible store, by `object_store`.

use std::ops::Range;
use std::time::Duration;

use actix_web::http::Method;
use actix_web::web::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{
    Attribute, Attributes, BackoffConfig, ClientOptions, GetOptions, ObjectStore, ObjectStoreExt, PutOptions,
    PutPayload, RetryConfig,
};
use tempfile::TempPath;
use tokio::sync::Semaphore;

use super::variants::Variant;
use crate::config;
use crate::error::{Error, Result};

/// Uploads on their way at a time: each is in memory whole, so that what a killed server had begun is nowhere.
const UPLOADS: usize = 4;

/// How long one request to the store may take.
const REQUEST: Duration = Duration::from_secs(20);

/// How long the store may be silent while something large is on its way, however long all of it takes.
const SILENCE: Duration = Duration::from_secs(60);

/// How long is tried again what the store did not take.
const RETRYING: Duration = Duration::from_secs(3);

/// The bytes of an object, as they come.
pub type Pieces = BoxStream<'static, object_store::Result<Bytes>>;

/// A place in a store.
pub struct Bucket {
    store: AmazonS3,
    /// The same, for what takes its time.
    patient: AmazonS3,
    uploads: Semaphore,
    lasting: bool,
    prefix: String,
    redirect: bool,
}

impl Bucket {
    /// The bucket of the settings. Nothing is asked of it yet; the error is one line.
    pub fn open(settings: &config::Bucket) -> std::result::Result<Self, String> {
        let mut builder = AmazonS3Builder::new();
        let (mut plain, mut keys, mut session) = (false, false, false);
        for (name, value) in &settings.options {
            // Others use names that begin like these.
            if let Ok(key) = name.parse::<AmazonS3ConfigKey>() {
                plain |= value.starts_with("http://");
                keys |= key == AmazonS3ConfigKey::AccessKeyId;
                session |= key == AmazonS3ConfigKey::Token;
                builder = builder.with_config(key, value);
            }
        }
        let options = ClientOptions::new()
            // Whoever names an endpoint without TLS means it.
            .with_allow_http(plain)
            .with_connect_timeout(Duration::from_secs(2));
        let retry = RetryConfig {
            backoff: BackoffConfig {
                init_backoff: Duration::from_millis(50),
                max_backoff: Duration::from_secs(1),
                base: 2.0,
            },
            max_retries: 4,
            retry_timeout: RETRYING,
        };
        let builder = builder.with_bucket_name(&settings.name).with_retry(retry);
        let built = |options| {
            let builder = builder.clone().with_client_options(options);
            builder
                .build()
                .map_err(|error| format!("BROADSHEET_MEDIA_URL: {error}"))
        };
        Ok(Self {
            store: built(options.clone().with_timeout(REQUEST))?,
            patient: built(options.with_timeout_disabled().with_read_timeout(SILENCE))?,
            uploads: Semaphore::new(UPLOADS),
            lasting: keys && !session,
            prefix: settings.prefix.clone(),
            redirect: settings.redirect,
        })
    }

    /// Whether its credentials last, and what is signed with them: keys by themselves, no session.
    pub fn is_lasting(&self) -> bool {
        self.lasting
    }

    /// Whether readers are sent to it.
    pub fn redirects(&self) -> bool {
        self.redirect
    }

    fn path(&self, key: &str) -> Path {
        Path::from_iter(
            self.prefix
                .split('/')
                .chain(key.split('/'))
                .filter(|part| !part.is_empty()),
        )
    }

    /// Whether there is such an object.
    pub async fn exists(&self, key: &str) -> Result<bool> {
        Ok(self.size(key).await?.is_some())
    }

    /// Its size, if it is there.
    pub async fn size(&self, key: &str) -> Result<Option<u64>> {
        Ok(found(self.store.head(&self.path(key)).await)?.map(|meta| meta.size))
    }

    /// All of it.
    pub async fn read(&self, key: &str) -> Result<Option<Bytes>> {
        match found(self.patient.get(&self.path(key)).await)? {
            Some(object) => Ok(Some(object.bytes().await.map_err(failed)?)),
            None => Ok(None),
        }
    }

    /// Its size, and all of it as it comes, by one request. Its bytes may take their time; that they begin to come may not.
    pub async fn begin(&self, key: &str) -> Result<Option<(u64, Pieces)>> {
        let path = self.path(key);
        let answer = tokio::time::timeout(REQUEST, self.patient.get(&path)).await;
        let object = found(answer.map_err(Error::unavailable)?)?;
        Ok(object.map(|object| (object.meta.size, object.into_stream())))
    }

    /// A part of it, as it comes.
    pub async fn stream(&self, key: &str, part: Range<u64>) -> Result<Pieces> {
        if part.is_empty() {
            return Ok(futures_util::stream::empty().boxed());
        }
        let options = GetOptions::new().with_range(Some(part));
        let object = found(self.patient.get_opts(&self.path(key), options).await)?;
        Ok(object.ok_or_else(Error::not_found)?.into_stream())
    }

    /// Puts an object there, whole or not at all.
    pub async fn put(&self, key: &str, bytes: Bytes) -> Result<()> {
        let options = PutOptions::from(attributes(key));
        let path = self.path(key);
        let put = self.patient.put_opts(&path, PutPayload::from(bytes), options);
        put.await.map(drop).map_err(failed)
    }

    /// Puts a file there, whole or not at all.
    pub async fn put_file(&self, key: &str, file: TempPath) -> Result<()> {
        let _turn = self.uploads.acquire().await.map_err(Error::unavailable)?;
        let bytes = tokio::fs::read(&file).await.map_err(Error::internal)?;
        self.put(key, bytes.into()).await
    }

    /// Removes what has this key.
    pub async fn remove(&self, key: &str) -> Result<()> {
        found(self.store.delete(&self.path(key)).await).map(drop)
    }

    /// Removes what lies below this key.
    pub async fn remove_below(&self, key: &str) -> Result<()> {
        let below = self.store.list(Some(&self.path(key)));
        let below: Vec<_> = below.try_collect().await.map_err(failed)?;
        for object in below {
            found(self.store.delete(&object.location).await)?;
        }
        Ok(())
    }

    /// Every key, without the prefix, and its size.
    pub async fn list(&self) -> Result<Vec<(String, u64)>> {
        let prefix = self.path("");
        let all: Vec<_> = self.store.list(Some(&prefix)).try_collect().await.map_err(failed)?;
        let skipped = if self.prefix.is_empty() {
            0
        } else {
            self.prefix.len() + 1
        };
        Ok(all
            .into_iter()
            .filter_map(|object| Some((object.location.as_ref().get(skipped..)?.to_owned(), object.size)))
            .collect())
    }

    /// An address under which everybody may read the object for that time.
    pub async fn address(&self, key: &str, holds_for: Duration) -> Result<String> {
        let method = Method::GET.as_str().parse().map_err(Error::internal)?;
        let path = self.path(key);
        let url = self.store.signed_url(method, &path, holds_for);
        url.await.map(String::from).map_err(failed)
    }
}

/// What the store tells those whom it serves itself.
fn attributes(key: &str) -> Attributes {
    let mut attributes = Attributes::new();
    let name = key.rsplit('/').next().unwrap_or_default();
    let variant = name.rsplit_once('.').and_then(|(before, ending)| {
        let size = before.split('.').next().unwrap_or_default();
        Variant::parse(&format!("{size}.{ending}"))
    });
    let (media_type, caching) = match variant {
        Some(variant) => (variant.format.media_type(), "public, max-age=31536000, immutable"),
        // Nothing that a browser would run.
        None => ("application/octet-stream", "private, no-store"),
    };
    attributes.insert(Attribute::ContentType, media_type.into());
    attributes.insert(Attribute::CacheControl, caching.into());
    attributes
}

/// `None` where there is nothing.
fn found<T>(outcome: object_store::Result<T>) -> Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(object_store::Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// The store is another machine: what it does not do now, it may do later.
fn failed(error: object_store::Error) -> Error {
    Error::unavailable(error)
}
