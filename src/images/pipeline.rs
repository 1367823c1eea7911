//! Pictures in, pictures out: what an upload is, and the files that are made from it. Pure: bytes in, bytes
//! out, no disk, no network; the work takes up to some seconds of one core, so call it off the async threads.
//!
//! Every file that goes out is encoded anew from pixels, upright and in sRGB: no metadata (EXIF, GPS, XMP,
//! IPTC, comments, profiles) and no byte that was hidden in or behind the picture comes through.
//!
//! Animations (GIF, WebP) go on moving as WebP, unless they have too many pixels in all; as anything else they are their
//! first frame, as APNG is everywhere.
//!
//! # Memory
//! One call holds the decoded picture, at most [`MAX_MEMORY`] with all that the decoder needs beside it, then a strip as wide
//! as the result and as high as the original, then what the encoder needs. For a 12-megapixel photograph as JPEG that is
//! 36 MB, and less where it is decoded at a smaller scale; progressive 72–108 MB; the worst is a 50-megapixel PNG with 16
//! bits and alpha, 400 MB. A [`Room`] bounds what all calls take at a time, the files themselves included.

mod color;
mod container;
mod decode;
mod encode;
mod look;
mod moving;
mod room;
mod shape;
mod vp8l;

use image::DynamicImage;
use thiserror::Error;

use self::decode::{Head, Plan, decode};
pub use self::room::Room;
use self::shape::{Shape, shown_size};
use super::variants::{Focus, Format, Variant};

/// The longest side of an upload, in pixels.
pub const MAX_SIDE: u32 = 12_000;
/// The most pixels of an upload, width × height.
pub const MAX_PIXELS: u64 = 50_000_000;
/// The most memory that decoding may take, in bytes.
pub const MAX_MEMORY: u64 = 384 << 20;
/// The version of what is made here: one more when the same upload gives other bytes than before. Entity tags have it.
pub const VERSION: u32 = 2;
/// The most pixels of all frames of an animation that goes on moving; more take too long, and are shown as a still.
const MAX_MOVING: u64 = 64_000_000;

/// Why a file is no picture for this house.
#[derive(Debug, Error)]
pub enum ImageError {
    /// The content is no JPEG, PNG, WebP or GIF, whatever its name and declared type say.
    #[error("the file is not a JPEG, PNG, WebP or GIF image")]
    NotAnImage,
    /// A limit is exceeded; the text says which.
    #[error("{0}")]
    TooLarge(&'static str),
    /// It begins like an image but is cut off or damaged; the text is the decoder's and for the log.
    #[error("the image cannot be decoded: {0}")]
    Broken(String),
    /// The picture could not be resized or written. Nothing that a client sends should lead here.
    #[error("the image cannot be encoded: {0}")]
    Encode(String),
}

impl From<image::ImageError> for ImageError {
    fn from(error: image::ImageError) -> Self {
        match error {
            image::ImageError::Limits(_) => Self::TooLarge("the picture is too large to decode"),
            other => Self::Broken(other.to_string()),
        }
    }
}

/// What an upload turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probed {
    /// By content: `image/jpeg`, `image/png`, `image/webp` or `image/gif`.
    pub media_type: &'static str,
    /// Width in pixels as shown, its EXIF orientation applied.
    pub width: u32,
    /// Height in pixels as shown.
    pub height: u32,
    /// Whether any pixel is not opaque (of an animation: of its first frame).
    pub transparent: bool,
    /// Whether it has more than one frame.
    pub animated: bool,
    /// What to show until it has loaded.
    pub look: Look,
}

/// What to show of a picture until it has loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// A ThumbHash in base64.
    pub placeholder: String,
    /// The dominant colour, `#rrggbb`.
    pub color: String,
}

/// A variant that was made.
pub struct Rendered {
    /// The file.
    pub bytes: Vec<u8>,
    /// Whether it is a still AVIF of a picture that moves as WebP.
    pub still_of_moving: bool,
}

