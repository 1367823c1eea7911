//! Lists of what belongs to one category, tag or author: read along the rows that are kept in the order of lists, so that
//! they cost the same however many articles there are.

use diesel::dsl::not;
use diesel::prelude::*;

use super::filter::{Filter, of_itself, tagged};
use super::model::{ArticleRow, ArticleValues, State};
use crate::db::schema::{article_listings, articles, authors, tags};
use crate::db::{MultiBackend, Read, Timestamp, is_public_of_few};
use crate::error::Result;
use crate::taxonomy::categories::Tree;
use crate::taxonomy::listed::{ANYWHERE, Listed};

/// By what lists choose and sort an article, its tags and by-lines aside.
#[derive(PartialEq, Eq)]
pub(super) struct Facts {
    state: State,
    published_at: Option<Timestamp>,
    category_id: Option<i64>,
    locale: String,
    featured: bool,
    external_id: Option<String>,
}

impl Facts {
    pub(super) fn of(values: &ArticleValues) -> Self {
        Self {
            state: values.state,
            published_at: values.published_at,
            category_id: values.category_id,
            locale: values.locale.clone(),
            featured: values.featured,
            external_id: values.external_id.clone(),
        }
    }
}

/// Which part of a list, by the time of publication.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) ascending: bool,
    pub(super) after: Option<(Timestamp, i64)>,
    pub(super) offset: i64,
    pub(super) limit: i64,
}

/// To what an article must belong.
enum Owner {
    Any,
    Tag(String),
    Author(String),
}

impl Filter {
    /// The owners whose articles are meant, the one that is likely to have the fewest first.
    fn owners(&self) -> Vec<Owner> {
        let one = match self.tag.as_deref() {
            Some([tag]) => Some(tag),
            _ => None,
        };
        let tags = one.into_iter().chain(self.tag_all.iter().flatten());
        let mut owners: Vec<Owner> = tags.cloned().map(Owner::Tag).collect();
        owners.extend(self.author.clone().map(Owner::Author));
        if owners.is_empty() && self.category.is_some() {
            owners.push(Owner::Any);
        }
        owners
    }
}

diesel::alias!(const BESIDE: Alias<Beside> = article_listings as beside);

/// Adds to a query that rows of these columns belong to an owner.
macro_rules! belonging_to {
    ($owner:expr, $kind:expr, $owner_id:expr, |$belongs:ident| $query:expr) => {
        match $owner {
            Owner::Any => {
                let $belongs = $kind.eq(Listed::Any.kind()).and($owner_id.eq(0));
                $query
            }
            Owner::Tag(slug) => {
                let id = tags::table.filter(tags::slug.eq(slug)).select(tags::id);
                let $belongs = $kind
                    .eq(Listed::Tag.kind())
                    .and($owner_id.nullable().eq(id.single_value()));
                $query
            }
            Owner::Author(slug) => {
                let id = authors::table.filter(authors::slug.eq(slug)).select(authors::id);
                let $belongs = $kind
                    .eq(Listed::Author.kind())
                    .and($owner_id.nullable().eq(id.single_value()));
                $query
            }
        }
    };
}

/// The rows of a list of what is public; nothing where no category, tag or author is asked for by which it could be read.
pub(super) fn list_of_owner(
    read: &mut Read<'_>,
    tree: &Tree,
    zone: chrono_tz::Tz,
    filter: &Filter,
    part: Part,
) -> Result<Option<Vec<ArticleRow>>> {
    if filter.status.is_some() {
        return Ok(None);
    }
    let mut owners = filter.owners().into_iter();
    let Some(first) = owners.next() else {
        return Ok(None);
    };
    let category_id = match &filter.category {
        None => ANYWHERE,
        Some(slug) => match tree.id_of(slug) {
            Some(id) => id,
            None => return Ok(Some(Vec::new())),
        },
    };
    let (moment, article) = (article_listings::listed_at, article_listings::article_id);
    let mut query = article_listings::table
        .inner_join(articles::table.on(articles::id.eq(article)))
        .filter(is_public_of_few(read.now))
        .filter(article_listings::category_id.eq(category_id))
        .into_boxed::<MultiBackend>();
    query = belonging_to!(first, article_listings::kind, article_listings::owner_id, |belongs| {
        query.filter(belongs)
    });
    for other in owners {
        // Its rows lie in the same order, so that what does not belong costs a look beside the last one, and no article is
        // read in vain. The zero keeps SQLite from the index by article, where they are scattered.
        let same = BESIDE
            .field(article_listings::category_id)
            .eq(category_id)
            .and(BESIDE.field(article_listings::listed_at).eq(moment))
            .and((BESIDE.field(article_listings::article_id) + 0).eq(article));
        query = belonging_to!(
            other,
            BESIDE.field(article_listings::kind),
            BESIDE.field(article_listings::owner_id),
            // As a value: PostgreSQL makes a join of what is said to exist, and may read all rows of an owner for it.
            |belongs| {
                let looked_up = BESIDE.filter(belongs).filter(same);
                let found = looked_up.select(BESIDE.field(article_listings::article_id));
                query.filter(found.single_value().is_not_null())
            }
        );
    }
    // What remains is asked of each article.
    if let Some(slugs) = &filter.tag
        && slugs.len() != 1
    {
        query = query.filter(articles::id.eq_any(tagged(slugs.clone())));
    }
    query = of_itself!(query, filter, zone);
    // One upper bound and one lower one lead through the rows; SQLite goes by the first that it meets. What else holds is
    // asked of each row.
    let from = filter.published_from.map(|bound| bound.resolve(zone));
    let to = filter.published_to.map(|bound| bound.resolve(zone));
    let place = part.after.map(|(at, _)| at);
    let (above, below) = if part.ascending { (None, place) } else { (place, None) };
    query = query.filter(moment.le(above.unwrap_or_else(|| to.map_or(read.now, |to| to.min(read.now)))));
    if let Some(to) = to {
        query = query.filter(not(moment.ge(to)));
    }
    if let Some(lowest) = below.or(from) {
        query = query.filter(moment.ge(lowest));
    }
    if let Some(from) = from {
        query = query.filter(not(moment.lt(from)));
    }
    query = match (part.after, part.ascending) {
        (Some((at, id)), true) => query.filter(moment.gt(at).or(article.gt(id))),
        (Some((at, id)), false) => query.filter(moment.lt(at).or(article.lt(id))),
        (None, _) => query,
    };
    query = if part.ascending {
        query.order((moment.asc(), article.asc()))
    } else {
        query.order((moment.desc(), article.desc()))
    };
    let rows = query
        .offset(part.offset)
        .limit(part.limit)
        .select(ArticleRow::as_select())
        .load(read.conn)?;
    Ok(Some(rows))
}
