//! Who may touch the files of a hash: uploads and deletions of the same bytes exclude each other, across instances, without
//! a transaction that lasts as long as the files take.
//!
//! A claim is a row that is written before the files are touched and goes in the transaction that settles what they are:
//! with the image's row, which is written last, or once the files of a deleted image are gone. A claim that was left, by
//! a process that ended, runs out; then the files go, unless they have a row.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use diesel::dsl::sql;
use diesel::prelude::*;
use uuid::Uuid;

use super::files::Files;
use super::model::ImageRow;
use super::store::find_by_hash;
use crate::config::Database;
use crate::db::schema::image_claims;
use crate::db::types::UtcTimestamp;
use crate::db::{Db, DbConn, Timestamp, Tx};
use crate::error::{Error, Result};
use crate::on_backend;

/// How long a claim holds; more than what is done under it can take.
const HOLDS: TimeDelta = TimeDelta::seconds(120);

/// How long is worked under a claim: nothing is begun after that, so that nobody else can have it by then.
const WORKING: Duration = Duration::from_secs(90);

/// How long an upload waits for another, or a deletion, of the same bytes.
const PATIENCE: Duration = Duration::from_secs(5);

/// The right to touch the files of a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    hash: String,
    token: String,
    until: Instant,
}

impl Claim {
    /// What it holds.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// When work under it must have begun.
    pub fn until(&self) -> Instant {
        self.until
    }

    /// Takes what nobody holds, or no longer.
    pub fn insert(tx: &mut Tx<'_>, hash: &str) -> QueryResult<Option<Self>> {
        let working = Instant::now() + WORKING;
        let now = clock(tx.conn, tx.now)?;
        let ended = image_claims::hash.eq(hash).and(image_claims::held_until.le(now));
        diesel::delete(image_claims::table.filter(ended)).execute(tx.conn)?;
        let token = Uuid::now_v7().to_string();
        let until = Timestamp::from(now.utc() + HOLDS);
        let row = (
            image_claims::hash.eq(hash),
            image_claims::token.eq(&token),
            image_claims::held_until.eq(until),
        );
        let new = on_backend!(tx.conn, |c| diesel::insert_into(image_claims::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(c))?;
        Ok((new == 1).then(|| Self {
            hash: hash.to_owned(),
            token,
            until: working,
        }))
    }

    /// Gives it back; 503 where it ran out and somebody else has it, whereupon nothing may be settled.
    pub fn release(&self, tx: &mut Tx<'_>) -> Result<()> {
        let own = image_claims::hash
            .eq(&self.hash)
            .and(image_claims::token.eq(&self.token));
        match diesel::delete(image_claims::table.filter(own)).execute(tx.conn)? {
            0 => Err(Error::unavailable(format!("the claim on {} ran out", self.hash))),
            _ => Ok(()),
        }
    }

    /// Holds it for its whole time again; `None` where somebody else has it by now.
    fn renew(self, tx: &mut Tx<'_>) -> QueryResult<Option<Self>> {
        let until = Instant::now() + WORKING;
        let now = clock(tx.conn, tx.now)?;
        let own = image_claims::hash
            .eq(&self.hash)
            .and(image_claims::token.eq(&self.token));
        let renewed = diesel::update(image_claims::table.filter(own))
            .set(image_claims::held_until.eq(Timestamp::from(now.utc() + HOLDS)))
            .execute(tx.conn)?;
        Ok((renewed == 1).then_some(Self { until, ..self }))
    }

    /// Lets it run out now.
    fn abandon(&self, tx: &mut Tx<'_>) -> QueryResult<()> {
        let now = clock(tx.conn, tx.now)?;
        let own = image_claims::hash
            .eq(&self.hash)
            .and(image_claims::token.eq(&self.token));
        diesel::update(image_claims::table.filter(own))
            .set(image_claims::held_until.eq(now))
            .execute(tx.conn)
            .map(drop)
    }
}

/// Takes the files of a hash, and tells which image they are of, if of any. Waits while another has them, then 503.
pub async fn take(db: &Db, hash: &str) -> Result<(Claim, Option<ImageRow>)> {
    let since = std::time::Instant::now();
    loop {
        let hash = hash.to_owned();
        let taken = db.write(move |tx| {
            let claim = Claim::insert(tx, &hash)?;
            let row = find_by_hash(tx.conn, &hash)?;
            Ok(claim.map(|claim| (claim, row)))
        });
        if let Some(taken) = taken.await? {
            return Ok(taken);
        }
        if since.elapsed() > PATIENCE {
            return Err(Error::unavailable("the same file is being uploaded or deleted"));
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Gives a claim back that has changed nothing.
pub async fn release(db: &Db, claim: Claim) -> Result<()> {
    db.write(move |tx| claim.release(tx)).await
}

/// Removes the files under a claim, and gives it back; if that fails, it is left to be done later.
pub async fn remove_files(db: &Db, files: &Files, claim: Claim) -> Result<()> {
    let Some(claim) = db.write(move |tx| Ok(claim.clone().renew(tx)?)).await? else {
        return Ok(());
    };
    let removed = files.storage.remove(claim.hash(), claim.until()).await;
    let done = removed.is_ok();
    let given_back = db.write(move |tx| {
        if done {
            claim.release(tx)
        } else {
            Ok(claim.abandon(tx)?)
        }
    });
    given_back.await?;
    removed
}

/// Ends all claims: for the one server of a SQLite file, at its start. Who holds one beside it, an import, fails and says
/// so, and is done again.
pub async fn end_all(db: &Db, database: &Database) -> Result<()> {
    if matches!(database, Database::Postgres(_)) {
        return Ok(());
    }
    db.write(|tx| {
        diesel::update(image_claims::table)
            .set(image_claims::held_until.eq(tx.now))
            .execute(tx.conn)?;
        Ok(())
    })
    .await
}

/// Settles what was left by processes that ended: files without a row go. Returns how many there were. What cannot be
/// settled now is settled later, and keeps nothing else up.
pub async fn settle(db: &Db, files: &Files) -> Result<usize> {
    let ended = db
        .read(|read| {
            let now = clock(read.conn, read.now)?;
            Ok(ended(read.conn, now)?)
        })
        .await?;
    let mut settled = 0;
    for hash in ended {
        match settle_one(db, files, hash.clone()).await {
            Ok(did) => settled += usize::from(did),
            Err(error) => log::warn!("what an upload or a deletion of {hash} left is settled later: {error}"),
        }
    }
    Ok(settled)
}

async fn settle_one(db: &Db, files: &Files, hash: String) -> Result<bool> {
    let taken = db.write(move |tx| {
        let Some(claim) = Claim::insert(tx, &hash)? else {
            return Ok(None);
        };
        if find_by_hash(tx.conn, &hash)?.is_some() {
            claim.release(tx)?;
            return Ok(None);
        }
        Ok(Some(claim))
    });
    let Some(claim) = taken.await? else { return Ok(false) };
    remove_files(db, files, claim).await?;
    Ok(true)
}

/// The time by which claims are judged: the database's own where several machines share it.
fn clock(conn: &mut DbConn, now: Timestamp) -> QueryResult<Timestamp> {
    match conn {
        DbConn::Postgres(conn) => diesel::select(sql::<UtcTimestamp>("clock_timestamp()")).get_result(conn),
        DbConn::Sqlite(_) => Ok(now),
    }
}

fn ended(conn: &mut DbConn, now: Timestamp) -> QueryResult<Vec<String>> {
    image_claims::table
        .filter(image_claims::held_until.le(now))
        .order(image_claims::hash)
        .limit(1000)
        .select(image_claims::hash)
        .load(conn)
}
