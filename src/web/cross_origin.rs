//! What browsers on other sites are told.
//!
//! What is the same for every caller stands on every answer, also where no browser asks: a shared cache may hand the answer
//! to one. What depends on the origin is `actix-cors`' to say, which stands between the cache and the handlers, so that
//! nothing of one origin is kept for another; on an answer from the cache it is said here. A test compares the two.

use actix_web::HttpResponse;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, HeaderMap, HeaderValue, ORIGIN, VARY,
};

use crate::config::CorsOrigins;

/// The headers that scripts of other sites may read.
const EXPOSED: &str = "ETag, Link, Location, Retry-After, X-Request-Id";

/// What depends on the origin, where it does.
const VARIES: &str = "Origin, Access-Control-Request-Method, Access-Control-Request-Headers";

/// Allows origins.
#[derive(Debug)]
pub struct CrossOrigin(CorsOrigins);

impl CrossOrigin {
    /// As the settings say.
    pub fn new(origins: CorsOrigins) -> Self {
        Self(origins)
    }

    /// What every answer says.
    pub(super) fn seal(&self, headers: &mut HeaderMap) {
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        if self.0 == CorsOrigins::Any {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
    }

    /// What an answer from the cache says to one origin.
    pub(super) fn allow(&self, request: &ServiceRequest, response: &mut HttpResponse) {
        let CorsOrigins::Listed(listed) = &self.0 else { return };
        let headers = response.headers_mut();
        if let Some(origin) = request.headers().get(ORIGIN)
            && listed.iter().any(|listed| listed.as_bytes() == origin.as_bytes())
        {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
        let vary = headers.get(VARY).and_then(|value| value.to_str().ok());
        let vary = vary.map_or_else(|| VARIES.to_owned(), |vary| format!("{vary}, {VARIES}"));
        if let Ok(vary) = HeaderValue::from_str(&vary) {
            headers.insert(VARY, vary);
        }
    }
}
