//! HTTP of views.

use actix_web::{post, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::Counter;
use crate::auth::Viewer;
use crate::error::Result;
use crate::web::{Data, NoQuery, PathId, Reply};

/// A view, counted.
#[derive(Debug, Serialize, ToSchema)]
struct ViewCount {
    /// The article.
    #[schema(example = 42, minimum = 1)]
    article_id: i64,
    /// How often it has been read, this view included.
    #[schema(example = 1025, minimum = 0)]
    view_count: i64,
    /// Whether this view counted.
    #[schema(example = true)]
    counted: bool,
}

/// Count a view.
///
/// Answered when the view is durable. Open to everyone; body and content type are ignored, so that
/// `navigator.sendBeacon` works. 404 for an article that not everybody sees; 503 when more views come than can be
/// written, and then this one did not count.
#[utoipa::path(
    tag = "views",
    operation_id = "count_view",
    params(("id" = i64, Path, description = "Id of the article.", example = 42, minimum = 1)),
    security((), ("bearer" = [])),
    responses((status = 200, description = "It is counted.", body = Data<ViewCount>)),
)]
#[post("/articles/{id}/views")]
pub async fn count_view(_viewer: Viewer, id: PathId, _query: NoQuery, counter: web::Data<Counter>) -> Result<Reply> {
    let PathId(article_id) = id;
    let view_count = counter.count(article_id).await?;
    Reply::data(&ViewCount {
        article_id,
        view_count,
        counted: true,
    })
}
