//! What is sent to write an article, and the checks of its fields.

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use utoipa::openapi::schema::{Schema, SchemaType};
use utoipa::openapi::{Object, ObjectBuilder, RefOr, Type};
use utoipa::{PartialSchema, ToSchema};

use super::model::{BodySource, Status};
use crate::db::Timestamp;
use crate::error::{Error, FieldError, Result};
use crate::taxonomy::tags::model::check_names;
use crate::text::slug::check_slug;
use crate::web::Patch;
use crate::web::body::{Checks, object};
use crate::web::query::MAX_ID;

/// Longest source, in bytes.
pub const MAX_SOURCE: usize = 1 << 20;

/// Longest metadata, in bytes.
const MAX_METADATA: usize = 16 << 10;

/// The fields of an article, as a merge patch: absent keeps (or takes the default, where the article is new), `null`
/// clears.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
#[schema(as = ArticlePatch)]
pub struct ArticleFields {
    /// Title; needed for a new article, cannot be cleared.
    #[serde(default)]
    #[schema(value_type = String, example = "小米14评测", min_length = 1, max_length = 300, format = "line")]
    pub title: Patch<String>,
    /// What it says, in its source's language; at most 1 MiB. Cannot be cleared; empty it with `""`.
    #[serde(default)]
    #[schema(value_type = String, example = "**续航。**比上一代多了两个小时。", max_length = 1048576, pattern = r"^[^\x00]*$")]
    pub body: Patch<String>,
    /// Language of `body`: `markdown` (GFM; `![alt](image:7 "caption")` shows image 7), `html` or `text`. A new body
    /// alone keeps the present one; a format without a body is 422.
    #[serde(default)]
    #[schema(value_type = BodySource)]
    pub body_format: Patch<BodySource>,
    /// Name in addresses: letters, digits, `-` and `_`. Made from the title by pinyin where absent; never changed by a
    /// new title. The former slug then leads to the new one.
    #[serde(default)]
    #[schema(value_type = String, example = "xiao-mi-14-ping-ce", min_length = 1, max_length = 200)]
    pub slug: Patch<String>,
    /// Summary; `null` has it made from the body.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "续航多了两个小时。", max_length = 1000)]
    pub summary: Patch<String>,
    /// `draft` (default), `published` (now, where there is no time), `scheduled` (needs a future time), `archived`.
    #[serde(default)]
    #[schema(value_type = Status)]
    pub status: Patch<Status>,
    /// When readers see it from, with an offset. Publishing without it means now.
    #[serde(default)]
    #[schema(value_type = Option<Timestamp>)]
    pub published_at: Patch<Timestamp>,
    /// Id of its category; `null` for none. 422 where there is no such category.
    #[serde(default)]
    #[schema(value_type = Option<i64>, example = 2, minimum = 1)]
    pub category_id: Patch<i64>,
    /// Names of its tags; unknown ones are made. `null` takes all away.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, example = json!(["小米", "评测"]), max_items = 50)]
    pub tags: Patch<Vec<String>>,
    /// Ids of its by-lines, in the order in which they are shown. 422 where one is not there.
    #[serde(default)]
    #[schema(value_type = Option<Vec<i64>>, example = json!([1]), max_items = 20)]
    pub author_ids: Patch<Vec<i64>>,
    /// Id of the uploaded image that is its cover; `null` for none. 422 where there is no such image.
    #[serde(default)]
    #[schema(value_type = Option<i64>, example = 7, minimum = 1)]
    pub cover_image_id: Patch<i64>,
    /// Its language (BCP 47); the site's where absent. Cannot be cleared.
    #[serde(default)]
    #[schema(value_type = String, example = "zh-CN", max_length = 35, format = "language-tag")]
    pub locale: Patch<String>,
    /// Where it first stood; `null` clears both members, an absent member stays.
    #[serde(default, deserialize_with = "object")]
    #[schema(value_type = Option<SourceFields>)]
    pub source: Patch<SourceFields>,
    /// What search engines are told; `null` clears both members, an absent member stays.
    #[serde(default, deserialize_with = "object")]
    #[schema(value_type = Option<SeoFields>)]
    pub seo: Patch<SeoFields>,
    /// A JSON object of the site's own, at most 16 kB. PATCH merges it (RFC 7396): a `null` inside takes its key away.
    #[serde(default)]
    #[schema(schema_with = metadata_schema, required = false)]
    pub metadata: Patch<Metadata>,
    /// Whether the front page shows it first. Needs the right to publish.
    #[serde(default)]
    #[schema(value_type = bool, example = false)]
    pub featured: Patch<bool>,
    /// Its id in another system; unique. Needs the right to publish.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "wp-1024", min_length = 1, max_length = 200, format = "line")]
    pub external_id: Patch<String>,
    /// Slugs that it once had and that lead to it; replaced as a whole. Needs the right to publish.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, example = json!(["archives-1024"]), max_items = 50)]
    pub former_slugs: Patch<Vec<String>>,
    /// Views counted elsewhere before; the count never falls. Needs the right to publish.
    #[serde(default)]
    #[schema(value_type = i64, example = 1024, minimum = 0)]
    pub initial_view_count: Patch<i64>,
    /// When it was made. Needs the right to publish.
    #[serde(default)]
    #[schema(value_type = Timestamp)]
    pub created_at: Patch<Timestamp>,
}

