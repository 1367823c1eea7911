//! HTTP of search.

use std::time::Instant;

use actix_web::{HttpRequest, get, web};

use super::facets::facets;
use super::find::{Asked, Found, find};
use super::model::{Hit, SearchMeta, SearchPage};
use super::query::{Search, SearchParams};
use super::{SearchState, store};
use crate::articles::FilterParams;
use crate::articles::load::{Scene, summaries};
use crate::auth::Viewer;
use crate::config::Config;
use crate::db::{self, Db, Read};
use crate::error::{Error, Result};
use crate::index;
use crate::text::highlight::Highlighter;
use crate::text::query;
use crate::web::page::address;
use crate::web::{PublicUrl, Query, Reply};

/// Search articles.
///
/// Open to everyone; `status` and `body_format=source` are for whoever sees drafts (401, with a key that only reads
/// 403). Finds Chinese words of any length, in title, summary, tags and body; what is published is found at once,
/// and what is withdrawn is gone at once. The best first, by how much of the query an article says and where; the
/// same hits, total and order on every database. A word that the site gives synonyms (`/api/v1/search/synonyms`)
/// finds those as well. Costs more the more is found, of which at most 1,000 articles are ranked: these can be read
/// by `cursor` or `page`, `sort=-published_at` goes on to the last. There is no `count`, the total is always given.
#[utoipa::path(
    tag = "search",
    operation_id = "search_articles",
    params(SearchParams, FilterParams),
    security((), ("bearer" = [])),
    responses(
        (status = 200, description = "Summaries with highlights.", body = SearchPage),
        (status = 403, description = "`status` or `body_format=source` with a key that only reads."),
    ),
)]
#[get("/search")]
pub async fn search_articles(
    request: HttpRequest,
    viewer: Viewer,
    search: Query<Search>,
    db: web::Data<Db>,
    config: web::Data<Config>,
    origin: web::Data<PublicUrl>,
    state: web::Data<SearchState>,
) -> Result<Reply> {
    let begun = Instant::now();
    let Query(search) = search;
    search.filter.check(&viewer)?;
    search.includes.check(&viewer)?;
    let after = search.after()?;
    let address = address(&request);
    if !query::is_loaded() {
        // Readers are few, and would all wait.
        web::block(query::load).await.map_err(Error::unavailable)?;
    }
    let (mut page, due) = db
        .read(move |read| {
            index::open(read.conn)?;
            let known = state.words.known(read.conn, &search.q)?;
            let query = query::Query::parse_with(&search.q, &query::cut, &known);
            let scene = Scene::load(read, &origin.0)?;
            let asked = Asked {
                search: &search,
                query: &query,
                scene: &scene,
                zone: scene.site.zone(config.time_zone),
                sight: viewer.sight(),
                after: &after,
                address: &address,
            };
            let found = find(read, &asked)?;
            let page = show(read, &asked, found)?;
            if search.is_noted() {
                state.queries.note(&search.q, page.meta.total, read.now, asked.zone);
            }
            Ok((page, db::next_due(read)?))
        })
        .await?;
    page.meta.took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Reply::json(&page)?
        .links(&page.links)
        // By rank it carries the moment of the search. Who is told that nothing has changed goes on from the moment before.
        .untagged(page.meta.next_cursor)
        .next_due(due)
        .tag("articles")
        .tag("tags")
        .tag("synonyms")
        // Each search is counted, and may be cut by the words of a file.
        .unkept())
}

/// What was found, with its highlights.
fn show(read: &mut Read<'_>, asked: &Asked<'_>, found: Found) -> Result<SearchPage> {
    let Found { page, hits, counts } = found;
    let facets = facets(read.conn, asked.scene, asked.zone, &asked.search.facets, &hits, &counts)?;
    let ids: Vec<i64> = page.data.iter().map(|row| row.id).collect();
    let texts = store::load_texts(read.conn, &ids)?;
    let includes = asked.search.includes;
    let body = includes.body_format();
    let marks = Highlighter::new(asked.query);
    let hits = summaries(read.conn, read.now, asked.scene, page.data, body)?
        .into_iter()
        .map(|article| {
            let text = texts.get(&article.id).map(String::as_str);
            Hit::new(article, text, &marks)
        });
    Ok(SearchPage {
        data: hits.collect(),
        meta: SearchMeta {
            limit: asked.search.paging.limit,
            page: page.meta.page,
            next_cursor: page.meta.next_cursor,
            total: page.meta.total.unwrap_or_default(),
            facets,
            took_ms: 0,
        },
        links: page.links,
    })
}
