//! How articles are sorted: a tree of categories, tags, and the authors of their by-lines.

pub mod authors;
mod by_name;
pub mod categories;
mod fields;
pub mod listed;
mod slug;
pub mod tags;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .configure(categories::configure)
        .configure(tags::configure)
        .configure(authors::configure);
}
