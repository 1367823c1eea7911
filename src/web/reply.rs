//! Answers: JSON with its validator, its caching and its coding.

use std::collections::BTreeSet;
use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, LINK,
    LOCATION, VARY,
};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use utoipa::ToSchema;

use super::cache::Wanted;
use super::coding::{Coding, WORTH_COMPRESSING, compressed, wanted_coding};
use super::conditional;
use super::content::{About, Content, cache_control};
use super::page::{Links, Page};
use crate::db::board::places;
use crate::db::{Subject, Timestamp};
use crate::error::{Error, Result};

/// As much as most answers take, in bytes.
const USUAL_LENGTH: usize = 16 << 10;

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
    untagged: Option<String>,
    next_due: Option<Timestamp>,
    tags: Vec<String>,
    location: Option<String>,
    link: Option<String>,
    uncached: bool,
    unkept: bool,
    made_of: Option<BTreeSet<Subject>>,
    views_of: Vec<i64>,
}

impl Reply {
    /// 200 with any JSON.
    pub fn json(value: &impl Serialize) -> Result<Self> {
        let mut body = Vec::with_capacity(USUAL_LENGTH);
        serde_json::to_writer(&mut body, value).map_err(Error::internal)?;
        Ok(Self::bytes(body))
    }

    /// 200 with JSON that is written already.
    pub fn bytes(body: Vec<u8>) -> Self {
        Self {
            status: StatusCode::OK,
            body,
            version: None,
            with_views: false,
            untagged: None,
            next_due: None,
            tags: Vec::new(),
            location: None,
            link: None,
            uncached: false,
            unkept: false,
            made_of: None,
            views_of: Vec::new(),
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

    /// A text that stands in the body and is another one each time, though it says nothing of what is shown: the tag leaves it out.
    pub fn untagged(mut self, text: Option<String>) -> Self {
        self.untagged = text;
        self
    }

    /// Caches must let go when the next article becomes due.
    pub fn next_due(mut self, due: Option<Timestamp>) -> Self {
        self.next_due = due;
        self
    }

    /// What the answer shows, for `Cache-Tag`.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// What the answer was made of: it is kept until something of that changes or an article becomes due. An answer that
    /// does not say it ends with any change of content.
    pub fn made_of(mut self, subjects: impl IntoIterator<Item = Subject>) -> Self {
        self.made_of.get_or_insert_default().extend(subjects);
        self
    }

    /// Whose view numbers the body has as `view_count`, in their order; they are kept up to date in a kept answer. One
    /// with view numbers that does not say whose they are is not kept.
    pub fn views_of(mut self, ids: impl IntoIterator<Item = i64>) -> Self {
        self.views_of.extend(ids);
        self
    }

    /// Not to be kept by this process, but by caches before it: what is counted, or depends on more than content.
    pub fn unkept(mut self) -> Self {
        self.unkept = true;
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
            .insert_header((CACHE_CONTROL, cache_control(request.headers(), None)))
            .insert_header((VARY, "Authorization"))
            .finish()
    }
}

impl Responder for Reply {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        let read = request.method() == Method::GET;
        if read && self.status == StatusCode::OK && !self.uncached {
            return self.respond_kept(request);
        }
        let body = Bytes::from(self.body);
        let mut response = HttpResponse::new(self.status);
        let headers = response.headers_mut();
        if self.version.is_some() && !self.uncached {
            let etag = conditional::etag(&body, self.version, self.with_views, None);
            insert_text(headers, ETAG, etag);
        }
        let cache = if request.headers().contains_key(AUTHORIZATION) {
            cache_control(request.headers(), None)
        } else {
            HeaderValue::from_static("no-store")
        };
        headers.insert(CACHE_CONTROL, cache);
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding, Authorization"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(location) = self.location {
            insert_text(headers, LOCATION, location);
        }
        if let Some(link) = self.link {
            insert_text(headers, LINK, link);
        }
        let coding = if body.len() >= WORTH_COMPRESSING {
            wanted_coding(request.headers())
        } else {
            Coding::Plain
        };
        if let Some(name) = coding.name() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        response.set_body(BoxBody::new(compressed(coding, &body)))
    }
}

/// A header that is made of values of ours; one that is none is left out.
fn insert_text(headers: &mut HeaderMap, name: HeaderName, text: String) {
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(name, value);
    }
}

impl Reply {
    /// The answer to a read, which the cache takes from it if it asked for that.
    fn respond_kept(self, request: &HttpRequest) -> HttpResponse {
        let etag = conditional::etag(&self.body, self.version, self.with_views, self.untagged.as_deref());
        let place = |id: &i64| places([Subject::Views(*id)]).first().map(|place| (*id, *place));
        let wanted = request.extensions().get::<Wanted>().is_some() && !self.unkept && !self.with_views;
        let mut body = self.body;
        if wanted {
            // What is kept is as long as it is counted, and leaves the room that it was written in to the next one.
            body = body.as_slice().to_vec();
        }
        let content = Content::new(
            body,
            About {
                etag,
                next_due: self.next_due,
                tags: self.tags,
                link: self.link,
                places: match &self.made_of {
                    _ if !wanted => Box::default(),
                    Some(subjects) => places(subjects.iter().copied()),
                    None => places([Subject::Anything]),
                },
                views: if wanted {
                    self.views_of.iter().filter_map(place).collect()
                } else {
                    Vec::new()
                },
            },
        );
        let mut response = content.respond(request.headers());
        if wanted {
            response.extensions_mut().insert(Arc::new(content));
        }
        response
    }
}