/// Finds out what an upload is, and that all of it decodes, so that a broken file is refused at once
/// and not when its first reader comes. `bytes` is the whole file; its length is the caller's to limit.
///
/// # Errors
/// [`ImageError::NotAnImage`], [`ImageError::TooLarge`], [`ImageError::Broken`].
pub fn probe(bytes: &[u8], room: &Room) -> Result<Probed, ImageError> {
    // By the decoder that every size can be made with.
    let whole = |head: &Head| Plan {
        reduction: 1.0,
        beside: small(head).memory(),
        later: 0,
    };
    let decoded = decode(bytes, room, whole)?;
    let (width, height) = shown_size(decoded.head.stored.0, decoded.head.stored.1, decoded.head.orientation);
    Ok(Probed {
        media_type: decoded.head.media_type,
        width,
        height,
        transparent: is_transparent(&decoded.pixels),
        animated: decoded.head.animated,
        look: look_of(decoded.pixels, &decoded.head)?,
    })
}

/// What to show of a picture until it has loaded; for one that [`probe`] has passed.
///
/// # Errors
/// Those of [`probe`].
pub fn look(bytes: &[u8], room: &Room) -> Result<Look, ImageError> {
    let plan = |head: &Head| Plan {
        reduction: small(head).reduction(),
        beside: small(head).memory(),
        later: 0,
    };
    let decoded = decode(bytes, room, plan)?;
    look_of(decoded.pixels, &decoded.head)
}

fn small(head: &Head) -> Shape {
    Shape::within(look::SIDE, head.stored, head.orientation)
}

fn look_of(pixels: DynamicImage, head: &Head) -> Result<Look, ImageError> {
    let small = small(head).apply(pixels, head.icc.as_deref())?;
    Ok(Look {
        placeholder: look::placeholder(&small),
        color: look::color(&small),
    })
}

/// Makes one variant of a picture: upright, in sRGB, at the variant's size (never enlarged), without
/// metadata; a crop around `focus`. `original` is the whole file as it was uploaded.
///
/// # Errors
/// Those of [`probe`] where the file is not one that it passed; [`ImageError::Encode`].
pub fn render_variant(original: &[u8], variant: Variant, focus: Focus, room: &Room) -> Result<Rendered, ImageError> {
    // Its first frame stands where no frame can be made to move.
    if variant.format == Format::Webp
        && let Some(bytes) = moving::webp(original, variant.size, focus, room)?
    {
        return Ok(Rendered {
            bytes,
            still_of_moving: false,
        });
    }
    let shape = |head: &Head| Shape::of(variant.size, focus, head.stored, head.orientation);
    let later = |head: &Head| encode::memory(variant.format, shape(head).pixels());
    let plan = |head: &Head| Plan {
        reduction: shape(head).reduction(),
        beside: shape(head).memory(),
        later: later(head),
    };
    let mut decoded = decode(original, room, plan)?;
    let picture = shape(&decoded.head).apply(decoded.pixels, decoded.head.icc.as_deref())?;
    // What the large picture took is free again.
    decoded.taken.keep(later(&decoded.head) + original.len() as u64);
    Ok(Rendered {
        bytes: encode::encode(picture, variant.format)?,
        still_of_moving: decoded.head.frames > 1 && variant.format == Format::Avif,
    })
}

/// Refuses sides and areas beyond the limits, and pictures without a pixel; returns the number of pixels.
fn check_size(width: u32, height: u32) -> Result<u64, ImageError> {
    if width == 0 || height == 0 {
        return Err(ImageError::Broken("a side is 0 pixels long".into()));
    }
    if width.max(height) > MAX_SIDE {
        return Err(ImageError::TooLarge("a side is longer than 12,000 pixels"));
    }
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MAX_PIXELS {
        return Err(ImageError::TooLarge("the picture has more than 50 megapixels"));
    }
    Ok(pixels)
}

fn is_transparent(picture: &DynamicImage) -> bool {
    match picture {
        DynamicImage::ImageLumaA8(pixels) => pixels.pixels().any(|pixel| pixel.0[1] < u8::MAX),
        DynamicImage::ImageRgba8(pixels) => pixels.pixels().any(|pixel| pixel.0[3] < u8::MAX),
        DynamicImage::ImageLumaA16(pixels) => pixels.pixels().any(|pixel| pixel.0[1] < u16::MAX),
        DynamicImage::ImageRgba16(pixels) => pixels.pixels().any(|pixel| pixel.0[3] < u16::MAX),
        _ => false,
    }
}

fn encode_error(error: impl std::fmt::Display) -> ImageError {
    ImageError::Encode(error.to_string())
}

#[cfg(test)]
mod tests;
