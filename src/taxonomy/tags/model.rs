//! What a tag is: as stored, as answered, as sent.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::tags;
use crate::error::Result;
use crate::taxonomy::fields;
use crate::web::Patch;
use crate::web::body::Checks;

/// A tag, as stored and as articles show it.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = tags)]
pub struct TagRef {
    /// Id of the tag.
    #[schema(example = 3, minimum = 1)]
    pub id: i64,
    /// Its slug: no two tags have the same.
    #[schema(example = "xiao-mi", max_length = 200)]
    pub slug: String,
    /// Its name: no two tags have the same, width and case aside.
    #[schema(example = "小米", max_length = 100)]
    pub name: String,
}

/// A tag that articles carry.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Tag {
    /// Id of the tag.
    #[schema(example = 3, minimum = 1)]
    pub id: i64,
    /// Its slug: no two tags have the same.
    #[schema(example = "xiao-mi", max_length = 200)]
    pub slug: String,
    /// Its name: no two tags have the same, width and case aside.
    #[schema(example = "小米", max_length = 100)]
    pub name: String,
    /// Published articles that carry it.
    #[schema(example = 12, minimum = 0)]
    pub article_count: i64,
}

/// A new tag.
#[derive(Debug, Deserialize, ToSchema)]
pub struct TagCreate {
    /// What readers see it called.
    #[schema(example = "小米", min_length = 1, max_length = 100, format = "line")]
    pub name: String,
    /// Its slug: letters, digits, `-` and `_`; made from the name by pinyin where absent or null.
    #[serde(default)]
    #[schema(example = "xiao-mi", min_length = 1, max_length = 200)]
    pub slug: Option<String>,
}

/// A change of a tag. What is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct TagPatch {
    /// Its name; cannot be cleared. The slug does not follow it.
    #[serde(default)]
    #[schema(value_type = String, example = "小米", min_length = 1, max_length = 100, format = "line")]
    pub name: Patch<String>,
    /// Its slug; cannot be cleared. The old one leads nowhere from then on.
    #[serde(default)]
    #[schema(value_type = String, example = "xiao-mi", min_length = 1, max_length = 200)]
    pub slug: Patch<String>,
}

/// A [`TagCreate`], checked.
#[derive(Debug)]
pub struct NewTag {
    /// Its name.
    pub name: String,
    /// Its slug, if one was given.
    pub slug: Option<String>,
}

/// A [`TagPatch`], checked.
#[derive(Debug)]
pub struct TagChanges {
    /// Its name, if it is to be another.
    pub name: Option<String>,
    /// Its slug, if it is to be another.
    pub slug: Option<String>,
}

impl TagCreate {
    /// Checks every field; 422 with all that is wrong.
    pub fn check(self) -> Result<NewTag> {
        let mut checks = Checks::default();
        let new = NewTag {
            name: fields::name(&mut checks, "/name", &self.name),
            slug: self.slug.map(|slug| fields::slug(&mut checks, &slug)),
        };
        checks.finish().map(|()| new)
    }
}

impl TagPatch {
    /// Checks every field; 422 with all that is wrong.
    pub fn check(self) -> Result<TagChanges> {
        let mut checks = Checks::default();
        let changes = TagChanges {
            name: fields::needed(&mut checks, "/name", self.name).map(|name| fields::name(&mut checks, "/name", &name)),
            slug: fields::needed(&mut checks, "/slug", self.slug).map(|slug| fields::slug(&mut checks, &slug)),
        };
        checks.finish().map(|()| changes)
    }
}

impl TagRef {
    /// As it is answered.
    pub fn into_tag(self, article_count: i64) -> Tag {
        Tag {
            id: self.id,
            slug: self.slug,
            name: self.name,
            article_count,
        }
    }
}

/// Checks the names of an article's tags, which stand in a list at `pointer`.
pub fn check_names(checks: &mut Checks, pointer: &str, names: &[String]) {
    for (at, name) in names.iter().enumerate() {
        fields::name(checks, &format!("{pointer}/{at}"), name);
    }
}
