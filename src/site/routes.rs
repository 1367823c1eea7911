//! HTTP of the site.

use actix_web::{get, patch, web};

use super::model::{Site, SitePatch};
use super::store;
use crate::auth::{Editor, Viewer};
use crate::config::Config;
use crate::db::{Db, Subject};
use crate::error::Result;
use crate::web::{Data, Json, NoQuery, Reply, Then};

/// Read the site.
///
/// Open to everyone: name, language, zone, navigation. Costs one statement.
#[utoipa::path(
    tag = "site",
    operation_id = "get_site",
    security((), ("bearer" = [])),
    responses((status = 200, description = "The site.", body = Data<Site>)),
)]
#[get("/site")]
pub async fn get_site(_viewer: Viewer, _query: NoQuery, db: web::Data<Db>, config: web::Data<Config>) -> Result<Reply> {
    let site = db.read(|read| Ok(store::find_site(read.conn)?)).await?;
    Ok(Reply::data(&site.into_site(config.time_zone)?)?
        .tag("site")
        .made_of([Subject::Site]))
}

/// Change the site.
///
/// For editors. What is absent stays; `null` clears what need not be there. Articles show a new `article_url` at
/// once. Costs one write. 422 names every field that is wrong.
#[utoipa::path(
    tag = "site",
    operation_id = "update_site",
    request_body(content((SitePatch = "application/merge-patch+json"), (SitePatch = "application/json"))),
    security(("bearer" = [])),
    responses((status = 200, description = "The site as it is now.", body = Data<Site>)),
)]
#[patch("/site")]
pub async fn update_site(
    body: Then<Editor, Json<SitePatch>>,
    _query: NoQuery,
    db: web::Data<Db>,
    config: web::Data<Config>,
) -> Result<Reply> {
    let Then(_editor, Json(body)) = body;
    let changes = body.check()?;
    let site = db.write(move |tx| Ok(store::update_site(tx, &changes)?)).await?;
    Reply::data(&site.into_site(config.time_zone)?)
}
