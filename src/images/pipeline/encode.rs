//! From pixels to files, without a byte that is not the picture's.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{DynamicImage, ImageEncoder};
use jpeg_encoder::{ColorType as JpegColor, Encoder as JpegEncoder};
use ravif::{BitDepth, Img, RGB8, RGBA8};
use webp::WebPConfig;

use super::{ImageError, color, encode_error, is_transparent};
use crate::images::variants::Format;

const WEBP_QUALITY: f32 = 80.0;
/// The most pixels of a WebP that takes its time: `w640` of a photograph that is held upright.
const WEBP_CAREFUL: u64 = 640 * 960;
/// The most pixels of a WebP that takes some time: `w960` of a square picture.
const WEBP_USUAL: u64 = 960 * 960;
const JPEG_QUALITY: u8 = 82;
/// About what WebP at 80 looks like, in fewer bytes.
const AVIF_QUALITY: f32 = 60.0;
/// Of 1 (best) to 10: the slower ones take several times as long for a tenth of the bytes.
const AVIF_SPEED: u8 = 9;

/// Bytes that writing a picture of so many pixels takes, the picture itself included. Measured for a pixel: JPEG 3 to 7, PNG
/// 4 to 6, WebP 8, with alpha 24, AVIF 25 to 29.
pub(super) fn memory(format: Format, pixels: u64) -> u64 {
    pixels
        * match format {
            Format::Webp => 24,
            Format::Avif => 40,
            Format::Jpeg | Format::Png => 10,
        }
}

/// Writes an 8-bit sRGB picture.
pub(super) fn encode(picture: DynamicImage, format: Format) -> Result<Vec<u8>, ImageError> {
    let transparent = is_transparent(&picture);
    let (width, height) = (picture.width(), picture.height());
    match format {
        Format::Webp => webp(picture),
        Format::Avif => avif(picture),
        Format::Jpeg if transparent => jpeg(&color::on_white(&picture.into_rgba8()), JpegColor::Rgb, width, height),
        Format::Jpeg if picture.color().has_color() => jpeg(&picture.into_rgb8(), JpegColor::Rgb, width, height),
        Format::Jpeg => jpeg(&picture.into_luma8(), JpegColor::Luma, width, height),
        Format::Png => png(&match (transparent, picture.color().has_color()) {
            (true, _) => picture,
            (false, true) => picture.into_rgb8().into(),
            (false, false) => picture.into_luma8().into(),
        }),
    }
}

/// Writes a WebP, with alpha where some of it is not opaque.
pub(super) fn webp(picture: DynamicImage) -> Result<Vec<u8>, ImageError> {
    let (width, height) = (picture.width(), picture.height());
    let mut config = WebPConfig::new().map_err(|()| ImageError::Encode("libwebp has another version".into()))?;
    (config.method, config.quality) = webp_effort(u64::from(width) * u64::from(height));
    let file = if is_transparent(&picture) {
        let pixels = picture.into_rgba8();
        webp::Encoder::from_rgba(&pixels, width, height).encode_advanced(&config)
    } else {
        let pixels = picture.into_rgb8();
        webp::Encoder::from_rgb(&pixels, width, height).encode_advanced(&config)
    };
    file.map(|file| file.to_vec())
        .map_err(|error| ImageError::Encode(format!("{error:?}")))
}

/// How hard libwebp tries, of 0 to 6, and for what quality. 4 is its own choice; 2 takes less than half the time, for 4 % more
/// bytes (8 % at the same likeness, SSIM), so that the first readers of large variants wait no longer than those of small ones.
/// 0 takes half the time of 2; it comes nearer to the picture than 2 at the same quality, so that 77 is about as like it (SSIM
/// within 0.0013) in 3 to 7 % more bytes.
fn webp_effort(pixels: u64) -> (i32, f32) {
    if pixels <= WEBP_CAREFUL {
        (4, WEBP_QUALITY)
    } else if pixels <= WEBP_USUAL {
        (2, WEBP_QUALITY)
    } else {
        (0, WEBP_QUALITY - 3.0)
    }
}

fn avif(picture: DynamicImage) -> Result<Vec<u8>, ImageError> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let encoder = ravif::Encoder::new()
        .with_quality(AVIF_QUALITY)
        .with_alpha_quality(AVIF_QUALITY)
        .with_speed(AVIF_SPEED)
        .with_bit_depth(BitDepth::Eight)
        .with_num_threads(Some(1));
    let file = if is_transparent(&picture) {
        let pixels: Vec<RGBA8> = picture.into_rgba8().pixels().map(|pixel| pixel.0.into()).collect();
        encoder.encode_rgba(Img::new(pixels.as_slice(), width, height))
    } else {
        let pixels: Vec<RGB8> = picture.into_rgb8().pixels().map(|pixel| pixel.0.into()).collect();
        encoder.encode_rgb(Img::new(pixels.as_slice(), width, height))
    };
    file.map(|file| file.avif_file).map_err(encode_error)
}

fn jpeg(pixels: &[u8], color: JpegColor, width: u32, height: u32) -> Result<Vec<u8>, ImageError> {
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

fn png(picture: &DynamicImage) -> Result<Vec<u8>, ImageError> {
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
