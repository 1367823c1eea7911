//! Tags: names that articles carry, one tag a name.

mod keys;
pub mod model;
mod reindex;
mod routes;
pub mod store;

pub use self::keys::{Used, Whose, find_by_key, rewrite_keys};
pub use self::reindex::Reindex;
use crate::web::Services;

/// Registers the routes.
pub fn configure(config: &mut Services<'_, '_>) {
    config
        .service(routes::list_tags)
        .service(routes::create_tag)
        .service(routes::get_tag_by_slug)
        .service(routes::get_tag)
        .service(routes::update_tag)
        .service(routes::delete_tag);
}
