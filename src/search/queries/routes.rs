//! HTTP of what was searched for.

use actix_web::{HttpRequest, get, web};

use super::model::{QueriesAsked, QueriesParams, SearchedQuery};
use super::store::{self, Wanted};
use crate::auth::Editor;
use crate::config::Config;
use crate::db::Db;
use crate::error::Result;
use crate::site::store::find_site;
use crate::web::page::address;
use crate::web::{Page, Query, Reply, Then};

/// List what people searched for.
///
/// For editors: queries of the last 90 days with how often each was asked, the most frequent first, then by the
/// characters' code points. Each search counts once, however many pages of it are read, and those without filters
/// alone: under a filter a word that many articles have may find nothing. Nothing about visitors is kept. New
/// searches show after a few seconds. Costs a sum over the queries of the days that are asked for, on each page.
/// 400 where `to` is before `from`.
#[utoipa::path(
    tag = "search",
    operation_id = "list_search_queries",
    params(QueriesParams),
    security(("bearer" = [])),
    responses((status = 200, description = "Queries.", body = Page<SearchedQuery>)),
)]
#[get("/search/queries")]
pub async fn list_search_queries(
    request: HttpRequest,
    asked: Then<Editor, Query<QueriesAsked>>,
    db: web::Data<Db>,
    config: web::Data<Config>,
) -> Result<Reply> {
    let Then(_editor, Query(asked)) = asked;
    let after = asked.after()?;
    let address = address(&request);
    let page = db
        .read(move |read| {
            let zone = find_site(read.conn)?.zone(config.time_zone);
            let wanted = Wanted {
                days: asked.days(read.now, zone),
                without_answer: asked.without_answer,
            };
            let paging = &asked.paging;
            let rows = store::list(read.conn, &wanted, after, paging.offset(), paging.limit + 1)?;
            let total = asked.count.then(|| store::count(read.conn, &wanted)).transpose()?;
            let scope = asked.scope();
            Ok(Page::part(rows, paging, total, &address, |last: &SearchedQuery| {
                last.cursor(&scope)
            }))
        })
        .await?;
    Reply::page(&page)
}
