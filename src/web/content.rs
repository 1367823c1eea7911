//! An answer of status 200, whole: what is sent, and what a cache has to know of it.
//!
//! Whoever answers, the handler or the cache, answers with [`Content::respond`], so that the two cannot differ.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, LINK, VARY,
};
use actix_web::web::Bytes;

use super::coding::{Coding, WORTH_COMPRESSING, compressed, wanted_coding};
use super::conditional::{self, VIEWS};
use crate::db::Timestamp;
use crate::db::board::{Board, Place};

/// The header that names what an answer shows, for caches before this server.
const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");

/// How old view numbers may be. The rest of a second is for views that are only noted when they are answered.
pub(super) const OLDEST_VIEWS: Duration = Duration::from_millis(600);

/// How often in [`OLDEST_VIEWS`] view numbers are read again at once because this process has counted a view. An article
/// that is read much is viewed much, and would be read again for each view.
const EXACT_VIEWS: u32 = 10;

/// The longest body that is compressed where requests are served.
const SOON: usize = 1 << 20;

/// A body in its forms, each made when it is first asked for.
pub(super) struct Forms {
    plain: Bytes,
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

impl Forms {
    fn new(plain: Bytes) -> Self {
        Self {
            plain,
            brotli: OnceLock::new(),
            gzip: OnceLock::new(),
        }
    }

    /// The form of a coding, if it is made.
    fn made(&self, coding: Coding) -> Option<&Bytes> {
        match coding {
            Coding::Plain => Some(&self.plain),
            Coding::Brotli => self.brotli.get(),
            Coding::Gzip => self.gzip.get(),
        }
    }

    /// The form of a coding; who asks for it meanwhile waits.
    fn make(&self, coding: Coding) -> Bytes {
        let form = match coding {
            Coding::Plain => return self.plain.clone(),
            Coding::Brotli => &self.brotli,
            Coding::Gzip => &self.gzip,
        };
        form.get_or_init(|| compressed(coding, &self.plain)).clone()
    }
}

/// The view numbers of a body.
pub(super) struct Views {
    /// Whose they are, in their order in the body.
    pub(super) ids: Box<[i64]>,
    places: Box<[Place]>,
    last: RwLock<LastRead>,
    /// The moment on the board before they were read.
    moment: AtomicU64,
    /// Whether somebody has asked for them to be read.
    pub(super) asked: AtomicBool,
}

/// When view numbers were read.
struct LastRead {
    at: Instant,
    /// How often that was since a time that is less than [`OLDEST_VIEWS`] before the last.
    since: Instant,
    times: u32,
}

impl LastRead {
    fn first(at: Instant) -> Self {
        Self {
            at,
            since: at,
            times: 0,
        }
    }

    /// Whether they may be read once more before they are old.
    fn may_again(&self, now: Instant) -> bool {
        self.times < EXACT_VIEWS || now.saturating_duration_since(self.since) >= OLDEST_VIEWS
    }

    fn again(&mut self, at: Instant) {
        if at.saturating_duration_since(self.since) >= OLDEST_VIEWS {
            *self = Self::first(at);
        }
        self.at = at;
        self.times += 1;
    }
}

/// What is to be done about view numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ViewAge {
    /// Nothing.
    Fresh,
    /// They are to be read again, but may still be shown.
    Aging,
    /// They are to be read again first.
    Old,
}

/// What an answer is made of besides its body.
#[derive(Default)]
pub struct About {
    /// The validator.
    pub etag: String,
    /// When an article becomes due that may change it.
    pub next_due: Option<Timestamp>,
    /// For `Cache-Tag`.
    pub tags: Vec<String>,
    /// For `Link`.
    pub link: Option<String>,
    /// The places of the subjects that it was made of.
    pub places: Box<[Place]>,
    /// Whose view numbers it has, in their order.
    pub views: Vec<(i64, Place)>,
}

