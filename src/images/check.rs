//! Do the files agree with the rows? What does not is mended where that is possible and loses nothing. Uploads without a row
//! are removed on demand alone: beside a database that is not theirs every upload looks like one.

use std::collections::{BTreeMap, HashMap};

use super::claims::{self, Claim};
use super::files::Files;
use super::storage::{ORIGINAL, Stored};
use super::variants::Variant;
use super::{store, upkeep};
use crate::db::Db;
use crate::error::Result;

/// Rows read at a time.
const PART: i64 = 1000;

/// What was found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// All images.
    pub images: usize,
    /// Uploads and deletions that a process left half done; settled.
    pub settled: usize,
    /// Hashes of uploads without a row.
    pub orphans: Vec<String>,
    /// How many of them were removed.
    pub removed: usize,
    /// Variants of uploads that are gone; removed.
    pub leftovers: usize,
    /// Variants that are empty; removed, to be made anew.
    pub empty: usize,
    /// Files that are none of an image; left alone.
    pub foreign: Vec<String>,
    /// Images without their file. Uploading the file again mends it.
    pub missing: Vec<i64>,
    /// Images whose file does not have the size that it had.
    pub damaged: Vec<i64>,
    /// Images of which it was not known what they look like; now it is.
    pub looked: usize,
}

impl Verdict {
    /// Whether all was as it should be.
    pub fn agrees(&self) -> bool {
        let Self {
            images: _,
            looked: _,
            removed: _,
            settled,
            orphans,
            leftovers,
            empty,
            foreign,
            missing,
            damaged,
        } = self;
        [settled, leftovers, empty].iter().all(|count| **count == 0)
            && [orphans, foreign].iter().all(|found| found.is_empty())
            && [missing, damaged].iter().all(|found| found.is_empty())
    }
}

/// The files of one hash.
#[derive(Default)]
struct Found {
    original: Option<u64>,
    others: Vec<Stored>,
}

/// Compares all files with all rows, and mends; removes uploads without a row if it is told to, and knows any image at all.
/// Beside a running server, too: what is being uploaded or deleted at this moment is left alone.
pub async fn check(db: &Db, files: &Files, remove: bool) -> Result<Verdict> {
    let mut verdict = Verdict {
        settled: claims::settle(db, files).await?,
        ..Verdict::default()
    };
    let mut found: BTreeMap<String, Found> = BTreeMap::new();
    for file in files.storage.list().await? {
        let of = found.entry(file.hash.clone()).or_default();
        if file.name == ORIGINAL {
            of.original = Some(file.bytes);
        } else {
            of.others.push(file);
        }
    }
    let rows = all_rows(db).await?;
    verdict.images = rows.len();
    for (hash, (id, bytes)) in &rows {
        let original = found.get(hash).and_then(|found| found.original);
        match original {
            Some(size) if i64::try_from(size).is_ok_and(|size| size == *bytes) => {}
            Some(_) => verdict.damaged.push(*id),
            None if is_missing(db, files, hash).await? => verdict.missing.push(*id),
            None => {}
        }
    }
    for (hash, found) in found {
        if !rows.contains_key(&hash) {
            let Some(claim) = claim_orphan(db, &hash).await? else {
                continue;
            };
            if found.original.is_none() {
                for file in &found.others {
                    files.storage.remove_file(file).await?;
                }
                verdict.leftovers += found.others.len();
                claims::release(db, claim).await?;
            } else if remove && !rows.is_empty() {
                claims::remove_files(db, files, claim).await?;
                verdict.removed += 1;
                verdict.orphans.push(hash);
            } else {
                claims::release(db, claim).await?;
                verdict.orphans.push(hash);
            }
            continue;
        }
        for file in found.others {
            if !Variant::is_file_name(&file.name) {
                verdict.foreign.push(format!("{hash}/{}", file.name));
            } else if file.bytes == 0 {
                files.storage.remove_file(&file).await?;
                verdict.empty += 1;
            }
        }
    }
    verdict.missing.sort_unstable();
    verdict.damaged.sort_unstable();
    verdict.looked = upkeep::look_at_all(db, files).await?;
    Ok(verdict)
}

/// Every image by its hash: its id, and the size of its file.
async fn all_rows(db: &Db) -> Result<HashMap<String, (i64, i64)>> {
    let mut rows = HashMap::new();
    let mut after = 0;
    loop {
        let part = db
            .read(move |read| Ok(store::list_files(read.conn, after, PART)?))
            .await?;
        let Some((last, ..)) = part.last() else { return Ok(rows) };
        after = *last;
        rows.extend(part.into_iter().map(|(id, hash, bytes)| (hash, (id, bytes))));
    }
}

/// Whether an image has no file, nor had it a moment ago: it may have been uploaded, or deleted, since the files were
/// listed.
async fn is_missing(db: &Db, files: &Files, hash: &str) -> Result<bool> {
    let known = hash.to_owned();
    let there = db.read(move |read| Ok(store::find_by_hash(read.conn, &known)?.is_some()));
    Ok(there.await? && !files.storage.exists(hash, ORIGINAL).await?)
}

/// Claims the files of a hash that has no row; `None` where it has one by now, or will have.
async fn claim_orphan(db: &Db, hash: &str) -> Result<Option<Claim>> {
    let orphan = hash.to_owned();
    db.write(move |tx| {
        let Some(claim) = Claim::insert(tx, &orphan)? else {
            return Ok(None);
        };
        if store::find_by_hash(tx.conn, &orphan)?.is_some() {
            claim.release(tx)?;
            return Ok(None);
        }
        Ok(Some(claim))
    })
    .await
}
