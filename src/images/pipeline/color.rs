//! Colours: from what the file means to 8-bit sRGB, which is what a picture without a profile is taken for.

use image::{DynamicImage, RgbImage, RgbaImage};
use moxcms::{CmsError, ColorProfile, DataColorSpace, Layout, TransformOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The picture with 8 bits a channel, its colours changed from the given ICC profile to sRGB.
///
/// A profile that is damaged, or made for other channels than the picture has (as with CMYK, which arrives
/// here as RGB), is left aside and the picture taken for sRGB, as browsers do.
pub(super) fn to_srgb(picture: DynamicImage, icc: Option<&[u8]>) -> DynamicImage {
    let picture = eight_bits(picture);
    let Some(icc) = icc else { return picture };
    match catch_unwind(AssertUnwindSafe(|| converted(&picture, icc))) {
        Ok(Ok(Some(converted))) => converted,
        Ok(Ok(None)) => picture,
        Ok(Err(error)) => {
            log::debug!("a colour profile was left aside: {error}");
            picture
        }
        Err(_panic) => {
            log::debug!("a colour profile was left aside: reading it failed");
            picture
        }
    }
}

fn eight_bits(picture: DynamicImage) -> DynamicImage {
    match picture {
        DynamicImage::ImageLuma16(_) => picture.into_luma8().into(),
        DynamicImage::ImageLumaA16(_) => picture.into_luma_alpha8().into(),
        DynamicImage::ImageRgb16(_) => picture.into_rgb8().into(),
        DynamicImage::ImageRgba16(_) => picture.into_rgba8().into(),
        other => other,
    }
}

/// `None` where the profile does not fit the picture.
fn converted(picture: &DynamicImage, icc: &[u8]) -> Result<Option<DynamicImage>, CmsError> {
    let profile = ColorProfile::new_from_slice(icc)?;
    let (width, height) = (picture.width(), picture.height());
    let alpha = picture.color().has_alpha();
    let to = if alpha { Layout::Rgba } else { Layout::Rgb };
    let grey = !picture.color().has_color();
    let out = match profile.color_space {
        DataColorSpace::Gray if grey => {
            let from = if alpha { Layout::GrayAlpha } else { Layout::Gray };
            transform(&profile, picture.as_bytes(), from, to, width, height)?
        }
        DataColorSpace::Rgb if alpha => transform(&profile, &picture.to_rgba8(), to, to, width, height)?,
        DataColorSpace::Rgb => transform(&profile, &picture.to_rgb8(), to, to, width, height)?,
        _ => return Ok(None),
    };
    Ok(if alpha {
        RgbaImage::from_raw(width, height, out).map(DynamicImage::from)
    } else {
        RgbImage::from_raw(width, height, out).map(DynamicImage::from)
    })
}

fn transform(
    profile: &ColorProfile,
    samples: &[u8],
    from: Layout,
    to: Layout,
    width: u32,
    height: u32,
) -> Result<Vec<u8>, CmsError> {
    let transform = profile.create_transform_8bit(from, &ColorProfile::new_srgb(), to, TransformOptions::default())?;
    let mut out = vec![0; width as usize * height as usize * to.channels()];
    transform.transform(samples, &mut out)?;
    Ok(out)
}

/// The picture laid on white.
pub(super) fn on_white(picture: &RgbaImage) -> RgbImage {
    let mut out = RgbImage::new(picture.width(), picture.height());
    for (to, from) in out.pixels_mut().zip(picture.pixels()) {
        let [red, green, blue, alpha] = from.0.map(u32::from);
        // The result is at most 255; the fallback is white.
        to.0 = [red, green, blue]
            .map(|color| (color * alpha + 255 * (255 - alpha) + 127) / 255)
            .map(|color| u8::try_from(color).unwrap_or(u8::MAX));
    }
    out
}
