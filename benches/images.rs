//! The picture pipeline, measured: `cargo bench --bench images`.

use std::hint::black_box;
use std::time::Duration;

use broadsheet::images::pipeline::{MAX_MEMORY, Room, probe, render_variant};
use broadsheet::images::variants::{Focus, Variant};
use criterion::{Criterion, criterion_group, criterion_main};
use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, Frame, ImageEncoder, ImageResult, Rgb, RgbImage, Rgba, RgbaImage};

/// A picture of soft shapes with fine grain, about as hard to compress as a photograph.
fn photograph(width: u32, height: u32) -> RgbImage {
    let mut seed = 7_u32;
    RgbImage::from_fn(width, height, |x, y| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (fx, fy) = (f64::from(x), f64::from(y));
        let grain = f64::from(seed >> 24) / 255.0 - 0.5;
        Rgb([1.0, 2.0, 3.0].map(|channel: f64| {
            let shapes = 0.25 * (fx / (37.0 * channel)).sin() * (fy / (53.0 * channel)).cos();
            let detail = 0.1 * (fx / 7.3 + fy / 11.1 * channel).sin();
            ((0.5 + shapes + detail + 0.06 * grain) * 255.0).clamp(0.0, 255.0) as u8
        }))
    })
}

fn jpeg(photo: &RgbImage) -> ImageResult<Vec<u8>> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 88).write_image(photo, 4000, 3000, ExtendedColorType::Rgb8)?;
    Ok(file)
}

fn png(photo: &RgbImage) -> ImageResult<Vec<u8>> {
    let mut file = Vec::new();
    PngEncoder::new(&mut file).write_image(photo, 4000, 3000, ExtendedColorType::Rgb8)?;
    Ok(file)
}

/// A bar that wanders, in 20 frames.
fn gif() -> ImageResult<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new_with_speed(&mut file, 30);
    for at in 0..20 {
        encoder.encode_frame(Frame::new(RgbaImage::from_fn(480, 270, |x, y| {
            let bright = if x / 24 == at { 230 } else { 40 };
            Rgba([bright, (y / 2) as u8, 90, 255])
        })))?;
    }
    drop(encoder);
    Ok(file)
}

/// What is made of which file.
const MADE: [(&str, &[&str]); 3] = [
    (
        "jpeg",
        &[
            "w320.webp",
            "w960.webp",
            "w1920.webp",
            "w960.jpg",
            "w960.avif",
            "thumb.webp",
            "share.jpg",
        ],
    ),
    ("png", &["w960.webp"]),
    ("gif", &["w320.webp", "w640.webp"]),
];

fn measure(criterion: &mut Criterion) -> Result<(), Box<dyn std::error::Error>> {
    let photo = photograph(4000, 3000);
    let files = [jpeg(&photo)?, png(&photo)?, gif()?];
    let room = Room::new(MAX_MEMORY);
    let mut group = criterion.benchmark_group("images");
    group.sample_size(10).measurement_time(Duration::from_secs(4));
    for ((kind, names), file) in MADE.into_iter().zip(&files) {
        println!("{kind}: {} kB", file.len() / 1000);
        group.bench_function(format!("upload/{kind}"), |b| b.iter(|| probe(black_box(file), &room)));
        for name in names {
            let variant = Variant::parse(name).ok_or("no such variant")?;
            let render = || render_variant(black_box(file), variant, Focus::MIDDLE, &room);
            println!("{name} of the {kind}: {} kB", render()?.bytes.len() / 1000);
            group.bench_function(format!("{name}/{kind}"), |b| b.iter(render));
        }
    }
    group.finish();
    Ok(())
}

fn pictures(criterion: &mut Criterion) {
    if let Err(error) = measure(criterion) {
        eprintln!("images: {error}");
    }
}

criterion_group!(benches, pictures);
criterion_main!(benches);
