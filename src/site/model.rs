//! What the site says of itself.

use chrono_tz::Tz;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::site;
use crate::error::{Error, Result};
use crate::web::Patch;
use crate::web::body::{Checks, object_list, objects};

/// Most entries of the navigation, on all levels together.
const MOST_ENTRIES: usize = 200;

/// The site as stored.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = site)]
pub struct SiteRow {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Language of its articles where they name none.
    pub locale: String,
    /// Where readers find it.
    pub url: Option<String>,
    /// Template for the `url` of articles.
    pub article_url: Option<String>,
    /// Its zone; the setting's if null.
    pub time_zone: Option<String>,
    /// JSON list of [`NavigationItem`].
    pub navigation: String,
}

/// What the site says of itself.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Site {
    /// What the site is called.
    #[schema(example = "数码评测", max_length = 100)]
    pub name: String,
    /// What it is about.
    #[schema(example = "手机、芯片与机器人", required, max_length = 1000)]
    pub description: Option<String>,
    /// Language of articles that name none (BCP 47).
    #[schema(example = "zh-CN", max_length = 35)]
    pub locale: String,
    /// Where readers find the site.
    #[schema(example = "https://example.com", required, max_length = 2000, pattern = "^https?://")]
    pub url: Option<String>,
    /// Template of an article's `url`: `{id}` and `{slug}` stand for the article's.
    #[schema(
        example = "https://example.com/articles/{slug}",
        required,
        max_length = 2000,
        pattern = "^https?://"
    )]
    pub article_url: Option<String>,
    /// Zone of bare dates in filters, of day series and of imports (IANA name).
    #[schema(example = "Asia/Shanghai", max_length = 100)]
    pub time_zone: String,
    /// The menus, for whoever draws the site.
    #[schema(max_items = 200)]
    pub navigation: Vec<NavigationItem>,
}

/// An entry of the navigation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct NavigationItem {
    /// What it says.
    #[schema(example = "评测资讯", max_length = 100, format = "line")]
    pub label: String,
    /// Where it leads: an address or a path.
    #[schema(example = "/news/reviews", max_length = 2000, format = "http-url-or-path")]
    pub url: String,
    /// Entries below it.
    #[serde(default, deserialize_with = "object_list")]
    #[schema(no_recursion, max_items = 200)]
    pub children: Vec<NavigationItem>,
}

/// A change of the site. What is absent stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct SitePatch {
    /// What the site is called; cannot be cleared.
    #[serde(default)]
    #[schema(value_type = String, example = "数码评测", max_length = 100, format = "line")]
    pub name: Patch<String>,
    /// What it is about.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "手机、芯片与机器人", max_length = 1000)]
    pub description: Patch<String>,
    /// Language of articles that name none; cannot be cleared.
    #[serde(default)]
    #[schema(value_type = String, example = "zh-CN", max_length = 35, format = "language-tag")]
    pub locale: Patch<String>,
    /// Where readers find the site.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "https://example.com", max_length = 2000, format = "http-url")]
    pub url: Patch<String>,
    /// Template of an article's `url`, with `{id}` or `{slug}` in it.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "https://example.com/articles/{slug}", max_length = 2000, format = "article-url")]
    pub article_url: Patch<String>,
    /// IANA name; `null` goes back to the server's setting.
    #[serde(default)]
    #[schema(value_type = Option<String>, example = "Asia/Shanghai", max_length = 100)]
    pub time_zone: Patch<String>,
    /// Menus, at most three levels and 200 entries; `null` empties them.
    #[serde(default, deserialize_with = "objects")]
    #[schema(value_type = Option<Vec<NavigationItem>>, max_items = 200)]
    pub navigation: Patch<Vec<NavigationItem>>,
}

/// A [`SitePatch`] as columns.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = site)]
pub struct SiteChanges {
    name: Option<String>,
    description: Option<Option<String>>,
    locale: Option<String>,
    url: Option<Option<String>>,
    article_url: Option<Option<String>>,
    time_zone: Option<Option<String>>,
    navigation: Option<String>,
}

