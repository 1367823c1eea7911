//! From a picture as it is stored to the part of it that a variant shows, upright, in sRGB, at the variant's size.

use fast_image_resize::{FilterType as Filter, MulDiv, ResizeAlg, ResizeOptions, Resizer};
use image::DynamicImage;
use image::metadata::Orientation;

use super::{ImageError, color, encode_error};
use crate::images::variants::{Focus, Size, Window};

/// What to cut out of the stored pixels, and how large to make it. Colours and orientation are put right on the small
/// picture, where that is cheaper.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// The part of the stored picture, in its pixels.
    window: Window,
    /// The stored width that the window belongs to.
    stored_width: u32,
    /// Width before turning.
    width: u32,
    /// Height before turning.
    height: u32,
    orientation: Orientation,
}

/// Whether showing the picture exchanges its width and height.
pub(super) fn lies_on_its_side(orientation: Orientation) -> bool {
    // Exif 2.3, 4.6.4: the values from 5 on exchange rows and columns.
    orientation.to_exif() >= 5
}

/// Width and height as shown.
pub(super) fn shown_size(width: u32, height: u32, orientation: Orientation) -> (u32, u32) {
    if lies_on_its_side(orientation) {
        (height, width)
    } else {
        (width, height)
    }
}

impl Shape {
    /// The shape of a variant of a picture that is stored at this size.
    pub(super) fn of(size: Size, focus: Focus, stored: (u32, u32), orientation: Orientation) -> Self {
        let (shown_width, shown_height) = shown_size(stored.0, stored.1, orientation);
        let (width, height) = size.dimensions(shown_width, shown_height);
        let window = size.window(shown_width, shown_height, focus);
        Self::new(window, (width, height), stored, orientation)
    }

    /// All of the picture within a square of that many pixels.
    pub(super) fn within(side: u32, stored: (u32, u32), orientation: Orientation) -> Self {
        let (shown_width, shown_height) = shown_size(stored.0, stored.1, orientation);
        let longest = shown_width.max(shown_height).max(1);
        let fit = |length: u32| {
            if longest <= side {
                return length;
            }
            let scaled = u64::from(length) * u64::from(side) / u64::from(longest);
            u32::try_from(scaled).unwrap_or(side).max(1)
        };
        let window = Window {
            left: 0.0,
            top: 0.0,
            width: f64::from(shown_width),
            height: f64::from(shown_height),
        };
        Self::new(window, (fit(shown_width), fit(shown_height)), stored, orientation)
    }

    fn new(shown: Window, (width, height): (u32, u32), stored: (u32, u32), orientation: Orientation) -> Self {
        let (width, height) = shown_size(width, height, orientation);
        Self {
            window: unturned(shown, stored, orientation),
            stored_width: stored.0,
            width,
            height,
            orientation,
        }
    }

    /// How many pixels it makes.
    pub(super) fn pixels(&self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    /// Bytes beside the stored pixels while they are scaled: a strip as wide as the result and as high as the part that is
    /// shown, the result, and its colours put right.
    pub(super) fn memory(&self) -> u64 {
        let rows = self.window.height.ceil().max(0.0) as u64;
        u64::from(self.width) * rows * 4 + self.pixels() * 8
    }

    /// How many stored pixels become one, in the direction where they are fewer.
    pub(super) fn reduction(&self) -> f64 {
        let across = self.window.width / f64::from(self.width.max(1));
        across.min(self.window.height / f64::from(self.height.max(1)))
    }

    /// Applies it to the stored pixels, which may have been decoded at a smaller scale.
    pub(super) fn apply(&self, pixels: DynamicImage, icc: Option<&[u8]>) -> Result<DynamicImage, ImageError> {
        let scale = f64::from(pixels.width()) / f64::from(self.stored_width.max(1));
        let mut picture = color::to_srgb(self.resize(pixels, scale)?, icc);
        picture.apply_orientation(self.orientation);
        Ok(picture)
    }

    /// Scales down by Lanczos3. Colours are weighted by their alpha, in place: what a transparent pixel is coloured must
    /// not bleed into its neighbours, and a second full picture must not be held.
    fn resize(&self, mut picture: DynamicImage, scale: f64) -> Result<DynamicImage, ImageError> {
        let (full_width, full_height) = (f64::from(picture.width()), f64::from(picture.height()));
        let all = (self.window.width * scale - full_width).abs() < 1.0;
        let all = all && (self.window.height * scale - full_height).abs() < 1.0;
        if all && (picture.width(), picture.height()) == (self.width, self.height) {
            return Ok(picture);
        }
        let weighted = super::is_transparent(&picture);
        let alpha = MulDiv::new();
        if weighted {
            alpha.multiply_alpha_inplace(&mut picture).map_err(encode_error)?;
        }
        let mut small = DynamicImage::new(self.width, self.height, picture.color());
        let mut options = ResizeOptions::new()
            .resize_alg(ResizeAlg::Convolution(Filter::Lanczos3))
            .use_alpha(false);
        if !all {
            // Rounding must not carry it over an edge.
            let left = (self.window.left * scale).clamp(0.0, full_width);
            let top = (self.window.top * scale).clamp(0.0, full_height);
            let width = (self.window.width * scale).min(full_width - left);
            let height = (self.window.height * scale).min(full_height - top);
            options = options.crop(left, top, width, height);
        }
        Resizer::new()
            .resize(&picture, &mut small, &options)
            .map_err(encode_error)?;
        if weighted {
            alpha.divide_alpha_inplace(&mut small).map_err(encode_error)?;
        }
        Ok(small)
    }
}

/// The part of the stored picture that is shown as `window` once it is turned.
fn unturned(window: Window, stored: (u32, u32), orientation: Orientation) -> Window {
    let (width, height) = (f64::from(stored.0), f64::from(stored.1));
    let Window {
        left: x,
        top: y,
        width: w,
        height: h,
    } = window;
    // From the far edge of the stored picture.
    let (from_right, from_bottom) = (
        |near: f64, long: f64| width - near - long,
        |near: f64, long: f64| height - near - long,
    );
    let (left, top) = match orientation {
        Orientation::NoTransforms => (x, y),
        Orientation::FlipHorizontal => (from_right(x, w), y),
        Orientation::Rotate180 => (from_right(x, w), from_bottom(y, h)),
        Orientation::FlipVertical => (x, from_bottom(y, h)),
        // On its side: columns shown are rows stored.
        Orientation::Rotate90FlipH => (y, x),
        Orientation::Rotate90 => (y, from_bottom(x, w)),
        Orientation::Rotate270FlipH => (from_right(y, h), from_bottom(x, w)),
        Orientation::Rotate270 => (from_right(y, h), x),
    };
    let (width, height) = if lies_on_its_side(orientation) { (h, w) } else { (w, h) };
    Window {
        left: left.max(0.0),
        top: top.max(0.0),
        width,
        height,
    }
}
