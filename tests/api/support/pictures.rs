//! Pictures for uploads, drawn here.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// A picture as a file.
pub fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("a picture");
    bytes.into_inner()
}

/// Red grows to the right, green downwards.
pub fn gradient(width: u32, height: u32) -> DynamicImage {
    let share = |at: u32, of: u32| u8::try_from(at * 255 / of).expect("a share");
    RgbImage::from_fn(width, height, |x, y| Rgb([share(x, width), share(y, height), 90])).into()
}

/// The gradient as a PNG.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    encoded(&gradient(width, height), ImageFormat::Png)
}

/// The address of a file.
pub fn media(hash: &str, variant: &str) -> String {
    format!("/media/{hash}/{variant}")
}
