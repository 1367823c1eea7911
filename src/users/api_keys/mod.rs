//! API keys: how programs sign in. A key is random, shown once, stored as a digest, and has a scope instead of a role.

pub mod model;
mod routes;
pub mod store;

use crate::web::Services;

/// Registers the routes.
pub fn configure(config: &mut Services<'_, '_>) {
    config
        .service(routes::list_api_keys)
        .service(routes::create_api_key)
        .service(routes::get_api_key)
        .service(routes::update_api_key)
        .service(routes::delete_api_key);
}
