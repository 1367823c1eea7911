//! Pictures in, pictures out: what an upload is, and the files that are made from it. Pure: bytes in, bytes
//! out, no disk, no network; the work takes up to a second of one core, so call it off the async threads.
//!
//! Every file that goes out is encoded anew from pixels, upright and in sRGB: no metadata (EXIF, GPS, XMP,
//! IPTC, comments, profiles) and no byte that was hidden in or behind the picture comes through.
//!
//! Animations (GIF, WebP, APNG) are shown as a still: their first frame.
//!
//! # Memory
//! One call holds the decoded picture, at most [`MAX_MEMORY`] with all that the decoder needs beside it, then
//! (what the decoder needed is free again) a strip as wide as the result and as high as the original. For a
//! 12-megapixel photograph as JPEG that is 36 MB, progressive 72–108 MB; the worst is a 50-megapixel
//! PNG with 16 bits and alpha, 400 MB. Bound the number of calls at a time.

mod color;
mod container;
mod decode;

use fast_image_resize::{FilterType as Filter, MulDiv, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ImageEncoder};
use jpeg_encoder::{ColorType as JpegColor, Encoder as JpegEncoder};
use thiserror::Error;

use super::variants::{Format, Variant};
use decode::{Decoded, decode};

/// The longest side of an upload, in pixels.
pub const MAX_SIDE: u32 = 12_000;
/// The most pixels of an upload, width × height.
pub const MAX_PIXELS: u64 = 50_000_000;
/// The most memory that decoding may take, in bytes.
pub const MAX_MEMORY: u64 = 512 << 20;

const WEBP_QUALITY: f32 = 80.0;
const JPEG_QUALITY: u8 = 82;

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

/// Finds out what an upload is, and that all of it decodes, so that a broken file is refused at once
/// and not when its first reader comes. `bytes` is the whole file; its length is the caller's to limit.
///
/// # Errors
/// [`ImageError::NotAnImage`], [`ImageError::TooLarge`], [`ImageError::Broken`].
pub fn probe(bytes: &[u8]) -> Result<Probed, ImageError> {
    let decoded = decode(bytes)?;
    let (width, height) = shown_size(&decoded);
    Ok(Probed {
        media_type: decoded.media_type,
        width,
        height,
        transparent: is_transparent(&decoded.pixels),
        animated: decoded.animated,
    })
}

/// Makes one variant of a picture: upright, in sRGB, at the variant's size (never enlarged), without
/// metadata. `original` is the whole file as it was uploaded.
///
/// # Errors
/// Those of [`probe`] where the file is not one that it passed; [`ImageError::Encode`].
pub fn render_variant(original: &[u8], variant: Variant) -> Result<Vec<u8>, ImageError> {
    let decoded = decode(original)?;
    let (width, height) = shown_size(&decoded);
    let (mut width, mut height) = variant.size.dimensions(width, height);
    if decoded.lies_on_its_side() {
        (width, height) = (height, width);
    }
    // Colours and orientation are cheaper to put right on the small picture.
    let mut picture = color::to_srgb(resize(decoded.pixels, width, height)?, decoded.icc.as_deref());
    picture.apply_orientation(decoded.orientation);
    encode(picture, variant.format)
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

fn shown_size(decoded: &Decoded) -> (u32, u32) {
    let (width, height) = (decoded.pixels.width(), decoded.pixels.height());
    if decoded.lies_on_its_side() {
        (height, width)
    } else {
        (width, height)
    }
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

/// Scales down by Lanczos3. Colours are weighted by their alpha, in place: what a transparent pixel is
/// coloured must not bleed into its neighbours, and a second full picture must not be held.
fn resize(mut picture: DynamicImage, width: u32, height: u32) -> Result<DynamicImage, ImageError> {
    if (picture.width(), picture.height()) == (width, height) {
        return Ok(picture);
    }
    let weighted = is_transparent(&picture);
    let alpha = MulDiv::new();
    if weighted {
        alpha.multiply_alpha_inplace(&mut picture).map_err(encode_error)?;
    }
    let mut small = DynamicImage::new(width, height, picture.color());
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(Filter::Lanczos3))
        .use_alpha(false);
    Resizer::new()
        .resize(&picture, &mut small, &options)
        .map_err(encode_error)?;
    if weighted {
        alpha.divide_alpha_inplace(&mut small).map_err(encode_error)?;
    }
    Ok(small)
}

/// Writes an 8-bit sRGB picture.
fn encode(picture: DynamicImage, format: Format) -> Result<Vec<u8>, ImageError> {
    let transparent = is_transparent(&picture);
    let (width, height) = (picture.width(), picture.height());
    match format {
        Format::Webp if transparent => encode_webp(&picture.into_rgba8(), webp::PixelLayout::Rgba, width, height),
        Format::Webp => encode_webp(&picture.into_rgb8(), webp::PixelLayout::Rgb, width, height),
        Format::Jpeg if transparent => {
            encode_jpeg(&color::on_white(&picture.into_rgba8()), JpegColor::Rgb, width, height)
        }
        Format::Jpeg if picture.color().has_color() => encode_jpeg(&picture.into_rgb8(), JpegColor::Rgb, width, height),
        Format::Jpeg => encode_jpeg(&picture.into_luma8(), JpegColor::Luma, width, height),
        Format::Png => encode_png(&match (transparent, picture.color().has_color()) {
            (true, _) => picture,
            (false, true) => picture.into_rgb8().into(),
            (false, false) => picture.into_luma8().into(),
        }),
    }
}

fn encode_webp(pixels: &[u8], layout: webp::PixelLayout, width: u32, height: u32) -> Result<Vec<u8>, ImageError> {
    webp::Encoder::new(pixels, layout, width, height)
        .encode_simple(false, WEBP_QUALITY)
        .map(|file| file.to_vec())
        .map_err(|error| ImageError::Encode(format!("{error:?}")))
}

fn encode_jpeg(pixels: &[u8], color: JpegColor, width: u32, height: u32) -> Result<Vec<u8>, ImageError> {
    let (width, height) = (
        u16::try_from(width).map_err(encode_error)?,
        u16::try_from(height).map_err(encode_error)?,
    );
    let mut out = Vec::new();
    JpegEncoder::new(&mut out, JPEG_QUALITY)
        .encode(pixels, width, height, color)
        .map_err(encode_error)?;
    Ok(out)
}

fn encode_png(picture: &DynamicImage) -> Result<Vec<u8>, ImageError> {
    let mut out = Vec::new();
    PngEncoder::new_with_quality(&mut out, CompressionType::Default, FilterType::Adaptive)
        .write_image(
            picture.as_bytes(),
            picture.width(),
            picture.height(),
            picture.color().into(),
        )
        .map_err(encode_error)?;
    Ok(out)
}

fn encode_error(error: impl std::fmt::Display) -> ImageError {
    ImageError::Encode(error.to_string())
}

#[cfg(test)]
mod tests;
