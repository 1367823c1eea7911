//! Lossless WebP whose codes take more memory than its pixels.

use super::super::{container, vp8l};
use super::*;

/// Bits, the lowest of each byte first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    count: usize,
}

impl Bits {
    fn put(&mut self, bits: u32, count: u32) {
        for at in 0..count {
            if self.count.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= ((bits >> at & 1) as u8) << (self.count % 8);
            self.count += 1;
        }
    }

    /// A code as it is read: its highest bit first.
    fn code(&mut self, code: u32, length: u32) {
        self.put(code.reverse_bits() >> (32 - length), length);
    }

    /// A code of one symbol.
    fn simple(&mut self, symbol: u32) {
        self.put(0b101, 3);
        self.put(symbol, 8);
    }

    /// A code of eleven symbols with lengths of up to ten bits: the largest table.
    fn long(&mut self) {
        self.put(0, 1);
        self.put(10, 4);
        for length in [0, 0, 0, 3, 3, 3, 3, 3, 0, 3, 4, 4, 4, 4] {
            self.put(length, 3);
        }
        self.put(1, 1);
        self.put(1, 3);
        self.put(9, 4);
        for code in 0..6 {
            self.code(code, 3);
        }
        for code in [0b1100, 0b1101, 0b1110, 0b1111, 0b1111] {
            self.code(code, 4);
        }
    }
}

/// A picture of one pixel, with so many groups of codes.
fn groups(count: u32) -> Vec<u8> {
    let mut bits = Bits::default();
    bits.put(0x2F, 8);
    bits.put(0, 14 + 14 + 1 + 3);
    // No transform, no colour cache, and a picture of one pixel that says which group: the last.
    bits.put(0b100, 3);
    bits.put(0, 3);
    bits.put(0, 1);
    for symbol in [(count - 1) & 0xFF, (count - 1) >> 8, 0, 0, 0] {
        bits.simple(symbol);
    }
    for _ in 0..count * 5 {
        bits.long();
    }
    bits.put(0, 32);
    bits.put(0, 32);
    bits.bytes
}

fn chunk(name: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut out = name.to_vec();
    out.extend((data.len() as u32).to_le_bytes());
    out.extend(data);
    out.extend(vec![0; data.len() % 2]);
    out
}

fn still(data: &[u8]) -> Vec<u8> {
    chunk(b"RIFF", &[b"WEBP".to_vec(), chunk(b"VP8L", data)].concat())
}

fn film(frames: &[&[u8]]) -> Vec<u8> {
    let mut out = b"WEBP".to_vec();
    out.extend(chunk(b"VP8X", &[0b10, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
    out.extend(chunk(b"ANIM", &[0; 6]));
    for data in frames {
        let head = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 50, 0, 0, 0];
        out.extend(chunk(b"ANMF", &[head.to_vec(), chunk(b"VP8L", data)].concat()));
    }
    chunk(b"RIFF", &out)
}

#[test]
fn codes_that_fill_the_memory_are_refused() {
    // What the decoder makes of it is counted to the byte, or a little more.
    let few = groups(300);
    let counted = vp8l::memory(&few, None, MAX_MEMORY).unwrap();
    assert!((300 * 5 * 4096..300 * 5 * 4096 * 5 / 4).contains(&counted), "{counted}");
    assert_eq!(probe(&still(&few)).unwrap().width, 1);
    assert!(probe(&film(&[&few, &few])).unwrap().animated);

    let bomb = groups(65_536);
    assert!(bomb.len() < 5 << 20, "{}", bomb.len());
    for file in [still(&bomb), film(&[&bomb]), film(&[&few, &bomb])] {
        let result = probe(&file);
        assert!(matches!(result, Err(ImageError::TooLarge(_))), "{result:?}");
    }
}

#[test]
fn what_encoders_write_is_read_to_the_pixels() {
    // Parts that have little in common get codes of their own.
    let mut rng = fastrand::Rng::with_seed(9);
    let parts = RgbImage::from_fn(900, 700, |x, y| match (x / 150 + y / 130 * 7) % 4 {
        0 => Rgb([rng.u8(0..20), rng.u8(..), 3]),
        1 => Rgb([(x * 3) as u8, (y * 2) as u8, (x ^ y) as u8]),
        2 => Rgb([rng.u8(100..104), 7, rng.u8(..)]),
        _ => Rgb([if rng.bool() { 0 } else { 255 }; 3]),
    });
    let alpha = RgbaImage::from_fn(300, 200, |x, y| Rgba([x as u8, y as u8, 7, (x * y / 90) as u8]));
    let few = RgbImage::from_fn(90, 60, |x, y| Rgb([(x / 30) as u8 * 80, (y / 30) as u8 * 90, 0]));
    let mut files = Vec::new();
    for picture in [DynamicImage::from(parts), alpha.into(), few.into()] {
        files.push(file(picture.clone(), ImageFormat::WebP));
        let pixels = picture.to_rgba8();
        let encoder = webp::Encoder::from_rgba(&pixels, pixels.width(), pixels.height());
        files.push(encoder.encode_lossless().to_vec());
        // Its alpha is packed in the same way.
        files.push(encoder.encode(60.0).to_vec());
    }
    let mut most = 0;
    for (index, file) in files.iter().enumerate() {
        let read = container::webp(file).unwrap();
        assert!(read.codes > 0 || contains(file, b"VP8 "), "{index}");
        most = most.max(read.codes);
        assert!(probe(file).is_ok(), "{index}");
    }
    assert!((200_000..8_000_000).contains(&most), "{most}");
}
