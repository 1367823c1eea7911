//! Counting as it is mostly written: a pool of connections, and a transaction for each request on a thread that may wait.

use std::time::Duration;

use broadsheet::config::Database;
use broadsheet::db::Timestamp;
use broadsheet::db::schema::{article_views, articles, views_by_hour};
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
        let views: i64 = diesel::update(article_views::table.find(id))
            .set((
                article_views::views.eq(article_views::views + 1),
                article_views::views_24h.eq(article_views::views_24h + 1),
                article_views::views_7d.eq(article_views::views_7d + 1),
                article_views::views_30d.eq(article_views::views_30d + 1),
            ))
            .returning(article_views::views)
            .get_result($conn)?;
        let second = now.utc().timestamp();
        diesel::insert_into(views_by_hour::table)
            .values((
                views_by_hour::article_id.eq(id),
                views_by_hour::hour.eq(second - second.rem_euclid(3_600)),
                views_by_hour::views.eq(1),
            ))
            .on_conflict((views_by_hour::article_id, views_by_hour::hour))
            .do_update()
            .set(views_by_hour::views.eq(views_by_hour::views + 1))
            .execute($conn)?;
        Ok(Some(views))
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
