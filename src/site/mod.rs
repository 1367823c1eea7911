//! The site's own facts: its name, its zone, where its articles stand, its navigation.

pub mod model;
mod routes;
pub mod store;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config.service(routes::get_site).service(routes::update_site);
}
