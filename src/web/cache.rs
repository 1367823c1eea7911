//! The response cache: finished answers to anonymous GETs, found by one lookup before any handler runs.
//!
//! The key is path and query as they were sent, since `links.self` repeats them. An answer ends when something that it
//! was made of changes (see [`crate::db::changes`]) or an article becomes due; its view numbers are read again, for
//! many answers in one statement, before they are a second old or when this process has counted a view. Requests with
//! `Authorization` neither read nor fill it, and nobody does while changes of other processes may be missed.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::content::{Content, ViewAge};
use crate::db::{Changes, Db, Read};
use crate::error::Result;

/// Where answers are kept; outside of it stands what depends on more than content.
const KEPT_BELOW: &str = "/api/v1/";

/// What an entry takes beside its content and its key, in bytes: both pointers, the cache's own tables (1.5 places for
/// each entry, to the next power of two) and the allocator's share.
const OVERHEAD: usize = 320;

/// For four bytes that are kept one lies idle between blocks of the allocator, since answers of all sizes come and go: what
/// the memory of a server grew by, measured over 10,000 articles of 6 kB and over as many of 15 kB.
const IDLE_SHARE: usize = 4;

/// What an answer is taken to weigh where the cache's tables are laid out.
const USUAL_WEIGHT: u64 = 16 << 10;

/// The smallest part that the cache is divided into: what is larger is not kept.
const SMALLEST_PART: u64 = 4 << 20;

/// What is counted or depends on the time of day, and so is never kept: nobody waits for another there.
const NEVER_KEPT: [&str; 2] = ["/api/v1/search", "/api/v1/rankings/views"];

/// How many view numbers one statement reads; SQLite takes no more than 32,766 values.
const AT_ONCE: usize = 10_000;

/// How long view numbers that are not old yet wait for others, to be read with them. A thousand articles that are read all
/// the time ask three thousand times a second, and a statement for the few that ask together took a tenth of what the
/// server can do.
const GATHERED: Duration = Duration::from_millis(50);

/// How long view numbers are waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// In a request's extensions: the answer is wanted for keeping.
pub struct Wanted;

/// A content with what it weighs, which must not change while it is in the cache.
#[derive(Clone)]
struct Kept {
    content: Arc<Content>,
    weight: u64,
}

#[derive(Clone)]
struct ByWeight;

impl Weighter<Box<str>, Kept> for ByWeight {
    fn weight(&self, _key: &Box<str>, kept: &Kept) -> u64 {
        kept.weight
    }
}

