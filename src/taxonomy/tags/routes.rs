//! HTTP of tags.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};

use super::model::{Tag, TagCreate, TagPatch};
use super::{Reindex, store};
use crate::auth::{Editor, Viewer};
use crate::db::{self, Db, Sight, Subject, Timestamp};
use crate::error::Result;
use crate::taxonomy::by_name::{ByName, ByNameParams};
use crate::taxonomy::listed::hold_tree_alone;
use crate::web::page::address;
use crate::web::{Data, Json, NoQuery, Page, PathId, PathText, Query, Reply, Then};

/// List tags.
///
/// Open to everyone: tags that editors made, and those of published articles; whoever sees drafts sees theirs as
/// well. By name, in the order of its characters' code points; go on with `cursor`, and each comes exactly once.
/// Costs the same on each page, but for counting the articles of those on it; `count=exact` counts all tags.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "list_tags",
    params(ByNameParams),
    security((), ("bearer" = [])),
    responses((status = 200, description = "Tags.", body = Page<Tag>)),
)]
#[get("/tags")]
pub async fn list_tags(request: HttpRequest, viewer: Viewer, query: Query<ByName>, db: web::Data<Db>) -> Result<Reply> {
    let Query(list) = query;
    let after = list.after("tags")?;
    let address = address(&request);
    let sight = viewer.sight();
    let (page, due) = db
        .read(move |read| {
            let rows = store::list_tags(read.conn, sight, read.now, after.as_ref(), list.limit())?;
            let total = list
                .count
                .then(|| store::count_tags(read.conn, sight, read.now))
                .transpose()?;
            let page = list.page("tags", rows, total, &address, |tag| (tag.name.clone(), tag.id));
            Ok((page, db::next_due(read)?))
        })
        .await?;
    Ok(Reply::page(&page)?
        .next_due(due)
        .tag("tags")
        .tag("articles")
        .made_of([Subject::Tags, Subject::Listing]))
}

/// Make a tag.
///
/// For editors; tags that an article names are made with it. Costs one write. 409 `name_taken` where another tag
/// has the name (width, case and white space aside), `slug_taken` where one has the slug; 422 where a field is
/// wrong.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "create_tag",
    request_body(content = TagCreate, content_type = "application/json"),
    security(("bearer" = [])),
    responses(
        (status = 201, description = "It is made.", body = Data<Tag>,
            headers(("Location" = String, description = "Where it is."))),
        (status = 409, description = "`name_taken`, `slug_taken`."),
    ),
)]
#[post("/tags")]
pub async fn create_tag(body: Then<Editor, Json<TagCreate>>, _query: NoQuery, db: web::Data<Db>) -> Result<Reply> {
    let Then(_editor, Json(body)) = body;
    let new = body.check()?;
    let tag = db
        .write(move |tx| {
            let id = store::insert_tag(tx, &new)?;
            store::find_tag(tx.conn, Sight::All, tx.now, id)
        })
        .await?;
    Ok(Reply::data(&tag)?.created(format!("/api/v1/tags/{}", tag.id)))
}

/// Read a tag.
///
/// Open to everyone, but for tags of drafts alone, which whoever sees drafts reads. Costs a count of the articles
/// that carry it. 404 where there is none of that id that the caller sees.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "get_tag",
    params(("id" = i64, Path, description = "Id of the tag.", example = 3, minimum = 1)),
    security((), ("bearer" = [])),
    responses((status = 200, description = "The tag.", body = Data<Tag>)),
)]
#[get("/tags/{id}")]
pub async fn get_tag(viewer: Viewer, id: PathId, _query: NoQuery, db: web::Data<Db>) -> Result<Reply> {
    let PathId(id) = id;
    let (tag, due) = db
        .read(move |read| {
            Ok((
                store::find_tag(read.conn, viewer.sight(), read.now, id)?,
                db::next_due(read)?,
            ))
        })
        .await?;
    show(&tag, due)
}

/// Read the tag of a slug.
///
/// Open to everyone, as by id, at the same cost. 404 where no tag that the caller sees has the slug now; former
/// slugs lead nowhere.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "get_tag_by_slug",
    params(("slug" = String, Path, description = "Slug of the tag.", example = "xiao-mi")),
    security((), ("bearer" = [])),
    responses((status = 200, description = "The tag.", body = Data<Tag>)),
)]
#[get("/tags/by-slug/{slug}")]
pub async fn get_tag_by_slug(viewer: Viewer, slug: PathText, _query: NoQuery, db: web::Data<Db>) -> Result<Reply> {
    let PathText(slug) = slug;
    let (tag, due) = db
        .read(move |read| {
            let tag = store::find_tag_by_slug(read.conn, viewer.sight(), read.now, &slug)?;
            Ok((tag, db::next_due(read)?))
        })
        .await?;
    show(&tag, due)
}

/// Change a tag.
///
/// For editors. What is absent stays. Costs one write; a new name is found when the answer comes, which grows with
/// the articles that carry the tag. 404 where there is none of that id; 409 `name_taken` where another tag has the
/// name (width, case and white space aside), `slug_taken` where one has the slug; 422 where a field is wrong.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "update_tag",
    params(("id" = i64, Path, description = "Id of the tag.", example = 3, minimum = 1)),
    request_body(content((TagPatch = "application/merge-patch+json"), (TagPatch = "application/json"))),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The tag as it is now.", body = Data<Tag>),
        (status = 409, description = "`name_taken`, `slug_taken`."),
    ),
)]
#[patch("/tags/{id}")]
pub async fn update_tag(
    body: Then<Editor, Then<PathId, Json<TagPatch>>>,
    _query: NoQuery,
    db: web::Data<Db>,
    reindex: web::Data<Reindex>,
) -> Result<Reply> {
    let Then(_editor, Then(PathId(id), Json(body))) = body;
    let changes = body.check()?;
    let renamed = changes.name.is_some();
    let tag = db
        .write(move |tx| {
            store::update_tag(tx, id, &changes)?;
            if renamed {
                store::note_articles(tx, id)?;
            }
            store::find_tag(tx.conn, Sight::All, tx.now, id)
        })
        .await?;
    if renamed {
        reindex.all(&db).await?;
    }
    Reply::data(&tag)
}

/// Remove a tag.
///
/// For editors. Articles that carry it lose it, and are not found by it any more. Costs a write that grows with
/// these articles. 404 where there is none of that id.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "delete_tag",
    params(("id" = i64, Path, description = "Id of the tag.", example = 3, minimum = 1)),
    security(("bearer" = [])),
    responses((status = 204, description = "It is gone.")),
)]
#[delete("/tags/{id}")]
pub async fn delete_tag(
    id: Then<Editor, PathId>,
    _query: NoQuery,
    db: web::Data<Db>,
    reindex: web::Data<Reindex>,
) -> Result<HttpResponse> {
    let Then(_editor, PathId(id)) = id;
    db.write(move |tx| {
        hold_tree_alone(tx)?;
        store::note_articles(tx, id)?;
        store::delete_tag(tx, id)
    })
    .await?;
    reindex.all(&db).await?;
    Ok(Reply::empty())
}

fn show(tag: &Tag, due: Option<Timestamp>) -> Result<Reply> {
    let name = format!("tag:{}", tag.id);
    Ok(Reply::data(tag)?
        .next_due(due)
        .tag(name)
        .tag("articles")
        .made_of([Subject::Tag(tag.id), Subject::Listing]))
}
