//! HTTP of authors.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post, web};

use super::model::{Author, AuthorCreate, AuthorPatch, AuthorRow};
use super::store;
use crate::auth::{Editor, Viewer};
use crate::db::{self, Db, DbConn, Subject, Timestamp};
use crate::error::{Error, Result};
use crate::taxonomy::by_name::{ByName, ByNameParams};
use crate::web::page::address;
use crate::web::{Data, Json, NoQuery, Page, PathId, PathText, PublicUrl, Query, Reply, Then};

/// List authors.
///
/// Open to everyone. By name, in the order of its characters' code points; go on with `cursor`, and each comes
/// exactly once. Costs the same on each page, but for counting the articles of those on it; `count=exact` counts
/// all authors.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "list_authors",
    params(ByNameParams),
    security((), ("bearer" = [])),
    responses((status = 200, description = "Authors.", body = Page<Author>)),
)]
#[get("/authors")]
pub async fn list_authors(
    request: HttpRequest,
    _viewer: Viewer,
    query: Query<ByName>,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let Query(list) = query;
    let after = list.after("authors")?;
    let address = address(&request);
    let (page, due) = db
        .read(move |read| {
            let rows = store::list_authors(read.conn, after.as_ref(), list.limit())?;
            let total = list.count.then(|| store::count_authors(read.conn)).transpose()?;
            let page = list.page("authors", rows, total, &address, |row| (row.name.clone(), row.id));
            let (meta, links) = (page.meta, page.links);
            let data = store::show_authors(read.conn, read.now, page.data, &origin.0)?;
            Ok((Page { data, meta, links }, db::next_due(read)?))
        })
        .await?;
    let pictures = page.data.iter().filter_map(|author| author.avatar.as_ref());
    let pictures: Vec<Subject> = pictures.map(|avatar| Subject::Image(avatar.id)).collect();
    Ok(Reply::page(&page)?
        .next_due(due)
        .tag("authors")
        .tag("articles")
        .made_of([Subject::Authors, Subject::Listing])
        .made_of(pictures))
}

/// Make an author.
///
/// For editors. An author is a by-line, and no account. Costs one write. 409 `slug_taken` where the slug belongs to
/// another author; 422 where a field is wrong or the image is not there.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "create_author",
    request_body(content = AuthorCreate, content_type = "application/json"),
    security(("bearer" = [])),
    responses(
        (status = 201, description = "It is made.", body = Data<Author>,
            headers(("Location" = String, description = "Where it is."))),
        (status = 409, description = "`slug_taken`."),
    ),
)]
#[post("/authors")]
pub async fn create_author(
    body: Then<Editor, Json<AuthorCreate>>,
    _query: NoQuery,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let Then(_editor, Json(body)) = body;
    let new = body.check()?;
    let author = db
        .write(move |tx| {
            let id = store::insert_author(tx, &new)?;
            let row = store::find_author(tx.conn, id)?;
            show_one(tx.conn, tx.now, row, &origin.0)
        })
        .await?;
    Ok(Reply::data(&author)?.created(format!("/api/v1/authors/{}", author.id)))
}

/// Read an author.
///
/// Open to everyone. Costs a count of the articles with the by-line. 404 where there is none of that id.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "get_author",
    params(("id" = i64, Path, description = "Id of the author.", example = 1, minimum = 1)),
    security((), ("bearer" = [])),
    responses((status = 200, description = "The author.", body = Data<Author>)),
)]
#[get("/authors/{id}")]
pub async fn get_author(
    _viewer: Viewer,
    id: PathId,
    _query: NoQuery,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let PathId(id) = id;
    let (author, due) = db
        .read(move |read| {
            let row = store::find_author(read.conn, id)?;
            let author = show_one(read.conn, read.now, row, &origin.0)?;
            Ok((author, db::next_due(read)?))
        })
        .await?;
    show(&author, due)
}

/// Read the author of a slug.
///
/// Open to everyone. Costs as much as by id. 404 where no author has the slug now; former slugs lead nowhere.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "get_author_by_slug",
    params(("slug" = String, Path, description = "Slug of the author.", example = "li-ming")),
    security((), ("bearer" = [])),
    responses((status = 200, description = "The author.", body = Data<Author>)),
)]
#[get("/authors/by-slug/{slug}")]
pub async fn get_author_by_slug(
    _viewer: Viewer,
    slug: PathText,
    _query: NoQuery,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let PathText(slug) = slug;
    let (author, due) = db
        .read(move |read| {
            let row = store::find_author_by_slug(read.conn, &slug)?;
            let author = show_one(read.conn, read.now, row, &origin.0)?;
            Ok((author, db::next_due(read)?))
        })
        .await?;
    show(&author, due)
}

/// Change an author.
///
/// For editors. What is absent stays; every article with the by-line shows the change at once. Costs one write. 404
/// where there is none of that id; 409 `slug_taken` where the slug belongs to another author; 422 where a field is
/// wrong or the image is not there.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "update_author",
    params(("id" = i64, Path, description = "Id of the author.", example = 1, minimum = 1)),
    request_body(content((AuthorPatch = "application/merge-patch+json"), (AuthorPatch = "application/json"))),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The author as they are now.", body = Data<Author>),
        (status = 409, description = "`slug_taken`."),
    ),
)]
#[patch("/authors/{id}")]
pub async fn update_author(
    body: Then<Editor, Then<PathId, Json<AuthorPatch>>>,
    _query: NoQuery,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let Then(_editor, Then(PathId(id), Json(body))) = body;
    let changes = body.check()?;
    let author = db
        .write(move |tx| {
            store::update_author(tx, id, &changes)?;
            let row = store::find_author(tx.conn, id)?;
            show_one(tx.conn, tx.now, row, &origin.0)
        })
        .await?;
    Reply::data(&author)
}

/// Remove an author.
///
/// For editors. Costs one write. 404 where there is none of that id; 409 `in_use` while an article, of any status,
/// has the by-line.
#[utoipa::path(
    tag = "taxonomy",
    operation_id = "delete_author",
    params(("id" = i64, Path, description = "Id of the author.", example = 1, minimum = 1)),
    security(("bearer" = [])),
    responses(
        (status = 204, description = "They are gone."),
        (status = 409, description = "`in_use`."),
    ),
)]
#[delete("/authors/{id}")]
pub async fn delete_author(id: Then<Editor, PathId>, _query: NoQuery, db: web::Data<Db>) -> Result<HttpResponse> {
    let Then(_editor, PathId(id)) = id;
    db.write(move |tx| store::delete_author(tx, id)).await?;
    Ok(Reply::empty())
}

fn show_one(conn: &mut DbConn, now: Timestamp, row: AuthorRow, origin: &str) -> Result<Author> {
    let mut shown = store::show_authors(conn, now, vec![row], origin)?;
    shown.pop().ok_or_else(Error::not_found)
}

fn show(author: &Author, due: Option<Timestamp>) -> Result<Reply> {
    let mut reply = Reply::data(author)?.next_due(due);
    if let Some(avatar) = &author.avatar {
        reply = reply
            .tag(format!("image:{}", avatar.id))
            .made_of([Subject::Image(avatar.id)]);
    }
    Ok(reply
        .tag(format!("author:{}", author.id))
        .tag("articles")
        .made_of([Subject::Author(author.id), Subject::Listing]))
}
