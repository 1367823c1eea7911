//! Photographs that are made, as hard to compress as busy ones of a camera: octaves of noise, of which nature has all about
//! equally strong, smooth in some places and rough in others; shapes with sharp edges; the grain of a sensor.

use std::thread;

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use crate::{Result, in_words};

/// Pixels across.
pub const WIDTH: u16 = 4_000;
/// Pixels down.
pub const HEIGHT: u16 = 3_000;

/// What a camera of good quality writes.
const QUALITY: u8 = 90;
/// The longest side of an octave's cells, in pixels.
const LARGEST: usize = 2_048;
const SHAPES: usize = 40;

/// So many photographs, as JPEG files; made on all processors.
pub fn make(number: usize) -> Result<Vec<Vec<u8>>> {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    let mut photos = Vec::new();
    let seeds: Vec<u64> = (1..).take(number).collect();
    for some in seeds.chunks(processors) {
        let made: Vec<Result<Vec<u8>>> = thread::scope(|scope| {
            let begun: Vec<_> = some.iter().map(|seed| scope.spawn(|| photograph(*seed))).collect();
            begun
                .into_iter()
                .map(|thread| {
                    thread
                        .join()
                        .unwrap_or_else(|_panic| Err("a photograph was not made".to_owned()))
                })
                .collect()
        });
        photos.extend(made.into_iter().collect::<Result<Vec<_>>>()?);
    }
    Ok(photos)
}

/// The same picture as another file: a comment is put behind the first marker of a JPEG.
pub fn marked(photo: &[u8], mark: &str) -> Result<Vec<u8>> {
    let (start, rest) = photo
        .split_at_checked(2)
        .filter(|(start, _)| *start == [0xFF, 0xD8])
        .ok_or("a photograph is no JPEG")?;
    let length = u16::try_from(mark.len() + 2).map_err(in_words)?;
    Ok([start, &[0xFF, 0xFE], &length.to_be_bytes(), mark.as_bytes(), rest].concat())
}

/// A patch with an edge: an ellipse of a brightness and a colour of its own.
struct Shape {
    x: f32,
    y: f32,
    across: f32,
    down: f32,
    /// What is added: brightness, blue, red.
    tone: [f32; 3],
}

fn photograph(seed: u64) -> Result<Vec<u8>> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut within = |from: f32, to: f32| from + random.f32() * (to - from);
    let shapes: Vec<Shape> = (0..SHAPES)
        .map(|_| {
            let size = within(20.0, 500.0);
            Shape {
                x: within(0.0, f32::from(WIDTH)),
                y: within(0.0, f32::from(HEIGHT)),
                across: size * within(0.3, 1.0),
                down: size * within(0.3, 1.0),
                tone: [within(-45.0, 45.0), within(-25.0, 25.0), within(-25.0, 25.0)],
            }
        })
        .collect();
    let width = usize::from(WIDTH);
    let mut pixels = Vec::with_capacity(width * usize::from(HEIGHT) * 3);
    let [mut light, mut blue, mut red, mut rough] = [(); 4].map(|()| vec![0.0_f32; width]);
    for y in 0..usize::from(HEIGHT) {
        for line in [&mut light, &mut blue, &mut red, &mut rough] {
            line.fill(0.0);
        }
        // Where it is rough, and how much: none of it in the half of the picture that is out of focus.
        octaves(&mut rough, y, seed ^ 4, LARGEST, 256, 0.0, 1.0);
        octaves(&mut light, y, seed ^ 1, LARGEST, 64, 0.5, 40.0);
        let mut detail = vec![0.0_f32; width];
        octaves(&mut detail, y, seed ^ 5, 32, 2, 0.25, 34.0);
        octaves(&mut blue, y, seed ^ 2, LARGEST, 16, 0.7, 26.0);
        octaves(&mut red, y, seed ^ 3, LARGEST, 16, 0.7, 26.0);
        for shape in &shapes {
            let high = (y as f32 - shape.y) / shape.down;
            let half = shape.across * (1.0 - high * high).max(0.0).sqrt();
            // Negative numbers become 0.
            let (from, to) = ((shape.x - half) as usize, (shape.x + half) as usize);
            for (line, tone) in [&mut light, &mut blue, &mut red].into_iter().zip(shape.tone) {
                for value in line.iter_mut().take(to.min(width)).skip(from) {
                    *value += tone;
                }
            }
        }
        let lines = light.iter().zip(&blue).zip(&red).zip(rough.iter().zip(&detail));
        for (((light, blue), red), (rough, detail)) in lines {
            let grain = random.f32() * 10.0 - 5.0;
            let light = 120.0 + light + detail * (rough * 1.4).clamp(0.05, 1.0) + grain;
            // JFIF 1.02: from brightness and the differences of blue and red.
            let rgb = [
                light + 1.402 * red,
                light - 0.344 * blue - 0.714 * red,
                light + 1.772 * blue,
            ];
            pixels.extend(rgb.map(|value| value as u8));
        }
    }
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, QUALITY);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder
        .encode(&pixels, WIDTH, HEIGHT, ColorType::Rgb)
        .map_err(in_words)?;
    Ok(file)
}

/// Adds smooth noise to a line of the picture, in octaves from cells of `largest` pixels to those of `smallest`; each has
/// `(smaller / larger) ^ fall` of the strength of the one before.
fn octaves(line: &mut [f32], y: usize, seed: u64, largest: usize, smallest: usize, fall: f32, strength: f32) {
    let (mut cell, mut strength) = (largest, strength);
    while cell >= smallest {
        let row = y / cell;
        let down = smooth((y % cell) as f32 / cell as f32);
        let at = |column: usize| {
            let above = lattice(seed, cell, column, row);
            above + (lattice(seed, cell, column, row + 1) - above) * down
        };
        let mut left = at(0);
        for (column, part) in line.chunks_mut(cell).enumerate() {
            let right = at(column + 1);
            for (x, value) in part.iter_mut().enumerate() {
                *value += (left + (right - left) * smooth(x as f32 / cell as f32)) * strength;
            }
            left = right;
        }
        cell /= 2;
        strength *= 0.5_f32.powf(fall);
    }
}

/// A number from −1 to 1 for each corner of the cells.
fn lattice(seed: u64, cell: usize, column: usize, row: usize) -> f32 {
    let mut bits =
        seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ ((cell as u64) << 40) ^ ((column as u64) << 20) ^ row as u64;
    // The mixing of SplitMix64.
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^= bits >> 31;
    (bits >> 40) as f32 / 8_388_608.0 - 1.0
}

fn smooth(share: f32) -> f32 {
    share * share * (3.0 - 2.0 * share)
}
