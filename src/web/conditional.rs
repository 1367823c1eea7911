//! Validators: entity tags out, `If-Match` and `If-None-Match` in (RFC 9110, 13.1).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};
use actix_web::{FromRequest, HttpRequest};
use twox_hash::xxhash3_128::Hasher;

use crate::error::{Code, Error, Result};

/// What `If-Match` allows. Of a tag only the number before the first `-` is compared, with weak tags too: a stated
/// deviation from RFC 9110, 13.1.1, since the version alone decides whether an edit was made on the present text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: any version.
    Any,
    /// These versions. Tags that name no version match nothing.
    Versions(Vec<i64>),
}

impl IfMatch {
    /// 412 unless the current version is allowed.
    pub fn check(&self, current: i64) -> Result<()> {
        match self {
            Self::Any => Ok(()),
            Self::Versions(versions) if versions.contains(&current) => Ok(()),
            Self::Versions(_) => Err(Error {
                current_version: Some(current),
                ..Error::new(Code::VersionMismatch)
            }),
        }
    }
}

impl FromRequest for IfMatch {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(read_if_match(request.headers()))
    }
}

fn read_if_match(headers: &HeaderMap) -> Result<IfMatch> {
    let wrong = || {
        Error::at_parameter(
            Code::InvalidIfMatch,
            "If-Match",
            "entity tags such as \"7\", or *, are wanted",
        )
    };
    let value = joined(headers, &IF_MATCH)
        .ok_or_else(|| Error::new(Code::PreconditionRequired))?
        .ok_or_else(wrong)?;
    if value.trim() == "*" {
        return Ok(IfMatch::Any);
    }
    let tags = tags(&value).ok_or_else(wrong)?;
    // `7`, or `7-` and the rest of a tag that was given out.
    let version = |tag: &&str| {
        let (version, rest) = tag.split_once('-').unwrap_or((tag, "x"));
        super::query::whole(version).filter(|_| !rest.is_empty())
    };
    Ok(IfMatch::Versions(tags.iter().filter_map(version).collect()))
}

/// All lines of a header as one list; `Some(None)` if it is no text.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<Option<String>> {
    let lines: Vec<_> = headers.get_all(name).map(|value| value.to_str().ok()).collect();
    (!lines.is_empty()).then(|| {
        lines
            .into_iter()
            .collect::<Option<Vec<_>>>()
            .map(|lines| lines.join(","))
    })
}

/// The opaque parts of a list of entity tags, which may have empty places (RFC 9110, 5.6.1.2); nothing if it is no such list.
fn tags(value: &str) -> Option<Vec<&str>> {
    let mut tags = Vec::new();
    let between = |c: char| c == ',' || c.is_ascii_whitespace();
    let mut rest = value.trim_start_matches(between);
    while !rest.is_empty() {
        rest = rest.strip_prefix("W/").unwrap_or(rest).strip_prefix('"')?;
        let (tag, tail) = rest.split_once('"')?;
        tags.push(tag);
        let tail = tail.trim_ascii_start();
        if !tail.is_empty() && !tail.starts_with(',') {
            return None;
        }
        rest = tail.trim_start_matches(between);
    }
    (!tags.is_empty()).then_some(tags)
}

/// Whether `If-None-Match` names the tag (or is `*`), by weak comparison. What is no tag matches nothing.
pub fn none_match(headers: &HeaderMap, etag: &[u8]) -> bool {
    let mut lines = headers.get_all(IF_NONE_MATCH);
    let (line, other) = (lines.next(), lines.next());
    let Some(line) = line else { return false };
    if other.is_none() && line == etag {
        return true;
    }
    let (Some(Some(value)), Ok(etag)) = (joined(headers, &IF_NONE_MATCH), str::from_utf8(etag)) else {
        return false;
    };
    let opaque = etag.strip_prefix("W/").unwrap_or(etag).trim_matches('"');
    value.trim() == "*" || tags(&value).is_some_and(|tags| tags.contains(&opaque))
}

/// Numbers that say nothing of what is shown: they change by themselves, and a tag outlives that.
pub(super) const VIEWS: &[u8] = b"\"view_count\":";
const TOOK: &[u8] = b"\"took_ms\":";

