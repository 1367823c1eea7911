//! HTTP of images.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};
use utoipa::ToSchema;

use super::claims::{self, Claim};
use super::files::Files;
use super::ingest::ingest;
use super::model::{Image, ImagePatch, ImageRow, check_texts};
use super::store;
use super::upload::Upload;
use crate::auth::{Contributor, Viewer};
use crate::db::cursor::{Cursor, Scope};
use crate::db::{Db, Sight, Tx, next_due};
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
    /// What it shows, for those who do not see it.
    #[schema(example = "封面", max_length = 1000, nullable = false)]
    alt: Option<String>,
    /// Text to be shown below it.
    #[schema(example = "图1", max_length = 1000, nullable = false)]
    caption: Option<String>,
    /// Who made it, to be named beside it.
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
struct List {
    paging: Paging,
    used: Option<bool>,
}

impl FromPairs for List {
    fn from_pairs(pairs: &mut Pairs) -> Self {
        Self {
            paging: Paging::by_cursor(pairs),
            used: pairs.flag("used"),
        }
    }
}

/// What comes along with one image.
struct Show {
    used_by: bool,
}

impl FromPairs for Show {
    fn from_pairs(pairs: &mut Pairs) -> Self {
        Self {
            used_by: !pairs.choices("include", &["used_by"]).is_empty(),
        }
    }
}

/// Upload an image.
///
/// For contributors. What it is follows from its bytes; the declared name and type are ignored. The same bytes
/// again answer 200 with the image that is there, whose texts stay. Costs one decoding, so that a broken file is
/// refused now, and waits for its turn where many are uploaded. 413 for what is too large, 415 for what is no
/// image, 422 for what is damaged or a text that is wrong, 503 after 20 seconds of waiting, or while the same bytes
/// come or go.
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
/// For whoever sees drafts (with a key that only reads 403). All of them, or those that nothing shows, or those
/// that something shows, the newest first; go on with `cursor`. Costs the same on each page; `used` also reads past
/// those that are not meant.
#[utoipa::path(
    tag = "images",
    operation_id = "list_images",
    params(
        ("used" = Option<bool>, Query, description = "`true` for what an article or a by-line shows, `false` for what nothing shows.", example = false),
        ("limit" = Option<i64>, Query, description = "Images wanted, 20 where absent.", example = 20, minimum = 1, maximum = 100),
        ("cursor" = Option<String>, Query, description = "`meta.next_cursor` of the list before.", example = "AQIDBAUGBwgBAAAAAAAAAAc", pattern = "^[A-Za-z0-9_-]+$"),
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
    let Query(List { paging, used }) = query;
    let scope = Scope::of(match used {
        None => ["images", ""],
        Some(true) => ["images", "used"],
        Some(false) => ["images", "unused"],
    });
    let after = paging.cursor(&scope, 1)?;
    let limit = paging.limit + 1;
    let rows = db
        .read(move |read| Ok(store::list_images(read.conn, used, after.as_ref(), limit)?))
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
/// Open to everyone, as far as a visible article or a by-line shows it; whoever sees drafts reads all. Costs a few
/// statements, however many articles show it; `include=used_by` reads up to a hundred of them. 404 for what is not
/// there, and for what the caller may not see.
#[utoipa::path(
    tag = "images",
    operation_id = "get_image",
    params(
        ("id" = i64, Path, description = "Id of the image.", example = 7, minimum = 1),
        ("include" = Option<Vec<String>>, Query, description = "`used_by`: what shows it.", example = json!(["used_by"]), style = Form, explode = false, max_items = 1, format = "one of used_by"),
    ),
    security((), ("bearer" = [])),
    responses((status = 200, description = "The image.", body = Data<Image>)),
)]
#[get("/images/{id}")]
pub async fn get_image(
    viewer: Viewer,
    id: PathId,
    query: Query<Show>,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let (PathId(id), Query(show)) = (id, query);
    let (row, used_by, due) = db
        .read(move |read| {
            let sight = viewer.sight();
            let row = store::find_image(read.conn, id, sight, read.now)?.ok_or_else(Error::not_found)?;
            let used_by = show.used_by.then(|| store::load_uses(read.conn, id, sight, read.now));
            let due = if show.used_by { next_due(read)? } else { None };
            Ok((row, used_by.transpose()?, due))
        })
        .await?;
    let image = Image {
        used_by,
        ..row.into_image(&origin.0)
    };
    Ok(Reply::data(&image)?
        .next_due(due)
        .tag(format!("image:{id}"))
        .tag("articles"))
}

/// Change an image's texts and focal point.
///
/// For contributors, of what they uploaded, while drafts alone show it (403); editors change every image. A JSON
/// Merge Patch: absent keeps, `null` clears. Articles that show it show the new texts at once. After a new focal
/// point the crops have new addresses; those that were loaded before show what they showed. Costs one write. 404
/// where there is none of that id.
#[utoipa::path(
    tag = "images",
    operation_id = "update_image",
    params(("id" = i64, Path, description = "Id of the image.", example = 7, minimum = 1)),
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
/// For contributors, of what they uploaded (403); editors delete every image. Its files go with it. Costs one
/// write, and the removal of the files. 404 where there is none of that id; 409 `in_use` while an article, of any
/// status, or a by-line shows it; 503 while the same bytes are being uploaded.
#[utoipa::path(
    tag = "images",
    operation_id = "delete_image",
    params(("id" = i64, Path, description = "Id of the image.", example = 7, minimum = 1)),
    security(("bearer" = [])),
    responses((status = 204, description = "It is gone."), (status = 409, description = "`in_use`.")),
)]
#[delete("/images/{id}")]
pub async fn delete_image(
    input: Then<Contributor, PathId>,
    _query: NoQuery,
    db: web::Data<Db>,
    files: web::Data<Files>,
) -> Result<HttpResponse> {
    let Then(Contributor(viewer), PathId(id)) = input;
    let claim = db
        .write(move |tx| {
            let row = editable(tx, &viewer, id)?;
            store::delete_image(tx, id)?;
            let claim = Claim::insert(tx, &row.hash)?;
            claim.ok_or_else(|| Error::unavailable("the same file is being uploaded"))
        })
        .await?;
    // The files go when it is certain that the row is gone; if not now, then later.
    let (db, files) = (Db::clone(&db), Files::clone(&files));
    let removed = tokio::spawn(async move { claims::remove_files(&db, &files, claim).await });
    if let Err(error) = removed.await.map_err(Error::internal)? {
        log::warn!("the files of image {id} are removed later: {error}");
    }
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
