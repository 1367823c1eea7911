//! From a file to an image: decode it once, put it in its place, write its row; the row last.

use std::io::Write;

use sha2::{Digest, Sha256};

use super::files::Files;
use super::model::{ImageRow, NewImage};
use super::store;
use super::upload::{ReceivedFile, Upload};
use crate::db::Db;
use crate::error::{Code, Error, Result};

/// Takes an upload in. The same bytes again give the image that is there, with its own texts; then the second value is
/// false.
pub async fn ingest(db: &Db, files: &Files, upload: Upload, created_by: Option<i64>) -> Result<(ImageRow, bool)> {
    let Some(ReceivedFile { path, hash, bytes }) = upload.file else {
        return Err(Error::internal("an upload without a file"));
    };
    if bytes == 0 {
        return Err(Error::new(Code::UnsupportedMediaType));
    }
    let known = hash.clone();
    if let Some(row) = db.read(move |read| Ok(store::find_by_hash(read.conn, &known)?)).await? {
        return Ok((row, false));
    }
    let probed = files.probe(path.to_path_buf()).await?;
    let files = files.clone();
    db.write(move |tx| {
        // Uploads and deletions one at a time: the file is in its place when its row is, and only then.
        tx.lock_name("media")?;
        if let Some(row) = store::find_by_hash(tx.conn, &hash)? {
            return Ok((row, false));
        }
        let new = NewImage {
            media_type: probed.media_type.to_owned(),
            width: i32::try_from(probed.width).map_err(Error::internal)?,
            height: i32::try_from(probed.height).map_err(Error::internal)?,
            bytes,
            transparent: probed.transparent,
            alt: upload.alt,
            caption: upload.caption,
            credit: upload.credit,
            focal_x: upload.focal_x.unwrap_or(0.5),
            focal_y: upload.focal_y.unwrap_or(0.5),
            created_by,
            created_at: tx.now,
            hash,
        };
        files.keep(path, &new.hash).map_err(Error::internal)?;
        Ok((store::insert_image(tx, &new)?, true))
    })
    .await
}

/// Takes in a file that is in memory: for imports.
pub async fn ingest_bytes(db: &Db, files: &Files, bytes: &[u8], alt: Option<String>) -> Result<(ImageRow, bool)> {
    let mut file = files.temporary().map_err(Error::internal)?;
    file.write_all(bytes).map_err(Error::internal)?;
    file.as_file().sync_all().map_err(Error::internal)?;
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
