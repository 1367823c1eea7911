//! Counting as it is mostly written: a pool of connections, and a transaction for each request on a thread that may wait.

use std::time::Duration;

use broadsheet::config::Database;
use broadsheet::db::Timestamp;
use broadsheet::db::schema::{article_views, articles};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};

use crate::in_words;

/// Connections to PostgreSQL. SQLite has one: more would only wait for each other.
const CONNECTIONS: u32 = 8;

/// Counts a view a transaction. Cheap to clone.
#[derive(Clone)]
pub enum OneByOne {
    Sqlite(Pool<ConnectionManager<SqliteConnection>>),
    Postgres(Pool<ConnectionManager<PgConnection>>),
}

/// The settings that the server has.
#[derive(Debug)]
struct Durable;

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for Durable {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        conn.batch_execute(
            "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
             PRAGMA cache_size = -1000; PRAGMA temp_store = MEMORY",
        )
        .map_err(diesel::r2d2::Error::QueryError)
    }
}

impl CustomizeConnection<PgConnection, diesel::r2d2::Error> for Durable {
    fn on_acquire(&self, conn: &mut PgConnection) -> Result<(), diesel::r2d2::Error> {
        conn.batch_execute("SET jit = off")
            .map_err(diesel::r2d2::Error::QueryError)
    }
}

/// What is written of one view: whether everybody sees the article, the counts beside it, and those of the hour.
macro_rules! count {
    ($conn:expr, $id:expr) => {{
        let (now, id): (Timestamp, i64) = (Timestamp::now(), $id);
        let seen = articles::table
            .find(id)
            .filter(articles::state.eq("published").and(articles::listed_at.le(now)))
            .select(articles::id)
            .first::<i64>($conn)
            .optional()?;
        if seen.is_none() {
            return Ok(None);
        }
        let second = now.utc().timestamp();
        let hour = second - second.rem_euclid(3_600);
        let in_hour = article_views::table.find(id).filter(article_views::hour.eq(hour));
        let count = diesel::update(in_hour)
            .set((
                article_views::views.eq(article_views::views + 1),
                article_views::views_24h.eq(article_views::views_24h + 1),
                article_views::views_7d.eq(article_views::views_7d + 1),
                article_views::views_30d.eq(article_views::views_30d + 1),
                article_views::hour_views.eq(article_views::hour_views + 1),
            ))
            .returning(article_views::views);
        let mut views: Option<i64> = count.clone().get_result($conn).optional()?;
        if views.is_none() {
            // The first one of an hour: the hour before gets a row of its own.
            for step in [
                format!("UPDATE article_views SET hour_views = hour_views WHERE article_id = {id}"),
                format!(
                    "INSERT INTO views_by_hour (article_id, hour, views) SELECT article_id, hour, hour_views \
                     FROM article_views WHERE article_id = {id} AND hour <> {hour} AND hour_views > 0 \
                     ON CONFLICT (article_id, hour) DO UPDATE SET views = views_by_hour.views + excluded.views"
                ),
                format!(
                    "UPDATE article_views SET hour = {hour}, hour_views = 0 WHERE article_id = {id} AND hour <> {hour}"
                ),
            ] {
                diesel::sql_query(step).execute($conn)?;
            }
            views = count.get_result($conn).optional()?;
        }
        Ok(views)
    }};
}

impl OneByOne {
    /// Opens the pool.
    pub fn open(database: &Database) -> Result<Self, String> {
        Ok(match database {
            Database::Sqlite(path) => Self::Sqlite(
                Pool::builder()
                    .max_size(1)
                    .test_on_check_out(false)
                    .connection_timeout(Duration::from_secs(10))
                    .connection_customizer(Box::new(Durable))
                    .build(ConnectionManager::new(path.display().to_string()))
                    .map_err(in_words)?,
            ),
            Database::Postgres(url) => Self::Postgres(
                Pool::builder()
                    .max_size(CONNECTIONS)
                    .test_on_check_out(false)
                    .connection_customizer(Box::new(Durable))
                    .connection_timeout(Duration::from_secs(10))
                    .build(ConnectionManager::new(url))
                    .map_err(in_words)?,
            ),
        })
    }

    /// Counts a view; how often the article has been read, nothing if nobody sees it.
    pub fn count(&self, id: i64) -> Result<QueryResult<Option<i64>>, diesel::r2d2::PoolError> {
        Ok(match self {
            Self::Sqlite(pool) => pool.get()?.immediate_transaction(|conn| count!(conn, id)),
            Self::Postgres(pool) => pool.get()?.transaction(|conn| count!(conn, id)),
        })
    }
}
