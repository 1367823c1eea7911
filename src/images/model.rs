//! What an image is: as stored, and as answered.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::variants::{Focus, Variant, srcset};
use crate::db::Timestamp;
use crate::db::schema::images;
use crate::error::Result;
use crate::web::Patch;
use crate::web::body::Checks;

/// An image as stored.
#[derive(Debug, Clone, Queryable, Selectable, Identifiable)]
#[diesel(table_name = images)]
pub struct ImageRow {
    /// Its id.
    pub id: i64,
    /// SHA-256 of the uploaded file, 64 hex digits.
    pub hash: String,
    /// By content, never as declared.
    pub media_type: String,
    /// Pixels, as shown (orientation applied).
    pub width: i32,
    /// Pixels, as shown.
    pub height: i32,
    /// Size of the uploaded file.
    pub bytes: i64,
    /// Whether some of it lets the background through.
    pub transparent: bool,
    /// Text for who does not see it.
    pub alt: Option<String>,
    /// Text below it.
    pub caption: Option<String>,
    /// Who made it.
    pub credit: Option<String>,
    /// The point that crops keep, 0 to 1 from the left.
    pub focal_x: f64,
    /// The point that crops keep, 0 to 1 from the top.
    pub focal_y: f64,
    /// The account that uploaded it.
    pub created_by: Option<i64>,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// ThumbHash in base64; null until it was looked at, empty where that did not work.
    pub placeholder: Option<String>,
    /// Dominant colour, `#rrggbb`; the same.
    pub color: Option<String>,
}

/// An uploaded image, with all its forms.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Image {
    /// Id of the image, for `cover_image_id`, `avatar_image_id` and `image:7` in a body.
    #[schema(example = 7, minimum = 1)]
    pub id: i64,
    /// SHA-256 of the uploaded file; the address of every variant has it.
    #[schema(
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        pattern = "^[0-9a-f]{64}$"
    )]
    pub hash: String,
    /// Width in pixels, as shown.
    #[schema(example = 4000, minimum = 1)]
    pub width: i32,
    /// Height in pixels, as shown.
    #[schema(example = 3000, minimum = 1)]
    pub height: i32,
    /// Size of the uploaded file in bytes.
    #[schema(example = 1048576, minimum = 1)]
    pub bytes: i64,
    /// Type of the uploaded file, by its content.
    #[schema(example = "image/jpeg", max_length = 50, pattern = "^image/[a-z]+$")]
    pub media_type: String,
    /// What it shows, for those who do not see it; null where nobody wrote it.
    #[schema(example = "封面", required, max_length = 1000)]
    pub alt: Option<String>,
    /// Text below it; null where nobody wrote it.
    #[schema(example = "图1", required, max_length = 1000)]
    pub caption: Option<String>,
    /// Who made it; null where nobody wrote it.
    #[schema(example = "新华社", required, max_length = 200)]
    pub credit: Option<String>,
    /// The point that crops keep.
    pub focal: Focal,
    /// A ThumbHash in base64: some 25 bytes that draw roughly what it will be while it loads. Null until it was looked at.
    #[schema(
        example = "1QcSHQRnh493V4dIh4eXh1h4kJUI",
        required,
        max_length = 100,
        pattern = "^[A-Za-z0-9+/]+={0,2}$"
    )]
    pub placeholder: Option<String>,
    /// The colour that most of it is near to. Null until it was looked at.
    #[schema(example = "#c81e1f", required, pattern = "^#[0-9a-f]{6}$")]
    pub color: Option<String>,
    /// For `srcset` of `<img>`: every width up to the original's.
    #[schema(
        example = "http://localhost:8080/media/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08/w320.webp 320w",
        pattern = "^https?://[^ ]+ [0-9]+w(, https?://[^ ]+ [0-9]+w)*$"
    )]
    pub srcset: String,
    /// For `sizes` of `<img>`.
    #[schema(example = "100vw", max_length = 50)]
    pub sizes: String,
    /// Each variant with its address, which never changes what it shows; after a new focal point crops have new ones.
    #[schema(max_items = 40)]
    pub variants: Vec<ImageVariant>,
    /// What shows it and the caller may see, at most 100; only with `include=used_by`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_items = 100)]
    pub used_by: Option<Vec<ImageUse>>,
}

