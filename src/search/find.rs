//! The search itself: how strictly the words are taken, which articles are ranked, and which of them a page shows.
//!
//! The index gives everything that it found at once, a narrow row each: the total, the facets and the articles that are
//! ranked all come from that. Every part of it is a fixed number of statements on one snapshot, and each has a full
//! order, so that the same articles give the same total and the same order on both databases.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::query::{After, Order, Place, Search, WINDOW};
use super::store::{load_candidates, load_texts, newest_titled};
use crate::articles::load::Scene;
use crate::articles::model::ArticleRow;
use crate::articles::store::{cursor_of, load_seen};
use crate::articles::{Sort, filtered_hits};
use crate::db::cursor::Cursor;
use crate::db::schema::article_hits;
use crate::db::{Read, Sight};
use crate::error::Result;
use crate::index::rank::Ranking;
use crate::index::{self, Counts, Hit, HitQuery};
use crate::text::flow::flow_of;
use crate::text::query::{Query, Strictness, Within};
use crate::web::Page;

/// Fewer answers than this, and words may be missing.
const FEW: usize = 3;

/// How many articles enter the ranking for their titles, before the newest fill the window. Without them an old article
/// that is about nothing else could not be found by a common word.
const TITLED: i64 = 300;

/// How many articles are looked at for phrases that the index cannot decide, the newest ones. Those beyond are counted into
/// the total, and shown, as the index found them: nearly all of them have the phrase, and reading every body would make
/// common phrases slow. Which ones are looked at depends on the articles alone, so both databases count the same.
const CHECKED: usize = 500;

/// How many texts are in memory at once.
const TEXTS: usize = 25;

const SECONDS_A_DAY: i64 = 86_400;

/// The newest first.
const NEWEST: Sort = Sort {
    by_update: false,
    ascending: false,
};

/// A search, and against what it is made.
pub struct Asked<'a> {
    /// What was asked.
    pub search: &'a Search,
    /// The words and phrases in it.
    pub query: &'a Query,
    /// The categories.
    pub scene: &'a Scene,
    /// The zone in which bare dates begin.
    pub zone: chrono_tz::Tz,
    /// How far the caller sees.
    pub sight: Sight,
    /// After what the page begins.
    pub after: &'a After,
    /// Path and query of the page.
    pub address: &'a str,
}

/// What was found.
pub struct Found {
    /// The page, with the total.
    pub page: Page<ArticleRow>,
    /// Every article that was found.
    pub hits: Vec<Hit>,
    /// How they are spread, if that was asked.
    pub counts: Counts,
}

/// Finds a page.
pub fn find(read: &mut Read<'_>, asked: &Asked<'_>) -> Result<Found> {
    let counted = !asked.search.facets.is_empty();
    let mut strictness = Strictness::All;
    let (mut hits, mut counts) = (Vec::new(), Counts::default());
    if !asked.query.is_empty() {
        (hits, counts) = asked.hits(read, strictness, counted)?;
        if hits.len() < FEW && asked.query.has_looser() {
            strictness = Strictness::TwoThirds;
            (hits, counts) = asked.hits(read, strictness, counted)?;
        }
    }
    let page = match asked.search.order {
        Order::Relevance => asked.best(read, &mut hits, strictness)?,
        Order::Newest => asked.newest(read, &mut hits)?,
    };
    Ok(Found { page, hits, counts })
}

