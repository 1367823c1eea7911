//! What is done beside the requests: what dead processes left is settled, AVIF is made, pictures of older versions are
//! looked at.

use std::time::Duration;

use super::claims;
use super::files::{Files, Seen};
use super::store;
use crate::config::Database;
use crate::db::Db;
use crate::error::{Code, Result};

/// How often is looked for what was left.
const PAUSE: Duration = Duration::from_secs(30);

/// Pictures looked at in one go.
const BATCH: i64 = 20;

/// How long a start waits for that; a store of files that does not answer must not keep a site from its readers.
const AT_START: Duration = Duration::from_secs(5);

/// Settles what the last server left, before the next one listens.
pub async fn settle_at_start(db: &Db, files: &Files, database: &Database) {
    let settled = tokio::time::timeout(AT_START, async {
        claims::end_all(db, database).await?;
        claims::settle(db, files).await
    });
    match settled.await {
        Ok(Ok(0)) => {}
        Ok(Ok(settled)) => log::info!("removed what {settled} upload(s) or deletion(s) left"),
        Ok(Err(error)) => log::warn!("what uploads left is settled later: {error}"),
        Err(_elapsed) => log::warn!("what uploads left is settled later: the store of files takes too long"),
    }
}

/// Does all of it, until it is dropped. Never ends by itself.
pub async fn keep_up(db: &Db, files: &Files) {
    let settling = async {
        let mut seen = false;
        loop {
            if let Err(error) = claims::settle(db, files).await {
                log::warn!("what uploads left is settled later: {error}");
            }
            if !seen {
                match look_at_all(db, files).await {
                    Ok(_) => seen = true,
                    Err(error) => log::warn!("pictures are looked at later: {error}"),
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::join!(settling, files.make_wanted());
}

/// Notes what every picture looks like of which that is not known. Returns how many there were. One whose file is missing,
/// or cannot be read now, is looked at another time.
pub async fn look_at_all(db: &Db, files: &Files) -> Result<usize> {
    let (mut looked, mut before) = (0, i64::MAX);
    loop {
        let unseen = db
            .read(move |read| Ok(store::list_unseen(read.conn, before, BATCH)?))
            .await?;
        let Some((last, _)) = unseen.last() else {
            return Ok(looked);
        };
        before = *last;
        for (id, hash) in unseen {
            match look_at(db, files, id, &hash).await {
                Ok(true) => looked += 1,
                Ok(false) => log::warn!("image {id} has no file: looked at another time"),
                // The store of files is down: for the others, too.
                Err(error) if error.code == Code::Unavailable => return Err(error),
                Err(error) => log::warn!("image {id} is looked at another time: {error}"),
            }
        }
    }
}

async fn look_at(db: &Db, files: &Files, id: i64, hash: &str) -> Result<bool> {
    let (placeholder, color) = match files.look(hash).await? {
        Seen::Look(look) => (look.placeholder, look.color),
        Seen::Nothing => (String::new(), String::new()),
        Seen::Missing => return Ok(false),
    };
    db.write(move |tx| Ok(store::set_look(tx, id, &placeholder, &color)?))
        .await?;
    Ok(true)
}
