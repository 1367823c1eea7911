//! HTTP of views.

use std::rc::Rc;

use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{HttpRequest, Responder, ResponseError, get, post, web};

use super::Counter;
use super::model::{EventResult, EventResults, RankedArticle, ViewCount, ViewEvents, ViewPoint};
use super::query::{Ranking, RankingParams, Series, SeriesParams};
use super::series::series;
use super::store;
use super::tally::{Outcome, View};
use super::visitor::Caller;
use crate::articles::load::{Scene, summaries};
use crate::articles::store::{find_article, load_articles};
use crate::auth::{SignedIn, Viewer};
use crate::config::Config;
use crate::db::{self, Db, Timestamp};
use crate::error::{Error, Result};
use crate::site::store::find_site;
use crate::web::envelope::Shortcut;
use crate::web::page::address;
use crate::web::{Data, Json, NoQuery, Page, PathId, PublicUrl, Query, Reply, Then};

/// Count a view.
///
/// Open to everyone; body and content type are ignored, so that `navigator.sendBeacon` works. Answered when the
/// view is durable; views that come together cost one write together. One visitor counts once an article in the
/// time that the server is set to (half an hour); the visitor is who `X-Visitor-Id` names, else whoever has this
/// address and user agent today. Who does not count, and crawlers and link previews that say what they are, are
/// told `counted: false`. 404 for an article that not everybody sees; 503 when more views come than can be written,
/// and then this one did not count.
#[utoipa::path(
    tag = "views",
    operation_id = "count_view",
    params(
        ("id" = i64, Path, description = "Id of the article.", example = 42, minimum = 1),
        ("X-Visitor-Id" = Option<String>, Header, description = "An app's name for its visitor: visible ASCII characters.", example = "3f2b8c1e-install", min_length = 1, max_length = 128, format = "visible-ascii"),
    ),
    security((), ("bearer" = [])),
    responses((status = 200, description = "What was counted.", body = Data<ViewCount>)),
)]
#[post("/articles/{id}/views")]
pub async fn count_view(
    _viewer: Viewer,
    id: PathId,
    _query: NoQuery,
    caller: Caller,
    counter: web::Data<Counter>,
) -> Result<Reply> {
    let PathId(article_id) = id;
    count_one(&counter, article_id, &caller).await
}

async fn count_one(counter: &Counter, article_id: i64, caller: &Caller) -> Result<Reply> {
    let view = View {
        article_id,
        visitor: counter.visitor(caller).await?,
        by_crawler: caller.is_crawler(),
        event: None,
    };
    let outcomes = counter.count(vec![view]).await?;
    let (view_count, counted) = match outcomes.as_slice() {
        [Outcome::Counted(views)] => (*views, true),
        [Outcome::WithinWindow(views) | Outcome::Crawler(views)] => (*views, false),
        _ => return Err(Error::not_found()),
    };
    Reply::data(&ViewCount {
        article_id,
        view_count,
        counted,
    })
}

/// The article of a view that anybody sends: without a query, and without credentials.
fn plain_view(request: &HttpRequest) -> Option<i64> {
    let is_plain = request.query_string().is_empty() && !request.headers().contains_key(AUTHORIZATION);
    let path = request.path().strip_prefix("/api/v1/articles/")?;
    let article_id = path.strip_suffix("/views").and_then(PathId::read)?;
    (request.method() == Method::POST && is_plain).then_some(article_id)
}

/// Answers plain views as [`count_view`] would, before a route is looked for, which costs as much as counting does.
pub fn shortcut(counter: Counter) -> Shortcut {
    Rc::new(move |request| {
        let article_id = plain_view(request)?;
        let (counter, request) = (counter.clone(), request.clone());
        Some(Box::pin(async move {
            let counted = match Caller::read(&request) {
                Ok(caller) => count_one(&counter, article_id, &caller).await,
                Err(error) => Err(error),
            };
            match counted {
                Ok(reply) => reply.respond_to(&request),
                Err(error) => error.error_response(),
            }
        }))
    })
}

/// Count views that an app noted.
///
/// Open to everyone, for what was read without a connection: at most 500 views, up to 7 days back, each with an id
/// of the app's own. An event that is told again, in the same request or another one, counts once. The window holds
/// at the time of each view for whom `X-Visitor-Id` names; without it, among what the same address and user agent
/// tell on one day (UTC). One view that cannot be counted leaves the others alone. Costs one write for all;
/// answered when everything that counts is durable, and after 503 or no answer, send the same again. 422 names
/// every view that is in the future or malformed, and then none counted.
#[utoipa::path(
    tag = "views",
    operation_id = "count_views",
    params(("X-Visitor-Id" = Option<String>, Header, description = "An app's name for its visitor: visible ASCII characters.", example = "3f2b8c1e-install", min_length = 1, max_length = 128, format = "visible-ascii")),
    request_body(content = ViewEvents, example = json!({"views": [{"event_id": "0198f2c6-7c7e-7d5a-9c1e-2f6d0a4b8c11", "article_id": 42, "viewed_at": "2026-01-13T04:31:54Z"}]})),
    security((), ("bearer" = [])),
    responses((status = 200, description = "What became of each, in their order.", body = EventResults)),
)]
#[post("/views")]
pub async fn count_views(
    _viewer: Viewer,
    _query: NoQuery,
    input: Then<Caller, Json<ViewEvents>>,
    counter: web::Data<Counter>,
) -> Result<Reply> {
    let Then(caller, Json(events)) = input;
    let visitor = counter.visitor(&caller).await?;
    let (ids, views) = events.check(Timestamp::now(), visitor)?;
    let outcomes = counter.count(views).await?;
    let results = ids.into_iter().zip(outcomes).map(|(event_id, outcome)| EventResult {
        event_id,
        status: outcome.into(),
    });
    Reply::json(&EventResults {
        data: results.collect(),
    })
}

