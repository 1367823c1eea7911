//! JSON bodies: strict, within limits, with a pointer to everything that is wrong.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest};
use futures_util::StreamExt;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::patch::Patch;
use crate::error::{Code, Error, FieldError, Result};

/// Largest JSON body, in bytes: an article source of 1 MiB with every character escaped, and its other fields.
pub const MAX_JSON: usize = 4 << 20;

/// Time in which a body must have arrived.
const ARRIVAL: Duration = Duration::from_secs(60);

/// A body of type `T`. 415 for another content type, 413 when larger than [`MAX_JSON`], 400 for what is no JSON, 422
/// for what is JSON but no `T`; unknown fields are all named.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let mut payload = payload.take();
        Box::pin(async move {
            check_type(&request)?;
            let bytes = tokio::time::timeout(ARRIVAL, collect(&request, &mut payload))
                .await
                .map_err(|_elapsed| Error::new(Code::RequestTimeout))??;
            read(&bytes).map(Json)
        })
    }
}

fn header<'a>(request: &'a HttpRequest, name: &actix_web::http::header::HeaderName) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

fn check_type(request: &HttpRequest) -> Result<()> {
    let essence = header(request, &CONTENT_TYPE)
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim();
    let merge_patch = request.method() == actix_web::http::Method::PATCH
        && essence.eq_ignore_ascii_case("application/merge-patch+json");
    if !merge_patch && !essence.eq_ignore_ascii_case("application/json") {
        return Err(Error::new(Code::UnsupportedMediaType));
    }
    match header(request, &CONTENT_ENCODING) {
        Some(coding) if !coding.eq_ignore_ascii_case("identity") => Err(Error::new(Code::UnsupportedMediaType)),
        _ => Ok(()),
    }
}

async fn collect(request: &HttpRequest, payload: &mut Payload) -> Result<Vec<u8>> {
    let declared = header(request, &CONTENT_LENGTH)
        .and_then(|text| text.parse::<usize>().ok())
        .unwrap_or(0);
    if declared > MAX_JSON {
        return Err(Error::new(Code::TooLarge));
    }
    let mut bytes = Vec::with_capacity(declared);
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| Error {
            cause: Some(error.to_string()),
            ..Error::new(Code::BadRequest)
        })?;
        if bytes.len() + chunk.len() > MAX_JSON {
            return Err(Error::new(Code::TooLarge));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Reads JSON into `T`.
pub fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let mut errors = Vec::new();
    let mut track = serde_path_to_error::Track::new();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let mut note = |path: serde_ignored::Path<'_>| {
        errors.push(FieldError::field(
            pointer_of_ignored(&path),
            Code::UnknownField.name(),
            "no such field",
        ));
    };
    let outcome = {
        let tracked = serde_path_to_error::Deserializer::new(&mut json, &mut track);
        Object::<T>::deserialize(serde_ignored::Deserializer::new(tracked, &mut note)).map(|object| object.0)
    };
    match outcome {
        Ok(value) => {
            json.end().map_err(|error| malformed(&error))?;
            Error::check_fields(errors)?;
            Ok(value)
        }
        Err(error) if error.is_data() => {
            // The rest must be JSON as well, or what was sent is malformed rather than wrong.
            serde_json::from_slice::<serde::de::IgnoredAny>(bytes).map_err(|error| malformed(&error))?;
            let message = error.to_string();
            let message = message.split(" at line ").next().unwrap_or_default();
            let mut pointer = pointer_of_path(&track.path());
            // A missing field is an error of its object; the pointer goes to the field.
            if let Some(field) = message
                .strip_prefix("missing field `")
                .and_then(|rest| rest.strip_suffix('`'))
            {
                pointer.push_str(&format!("/{}", escape(field)));
            }
            errors.push(FieldError::field(pointer, Code::InvalidField.name(), message));
            Error::check_fields(errors)?;
            Err(Error::internal("an error that is none"))
        }
        Err(error) => Err(malformed(&error)),
    }
}

/// A struct that is read from an object alone; serde itself would take a list for one as well.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjectVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

/// For `deserialize_with`: a [`Patch`] of a struct, from an object alone.
pub fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Patch<T>, D::Error> {
    let given = Option::<Object<T>>::deserialize(deserializer)?;
    Ok(given.map_or(Patch::Null, |object| Patch::Value(object.0)))
}

/// For `deserialize_with`: a list of structs, each from an object alone.
pub fn object_list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let given = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(given.into_iter().map(|object| object.0).collect())
}

/// For `deserialize_with`: the same where it may be `null`, as a [`Patch`] or an option.
pub fn objects<'de, D: Deserializer<'de>, T: Deserialize<'de>, L: From<Option<Vec<T>>>>(
    deserializer: D,
) -> Result<L, D::Error> {
    let given = Option::<Vec<Object<T>>>::deserialize(deserializer)?;
    Ok(given
        .map(|list| list.into_iter().map(|object| object.0).collect())
        .into())
}

