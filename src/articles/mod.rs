//! Articles: written, published, read.

pub mod body;
mod filter;
mod input;
mod listed;
pub mod load;
pub mod model;
mod nearby;
pub mod prepared;
mod query;
mod routes;
pub mod searched;
mod shown;
mod slugs;
pub mod store;
pub mod write;

pub use self::filter::{ArticleQuery, Filter, filtered_hits};
pub use self::input::ArticleFields;
pub use self::query::{FilterParams, Includes, Sort, read_filter};
use crate::web::Services;

/// Registers the routes.
pub fn configure(config: &mut Services<'_, '_>) {
    // The fixed names stand before `{id}`, which would take them.
    config
        .service(routes::get_article_by_slug)
        .service(routes::put_article_by_external_id)
        .service(routes::list_articles)
        .service(routes::create_article)
        .service(routes::list_related_articles)
        .service(routes::get_article)
        .service(routes::update_article)
        .service(routes::delete_article);
}
