//! The databases: one connection type for SQLite and PostgreSQL, readers, the one writer, migrations, column types.
//!
//! [`Db::read`] runs a closure on a snapshot, on one of a few threads of readers, [`Db::look`] without one, and
//! [`Db::read_at_once`] without one if that does; [`Db::write`] runs one in a transaction; queries run nowhere else. On SQLite
//! every write goes through one thread that owns the only writing connection: competing writers starve each other there. On
//! PostgreSQL the same interface stands over two pools, one of them for views.

mod alone;
mod among;
pub mod board;
pub mod changes;
mod conn;
mod count;
pub mod cursor;
pub mod fixed;
pub mod gathered;
mod kept;
mod level;
mod lexemes;
mod locks;
pub mod migrate;
mod pool;
mod readers;
pub mod schema;
pub mod types;
pub mod violation;
mod visible;
mod watch;
mod writer;

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::prelude::*;
use diesel::result::Error as DieselError;

use crate::config::{Config, Database};
use crate::error::Result;

pub use self::alone::{Alone, alone};
pub use self::among::among;
pub use self::board::Subject;
pub use self::changes::Changes;
use self::changes::Touched;
pub use self::conn::{DbConn, MultiBackend};
use self::count::Counted;
pub use self::count::rendering;
pub use self::kept::{Numbers, Seldom, numbers};
pub use self::level::level;
use self::pool::Pool;
use self::readers::Readers;
pub use self::types::{LongText, Timestamp};
pub use self::visible::{
    Sight, Visible, is_public, is_public_hit, is_public_of_few, is_public_or_of, is_public_within, next_due,
    visible_of_few, visible_to,
};
pub use self::watch::Watch;
pub use self::writer::Lane;
use self::writer::Writer;

/// Runs one expression on whichever database is open: for upserts and inserts of many rows, which diesel's
/// `MultiConnection` does not know, and for what nearly every answer reads. `MultiConnection` writes the text of a statement
/// three times for each time that it runs, which takes longer than to find a row; on the connection itself the type of the
/// statement leads to what is prepared.
#[macro_export]
macro_rules! on_backend {
    ($conn:expr, |$c:ident| $body:expr) => {
        match $conn {
            $crate::db::DbConn::Postgres($c) => $body,
            $crate::db::DbConn::Sqlite($c) => $body,
        }
    };
}

/// Runs one expression on whichever database is open, with a condition that a column is one of some ids. One id, as where one
/// article is read, is compared as it is: no list has to be taken apart.
#[macro_export]
macro_rules! on_ids {
    ($conn:expr, $column:expr, $ids:expr, |$c:ident, $named:ident| $body:expr) => {
        match $ids {
            [id] => {
                let $named = diesel::ExpressionMethods::eq($column, *id);
                $crate::on_backend!($conn, |$c| $body)
            }
            ids => {
                let $named = $crate::db::among($column, ids);
                $crate::on_backend!($conn, |$c| $body)
            }
        }
    };
}

/// The columns of `T`, for `returning`, where `as_returning` does not compile for two databases.
pub fn columns<T: Selectable<MultiBackend>>() -> T::SelectExpression {
    T::construct_selection()
}

/// A snapshot to read from: nothing that is committed meanwhile shows; but see [`Db::look`] and [`Db::read_at_once`].
pub struct Read<'a> {
    /// The connection, in a transaction that cannot write, if in any.
    pub conn: &'a mut DbConn,
    /// The time at which everything is judged.
    pub now: Timestamp,
    keeper: kept::Keeper<'a>,
}

impl<'a> Read<'a> {
    /// Without a snapshot.
    fn new(conn: &'a mut DbConn, changes: &'a Changes) -> Self {
        Self {
            keeper: kept::Keeper::new(changes),
            conn,
            now: Timestamp::now(),
        }
    }
}

/// A transaction that writes.
pub struct Tx<'a> {
    /// The connection, in a transaction.
    pub conn: &'a mut DbConn,
    /// The time at which everything happens; read inside the transaction.
    pub now: Timestamp,
    /// What it shares from its beginning on.
    shared: Option<&'static str>,
    touched: Touched,
    keeper: kept::Keeper<'a>,
}

impl Tx<'_> {
    /// Says that something which answers are made of is changed here. When the transaction is committed, and before who
    /// asked for it is answered, kept answers that were made of it end, in this process and in the others.
    pub fn touch(&mut self, subject: Subject) {
        self.touched.add(subject);
    }
}

/// What a request has cost the database so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// Time that it waited, but for [`rendering`].
    pub waited: Duration,
    /// Statements that readers ran for it, those that begin and end a snapshot included.
    pub statements: u32,
}

tokio::task_local! {
    static SPENT: Cell<Spent>;
}

