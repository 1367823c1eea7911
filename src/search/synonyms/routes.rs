//! HTTP of synonyms.

use actix_web::{get, put, web};

use super::model::Synonyms;
use super::store;
use crate::auth::Editor;
use crate::db::Db;
use crate::error::Result;
use crate::web::{Data, Json, NoQuery, Reply, Then};

/// Read the synonyms.
///
/// For editors: all groups, in the order in which they were written. A new site has a list of words that differ
/// between the mainland, Taiwan and Hong Kong. Costs one statement.
#[utoipa::path(
    tag = "search",
    operation_id = "get_synonyms",
    security(("bearer" = [])),
    responses((status = 200, description = "All groups.", body = Data<Synonyms>)),
)]
#[get("/search/synonyms")]
pub async fn get_synonyms(_query: Then<Editor, NoQuery>, db: web::Data<Db>) -> Result<Reply> {
    let groups = db.read(|read| Ok(store::load_groups(read.conn)?)).await?;
    Reply::data(&Synonyms { groups })
}

/// Replace the synonyms.
///
/// For editors: what is sent takes the place of all groups, and holds from the next search on. A word of a query
/// that is in a group finds the others as well; not in `"phrases"` and not in `-exclusions`. A word of more than
/// twelve Han characters, or Latin words, is known only where it is all that is asked for. Costs one write of all
/// words; no article is indexed anew. 422 names every word that is wrong; of a word that comes twice, both places.
#[utoipa::path(
    tag = "search",
    operation_id = "replace_synonyms",
    request_body(content = Synonyms, content_type = "application/json"),
    security(("bearer" = [])),
    responses((status = 200, description = "The groups as they are now.", body = Data<Synonyms>)),
)]
#[put("/search/synonyms")]
pub async fn replace_synonyms(body: Then<Editor, Json<Synonyms>>, _query: NoQuery, db: web::Data<Db>) -> Result<Reply> {
    let Then(_editor, Json(body)) = body;
    let rows = body.check()?;
    let groups = db
        .write(move |tx| {
            store::replace_all(tx, &rows)?;
            Ok(store::load_groups(tx.conn)?)
        })
        .await?;
    Reply::data(&Synonyms { groups })
}
