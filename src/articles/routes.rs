//! HTTP of articles.

use actix_web::{HttpRequest, HttpResponse, Responder, delete, get, patch, post, put, web};

use super::filter::{Walk, filtered};
use super::input::{ArticleCreate, ArticleFields, ArticlePut};
use super::listed::{Part, list_of_owner};
use super::load::{Scene, assemble, find, find_at_once, next_due, subjects_of, summaries};
use super::model::{Article, ArticleRow, ArticleSummary, BodyFormat};
use super::nearby;
use super::prepared::{Analysed, Prepared, says_else};
use super::query::{FilterParams, Includes, List, ListParams, Near, PagingParams, Show, ShowParams};
use super::shown::{Name, Shown, find_shown};
use super::store;
use super::write::{self, Written};
use crate::auth::{Contributor, Editor, Viewer};
use crate::config::Config;
use crate::db::{self, Db, Read, Sight, Subject, Timestamp, Tx};
use crate::error::{Code, Error, Result};
use crate::taxonomy::listed::TREE;
use crate::web::body::Checks;
use crate::web::page::address;
use crate::web::{Data, IfMatch, Json, NoQuery, Page, PathId, PathText, PublicUrl, Query, Reply, Then};

/// List articles.
///
/// Open to everyone; `status` and `body_format=source` are for whoever sees drafts (401, with a key that only reads
/// 403). Lists what is published, the newest first; filters narrow it down, and all of them hold at once. Go on
/// with `cursor`: each article exactly once, however many are published meanwhile, at the same cost on the first
/// part and on the last. `page` reads past all that lies before it, `count=exact` counts all that match,
/// `include=body` reads each body. A cursor of other filters or of another order is 400 `invalid_cursor`.
#[utoipa::path(
    tag = "articles",
    operation_id = "list_articles",
    params(PagingParams, ListParams, FilterParams),
    security((), ("bearer" = [])),
    responses(
        (status = 200, description = "Summaries.", body = Page<ArticleSummary>),
        (status = 403, description = "`status` or `body_format=source` with a key that only reads."),
    ),
)]
#[get("/articles")]
pub async fn list_articles(
    request: HttpRequest,
    viewer: Viewer,
    query: Query<List>,
    db: web::Data<Db>,
    config: web::Data<Config>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let Query(list) = query;
    list.filter.check(&viewer)?;
    list.includes.check(&viewer)?;
    let here = address(&request);
    let chosen = list.chosen_by();
    let (page, due) = db
        .read(move |read| {
            let scene = Scene::load(read, &origin.0)?;
            let zone = scene.site.zone(config.time_zone);
            let scope = list.filter.scope(list.sort.name());
            let after = list.paging.cursor(&scope, 2)?.map(store::place).transpose()?;
            let total = if list.count {
                let all = filtered(read, &scene.tree, zone, viewer.sight(), &list.filter, Walk::Start)?;
                Some(store::count_articles(read.conn, all)?)
            } else {
                None
            };
            let rows = list_rows(read, &scene, zone, viewer.sight(), &list, after)?;
            let page = Page::part(rows, &list.paging, total, &here, |row| {
                store::cursor_of(row, list.sort).encode(&scope)
            });
            let body = list.includes.body_format();
            let (meta, links) = (page.meta, page.links);
            let data = summaries(read.conn, read.now, &scene, page.data, body)?;
            Ok((Page { data, meta, links }, db::next_due(read)?))
        })
        .await?;
    Ok(Reply::page(&page)?
        .next_due(due)
        .tag("articles")
        .made_of(chosen)
        .made_of(subjects_of(&page.data))
        .views_of(page.data.iter().map(|article| article.id)))
}