/// The derive keeps no example of an object that has no fields of its own.
fn metadata_schema() -> Object {
    ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .description(Some(
            "A JSON object of the site's own, at most 16 kB. PATCH merges it (RFC 7396): a `null` inside takes its key away, \
             `null` for the whole empties it.",
        ))
        .examples([serde_json::json!({"score": 9.1, "chip": "骁龙8"})])
        .build()
}

/// A new article: the same fields, with a title.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct ArticleCreate(pub ArticleFields);

impl PartialSchema for ArticleCreate {
    fn schema() -> RefOr<Schema> {
        let mut schema = ArticleFields::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.required = vec!["title".to_owned()];
            object.description = Some("A new article. What is absent takes its default.".to_owned());
        }
        schema
    }
}

impl ToSchema for ArticleCreate {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        ArticleFields::schemas(schemas);
    }
}

/// An article of an external id: the same fields, without that id, which stands in the path.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct ArticlePut(pub ArticleFields);

impl PartialSchema for ArticlePut {
    fn schema() -> RefOr<Schema> {
        let mut schema = ArticleCreate::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.properties.shift_remove("external_id");
            object.description = Some("An article as it is to be. What is absent takes its default.".to_owned());
        }
        schema
    }
}

impl ToSchema for ArticlePut {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        ArticleFields::schemas(schemas);
    }
}

/// Where an article first stood. What is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
pub struct SourceFields {
    /// What the first publisher is called.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "新华社", max_length = 200, format = "line")]
    pub name: Patch<String>,
    /// Address of the first publication.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "https://example.org/original", max_length = 2000, format = "http-url")]
    pub url: Patch<String>,
}

/// What search engines are told. What is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, ToSchema)]
pub struct SeoFields {
    /// Title for search engines, where it is to differ.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "小米14评测：续航", max_length = 300, format = "line")]
    pub title: Patch<String>,
    /// Description for search engines, where it is to differ.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "小米14的续航测试", max_length = 1000)]
    pub description: Patch<String>,
}

/// A JSON object, as text without white space and with its keys in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata(pub String);

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error as _;
        let object = serde_json::Value::Object(serde_json::Map::deserialize(deserializer)?);
        if has_nul(&object) {
            return Err(D::Error::custom("must not have NUL characters"));
        }
        Ok(Self(object.to_string()))
    }
}

/// As deep as the parser of the body allows.
fn has_nul(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(list) => list.iter().any(has_nul),
        serde_json::Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// JSON Merge Patch (RFC 7396, section 2).
fn merge(target: &mut serde_json::Value, patch: serde_json::Value) {
    let serde_json::Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = serde_json::Value::Object(serde_json::Map::new());
    }
    if let serde_json::Value::Object(target) = target {
        for (key, value) in patch {
            if value.is_null() {
                target.remove(&key);
            } else {
                merge(target.entry(key).or_insert(serde_json::Value::Null), value);
            }
        }
    }
}

impl Metadata {
    /// The stored object with this one merged into it; 422 if it grows too large.
    pub fn merged_into(&self, stored: &str) -> Result<Self> {
        let mut target = serde_json::from_str(stored).map_err(Error::internal)?;
        merge(&mut target, serde_json::from_str(&self.0).map_err(Error::internal)?);
        let merged = Self(target.to_string());
        let mut checks = Checks::default();
        merged.check(&mut checks);
        checks.finish().map(|()| merged)
    }