/// Runs a request's future and tells what it cost the database.
pub async fn timed<T>(work: impl Future<Output = T>) -> (T, Spent) {
    SPENT
        .scope(Cell::new(Spent::default()), async {
            (work.await, SPENT.with(Cell::get))
        })
        .await
}

fn note_spent(since: Instant, counted: Counted) {
    // Outside a request (commands, background work) nobody asks.
    let _outside = SPENT.try_with(|spent| {
        let before = spent.get();
        spent.set(Spent {
            waited: before.waited + since.elapsed().saturating_sub(counted.rendering),
            statements: before.statements + counted.statements,
        });
    });
}

/// The databases of a running process. Cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: Pool,
    readers: Readers,
    writer: Writer,
    changes: Arc<Changes>,
}

impl Db {
    /// Opens the database, brings its schema up to date and starts the writer. The error is one line for the operator.
    pub fn open(config: &Config) -> std::result::Result<Self, String> {
        Self::open_for(config, false)
    }

    /// The same, for a server: many will ask at once.
    pub fn open_to_serve(config: &Config) -> std::result::Result<Self, String> {
        Self::open_for(config, true)
    }

    fn open_for(config: &Config, serves: bool) -> std::result::Result<Self, String> {
        migrate::run(&config.database)?;
        let changes = Arc::new(Changes::default());
        let pool = Pool::readers(&config.database, serves);
        let writer = match &config.database {
            Database::Sqlite(path) => Writer::thread(pool::open_sqlite(path, false)?, Arc::clone(&changes))?,
            Database::Postgres(_) => {
                Writer::pools(pool.clone(), Pool::counting(&config.database), Arc::clone(&changes))
            }
        };
        Ok(Self {
            readers: Readers::start(&pool)?,
            pool,
            writer,
            changes,
        })
    }

    /// What changed.
    pub fn changes(&self) -> &Arc<Changes> {
        &self.changes
    }

    /// Watches for what other processes change, as long as the result lives.
    pub fn watch(&self, database: &Database) -> std::result::Result<Watch, String> {
        Watch::start(database.clone(), self.pool.clone(), Arc::clone(&self.changes))
    }

    /// Runs `work` on a snapshot of the database.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Read<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.on_reader(|conn, changes| on_snapshot(conn, changes, work)).await
    }

    /// As [`Db::read`], for what one statement finds as a rule, which is a snapshot by itself: `at_once` runs without one, and
    /// takes what is kept by [`Read::kept_at_hand`] alone. Where it says nothing, `work` runs on one. Both are told what is
    /// `asked`.
    pub async fn read_at_once<A: Send + 'static, T: Send + 'static>(
        &self,
        asked: A,
        at_once: impl FnOnce(&A, &mut Read<'_>) -> Result<Option<T>> + Send + 'static,
        work: impl FnOnce(&A, &mut Read<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.on_reader(
            move |conn, changes| match at_once(&asked, &mut Read::new(conn, changes))? {
                Some(found) => Ok(found),
                None => on_snapshot(conn, changes, |read| work(&asked, read)),
            },
        )
        .await
    }

    /// Runs `work` without a snapshot: each statement sees what is committed when it begins. For a single one, or where what is
    /// read later may be newer, and not for what is kept ([`Read::kept`]); PostgreSQL is asked twice less.
    pub async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Read<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.on_reader(|conn, changes| work(&mut Read::new(conn, changes)))
            .await
    }

    async fn on_reader<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut DbConn, &Changes) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let since = Instant::now();
        let (pool, changes) = (self.pool.clone(), Arc::clone(&self.changes));
        let outcome = self
            .readers
            .run(move || Ok(count::counted(|| pool.lend(|conn| work(conn, &changes)))));
        let (outcome, counted) = outcome.await?;
        note_spent(since, counted);
        outcome
    }

    /// Runs `work` in a transaction; the answer comes after the commit is durable. An error rolls everything back.
    /// A full queue is 503.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_in(Lane::Editors, work).await
    }

    /// As [`Db::write`], for what will call [`Tx::share_name`] with that name first: PostgreSQL is told so in the round trip
    /// that begins the transaction. `name` is a name from this source, never input.
    pub async fn write_sharing<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_as(Lane::Editors, Some(name), work).await
    }

    /// As [`Db::write`], in the queue of one's choice.
    pub async fn write_in<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.write_as(lane, None, work).await
    }

    async fn write_as<T: Send + 'static>(
        &self,
        lane: Lane,
        shared: Option<&'static str>,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let since = Instant::now();
        let outcome = self.writer.run(lane, shared, work).await;
        note_spent(since, Counted::default());
        outcome
    }

    /// As [`Db::write_in`], for who goes on without waiting. `at_once` comes first, outside of a transaction, for what single
    /// statements can do, which then are transactions by themselves; what it answers makes `work` needless. Both may change
    /// `state`, and after all that, or after what kept it from happening, `then` has it, on the thread that wrote.
    pub fn write_then<S: Send + 'static, T>(
        &self,
        lane: Lane,
        state: S,
        at_once: impl FnOnce(&mut S, &mut DbConn) -> Result<Option<T>> + Send + 'static,
        work: impl FnOnce(&mut S, &mut Tx<'_>) -> Result<T> + Send + 'static,
        then: impl FnOnce(S, Result<T>) + Send + 'static,
    ) {
        self.writer.submit((lane, None), state, at_once, work, then);
    }

    /// Whether a write would work now: it makes a real one, of nothing.
    pub async fn can_write(&self) -> bool {
        self.write(|tx| {
            tx.conn.batch_execute("UPDATE site SET id = id WHERE id = 1")?;
            Ok(())
        })
        .await
        .is_ok()
    }

    /// Which database it is, with its version, for people.
    pub async fn describe(&self) -> Result<String> {
        self.read(|read| {
            let (name, query) = match read.conn {
                DbConn::Postgres(_) => ("PostgreSQL", "SELECT current_setting('server_version') AS text"),
                DbConn::Sqlite(_) => ("SQLite", "SELECT sqlite_version() AS text"),
            };
            let row: TextRow = diesel::sql_query(query).get_result(read.conn)?;
            Ok(format!("{name} {}", row.text))
        })
        .await
    }

    /// Ends the writer after what is queued, and leaves a SQLite file without a log to replay.
    pub async fn close(&self) {
        self.writer.close().await;
    }
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = diesel::sql_types::Text)]
    text: String,
}

