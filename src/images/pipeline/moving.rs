//! Animations that go on moving: each frame is shaped and encoded by itself, and put into one WebP (RFC 9649, 2.7), so that
//! no more than two frames are in memory. Of a frame only the part is written that differs from the one before.

use image::{DynamicImage, RgbaImage, imageops};

use super::decode::{Head, Moving, guarded, moving};
use super::room::Room;
use super::shape::Shape;
use super::{ImageError, encode};
use crate::images::variants::{Focus, Format, Size};

/// Browsers take a frame that is shown for less as one of a tenth of a second, which is how it was meant.
const SHORTEST: u32 = 20;

/// Makes a moving WebP of an animation; `None` of what does not move, or has no frame that can be read. It ends before the
/// first frame that is damaged.
pub(super) fn webp(bytes: &[u8], size: Size, focus: Focus, room: &Room) -> Result<Option<Vec<u8>>, ImageError> {
    let shape = |head: &Head| Shape::of(size, focus, head.stored, head.orientation);
    // The frame before, this one, and what of it is being encoded; and the file, which hardly takes more than a byte for
    // eight pixels.
    let beside = |head: &Head| {
        let pixels = shape(head).pixels();
        encode::memory(Format::Webp, pixels) + pixels * 8 + pixels * u64::from(head.frames) / 8
    };
    let opened = guarded(|| moving(bytes, room, beside))?;
    let Some(Moving {
        mut frames,
        loops,
        head,
        taken: _taken,
    }) = opened
    else {
        return Ok(None);
    };
    let shape = shape(&head);
    let mut film = Film::new(loops);
    for _ in 0..head.frames {
        let Ok(Some(frame)) = guarded(|| Ok(frames.next().transpose()?)) else {
            break;
        };
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        let shown_for = numerator.checked_div(denominator).unwrap_or_default();
        let picture = shape.apply(frame.into_buffer().into(), head.icc.as_deref())?;
        film.add(picture.into_rgba8(), if shown_for < SHORTEST { 100 } else { shown_for })?;
    }
    film.finish()
}

/// The file as it grows.
struct Film {
    loops: u16,
    /// The frames that are done, as chunks.
    chunks: Vec<u8>,
    /// The last picture shown, and the chunk that shows it with the time it is to be shown for.
    last: Option<(RgbaImage, Part)>,
    transparent: bool,
}

/// A part of the canvas that changes.
struct Part {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
    shown_for: u32,
    /// Its bitstream, as chunks.
    chunks: Vec<u8>,
}

impl Film {
    fn new(loops: u16) -> Self {
        Self {
            loops,
            chunks: Vec::new(),
            last: None,
            transparent: false,
        }
    }

    fn add(&mut self, picture: RgbaImage, shown_for: u32) -> Result<(), ImageError> {
        self.transparent |= picture.pixels().any(|pixel| pixel.0[3] < u8::MAX);
        let (left, top, width, height) = match &mut self.last {
            None => (0, 0, picture.width(), picture.height()),
            Some((before, part)) => match difference(before, &picture) {
                Some(area) => area,
                None => {
                    part.shown_for = part.shown_for.saturating_add(shown_for);
                    return Ok(());
                }
            },
        };
        let changed = imageops::crop_imm(&picture, left, top, width, height).to_image();
        let file = encode::webp(DynamicImage::from(changed))?;
        let part = Part {
            left,
            top,
            width,
            height,
            shown_for,
            chunks: bitstream(&file)?,
        };
        if let Some((_, done)) = self.last.replace((picture, part)) {
            self.write(&done)?;
        }
        Ok(())
    }

    fn write(&mut self, part: &Part) -> Result<(), ImageError> {
        let mut data = Vec::with_capacity(16 + part.chunks.len());
        for number in [
            part.left / 2,
            part.top / 2,
            part.width.saturating_sub(1),
            part.height.saturating_sub(1),
            part.shown_for.min((1 << 24) - 1),
        ] {
            data.extend(u24(number));
        }
        // It replaces what is below, and stays.
        data.push(0b10);
        data.extend(&part.chunks);
        chunk(*b"ANMF", &data, &mut self.chunks)
    }

    fn finish(mut self) -> Result<Option<Vec<u8>>, ImageError> {
        let Some((picture, part)) = self.last.take() else {
            return Ok(None);
        };
        self.write(&part)?;
        let mut file = b"WEBP".to_vec();
        let mut features = vec![0b10 | if self.transparent { 0b1_0000 } else { 0 }, 0, 0, 0];
        features.extend(u24(picture.width().saturating_sub(1)));
        features.extend(u24(picture.height().saturating_sub(1)));
        chunk(*b"VP8X", &features, &mut file)?;
        let mut animation = vec![0; 4];
        animation.extend(self.loops.to_le_bytes());
        chunk(*b"ANIM", &animation, &mut file)?;
        file.extend(&self.chunks);
        let mut out = Vec::with_capacity(file.len() + 8);
        chunk(*b"RIFF", &file, &mut out)?;
        Ok(Some(out))
    }
}

/// The smallest area, at an even place, that holds all pixels that differ; `None` if none does.
fn difference(before: &RgbaImage, after: &RgbaImage) -> Option<(u32, u32, u32, u32)> {
    let (mut left, mut top, mut right, mut bottom) = (u32::MAX, u32::MAX, 0, 0);
    for ((x, y, pixel), old) in after.enumerate_pixels().zip(before.pixels()) {
        if pixel != old {
            (left, top) = (left.min(x), top.min(y));
            (right, bottom) = (right.max(x), bottom.max(y));
        }
    }
    if left == u32::MAX {
        return None;
    }
    let (left, top) = (left & !1, top & !1);
    Some((left, top, right - left + 1, bottom - top + 1))
}

/// The chunks of a still WebP that an animation's frame has as well.
fn bitstream(file: &[u8]) -> Result<Vec<u8>, ImageError> {
    let mut out = Vec::with_capacity(file.len());
    let mut rest = file.get(12..).unwrap_or_default();
    while let Some((head, after)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, length @ ..] = *head;
        let length = u32::from_le_bytes(length) as usize;
        let data = after
            .get(..length)
            .ok_or_else(|| ImageError::Encode("a frame is cut off".into()))?;
        if matches!(&[a, b, c, d], b"ALPH" | b"VP8 " | b"VP8L") {
            chunk([a, b, c, d], data, &mut out)?;
        }
        rest = after.get(length + length % 2..).unwrap_or_default();
    }
    Ok(out)
}

fn chunk(name: [u8; 4], data: &[u8], out: &mut Vec<u8>) -> Result<(), ImageError> {
    let length = u32::try_from(data.len()).map_err(super::encode_error)?;
    out.extend(name);
    out.extend(length.to_le_bytes());
    out.extend(data);
    if data.len() % 2 == 1 {
        out.push(0);
    }
    Ok(())
}

fn u24(number: u32) -> [u8; 3] {
    let [low, middle, high, _] = number.to_le_bytes();
    [low, middle, high]
}