/// Something that shows an image.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImageUse {
    /// `article` or `author`. New ones may come.
    #[serde(rename = "type")]
    #[schema(example = "article", format = "word article author")]
    pub kind: &'static str,
    /// Id of the article or the author.
    #[schema(example = 42, minimum = 1)]
    pub id: i64,
    /// Slug of the article or the author.
    #[schema(example = "xiao-mi-14-ping-ce", max_length = 200)]
    pub slug: String,
    /// The title of the article, the name of the author.
    #[schema(example = "小米14评测", max_length = 300)]
    pub title: String,
    /// `draft`, `scheduled`, `published` or `archived`; null of what has no status.
    #[schema(example = "published", required, format = "word draft scheduled published archived")]
    pub status: Option<&'static str>,
}

/// A point of an image, as shares of its width and height.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Focal {
    /// From the left.
    #[schema(example = 0.5, minimum = 0, maximum = 1)]
    pub x: f64,
    /// From the top.
    #[schema(example = 0.5, minimum = 0, maximum = 1)]
    pub y: f64,
}

/// One form of an image that can be loaded.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ImageVariant {
    /// Its name in addresses: the size and the format.
    #[schema(example = "w960.webp", max_length = 20, pattern = "^[a-z]+[0-9]*\\.[a-z]+$")]
    pub name: String,
    /// Where to load it; what an address shows never changes.
    #[schema(
        example = "http://localhost:8080/media/9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08/w960.webp",
        pattern = "^https?://"
    )]
    pub url: String,
    /// Width in pixels.
    #[schema(example = 960, minimum = 1)]
    pub width: i32,
    /// Height in pixels.
    #[schema(example = 720, minimum = 1)]
    pub height: i32,
    /// Its media type.
    #[schema(example = "image/webp", max_length = 50, pattern = "^image/[a-z]+$")]
    pub media_type: String,
}

impl Image {
    /// The address for `src` of `<img>`.
    pub fn default_url(&self) -> &str {
        self.srcset.split(' ').next().unwrap_or_default()
    }
}

impl ImageRow {
    /// The focal point.
    pub fn focus(&self) -> Focus {
        Focus::at(self.focal_x, self.focal_y)
    }

    /// What the addresses of crops name: the focal point, unless it is the middle, for which the bare ones stand.
    pub fn named_focus(&self) -> Option<Focus> {
        self.focus().named()
    }

    /// As answered, with addresses that begin with `origin`.
    pub fn into_image(self, origin: &str) -> Image {
        let (width, height) = (self.width.unsigned_abs(), self.height.unsigned_abs());
        let variants = Variant::offered((width, height), self.transparent, self.named_focus()).map(|variant| {
            let (width, height) = variant.size.dimensions(width, height);
            ImageVariant {
                name: variant.name(),
                url: variant.url(origin, &self.hash),
                width: i32::try_from(width).unwrap_or(i32::MAX),
                height: i32::try_from(height).unwrap_or(i32::MAX),
                media_type: variant.format.media_type().to_owned(),
            }
        });
        Image {
            id: self.id,
            variants: variants.collect(),
            srcset: srcset(origin, &self.hash, width),
            sizes: "100vw".to_owned(),
            hash: self.hash,
            width: self.width,
            height: self.height,
            bytes: self.bytes,
            media_type: self.media_type,
            alt: self.alt,
            caption: self.caption,
            credit: self.credit,
            focal: Focal {
                x: self.focal_x,
                y: self.focal_y,
            },
            placeholder: self.placeholder.filter(|text| !text.is_empty()),
            color: self.color.filter(|text| !text.is_empty()),
            used_by: None,
        }
    }
}