/// List the views of an article.
///
/// For whoever is signed in, with an account or a key, and sees the article. By day or by hour, in the site's time
/// zone, with zeros where nothing was read; views that were counted elsewhere before (`initial_view_count`) are not
/// in it. Costs a few statements, and grows with the span. 400 for more than 1,000 points, for hours of more than
/// 40 days ago, and where `to` is not later than `from`; 404 for an article that the caller may not see.
#[utoipa::path(
    tag = "views",
    operation_id = "list_views",
    params(("id" = i64, Path, description = "Id of the article.", example = 42, minimum = 1), SeriesParams),
    security(("bearer" = [])),
    responses((status = 200, description = "The points, the oldest first.", body = Page<ViewPoint>)),
)]
#[get("/articles/{id}/views")]
pub async fn list_views(
    request: HttpRequest,
    input: Then<SignedIn, Then<PathId, Query<Series>>>,
    db: web::Data<Db>,
    config: web::Data<Config>,
) -> Result<Reply> {
    let Then(SignedIn(viewer), Then(PathId(id), Query(asked))) = input;
    let data = db
        .read(move |read| {
            find_article(read.conn, id, viewer.sight(), read.now)?.ok_or_else(Error::not_found)?;
            let zone = find_site(read.conn)?.zone(config.time_zone);
            series(read.conn, id, &asked, zone, read.now)
        })
        .await?;
    Reply::page(&Page::whole(data, &address(&request)))
}

/// List the most read articles.
///
/// Open to everyone; what everybody sees, whoever asks. By their views in the window, those with as many the newest
/// first; articles that nobody read are left out, and an unknown category has none. Costs a read of the articles at
/// the top, however many there are; of a category of up to 5,000 articles, these. The tag of the answer changes
/// with the numbers.
#[utoipa::path(
    tag = "views",
    operation_id = "list_most_viewed",
    params(RankingParams),
    security((), ("bearer" = [])),
    responses((status = 200, description = "The articles, the most read first.", body = Page<RankedArticle>)),
)]
#[get("/rankings/views")]
pub async fn list_most_viewed(
    request: HttpRequest,
    _viewer: Viewer,
    ranking: Query<Ranking>,
    db: web::Data<Db>,
    origin: web::Data<PublicUrl>,
) -> Result<Reply> {
    let Query(asked) = ranking;
    let (data, due) = db
        .read(move |read| {
            let scene = Scene::load(read, &origin.0)?;
            let ranked = store::most_viewed(read, &scene.tree, &asked)?;
            let ids: Vec<i64> = ranked.iter().map(|(id, _)| *id).collect();
            let mut rows = load_articles(read.conn, &ids)?;
            rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
            let articles = summaries(read.conn, read.now, &scene, rows, None)?;
            let data = (1..).zip(ranked).zip(articles);
            let data: Vec<_> = data
                .map(|((rank, (_, views)), article)| RankedArticle { rank, views, article })
                .collect();
            Ok((data, db::next_due(read)?))
        })
        .await?;
    Ok(Reply::page(&Page::whole(data, &address(&request)))?
        .with_views()
        .next_due(due)
        .tag("articles"))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn what_is_no_plain_view_is_left_to_the_routes() {
        let at = |path: &str| TestRequest::post().uri(path).to_http_request();
        assert_eq!(plain_view(&at("/api/v1/articles/42/views")), Some(42));
        for path in [
            "/api/v1/articles/42/views?",
            "/api/v1/articles/42/views?a=1",
            "/api/v1/articles/42/views/",
            "/api/v1/articles/042/views",
            "/api/v1/articles/0/views",
            "/api/v1/articles//views",
            "/api/v1/articles/42",
            "/api/v1/views",
        ] {
            let expected = path.ends_with('?').then_some(42);
            assert_eq!(plain_view(&at(path)), expected, "{path}");
        }
        let plain = TestRequest::get().uri("/api/v1/articles/42/views");
        assert_eq!(plain_view(&plain.to_http_request()), None);
        let signed_in = TestRequest::post().uri("/api/v1/articles/42/views");
        let signed_in = signed_in.insert_header((AUTHORIZATION, "Bearer x"));
        assert_eq!(plain_view(&signed_in.to_http_request()), None);
    }
}
