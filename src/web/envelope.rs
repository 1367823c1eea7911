//! Around every request: its id, `HEAD` as `GET`, problem documents for whatever goes wrong, panics, timing. What is kept, and
//! what has a way of its own ([`Shortcut`]), is answered here, before a route is looked for.

use std::future::{Ready, ready};
use std::hash::{BuildHasher, RandomState};
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, ResponseError};
use futures_util::FutureExt;
use futures_util::future::{Either, LocalBoxFuture};

use super::cache::{Found, ResponseCache, Turn, Wanted};
use super::cross_origin::{CrossOrigin, Told};
use crate::db::{self, Spent};
use crate::error::{Code, Error, Language};

/// The header that names a request, in and out.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The header that tells where time went.
const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// In a request's extensions: it was `HEAD`, and no body is sent.
pub struct OfHead;

/// What `Server-Timing` says where nothing was to be done, and where the cache answered.
const NOTHING: &str = "total;dur=0.0";
const KEPT: &str = "cache;desc=hit, db;dur=0.0, render;dur=0.0, total;dur=0.0";

/// A way past routes, middleware and extractors for what is asked for most and cannot be kept: the answer, or nothing where
/// the routes are to give it. It must be the one that they would give.
pub type Shortcut = Rc<dyn Fn(&HttpRequest) -> Option<LocalBoxFuture<'static, HttpResponse>>>;

/// The middleware. It stands outermost.
pub struct Envelope {
    cache: Option<Arc<ResponseCache>>,
    cross_origin: Rc<CrossOrigin>,
    shortcut: Shortcut,
}

impl Envelope {
    /// With a response cache, or without.
    pub fn new(cache: Option<Arc<ResponseCache>>, cross_origin: CrossOrigin, shortcut: Shortcut) -> Self {
        Self {
            cache,
            cross_origin: Rc::new(cross_origin),
            shortcut,
        }
    }
}

/// What the middleware answers.
type Answer = Result<ServiceResponse<BoxBody>, actix_web::Error>;

impl<S, B> Transform<S, ServiceRequest> for Envelope
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = actix_web::Error;
    type Transform = Enveloped<S>;
    type InitError = ();
    type Future = Ready<Result<Enveloped<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Enveloped {
            service: Rc::new(service),
            cache: self.cache.clone(),
            cross_origin: Rc::clone(&self.cross_origin),
            shortcut: Rc::clone(&self.shortcut),
        }))
    }
}

/// The middleware around a service.
pub struct Enveloped<S> {
    service: Rc<S>,
    cache: Option<Arc<ResponseCache>>,
    cross_origin: Rc<CrossOrigin>,
    shortcut: Shortcut,
}

impl<S, B> Service<ServiceRequest> for Enveloped<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    S::Future: 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = actix_web::Error;
    type Future = Either<Ready<Answer>, LocalBoxFuture<'static, Answer>>;

    forward_ready!(service);

    fn call(&self, mut request: ServiceRequest) -> Self::Future {
        let begun = Instant::now();
        let told = self.cross_origin.told(request.headers());
        if let Some(mut response) = CrossOrigin::preflight(&request) {
            seal(
                &mut response,
                &told,
                request_id(request.headers()),
                HeaderValue::from_static(NOTHING),
            );
            return Either::Left(ready(Ok(request.into_response(response))));
        }
        let found = match &self.cache {
            Some(cache) => cache.look(&request, begun),
            None => Found::Nothing,
        };
        let cache = match found {
            // By far the most; nothing is put on the heap for it that need not be.
            Found::Answer(mut response) => {
                let id = request_id(request.headers());
                seal(&mut response, &told, id, HeaderValue::from_static(KEPT));
                log::debug!(
                    "{} {} {:?} (kept)",
                    request.path(),
                    response.status().as_u16(),
                    begun.elapsed()
                );
                return Either::Left(ready(Ok(request.into_response(response))));
            }
            Found::Later => self.cache.clone(),
            Found::Nothing => None,
        };
        let id = request_id(request.headers());
        let language = language(request.headers());
        // The connection still knows that it was HEAD, and sends no body.
        if request.method() == Method::HEAD {
            request.head_mut().method = Method::GET;
            request.extensions_mut().insert(OfHead);
        }
        let line = log::log_enabled!(log::Level::Debug).then(|| format!("{} {}", request.method(), request.path()));
        let finish = Finish {
            id,
            language,
            begun,
            spent: Spent::default(),
            kept: "",
            told,
        };
        if let Some(short) = (self.shortcut)(request.request()) {
            return Either::Right(Box::pin(async move {
                let outcome = AssertUnwindSafe(short).catch_unwind().await;
                finish.answer(line, outcome.map(|response| Ok(request.into_response(response))))
            }));
        }
        let service = Rc::clone(&self.service);
        Either::Right(Box::pin(async move {
            let work = AssertUnwindSafe(through(service, cache, request)).catch_unwind();
            let (outcome, spent) = db::timed(work).await;
            let (outcome, kept) = match outcome {
                Ok((outcome, kept)) => (Ok(outcome), kept),
                Err(panic) => (Err(panic), ""),
            };
            Finish { spent, kept, ..finish }.answer(line, outcome)
        }))
    }
}

