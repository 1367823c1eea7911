//! Queries of articles.

use std::collections::HashMap;

use diesel::backend::Backend;
use diesel::prelude::*;
use diesel::query_builder::{AsChangeset, AstPass, QueryFragment, QueryId};
use diesel::result::Error as DieselError;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType};

use super::filter::ArticleQuery;
use super::model::{ArticleRow, ArticleValues};
use super::query::Sort;
use crate::db::cursor::Cursor;
use crate::db::schema::{article_authors, article_views, articles, content_changes, former_slugs, image_uses};
use crate::db::violation::breaks_unique;
use crate::db::{DbConn, Sight, Timestamp, Tx, among, level, visible_of_few, visible_to};
use crate::error::{Code, Error, Result};
use crate::taxonomy::listed::unlist_article;
use crate::{on_backend, on_ids, on_sight};

/// One article, if `sight` sees it.
pub fn find_article(conn: &mut DbConn, id: i64, sight: Sight, now: Timestamp) -> QueryResult<Option<ArticleRow>> {
    let named = articles::table.filter(articles::id.eq(id));
    on_sight!(sight, now, |seen| {
        let named = named.filter(seen);
        on_backend!(conn, |c| named.select(ArticleRow::as_select()).first(c))
    })
    .optional()
}

/// The same, held against other writers until the commit; what refers to it may be written meanwhile, as by
/// [`Tx::lock_row_to_edit`].
pub fn find_to_edit(tx: &mut Tx<'_>, id: i64, sight: Sight) -> QueryResult<Option<ArticleRow>> {
    let named = articles::table.filter(articles::id.eq(id));
    let found: Vec<ArticleRow> = on_sight!(sight, tx.now, |seen| {
        let named = named.filter(seen);
        match tx.conn {
            DbConn::Postgres(conn) => named.select(ArticleRow::as_select()).for_no_key_update().load(conn)?,
            DbConn::Sqlite(conn) => named.select(ArticleRow::as_select()).load(conn)?,
        }
    });
    Ok(found.into_iter().next())
}

/// The present slug of the article that once had that one, if `sight` sees it.
pub fn find_by_former_slug(conn: &mut DbConn, slug: &str, sight: Sight, now: Timestamp) -> QueryResult<Option<String>> {
    let had = former_slugs::table
        .filter(former_slugs::slug.eq(slug))
        .select(former_slugs::article_id);
    articles::table
        .filter(articles::id.eq_any(had))
        .filter(visible_to(sight, now))
        .select(articles::slug)
        .first(conn)
        .optional()
}

/// The article of that id in another system.
pub fn find_by_external_id(conn: &mut DbConn, external_id: &str) -> QueryResult<Option<ArticleRow>> {
    articles::table
        .filter(articles::external_id.eq(external_id))
        .select(ArticleRow::as_select())
        .first(conn)
        .optional()
}

/// The rows of a list from `after` or `offset` on, at most `limit`.
pub fn list_articles(
    conn: &mut DbConn,
    query: ArticleQuery<'_>,
    sort: Sort,
    after: Option<(Timestamp, i64)>,
    offset: i64,
    limit: i64,
) -> QueryResult<Vec<ArticleRow>> {
    // The bound by `<=` or `>=` alone lets the database begin at the right place of the index.
    macro_rules! sorted {
        ($column:expr) => {{
            let query = match (after, sort.ascending) {
                (Some((at, id)), true) => query
                    .filter($column.ge(at))
                    .filter($column.gt(at).or($column.eq(at).and(articles::id.gt(id)))),
                (Some((at, id)), false) => query
                    .filter($column.le(at))
                    .filter($column.lt(at).or($column.eq(at).and(articles::id.lt(id)))),
                (None, _) => query,
            };
            if sort.ascending {
                query.order(($column.asc(), articles::id.asc()))
            } else {
                query.order(($column.desc(), articles::id.desc()))
            }
        }};
    }
    let query = if sort.by_update {
        sorted!(articles::updated_at)
    } else {
        sorted!(articles::listed_at)
    };
    query
        .offset(offset)
        .limit(limit)
        .select(ArticleRow::as_select())
        .load(conn)
}

/// The place that a cursor made by [`cursor_of`] names; 400 if it names none.
pub fn place(cursor: Cursor) -> Result<(Timestamp, i64)> {
    let wrong = || Error::at_parameter(Code::InvalidCursor, "cursor", "not a cursor of this list");
    let [at, id] = <[i64; 2]>::try_from(cursor.numbers).map_err(|_numbers| wrong())?;
    Ok((Timestamp::from_micros(at).ok_or_else(wrong)?, id))
}

/// The place after a row.
pub fn cursor_of(row: &ArticleRow, sort: Sort) -> Cursor {
    let at = if sort.by_update {
        row.values.updated_at
    } else {
        row.values.listed_at
    };
    Cursor {
        numbers: vec![at.micros(), row.id],
        text: String::new(),
    }
}

/// All articles of a query.
pub fn count_articles(conn: &mut DbConn, query: ArticleQuery<'_>) -> QueryResult<i64> {
    query.count().get_result(conn)
}

