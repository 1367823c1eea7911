//! That colours and transparency come out as they went in.

use moxcms::ColorProfile;

use super::*;

#[test]
fn wide_colours_become_srgb() {
    // (200, 100, 50) in Display P3 is (215, 93, 31) in sRGB.
    let profile = ColorProfile::new_display_p3().encode().unwrap();
    let pixels = RgbImage::from_pixel(400, 300, Rgb([200, 100, 50]));
    let mut tagged = Vec::new();
    let mut encoder = PngEncoder::new(&mut tagged);
    encoder.set_icc_profile(profile).unwrap();
    encoder
        .write_image(&pixels, 400, 300, image::ExtendedColorType::Rgb8)
        .unwrap();
    for format in READABLE {
        let out = render_variant(&tagged, of_width(format)).unwrap();
        assert!(!contains(&out, b"acsp"), "the profile is still in {format:?}");
        let pixel = *seen(&out).into_rgb8().get_pixel(100, 100);
        assert!(near(&pixel.0, [215, 93, 31], 4), "{format:?} {pixel:?}");
    }
    let plain = render_variant(&file(pixels, ImageFormat::Png), variant("w320.png")).unwrap();
    assert_eq!(seen(&plain).into_rgb8().get_pixel(100, 100).0, [200, 100, 50]);
}

#[test]
fn a_profile_that_does_not_fit_is_left_aside() {
    for profile in [
        b"nonsense".to_vec(),
        ColorProfile::new_gray_with_gamma(1.0).encode().unwrap(),
    ] {
        let mut jpeg = Vec::new();
        let mut encoder = JpegEncoder::new(&mut jpeg, 95);
        encoder.add_icc_profile(&profile).unwrap();
        encoder.encode(&[120; 30 * 30 * 3], 30, 30, JpegColor::Rgb).unwrap();
        let out = seen(&render_variant(&jpeg, variant("w320.png")).unwrap()).into_rgb8();
        assert!(near(&out.get_pixel(5, 5).0, [120; 3], 2));
    }
}

#[test]
fn a_grey_profile_is_honoured() {
    let mut tagged = Vec::new();
    let mut encoder = PngEncoder::new(&mut tagged);
    encoder
        .set_icc_profile(ColorProfile::new_gray_with_gamma(1.0).encode().unwrap())
        .unwrap();
    encoder
        .write_image(&[128; 100], 10, 10, image::ExtendedColorType::L8)
        .unwrap();
    let out = seen(&render_variant(&tagged, variant("w320.png")).unwrap()).into_rgb8();
    // Half of the light is 188 in sRGB.
    assert!(near(&out.get_pixel(5, 5).0, [188; 3], 2), "{:?}", out.get_pixel(5, 5));
}

#[test]
fn transparent_edges_keep_their_colour() {
    // Red on the left; on the right fully transparent green, which must not show.
    let picture = RgbaImage::from_fn(1000, 100, |x, _| {
        if x < 501 {
            Rgba([255, 0, 0, 255])
        } else {
            Rgba([0, 255, 0, 0])
        }
    });
    let original = file(picture, ImageFormat::Png);
    let png = seen(&render_variant(&original, variant("w320.png")).unwrap()).into_rgba8();
    assert!(
        png.pixels().any(|pixel| (1..255).contains(&pixel.0[3])),
        "the edge is smoothed"
    );
    assert!(
        png.pixels().all(|pixel| pixel.0[3] < 8 || pixel.0[1] < 32),
        "green bleeds in"
    );
    assert_eq!(png.get_pixel(319, 5).0[3], 0);
    let webp = seen(&render_variant(&original, variant("w320.webp")).unwrap()).into_rgba8();
    assert_eq!((webp.get_pixel(319, 5).0[3], webp.get_pixel(0, 5).0[3]), (0, 255));
    let jpeg = seen(&render_variant(&original, variant("w320.jpg")).unwrap()).into_rgb8();
    assert!(
        near(&jpeg.get_pixel(310, 5).0, [255; 3], 6),
        "{:?}",
        jpeg.get_pixel(310, 5)
    );
    assert!(
        near(&jpeg.get_pixel(10, 5).0, [254, 0, 0], 6),
        "{:?}",
        jpeg.get_pixel(10, 5)
    );
}

#[test]
fn half_transparent_stands_half_on_white() {
    let original = file(RgbaImage::from_pixel(50, 50, Rgba([0, 0, 0, 128])), ImageFormat::Png);
    let jpeg = seen(&render_variant(&original, variant("w320.jpg")).unwrap()).into_rgb8();
    assert!(
        near(&jpeg.get_pixel(20, 20).0, [127; 3], 3),
        "{:?}",
        jpeg.get_pixel(20, 20)
    );
}

#[test]
fn a_16_bit_colour_keeps_its_value() {
    let picture = image::ImageBuffer::from_pixel(400, 10, Rgb([0x8080_u16, 0x4040, 0xFFFF]));
    let original = file(DynamicImage::ImageRgb16(picture), ImageFormat::Png);
    let out = seen(&render_variant(&original, variant("w320.png")).unwrap());
    assert_eq!(out.as_rgb8().unwrap().get_pixel(9, 5).0, [0x80, 0x40, 0xFF]);
}

#[test]
fn components_in_scans_of_their_own_keep_their_colours() {
    for (progressive, size) in [(false, 88_u16), (false, 75), (true, 88)] {
        let mut jpeg = Vec::new();
        let mut encoder = JpegEncoder::new(&mut jpeg, 95);
        encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
        encoder.set_optimized_huffman_tables(true);
        encoder.set_progressive(progressive);
        let pixels = scene(size.into(), size.into());
        encoder.encode(&pixels, size, size, JpegColor::Rgb).unwrap();
        assert!(jpeg.windows(2).filter(|pair| *pair == [0xFF, 0xDA]).count() >= 3);
        let out = seen(&render_variant(&jpeg, variant("w320.png")).unwrap()).into_rgb8();
        for (got, put) in out.pixels().zip(pixels.pixels()) {
            assert!(near(&got.0, put.0, 40), "{progressive} {size}: {got:?} for {put:?}");
        }
    }
}

#[test]
fn cmyk_keeps_its_colours() {
    // No ink but cyan: what is left is green and blue.
    let pixels = [255, 0, 0, 0].repeat(64 * 64);
    let mut cmyk = Vec::new();
    JpegEncoder::new(&mut cmyk, 95)
        .encode(&pixels, 64, 64, JpegColor::Cmyk)
        .unwrap();
    let out = seen(&render_variant(&cmyk, variant("w320.png")).unwrap()).into_rgb8();
    assert!(
        near(&out.get_pixel(30, 30).0, [0, 255, 255], 6),
        "{:?}",
        out.get_pixel(30, 30)
    );
}
