//! What people search for: how often a day, and whether anything was found. Who they are is not kept.

mod log;
mod model;
pub(super) mod routes;
mod store;

pub use self::log::QueryLog;
