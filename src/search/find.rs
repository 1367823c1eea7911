//! The search itself: how strictly the words are taken, which articles are ranked, and which of them a page shows.
//!
//! Every part of it is a fixed number of statements on one snapshot, and each has a full order, so that the same articles
//! give the same total and the same order on both databases.

use std::collections::{HashMap, HashSet};

use super::query::{After, Order, Place, Search, WINDOW};
use super::store::{load_candidates, load_texts, narrowed};
use crate::articles::load::Scene;
use crate::articles::model::ArticleRow;
use crate::articles::store::{count_articles, cursor_of, list_articles, load_articles};
use crate::articles::{ArticleQuery, Sort, filtered};
use crate::db::cursor::Cursor;
use crate::db::{Read, Sight};
use crate::error::Result;
use crate::index;
use crate::index::rank::Ranking;
use crate::text::flow::flow_of;
use crate::text::query::{Query, Strictness};
use crate::web::Page;

/// Fewer answers than this, and words may be missing.
const FEW: i64 = 3;

/// How many articles enter the ranking for their titles, before the newest fill the window. Without them an old article
/// that is about nothing else could not be found by a common word.
const TITLED: i64 = 300;

/// How many articles are looked at for phrases that the index cannot decide, the newest ones. Those beyond are counted into
/// the total, and shown, as the index found them: nearly all of them have the phrase, and reading every body would make
/// common phrases slow. Which ones are looked at depends on the articles alone, so both databases count the same.
const CHECKED: i64 = 500;

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
    /// Texts of bodies that were read on the way, by article.
    pub texts: HashMap<i64, String>,
}

/// Articles that the index found, by one strictness.
struct Hits<'a> {
    asked: &'a Asked<'a>,
    strictness: Strictness,
    /// Those of them that lack a phrase all the same.
    refused: Vec<i64>,
}

/// Finds a page.
pub fn find(read: &mut Read<'_>, asked: &Asked<'_>) -> Result<Found> {
    if asked.query.is_empty() {
        return Ok(asked.page(Vec::new(), 0, HashMap::new(), |last| cursor_of(last, NEWEST)));
    }
    index::prefer_index(read.conn)?;
    let mut hits = Hits::new(read, asked, Strictness::All)?;
    let mut total = hits.count(read)?;
    if total < FEW && asked.query.has_looser() {
        hits = Hits::new(read, asked, Strictness::TwoThirds)?;
        total = hits.count(read)?;
    }
    match asked.search.order {
        Order::Relevance => hits.best(read, total),
        Order::Newest => hits.newest(read, total),
    }
}

impl Asked<'_> {
    /// The page of these rows, of which there may be one too many; `end` is the place after its last.
    fn page(
        &self,
        rows: Vec<ArticleRow>,
        total: i64,
        texts: HashMap<i64, String>,
        end: impl FnOnce(&ArticleRow) -> Cursor,
    ) -> Found {
        let Search { paging, .. } = self.search;
        let cursor = |last: &ArticleRow| end(last).encode(&self.search.scope());
        Found {
            page: Page::part(rows, paging, Some(total), self.address, cursor),
            texts,
        }
    }
}

impl<'a> Hits<'a> {
    fn new(read: &mut Read<'_>, asked: &'a Asked<'a>, strictness: Strictness) -> Result<Self> {
        let mut hits = Self {
            asked,
            strictness,
            refused: Vec::new(),
        };
        if asked.query.needs_text_check() {
            hits.refused = hits.lacking_a_phrase(read)?;
        }
        Ok(hits)
    }

