//! Content codings: which one a request wants, and how it is made.

use std::io::Write;

use actix_web::http::header::{ACCEPT_ENCODING, HeaderMap};
use actix_web::web::Bytes;

/// Bodies shorter than this go out as they are.
pub(super) const WORTH_COMPRESSING: usize = 1024;

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// None.
    Plain,
    /// `br`.
    Brotli,
    /// `gzip`.
    Gzip,
}

impl Coding {
    /// Its name in `Content-Encoding`.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
        }
    }
}

/// The coding that a request wants.
pub(super) fn wanted_coding(headers: &HeaderMap) -> Coding {
    let mut lines = headers.get_all(ACCEPT_ENCODING).filter_map(|line| line.to_str().ok());
    match (lines.next(), lines.next()) {
        (None, _) => Coding::Plain,
        (Some(line), None) => best_coding(line),
        (Some(first), Some(second)) => {
            let lines: Vec<&str> = [first, second].into_iter().chain(lines).collect();
            best_coding(&lines.join(","))
        }
    }
}

/// The better of br and gzip that is accepted with the highest weight, unless the body as it is was given a higher one
/// (RFC 9110, 12.5.3).
fn best_coding(accepted: &str) -> Coding {
    let weight = |coding: &str| -> Option<u32> {
        accepted.split(',').find_map(|part| {
            let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
            if !name.trim().eq_ignore_ascii_case(coding) {
                return None;
            }
            let q = parameters
                .trim()
                .strip_prefix(['q', 'Q'])
                .and_then(|rest| rest.strip_prefix('='))
                .map_or(Ok(1.0), str::parse::<f32>)
                .unwrap_or(0.0);
            Some((q.clamp(0.0, 1.0) * 1000.0) as u32)
        })
    };
    let any = weight("*").unwrap_or(0);
    let (br, gzip) = (weight("br").unwrap_or(any), weight("gzip").unwrap_or(any));
    match (br, gzip) {
        (br, gzip) if br.max(gzip) == 0 || weight("identity") > Some(br.max(gzip)) => Coding::Plain,
        (br, gzip) if br >= gzip => Coding::Brotli,
        _ => Coding::Gzip,
    }
}

/// A body in a coding. At these levels it takes a fraction of a millisecond for an article.
pub(super) fn compressed(coding: Coding, body: &Bytes) -> Bytes {
    let outcome = match coding {
        Coding::Plain => return body.clone(),
        Coding::Brotli => brotli(body),
        Coding::Gzip => gzip(body),
    };
    // Writing to memory does not fail. A form that is kept goes where it has room: cut to its length where it was made, it would
    // leave what is too small for the next one behind it.
    outcome.map_or_else(|_error| Bytes::new(), |form| Bytes::copy_from_slice(&form))
}

fn brotli(body: &[u8]) -> std::io::Result<Vec<u8>> {
    // A window of the body's own size finds as much as a larger one, and takes less memory.
    let window = usize::BITS - body.len().leading_zeros();
    let mut out = brotli::CompressorWriter::new(Vec::with_capacity(body.len() / 2), 4096, 5, window.clamp(10, 22));
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
    use actix_web::http::header::HeaderValue;

    #[test]
    fn codings_are_chosen_by_weight() {
        for (accepted, coding) in [
            ("gzip, deflate, br", Coding::Brotli),
            ("gzip", Coding::Gzip),
            ("br;q=0.5, gzip", Coding::Gzip),
            ("br;q=0, gzip;q=0", Coding::Plain),
            ("*", Coding::Brotli),
            ("*;q=0", Coding::Plain),
            ("identity", Coding::Plain),
            ("", Coding::Plain),
            ("BR", Coding::Brotli),
            ("br;Q=0, gzip; Q=0.1", Coding::Gzip),
            ("identity, br;q=0.5", Coding::Plain),
            ("identity;q=0.5, br;q=0.5", Coding::Brotli),
        ] {
            assert_eq!(best_coding(accepted), coding, "{accepted}");
        }
    }

    #[test]
    fn lines_of_a_header_are_one_list() {
        for (lines, coding) in [
            (&[][..], Coding::Plain),
            (&["gzip"], Coding::Gzip),
            (&["deflate", "br"], Coding::Brotli),
            (&["gzip", "identity;q=0", "br"], Coding::Brotli),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(ACCEPT_ENCODING, HeaderValue::from_static(line));
            }
            assert_eq!(wanted_coding(&headers), coding, "{lines:?}");
        }
    }
}
