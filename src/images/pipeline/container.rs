//! What a file says of itself, read before any decoder runs: whether it is whole, how many frames and
//! scans it has, and how large its inner pictures are.
//!
//! Decoders are forgiving where an upload must not be (a JPEG cut in half decodes to a half-grey
//! picture) and trusting where they should not be (a small WebP whose inner frame claims 16,383 pixels a
//! side has its buffers made before anything is compared). Every walk here is linear and keeps nothing.

use super::{ImageError, MAX_MEMORY, check_size, vp8l};

/// Frames of an animation. Only the first is decoded, but a file with more is no picture for an article.
const MAX_FRAMES: u32 = 2_000;

/// Scans of a JPEG. Encoders write about ten; each costs a pass over the whole picture, however few
/// bytes it takes in the file.
const MAX_SCANS: u32 = 40;

/// Bytes read from the front; each step fails where the file ends.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ImageError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ImageError> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, ImageError> {
        self.array::<1>().map(|[byte]| byte)
    }

    fn u16_le(&mut self) -> Result<u32, ImageError> {
        self.array().map(|bytes| u32::from(u16::from_le_bytes(bytes)))
    }

    fn u24_le(&mut self) -> Result<u32, ImageError> {
        self.array()
            .map(|[low, middle, high]| u32::from_le_bytes([low, middle, high, 0]))
    }

    fn u16_be(&mut self) -> Result<u32, ImageError> {
        self.array().map(|bytes| u32::from(u16::from_be_bytes(bytes)))
    }

    /// Skips to just behind the next `0xFF`.
    fn after_ff(&mut self) -> Result<(), ImageError> {
        let at = self.rest.iter().position(|byte| *byte == 0xFF).ok_or_else(cut_off)?;
        self.take(at + 1).map(drop)
    }
}

fn cut_off() -> ImageError {
    ImageError::Broken("the file ends too early".into())
}

/// Checks the size that a PNG names in its header (PNG, third edition, 11.2.1).
pub(super) fn png(bytes: &[u8]) -> Result<(), ImageError> {
    let mut reader = Reader { rest: bytes };
    // The signature, and the length and name of the first chunk.
    reader.take(16)?;
    let (width, height) = (u32::from_be_bytes(reader.array()?), u32::from_be_bytes(reader.array()?));
    check_size(width, height).map(drop)
}

/// How a JPEG is laid out.
pub(super) struct Jpeg {
    /// Bytes that a decoder takes beside its output.
    pub working: u64,
    /// Whether the components come one after the other, though not progressively.
    pub separate: bool,
    /// Whether it is a grey or colour picture of 8 bits, as nearly all are.
    pub plain: bool,
}

/// Walks the segments of a JPEG (ITU T.81, annex B) to its end marker.
pub(super) fn jpeg(bytes: &[u8]) -> Result<Jpeg, ImageError> {
    let mut reader = Reader { rest: bytes };
    reader.take(2)?;
    let (mut scans, mut samples) = (0_u32, 0_u64);
    let (mut progressive, mut plain) = (false, true);
    loop {
        reader.after_ff()?;
        let mut marker = reader.byte()?;
        while marker == 0xFF {
            marker = reader.byte()?;
        }
        match marker {
            0xD9 if scans > 0 => break,
            // A stuffed byte, a restart, or a marker without a length.
            0x00 | 0x01 | 0xD0..=0xD9 => continue,
            _ => {}
        }
        let length = reader.u16_be()?.checked_sub(2).ok_or_else(cut_off)?;
        let mut segment = Reader {
            rest: reader.take(length as usize)?,
        };
        match marker {
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                let bits = segment.byte()?;
                let (height, width) = (segment.u16_be()?, segment.u16_be()?);
                let components = segment.byte()?;
                plain &= bits == 8 && matches!(components, 1 | 3) && marker <= 0xC2;
                let pixels = check_size(width, height)?;
                // Subsampled components have fewer.
                samples = samples.max(pixels * u64::from(components));
                progressive |= marker == 0xC2;
            }
            0xDA => {
                scans += 1;
                if scans > MAX_SCANS {
                    return Err(ImageError::TooLarge("the JPEG has too many scans"));
                }
            }
            _ => {}
        }
    }
    let separate = !progressive && scans > 1;
    // Coefficients have two bytes and are held where they come in several scans, once with the samples.
    let working = samples
        * if progressive {
            2
        } else if separate {
            3
        } else {
            0
        };
    Ok(Jpeg {
        working,
        separate,
        plain,
    })
}

/// How a GIF is laid out.
pub(super) struct Gif {
    /// How many frames it has.
    pub frames: u32,
    /// Pixels of the screen, or of a frame that is larger: it may be, and is decoded whole.
    pub largest: u64,
}

