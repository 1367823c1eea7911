//! What queries of articles may ask: typed, and described for the document.

use utoipa::IntoParams;

use super::filter::Filter;
use super::model::{BodyFormat, Status};
use crate::auth::Viewer;
use crate::db::{Sight, Subject};
use crate::error::{Error, FieldError, Result};
use crate::web::{FromPairs, Paging, Pairs};

/// The order of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sort {
    /// By `updated_at`, else by `published_at`.
    pub by_update: bool,
    /// Oldest first.
    pub ascending: bool,
}

impl Sort {
    const KNOWN: [(&'static str, Self); 4] = [
        (
            "-published_at",
            Self {
                by_update: false,
                ascending: false,
            },
        ),
        (
            "published_at",
            Self {
                by_update: false,
                ascending: true,
            },
        ),
        (
            "-updated_at",
            Self {
                by_update: true,
                ascending: false,
            },
        ),
        (
            "updated_at",
            Self {
                by_update: true,
                ascending: true,
            },
        ),
    ];

    /// As written in a query.
    pub fn name(self) -> &'static str {
        Self::KNOWN
            .iter()
            .find(|(_, sort)| *sort == self)
            .map_or("-published_at", |(name, _)| name)
    }
}

/// What is asked for beside the articles themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Includes {
    /// Bodies.
    pub body: bool,
    /// What stands near.
    pub related: bool,
    /// What stands before and after.
    pub neighbors: bool,
    /// The form of bodies.
    pub format: BodyFormat,
}

impl Includes {
    /// The form of bodies, if there are to be any.
    pub fn body_format(self) -> Option<BodyFormat> {
        self.body.then_some(self.format)
    }
}

/// A list of articles.
#[derive(Clone, Debug)]
pub struct List {
    /// Which.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// Which part.
    pub paging: Paging,
    /// With what.
    pub includes: Includes,
    /// Whether to count them all.
    pub count: bool,
}

/// Reads the filters that lists and search share.
pub fn read_filter(pairs: &mut Pairs) -> Filter {
    Filter {
        category: pairs.text("category"),
        tag: pairs.list("tag", 50),
        tag_all: pairs.list("tag_all", 10),
        author: pairs.text("author"),
        locale: pairs.text("locale"),
        featured: pairs.flag("featured"),
        ids: pairs.ids("ids", 100),
        published_from: pairs.time("published_from"),
        published_to: pairs.time("published_to"),
        updated_from: pairs.time("updated_from"),
        updated_to: pairs.time("updated_to"),
        external_id: pairs.text("external_id"),
        status: read_statuses(pairs),
    }
}

fn read_statuses(pairs: &mut Pairs) -> Option<Vec<Status>> {
    let given = pairs.list("status", 4)?;
    let statuses: Option<Vec<_>> = given.iter().map(|text| Status::parse(text)).collect();
    if statuses.is_none() {
        pairs.wrong("status", "known are draft, scheduled, published, archived");
    }
    statuses
}

