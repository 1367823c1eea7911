//! The fixed set of files that are made from an uploaded picture: their names, sizes, addresses, and which
//! of them a client gets that names no format. Pure functions; the pixels are [`super::pipeline`]'s.

/// A size that a variant comes in. The set is closed, so that nobody can fill a disk by asking for
/// ever new sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Size {
    /// At most 320 px wide.
    W320,
    /// At most 640 px wide.
    W640,
    /// At most 960 px wide.
    W960,
    /// At most 1280 px wide.
    W1280,
    /// At most 1920 px wide.
    W1920,
}

impl Size {
    /// Every size, from the smallest.
    pub const ALL: [Self; 5] = [Self::W320, Self::W640, Self::W960, Self::W1280, Self::W1920];

    /// The name in an address: `w320`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::W320 => "w320",
            Self::W640 => "w640",
            Self::W960 => "w960",
            Self::W1280 => "w1280",
            Self::W1920 => "w1920",
        }
    }

    /// The size of that name; `None` for any other text.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.name() == name)
    }

    /// The widest that a picture of this size can be, in pixels.
    pub const fn max_width(self) -> u32 {
        match self {
            Self::W320 => 320,
            Self::W640 => 640,
            Self::W960 => 960,
            Self::W1280 => 1280,
            Self::W1920 => 1920,
        }
    }

    /// Width and height in pixels of this size of a picture that is shown at `width` × `height`: the
    /// same proportions, never enlarged, never less than 1 px.
    pub fn dimensions(self, width: u32, height: u32) -> (u32, u32) {
        let target = self.max_width();
        if width <= target {
            return (width, height);
        }
        // Rounded to the nearest; the result is below `height`, so it fits.
        let scaled = (u64::from(height) * u64::from(target) + u64::from(width) / 2) / u64::from(width);
        (target, u32::try_from(scaled).unwrap_or(height).max(1))
    }

    /// The sizes worth offering for a picture of that width: each up to its own width, or the smallest
    /// alone (which then stands at its own width) where the picture is narrower than all.
    pub fn offered(width: u32) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(move |size| *size == Self::W320 || size.max_width() <= width)
    }
}

/// A file format that a variant comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Lossy WebP, with transparency where the picture has it.
    Webp,
    /// JPEG; a transparent picture stands on white.
    Jpeg,
    /// PNG, with transparency where the picture has it.
    Png,
}

impl Format {
    /// Every format, the preferred one first.
    pub const ALL: [Self; 3] = [Self::Webp, Self::Jpeg, Self::Png];

    /// The ending in an address, without the dot: `webp`, `jpg`, `png`.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Webp => "webp",
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }

    /// The media type: `image/webp`.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Webp => "image/webp",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

/// One file that can be made from a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Variant {
    /// How large.
    pub size: Size,
    /// In which format.
    pub format: Format,
}

impl Variant {
    /// The variant of a name as it stands in an address, `w960.webp`; `None` for every other text, one
    /// without an ending included (there [`Size::parse`] and [`negotiate`] answer).
    pub fn parse(name: &str) -> Option<Self> {
        let (size, ending) = name.split_once('.')?;
        let format = Format::ALL.into_iter().find(|format| format.ending() == ending)?;
        Some(Self {
            size: Size::parse(size)?,
            format,
        })
    }

    /// The name in an address: `w960.webp`.
    pub fn name(self) -> String {
        format!("{}.{}", self.size.name(), self.format.ending())
    }

    /// The absolute address of this variant of the picture `hash`; `base_url` is the origin, with or
    /// without a slash at its end.
    pub fn url(self, base_url: &str, hash: &str) -> String {
        let mut url = String::with_capacity(base_url.len() + hash.len() + 20);
        self.push_url(&mut url, base_url, hash);
        url
    }

    fn push_url(self, out: &mut String, base_url: &str, hash: &str) {
        let (base_url, size, ending) = (base_url.trim_end_matches('/'), self.size.name(), self.format.ending());
        for part in [base_url, "/media/", hash, "/", size, ".", ending] {
            out.push_str(part);
        }
    }

    /// The variants worth naming to a client for a picture of that width: WebP and JPEG of each offered
    /// size, PNG only where JPEG would lose the transparency. Every other known name is answered too.
    pub fn offered(width: u32, transparent: bool) -> impl Iterator<Item = Self> {
        Size::offered(width).flat_map(move |size| {
            Format::ALL
                .into_iter()
                .filter(move |format| transparent || *format != Format::Png)
                .map(move |format| Self { size, format })
        })
    }
}

