//! What a search answers.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::articles::model::ArticleSummary;
use crate::text::highlight::Highlighter;
use crate::web::Links;

/// How many excerpts of a body are shown, and about how many characters each has.
const EXCERPTS: usize = 3;
const WIDTH: usize = 120;

/// An article that was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hit {
    /// What lists show as well.
    #[serde(flatten)]
    pub article: ArticleSummary,
    /// Where it says what was looked for.
    pub highlights: Highlights,
}

/// Where an article says what was looked for: HTML in which `<mark>` is the only element, everything else escaped.
#[derive(Debug, Serialize, ToSchema)]
pub struct Highlights {
    /// The title, if it has a word of the query.
    #[schema(example = "<mark>小米</mark>14评测", required)]
    pub title: Option<String>,
    /// The summary, if it has a word of the query.
    #[schema(example = "<mark>小米</mark>14的<mark>续航</mark>比上一代多了两个小时。", required)]
    pub summary: Option<String>,
    /// Excerpts of the body, the best first, at most three.
    #[schema(example = json!(["…这次的<mark>续航</mark>比上一代多了两个小时…"]), max_items = 3)]
    pub body: Vec<String>,
}

impl Hit {
    /// An article, with the words of the query marked in it and in the text of its body.
    pub fn new(article: ArticleSummary, text: Option<&str>, marks: &Highlighter) -> Self {
        let highlights = Highlights {
            title: marks.field(&article.title),
            summary: marks.field(&article.summary),
            body: text
                .map(|text| marks.excerpts(text, EXCERPTS, WIDTH))
                .unwrap_or_default(),
        };
        Self { article, highlights }
    }
}

/// What a search says of itself.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchMeta {
    /// Rows asked for.
    #[schema(example = 20, minimum = 1, maximum = 100)]
    pub limit: i64,
    /// The page, if `page` was asked for.
    #[schema(required, minimum = 1, example = 1)]
    pub page: Option<i64>,
    /// Give it as `cursor` for what follows; null at the end.
    #[schema(example = "AQIDBAUGBwgCAAAAAGVh", required, pattern = "^[A-Za-z0-9_-]+$")]
    pub next_cursor: Option<String>,
    /// How many articles were found. By relevance the best 1,000 of them are listed.
    #[schema(example = 42, minimum = 0)]
    pub total: i64,
    /// What was asked for by `facets`, by name.
    #[schema(example = json!({"category": [{"value": "news", "label": "新闻", "count": 12}], "year": [{"value": "2026", "label": "2026", "count": 3}]}))]
    pub facets: BTreeMap<&'static str, Vec<FacetValue>>,
    /// How long the search took, in milliseconds.
    #[schema(example = 7, minimum = 0)]
    pub took_ms: u64,
}

/// How many of the articles that were found have what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FacetValue {
    /// For the filter of that name: a slug; of `year` the year.
    #[schema(example = "xiao-mi", max_length = 200)]
    pub value: String,
    /// What people read for it: a name, or the year.
    #[schema(example = "小米", max_length = 100)]
    pub label: String,
    /// How many of the articles that were found.
    #[schema(example = 12, minimum = 1)]
    pub count: u64,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchPage {
    /// The articles, in the order of `sort`.
    #[schema(max_items = 100)]
    pub data: Vec<Hit>,
    /// What the search says of itself.
    pub meta: SearchMeta,
    /// Where it goes on.
    pub links: Links,
}
