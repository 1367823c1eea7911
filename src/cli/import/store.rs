//! From what a file says to what is stored, and whether that differs.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;

use super::article::Ready;
use crate::articles::ArticleFields;
use crate::articles::body::load_bodies;
use crate::articles::model::{ArticleRow, BodyFormat, BodySource, State, Status};
use crate::articles::prepared::Prepared;
use crate::articles::store::{find_by_external_id, load_former_slugs, slug_is_taken};
use crate::articles::write;
use crate::auth::Viewer;
use crate::auth::viewer::Scope;
use crate::db::schema::authors;
use crate::db::{Db, DbConn, Tx};
use crate::error::Result;
use crate::taxonomy::authors::model::AuthorCreate;
use crate::taxonomy::authors::store::{insert_author, load_by_lines};
use crate::taxonomy::categories::model::CategoryCreate;
use crate::taxonomy::categories::store::{insert_category, load_tree};
use crate::taxonomy::listed::hold_tree;
use crate::taxonomy::tags::store::load_tags_of;
use crate::text::normalise::fold_name;
use crate::web::{IfMatch, Patch};

/// Who imports: may do what an editor may, and is no account.
const IMPORTER: Viewer = Viewer::Key {
    id: 0,
    scope: Scope::Write,
};

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An article was made.
    New,
    /// The article was changed.
    Changed,
    /// The article says that already.
    Unchanged,
}

/// Writes an article under its external id, in one transaction, unless it is stored like that already. What files say
/// nothing of (`featured`, `seo`, `metadata`, `source`, an archived article's status) stays. The notes say what could not be
/// taken over.
pub async fn save(db: &Db, external_id: String, ready: Ready) -> Result<(Outcome, Vec<String>)> {
    let (id, asked) = (external_id.clone(), ready.clone());
    let same = db
        .read(move |read| match find_by_external_id(read.conn, &id)? {
            Some(row) => is_stored(read.conn, &row, &asked),
            None => Ok(false),
        })
        .await?;
    if same {
        return Ok((Outcome::Unchanged, Vec::new()));
    }
    let mut fields = fields(&ready, &external_id);
    fields.check(true)?;
    let body = Prepared::for_new(&mut fields);
    // `update` wants to know that the language was named.
    fields.body_format = Patch::Value(BodySource::Markdown);
    db.write(move |tx| write(tx, &external_id, &ready, fields, &body)).await
}

/// The fields that follow from the file alone.
fn fields(ready: &Ready, external_id: &str) -> ArticleFields {
    let post = &ready.post;
    ArticleFields {
        title: Patch::Value(ready.title.clone()),
        body: Patch::Value(ready.source.clone()),
        body_format: Patch::Value(BodySource::Markdown),
        summary: or_null(post.summary.clone()),
        status: Patch::Value(if post.draft { Status::Draft } else { Status::Published }),
        published_at: or_absent(post.date),
        tags: Patch::Value(post.tags.clone()),
        cover_image_id: or_null(ready.cover),
        locale: or_absent(post.locale.clone()),
        external_id: Patch::Value(external_id.to_owned()),
        ..ArticleFields::default()
    }
}

fn or_null<T>(value: Option<T>) -> Patch<T> {
    value.map_or(Patch::Null, Patch::Value)
}

fn or_absent<T>(value: Option<T>) -> Patch<T> {
    value.map_or(Patch::Absent, Patch::Value)
}

fn write(
    tx: &mut Tx<'_>,
    external_id: &str,
    ready: &Ready,
    mut fields: ArticleFields,
    body: &Prepared,
) -> Result<(Outcome, Vec<String>)> {
    let post = &ready.post;
    let mut notes = Vec::new();
    fields.category_id = or_null(ensure_category(tx, &post.category)?);
    // Before authors are held, and after a category was made, which takes the lock alone.
    hold_tree(tx)?;
    fields.author_ids = Patch::Value(ensure_authors(tx, &post.authors)?);
    tx.lock_name("external_ids")?;
    let row = write::held_by_external_id(tx, external_id)?;
    let id = row.as_ref().map(|row| row.id);
    tx.lock_name("slugs")?;
    if let Some(slug) = &post.slug {
        if slug_is_taken(tx.conn, slug, id)? {
            notes.push(format!(
                "the slug {slug:?} belongs, or once belonged, to another article"
            ));
        } else {
            fields.slug = Patch::Value(slug.clone());
        }
    }
    let mut former: BTreeSet<String> = BTreeSet::new();
    for slug in &post.former_slugs {
        if slug_is_taken(tx.conn, slug, id)? {
            notes.push(format!(
                "the former slug {slug:?} belongs, or once belonged, to another article"
            ));
        } else {
            former.insert(slug.clone());
        }
    }
    match row {
        Some(row) => {
            if !former.is_empty() {
                former.extend(load_former_slugs(tx.conn, row.id)?);
                fields.former_slugs = Patch::Value(former.into_iter().collect());
            }
            if row.values.state == State::Archived && !post.draft {
                fields.status = Patch::Absent;
            }
            write::update(tx, &IMPORTER, row.id, &IfMatch::Any, fields, Some(body), None)?;
            Ok((Outcome::Changed, notes))
        }
        None => {
            fields.former_slugs = Patch::Value(former.into_iter().collect());
            fields.created_at = or_absent(post.date.filter(|date| *date <= tx.now));
            write::create(tx, &IMPORTER, fields, body)?;
            Ok((Outcome::New, notes))
        }
    }
}

