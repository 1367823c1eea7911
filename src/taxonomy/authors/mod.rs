//! Authors: the by-lines of articles. They are no accounts.

pub mod model;
mod routes;
pub mod store;

use crate::web::Services;

/// Registers the routes.
pub fn configure(config: &mut Services<'_, '_>) {
    config
        .service(routes::list_authors)
        .service(routes::create_author)
        .service(routes::get_author_by_slug)
        .service(routes::get_author)
        .service(routes::update_author)
        .service(routes::delete_author);
}
