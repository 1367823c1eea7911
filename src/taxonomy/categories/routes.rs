//! HTTP of categories.

use actix_web::{HttpResponse, delete, get, patch, post, web};

use super::model::{Category, CategoryCreate, CategoryPatch};
use super::store;
use crate::auth::{Editor, Viewer};
use crate::db::{self, Db, Subject, Timestamp};
use crate::error::Result;
use crate::web::{Data, Json, NoQuery, Page, PathId, PathText, Reply, Then};

/// List categories.
///
/// Open to everyone. All of them, flat, in the order of the tree: each is followed by what stands below it,
/// siblings by position. Costs two statements, however many there are, of which one counts the articles of all.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "list_categories",
    security((), ("bearer" = [])),
    responses((status = 200, description = "The whole tree.", body = Page<Category>)),
)]
#[get("/categories")]
pub async fn list_categories(_viewer: Viewer, _query: NoQuery, db: web::Data<Db>) -> Result<Reply> {
    let (categories, due) = db
        .read(|read| Ok((store::list_categories(read.conn, read.now)?, db::next_due(read)?)))
        .await?;
    let page = Page::whole(categories, "/api/v1/categories");
    Ok(Reply::page(&page)?
        .next_due(due)
        .tag("categories")
        .tag("articles")
        .made_of([Subject::Categories, Subject::Listing]))
}

/// Make a category.
///
/// For editors. Costs one write. 409 `slug_taken` where the slug belongs to another category; 422 where a field is
/// wrong, the parent is not there, or the tree would have more than ten levels or 5,000 categories.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "create_category",
    request_body(content = CategoryCreate, content_type = "application/json"),
    security(("bearer" = [])),
    responses(
        (status = 201, description = "It is made.", body = Data<Category>,
            headers(("Location" = String, description = "Where it is."))),
        (status = 409, description = "`slug_taken`."),
    ),
)]
#[post("/categories")]
pub async fn create_category(
    body: Then<Editor, Json<CategoryCreate>>,
    _query: NoQuery,
    db: web::Data<Db>,
) -> Result<Reply> {
    let Then(_editor, Json(body)) = body;
    let new = body.check()?;
    let category = db
        .write(move |tx| {
            let id = store::insert_category(tx, &new)?;
            store::find_category(tx.conn, tx.now, id)
        })
        .await?;
    Ok(Reply::data(&category)?.created(format!("/api/v1/categories/{}", category.id)))
}

/// Read a category.
///
/// Open to everyone. Costs a count of the articles in it and below it. 404 where there is none of that id.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "get_category",
    params(("id" = i64, Path, description = "Id of the category.", example = 2, minimum = 1)),
    security((), ("bearer" = [])),
    responses((status = 200, description = "The category.", body = Data<Category>)),
)]
#[get("/categories/{id}")]
pub async fn get_category(_viewer: Viewer, id: PathId, _query: NoQuery, db: web::Data<Db>) -> Result<Reply> {
    let PathId(id) = id;
    let (category, due) = db
        .read(move |read| Ok((store::find_category(read.conn, read.now, id)?, db::next_due(read)?)))
        .await?;
    show(&category, due)
}

/// Read the category of a slug.
///
/// Open to everyone. Costs as much as by id. 404 where no category has the slug now; former slugs lead nowhere.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "get_category_by_slug",
    params(("slug" = String, Path, description = "Slug of the category.", example = "reviews")),
    security((), ("bearer" = [])),
    responses((status = 200, description = "The category.", body = Data<Category>)),
)]
#[get("/categories/by-slug/{slug}")]
pub async fn get_category_by_slug(
    _viewer: Viewer,
    slug: PathText,
    _query: NoQuery,
    db: web::Data<Db>,
) -> Result<Reply> {
    let PathText(slug) = slug;
    let (category, due) = db
        .read(move |read| {
            let category = store::find_category_by_slug(read.conn, read.now, &slug)?;
            Ok((category, db::next_due(read)?))
        })
        .await?;
    show(&category, due)
}

/// Change a category.
///
/// For editors. What is absent stays; a category that moves takes along what stands below it. Costs one write; a
/// move grows with the articles in it and below it, and no article is written meanwhile. 404 where there is none of
/// that id; 409 `slug_taken` where the slug belongs to another category; 422 where a field is wrong, the new parent
/// is not there or stands below the category, or the tree would have more than ten levels.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "update_category",
    params(("id" = i64, Path, description = "Id of the category.", example = 2, minimum = 1)),
    request_body(content(
        (CategoryPatch = "application/merge-patch+json"),
        (CategoryPatch = "application/json"),
    )),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The category as it is now.", body = Data<Category>),
        (status = 409, description = "`slug_taken`."),
    ),
)]
#[patch("/categories/{id}")]
pub async fn update_category(
    body: Then<Editor, Then<PathId, Json<CategoryPatch>>>,
    _query: NoQuery,
    db: web::Data<Db>,
) -> Result<Reply> {
    let Then(_editor, Then(PathId(id), Json(body))) = body;
    let changes = body.check()?;
    let category = db
        .write(move |tx| {
            store::update_category(tx, id, &changes)?;
            store::find_category(tx.conn, tx.now, id)
        })
        .await?;
    Reply::data(&category)
}

/// Remove a category.
///
/// For editors. Costs one write. 404 where there is none of that id; 409 `in_use` while articles, of any status,
/// stand in it or categories below it.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "delete_category",
    params(("id" = i64, Path, description = "Id of the category.", example = 2, minimum = 1)),
    security(("bearer" = [])),
    responses(
        (status = 204, description = "It is gone."),
        (status = 409, description = "`in_use`."),
    ),
)]
#[delete("/categories/{id}")]
pub async fn delete_category(id: Then<Editor, PathId>, _query: NoQuery, db: web::Data<Db>) -> Result<HttpResponse> {
    let Then(_editor, PathId(id)) = id;
    db.write(move |tx| store::delete_category(tx, id)).await?;
    Ok(Reply::empty())
}

fn show(category: &Category, due: Option<Timestamp>) -> Result<Reply> {
    let tag = format!("category:{}", category.id);
    // Its path and its count depend on others.
    let reply = Reply::data(category)?.next_due(due).tag(tag);
    Ok(reply
        .tag("categories")
        .tag("articles")
        .made_of([Subject::Categories, Subject::Listing]))
}
