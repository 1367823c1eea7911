//! What a category is: as stored, as answered, as sent.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::categories;
use crate::error::Result;
use crate::taxonomy::fields;
use crate::web::Patch;
use crate::web::body::Checks;

/// Largest position.
pub const LAST_POSITION: i32 = 1_000_000;

/// Longest description, in characters.
const DESCRIPTION: usize = 1000;

/// A category as stored.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = categories)]
pub struct CategoryRow {
    /// Its id.
    pub id: i64,
    /// Its slug.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// What belongs there.
    pub description: Option<String>,
    /// The category above it; none at the root.
    pub parent_id: Option<i64>,
    /// Its place among its siblings.
    pub position: i32,
}

/// A category, with its place in the tree.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Category {
    /// Id of the category.
    #[schema(example = 2, minimum = 1)]
    pub id: i64,
    /// Its slug: no two categories have the same.
    #[schema(example = "reviews", max_length = 200)]
    pub slug: String,
    /// What readers see it called.
    #[schema(example = "评测资讯", max_length = 100)]
    pub name: String,
    /// What belongs there; null where nobody wrote it.
    #[schema(example = "手机、芯片与机器人", required, max_length = 1000)]
    pub description: Option<String>,
    /// The category above it; null at the root.
    #[schema(example = 1, minimum = 1, required)]
    pub parent_id: Option<i64>,
    /// Its place among its siblings; equal ones stand by name.
    #[schema(example = 0, minimum = 0, maximum = 1000000)]
    pub position: i32,
    /// The slugs from the root to it.
    #[schema(example = "news/reviews", max_length = 2009)]
    pub path: String,
    /// The categories above it, from the root.
    #[schema(max_items = 9)]
    pub ancestors: Vec<CategoryAncestor>,
    /// Published articles in it and below it.
    #[schema(example = 12, minimum = 0)]
    pub article_count: i64,
}

/// A category above another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CategoryAncestor {
    /// Id of the category.
    #[schema(example = 1, minimum = 1)]
    pub id: i64,
    /// Its slug: no two categories have the same.
    #[schema(example = "news", max_length = 200)]
    pub slug: String,
    /// What readers see it called.
    #[schema(example = "News", max_length = 100)]
    pub name: String,
}

/// The category of an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CategoryRef {
    /// Id of the category.
    #[schema(example = 2, minimum = 1)]
    pub id: i64,
    /// Its slug: no two categories have the same.
    #[schema(example = "reviews", max_length = 200)]
    pub slug: String,
    /// What readers see it called.
    #[schema(example = "评测资讯", max_length = 100)]
    pub name: String,
    /// The slugs from the root to it.
    #[schema(example = "news/reviews", max_length = 2009)]
    pub path: String,
    /// The categories above it, from the root.
    #[schema(max_items = 9)]
    pub ancestors: Vec<CategoryAncestor>,
}

/// A new category.
#[derive(Debug, Deserialize, ToSchema)]
pub struct CategoryCreate {
    /// What readers see it called.
    #[schema(example = "评测资讯", min_length = 1, max_length = 100, format = "line")]
    pub name: String,
    /// Its slug: letters, digits, `-` and `_`; made from the name by pinyin where absent or null.
    #[serde(default)]
    #[schema(example = "reviews", min_length = 1, max_length = 200)]
    pub slug: Option<String>,
    /// What belongs there, for readers.
    #[serde(default)]
    #[schema(example = "手机、芯片与机器人", max_length = 1000)]
    pub description: Option<String>,
    /// The category above it; the root where absent or null.
    #[serde(default)]
    #[schema(example = 1, minimum = 1)]
    pub parent_id: Option<i64>,
    /// Its place among its siblings; behind them where absent or null.
    #[serde(default)]
    #[schema(example = 0, minimum = 0, maximum = 1000000)]
    pub position: Option<i32>,
}

/// A change of a category. What is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct CategoryPatch {
    /// Its name; cannot be cleared. The slug does not follow it.
    #[serde(default)]
    #[schema(value_type = String, example = "评测资讯", min_length = 1, max_length = 100, format = "line")]
    pub name: Patch<String>,
    /// Its slug; cannot be cleared. The old one leads nowhere from then on.
    #[serde(default)]
    #[schema(value_type = String, example = "reviews", min_length = 1, max_length = 200)]
    pub slug: Patch<String>,
    /// What belongs there, for readers.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "手机、芯片与机器人", max_length = 1000)]
    pub description: Patch<String>,
    /// The category above it; `null` moves it to the root. What stands below it comes along.
    #[serde(default)]
    #[schema(value_type = Option<i64>, example = 1, minimum = 1)]
    pub parent_id: Patch<i64>,
    /// Its place among its siblings; cannot be cleared.
    #[serde(default)]
    #[schema(value_type = i32, example = 0, minimum = 0, maximum = 1000000)]
    pub position: Patch<i32>,
}

/// A [`CategoryCreate`], checked.
#[derive(Debug)]
pub struct NewCategory {
    /// Its name.
    pub name: String,
    /// Its slug, if one was given.
    pub slug: Option<String>,
    /// What belongs there.
    pub description: Option<String>,
    /// The category above it.
    pub parent_id: Option<i64>,
    /// Its place among its siblings, if one was given.
    pub position: Option<i32>,
}

/// A [`CategoryPatch`] as columns.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = categories)]
pub struct CategoryChanges {
    name: Option<String>,
    slug: Option<String>,
    description: Option<Option<String>>,
    /// The new parent, if there is to be another.
    pub parent_id: Option<Option<i64>>,
    position: Option<i32>,
}

impl CategoryCreate {
    /// Checks every field; 422 with all that is wrong.
    pub fn check(self) -> Result<NewCategory> {
        let mut checks = Checks::default();
        let new = NewCategory {
            name: fields::name(&mut checks, "/name", &self.name),
            slug: self.slug.map(|slug| fields::slug(&mut checks, &slug)),
            description: self.description,
            parent_id: self.parent_id,
            position: self.position,
        };
        check_rest(&mut checks, new.description.as_deref(), new.position);
        checks.finish().map(|()| new)
    }
}

impl CategoryPatch {
    /// Checks every field; 422 with all that is wrong.
    pub fn check(self) -> Result<CategoryChanges> {
        let mut checks = Checks::default();
        let changes = CategoryChanges {
            name: fields::needed(&mut checks, "/name", self.name).map(|name| fields::name(&mut checks, "/name", &name)),
            slug: fields::needed(&mut checks, "/slug", self.slug).map(|slug| fields::slug(&mut checks, &slug)),
            description: self.description.change(),
            parent_id: self.parent_id.change(),
            position: fields::needed(&mut checks, "/position", self.position),
        };
        let description = changes.description.as_ref().and_then(Option::as_deref);
        check_rest(&mut checks, description, changes.position);
        checks.finish().map(|()| changes)
    }
}

fn check_rest(checks: &mut Checks, description: Option<&str>, position: Option<i32>) {
    if let Some(text) = description {
        checks.lines("/description", text, DESCRIPTION);
    }
    if position.is_some_and(|position| !(0..=LAST_POSITION).contains(&position)) {
        checks.wrong("/position", format!("must be from 0 to {LAST_POSITION}"));
    }
}
