//! The article of a slug by hand: what somebody writes who needs this one address, with rusqlite and a connection a thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::Serialize;
use serde_json::value::RawValue;

/// How much of it is read.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum Much {
    /// Its row and its body, in one statement; what is answered lies in memory.
    Row,
    /// Its row, its body and its view number, in one statement, of which the answer is written; category, tags, by-lines and
    /// address lie in memory.
    Written,
    /// All that the answer is made of, which is written from it.
    Whole,
}

impl Much {
    /// Its word on a command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::Written => "written",
            Self::Whole => "whole",
        }
    }
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

/// What stands around the articles of these slugs.
static MEMORY: LazyLock<RwLock<HashMap<String, Arc<Around>>>> = LazyLock::new(RwLock::default);

/// Reads the article of a slug.
pub fn read(database: &Path, much: Much, slug: &str) -> Result<Found, String> {
    READER.with_borrow_mut(|reader| {
        let reader = match reader {
            Some(reader) => reader,
            None => reader.insert(open(database).map_err(crate::in_words)?),
        };
        match much {
            Much::Row => row(reader, slug).map_err(crate::in_words),
            Much::Written => written(reader, slug),
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
struct Answer<'a> {
    data: Article<'a>,
}

#[derive(Serialize)]
struct Article<'a> {
    id: i64,
    slug: String,
    title: String,
    summary: String,
    status: &'static str,
    locale: String,
    featured: bool,
    category: Option<&'a Category>,
    tags: &'a [Named],
    authors: &'a [Author],
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
    url: Option<&'a str>,
    links: Links,
    body: Body<'a>,
}

/// What stands around an article.
struct Around {
    category: Option<Category>,
    tags: Vec<Named>,
    authors: Vec<Author>,
    url: Option<String>,
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
struct Body<'a> {
    format: &'static str,
    source_format: String,
    html: &'a str,
}

/// What is selected of an article, in the order in which [`article`] takes it.
macro_rules! columns {
    () => {
        "articles.id, articles.slug, title, articles.summary, derived_summary, articles.locale, featured, published_at, \
         articles.created_at, articles.updated_at, articles.version, views, word_count, reading_minutes, source_name, \
         source_url, articles.seo_title, articles.seo_description, external_id, metadata, source_format, content"
    };
}

/// Times are kept to the microsecond, and answered to the second.
fn seconds(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    let text: String = row.get(column)?;
    Ok(format!("{}Z", text.get(..19).unwrap_or_default()))
}

fn written(reader: &Connection, slug: &str) -> Result<Found, String> {
    let around = {
        let memory = MEMORY.read().unwrap_or_else(PoisonError::into_inner);
        memory.get(slug).cloned()
    };
    if let Some(around) = around {
        let answer = alone(reader, slug, &around).optional().map_err(crate::in_words)?;
        return Ok(answer.map_or(Found::Nothing, Found::Answer));
    }
    let found = all(reader, slug).optional().map_err(crate::in_words)?;
    let Some((answer, around)) = found else {
        return Ok(Found::Nothing);
    };
    let mut memory = MEMORY.write().unwrap_or_else(PoisonError::into_inner);
    memory.insert(slug.to_owned(), Arc::new(around));
    Ok(Found::Answer(answer))
}

fn whole(reader: &Connection, slug: &str) -> Result<Found, String> {
    // One snapshot for all of it.
    let snapshot = reader.unchecked_transaction().map_err(crate::in_words)?;
    let found = all(&snapshot, slug).optional().map_err(crate::in_words)?;
    snapshot.commit().map_err(crate::in_words)?;
    Ok(found.map_or(Found::Nothing, |(answer, _)| Found::Answer(answer)))
}

fn alone(reader: &Connection, slug: &str, around: &Around) -> rusqlite::Result<Vec<u8>> {
    let mut statement = reader.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM articles \
         JOIN article_bodies ON article_bodies.article_id = articles.id AND format = 'html' \
         LEFT JOIN article_views ON article_views.article_id = articles.id \
         WHERE articles.slug = ?1 AND state = 'published' AND listed_at <= strftime('%Y-%m-%dT%H:%M:%fZ')"
    ))?;
    statement.query_row([slug], |row| write(article(row, around)?))
}

