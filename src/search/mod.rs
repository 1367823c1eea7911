//! Finding articles by what they say.

mod find;
mod model;
mod query;
mod routes;
mod store;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config.service(routes::search_articles);
}
