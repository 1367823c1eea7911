//! Who sees which articles: the one rule below every reader.
//!
//! What it says of an article is kept in two places, by those who write articles: `article_listings`
//! (`taxonomy::listed`), and `article_views.public`, which the first view finds out and `articles::store` takes back.

use diesel::dsl::not;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable};

use super::fixed::Value;
use super::schema::{article_hits, articles};
use super::{MultiBackend, Read, Timestamp};
use crate::error::Result;
use crate::on_backend;

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

/// The same of what search knows of articles.
#[diesel::dsl::auto_type(no_type_alias)]
pub fn is_public_hit(now: Timestamp) -> _ {
    let now: i64 = now.micros();
    article_hits::state.eq("published").and(article_hits::listed_at.le(now))
}

/// The same rule for articles that another condition has picked out by their ids. SQLite takes the state to be rare, and any
/// bound in time, and would walk through all that is published and look for each article among the ids; what is joined to
/// nothing, and what is not later, has no index, and so it looks up the ids.
#[diesel::dsl::auto_type(no_type_alias)]
pub fn is_public_of_few(now: Timestamp) -> _ {
    articles::state
        .concat("")
        .eq("published")
        .and(not(articles::listed_at.gt(now)))
}

/// The same rule where another condition says from where to where, or by what else, an index is read. SQLite goes by the
/// first bound that it meets: of two upper ones it would take this, and read all that is newer than a deep page.
#[diesel::dsl::auto_type(no_type_alias)]
pub fn is_public_within(now: Timestamp) -> _ {
    articles::state.eq("published").and(not(articles::listed_at.gt(now)))
}

/// Runs one expression with the condition that `sight` sees an article at `now`, in a type of its own for each sight, so that
/// what is prepared for it is found by the type.
#[macro_export]
macro_rules! on_sight {
    ($sight:expr, $now:expr, |$seen:ident| $body:expr) => {
        match $sight {
            $crate::db::Sight::Public => {
                let $seen = diesel::NullableExpressionMethods::nullable($crate::db::is_public($now));
                $body
            }
            $crate::db::Sight::Own(user) => {
                let $seen = $crate::db::is_public_or_of($now, user);
                $body
            }
            $crate::db::Sight::All => {
                let $seen = diesel::ExpressionMethods::gt($crate::db::schema::articles::id, 0);
                $body
            }
        }
    };
}

impl Sight {
    /// The values of the condition that [`on_sight!`](crate::on_sight) makes, in their order.
    pub fn values(self, now: Timestamp) -> Vec<Value<'static>> {
        match self {
            Self::Public => vec![Value::Text("published"), Value::Time(now)],
            Self::Own(user) => vec![Value::Text("published"), Value::Time(now), Value::Number(user)],
            Self::All => vec![Value::Number(0)],
        }
    }
}

/// The articles that everybody sees at `now`, and those that this user created.
#[diesel::dsl::auto_type(no_type_alias)]
pub fn is_public_or_of(now: Timestamp, user: i64) -> _ {
    articles::state
        .eq("published")
        .and(articles::listed_at.le(now))
        .nullable()
        .or(articles::created_by.eq(user))
}

/// The articles that `sight` sees at `now`. Whatever reads articles for others goes through this, or through the form of the
/// same rule above that fits its index.
pub fn visible_to(sight: Sight, now: Timestamp) -> Visible {
    seen(sight, Box::new(is_public(now).nullable()))
}

/// The same for articles that another condition has picked out by their ids; see [`is_public_of_few`].
pub fn visible_of_few(sight: Sight, now: Timestamp) -> Visible {
    seen(sight, Box::new(is_public_of_few(now).nullable()))
}

fn seen(sight: Sight, public: Visible) -> Visible {
    match sight {
        Sight::Public => public,
        Sight::Own(user) => Box::new(public.or(articles::created_by.eq(user))),
        Sight::All => Box::new(articles::id.gt(0).nullable()),
    }
}

/// When the next article becomes due by itself: until then a public answer stays what it is.
pub fn next_due(read: &mut Read<'_>) -> Result<Option<Timestamp>> {
    let later = articles::table
        .filter(articles::state.eq("published").and(articles::listed_at.gt(read.now)))
        .order(articles::listed_at)
        .select(articles::listed_at);
    Ok(on_backend!(read.conn, |c| later.first(c)).optional()?)
}
