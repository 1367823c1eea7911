//! Which published articles belong to a category (with all above it), a tag or an author, in the order of lists.
//!
//! The rows follow from articles, their tags and by-lines, and the tree of categories; whatever writes those calls one of
//! these functions in the same transaction. A list reads one range of them, however many articles there are.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use crate::db::schema::article_listings;
use crate::db::{DbConn, Tx};

/// To what articles belong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// A category or one above it.
    Category,
    /// A tag.
    Tag,
    /// An author.
    Author,
}

impl Listed {
    /// The number that stands in the rows.
    pub fn kind(self) -> i32 {
        match self {
            Self::Category => 0,
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
    diesel::sql_query(
        "WITH RECURSIVE above (category_id, owner_id) AS (
           SELECT DISTINCT category_id, category_id FROM articles WHERE id BETWEEN $1 AND $2 AND category_id IS NOT NULL
           UNION ALL
           SELECT above.category_id, categories.parent_id FROM above JOIN categories ON categories.id = above.owner_id
           WHERE categories.parent_id IS NOT NULL
         )
         INSERT INTO article_listings (kind, owner_id, listed_at, article_id)
         SELECT 0, above.owner_id, articles.listed_at, articles.id
         FROM articles JOIN above ON above.category_id = articles.category_id
         WHERE articles.id BETWEEN $1 AND $2 AND articles.state = 'published'
         UNION ALL
         SELECT 1, article_tags.tag_id, articles.listed_at, articles.id
         FROM articles JOIN article_tags ON article_tags.article_id = articles.id
         WHERE articles.id BETWEEN $1 AND $2 AND articles.state = 'published'
         UNION ALL
         SELECT 2, article_authors.author_id, articles.listed_at, articles.id
         FROM articles JOIN article_authors ON article_authors.article_id = articles.id
         WHERE articles.id BETWEEN $1 AND $2 AND articles.state = 'published'",
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
    for owner_id in left {
        diesel::sql_query(
            "DELETE FROM article_listings WHERE kind = 0 AND owner_id = $2 AND article_id IN
               (SELECT article_id FROM article_listings WHERE kind = 0 AND owner_id = $1)",
        )
        .bind::<BigInt, _>(category_id)
        .bind::<BigInt, _>(owner_id)
        .execute(tx.conn)?;
    }
    for owner_id in joined {
        diesel::sql_query(
            "INSERT INTO article_listings (kind, owner_id, listed_at, article_id)
             SELECT 0, $2, listed_at, article_id FROM article_listings WHERE kind = 0 AND owner_id = $1",
        )
        .bind::<BigInt, _>(category_id)
        .bind::<BigInt, _>(owner_id)
        .execute(tx.conn)?;
    }
    Ok(())
}

/// Removes the rows of what goes.
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

/// Keeps categories from being changed until the commit, beside others that do. To be taken before a category is held or a
/// row is written: who changes a category has the lock alone, and then waits for whoever holds its row.
pub fn hold_tree(tx: &mut Tx<'_>) -> QueryResult<()> {
    if let DbConn::Postgres(conn) = tx.conn {
        diesel::sql_query("SELECT pg_advisory_xact_lock_shared(hashtext('categories'))").execute(conn)?;
    }
    Ok(())
}
