//! How articles are written: who may, what follows from what, and everything that is written with them in one
//! transaction (body, tags, by-lines, uses of pictures, slugs, the search index).

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::body::{images_in, load_bodies, save_body};
use super::input::ArticleFields;
use super::listed::Facts;
use super::model::{ArticleRow, ArticleValues, BodyFormat, State, Status};
use super::prepared::{Analysed, Prepared, Said, says_else};
use super::searched::{put_entry, put_facts};
use super::shown::{Name, Shown, find_shown};
use super::slugs::{set_former_slugs, set_slug};
use super::store;
use crate::auth::Viewer;
use crate::db::schema::{authors, categories};
use crate::db::{Numbers, Sight, Subject, Timestamp, Tx};
use crate::error::{Code, Error, Result};
use crate::images::store::load_images;
use crate::index;
use crate::site::store::find_site;
use crate::taxonomy::listed::{hold_tree, relist};
use crate::taxonomy::tags::store::ensure_tags;
use crate::text::summary::reading_minutes;
use crate::web::{IfMatch, Patch};

/// What happened to an article.
pub struct Written {
    /// Which one it is.
    pub id: i64,
    /// Whether it was made.
    pub created: bool,
    /// What it is now, with its body as HTML.
    pub(super) shown: Shown,
    pub(super) numbers: Numbers,
}

/// Makes an article.
pub fn create(tx: &mut Tx<'_>, viewer: &Viewer, fields: ArticleFields, body: &Prepared) -> Result<Written> {
    // First of all that is held: whoever changes a category has that lock alone, and may wait for any other.
    hold_tree(tx)?;
    if !viewer.may_publish() {
        fields.forbid_publisher_fields()?;
    }
    let values = ArticleValues {
        slug: String::new(),
        title: String::new(),
        summary: None,
        derived_summary: String::new(),
        state: State::Draft,
        published_at: None,
        listed_at: tx.now,
        created_at: tx.now,
        updated_at: tx.now,
        version: 0,
        category_id: None,
        cover_image_id: None,
        locale: find_site(tx.conn)?.locale,
        featured: false,
        word_count: 0,
        reading_minutes: 1,
        source_name: None,
        source_url: None,
        seo_title: None,
        seo_description: None,
        external_id: None,
        metadata: "{}".to_owned(),
        source_format: body.format,
        created_by: viewer.user_id(),
    };
    apply(tx, None, values, fields, Some(body), Some(body.said()))
}

/// The article as the viewer may edit it: 404 if they do not see it, 403 if they only see it.
pub fn editable(tx: &mut Tx<'_>, viewer: &Viewer, id: i64) -> Result<ArticleRow> {
    let row = store::find_to_edit(tx, id, viewer.sight())?.ok_or_else(Error::not_found)?;
    check_rights(viewer, &row)?;
    Ok(row)
}

/// Editors edit everything, contributors their own drafts.
pub fn check_rights(viewer: &Viewer, row: &ArticleRow) -> Result<()> {
    let own_draft =
        viewer.user_id().is_some() && viewer.user_id() == row.values.created_by && row.values.state == State::Draft;
    viewer.require(viewer.may_publish() || own_draft)
}

/// Changes an article.
pub fn update(
    tx: &mut Tx<'_>,
    viewer: &Viewer,
    id: i64,
    if_match: &IfMatch,
    fields: ArticleFields,
    body: Option<&Prepared>,
    analysed: Option<&Analysed>,
) -> Result<Written> {
    hold_tree(tx)?;
    let row = editable(tx, viewer, id)?;
    if_match.check(row.values.version)?;
    if !viewer.may_publish() {
        fields.forbid_publisher_fields()?;
    }
    if body.is_none() && fields == ArticleFields::default() {
        let (shown, numbers) = find_written(tx, id, Some(BodyFormat::Html))?;
        return Ok(Written {
            id,
            created: false,
            shown,
            numbers,
        });
    }
    let mut fields = fields;
    if let Patch::Value(change) = &fields.metadata {
        fields.metadata = Patch::Value(change.merged_into(&row.values.metadata)?);
    }
    let named = fields.body_format.is_given();
    if let Some(body) = body
        && !named
        && body.format != row.values.source_format
    {
        // Somebody changed the language between the rendering and now; only `If-Match: *` comes here.
        return Err(Error {
            current_version: Some(row.values.version),
            ..Error::new(Code::VersionMismatch)
        });
    }
    let said = match body {
        Some(body) => Some(body.said()),
        None => analysed.and_then(|analysed| analysed.said(row.values.version)),
    };
    apply(tx, Some(id), row.values, fields, body, said)
}

