//! Keeping the index: making it anew while the old one answers, and looking whether it says what it should.

use std::time::Duration;

use diesel::QueryResult;
use futures_util::future::try_join;

use crate::articles::searched::{Entries, has_pending, write_anew, write_pending};
use crate::articles::store::article_ids_after;
use crate::config::Database;
use crate::db::{Db, Read, Subject, Timestamp, Tx, alone};
use crate::error::{Error, Result};
use crate::index::audit::Held;
use crate::index::{self, rebuild};
use crate::taxonomy::tags::{Whose, rewrite_keys};

/// How many articles are written in one transaction, so that other writers need not wait long.
const WRITTEN: i64 = 100;

/// How many articles are looked at together.
const READ: i64 = 100;

/// How often the index is put in order.
const TIDY: Duration = Duration::from_secs(1);

/// When what failed at the start is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// How often, and after what pause, a new index is tried to be put in place.
const TRIES: u32 = 30;
const PAUSE: Duration = Duration::from_secs(3);

/// How far the work is, in articles.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// Those that are done.
    pub done: u64,
    /// All of them.
    pub all: u64,
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// How many articles there are.
    pub articles: u64,
    /// Articles that the index had wrong or not at all; they are right now.
    pub wrong: Vec<i64>,
    /// Articles that only the index had; they are out now.
    pub extra: Vec<i64>,
    /// Whether the index could not be read and was made anew.
    pub rebuilt: bool,
}

impl Verdict {
    /// Whether the index said what it should.
    pub fn agrees(&self) -> bool {
        self.wrong.is_empty() && self.extra.is_empty() && !self.rebuilt
    }
}

/// Makes the index anew. The old one answers, and takes what is written, until the new one stands in its place; the answer
/// is the number of articles. 503 where another process is at it.
pub async fn reindex(db: &Db, database: &Database, mut progress: impl FnMut(Step)) -> Result<u64> {
    let _alone = alone(database, "reindex")
        .map_err(Error::internal)?
        .ok_or_else(|| Error::unavailable("the index is being made anew already"))?;
    let all = count(db).await?;
    write(db, rebuild::begin).await?;
    let mut done = 0;
    // Once for all, then for what was written meanwhile, until that is little.
    loop {
        let (mut after, mut added) = (0, 0);
        while let Some((last, many)) = add_some(db, after).await? {
            (after, added) = (last, added + many);
            done += many;
            progress(Step {
                done,
                all: all.max(done),
            });
        }
        if added <= WRITTEN.unsigned_abs() {
            break;
        }
        finish(db).await?;
    }
    finish(db).await?;
    // A reader that takes long keeps the new index from its place; writers shall not wait for it as well.
    let mut tries = 1;
    while let Err(error) = put_in_place(db).await {
        if tries == TRIES {
            return Err(error);
        }
        tries += 1;
        log::info!("the new index waits for its place: {error}");
        tokio::time::sleep(PAUSE).await;
    }
    rewrite_keys(db, Whose::All).await?;
    Ok(all)
}

/// Makes the new index quick, its parts at the same time.
async fn finish(db: &Db) -> Result<()> {
    let [first, second] = rebuild::PARTS.map(|part| finish_part(db, part));
    try_join(first, second).await?;
    Ok(())
}

async fn finish_part(db: &Db, part: usize) -> Result<()> {
    while write(db, move |conn| rebuild::finish(conn, part)).await? {}
    Ok(())
}

/// Adds what is still behind, and puts the new index in place.
async fn put_in_place(db: &Db) -> Result<()> {
    db.write(|tx| {
        rebuild::hold(tx.conn)?;
        loop {
            let behind = rebuild::behind(tx.conn, 0, WRITTEN)?;
            if behind.is_empty() {
                break;
            }
            let ids: Vec<i64> = behind.iter().map(|behind| behind.id).collect();
            let entries = Entries::of(tx.conn, &ids)?;
            rebuild::add(tx.conn, &behind, entries.iter())?;
        }
        tx.touch(Subject::Tags);
        Ok(rebuild::swap(tx.conn)?)
    })
    .await
}

/// Adds the next articles after that one; the last of them and how many they are, or nothing at the end.
async fn add_some(db: &Db, after: i64) -> Result<Option<(i64, u64)>> {
    let (behind, entries) = db
        .read(move |read| {
            let behind = rebuild::behind(read.conn, after, WRITTEN)?;
            let ids: Vec<i64> = behind.iter().map(|behind| behind.id).collect();
            let entries = Entries::of(read.conn, &ids)?;
            Ok((behind, entries))
        })
        .await?;
    let Some(last) = behind.last().map(|behind| behind.id) else {
        return Ok(None);
    };
    let many = behind.len() as u64;
    db.write(move |tx| Ok(rebuild::add(tx.conn, &behind, entries.iter())?))
        .await?;
    Ok(Some((last, many)))
}

