//! Crops around the focal point, whichever way a picture lies; smaller decoding; AVIF.

use super::*;

/// Grey, with a "face" of that colour around a point that is given as it lies in the file.
fn with_face(width: u32, height: u32, at: (f64, f64)) -> RgbImage {
    let (x, y) = ((at.0 * f64::from(width)) as u32, (at.1 * f64::from(height)) as u32);
    let radius = width.min(height) / 20;
    RgbImage::from_fn(width, height, |px, py| {
        if px.abs_diff(x) <= radius && py.abs_diff(y) <= radius {
            Rgb([250, 10, 10])
        } else {
            Rgb([90, 90, 90])
        }
    })
}

fn render(original: &[u8], name: &str, focus: Focus) -> RgbImage {
    let made = super::super::render_variant(original, variant(name), focus, &Room::new(MAX_MEMORY)).unwrap();
    seen(&made.bytes).into_rgb8()
}

fn red_share(picture: &RgbImage) -> f64 {
    let red = picture
        .pixels()
        .filter(|pixel| pixel.0[0] > 180 && pixel.0[1] < 80)
        .count();
    red as f64 / f64::from(picture.width() * picture.height())
}

#[test]
fn a_face_in_a_corner_stays_in_every_crop() {
    let focus = Focus::at(0.9, 0.1);
    for (width, height) in [(1600, 1200), (1200, 1600), (2400, 800)] {
        let photo = file(with_face(width, height, (0.9, 0.1)), ImageFormat::Jpeg);
        for (name, size) in [
            ("thumb.png", (320, 320)),
            ("card.png", (640, 360)),
            ("share.png", (1200, 630)),
        ] {
            let crop = render(&photo, name, focus);
            assert_eq!(crop.dimensions(), size, "{name} of {width} × {height}");
            assert!(
                red_share(&crop) > 0.004,
                "{name} of {width} × {height}: {}",
                red_share(&crop)
            );
        }
    }
    // Cut elsewhere it is gone.
    let photo = file(with_face(2400, 800, (0.9, 0.1)), ImageFormat::Jpeg);
    assert_eq!(red_share(&render(&photo, "thumb.png", Focus::at(0.1, 0.5))), 0.0);
}

#[test]
fn the_focal_point_is_that_of_the_picture_as_shown() {
    // Where the point that is shown at (0.8, 0.3) lies in the file, by orientation.
    let places = [
        (0.8, 0.3),
        (0.2, 0.3),
        (0.2, 0.7),
        (0.8, 0.7),
        (0.3, 0.8),
        (0.3, 0.2),
        (0.7, 0.2),
        (0.7, 0.8),
    ];
    for (orientation, place) in (1..).zip(places) {
        let photo = jpeg_with_exif(with_face(1600, 1000, place), orientation);
        let crop = render(&photo, "thumb.png", Focus::at(0.8, 0.3));
        let (mut xs, mut ys) = (Vec::new(), Vec::new());
        for (x, y, pixel) in crop.enumerate_pixels() {
            if pixel.0[0] > 180 && pixel.0[1] < 80 {
                xs.push(x);
                ys.push(y);
            }
        }
        assert!(xs.len() > 200, "{orientation}: {} red pixels", xs.len());
        let turned = orientation > 4;
        let (width, height) = if turned { (1000.0, 1600.0) } else { (1600.0, 1000.0) };
        let window = Size::Thumb.window(width as u32, height as u32, Focus::at(0.8, 0.3));
        let expected = |share: f64, full: f64, from: f64| (share * full - from) / 1000.0 * 320.0;
        let middle = |all: &[u32]| f64::from(all.iter().sum::<u32>()) / all.len() as f64;
        assert!(
            (middle(&xs) - expected(0.8, width, window.left)).abs() < 4.0,
            "{orientation}: x {}",
            middle(&xs)
        );
        assert!(
            (middle(&ys) - expected(0.3, height, window.top)).abs() < 4.0,
            "{orientation}: y {}",
            middle(&ys)
        );
    }
}

#[test]
fn a_smaller_decoding_shows_the_same() {
    let photo = scene(2000, 1500);
    for progressive in [false, true] {
        let mut jpeg = Vec::new();
        let mut encoder = JpegEncoder::new(&mut jpeg, 92);
        encoder.set_progressive(progressive);
        encoder.encode(&photo, 2000, 1500, JpegColor::Rgb).unwrap();
        // PNG is decoded in full.
        for name in ["w320.png", "w640.png", "thumb.png"] {
            let small = render(&jpeg, name, Focus::at(0.3, 0.6));
            let full = render(&file(photo.clone(), ImageFormat::Png), name, Focus::at(0.3, 0.6));
            assert_eq!(small.dimensions(), full.dimensions());
            for (a, b) in small.pixels().zip(full.pixels()) {
                assert!(near(&a.0, b.0, 12), "{name} {progressive}: {a:?} for {b:?}");
            }
        }
    }
    // Grey, too.
    let grey = DynamicImage::from(photo).to_luma8();
    let jpeg = file(grey.clone(), ImageFormat::Jpeg);
    let small = render(&jpeg, "w320.png", Focus::MIDDLE);
    let full = render(&file(grey, ImageFormat::Png), "w320.png", Focus::MIDDLE);
    assert!(small.pixels().zip(full.pixels()).all(|(a, b)| near(&a.0, b.0, 12)));
}

#[test]
fn avif_is_written_with_and_without_transparency() {
    let mut picture = RgbaImage::from_pixel(400, 300, Rgba([200, 100, 50, 255]));
    let opaque = file(picture.clone(), ImageFormat::Png);
    picture.put_pixel(7, 7, Rgba([0, 0, 0, 0]));
    let transparent = file(picture, ImageFormat::Png);
    for (original, alpha) in [(opaque, false), (transparent, true)] {
        let made = render_variant(&original, variant("w320.avif")).unwrap();
        assert_eq!(&made[4..12], b"ftypavif");
        // An auxiliary picture for alpha (MIAF, 7.3.5.2).
        assert_eq!(contains(&made, b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"), alpha);
        assert!(made.len() < 20_000, "{}", made.len());
    }
}
