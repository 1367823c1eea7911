//! Queries of images.

use std::collections::HashMap;

use diesel::dsl::exists;
use diesel::prelude::*;

use super::model::{ImageChanges, ImageRow, NewImage};
use crate::db::cursor::Cursor;
use crate::db::schema::{articles, authors, image_uses, images};
use crate::db::violation::breaks_reference;
use crate::db::{DbConn, Sight, Timestamp, Tx, columns, visible_to};
use crate::error::{Code, Error, Result};

/// The images of these ids, in one statement.
pub fn load_images(conn: &mut DbConn, ids: &[i64]) -> QueryResult<HashMap<i64, ImageRow>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = images::table
        .filter(images::id.eq_any(ids.to_vec()))
        .select(ImageRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// The image of that content.
pub fn find_by_hash(conn: &mut DbConn, hash: &str) -> QueryResult<Option<ImageRow>> {
    images::table
        .filter(images::hash.eq(hash))
        .select(ImageRow::as_select())
        .first(conn)
        .optional()
}

/// One image, if `sight` sees it: everybody sees what a visible article or a by-line shows.
pub fn find_image(conn: &mut DbConn, id: i64, sight: Sight, now: Timestamp) -> QueryResult<Option<ImageRow>> {
    let Some(row) = images::table
        .find(id)
        .select(ImageRow::as_select())
        .first(conn)
        .optional()?
    else {
        return Ok(None);
    };
    if sight != Sight::Public {
        return Ok(Some(row));
    }
    let using = image_uses::table
        .filter(image_uses::image_id.eq(id))
        .select(image_uses::article_id);
    let article: Option<i64> = articles::table
        .filter(articles::id.eq_any(using))
        .filter(visible_to(sight, now))
        .select(articles::id)
        .first(conn)
        .optional()?;
    let shown = article.is_some()
        || diesel::select(exists(authors::table.filter(authors::avatar_image_id.eq(id)))).get_result::<bool>(conn)?;
    Ok(shown.then_some(row))
}

/// Whether anything but a draft shows it.
pub fn is_published(conn: &mut DbConn, id: i64) -> QueryResult<bool> {
    let using = image_uses::table
        .filter(image_uses::image_id.eq(id))
        .select(image_uses::article_id);
    let article = articles::table
        .filter(articles::id.eq_any(using))
        .filter(articles::state.ne("draft"));
    Ok(diesel::select(exists(article)).get_result::<bool>(conn)?
        || diesel::select(exists(authors::table.filter(authors::avatar_image_id.eq(id)))).get_result::<bool>(conn)?)
}

/// A part of all images, the newest first.
pub fn list_images(conn: &mut DbConn, after: Option<&Cursor>, limit: i64) -> QueryResult<Vec<ImageRow>> {
    let before = after
        .and_then(|cursor| cursor.numbers.first().copied())
        .unwrap_or(i64::MAX);
    images::table
        .filter(images::id.lt(before))
        .order(images::id.desc())
        .limit(limit)
        .select(ImageRow::as_select())
        .load(conn)
}

/// Makes an image.
pub fn insert_image(tx: &mut Tx<'_>, new: &NewImage) -> QueryResult<ImageRow> {
    diesel::insert_into(images::table)
        .values(new)
        .returning(columns::<ImageRow>())
        .get_result(tx.conn)
}

/// Changes an image.
pub fn update_image(tx: &mut Tx<'_>, id: i64, changes: &ImageChanges) -> QueryResult<ImageRow> {
    if !changes.is_empty() {
        diesel::update(images::table.find(id)).set(changes).execute(tx.conn)?;
    }
    images::table.find(id).select(ImageRow::as_select()).first(tx.conn)
}

/// Removes an image; 409 while something shows it.
pub fn delete_image(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    diesel::delete(images::table.find(id))
        .execute(tx.conn)
        .map_err(|error| {
            if breaks_reference(&error) {
                Error::new(Code::InUse)
            } else {
                error.into()
            }
        })?;
    Ok(())
}
