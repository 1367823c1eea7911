//! Searches as they are noted, asked for and answered.

use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::db::Timestamp;
use crate::db::cursor::{Cursor, Scope};
use crate::db::types::UtcTimestamp;
use crate::error::Result;
use crate::text::normalise::{Kind, look};
use crate::web::query::date;
use crate::web::{FromPairs, Paging, Pairs};

/// How many days are shown where nothing else is asked, with today.
const DAYS: u64 = 30;

/// Searches for the same on one day.
#[derive(Debug, Serialize)]
pub(super) struct Noted {
    /// The day in the site's zone, as `2026-01-13`.
    pub(super) day: String,
    /// What was typed, [folded].
    pub(super) query: String,
    pub(super) searches: i64,
    pub(super) without_answer: i64,
    pub(super) last_total: i64,
    pub(super) last_searched_at: String,
}

/// What people searched for.
#[derive(Debug, Serialize, QueryableByName, ToSchema)]
pub struct SearchedQuery {
    /// What was typed: in lower case and simplified characters, blanks trimmed.
    #[diesel(sql_type = Text)]
    #[schema(example = "小米 续航")]
    pub query: String,
    /// How often it was asked for.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 42, minimum = 1)]
    pub count: i64,
    /// How often nothing was found.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 3, minimum = 0)]
    pub without_answer: i64,
    /// How many articles the last search found.
    #[diesel(sql_type = BigInt)]
    #[schema(example = 7, minimum = 0)]
    pub last_total: i64,
    /// When it was asked for last.
    #[diesel(sql_type = UtcTimestamp)]
    pub last_searched_at: Timestamp,
}

/// Which searches are asked for.
#[derive(Debug)]
pub struct QueriesAsked {
    from: Option<NaiveDate>,
    to: Option<NaiveDate>,
    /// Only those whose last search found nothing.
    pub without_answer: bool,
    /// Which part of them.
    pub paging: Paging,
    /// Whether all of them are to be counted.
    pub count: bool,
}

impl FromPairs for QueriesAsked {
    fn from_pairs(pairs: &mut Pairs) -> Self {
        let wanted = "a date (2026-01-13)";
        let from = pairs.parsed("from", wanted, date);
        let to = pairs.parsed("to", wanted, date);
        if from.zip(to).is_some_and(|(from, to)| from > to) {
            pairs.wrong("to", "must not be before from");
        }
        Self {
            from,
            to,
            without_answer: pairs.flag("without_answer").unwrap_or(false),
            paging: Paging::from_pairs(pairs),
            count: pairs.choice("count", &[("exact", true)]).unwrap_or(false),
        }
    }
}

impl QueriesAsked {
    /// The first and the last day, as they are stored: thirty days up to today, unless it is said otherwise.
    pub fn days(&self, now: Timestamp, zone: Tz) -> (String, String) {
        let today = now.utc().with_timezone(&zone).date_naive();
        let others = Days::new(DAYS - 1);
        let (from, to) = match (self.from, self.to) {
            (Some(from), Some(to)) => (from, to),
            (Some(from), None) => (from, today.max(from)),
            (None, to) => {
                let to = to.unwrap_or(today);
                (to - others, to)
            }
        };
        (from.to_string(), to.to_string())
    }

    /// What a cursor belongs to.
    pub fn scope(&self) -> Scope {
        let days = format!("{:?} {:?}", self.from, self.to);
        Scope::of(["search_queries", &days, if self.without_answer { "none" } else { "" }])
    }

    /// Count and query of the row after which the part begins, if it is not the first.
    pub fn after(&self) -> Result<Option<(i64, String)>> {
        let cursor = self.paging.cursor_with_text(&self.scope(), 1)?;
        Ok(cursor.and_then(|cursor| Some((*cursor.numbers.first()?, cursor.text))))
    }
}

impl SearchedQuery {
    /// The place of this row.
    pub fn cursor(&self, scope: &Scope) -> String {
        let cursor = Cursor {
            numbers: vec![self.count],
            text: self.query.clone(),
        };
        cursor.encode(scope)
    }
}

/// What may be asked, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `QueriesAsked` reads")]
pub struct QueriesParams {
    /// The first day, in the site's zone. Where absent, 29 days before the last.
    #[param(example = "2026-01-01", format = Date)]
    from: Option<String>,
    /// The last day, which is included; today where absent.
    #[param(example = "2026-01-31", format = Date)]
    to: Option<String>,
    /// `true`: only those whose last search found nothing.
    #[param(example = true)]
    without_answer: Option<bool>,
    /// Rows wanted.
    #[param(example = 20, minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// `meta.next_cursor` of the part before. Not together with `page`.
    #[param(example = "AQIDBAUGBwgBAAAAAAAAAAPlsI_nsbM", pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// A page, from 1; `page × limit` is at most 10,000.
    #[param(example = 1, minimum = 1, maximum = 10000)]
    page: Option<i64>,
    /// `exact` has all rows counted, as `meta.total`.
    #[param(example = "exact", format = "one of exact")]
    count: Option<String>,
}

/// What was typed, as far as search tells it apart: folded, each run of blanks and control characters one space, none
/// at the ends, without what is invisible.
pub(super) fn folded(typed: &str) -> String {
    let mut folded = String::with_capacity(typed.len());
    for c in typed.chars() {
        match look(c) {
            (_, Kind::Mark) => {}
            (_, Kind::Blank) => {
                if !folded.is_empty() && !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
            (c, _) => folded.push(c),
        }
    }
    if folded.ends_with(' ') {
        folded.pop();
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::query::read;

    #[test]
    fn what_search_does_not_tell_apart_is_one_query() {
        assert_eq!(folded("　ＡＩ \t 軟體\n「手机」 "), "ai 软体 「手机」");
        assert_eq!(folded("a\u{200B}b cafe\u{301}"), "ab cafe");
        assert_eq!(folded("\u{200B} \0"), "");
        assert_eq!(folded("-小米 \"A\""), "-小米 \"a\"");
    }

    #[test]
    fn thirty_days_are_shown_where_nothing_is_asked() {
        let now = Timestamp::parse("2026-03-01T17:00:00Z").unwrap();
        let days = |query: &str| {
            let asked: QueriesAsked = read(query).unwrap();
            let (from, to) = asked.days(now, chrono_tz::Asia::Shanghai);
            format!("{from} {to}")
        };
        assert_eq!(days(""), "2026-02-01 2026-03-02", "today is in the site's zone");
        assert_eq!(days("from=2026-01-01"), "2026-01-01 2026-03-02");
        assert_eq!(days("to=2026-01-30"), "2026-01-01 2026-01-30");
        assert_eq!(days("from=2026-04-01"), "2026-04-01 2026-04-01");
        for wrong in [
            "from=2026-02-02&to=2026-02-01",
            "from=x",
            "to=2026-01-01T00:00:00Z",
            "without_answer=1",
        ] {
            assert!(read::<QueriesAsked>(wrong).is_err(), "{wrong}");
        }
    }
}