/// How a transaction begins.
#[derive(Clone, Copy)]
enum Begin {
    Read,
    /// Sharing that name, if one is given.
    Edit(Option<&'static str>),
    CountViews,
}

/// Begins a transaction of the whole connection; on PostgreSQL in one round trip with the lock that it is begun with.
///
/// diesel's own `transaction` begins DEFERRED on SQLite, where reading first and writing later fails at once if
/// somebody wrote between; hence IMMEDIATE.
fn begin(conn: &mut DbConn, begin: Begin) -> QueryResult<()> {
    match conn {
        DbConn::Sqlite(conn) => {
            let words = match begin {
                Begin::Read => "BEGIN",
                Begin::Edit(_) | Begin::CountViews => "BEGIN IMMEDIATE",
            };
            AnsiTransactionManager::begin_transaction_sql(conn, words)
        }
        DbConn::Postgres(conn) => {
            let words = match begin {
                Begin::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
                Begin::Edit(None) => "BEGIN",
                Begin::Edit(Some(name)) => &format!("BEGIN; SELECT pg_advisory_xact_lock_shared(hashtext('{name}'))"),
                Begin::CountViews => "BEGIN; SELECT pg_advisory_xact_lock(hashtext('views'))",
            };
            let begun = AnsiTransactionManager::begin_transaction_sql(conn, words);
            if begun.is_err() {
                // BEGIN itself may have gone well, of which diesel knows nothing: the connection would go back into the pool
                // in a transaction that has failed. Where this fails as well, diesel takes it to be broken.
                if let Err(error) = conn.batch_execute("ROLLBACK") {
                    log::warn!("a rollback failed: {error}");
                }
            }
            begun
        }
    }
}

/// Runs `work` on a snapshot.
fn on_snapshot<T>(conn: &mut DbConn, changes: &Changes, work: impl FnOnce(&mut Read<'_>) -> Result<T>) -> Result<T> {
    let keeper = kept::Keeper::new(changes);
    begin(conn, Begin::Read)?;
    let outcome = work(&mut Read {
        conn: &mut *conn,
        now: Timestamp::now(),
        keeper,
    });
    end(conn, outcome, None)
}

/// Ends what [`begin`] began: commits what went well, after these last words, which PostgreSQL takes in the same round trip.
fn end<T>(conn: &mut DbConn, outcome: Result<T>, last: Option<&str>) -> Result<T> {
    match outcome {
        Ok(value) => match (&mut *conn, last) {
            // diesel sees by the connection that the transaction is over.
            (DbConn::Postgres(c), Some(words)) => match c.batch_execute(&format!("{words}; COMMIT")) {
                Ok(()) => Ok(value),
                Err(error) => end(conn, Err(error.into()), None),
            },
            _ => {
                DbConn::commit_transaction(conn)?;
                Ok(value)
            }
        },
        Err(error) => match DbConn::rollback_transaction(conn) {
            Ok(()) | Err(DieselError::BrokenTransactionManager | DieselError::NotInTransaction) => Err(error),
            // SQLite may have rolled back by itself; the first error says what went wrong.
            Err(rollback) => {
                log::warn!("a rollback failed: {rollback}");
                Err(error)
            }
        },
    }
}