/// An answer of status 200.
pub struct Content {
    forms: RwLock<Arc<Forms>>,
    etag: HeaderValue,
    next_due: Option<Timestamp>,
    cache_tag: Option<HeaderValue>,
    link: Option<HeaderValue>,
    places: Box<[Place]>,
    /// The moment on the board before its snapshot was opened.
    moment: AtomicU64,
    /// The moment up to which nothing of it is known to have changed.
    checked: AtomicU64,
    /// The view numbers, if there are any; nothing as well where they cannot be told apart from others.
    pub(super) views: Option<Views>,
    /// Whether it has view numbers that cannot be set anew.
    has_other_views: bool,
}

fn value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}

impl Content {
    /// An answer with that body.
    pub fn new(body: Vec<u8>, about: About) -> Self {
        let numbers = count_views(&body);
        let views = (numbers > 0 && numbers == about.views.len()).then(|| Views {
            ids: about.views.iter().map(|(id, _)| *id).collect(),
            places: about.views.iter().map(|(_, place)| *place).collect(),
            last: RwLock::new(LastRead::first(Instant::now())),
            moment: AtomicU64::new(0),
            asked: AtomicBool::new(false),
        });
        Self {
            has_other_views: numbers > 0 && views.is_none(),
            views,
            forms: RwLock::new(Arc::new(Forms::new(body.into()))),
            // Hexadecimal digits in quotes.
            etag: value(&about.etag).unwrap_or_else(|| HeaderValue::from_static("W/\"\"")),
            next_due: about.next_due,
            cache_tag: (!about.tags.is_empty()).then(|| value(&about.tags.join(","))).flatten(),
            link: about.link.as_deref().and_then(value),
            places: about.places,
            moment: AtomicU64::new(0),
            checked: AtomicU64::new(0),
        }
    }

    /// From when on it was true: the moments of both boards, and the time, before it was made.
    pub(super) fn since(&self, content: u64, views: u64, at: Instant) {
        self.moment.store(content, Ordering::Relaxed);
        self.checked.store(content, Ordering::Relaxed);
        if let Some(own) = &self.views {
            own.moment.store(views, Ordering::Relaxed);
            *own.last.write().unwrap_or_else(PoisonError::into_inner) = LastRead::first(at);
        }
    }

    /// Whether it may be kept at all.
    pub(super) fn may_be_kept(&self) -> bool {
        !self.has_other_views
    }

    /// Whether it is still what would be answered, view numbers aside.
    pub(super) fn is_true(&self, board: &Board, now: Timestamp) -> bool {
        let moment = board.now();
        if self.checked.load(Ordering::Acquire) != moment {
            if board.has_changed(&self.places, self.moment.load(Ordering::Relaxed)) {
                return false;
            }
            self.checked.store(moment, Ordering::Release);
        }
        self.next_due.is_none_or(|due| now < due)
    }

    /// Whether it and its view numbers were read from these moments on.
    pub(super) fn is_of(&self, content: u64, views: u64) -> bool {
        self.moment.load(Ordering::Relaxed) >= content && self.has_views_since(views)
    }

    /// Whether its view numbers were read from a moment on.
    fn has_views_since(&self, moment: u64) -> bool {
        let read = |views: &Views| views.moment.load(Ordering::Acquire) >= moment;
        self.views.as_ref().is_none_or(read)
    }

    /// Whether its view numbers may be shown to a request that came at that moment of the board.
    pub(super) fn has_views_for(&self, arrived: u64, board: &Board, now: Instant) -> bool {
        let is_recent = |views: &Views| {
            let last = views.last.read().unwrap_or_else(PoisonError::into_inner);
            now.saturating_duration_since(last.at) < OLDEST_VIEWS
        };
        self.view_age(board, now) != ViewAge::Old
            || (self.has_views_since(arrived) && self.views.as_ref().is_none_or(is_recent))
    }

    /// How old its view numbers are.
    pub(super) fn view_age(&self, board: &Board, now: Instant) -> ViewAge {
        let Some(views) = &self.views else {
            return ViewAge::Fresh;
        };
        let last = views.last.read().unwrap_or_else(PoisonError::into_inner);
        let age = now.saturating_duration_since(last.at);
        let moment = views.moment.load(Ordering::Acquire);
        let counted = || moment != board.now() && board.has_changed(&views.places, moment);
        if age >= OLDEST_VIEWS || (counted() && last.may_again(now)) {
            ViewAge::Old
        } else if age >= OLDEST_VIEWS / 2 {
            ViewAge::Aging
        } else {
            ViewAge::Fresh
        }
    }

