//! How articles are sorted: a tree of categories, tags, and the authors of their by-lines.

pub mod authors;
mod by_name;
pub mod categories;
mod fields;
pub mod listed;
mod slug;
pub mod tags;

use crate::web::Services;

/// Registers the routes.
pub fn configure(config: &mut Services<'_, '_>) {
    config
        .configure(categories::configure)
        .configure(tags::configure)
        .configure(authors::configure);
}
