//! What goes on beside counting: what is noted is added up, windows move on, hours get rows of their own and become days, and
//! who was counted is forgotten. In short transactions, in the lane of views, so that no editor waits; any number of instances
//! may do it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use chrono_tz::Tz;

use super::series::{HOURS_KEPT, date_of, number_of};
use super::store::{find_clock, past};
use super::tally::{self, OLDEST_EVENT};
use super::visitor::{day_of, micros};
use super::windows::HOUR;
use crate::db::{Db, Lane, Timestamp, Tx};
use crate::error::Result;
use crate::site::store::find_site;

/// How often it is looked whether an hour has passed.
const PAUSE: Duration = Duration::from_secs(20);

/// Between two parts of a longer work, for what else wants to be written.
const BREATH: Duration = Duration::from_millis(20);

/// Beside a server, until it stops.
pub async fn keep_up(db: &Db, setting: Tz) {
    loop {
        if let Err(error) = catch_up(db, setting, Timestamp::now()).await {
            log::warn!("what views add up to is not up to date: {error}");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Does everything that is due at `now`; what fails keeps the rest from nothing.
pub async fn catch_up(db: &Db, setting: Tz, now: Timestamp) -> Result<()> {
    let second = now.utc().timestamp();
    let today = day_of(now.micros());
    // An event may come a little later than it is too old.
    let oldest = now.micros() - micros(OLDEST_EVENT) - micros(Duration::from_secs(3_600));
    let outcomes = [
        // Of instances that have stopped.
        add_up(db, setting, |_, _| ()).await,
        // The day before holds for one window more; events of names may be told seven days later.
        part_by_part(db, move |tx| Ok(past::forget_counted(tx, false, today - 1)?)).await,
        part_by_part(db, move |tx| Ok(past::forget_counted(tx, true, today - 9)?)).await,
        part_by_part(db, move |tx| {
            past::forget_salts(tx, today - 1)?;
            Ok(past::forget_events(tx, oldest)?)
        })
        .await,
        part_by_part(db, move |tx| {
            Ok(past::move_windows(tx, second - second.rem_euclid(HOUR))?)
        })
        .await,
        part_by_part(db, move |tx| roll_up(tx, setting, second)).await,
    ];
    outcomes.into_iter().collect()
}

/// Adds up what is noted, by whichever instance; `tell` is told how often each article had been read at what time.
pub async fn add_up(db: &Db, setting: Tz, mut tell: impl FnMut(HashMap<i64, i64>, Instant)) -> Result<()> {
    loop {
        let read_at = Instant::now();
        let add_up = move |tx: &mut Tx<'_>| {
            let clock = find_clock(tx, setting)?;
            tally::add_up(tx, &clock)
        };
        let (counts, is_more) = db.write_in(Lane::Views, add_up).await?;
        tell(counts, read_at);
        if !is_more {
            return Ok(());
        }
    }
}

/// Lets the oldest hour become part of its day, if it is old enough; whether there was one.
fn roll_up(tx: &mut Tx<'_>, setting: Tz, second: i64) -> Result<bool> {
    let Some(hour) = past::oldest_hour(tx, second - HOURS_KEPT * 24 * HOUR)? else {
        return Ok(false);
    };
    let zone = find_site(tx.conn)?.zone(setting);
    past::roll_up(tx, hour, number_of(date_of(hour, zone)))?;
    Ok(true)
}

/// Does a work in transactions of their own, until it says that there is no more.
async fn part_by_part(db: &Db, part: impl Fn(&mut Tx<'_>) -> Result<bool> + Copy + Send + 'static) -> Result<()> {
    while db.write_in(Lane::Views, part).await? {
        tokio::time::sleep(BREATH).await;
    }
    Ok(())
}