/// The weak tag of a body. How long the answer took is left out, and so are view numbers unless `with_views`, so that a
/// view changes no tag, and `untagged`, wherever it stands; `version` stands in front. Of the body it has 80 bits of XXH3,
/// which are the same on every machine. That is quick and no defence: who may write articles could fit one so that a list
/// looks unchanged to caches.
pub fn etag(body: &[u8], version: Option<i64>, with_views: bool, untagged: Option<&str>) -> String {
    let fields: &[&[u8]] = if with_views { &[TOOK] } else { &[VIEWS, TOOK] };
    let mut hash = Hasher::new();
    for kept in without_numbers(body, fields) {
        match untagged {
            Some(text) => without(kept, text.as_bytes()).for_each(|kept| hash.write(kept)),
            None => hash.write(kept),
        }
    }
    let hash = hash.finish_128() >> 48;
    let version = version.map_or_else(String::new, |version| format!("{version}-"));
    format!("W/\"{version}{hash:020x}\"")
}

/// The parts of a text before, between and behind another one, which is not empty.
fn without<'a>(text: &'a [u8], other: &[u8]) -> impl Iterator<Item = &'a [u8]> {
    let begins: Vec<usize> = memchr::memmem::find_iter(text, other).collect();
    let ends = begins.clone().into_iter().map(|at| at + other.len());
    let begins = begins.into_iter().chain([text.len()]);
    std::iter::once(0)
        .chain(ends)
        .zip(begins)
        .map(|(from, to)| text.get(from..to).unwrap_or_default())
}