    /// Sets in view numbers that were read after a moment and a time.
    pub(super) fn set_views(&self, count: impl Fn(i64) -> i64, moment: u64, at: Instant) {
        let Some(views) = &self.views else { return };
        let mut forms = self.forms.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(body) = with_numbers(&forms.plain, views.ids.iter().map(|id| count(*id))) {
            *forms = Arc::new(Forms::new(body.into()));
        }
        views.moment.store(moment, Ordering::Release);
        views.last.write().unwrap_or_else(PoisonError::into_inner).again(at);
    }

    /// How many bytes it takes in these codings, overhead included. A coding that is not made yet counts nothing.
    pub(super) fn weight(&self) -> usize {
        let forms = self.forms();
        let made = |form: &OnceLock<Bytes>| form.get().map_or(0, Bytes::len);
        let header = |value: &Option<HeaderValue>| value.as_ref().map_or(0, HeaderValue::len);
        let views = self
            .views
            .as_ref()
            .map_or(0, |views| views.ids.len() * (size_of::<i64>() + size_of::<Place>()));
        size_of::<Self>()
            + size_of::<Forms>()
            + forms.plain.len()
            + made(&forms.brotli)
            + made(&forms.gzip)
            + self.etag.len()
            + header(&self.cache_tag)
            + header(&self.link)
            + self.places.len() * size_of::<Place>()
            + views
    }