    fn check(&self, checks: &mut Checks) {
        if self.0.len() > MAX_METADATA {
            checks.wrong("/metadata", "must have at most 16 kB");
        }
    }

    /// As an answer has it; the empty object if it were damaged.
    pub fn raw(text: String) -> Box<RawValue> {
        // A key of that name would be taken for the number of the article, which is set in anew in kept answers. Within a
        // text the quotes have backslashes before them.
        const NUMBER: &str = "\"view_count\":";
        let text = match text.contains(NUMBER) {
            true => text.replace(NUMBER, "\"view_count\" :"),
            false => text,
        };
        RawValue::from_string(text).unwrap_or_else(|_error| {
            // `{}` is JSON.
            RawValue::from_string("{}".to_owned()).unwrap_or_default()
        })
    }
}

impl ArticleFields {
    /// Checks each field by itself: 422 with all that is wrong. `new` articles need a title.
    pub fn check(&self, new: bool) -> Result<()> {
        let mut checks = Checks::default();
        if new && !matches!(self.title, Patch::Value(_)) {
            checks.wrong("/title", "is needed");
        }
        for (pointer, null) in [
            ("/title", !new && self.title == Patch::Null),
            ("/body", self.body == Patch::Null),
            ("/body_format", self.body_format == Patch::Null),
            ("/slug", self.slug == Patch::Null),
            ("/status", self.status == Patch::Null),
            ("/locale", self.locale == Patch::Null),
            ("/featured", self.featured == Patch::Null),
            ("/initial_view_count", self.initial_view_count == Patch::Null),
            ("/created_at", self.created_at == Patch::Null),
        ] {
            if null {
                checks.wrong(pointer, "must not be null");
            }
        }
        if let Patch::Value(title) = &self.title {
            checks.line("/title", title, 300);
        }
        if let Patch::Value(body) = &self.body {
            if body.len() > MAX_SOURCE {
                checks.wrong("/body", "must have at most 1 MiB");
            }
            if body.contains('\0') {
                checks.wrong("/body", "must not have NUL characters");
            }
        }
        if matches!(self.body_format, Patch::Value(_)) && !self.body.is_given() {
            checks.wrong("/body_format", "goes with a body alone");
        }
        if let Patch::Value(slug) = &self.slug
            && let Err(error) = check_slug(slug)
        {
            checks.wrong("/slug", error.to_string());
        }
        if let Patch::Value(summary) = &self.summary {
            checks.lines("/summary", summary, 1000);
            if summary.trim().is_empty() {
                checks.wrong("/summary", "must not be blank; null has it made from the body");
            }
        }
        for (pointer, id) in [
            ("/category_id", &self.category_id),
            ("/cover_image_id", &self.cover_image_id),
        ] {
            if let Patch::Value(id) = id {
                check_id(&mut checks, pointer, *id);
            }
        }
        if let Patch::Value(tags) = &self.tags {
            if tags.len() > 50 {
                checks.wrong("/tags", "must have at most 50 entries");
            }
            check_names(&mut checks, "/tags", tags);
        }
        if let Patch::Value(ids) = &self.author_ids {
            if ids.len() > 20 {
                checks.wrong("/author_ids", "must have at most 20 entries");
            }
            for (at, id) in ids.iter().enumerate() {
                check_id(&mut checks, &format!("/author_ids/{at}"), *id);
                if ids.iter().take(at).any(|earlier| earlier == id) {
                    checks.wrong(&format!("/author_ids/{at}"), "is there already");
                }
            }
        }
        if let Patch::Value(locale) = &self.locale {
            checks.locale("/locale", locale);
        }
        if let Patch::Value(source) = &self.source {
            if let Patch::Value(name) = &source.name {
                checks.line("/source/name", name, 200);
            }
            if let Patch::Value(url) = &source.url {
                checks.url("/source/url", url);
            }
        }
        if let Patch::Value(seo) = &self.seo {
            if let Patch::Value(title) = &seo.title {
                checks.line("/seo/title", title, 300);
            }
            if let Patch::Value(description) = &seo.description {
                checks.lines("/seo/description", description, 1000);
            }
        }
        if let Patch::Value(metadata) = &self.metadata {
            metadata.check(&mut checks);
        }
        if let Patch::Value(id) = &self.external_id {
            checks.line("/external_id", id, 200);
        }
        if let Patch::Value(slugs) = &self.former_slugs {
            if slugs.len() > 50 {
                checks.wrong("/former_slugs", "must have at most 50 entries");
            }
            for (at, slug) in slugs.iter().enumerate() {
                if let Err(error) = check_slug(slug) {
                    checks.wrong(&format!("/former_slugs/{at}"), error.to_string());
                }
            }
        }
        if let Patch::Value(views) = &self.initial_view_count
            && !(0..=MAX_ID).contains(views)
        {
            checks.wrong("/initial_view_count", "must be from 0 to 9007199254740991");
        }
        checks.finish()
    }