/// The article of an external id, held against other writers; in this order, row before slugs, as everybody does.
pub fn held_by_external_id(tx: &mut Tx<'_>, external_id: &str) -> Result<Option<ArticleRow>> {
    let Some(row) = store::find_by_external_id(tx.conn, external_id)? else {
        return Ok(None);
    };
    tx.lock_row_to_edit("articles", row.id)?;
    Ok(store::find_by_external_id(tx.conn, external_id)?)
}

/// Makes the article of an external id, or replaces it: what is absent takes its default, but the slug stays.
pub fn put(
    tx: &mut Tx<'_>,
    viewer: &Viewer,
    external_id: String,
    mut fields: ArticleFields,
    body: &Prepared,
) -> Result<Written> {
    hold_tree(tx)?;
    // Two that make the same one at once: the second replaces what the first made.
    tx.lock_name("external_ids")?;
    let Some(row) = held_by_external_id(tx, &external_id)? else {
        fields.external_id = Patch::Value(external_id);
        return create(tx, viewer, fields, body);
    };
    let ArticleRow { id, values: old } = row;
    let values = ArticleValues {
        summary: None,
        state: State::Draft,
        published_at: None,
        category_id: None,
        cover_image_id: None,
        locale: find_site(tx.conn)?.locale,
        featured: false,
        source_name: None,
        source_url: None,
        seo_title: None,
        seo_description: None,
        metadata: "{}".to_owned(),
        ..old
    };
    fields.external_id = Patch::Value(external_id);
    if !fields.tags.is_given() {
        fields.tags = Patch::Null;
    }
    if !fields.author_ids.is_given() {
        fields.author_ids = Patch::Null;
    }
    let written = apply(tx, Some(id), values, fields, Some(body), Some(body.said()))?;
    // What it was before is not what `apply` was given.
    tx.touch(Subject::Article(id));
    tx.touch(Subject::Listing);
    relist(tx, id)?;
    Ok(written)
}

/// Removes an article.
pub fn delete(tx: &mut Tx<'_>, viewer: &Viewer, id: i64, if_match: &IfMatch) -> Result<()> {
    hold_tree(tx)?;
    let row = editable(tx, viewer, id)?;
    if_match.check(row.values.version)?;
    index::remove(tx.conn, id)?;
    store::delete_article(tx, id)?;
    if row.values.state == State::Published {
        tx.touch(Subject::Article(id));
        tx.touch(Subject::Listing);
    }
    Ok(())
}

