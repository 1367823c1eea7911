//! What moves goes on moving, as WebP; everywhere else its first frame stands for it.

use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, Delay};

use super::*;

/// Frames of 40 × 30, in which a white square of 10 wanders over red, 50 ms each; the last two are alike.
fn wandering(frames: u32) -> Vec<RgbaImage> {
    let last = frames - 2;
    (0..frames)
        .map(|at| {
            let left = at.min(last) * 4;
            RgbaImage::from_fn(40, 30, |x, y| {
                if (left..left + 10).contains(&x) && (10..20).contains(&y) {
                    Rgba([255, 255, 255, 255])
                } else {
                    Rgba([200, 20, 20, 255])
                }
            })
        })
        .collect()
}

fn moving_gif(frames: &[RgbaImage]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = GifEncoder::new(&mut out);
    encoder.set_repeat(image::codecs::gif::Repeat::Infinite).unwrap();
    for frame in frames {
        let delay = Delay::from_numer_denom_ms(50, 1);
        encoder
            .encode_frame(Frame::from_parts(frame.clone(), 0, 0, delay))
            .unwrap();
    }
    drop(encoder);
    out
}

fn moving_webp(frames: &[RgbaImage]) -> Vec<u8> {
    let config = webp::WebPConfig::new().unwrap();
    let mut encoder = webp::AnimEncoder::new(40, 30, &config);
    for (frame, at) in frames.iter().zip(0..) {
        encoder.add_frame(webp::AnimFrame::from_rgba(frame, 40, 30, at * 50));
    }
    encoder.encode().to_vec()
}

fn frames_of(file: &[u8]) -> Vec<(RgbaImage, u32)> {
    let decoder = WebPDecoder::new(std::io::Cursor::new(file)).unwrap();
    assert!(decoder.has_animation());
    let frames = decoder.into_frames().map(|frame| {
        let frame = frame.unwrap();
        let (numerator, denominator) = frame.delay().numer_denom_ms();
        (frame.into_buffer(), numerator / denominator)
    });
    frames.collect()
}

#[test]
fn a_gif_and_a_webp_go_on_moving_as_webp() {
    let frames = wandering(6);
    let gif = moving_gif(&frames);
    assert!(probe(&gif).unwrap().animated);
    let made = frames_of(&render_variant(&gif, variant("w320.webp")).unwrap());
    // The last two are one, shown twice as long.
    let times: Vec<u32> = made.iter().map(|(_, time)| *time).collect();
    assert_eq!(times, [50, 50, 50, 50, 100]);
    for ((picture, _), frame) in made.iter().zip(&frames) {
        assert_eq!(picture.dimensions(), (40, 30));
        for (got, put) in picture.pixels().zip(frame.pixels()) {
            assert!(
                got.0.iter().zip(put.0).all(|(a, b)| a.abs_diff(b) < 90),
                "{got:?} for {put:?}"
            );
        }
        // Away from the edges it is what it was.
        assert!(near(&picture.get_pixel(38, 2).0, [200, 20, 20], 12));
    }
    let webp = moving_webp(&frames);
    assert!(probe(&webp).unwrap().animated);
    assert!(frames_of(&render_variant(&webp, variant("w320.webp")).unwrap()).len() >= 5);
    let crop = frames_of(&render_variant(&gif, variant("thumb.webp")).unwrap());
    assert_eq!((crop.len(), crop[0].0.dimensions()), (5, (30, 30)));
}

#[test]
fn transparent_animations_stay_transparent() {
    let frames: Vec<RgbaImage> = (0..3)
        .map(|at| RgbaImage::from_fn(16, 16, |x, _| Rgba([10, 200, 10, if x / 5 == at { 255 } else { 0 }])))
        .collect();
    let made = frames_of(&render_variant(&moving_gif(&frames), variant("w320.webp")).unwrap());
    assert_eq!(made.len(), 3);
    for (at, (picture, _)) in (0..3).zip(&made) {
        for x in 0..15 {
            let shown = picture.get_pixel(x, 8).0[3] > 127;
            assert_eq!(shown, x / 5 == at, "frame {at} at {x}");
        }
    }
}

#[test]
fn other_formats_show_the_first_frame() {
    let gif = moving_gif(&wandering(4));
    for format in [Format::Jpeg, Format::Png] {
        let still = seen(&render_variant(&gif, of_width(format)).unwrap()).into_rgb8();
        assert!(near(&still.get_pixel(5, 15).0, [255; 3], 6), "{format:?}");
    }
    let room = Room::new(MAX_MEMORY);
    for (format, still) in [(Format::Avif, true), (Format::Webp, false)] {
        let made = super::super::render_variant(&gif, of_width(format), Focus::MIDDLE, &room).unwrap();
        assert_eq!(made.still_of_moving, still);
    }
}

#[test]
fn an_animation_of_too_many_pixels_is_a_still() {
    let large = RgbaImage::from_pixel(4000, 3000, Rgba([9, 9, 9, 255]));
    let mut out = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut out, 30);
    for _ in 0..6 {
        encoder.encode_frame(Frame::new(large.clone())).unwrap();
    }
    drop(encoder);
    assert!(probe(&out).unwrap().animated);
    let made = render_variant(&out, variant("w320.webp")).unwrap();
    assert!(!WebPDecoder::new(std::io::Cursor::new(&made)).unwrap().has_animation());
}

/// Where something stands for the n-th time.
fn place_of(bytes: &[u8], what: &[u8], time: usize) -> usize {
    let mut places = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(what));
    places.nth(time - 1).unwrap()
}

#[test]
fn a_film_ends_where_it_is_damaged() {
    let frames = wandering(6);
    let mut gif = moving_gif(&frames);
    let frame = place_of(&gif, &[0x21, 0xF9, 0x04], 3) + 8;
    let flags = gif[frame + 9];
    let table = if flags & 0x80 == 0 { 0 } else { 3 << ((flags & 7) + 1) };
    // No code is that long.
    gif[frame + 10 + table] = 15;
    let mut webp = moving_webp(&frames);
    let frame = place_of(&webp, b"ANMF", 3) + 24;
    let picture = frame + place_of(&webp[frame..], b"VP8", 1) + 8;
    webp[picture..picture + 6].fill(0xFF);
    for file in [gif, webp] {
        assert!(probe(&file).unwrap().animated);
        assert_eq!(
            frames_of(&render_variant(&file, variant("w320.webp")).unwrap()).len(),
            2
        );
        assert!(render_variant(&file, variant("w320.png")).is_ok());
    }
}

#[test]
fn a_frame_that_is_larger_than_the_screen_counts() {
    let mut small = moving_gif(&wandering(4));
    for time in 1..=4 {
        let frame = place_of(&small, &[0x21, 0xF9, 0x04], time) + 8;
        small[frame + 5..frame + 9].copy_from_slice(&[0x70, 0x17, 0x70, 0x17]);
    }
    let read = super::super::container::gif(&small).unwrap();
    assert_eq!((read.frames, read.largest), (4, 36_000_000));
    // It stands still, and its data is too short for so many pixels.
    assert!(!matches!(render_variant(&small, variant("w320.webp")), Ok(made) if contains(&made, b"ANMF")));
}
