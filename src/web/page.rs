//! Lists: paging in, `meta` and `links` out.

use actix_web::HttpRequest;
use serde::Serialize;
use utoipa::ToSchema;

use super::query::Pairs;
use crate::db::cursor::{Cursor, Scope};
use crate::error::{Code, Error, Result};

/// Deepest row that `page` reaches: `page × limit`.
pub const DEEPEST_ROW: i64 = 10_000;

/// Which part of a list is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paging {
    /// Rows wanted, 1 to 100.
    pub limit: i64,
    /// Where to begin.
    pub start: Start,
    /// Deepest row that `page` reaches.
    pub deepest: i64,
}

/// Where a part of a list begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the beginning.
    First,
    /// After a cursor, not read yet.
    After(String),
    /// At that page, from 1.
    Page(i64),
}

impl Paging {
    /// Reads `limit`, `cursor` and `page`.
    pub fn from_pairs(pairs: &mut Pairs) -> Self {
        Self::within(pairs, DEEPEST_ROW)
    }

    /// The same where `page × limit` ends at `deepest`.
    pub fn within(pairs: &mut Pairs, deepest: i64) -> Self {
        let limit = pairs.number("limit", 1..=100).unwrap_or(20);
        let page = pairs.number("page", 1..=deepest);
        let cursor = pairs.text("cursor");
        let start = match (cursor, page) {
            (Some(_), Some(_)) => {
                pairs.wrong("page", "cursor and page exclude each other");
                Start::First
            }
            (Some(cursor), None) => Start::After(cursor),
            (None, Some(page)) => {
                if page * limit > deepest {
                    pairs.wrong(
                        "page",
                        format!("page × limit must be at most {deepest}; go on with cursor"),
                    );
                }
                Start::Page(page)
            }
            (None, None) => Start::First,
        };
        Self { limit, start, deepest }
    }

    /// Reads `limit` and `cursor` for lists without pages.
    pub fn by_cursor(pairs: &mut Pairs) -> Self {
        let limit = pairs.number("limit", 1..=100).unwrap_or(20);
        Self {
            limit,
            start: pairs.text("cursor").map_or(Start::First, Start::After),
            deepest: DEEPEST_ROW,
        }
    }

    /// The cursor, if one was given, checked against its scope; of numbers alone.
    pub fn cursor(&self, scope: &Scope, numbers: usize) -> Result<Option<Cursor>> {
        match self.cursor_with_text(scope, numbers)? {
            Some(cursor) if !cursor.text.is_empty() => Err(wrong_cursor()),
            cursor => Ok(cursor),
        }
    }

    /// The same where a text key belongs to it.
    pub fn cursor_with_text(&self, scope: &Scope, numbers: usize) -> Result<Option<Cursor>> {
        match &self.start {
            Start::After(text) if text.is_empty() => Err(wrong_cursor()),
            Start::After(text) => Cursor::decode(text, scope, numbers).map(Some),
            Start::First | Start::Page(_) => Ok(None),
        }
    }

    /// Rows before the page.
    pub fn offset(&self) -> i64 {
        match self.start {
            Start::Page(page) => (page - 1) * self.limit,
            Start::First | Start::After(_) => 0,
        }
    }

    /// The page's number, if pages are what was asked for.
    pub fn page(&self) -> Option<i64> {
        match self.start {
            Start::Page(page) => Some(page),
            Start::First | Start::After(_) => None,
        }
    }
}

fn wrong_cursor() -> Error {
    Error::at_parameter(Code::InvalidCursor, "cursor", "not a cursor of this query")
}

/// What a list says of itself.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Meta {
    /// Rows asked for; null where the list is always whole.
    #[schema(example = 20, required, minimum = 1, maximum = 100)]
    pub limit: Option<i64>,
    /// The page, if `page` was asked for.
    #[schema(required, example = 1, minimum = 1)]
    pub page: Option<i64>,
    /// Give it as `cursor` for what follows; null at the end.
    #[schema(example = "AQIDBAUGBwgCAAAAAGVh", required, pattern = "^[A-Za-z0-9_-]+$")]
    pub next_cursor: Option<String>,
    /// All rows that match; null unless `count=exact` was asked for.
    #[schema(required, example = 42)]
    pub total: Option<i64>,
}

/// Addresses of a list and its neighbours, relative to the origin; the `Link` header has them too (RFC 8288).
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Links {
    /// This list, as it was asked for.
    #[schema(example = "/api/v1/articles?limit=20", pattern = "^/")]
    #[serde(rename = "self")]
    pub this: String,
    /// What follows; null at the end.
    #[schema(
        example = "/api/v1/articles?limit=20&cursor=AQIDBAUGBwgCAAAAAGVh",
        required,
        pattern = "^/"
    )]
    pub next: Option<String>,
    /// What comes before; null on the first page, and always with `cursor`.
    #[schema(required, example = "/api/v1/articles?limit=20&page=1", pattern = "^/")]
    pub prev: Option<String>,
}

