//! What a page shows of a picture before it has loaded.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, RgbaImage};

/// The longest side of a picture that a ThumbHash is made of.
pub(super) const SIDE: u32 = 100;

/// The ThumbHash of a small sRGB picture, in base64: about 28 characters that draw its shapes and colours.
pub(super) fn placeholder(small: &DynamicImage) -> String {
    let pixels = small.to_rgba8();
    let hash = thumbhash::rgba_to_thumb_hash(pixels.width() as usize, pixels.height() as usize, &pixels);
    STANDARD.encode(hash)
}

/// The colour, `#rrggbb`, that most of a small sRGB picture is near to. What is transparent does not count; of a picture
/// that is nothing else it is white, which is what it stands on.
pub(super) fn color(small: &DynamicImage) -> String {
    let pixels = small.to_rgba8();
    let [red, green, blue] = dominant(&pixels);
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn dominant(pixels: &RgbaImage) -> [u8; 3] {
    // Four bits a channel: weight, and the sum of each channel.
    let mut bins = vec![[0_u32; 4]; 1 << 12];
    for pixel in pixels.pixels() {
        let [red, green, blue, alpha] = pixel.0.map(usize::from);
        let bin = ((red >> 4) << 8) | ((green >> 4) << 4) | (blue >> 4);
        if let Some(sums) = bins.get_mut(bin)
            && alpha >= 128
        {
            for (sum, more) in sums.iter_mut().zip([1, pixel.0[0], pixel.0[1], pixel.0[2]]) {
                *sum += u32::from(more);
            }
        }
    }
    let best = bins.iter().max_by_key(|sums| sums[0]).copied().unwrap_or_default();
    match best {
        [0, ..] => [u8::MAX; 3],
        [count, red, green, blue] => {
            [red, green, blue].map(|sum| u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX))
        }
    }
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::*;

    #[test]
    fn the_colour_is_that_of_most_of_it() {
        let picture = RgbaImage::from_fn(30, 30, |x, y| match (x < 20, y < 2) {
            (_, true) => Rgba([0, 255, 0, 0]),
            (true, false) => Rgba([200, 30, 31, 255]),
            (false, false) => Rgba([10, 20, 250, 255]),
        });
        assert_eq!(color(&picture.into()), "#c81e1f");
        assert_eq!(color(&RgbaImage::new(3, 3).into()), "#ffffff");
    }

    #[test]
    fn a_placeholder_is_short_and_draws_the_picture() {
        let picture = RgbaImage::from_fn(100, 75, |x, _| Rgba([if x < 50 { 250 } else { 5 }, 20, 20, 255]));
        let text = placeholder(&picture.into());
        assert!(text.len() < 40, "{text}");
        let (width, height, pixels) = thumbhash::thumb_hash_to_rgba(&STANDARD.decode(text).unwrap()).unwrap();
        let red = |x: usize| pixels[(height / 2 * width + x) * 4];
        assert!(red(2) > 180 && red(width - 3) < 80, "{} {}", red(2), red(width - 3));
    }
}
