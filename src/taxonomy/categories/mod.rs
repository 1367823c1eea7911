//! Categories: a tree in which an article stands at one place at most.

pub mod model;
mod routes;
pub mod store;
pub mod tree;

pub use self::tree::Tree;
use crate::web::Services;

/// Registers the routes.
pub fn configure(config: &mut Services<'_, '_>) {
    config
        .service(routes::list_categories)
        .service(routes::create_category)
        .service(routes::get_category_by_slug)
        .service(routes::get_category)
        .service(routes::update_category)
        .service(routes::delete_category);
}
