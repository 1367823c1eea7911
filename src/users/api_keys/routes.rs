//! HTTP of API keys.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};

use super::super::routes::ById;
use super::model::{ApiKey, ApiKeyPatch, CreatedApiKey, NewApiKey};
use super::store;
use crate::auth::{Admin, secret};
use crate::db::cursor::Scope;
use crate::db::{Db, Timestamp};
use crate::error::{Error, Result};
use crate::web::{Data, Json, NoQuery, Page, PathId, Query, Reply};

/// List the API keys.
///
/// For admins. All keys by id, revoked ones included; go on with `cursor`. Costs the same on each page.
#[utoipa::path(
    tag = "users",
    operation_id = "list_api_keys",
    security(("bearer" = [])),
    params(
        ("limit" = Option<i64>, Query, description = "Keys wanted, 20 where absent.", minimum = 1, maximum = 100, example = 20),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the part before.", pattern = "^[A-Za-z0-9_-]+$", example = "AQIDBAUGBwgBAAAAAAAAABQ"),
    ),
    responses((status = 200, description = "Keys.", body = Page<ApiKey>)),
)]
#[get("/api-keys")]
pub async fn list_api_keys(
    _admin: Admin,
    request: HttpRequest,
    Query(part): Query<ById>,
    db: web::Data<Db>,
) -> Result<Reply> {
    let scope = Scope::of(["api_keys"]);
    let after = part.after(&scope)?;
    let limit = part.0.limit + 1;
    let rows = db
        .read(move |read| Ok(store::list_api_keys(read.conn, after, limit)?))
        .await?;
    Ok(Reply::page(&part.page(rows, &scope, &request, |key| key.id))?.uncached())
}

/// Make an API key.
///
/// For admins. The answer has `key`, which is shown this once: what is stored is its digest. It is good at once,
/// until it ends or is revoked or deleted; the admin who made it may go. Costs one write. 422 where `expires_at` is
/// not in the future.
#[utoipa::path(
    tag = "users",
    operation_id = "create_api_key",
    security(("bearer" = [])),
    request_body = NewApiKey,
    responses((status = 201, description = "The key, with what opens.", body = Data<CreatedApiKey>, headers(("Location" = String, description = "Where it is.")))),
)]
#[post("/api-keys")]
pub async fn create_api_key(
    _admin: Admin,
    _query: NoQuery,
    Json(new): Json<NewApiKey>,
    db: web::Data<Db>,
) -> Result<Reply> {
    new.check(Timestamp::now())?;
    let key = format!("{}{}", secret::API_KEY_MARK, secret::random()?);
    let kept = key.clone();
    let api_key = db.write(move |tx| Ok(store::insert_api_key(tx, &new, &kept)?)).await?;
    let location = format!("/api/v1/api-keys/{}", api_key.id);
    Ok(Reply::data(&CreatedApiKey { api_key, key })?
        .created(location)
        .uncached())
}

/// Read an API key.
///
/// For admins. What opens is not in it. Costs one statement. 404 where there is none of that id.
#[utoipa::path(
    tag = "users",
    operation_id = "get_api_key",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The key's id.", minimum = 1, example = 1)),
    responses((status = 200, description = "The key.", body = Data<ApiKey>)),
)]
#[get("/api-keys/{id}")]
pub async fn get_api_key(_admin: Admin, PathId(id): PathId, _query: NoQuery, db: web::Data<Db>) -> Result<Reply> {
    let key = db.read(move |read| Ok(store::find_api_key(read.conn, id)?)).await?;
    Ok(Reply::data(&key.ok_or_else(Error::not_found)?)?.uncached())
}

/// Change an API key.
///
/// For admins. `revoked: true` ends it from the next request on, for good; its scope stays what it is. Costs one
/// write. 404 where there is none of that id; 422 where `expires_at` is not in the future, and for `revoked:
/// false`.
#[utoipa::path(
    tag = "users",
    operation_id = "update_api_key",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The key's id.", minimum = 1, example = 1)),
    request_body(content((ApiKeyPatch = "application/merge-patch+json"), (ApiKeyPatch = "application/json"))),
    responses((status = 200, description = "The key as it is now.", body = Data<ApiKey>)),
)]
#[patch("/api-keys/{id}")]
pub async fn update_api_key(
    _admin: Admin,
    PathId(id): PathId,
    _query: NoQuery,
    Json(patch): Json<ApiKeyPatch>,
    db: web::Data<Db>,
) -> Result<Reply> {
    let changes = patch.check(Timestamp::now())?;
    let key = db.write(move |tx| store::update_api_key(tx, id, &changes)).await?;
    Ok(Reply::data(&key)?.uncached())
}

/// Delete an API key.
///
/// For admins. It is good no longer, from the next request on. Costs one write. 404 where there is none of that id.
#[utoipa::path(
    tag = "users",
    operation_id = "delete_api_key",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The key's id.", minimum = 1, example = 1)),
    responses((status = 204, description = "Deleted.")),
)]
#[delete("/api-keys/{id}")]
pub async fn delete_api_key(
    _admin: Admin,
    PathId(id): PathId,
    _query: NoQuery,
    db: web::Data<Db>,
) -> Result<HttpResponse> {
    db.write(move |tx| store::delete_api_key(tx, id)).await?;
    Ok(Reply::empty())
}
