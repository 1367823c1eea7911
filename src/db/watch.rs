//! Watching for what other processes change: by NOTIFY on PostgreSQL, by a look at the file on SQLite.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::DbConn;
use super::changes::{CHANNEL, Changes};
use super::pool::{self, Pool};
use super::schema::content_changes;
use crate::config::Database;

/// How long what was known is taken for the truth after the last sign of life.
const TRUST: Duration = Duration::from_secs(1);

/// How often the SQLite file is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// How often notifications are looked for: diesel cannot wait for them.
const LISTEN: Duration = Duration::from_millis(10);

/// How often the listening connection has to prove that it lives.
const HEARTBEAT: Duration = Duration::from_millis(250);

/// Between two attempts to connect again.
const RETRY: Duration = Duration::from_millis(200);

/// Within which PostgreSQL refuses a connection, if it can be reached.
const ANSWERED: Duration = Duration::from_secs(1);

/// A thread that watches, until it is dropped.
pub struct Watch {
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Begins to watch.
    pub(super) fn start(database: Database, pool: Pool, changes: Arc<Changes>) -> Result<Self, String> {
        let stopped = Arc::new(AtomicBool::new(false));
        let watcher = Watcher {
            database,
            pool,
            changes,
            stopped: Arc::clone(&stopped),
        };
        let thread = std::thread::Builder::new()
            .name("watch".into())
            .spawn(move || watcher.run())
            .map_err(|error| format!("cannot watch the database: {error}"))?;
        Ok(Self {
            stopped,
            thread: Some(thread),
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("watching the database ended by a panic");
        }
    }
}

struct Watcher {
    database: Database,
    /// Where a connection comes from when PostgreSQL has no other to give.
    pool: Pool,
    changes: Arc<Changes>,
    stopped: Arc<AtomicBool>,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = BigInt)]
    data_version: i64,
}

impl Watcher {
    fn run(&self) {
        while self.goes_on() {
            let outcome = match &self.database {
                Database::Sqlite(path) => pool::open_sqlite(path, true).and_then(|conn| self.look(conn)),
                Database::Postgres(url) => self.listen_somehow(url),
            };
            self.changes.distrust();
            if let Err(error) = outcome
                && self.goes_on()
            {
                log::warn!("changes of others are not seen, and nothing is answered from the cache: {error}");
                std::thread::sleep(RETRY);
            }
        }
    }

    fn goes_on(&self) -> bool {
        !self.stopped.load(Ordering::Relaxed)
    }

    /// SQLite: its own counter says for little that somebody wrote; whether that was content, and not by this process,
    /// the generation says.
    fn look(&self, mut conn: DbConn) -> Result<(), String> {
        let mut last = None;
        while self.goes_on() {
            let asked = Instant::now();
            let Version { data_version } = diesel::sql_query("PRAGMA data_version")
                .get_result(&mut conn)
                .map_err(|error| error.to_string())?;
            if last != Some(data_version) {
                self.changes
                    .compare(|| {
                        let generation = content_changes::table.find(1).select(content_changes::generation);
                        generation.get_result(&mut conn)
                    })
                    .map_err(|error: diesel::result::Error| error.to_string())?;
                last = Some(data_version);
            }
            self.changes.trust(asked, TRUST);
            std::thread::sleep(LOOK);
        }
        Ok(())
    }

    /// On a connection of its own, or of the pool if PostgreSQL gives no more: the pool may hold all that this server can have,
    /// and would answer everything from the database.
    fn listen_somehow(&self, url: &str) -> Result<(), String> {
        let asked = Instant::now();
        let refused = match pool::open_listener(url) {
            Ok(mut conn) => return self.listen(&mut conn),
            Err(error) => error.to_string(),
        };
        // Nobody has refused anything: a connection of the pool would be as dead, and take longer to find that out.
        if asked.elapsed() >= ANSWERED {
            return Err(refused);
        }
        let listened = self.pool.give_up_one(RETRY, |conn| {
            log::info!("the pool gives up a connection to listen on: {refused}");
            self.listen(conn)
        });
        listened.unwrap_or(Err(refused))
    }

    /// PostgreSQL: what was notified before it began to listen is missed, so that everything may have changed.
    fn listen(&self, conn: &mut DbConn) -> Result<(), String> {
        let DbConn::Postgres(conn) = conn else {
            return Err("this is not PostgreSQL".to_owned());
        };
        let shown = |error: diesel::result::Error| error.to_string();
        conn.batch_execute(&format!(
            "SET statement_timeout = '2s'; SET application_name = 'broadsheet_changes'; LISTEN {CHANNEL}"
        ))
        .map_err(shown)?;
        self.changes.mark_all();
        let mut beat: Option<Instant> = None;
        while self.goes_on() {
            if beat.is_none_or(|beat| beat.elapsed() >= HEARTBEAT) {
                let asked = Instant::now();
                // Whatever was notified before this was asked has arrived when it is answered.
                conn.batch_execute("SELECT 1").map_err(shown)?;
                self.hear(conn)?;
                self.changes.trust(asked, TRUST);
                beat = Some(asked);
            }
            std::thread::sleep(LISTEN);
            self.hear(conn)?;
        }
        Ok(())
    }

    fn hear(&self, conn: &mut PgConnection) -> Result<(), String> {
        for notification in conn.notifications_iter() {
            let notification = notification.map_err(|error| error.to_string())?;
            self.changes.heard(&notification.payload);
        }
        Ok(())
    }
}
