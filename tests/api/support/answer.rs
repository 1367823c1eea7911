//! What a caller is answered, and what is to be true of it.

use std::ops::Index;

use awc::http::header::HeaderMap;
use serde_json::Value;

/// What came back.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as sent.
    pub body: Vec<u8>,
    /// The body as a document; `null` where it is none.
    pub json: Value,
    sent: String,
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        write!(
            f,
            "{} answered {} {}",
            self.sent,
            self.status,
            body.chars().take(2_000).collect::<String>()
        )
    }
}

/// Members of the document, `null` where there are none: `answer["data"]["id"]`.
impl Index<&str> for Answer {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.json[name]
    }
}

impl Answer {
    /// `sent` is the request in short, for messages.
    pub fn new(sent: String, status: u16, headers: HeaderMap, body: Vec<u8>) -> Self {
        let mut answer = Self {
            status,
            headers,
            body,
            json: Value::Null,
            sent,
        };
        let readable = answer.content_type().ends_with("json") && answer.header("content-encoding").is_none();
        if readable && !answer.body.is_empty() {
            answer.json = serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{answer}: {error}"));
        }
        answer
    }

    /// The header's value, if it is there and is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The media type, without its parameters.
    pub fn content_type(&self) -> &str {
        self.header("content-type")
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The `id` of the one thing that came back.
    #[track_caller]
    pub fn id(&self) -> i64 {
        self["data"]["id"].as_i64().unwrap_or_else(|| panic!("no id: {self}"))
    }

    /// The `id`s of the things that came back, in their order.
    #[track_caller]
    pub fn ids(&self) -> Vec<i64> {
        let list = self["data"].as_array().unwrap_or_else(|| panic!("no list: {self}"));
        list.iter()
            .map(|item| item["id"].as_i64().unwrap_or_else(|| panic!("no id: {self}")))
            .collect()
    }

    /// It went well, with exactly this status.
    #[track_caller]
    pub fn ok(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        assert_ne!(self.content_type(), "application/problem+json", "{self}");
        if matches!(status, 204 | 304) {
            assert!(self.body.is_empty(), "a body with {status}: {self}");
        }
        self
    }

    /// It was refused with this status and code, in the form that every problem has.
    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self["code"].as_str()), (status, Some(code)), "{self}");
        assert_eq!(self.content_type(), "application/problem+json", "{self}");
        assert_eq!(self.header("cache-control"), Some("no-store"), "{self}");
        assert_eq!(self["status"], status, "{self}");
        assert!(
            self["type"]
                .as_str()
                .is_some_and(|uri| uri.ends_with(&format!("/problems/{code}"))),
            "type: {self}"
        );
        for name in ["title", "detail", "request_id"] {
            assert!(
                self[name].as_str().is_some_and(|text| !text.is_empty()),
                "{name}: {self}"
            );
        }
        assert_eq!(self["request_id"].as_str(), self.header("x-request-id"), "{self}");
        for error in self["errors"].as_array().unwrap_or_else(|| panic!("errors: {self}")) {
            assert!(
                error["pointer"].is_string() != error["parameter"].is_string(),
                "pointer or parameter: {self}"
            );
            assert!(
                error["pointer"]
                    .as_str()
                    .is_none_or(|at| at == "#" || at.starts_with("#/")),
                "pointer: {self}"
            );
            assert!(
                error["code"].is_string() && error["message"].is_string(),
                "code and message: {self}"
            );
        }
        self
    }

    /// The problem names exactly these pointers (`#/slug`) and parameters (`limit`), in any order.
    #[track_caller]
    pub fn at(self, places: &[&str]) -> Self {
        let errors = self["errors"].as_array().unwrap_or_else(|| panic!("errors: {self}"));
        let place = |error: &Value| {
            error["pointer"]
                .as_str()
                .or(error["parameter"].as_str())
                .map(str::to_owned)
        };
        let mut named: Vec<String> = errors.iter().filter_map(place).collect();
        let mut wanted = places.to_vec();
        named.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(named, wanted, "{self}");
        self
    }
}