/// A new image.
#[derive(Debug, Insertable)]
#[diesel(table_name = images)]
pub struct NewImage {
    /// SHA-256 of the file.
    pub hash: String,
    /// By content.
    pub media_type: String,
    /// Pixels, as shown.
    pub width: i32,
    /// Pixels, as shown.
    pub height: i32,
    /// Size of the file.
    pub bytes: i64,
    /// Whether the background shows through.
    pub transparent: bool,
    /// Text for who does not see it.
    pub alt: Option<String>,
    /// Text below it.
    pub caption: Option<String>,
    /// Who made it.
    pub credit: Option<String>,
    /// Focal point from the left.
    pub focal_x: f64,
    /// Focal point from the top.
    pub focal_y: f64,
    /// Who uploaded it.
    pub created_by: Option<i64>,
    /// When.
    pub created_at: Timestamp,
    /// ThumbHash in base64.
    pub placeholder: Option<String>,
    /// Dominant colour.
    pub color: Option<String>,
}

/// A change of an image. What is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct ImagePatch {
    /// Text for who does not see it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "封面", max_length = 1000)]
    pub alt: Patch<String>,
    /// Text below it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "图1", max_length = 1000)]
    pub caption: Patch<String>,
    /// Who made it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "新华社", max_length = 200)]
    pub credit: Patch<String>,
    /// The point that crops keep, from the left; `null` is the middle.
    #[serde(default)]
    #[schema(value_type = Option<f64>, example = 0.5, minimum = 0, maximum = 1)]
    pub focal_x: Patch<f64>,
    /// The point that crops keep, from the top; `null` is the middle.
    #[serde(default)]
    #[schema(value_type = Option<f64>, example = 0.5, minimum = 0, maximum = 1)]
    pub focal_y: Patch<f64>,
}

/// An [`ImagePatch`] as columns.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = images)]
pub struct ImageChanges {
    alt: Option<Option<String>>,
    caption: Option<Option<String>>,
    credit: Option<Option<String>>,
    focal_x: Option<f64>,
    focal_y: Option<f64>,
}

impl ImagePatch {
    /// Checks every field; 422 with all that is wrong.
    pub fn check(self) -> Result<ImageChanges> {
        let mut checks = Checks::default();
        check_texts(
            &mut checks,
            self.alt.as_str(),
            self.caption.as_str(),
            self.credit.as_str(),
        );
        for (pointer, share) in [("/focal_x", &self.focal_x), ("/focal_y", &self.focal_y)] {
            if matches!(share, Patch::Value(share) if !(0.0..=1.0).contains(share)) {
                checks.wrong(pointer, "must be a number from 0 to 1");
            }
        }
        checks.finish()?;
        Ok(ImageChanges {
            alt: self.alt.change(),
            caption: self.caption.change(),
            credit: self.credit.change(),
            focal_x: self.focal_x.change().map(|share| share.unwrap_or(0.5)),
            focal_y: self.focal_y.change().map(|share| share.unwrap_or(0.5)),
        })
    }
}

/// The texts of an image, new or changed.
pub fn check_texts(checks: &mut Checks, alt: Option<&str>, caption: Option<&str>, credit: Option<&str>) {
    for (pointer, text, most) in [
        ("/alt", alt, 1000),
        ("/caption", caption, 1000),
        ("/credit", credit, 200),
    ] {
        if let Some(text) = text {
            checks.lines(pointer, text, most);
        }
    }
}

impl ImageChanges {
    /// Whether nothing is to be changed.
    pub fn is_empty(&self) -> bool {
        self.alt.is_none()
            && self.caption.is_none()
            && self.credit.is_none()
            && self.focal_x.is_none()
            && self.focal_y.is_none()
    }
}
