//! Which articles are meant: the filters that lists and search share, as one condition.

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::model::Status;
use crate::db::cursor::Scope;
use crate::db::schema::{article_authors, article_hits, article_tags, articles, authors, tags};
use crate::db::{MultiBackend, Read, Sight, Timestamp, is_public, is_public_hit, is_public_within, visible_to};
use crate::error::Result;
use crate::index::HitQuery;
use crate::taxonomy::categories::Tree;
use crate::text::query::Within;
use crate::web::query::TimeBound;

/// What the filters of a list say. Unknown slugs find nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Slug of a category, with its descendants.
    pub category: Option<String>,
    /// Slugs of tags, of which one is enough.
    pub tag: Option<Vec<String>>,
    /// Slugs of tags, of which all are needed.
    pub tag_all: Option<Vec<String>>,
    /// Slug of an author.
    pub author: Option<String>,
    /// Language.
    pub locale: Option<String>,
    /// Featured or not.
    pub featured: Option<bool>,
    /// Ids; unknown ones are left out.
    pub ids: Option<Vec<i64>>,
    /// Published then or later.
    pub published_from: Option<TimeBound>,
    /// Published before.
    pub published_to: Option<TimeBound>,
    /// Updated then or later.
    pub updated_from: Option<TimeBound>,
    /// Updated before.
    pub updated_to: Option<TimeBound>,
    /// Id in another system.
    pub external_id: Option<String>,
    /// Where they stand; for who is signed in. Published where nothing is asked.
    pub status: Option<Vec<Status>>,
}

impl Filter {
    /// What a cursor made under these filters belongs to.
    pub fn scope(&self, sort: &str) -> Scope {
        // Debug names each field and quotes each text, so that no two filters look alike.
        Scope::of([sort, &format!("{self:?}")])
    }

    /// Among which articles search has to look.
    pub fn within(&self) -> Within {
        let Some(statuses) = &self.status else {
            return Within::PUBLISHED;
        };
        let any = |wanted: [Status; 2]| statuses.iter().any(|status| wanted.contains(status));
        Within {
            title_only: false,
            published: any([Status::Published, Status::Scheduled]),
            unpublished: any([Status::Draft, Status::Archived]),
        }
    }
}

/// A query on articles that more may be added to.
pub type ArticleQuery<'a> = articles::BoxedQuery<'a, MultiBackend>;

/// The ids of the articles that have any of these tags.
#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn tagged(slugs: Vec<String>) -> _ {
    article_tags::table
        .inner_join(tags::table)
        .filter(tags::slug.eq_any(slugs))
        .select(article_tags::article_id)
}

/// The ids of the articles that this author wrote.
#[diesel::dsl::auto_type(no_type_alias)]
fn written_by(slug: String) -> _ {
    article_authors::table
        .inner_join(authors::table)
        .filter(authors::slug.eq(slug))
        .select(article_authors::article_id)
}

/// What is asked of an article itself, whichever tables lead to it: their queries have different types.
macro_rules! of_itself {
    ($query:expr, $filter:expr, $zone:expr) => {{
        let mut query = $query;
        if let Some(locale) = &$filter.locale {
            query = query.filter(articles::locale.eq(locale.clone()));
        }
        if let Some(featured) = $filter.featured {
            query = query.filter(articles::featured.eq(featured));
        }
        if let Some(ids) = &$filter.ids {
            query = query.filter(articles::id.eq_any(ids.clone()));
        }
        if let Some(bound) = $filter.updated_from {
            query = query.filter(articles::updated_at.ge(bound.resolve($zone)));
        }
        if let Some(bound) = $filter.updated_to {
            query = query.filter(articles::updated_at.lt(bound.resolve($zone)));
        }
        if let Some(id) = &$filter.external_id {
            query = query.filter(articles::external_id.eq(id.clone()));
        }
        query
    }};
}
pub(super) use of_itself;

/// How the articles of a query are gone through, as far as its conditions have to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walk {
    /// By publication, from an end on; or all of them.
    Start,
    /// By publication, down from a place.
    Down,
    /// By publication, up from a place.
    Up,
    /// By update, up from a place, or from an end on.
    Updated,
    /// By update, down from a place.
    UpdatedDown,
}

/// By how much the clock of another instance may be ahead. What is scheduled counts as updated when it is published, so that
/// it stands before all that is public by update; a list begins behind it, and loses nothing that was written by such a clock.
const AHEAD: TimeDelta = TimeDelta::hours(1);