/// Reads how often articles were read, in one statement of at most [`AT_ONCE`].
pub type ReadViews = fn(&mut Read<'_>, &[i64]) -> Result<HashMap<i64, i64>>;

/// What became of an answer that several wait for: nothing while it is made, then the answer if others may have it.
type Outcome = Option<Option<Arc<Content>>>;

/// When a request came, by the moments of both boards: what was made from then on is right for it.
#[derive(Clone, Copy)]
pub struct Arrival {
    content: u64,
    views: u64,
}

/// Kept answers.
pub struct ResponseCache {
    kept: Cache<Box<str>, Kept, ByWeight, DefaultHashBuilder, DefaultLifecycle<Box<str>, Kept>>,
    changes: Arc<Changes>,
    /// What is being made now.
    making: Mutex<HashMap<Box<str>, watch::Receiver<Outcome>>>,
    views: Arc<ViewQueue>,
}

/// Answers whose view numbers are to be read.
#[derive(Default)]
struct ViewQueue {
    waiting: Mutex<Waiting>,
    /// The first one waits, or somebody waits for one.
    wake: Notify,
    done: Notify,
}

#[derive(Default)]
struct Waiting {
    contents: Vec<Arc<Content>>,
    /// Somebody waits for one of them.
    hurried: bool,
}

/// What the cache has for a request at once.
pub enum Found {
    /// The answer.
    Answer(HttpResponse),
    /// The request is one that the cache has to do with; see [`ResponseCache::answer`].
    Later,
    /// It has nothing to do with the cache.
    Nothing,
}

impl ResponseCache {
    /// A cache of so many bytes; nothing if there are none. With it goes what reads view numbers, on the present runtime.
    pub fn new(bytes: u64, db: &Db, read_views: ReadViews) -> Option<(Arc<Self>, JoinHandle<()>)> {
        if bytes == 0 {
            return None;
        }
        let parts = (bytes / SMALLEST_PART).clamp(1, 8);
        let options = OptionsBuilder::new()
            .weight_capacity(bytes)
            .estimated_items_capacity(usize::try_from((bytes / USUAL_WEIGHT).max(64)).unwrap_or(usize::MAX))
            .shards(usize::try_from(parts).unwrap_or(1))
            .build();
        let options = match options {
            Ok(options) => options,
            Err(error) => {
                log::error!("no response cache: {error}");
                return None;
            }
        };
        let views = Arc::new(ViewQueue::default());
        let cache = Self {
            kept: Cache::with_options(
                options,
                ByWeight,
                DefaultHashBuilder::default(),
                DefaultLifecycle::default(),
            ),
            changes: Arc::clone(db.changes()),
            making: Mutex::default(),
            views: Arc::clone(&views),
        };
        let refreshing = tokio::spawn(refresh(views, db.clone(), read_views));
        Some((Arc::new(cache), refreshing))
    }

    /// How many bytes it holds.
    pub fn weight(&self) -> u64 {
        self.kept.weight()
    }

    /// Looks, without waiting for anything.
    pub fn look(&self, request: &ServiceRequest, begun: Instant) -> Found {
        let Some(key) = key_of(request) else {
            return Found::Nothing;
        };
        if !self.changes.are_known() {
            return Found::Nothing;
        }
        let Some(content) = self.true_content(key) else {
            return Found::Later;
        };
        let headers = request.headers();
        if let Some(unchanged) = content.unchanged(headers) {
            return Found::Answer(unchanged);
        }
        match content.view_age(&self.changes.views, begun) {
            ViewAge::Fresh => {}
            ViewAge::Aging => self.views.ask(&content, false),
            ViewAge::Old => return Found::Later,
        }
        let form = content.form(headers);
        if !form.is_at_hand() {
            return Found::Later;
        }
        if form.make() {
            self.keep(key, content.clone());
        }
        Found::Answer(content.whole(&form, headers))
    }

    fn true_content(&self, key: &str) -> Option<Arc<Content>> {
        let content = self.kept.get(key)?.content;
        content.is_true(&self.changes.content).then_some(content)
    }

    fn keep(&self, key: &str, content: Arc<Content>) {
        let weight = content.weight() + key.len() + OVERHEAD;
        let weight = (weight + weight / IDLE_SHARE) as u64;
        self.kept.insert(key.into(), Kept { content, weight });
    }

    /// Answers, and counts the form that was made for that, if it was not there.
    fn respond(&self, key: &str, content: &Arc<Content>, headers: &HeaderMap) -> HttpResponse {
        let weight = content.weight();
        let response = content.respond(headers);
        if content.weight() != weight && content.may_be_kept() {
            self.keep(key, Arc::clone(content));
        }
        response
    }

    fn making_now(&self) -> MutexGuard<'_, HashMap<Box<str>, watch::Receiver<Outcome>>> {
        // What it guards is whole after each step.
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers a request for which [`ResponseCache::look`] said later, when view numbers are read or a coding is made;
    /// nothing where the answer has to be made.
    pub async fn answer(&self, request: &ServiceRequest) -> Option<HttpResponse> {
        let key = key_of(request)?;
        let content = self.true_content(key)?;
        let headers = request.headers();
        // Views that are counted while they are read are none of this request's.
        let arrived = self.changes.views.now();
        let is_old = || !content.has_views_for(arrived, &self.changes.views, Instant::now());
        // What is being read may have been begun before.
        for _ in 0..2 {
            if is_old() {
                self.views.read(&content).await;
            }
        }
        if is_old() {
            return None;
        }
        let form = content.form(headers);
        let is_at_hand = form.is_at_hand();
        let make = move || (form.make(), form);
        let (is_new, form) = if is_at_hand {
            make()
        } else {
            tokio::task::spawn_blocking(make).await.ok()?
        };
        if is_new {
            self.keep(key, Arc::clone(&content));
        }
        // It may have ended while it was waited for.
        let is_true = content.is_true(&self.changes.content);
        is_true.then(|| {
            content
                .unchanged(headers)
                .unwrap_or_else(|| content.whole(&form, headers))
        })
    }

    /// When a request came that may have to wait for others.
    pub fn arrival(&self) -> Arrival {
        Arrival {
            content: self.changes.content.now(),
            views: self.changes.views.now(),
        }
    }

    /// Lets one of many that ask for the same make the answer; the others wait for it. The `first` time somebody comes here,
    /// it may have been made since they looked.
    pub async fn begin(self: &Arc<Self>, request: &ServiceRequest, arrived: Arrival, first: bool) -> Turn {
        let Some(key) = key_of(request) else {
            return Turn::Alone;
        };
        let other = {
            let mut making = self.making_now();
            match making.get(key) {
                Some(other) => other.clone(),
                // Who made it put it away before they left.
                None if first && self.true_content(key).is_some() => return Turn::Again,
                None => {
                    let (outcome, others) = watch::channel(None);
                    making.insert(key.into(), others);
                    return Turn::First(Made {
                        cache: Arc::clone(self),
                        key: key.into(),
                        outcome,
                        content: self.changes.content.now(),
                        views: self.changes.views.now(),
                        at: Instant::now(),
                    });
                }
            }
        };
        match finished(other).await {
            // It may have ended already, as far as later requests are concerned.
            Some(Some(content)) if content.is_of(arrived.content, arrived.views) => {
                Turn::Answered(self.respond(key, &content, request.headers()))
            }
            Some(Some(_older)) => Turn::Again,
            Some(None) => Turn::Alone,
            None => Turn::Again,
        }
    }
}

/// What another made, when it is there; nothing if it was given up.
async fn finished(mut other: watch::Receiver<Outcome>) -> Outcome {
    let outcome = other.wait_for(Option::is_some).await.ok()?;
    outcome.clone()
}

/// What a request is to do that found nothing kept.
pub enum Turn {
    /// Make the answer, and then call [`Made::finish`].
    First(Made),
    /// Make it, and leave the cache alone: nobody else may have it.
    Alone,
    /// Nothing: another has made this one, after the request came.
    Answered(HttpResponse),
    /// Begin anew: what another made was begun before the request came, or given up.
    Again,
}

/// The right to make an answer, while others wait for it.
pub struct Made {
    cache: Arc<ResponseCache>,
    key: Box<str>,
    outcome: watch::Sender<Outcome>,
    /// The moments and the time before it is made.
    content: u64,
    views: u64,
    at: Instant,
}

impl Made {
    /// Keeps the answer, if it is one that may be kept.
    pub fn finish(self, response: &mut HttpResponse<impl actix_web::body::MessageBody>) {
        let content = response.extensions_mut().remove::<Arc<Content>>();
        if let Some(content) = &content {
            content.since(self.content, self.views, self.at);
            if content.may_be_kept() {
                self.cache.keep(&self.key, Arc::clone(content));
            }
        }
        self.cache.making_now().remove(&self.key);
        self.outcome.send_replace(Some(content));
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        // Given up, by an error or since who asked has gone: the next one may make it.
        if self.outcome.borrow().is_none() {
            self.cache.making_now().remove(&self.key);
        }
    }
}

/// The key of a request that the cache has to do with.
fn key_of(request: &ServiceRequest) -> Option<&str> {
    let key = request.uri().path_and_query()?.as_str();
    let reads = request.method() == Method::GET || request.method() == Method::HEAD;
    let may_be_kept = key.starts_with(KEPT_BELOW) && !NEVER_KEPT.contains(&request.path());
    (reads && may_be_kept && !request.headers().contains_key(AUTHORIZATION)).then_some(key)
}

impl ViewQueue {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // What it guards is whole after each step.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks for view numbers, once for many that find them aging; `hurried` if somebody waits for them.
    fn ask(&self, content: &Arc<Content>, hurried: bool) {
        let Some(views) = &content.views else { return };
        if !hurried && views.asked.load(Ordering::Acquire) {
            return;
        }
        let mut waiting = self.waiting();
        let first = waiting.contents.is_empty();
        if !views.asked.swap(true, Ordering::AcqRel) {
            waiting.contents.push(Arc::clone(content));
        }
        // Where it does not wait it is being read.
        let hurries = hurried && waiting.contents.iter().any(|one| Arc::ptr_eq(one, content));
        waiting.hurried |= hurries;
        if first || hurries {
            self.wake.notify_one();
        }
    }

    /// Waits until the next ones have been read, or could not be.
    async fn read(&self, content: &Arc<Content>) {
        let done = self.done.notified();
        let mut done = std::pin::pin!(done);
        // Before it is asked for: what is done meanwhile counts.
        done.as_mut().enable();
        self.ask(content, true);
        if tokio::time::timeout(PATIENCE, done).await.is_err() {
            log::warn!("view numbers were not read in time");
        }
    }
}

/// Reads view numbers until it is aborted: all that wait at once.
async fn refresh(views: Arc<ViewQueue>, db: Db, read_views: ReadViews) {
    loop {
        while views.waiting().contents.is_empty() {
            views.wake.notified().await;
        }
        let hurry = async {
            while !views.waiting().hurried {
                views.wake.notified().await;
            }
        };
        // Without one the time passes.
        let _hurried = tokio::time::timeout(GATHERED, hurry).await;
        let waiting = std::mem::take(&mut *views.waiting()).contents;
        let mut ids: Vec<i64> = waiting
            .iter()
            .filter_map(|content| content.views.as_ref())
            .flat_map(|views| views.ids.iter().copied())
            .collect();
        ids.sort_unstable();
        ids.dedup();
        let (moment, at) = (db.changes().views.now(), Instant::now());
        let counts = db
            .look(move |read| {
                let mut counts = HashMap::with_capacity(ids.len());
                for ids in ids.chunks(AT_ONCE) {
                    counts.extend(read_views(read, ids)?);
                }
                Ok(counts)
            })
            .await;
        for content in &waiting {
            if let Ok(counts) = &counts {
                content.set_views(|id| counts.get(&id).copied().unwrap_or_default(), moment, at);
            }
            if let Some(views) = &content.views {
                views.asked.store(false, Ordering::Release);
            }
        }
        views.done.notify_waiters();
        if let Err(error) = counts {
            log::warn!("view numbers could not be read: {error}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