/// The `srcset` of a picture that is shown `width` px wide (HTML, "srcset attributes"): the WebP of each
/// offered size with its width in pixels, made yet or not.
pub fn srcset(base_url: &str, hash: &str, width: u32) -> String {
    let mut out = String::with_capacity((base_url.len() + hash.len() + 32) * Size::ALL.len());
    for size in Size::offered(width) {
        if !out.is_empty() {
            out.push_str(", ");
        }
        Variant {
            size,
            format: Format::Webp,
        }
        .push_url(&mut out, base_url, hash);
        out.push(' ');
        out.push_str(&size.max_width().min(width).to_string());
        out.push('w');
    }
    out
}

/// The format for a client that names none in the address, from its `Accept` header (RFC 9110, 12.5.1):
/// WebP where it is named and not liked less than JPEG, else JPEG.
///
/// A wildcard is no promise of WebP: clients that cannot read it send `*/*` as well, and everything
/// reads JPEG. There is no refusal; a header that accepts neither gets JPEG.
pub fn negotiate(accept: Option<&str>) -> Format {
    let mut webp = 0;
    // (how exactly the range names JPEG, its weight); the most exact range counts.
    let mut jpeg = (0, 0);
    for range in accept.unwrap_or_default().split(',') {
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
            _ => continue,
        };
        jpeg = jpeg.max((exactness, weight));
    }
    if webp > 0 && webp >= jpeg.1 {
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
    fn every_name_reads_back() {
        for size in Size::ALL {
            for format in Format::ALL {
                let variant = Variant { size, format };
                assert_eq!(Variant::parse(&variant.name()), Some(variant));
            }
        }
        assert_eq!(
            Variant::parse("w1280.jpg"),
            Some(Variant {
                size: Size::W1280,
                format: Format::Jpeg
            })
        );
        assert_eq!(Size::parse("w640"), Some(Size::W640));
    }

    #[test]
    fn other_names_are_unknown() {
        let names = [
            "",
            ".",
            "w320",
            "w320.",
            ".webp",
            "w321.webp",
            "W320.webp",
            "w320.WEBP",
            "w0320.webp",
            "w320.webp.jpg",
            "w320.jpeg",
            "w320.svg",
            "w99999999.webp",
            "w-1.webp",
            " w320.webp",
            "w320.webp\0",
            "../w320.webp",
            "original",
        ];
        for name in names {
            assert_eq!(Variant::parse(name), None, "{name:?}");
        }
        assert_eq!(Size::parse("w320.webp"), None);
    }

    #[test]
    fn a_size_keeps_proportions_and_never_enlarges() {
        assert_eq!(Size::W960.dimensions(4000, 3000), (960, 720));
        assert_eq!(Size::W960.dimensions(960, 5), (960, 5));
        assert_eq!(Size::W1920.dimensions(200, 100), (200, 100));
        assert_eq!(Size::W640.dimensions(1000, 333), (640, 213));
        assert_eq!(Size::W320.dimensions(12_000, 1), (320, 1));
        assert_eq!(Size::W320.dimensions(1, 12_000), (1, 12_000));
        assert_eq!(Size::W320.dimensions(u32::MAX, u32::MAX), (320, 320));
    }

    #[test]
    fn srcset_has_every_width_up_to_the_originals() {
        assert_eq!(
            srcset("https://example.org/", "ab", 1000),
            "https://example.org/media/ab/w320.webp 320w, https://example.org/media/ab/w640.webp 640w, \
             https://example.org/media/ab/w960.webp 960w"
        );
        assert_eq!(srcset("http://h", "ab", 200), "http://h/media/ab/w320.webp 200w");
        assert_eq!(srcset("http://h", "ab", 4000).matches("w,").count(), 4);
        assert!(srcset("http://h", "ab", 1920).ends_with("/w1920.webp 1920w"));
    }

    #[test]
    fn png_is_offered_for_transparent_pictures_alone() {
        let names = |transparent| {
            Variant::offered(700, transparent)
                .map(Variant::name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names(false), ["w320.webp", "w320.jpg", "w640.webp", "w640.jpg"]);
        assert_eq!(
            names(true),
            ["w320.webp", "w320.jpg", "w320.png", "w640.webp", "w640.jpg", "w640.png"]
        );
    }

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
            assert_eq!(negotiate(Some(accept)), Format::Webp, "{accept}");
        }
    }

    #[test]
    fn jpeg_goes_to_all_others() {
        assert_eq!(negotiate(None), Format::Jpeg);
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
            assert_eq!(negotiate(Some(accept)), Format::Jpeg, "{accept}");
        }
    }
}
