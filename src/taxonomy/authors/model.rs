//! What an author is: as stored, as answered, as sent.

use std::collections::HashMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::authors;
use crate::error::{Error, Result};
use crate::images::model::{Image, ImageRow};
use crate::taxonomy::fields;
use crate::web::Patch;
use crate::web::body::{Checks, objects};

/// Longest biography, in characters.
const BIO: usize = 2000;

/// Most links.
const LINKS: usize = 20;

/// An author as stored.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = authors)]
pub struct AuthorRow {
    /// Their id.
    pub id: i64,
    /// Their slug.
    pub slug: String,
    /// Their name.
    pub name: String,
    /// Who they are.
    pub bio: Option<String>,
    /// Their picture.
    pub avatar_image_id: Option<i64>,
    /// JSON list of [`AuthorLink`].
    pub links: String,
}

/// An author as articles show them.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = authors)]
pub struct ByLine {
    /// Their id.
    pub id: i64,
    /// Their slug.
    pub slug: String,
    /// Their name.
    pub name: String,
    /// Who they are.
    pub bio: Option<String>,
    /// Their picture.
    pub avatar_image_id: Option<i64>,
}

/// An author: a by-line, and no account.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Author {
    /// Id of the author.
    #[schema(example = 1, minimum = 1)]
    pub id: i64,
    /// Their slug: no two authors have the same.
    #[schema(example = "li-ming", max_length = 200)]
    pub slug: String,
    /// Their name; others may have the same.
    #[schema(example = "黎明", max_length = 100)]
    pub name: String,
    /// Who they are; null where nobody wrote it.
    #[schema(example = "写手机十年", required, max_length = 2000)]
    pub bio: Option<String>,
    /// Their picture; null where there is none.
    #[schema(required)]
    pub avatar: Option<Image>,
    /// Where else they are found.
    #[schema(max_items = 20)]
    pub links: Vec<AuthorLink>,
    /// Published articles with their by-line.
    #[schema(example = 12, minimum = 0)]
    pub article_count: i64,
}

/// An author of an article.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AuthorRef {
    /// Id of the author.
    #[schema(example = 1, minimum = 1)]
    pub id: i64,
    /// Their slug: no two authors have the same.
    #[schema(example = "li-ming", max_length = 200)]
    pub slug: String,
    /// Their name; others may have the same.
    #[schema(example = "黎明", max_length = 100)]
    pub name: String,
    /// Who they are; null where nobody wrote it.
    #[schema(example = "写手机十年", required, max_length = 2000)]
    pub bio: Option<String>,
    /// Their picture; null where there is none.
    #[schema(required)]
    pub avatar: Option<Image>,
}

/// A link to where an author is found.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AuthorLink {
    /// What the link says.
    #[schema(example = "微博", max_length = 100, format = "line")]
    pub label: String,
    /// Where the link leads.
    #[schema(example = "https://weibo.com/example", max_length = 2000, format = "http-url")]
    pub url: String,
}

/// A new author.
#[derive(Debug, Deserialize, ToSchema)]
pub struct AuthorCreate {
    /// The name that readers see.
    #[schema(example = "黎明", min_length = 1, max_length = 100, format = "line")]
    pub name: String,
    /// Their slug: letters, digits, `-` and `_`; made from the name by pinyin where absent or null.
    #[serde(default)]
    #[schema(example = "li-ming", min_length = 1, max_length = 200)]
    pub slug: Option<String>,
    /// Who they are.
    #[serde(default)]
    #[schema(example = "写手机十年", max_length = 2000)]
    pub bio: Option<String>,
    /// Id of an uploaded image; 422 where there is none.
    #[serde(default)]
    #[schema(example = 7, minimum = 1)]
    pub avatar_image_id: Option<i64>,
    /// Where else they are found.
    #[serde(default, deserialize_with = "objects")]
    #[schema(max_items = 20)]
    pub links: Option<Vec<AuthorLink>>,
}