    /// The condition, of the titles alone or of everything.
    fn articles<'q>(&self, read: &Read<'_>, title_only: bool) -> Result<ArticleQuery<'q>> {
        let Asked {
            search,
            query,
            scene,
            zone,
            sight,
            after,
            ..
        } = self.asked;
        let begun = match after {
            // Who asks for what is scheduled asks for later times.
            After::Place(place) if search.filter.status.is_none() => Some(place.begun),
            After::Place(_) | After::Row(_) | After::Nothing => None,
        };
        let articles = filtered(read, &scene.tree, *zone, *sight, &search.filter)?;
        let found = index::meant_by(read.conn, query, self.strictness, title_only);
        Ok(narrowed(articles, found, begun, &self.refused))
    }

    /// Which of the newest articles lack a phrase that must be there, or have one that must not.
    fn lacking_a_phrase(&self, read: &mut Read<'_>) -> Result<Vec<i64>> {
        let articles = self.articles(read, false)?;
        let candidates = load_candidates(read.conn, articles, CHECKED)?;
        let texts = load_texts(read.conn, candidates.iter().map(|candidate| candidate.id).collect())?;
        let check = self.asked.query.text_check();
        let lacking = candidates.iter().filter(|candidate| {
            let fields = [candidate.title.as_str(), &candidate.summary].into_iter();
            let tags = candidate.tags.iter().map(String::as_str);
            let text = texts.get(&candidate.id).map(String::as_str);
            !check.phrases_ok(&flow_of(fields.chain(tags).chain(text)))
        });
        Ok(lacking.map(|candidate| candidate.id).collect())
    }

    fn count(&self, read: &mut Read<'_>) -> Result<i64> {
        let articles = self.articles(read, false)?;
        Ok(count_articles(read.conn, articles)?)
    }

    /// The page by relevance.
    fn best(&self, read: &mut Read<'_>, total: i64) -> Result<Found> {
        let mut candidates = Vec::new();
        if total > WINDOW {
            let titled = self.articles(read, true)?;
            candidates = load_candidates(read.conn, titled, TITLED)?;
        }
        let mut seen: HashSet<i64> = candidates.iter().map(|candidate| candidate.id).collect();
        let articles = self.articles(read, false)?;
        let newest = load_candidates(read.conn, articles, WINDOW)?;
        candidates.extend(newest.into_iter().filter(|candidate| seen.insert(candidate.id)));
        candidates.truncate(length(WINDOW));

        let place = match self.asked.after {
            After::Place(place) => *place,
            After::Row(_) | After::Nothing => Place {
                offset: self.asked.search.paging.offset(),
                begun: read.now,
            },
        };
        let day = place.begun.utc().timestamp().div_euclid(SECONDS_A_DAY);
        let ranking = Ranking::by_fields(self.asked.query, day, &candidates);
        let texts = load_texts(read.conn, ranking.wants_bodies().collect())?;
        let order = ranking.finish(&texts).into_iter().skip(length(place.offset));
        let ids: Vec<i64> = order.take(length(self.wanted())).map(|ranked| ranked.id).collect();
        let mut unordered: HashMap<i64, ArticleRow> = load_articles(read.conn, &ids)?
            .into_iter()
            .map(|row| (row.id, row))
            .collect();
        let end = Place {
            offset: place.offset + self.asked.search.paging.limit,
            ..place
        };
        let rows = ids.iter().filter_map(|id| unordered.remove(id)).collect();
        Ok(self.asked.page(rows, total, texts, |_last| end.cursor()))
    }

    /// The page, the newest first.
    fn newest(&self, read: &mut Read<'_>, total: i64) -> Result<Found> {
        let after = match self.asked.after {
            After::Row(after) => Some(*after),
            After::Place(_) | After::Nothing => None,
        };
        let articles = self.articles(read, false)?;
        let offset = self.asked.search.paging.offset();
        let rows = list_articles(read.conn, articles, NEWEST, after, offset, self.wanted())?;
        Ok(self
            .asked
            .page(rows, total, HashMap::new(), |last| cursor_of(last, NEWEST)))
    }

    /// How many rows are read for a page: one more than it shows.
    fn wanted(&self) -> i64 {
        self.asked.search.paging.limit + 1
    }
}

fn length(rows: i64) -> usize {
    usize::try_from(rows).unwrap_or_default()
}
