//! Which format a client gets that names none in the address. A pure function.

use super::variants::Format;

/// The format for a client that names none in the address, from its `Accept` headers, joined (RFC 9110, 12.5.1): AVIF where it is
/// there, named and liked no less than the others; else WebP where it is named and liked no less than JPEG; else JPEG.
///
/// A wildcard is no promise of either: clients that cannot read them send `*/*` as well, and everything reads JPEG. There
/// is no refusal; a header that accepts nothing of these gets JPEG.
pub fn negotiate(accept: &str, avif_is_there: bool) -> Format {
    let (mut avif, mut webp) = (0, 0);
    // (how exactly the range names JPEG, its weight); the most exact range counts.
    let mut jpeg = (0, 0);
    for range in accept.split(',') {
        let mut parts = range.split(';');
        let name = parts.next().unwrap_or_default().trim();
        let weight = parts.find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim().eq_ignore_ascii_case("q").then(|| thousandths(value.trim()))
        });
        // A weight that is no weight makes its range worth nothing; none at all means 1.
        let weight = weight.unwrap_or(Some(1000)).unwrap_or(0);
        let exactness = match name {
            "*/*" => 1,
            _ if name.eq_ignore_ascii_case("image/*") => 2,
            _ if name.eq_ignore_ascii_case("image/jpeg") => 3,
            _ if name.eq_ignore_ascii_case("image/webp") => {
                webp = webp.max(weight);
                continue;
            }
            _ if name.eq_ignore_ascii_case("image/avif") => {
                avif = avif.max(weight);
                continue;
            }
            _ => continue,
        };
        jpeg = jpeg.max((exactness, weight));
    }
    if avif_is_there && avif > 0 && avif >= webp && avif >= jpeg.1 {
        Format::Avif
    } else if webp > 0 && webp >= jpeg.1 {
        Format::Webp
    } else {
        Format::Jpeg
    }
}

/// A weight in thousandths (RFC 9110, 12.4.2: `0` to `1` with at most three decimals).
fn thousandths(text: &str) -> Option<u32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let thousands = match whole {
        "0" => 0,
        "1" => 1000,
        _ => return None,
    };
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction = decimals
        .bytes()
        .zip([100, 10, 1])
        .map(|(digit, place)| u32::from(digit - b'0') * place)
        .sum::<u32>();
    Some(thousands + fraction).filter(|weight| *weight <= 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn webp_goes_to_clients_that_name_it() {
        let webp = [
            "image/webp",
            "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
            "IMAGE/WebP ; Q=0.5",
            "image/webp;q=0.001",
            "image/webp;q=1.000, image/jpeg",
            "image/jpeg;q=0.4, */*, image/webp;q=0.5",
        ];
        for accept in webp {
            assert_eq!(negotiate(accept, false), Format::Webp, "{accept}");
        }
    }

    #[test]
    fn jpeg_goes_to_all_others() {
        let jpeg = [
            "",
            "*/*",
            "image/*",
            "text/html",
            "image/webp;q=0",
            "image/webp;q=0.000, */*",
            "image/webp;q=2",
            "image/webp;q=0.5555",
            "image/webp;q=-1",
            "image/webp;q=1.001",
            "image/webp;q=",
            "image/webp;q=0.5, image/jpeg",
            "image/webp;q=0.5, */*;q=0.6",
            "image/webpx",
            ",;,;=,q=1",
        ];
        for accept in jpeg {
            assert_eq!(negotiate(accept, false), Format::Jpeg, "{accept}");
        }
    }

    #[test]
    fn avif_goes_to_clients_that_name_it_once_it_is_there() {
        for (accept, there, expected) in [
            ("image/avif,image/webp,*/*;q=0.8", true, Format::Avif),
            ("image/avif,image/webp,*/*;q=0.8", false, Format::Webp),
            ("image/avif", true, Format::Avif),
            ("image/avif", false, Format::Jpeg),
            ("image/avif;q=0.5,image/webp", true, Format::Webp),
            ("image/avif;q=0,*/*", true, Format::Jpeg),
            ("image/*", true, Format::Jpeg),
        ] {
            assert_eq!(negotiate(accept, there), expected, "{accept} {there}");
        }
    }
}
