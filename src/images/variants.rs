//! The fixed set of files that are made from an uploaded picture: their names, sizes and addresses. Pure functions; the
//! pixels are [`super::pipeline`]'s.

use std::fmt;

/// A size that a variant comes in. The set is closed, so that nobody can fill a disk by asking for ever new sizes.
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
    /// 320 × 320 px, cut around the focal point.
    Thumb,
    /// 640 × 360 px, cut around the focal point.
    Card,
    /// 1200 × 630 px, cut around the focal point.
    Share,
}

impl Size {
    /// Every size: the widths from the smallest, then the crops.
    pub const ALL: [Self; 8] = [
        Self::W320,
        Self::W640,
        Self::W960,
        Self::W1280,
        Self::W1920,
        Self::Thumb,
        Self::Card,
        Self::Share,
    ];

    /// The name in an address: `w320`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::W320 => "w320",
            Self::W640 => "w640",
            Self::W960 => "w960",
            Self::W1280 => "w1280",
            Self::W1920 => "w1920",
            Self::Thumb => "thumb",
            Self::Card => "card",
            Self::Share => "share",
        }
    }

    /// The size of that name; `None` for any other text.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|size| size.name() == name)
    }

    /// The widest that a picture of this size can be, in pixels.
    pub const fn max_width(self) -> u32 {
        match self {
            Self::W320 | Self::Thumb => 320,
            Self::W640 | Self::Card => 640,
            Self::W960 => 960,
            Self::W1280 => 1280,
            Self::W1920 => 1920,
            Self::Share => 1200,
        }
    }

    /// The height of a crop, in pixels; `None` where the picture keeps its proportions.
    const fn crop_height(self) -> Option<u32> {
        match self {
            Self::Thumb => Some(320),
            Self::Card => Some(360),
            Self::Share => Some(630),
            _ => None,
        }
    }

    /// Whether it is cut out of the picture, around its focal point.
    pub const fn is_crop(self) -> bool {
        self.crop_height().is_some()
    }

    /// Width and height in pixels of this size of a picture that is shown at `width` × `height`: never enlarged, never
    /// less than 1 px. A crop keeps its own proportions, the others the picture's.
    pub fn dimensions(self, width: u32, height: u32) -> (u32, u32) {
        let target = self.max_width();
        let Some(target_height) = self.crop_height() else {
            if width <= target {
                return (width, height);
            }
            return (target, scaled(height, target, width));
        };
        if width >= target && height >= target_height {
            return (target, target_height);
        }
        // The largest of these proportions that the picture has room for.
        if u64::from(width) * u64::from(target_height) >= u64::from(height) * u64::from(target) {
            (scaled(height, target, target_height), height.max(1))
        } else {
            (width.max(1), scaled(width, target_height, target))
        }
    }

    /// What part of a picture that is shown at `width` × `height` this size shows: all of it, or the largest part of a
    /// crop's proportions that has the focal point as near to its middle as the edges allow.
    pub fn window(self, width: u32, height: u32, focus: Focus) -> Window {
        let (full_width, full_height) = (f64::from(width), f64::from(height));
        let Some(crop_height) = self.crop_height() else {
            return Window {
                left: 0.0,
                top: 0.0,
                width: full_width,
                height: full_height,
            };
        };
        let proportion = f64::from(self.max_width()) / f64::from(crop_height);
        let cut_width = full_width.min(full_height * proportion);
        let cut_height = full_height.min(full_width / proportion);
        let place =
            |share: u16, full: f64, cut: f64| (f64::from(share) / 1000.0 * full - cut / 2.0).clamp(0.0, full - cut);
        Window {
            left: place(focus.x, full_width, cut_width),
            top: place(focus.y, full_height, cut_height),
            width: cut_width,
            height: cut_height,
        }
    }

    /// The widths worth offering for a picture of that width: each up to its own width, or the smallest alone (which then
    /// stands at its own width) where the picture is narrower than all.
    pub fn widths(width: u32) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(move |size| !size.is_crop() && (*size == Self::W320 || size.max_width() <= width))
    }
}

/// `number × times ÷ by`, rounded to the nearest, at least 1.
fn scaled(number: u32, times: u32, by: u32) -> u32 {
    let by = u64::from(by.max(1));
    let scaled = (u64::from(number) * u64::from(times) + by / 2) / by;
    u32::try_from(scaled).unwrap_or(u32::MAX).max(1)
}

/// A part of a picture as it is shown, in its pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// From the left edge of the picture to that of the part.
    pub left: f64,
    /// From the upper edge of the picture to that of the part.
    pub top: f64,
    /// Width of the part.
    pub width: f64,
    /// Height of the part.
    pub height: f64,
}

/// A focal point as addresses name it, `900-100`: thousandths of the width and of the height.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Focus {
    x: u16,
    y: u16,
}

impl Focus {
    /// The middle.
    pub const MIDDLE: Self = Self { x: 500, y: 500 };

    /// The point at these shares, 0 to 1, of the width and the height.
    pub fn at(x: f64, y: f64) -> Self {
        // Within bounds after the clamp; a number that is none counts as 0.
        let thousandths = |share: f64| (share.clamp(0.0, 1.0) * 1000.0).round() as u16;
        Self {
            x: thousandths(x),
            y: thousandths(y),
        }
    }

    /// How an address names it: the middle is what a crop has without a name.
    pub fn named(self) -> Option<Self> {
        Some(self).filter(|focus| *focus != Self::MIDDLE)
    }

