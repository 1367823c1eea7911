//! What an article is: as stored, and as answered.

use diesel::prelude::*;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use utoipa::openapi::{Object, ObjectBuilder, Type};

use crate::db::Timestamp;
use crate::db::schema::articles;
use crate::images::model::Image;
use crate::taxonomy::authors::model::AuthorRef;
use crate::taxonomy::categories::model::CategoryRef;
use crate::taxonomy::tags::model::TagRef;
use crate::text::render::{Block, SourceFormat};
use crate::text_enum;

text_enum! {
    /// What the author decided, as stored. Whether a published article is due follows from its time.
    pub enum State {
        /// Not for readers yet.
        Draft = "draft",
        /// For readers from its time on.
        Published = "published",
        /// Not for readers any more.
        Archived = "archived",
    }
}

text_enum! {
    /// Where an article stands now.
    pub enum Status {
        /// Not for readers yet.
        Draft = "draft",
        /// Published at a time that has not come.
        Scheduled = "scheduled",
        /// Readers see it.
        Published = "published",
        /// Not for readers any more.
        Archived = "archived",
    }
}

impl Status {
    /// The status at `now` of what is stored.
    pub fn at(state: State, published_at: Option<Timestamp>, now: Timestamp) -> Self {
        match state {
            State::Draft => Self::Draft,
            State::Archived => Self::Archived,
            State::Published if published_at.is_some_and(|time| time > now) => Self::Scheduled,
            State::Published => Self::Published,
        }
    }
}

text_enum! {
    /// The language that a source is written in.
    pub enum BodySource {
        /// GitHub-flavoured Markdown.
        Markdown = "markdown",
        /// HTML.
        Html = "html",
        /// Plain text.
        Text = "text",
    }
}

impl From<BodySource> for SourceFormat {
    fn from(format: BodySource) -> Self {
        match format {
            BodySource::Markdown => Self::Markdown,
            BodySource::Html => Self::Html,
            BodySource::Text => Self::Text,
        }
    }
}

text_enum! {
    /// A form of a body that can be asked for.
    pub enum BodyFormat {
        /// Clean HTML.
        Html = "html",
        /// Markdown made from the clean HTML.
        Markdown = "markdown",
        /// Text without markup; what search reads.
        Text = "text",
        /// A list of blocks for native apps.
        Blocks = "blocks",
        /// What the author wrote; only for who is signed in.
        Source = "source",
    }
}

/// An article as stored, without its body.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = articles)]
pub struct ArticleRow {
    /// Its id.
    pub id: i64,
    /// Everything else.
    #[diesel(embed)]
    pub values: ArticleValues,
}

/// The columns of an article but its id; written all together.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = articles, treat_none_as_null = true)]
pub struct ArticleValues {
    /// Its slug.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// The summary that its author wrote.
    pub summary: Option<String>,
    /// The summary made from the body.
    pub derived_summary: String,
    /// What the author decided.
    pub state: State,
    /// The time of publication.
    pub published_at: Option<Timestamp>,
    /// What lists sort by: the time of publication, or of creation where there is none.
    pub listed_at: Timestamp,
    /// When it was made.
    pub created_at: Timestamp,
    /// The later of the last edit and the publication.
    pub updated_at: Timestamp,
    /// Counts its edits.
    pub version: i64,
    /// Its category.
    pub category_id: Option<i64>,
    /// Its cover.
    pub cover_image_id: Option<i64>,
    /// Its language.
    pub locale: String,
    /// Whether the front page shows it first.
    pub featured: bool,
    /// Words of its body.
    pub word_count: i64,
    /// Minutes that reading takes.
    pub reading_minutes: i32,
    /// Where it first stood.
    pub source_name: Option<String>,
    /// The address where it first stood.
    pub source_url: Option<String>,
    /// Title for search engines.
    pub seo_title: Option<String>,
    /// Description for search engines.
    pub seo_description: Option<String>,
    /// Its id in another system.
    pub external_id: Option<String>,
    /// A JSON object of the site's own.
    pub metadata: String,
    /// The language of its source.
    pub source_format: BodySource,
    /// The account that made it.
    pub created_by: Option<i64>,
}

