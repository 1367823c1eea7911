//! Which addresses may stand in an article, and in which form.

use url::Url;

/// Largest id that a client in JavaScript can hold: 2^53 - 1.
const MAX_ID: i64 = 9_007_199_254_740_991;

/// What an `<img src>` leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Picture {
    Uploaded(i64),
    Https(String),
    /// Shown as a link, because a page over https would not load it.
    Http(String),
}

/// The address of a link: `http`, `https`, `mailto`, `tel`, or one that begins with `/`, `#` or `?`; `//host` means https.
/// Everything outside the ASCII letters, digits and marks of a URL is percent-encoded, so that the result needs no further escape
/// but that of `&` and `'`. `None` for whatever else, `javascript:` in all its disguises included.
pub(super) fn link(raw: &str) -> Option<String> {
    let encoded = encode(raw);
    let first = encoded.chars().next()?;
    match first {
        '/' => match encoded.strip_prefix("//") {
            Some(_) => absolute(&format!("https:{encoded}"), &["https"]),
            None => Some(encoded),
        },
        '#' | '?' => Some(encoded),
        _ => absolute(&encoded, &["http", "https", "mailto", "tel"]),
    }
}

/// The address of a picture; `image:42` is the uploaded image 42.
pub(super) fn picture(raw: &str) -> Option<Picture> {
    if let Some(id) = raw.trim().strip_prefix("image:") {
        return uploaded(id).map(Picture::Uploaded);
    }
    let address = web(raw)?;
    Some(if address.starts_with("https:") {
        Picture::Https(address)
    } else {
        Picture::Http(address)
    })
}

/// An absolute address of the web, http or https.
pub(super) fn web(raw: &str) -> Option<String> {
    let encoded = encode(raw);
    if encoded.starts_with("//") {
        return absolute(&format!("https:{encoded}"), &["https"]);
    }
    absolute(&encoded, &["http", "https"])
}

/// An image id: 1 to 2^53 - 1, digits alone.
pub(super) fn uploaded(id: &str) -> Option<i64> {
    if !id.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    id.parse().ok().filter(|id| (1..=MAX_ID).contains(id))
}

/// Keeps what a URL may hold and percent-encodes the rest. Control characters go, as browsers drop tabs and line breaks within
/// an address, and a backslash is encoded, because browsers read it as a slash.
fn encode(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let raw = raw.trim();
    for (at, byte) in raw.bytes().enumerate() {
        let stays = match byte {
            0..=0x1f | 0x7f => continue,
            b'%' => raw
                .as_bytes()
                .get(at + 1..at + 3)
                .is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit)),
            _ => byte.is_ascii_alphanumeric() || b"-_.+!*(),#@?=;:/$~&'".contains(&byte),
        };
        if stays {
            out.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from_digit(value.into(), 16).unwrap_or('0').to_ascii_uppercase();
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

fn absolute(encoded: &str, schemes: &[&str]) -> Option<String> {
    let url = Url::parse(encoded).ok()?;
    if !schemes.contains(&url.scheme()) {
        return None;
    }
    let rest = encoded.get(url.scheme().len()..)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Some(format!("{}{rest}", url.scheme()));
    }
    // As written where possible; the parsed form where the parser had to mend something, as with a host in Chinese.
    let host = url.host_str()?;
    let authority = rest.strip_prefix("://")?;
    let as_written = authority
        .split(['/', '?', '#', ':'])
        .next()
        .is_some_and(|name| name.eq_ignore_ascii_case(host));
    Some(if as_written {
        format!("{}{rest}", url.scheme())
    } else {
        encode(url.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_kept_as_written_where_its_scheme_is_known() {
        for address in [
            "https://example.com",
            "http://example.com/a?b=c&d=e#f",
            "mailto:li@example.com",
            "tel:+86-10-1234",
            "/a/b",
            "#part",
            "?page=2",
            "https://example.com/%E4%B8%AD",
        ] {
            assert_eq!(link(address).as_deref(), Some(address));
        }
    }

    #[test]
    fn a_link_is_mended_to_one_safe_form() {
        assert_eq!(link("//example.com/a").as_deref(), Some("https://example.com/a"));
        assert_eq!(
            link(" https://example.com/中 文\"<>").as_deref(),
            Some("https://example.com/%E4%B8%AD%20%E6%96%87%22%3C%3E")
        );
        assert_eq!(
            link("https://例子.中国/a").as_deref(),
            Some("https://xn--fsqu00a.xn--fiqs8s/a")
        );
        assert_eq!(link("HTTPS://Example.com/A").as_deref(), Some("https://Example.com/A"));
        assert_eq!(link("/\\example.com").as_deref(), Some("/%5Cexample.com"));
        assert_eq!(
            link("https://a.example/100%").as_deref(),
            Some("https://a.example/100%25")
        );
        let mended = link("https://例子.中国/[1]?a={b}").unwrap();
        assert_eq!(link(&mended).unwrap(), mended);
    }

    #[test]
    fn a_link_with_another_scheme_is_none() {
        for address in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " javascript:alert(1)",
            "java\tscript:alert(1)",
            "java\nscript:alert(1)",
            "\u{1}javascript:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:https://a/b",
            "image:42",
            "",
            "a.html",
            "https:",
            "https://",
            "view-source:https://a",
            "\u{a0}javascript:alert(1)",
            "javascript&colon;alert(1)",
        ] {
            assert_eq!(link(address), None, "{address:?}");
        }
    }

    #[test]
    fn a_picture_is_uploaded_or_on_the_web() {
        assert_eq!(picture("image:42"), Some(Picture::Uploaded(42)));
        assert_eq!(picture("image:9007199254740991"), Some(Picture::Uploaded(MAX_ID)));
        for bad in [
            "image:0",
            "image:-1",
            "image:+1",
            "image:9007199254740992",
            "image:99999999999999999999",
            "image:",
            "image:1x",
            "image:1 2",
            "data:image/png;base64,AA",
            "/a.png",
            "javascript:x",
        ] {
            assert_eq!(picture(bad), None, "{bad}");
        }
        assert_eq!(
            picture("//cdn.example/x.png"),
            Some(Picture::Https("https://cdn.example/x.png".into()))
        );
        assert_eq!(
            picture("http://cdn.example/x.png"),
            Some(Picture::Http("http://cdn.example/x.png".into()))
        );
    }
}