/// A list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows, in the order of the list.
    pub data: Vec<T>,
    /// What the list says of itself.
    pub meta: Meta,
    /// Where it goes on.
    pub links: Links,
}

impl<T> Page<T> {
    /// A list that is always whole.
    pub fn whole(data: Vec<T>, path_and_query: &str) -> Self {
        let meta = Meta {
            total: i64::try_from(data.len()).ok(),
            ..Meta::default()
        };
        Self {
            data,
            meta,
            links: Links {
                this: path_and_query.to_owned(),
                next: None,
                prev: None,
            },
        }
    }

    /// A part of a list: `rows` may hold one more than was asked for, which tells that more follows. `cursor` makes
    /// the cursor of a row.
    pub fn part(
        mut rows: Vec<T>,
        paging: &Paging,
        total: Option<i64>,
        path_and_query: &str,
        cursor: impl FnOnce(&T) -> String,
    ) -> Self {
        let limit = usize::try_from(paging.limit).unwrap_or(usize::MAX);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = more.then(|| rows.last().map(cursor)).flatten();
        let links = Links {
            this: path_and_query.to_owned(),
            next: match (paging.page(), &next_cursor) {
                (Some(page), Some(_)) if (page + 1) * paging.limit <= paging.deepest => {
                    Some(replaced(path_and_query, "page", &(page + 1).to_string()))
                }
                (_, Some(cursor)) => Some(replaced(path_and_query, "cursor", cursor)),
                (_, None) => None,
            },
            prev: paging
                .page()
                .filter(|page| *page > 1)
                .map(|page| replaced(path_and_query, "page", &(page - 1).to_string())),
        };
        Self {
            data: rows,
            meta: Meta {
                limit: Some(paging.limit),
                page: paging.page(),
                next_cursor,
                total,
            },
            links,
        }
    }

    /// The same list of other rows.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            data: self.data.into_iter().map(change).collect(),
            meta: self.meta,
            links: self.links,
        }
    }
}

/// The address that was asked for, relative to the origin.
pub fn address(request: &HttpRequest) -> String {
    let uri = request.uri();
    uri.path_and_query()
        .map_or_else(|| uri.path().to_owned(), ToString::to_string)
}

/// The address with one parameter set, and the other way of paging taken out.
pub fn replaced(path_and_query: &str, name: &str, value: &str) -> String {
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let kept = query.split('&').filter(|part| {
        let key = part.split('=').next().unwrap_or_default();
        !part.is_empty() && key != "cursor" && key != "page"
    });
    let parts: Vec<_> = kept.map(str::to_owned).chain([format!("{name}={value}")]).collect();
    format!("{path}?{}", parts.join("&"))
}

#[cfg(test)]
mod tests {
    use super::super::query::{FromPairs, read};
    use super::*;

    #[derive(Debug)]
    struct Sample(Paging);

    impl FromPairs for Sample {
        fn from_pairs(pairs: &mut Pairs) -> Self {
            Self(Paging::from_pairs(pairs))
        }
    }

    #[test]
    fn bounds_are_refused_and_never_clamped() {
        for wrong in [
            "limit=0",
            "limit=101",
            "page=0",
            "page=501",
            "limit=100&page=101",
            "page=1&cursor=x",
            "limit=-1",
        ] {
            assert!(read::<Sample>(wrong).is_err(), "{wrong}");
        }
        assert_eq!(read::<Sample>("limit=100&page=100").unwrap().0.offset(), 9_900);
    }

    #[test]
    fn one_row_too_many_means_that_more_follows() {
        let paging = read::<Sample>("limit=2").unwrap().0;
        let page = Page::part(vec![1, 2, 3], &paging, None, "/x?limit=2&tag=a", |row| {
            format!("c{row}")
        });
        assert_eq!((page.data, page.meta.next_cursor), (vec![1, 2], Some("c2".to_owned())));
        assert_eq!(page.links.next.as_deref(), Some("/x?limit=2&tag=a&cursor=c2"));
        let paging = read::<Sample>("limit=2&page=2").unwrap().0;
        let page = Page::part(vec![1, 2], &paging, None, "/x?limit=2&page=2", |row| format!("c{row}"));
        assert_eq!(
            (page.links.next, page.links.prev.as_deref()),
            (None, Some("/x?limit=2&page=1"))
        );
    }

    #[test]
    fn beyond_the_deepest_page_the_cursor_goes_on() {
        struct Window(Paging);
        impl FromPairs for Window {
            fn from_pairs(pairs: &mut Pairs) -> Self {
                Self(Paging::within(pairs, 5))
            }
        }
        let next = |query: &str| {
            let Window(paging) = read(query).unwrap();
            Page::part(vec![1, 2, 3], &paging, None, &format!("/x?{query}"), |row| {
                format!("c{row}")
            })
            .links
            .next
        };
        assert_eq!(next("limit=2&page=1").as_deref(), Some("/x?limit=2&page=2"));
        assert_eq!(next("limit=2&page=2").as_deref(), Some("/x?limit=2&cursor=c2"));
    }
}