impl SiteRow {
    /// The zone that bare dates are read in.
    pub fn zone(&self, setting: Tz) -> Tz {
        self.time_zone
            .as_deref()
            .and_then(|name| name.parse().ok())
            .unwrap_or(setting)
    }

    /// As answered.
    pub fn into_site(self, setting: Tz) -> Result<Site> {
        Ok(Site {
            time_zone: self.zone(setting).name().to_owned(),
            name: self.name,
            description: self.description,
            locale: self.locale,
            url: self.url,
            article_url: self.article_url,
            navigation: serde_json::from_str(&self.navigation).map_err(Error::internal)?,
        })
    }

    /// Where readers find an article, if the site says how.
    pub fn url_of_article(&self, id: i64, slug: &str) -> Option<String> {
        let template = self.article_url.as_deref()?;
        let slug = percent_encoding::utf8_percent_encode(slug, percent_encoding::NON_ALPHANUMERIC).to_string();
        // Hyphens are what slugs are made of; they need no encoding.
        Some(
            template
                .replace("{id}", &id.to_string())
                .replace("{slug}", &slug.replace("%2D", "-")),
        )
    }
}

impl SitePatch {
    /// Checks every field; 422 with all that is wrong.
    pub fn check(self) -> Result<SiteChanges> {
        let mut checks = Checks::default();
        for (pointer, field) in [("/name", &self.name), ("/locale", &self.locale)] {
            if matches!(field, Patch::Null) {
                checks.wrong(pointer, "must not be null");
            }
        }
        if let Patch::Value(name) = &self.name {
            checks.line("/name", name, 100);
        }
        if let Patch::Value(text) = &self.description {
            checks.lines("/description", text, 1000);
        }
        if let Patch::Value(locale) = &self.locale {
            checks.locale("/locale", locale);
        }
        if let Patch::Value(url) = &self.url {
            checks.url("/url", url);
        }
        if let Patch::Value(template) = &self.article_url {
            checks.url("/article_url", &template.replace("{id}", "1").replace("{slug}", "a"));
            if !template.contains("{id}") && !template.contains("{slug}") {
                checks.wrong("/article_url", "must have {id} or {slug} in it");
            }
        }
        if let Patch::Value(zone) = &self.time_zone
            && zone.parse::<Tz>().is_err()
        {
            checks.wrong("/time_zone", "must be the name of a time zone, such as Asia/Shanghai");
        }
        let mut entries = 0;
        if let Patch::Value(items) = &self.navigation {
            check_navigation(&mut checks, "/navigation", items, 1, &mut entries);
        }
        if entries > MOST_ENTRIES {
            checks.wrong("/navigation", format!("must have at most {MOST_ENTRIES} entries"));
        }
        checks.finish()?;
        let navigation = self.navigation.change().map(Option::unwrap_or_default);
        Ok(SiteChanges {
            name: self.name.value(),
            description: self.description.change(),
            locale: self.locale.value(),
            url: self.url.change(),
            article_url: self.article_url.change(),
            time_zone: self.time_zone.change(),
            navigation: navigation
                .map(|items| serde_json::to_string(&items))
                .transpose()
                .map_err(Error::internal)?,
        })
    }
}

fn check_navigation(checks: &mut Checks, pointer: &str, items: &[NavigationItem], level: usize, entries: &mut usize) {
    if level > 3 {
        if !items.is_empty() {
            checks.wrong(pointer, "must have at most three levels");
        }
        return;
    }
    for (at, item) in items.iter().enumerate() {
        *entries += 1;
        if *entries > MOST_ENTRIES {
            return;
        }
        let pointer = format!("{pointer}/{at}");
        checks.line(&format!("{pointer}/label"), &item.label, 100);
        let url = format!("{pointer}/url");
        if !item.url.starts_with('/') || item.url.starts_with("//") {
            checks.url(&url, &item.url);
        } else {
            checks.line(&url, &item.url, 2000);
        }
        check_navigation(
            checks,
            &format!("{pointer}/children"),
            &item.children,
            level + 1,
            entries,
        );
    }
}