/// Articles by id, in no order.
pub fn load_articles(conn: &mut DbConn, ids: &[i64]) -> QueryResult<Vec<ArticleRow>> {
    articles::table
        .filter(among(articles::id, ids))
        .select(ArticleRow::as_select())
        .load(conn)
}

/// Articles by id, as far as `sight` sees them, in no order.
pub fn load_seen(conn: &mut DbConn, ids: &[i64], sight: Sight, now: Timestamp) -> QueryResult<Vec<ArticleRow>> {
    articles::table
        .filter(among(articles::id, ids))
        .filter(visible_of_few(sight, now))
        .select(ArticleRow::as_select())
        .load(conn)
}

/// The ids of all articles after that one, by id, at most so many.
pub fn article_ids_after(conn: &mut DbConn, after: i64, most: i64) -> QueryResult<Vec<i64>> {
    articles::table
        .filter(articles::id.gt(after))
        .order(articles::id)
        .limit(most)
        .select(articles::id)
        .load(conn)
}

/// View counts by article.
pub fn load_view_counts(conn: &mut DbConn, ids: &[i64]) -> QueryResult<HashMap<i64, i64>> {
    let counts = article_views::table.select((article_views::article_id, article_views::views));
    let rows: Vec<(i64, i64)> = on_ids!(conn, article_views::article_id, ids, |c, named| {
        counts.filter(named).load(c)
    })?;
    Ok(rows.into_iter().collect())
}

/// The by-lines of articles, by their ids.
pub fn load_author_ids(conn: &mut DbConn, ids: &[i64]) -> QueryResult<HashMap<i64, Vec<i64>>> {
    let rows: Vec<(i64, i64)> = article_authors::table
        .filter(among(article_authors::article_id, ids))
        .select((article_authors::article_id, article_authors::author_id))
        .load(conn)?;
    let mut by_article: HashMap<i64, Vec<i64>> = HashMap::new();
    for (article, author) in rows {
        by_article.entry(article).or_default().push(author);
    }
    Ok(by_article)
}

/// Makes an article; its id is the answer.
pub fn insert_article(tx: &mut Tx<'_>, values: &ArticleValues, views: i64) -> Result<i64> {
    let id = diesel::insert_into(articles::table)
        .values(values)
        .returning(articles::id)
        .get_result(tx.conn)
        .map_err(taken)?;
    diesel::insert_into(article_views::table)
        .values((
            article_views::article_id.eq(id),
            article_views::views.eq(views),
            article_views::level.eq(level(views)),
        ))
        .execute(tx.conn)?;
    Ok(id)
}

/// What a unique index refuses, as the client's problem.
fn taken(error: DieselError) -> Error {
    if breaks_unique(&error, "articles", "external_id") {
        Error::at_field(Code::ExternalIdTaken, "/external_id", "belongs to another article")
    } else if breaks_unique(&error, "articles", "slug") {
        Error::at_field(
            Code::SlugTaken,
            "/slug",
            "belongs, or once belonged, to another article",
        )
    } else {
        error.into()
    }
}

/// Writes an article anew.
pub fn update_article(tx: &mut Tx<'_>, id: i64, values: &ArticleValues) -> Result<()> {
    let update = Update {
        changes: values.as_changeset(),
        id,
    };
    on_backend!(tx.conn, |c| update.execute(c)).map_err(taken)?;
    Ok(())
}

/// Writes an article anew. diesel's own update is prepared each time that it runs, since a change may leave columns out; this
/// one names all of them.
struct Update<C> {
    changes: C,
    id: i64,
}

impl<DB, C> QueryFragment<DB> for Update<C>
where
    DB: Backend + HasSqlType<BigInt>,
    C: QueryFragment<DB>,
    i64: ToSql<BigInt, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql("UPDATE articles SET ");
        self.changes.walk_ast(out.reborrow())?;
        out.push_sql(" WHERE id = ");
        out.push_bind_param::<BigInt, _>(&self.id)
    }
}

impl<C> QueryId for Update<C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Conn: Connection, C> RunQueryDsl<Conn> for Update<C> {}

/// Takes back that everybody sees an article; else its views would count on (see the migrations `public_views` and
/// `noted_views`).
pub fn hide_from_views(tx: &mut Tx<'_>, id: i64) -> QueryResult<()> {
    let mark = article_views::table.find(id).select(article_views::public);
    let marked: Option<bool> = match tx.conn {
        // A view that marks it at this moment is waited for.
        DbConn::Postgres(conn) => mark.for_no_key_update().first(conn).optional()?,
        DbConn::Sqlite(conn) => mark.first(conn).optional()?,
    };
    if marked == Some(true) {
        diesel::update(article_views::table.find(id))
            .set(article_views::public.eq(false))
            .execute(tx.conn)?;
        note_hidden(tx)?;
    }
    Ok(())
}

/// An article is hidden, or gone.
fn note_hidden(tx: &mut Tx<'_>) -> QueryResult<()> {
    diesel::update(content_changes::table.find(1))
        .set(content_changes::hidden.eq(content_changes::hidden + 1))
        .execute(tx.conn)?;
    Ok(())
}