    /// Reads the form that addresses have, and no other.
    pub fn parse(text: &str) -> Option<Self> {
        let (x, y) = text.split_once('-')?;
        let focus = Self {
            x: x.parse().ok().filter(|share| *share <= 1000)?,
            y: y.parse().ok().filter(|share| *share <= 1000)?,
        };
        (focus.to_string() == text).then_some(focus)
    }
}

impl fmt::Display for Focus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.x, self.y)
    }
}

/// A file format that a variant comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Lossy WebP, with transparency where the picture has it, moving where the picture moves.
    Webp,
    /// AVIF, with transparency where the picture has it.
    Avif,
    /// JPEG; a transparent picture stands on white.
    Jpeg,
    /// PNG, with transparency where the picture has it.
    Png,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Webp, Self::Avif, Self::Jpeg, Self::Png];

    /// The ending in an address, without the dot: `webp`, `avif`, `jpg`, `png`.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Webp => "webp",
            Self::Avif => "avif",
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }

    /// The media type: `image/webp`.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    /// The formats worth naming for a picture: PNG only where JPEG would lose the transparency.
    pub fn offered(transparent: bool) -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(move |format| transparent || *format != Self::Png)
    }
}

/// One file that can be made from a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Variant {
    /// How large.
    pub size: Size,
    /// In which format.
    pub format: Format,
    /// For a crop whose address names its focal point: that one. Without one it stands around the middle.
    pub focus: Option<Focus>,
}

impl Variant {
    /// The variant of a name as it stands in an address, `w960.webp`; `None` for every other text, one without an ending
    /// included (there [`Size::parse`] and [`super::accept::negotiate`] answer).
    pub fn parse(name: &str) -> Option<Self> {
        let (size, ending) = name.split_once('.')?;
        let format = Format::ALL.into_iter().find(|format| format.ending() == ending)?;
        Some(Self {
            size: Size::parse(size)?,
            format,
            focus: None,
        })
    }

    /// The name in an address: `w960.webp`.
    pub fn name(self) -> String {
        format!("{}.{}", self.size.name(), self.format.ending())
    }

    /// The name of its file: `w960.webp`, `card.900-100.webp`.
    pub fn file_name(self) -> String {
        match self.focus {
            Some(focus) => format!("{}.{focus}.{}", self.size.name(), self.format.ending()),
            None => self.name(),
        }
    }

    /// Whether a file of this name may be one that was made from a picture.
    pub fn is_file_name(name: &str) -> bool {
        let known = |name: &str| Self::parse(name).is_some();
        match name.split('.').collect::<Vec<_>>().as_slice() {
            [size, middle, ending] => {
                (*middle == STILL || Focus::parse(middle).is_some()) && known(&format!("{size}.{ending}"))
            }
            [size, focus, STILL, ending] => Focus::parse(focus).is_some() && known(&format!("{size}.{ending}")),
            _ => known(name),
        }
    }

    /// The name of the file where it is a still of a picture that moves as WebP: nobody gets that unasked.
    pub fn still_file_name(self) -> String {
        let name = self.file_name();
        let (before, ending) = name.rsplit_once('.').unwrap_or((&name, ""));
        format!("{before}.{STILL}.{ending}")
    }

    /// The absolute address of this variant of the picture `hash`; `base_url` is the origin, with or without a slash at
    /// its end.
    pub fn url(self, base_url: &str, hash: &str) -> String {
        let mut url = String::with_capacity(base_url.len() + hash.len() + 40);
        self.push_url(&mut url, base_url, hash);
        url
    }

    fn push_url(self, out: &mut String, base_url: &str, hash: &str) {
        let (base_url, size, ending) = (base_url.trim_end_matches('/'), self.size.name(), self.format.ending());
        for part in [base_url, "/media/", hash, "/", size, ".", ending] {
            out.push_str(part);
        }
        if let Some(focus) = self.focus {
            out.push_str("?focal=");
            out.push_str(&focus.to_string());
        }
    }

    /// Whether it can be made of a picture that is shown at `width` × `height`. AVIF of many pixels takes too long, and too
    /// much memory; there WebP stands alone.
    pub fn is_made_of(self, width: u32, height: u32) -> bool {
        let (width, height) = self.size.dimensions(width, height);
        self.format != Format::Avif || u64::from(width) * u64::from(height) <= MOST_AVIF
    }

    /// The variants worth naming to a client for a picture that is shown at that width and height, its crops at the
    /// addresses of that focal point. Every other known name is answered too.
    pub fn offered((width, height): (u32, u32), transparent: bool, focus: Option<Focus>) -> impl Iterator<Item = Self> {
        let crops = Size::ALL.into_iter().filter(|size| size.is_crop());
        let all = Size::widths(width).chain(crops).flat_map(move |size| {
            Format::offered(transparent).map(move |format| Self {
                size,
                format,
                focus: focus.filter(|_| size.is_crop()),
            })
        });
        all.filter(move |variant| variant.is_made_of(width, height))
    }
}

/// The most pixels of an AVIF.
const MOST_AVIF: u64 = 5_000_000;

const STILL: &str = "still";

/// The `srcset` of a picture that is shown `width` px wide (HTML, "srcset attributes"): the WebP of each offered width
/// with its width in pixels, made yet or not.
pub fn srcset(base_url: &str, hash: &str, width: u32) -> String {
    let mut out = String::with_capacity((base_url.len() + hash.len() + 32) * 5);
    for size in Size::widths(width) {
        if !out.is_empty() {
            out.push_str(", ");
        }
        Variant {
            size,
            format: Format::Webp,
            focus: None,
        }
        .push_url(&mut out, base_url, hash);
        out.push(' ');
        out.push_str(&size.max_width().min(width).to_string());
        out.push('w');
    }
    out
}

#[cfg(test)]
mod tests;
