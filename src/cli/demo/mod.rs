//! `broadsheet serve --demo`: a small site to look at, in an empty database.
//!
//! Its articles are Markdown files with front matter, and come in the way of an import.

mod content;
mod picture;

use std::collections::HashMap;

use chrono::{TimeDelta, Utc};
use diesel::prelude::*;

use self::content::{POSTS, Post, SECTIONS, SITE_DESCRIPTION, SITE_NAME};
use super::import::{Article, reason, save, zone};
use crate::auth::{has_user, secret};
use crate::config::Config;
use crate::db::schema::articles;
use crate::db::{Db, Read, Timestamp};
use crate::error::Result;
use crate::images::Files;
use crate::images::ingest::ingest_bytes;
use crate::site::model::{NavigationItem, SitePatch};
use crate::site::store::{find_site, update_site};
use crate::taxonomy::categories::store::load_tree;
use crate::web::Patch;

/// E-mail of the demo's admin.
const EMAIL: &str = "admin@example.com";

/// What a site is called until somebody names it.
const UNNAMED: &str = "Broadsheet";

/// What is to be said once the server listens.
#[derive(Debug, Default)]
pub struct Demo {
    /// How many articles were made; none where there were some already.
    pub articles: Option<usize>,
    /// The admin who is made at the start, if there is no account and the settings name none.
    pub admin: Option<(String, String)>,
}

/// Fills the database that the settings name, if it is empty, and has the start make an admin, if nobody could sign in.
/// The error is one line.
pub async fn prepare(config: &mut Config) -> std::result::Result<Demo, String> {
    let db = Db::open(config)?;
    let outcome = async {
        let mut demo = Demo {
            articles: fill(&db, config).await?,
            admin: None,
        };
        if config.admin.is_none() && !has_user(&db).await.map_err(|error| reason(&error))? {
            let password = secret::random().map_err(|error| reason(&error))?;
            // Short enough to be typed; 96 bits.
            let admin = (EMAIL.to_owned(), password.chars().take(16).collect());
            demo.admin = Some(admin.clone());
            config.admin = Some(admin);
        }
        Ok(demo)
    };
    let outcome = outcome.await;
    db.close().await;
    outcome
}

/// Fills an empty database: articles, what they are sorted by, pictures, the site. Gives the number of articles, or
/// nothing where there was one already. The error is one line.
pub async fn fill(db: &Db, config: &Config) -> std::result::Result<Option<usize>, String> {
    let in_words = |error| reason(&error);
    if !db.read(|read| Ok(is_empty(read)?)).await.map_err(in_words)? {
        return Ok(None);
    }
    let files = Files::open(config)?;
    let zone = zone(db, config).await?;
    let mut images = HashMap::new();
    for post in POSTS {
        let mut article = Article::read(post.text, post.name, zone)?;
        if !article.post.draft {
            article.post.date = Some(date_of(post));
        }
        for name in article.addresses() {
            if let Some(drawn) = picture::draw(name).filter(|_| !images.contains_key(name)) {
                let bytes = drawn.map_err(|error| error.to_string())?;
                let (image, _new) = ingest_bytes(db, &files, &bytes, None).await.map_err(in_words)?;
                images.insert(name.to_owned(), image.id);
            }
        }
        let ready = article.with_images(&images);
        save(db, format!("demo:{}", post.name), ready).await.map_err(in_words)?;
    }
    name_site(db).await.map_err(in_words)?;
    Ok(Some(POSTS.len()))
}

fn is_empty(read: &mut Read<'_>) -> QueryResult<bool> {
    let any: Option<i64> = articles::table.select(articles::id).first(read.conn).optional()?;
    Ok(any.is_none())
}

fn date_of(post: &Post) -> Timestamp {
    Timestamp::from(Utc::now() + TimeDelta::hours(post.hours))
}

/// Names a site that has no name of its own yet, and gives it a navigation.
async fn name_site(db: &Db) -> Result<()> {
    db.write(|tx| {
        if find_site(tx.conn)?.name != UNNAMED {
            return Ok(());
        }
        let categories = load_tree(tx.conn)?.categories(&HashMap::new());
        let entry = |label: &str| {
            let category = categories.iter().find(|category| category.name == label);
            category.map(|category| NavigationItem {
                label: label.to_owned(),
                url: format!("/{}", category.path),
                children: Vec::new(),
            })
        };
        let mut news: Vec<_> = entry("News").into_iter().collect();
        if let Some(news) = news.first_mut() {
            news.children = SECTIONS.iter().filter_map(|label| entry(label)).collect();
        }
        let patch = SitePatch {
            name: Patch::Value(SITE_NAME.to_owned()),
            description: Patch::Value(SITE_DESCRIPTION.to_owned()),
            navigation: Patch::Value(news),
            ..SitePatch::default()
        };
        update_site(tx, &patch.check()?)?;
        Ok(())
    })
    .await
}

impl Demo {
    /// Says what is there, and how to sign in.
    pub fn announce(&self, origin: &str) {
        match self.articles {
            Some(articles) => println!("The demo is there: {articles} articles at {origin}/api/v1/articles"),
            None => println!("There are articles already, so the demo adds none: {origin}/api/v1/articles"),
        }
        println!("What can be asked: {origin}/docs/");
        if let Some((email, password)) = &self.admin {
            println!("To sign in: {email}, password {password}");
            println!(
                "  curl -s {origin}/api/v1/auth/login -H 'Content-Type: application/json' \\\n    \
                 -d '{{\"email\": \"{email}\", \"password\": \"{password}\"}}'"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_article_can_be_read_and_every_picture_drawn() {
        for post in POSTS {
            let article = Article::read(post.text, post.name, chrono_tz::UTC).unwrap();
            assert_eq!(article.remarks, Default::default(), "{}", post.name);
            assert!(
                article.post.category.len() == 2 && !article.post.tags.is_empty(),
                "{}",
                post.name
            );
            for name in article.addresses() {
                assert!(picture::draw(name).is_some(), "{name}");
            }
        }
    }
}