/// Answers by the handlers, or by the cache if it has to do with the request; and how, for `Server-Timing`.
async fn through<S, B>(
    service: Rc<S>,
    cache: Option<Arc<ResponseCache>>,
    request: ServiceRequest,
) -> (Answer, &'static str)
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody + 'static,
{
    let handled = |request| async { service.call(request).await.map(ServiceResponse::map_into_boxed_body) };
    let Some(cache) = cache else {
        return (handled(request).await, "");
    };
    let arrived = cache.arrival();
    let mut first = true;
    loop {
        if let Some(response) = cache.answer(&request).await {
            return (Ok(request.into_response(response)), "cache;desc=hit, ");
        }
        match cache.begin(&request, arrived, std::mem::take(&mut first)).await {
            Turn::First(made) => {
                request.extensions_mut().insert(Wanted);
                let mut outcome = handled(request).await;
                if let Ok(response) = &mut outcome {
                    made.finish(response.response_mut());
                }
                return (outcome, "cache;desc=miss, ");
            }
            Turn::Alone => return (handled(request).await, "cache;desc=pass, "),
            Turn::Answered(response) => {
                return (Ok(request.into_response(response)), "cache;desc=hit, ");
            }
            Turn::Again => {}
        }
    }
}

/// What every answer has.
fn seal(response: &mut HttpResponse<BoxBody>, told: &Told, id: HeaderValue, timing: HeaderValue) {
    let headers = response.headers_mut();
    told.write(headers);
    headers.insert(REQUEST_ID, id);
    headers.insert(SERVER_TIMING, timing);
    headers.insert(
        HeaderName::from_static("x-content-type-options"),
        HeaderValue::from_static("nosniff"),
    );
}

/// A time in milliseconds, to the tenth.
struct Milliseconds(Duration);

impl std::fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tenths = (self.0.as_micros() + 50) / 100;
        write!(f, "{}.{}", tenths / 10, tenths % 10)
    }
}

#[derive(Debug)]
struct Finish {
    id: HeaderValue,
    language: Language,
    begun: Instant,
    spent: Spent,
    /// What the cache had to do with it.
    kept: &'static str,
    told: Told,
}

impl Finish {
    /// The answer to what became of a request, noted in the log as `line`.
    fn answer(self, line: Option<String>, outcome: std::thread::Result<Answer>) -> Answer {
        let response = match outcome {
            Ok(Ok(response)) => {
                let (request, response) = response.into_parts();
                ServiceResponse::new(request, self.response(response))
            }
            // Without its request an answer can only leave as an error that carries it whole.
            Ok(Err(error)) => return Err(Whole(error.to_string(), self).into()),
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text
                    .or_else(|| panic.downcast_ref::<&str>().copied())
                    .unwrap_or("a panic without a text");
                return Err(Whole(format!("a handler panicked: {text}"), self).into());
            }
        };
        if let Some(line) = line {
            log::debug!("{line} {} {:?}", response.status().as_u16(), self.begun.elapsed());
        }
        Ok(response)
    }

    fn response(&self, response: HttpResponse<BoxBody>) -> HttpResponse<BoxBody> {
        let error = response.extensions().get::<Error>().cloned();
        let mut response = match error {
            Some(error) => self.problem(&error, response),
            None if is_bare_error(&response) => self.problem(&Error::new(code_of(response.status())), response),
            None => response,
        };
        seal(&mut response, &self.told, self.id.clone(), self.timing());
        response
    }

    fn timing(&self) -> HeaderValue {
        let total = self.begun.elapsed();
        let Spent { waited, statements } = self.spent;
        let [waited, rest, total] = [waited, total.saturating_sub(waited), total].map(Milliseconds);
        let timing = format!(
            "{}db;dur={waited};desc=\"{statements} statements\", render;dur={rest}, total;dur={total}",
            self.kept,
        );
        HeaderValue::try_from(timing).unwrap_or_else(|_error| HeaderValue::from_static(NOTHING))
    }

    fn problem(&self, error: &Error, mut response: HttpResponse<BoxBody>) -> HttpResponse<BoxBody> {
        let id = self.id.to_str().unwrap_or_default();
        match error.code.status() {
            StatusCode::SERVICE_UNAVAILABLE => log::warn!("request {id}: {error}"),
            status if status.is_server_error() => log::error!("request {id}: {error}"),
            _ => {}
        }
        *response.status_mut() = error.code.status();
        let document = serde_json::to_vec(&error.problem(self.language, id)).unwrap_or_default();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            CONTENT_LANGUAGE,
            HeaderValue::from_static(match self.language {
                Language::Chinese => "zh-CN",
                Language::English => "en",
            }),
        );
        if let Some(seconds) = error.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if error.code.status() == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.set_body(BoxBody::new(document))
    }
}

