//! Content codings: which one a request wants, how it is made, and a body in all of them.

use std::io::Write;
use std::sync::{Arc, OnceLock};

use actix_web::http::header::{ACCEPT_ENCODING, HeaderMap};
use actix_web::web::Bytes;

/// Bodies shorter than this go out as they are.
pub(super) const WORTH_COMPRESSING: usize = 1024;

/// The longest body that is compressed before another request is looked at.
const QUICK: usize = 64 << 10;

/// The longest body that is compressed where requests are served.
const SOON: usize = 1 << 20;

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
    let (mut br, mut gzip, mut identity, mut any) = (None, None, None, None);
    for part in accepted.split(',') {
        let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
        let weight = match name.trim() {
            name if name.eq_ignore_ascii_case("br") => &mut br,
            name if name.eq_ignore_ascii_case("gzip") => &mut gzip,
            name if name.eq_ignore_ascii_case("identity") => &mut identity,
            "*" => &mut any,
            _ => continue,
        };
        weight.get_or_insert_with(|| thousandths(parameters));
    }
    let any = any.unwrap_or(0);
    let (br, gzip) = (br.unwrap_or(any), gzip.unwrap_or(any));
    match (br, gzip) {
        (br, gzip) if br.max(gzip) == 0 || identity > Some(br.max(gzip)) => Coding::Plain,
        (br, gzip) if br >= gzip => Coding::Brotli,
        _ => Coding::Gzip,
    }
}

/// The weight that parameters give a coding.
fn thousandths(parameters: &str) -> u32 {
    let q = parameters
        .trim()
        .strip_prefix(['q', 'Q'])
        .and_then(|rest| rest.strip_prefix('='))
        .map_or(Ok(1.0), str::parse::<f32>)
        .unwrap_or(0.0);
    (q.clamp(0.0, 1.0) * 1000.0) as u32
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

/// A body in its forms, each made when it is first asked for.
pub(super) struct Forms {
    plain: Bytes,
    brotli: OnceLock<Bytes>,
    gzip: OnceLock<Bytes>,
}

impl Forms {
    /// Those of a body.
    pub(super) fn new(plain: Bytes) -> Self {
        Self {
            plain,
            brotli: OnceLock::new(),
            gzip: OnceLock::new(),
        }
    }

    /// The body as it is.
    pub(super) fn plain(&self) -> &Bytes {
        &self.plain
    }

    /// How many bytes it takes. A form that is not made yet takes none.
    pub(super) fn weight(&self) -> usize {
        let made = |form: &OnceLock<Bytes>| form.get().map_or(0, Bytes::len);
        size_of::<Self>() + self.plain.len() + made(&self.brotli) + made(&self.gzip)
    }

    /// The form that a request wants.
    pub(super) fn wanted(self: Arc<Self>, headers: &HeaderMap) -> Form {
        let coding = match self.plain.len() {
            ..WORTH_COMPRESSING => Coding::Plain,
            _ => wanted_coding(headers),
        };
        Form { forms: self, coding }
    }

    /// The form of a coding, if it is made.
    fn made(&self, coding: Coding) -> Option<&Bytes> {
        match coding {
            Coding::Plain => Some(&self.plain),
            Coding::Brotli => self.brotli.get(),
            Coding::Gzip => self.gzip.get(),
        }
    }

    /// The form of a coding; who asks for it meanwhile waits.
    fn make(&self, coding: Coding) -> &Bytes {
        let form = match coding {
            Coding::Plain => return &self.plain,
            Coding::Brotli => &self.brotli,
            Coding::Gzip => &self.gzip,
        };
        form.get_or_init(|| compressed(coding, &self.plain))
    }
}

/// One form of a body, made or not.
pub(super) struct Form {
    forms: Arc<Forms>,
    coding: Coding,
}

impl Form {
    /// Whether it is made, or quickly made.
    pub(super) fn is_at_hand(&self) -> bool {
        self.is_made() || self.forms.plain.len() <= QUICK
    }

    fn is_made(&self) -> bool {
        self.forms.made(self.coding).is_some()
    }

    /// Itself, or the body as it is where it would take longer to compress than to send, which would hold up whoever
    /// else this thread serves.
    pub(super) fn or_plain(self) -> Self {
        if self.is_made() || self.forms.plain.len() <= SOON {
            return self;
        }
        Self {
            coding: Coding::Plain,
            ..self
        }
    }

    /// Makes it; whether it was made only now.
    pub(super) fn make(&self) -> bool {
        let is_new = !self.is_made();
        self.forms.make(self.coding);
        is_new
    }

    /// Its bytes, made if need be, and their coding.
    pub(super) fn get(&self) -> (Coding, Bytes) {
        (self.coding, self.forms.make(self.coding).clone())
    }
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
