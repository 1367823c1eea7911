//! Queries of tags.

use std::collections::{HashMap, HashSet};

use diesel::dsl::{count_star, exists};
use diesel::prelude::*;
use diesel::result::OptionalEmptyChangesetExtension;

use super::keys::write_keys;
use super::model::{NewTag, Tag, TagChanges, TagRef};
use crate::db::gathered::{Rows, by_owner, gathered, in_order};
use crate::db::schema::{article_tags, articles, tags};
use crate::db::{DbConn, MultiBackend, Sight, Subject, Timestamp, Tx, among, is_public};
use crate::error::{Code, Error, Result};
use crate::on_ids;
use crate::taxonomy::listed::{Listed, unlist};
use crate::taxonomy::slug::{free_slug, slug_taken};
use crate::text::normalise::fold_name;

/// Tags by name, from the one after that name and id on.
pub fn list_tags(
    conn: &mut DbConn,
    sight: Sight,
    now: Timestamp,
    after: Option<&(String, i64)>,
    limit: i64,
) -> QueryResult<Vec<Tag>> {
    let mut query = seen_by(sight, now)
        .select(TagRef::as_select())
        .order((tags::name, tags::id))
        .limit(limit);
    if let Some((name, id)) = after {
        query = query.filter(tags::name.ge(name).and(tags::name.gt(name).or(tags::id.gt(id))));
    }
    let rows = query.load(conn)?;
    with_counts(conn, now, rows)
}

/// The tags that `sight` sees: everybody those that editors made and those of articles that everybody sees, so that
/// the words of a draft stay with it; who sees drafts, all.
pub(super) fn seen_by<'a>(sight: Sight, now: Timestamp) -> tags::BoxedQuery<'a, MultiBackend> {
    let query = tags::table.into_boxed();
    if sight != Sight::Public {
        return query;
    }
    let public = articles::table
        .filter(articles::id.eq(article_tags::article_id))
        .filter(is_public(now));
    let carried = article_tags::table
        .filter(article_tags::tag_id.eq(tags::id))
        .filter(exists(public));
    query.filter(tags::declared.or(exists(carried)))
}

/// How many tags `sight` sees.
pub fn count_tags(conn: &mut DbConn, sight: Sight, now: Timestamp) -> QueryResult<i64> {
    seen_by(sight, now).count().get_result(conn)
}

/// A tag; 404 if there is none that `sight` sees.
pub fn find_tag(conn: &mut DbConn, sight: Sight, now: Timestamp, id: i64) -> Result<Tag> {
    let row = seen_by(sight, now)
        .filter(tags::id.eq(id))
        .select(TagRef::as_select())
        .first(conn)
        .optional()?;
    show(conn, now, row)
}

/// The tag of a slug; 404 if there is none that `sight` sees.
pub fn find_tag_by_slug(conn: &mut DbConn, sight: Sight, now: Timestamp, slug: &str) -> Result<Tag> {
    let row = seen_by(sight, now)
        .filter(tags::slug.eq(slug))
        .select(TagRef::as_select())
        .first(conn)
        .optional()?;
    show(conn, now, row)
}

fn show(conn: &mut DbConn, now: Timestamp, row: Option<TagRef>) -> Result<Tag> {
    let rows = row.into_iter().collect();
    with_counts(conn, now, rows)?.pop().ok_or_else(Error::not_found)
}

fn with_counts(conn: &mut DbConn, now: Timestamp, rows: Vec<TagRef>) -> QueryResult<Vec<Tag>> {
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    // Not by a join: SQLite would walk all articles, and look up each of the tags for each of them.
    let public = articles::table
        .filter(articles::id.eq(article_tags::article_id))
        .filter(is_public(now));
    let counts: Vec<(i64, i64)> = article_tags::table
        .filter(among(article_tags::tag_id, &ids))
        .filter(exists(public))
        .group_by(article_tags::tag_id)
        .select((article_tags::tag_id, count_star()))
        .load(conn)?;
    let counts: HashMap<i64, i64> = counts.into_iter().collect();
    Ok(rows
        .into_iter()
        .map(|row| {
            let count = counts.get(&row.id).copied().unwrap_or_default();
            row.into_tag(count)
        })
        .collect())
}

