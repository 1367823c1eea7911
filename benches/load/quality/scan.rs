//! Reading every text: the truth that a search is held against.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::available_parallelism;

use broadsheet::db::Db;
use broadsheet::db::schema::articles;
use broadsheet::text::flow::{Needle, flow_of};
use diesel::dsl::max;
use diesel::prelude::*;
use futures_util::future::try_join_all;

use crate::rows::read_after;
use crate::{Result, in_words};

/// How many articles are read at once.
const CHUNK: i64 = 500;

type Ids = BTreeSet<i64>;

/// For each needle the ids of the articles that readers see and that have it anywhere.
pub async fn having(db: &Db, needles: Vec<Needle>) -> Result<Vec<Ids>> {
    let needles = Arc::new(needles);
    let last: Option<i64> = db
        .read(|read| Ok(articles::table.select(max(articles::id)).first(read.conn)?))
        .await
        .map_err(in_words)?;
    let cores = available_parallelism().map_or(1, |cores| i64::try_from(cores.get()).unwrap_or(1));
    let share = last.unwrap_or_default() / cores + 1;
    let parts = (0..cores).map(|core| part(db, &needles, core * share, (core + 1) * share));
    let mut all = vec![Ids::new(); needles.len()];
    for part in try_join_all(parts).await? {
        for (ids, more) in all.iter_mut().zip(part) {
            ids.extend(more);
        }
    }
    Ok(all)
}

/// The same for ids after `after` and up to `end`.
async fn part(db: &Db, needles: &Arc<Vec<Needle>>, mut after: i64, end: i64) -> Result<Vec<Ids>> {
    let mut all = vec![Ids::new(); needles.len()];
    while after < end {
        let needles = Arc::clone(needles);
        let most = CHUNK.min(end - after);
        let found = db.read(move |read| {
            let rows = read_after(read.conn, after, most)?;
            let mut found = vec![Ids::new(); needles.len()];
            for row in rows.iter().filter(|row| row.public && row.id <= end) {
                let tags = row.tags.iter().map(String::as_str);
                let fields = [row.title.as_str(), &row.summary]
                    .into_iter()
                    .chain(tags)
                    .chain([row.text.as_str()]);
                let flow = flow_of(fields);
                for (ids, needle) in found.iter_mut().zip(needles.iter()) {
                    if needle.is_in(&flow) {
                        ids.insert(row.id);
                    }
                }
            }
            Ok((rows.last().map(|row| row.id), found))
        });
        let (last, found) = found.await.map_err(in_words)?;
        for (ids, more) in all.iter_mut().zip(found) {
            ids.extend(more);
        }
        after = last.unwrap_or(end);
    }
    Ok(all)
}
