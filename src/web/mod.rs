//! HTTP that knows no feature: typed queries and bodies, ids in paths, answers with their validators, problems.

pub mod body;
pub mod cache;
pub mod client;
mod coding;
pub mod conditional;
mod content;
pub mod cross_origin;
pub mod envelope;
pub mod page;
pub mod patch;
pub mod path;
pub mod query;
pub mod reply;
mod services;
pub mod then;

pub use self::body::Json;
pub use self::conditional::IfMatch;
pub use self::page::{Links, Meta, Page, Paging};
pub use self::patch::Patch;
pub use self::path::{PathId, PathText};
pub use self::query::{FromPairs, NoQuery, Pairs, Query};
pub use self::reply::{Data, Reply};
pub use self::services::Services;
pub use self::then::Then;

/// Origin of absolute links: `BROADSHEET_PUBLIC_URL`, never the `Host` of a request.
#[derive(Clone, Debug)]
pub struct PublicUrl(pub String);
