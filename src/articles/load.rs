//! From rows to what is answered: everything that an article or a list of them shows, in a constant number of statements.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::body::{fill_body, images_in};
use super::input::Metadata;
use super::model::{Article, ArticleLinks, ArticleRow, ArticleSummary, BodyFormat, Neighbors, Seo, SourceRef, Status};
use super::nearby;
use super::query::Includes;
use super::shown::{Name, Shown, find_shown, load_shown};
use crate::db::{self, DbConn, Read, Seldom, Sight, Subject, Timestamp, Tx};
use crate::error::{Error, Result};
use crate::images::model::Image;
use crate::images::store::load_images;
use crate::site::model::SiteRow;
use crate::site::store::find_site;
use crate::taxonomy::categories::Tree;
use crate::taxonomy::categories::store::load_tree;

/// What every article is shown against.
pub struct Scene {
    /// The site.
    pub site: Arc<SiteRow>,
    /// The categories.
    pub tree: Arc<Tree>,
    /// What absolute addresses begin with.
    pub origin: String,
}

impl Scene {
    /// For readers.
    pub fn load(read: &mut Read<'_>, origin: &str) -> Result<Self> {
        Ok(Self {
            site: read.kept(Seldom::Site, find_site)?,
            tree: read.kept(Seldom::Categories, load_tree)?,
            origin: origin.to_owned(),
        })
    }

    /// For readers, if nothing has to be read for it.
    pub fn at_hand(read: &Read<'_>, origin: &str) -> Option<Self> {
        Some(Self {
            site: read.kept_at_hand(Seldom::Site)?,
            tree: read.kept_at_hand(Seldom::Categories)?,
            origin: origin.to_owned(),
        })
    }

    /// For who has just written, as it stands in the transaction.
    pub fn within(tx: &mut Tx<'_>, origin: &str) -> Result<Self> {
        Ok(Self {
            site: tx.kept(Seldom::Site, find_site)?,
            tree: tx.kept(Seldom::Categories, load_tree)?,
            origin: origin.to_owned(),
        })
    }
}

/// What these summaries were made of, for [`crate::web::Reply::made_of`].
pub fn subjects_of<'a>(summaries: impl IntoIterator<Item = &'a ArticleSummary>) -> Vec<Subject> {
    let mut subjects = vec![Subject::Site];
    for article in summaries {
        subjects.push(Subject::Article(article.id));
        if let Some(category) = &article.category {
            subjects.push(Subject::Category(category.id));
            subjects.extend(category.ancestors.iter().map(|above| Subject::Category(above.id)));
        }
        subjects.extend(article.tags.iter().map(|tag| Subject::Tag(tag.id)));
        for author in &article.authors {
            subjects.push(Subject::Author(author.id));
            subjects.extend(author.avatar.iter().map(|avatar| Subject::Image(avatar.id)));
        }
        subjects.extend(article.cover.iter().map(|cover| Subject::Image(cover.id)));
        let shown = article.body.iter().flat_map(|body| &body.images);
        subjects.extend(shown.map(|id| Subject::Image(*id)));
    }
    subjects
}

/// The summaries of these rows, in their order, with bodies in that form if one is named.
pub fn summaries(
    conn: &mut DbConn,
    now: Timestamp,
    scene: &Scene,
    rows: Vec<ArticleRow>,
    body: Option<BodyFormat>,
) -> Result<Vec<ArticleSummary>> {
    let shown = load_shown(conn, rows, body)?;
    let (images, _) = load_pictures(conn, scene, &shown, body)?;
    shown
        .into_iter()
        .map(|shown| sum_up(now, scene, shown, &images, body))
        .collect()
}

/// The images that these articles show, in one statement, and whether all of them were there.
fn load_pictures(
    conn: &mut DbConn,
    scene: &Scene,
    shown: &[Shown],
    format: Option<BodyFormat>,
) -> Result<(HashMap<i64, Image>, bool)> {
    let mut ids = BTreeSet::new();
    for Shown { row, body, around, .. } in shown {
        ids.extend(row.values.cover_image_id);
        ids.extend(around.by_lines.iter().filter_map(|by_line| by_line.avatar_image_id));
        if let (Some(stored), Some(format)) = (body, format) {
            ids.extend(images_in(stored, format));
        }
    }
    let ids: Vec<i64> = ids.into_iter().collect();
    let rows = load_images(conn, &ids)?;
    let are_all = rows.len() == ids.len();
    let images = rows.into_iter().map(|(id, row)| (id, row.into_image(&scene.origin)));
    Ok((images.collect(), are_all))
}

