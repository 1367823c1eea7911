//! Files that mean no good, or are damaged.

use std::time::{Duration, Instant};

use super::*;

#[test]
fn what_is_no_picture_is_refused() {
    let files: [&[u8]; 8] = [
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>",
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0",
        b"II*\0\x08\0\0\0",
        b"\0\0\0\x1cftypavif\0\0\0\0avifmif1",
        b"\0",
        b"GIF",
    ];
    for bytes in files {
        assert!(matches!(probe(bytes), Err(ImageError::NotAnImage)), "{bytes:?}");
    }
    assert!(matches!(probe(b""), Err(ImageError::Broken(_))));
}

#[test]
fn sizes_beyond_the_limits_are_refused_without_decoding() {
    let mut jpeg = file(scene(8, 8), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0xDC, 0xFF, 0xDC]);
    let mut screen = gif(1);
    screen[6..10].fill(0xFF);
    // A lossy picture that claims 16,383 × 16,383 in a frame of 8 × 8.
    let lossy = webp::Encoder::from_rgb(&[0; 192], 8, 8).encode(80.0).to_vec();
    let mut inner = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\x07\0\0\x07\0\0".to_vec();
    inner.extend(&lossy[12..]);
    let length = inner.len() as u32 - 8;
    inner[4..8].copy_from_slice(&length.to_le_bytes());
    assert_eq!(probe(&inner).unwrap().width, 8);
    inner[44..48].copy_from_slice(&[0xFF, 0x3F, 0xFF, 0x3F]);
    // The same behind the end that the file names for itself, where there is no picture for a decoder.
    let mut behind = inner.clone();
    behind[4..8].copy_from_slice(&22_u32.to_le_bytes());
    assert!(matches!(probe(&behind), Err(ImageError::Broken(_))));

    let start = Instant::now();
    let files = [
        png_header(30_000, 30_000),
        png_header(12_001, 1),
        png_header(8_000, 8_000),
        png_header(0x7FFF_FFFF, 0x7FFF_FFFF),
        jpeg,
        screen,
        inner,
    ];
    for (index, bytes) in files.iter().enumerate() {
        let result = probe(bytes);
        assert!(matches!(result, Err(ImageError::TooLarge(_))), "{index}: {result:?}");
    }
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_picture_without_pixels_is_broken() {
    let mut screen = gif(1);
    screen[6..8].fill(0);
    let mut jpeg = file(scene(8, 8), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|pair| pair == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 7].fill(0);
    let mut lossy = webp::Encoder::from_rgb(&[0; 192], 8, 8).encode(80.0).to_vec();
    lossy[26..28].fill(0);
    for bytes in [png_header(0, 5), screen, jpeg, lossy] {
        assert!(matches!(probe(&bytes), Err(ImageError::Broken(_))));
    }
}

#[test]
fn endless_frames_and_scans_are_refused() {
    let one = gif(1);
    let frame = one.windows(2).position(|pair| pair == [0x21, 0xF9]).unwrap();
    let mut many = one[..frame].to_vec();
    for _ in 0..10_000 {
        many.extend(&one[frame..one.len() - 1]);
    }
    assert!(matches!(probe(&many), Err(ImageError::TooLarge(_))));

    let jpeg = file(scene(8, 8), ImageFormat::Jpeg);
    let scan = jpeg.windows(2).position(|pair| pair == [0xFF, 0xDA]).unwrap();
    let mut many = jpeg[..scan].to_vec();
    for _ in 0..10_000 {
        many.extend(&jpeg[scan..jpeg.len() - 2]);
    }
    many.extend([0xFF, 0xD9]);
    assert!(matches!(probe(&many), Err(ImageError::TooLarge(_))));
}

#[test]
fn a_file_cut_off_is_broken_wherever_it_is_cut() {
    for format in FORMATS {
        let whole = file(scene(60, 50), format);
        for tenth in 0..10 {
            let result = probe(&whole[..whole.len() * tenth / 10]);
            assert!(
                matches!(result, Err(ImageError::Broken(_))),
                "{format:?} {tenth}: {result:?}"
            );
        }
        // Trailers may be missing; pixels may not.
        for length in 0..whole.len() {
            if let Ok(probed) = probe(&whole[..length]) {
                assert!(
                    whole.len() - length <= 16,
                    "{format:?} cut to {length} of {}",
                    whole.len()
                );
                assert_eq!((probed.width, probed.height), (60, 50));
            }
        }
    }
}

#[test]
fn damaged_and_random_bytes_give_an_answer() {
    let mut seed = 99_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut answers = 0;
    for format in FORMATS {
        let whole = file(scene(24, 24), format);
        for _ in 0..300 {
            let mut damaged = whole.clone();
            for _ in 0..=random() % 4 {
                let at = random() as usize % damaged.len();
                damaged[at] = random() as u8;
            }
            if probe(&damaged).is_ok() {
                render_variant(&damaged, variant("w320.webp")).unwrap();
            }
            let mut noise = whole[..12].to_vec();
            noise.extend((0..random() % 400).map(|_| random() as u8));
            answers += u32::from(probe(&noise).is_err());
        }
    }
    assert!(answers > 1000, "noise was taken for pictures: {answers}");
}

#[test]
fn what_hides_behind_a_picture_does_not_come_through() {
    let mut polyglot = file(scene(30, 30), ImageFormat::Png);
    polyglot.extend(b"<script>alert(document.domain)</script>");
    assert_eq!(probe(&polyglot).unwrap().media_type, "image/png");
    for format in READABLE {
        let out = render_variant(&polyglot, of_width(format)).unwrap();
        assert!(!contains(&out, b"<script"), "{format:?}");
    }
}
