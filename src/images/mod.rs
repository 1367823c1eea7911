//! Images: uploads, and the files that readers load.

mod files;
pub mod ingest;
pub mod model;
mod pipeline;
mod routes;
pub mod store;
mod upload;
pub mod variants;

pub use self::files::Files;

use utoipa_actix_web::service_config::ServiceConfig;

/// Registers the routes under the API.
pub fn configure(config: &mut ServiceConfig<'_>) {
    config
        .service(routes::list_images)
        .service(routes::upload_image)
        .service(routes::get_image)
        .service(routes::update_image)
        .service(routes::delete_image);
}

/// Registers the addresses of the files.
pub fn configure_media(config: &mut ServiceConfig<'_>) {
    config.service(routes::get_media);
}
