//! Accounts and API keys, for admins; and the first admin, whom nobody could make otherwise.

pub mod api_keys;
mod first_admin;
pub mod model;
mod routes;
pub mod store;

pub use self::first_admin::ensure_first_admin;
use crate::web::Services;

/// Registers the routes.
pub fn configure(config: &mut Services<'_, '_>) {
    config
        .service(routes::list_users)
        .service(routes::create_user)
        .service(routes::get_user)
        .service(routes::update_user)
        .service(routes::delete_user)
        .configure(api_keys::configure);
}
