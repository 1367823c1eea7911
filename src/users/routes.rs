//! HTTP of accounts.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};

use super::model::{NewUser, UserPatch};
use super::store;
use crate::auth::model::User;
use crate::auth::{Admin, Auth};
use crate::db::Db;
use crate::db::cursor::{Cursor, Scope};
use crate::error::{Error, Result};
use crate::web::page::address;
use crate::web::{Data, FromPairs, Json, NoQuery, Page, Paging, Pairs, PathId, Query, Reply};

/// The part of a list that is asked for, by id.
pub(super) struct ById(pub(super) Paging);

impl FromPairs for ById {
    fn from_pairs(pairs: &mut Pairs) -> Self {
        Self(Paging::by_cursor(pairs))
    }
}

impl ById {
    /// The id to begin after.
    pub(super) fn after(&self, scope: &Scope) -> Result<i64> {
        let cursor = self.0.cursor(scope, 1)?;
        Ok(cursor.and_then(|cursor| cursor.numbers.first().copied()).unwrap_or(0))
    }

    /// The answer, of rows that may be one more than were asked for.
    pub(super) fn page<T>(
        &self,
        rows: Vec<T>,
        scope: &Scope,
        request: &HttpRequest,
        id: impl FnOnce(&T) -> i64,
    ) -> Page<T> {
        Page::part(rows, &self.0, None, &address(request), |row| {
            let cursor = Cursor {
                numbers: vec![id(row)],
                text: String::new(),
            };
            cursor.encode(scope)
        })
    }
}

/// List the accounts.
///
/// For admins. All accounts by id; go on with `cursor`. Costs the same on each page.
#[utoipa::path(
    tag = "users",
    operation_id = "list_users",
    security(("bearer" = [])),
    params(
        ("limit" = Option<i64>, Query, description = "Accounts wanted, 20 where absent.", minimum = 1, maximum = 100, example = 20),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the part before.", pattern = "^[A-Za-z0-9_-]+$", example = "AQIDBAUGBwgBAAAAAAAAABQ"),
    ),
    responses((status = 200, description = "Accounts.", body = Page<User>)),
)]
#[get("/users")]
pub async fn list_users(
    _admin: Admin,
    request: HttpRequest,
    Query(part): Query<ById>,
    db: web::Data<Db>,
) -> Result<Reply> {
    let scope = Scope::of(["users"]);
    let after = part.after(&scope)?;
    let limit = part.0.limit + 1;
    let rows = db
        .read(move |read| Ok(store::list_users(read.conn, after, limit)?))
        .await?;
    Ok(Reply::page(&part.page(rows, &scope, &request, |user| user.id))?.uncached())
}

/// Make an account.
///
/// For admins. It may sign in at once. Costs a password hash and one write. 409 `email_taken` where another account
/// has the e-mail address, whatever its case and width.
#[utoipa::path(
    tag = "users",
    operation_id = "create_user",
    security(("bearer" = [])),
    request_body = NewUser,
    responses(
        (status = 201, description = "The account.", body = Data<User>, headers(("Location" = String, description = "Where it is."))),
        (status = 409, description = "`email_taken`."),
    ),
)]
#[post("/users")]
pub async fn create_user(
    _admin: Admin,
    _query: NoQuery,
    Json(new): Json<NewUser>,
    db: web::Data<Db>,
    auth: web::Data<Auth>,
) -> Result<Reply> {
    new.check()?;
    let hash = auth.passwords.hash(new.password.clone()).await?;
    let user = db.write(move |tx| store::insert_user(tx, &new, &hash)).await?;
    Ok(Reply::data(&user)?
        .created(format!("/api/v1/users/{}", user.id))
        .uncached())
}

/// Read an account.
///
/// For admins. One's own account is at `/api/v1/auth/me`. Costs one statement. 404 where there is none of that id.
#[utoipa::path(
    tag = "users",
    operation_id = "get_user",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The account's id.", minimum = 1, example = 1)),
    responses((status = 200, description = "The account.", body = Data<User>)),
)]
#[get("/users/{id}")]
pub async fn get_user(_admin: Admin, PathId(id): PathId, _query: NoQuery, db: web::Data<Db>) -> Result<Reply> {
    let user = db.read(move |read| Ok(store::find_user(read.conn, id)?)).await?;
    Ok(Reply::data(&user.ok_or_else(Error::not_found)?)?.uncached())
}

/// Change an account.
///
/// For admins. A new role holds from the account's next request on; a new password, or `active: false`, ends all
/// its sign-ins, one's own too. Costs one write, and a hash for a new password. 404 where there is none of that id;
/// 409 `email_taken` where another account has the e-mail address, `last_admin` where no active admin would remain.
#[utoipa::path(
    tag = "users",
    operation_id = "update_user",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The account's id.", minimum = 1, example = 1)),
    request_body(content((UserPatch = "application/merge-patch+json"), (UserPatch = "application/json"))),
    responses(
        (status = 200, description = "The account as it is now.", body = Data<User>),
        (status = 409, description = "`email_taken`, `last_admin`."),
    ),
)]
#[patch("/users/{id}")]
pub async fn update_user(
    _admin: Admin,
    PathId(id): PathId,
    _query: NoQuery,
    Json(patch): Json<UserPatch>,
    db: web::Data<Db>,
    auth: web::Data<Auth>,
) -> Result<Reply> {
    let (mut changes, password) = patch.check()?;
    if let Some(password) = password {
        changes.password_hash = Some(auth.passwords.hash(password).await?);
    }
    let user = db.write(move |tx| store::update_user(tx, id, &changes)).await?;
    Ok(Reply::data(&user)?.uncached())
}

/// Delete an account.
///
/// For admins. Its tokens are good no longer, its articles and images stay, and its id is never used again. Costs
/// one write. 404 where there is none of that id; 409 `last_admin` where no active admin would remain.
#[utoipa::path(
    tag = "users",
    operation_id = "delete_user",
    security(("bearer" = [])),
    params(("id" = i64, Path, description = "The account's id.", minimum = 1, example = 2)),
    responses(
        (status = 204, description = "Deleted."),
        (status = 409, description = "`last_admin`."),
    ),
)]
#[delete("/users/{id}")]
pub async fn delete_user(
    _admin: Admin,
    PathId(id): PathId,
    _query: NoQuery,
    db: web::Data<Db>,
) -> Result<HttpResponse> {
    db.write(move |tx| store::delete_user(tx, id)).await?;
    Ok(Reply::empty())
}
