//! HTTP of operations.

use actix_web::{get, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::Readiness;
use crate::error::{Error, Result};
use crate::web::{NoQuery, PublicUrl, Reply};

/// How a server is.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
    /// The server's version.
    #[schema(example = "0.1.0")]
    version: &'static str,
}

const HEALTHY: Health = Health {
    status: "ok",
    version: env!("CARGO_PKG_VERSION"),
};

/// Ask whether the server runs.
///
/// For supervisors: it answers as long as the process does its work.
#[utoipa::path(tag = "operations", operation_id = "get_live", security(()), responses((status = 200, description = "It runs.", body = Health)))]
#[get("/health/live")]
pub async fn get_live(_query: NoQuery) -> Result<Reply> {
    Ok(Reply::json(&HEALTHY)?.uncached())
}

/// Ask whether the server takes work.
///
/// For load balancers: 503 while it starts or stops, while writes fail, and until there is a user.
#[utoipa::path(tag = "operations", operation_id = "get_ready", security(()), responses((status = 200, description = "It takes work.", body = Health)))]
#[get("/health/ready")]
pub async fn get_ready(_query: NoQuery, readiness: web::Data<Readiness>) -> Result<Reply> {
    readiness
        .check()
        .await
        .map_err(|reason| Error::unavailable(format!("not ready: {reason}")))?;
    Ok(Reply::json(&HEALTHY)?.uncached())
}

/// Where things are.
#[derive(Debug, Serialize, ToSchema)]
struct Index {
    /// What this is.
    #[schema(example = "Broadsheet")]
    name: &'static str,
    /// The server's version.
    #[schema(example = "0.1.0")]
    version: &'static str,
    /// The base of the API.
    #[schema(example = "http://localhost:8080/api/v1")]
    api: String,
    /// Its OpenAPI document.
    #[schema(example = "http://localhost:8080/openapi.json")]
    openapi: String,
    /// The document, to be read and tried out.
    #[schema(example = "http://localhost:8080/docs/")]
    docs: String,
}

/// See where things are.
///
/// The way in for whoever has only the address.
#[utoipa::path(tag = "operations", operation_id = "get_index", security(()), responses((status = 200, description = "Addresses.", body = Index)))]
#[get("/")]
pub async fn get_index(_query: NoQuery, origin: web::Data<PublicUrl>) -> Result<Reply> {
    let origin = &origin.0;
    Reply::json(&Index {
        name: "Broadsheet",
        version: env!("CARGO_PKG_VERSION"),
        api: format!("{origin}/api/v1"),
        openapi: format!("{origin}/openapi.json"),
        docs: format!("{origin}/docs/"),
    })
}
