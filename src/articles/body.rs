//! Bodies: rendered once, when they are written, and kept one row a form. What may change later, the pictures, stands
//! in them as places and is filled in when they are read.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;
use serde_json::value::{RawValue, to_raw_value};

use super::model::{Body, BodyFormat, BodySource};
use crate::db::schema::article_bodies;
use crate::db::{DbConn, LongText};
use crate::error::{Error, Result};
use crate::images::model::Image;
use crate::text::render::{self, Picture, Place, Rendered};
use crate::{on_backend, on_ids};

#[derive(Insertable)]
#[diesel(table_name = article_bodies)]
struct NewBody<'a> {
    article_id: i64,
    format: BodyFormat,
    renderer: i32,
    content: &'a str,
}

/// Keeps what the author wrote and what was made of it, in place of what was there.
pub fn save_body(conn: &mut DbConn, article_id: i64, source: &str, rendered: &Rendered) -> QueryResult<()> {
    diesel::delete(article_bodies::table.filter(article_bodies::article_id.eq(article_id))).execute(conn)?;
    let row = |format, content| NewBody {
        article_id,
        format,
        renderer: render::VERSION,
        content,
    };
    let rows = [
        row(BodyFormat::Source, source),
        row(BodyFormat::Html, rendered.html.as_str()),
        row(BodyFormat::Markdown, &rendered.markdown),
        row(BodyFormat::Text, &rendered.text),
        row(BodyFormat::Blocks, &rendered.blocks),
    ];
    on_backend!(conn, |c| diesel::insert_into(article_bodies::table)
        .values(&rows[..])
        .execute(c))?;
    Ok(())
}

/// The stored bodies of these articles in one form, in one statement.
pub fn load_bodies(conn: &mut DbConn, ids: &[i64], format: BodyFormat) -> QueryResult<HashMap<i64, String>> {
    let stored = article_bodies::table
        .filter(article_bodies::format.eq(format.as_str()))
        .select((article_bodies::article_id, article_bodies::content));
    let rows: Vec<(i64, LongText)> = on_ids!(conn, article_bodies::article_id, ids, |c, named| {
        stored.filter(named).load(c)
    })?;
    Ok(rows.into_iter().map(|(id, LongText(text))| (id, text)).collect())
}

/// The pictures that a stored form shows. What the author wrote may look as if it had places, and has none.
pub fn images_in(stored: &str, format: BodyFormat) -> BTreeSet<i64> {
    match format {
        BodyFormat::Source | BodyFormat::Text => BTreeSet::new(),
        BodyFormat::Html | BodyFormat::Markdown | BodyFormat::Blocks => {
            render::places(stored).map(|place| place.id).collect()
        }
    }
}

/// The stored form as it is answered.
pub fn fill_body(stored: String, format: BodyFormat, source: BodySource, images: &HashMap<i64, Image>) -> Result<Body> {
    let mut body = Body {
        format: format.as_str(),
        source_format: source.as_str(),
        images: images_in(&stored, format).into_iter().collect(),
        ..Body::default()
    };
    let filled = |stored, write: fn(&Place, &Picture<'_>, &mut String)| {
        render::fill(stored, |place, out| {
            if let Some(image) = images.get(&place.id) {
                write(place, &picture(image), out);
            }
        })
    };
    match format {
        BodyFormat::Html => body.html = Some(filled(stored, render::figure_html)),
        BodyFormat::Markdown => body.markdown = Some(filled(stored, render::image_markdown)),
        BodyFormat::Text => body.text = Some(stored),
        BodyFormat::Source => body.source = Some(stored),
        BodyFormat::Blocks => {
            let mut failed = None;
            let json = render::fill(stored, |place, out| {
                if let Err(error) = write_block(place, images, out) {
                    failed = Some(error);
                }
            });
            if let Some(error) = failed {
                return Err(error);
            }
            body.blocks = Some(RawValue::from_string(json).map_err(Error::internal)?);
        }
    }
    Ok(body)
}

fn write_block(place: &Place, images: &HashMap<i64, Image>, out: &mut String) -> Result<()> {
    let image = images
        .get(&place.id)
        .ok_or_else(|| Error::internal(format!("a body shows image {}, which is not there", place.id)))?;
    let json = to_raw_value(image).map_err(Error::internal)?;
    render::image_block(place, json, image.alt.as_deref(), image.caption.as_deref(), out);
    Ok(())
}

fn picture(image: &Image) -> Picture<'_> {
    Picture {
        src: image.default_url(),
        srcset: &image.srcset,
        sizes: &image.sizes,
        width: u32::try_from(image.width).unwrap_or_default(),
        height: u32::try_from(image.height).unwrap_or_default(),
        alt: image.alt.as_deref(),
        caption: image.caption.as_deref(),
        credit: image.credit.as_deref(),
    }
}