/// The tags of articles, in the order that each article has them in; one statement.
pub fn load_tags_of(conn: &mut DbConn, article_ids: &[i64]) -> QueryResult<HashMap<i64, Vec<TagRef>>> {
    if article_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let carried = article_tags::table.inner_join(tags::table);
    let rows: Vec<(i64, i32, TagRef)> = on_ids!(conn, article_tags::article_id, article_ids, |c, named| {
        carried
            .filter(named)
            .select((article_tags::article_id, article_tags::position, TagRef::as_select()))
            .load(c)
    })?;
    Ok(by_owner(rows, |tag| tag.id))
}

/// The tags of the article whose row is selected, as one value of it.
#[diesel::dsl::auto_type(no_type_alias)]
pub fn gathered_tags() -> _ {
    article_tags::table
        .inner_join(tags::table)
        .filter(article_tags::article_id.eq(articles::id))
        .select(gathered((article_tags::position, tags::id, tags::slug, tags::name)))
        .single_value()
}

/// What [`gathered_tags`] finds.
pub type GatheredTags = Rows<(i32, i64, String, String)>;

/// Them, in the order that the article has them in.
pub fn tags_of_rows(Rows(rows): GatheredTags) -> Vec<TagRef> {
    let tag = |(position, id, slug, name)| (position, TagRef { id, slug, name });
    in_order(rows.into_iter().map(tag).collect(), |tag| tag.id)
}

/// Notes that what search knows of the articles of a tag has to be written anew: it changes with the tag's name, and when
/// the tag goes.
pub fn note_articles(tx: &mut Tx<'_>, tag_id: i64) -> QueryResult<()> {
    // Who gives the tag to an article at this moment is waited for.
    tx.lock_row("tags", tag_id)?;
    // Written also where it is noted already: who is writing those entries now then knows that they are due again.
    diesel::sql_query(
        "INSERT INTO index_pending (article_id)
         SELECT article_id FROM article_tags WHERE tag_id = $1 ORDER BY article_id
         ON CONFLICT (article_id) DO UPDATE SET article_id = excluded.article_id",
    )
    .bind::<diesel::sql_types::BigInt, _>(tag_id)
    .execute(tx.conn)?;
    Ok(())
}

/// Makes a tag; returns its id. 409 where the name or the slug is another's.
pub fn insert_tag(tx: &mut Tx<'_>, new: &NewTag) -> Result<i64> {
    tx.lock_name("tags")?;
    check_name(tx, &new.name, None)?;
    insert(tx, &new.name, new.slug.as_deref(), true)
}

/// Changes a tag; 404 if there is none, 409 where the name or the slug is another's.
pub fn update_tag(tx: &mut Tx<'_>, id: i64, changes: &TagChanges) -> Result<()> {
    tx.lock_name("tags")?;
    if let Some(name) = &changes.name {
        check_name(tx, name, Some(id))?;
    }
    let changed = diesel::update(tags::table.find(id))
        .set((
            // What an editor has put right is theirs.
            (changes.slug.is_some() || changes.name.is_some()).then(|| tags::declared.eq(true)),
            changes.slug.as_ref().map(|slug| tags::slug.eq(slug)),
            changes
                .name
                .as_ref()
                .map(|name| (tags::name.eq(name), tags::name_key.eq(fold_name(name)))),
        ))
        .execute(tx.conn)
        .optional_empty_changeset()
        .map_err(|error| slug_taken(error, "tags"))?;
    if changed == Some(0) {
        return Err(Error::not_found());
    }
    tx.touch(Subject::Tag(id));
    // Where nothing changes, what reads the tag says whether it is there.
    if let Some(name) = &changes.name {
        write_keys(tx.conn, id, name)?;
    }
    Ok(())
}