    fn forms(&self) -> Arc<Forms> {
        Arc::clone(&self.forms.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether `If-None-Match` names it.
    pub(super) fn is_known_by(&self, headers: &HeaderMap) -> bool {
        self.etag
            .to_str()
            .is_ok_and(|etag| conditional::none_match(headers, etag))
    }

    /// The coding that a request wants it in.
    pub(super) fn coding(&self, headers: &HeaderMap) -> Coding {
        let forms = self.forms.read().unwrap_or_else(PoisonError::into_inner);
        if forms.plain.len() < WORTH_COMPRESSING {
            return Coding::Plain;
        }
        drop(forms);
        wanted_coding(headers)
    }

    /// Whether that coding is made, or quickly made.
    pub(super) fn is_at_hand(&self, coding: Coding) -> bool {
        const QUICK: usize = 64 << 10;
        let forms = self.forms();
        forms.made(coding).is_some() || forms.plain.len() <= QUICK
    }

    /// Makes a coding; whether it was made only now.
    pub(super) fn make(&self, coding: Coding) -> bool {
        let forms = self.forms();
        let is_new = forms.made(coding).is_none();
        forms.make(coding);
        is_new
    }

    /// The answer as a request wants it, 304 if it names the validator.
    pub fn respond(&self, headers: &HeaderMap) -> HttpResponse {
        let known = self.is_known_by(headers);
        let mut response = if known {
            HttpResponse::with_body(StatusCode::NOT_MODIFIED, BoxBody::new(()))
        } else {
            let forms = self.forms();
            // What takes longer to compress than to send would hold up whoever else this thread serves.
            let coding = match self.coding(headers) {
                coding if forms.made(coding).is_some() || forms.plain.len() <= SOON => coding,
                _ => Coding::Plain,
            };
            let body = forms.make(coding);
            let mut response = HttpResponse::with_body(StatusCode::OK, BoxBody::new(body));
            let own = response.headers_mut();
            own.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if let Some(name) = coding.name() {
                own.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
            }
            response
        };
        let own = response.headers_mut();
        own.insert(ETAG, self.etag.clone());
        own.insert(CACHE_CONTROL, cache_control(headers, self.next_due));
        own.insert(VARY, HeaderValue::from_static("Accept-Encoding, Authorization"));
        if let Some(tag) = &self.cache_tag {
            own.insert(CACHE_TAG, tag.clone());
        }
        if let Some(link) = &self.link {
            own.insert(LINK, link.clone());
        }
        response
    }
}

/// What caches before this server may do with an answer that is true until then.
pub(super) fn cache_control(headers: &HeaderMap, next_due: Option<Timestamp>) -> HeaderValue {
    if headers.contains_key(AUTHORIZATION) {
        return HeaderValue::from_static("private, no-store");
    }
    let long = || HeaderValue::from_static("public, max-age=5, stale-while-revalidate=30");
    let Some(due) = next_due else { return long() };
    let left = ((due.micros() - Timestamp::now().micros()) / 1_000_000).max(0);
    if left >= 35 {
        return long();
    }
    let age = left.min(5);
    let stale = (left - age).min(30);
    value(&format!("public, max-age={age}, stale-while-revalidate={stale}")).unwrap_or_else(long)
}

/// Where the view numbers of a body stand.
fn view_numbers(body: &[u8]) -> impl Iterator<Item = Range<usize>> {
    memchr::memmem::find_iter(body, VIEWS).map(|at| {
        let begin = at + VIEWS.len();
        let digits = body.get(begin..).unwrap_or_default().iter();
        begin..begin + digits.take_while(|byte| byte.is_ascii_digit()).count()
    })
}

fn count_views(body: &[u8]) -> usize {
    view_numbers(body).count()
}

/// The body with these numbers; nothing if it has them already.
fn with_numbers(body: &[u8], numbers: impl Iterator<Item = i64>) -> Option<Vec<u8>> {
    let mut new = Vec::with_capacity(body.len() + 16);
    let mut from = 0;
    let mut differs = false;
    for (place, number) in view_numbers(body).zip(numbers) {
        let number = number.to_string();
        differs |= body.get(place.clone()) != Some(number.as_bytes());
        new.extend_from_slice(body.get(from..place.start).unwrap_or_default());
        new.extend_from_slice(number.as_bytes());
        from = place.end;
    }
    new.extend_from_slice(body.get(from..).unwrap_or_default());
    differs.then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Subject;
    use crate::db::board::places;

    fn content(body: &str, ids: &[i64]) -> Content {
        let place = |id: &i64| (*id, places([Subject::Views(*id)]).first().copied().unwrap());
        Content::new(
            body.as_bytes().to_vec(),
            About {
                etag: "W/\"1\"".to_owned(),
                views: ids.iter().map(place).collect(),
                ..About::default()
            },
        )
    }

    fn text(content: &Content) -> String {
        String::from_utf8(content.forms().plain.to_vec()).unwrap()
    }

    #[test]
    fn view_numbers_are_set_in_where_they_stand() {
        let body = r#"{"id":7,"view_count":9,"b":[{"id":8,"view_count":100,"x":"view_count\":5"}]}"#;
        let content = content(body, &[7, 8]);
        content.set_views(|id| id + 3, 0, Instant::now());
        assert_eq!(
            text(&content),
            r#"{"id":7,"view_count":10,"b":[{"id":8,"view_count":11,"x":"view_count\":5"}]}"#
        );
    }

    #[test]
    fn what_cannot_be_set_anew_is_not_kept() {
        let odd = content(r#"{"view_count":1,"metadata":{"view_count":2}}"#, &[7]);
        assert!(!odd.may_be_kept() && odd.views.is_none());
        assert!(content("{}", &[]).may_be_kept());
        assert!(content(r#"{"view_count":1}"#, &[7]).may_be_kept());
    }

    #[test]
    fn old_view_numbers_are_read_again() {
        let board = Board::default();
        let content = content(r#"{"view_count":1}"#, &[7]);
        let now = Instant::now();
        content.since(1, board.now(), now);
        for (milliseconds, age) in [
            (0, ViewAge::Fresh),
            (250, ViewAge::Fresh),
            (400, ViewAge::Aging),
            (600, ViewAge::Old),
        ] {
            assert_eq!(content.view_age(&board, now + Duration::from_millis(milliseconds)), age);
        }
    }
}
