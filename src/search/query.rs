//! What a search may ask: typed, and described for the document.

use utoipa::IntoParams;

use crate::articles::store::place;
use crate::articles::{Filter, Includes, read_filter};
use crate::db::Timestamp;
use crate::db::cursor::{Cursor, Scope};
use crate::error::{Code, Error, Result};
use crate::web::page::{DEEPEST_ROW, Start};
use crate::web::{FromPairs, Paging, Pairs};

/// How many articles are ranked by relevance. Those beyond are counted, but not shown.
pub const WINDOW: i64 = 1_000;

/// Longest `q`, in characters.
const LONGEST: usize = 200;

/// The order of what is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The best first.
    Relevance,
    /// The newest first.
    Newest,
}

impl Order {
    const KNOWN: [(&'static str, Self); 2] = [("relevance", Self::Relevance), ("-published_at", Self::Newest)];

    fn name(self) -> &'static str {
        match self {
            Self::Relevance => "relevance",
            Self::Newest => "-published_at",
        }
    }
}

/// A search.
#[derive(Clone, Debug)]
pub struct Search {
    /// What the articles are to say; neither blank nor too long.
    pub q: String,
    /// Which articles are looked through.
    pub filter: Filter,
    /// In which order they come.
    pub order: Order,
    /// Which part of them.
    pub paging: Paging,
    /// With what.
    pub includes: Includes,
    /// By what everything that is found is counted.
    pub facets: Vec<Facet>,
}

/// What may be counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Facet {
    /// Category, with its descendants.
    Category,
    /// Tag.
    Tag,
    /// Author.
    Author,
    /// Year of publication.
    Year,
}

impl Facet {
    const ALL: [Self; 4] = [Self::Category, Self::Tag, Self::Author, Self::Year];

    /// As written in queries and answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Tag => "tag",
            Self::Author => "author",
            Self::Year => "year",
        }
    }

    fn read(pairs: &mut Pairs) -> Vec<Self> {
        let chosen = pairs.choices("facets", &Self::ALL.map(Self::name));
        let chosen = Self::ALL.into_iter().filter(|facet| chosen.contains(&facet.name()));
        chosen.collect()
    }
}

impl FromPairs for Search {
    fn from_pairs(pairs: &mut Pairs) -> Self {
        let order = pairs.choice("sort", &Order::KNOWN).unwrap_or(Order::Relevance);
        let deepest = match order {
            Order::Relevance => WINDOW,
            Order::Newest => DEEPEST_ROW,
        };
        Self {
            q: read_q(pairs, LONGEST),
            filter: read_filter(pairs),
            order,
            paging: Paging::within(pairs, deepest),
            includes: Includes::read(pairs, &["body"]),
            facets: Facet::read(pairs),
        }
    }
}

/// What to look for, trimmed; at most `longest` characters.
pub fn read_q(pairs: &mut Pairs, longest: usize) -> String {
    let given = pairs.text("q").unwrap_or_default();
    let q = given.trim();
    if q.is_empty() {
        pairs.wrong("q", "what to look for is needed");
    } else if q.chars().nth(longest).is_some() {
        pairs.wrong("q", format!("at most {longest} characters"));
    }
    q.to_owned()
}

/// A place in the order of relevance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// How many articles come before it, 1 to 999.
    pub offset: i64,
    /// When the search was begun. Its day decides how new an article counts as, and what was published later does not
    /// move the others: a walk goes on in the order in which it began.
    pub begun: Timestamp,
}

impl Place {
    /// As a cursor.
    pub fn cursor(self) -> Cursor {
        Cursor {
            numbers: vec![self.offset, self.begun.micros()],
            text: String::new(),
        }
    }
}

/// After what a page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// At the beginning, or where `page` says.
    Nothing,
    /// After a place in the order of relevance.
    Place(Place),
    /// After a row, the newest first.
    Row((Timestamp, i64)),
}

impl Search {
    /// What a cursor of this search belongs to.
    pub fn scope(&self) -> Scope {
        self.filter.scope(&format!("search {} {:?}", self.order.name(), self.q))
    }

    /// Whether it counts among what people search for: once for all its pages, and without filters alone.
    pub fn is_noted(&self) -> bool {
        let begins = match self.paging.start {
            Start::First => true,
            Start::Page(page) => page == 1,
            Start::After(_) => false,
        };
        // Under a filter a word that many articles have may find nothing.
        begins && self.filter == Filter::default()
    }

