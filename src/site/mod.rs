//! The site's own facts: its name, its zone, where its articles stand, its navigation.

pub mod model;
mod routes;
pub mod store;

use crate::web::Services;

/// Registers the routes.
pub fn configure(config: &mut Services<'_, '_>) {
    config.service(routes::get_site).service(routes::update_site);
}
