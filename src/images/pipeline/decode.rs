//! From bytes to pixels, within limits.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::{gif::GifDecoder, jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder};
use image::metadata::{LoopCount, Orientation};
use image::{AnimationDecoder, DynamicImage, Frames, GrayImage, ImageDecoder, ImageFormat, Limits, RgbImage};

use super::room::{Room, Taken};
use super::{ImageError, MAX_MEMORY, MAX_SIDE, check_size, container};

/// What a PNG may unpack beside its pixels: a colour profile, text.
const MAX_PNG_EXTRAS: u64 = 32 << 20;

/// What a file says of its picture, before its pixels are read.
#[derive(Debug, Clone)]
pub(super) struct Head {
    /// Width and height as stored.
    pub stored: (u32, u32),
    /// How to turn it.
    pub orientation: Orientation,
    /// The colour profile, as it stands in the file.
    pub icc: Option<Vec<u8>>,
    /// The type, by content.
    pub media_type: &'static str,
    /// How many frames an animation has that could be kept moving; 1 for all else.
    pub frames: u32,
    /// Whether there is more than one picture in it.
    pub animated: bool,
}

/// A picture as it lies in the file.
pub(super) struct Decoded {
    /// The pixels as stored: not turned, in the file's own colours. Smaller where that was asked for; of an animation the
    /// first frame.
    pub pixels: DynamicImage,
    /// What the file says of it.
    pub head: Head,
    /// The memory that the pixels take, and what is to be made of them.
    pub taken: Taken,
}

/// What is to become of a picture.
pub(super) struct Plan {
    /// How many stored pixels may become one; the pixels are then at least that many, and fewer than all where the format
    /// makes it cheap.
    pub reduction: f64,
    /// Bytes that are needed beside the pixels, once they are there.
    pub beside: u64,
    /// Bytes that are needed later, when the pixels are gone.
    pub later: u64,
}

/// Decodes a JPEG, PNG, WebP or GIF, for what is planned.
///
/// Everything is checked first that can be: size, frames, scans, memory, and that the file is whole. A panic in a decoder,
/// which is code of others at work on hostile bytes, means a broken file.
pub(super) fn decode(bytes: &[u8], room: &Room, plan: impl FnOnce(&Head) -> Plan) -> Result<Decoded, ImageError> {
    let format = kind(bytes)?;
    guarded(|| decode_as(format, bytes, room, plan))
}

/// A picture that moves, frame by frame: each is whole, and as large as the picture.
pub(super) struct Moving<'a> {
    pub frames: Frames<'a>,
    /// How often it is shown; 0 for ever.
    pub loops: u16,
    pub head: Head,
    pub taken: Taken,
}

/// Opens an animation; `None` for what is none, or shall not move. `beside` is what is needed beside its frames, in bytes.
pub(super) fn moving<'a>(
    bytes: &'a [u8],
    room: &Room,
    beside: impl FnOnce(&Head) -> u64,
) -> Result<Option<Moving<'a>>, ImageError> {
    match kind(bytes)? {
        ImageFormat::WebP => {
            let webp = container::webp(bytes)?;
            let layout = Layout::of(&webp);
            let decoder = WebPDecoder::new(Cursor::new(webp.file))?;
            if !decoder.has_animation() {
                return Ok(None);
            }
            opened(decoder, "image/webp", layout, bytes.len(), room, beside)
        }
        ImageFormat::Gif => {
            let layout = Layout::from(container::gif(bytes)?);
            opened(
                GifDecoder::new(Cursor::new(bytes))?,
                "image/gif",
                layout,
                bytes.len(),
                room,
                beside,
            )
        }
        _ => Ok(None),
    }
}