/// What lists show of an article.
#[derive(Debug, Serialize, ToSchema)]
pub struct ArticleSummary {
    /// Id of the article; never used again.
    #[schema(example = 42, minimum = 1)]
    pub id: i64,
    /// Its name in addresses: no two articles have the same.
    #[schema(example = "xiao-mi-14-ping-ce", max_length = 200)]
    pub slug: String,
    /// Its title, one line of text.
    #[schema(example = "小米14评测", max_length = 300)]
    pub title: String,
    /// What it says, in a sentence or two; made from the body where its author wrote none.
    #[schema(example = "小米14的续航比上一代多了两个小时。", max_length = 1000)]
    pub summary: String,
    /// Where it stands now; readers see what is `published`.
    pub status: Status,
    /// Its language (BCP 47).
    #[schema(example = "zh-CN", max_length = 35)]
    pub locale: String,
    /// Whether the front page shows it first.
    #[schema(example = false)]
    pub featured: bool,
    /// Its category; null where it has none.
    #[schema(required)]
    pub category: Option<CategoryRef>,
    /// Its tags, in the order that its author gave.
    #[schema(max_items = 50)]
    pub tags: Vec<TagRef>,
    /// Its by-lines, in order.
    #[schema(max_items = 20)]
    pub authors: Vec<AuthorRef>,
    /// The picture that lists and shares show; null where it has none.
    #[schema(required)]
    pub cover: Option<Image>,
    /// When readers see it from; null while that is open.
    #[schema(required)]
    pub published_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The later of the last edit and the publication: what a client that syncs asks for by `updated_from`.
    pub updated_at: Timestamp,
    /// Counts its edits; `If-Match: "7"` allows an edit of version 7 alone.
    #[schema(example = 3, minimum = 1)]
    pub version: i64,
    /// How often it was read.
    #[schema(example = 1024, minimum = 0)]
    pub view_count: i64,
    /// Words of its body: each Han character, and each word of other scripts.
    #[schema(example = 7800, minimum = 0)]
    pub word_count: i64,
    /// Minutes that reading takes.
    #[schema(example = 20, minimum = 1)]
    pub reading_minutes: i32,
    /// Where it first stood, if it was taken over from elsewhere.
    pub source: SourceRef,
    /// What search engines are told, where that differs from title and summary.
    pub seo: Seo,
    /// Its id in the system that it came from; null where it has none.
    #[schema(example = "wp-1024", required, max_length = 200)]
    pub external_id: Option<String>,
    /// A JSON object of the site's own: scores, specifications, product ids.
    #[schema(schema_with = metadata_schema)]
    pub metadata: Box<RawValue>,
    /// Where readers find it, by the site's `article_url`.
    #[schema(
        example = "https://example.com/articles/xiao-mi-14-ping-ce",
        required,
        pattern = "^https?://"
    )]
    pub url: Option<String>,
    /// Addresses in this API, relative to the origin.
    pub links: ArticleLinks,
    /// Its body, if it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub body: Option<Body>,
}

/// The derive keeps no example of an object that has no fields of its own.
fn metadata_schema() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .description(Some(
            "A JSON object of the site's own: scores, specifications, product ids.",
        ))
        .examples([serde_json::json!({"score": 9.1, "chip": "骁龙8"})])
        .build()
}

/// An article with its body.
#[derive(Debug, Serialize, ToSchema)]
pub struct Article {
    /// What lists show as well.
    #[serde(flatten)]
    pub summary: ArticleSummary,
    /// The nearest articles, at most ten; only with `include=related`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_items = 10)]
    pub related: Option<Vec<ArticleSummary>>,
    /// The older and the newer article of the same category; only with `include=neighbors`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub neighbors: Option<Neighbors>,
}

