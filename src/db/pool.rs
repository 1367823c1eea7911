//! Connections: how each database is opened, the pool of readers (on PostgreSQL of editors too), and that of views.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::r2d2::R2D2Connection;

use super::{DbConn, count, lexemes};
use crate::config::Database;
use crate::error::{Error, Result};

/// Opens connections of one kind; diesel's own manager would try one database after the other.
struct Manager {
    database: Database,
    is_counting: bool,
    /// How many were lost. One loss puts all others in doubt, since a server that restarts ends them all.
    losses: AtomicU64,
}

impl Manager {
    fn new(database: &Database, is_counting: bool) -> Self {
        Self {
            database: database.clone(),
            is_counting,
            losses: AtomicU64::new(0),
        }
    }
}

/// The settings of PostgreSQL for the lane of views. Its statements take arrays of any length, for which they would be planned
/// anew each time, which takes longer than running them; and a table that is small yet would be read whole for a few rows.
const COUNTING: &str = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
                        SET enable_hashjoin = off; SET enable_mergejoin = off";

/// How long a connection that worked is taken to work still.
const FRESH: Duration = Duration::from_secs(1);

/// A connection, and what is known of it.
struct Kept {
    conn: DbConn,
    /// When it last worked; nothing after a failure.
    worked: Option<Instant>,
    /// How many losses there were when it was last tried.
    losses: u64,
    /// It is closed when it comes back.
    is_taken: bool,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Kept;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Kept, Self::Error> {
        let losses = self.losses.load(Ordering::Acquire);
        let opened = match &self.database {
            Database::Sqlite(path) => open_sqlite_raw(path, true),
            Database::Postgres(url) => open_postgres(url),
        };
        let mut conn = opened.map_err(diesel::r2d2::Error::ConnectionError)?;
        if self.is_counting {
            conn.batch_execute(COUNTING).map_err(diesel::r2d2::Error::QueryError)?;
        }
        count::install(&mut conn);
        Ok(Kept {
            conn,
            worked: Some(Instant::now()),
            losses,
            is_taken: false,
        })
    }

    fn is_valid(&self, kept: &mut Kept) -> Result<(), Self::Error> {
        let losses = self.losses.load(Ordering::Acquire);
        match &mut kept.conn {
            // A file does not go away as a server does; a ping would cost each read a statement more.
            DbConn::Sqlite(_) => Ok(()),
            // Under load neither.
            DbConn::Postgres(_) if kept.losses == losses && kept.worked.is_some_and(|at| at.elapsed() < FRESH) => {
                Ok(())
            }
            DbConn::Postgres(conn) => {
                conn.ping().map_err(|error| {
                    self.losses.fetch_add(1, Ordering::AcqRel);
                    diesel::r2d2::Error::QueryError(error)
                })?;
                kept.worked = Some(Instant::now());
                kept.losses = losses;
                Ok(())
            }
        }
    }

    fn has_broken(&self, kept: &mut Kept) -> bool {
        kept.worked = kept.worked.map(|_| Instant::now());
        let is_broken = kept.conn.is_broken();
        if is_broken {
            self.losses.fetch_add(1, Ordering::AcqRel);
        }
        is_broken || kept.is_taken
    }
}

/// How long anybody waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// A pool of connections. Cheap to clone.
#[derive(Clone)]
pub(super) struct Pool {
    connections: r2d2::Pool<Manager>,
    readers: u32,
}

impl Pool {
    /// Readers of SQLite, which cannot write; on PostgreSQL connections for everything but views, which a server opens before
    /// anybody asks: who is lent a new one waits until it knows the tables and has planned.
    pub(super) fn readers(database: &Database, serves: bool) -> Self {
        let (size, readers, idle) = match database {
            // More would wait for the same cores, each with a page cache of its own.
            Database::Sqlite(_) => {
                let cores = std::thread::available_parallelism().map_or(4, usize::from);
                let readers = u32::try_from(cores).map_or(8, |cores| cores.clamp(4, 8));
                (readers, readers, 1)
            }
            // The rest is for who writes.
            Database::Postgres(_) => (16, 12, if serves { 16 } else { 1 }),
        };
        Self::open(Manager::new(database, false), size, readers, idle)
    }

    /// The connections to PostgreSQL of the lane of views: one counts, one adds up, one is for what else is done there.
    pub(super) fn counting(database: &Database) -> Self {
        Self::open(Manager::new(database, true), 3, 0, 1)
    }