/// The rows of a list, one more than it shows.
fn list_rows(
    read: &mut Read<'_>,
    scene: &Scene,
    zone: chrono_tz::Tz,
    sight: Sight,
    list: &List,
    after: Option<(Timestamp, i64)>,
) -> Result<Vec<ArticleRow>> {
    let (offset, limit) = (list.paging.offset(), list.paging.limit + 1);
    if !list.sort.by_update {
        let part = Part {
            ascending: list.sort.ascending,
            after,
            offset,
            limit,
        };
        if let Some(rows) = list_of_owner(read, &scene.tree, zone, &list.filter, part)? {
            return Ok(rows);
        }
    }
    let walk = match (list.sort.by_update, list.sort.ascending, after) {
        (true, true, _) | (true, false, None) => Walk::Updated,
        (true, false, Some(_)) => Walk::UpdatedDown,
        (false, _, None) => Walk::Start,
        (false, false, Some(_)) => Walk::Down,
        (false, true, Some(_)) => Walk::Up,
    };
    let rows = filtered(read, &scene.tree, zone, sight, &list.filter, walk)?;
    Ok(store::list_articles(read.conn, rows, list.sort, after, offset, limit)?)
}

/// Read one article.
///
/// Open to everyone, as far as it is published; whoever sees drafts reads them too, and `body_format=source` (401,
/// with a key that only reads 403). It has its body, in the form that `body_format` names. Costs a few statements,
/// however many articles there are; `include=related` looks at up to 300 candidates besides. 404 for what is not
/// there, and for what the caller may not see.
#[utoipa::path(
    tag = "articles",
    operation_id = "get_article",
    params(("id" = i64, Path, description = "Id of the article.", example = 42, minimum = 1), ShowParams),
    security((), ("bearer" = [])),
    responses(
        (status = 200, description = "The article.", body = Data<Article>),
        (status = 403, description = "`body_format=source` with a key that only reads."),
    ),
)]
#[get("/articles/{id}")]
pub async fn get_article(
    viewer: Viewer,
    id: PathId,
    query: Query<Show>,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let (PathId(id), Query(Show(includes))) = (id, query);
    includes.check(&viewer)?;
    let (name, sight) = (Name::Id(id), viewer.sight());
    db.read_at_once(
        origin,
        move |origin, read| {
            let article = find_at_once(read, name, sight, &origin.0, includes)?;
            article.map(|article| show(article, None)).transpose()
        },
        move |origin, read| {
            let article = find(read, name, sight, &origin.0, includes)?.ok_or_else(Error::not_found)?;
            show(article, next_due(read, includes)?)
        },
    )
    .await
}

