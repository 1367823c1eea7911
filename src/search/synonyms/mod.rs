//! Words that mean the same: a search for one of a group finds the others.

pub mod model;
pub(super) mod routes;
pub mod store;
