//! Around every request: its id, `HEAD` as `GET`, problem documents for whatever goes wrong, panics, timing.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, ResponseError};
use futures_util::FutureExt;

use crate::db;
use crate::error::{Code, Error, Language};

/// The header that names a request, in and out.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The middleware. It stands outermost.
pub async fn envelope(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let begun = Instant::now();
    let id = request_id(request.headers());
    let language = language(request.headers());
    // The connection still knows that it was HEAD, and sends no body.
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    let line = log::log_enabled!(log::Level::Debug).then(|| format!("{} {}", request.method(), request.path()));
    let work = AssertUnwindSafe(next.call(request)).catch_unwind();
    let (outcome, waited) = db::timed(work).await;
    let finish = Finish {
        id,
        language,
        begun,
        waited,
    };
    let response = match outcome {
        Ok(Ok(response)) => {
            let (request, response) = response.map_into_boxed_body().into_parts();
            ServiceResponse::new(request, finish.response(response))
        }
        // Without its request an answer can only leave as an error that carries it whole.
        Ok(Err(error)) => return Err(Whole(error.to_string(), finish).into()),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("a panic without a text");
            return Err(Whole(format!("a handler panicked: {text}"), finish).into());
        }
    };
    if let Some(line) = line {
        log::debug!("{line} {} {:?}", response.status().as_u16(), begun.elapsed());
    }
    Ok(response)
}

#[derive(Debug)]
struct Finish {
    id: String,
    language: Language,
    begun: Instant,
    waited: Duration,
}

impl Finish {
    fn response(&self, response: HttpResponse<BoxBody>) -> HttpResponse<BoxBody> {
        let error = response.extensions().get::<Error>().cloned();
        let mut response = match error {
            Some(error) => self.problem(&error, response),
            None if is_bare_error(&response) => self.problem(&Error::new(code_of(response.status())), response),
            None => response,
        };
        let timing = format!(
            "db;dur={:.1}, total;dur={:.1}",
            self.waited.as_secs_f64() * 1000.0,
            self.begun.elapsed().as_secs_f64() * 1000.0
        );
        let headers = response.headers_mut();
        for (name, value) in [
            (REQUEST_ID, self.id.as_str()),
            (HeaderName::from_static("server-timing"), &timing),
        ] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(name, value);
            }
        }
        headers.insert(
            HeaderName::from_static("x-content-type-options"),
            HeaderValue::from_static("nosniff"),
        );
        response
    }

    fn problem(&self, error: &Error, mut response: HttpResponse<BoxBody>) -> HttpResponse<BoxBody> {
        match error.code.status() {
            StatusCode::SERVICE_UNAVAILABLE => log::warn!("request {}: {error}", self.id),
            status if status.is_server_error() => log::error!("request {}: {error}", self.id),
            _ => {}
        }
        *response.status_mut() = error.code.status();
        let document = serde_json::to_vec(&error.problem(self.language, &self.id)).unwrap_or_default();
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
fn request_id(headers: &HeaderMap) -> String {
    let harmless = |text: &&str| {
        (1..=128).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    let given = headers
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok())
        .filter(harmless);
    given.map_or_else(|| uuid::Uuid::now_v7().to_string(), str::to_owned)
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