    /// The fields that only who may publish sets, with their pointers.
    pub fn publisher_fields(&self) -> Vec<&'static str> {
        let given = [
            ("/featured", self.featured.is_given()),
            ("/external_id", self.external_id.is_given()),
            ("/former_slugs", self.former_slugs.is_given()),
            ("/initial_view_count", self.initial_view_count.is_given()),
            ("/created_at", self.created_at.is_given()),
            (
                "/status",
                matches!(self.status, Patch::Value(status) if status != Status::Draft),
            ),
        ];
        given
            .into_iter()
            .filter(|(_, given)| *given)
            .map(|(pointer, _)| pointer)
            .collect()
    }

    /// 403 with each field that the caller may not set.
    pub fn forbid_publisher_fields(&self) -> Result<()> {
        let errors: Vec<_> = self
            .publisher_fields()
            .into_iter()
            .map(|pointer| FieldError::field(pointer, "forbidden", "needs the right to publish"))
            .collect();
        if errors.is_empty() {
            return Ok(());
        }
        Err(Error {
            errors,
            ..Error::new(crate::error::Code::Forbidden)
        })
    }
}

fn check_id(checks: &mut Checks, pointer: &str, id: i64) {
    if !(1..=MAX_ID).contains(&id) {
        checks.wrong(pointer, "must be an id, from 1 to 9007199254740991");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(json: &str) -> Vec<String> {
        let fields: ArticleFields = serde_json::from_str(json).unwrap();
        let error = fields.check(true).unwrap_err();
        error.errors.into_iter().filter_map(|error| error.pointer).collect()
    }

    #[test]
    fn every_wrong_field_is_named() {
        let json = r#"{"title": " ", "body_format": "html", "slug": "a/b", "tags": ["", "b"], "author_ids": [1, 1, 0],
            "category_id": -1, "locale": "中文", "source": {"url": "javascript:x"}, "external_id": null, "featured": null}"#;
        assert_eq!(
            wrong(json),
            [
                "#/featured",
                "#/title",
                "#/body_format",
                "#/slug",
                "#/category_id",
                "#/tags/0",
                "#/author_ids/1",
                "#/author_ids/2",
                "#/locale",
                "#/source/url"
            ]
        );
    }

    #[test]
    fn only_a_new_article_needs_a_title() {
        assert!(ArticleFields::default().check(false).is_ok());
        assert_eq!(wrong("{}"), ["#/title"]);
    }

    #[test]
    fn metadata_is_an_object_within_bounds() {
        assert!(serde_json::from_str::<ArticleFields>(r#"{"metadata": [1]}"#).is_err());
        assert_eq!(
            wrong(&format!(
                r#"{{"title": "x", "metadata": {{"a": "{}"}}}}"#,
                "x".repeat(17_000)
            )),
            ["#/metadata"]
        );
        assert!(serde_json::from_str::<ArticleFields>(r#"{"metadata": {"a": ["\u0000"]}}"#).is_err());
        assert!(serde_json::from_str::<ArticleFields>(r#"{"metadata": {"a": "\\u0000"}}"#).is_ok());
    }

    #[test]
    fn metadata_is_merged_as_the_rest_of_a_patch() {
        let change = Metadata(r#"{"a":{"x":null,"y":2},"b":null,"c":[1]}"#.to_owned());
        let merged = change.merged_into(r#"{"a":{"x":1,"z":3},"b":1,"d":4}"#).unwrap();
        assert_eq!(merged.0, r#"{"a":{"y":2,"z":3},"c":[1],"d":4}"#);
    }

    #[test]
    fn publishing_is_a_field_of_publishers() {
        let fields: ArticleFields = serde_json::from_str(r#"{"status": "draft"}"#).unwrap();
        assert!(fields.forbid_publisher_fields().is_ok());
        let fields: ArticleFields = serde_json::from_str(r#"{"status": "published", "featured": true}"#).unwrap();
        assert_eq!(fields.publisher_fields(), ["/featured", "/status"]);
    }
}
