//! The article of a slug by hand: what somebody writes who needs this one address, with rusqlite and a connection a thread.

use std::cell::RefCell;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::Serialize;
use serde_json::value::RawValue;

/// How much of it is read.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Much {
    /// Its row and its body, in one statement; what is answered lies in memory.
    Row,
    /// All that the answer is made of, which is written from it.
    Whole,
}

/// What a request needs of it.
pub enum Found {
    /// There is none.
    Nothing,
    /// It is there.
    There,
    /// What is answered.
    Answer(Vec<u8>),
}

thread_local! {
    static READER: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// Reads the article of a slug.
pub fn read(database: &Path, much: Much, slug: &str) -> Result<Found, String> {
    READER.with_borrow_mut(|reader| {
        let reader = match reader {
            Some(reader) => reader,
            None => reader.insert(open(database).map_err(crate::in_words)?),
        };
        match much {
            Much::Row => row(reader, slug).map_err(crate::in_words),
            Much::Whole => whole(reader, slug),
        }
    })
}

fn open(database: &Path) -> rusqlite::Result<Connection> {
    let opened = Connection::open_with_flags(database, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    opened.execute_batch("PRAGMA cache_size = -2000; PRAGMA mmap_size = 0")?;
    Ok(opened)
}

fn row(reader: &Connection, slug: &str) -> rusqlite::Result<Found> {
    let mut statement = reader.prepare_cached(
        "SELECT articles.*, content FROM articles JOIN article_bodies ON article_id = id AND format = 'html' \
         WHERE slug = ?1 AND state = 'published'",
    )?;
    let columns = statement.column_count();
    let length = statement.query_row([slug], |row| {
        let mut length = 0;
        for column in 0..columns {
            if let ValueRef::Text(text) = row.get_ref(column)? {
                length += text.to_vec().len();
            }
        }
        Ok(length)
    });
    Ok(match length.optional()? {
        Some(1..) => Found::There,
        _ => Found::Nothing,
    })
}

#[derive(Serialize)]
struct Answer {
    data: Article,
}

#[derive(Serialize)]
struct Article {
    id: i64,
    slug: String,
    title: String,
    summary: String,
    status: &'static str,
    locale: String,
    featured: bool,
    category: Option<Category>,
    tags: Vec<Named>,
    authors: Vec<Author>,
    cover: Option<()>,
    published_at: String,
    created_at: String,
    updated_at: String,
    version: i64,
    view_count: i64,
    word_count: i64,
    reading_minutes: i64,
    source: Source,
    seo: Seo,
    external_id: Option<String>,
    metadata: Box<RawValue>,
    url: Option<String>,
    links: Links,
    body: Body,
}

#[derive(Serialize)]
struct Named {
    id: i64,
    slug: String,
    name: String,
}

#[derive(Serialize)]
struct Category {
    id: i64,
    slug: String,
    name: String,
    path: String,
    ancestors: Vec<Named>,
}

#[derive(Serialize)]
struct Author {
    id: i64,
    slug: String,
    name: String,
    bio: Option<String>,
    avatar: Option<()>,
}

#[derive(Serialize)]
struct Source {
    name: Option<String>,
    url: Option<String>,
}

#[derive(Serialize)]
struct Seo {
    title: Option<String>,
    description: Option<String>,
}

#[derive(Serialize)]
struct Links {
    #[serde(rename = "self")]
    this: String,
    related: String,
    views: String,
}

#[derive(Serialize)]
struct Body {
    format: &'static str,
    source_format: String,
    html: String,
}

/// Times are kept to the microsecond, and answered to the second.
fn seconds(row: &Row<'_>, column: &str) -> rusqlite::Result<String> {
    let text: String = row.get(column)?;
    Ok(format!("{}Z", text.get(..19).unwrap_or_default()))
}

fn whole(reader: &Connection, slug: &str) -> Result<Found, String> {
    // One snapshot for all of it.
    let snapshot = reader.unchecked_transaction().map_err(crate::in_words)?;
    let found = article(&snapshot, slug).optional().map_err(crate::in_words)?;
    snapshot.commit().map_err(crate::in_words)?;
    let Some(data) = found else {
        return Ok(Found::Nothing);
    };
    serde_json::to_vec(&Answer { data })
        .map(Found::Answer)
        .map_err(crate::in_words)
}

fn article(reader: &Connection, slug: &str) -> rusqlite::Result<Article> {
    let mut statement = reader.prepare_cached(
        "SELECT articles.*, content, views, categories.slug AS c_slug, categories.name AS c_name, above.id AS p_id, \
         above.slug AS p_slug, above.name AS p_name, replace(replace(site.article_url, '{id}', articles.id), '{slug}', \
         articles.slug) AS address FROM articles JOIN site ON site.id = 1 \
         JOIN article_bodies ON article_bodies.article_id = articles.id AND format = 'html' \
         LEFT JOIN article_views ON article_views.article_id = articles.id \
         LEFT JOIN categories ON categories.id = category_id LEFT JOIN categories above ON above.id = categories.parent_id \
         WHERE articles.slug = ?1 AND state = 'published' AND listed_at <= strftime('%Y-%m-%dT%H:%M:%fZ')",
    )?;
    let mut article = statement.query_row([slug], |row| {
        let id: i64 = row.get("id")?;
        let this = format!("/api/v1/articles/{id}");
        let category_slug: Option<String> = row.get("c_slug")?;
        let above: Option<i64> = row.get("p_id")?;
        let above = above
            .map(|id| {
                let (slug, name) = (row.get("p_slug")?, row.get("p_name")?);
                Ok::<_, rusqlite::Error>(Named { id, slug, name })
            })
            .transpose()?;
        let category = category_slug.map(|slug| {
            let path = above
                .as_ref()
                .map_or_else(|| slug.clone(), |above| format!("{}/{slug}", above.slug));
            Ok::<_, rusqlite::Error>(Category {
                id: row.get("category_id")?,
                slug,
                name: row.get("c_name")?,
                path,
                ancestors: above.into_iter().collect(),
            })
        });
        let summary: Option<String> = row.get("summary")?;
        Ok(Article {
            id,
            slug: row.get("slug")?,
            title: row.get("title")?,
            summary: summary.map_or_else(|| row.get("derived_summary"), Ok)?,
            status: "published",
            locale: row.get("locale")?,
            featured: row.get("featured")?,
            category: category.transpose()?,
            tags: Vec::new(),
            authors: Vec::new(),
            cover: None,
            published_at: seconds(row, "published_at")?,
            created_at: seconds(row, "created_at")?,
            updated_at: seconds(row, "updated_at")?,
            version: row.get("version")?,
            view_count: row.get("views")?,
            word_count: row.get("word_count")?,
            reading_minutes: row.get("reading_minutes")?,
            source: Source {
                name: row.get("source_name")?,
                url: row.get("source_url")?,
            },
            seo: Seo {
                title: row.get("seo_title")?,
                description: row.get("seo_description")?,
            },
            external_id: row.get("external_id")?,
            metadata: RawValue::from_string(row.get("metadata")?).unwrap_or_default(),
            url: row.get("address")?,
            links: Links {
                related: format!("{this}/related"),
                views: format!("{this}/views"),
                this,
            },
            body: Body {
                format: "html",
                source_format: row.get("source_format")?,
                html: row.get("content")?,
            },
        })
    })?;
    let mut tags = reader.prepare_cached(
        "SELECT id, slug, name FROM article_tags JOIN tags ON id = tag_id WHERE article_id = ?1 ORDER BY position, id",
    )?;
    let tags = tags.query_map([article.id], |row| {
        let (id, slug, name) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Named { id, slug, name })
    })?;
    article.tags = tags.collect::<Result<_, _>>()?;
    let mut authors = reader.prepare_cached(
        "SELECT id, slug, name, bio FROM article_authors JOIN authors ON id = author_id WHERE article_id = ?1 \
         ORDER BY position, id",
    )?;
    let authors = authors.query_map([article.id], |row| {
        Ok(Author {
            id: row.get(0)?,
            slug: row.get(1)?,
            name: row.get(2)?,
            bio: row.get(3)?,
            avatar: None,
        })
    })?;
    article.authors = authors.collect::<Result<_, _>>()?;
    Ok(article)
}
