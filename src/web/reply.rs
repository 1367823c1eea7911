//! Answers: JSON with its validator, its caching and its coding.

use std::io::Write;

use actix_web::body::BoxBody;
use actix_web::http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderValue, LINK, LOCATION,
    VARY,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use utoipa::ToSchema;

use super::conditional;
use super::page::{Links, Page};
use crate::db::Timestamp;
use crate::error::{Error, Result};

/// Bodies shorter than this go out as they are.
const WORTH_COMPRESSING: usize = 1024;

/// One thing.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Data<T> {
    /// The thing.
    pub data: T,
}

/// An answer, before it is known how the request wants it.
pub struct Reply {
    status: StatusCode,
    body: Vec<u8>,
    version: Option<i64>,
    with_views: bool,
    next_due: Option<Timestamp>,
    tags: Vec<String>,
    location: Option<String>,
    link: Option<String>,
    uncached: bool,
}

impl Reply {
    /// 200 with any JSON.
    pub fn json(value: &impl Serialize) -> Result<Self> {
        Ok(Self::bytes(serde_json::to_vec(value).map_err(Error::internal)?))
    }

    /// 200 with JSON that is written already.
    pub fn bytes(body: Vec<u8>) -> Self {
        Self {
            status: StatusCode::OK,
            body,
            version: None,
            with_views: false,
            next_due: None,
            tags: Vec::new(),
            location: None,
            link: None,
            uncached: false,
        }
    }

    /// 200 with `{"data": …}`.
    pub fn data(value: &impl Serialize) -> Result<Self> {
        Self::json(&Data { data: value })
    }

    /// 200 with a list, and its `Link` header.
    pub fn page<T: Serialize>(page: &Page<T>) -> Result<Self> {
        let reply = Self::json(page)?;
        Ok(reply.links(&page.links))
    }

    /// The `Link` header of a list.
    pub fn links(mut self, links: &Links) -> Self {
        let parts = [("next", &links.next), ("prev", &links.prev)];
        let link: Vec<_> = parts
            .iter()
            .filter_map(|(rel, to)| to.as_ref().map(|to| format!("<{to}>; rel=\"{rel}\"")))
            .collect();
        self.link = (!link.is_empty()).then(|| link.join(", "));
        self
    }

    /// 201 at that address.
    pub fn created(mut self, location: String) -> Self {
        self.status = StatusCode::CREATED;
        self.location = Some(location);
        self
    }

    /// The version that the tag begins with.
    pub fn version(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }

    /// View numbers belong to what is said: the tag changes with them.
    pub fn with_views(mut self) -> Self {
        self.with_views = true;
        self
    }

    /// Caches must let go when the next article becomes due.
    pub fn next_due(mut self, due: Option<Timestamp>) -> Self {
        self.next_due = due;
        self
    }

    /// What the answer was made of, for `Cache-Tag`.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// Never to be kept: signing in, and whatever is said once.
    pub fn uncached(mut self) -> Self {
        self.uncached = true;
        self
    }

    /// 204.
    pub fn empty() -> HttpResponse {
        HttpResponse::NoContent()
            .insert_header((CACHE_CONTROL, "no-store"))
            .finish()
    }

    /// 308 to the same query at another path.
    pub fn moved(request: &HttpRequest, path: &str) -> HttpResponse {
        let query = request.query_string();
        let location = if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        };
        HttpResponse::PermanentRedirect()
            .insert_header((LOCATION, location))
            .insert_header((CACHE_CONTROL, cache_control(request, None)))
            .insert_header((VARY, "Authorization"))
            .finish()
    }
}

