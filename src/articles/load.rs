//! From rows to what is answered: everything that an article or a list of them shows, in a constant number of statements.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::body::{fill_body, images_in, load_bodies};
use super::input::Metadata;
use super::model::{Article, ArticleLinks, ArticleRow, ArticleSummary, BodyFormat, Neighbors, Seo, SourceRef, Status};
use super::nearby;
use super::query::Includes;
use super::shown::{Around, Shown};
use super::store;
use crate::db::{self, DbConn, Read, Seldom, Subject, Timestamp, Tx};
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
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let parts = Parts {
        around: Around::load(conn, &ids)?,
        views: store::load_view_counts(conn, &ids)?,
        bodies: match body {
            Some(format) => load_bodies(conn, &ids, format)?,
            None => HashMap::new(),
        },
    };
    sum_up(conn, now, scene, rows, parts, body)
}

/// What belongs to articles and stands elsewhere, pictures aside.
struct Parts {
    around: Around,
    views: HashMap<i64, i64>,
    bodies: HashMap<i64, String>,
}

fn sum_up(
    conn: &mut DbConn,
    now: Timestamp,
    scene: &Scene,
    rows: Vec<ArticleRow>,
    parts: Parts,
    body: Option<BodyFormat>,
) -> Result<Vec<ArticleSummary>> {
    let Parts {
        around: Around { mut tags, mut by_lines },
        views,
        mut bodies,
    } = parts;
    let mut shown: BTreeSet<i64> = rows.iter().filter_map(|row| row.values.cover_image_id).collect();
    shown.extend(bodies.values().flat_map(|stored| images_in(stored)));
    let shown: Vec<i64> = shown.into_iter().collect();
    let images: HashMap<i64, Image> = load_images(conn, &shown)?
        .into_iter()
        .map(|(id, row)| (id, row.into_image(&scene.origin)))
        .collect();

    rows.into_iter()
        .map(|ArticleRow { id, values: row }| {
            let body = match body {
                Some(format) => {
                    let stored = bodies.remove(&id).unwrap_or_default();
                    let stored = if stored.is_empty() && format == BodyFormat::Blocks {
                        "[]"
                    } else {
                        &stored
                    };
                    Some(fill_body(stored, format, row.source_format, &images)?)
                }
                None => None,
            };
            Ok(ArticleSummary {
                id,
                status: Status::at(row.state, row.published_at, now),
                category: row.category_id.and_then(|id| scene.tree.reference(id)),
                tags: tags.remove(&id).unwrap_or_default(),
                authors: by_lines
                    .remove(&id)
                    .unwrap_or_default()
                    .into_iter()
                    .map(|by_line| by_line.into_ref(&scene.origin))
                    .collect(),
                cover: row.cover_image_id.and_then(|id| images.get(&id).cloned()),
                view_count: views.get(&id).copied().unwrap_or_default(),
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
        })
        .collect()
}

/// One article with all that was asked for; what stands around it may be at hand.
pub fn assemble(
    conn: &mut DbConn,
    now: Timestamp,
    scene: &Scene,
    shown: Shown,
    around: Option<Around>,
    includes: Includes,
) -> Result<Article> {
    let Shown { row, views, body, .. } = shown;
    let related = if includes.related {
        let rows = nearby::related(conn, now, &row, 10)?;
        Some(summaries(conn, now, scene, rows, None)?)
    } else {
        None
    };
    let neighbors = if includes.neighbors {
        let (older, newer) = nearby::neighbors(conn, now, &row)?;
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
    let parts = Parts {
        around: match around {
            Some(around) => around,
            None => Around::load(conn, &[row.id])?,
        },
        views: views.map(|views| (row.id, views)).into_iter().collect(),
        bodies: body.map(|body| (row.id, body)).into_iter().collect(),
    };
    let summary = sum_up(conn, now, scene, vec![row], parts, includes.body_format())?
        .pop()
        .ok_or_else(Error::not_found)?;
    Ok(Article {
        summary,
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