impl Includes {
    /// Reads `include` and `body_format`.
    pub fn read(pairs: &mut Pairs, known: &[&'static str]) -> Self {
        let chosen = pairs.choices("include", known);
        let formats = [
            ("html", BodyFormat::Html),
            ("markdown", BodyFormat::Markdown),
            ("text", BodyFormat::Text),
            ("blocks", BodyFormat::Blocks),
            ("source", BodyFormat::Source),
        ];
        let format = pairs.choice("body_format", &formats).unwrap_or(BodyFormat::Html);
        let has = |name| chosen.contains(&name);
        Self {
            body: has("body"),
            related: has("related"),
            neighbors: has("neighbors"),
            format,
        }
    }

    /// `body_format=source` is for who sees drafts: it may hold what readers never see.
    pub fn check(&self, viewer: &Viewer) -> Result<()> {
        viewer.require(self.format != BodyFormat::Source || viewer.sight() != Sight::Public)
    }
}

impl Filter {
    /// `status` asks for what not everybody sees: 401 without sign-in, 403 with a key that only reads.
    pub fn check(&self, viewer: &Viewer) -> Result<()> {
        if self.status.is_none() {
            return Ok(());
        }
        let sees_more = viewer.sight() != Sight::Public;
        viewer.require(sees_more).map_err(|error| {
            let note = FieldError::parameter("status", error.code.name(), "needs sign-in and the right to see drafts");
            Error {
                errors: vec![note],
                ..error
            }
        })
    }
}

impl List {
    /// What decides which articles are shown, beside what they are themselves.
    pub fn chosen_by(&self) -> Vec<Subject> {
        let Filter {
            category,
            tag,
            tag_all,
            author,
            updated_from,
            updated_to,
            ..
        } = &self.filter;
        let mut subjects = vec![Subject::Listing];
        if self.sort.by_update || updated_from.is_some() || updated_to.is_some() {
            subjects.push(Subject::Articles);
        }
        if category.is_some() {
            subjects.push(Subject::Categories);
        }
        if tag.is_some() || tag_all.is_some() {
            subjects.push(Subject::Tags);
        }
        if author.is_some() {
            subjects.push(Subject::Authors);
        }
        subjects
    }
}

impl FromPairs for List {
    fn from_pairs(pairs: &mut Pairs) -> Self {
        let sort = pairs.choice("sort", &Sort::KNOWN).unwrap_or(Sort {
            by_update: false,
            ascending: false,
        });
        let count = pairs.choice("count", &[("exact", true)]).unwrap_or(false);
        Self {
            filter: read_filter(pairs),
            sort,
            paging: Paging::from_pairs(pairs),
            includes: Includes::read(pairs, &["body"]),
            count,
        }
    }
}

/// What one article is asked for with.
#[derive(Clone, Debug)]
pub struct Show(pub Includes);

impl FromPairs for Show {
    fn from_pairs(pairs: &mut Pairs) -> Self {
        Self(Includes {
            body: true,
            ..Includes::read(pairs, &["related", "neighbors", "body"])
        })
    }
}

/// How many related articles are asked for.
#[derive(Clone, Debug)]
pub struct Near {
    /// 1 to 10.
    pub limit: usize,
}

impl FromPairs for Near {
    fn from_pairs(pairs: &mut Pairs) -> Self {
        let limit = pairs.number("limit", 1..=10).unwrap_or(10);
        Self {
            limit: usize::try_from(limit).unwrap_or(10),
        }
    }
}

/// The filters of lists and search, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `read_filter` reads")]
pub struct FilterParams {
    /// Slug of a category; its descendants count as well.
    #[param(example = "news")]
    category: Option<String>,
    /// Slugs of tags, by comma or by repeating: articles with any of them.
    #[param(example = json!(["xiao-mi"]), style = Form, explode = false, max_items = 50)]
    tag: Option<Vec<String>>,
    /// Slugs of tags: articles with all of them.
    #[param(example = json!(["xiao-mi", "ping-ce"]), style = Form, explode = false, max_items = 10)]
    tag_all: Option<Vec<String>>,
    /// Slug of an author: articles with that by-line.
    #[param(example = "li-ming")]
    author: Option<String>,
    /// Language (BCP 47), compared as it is.
    #[param(example = "zh-CN")]
    locale: Option<String>,
    /// Only what is featured, or only what is not.
    #[param(example = true)]
    featured: Option<bool>,
    /// Ids, at most 100; those that are not there, or not to be seen, are left out.
    #[param(example = json!([42, 43]), style = Form, explode = false, max_items = 100)]
    ids: Option<Vec<i64>>,
    /// Published then or later: RFC 3339 with an offset, or a date, which begins at midnight in the site's zone.
    #[param(example = "2026-01-13", format = "date-or-time")]
    published_from: Option<String>,
    /// Published before this; written as `published_from`.
    #[param(example = "2026-02-01", format = "date-or-time")]
    published_to: Option<String>,
    /// Updated then or later, by `updated_at`; written as `published_from`.
    #[param(example = "2026-01-13T04:31:54Z", format = "date-or-time")]
    updated_from: Option<String>,
    /// Updated before this, by `updated_at`; written as `published_from`.
    #[param(example = "2026-02-01", format = "date-or-time")]
    updated_to: Option<String>,
    /// Id in another system, compared as it is.
    #[param(example = "wp-1024")]
    external_id: Option<String>,
    /// Where they stand: `draft`, `scheduled`, `published`, `archived`. For whoever sees drafts; without it, what is published.
    #[param(example = json!(["draft"]), style = Form, explode = false, max_items = 4, format = "one of draft scheduled published archived")]
    status: Option<Vec<String>>,
}

/// Paging, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `Paging` reads")]
pub struct PagingParams {
    /// Rows wanted, 20 where absent.
    #[param(example = 20, minimum = 1, maximum = 100, default = 20)]
    limit: Option<i64>,
    /// `meta.next_cursor` of the list before. Not together with `page`.
    #[param(example = "AQIDBAUGBwgCAAAAAGVh", pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// A page, from 1; `page × limit` is at most 10,000.
    #[param(example = 1, minimum = 1, maximum = 10000)]
    page: Option<i64>,
}

/// The rest of what a list may be asked, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `List` reads")]
pub struct ListParams {
    /// `-published_at` (default), `published_at`, `-updated_at` or `updated_at`; then by id.
    #[param(
        example = "-published_at",
        format = "one of -published_at published_at -updated_at updated_at"
    )]
    sort: Option<String>,
    /// `exact` counts all rows into `meta.total`.
    #[param(example = "exact", format = "one of exact")]
    count: Option<String>,
    /// `body` adds the body of each article.
    #[param(example = json!(["body"]), style = Form, explode = false, max_items = 1, format = "one of body")]
    include: Option<Vec<String>>,
    /// Form of bodies: `html` (default), `markdown`, `text`, `blocks`; who sees drafts also gets `source`.
    #[param(example = "html", format = "one of html markdown text blocks source")]
    body_format: Option<String>,
}

/// What one article may be asked with, for the document.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes what `Show` reads")]
pub struct ShowParams {
    /// `related`, `neighbors`, by comma or by repeating; `body` changes nothing, the body is always there.
    #[param(example = json!(["related", "neighbors"]), style = Form, explode = false, max_items = 3, format = "one of related neighbors body")]
    include: Option<Vec<String>>,
    /// Form of the body: `html` (default), `markdown`, `text`, `blocks`; who sees drafts also gets `source`.
    #[param(example = "blocks", format = "one of html markdown text blocks source")]
    body_format: Option<String>,
}