impl Responder for Reply {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let read = request.method() == Method::GET;
        let mut response = HttpResponse::build(self.status);
        if (read || self.version.is_some()) && !self.uncached {
            let etag = conditional::etag(&self.body, self.version, self.with_views);
            if read && self.status == StatusCode::OK && conditional::none_match(request.headers(), &etag) {
                response.status(StatusCode::NOT_MODIFIED);
            }
            response.insert_header((ETAG, etag));
        }
        let cache = if (read && !self.uncached) || request.headers().contains_key(AUTHORIZATION) {
            cache_control(request, self.next_due)
        } else {
            "no-store".to_owned()
        };
        response.insert_header((CACHE_CONTROL, cache));
        response.insert_header((VARY, "Accept-Encoding, Authorization"));
        if read && !self.tags.is_empty() {
            response.insert_header(("cache-tag", self.tags.join(",")));
        }
        if let Some(location) = self.location {
            response.insert_header((LOCATION, location));
        }
        if let Some(link) = self.link {
            response.insert_header((LINK, link));
        }
        let mut response = response
            .message_body(BoxBody::new(()))
            .unwrap_or_else(|_error| HttpResponse::new(self.status));
        if response.status() == StatusCode::NOT_MODIFIED {
            return response;
        }
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let (body, coding) = encode(request, self.body);
        if let Some(coding) = coding {
            response
                .headers_mut()
                .insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response.set_body(BoxBody::new(body))
    }
}

fn cache_control(request: &HttpRequest, next_due: Option<Timestamp>) -> String {
    if request.headers().contains_key(AUTHORIZATION) {
        return "private, no-store".to_owned();
    }
    let left = next_due.map_or(i64::MAX, |due| {
        ((due.micros() - Timestamp::now().micros()) / 1_000_000).max(0)
    });
    let age = left.min(5);
    let stale = (left - age).min(30);
    format!("public, max-age={age}, stale-while-revalidate={stale}")
}

/// Compresses a body as the request wants it: br before gzip. At these levels the time is a fraction of a millisecond
/// for an article.
fn encode(request: &HttpRequest, body: Vec<u8>) -> (Vec<u8>, Option<&'static str>) {
    if body.len() < WORTH_COMPRESSING {
        return (body, None);
    }
    let accepted = request
        .headers()
        .get(ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let outcome = match best_coding(accepted) {
        Some("br") => brotli(&body).map(|bytes| (bytes, Some("br"))),
        Some("gzip") => gzip(&body).map(|bytes| (bytes, Some("gzip"))),
        _ => return (body, None),
    };
    // Writing to memory does not fail; if it ever did, the plain form is right as well.
    outcome.unwrap_or((body, None))
}

/// The better of br and gzip that is accepted with the highest weight (RFC 9110, 12.5.3).
fn best_coding(accepted: &str) -> Option<&'static str> {
    let weight = |coding: &str| -> Option<u32> {
        accepted.split(',').find_map(|part| {
            let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
            if !name.trim().eq_ignore_ascii_case(coding) {
                return None;
            }
            let q = parameters
                .trim()
                .strip_prefix("q=")
                .map_or(Ok(1.0), str::parse::<f32>)
                .unwrap_or(0.0);
            Some((q.clamp(0.0, 1.0) * 1000.0) as u32)
        })
    };
    let any = weight("*").unwrap_or(0);
    let (br, gzip) = (weight("br").unwrap_or(any), weight("gzip").unwrap_or(any));
    match (br, gzip) {
        (0, 0) => None,
        (br, gzip) if br >= gzip => Some("br"),
        _ => Some("gzip"),
    }
}

fn brotli(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = brotli::CompressorWriter::new(Vec::with_capacity(body.len() / 2), 4096, 5, 22);
    out.write_all(body)?;
    out.flush()?;
    Ok(out.into_inner())
}

fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = flate2::write::GzEncoder::new(Vec::with_capacity(body.len() / 2), flate2::Compression::new(6));
    out.write_all(body)?;
    out.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codings_are_chosen_by_weight() {
        for (accepted, coding) in [
            ("gzip, deflate, br", Some("br")),
            ("gzip", Some("gzip")),
            ("br;q=0.5, gzip", Some("gzip")),
            ("br;q=0, gzip;q=0", None),
            ("*", Some("br")),
            ("*;q=0", None),
            ("identity", None),
            ("", None),
            ("BR", Some("br")),
        ] {
            assert_eq!(best_coding(accepted), coding, "{accepted}");
        }
    }
}
