//! From bytes to pixels, within limits.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::{gif::GifDecoder, jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder};
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageFormat, Limits, RgbImage};

use super::{ImageError, MAX_MEMORY, MAX_SIDE, check_size, container};

/// What a PNG may unpack beside its pixels: a colour profile, text.
const MAX_PNG_EXTRAS: u64 = 32 << 20;

/// A picture as it lies in the file, with what says how to show it.
pub(super) struct Decoded {
    /// The pixels as stored: not turned, in the file's own colours.
    pub pixels: DynamicImage,
    /// How to turn them.
    pub orientation: Orientation,
    /// The colour profile, as it stands in the file.
    pub icc: Option<Vec<u8>>,
    /// The type, by content.
    pub media_type: &'static str,
    /// Whether there is more than one frame; `pixels` is the first.
    pub animated: bool,
}

impl Decoded {
    /// Whether showing the picture exchanges its width and height.
    pub fn lies_on_its_side(&self) -> bool {
        // Exif 2.3, 4.6.4: the values from 5 on exchange rows and columns.
        self.orientation.to_exif() >= 5
    }
}

/// Decodes a JPEG, PNG, WebP or GIF; of an animation the first frame.
///
/// Everything is checked first that can be: size, frames, scans, memory, and that the file is whole. A
/// panic in a decoder, which is code of others at work on hostile bytes, means a broken file.
pub(super) fn decode(bytes: &[u8]) -> Result<Decoded, ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Broken("the file is empty".into()));
    }
    let Ok(format) = image::guess_format(bytes) else {
        return Err(ImageError::NotAnImage);
    };
    catch_unwind(AssertUnwindSafe(|| decode_as(format, bytes)))
        .unwrap_or_else(|_panic| Err(ImageError::Broken("the decoder failed".into())))
}

fn decode_as(format: ImageFormat, bytes: &[u8]) -> Result<Decoded, ImageError> {
    let file = Cursor::new(bytes);
    match format {
        ImageFormat::Jpeg => {
            let layout = container::jpeg(bytes)?;
            let decoder = JpegDecoder::new(file)?;
            if layout.separate {
                return finish_by(decoder, layout.working, false, "image/jpeg", |_| separate_scans(bytes));
            }
            finish(decoder, layout.working, false, "image/jpeg")
        }
        ImageFormat::Png => {
            container::png(bytes)?;
            let decoder = PngDecoder::with_limits(file, limits(MAX_PNG_EXTRAS))?;
            let animated = decoder.is_apng()?;
            finish(decoder, 0, animated, "image/png")
        }
        ImageFormat::WebP => {
            let (frames, file) = container::webp(bytes)?;
            let decoder = WebPDecoder::new(Cursor::new(file))?;
            let animated = decoder.has_animation();
            let (width, height) = decoder.dimensions();
            // Opaque: a copy with alpha. Transparent: planes, and alpha on its way. Animated: a canvas too.
            let per_pixel = match (animated, decoder.color_type().has_alpha()) {
                (true, _) => 11,
                (false, true) => 7,
                (false, false) => 4,
            };
            finish(
                decoder,
                check_size(width, height)? * per_pixel,
                animated && frames > 1,
                "image/webp",
            )
        }
        ImageFormat::Gif => {
            let frames = container::gif(bytes)?;
            let decoder = GifDecoder::new(file)?;
            let (width, height) = decoder.dimensions();
            // A frame that does not fill the screen is decoded beside it.
            finish(decoder, check_size(width, height)? * 4, frames > 1, "image/gif")
        }
        _ => Err(ImageError::NotAnImage),
    }
}

fn finish(
    decoder: impl ImageDecoder,
    working: u64,
    animated: bool,
    media_type: &'static str,
) -> Result<Decoded, ImageError> {
    finish_by(decoder, working, animated, media_type, |decoder| {
        Ok(DynamicImage::from_decoder(decoder)?)
    })
}

/// Reads what stands beside the pixels, and these by `read` if all is within the limits.
fn finish_by<D: ImageDecoder>(
    mut decoder: D,
    working: u64,
    animated: bool,
    media_type: &'static str,
    read: impl FnOnce(D) -> Result<DynamicImage, ImageError>,
) -> Result<Decoded, ImageError> {
    let (width, height) = decoder.dimensions();
    check_size(width, height)?;
    if decoder.total_bytes().saturating_add(working) > MAX_MEMORY {
        return Err(ImageError::TooLarge("the picture takes too much memory to decode"));
    }
    let icc = decoder.icc_profile()?;
    let orientation = decoder.orientation()?;
    decoder.set_limits(limits(MAX_MEMORY))?;
    let pixels = read(decoder)?;
    Ok(Decoded {
        pixels,
        orientation,
        icc,
        media_type,
        animated,
    })
}

/// Decodes a JPEG whose components come in scans of their own. It is legal and rare, and zune-jpeg, fast
/// with all others, gives wrong colours for it without an error (zune-image 422 and 448).
fn separate_scans(bytes: &[u8]) -> Result<DynamicImage, ImageError> {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    let samples = decoder
        .decode()
        .map_err(|error| ImageError::Broken(error.to_string()))?;
    let picture = decoder.info().and_then(|info| {
        let (width, height) = (u32::from(info.width), u32::from(info.height));
        match info.pixel_format {
            jpeg_decoder::PixelFormat::L8 => GrayImage::from_raw(width, height, samples).map(DynamicImage::from),
            jpeg_decoder::PixelFormat::RGB24 => RgbImage::from_raw(width, height, samples).map(DynamicImage::from),
            _ => None,
        }
    });
    picture.ok_or_else(|| ImageError::Broken("the kind of JPEG is not supported".into()))
}

fn limits(memory: u64) -> Limits {
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(memory);
    limits
}
