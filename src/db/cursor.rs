//! Cursors: opaque places in a sorted list.
//!
//! A cursor carries the sort and a hash of the filters that it was made for, and is refused by any other query. It is
//! not signed: whoever forges one that passes could have asked for the same rows by filters.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::error::{Code, Error, Result};

/// What a cursor belongs to: the name of the sort and the filters, in a fixed order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope([u8; 8]);

impl Scope {
    /// The scope of one query. `parts` must tell apart all queries whose lists differ.
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let mut short = [0; 8];
        for (to, from) in short.iter_mut().zip(digest) {
            *to = from;
        }
        Self(short)
    }
}

/// A place: after the row with these keys. Keys are numbers and text, in the order of the sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Numeric keys, such as microseconds and an id.
    pub numbers: Vec<i64>,
    /// A text key, for lists by name; empty elsewhere.
    pub text: String,
}

impl Cursor {
    /// The form that clients see: `[A-Za-z0-9_-]+`.
    pub fn encode(&self, scope: &Scope) -> String {
        let mut bytes = scope.0.to_vec();
        // At most a handful of keys.
        bytes.push(u8::try_from(self.numbers.len()).unwrap_or(u8::MAX));
        for number in &self.numbers {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.extend_from_slice(self.text.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads a cursor of that scope with that many numbers; anything else is 400.
    pub fn decode(text: &str, scope: &Scope, numbers: usize) -> Result<Self> {
        let wrong = || Error::at_parameter(Code::InvalidCursor, "cursor", "not a cursor of this query");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_error| wrong())?;
        let rest = bytes.strip_prefix(&scope.0).ok_or_else(wrong)?;
        let (&count, mut rest) = rest.split_first().ok_or_else(wrong)?;
        if usize::from(count) != numbers {
            return Err(wrong());
        }
        let mut keys = Vec::with_capacity(numbers);
        for _ in 0..numbers {
            let (key, tail) = rest.split_first_chunk::<8>().ok_or_else(wrong)?;
            keys.push(i64::from_be_bytes(*key));
            rest = tail;
        }
        let text = String::from_utf8(rest.to_vec()).map_err(|_error| wrong())?;
        // No list makes one with them, and PostgreSQL refuses NUL.
        if text.chars().any(char::is_control) {
            return Err(wrong());
        }
        Ok(Self { numbers: keys, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_for_its_own_query_only() {
        let scope = Scope::of(["-published_at", "tag=a"]);
        let cursor = Cursor {
            numbers: vec![-5, i64::MAX],
            text: "小米".into(),
        };
        let text = cursor.encode(&scope);
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        );
        assert_eq!(Cursor::decode(&text, &scope, 2).unwrap(), cursor);
        for other in [
            Scope::of(["-published_at", "tag=b"]),
            Scope::of(["-published_attag=", "a"]),
        ] {
            assert_eq!(Cursor::decode(&text, &other, 2).unwrap_err().code, Code::InvalidCursor);
        }
    }

    #[test]
    fn damaged_cursors_are_refused() {
        let scope = Scope::of(["x"]);
        let text = Cursor {
            numbers: vec![1, 2],
            text: String::new(),
        }
        .encode(&scope);
        for wrong in [
            "",
            "a",
            "####",
            "AAAA",
            text.get(..text.len() - 3).unwrap(),
            &format!("{text}="),
        ] {
            assert!(Cursor::decode(wrong, &scope, 2).is_err(), "{wrong}");
        }
        assert!(Cursor::decode(&text, &scope, 1).is_err());
        let with_nul = Cursor {
            numbers: vec![],
            text: "a\0".to_owned(),
        };
        assert!(Cursor::decode(&with_nul.encode(&scope), &scope, 0).is_err());
    }
}
