//! Articles as rows, and how they get into the tables: many in one statement, without the search index.

use broadsheet::articles::body::load_bodies;
use broadsheet::articles::model::{ArticleValues, BodyFormat, BodySource, State};
use broadsheet::db::schema::{
    article_authors, article_bodies, article_tags, article_views, articles, authors, categories, tags,
};
use broadsheet::db::{DbConn, Timestamp, Tx, level};
use broadsheet::on_backend;
use broadsheet::taxonomy::listed::relist_range;
use broadsheet::taxonomy::tags::store::load_tags_of;
use broadsheet::text::normalise::fold_name;
use broadsheet::text::render::{self, Rendered, SourceFormat};
use broadsheet::text::summary::{reading_minutes, summary, word_count};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::corpus::{self, Article, Category, Corpus, Standing};

/// An article that is ready to be written.
pub struct Ready {
    id: i64,
    values: ArticleValues,
    source: String,
    rendered: Rendered,
    tags: Vec<i64>,
    author: i64,
    views: i64,
}

/// Places are counted from 0, ids from 1.
fn id_at(place: usize) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX - 1) + 1
}

/// Renders an article, which is the most of the work.
pub fn prepare(id: i64, article: Article) -> Ready {
    let rendered = render::render(&article.source, SourceFormat::Markdown);
    let words = word_count(&rendered.text);
    let date = Timestamp::from(article.date);
    let published = article.standing != Standing::Draft;
    let values = ArticleValues {
        slug: article.external_id.clone(),
        title: article.title,
        summary: None,
        derived_summary: summary(&rendered.text),
        state: if published { State::Published } else { State::Draft },
        published_at: published.then_some(date),
        listed_at: date,
        created_at: date,
        updated_at: date,
        version: 1,
        category_id: Some(id_at(article.category)),
        cover_image_id: None,
        locale: "zh-CN".to_owned(),
        featured: false,
        word_count: words,
        reading_minutes: reading_minutes(words),
        source_name: None,
        source_url: None,
        seo_title: None,
        seo_description: None,
        external_id: Some(article.external_id),
        metadata: "{}".to_owned(),
        source_format: BodySource::Markdown,
        created_by: None,
    };
    Ready {
        id,
        values,
        source: article.source,
        rendered,
        tags: article.tags.into_iter().map(id_at).collect(),
        author: id_at(article.author),
        views: article.views,
    }
}

/// What articles are sorted by.
pub struct Taxonomy {
    categories: Vec<Category>,
    tags: Vec<String>,
    authors: Vec<String>,
}

impl Taxonomy {
    /// Of a corpus.
    pub fn of(corpus: &Corpus) -> Self {
        Self {
            categories: corpus::categories(),
            tags: corpus.tags().to_vec(),
            authors: corpus.authors().to_vec(),
        }
    }
}

/// Writes what articles are sorted by.
pub fn insert_taxonomy(tx: &mut Tx<'_>, taxonomy: &Taxonomy) -> QueryResult<()> {
    for (place, category) in taxonomy.categories.iter().enumerate() {
        diesel::insert_into(categories::table)
            .values((
                categories::id.eq(id_at(place)),
                categories::slug.eq(&category.slug),
                categories::name.eq(category.name),
                categories::parent_id.eq(category.parent.map(id_at)),
                categories::position.eq(0),
            ))
            .execute(tx.conn)?;
    }
    for (place, name) in taxonomy.tags.iter().enumerate() {
        diesel::insert_into(tags::table)
            .values((
                tags::id.eq(id_at(place)),
                tags::slug.eq(format!("t{place}")),
                tags::name.eq(name),
                tags::name_key.eq(fold_name(name)),
                tags::declared.eq(true),
            ))
            .execute(tx.conn)?;
    }
    for (place, name) in taxonomy.authors.iter().enumerate() {
        diesel::insert_into(authors::table)
            .values((
                authors::id.eq(id_at(place)),
                authors::slug.eq(format!("a{place}")),
                authors::name.eq(name),
                authors::links.eq("[]"),
            ))
            .execute(tx.conn)?;
    }
    Ok(())
}

