//! The demo's pictures: a gradient, and a few shapes on it.

use image::codecs::jpeg::JpegEncoder;
use image::{ImageError, Rgb, RgbImage};

/// Width in pixels.
const WIDTH: u32 = 960;

/// Height in pixels.
const HEIGHT: u32 = 600;

type Color = [f32; 3];

const WHITE: Color = [250.0, 250.0, 246.0];
const INK: Color = [28.0, 32.0, 44.0];

/// A shape, in units of a picture that is 16 wide and 10 high.
#[derive(Clone, Copy)]
enum Shape {
    /// Half width, half height, radius of the corners.
    Box(f32, f32, f32),
    /// Radius.
    Disc(f32),
    /// Radius, and half the width of its line.
    Ring(f32, f32),
    /// The upper half of a ring.
    Arch(f32, f32),
    /// A triangle that points down from its middle: half its width, which is its height.
    Tip(f32),
}

impl Shape {
    /// How far outside of it a point is; negative inside.
    fn distance(self, x: f32, y: f32) -> f32 {
        match self {
            Self::Disc(radius) => x.hypot(y) - radius,
            Self::Ring(radius, half) => (x.hypot(y) - radius).abs() - half,
            Self::Arch(radius, half) => Self::Ring(radius, half).distance(x, y).max(y),
            Self::Tip(size) => ((x.abs() + y - size) * std::f32::consts::FRAC_1_SQRT_2).max(-y),
            Self::Box(width, height, radius) => {
                let (x, y) = (x.abs() - width + radius, y.abs() - height + radius);
                x.max(0.0).hypot(y.max(0.0)) + x.max(y).min(0.0) - radius
            }
        }
    }

    /// Half of its width and of its height.
    fn extent(self) -> (f32, f32) {
        match self {
            Self::Disc(radius) => (radius, radius),
            Self::Ring(radius, half) | Self::Arch(radius, half) => (radius + half, radius + half),
            Self::Tip(size) => (size, size),
            Self::Box(width, height, _) => (width, height),
        }
    }
}

/// A shape somewhere, in a colour.
struct Part(f32, f32, Shape, Color);

/// The picture of that name as JPEG; nothing if there is no such picture.
pub fn draw(name: &str) -> Option<Result<Vec<u8>, ImageError>> {
    let (top, bottom, parts) = motif(name)?;
    let mut picture = RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let share = 0.5 * (x as f32 / WIDTH as f32) + 0.5 * (y as f32 / HEIGHT as f32);
        Rgb(mix(top, bottom, share).map(byte))
    });
    for part in parts {
        paint(&mut picture, &part);
    }
    let mut bytes = Vec::new();
    let outcome = JpegEncoder::new_with_quality(&mut bytes, 88).encode_image(&picture);
    Some(outcome.map(|()| bytes))
}

