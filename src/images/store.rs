//! Queries of images.

use std::collections::HashMap;

use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::model::{ImageChanges, ImageRow, ImageUse, NewImage};
use crate::db::cursor::Cursor;
use crate::db::schema::{articles, authors, image_uses, images};
use crate::db::violation::breaks_reference;
use crate::db::{DbConn, Sight, Subject, Timestamp, Tx, columns, visible_of_few};
use crate::error::{Code, Error, Result};
use crate::on_ids;

/// How many uses of an image are named.
const MOST_USES: i64 = 100;

/// The images of these ids, in one statement.
pub fn load_images(conn: &mut DbConn, ids: &[i64]) -> QueryResult<HashMap<i64, ImageRow>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<ImageRow> = on_ids!(conn, images::id, ids, |c, named| {
        images::table.filter(named).select(ImageRow::as_select()).load(c)
    })?;
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
        .filter(visible_of_few(sight, now))
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

/// A part of all images, the newest first: those that something shows, those that nothing shows, or both.
pub fn list_images(
    conn: &mut DbConn,
    used: Option<bool>,
    after: Option<&Cursor>,
    limit: i64,
) -> QueryResult<Vec<ImageRow>> {
    let before = after
        .and_then(|cursor| cursor.numbers.first().copied())
        .unwrap_or(i64::MAX);
    let mut query = images::table
        .filter(images::id.lt(before))
        .order(images::id.desc())
        .limit(limit)
        .select(ImageRow::as_select())
        .into_boxed();
    let in_article = || exists(image_uses::table.filter(image_uses::image_id.eq(images::id)));
    let in_by_line = || exists(authors::table.filter(authors::avatar_image_id.eq(images::id.nullable())));
    match used {
        Some(true) => query = query.filter(in_article().or(in_by_line())),
        Some(false) => query = query.filter(not(in_article()).and(not(in_by_line()))),
        None => {}
    }
    query.load(conn)
}

/// What shows an image, as far as `sight` sees it: articles, the newest first, then by-lines.
pub fn load_uses(conn: &mut DbConn, id: i64, sight: Sight, now: Timestamp) -> QueryResult<Vec<ImageUse>> {
    let using = image_uses::table
        .filter(image_uses::image_id.eq(id))
        .select(image_uses::article_id);
    let rows: Vec<(i64, String, String, String, Timestamp)> = articles::table
        .filter(articles::id.eq_any(using))
        .filter(visible_of_few(sight, now))
        .order((articles::listed_at.desc(), articles::id.desc()))
        .limit(MOST_USES)
        .select((
            articles::id,
            articles::slug,
            articles::title,
            articles::state,
            articles::listed_at,
        ))
        .load(conn)?;
    let shown = rows.into_iter().map(|(id, slug, title, state, listed_at)| ImageUse {
        kind: "article",
        id,
        slug,
        title,
        status: Some(match state.as_str() {
            "draft" => "draft",
            "archived" => "archived",
            _ if listed_at > now => "scheduled",
            _ => "published",
        }),
    });
    let mut uses: Vec<ImageUse> = shown.collect();
    let rows: Vec<(i64, String, String)> = authors::table
        .filter(authors::avatar_image_id.eq(id))
        .order(authors::id)
        .limit(MOST_USES - i64::try_from(uses.len()).unwrap_or(MOST_USES))
        .select((authors::id, authors::slug, authors::name))
        .load(conn)?;
    uses.extend(rows.into_iter().map(|(id, slug, title)| ImageUse {
        kind: "author",
        id,
        slug,
        title,
        status: None,
    }));
    Ok(uses)
}

/// Images that nobody has looked at yet, as id and hash, the newest before that id first.
pub fn list_unseen(conn: &mut DbConn, before: i64, limit: i64) -> QueryResult<Vec<(i64, String)>> {
    images::table
        .filter(images::placeholder.is_null().and(images::id.lt(before)))
        .order(images::id.desc())
        .limit(limit)
        .select((images::id, images::hash))
        .load(conn)
}

/// Notes what an image looks like.
pub fn set_look(tx: &mut Tx<'_>, id: i64, placeholder: &str, color: &str) -> QueryResult<()> {
    diesel::update(images::table.find(id))
        .set((images::placeholder.eq(placeholder), images::color.eq(color)))
        .execute(tx.conn)?;
    tx.touch(Subject::Image(id));
    Ok(())
}

/// Every image from the one after that id on, as id, hash and size.
pub fn list_files(conn: &mut DbConn, after: i64, limit: i64) -> QueryResult<Vec<(i64, String, i64)>> {
    images::table
        .filter(images::id.gt(after))
        .order(images::id)
        .limit(limit)
        .select((images::id, images::hash, images::bytes))
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
        tx.touch(Subject::Image(id));
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
    tx.touch(Subject::Image(id));
    Ok(())
}