fn opened<'a>(
    mut decoder: impl ImageDecoder + AnimationDecoder<'a>,
    media_type: &'static str,
    layout: Layout,
    file: usize,
    room: &Room,
    beside: impl FnOnce(&Head) -> u64,
) -> Result<Option<Moving<'a>>, ImageError> {
    let head = head(&mut decoder, media_type, true, layout)?;
    if head.frames < 2 {
        return Ok(None);
    }
    decoder.set_limits(limits(MAX_MEMORY))?;
    let loops = match decoder.loop_count() {
        LoopCount::Infinite => 0,
        LoopCount::Finite(times) => u16::try_from(times.get()).unwrap_or(u16::MAX),
    };
    let taken = room.take(moving_memory(head.stored, layout) + beside(&head) + file as u64);
    Ok(Some(Moving {
        frames: decoder.into_frames(),
        loops,
        head,
        taken,
    }))
}

/// The canvas, what is put together on it, the frame before, and the frame itself, with what unpacks it.
fn moving_memory(stored: (u32, u32), layout: Layout) -> u64 {
    let canvas = u64::from(stored.0) * u64::from(stored.1);
    canvas * 12 + layout.largest.max(canvas) * 4 + layout.codes
}

/// Runs a decoder of others.
pub(super) fn guarded<T>(work: impl FnOnce() -> Result<T, ImageError>) -> Result<T, ImageError> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_panic| Err(ImageError::Broken("the decoder failed".into())))
}

fn kind(bytes: &[u8]) -> Result<ImageFormat, ImageError> {
    if bytes.is_empty() {
        return Err(ImageError::Broken("the file is empty".into()));
    }
    image::guess_format(bytes).map_err(|_unknown| ImageError::NotAnImage)
}

fn decode_as(
    format: ImageFormat,
    bytes: &[u8],
    room: &Room,
    plan: impl FnOnce(&Head) -> Plan,
) -> Result<Decoded, ImageError> {
    let file = Cursor::new(bytes);
    let still = Layout::STILL;
    match format {
        ImageFormat::Jpeg => {
            let layout = container::jpeg(bytes)?;
            let mut decoder = JpegDecoder::new(file)?;
            let head = head(&mut decoder, "image/jpeg", false, still)?;
            let plan = plan(&head);
            let taken = take(&mut decoder, layout.working, bytes.len(), &plan, room)?;
            let smaller = if plan.reduction >= 2.0 && layout.plain {
                scaled(bytes, head.stored, plan.reduction)
            } else {
                None
            };
            let pixels = match smaller {
                Some(pixels) => pixels,
                None if layout.separate => jpeg_pixels(&mut jpeg_decoder::Decoder::new(bytes))?,
                None => DynamicImage::from_decoder(decoder)?,
            };
            Ok(Decoded { pixels, head, taken })
        }
        ImageFormat::Png => {
            container::png(bytes)?;
            let mut decoder = PngDecoder::with_limits(file, limits(MAX_PNG_EXTRAS))?;
            let animated = decoder.is_apng()?;
            let head = head(&mut decoder, "image/png", animated, still)?;
            finish(decoder, head, 0, bytes.len(), plan, room)
        }
        ImageFormat::WebP => {
            let webp = container::webp(bytes)?;
            let layout = Layout::of(&webp);
            let mut decoder = WebPDecoder::new(Cursor::new(webp.file))?;
            let animated = decoder.has_animation();
            let (width, height) = decoder.dimensions();
            // Opaque: a copy with alpha. Transparent: planes, and alpha on its way. Animated: a canvas too.
            let per_pixel = match (animated, decoder.color_type().has_alpha()) {
                (true, _) => 11,
                (false, true) => 7,
                (false, false) => 4,
            };
            let working = check_size(width, height)?.max(layout.largest) * per_pixel + layout.codes;
            let head = head(&mut decoder, "image/webp", animated && layout.frames > 1, layout)?;
            finish(decoder, head, working, bytes.len(), plan, room)
        }
        ImageFormat::Gif => {
            let layout = Layout::from(container::gif(bytes)?);
            let mut decoder = GifDecoder::new(file)?;
            // A frame that does not fill the screen is decoded beside it.
            let working = layout.largest * 4;
            let head = head(&mut decoder, "image/gif", layout.frames > 1, layout)?;
            finish(decoder, head, working, bytes.len(), plan, room)
        }
        _ => Err(ImageError::NotAnImage),
    }
}