/// The upper and the lower colour of the ground, and what stands on it.
fn motif(name: &str) -> Option<(Color, Color, Vec<Part>)> {
    use Shape::{Arch, Box, Disc, Ring, Tip};
    let dusk = ([255.0, 183.0, 112.0], [122.0, 62.0, 134.0]);
    let sea = ([132.0, 206.0, 235.0], [28.0, 66.0, 140.0]);
    let leaf = ([196.0, 226.0, 140.0], [30.0, 110.0, 96.0]);
    let rose = ([255.0, 210.0, 205.0], [190.0, 70.0, 104.0]);
    let slate = ([196.0, 204.0, 216.0], [62.0, 74.0, 98.0]);
    let (ground, parts) = match name {
        "phone.jpg" => (
            dusk,
            vec![
                Part(8.0, 5.0, Box(1.95, 3.95, 0.45), INK),
                Part(8.0, 5.0, Box(1.8, 3.8, 0.35), [255.0, 226.0, 180.0]),
                Part(8.0, 6.4, Disc(1.2), [226.0, 106.0, 98.0]),
                Part(8.0, 1.55, Disc(0.12), INK),
            ],
        ),
        "headphones.jpg" => (
            rose,
            vec![
                Part(8.0, 6.0, Arch(3.0, 0.22), INK),
                Part(5.0, 6.0, Disc(1.15), INK),
                Part(11.0, 6.0, Disc(1.15), INK),
                Part(5.0, 6.0, Disc(0.6), WHITE),
                Part(11.0, 6.0, Disc(0.6), WHITE),
            ],
        ),
        "tablet.jpg" => (
            leaf,
            vec![
                Part(7.4, 5.0, Box(4.6, 3.2, 0.4), INK),
                Part(7.4, 5.0, Box(4.3, 2.9, 0.2), WHITE),
                Part(6.2, 4.4, Ring(1.1, 0.09), [226.0, 106.0, 98.0]),
                Part(8.8, 5.6, Box(1.6, 0.09, 0.09), [90.0, 130.0, 120.0]),
                Part(8.6, 6.1, Box(1.4, 0.09, 0.09), [90.0, 130.0, 120.0]),
                Part(13.3, 5.0, Box(0.16, 2.9, 0.16), WHITE),
            ],
        ),
        "laptop.jpg" => (
            slate,
            vec![
                Part(8.0, 4.4, Box(4.4, 2.9, 0.3), INK),
                Part(8.0, 4.4, Box(4.15, 2.65, 0.12), [96.0, 160.0, 226.0]),
                Part(8.0, 7.7, Box(5.4, 0.32, 0.3), [226.0, 230.0, 236.0]),
                Part(8.0, 7.5, Box(0.9, 0.1, 0.1), slate.1),
                Part(6.0, 3.6, Disc(0.9), WHITE),
            ],
        ),
        "screen.jpg" => (
            sea,
            vec![
                Part(8.0, 7.9, Box(0.5, 1.1, 0.1), INK),
                Part(8.0, 8.9, Box(2.0, 0.18, 0.18), INK),
                Part(8.0, 4.2, Box(5.2, 3.1, 0.2), INK),
                Part(8.0, 4.2, Box(5.0, 2.9, 0.1), [120.0, 200.0, 150.0]),
                Part(8.0, 5.7, Box(5.0, 1.4, 0.05), [66.0, 160.0, 130.0]),
                Part(8.0, 6.4, Box(5.0, 0.7, 0.05), [34.0, 116.0, 110.0]),
            ],
        ),
        "robot.jpg" => (
            leaf,
            vec![
                Part(8.0, 7.6, Box(2.0, 2.0, 0.7), [226.0, 230.0, 236.0]),
                Part(8.0, 3.9, Box(2.5, 1.8, 1.2), WHITE),
                Part(8.0, 3.9, Box(2.0, 1.2, 0.8), INK),
                Part(7.1, 3.9, Disc(0.42), [120.0, 226.0, 230.0]),
                Part(8.9, 3.9, Disc(0.42), [120.0, 226.0, 230.0]),
                Part(8.0, 1.5, Disc(0.3), [226.0, 106.0, 98.0]),
            ],
        ),
        "chip.jpg" => {
            let mut parts = Vec::new();
            for step in 0_u8..7 {
                let at = f32::from(step) * 0.8;
                parts.push(Part(5.6 + at, 5.0, Box(0.13, 3.6, 0.1), [236.0, 214.0, 150.0]));
                parts.push(Part(8.0, 2.6 + at, Box(3.6, 0.13, 0.1), [236.0, 214.0, 150.0]));
            }
            parts.push(Part(8.0, 5.0, Box(3.0, 3.0, 0.25), INK));
            parts.push(Part(8.0, 5.0, Box(1.5, 1.5, 0.12), [86.0, 96.0, 122.0]));
            parts.push(Part(6.0, 3.0, Disc(0.2), WHITE));
            (slate, parts)
        }
        "watch.jpg" => (
            dusk,
            vec![
                Part(8.0, 5.0, Box(1.2, 4.8, 0.3), [238.0, 120.0, 60.0]),
                Part(8.0, 5.0, Disc(2.6), INK),
                Part(8.0, 5.0, Disc(2.3), [44.0, 52.0, 74.0]),
                Part(8.0, 5.0, Ring(1.9, 0.12), [120.0, 226.0, 160.0]),
                Part(8.0, 4.3, Box(0.09, 0.8, 0.09), WHITE),
                Part(8.6, 5.0, Box(0.65, 0.09, 0.09), WHITE),
            ],
        ),
        "waves.jpg" => {
            let ring = |step: u8| Part(8.0, 5.0, Ring(0.8 + f32::from(step) * 0.9, 0.14), WHITE);
            let mut parts: Vec<_> = (0..6).map(ring).collect();
            parts.push(Part(8.0, 5.0, Disc(0.4), [226.0, 106.0, 98.0]));
            (sea, parts)
        }
        "cloud.jpg" => (
            sea,
            vec![
                Part(6.2, 5.0, Disc(1.7), WHITE),
                Part(8.4, 4.0, Disc(2.3), WHITE),
                Part(10.4, 5.2, Disc(1.5), WHITE),
                Part(8.2, 5.9, Box(3.6, 0.9, 0.9), WHITE),
                Part(8.2, 4.4, Box(0.3, 1.0, 0.1), sea.1),
                Part(8.2, 5.2, Tip(0.9), sea.1),
            ],
        ),
        _ => return None,
    };
    Some((ground.0, ground.1, parts))
}

/// Paints a shape over what is there; its edge is a pixel soft.
fn paint(picture: &mut RgbImage, Part(center_x, center_y, shape, color): &Part) {
    let scale = WIDTH as f32 / 16.0;
    let (width, height) = shape.extent();
    // Casts of what is below nothing give zero.
    let columns = ((center_x - width) * scale - 1.0) as u32..((center_x + width) * scale + 2.0) as u32;
    let rows = ((center_y - height) * scale - 1.0) as u32..((center_y + height) * scale + 2.0) as u32;
    for y in rows.start..rows.end.min(HEIGHT) {
        for x in columns.start..columns.end.min(WIDTH) {
            let distance = shape.distance(x as f32 / scale - center_x, y as f32 / scale - center_y);
            let cover = (0.5 - distance * scale).clamp(0.0, 1.0);
            if cover > 0.0 {
                let pixel = picture.get_pixel_mut(x, y);
                *pixel = Rgb(mix(pixel.0.map(f32::from), *color, cover).map(byte));
            }
        }
    }
}

fn mix([a, b, c]: Color, [x, y, z]: Color, share: f32) -> Color {
    [a + (x - a) * share, b + (y - b) * share, c + (z - c) * share]
}

/// Rounded; the cast keeps to the bounds.
fn byte(value: f32) -> u8 {
    value.round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_shows_more_than_its_ground() {
        let bytes = draw("watch.jpg").unwrap().unwrap();
        let picture = image::load_from_memory(&bytes).unwrap().to_rgb8();
        assert_eq!(picture.dimensions(), (WIDTH, HEIGHT));
        let (corner, middle) = (
            picture.get_pixel(2, 2).0,
            picture.get_pixel(WIDTH / 2 - 96, HEIGHT / 2).0,
        );
        assert!(corner[0] > 200 && middle[0] < 80, "{corner:?} {middle:?}");
        assert!(draw("nothing.jpg").is_none());
    }
}