/// Writes articles with all that is theirs but the index.
pub fn insert(tx: &mut Tx<'_>, ready: &[Ready]) -> QueryResult<()> {
    let rows: Vec<_> = ready
        .iter()
        .map(|article| (articles::id.eq(article.id), article.values.clone()))
        .collect();
    let bodies: Vec<_> = ready.iter().flat_map(bodies).collect();
    let tagged: Vec<_> = ready
        .iter()
        .flat_map(|article| {
            (0..).zip(&article.tags).map(|(position, tag)| {
                (
                    article_tags::article_id.eq(article.id),
                    article_tags::tag_id.eq(*tag),
                    article_tags::position.eq(position),
                )
            })
        })
        .collect();
    let written: Vec<_> = ready
        .iter()
        .map(|article| {
            (
                article_authors::article_id.eq(article.id),
                article_authors::author_id.eq(article.author),
                article_authors::position.eq(0),
            )
        })
        .collect();
    let views: Vec<_> = ready
        .iter()
        .map(|article| {
            (
                article_views::article_id.eq(article.id),
                article_views::views.eq(article.views),
                article_views::level.eq(level(article.views)),
            )
        })
        .collect();
    on_backend!(tx.conn, |c| {
        diesel::insert_into(articles::table).values(&rows).execute(c)?;
        diesel::insert_into(article_bodies::table).values(&bodies).execute(c)?;
        diesel::insert_into(article_tags::table).values(&tagged).execute(c)?;
        diesel::insert_into(article_authors::table)
            .values(&written)
            .execute(c)?;
        diesel::insert_into(article_views::table).values(&views).execute(c)?
    });
    let ids = || ready.iter().map(|article| article.id);
    if let (Some(first), Some(last)) = (ids().min(), ids().max()) {
        relist_range(tx, first, last)?;
    }
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = article_bodies)]
struct NewBody<'a> {
    article_id: i64,
    format: BodyFormat,
    renderer: i32,
    content: &'a str,
}

/// Every stored form, as the server writes them.
fn bodies(article: &Ready) -> [NewBody<'_>; 5] {
    let form = |format, content| NewBody {
        article_id: article.id,
        format,
        renderer: render::VERSION,
        content,
    };
    [
        form(BodyFormat::Source, &article.source),
        form(BodyFormat::Html, &article.rendered.html),
        form(BodyFormat::Markdown, &article.rendered.markdown),
        form(BodyFormat::Text, &article.rendered.text),
        form(BodyFormat::Blocks, &article.rendered.blocks),
    ]
}

/// Lets PostgreSQL go on with ids after the given ones. SQLite does so by itself.
pub fn settle_ids(tx: &mut Tx<'_>) -> QueryResult<()> {
    if let DbConn::Postgres(conn) = tx.conn {
        for table in ["articles", "categories", "tags", "authors"] {
            conn.batch_execute(&format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 1) FROM {table}))"
            ))?;
        }
    }
    Ok(())
}

/// An article as search reads it.
pub struct Searched {
    /// Its id.
    pub id: i64,
    /// Its title.
    pub title: String,
    /// Its summary.
    pub summary: String,
    /// The names of its tags.
    pub tags: Vec<String>,
    /// The text of its body.
    pub text: String,
    /// Whether readers see it.
    pub public: bool,
}

/// The next articles by their ids.
pub fn read_after(conn: &mut DbConn, after: i64, most: i64) -> QueryResult<Vec<Searched>> {
    let rows: Vec<(i64, String, Option<String>, String, State, Timestamp)> = articles::table
        .filter(articles::id.gt(after))
        .order(articles::id)
        .limit(most)
        .select((
            articles::id,
            articles::title,
            articles::summary,
            articles::derived_summary,
            articles::state,
            articles::listed_at,
        ))
        .load(conn)?;
    let ids: Vec<i64> = rows.iter().map(|row| row.0).collect();
    let mut texts = load_bodies(conn, &ids, BodyFormat::Text)?;
    let mut tags = load_tags_of(conn, &ids)?;
    let now = Timestamp::now();
    let searched = rows
        .into_iter()
        .map(|(id, title, summary, derived, state, at)| Searched {
            id,
            title,
            summary: summary.unwrap_or(derived),
            tags: tags
                .remove(&id)
                .unwrap_or_default()
                .into_iter()
                .map(|tag| tag.name)
                .collect(),
            text: texts.remove(&id).unwrap_or_default(),
            public: state == State::Published && at <= now,
        });
    Ok(searched.collect())
}
