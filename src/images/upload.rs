//! What a multipart form brings: one file, streamed to disk, and a few lines of text.

use std::future::{Future, ready};
use std::pin::Pin;
use std::time::Duration;

use actix_multipart::{Multipart, MultipartError};
use actix_web::dev::Payload;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt;
use sha2::{Digest, Sha256};
use tempfile::TempPath;
use tokio::io::AsyncWriteExt;

use super::files::Files;
use super::storage::disk;
use crate::error::{Code, Error, FieldError, Result};
use crate::web::body::Checks;

/// Largest file, in bytes.
pub const MAX_FILE: usize = 20 << 20;

/// Largest other field, in bytes.
const MAX_TEXT: usize = 16 << 10;

/// Most fields of a form.
const MAX_PARTS: usize = 16;

/// Time in which an upload must have arrived.
const ARRIVAL: Duration = Duration::from_secs(300);

/// A received upload. The declared name and type of the file are not read.
#[derive(Default)]
pub struct Upload {
    /// The file, on disk.
    pub file: Option<ReceivedFile>,
    /// Text for who does not see it.
    pub alt: Option<String>,
    /// Text below it.
    pub caption: Option<String>,
    /// Who made it.
    pub credit: Option<String>,
    /// Focal point from the left.
    pub focal_x: Option<f64>,
    /// Focal point from the top.
    pub focal_y: Option<f64>,
}

/// A file that has arrived whole.
pub struct ReceivedFile {
    /// Where it lies; gone when dropped.
    pub path: TempPath,
    /// SHA-256, 64 hex digits.
    pub hash: String,
    /// Its size.
    pub bytes: i64,
}

impl FromRequest for Upload {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let files = request.app_data::<web::Data<Files>>().cloned();
        let declared = request
            .headers()
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if declared.is_some_and(|bytes| bytes > MAX_FILE + MAX_PARTS * MAX_TEXT) {
            return Box::pin(ready(Err(Error::at_field(
                Code::TooLarge,
                "/file",
                "must have at most 20 MiB",
            ))));
        }
        let form = Multipart::new(request.headers(), payload.take());
        Box::pin(async move {
            let files = files.ok_or_else(|| Error::internal("no files are registered"))?;
            let receiving = tokio::time::timeout(ARRIVAL, receive(form, &files));
            receiving.await.map_err(|_elapsed| Error::new(Code::RequestTimeout))?
        })
    }
}

async fn receive(mut form: Multipart, files: &Files) -> Result<Upload> {
    let mut upload = Upload::default();
    let mut checks = Checks::default();
    let mut unknown = Vec::new();
    let mut seen = Vec::new();
    while let Some(part) = form.next().await {
        let mut part = part.map_err(malformed)?;
        let name = part.name().unwrap_or_default().to_owned();
        let pointer = format!("/{name}");
        if seen.len() >= MAX_PARTS {
            return Err(Error::new(Code::TooLarge));
        }
        if seen.contains(&name) {
            checks.wrong(&pointer, "given more than once");
            return checks.finish().map(|()| upload);
        }
        if name == "file" {
            upload.file = Some(receive_file(&mut part, files).await?);
        } else {
            let text = receive_text(&mut part).await?;
            let text = text.filter(|text| !text.trim().is_empty());
            match (name.as_str(), text) {
                ("alt", text) => upload.alt = text,
                ("caption", text) => upload.caption = text,
                ("credit", text) => upload.credit = text,
                ("focal_x", Some(text)) => upload.focal_x = share(&mut checks, &pointer, &text),
                ("focal_y", Some(text)) => upload.focal_y = share(&mut checks, &pointer, &text),
                ("focal_x" | "focal_y", None) => {}
                _ => unknown.push(FieldError::field(&pointer, Code::UnknownField.name(), "no such field")),
            }
        }
        seen.push(name);
    }
    Error::check_fields(unknown)?;
    if upload.file.is_none() {
        checks.wrong("/file", "is needed");
    }
    checks.finish()?;
    Ok(upload)
}

async fn receive_file(part: &mut actix_multipart::Field, files: &Files) -> Result<ReceivedFile> {
    let (file, path) = files.temporary().map_err(disk)?.into_parts();
    let mut file = tokio::fs::File::from_std(file);
    let mut hash = Sha256::new();
    let mut bytes = 0_usize;
    while let Some(chunk) = part.next().await {
        let chunk = chunk.map_err(malformed)?;
        bytes += chunk.len();
        if bytes > MAX_FILE {
            return Err(Error::at_field(Code::TooLarge, "/file", "must have at most 20 MiB"));
        }
        hash.update(&chunk);
        file.write_all(&chunk).await.map_err(disk)?;
    }
    file.flush().await.map_err(disk)?;
    file.sync_all().await.map_err(disk)?;
    let hash = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(ReceivedFile {
        path,
        hash,
        bytes: i64::try_from(bytes).map_err(Error::internal)?,
    })
}

async fn receive_text(part: &mut actix_multipart::Field) -> Result<Option<String>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = part.next().await {
        let chunk = chunk.map_err(malformed)?;
        if bytes.len() + chunk.len() > MAX_TEXT {
            return Err(Error::new(Code::TooLarge));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map(Some).map_err(malformed)
}

fn share(checks: &mut Checks, pointer: &str, text: &str) -> Option<f64> {
    let share = text.trim().parse().ok().filter(|share| (0.0..=1.0).contains(share));
    if share.is_none() {
        checks.wrong(pointer, "must be a number from 0 to 1");
    }
    share
}

fn malformed(error: impl std::fmt::Display + 'static) -> Error {
    // A request that is no form at all is of the wrong type, rather than malformed.
    let wrong_type = (&error as &dyn std::any::Any)
        .downcast_ref::<MultipartError>()
        .is_some_and(|error| {
            matches!(
                error,
                MultipartError::ContentTypeMissing | MultipartError::ContentTypeIncompatible
            )
        });
    let code = if wrong_type {
        Code::UnsupportedMediaType
    } else {
        Code::BadRequest
    };
    Error {
        cause: Some(error.to_string()),
        ..Error::new(code)
    }
}
