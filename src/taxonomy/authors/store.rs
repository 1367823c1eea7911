//! Queries of authors.

use std::collections::HashMap;

use diesel::dsl::{count_star, exists};
use diesel::prelude::*;
use diesel::result::{Error as DieselError, OptionalEmptyChangesetExtension};

use super::model::{Author, AuthorChanges, AuthorRow, ByLine, NewAuthor};
use crate::db::gathered::{Rows, by_owner, gathered, in_order};
use crate::db::schema::{article_authors, articles, authors};
use crate::db::violation::breaks_reference;
use crate::db::{DbConn, Subject, Timestamp, Tx, among, is_public};
use crate::error::{Code, Error, Result};
use crate::images::model::ImageRow;
use crate::images::store::load_images;
use crate::on_ids;
use crate::taxonomy::slug::{free_slug, slug_taken};

/// Authors by name, from the one after that name and id on.
pub fn list_authors(conn: &mut DbConn, after: Option<&(String, i64)>, limit: i64) -> QueryResult<Vec<AuthorRow>> {
    let mut query = authors::table
        .select(AuthorRow::as_select())
        .order((authors::name, authors::id))
        .limit(limit)
        .into_boxed();
    if let Some((name, id)) = after {
        query = query.filter(
            authors::name
                .ge(name)
                .and(authors::name.gt(name).or(authors::id.gt(id))),
        );
    }
    query.load(conn)
}

/// How many authors there are.
pub fn count_authors(conn: &mut DbConn) -> QueryResult<i64> {
    authors::table.count().get_result(conn)
}

/// An author; 404 if there is none.
pub fn find_author(conn: &mut DbConn, id: i64) -> Result<AuthorRow> {
    let row = authors::table.find(id).select(AuthorRow::as_select()).first(conn);
    row.optional()?.ok_or_else(Error::not_found)
}

/// The author of a slug; 404 if there is none.
pub fn find_author_by_slug(conn: &mut DbConn, slug: &str) -> Result<AuthorRow> {
    let row = authors::table
        .filter(authors::slug.eq(slug))
        .select(AuthorRow::as_select())
        .first(conn);
    row.optional()?.ok_or_else(Error::not_found)
}

/// Authors as they are answered, with their pictures and counts: two statements for all of them.
pub fn show_authors(conn: &mut DbConn, now: Timestamp, rows: Vec<AuthorRow>, origin: &str) -> Result<Vec<Author>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let avatars = load_avatars(conn, rows.iter())?;
    // Not by a join: SQLite would walk all articles, and look up each of the authors for each of them.
    let public = articles::table
        .filter(articles::id.eq(article_authors::article_id))
        .filter(is_public(now));
    let counts: Vec<(i64, i64)> = article_authors::table
        .filter(among(article_authors::author_id, &ids))
        .filter(exists(public))
        .group_by(article_authors::author_id)
        .select((article_authors::author_id, count_star()))
        .load(conn)?;
    let counts: HashMap<i64, i64> = counts.into_iter().collect();
    rows.into_iter()
        .map(|row| {
            let avatar = avatar_of(&row, &avatars);
            let count = counts.get(&row.id).copied().unwrap_or_default();
            row.into_author(avatar, count, origin)
        })
        .collect()
}

/// The by-lines of articles, in the order that each article has them in; one statement.
pub fn load_by_lines(conn: &mut DbConn, article_ids: &[i64]) -> QueryResult<HashMap<i64, Vec<ByLine>>> {
    if article_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let by_line = article_authors::table.inner_join(authors::table);
    let rows: Vec<(i64, i32, ByLine)> = on_ids!(conn, article_authors::article_id, article_ids, |c, named| {
        by_line
            .filter(named)
            .select((
                article_authors::article_id,
                article_authors::position,
                ByLine::as_select(),
            ))
            .load(c)
    })?;
    Ok(by_owner(rows, |by_line| by_line.id))
}

/// The by-lines of the article whose row is selected, as one value of it.
#[diesel::dsl::auto_type(no_type_alias)]
pub fn gathered_by_lines() -> _ {
    article_authors::table
        .inner_join(authors::table)
        .filter(article_authors::article_id.eq(articles::id))
        .select(gathered((
            article_authors::position,
            authors::id,
            authors::slug,
            authors::name,
            authors::bio,
            authors::avatar_image_id,
        )))
        .single_value()
}

/// What [`gathered_by_lines`] finds.
pub type GatheredByLines = Rows<(i32, i64, String, String, Option<String>, Option<i64>)>;

/// Them, in the order that the article has them in.
pub fn by_lines_of_rows(Rows(rows): GatheredByLines) -> Vec<ByLine> {
    let by_line = |(position, id, slug, name, bio, avatar_image_id)| {
        let by_line = ByLine {
            id,
            slug,
            name,
            bio,
            avatar_image_id,
        };
        (position, by_line)
    };
    in_order(rows.into_iter().map(by_line).collect(), |by_line| by_line.id)
}

fn load_avatars<'a>(
    conn: &mut DbConn,
    rows: impl Iterator<Item = &'a AuthorRow>,
) -> QueryResult<HashMap<i64, ImageRow>> {
    let mut ids: Vec<i64> = rows.filter_map(|row| row.avatar_image_id).collect();
    ids.sort_unstable();
    ids.dedup();
    load_images(conn, &ids)
}

fn avatar_of(row: &AuthorRow, avatars: &HashMap<i64, ImageRow>) -> Option<ImageRow> {
    row.avatar_image_id.and_then(|id| avatars.get(&id).cloned())
}

/// Makes an author; returns their id.
pub fn insert_author(tx: &mut Tx<'_>, new: &NewAuthor) -> Result<i64> {
    // A slug that is free is not to be taken before it is written.
    tx.lock_name("authors")?;
    let slug = match &new.slug {
        Some(slug) => slug.clone(),
        None => free_slug(tx.conn, "authors", &new.name)?,
    };
    tx.touch(Subject::Authors);
    diesel::insert_into(authors::table)
        .values((
            authors::slug.eq(slug),
            authors::name.eq(&new.name),
            authors::bio.eq(&new.bio),
            authors::avatar_image_id.eq(new.avatar_image_id),
            authors::links.eq(&new.links),
        ))
        .returning(authors::id)
        .get_result(tx.conn)
        .map_err(refused)
}

/// Changes an author; 404 if there is none.
pub fn update_author(tx: &mut Tx<'_>, id: i64, changes: &AuthorChanges) -> Result<()> {
    tx.lock_name("authors")?;
    diesel::update(authors::table.find(id))
        .set(changes)
        .execute(tx.conn)
        .optional_empty_changeset()
        .map_err(refused)?;
    tx.touch(Subject::Author(id));
    Ok(())
}

/// Removes an author; 404 if there is none, 409 while an article has their by-line.
pub fn delete_author(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    match diesel::delete(authors::table.find(id)).execute(tx.conn) {
        Ok(0) => Err(Error::not_found()),
        Ok(_) => {
            tx.touch(Subject::Author(id));
            Ok(())
        }
        Err(error) if breaks_reference(&error) => Err(Error::new(Code::InUse)),
        Err(error) => Err(error.into()),
    }
}

/// What a write of an author was refused for.
fn refused(error: DieselError) -> Error {
    if breaks_reference(&error) {
        // An author refers to nothing else.
        return Error::at_field(Code::InvalidField, "/avatar_image_id", "there is no such image");
    }
    slug_taken(error, "authors")
}
