mod animations;
mod colors;
mod crops;
mod hostile;
mod lossless;

use image::ImageEncoder;
use image::codecs::gif::GifEncoder;
use image::codecs::png::PngEncoder;
use image::{Frame, GrayAlphaImage, GrayImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};

use jpeg_encoder::{ColorType as JpegColor, Encoder as JpegEncoder};

use super::*;
use crate::images::variants::Size;

const FORMATS: [ImageFormat; 4] = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif];

/// What the tests can read back; there is no decoder of AVIF here.
const READABLE: [Format; 3] = [Format::Webp, Format::Jpeg, Format::Png];

fn variant(name: &str) -> Variant {
    Variant::parse(name).unwrap()
}

fn of_width(format: Format) -> Variant {
    Variant {
        size: Size::W320,
        format,
        focus: None,
    }
}

fn probe(bytes: &[u8]) -> Result<Probed, ImageError> {
    super::probe(bytes, &Room::new(MAX_MEMORY))
}

fn render_variant(original: &[u8], variant: Variant) -> Result<Vec<u8>, ImageError> {
    super::render_variant(original, variant, Focus::MIDDLE, &Room::new(MAX_MEMORY)).map(|made| made.bytes)
}

/// Red grows to the right, green downwards; a little noise so that it does not compress to nothing.
fn scene(width: u32, height: u32) -> RgbImage {
    let mut seed = 7_u32;
    RgbImage::from_fn(width, height, |x, y| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        Rgb([(x * 240 / width) as u8, (y * 240 / height) as u8, (seed >> 28) as u8])
    })
}

fn file(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    picture.into().write_to(&mut out, format).unwrap();
    out.into_inner()
}

fn seen(bytes: &[u8]) -> DynamicImage {
    image::load_from_memory(bytes).unwrap()
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.windows(needle.len()).any(|window| window == needle)
}

fn near(a: &[u8], b: [u8; 3], tolerance: u8) -> bool {
    a.iter().zip(b).all(|(a, b)| a.abs_diff(b) <= tolerance)
}

/// A JPEG with a hand-written EXIF segment: the given orientation, and a place whose reference reads `GPSMARK`.
fn jpeg_with_exif(picture: RgbImage, orientation: u8) -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    tiff.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    tiff.extend([0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38, 0, 0, 0, 0]);
    tiff.extend([0, 1, 0, 1, 0, 2, 0, 0, 0, 8, 0, 0, 0, 56, 0, 0, 0, 0]);
    tiff.extend(b"GPSMARK\0");
    let jpeg = file(picture, ImageFormat::Jpeg);
    let mut out = jpeg[..2].to_vec();
    out.extend([0xFF, 0xE1, 0, (tiff.len() + 8) as u8]);
    out.extend(b"Exif\0\0");
    out.extend(tiff);
    out.extend(&jpeg[2..]);
    out
}

fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut chunk = b"IHDR".to_vec();
    chunk.extend(width.to_be_bytes());
    chunk.extend(height.to_be_bytes());
    chunk.extend([1, 0, 0, 0, 0]);
    let mut crc = u32::MAX;
    for byte in &chunk {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 * (crc & 1));
        }
    }
    let mut out = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    out.extend(chunk);
    out.extend((!crc).to_be_bytes());
    out
}

fn gif(frames: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = GifEncoder::new(&mut out);
    for shade in 0..frames {
        let picture = RgbaImage::from_pixel(4, 3, Rgba([shade as u8, 0, 0, 255]));
        encoder.encode_frame(Frame::new(picture)).unwrap();
    }
    drop(encoder);
    out
}

#[test]
fn the_type_comes_from_the_content() {
    let types = ["image/jpeg", "image/png", "image/webp", "image/gif"];
    for (format, media_type) in FORMATS.into_iter().zip(types) {
        let probed = probe(&file(scene(40, 30), format)).unwrap();
        assert_eq!(
            (
                probed.media_type,
                probed.width,
                probed.height,
                probed.transparent,
                probed.animated
            ),
            (media_type, 40, 30, false, false)
        );
        assert!(probed.look.color.starts_with('#') && !probed.look.placeholder.is_empty());
    }
}

