//! From a file to an image: decode it once, put it in its place, write its row; the row last.

use std::io::Write;

use sha2::{Digest, Sha256};
use tempfile::TempPath;

use super::claims::{self, Claim};
use super::files::Files;
use super::model::{ImageRow, NewImage};
use super::pipeline::Probed;
use super::storage::{ORIGINAL, disk};
use super::store;
use super::upload::{ReceivedFile, Upload};
use crate::db::{Db, Timestamp};
use crate::error::{Code, Error, Result};

/// Takes an upload in. The same bytes again give the image that is there, with its own texts; then the second value is
/// false. If its file was lost or cut, this is it.
pub async fn ingest(db: &Db, files: &Files, upload: Upload, created_by: Option<i64>) -> Result<(ImageRow, bool)> {
    let Upload {
        file: Some(ReceivedFile { path, hash, bytes }),
        alt,
        caption,
        credit,
        focal_x,
        focal_y,
    } = upload
    else {
        return Err(Error::internal("an upload without a file"));
    };
    if bytes == 0 {
        return Err(Error::new(Code::UnsupportedMediaType));
    }
    let known = hash.clone();
    if let Some(row) = db.read(move |read| Ok(store::find_by_hash(read.conn, &known)?)).await?
        && is_whole(files, &row).await?
    {
        return Ok((row, false));
    }
    let Probed {
        media_type,
        width,
        height,
        transparent,
        look,
        ..
    } = files.probe(path.to_path_buf()).await?;
    let new = NewImage {
        media_type: media_type.to_owned(),
        width: i32::try_from(width).map_err(Error::internal)?,
        height: i32::try_from(height).map_err(Error::internal)?,
        bytes,
        transparent,
        alt,
        caption,
        credit,
        focal_x: focal_x.unwrap_or(0.5),
        focal_y: focal_y.unwrap_or(0.5),
        created_by,
        created_at: Timestamp::now(),
        placeholder: Some(look.placeholder),
        color: Some(look.color),
        hash,
    };
    let (db, files) = (db.clone(), files.clone());
    // To its end, also where who uploads has gone.
    let settled = tokio::spawn(async move { settle(&db, &files, path, new).await });
    settled.await.map_err(Error::internal)?
}

async fn settle(db: &Db, files: &Files, path: TempPath, mut new: NewImage) -> Result<(ImageRow, bool)> {
    let (claim, row) = claims::take(db, &new.hash).await?;
    if let Some(row) = row
        && is_whole(files, &row).await?
    {
        claims::release(db, claim).await?;
        return Ok((row, false));
    }
    if let Err(error) = files.keep(path, &new.hash, claim.until()).await {
        return Err(undo(db, files, claim, error).await);
    }
    let settled = claim.clone();
    let written = db.write(move |tx| {
        settled.release(tx)?;
        if let Some(row) = store::find_by_hash(tx.conn, &new.hash)? {
            return Ok((row, false));
        }
        new.created_at = tx.now;
        Ok((store::insert_image(tx, &new)?, true))
    });
    match written.await {
        Err(error) => Err(undo(db, files, claim, error).await),
        written => written,
    }
}

/// Whether the file of an image is there, as large as it was. One that is not is put there again.
async fn is_whole(files: &Files, row: &ImageRow) -> Result<bool> {
    let size = files.storage.size(&row.hash, ORIGINAL).await?;
    Ok(size.is_some_and(|size| i64::try_from(size).is_ok_and(|size| size == row.bytes)))
}

/// Takes back what was begun, unless the image was there before.
async fn undo(db: &Db, files: &Files, claim: Claim, error: Error) -> Error {
    let hash = claim.hash().to_owned();
    let there = db
        .read(move |read| Ok(store::find_by_hash(read.conn, &hash)?.is_some()))
        .await;
    let undone = match there {
        Ok(true) => claims::release(db, claim).await,
        Ok(false) => claims::remove_files(db, files, claim).await,
        // Settled when the claim runs out.
        Err(error) => Err(error),
    };
    if let Err(error) = undone {
        log::warn!("what an upload left is removed later: {error}");
    }
    error
}

/// Takes in a file that is in memory: for imports.
pub async fn ingest_bytes(db: &Db, files: &Files, bytes: &[u8], alt: Option<String>) -> Result<(ImageRow, bool)> {
    let mut file = files.temporary().map_err(disk)?;
    file.write_all(bytes).map_err(disk)?;
    file.as_file().sync_all().map_err(disk)?;
    let hash = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let bytes = i64::try_from(bytes.len()).map_err(Error::internal)?;
    let file = ReceivedFile {
        path: file.into_temp_path(),
        hash,
        bytes,
    };
    ingest(
        db,
        files,
        Upload {
            file: Some(file),
            alt,
            ..Upload::default()
        },
        None,
    )
    .await
}
