//! Who sees which articles: the one rule below every reader.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};

use super::schema::articles;
use super::{MultiBackend, Read, Timestamp};

/// How far somebody sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// What is published and due.
    Public,
    /// That, and everything that this user created.
    Own(i64),
    /// Everything.
    All,
}

/// A condition on `articles`, to be given to `filter`.
pub type Visible = Box<dyn BoxableExpression<articles::table, MultiBackend, SqlType = Nullable<Bool>>>;

/// The articles that everybody sees at `now`, as a condition that subqueries take too.
#[diesel::dsl::auto_type(no_type_alias)]
pub fn is_public(now: Timestamp) -> _ {
    // What is published is listed at its publication.
    articles::state.eq("published").and(articles::listed_at.le(now))
}

/// The articles that `sight` sees at `now`. Lists, counts, search, related, neighbours, images and view counting all
/// go through it.
pub fn visible_to(sight: Sight, now: Timestamp) -> Visible {
    let published = is_public(now);
    match sight {
        Sight::Public => Box::new(published.nullable()),
        Sight::Own(user) => Box::new(published.nullable().or(articles::created_by.eq(user))),
        Sight::All => Box::new(articles::id.gt(0).nullable()),
    }
}

/// When the next article becomes due by itself: until then a public answer stays what it is.
pub fn next_due(read: &mut Read<'_>) -> QueryResult<Option<Timestamp>> {
    articles::table
        .filter(articles::state.eq("published").and(articles::listed_at.gt(read.now)))
        .order(articles::listed_at)
        .select(articles::listed_at)
        .first(read.conn)
        .optional()
}
