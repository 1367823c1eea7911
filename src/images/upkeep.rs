//! What is done beside the requests: what dead processes left is settled, AVIF is made, pictures of older versions are
//! looked at.

use std::time::Duration;

use super::claims;
use super::files::Files;
use super::store;
use crate::config::Database;
use crate::db::Db;
use crate::error::Result;

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

/// Notes what every picture looks like of which that is not known. Returns how many there were.
pub async fn look_at_all(db: &Db, files: &Files) -> Result<usize> {
    let mut looked = 0;
    loop {
        let unseen = db.read(|read| Ok(store::list_unseen(read.conn, BATCH)?)).await?;
        if unseen.is_empty() {
            return Ok(looked);
        }
        for (id, hash) in unseen {
            let look = files.look(&hash).await?;
            db.write(move |tx| {
                let (placeholder, color) = look.map_or_else(Default::default, |look| (look.placeholder, look.color));
                Ok(store::set_look(tx, id, &placeholder, &color)?)
            })
            .await?;
            looked += 1;
        }
    }
}