    /// What the cursor says, if one was given.
    pub fn after(&self) -> Result<After> {
        let Some(cursor) = self.paging.cursor(&self.scope(), 2)? else {
            return Ok(After::Nothing);
        };
        let wrong = || Error::at_parameter(Code::InvalidCursor, "cursor", "not a cursor of this query");
        let (&[first, second], true) = (cursor.numbers.as_slice(), cursor.text.is_empty()) else {
            return Err(wrong());
        };
        match self.order {
            Order::Relevance if (1..WINDOW).contains(&first) => {
                let begun = Timestamp::from_micros(second).ok_or_else(wrong)?;
                Ok(After::Place(Place { offset: first, begun }))
            }
            Order::Newest => place(cursor).map(After::Row),
            Order::Relevance => Err(wrong()),
        }
    }
}

/// What a search may be asked beside the filters, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `Search` reads")]
pub struct SearchParams {
    /// What to look for: words, of which all must be there (at least two thirds of them, if fewer than three articles
    /// have all); `"exact phrases"`; `-word` for what must not be there. Width, case and traditional or simplified
    /// characters make no difference. No input is a syntax error. Blanks at the ends do not count.
    #[param(example = "小米 续航", min_length = 1, max_length = 200)]
    q: String,
    /// `relevance` (default) or `-published_at`.
    #[param(example = "relevance", format = "one of relevance -published_at")]
    sort: Option<String>,
    /// Rows wanted, 20 where absent.
    #[param(example = 20, minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `meta.next_cursor` of the list before. Not together with `page`.
    #[param(example = "AQIDBAUGBwgCAAAAAGVh", pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// A page, from 1; `page × limit` is at most 1,000, by `-published_at` 10,000.
    #[param(example = 1, minimum = 1, maximum = 10000)]
    page: Option<i64>,
    /// `body` adds the body of each article.
    #[param(example = json!(["body"]), style = Form, explode = false, max_items = 1, format = "one of body")]
    include: Option<Vec<String>>,
    /// Form of bodies: `html` (default), `markdown`, `text`, `blocks`; who sees drafts also gets `source`.
    #[param(example = "html", format = "one of html markdown text blocks source")]
    body_format: Option<String>,
    /// By what to count everything that is found: `category` (an article counts for the categories above its own as well),
    /// `tag`, `author`, `year` (of publication, in the site's time zone), into `meta.facets`.
    #[param(example = json!(["category", "year"]), style = Form, explode = false, max_items = 4, format = "one of category tag author year")]
    facets: Option<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::query::read;

    #[test]
    fn q_is_trimmed_and_counted_in_characters() {
        let search: Search = read("q=%E3%80%80AI+%0A").unwrap();
        assert_eq!((search.q.as_str(), search.order), ("AI", Order::Relevance));
        assert!(read::<Search>(&format!("q={}", "海".repeat(200))).is_ok());
        for wrong in ["", "q=", "q=+%E3%80%80", "q=a&q=b", &format!("q={}", "海".repeat(201))] {
            let error = read::<Search>(wrong).unwrap_err();
            assert!(
                error.errors.iter().all(|error| error.parameter.as_deref() == Some("q")),
                "{wrong}"
            );
        }
    }

    #[test]
    fn pages_by_relevance_end_with_the_window() {
        assert!(read::<Search>("q=a&limit=100&page=10").is_ok());
        assert!(read::<Search>("q=a&limit=100&page=11").is_err());
        assert!(read::<Search>("q=a&limit=100&page=100&sort=-published_at").is_ok());
    }

    #[test]
    fn a_cursor_belongs_to_one_search_and_stays_within_the_window() {
        let search: Search = read("q=a&cursor=x").unwrap();
        let begun = Timestamp::now();
        let place = |search: &Search, offset| {
            let text = Place { offset, begun }.cursor().encode(&search.scope());
            let paging = Paging {
                start: crate::web::page::Start::After(text),
                ..search.paging.clone()
            };
            Search {
                paging,
                ..search.clone()
            }
            .after()
        };
        assert_eq!(place(&search, 20).unwrap(), After::Place(Place { offset: 20, begun }));
        for offset in [i64::MIN, -1, 0, 1_000, i64::MAX] {
            assert_eq!(
                place(&search, offset).unwrap_err().code,
                Code::InvalidCursor,
                "{offset}"
            );
        }
        for other in ["q=b", "q=a&sort=-published_at", "q=a&tag=x"] {
            assert_ne!(read::<Search>(other).unwrap().scope(), search.scope(), "{other}");
        }
        assert_eq!(read::<Search>("q=+a&limit=3").unwrap().scope(), search.scope());
    }
}