fn all(reader: &Connection, slug: &str) -> rusqlite::Result<(Vec<u8>, Around)> {
    let mut statement = reader.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        ", category_id, categories.slug AS c_slug, categories.name AS c_name, above.id AS p_id, \
         above.slug AS p_slug, above.name AS p_name, replace(replace(site.article_url, '{id}', articles.id), '{slug}', \
         articles.slug) AS address FROM articles JOIN site ON site.id = 1 \
         JOIN article_bodies ON article_bodies.article_id = articles.id AND format = 'html' \
         LEFT JOIN article_views ON article_views.article_id = articles.id \
         LEFT JOIN categories ON categories.id = category_id LEFT JOIN categories above ON above.id = categories.parent_id \
         WHERE articles.slug = ?1 AND state = 'published' AND listed_at <= strftime('%Y-%m-%dT%H:%M:%fZ')"
    ))?;
    statement.query_row([slug], |row| {
        let around = around(reader, row)?;
        Ok((write(article(row, &around)?)?, around))
    })
}

fn write(data: Article<'_>) -> rusqlite::Result<Vec<u8>> {
    let mut answer = Vec::with_capacity(16 << 10);
    serde_json::to_writer(&mut answer, &Answer { data })
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    Ok(answer)
}

fn around(reader: &Connection, row: &Row<'_>) -> rusqlite::Result<Around> {
    let id: i64 = row.get("id")?;
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
    let mut tags = reader.prepare_cached(
        "SELECT id, slug, name FROM article_tags JOIN tags ON id = tag_id WHERE article_id = ?1 ORDER BY position, id",
    )?;
    let tags = tags.query_map([id], |row| {
        let (id, slug, name) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Named { id, slug, name })
    })?;
    let tags = tags.collect::<Result<_, _>>()?;
    let mut authors = reader.prepare_cached(
        "SELECT id, slug, name, bio FROM article_authors JOIN authors ON id = author_id WHERE article_id = ?1 \
         ORDER BY position, id",
    )?;
    let authors = authors.query_map([id], |row| {
        Ok(Author {
            id: row.get(0)?,
            slug: row.get(1)?,
            name: row.get(2)?,
            bio: row.get(3)?,
            avatar: None,
        })
    })?;
    Ok(Around {
        category: category.transpose()?,
        tags,
        authors: authors.collect::<Result<_, _>>()?,
        url: row.get("address")?,
    })
}

fn article<'a>(row: &'a Row<'_>, around: &'a Around) -> rusqlite::Result<Article<'a>> {
    let id: i64 = row.get(0)?;
    let this = format!("/api/v1/articles/{id}");
    let summary: Option<String> = row.get(3)?;
    Ok(Article {
        id,
        slug: row.get(1)?,
        title: row.get(2)?,
        summary: summary.map_or_else(|| row.get(4), Ok)?,
        status: "published",
        locale: row.get(5)?,
        featured: row.get(6)?,
        category: around.category.as_ref(),
        tags: &around.tags,
        authors: &around.authors,
        cover: None,
        published_at: seconds(row, 7)?,
        created_at: seconds(row, 8)?,
        updated_at: seconds(row, 9)?,
        version: row.get(10)?,
        view_count: row.get(11)?,
        word_count: row.get(12)?,
        reading_minutes: row.get(13)?,
        source: Source {
            name: row.get(14)?,
            url: row.get(15)?,
        },
        seo: Seo {
            title: row.get(16)?,
            description: row.get(17)?,
        },
        external_id: row.get(18)?,
        metadata: RawValue::from_string(row.get(19)?).unwrap_or_default(),
        url: around.url.as_deref(),
        links: Links {
            related: format!("{this}/related"),
            views: format!("{this}/views"),
            this,
        },
        body: Body {
            format: "html",
            source_format: row.get(20)?,
            html: row.get_ref(21)?.as_str()?,
        },
    })
}
