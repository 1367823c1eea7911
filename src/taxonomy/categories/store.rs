//! Queries of categories.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;
use diesel::result::OptionalEmptyChangesetExtension;

use super::Tree;
use super::model::{Category, CategoryChanges, CategoryRow, LAST_POSITION, NewCategory};
use super::tree::MOST_LEVELS;
use crate::db::schema::{articles, categories};
use crate::db::violation::breaks_reference;
use crate::db::{DbConn, Subject, Timestamp, Tx, is_public};
use crate::error::{Code, Error, Result};
use crate::on_backend;
use crate::taxonomy::listed::{hold_tree_alone, relist_branch};
use crate::taxonomy::slug::{free_slug, slug_taken};

/// Most categories: the list is always whole, and a filter by category names each one below it.
pub const MOST_CATEGORIES: usize = 5_000;

/// All categories, in one statement.
pub fn load_tree(conn: &mut DbConn) -> QueryResult<Tree> {
    let rows = on_backend!(conn, |c| categories::table.select(CategoryRow::as_select()).load(c))?;
    Ok(Tree::new(rows))
}

/// All categories in tree order, as they are answered.
pub fn list_categories(conn: &mut DbConn, now: Timestamp) -> QueryResult<Vec<Category>> {
    let tree = load_tree(conn)?;
    let counts: Vec<(Option<i64>, i64)> = articles::table
        // Says nothing, but leads SQLite to the index that has the categories.
        .filter(articles::category_id.eq_any(categories::table.select(categories::id.nullable())))
        .filter(is_public(now))
        .group_by(articles::category_id)
        .select((articles::category_id, count_star()))
        .load(conn)?;
    let counts: HashMap<i64, i64> = counts
        .into_iter()
        .filter_map(|(id, count)| id.map(|id| (id, count)))
        .collect();
    Ok(tree.categories(&counts))
}

/// A category; 404 if there is none.
pub fn find_category(conn: &mut DbConn, now: Timestamp, id: i64) -> Result<Category> {
    let tree = load_tree(conn)?;
    show(conn, now, &tree, id)
}

/// The category of a slug; 404 if there is none.
pub fn find_category_by_slug(conn: &mut DbConn, now: Timestamp, slug: &str) -> Result<Category> {
    let tree = load_tree(conn)?;
    let id = tree.id_of(slug).ok_or_else(Error::not_found)?;
    show(conn, now, &tree, id)
}

fn show(conn: &mut DbConn, now: Timestamp, tree: &Tree, id: i64) -> Result<Category> {
    let count = articles::table
        .filter(articles::category_id.eq_any(tree.branch_of(id)))
        .filter(is_public(now))
        .count()
        .get_result(conn)?;
    tree.category(id, count).ok_or_else(Error::not_found)
}

/// Makes a category; returns its id.
pub fn insert_category(tx: &mut Tx<'_>, new: &NewCategory) -> Result<i64> {
    let tree = lock_tree(tx)?;
    if tree.count() >= MOST_CATEGORIES {
        let message = format!("there are {MOST_CATEGORIES} categories already, and there can be no more");
        return Err(Error::at_field(Code::InvalidField, "", message));
    }
    check_level(&tree, new.parent_id, 1)?;
    let slug = match &new.slug {
        Some(slug) => slug.clone(),
        None => free_slug(tx.conn, "categories", &new.name)?,
    };
    let last = || tree.next_position(new.parent_id).min(LAST_POSITION);
    tx.touch(Subject::Categories);
    diesel::insert_into(categories::table)
        .values((
            categories::slug.eq(slug),
            categories::name.eq(&new.name),
            categories::description.eq(&new.description),
            categories::parent_id.eq(new.parent_id),
            categories::position.eq(new.position.unwrap_or_else(last)),
        ))
        .returning(categories::id)
        .get_result(tx.conn)
        .map_err(|error| slug_taken(error, "categories"))
}

/// Changes a category; 404 if there is none.
pub fn update_category(tx: &mut Tx<'_>, id: i64, changes: &CategoryChanges) -> Result<()> {
    let tree = lock_tree(tx)?;
    let branch = tree.branch_of(id);
    if branch.is_empty() {
        return Err(Error::not_found());
    }
    if let Some(parent_id) = changes.parent_id {
        if parent_id.is_some_and(|parent| branch.contains(&parent)) {
            let message = "is the category itself or stands below it";
            return Err(Error::at_field(Code::InvalidField, "/parent_id", message));
        }
        check_level(&tree, parent_id, tree.height(id))?;
    }
    diesel::update(categories::table.find(id))
        .set(changes)
        .execute(tx.conn)
        .optional_empty_changeset()
        .map_err(|error| slug_taken(error, "categories"))?;
    // What stands below it shows it, and so knows it.
    tx.touch(Subject::Category(id));
    if let Some(parent_id) = changes.parent_id {
        let above = |parent: Option<i64>| parent.map_or_else(Vec::new, |parent| tree.with_ancestors(parent));
        let (before, after) = (tree.with_ancestors(id), above(parent_id));
        let left: Vec<i64> = before
            .iter()
            .copied()
            .filter(|owner| *owner != id && !after.contains(owner))
            .collect();
        let joined: Vec<i64> = after.into_iter().filter(|owner| !before.contains(owner)).collect();
        if !left.is_empty() || !joined.is_empty() {
            relist_branch(tx, id, &left, &joined)?;
            tx.touch(Subject::Listing);
        }
    }
    Ok(())
}

/// Removes a category; 404 if there is none, 409 while it has articles or categories below it.
pub fn delete_category(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    lock_tree(tx)?;
    let deleted = diesel::delete(categories::table.find(id)).execute(tx.conn);
    match deleted {
        Ok(0) => Err(Error::not_found()),
        Ok(_) => {
            tx.touch(Subject::Category(id));
            Ok(())
        }
        Err(error) if breaks_reference(&error) => Err(Error::new(Code::InUse)),
        Err(error) => Err(error.into()),
    }
}

/// The tree, which nobody else changes until the commit: two moves that are right each alone can make a cycle together.
fn lock_tree(tx: &mut Tx<'_>) -> QueryResult<Tree> {
    hold_tree_alone(tx)?;
    load_tree(tx.conn)
}

/// 422 unless `height` levels have room below the parent, which must be there.
fn check_level(tree: &Tree, parent_id: Option<i64>, height: usize) -> Result<()> {
    let wrong = |message: String| Err(Error::at_field(Code::InvalidField, "/parent_id", message));
    match tree.level(parent_id) {
        None => wrong("there is no such category".to_owned()),
        Some(level) if level + height > MOST_LEVELS => wrong(format!(
            "would be deeper than the {MOST_LEVELS} levels that there can be"
        )),
        Some(_) => Ok(()),
    }
}