#[test]
fn only_pixels_that_are_not_opaque_make_a_picture_transparent() {
    let mut picture = RgbaImage::from_pixel(20, 20, Rgba([9, 9, 9, 255]));
    assert!(!probe(&file(picture.clone(), ImageFormat::Png)).unwrap().transparent);
    picture.put_pixel(19, 19, Rgba([9, 9, 9, 254]));
    assert!(probe(&file(picture.clone(), ImageFormat::Png)).unwrap().transparent);
    assert!(probe(&file(picture, ImageFormat::WebP)).unwrap().transparent);
}

#[test]
fn a_photograph_stands_upright_and_tells_no_place() {
    // Stored lying: what is at its left (little red) belongs at the top.
    let photo = jpeg_with_exif(scene(800, 600), 6);
    assert!(contains(&photo, b"GPSMARK"));
    let probed = probe(&photo).unwrap();
    assert_eq!((probed.width, probed.height), (600, 800));
    for format in READABLE {
        let out = render_variant(&photo, of_width(format)).unwrap();
        for trace in [&b"GPSMARK"[..], b"Exif", b"EXIF", b"eXIf", b"MM\0\x2a"] {
            assert!(!contains(&out, trace), "{format:?}");
        }
        let picture = seen(&out).into_rgb8();
        assert_eq!(picture.dimensions(), (320, 427));
        // Turned clockwise: red grows downwards, green to the left.
        assert!(
            near(&picture.get_pixel(4, 4).0, [0, 238, 8], 12),
            "{:?}",
            picture.get_pixel(4, 4)
        );
        assert!(
            near(&picture.get_pixel(4, 422).0, [238, 238, 8], 12),
            "{:?}",
            picture.get_pixel(4, 422)
        );
        assert!(
            near(&picture.get_pixel(316, 422).0, [238, 0, 8], 12),
            "{:?}",
            picture.get_pixel(316, 422)
        );
    }
}

#[test]
fn every_orientation_gives_the_size_as_shown() {
    for orientation in 1..=8 {
        let probed = probe(&jpeg_with_exif(scene(40, 20), orientation)).unwrap();
        let expected = if orientation < 5 { (40, 20) } else { (20, 40) };
        assert_eq!((probed.width, probed.height), expected, "{orientation}");
    }
}

#[test]
fn every_kind_of_pixel_becomes_every_format() {
    let rgb = DynamicImage::from(scene(500, 40));
    let kinds = [
        rgb.clone(),
        DynamicImage::from(rgb.to_rgba8()),
        DynamicImage::from(GrayImage::from_pixel(500, 40, image::Luma([90]))),
        DynamicImage::from(GrayAlphaImage::from_pixel(500, 40, image::LumaA([90, 40]))),
        DynamicImage::from(rgb.to_rgb16()),
        DynamicImage::from(rgb.to_rgba16()),
        DynamicImage::from(rgb.to_luma16()),
        DynamicImage::from(rgb.to_luma_alpha16()),
    ];
    let mut files = kinds.map(|kind| file(kind, ImageFormat::Png)).to_vec();
    // A GIF is a palette; CMYK as printers send it, inverted after Adobe.
    files.push(file(rgb, ImageFormat::Gif));
    let mut cmyk = Vec::new();
    JpegEncoder::new(&mut cmyk, 90)
        .encode(&[200; 500 * 40 * 4], 500, 40, JpegColor::Cmyk)
        .unwrap();
    files.push(cmyk);
    for (index, original) in files.iter().enumerate() {
        assert_eq!(
            probe(original).map(|probed| (probed.width, probed.height)).unwrap(),
            (500, 40),
            "{index}"
        );
        for format in READABLE {
            let out = render_variant(original, of_width(format)).unwrap();
            let probed = probe(&out).unwrap();
            assert_eq!(
                (probed.media_type, probed.width, probed.height),
                (format.media_type(), 320, 26),
                "{index}"
            );
        }
    }
}

#[test]
fn extreme_shapes_work() {
    for (width, height) in [(1, 1), (12_000, 1), (1, 12_000), (12_000, 2), (3, 9_000)] {
        let picture = scene(width, height);
        let lossy = webp::Encoder::from_rgb(&picture, width, height).encode(80.0).to_vec();
        let originals = FORMATS.map(|format| file(picture.clone(), format));
        for original in originals.into_iter().chain([lossy]) {
            for out in READABLE {
                let size = Size::W320;
                let bytes = render_variant(
                    &original,
                    Variant {
                        size,
                        format: out,
                        focus: None,
                    },
                )
                .unwrap();
                let picture = seen(&bytes);
                assert_eq!((picture.width(), picture.height()), size.dimensions(width, height));
            }
        }
    }
}