/// Removes a tag, also from the articles that carry it; 404 if there is none.
pub fn delete_tag(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    match diesel::delete(tags::table.find(id)).execute(tx.conn)? {
        0 => Err(Error::not_found()),
        _ => {
            unlist(tx, Listed::Tag, id)?;
            tx.touch(Subject::Tag(id));
            tx.touch(Subject::Listing);
            Ok(())
        }
    }
}

/// The tags of these names, in their order, each once; those that are not there are made. Names that fold to nothing
/// are left out. To be called once in a transaction, before anything refers to tags.
pub fn ensure_tags(tx: &mut Tx<'_>, names: &[String]) -> Result<Vec<i64>> {
    let mut seen = HashSet::new();
    let wanted: Vec<(String, &str)> = names
        .iter()
        .map(|name| (fold_name(name), name.trim()))
        .filter(|(key, _)| !key.is_empty() && seen.insert(key.clone()))
        .collect();
    let complete = |known: &HashMap<String, i64>| wanted.iter().all(|(key, _)| known.contains_key(key));
    // Who holds a tag and then waits for the lock could wait for a rename that waits for the tag: the lock comes first.
    if !complete(&find_by_names(tx.conn, &wanted)?) {
        tx.lock_name("tags")?;
    }
    let mut known = hold_by_names(tx.conn, &wanted)?;
    if !complete(&known) {
        tx.lock_name("tags")?;
        for (key, name) in &wanted {
            if !known.contains_key(key) {
                known.insert(key.clone(), insert(tx, name, None, false)?);
            }
        }
    }
    Ok(wanted.iter().filter_map(|(key, _)| known.get(key).copied()).collect())
}

fn keys(wanted: &[(String, &str)]) -> Vec<String> {
    wanted.iter().map(|(key, _)| key.clone()).collect()
}

fn find_by_names(conn: &mut DbConn, wanted: &[(String, &str)]) -> QueryResult<HashMap<String, i64>> {
    let rows: Vec<(String, i64)> = tags::table
        .filter(tags::name_key.eq_any(keys(wanted)))
        .select((tags::name_key, tags::id))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// The same, and nobody removes them until the commit.
fn hold_by_names(conn: &mut DbConn, wanted: &[(String, &str)]) -> QueryResult<HashMap<String, i64>> {
    let DbConn::Postgres(conn) = conn else {
        return find_by_names(conn, wanted);
    };
    let rows: Vec<(String, i64)> = tags::table
        .filter(tags::name_key.eq_any(keys(wanted)))
        .order(tags::id)
        .select((tags::name_key, tags::id))
        .for_key_share()
        .load(conn)?;
    Ok(rows.into_iter().collect())
}

/// 409 where another tag has the name. To be called under the lock of tags.
fn check_name(tx: &mut Tx<'_>, name: &str, except: Option<i64>) -> Result<()> {
    let owner: Option<i64> = tags::table
        .filter(tags::name_key.eq(fold_name(name)))
        .select(tags::id)
        .first(tx.conn)
        .optional()?;
    match owner {
        Some(id) if Some(id) != except => {
            let message = format!("is the name of tag {id}, width and case aside");
            Err(Error::at_field(Code::NameTaken, "/name", message))
        }
        _ => Ok(()),
    }
}

/// To be called under the lock of tags.
fn insert(tx: &mut Tx<'_>, name: &str, slug: Option<&str>, declared: bool) -> Result<i64> {
    let slug = match slug {
        Some(slug) => slug.to_owned(),
        None => free_slug(tx.conn, "tags", name)?,
    };
    let id = diesel::insert_into(tags::table)
        .values((
            tags::slug.eq(slug),
            tags::name.eq(name),
            tags::name_key.eq(fold_name(name)),
            tags::declared.eq(declared),
        ))
        .returning(tags::id)
        .get_result(tx.conn)
        .map_err(|error| slug_taken(error, "tags"))?;
    write_keys(tx.conn, id, name)?;
    tx.touch(Subject::Tag(id));
    Ok(id)
}
