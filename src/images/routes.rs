//! HTTP of images.

use actix_files::NamedFile;
use actix_web::http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, VARY,
};
use actix_web::{FromRequest, HttpRequest, HttpResponse, delete, get, patch, post, web};
use utoipa::ToSchema;

use super::files::Files;
use super::ingest::ingest;
use super::model::{Image, ImagePatch, ImageRow, check_texts};
use super::store;
use super::upload::Upload;
use super::variants::{Size, Variant, negotiate};
use crate::auth::{Contributor, Editor, Viewer};
use crate::db::cursor::{Cursor, Scope};
use crate::db::{Db, Sight, Tx};
use crate::error::{Error, Result};
use crate::web::body::Checks;
use crate::web::page::address;
use crate::web::{Data, FromPairs, Json, NoQuery, Page, Paging, Pairs, PathId, PublicUrl, Query, Reply, Then};

/// The form of an upload.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the form for the document")]
struct UploadForm {
    /// The picture: JPEG, PNG, WebP or GIF by its content, at most 20 MiB, 12,000 pixels a side and 50 megapixels.
    #[schema(value_type = String, format = Binary)]
    file: String,
    /// Text for who does not see it.
    #[schema(example = "封面", max_length = 1000, nullable = false)]
    alt: Option<String>,
    /// Text below it.
    #[schema(example = "图1", max_length = 1000, nullable = false)]
    caption: Option<String>,
    /// Who made it.
    #[schema(example = "新华社", max_length = 200, nullable = false)]
    credit: Option<String>,
    /// The point that crops keep, from the left.
    #[schema(example = 0.5, minimum = 0, maximum = 1, nullable = false)]
    focal_x: Option<f64>,
    /// The point that crops keep, from the top.
    #[schema(example = 0.5, minimum = 0, maximum = 1, nullable = false)]
    focal_y: Option<f64>,
}

/// A part of the list.
struct List(Paging);

impl FromPairs for List {
    fn from_pairs(pairs: &mut Pairs) -> Self {
        Self(Paging::by_cursor(pairs))
    }
}

/// Upload an image.
///
/// What it is follows from its bytes; the declared name and type are ignored. It is decoded once here, so that a broken
/// file is refused now. The same bytes again answer 200 with the image that is there, whose texts stay. For who may
/// write. 415 for what is no image, 413 for what is too large, 422 for what is damaged.
#[utoipa::path(
    tag = "images",
    operation_id = "upload_image",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    security(("bearer" = [])),
    responses(
        (status = 201, description = "The image, new.", body = Data<Image>, headers(("Location" = String, description = "Its address, relative to the origin."))),
        (status = 200, description = "The image, which was there.", body = Data<Image>),
    ),
)]
#[post("/images")]
pub async fn upload_image(
    input: Then<Contributor, Upload>,
    _query: NoQuery,
    db: web::Data<Db>,
    files: web::Data<Files>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let Then(Contributor(viewer), upload) = input;
    let mut checks = Checks::default();
    check_texts(
        &mut checks,
        upload.alt.as_deref(),
        upload.caption.as_deref(),
        upload.credit.as_deref(),
    );
    checks.finish()?;
    let (row, new) = ingest(&db, &files, upload, viewer.user_id()).await?;
    let location = format!("/api/v1/images/{}", row.id);
    let reply = Reply::data(&row.into_image(&origin.0))?;
    Ok(if new { reply.created(location) } else { reply })
}

/// List images.
///
/// All of them, the newest first; for who may see drafts.
#[utoipa::path(
    tag = "images",
    operation_id = "list_images",
    params(
        ("limit" = Option<i64>, Query, description = "Rows wanted.", example = 20, minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`meta.next_cursor` of the list before.", example = "AQIDBAUGBwgBAAAAAAAAAAc"),
    ),
    security(("bearer" = [])),
    responses((status = 200, description = "Images.", body = Page<Image>)),
)]
#[get("/images")]
pub async fn list_images(
    request: HttpRequest,
    viewer: Viewer,
    query: Query<List>,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    viewer.require(viewer.sight() != Sight::Public)?;
    let Query(List(paging)) = query;
    let scope = Scope::of(["images"]);
    let after = paging.cursor(&scope, 1)?;
    let limit = paging.limit + 1;
    let rows = db
        .read(move |read| Ok(store::list_images(read.conn, after.as_ref(), limit)?))
        .await?;
    let page = Page::part(rows, &paging, None, &address(&request), |row| {
        Cursor {
            numbers: vec![row.id],
            text: String::new(),
        }
        .encode(&scope)
    });
    Reply::page(&page.map(|row| row.into_image(&origin.0)))
}

/// Read one image.
///
/// Everybody reads what a visible article or a by-line shows; who may see drafts reads all.
#[utoipa::path(
    tag = "images",
    operation_id = "get_image",
    params(("id" = i64, Path, description = "Its id.", example = 7, minimum = 1)),
    security((), ("bearer" = [])),
    responses((status = 200, description = "The image.", body = Data<Image>)),
)]
#[get("/images/{id}")]
pub async fn get_image(
    viewer: Viewer,
    id: PathId,
    _query: NoQuery,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let PathId(id) = id;
    let row = db
        .read(move |read| store::find_image(read.conn, id, viewer.sight(), read.now)?.ok_or_else(Error::not_found))
        .await?;
    Ok(Reply::data(&row.into_image(&origin.0))?
        .tag(format!("image:{id}"))
        .tag("articles"))
}