/// Looks at every entry of the index, and mends what is wrong.
pub async fn check(db: &Db, database: &Database, mut progress: impl FnMut(Step) + Send + 'static) -> Result<Verdict> {
    let all = count(db).await?;
    if db.read(|read| Ok(rebuild::is_due(read.conn)?)).await? {
        log::info!("another version made the index");
        return rebuilt(db, database).await;
    }
    let found = db
        .read(move |read| {
            let mut held = match Held::read(read.conn) {
                Ok(held) => held,
                Err(error) => {
                    log::error!("the index cannot be read: {error}");
                    return Ok(None);
                }
            };
            let mut verdict = compare(read, &mut held, |done| {
                progress(Step {
                    done,
                    all: all.max(done),
                });
            })?;
            verdict.extra = held.extra(read.conn)?;
            Ok(Some(verdict))
        })
        .await?;
    if let Some(verdict) = found {
        match mend(db, &verdict).await {
            Ok(()) => return Ok(verdict),
            Err(error) => log::error!("the index cannot be mended: {error}"),
        }
    }
    rebuilt(db, database).await
}

async fn rebuilt(db: &Db, database: &Database) -> Result<Verdict> {
    Ok(Verdict {
        articles: reindex(db, database, |_step| {}).await?,
        rebuilt: true,
        ..Verdict::default()
    })
}

/// Writes what is wrong anew. An error may mean that the index is damaged beyond that.
async fn mend(db: &Db, verdict: &Verdict) -> Result<()> {
    for part in verdict.wrong.chunks(length(WRITTEN)) {
        let part = part.to_vec();
        db.write(move |tx| write_anew(tx, &part)).await?;
    }
    for part in verdict.extra.chunks(length(WRITTEN)) {
        let part = part.to_vec();
        db.write(move |tx| {
            for id in part {
                index::remove(tx.conn, id)?;
            }
            tx.touch(Subject::Tags);
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// Goes through all articles, and notes those that the index has wrong.
fn compare(read: &mut Read<'_>, held: &mut Held, mut progress: impl FnMut(u64)) -> Result<Verdict> {
    let mut verdict = Verdict::default();
    let mut after = 0;
    loop {
        let ids = article_ids_after(read.conn, after, READ)?;
        let Some(last) = ids.last() else { return Ok(verdict) };
        after = *last;
        let entries = Entries::of(read.conn, &ids)?;
        verdict.wrong.extend(held.wrong(read.conn, entries.iter())?);
        verdict.articles += ids.len() as u64;
        progress(verdict.articles);
    }
}

/// At the start of a server: an index of nothing is as it should be.
pub async fn settle(db: &Db) -> Result<()> {
    write(db, |conn| {
        if rebuild::is_due(conn)? && rebuild::count(conn)? == 0 {
            rebuild::is_done(conn)?;
        }
        Ok(())
    })
    .await
}

/// Beside a server, until it stops.
pub async fn keep_up(db: &Db, database: &Database) {
    while let Err(error) = catch_up(db, database).await {
        log::warn!("the search index is not up to date: {error}");
        tokio::time::sleep(AGAIN).await;
    }
    loop {
        tokio::time::sleep(TIDY).await;
        if let Err(error) = tidy(db, database).await {
            log::warn!("the search index is not in order: {error}");
        }
    }
}

/// Writes what a failure has left, and puts in order what writers have left for later.
async fn tidy(db: &Db, database: &Database) -> Result<()> {
    if db.read(|read| Ok(has_pending(read.conn)?)).await? {
        while db.write(write_pending).await? {}
    }
    if db.read(|read| Ok(index::is_unsettled(read.conn, read.now)?)).await? {
        while write(db, |conn| index::settle(conn, Timestamp::now())).await? {}
    }
    match database {
        Database::Postgres(_) => write(db, index::tidy).await,
        Database::Sqlite(_) => Ok(()),
    }
}

/// Makes the index anew where another version made it, and writes what a crash left.
async fn catch_up(db: &Db, database: &Database) -> Result<()> {
    if db.read(|read| Ok(rebuild::is_due(read.conn)?)).await? {
        log::info!("another version made the search index: it is made anew, and the old one answers meanwhile");
        let articles = reindex(db, database, |_step| {}).await?;
        log::info!("the search index is made anew: {articles} article(s)");
    }
    while db.write(write_pending).await? {}
    Ok(())
}

async fn count(db: &Db) -> Result<u64> {
    let count = db.read(|read| Ok(rebuild::count(read.conn)?)).await?;
    Ok(count.unsigned_abs())
}

async fn write<T: Send + 'static>(
    db: &Db,
    work: impl FnOnce(&mut crate::db::DbConn) -> QueryResult<T> + Send + 'static,
) -> Result<T> {
    db.write(move |tx: &mut Tx<'_>| Ok(work(tx.conn)?)).await
}

fn length(rows: i64) -> usize {
    usize::try_from(rows).unwrap_or_default()
}
