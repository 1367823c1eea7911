//! An answer of status 200, whole: what is sent, and what a cache has to know of it.
//!
//! Whoever answers, the handler or the cache, answers with what [`Content::respond`] is made of, so that the two cannot differ.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, LINK, VARY,
};
use actix_web::web::Bytes;

use super::coding::{Form, Forms};
use super::conditional::{VIEWS, none_match};
use crate::db::Timestamp;
use crate::db::board::{Board, Place};

/// The header that names what an answer shows, for caches before this server.
const CACHE_TAG: HeaderName = HeaderName::from_static("cache-tag");

/// How old view numbers may be. The rest of a second is for views that are only noted when they are answered.
pub(super) const OLDEST_VIEWS: Duration = Duration::from_millis(600);

/// How often in [`OLDEST_VIEWS`] view numbers are read again at once because this process has counted a view. An article
/// that is read much is viewed much, and would be read again for each view.
const EXACT_VIEWS: u32 = 10;

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

/// View numbers as they were last read, and when.
struct LastRead {
    numbers: Box<[i64]>,
    at: Instant,
    /// How often that was since a time that is less than [`OLDEST_VIEWS`] before the last.
    since: Instant,
    times: u32,
}

impl LastRead {
    fn first(numbers: Box<[i64]>, at: Instant) -> Self {
        Self {
            numbers,
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
            (self.since, self.times) = (at, 0);
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

/// Values of headers, side by side in memory, since they are sent together. One that is none is left out.
fn values<const N: usize>(texts: [&str; N]) -> [Option<HeaderValue>; N] {
    let all = Bytes::from(texts.concat());
    let mut from = 0;
    texts.map(|text| {
        let to = from + text.len();
        let value = (from < to).then(|| all.slice(from..to));
        from = to;
        HeaderValue::from_maybe_shared(value?).ok()
    })
}

impl Content {
    /// An answer with that body.
    pub fn new(body: Vec<u8>, about: About) -> Self {
        let numbers: Box<[i64]> = view_numbers(&body).map(|place| number_at(&body, place)).collect();
        let any = !numbers.is_empty();
        let views = (any && numbers.len() == about.views.len()).then(|| Views {
            ids: about.views.iter().map(|(id, _)| *id).collect(),
            places: about.views.iter().map(|(_, place)| *place).collect(),
            last: RwLock::new(LastRead::first(numbers, Instant::now())),
            moment: AtomicU64::new(0),
            asked: AtomicBool::new(false),
        });
        let (tags, link) = (about.tags.join(","), about.link.unwrap_or_default());
        let [etag, cache_tag, link] = values([&about.etag, &tags, &link]);
        Self {
            has_other_views: any && views.is_none(),
            views,
            forms: RwLock::new(Arc::new(Forms::new(body.into()))),
            // Hexadecimal digits in quotes.
            etag: etag.unwrap_or_else(|| HeaderValue::from_static("W/\"\"")),
            next_due: about.next_due,
            cache_tag,
            link,
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
            let mut last = own.last.write().unwrap_or_else(PoisonError::into_inner);
            (last.at, last.since, last.times) = (at, at, 0);
        }
    }

    /// Whether it may be kept at all.
    pub(super) fn may_be_kept(&self) -> bool {
        !self.has_other_views
    }

    /// Whether it is still what would be answered, view numbers aside.
    pub(super) fn is_true(&self, board: &Board) -> bool {
        let moment = board.now();
        if self.checked.load(Ordering::Acquire) != moment {
            if board.has_changed(&self.places, self.moment.load(Ordering::Relaxed)) {
                return false;
            }
            self.checked.store(moment, Ordering::Release);
        }
        self.next_due.is_none_or(|due| Timestamp::now() < due)
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

    /// Sets in view numbers that were read after a moment and a time. One at a time may do so.
    pub(super) fn set_views(&self, count: impl Fn(i64) -> i64, moment: u64, at: Instant) {
        let Some(views) = &self.views else { return };
        let numbers: Box<[i64]> = views.ids.iter().map(|id| count(*id)).collect();
        let are_other = views.last.read().unwrap_or_else(PoisonError::into_inner).numbers != numbers;
        if are_other {
            // Who reads it meanwhile does not wait for that.
            let forms = Arc::new(Forms::new(with_numbers(self.forms().plain(), &numbers).into()));
            *self.forms.write().unwrap_or_else(PoisonError::into_inner) = forms;
        }
        views.moment.store(moment, Ordering::Release);
        let mut last = views.last.write().unwrap_or_else(PoisonError::into_inner);
        last.again(at);
        if are_other {
            last.numbers = numbers;
        }
    }

    /// How many bytes it takes in these codings, overhead included. A coding that is not made yet counts nothing.
    pub(super) fn weight(&self) -> usize {
        let header = |value: &Option<HeaderValue>| value.as_ref().map_or(0, HeaderValue::len);
        let views = self
            .views
            .as_ref()
            .map_or(0, |views| views.ids.len() * (2 * size_of::<i64>() + size_of::<Place>()));
        size_of::<Self>()
            + self.forms().weight()
            + self.etag.len()
            + header(&self.cache_tag)
            + header(&self.link)
            + self.places.len() * size_of::<Place>()
            + views
    }

    fn forms(&self) -> Arc<Forms> {
        Arc::clone(&self.forms.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The form that a request wants it in.
    pub(super) fn form(&self, headers: &HeaderMap) -> Form {
        self.forms().wanted(headers)
    }

    /// The answer as a request wants it, 304 if it names the validator.
    pub fn respond(&self, headers: &HeaderMap) -> HttpResponse {
        self.unchanged(headers)
            .unwrap_or_else(|| self.whole(&self.form(headers).or_plain(), headers))
    }

    /// The answer to a request that names the validator. It has what a cache is to renew and no more: the rest is kept with
    /// the answer that is asked for again (RFC 9110, 15.4.5).
    pub(super) fn unchanged(&self, headers: &HeaderMap) -> Option<HttpResponse> {
        none_match(headers, self.etag.as_bytes()).then(|| {
            let mut response = HttpResponse::with_body(StatusCode::NOT_MODIFIED, BoxBody::new(()));
            self.validate(&mut response, headers);
            response
        })
    }

    /// The answer to any other request, in one of its forms.
    pub(super) fn whole(&self, form: &Form, headers: &HeaderMap) -> HttpResponse {
        let (coding, body) = form.get();
        let mut response = HttpResponse::with_body(StatusCode::OK, BoxBody::new(body));
        self.validate(&mut response, headers);
        let own = response.headers_mut();
        own.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(name) = coding.name() {
            own.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        if let Some(tag) = &self.cache_tag {
            own.insert(CACHE_TAG, tag.clone());
        }
        if let Some(link) = &self.link {
            own.insert(LINK, link.clone());
        }
        response
    }

    /// Until when it may be kept, by whom, and how it is asked for again.
    fn validate(&self, response: &mut HttpResponse, headers: &HeaderMap) {
        let own = response.headers_mut();
        own.insert(ETAG, self.etag.clone());
        own.insert(CACHE_CONTROL, cache_control(headers, self.next_due));
        own.insert(VARY, HeaderValue::from_static("Accept-Encoding, Authorization"));
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
    let short = format!("public, max-age={age}, stale-while-revalidate={stale}");
    HeaderValue::try_from(short).unwrap_or_else(|_error| long())
}

/// Where the view numbers of a body stand.
fn view_numbers(body: &[u8]) -> impl Iterator<Item = Range<usize>> {
    memchr::memmem::find_iter(body, VIEWS).map(|at| {
        let begin = at + VIEWS.len();
        let digits = body.get(begin..).unwrap_or_default().iter();
        begin..begin + digits.take_while(|byte| byte.is_ascii_digit()).count()
    })
}

/// The number that stands there; zero where there is none, or one that is too large.
fn number_at(body: &[u8], place: Range<usize>) -> i64 {
    let digits = body.get(place).unwrap_or_default();
    str::from_utf8(digits)
        .ok()
        .and_then(|digits| digits.parse().ok())
        .unwrap_or_default()
}

/// The body with these numbers.
fn with_numbers(body: &[u8], numbers: &[i64]) -> Vec<u8> {
    let mut new = Vec::with_capacity(body.len() + 16);
    let mut from = 0;
    for (place, number) in view_numbers(body).zip(numbers) {
        new.extend_from_slice(body.get(from..place.start).unwrap_or_default());
        new.extend_from_slice(number.to_string().as_bytes());
        from = place.end;
    }
    new.extend_from_slice(body.get(from..).unwrap_or_default());
    new
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
        String::from_utf8(content.forms().plain().to_vec()).unwrap()
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