/// Sets the fields and writes everything. Without an id the article is new.
fn apply(
    tx: &mut Tx<'_>,
    id: Option<i64>,
    mut values: ArticleValues,
    fields: ArticleFields,
    body: Option<&Prepared>,
    said: Option<Said<'_>>,
) -> Result<Written> {
    let old_slug = id.map(|_| values.slug.clone());
    let id_is_new = id.is_none();
    let says_else = body.is_some() || says_else(&fields);
    let was_published = values.state == State::Published;
    let listed_before = Facts::of(&values);
    set_fields(&mut values, &fields);
    set_status(&mut values, &fields, tx.now)?;
    check_references(tx, &fields)?;
    set_slug(tx, id, &mut values, &fields)?;
    if let Some(body) = body {
        values.source_format = body.format;
        values.word_count = body.words;
        values.reading_minutes = reading_minutes(body.words);
        values.derived_summary.clone_from(&body.summary);
    }
    values.listed_at = values.published_at.unwrap_or(values.created_at);
    values.updated_at = match (values.state, values.published_at) {
        (State::Published, Some(published)) => published.max(tx.now),
        _ => tx.now,
    };
    values.version += 1;

    let views = fields.initial_view_count.clone().value();
    let id = match id {
        Some(id) => {
            store::update_article(tx, id, &values)?;
            if let Some(views) = views {
                store::raise_view_count(tx, id, views)?;
            }
            id
        }
        None => store::insert_article(tx, &values, views.unwrap_or(0))?,
    };
    set_former_slugs(tx, id, old_slug.as_deref(), &values.slug, fields.former_slugs)?;
    let tags_change = fields.tags.is_given();
    let lists_change = id_is_new || tags_change || fields.author_ids.is_given() || listed_before != Facts::of(&values);
    match fields.tags {
        Patch::Absent => {}
        Patch::Null => store::set_tags(tx, id, &[])?,
        Patch::Value(names) => {
            let tags = ensure_tags(tx, &names)?;
            store::set_tags(tx, id, &tags)?;
        }
    }
    match fields.author_ids {
        Patch::Absent => {}
        Patch::Null => store::set_authors(tx, id, &[])?,
        Patch::Value(ids) => {
            check_authors(tx, &ids)?;
            store::set_authors(tx, id, &ids)?;
        }
    }
    if let Some(body) = body {
        save_body(tx.conn, id, &body.source, &body.rendered)?;
    }
    if body.is_some() || fields.cover_image_id.is_given() {
        set_images(tx, id, values.cover_image_id, body)?;
    }
    let is_published = values.state == State::Published;
    if was_published || is_published {
        tx.touch(Subject::Article(id));
        if lists_change {
            tx.touch(Subject::Listing);
        }
    }
    if lists_change && (was_published || is_published) {
        relist(tx, id)?;
    }
    let is_hidden = !is_published || values.listed_at > tx.now;
    let format = body.is_none().then_some(BodyFormat::Html);
    let (mut shown, numbers) = find_written(tx, id, format)?;
    if let Some(body) = body {
        shown.body = Some(body.rendered.html.as_str().to_owned());
    }
    let row = ArticleRow { id, values };
    if says_else || was_published != is_published {
        put_entry(tx.conn, row, &shown.around, said, id_is_new)?;
    } else {
        put_facts(tx.conn, row, &shown.around)?;
    }
    // Last, since views of it wait from here on.
    if is_hidden && !id_is_new {
        store::hide_from_views(tx, id)?;
    }
    Ok(Written {
        id,
        created: id_is_new,
        shown,
        numbers,
    })
}

/// The article as it is shown to who has written it.
fn find_written(tx: &mut Tx<'_>, id: i64, body: Option<BodyFormat>) -> Result<(Shown, Numbers)> {
    find_shown(tx.conn, tx.now, Name::Id(id), Sight::All, body)?.ok_or_else(Error::not_found)
}

fn set_fields(values: &mut ArticleValues, fields: &ArticleFields) {
    fn set<T: Clone>(to: &mut T, from: &Patch<T>) {
        if let Patch::Value(value) = from {
            to.clone_from(value);
        }
    }
    fn set_nullable<T: Clone>(to: &mut Option<T>, from: &Patch<T>) {
        if let Some(change) = from.clone().change() {
            *to = change;
        }
    }
    set(&mut values.title, &fields.title);
    values.title = values.title.trim().to_owned();
    set_nullable(&mut values.summary, &fields.summary);
    set_nullable(&mut values.category_id, &fields.category_id);
    set_nullable(&mut values.cover_image_id, &fields.cover_image_id);
    set(&mut values.locale, &fields.locale);
    set(&mut values.featured, &fields.featured);
    set_nullable(&mut values.external_id, &fields.external_id);
    set(&mut values.created_at, &fields.created_at);
    match &fields.source {
        Patch::Absent => {}
        Patch::Null => (values.source_name, values.source_url) = (None, None),
        Patch::Value(source) => {
            set_nullable(&mut values.source_name, &source.name);
            set_nullable(&mut values.source_url, &source.url);
        }
    }
    match &fields.seo {
        Patch::Absent => {}
        Patch::Null => (values.seo_title, values.seo_description) = (None, None),
        Patch::Value(seo) => {
            set_nullable(&mut values.seo_title, &seo.title);
            set_nullable(&mut values.seo_description, &seo.description);
        }
    }
    match &fields.metadata {
        Patch::Absent => {}
        Patch::Null => values.metadata = "{}".to_owned(),
        Patch::Value(metadata) => values.metadata.clone_from(&metadata.0),
    }
}