/// Lets the count of views begin at no less than that; what was counted here stays.
pub fn raise_view_count(tx: &mut Tx<'_>, id: i64, views: i64) -> QueryResult<()> {
    diesel::update(
        article_views::table
            .filter(article_views::article_id.eq(id))
            .filter(article_views::views.lt(views)),
    )
    .set((article_views::views.eq(views), article_views::level.eq(level(views))))
    .execute(tx.conn)?;
    Ok(())
}

/// Removes an article with all that is its own.
pub fn delete_article(tx: &mut Tx<'_>, id: i64) -> QueryResult<()> {
    diesel::delete(articles::table.find(id)).execute(tx.conn)?;
    unlist_article(tx, id)?;
    note_hidden(tx)?;
    Ok(())
}

/// Whether an article other than `except` has that slug, or had it.
pub fn slug_is_taken(conn: &mut DbConn, slug: &str, except: Option<i64>) -> QueryResult<bool> {
    let except = except.unwrap_or(0);
    let now = diesel::select(diesel::dsl::exists(
        articles::table
            .filter(articles::slug.eq(slug))
            .filter(articles::id.ne(except)),
    ))
    .get_result::<bool>(conn)?;
    Ok(now
        || diesel::select(diesel::dsl::exists(
            former_slugs::table
                .filter(former_slugs::slug.eq(slug))
                .filter(former_slugs::article_id.ne(except)),
        ))
        .get_result::<bool>(conn)?)
}

/// The slugs that an article once had.
pub fn load_former_slugs(conn: &mut DbConn, id: i64) -> QueryResult<Vec<String>> {
    former_slugs::table
        .filter(former_slugs::article_id.eq(id))
        .order(former_slugs::slug)
        .select(former_slugs::slug)
        .load(conn)
}

/// Adds a slug that an article once had.
pub fn insert_former_slug(tx: &mut Tx<'_>, id: i64, slug: &str) -> QueryResult<()> {
    diesel::insert_into(former_slugs::table)
        .values((former_slugs::slug.eq(slug), former_slugs::article_id.eq(id)))
        .execute(tx.conn)?;
    Ok(())
}

/// Takes a slug back from an article's former ones.
pub fn delete_former_slug(tx: &mut Tx<'_>, id: i64, slug: &str) -> QueryResult<()> {
    diesel::delete(
        former_slugs::table
            .filter(former_slugs::article_id.eq(id))
            .filter(former_slugs::slug.eq(slug)),
    )
    .execute(tx.conn)?;
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = crate::db::schema::article_tags)]
struct NewTag {
    article_id: i64,
    tag_id: i64,
    position: i32,
}

#[derive(Insertable)]
#[diesel(table_name = article_authors)]
struct NewAuthor {
    article_id: i64,
    author_id: i64,
    position: i32,
}

#[derive(Insertable)]
#[diesel(table_name = image_uses)]
struct NewUse {
    article_id: i64,
    image_id: i64,
}

fn positions() -> impl Iterator<Item = i32> {
    0..i32::MAX
}

/// Sets the tags of an article, in order.
pub fn set_tags(tx: &mut Tx<'_>, article_id: i64, tags: &[i64]) -> QueryResult<()> {
    use crate::db::schema::article_tags;
    diesel::delete(article_tags::table.filter(article_tags::article_id.eq(article_id))).execute(tx.conn)?;
    let rows: Vec<_> = tags
        .iter()
        .zip(positions())
        .map(|(tag, position)| NewTag {
            article_id,
            tag_id: *tag,
            position,
        })
        .collect();
    on_backend!(tx.conn, |c| diesel::insert_into(article_tags::table)
        .values(&rows)
        .execute(c))?;
    Ok(())
}

/// Sets the by-lines of an article, in order.
pub fn set_authors(tx: &mut Tx<'_>, article_id: i64, authors: &[i64]) -> QueryResult<()> {
    diesel::delete(article_authors::table.filter(article_authors::article_id.eq(article_id))).execute(tx.conn)?;
    let rows: Vec<_> = authors
        .iter()
        .zip(positions())
        .map(|(author, position)| NewAuthor {
            article_id,
            author_id: *author,
            position,
        })
        .collect();
    on_backend!(tx.conn, |c| diesel::insert_into(article_authors::table)
        .values(&rows)
        .execute(c))?;
    Ok(())
}

/// Sets which pictures an article shows.
pub fn set_image_uses(tx: &mut Tx<'_>, article_id: i64, images: impl IntoIterator<Item = i64>) -> QueryResult<()> {
    diesel::delete(image_uses::table.filter(image_uses::article_id.eq(article_id))).execute(tx.conn)?;
    let rows: Vec<_> = images
        .into_iter()
        .map(|image_id| NewUse { article_id, image_id })
        .collect();
    on_backend!(tx.conn, |c| diesel::insert_into(image_uses::table)
        .values(&rows)
        .execute(c))?;
    Ok(())
}