/// Walks the blocks of a GIF (version 89a, appendix B). A missing trailer is forgiven, as everywhere; a block cut off is
/// not.
pub(super) fn gif(bytes: &[u8]) -> Result<Gif, ImageError> {
    let mut reader = Reader { rest: bytes };
    reader.take(6)?;
    let (width, height) = (reader.u16_le()?, reader.u16_le()?);
    let mut largest = check_size(width, height)?;
    let [flags, _, _] = reader.array()?;
    colour_table(&mut reader, flags)?;
    let mut frames = 0;
    while !reader.rest.is_empty() {
        match reader.byte()? {
            0x3B => break,
            0x21 => {
                reader.byte()?;
            }
            0x2C => {
                frames += 1;
                if frames > MAX_FRAMES {
                    return Err(ImageError::TooLarge("the animation has too many frames"));
                }
                reader.take(4)?;
                let (width, height) = (reader.u16_le()?, reader.u16_le()?);
                largest = largest.max(check_size(width, height)?);
                let flags = reader.byte()?;
                colour_table(&mut reader, flags)?;
                // The size of the first code.
                reader.byte()?;
            }
            _ => return Err(ImageError::Broken("the GIF has an unknown block".into())),
        }
        // The data of either block, in pieces of at most 255 bytes, up to an empty one.
        loop {
            let length = reader.byte()?;
            if length == 0 {
                break;
            }
            reader.take(usize::from(length))?;
        }
    }
    Ok(Gif { frames, largest })
}

fn colour_table(reader: &mut Reader<'_>, flags: u8) -> Result<(), ImageError> {
    if flags & 0x80 != 0 {
        reader.take(3 << ((flags & 7) + 1))?;
    }
    Ok(())
}

/// How a WebP is laid out.
pub(super) struct Webp<'a> {
    /// The file without what lies behind its end: a decoder that looks further than this walk would meet unchecked sizes.
    pub file: &'a [u8],
    /// How many frames it has, up to the first that is damaged; 0 for a still.
    pub frames: u32,
    /// Pixels of the largest bitstream, which a decoder may unpack before it compares it with the picture.
    pub largest: u64,
    /// Bytes that a decoder takes for the codes of a lossless bitstream, beside pixels.
    pub codes: u64,
}

/// Walks the chunks of a WebP (RFC 9649, section 2).
pub(super) fn webp(bytes: &[u8]) -> Result<Webp<'_>, ImageError> {
    let mut reader = Reader { rest: bytes };
    reader.take(4)?;
    let length = u32::from_le_bytes(reader.array()?) as usize;
    let mut chunks = Reader {
        rest: reader.take(length)?,
    };
    chunks.take(4)?;
    let (file, _behind) = bytes.split_at_checked(length + 8).ok_or_else(cut_off)?;
    let mut webp = Webp {
        file,
        frames: 0,
        largest: 0,
        codes: 0,
    };
    // Of the canvas, and of an alpha channel without frames.
    let mut canvas = (1, 1);
    let mut whole = true;
    while !chunks.rest.is_empty() {
        let (name, mut data) = chunk(&mut chunks)?;
        match &name {
            b"VP8X" => {
                data.take(4)?;
                canvas = (data.u24_le()? + 1, data.u24_le()? + 1);
                check_size(canvas.0, canvas.1)?;
            }
            b"ANMF" => {
                if webp.frames == MAX_FRAMES {
                    return Err(ImageError::TooLarge("the animation has too many frames"));
                }
                data.take(6)?;
                let size = (data.u24_le()? + 1, data.u24_le()? + 1);
                data.take(4)?;
                while !data.rest.is_empty() {
                    let (name, inner) = chunk(&mut data)?;
                    // A film ends where it is damaged.
                    whole &= webp.bitstream(&name, inner, size)?;
                }
                if !whole && webp.frames == 0 {
                    return Err(damaged());
                }
                webp.frames += u32::from(whole);
            }
            _ if !webp.bitstream(&name, data, canvas)? => return Err(damaged()),
            _ => {}
        }
    }
    Ok(webp)
}

impl Webp<'_> {
    /// Counts what a bitstream takes that is part of a frame of that size; false where it is damaged.
    fn bitstream(&mut self, name: &[u8; 4], mut data: Reader<'_>, size: (u32, u32)) -> Result<bool, ImageError> {
        let codes = match name {
            // The size that it claims for itself (RFC 6386, 9.1).
            b"VP8 " => {
                data.take(6)?;
                let (width, height) = (data.u16_le()? & 0x3FFF, data.u16_le()? & 0x3FFF);
                self.largest = self.largest.max(check_size(width, height)?);
                Some(0)
            }
            b"VP8L" => vp8l::memory(data.rest, None, MAX_MEMORY),
            // Only the lower bits say whether it is packed.
            b"ALPH" if data.byte()? & 0b11 == 1 => vp8l::memory(data.rest, Some(size), MAX_MEMORY),
            _ => Some(0),
        };
        self.codes = self.codes.max(codes.unwrap_or(0));
        Ok(codes.is_some())
    }
}

fn damaged() -> ImageError {
    ImageError::Broken("the codes of the WebP are damaged".into())
}

fn chunk<'a>(reader: &mut Reader<'a>) -> Result<([u8; 4], Reader<'a>), ImageError> {
    let name = reader.array()?;
    let length = u32::from_le_bytes(reader.array()?) as usize;
    let data = reader.take(length)?;
    // Chunks stand at even places; the padding of the last one is often left out.
    if length % 2 == 1 && !reader.rest.is_empty() {
        reader.take(1)?;
    }
    Ok((name, Reader { rest: data }))
}