/// Status and time of publication, which belong together.
fn set_status(values: &mut ArticleValues, fields: &ArticleFields, now: Timestamp) -> Result<()> {
    if let Some(change) = fields.published_at.clone().change() {
        values.published_at = change;
    }
    match fields.status {
        Patch::Value(Status::Draft) => values.state = State::Draft,
        Patch::Value(Status::Archived) => values.state = State::Archived,
        Patch::Value(Status::Scheduled) => {
            values.state = State::Published;
            if values.published_at.is_none_or(|time| time <= now) {
                let message = "must be in the future for status scheduled";
                return Err(Error::at_field(Code::InvalidField, "/published_at", message));
            }
        }
        Patch::Value(Status::Published) => {
            values.state = State::Published;
            // Without a time of its own this means now, also where a later one was planned.
            let planned = values
                .published_at
                .filter(|time| fields.published_at.is_given() || *time <= now);
            values.published_at = Some(planned.unwrap_or(now));
        }
        Patch::Absent | Patch::Null => {}
    }
    if values.state == State::Published && values.published_at.is_none() {
        return Err(Error::at_field(
            Code::InvalidField,
            "/published_at",
            "must not be null while it is published",
        ));
    }
    Ok(())
}

/// The category and the cover that these fields name must be there: foreign keys hold that too, but name no field. What the
/// article had before is, since who deletes it looks for articles first.
fn check_references(tx: &mut Tx<'_>, fields: &ArticleFields) -> Result<()> {
    if let Patch::Value(id) = fields.category_id {
        tx.hold_rows("categories", &[id])?;
        let found: i64 = categories::table
            .filter(categories::id.eq(id))
            .count()
            .get_result(tx.conn)?;
        if found == 0 {
            return Err(Error::at_field(
                Code::InvalidField,
                "/category_id",
                "there is no such category",
            ));
        }
    }
    if let Patch::Value(id) = fields.cover_image_id {
        tx.hold_rows("images", &[id])?;
        if load_images(tx.conn, &[id])?.is_empty() {
            return Err(Error::at_field(
                Code::InvalidField,
                "/cover_image_id",
                "there is no such image",
            ));
        }
    }
    Ok(())
}

fn check_authors(tx: &mut Tx<'_>, ids: &[i64]) -> Result<()> {
    tx.hold_rows("authors", ids)?;
    let found: Vec<i64> = authors::table
        .filter(authors::id.eq_any(ids.to_vec()))
        .select(authors::id)
        .load(tx.conn)?;
    match ids.iter().position(|id| !found.contains(id)) {
        Some(at) => Err(Error::at_field(
            Code::InvalidField,
            format!("/author_ids/{at}"),
            "there is no such author",
        )),
        None => Ok(()),
    }
}

/// Notes which pictures are shown; unknown ones in the body are 422.
fn set_images(tx: &mut Tx<'_>, id: i64, cover: Option<i64>, body: Option<&Prepared>) -> Result<()> {
    let mut shown: BTreeSet<i64> = match body {
        Some(body) => body.rendered.images.iter().copied().collect(),
        None => load_bodies(tx.conn, &[id], BodyFormat::Blocks)?
            .values()
            .flat_map(|stored| images_in(stored, BodyFormat::Blocks))
            .collect(),
    };
    let wanted: Vec<i64> = shown.iter().copied().collect();
    tx.hold_rows("images", &wanted)?;
    let found = load_images(tx.conn, &wanted)?;
    if let Some(unknown) = wanted.iter().find(|id| !found.contains_key(id)) {
        return Err(Error::at_field(
            Code::InvalidField,
            "/body",
            format!("shows image {unknown}, which is not there"),
        ));
    }
    shown.extend(cover);
    store::set_image_uses(tx, id, shown)?;
    Ok(())
}
