//! What browsers on other sites are told (Fetch standard, CORS protocol).
//!
//! It stands on every answer, also where no browser asks: a shared cache may hand the answer to one. The envelope says it,
//! outside of the response cache, so that nothing of one origin is kept for another.

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue,
    ORIGIN, VARY,
};

use crate::config::CorsOrigins;

/// The methods that scripts of other sites may use.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// The headers that they may send.
const SENT: &str = "Authorization, Content-Type, If-Match, If-None-Match, X-Request-Id, X-Visitor-Id";

/// The headers that they may read.
const EXPOSED: &str = "ETag, Link, Location, Retry-After, X-Request-Id";

/// How long a browser may remember what it was allowed, in seconds.
const REMEMBERED: &str = "3600";

/// Allows origins.
#[derive(Debug)]
pub struct CrossOrigin(CorsOrigins);

/// What a request is told.
#[derive(Debug)]
pub(super) struct Told {
    /// The origin that may read the answer; nothing where the one that asks may not.
    allowed: Option<HeaderValue>,
    /// Whether others are told otherwise.
    varies: bool,
}

impl CrossOrigin {
    /// As the settings say.
    pub fn new(origins: CorsOrigins) -> Self {
        Self(origins)
    }

    /// What this request is told.
    pub(super) fn told(&self, request: &HeaderMap) -> Told {
        match &self.0 {
            CorsOrigins::Any => Told {
                allowed: Some(HeaderValue::from_static("*")),
                varies: false,
            },
            CorsOrigins::Listed(listed) => {
                let is_listed = |origin: &&HeaderValue| listed.iter().any(|one| one.as_bytes() == origin.as_bytes());
                Told {
                    allowed: request.get(ORIGIN).filter(is_listed).cloned(),
                    varies: true,
                }
            }
        }
    }

    /// The answer to a browser that asks before it sends; nothing if the request is none of these. It says what is allowed,
    /// and the browser decides.
    pub(super) fn preflight(request: &ServiceRequest) -> Option<HttpResponse> {
        let asked = request.headers();
        if request.method() != Method::OPTIONS
            || !asked.contains_key(ORIGIN)
            || !asked.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        {
            return None;
        }
        let mut response = HttpResponse::Ok().finish();
        let headers = response.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(SENT));
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBERED));
        Some(response)
    }
}

impl Told {
    /// Says it.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        if let Some(origin) = &self.allowed {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
        if !self.varies {
            return;
        }
        let lines = headers.get_all(VARY).filter_map(|value| value.to_str().ok());
        let vary: Vec<&str> = lines.chain(["Origin"]).collect();
        if let Ok(vary) = HeaderValue::try_from(vary.join(", ")) {
            headers.insert(VARY, vary);
        }
    }
}
