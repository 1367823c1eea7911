//! Which tags and articles are suggested.
//!
//! Every keystroke asks, so the cost is bounded whatever is typed. What few titles have is found by the index, the newest
//! of them first. What many titles have is not worth its long lists: the newest articles are read one by one, where
//! enough of them are soon found.

use super::model::Suggestion;
use super::store::{Titled, newest_titles};
use crate::db::{Read, Timestamp};
use crate::error::Result;
use crate::index::{self, Matches};
use crate::taxonomy::tags::{Used, find_by_key};
use crate::text::normalise::fold_name;
use crate::text::sound::{Name, Place, Typed};

/// What more articles than this have is common, and what more than this, too common for the index.
const COMMON: i64 = 1_000;
const TOO_COMMON: i64 = 3_000;

/// How many of the newest articles are looked at for what is common, or is too short for the index: the first part of
/// them, and the rest where that does not suffice.
const NEWEST: i64 = 500;
const NEXT: i64 = 2_500;

/// How many articles that the index found are looked at, the newest of them: all, unless it is common.
const FOUND: i64 = COMMON;

/// The suggestions for what was typed, at most `limit`: tags first, but no more than half where there are titles for the
/// rest.
pub fn find(read: &mut Read<'_>, q: &str, limit: usize) -> Result<Vec<Suggestion>> {
    index::open(read.conn)?;
    let typed = Typed::new(q);
    let mut tags = tags(read, &typed, q)?;
    let titles = titles(read, &typed, limit)?;
    tags.truncate(limit.saturating_sub(titles.len()).max(limit.div_ceil(2)));
    tags.extend(titles);
    tags.truncate(limit);
    Ok(tags)
}

/// Tags that begin with it: first those that are it, then those that the newest articles carry most, then by slug.
fn tags(read: &mut Read<'_>, typed: &Typed, q: &str) -> Result<Vec<Suggestion>> {
    let beginning = if typed.is_empty() { fold_name(q) } else { typed.key() };
    if beginning.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: Vec<(Option<Place>, Used)> = find_by_key(read.conn, read.now, &beginning)?
        .into_iter()
        .map(|tag| (typed.place_in(&Name::new(&tag.0.name)), tag))
        // A name of signs alone has no place for anything; its key says all.
        .filter(|(place, _)| typed.is_empty() || place.is_some_and(|place| !place.within))
        .collect();
    found.sort_by(|(place, (tag, used)), (other_place, (other, other_used))| {
        let exact = |place: &Option<Place>| place.is_some_and(|place| !place.initials && !place.partial);
        (exact(other_place).cmp(&exact(place)))
            .then(other_used.cmp(used))
            .then_with(|| tag.slug.cmp(&other.slug))
    });
    let suggestions = found.into_iter().map(|(_, (tag, _))| Suggestion {
        text: tag.name,
        kind: "tag",
        id: tag.id,
        slug: tag.slug,
    });
    Ok(suggestions.collect())
}

/// Articles whose titles have it: first those that begin with it, and of these those that have it other than by initials;
/// then the newest.
fn titles(read: &mut Read<'_>, typed: &Typed, limit: usize) -> Result<Vec<Suggestion>> {
    if typed.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = typed.lexemes();
    let mut looked = Looked::new(typed, limit);
    if wanted.is_empty() {
        looked.at(read, None, NEWEST)?;
    } else if !index::are_more_than(read.conn, &wanted, COMMON)? {
        let found = index::one_of_each(read.conn, &wanted);
        looked.at(read, found, FOUND)?;
    } else {
        looked.at(read, None, NEWEST)?;
        looked.at(read, None, NEXT)?;
        // Old articles may be about what was common once.
        if looked.placed.len() < limit && !index::are_more_than(read.conn, &wanted, TOO_COMMON)? {
            let found = index::one_of_each(read.conn, &wanted);
            looked.at(read, found, FOUND)?;
        }
    }
    let mut placed = looked.placed;
    // Of the same rank, the newest stay in front.
    placed.sort_by_key(|(place, _)| (place.within, place.initials));
    let suggestions = placed.into_iter().take(limit).map(|(_, article)| Suggestion {
        text: article.title,
        kind: "article",
        id: article.id,
        slug: article.slug,
    });
    Ok(suggestions.collect())
}

/// The articles that were looked at, from the newest on.
struct Looked<'a> {
    typed: &'a Typed,
    limit: usize,
    /// Those whose titles have what was typed.
    placed: Vec<(Place, Titled)>,
    /// The oldest of all.
    last: Option<(Timestamp, i64)>,
}

impl<'a> Looked<'a> {
    fn new(typed: &'a Typed, limit: usize) -> Self {
        Self {
            typed,
            limit,
            placed: Vec::new(),
            last: None,
        }
    }

    /// Looks at up to `most` more, of those that the index found if it was asked, unless there are enough already.
    fn at(&mut self, read: &mut Read<'_>, found: Option<Matches>, most: i64) -> Result<()> {
        if self.placed.len() >= self.limit {
            return Ok(());
        }
        let articles = newest_titles(read.conn, read.now, found, self.last, most)?;
        if let Some(last) = articles.last() {
            self.last = Some((last.listed_at, last.id));
        }
        for article in articles {
            if let Some(place) = self.typed.place_in(&Name::new(&article.title)) {
                self.placed.push((place, article));
            }
        }
        Ok(())
    }
}