/// What is known of an animation before it is decoded.
#[derive(Clone, Copy)]
struct Layout {
    frames: u32,
    /// Pixels of its largest frame.
    largest: u64,
    /// Bytes for what unpacks it.
    codes: u64,
}

impl Layout {
    const STILL: Self = Self {
        frames: 1,
        largest: 0,
        codes: 0,
    };

    fn of(webp: &container::Webp<'_>) -> Self {
        Self {
            frames: webp.frames,
            largest: webp.largest,
            codes: webp.codes,
        }
    }
}

impl From<container::Gif> for Layout {
    fn from(gif: container::Gif) -> Self {
        Self {
            frames: gif.frames,
            largest: gif.largest,
            codes: 0,
        }
    }
}

fn finish(
    mut decoder: impl ImageDecoder,
    head: Head,
    working: u64,
    file: usize,
    plan: impl FnOnce(&Head) -> Plan,
    room: &Room,
) -> Result<Decoded, ImageError> {
    let plan = plan(&head);
    let taken = take(&mut decoder, working, file, &plan, room)?;
    let pixels = DynamicImage::from_decoder(decoder)?;
    Ok(Decoded { pixels, head, taken })
}

/// Reads what stands beside the pixels.
fn head(
    decoder: &mut impl ImageDecoder,
    media_type: &'static str,
    animated: bool,
    layout: Layout,
) -> Result<Head, ImageError> {
    let stored = decoder.dimensions();
    let pixels = check_size(stored.0, stored.1)?.max(layout.largest);
    // What would take too long, or too much memory, stands still.
    let moves = pixels * u64::from(layout.frames) <= super::MAX_MOVING && moving_memory(stored, layout) <= MAX_MEMORY;
    Ok(Head {
        stored,
        icc: decoder.icc_profile()?,
        orientation: decoder.orientation()?,
        media_type,
        animated,
        frames: if animated && moves { layout.frames.max(1) } else { 1 },
    })
}

/// Takes the memory that decoding needs, and what is planned, with the file; or refuses what needs too much to decode.
fn take(
    decoder: &mut impl ImageDecoder,
    working: u64,
    file: usize,
    plan: &Plan,
    room: &Room,
) -> Result<Taken, ImageError> {
    let pixels = decoder.total_bytes();
    let needed = pixels.saturating_add(working);
    if needed > MAX_MEMORY {
        return Err(ImageError::TooLarge("the picture takes too much memory to decode"));
    }
    decoder.set_limits(limits(MAX_MEMORY))?;
    Ok(room.take(needed.max(pixels + plan.beside).max(plan.later) + file as u64))
}

/// Decodes a JPEG at a half, a quarter or an eighth of its size, leaving out what the smaller picture could not show.
/// `None` where that does not work; the usual way then says what is wrong.
fn scaled(bytes: &[u8], stored: (u32, u32), reduction: f64) -> Option<DynamicImage> {
    let wanted = |length: u32| u16::try_from((f64::from(length) / reduction).ceil() as u32).ok();
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    decoder.set_max_decoding_buffer_size(usize::try_from(MAX_MEMORY).ok()?);
    decoder.scale(wanted(stored.0)?, wanted(stored.1)?).ok()?;
    jpeg_pixels(&mut decoder).ok()
}

/// Decodes with jpeg-decoder, which can also do what zune-jpeg, fast with all others, cannot: a JPEG whose components come
/// in scans of their own. It is legal and rare, and zune-jpeg gives wrong colours for it without an error (zune-image 422
/// and 448).
fn jpeg_pixels(decoder: &mut jpeg_decoder::Decoder<&[u8]>) -> Result<DynamicImage, ImageError> {
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
