//! Images: uploads, and the files that readers load.

mod accept;
mod bucket;
pub mod check;
mod claims;
mod crew;
mod files;
pub mod ingest;
pub mod model;
pub mod pipeline;
mod routes;
mod scratch;
mod serve;
mod storage;
pub mod store;
mod upkeep;
mod upload;
pub mod variants;

pub use self::files::Files;
pub use self::upkeep::{keep_up, settle_at_start};
use crate::web::Services;

/// Registers the routes under the API.
pub fn configure(config: &mut Services<'_, '_>) {
    config
        .service(routes::list_images)
        .service(routes::upload_image)
        .service(routes::get_image)
        .service(routes::update_image)
        .service(routes::delete_image);
}

/// Registers the addresses of the files.
pub fn configure_media(config: &mut Services<'_, '_>) {
    config.service(serve::get_media);
}
