//! Parameters in paths. What is malformed names nothing that there is: 404.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use percent_encoding::percent_decode_str;

use super::query::{MAX_ID, whole};
use crate::error::{Error, Result};

/// The `{id}` of a path.
pub struct PathId(pub i64);

impl PathId {
    /// Reads a part of a path; nothing if it is no id.
    pub fn read(part: &str) -> Option<i64> {
        whole(part).filter(|id| (1..=MAX_ID).contains(id))
    }
}

/// The `{slug}`, or other text, of a path: its only parameter.
pub struct PathText(pub String);

impl FromRequest for PathId {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let id = request.match_info().get("id").and_then(Self::read);
        ready(id.map(PathId).ok_or_else(Error::not_found))
    }
}

impl FromRequest for PathText {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let text = request.match_info().iter().next().and_then(|(_, value)| text(value));
        ready(text.map(PathText).ok_or_else(Error::not_found))
    }
}

/// Decodes a part of a path; nothing if it is no text or has control characters.
pub fn text(part: &str) -> Option<String> {
    let text = percent_decode_str(part).decode_utf8().ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then(|| text.into_owned())
}