/// Whether the stored article says what the file says.
fn is_stored(conn: &mut DbConn, row: &ArticleRow, ready: &Ready) -> Result<bool> {
    let (post, stored) = (&ready.post, &row.values);
    let state = match stored.state {
        State::Draft => post.draft,
        State::Published | State::Archived => !post.draft,
    };
    let own = state
        && stored.title == ready.title.trim()
        && stored.summary == post.summary
        && stored.cover_image_id == ready.cover
        && stored.source_format == BodySource::Markdown
        && post.date.is_none_or(|date| stored.published_at == Some(date))
        && post.locale.as_ref().is_none_or(|locale| stored.locale == *locale);
    if !own {
        return Ok(false);
    }
    let category = match post.category.is_empty() {
        true => stored.category_id.is_none(),
        false => stored.category_id.is_some() && stored.category_id == find_category(conn, &post.category)?,
    };
    if !category || !slugs_are_stored(conn, row, post.slug.as_deref(), &post.former_slugs)? {
        return Ok(false);
    }
    let tags = load_tags_of(conn, &[row.id])?.remove(&row.id).unwrap_or_default();
    let names = load_by_lines(conn, &[row.id])?.remove(&row.id).unwrap_or_default();
    let same = tags
        .iter()
        .map(|tag| fold_name(&tag.name))
        .eq(post.tags.iter().map(|name| fold_name(name)))
        && names
            .iter()
            .map(|by_line| by_line.name.as_str())
            .eq(post.authors.iter().map(String::as_str));
    if !same {
        return Ok(false);
    }
    let source = load_bodies(conn, &[row.id], BodyFormat::Source)?.remove(&row.id);
    Ok(source.as_deref() == Some(ready.source.as_str()))
}

/// Whether the slugs are the article's, but for those that others have.
fn slugs_are_stored(conn: &mut DbConn, row: &ArticleRow, slug: Option<&str>, former: &[String]) -> Result<bool> {
    if let Some(slug) = slug
        && row.values.slug != slug
        && !slug_is_taken(conn, slug, Some(row.id))?
    {
        return Ok(false);
    }
    if former.is_empty() {
        return Ok(true);
    }
    let stored = load_former_slugs(conn, row.id)?;
    for slug in former {
        if *slug != row.values.slug && !stored.contains(slug) && !slug_is_taken(conn, slug, Some(row.id))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The category at the end of a path of names or slugs.
fn find_category(conn: &mut DbConn, path: &[String]) -> QueryResult<Option<i64>> {
    let (found, rest) = follow(conn, path)?;
    Ok(found.filter(|_| rest.is_empty()))
}

/// How far a path of names or slugs leads, and what of it is not there.
fn follow<'a>(conn: &mut DbConn, path: &'a [String]) -> QueryResult<(Option<i64>, &'a [String])> {
    let categories = load_tree(conn)?.categories(&HashMap::new());
    let mut above = None;
    let mut rest = path;
    while let Some((name, below)) = rest.split_first() {
        let key = fold_name(name);
        let here = || categories.iter().filter(|category| category.parent_id == above);
        let by_name = here().find(|category| fold_name(&category.name) == key);
        let Some(category) = by_name.or_else(|| here().find(|category| category.slug == *name)) else {
            break;
        };
        above = Some(category.id);
        rest = below;
    }
    Ok((above, rest))
}

/// The category at the end of a path; what is missing of it is made.
fn ensure_category(tx: &mut Tx<'_>, path: &[String]) -> Result<Option<i64>> {
    let (mut above, mut missing) = follow(tx.conn, path)?;
    if !missing.is_empty() {
        // Two that miss the same one at once: the second finds what the first made.
        tx.lock_name("imported_categories")?;
        (above, missing) = follow(tx.conn, path)?;
    }
    for name in missing {
        let new = CategoryCreate {
            name: name.clone(),
            slug: None,
            description: None,
            parent_id: above,
            position: None,
        };
        above = Some(insert_category(tx, &new.check()?)?);
    }
    Ok(above)
}

/// The authors of these names, in their order; who is missing is made.
fn ensure_authors(tx: &mut Tx<'_>, names: &[String]) -> Result<Vec<i64>> {
    let mut ids = Vec::with_capacity(names.len());
    for name in names {
        let mut found = find_author(tx.conn, name)?;
        if found.is_none() {
            tx.lock_name("authors")?;
            found = find_author(tx.conn, name)?;
        }
        let id = match found {
            Some(id) => id,
            None => {
                let new = AuthorCreate {
                    name: name.clone(),
                    slug: None,
                    bio: None,
                    avatar_image_id: None,
                    links: None,
                };
                insert_author(tx, &new.check()?)?
            }
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Of several who share a name, the first.
fn find_author(conn: &mut DbConn, name: &str) -> QueryResult<Option<i64>> {
    authors::table
        .filter(authors::name.eq(name))
        .order(authors::id)
        .select(authors::id)
        .first(conn)
        .optional()
}