/// Change an image's texts and focal point.
///
/// A JSON Merge Patch. Articles that show it show the new texts at once. Contributors change what they
/// uploaded, while drafts alone show it.
#[utoipa::path(
    tag = "images",
    operation_id = "update_image",
    params(("id" = i64, Path, description = "Its id.", example = 7, minimum = 1)),
    request_body(content((ImagePatch = "application/json"), (ImagePatch = "application/merge-patch+json"))),
    security(("bearer" = [])),
    responses((status = 200, description = "The image.", body = Data<Image>)),
)]
#[patch("/images/{id}")]
pub async fn update_image(
    input: Then<Contributor, Then<PathId, Json<ImagePatch>>>,
    _query: NoQuery,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let Then(Contributor(viewer), Then(PathId(id), Json(patch))) = input;
    let row = db
        .write(move |tx| {
            editable(tx, &viewer, id)?;
            Ok(store::update_image(tx, id, &patch.check()?)?)
        })
        .await?;
    Reply::data(&row.into_image(&origin.0))
}

/// Delete an image.
///
/// With its files. 409 while an article or a by-line shows it. Contributors delete what they uploaded.
#[utoipa::path(
    tag = "images",
    operation_id = "delete_image",
    params(("id" = i64, Path, description = "Its id.", example = 7, minimum = 1)),
    security(("bearer" = [])),
    responses((status = 204, description = "It is gone."), (status = 409, description = "Something shows it.")),
)]
#[delete("/images/{id}")]
pub async fn delete_image(
    input: Then<Contributor, PathId>,
    _query: NoQuery,
    db: web::Data<Db>,
    files: web::Data<Files>,
) -> Result<HttpResponse> {
    let Then(Contributor(viewer), PathId(id)) = input;
    let hash = db
        .write(move |tx| {
            tx.lock_name("media")?;
            let row = editable(tx, &viewer, id)?;
            store::delete_image(tx, id)?;
            Ok(row.hash)
        })
        .await?;
    // The files go when it is certain that the row is gone, and unless the same bytes came back meanwhile.
    db.write(move |tx| {
        tx.lock_name("media")?;
        match store::find_by_hash(tx.conn, &hash)? {
            Some(_again) => Ok(()),
            None => files.remove(&hash).map_err(Error::internal),
        }
    })
    .await?;
    Ok(Reply::empty())
}

/// The image, if the viewer may edit it.
fn editable(tx: &mut Tx<'_>, viewer: &Viewer, id: i64) -> Result<ImageRow> {
    let row = store::find_image(tx.conn, id, Sight::All, tx.now)?.ok_or_else(Error::not_found)?;
    let own = viewer.user_id().is_some() && viewer.user_id() == row.created_by;
    // What readers see is for who may publish.
    let allowed = viewer.may_publish() || (own && !store::is_published(tx.conn, id)?);
    viewer.require(allowed)?;
    Ok(row)
}

/// Load a file of an image.
///
/// `w320`, `w640`, `w960`, `w1280` or `w1920` with `.webp`, `.jpg` or `.png`, or without an ending by `Accept`; made when
/// first asked for, never larger than the original, kept for ever under this address. Of an animation it is the first
/// frame. `.jpg` of a transparent picture stands on white. Whoever has the address may see the file. `original` is the
/// uploaded file, for editors.
#[utoipa::path(
    tag = "images",
    operation_id = "get_media",
    params(
        ("hash" = String, Path, description = "The image's hash.", example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", pattern = "^[0-9a-f]{64}$"),
        ("variant" = String, Path, description = "The variant's name.", example = "w960.webp"),
    ),
    security((), ("bearer" = [])),
    responses(
        (status = 200, description = "The file.", content((String = "image/webp"), (String = "image/jpeg"), (String = "image/png"))),
        (status = 206, description = "The part of it that `Range` asks for."),
        (status = 304, description = "It is what `If-None-Match` names."),
    ),
)]
#[get("/{hash}/{variant}")]
pub async fn get_media(
    request: HttpRequest,
    path: web::Path<(String, String)>,
    _query: NoQuery,
    files: web::Data<Files>,
) -> Result<HttpResponse> {
    let (hash, name) = path.into_inner();
    if hash.len() != 64 || !hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)) {
        return Err(Error::not_found());
    }
    let (file, media_type, vary) = if name == "original" {
        Editor::extract(&request).await?;
        (files.original(&hash), None, "Authorization")
    } else if let Some(variant) = Variant::parse(&name) {
        (
            files.variant(&hash, variant).await?,
            Some(variant.format.media_type()),
            "",
        )
    } else {
        let size = Size::parse(&name).ok_or_else(Error::not_found)?;
        let accept = request.headers().get(ACCEPT).and_then(|value| value.to_str().ok());
        let variant = Variant {
            size,
            format: negotiate(accept),
        };
        (
            files.variant(&hash, variant).await?,
            Some(variant.format.media_type()),
            "Accept",
        )
    };
    let file = NamedFile::open_async(&file).await.map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            Error::not_found()
        } else {
            Error::internal(error)
        }
    })?;
    let mut response = file
        .prefer_utf8(false)
        .disable_content_disposition()
        .into_response(&request);
    let headers = response.headers_mut();
    let (caching, media_type) = match media_type {
        Some(media_type) => ("public, max-age=31536000, immutable", media_type),
        // As it came; nothing that a browser would run.
        None => ("private, no-store", "application/octet-stream"),
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    if !vary.is_empty() {
        headers.insert(VARY, HeaderValue::from_static(vary));
    }
    Ok(response)
}