/// Read one article by its slug.
///
/// Open to everyone, as by id: with the same parameters, costs and errors. A slug that the article once had answers
/// 308 with its present address, the query kept. 404 where no article that the caller sees has the slug, or had it.
#[utoipa::path(
    tag = "articles",
    operation_id = "get_article_by_slug",
    params(("slug" = String, Path, description = "Its slug, now or once.", example = "xiao-mi-14-ping-ce"), ShowParams),
    security((), ("bearer" = [])),
    responses(
        (status = 200, description = "The article.", body = Data<Article>),
        (status = 308, description = "It has another slug now.", headers(("Location" = String, description = "Its present address, relative to the origin."))),
        (status = 403, description = "`body_format=source` with a key that only reads."),
    ),
)]
#[get("/articles/by-slug/{slug}")]
pub async fn get_article_by_slug(
    request: HttpRequest,
    viewer: Viewer,
    slug: PathText,
    query: Query<Show>,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<HttpResponse> {
    let (PathText(slug), Query(Show(includes))) = (slug, query);
    includes.check(&viewer)?;
    enum Found {
        Here(Reply),
        Moved(String),
    }
    let sight = viewer.sight();
    let found = db
        .read_at_once(
            (slug, origin),
            move |(slug, origin), read| {
                let article = find_at_once(read, Name::Slug(slug), sight, &origin.0, includes)?;
                article.map(|article| show(article, None).map(Found::Here)).transpose()
            },
            move |(slug, origin), read| {
                if let Some(article) = find(read, Name::Slug(slug), sight, &origin.0, includes)? {
                    return show(article, next_due(read, includes)?).map(Found::Here);
                }
                let present = store::find_by_former_slug(read.conn, slug, sight, read.now)?;
                present.map(Found::Moved).ok_or_else(Error::not_found)
            },
        )
        .await?;
    match found {
        Found::Here(reply) => Ok(reply.respond_to(&request)),
        Found::Moved(slug) => {
            let slug = percent_encoding::utf8_percent_encode(&slug, percent_encoding::NON_ALPHANUMERIC).to_string();
            let path = format!("/api/v1/articles/by-slug/{}", slug.replace("%2D", "-"));
            Ok(Reply::moved(&request, &path))
        }
    }
}

/// List related articles.
///
/// Open to everyone; drafts are never among them. The nearest by tags, category and words, at most ten; the same on
/// every database. Costs a look at up to 300 candidates, the newest hundred in each of the three ways. 404 for an
/// article that is not there, or that the caller may not see.
#[utoipa::path(
    tag = "articles",
    operation_id = "list_related_articles",
    params(
        ("id" = i64, Path, description = "Id of the article.", example = 42, minimum = 1),
        ("limit" = Option<i64>, Query, description = "Articles wanted, 10 where absent.", example = 10, minimum = 1, maximum = 10),
    ),
    security((), ("bearer" = [])),
    responses((status = 200, description = "Summaries, the nearest first.", body = Page<ArticleSummary>)),
)]
#[get("/articles/{id}/related")]
pub async fn list_related_articles(
    request: HttpRequest,
    viewer: Viewer,
    id: PathId,
    query: Query<Near>,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let (PathId(id), Query(near)) = (id, query);
    let (data, due) = db
        .read(move |read| {
            let row = store::find_article(read.conn, id, viewer.sight(), read.now)?.ok_or_else(Error::not_found)?;
            let scene = Scene::load(read, &origin.0)?;
            let rows = nearby::related(read.conn, read.now, &row, near.limit)?;
            Ok((summaries(read.conn, read.now, &scene, rows, None)?, db::next_due(read)?))
        })
        .await?;
    let page = Page::whole(data, &address(&request));
    Ok(Reply::page(&page)?
        .next_due(due)
        .tag(format!("article:{id}"))
        .tag("articles")
        .made_of([Subject::Articles, Subject::Tags, Subject::Article(id)])
        .made_of(subjects_of(&page.data))
        .views_of(page.data.iter().map(|article| article.id)))
}

/// Write a new article.
///
/// For contributors, who make drafts of their own; editors also publish. Costs the rendering of the body, up to a
/// second for the largest, and one write; the answer comes when the article is durable, searchable and, if
/// published, visible. 403 names the fields that need the right to publish; 409 `slug_taken` or
/// `external_id_taken`; 422 names every field that is wrong, and the id that leads nowhere.
#[utoipa::path(
    tag = "articles",
    operation_id = "create_article",
    request_body(content = ArticleCreate, example = json!({"title": "小米14评测", "body": "**续航。**比上一代多了两个小时。", "tags": ["小米"], "status": "published"})),
    security(("bearer" = [])),
    responses(
        (status = 201, description = "The article.", body = Data<Article>, headers(("Location" = String, description = "Its address, relative to the origin."), ("ETag" = String, description = "Its version, for `If-Match`."))),
        (status = 409, description = "`slug_taken`, `external_id_taken`."),
    ),
)]
#[post("/articles")]
pub async fn create_article(
    input: Then<Contributor, Json<ArticleCreate>>,
    _query: NoQuery,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let Then(Contributor(viewer), Json(ArticleCreate(mut fields))) = input;
    fields.check(true)?;
    let body = aside(move || Prepared::for_new(&mut fields).with(fields)).await?;
    let written = db
        .write_sharing(TREE, move |tx| {
            let (body, fields) = body;
            let written = write::create(tx, &viewer, fields, &body)?;
            answer(tx, &origin.0, written)
        })
        .await?;
    reply(written)
}