fn malformed(error: &serde_json::Error) -> Error {
    Error::at_field(Code::MalformedJson, "", error.to_string())
}

fn escape(segment: &str) -> String {
    segment.replace('~', "~0").replace('/', "~1")
}

fn pointer_of_path(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escape(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn pointer_of_ignored(path: &serde_ignored::Path<'_>) -> String {
    use serde_ignored::Path;
    match path {
        Path::Root => String::new(),
        Path::Seq { parent, index } => format!("{}/{index}", pointer_of_ignored(parent)),
        Path::Map { parent, key } => format!("{}/{}", pointer_of_ignored(parent), escape(key)),
        Path::Some { parent } | Path::NewtypeStruct { parent } | Path::NewtypeVariant { parent } => {
            pointer_of_ignored(parent)
        }
    }
}

/// Checks of single fields, collected.
#[derive(Default)]
pub struct Checks(Vec<FieldError>);

impl Checks {
    /// Notes an error at a field.
    pub fn wrong(&mut self, pointer: &str, message: impl Into<String>) {
        self.0
            .push(FieldError::field(pointer, Code::InvalidField.name(), message));
    }

    /// A line of text: not blank, without control characters, of at most `most` characters.
    pub fn line(&mut self, pointer: &str, text: &str, most: usize) {
        if text.trim().is_empty() {
            self.wrong(pointer, "must not be blank");
        }
        if text.chars().any(char::is_control) {
            self.wrong(pointer, "must not have line breaks or other control characters");
        }
        self.longest(pointer, text, most);
    }

    /// Text of several lines: no control characters but tab and line break, at most `most` characters.
    pub fn lines(&mut self, pointer: &str, text: &str, most: usize) {
        if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
            self.wrong(pointer, "must not have control characters");
        }
        self.longest(pointer, text, most);
    }

    /// A language tag (BCP 47), by its shape.
    pub fn locale(&mut self, pointer: &str, text: &str) {
        let mut parts = text.split('-');
        let language = parts
            .next()
            .is_some_and(|part| (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphabetic()));
        let rest = parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
        if !language || !rest || text.len() > 35 {
            self.wrong(pointer, "must be a language tag such as zh-CN");
        }
    }

    /// An absolute http or https address.
    pub fn url(&mut self, pointer: &str, text: &str) {
        self.longest(pointer, text, 2000);
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let bad = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '"' | '<' | '>' | '\\');
        if !rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/') && !rest.contains(bad)) {
            self.wrong(pointer, "must be an http or https address");
        }
    }

    fn longest(&mut self, pointer: &str, text: &str, most: usize) {
        // Bytes are an upper bound of characters: the count is taken only where it may matter.
        if text.len() > most && text.chars().count() > most {
            self.wrong(pointer, format!("must have at most {most} characters"));
        }
    }

    /// 422 if anything was wrong.
    pub fn finish(self) -> Result<()> {
        Error::check_fields(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "read by serde alone")]
    struct Sample {
        title: String,
        #[serde(default)]
        seo: Option<Inner>,
    }

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "read by serde alone")]
    struct Inner {
        title: Option<String>,
    }

    fn errors(text: &str) -> (Code, Vec<String>) {
        let error = read::<Sample>(text.as_bytes()).unwrap_err();
        (
            error.code,
            error.errors.into_iter().filter_map(|error| error.pointer).collect(),
        )
    }

    #[test]
    fn unknown_fields_are_all_named_with_their_places() {
        let (code, pointers) = errors(r#"{"title": "x", "a/b": 1, "seo": {"bogus": {"deep": 1}}}"#);
        assert_eq!(
            (code, pointers),
            (Code::UnknownField, vec!["#/a~1b".to_owned(), "#/seo/bogus".to_owned()])
        );
    }

    #[test]
    fn a_wrong_type_is_pointed_at() {
        assert_eq!(
            errors(r#"{"title": "x", "seo": {"title": 7}}"#),
            (Code::InvalidField, vec!["#/seo/title".into()])
        );
        assert_eq!(errors(r#"["x"]"#), (Code::InvalidField, vec!["#".into()]));
        assert_eq!(errors(r#"{"seo": null}"#), (Code::InvalidField, vec!["#/title".into()]));
    }

    #[test]
    fn what_is_no_json_is_malformed() {
        for text in [
            "",
            "{",
            "nope",
            r#"{"title": "x"} y"#,
            r#"{"title": 7, "seo": "#,
            "\u{feff}{}",
            r#"{"title": "\ud800"}"#,
        ] {
            assert_eq!(
                read::<Sample>(text.as_bytes()).unwrap_err().code,
                Code::MalformedJson,
                "{text}"
            );
        }
        assert_eq!(
            read::<Sample>(b"{\"title\": \"\xff\"}").unwrap_err().code,
            Code::MalformedJson
        );
        let deep = format!("{{\"title\": {}", "[".repeat(100_000));
        assert_eq!(read::<Sample>(deep.as_bytes()).unwrap_err().code, Code::MalformedJson);
    }
}
