//! Counting who read what, without losing one.

mod counter;
mod routes;
mod store;

pub use self::counter::Counter;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config.service(routes::count_view);
}