/// Change an article.
///
/// For contributors, of their own drafts alone (403); editors change every article. A JSON Merge Patch: absent
/// keeps, `null` clears. `If-Match` names the version that was edited (`"7"`, any `ETag` of the article, or `*`):
/// another one is 412 with `current_version`, none is 428. Costs one write, and the rendering of a new body. 403
/// names the fields that need the right to publish; 409 `slug_taken` or `external_id_taken`; 422 names every field
/// that is wrong, and the id that leads nowhere.
#[utoipa::path(
    tag = "articles",
    operation_id = "update_article",
    params(
        ("id" = i64, Path, description = "Id of the article.", example = 42, minimum = 1),
        ("If-Match" = String, Header, description = "The version that was edited.", example = "\"7\"", format = "entity-tags"),
    ),
    request_body(content(
        (ArticleFields = "application/json", example = json!({"status": "published"})),
        (ArticleFields = "application/merge-patch+json", example = json!({"summary": null})),
    )),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The article.", body = Data<Article>, headers(("ETag" = String, description = "Its new version."))),
        (status = 409, description = "`slug_taken`, `external_id_taken`."),
    ),
)]
#[patch("/articles/{id}")]
pub async fn update_article(
    input: Then<Contributor, Then<PathId, Then<IfMatch, Json<ArticleFields>>>>,
    _query: NoQuery,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let Then(Contributor(viewer), Then(PathId(id), Then(if_match, Json(mut fields)))) = input;
    // Whether it may be edited at all comes before what is wrong with the edit.
    let before = viewer.clone();
    // What search knows of the article is then written anew, its body with it.
    let text_is_needed = !fields.body.is_given() && (says_else(&fields) || fields.status.is_given());
    let (row, text) = db
        .look(move |read| {
            let text = text_is_needed.then_some(BodyFormat::Text);
            let shown = find_shown(read.conn, read.now, Name::Id(id), before.sight(), text)?;
            let (Shown { row, body: text, .. }, _) = shown.ok_or_else(Error::not_found)?;
            write::check_rights(&before, &row)?;
            Ok((row, text))
        })
        .await?;
    if_match.check(row.values.version)?;
    fields.check(false)?;
    let body = match std::mem::take(&mut fields.body).value() {
        Some(source) => {
            let format = fields.body_format.clone().value().unwrap_or(row.values.source_format);
            Some(aside(move || Prepared::new(source, format)).await?)
        }
        None => None,
    };
    let version = row.values.version;
    let analysed = match text {
        Some(text) => Some(aside(move || Analysed::new(version, text)).await?),
        None => None,
    };
    let written = db
        .write_sharing(TREE, move |tx| {
            let written = write::update(tx, &viewer, id, &if_match, fields, body.as_ref(), analysed.as_ref())?;
            answer(tx, &origin.0, written)
        })
        .await?;
    reply(written)
}