/// An article as it is answered, with its body if a form was asked for.
fn sum_up(
    now: Timestamp,
    scene: &Scene,
    shown: Shown,
    images: &HashMap<i64, Image>,
    format: Option<BodyFormat>,
) -> Result<ArticleSummary> {
    let Shown {
        row,
        views,
        body,
        around,
    } = shown;
    let ArticleRow { id, values: row } = row;
    let body = match format {
        Some(format) => {
            let stored = match body {
                Some(stored) if !stored.is_empty() => stored,
                _ if format == BodyFormat::Blocks => "[]".to_owned(),
                _ => String::new(),
            };
            Some(fill_body(stored, format, row.source_format, images)?)
        }
        None => None,
    };
    Ok(ArticleSummary {
        id,
        status: Status::at(row.state, row.published_at, now),
        category: row.category_id.and_then(|id| scene.tree.reference(id)),
        tags: around.tags,
        authors: around
            .by_lines
            .into_iter()
            .map(|by_line| by_line.into_ref(images))
            .collect(),
        cover: row.cover_image_id.and_then(|id| images.get(&id).cloned()),
        view_count: views.unwrap_or_default(),
        url: scene.site.url_of_article(id, &row.slug),
        links: ArticleLinks::of(id),
        slug: row.slug,
        title: row.title,
        summary: row.summary.unwrap_or(row.derived_summary),
        locale: row.locale,
        featured: row.featured,
        published_at: row.published_at,
        created_at: row.created_at,
        updated_at: row.updated_at,
        version: row.version,
        word_count: row.word_count,
        reading_minutes: row.reading_minutes,
        source: SourceRef {
            name: row.source_name,
            url: row.source_url,
        },
        seo: Seo {
            title: row.seo_title,
            description: row.seo_description,
        },
        external_id: row.external_id,
        metadata: Metadata::raw(row.metadata),
        body,
    })
}

/// The article of that name with all that was asked for, if `sight` sees it.
pub fn find(
    read: &mut Read<'_>,
    name: Name<'_>,
    sight: Sight,
    origin: &str,
    includes: Includes,
) -> Result<Option<Article>> {
    let Some((shown, numbers)) = find_shown(read.conn, read.now, name, sight, includes.body_format())? else {
        return Ok(None);
    };
    read.tell_numbers(numbers);
    let scene = Scene::load(read, origin)?;
    assemble(read.conn, read.now, &scene, shown, includes).map(Some)
}

/// The same by one statement, without a snapshot, and by one more for its pictures, which may be newer. Nothing as well where
/// more is to be read, where a picture has gone meanwhile, and where the site or the categories are not kept.
pub fn find_at_once(
    read: &mut Read<'_>,
    name: Name<'_>,
    sight: Sight,
    origin: &str,
    includes: Includes,
) -> Result<Option<Article>> {
    if includes.related || includes.neighbors {
        return Ok(None);
    }
    let body = includes.body_format();
    let Some((shown, numbers)) = find_shown(read.conn, read.now, name, sight, body)? else {
        return match name {
            Name::Id(_) => Err(Error::not_found()),
            // It may be a former one.
            Name::Slug(_) => Ok(None),
        };
    };
    read.tell_numbers(numbers);
    let Some(scene) = Scene::at_hand(read, origin) else {
        return Ok(None);
    };
    let (images, are_all) = load_pictures(read.conn, &scene, std::slice::from_ref(&shown), body)?;
    if !are_all {
        return Ok(None);
    }
    Ok(Some(Article {
        summary: sum_up(read.now, &scene, shown, &images, body)?,
        related: None,
        neighbors: None,
    }))
}

/// One article with all that was asked for.
pub fn assemble(conn: &mut DbConn, now: Timestamp, scene: &Scene, shown: Shown, includes: Includes) -> Result<Article> {
    let related = if includes.related {
        let rows = nearby::related(conn, now, &shown.row, 10)?;
        Some(summaries(conn, now, scene, rows, None)?)
    } else {
        None
    };
    let neighbors = if includes.neighbors {
        let (older, newer) = nearby::neighbors(conn, now, &shown.row)?;
        let ids = (older.as_ref().map(|row| row.id), newer.as_ref().map(|row| row.id));
        let mut neighbors = Neighbors::default();
        for summary in summaries(conn, now, scene, older.into_iter().chain(newer).collect(), None)? {
            if Some(summary.id) == ids.0 {
                neighbors.prev = Some(summary);
            } else {
                neighbors.next = Some(summary);
            }
        }
        Some(neighbors)
    } else {
        None
    };
    let body = includes.body_format();
    let (images, _) = load_pictures(conn, scene, std::slice::from_ref(&shown), body)?;
    Ok(Article {
        summary: sum_up(now, scene, shown, &images, body)?,
        related,
        neighbors,
    })
}

/// Until when the answer stays what it is by itself: no article that becomes due changes another one, only what is near it.
pub fn next_due(read: &mut Read<'_>, includes: Includes) -> Result<Option<Timestamp>> {
    if includes.related || includes.neighbors {
        db::next_due(read)
    } else {
        Ok(None)
    }
}