/// Errors that actix answers itself, in plain text or without a body.
fn is_bare_error(response: &HttpResponse<BoxBody>) -> bool {
    let status = response.status();
    let written = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|value| value == "application/problem+json");
    (status.is_client_error() || status.is_server_error()) && !written
}

fn code_of(status: StatusCode) -> Code {
    let exact = Code::ALL
        .iter()
        .find(|code| code.status() == status && !matches!(code, Code::MalformedJson));
    exact.copied().unwrap_or(if status.is_server_error() {
        Code::Internal
    } else {
        Code::BadRequest
    })
}

/// An answer that leaves as an error, since its request is gone.
#[derive(Debug)]
struct Whole(String, Finish);

impl std::fmt::Display for Whole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl ResponseError for Whole {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn error_response(&self) -> HttpResponse {
        self.1.response(Error::internal(&self.0).error_response())
    }
}

/// The caller's id if it is a harmless one, else a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let harmless = |id: &&HeaderValue| {
        (1..=128).contains(&id.len())
            && id
                .as_bytes()
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    let given = headers.get(REQUEST_ID).filter(harmless).cloned();
    given
        .or_else(|| HeaderValue::try_from(new_id()).ok())
        .unwrap_or_else(|| HeaderValue::from_static("none"))
}

thread_local! {
    /// What the ids of a thread are made from: keys that nobody knows, and a count.
    static IDS: (RandomState, std::cell::Cell<u64>) = (RandomState::new(), std::cell::Cell::new(0));
}

/// A UUID of version 7. Its random part comes from a keyed hash, which asks the system once a thread and not each time.
fn new_id() -> String {
    let random = IDS.with(|(keys, count)| {
        let next = count.get().wrapping_add(2);
        count.set(next);
        (u128::from(keys.hash_one(next)) << 64) | u128::from(keys.hash_one(next + 1))
    });
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let milliseconds = u64::try_from(since_1970.as_millis()).unwrap_or_default();
    let mut bytes = [0; 10];
    for (to, from) in bytes.iter_mut().zip(random.to_le_bytes()) {
        *to = from;
    }
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &bytes)
        .into_uuid()
        .to_string()
}

/// The better accepted of the two languages; Chinese where nothing is said.
pub fn language(headers: &HeaderMap) -> Language {
    let accepted = headers
        .get(ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let weight = |language: &str| {
        accepted
            .split(',')
            .filter_map(|part| {
                let (range, parameters) = part.split_once(';').unwrap_or((part, ""));
                let primary = range.trim().split('-').next().unwrap_or_default();
                let q = parameters
                    .trim()
                    .strip_prefix("q=")
                    .map_or(Ok(1.0), str::parse::<f32>)
                    .unwrap_or(0.0);
                primary.eq_ignore_ascii_case(language).then_some(q)
            })
            .fold(0.0_f32, f32::max)
    };
    if weight("en") > weight("zh") {
        Language::English
    } else {
        Language::Chinese
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_accepted_language_is_spoken() {
        for (accepted, expected) in [
            ("en-US,en;q=0.9", Language::English),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("en;q=0.5, zh;q=0.4", Language::English),
            ("de", Language::Chinese),
            ("", Language::Chinese),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_str(accepted).unwrap());
            assert_eq!(language(&headers), expected, "{accepted}");
        }
    }

    #[test]
    fn request_ids_that_could_forge_a_log_line_are_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_static("abc-1.2_3"));
        assert_eq!(request_id(&headers), "abc-1.2_3");
        headers.insert(REQUEST_ID, HeaderValue::from_static("a b"));
        assert_eq!(request_id(&headers).len(), 36);
    }
}
