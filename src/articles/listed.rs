//! Lists of what belongs to one category, tag or author: read along the rows that are kept in the order of lists, so that
//! they cost the same however many articles there are.

use diesel::dsl::not;
use diesel::prelude::*;

use super::filter::{Filter, of_itself, tagged, written_by};
use super::model::{ArticleRow, ArticleValues, State};
use crate::db::schema::{article_listings, articles, authors, tags};
use crate::db::{MultiBackend, Read, Timestamp, is_public_of_few};
use crate::error::Result;
use crate::taxonomy::categories::Tree;
use crate::taxonomy::listed::Listed;

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

/// The owner along whose rows the list is read: the one that is likely to have the fewest.
enum Owner {
    Tag(String),
    Author(String),
    Category(i64),
}

impl Filter {
    fn owner(&self, tree: &Tree) -> Option<Owner> {
        let one = match self.tag.as_deref() {
            Some([tag]) => Some(tag),
            _ => self.tag_all.iter().flatten().next(),
        };
        if let Some(tag) = one {
            return Some(Owner::Tag(tag.clone()));
        }
        if let Some(author) = &self.author {
            return Some(Owner::Author(author.clone()));
        }
        let category = self.category.as_deref().and_then(|slug| tree.id_of(slug));
        category.map(Owner::Category)
    }
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
    let Some(owner) = filter.owner(tree) else {
        return Ok(None);
    };
    let (moment, article) = (article_listings::listed_at, article_listings::article_id);
    let mut query = article_listings::table
        .inner_join(articles::table.on(articles::id.eq(article)))
        .filter(is_public_of_few(read.now))
        .into_boxed::<MultiBackend>();
    query = match &owner {
        Owner::Tag(slug) => {
            let id = tags::table.filter(tags::slug.eq(slug.clone())).select(tags::id);
            query
                .filter(article_listings::kind.eq(Listed::Tag.kind()))
                .filter(article_listings::owner_id.nullable().eq(id.single_value()))
        }
        Owner::Author(slug) => {
            let id = authors::table
                .filter(authors::slug.eq(slug.clone()))
                .select(authors::id);
            query
                .filter(article_listings::kind.eq(Listed::Author.kind()))
                .filter(article_listings::owner_id.nullable().eq(id.single_value()))
        }
        Owner::Category(id) => query
            .filter(article_listings::kind.eq(Listed::Category.kind()))
            .filter(article_listings::owner_id.eq(*id)),
    };
    // What remains is asked of each article.
    if !matches!(owner, Owner::Category(_))
        && let Some(slug) = &filter.category
    {
        query = query.filter(articles::category_id.eq_any(tree.with_descendants(slug)));
    }
    if !matches!(owner, Owner::Author(_))
        && let Some(slug) = &filter.author
    {
        query = query.filter(articles::id.eq_any(written_by(slug.clone())));
    }
    let is_owner = |slug: &String| matches!(&owner, Owner::Tag(own) if own == slug);
    if let Some(slugs) = &filter.tag
        && !slugs.iter().any(is_owner)
    {
        query = query.filter(articles::id.eq_any(tagged(slugs.clone())));
    }
    for slug in filter.tag_all.iter().flatten().filter(|slug| !is_owner(slug)) {
        query = query.filter(articles::id.eq_any(tagged(vec![slug.clone()])));
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
