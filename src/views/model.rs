//! What is said of views: as sent, and as answered.

use std::collections::HashSet;

use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::tally::{Outcome, View};
use super::visitor::Visitor;
use crate::articles::model::ArticleSummary;
use crate::db::Timestamp;
use crate::error::Result;
use crate::text_enum;
use crate::web::body::{Checks, object_list};
use crate::web::query::MAX_ID;

/// How many events one request may send.
const MOST_EVENTS: usize = 500;

/// How far the clock of an app may go ahead; a view in that time is taken to be now.
const AHEAD: TimeDelta = TimeDelta::seconds(10);

/// A view, as it was counted.
#[derive(Debug, Serialize, ToSchema)]
pub struct ViewCount {
    /// Id of the article.
    #[schema(example = 42, minimum = 1)]
    pub article_id: i64,
    /// How often it has been read, this view included if it counted.
    #[schema(example = 1025, minimum = 0)]
    pub view_count: i64,
    /// Whether this view counted: not if the same visitor has counted within the window, and not for crawlers.
    #[schema(example = true)]
    pub counted: bool,
}

/// Views that an app tells later.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub struct ViewEvents {
    /// The views, in any order, at most 500.
    #[serde(deserialize_with = "object_list")]
    #[schema(max_items = 500, example = json!([{"event_id": "0198f2c6-7c7e-7d5a-9c1e-2f6d0a4b8c11", "article_id": 42, "viewed_at": "2026-01-13T04:31:54Z"}]))]
    views: Vec<ViewEvent>,
}

/// A view that an app tells.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ViewEvent {
    /// The app's own id of this view, a UUID: told twice, it counts once.
    #[schema(example = "0198f2c6-7c7e-7d5a-9c1e-2f6d0a4b8c11", format = Uuid)]
    event_id: String,
    /// Id of the article that was read.
    #[schema(example = 42, minimum = 1, maximum = 9007199254740991_i64)]
    article_id: i64,
    /// When it was read: not in the future.
    viewed_at: Timestamp,
}

impl ViewEvents {
    /// The ids of the events as they were sent, and the views to count. 422 names everything that is wrong.
    pub fn check(self, now: Timestamp, visitor: Option<Visitor>) -> Result<(Vec<String>, Vec<View>)> {
        let mut checks = Checks::default();
        if self.views.len() > MOST_EVENTS {
            checks.wrong("/views", format!("at most {MOST_EVENTS} views"));
            checks.finish()?;
            return Ok(Default::default());
        }
        let mut seen = HashSet::new();
        let mut views = Vec::with_capacity(self.views.len());
        for (place, event) in self.views.iter().enumerate() {
            let at = |field: &str| format!("/views/{place}/{field}");
            // Of the forms of a UUID, the one with hyphens alone.
            let id = Uuid::try_parse(&event.event_id)
                .ok()
                .filter(|_| event.event_id.len() == 36);
            match id {
                None => checks.wrong(
                    &at("event_id"),
                    "must be a UUID such as 0198f2c6-7c7e-7d5a-9c1e-2f6d0a4b8c11",
                ),
                Some(id) if !seen.insert(id) => checks.wrong(&at("event_id"), "stands here twice"),
                Some(_) => {}
            }
            if !(1..=MAX_ID).contains(&event.article_id) {
                checks.wrong(&at("article_id"), format!("must be a number from 1 to {MAX_ID}"));
            }
            if event.viewed_at.utc() > now.utc() + AHEAD {
                checks.wrong(&at("viewed_at"), "must not be in the future");
            }
            views.push(View {
                article_id: event.article_id,
                visitor,
                by_crawler: false,
                event: id.map(|id| (id, event.viewed_at)),
            });
        }
        checks.finish()?;
        Ok((self.views.into_iter().map(|event| event.event_id).collect(), views))
    }
}

text_enum! {
    /// What became of a view that an app told.
    pub enum EventStatus {
        /// It counted.
        Counted = "counted",
        /// It was told before, and counted or not then.
        Duplicate = "duplicate",
        /// The same visitor has counted within the window.
        WithinWindow = "within_window",
        /// Everybody sees no such article.
        NotFound = "not_found",
        /// It happened more than 7 days ago.
        TooOld = "too_old",
    }
}

impl From<Outcome> for EventStatus {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Counted(_) => Self::Counted,
            Outcome::WithinWindow(_) | Outcome::Crawler(_) => Self::WithinWindow,
            Outcome::Duplicate => Self::Duplicate,
            Outcome::NotFound => Self::NotFound,
            Outcome::TooOld => Self::TooOld,
        }
    }
}

/// What became of an event.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventResult {
    /// Its id, as it was sent.
    #[schema(example = "0198f2c6-7c7e-7d5a-9c1e-2f6d0a4b8c11", format = Uuid)]
    pub event_id: String,
    /// What became of it. All but `not_found` is final: it need not be sent again.
    pub status: EventStatus,
}

/// What became of the events of a request.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventResults {
    /// One for each, in their order.
    #[schema(max_items = 500)]
    pub data: Vec<EventResult>,
}

/// The views of an hour or a day.
#[derive(Debug, Serialize, ToSchema)]
pub struct ViewPoint {
    /// When it begins.
    pub start: Timestamp,
    /// The day of the site's zone that it is, or lies in.
    #[schema(example = "2026-01-13")]
    pub date: NaiveDate,
    /// How often the article was read then.
    #[schema(example = 17, minimum = 0)]
    pub views: i64,
}

/// An article in its place.
#[derive(Debug, Serialize, ToSchema)]
pub struct RankedArticle {
    /// Its place in the ranking, from 1.
    #[schema(value_type = i64, example = 1, minimum = 1, maximum = 100)]
    pub rank: usize,
    /// How often it was read in the window.
    #[schema(example = 317, minimum = 1)]
    pub views: i64,
    /// The article, as lists show it.
    pub article: ArticleSummary,
}