/// Write the article of an external id.
///
/// For editors: for migrations and whatever is retried, since the same request twice gives one article. Makes it
/// (201) or replaces it (200), without `If-Match`: what is absent takes its default, but its slug and its views
/// stay. Costs as much as making one. 409 `slug_taken`; 422 names every field that is wrong, and `external_id`,
/// which stands in the path.
#[utoipa::path(
    tag = "articles",
    operation_id = "put_article_by_external_id",
    params(("external_id" = String, Path, description = "Its id in another system.", example = "wp-1024", max_length = 200)),
    request_body(content = ArticlePut, example = json!({"title": "小米14评测", "body": "续航多了两个小时。", "status": "published", "published_at": "2026-01-13T12:31:54+08:00"})),
    security(("bearer" = [])),
    responses(
        (status = 200, description = "The article, replaced.", body = Data<Article>, headers(("ETag" = String, description = "Its version."))),
        (status = 201, description = "The article, new.", body = Data<Article>, headers(("Location" = String, description = "Its address, relative to the origin."), ("ETag" = String, description = "Its version."))),
        (status = 409, description = "`slug_taken`."),
    ),
)]
#[put("/articles/by-external-id/{external_id}")]
pub async fn put_article_by_external_id(
    input: Then<Editor, Then<PathText, Json<ArticlePut>>>,
    _query: NoQuery,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let Then(Editor(viewer), Then(PathText(external_id), Json(ArticlePut(mut fields)))) = input;
    fields.check(true)?;
    let mut checks = Checks::default();
    checks.line("/external_id", &external_id, 200);
    if fields.external_id.is_given() {
        checks.wrong("/external_id", "stands in the path");
    }
    checks.finish()?;
    let body = aside(move || Prepared::for_new(&mut fields).with(fields)).await?;
    let written = db
        .write_sharing(TREE, move |tx| {
            let (body, fields) = body;
            let written = write::put(tx, &viewer, external_id, fields, &body)?;
            answer(tx, &origin.0, written)
        })
        .await?;
    reply(written)
}

/// Delete an article.
///
/// For contributors, of their own drafts alone (403); editors delete every article. Its body, its former slugs and
/// its views go with it, its pictures stay. `If-Match` is needed as for a change: another version is 412, none is
/// 428. Costs one write. 404 for what is not there, and for what the caller may not see.
#[utoipa::path(
    tag = "articles",
    operation_id = "delete_article",
    params(
        ("id" = i64, Path, description = "Id of the article.", example = 42, minimum = 1),
        ("If-Match" = String, Header, description = "The version that is meant.", example = "\"7\"", format = "entity-tags"),
    ),
    security(("bearer" = [])),
    responses((status = 204, description = "It is gone.")),
)]
#[delete("/articles/{id}")]
pub async fn delete_article(
    input: Then<Contributor, Then<PathId, IfMatch>>,
    _query: NoQuery,
    db: web::Data<Db>,
) -> Result<HttpResponse> {
    let Then(Contributor(viewer), Then(PathId(id), if_match)) = input;
    db.write_sharing(TREE, move |tx| write::delete(tx, &viewer, id, &if_match))
        .await?;
    Ok(Reply::empty())
}

/// Rendering and analysing are too slow for the threads that answer requests.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    web::block(work).await.map_err(|error| Error {
        cause: Some(error.to_string()),
        ..Error::new(Code::Unavailable)
    })
}

impl Prepared {
    /// Together with the fields that it was taken from.
    fn with(self, fields: ArticleFields) -> (Self, ArticleFields) {
        (self, fields)
    }
}

/// The article that was written, as it stands in the transaction.
fn answer(tx: &mut Tx<'_>, origin: &str, written: Written) -> Result<(Article, bool)> {
    let Written {
        created,
        shown,
        numbers,
        ..
    } = written;
    let includes = Includes {
        body: true,
        related: false,
        neighbors: false,
        format: BodyFormat::Html,
    };
    tx.tell_numbers(numbers);
    let scene = Scene::within(tx, origin)?;
    Ok((assemble(tx.conn, tx.now, &scene, shown, includes)?, created))
}

fn reply((article, created): (Article, bool)) -> Result<Reply> {
    let reply = Reply::data(&article)?.version(article.summary.version);
    Ok(if created {
        reply.created(article.summary.links.this)
    } else {
        reply
    })
}

fn show(article: Article, due: Option<Timestamp>) -> Result<Reply> {
    db::rendering(move || {
        let reply = Reply::data(&article)?
            .version(article.summary.version)
            .next_due(due)
            .tag(format!("article:{}", article.summary.id))
            .made_of(subjects_of(article.shown()))
            .views_of(article.shown().map(|article| article.id));
        Ok(if article.related.is_some() || article.neighbors.is_some() {
            reply.tag("articles").made_of([Subject::Articles, Subject::Tags])
        } else {
            reply
        })
    })
}
