//! Which published articles belong to a tag, an author or a category (with all below it), in the order of lists.
//!
//! An article has a row for each of its tags and authors, wherever it is and in each category that it is in, and one for each of
//! these categories alone: what an author has in a category is one range as well, and a list reads one, however many
//! articles there are. The rows follow from articles, their tags and by-lines, and the tree of categories; whatever
//! writes those calls one of these functions in the same transaction.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::db::schema::article_listings;
use crate::db::{DbConn, Tx};

/// Of what articles are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// Of whatever there is; its owner is 0. Wherever that is, `articles` itself has an index of it.
    Any,
    /// Of a tag.
    Tag,
    /// Of an author.
    Author,
}

/// The category of rows that are of articles wherever they are.
pub const ANYWHERE: i64 = 0;

impl Listed {
    /// The number that stands in the rows.
    pub fn kind(self) -> i32 {
        match self {
            Self::Any => 0,
            Self::Tag => 1,
            Self::Author => 2,
        }
    }
}

/// Writes the rows of an article anew, under [`hold_tree`].
pub fn relist(tx: &mut Tx<'_>, article_id: i64) -> QueryResult<()> {
    relist_range(tx, article_id, article_id)
}

/// Writes the rows of the articles from one id to another anew.
pub fn relist_range(tx: &mut Tx<'_>, first: i64, last: i64) -> QueryResult<()> {
    diesel::delete(article_listings::table.filter(article_listings::article_id.between(first, last)))
        .execute(tx.conn)?;
    // Joined to nothing, the state has no index, and with a sign the category has none: SQLite takes either to be rarer than a
    // range of ids, and would read all that is published, or all of the category, for one article.
    diesel::sql_query(
        "WITH RECURSIVE above (category_id, owner_id) AS (
           SELECT DISTINCT category_id, category_id FROM articles WHERE id BETWEEN $1 AND $2 AND category_id IS NOT NULL
           UNION ALL
           SELECT above.category_id, categories.parent_id FROM above JOIN categories ON categories.id = above.owner_id
           WHERE categories.parent_id IS NOT NULL
         ), places (article_id, listed_at, category_id) AS (
           SELECT id, listed_at, 0 FROM articles WHERE id BETWEEN $1 AND $2 AND state || '' = 'published'
           UNION ALL
           SELECT articles.id, articles.listed_at, above.owner_id
           FROM articles JOIN above ON above.category_id = +articles.category_id
           WHERE articles.id BETWEEN $1 AND $2 AND articles.state || '' = 'published'
         ), owners (article_id, kind, owner_id) AS (
           SELECT id, 0, 0 FROM articles WHERE id BETWEEN $1 AND $2
           UNION ALL
           SELECT article_id, 1, tag_id FROM article_tags WHERE article_id BETWEEN $1 AND $2
           UNION ALL
           SELECT article_id, 2, author_id FROM article_authors WHERE article_id BETWEEN $1 AND $2
         )
         INSERT INTO article_listings (kind, owner_id, category_id, listed_at, article_id)
         SELECT owners.kind, owners.owner_id, places.category_id, places.listed_at, places.article_id
         FROM places JOIN owners ON owners.article_id = places.article_id
         WHERE owners.kind <> 0 OR places.category_id <> 0",
    )
    .bind::<BigInt, _>(first)
    .bind::<BigInt, _>(last)
    .execute(tx.conn)?;
    Ok(())
}

/// Moves the rows of all articles in a category and below it to where it stands now: from those above it that no longer
/// are to those that newly are. The rows of the branch itself stay.
pub fn relist_branch(tx: &mut Tx<'_>, category_id: i64, left: &[i64], joined: &[i64]) -> QueryResult<()> {
    if let DbConn::Postgres(conn) = tx.conn {
        // As long as a large branch needs.
        conn.batch_execute("SET LOCAL statement_timeout = 0")?;
    }
    // SQLite numbers what is bound by where it stands first, whatever digit it has.
    for other in left {
        diesel::sql_query(
            "DELETE FROM article_listings WHERE category_id = $1 AND article_id IN
               (SELECT article_id FROM article_listings WHERE kind = 0 AND owner_id = 0 AND category_id = $2)",
        )
        .bind::<BigInt, _>(other)
        .bind::<BigInt, _>(category_id)
        .execute(tx.conn)?;
    }
    for other in joined {
        diesel::sql_query(
            "INSERT INTO article_listings (kind, owner_id, category_id, listed_at, article_id)
             SELECT kind, owner_id, $1, listed_at, article_id FROM article_listings WHERE category_id = $2 AND article_id IN
               (SELECT article_id FROM article_listings WHERE kind = 0 AND owner_id = 0 AND category_id = $2)",
        )
        .bind::<BigInt, _>(other)
        .bind::<BigInt, _>(category_id)
        .execute(tx.conn)?;
    }
    Ok(())
}

/// Removes the rows of a tag or an author that goes.
pub fn unlist(tx: &mut Tx<'_>, listed: Listed, owner_id: i64) -> QueryResult<()> {
    diesel::delete(
        article_listings::table
            .filter(article_listings::kind.eq(listed.kind()))
            .filter(article_listings::owner_id.eq(owner_id)),
    )
    .execute(tx.conn)?;
    Ok(())
}

/// Removes the rows of an article that goes.
pub fn unlist_article(tx: &mut Tx<'_>, article_id: i64) -> QueryResult<()> {
    diesel::delete(article_listings::table.filter(article_listings::article_id.eq(article_id))).execute(tx.conn)?;
    Ok(())
}

/// What [`hold_tree`] shares.
pub const TREE: &str = "categories";

/// Keeps others from writing rows and from changing categories until the commit: for who removes rows of many articles, which
/// those who write one of these would meet in another order. Taken first, as [`hold_tree`] is.
pub fn hold_tree_alone(tx: &mut Tx<'_>) -> QueryResult<()> {
    tx.lock_name(TREE)
}

/// Keeps categories from being changed until the commit, beside others that do. To be taken before a category is held or a
/// row is written: who changes a category has the lock alone, and then waits for whoever holds its row.
pub fn hold_tree(tx: &mut Tx<'_>) -> QueryResult<()> {
    tx.share_name(TREE)
}
