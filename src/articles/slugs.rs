//! Slugs: free ones, taken ones, and those that an article once had.
//!
//! Present and former slugs stand in two tables and exclude each other; a lock by name keeps two writers apart.

use std::collections::BTreeSet;

use super::input::ArticleFields;
use super::model::ArticleValues;
use super::store;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::text::slug::{check_slug, slug_from_title};
use crate::web::Patch;

/// Sets the slug that was given, or makes one for a new article from its title.
pub(super) fn set_slug(
    tx: &mut Tx<'_>,
    id: Option<i64>,
    values: &mut ArticleValues,
    fields: &ArticleFields,
) -> Result<()> {
    if !fields.slug.is_given() && !fields.former_slugs.is_given() && id.is_some() {
        return Ok(());
    }
    // Present and former slugs stand in two tables; one at a time keeps them apart.
    tx.lock_name("slugs")?;
    match &fields.slug {
        Patch::Value(slug) => {
            let slug =
                check_slug(slug).map_err(|error| Error::at_field(Code::InvalidField, "/slug", error.to_string()))?;
            if store::slug_is_taken(tx.conn, &slug, id)? {
                return Err(Error::at_field(
                    Code::SlugTaken,
                    "/slug",
                    "belongs, or once belonged, to another article",
                ));
            }
            values.slug = slug;
        }
        Patch::Absent | Patch::Null if id.is_none() => values.slug = free_slug(tx, &slug_from_title(&values.title))?,
        Patch::Absent | Patch::Null => {}
    }
    Ok(())
}

/// The slug itself, or with the first number found free behind it. Doubling steps, then halving ones, keep the number
/// of questions small where thousands share a title.
fn free_slug(tx: &mut Tx<'_>, base: &str) -> Result<String> {
    let numbered = |number: u64| {
        if number == 1 {
            base.to_owned()
        } else {
            format!("{base}-{number}")
        }
    };
    let mut taken = |number| store::slug_is_taken(tx.conn, &numbered(number), None);
    let mut free = 1;
    while taken(free)? {
        free *= 2;
    }
    let mut used = free / 2;
    while free - used > 1 {
        let middle = used + (free - used) / 2;
        if taken(middle)? {
            used = middle;
        } else {
            free = middle;
        }
    }
    Ok(numbered(free))
}

/// Sets the former slugs that were given, and lets a slug that was given up lead to the present one.
pub(super) fn set_former_slugs(
    tx: &mut Tx<'_>,
    id: i64,
    old: Option<&str>,
    present: &str,
    given: Patch<Vec<String>>,
) -> Result<()> {
    if let Some(wanted) = given.change() {
        for slug in store::load_former_slugs(tx.conn, id)? {
            store::delete_former_slug(tx, id, &slug)?;
        }
        let mut seen = BTreeSet::new();
        for (at, slug) in wanted.unwrap_or_default().iter().enumerate() {
            let pointer = format!("/former_slugs/{at}");
            let slug =
                check_slug(slug).map_err(|error| Error::at_field(Code::InvalidField, &pointer, error.to_string()))?;
            if slug == present || !seen.insert(slug.clone()) {
                continue;
            }
            if store::slug_is_taken(tx.conn, &slug, Some(id))? {
                return Err(Error::at_field(
                    Code::SlugTaken,
                    &pointer,
                    "belongs, or once belonged, to another article",
                ));
            }
            store::insert_former_slug(tx, id, &slug)?;
        }
    }
    // A present slug that stays was not a former one before, and what was given here leaves it out.
    if let Some(old) = old.filter(|old| *old != present) {
        store::delete_former_slug(tx, id, present)?;
        store::delete_former_slug(tx, id, old)?;
        store::insert_former_slug(tx, id, old)?;
    }
    Ok(())
}