/// A change of an author. What is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct AuthorPatch {
    /// Their name; cannot be cleared. The slug does not follow it.
    #[serde(default)]
    #[schema(value_type = String, example = "黎明", min_length = 1, max_length = 100, format = "line")]
    pub name: Patch<String>,
    /// Their slug; cannot be cleared. The old one leads nowhere from then on.
    #[serde(default)]
    #[schema(value_type = String, example = "li-ming", min_length = 1, max_length = 200)]
    pub slug: Patch<String>,
    /// Who they are.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "写手机十年", max_length = 2000)]
    pub bio: Patch<String>,
    /// Id of an uploaded image, `null` for none; 422 where there is none of that id.
    #[serde(default)]
    #[schema(value_type = Option<i64>, example = 7, minimum = 1)]
    pub avatar_image_id: Patch<i64>,
    /// Where else they are found; the whole list, `null` empties it.
    #[serde(default, deserialize_with = "objects")]
    #[schema(value_type = Option<Vec<AuthorLink>>, max_items = 20)]
    pub links: Patch<Vec<AuthorLink>>,
}

/// An [`AuthorCreate`], checked.
#[derive(Debug)]
pub struct NewAuthor {
    /// Their name.
    pub name: String,
    /// Their slug, if one was given.
    pub slug: Option<String>,
    /// Who they are.
    pub bio: Option<String>,
    /// Their picture.
    pub avatar_image_id: Option<i64>,
    /// JSON list of [`AuthorLink`].
    pub links: String,
}

/// An [`AuthorPatch`] as columns.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = authors)]
pub struct AuthorChanges {
    name: Option<String>,
    slug: Option<String>,
    bio: Option<Option<String>>,
    avatar_image_id: Option<Option<i64>>,
    links: Option<String>,
}

impl AuthorCreate {
    /// Checks every field; 422 with all that is wrong.
    pub fn check(self) -> Result<NewAuthor> {
        let mut checks = Checks::default();
        let links = self.links.unwrap_or_default();
        check_rest(&mut checks, self.bio.as_deref(), &links);
        let new = NewAuthor {
            name: fields::name(&mut checks, "/name", &self.name),
            slug: self.slug.map(|slug| fields::slug(&mut checks, &slug)),
            bio: self.bio,
            avatar_image_id: self.avatar_image_id,
            links: as_json(&links)?,
        };
        checks.finish().map(|()| new)
    }
}

impl AuthorPatch {
    /// Checks every field; 422 with all that is wrong.
    pub fn check(self) -> Result<AuthorChanges> {
        let mut checks = Checks::default();
        let bio = self.bio.change();
        let links = self.links.change().map(Option::unwrap_or_default);
        check_rest(
            &mut checks,
            bio.as_ref().and_then(Option::as_deref),
            links.as_deref().unwrap_or_default(),
        );
        let changes = AuthorChanges {
            name: fields::needed(&mut checks, "/name", self.name).map(|name| fields::name(&mut checks, "/name", &name)),
            slug: fields::needed(&mut checks, "/slug", self.slug).map(|slug| fields::slug(&mut checks, &slug)),
            bio,
            avatar_image_id: self.avatar_image_id.change(),
            links: links.as_deref().map(as_json).transpose()?,
        };
        checks.finish().map(|()| changes)
    }
}

fn check_rest(checks: &mut Checks, bio: Option<&str>, links: &[AuthorLink]) {
    if let Some(text) = bio {
        checks.lines("/bio", text, BIO);
    }
    if links.len() > LINKS {
        checks.wrong("/links", format!("must have at most {LINKS} entries"));
        return;
    }
    for (at, link) in links.iter().enumerate() {
        checks.line(&format!("/links/{at}/label"), &link.label, 100);
        checks.url(&format!("/links/{at}/url"), &link.url);
    }
}

fn as_json(links: &[AuthorLink]) -> Result<String> {
    serde_json::to_string(links).map_err(Error::internal)
}

impl AuthorRow {
    /// As it is answered, with addresses that begin with `origin`.
    pub fn into_author(self, avatar: Option<ImageRow>, article_count: i64, origin: &str) -> Result<Author> {
        Ok(Author {
            links: serde_json::from_str(&self.links).map_err(Error::internal)?,
            id: self.id,
            slug: self.slug,
            name: self.name,
            bio: self.bio,
            avatar: avatar.map(|image| image.into_image(origin)),
            article_count,
        })
    }
}

impl ByLine {
    /// As articles show it, with a portrait that is among these images.
    pub fn into_ref(self, images: &HashMap<i64, Image>) -> AuthorRef {
        AuthorRef {
            avatar: self.avatar_image_id.and_then(|id| images.get(&id).cloned()),
            id: self.id,
            slug: self.slug,
            name: self.name,
            bio: self.bio,
        }
    }
}
