//! What queries of views may ask: typed, and described for the document.

use utoipa::IntoParams;

use super::windows::{WINDOWS, Window};
use crate::web::query::TimeBound;
use crate::web::{FromPairs, Pairs};

/// How long the points of a series are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interval {
    /// An hour of the site's zone.
    Hour,
    /// A day of the site's zone.
    Day,
}

/// A series.
#[derive(Clone, Debug)]
pub struct Series {
    /// From the point in which this lies.
    pub from: Option<TimeBound>,
    /// To before this.
    pub to: Option<TimeBound>,
    /// How long its points are.
    pub interval: Interval,
}

impl FromPairs for Series {
    fn from_pairs(pairs: &mut Pairs) -> Self {
        let known = [("hour", Interval::Hour), ("day", Interval::Day)];
        Self {
            from: pairs.time("from"),
            to: pairs.time("to"),
            interval: pairs.choice("interval", &known).unwrap_or(Interval::Day),
        }
    }
}

/// A ranking.
#[derive(Clone, Debug)]
pub struct Ranking {
    /// Views of which time; nothing is all time.
    pub window: Option<Window>,
    /// Slug of a category, with its descendants.
    pub category: Option<String>,
    /// How many articles.
    pub limit: i64,
}

impl FromPairs for Ranking {
    fn from_pairs(pairs: &mut Pairs) -> Self {
        let [day, week, month] = WINDOWS.map(|window| (window.name, Some(window)));
        let [_, (_, default), _] = [day, week, month];
        Self {
            window: pairs
                .choice("window", &[day, week, month, ("all", None)])
                .unwrap_or(default),
            category: pairs.text("category"),
            limit: pairs.number("limit", 1..=100).unwrap_or(20),
        }
    }
}

/// What a series may be asked with, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `Series` reads")]
pub struct SeriesParams {
    /// The first point is the one in which this lies: RFC 3339 with an offset, or a date, which begins at midnight in the
    /// site's zone. Without it, 24 hours or 30 days before the end. At most 1,000 points; hours are kept for 40 days.
    #[param(example = "2026-01-13", format = "date-or-time")]
    from: Option<String>,
    /// The end, not included; now if it is not given.
    #[param(example = "2026-02-01", format = "date-or-time")]
    to: Option<String>,
    /// `day` (default) or `hour`.
    #[param(example = "day", format = "one of day hour")]
    interval: Option<String>,
}

/// What a ranking may be asked with, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `Ranking` reads")]
pub struct RankingParams {
    /// Views of the last `24h`, `7d` (default) or `30d`, or of `all` time. A window begins with the hour in which it begins.
    #[param(example = "7d", format = "one of 24h 7d 30d all")]
    window: Option<String>,
    /// Slug of a category; its descendants count as well.
    #[param(example = "news")]
    category: Option<String>,
    /// Articles wanted, 20 where absent.
    #[param(example = 20, minimum = 1, maximum = 100)]
    limit: Option<i64>,
}