/// The articles that `sight` sees and the filter means. Signed in as well, only what is published, unless `status` asks.
///
/// Of what is published, the index is read between one upper and one lower bound, of which a place is the best; whatever
/// else holds is asked of each row (see [`is_public_within`]).
pub fn filtered<'a>(
    read: &Read<'_>,
    tree: &Tree,
    zone: chrono_tz::Tz,
    sight: Sight,
    filter: &Filter,
    walk: Walk,
) -> Result<ArticleQuery<'a>> {
    let now = read.now;
    let to = filter.published_to.map(|bound| bound.resolve(zone));
    let from = filter.published_from.map(|bound| bound.resolve(zone));
    let mut query = articles::table.into_boxed::<MultiBackend>();
    query = match &filter.status {
        None => match (walk, to.filter(|to| *to < now)) {
            (Walk::Down | Walk::Updated | Walk::UpdatedDown, _) => query.filter(is_public_within(now)),
            (_, Some(to)) => query.filter(is_public_within(now)).filter(articles::listed_at.lt(to)),
            (_, None) => query.filter(is_public(now)),
        },
        Some(statuses) => {
            let mut any: Box<dyn BoxableExpression<articles::table, MultiBackend, SqlType = Bool>> =
                Box::new(articles::id.lt(0));
            for status in statuses {
                let published = articles::state.eq("published");
                any = match status {
                    Status::Draft | Status::Archived => Box::new(any.or(articles::state.eq(status.as_str()))),
                    Status::Published => Box::new(any.or(published.and(articles::listed_at.le(now)))),
                    Status::Scheduled => Box::new(any.or(published.and(articles::listed_at.gt(now)))),
                };
            }
            query.filter(visible_to(sight, now)).filter(any)
        }
    };
    if let Some(slug) = &filter.category {
        query = query.filter(articles::category_id.eq_any(tree.with_descendants(slug)));
    }
    if let Some(slugs) = &filter.tag {
        query = query.filter(articles::id.eq_any(tagged(slugs.clone())));
    }
    for slug in filter.tag_all.iter().flatten() {
        query = query.filter(articles::id.eq_any(tagged(vec![slug.clone()])));
    }
    if let Some(slug) = &filter.author {
        query = query.filter(articles::id.eq_any(written_by(slug.clone())));
    }
    let ahead = Timestamp::from(now.utc() + AHEAD);
    let updated_to = filter.updated_to.map(|bound| bound.resolve(zone));
    if walk == Walk::Updated && filter.status.is_none() && updated_to.is_none_or(|to| to > ahead) {
        query = query.filter(articles::updated_at.le(ahead));
    }
    query = of_itself!(query, filter, zone);
    if let Some(from) = from {
        query = query.filter(articles::published_at.ge(from));
        // The same of what is published, on the column that the index has.
        if filter.status.is_none() && !matches!(walk, Walk::Up | Walk::Updated | Walk::UpdatedDown) {
            query = query.filter(articles::listed_at.ge(from));
        }
    }
    if let Some(to) = to {
        query = query.filter(articles::published_at.lt(to));
    }
    Ok(query)
}

/// The same articles as [`filtered`] means, among those that the index found: by what it knows of them, so that a common
/// word does not read them all.
pub fn filtered_hits<'a>(
    read: &Read<'_>,
    tree: &Tree,
    zone: chrono_tz::Tz,
    sight: Sight,
    filter: &Filter,
) -> Result<HitQuery<'a>> {
    let now = read.now;
    let mut query = article_hits::table.into_boxed::<MultiBackend>();
    query = match &filter.status {
        None => query.filter(is_public_hit(now)),
        Some(statuses) => {
            query = match sight {
                Sight::Public => query.filter(is_public_hit(now)),
                Sight::Own(user) => {
                    let own = articles::table
                        .filter(articles::created_by.eq(user))
                        .select(articles::id);
                    query.filter(is_public_hit(now).or(article_hits::article_id.eq_any(own)))
                }
                Sight::All => query,
            };
            let mut any: Box<dyn BoxableExpression<article_hits::table, MultiBackend, SqlType = Bool>> =
                Box::new(article_hits::article_id.lt(0));
            for status in statuses {
                let (published, moment) = (article_hits::state.eq("published"), article_hits::listed_at);
                any = match status {
                    Status::Draft | Status::Archived => Box::new(any.or(article_hits::state.eq(status.as_str()))),
                    Status::Published => Box::new(any.or(published.and(moment.le(now.micros())))),
                    Status::Scheduled => Box::new(any.or(published.and(moment.gt(now.micros())))),
                };
            }
            query.filter(any)
        }
    };
    let Filter {
        category,
        tag,
        tag_all,
        author,
        locale,
        featured,
        ids,
        published_from,
        published_to,
        updated_from,
        updated_to,
        external_id,
        status: _,
    } = filter;
    if let Some(slug) = category {
        query = query.filter(article_hits::category_id.eq_any(tree.with_descendants(slug)));
    }
    if let Some(slugs) = tag {
        query = query.filter(article_hits::article_id.eq_any(tagged(slugs.clone())));
    }
    for slug in tag_all.iter().flatten() {
        query = query.filter(article_hits::article_id.eq_any(tagged(vec![slug.clone()])));
    }
    if let Some(slug) = author {
        query = query.filter(article_hits::article_id.eq_any(written_by(slug.clone())));
    }
    if let Some(locale) = locale {
        query = query.filter(article_hits::locale.eq(locale.clone()));
    }
    if let Some(featured) = featured {
        query = query.filter(article_hits::featured.eq(*featured));
    }
    if let Some(ids) = ids {
        query = query.filter(article_hits::article_id.eq_any(ids.clone()));
    }
    // What is published is listed at its publication; what is not may have a time of publication all the same.
    macro_rules! narrow {
        ($condition:expr) => {
            query =
                query.filter(article_hits::article_id.eq_any(articles::table.filter($condition).select(articles::id)))
        };
    }
    let listed = filter.status.is_none();
    if let Some(from) = published_from.map(|bound| bound.resolve(zone)) {
        if listed {
            query = query.filter(article_hits::listed_at.ge(from.micros()));
        } else {
            narrow!(articles::published_at.ge(from));
        }
    }
    if let Some(to) = published_to.map(|bound| bound.resolve(zone)) {
        if listed {
            query = query.filter(article_hits::listed_at.lt(to.micros()));
        } else {
            narrow!(articles::published_at.lt(to));
        }
    }
    if let Some(bound) = updated_from {
        narrow!(articles::updated_at.ge(bound.resolve(zone)));
    }
    if let Some(bound) = updated_to {
        narrow!(articles::updated_at.lt(bound.resolve(zone)));
    }
    if let Some(id) = external_id {
        narrow!(articles::external_id.eq(id.clone()));
    }
    Ok(query)
}