    /// Opens connections without waiting for them: PostgreSQL may have fewer to give, and that there are some has been seen where
    /// the schema was brought up to date.
    fn open(manager: Manager, size: u32, readers: u32, idle: u32) -> Self {
        let connections = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(idle))
            .connection_timeout(PATIENCE)
            // What was opened stays: one that is new knows no table yet and has planned nothing, and is lent first.
            .max_lifetime(None)
            .idle_timeout(None)
            .error_handler(Box::new(r2d2::LoggingErrorHandler))
            .build_unchecked(manager);
        Self { connections, readers }
    }

    /// How many read at the same time.
    pub(super) fn readers_at_once(&self) -> u32 {
        self.readers
    }

    /// Runs `work` on a connection; 503 if none is free in time.
    pub(super) fn lend<T>(&self, work: impl FnOnce(&mut DbConn) -> Result<T>) -> Result<T> {
        let mut kept = self.connections.get().map_err(Error::unavailable)?;
        let outcome = work(&mut kept.conn);
        if outcome.as_ref().is_err_and(|error| error.cause.is_some()) {
            // diesel takes a connection that was lost before a statement was prepared on it for a good one, so that it has to
            // prove itself before it is lent again.
            kept.worked = None;
        }
        outcome
    }

    /// Runs `work`, which lasts, on a connection that is closed afterwards. Nothing if the others would be none, or if none is
    /// free in time.
    pub(super) fn give_up_one<T>(&self, patience: Duration, work: impl FnOnce(&mut DbConn) -> T) -> Option<T> {
        if self.connections.state().connections < 2 {
            return None;
        }
        let mut kept = self.connections.get_timeout(patience).ok()?;
        kept.is_taken = true;
        Some(work(&mut kept.conn))
    }
}

/// Opens the SQLite file, as a reader that cannot write or as the writer.
pub(super) fn open_sqlite(path: &Path, reader: bool) -> Result<DbConn, String> {
    open_sqlite_raw(path, reader).map_err(|error| format!("cannot open {}: {error}", path.display()))
}

fn open_sqlite_raw(path: &Path, reader: bool) -> ConnectionResult<DbConn> {
    let name = path
        .to_str()
        .ok_or_else(|| ConnectionError::BadConnection("the path is not UTF-8".into()))?;
    let mut conn = SqliteConnection::establish(name)?;
    // The time to wait comes first, since the other settings may meet a lock themselves.
    // Small page caches and no memory map: the system keeps the file in memory once for all connections, and gives it
    // back where others need it.
    conn.batch_execute(
        "PRAGMA busy_timeout = 10000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
         PRAGMA cache_size = -1000; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY;",
    )
    .map_err(ConnectionError::CouldntSetupConfiguration)?;
    lexemes::teach(&mut conn).map_err(ConnectionError::CouldntSetupConfiguration)?;
    if reader {
        conn.batch_execute("PRAGMA query_only = ON")
            .map_err(ConnectionError::CouldntSetupConfiguration)?;
    }
    Ok(DbConn::Sqlite(conn))
}

/// Connects to PostgreSQL: times in UTC, and no statement or forgotten transaction that holds others for ever. A page that is
/// read by its address is taken to cost little more than the next one, as it does in memory and on solid disks: at four times
/// as much, the default, small tables are read whole for the few rows that an index leads to. Who has set it otherwise keeps it.
pub(super) fn open_postgres(url: &str) -> ConnectionResult<DbConn> {
    let mut conn = PgConnection::establish(url)?;
    conn.batch_execute(
        "SET timezone = 'UTC'; SET statement_timeout = '30s'; SET idle_in_transaction_session_timeout = '60s'; SET jit = off; \
         SELECT set_config('random_page_cost', '1.1', false) WHERE current_setting('random_page_cost') = '4'",
    )
    .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(DbConn::Postgres(conn))
}

/// Connects to PostgreSQL to listen. An address that no longer answers is given up within seconds, unless the settings
/// say otherwise: nothing is answered from the cache meanwhile.
pub(super) fn open_listener(url: &str) -> ConnectionResult<DbConn> {
    let mut url = url.to_owned();
    for (name, value) in [("connect_timeout", "2"), ("tcp_user_timeout", "2000")] {
        if !url.contains(name) {
            match (url.contains('?'), url.ends_with(['?', '&'])) {
                (false, _) => url.push('?'),
                (true, false) => url.push('&'),
                (true, true) => {}
            }
            url.push_str(&format!("{name}={value}"));
        }
    }
    PgConnection::establish(&url).map(DbConn::Postgres)
}
