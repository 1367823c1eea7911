//! HTTP of suggestions.

use actix_web::{HttpRequest, get, web};

use super::find::find;
use super::model::Suggestion;
use super::query::{Begun, BegunParams};
use crate::auth::Viewer;
use crate::db::{self, Db};
use crate::error::Result;
use crate::text::query::warm;
use crate::web::page::{Links, Meta, address};
use crate::web::{Page, Query, Reply};

/// Suggest what is being typed.
///
/// Open to everyone; what everybody sees, whoever asks: drafts and what is scheduled never show. Names of tags and
/// titles of articles, with the tag or article that each leads to. `xiaomi`, `xiaom`, `xm` and `小米` all find `小米`,
/// and `xm14` finds `小米14`. Tags begin with what was typed; titles have it where a character, word or number
/// begins, punctuation and blanks aside, within their first sixty characters and words.
///
/// Tags come first, at most half of `limit` (rounded up) if there are titles for the rest: those that are what was
/// typed, then those that the newest articles carry most, then by slug. Then titles: those that begin with it, then
/// the newest. The list has no further pages.
///
/// Costs little enough to be asked at every keystroke: what more than 1,000 titles have is looked for among the
/// 3,000 newest articles first, what more than 3,000 have among these alone, and a single letter or digit among the
/// 500 newest.
#[utoipa::path(
    tag = "search",
    operation_id = "list_suggestions",
    params(BegunParams),
    security((), ("bearer" = [])),
    responses((status = 200, description = "Suggestions.", body = Page<Suggestion>)),
)]
#[get("/search/suggest")]
pub async fn list_suggestions(
    request: HttpRequest,
    _viewer: Viewer,
    begun: Query<Begun>,
    db: web::Data<Db>,
) -> Result<Reply> {
    let Query(Begun { q, limit }) = begun;
    // A search is to follow.
    warm();
    let (data, due) = db
        .read(move |read| {
            let data = find(read, &q, usize::try_from(limit).unwrap_or_default())?;
            Ok((data, db::next_due(read)?))
        })
        .await?;
    let page = Page {
        data,
        meta: Meta {
            limit: Some(limit),
            ..Meta::default()
        },
        links: Links {
            this: address(&request),
            ..Links::default()
        },
    };
    Ok(Reply::page(&page)?.next_due(due).tag("tags").tag("articles"))
}