impl Asked<'_> {
    /// The condition on what the index knows.
    fn narrowed<'q>(&self, read: &Read<'_>, strictness: Strictness, title_only: bool) -> Result<HitQuery<'q>> {
        let filter = &self.search.filter;
        let within = Within {
            title_only,
            ..filter.within()
        };
        let found = index::says(read.conn, self.query, strictness, within);
        let mut query = filtered_hits(read, &self.scene.tree, self.zone, self.sight, filter)?.filter(found);
        // Who asks for what is scheduled asks for later times.
        if let (After::Place(place), None) = (self.after, &filter.status) {
            query = query.filter(article_hits::listed_at.le(place.begun.micros()));
        }
        Ok(query)
    }

    /// Everything that is found by one strictness.
    fn hits(&self, read: &mut Read<'_>, strictness: Strictness, counted: bool) -> Result<(Vec<Hit>, Counts)> {
        let phrases = self.query.needs_text_check();
        let query = self.narrowed(read, strictness, false)?;
        let (mut hits, mut counts) = index::hits(read.conn, query, counted && !phrases)?;
        if phrases {
            let refused = self.lacking_a_phrase(read, &mut hits)?;
            hits.retain(|hit| !refused.contains(&hit.id));
            if counted {
                let ids: Vec<i64> = refused.into_iter().collect();
                let query = self
                    .narrowed(read, strictness, false)?
                    .filter(article_hits::article_id.ne_all(ids));
                (hits, counts) = index::hits(read.conn, query, true)?;
            }
        }
        Ok((hits, counts))
    }

    /// Which of the newest articles lack a phrase that must be there, or have one that must not.
    fn lacking_a_phrase(&self, read: &mut Read<'_>, hits: &mut [Hit]) -> Result<HashSet<i64>> {
        let check = self.query.text_check();
        let mut lacking = HashSet::new();
        for part in newest_of(hits, CHECKED).chunks(TEXTS) {
            let ids: Vec<i64> = part.iter().map(|hit| hit.id).collect();
            let texts = load_texts(read.conn, &ids)?;
            for candidate in load_candidates(read.conn, &ids)? {
                let fields = [candidate.title.as_str(), &candidate.summary].into_iter();
                let tags = candidate.tags.iter().map(String::as_str);
                let text = texts.get(&candidate.id).map(String::as_str);
                if !check.phrases_ok(&flow_of(fields.chain(tags).chain(text))) {
                    lacking.insert(candidate.id);
                }
            }
        }
        Ok(lacking)
    }

    /// The page by relevance.
    fn best(&self, read: &mut Read<'_>, hits: &mut [Hit], strictness: Strictness) -> Result<Page<ArticleRow>> {
        let total = hits.len();
        let window = length(WINDOW);
        let mut ids: Vec<i64> = Vec::new();
        if total > window {
            let found: HashSet<i64> = hits.iter().map(|hit| hit.id).collect();
            let titled = self.narrowed(read, strictness, true)?;
            ids = newest_titled(read.conn, titled, TITLED)?;
            // Without those that lack a phrase.
            ids.retain(|id| found.contains(id));
        }
        let mut seen: HashSet<i64> = ids.iter().copied().collect();
        let newest = newest_of(hits, window).iter().map(|hit| hit.id);
        ids.extend(newest.filter(|id| seen.insert(*id)));
        ids.truncate(window);
        let candidates = load_candidates(read.conn, &ids)?;

        let place = match self.after {
            After::Place(place) => *place,
            After::Row(_) | After::Nothing => Place {
                offset: self.search.paging.offset(),
                begun: read.now,
            },
        };
        let day = place.begun.utc().timestamp().div_euclid(SECONDS_A_DAY);
        let mut ranking = Ranking::by_fields(self.query, day, &candidates);
        let wanted: Vec<i64> = ranking.wants_bodies().collect();
        for part in wanted.chunks(TEXTS) {
            ranking.read_bodies(&load_texts(read.conn, part)?);
        }
        let order = ranking.finish().into_iter().skip(length(place.offset));
        let ids: Vec<i64> = order.take(self.wanted()).map(|ranked| ranked.id).collect();
        let rows = in_order(read, self.sight, &ids)?;
        let end = Place {
            offset: place.offset + self.search.paging.limit,
            ..place
        };
        Ok(self.page(rows, total, |_last| end.cursor()))
    }

    /// The page, the newest first.
    fn newest(&self, read: &mut Read<'_>, hits: &mut [Hit]) -> Result<Page<ArticleRow>> {
        let total = hits.len();
        let rest = match self.after {
            After::Row((at, id)) => {
                let after = newer_first(&Hit {
                    id: *id,
                    listed_at: at.micros(),
                });
                let end = partition(hits, |hit| newer_first(hit) > after);
                hits.get_mut(..end).unwrap_or_default()
            }
            After::Place(_) | After::Nothing => hits,
        };
        let offset = length(self.search.paging.offset());
        let newest = newest_of(rest, offset + self.wanted());
        let ids: Vec<i64> = newest.iter().skip(offset).map(|hit| hit.id).collect();
        let rows = in_order(read, self.sight, &ids)?;
        Ok(self.page(rows, total, |last| cursor_of(last, NEWEST)))
    }

    /// The page of these rows, of which there may be one too many; `end` is the place after its last.
    fn page(&self, rows: Vec<ArticleRow>, total: usize, end: impl FnOnce(&ArticleRow) -> Cursor) -> Page<ArticleRow> {
        let Search { paging, .. } = self.search;
        let cursor = |last: &ArticleRow| end(last).encode(&self.search.scope());
        let total = i64::try_from(total).unwrap_or(i64::MAX);
        Page::part(rows, paging, Some(total), self.address, cursor)
    }

    /// How many rows are read for a page: one more than it shows.
    fn wanted(&self) -> usize {
        length(self.search.paging.limit + 1)
    }
}

/// The newest first, then the larger id.
fn newer_first(hit: &Hit) -> Reverse<(i64, i64)> {
    Reverse((hit.listed_at, hit.id))
}

/// The newest of these, in order, at most `most`.
fn newest_of(hits: &mut [Hit], most: usize) -> &[Hit] {
    if most < hits.len() {
        hits.select_nth_unstable_by_key(most, newer_first);
    }
    let most = most.min(hits.len());
    let newest = hits.get_mut(..most).unwrap_or_default();
    newest.sort_unstable_by_key(newer_first);
    newest
}

/// Brings those that `first` names to the front; how many they are.
fn partition(hits: &mut [Hit], first: impl Fn(&Hit) -> bool) -> usize {
    let mut end = 0;
    for at in 0..hits.len() {
        if hits.get(at).is_some_and(&first) {
            hits.swap(at, end);
            end += 1;
        }
    }
    end
}

/// The articles of these ids, in their order.
fn in_order(read: &mut Read<'_>, sight: Sight, ids: &[i64]) -> Result<Vec<ArticleRow>> {
    let mut unordered: HashMap<i64, ArticleRow> = load_seen(read.conn, ids, sight, read.now)?
        .into_iter()
        .map(|row| (row.id, row))
        .collect();
    Ok(ids.iter().filter_map(|id| unordered.remove(id)).collect())
}

fn length(rows: i64) -> usize {
    usize::try_from(rows).unwrap_or_default()
}