/// The parts of a body between the numbers of these fields. Each field is looked for once over the whole body, however
/// many there are of the others.
fn without_numbers<'a>(body: &'a [u8], fields: &[&[u8]]) -> Vec<&'a [u8]> {
    let mut numbers: Vec<usize> = fields
        .iter()
        .flat_map(|field| memchr::memmem::find_iter(body, field).map(|at| at + field.len()))
        .collect();
    numbers.sort_unstable();
    let mut kept = Vec::with_capacity(numbers.len() + 1);
    let mut from = 0;
    for number in numbers {
        kept.push(body.get(from..number).unwrap_or_default());
        let rest = body.get(number..).unwrap_or_default();
        from = number + rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    }
    kept.push(body.get(from..).unwrap_or_default());
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn if_match(lines: &[&str]) -> Result<IfMatch> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IF_MATCH, HeaderValue::from_str(line).unwrap());
        }
        read_if_match(&headers)
    }

    #[test]
    fn if_match_takes_versions_and_tags() {
        for (lines, versions) in [
            (&["\"7\""][..], vec![7]),
            (&["W/\"7-abc\""], vec![7]),
            (&["\"7\", W/\"8-a,b\""], vec![7, 8]),
            (&["\"7\"", "\"9\""], vec![7, 9]),
            (&["W/\"stale\""], vec![]),
            (&["\"\""], vec![]),
            (&["\"07\", \"7-\""], vec![]),
            (&[", \"7\",, ,\"8\" ,"], vec![7, 8]),
            (&["\"7\"", ""], vec![7]),
        ] {
            assert_eq!(if_match(lines).unwrap(), IfMatch::Versions(versions), "{lines:?}");
        }
        assert_eq!(if_match(&["*"]).unwrap(), IfMatch::Any);
        assert_eq!(if_match(&[]).unwrap_err().code, Code::PreconditionRequired);
        for wrong in ["7", "\"7", "w/\"7\"", "\"7\" \"8\"", "\"7\",8", ",", ""] {
            assert_eq!(if_match(&[wrong]).unwrap_err().code, Code::InvalidIfMatch, "{wrong}");
        }
    }

    #[test]
    fn a_stale_version_is_told_the_current_one() {
        let error = IfMatch::Versions(vec![6]).check(7).unwrap_err();
        assert_eq!((error.code, error.current_version), (Code::VersionMismatch, Some(7)));
        assert!(IfMatch::Versions(vec![6, 7]).check(7).is_ok());
    }

    #[test]
    fn a_view_changes_no_tag_and_everything_else_does() {
        let tag = |text: &str| etag(text.as_bytes(), Some(3), false, None);
        assert_eq!(tag(r#"{"view_count":1,"a":1}"#), tag(r#"{"view_count":99,"a":1}"#));
        assert_ne!(tag(r#"{"view_count":1,"a":1}"#), tag(r#"{"view_count":1,"a":2}"#));
        assert_ne!(
            etag(br#"{"view_count":1}"#, None, true, None),
            etag(br#"{"view_count":2}"#, None, true, None)
        );
        assert!(tag("{}").starts_with("W/\"3-"));
    }

    #[test]
    fn a_tag_is_the_same_on_every_machine() {
        // As another implementation of XXH3 has them.
        assert_eq!(etag(br#"{"data":[]}"#, None, false, None), "W/\"35b8564af43c1302eac9\"");
        let long = format!("{{\"data\":\"{}\",\"view_count\":7}}", "新闻".repeat(1_000));
        assert_eq!(
            etag(long.as_bytes(), Some(3), false, None),
            "W/\"3-70d383107f106d23fc1e\""
        );
    }

    #[test]
    fn the_time_that_an_answer_took_changes_no_tag() {
        let took = |ms: u32, views: u32| format!(r#"{{"took_ms":{ms},"view_count":{views},"took":{ms}0}}"#);
        for with_views in [false, true] {
            let tag = |text: String| etag(text.as_bytes(), None, with_views, None);
            assert_eq!(tag(took(7, 1)), tag(took(7, 1)));
            assert_eq!(tag(took(7, 1)) == tag(took(7, 23)), !with_views);
            assert_ne!(
                tag(took(7, 1)),
                tag(took(8, 1)),
                "another field of a similar name counts"
            );
        }
        let tag = |text: &str| etag(text.as_bytes(), None, true, None);
        assert_eq!(tag(r#"{"a":1,"took_ms":7}"#), tag(r#"{"a":1,"took_ms":123}"#));
        assert_ne!(tag(r#"{"a":1,"took_ms":7}"#), tag(r#"{"a":2,"took_ms":7}"#));
    }

    #[test]
    fn what_is_another_text_each_time_changes_no_tag() {
        let tag = |cursor: &str, rest: &str| {
            let text =
                format!(r#"{{"took_ms":7,"next_cursor":"{cursor}","next":"/a?cursor={cursor}","rest":"{rest}"}}"#);
            etag(text.as_bytes(), None, false, Some(cursor))
        };
        assert_eq!(tag("AQID", "a"), tag("AQIE", "a"));
        assert_ne!(tag("AQID", "a"), tag("AQID", "b"));
        let whole = etag(br#"{"a":1}"#, None, false, None);
        assert_eq!(etag(br#"{"a":1}"#, None, false, Some("AQID")), whole);
        assert_eq!(etag(br#"AQID{"a":AQIDAQID1}AQID"#, None, false, Some("AQID")), whole);
    }

    #[test]
    fn what_lies_between_the_numbers_is_kept_in_order() {
        let kept = |body: &'static str| {
            let parts = without_numbers(body.as_bytes(), &[VIEWS, TOOK]);
            parts.concat().into_iter().map(char::from).collect::<String>()
        };
        assert_eq!(
            kept(r#""took_ms":12,"view_count":3,"b":4,"took_ms":5"#),
            r#""took_ms":,"view_count":,"b":4,"took_ms":"#
        );
        assert_eq!(kept(r#""view_count":"#), r#""view_count":"#);
        assert_eq!(kept(""), "");
    }

    #[test]
    fn if_none_match_compares_weakly() {
        let known = |lines: &[&'static str], etag: &'static str| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(IF_NONE_MATCH, HeaderValue::from_static(line));
            }
            none_match(&headers, etag.as_bytes())
        };
        for lines in [
            &["W/\"b\""][..],
            &["\"b\""],
            &["\"a\", W/\"b\""],
            &[",W/\"b\",,"],
            &["\"a\"", "W/\"b\""],
            &["W/\"b\"", "\"a\""],
            &["*"],
        ] {
            assert!(known(lines, "W/\"b\""), "{lines:?}");
        }
        for lines in [&[][..], &["\"a\""], &["b"], &["W/\"b\" x"], &["W/\"b\"", "x"], &[""]] {
            assert!(!known(lines, "W/\"b\""), "{lines:?}");
        }
        assert!(known(&["\"a\", \"b\""], "\"a\"") && !known(&["x"], "W/\"x\""));
    }
}