impl Article {
    /// It, and all that stands near it, in the order of the answer.
    pub fn shown(&self) -> impl Iterator<Item = &ArticleSummary> {
        let neighbors = self
            .neighbors
            .iter()
            .flat_map(|near| near.prev.iter().chain(&near.next));
        std::iter::once(&self.summary)
            .chain(self.related.iter().flatten())
            .chain(neighbors)
    }
}

/// The articles of the same category before and after one.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Neighbors {
    /// The older one; null where there is none.
    #[schema(required)]
    pub prev: Option<ArticleSummary>,
    /// The newer one; null where there is none.
    #[schema(required)]
    pub next: Option<ArticleSummary>,
}

/// Where an article first stood.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SourceRef {
    /// What the first publisher is called; null where that is not told.
    #[schema(example = "新华社", required, max_length = 200)]
    pub name: Option<String>,
    /// Address of the first publication; null where that is not told.
    #[schema(
        example = "https://example.org/original",
        required,
        max_length = 2000,
        pattern = "^https?://"
    )]
    pub url: Option<String>,
}

/// What search engines are told.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Seo {
    /// Title for search engines; null where the article's own is right.
    #[schema(example = "小米14评测：续航与影像", required, max_length = 300)]
    pub title: Option<String>,
    /// Description for search engines; null where the summary is right.
    #[schema(example = "小米14的续航测试", required, max_length = 1000)]
    pub description: Option<String>,
}

/// Addresses of an article in this API.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ArticleLinks {
    /// The article itself.
    #[serde(rename = "self")]
    #[schema(example = "/api/v1/articles/42", pattern = "^/api/v1/articles/[0-9]+$")]
    pub this: String,
    /// The articles nearest to it.
    #[schema(
        example = "/api/v1/articles/42/related",
        pattern = "^/api/v1/articles/[0-9]+/related$"
    )]
    pub related: String,
    /// Where its views are counted (POST) and shown over time (GET).
    #[schema(example = "/api/v1/articles/42/views", pattern = "^/api/v1/articles/[0-9]+/views$")]
    pub views: String,
}

impl ArticleLinks {
    /// The addresses of one article.
    pub fn of(id: i64) -> Self {
        let this = format!("/api/v1/articles/{id}");
        Self {
            related: format!("{this}/related"),
            views: format!("{this}/views"),
            this,
        }
    }
}

/// A body in one form: the member that `format` names is there, and no other.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Body {
    /// The form that was asked for: `html`, `markdown`, `text`, `blocks` or `source`.
    #[schema(example = "html", format = "word html markdown text blocks source")]
    pub format: &'static str,
    /// What it was written in: `markdown`, `html` or `text`.
    #[schema(example = "markdown", format = "word markdown html text")]
    pub source_format: &'static str,
    /// Clean HTML: safe to show as it is. Pictures stand in it as figures with `srcset`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "<p><strong>续航</strong></p>")]
    pub html: Option<String>,
    /// Markdown made from the clean HTML.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "**续航**")]
    pub markdown: Option<String>,
    /// Text without markup: what search reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "续航")]
    pub text: Option<String>,
    /// Blocks for native apps, in the order of reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Vec<Block>>)]
    pub blocks: Option<Box<RawValue>>,
    /// What the author wrote, as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "**续航**")]
    pub source: Option<String>,
    /// The pictures that it shows.
    #[serde(skip)]
    #[schema(ignore)]
    pub images: Vec<i64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_article_is_scheduled_until_its_time() {
        let time = |text| Timestamp::parse(text).unwrap();
        let now = time("2026-01-01T00:00:00Z");
        let at = |state, published| Status::at(state, published, now);
        assert_eq!(
            at(State::Published, Some(time("2026-01-01T00:00:01Z"))),
            Status::Scheduled
        );
        assert_eq!(at(State::Published, Some(now)), Status::Published);
        assert_eq!(at(State::Draft, Some(time("2027-01-01T00:00:00Z"))), Status::Draft);
        assert_eq!(at(State::Archived, None), Status::Archived);
    }
}
