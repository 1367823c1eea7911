//! Suggestions for what is being typed.

mod find;
mod model;
mod query;
mod routes;
mod store;

pub use self::routes::list_suggestions;
