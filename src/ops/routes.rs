//! HTTP of operations.

use actix_web::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue, VARY};
use actix_web::{HttpRequest, HttpResponse, Responder, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::Readiness;
use crate::error::{Error, Result};
use crate::web::{NoQuery, PublicUrl, Reply};

/// How a server is.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// Always `ok`: a server that is not answers 503.
    #[schema(example = "ok", format = "word ok")]
    status: &'static str,
    /// The server's version.
    #[schema(example = "0.1.0", pattern = "^[0-9]+\\.[0-9]+\\.[0-9]+")]
    version: &'static str,
}

const HEALTHY: Health = Health {
    status: "ok",
    version: env!("CARGO_PKG_VERSION"),
};

/// Ask whether the server runs.
///
/// Open to everyone, for supervisors: it answers as long as the process does its work. Costs nothing.
#[utoipa::path(tag = "operations", operation_id = "get_live", security(()), responses((status = 200, description = "It runs.", body = Health)))]
#[get("/health/live")]
pub async fn get_live(_query: NoQuery) -> Result<Reply> {
    Ok(Reply::json(&HEALTHY)?.uncached())
}

/// Ask whether the server takes work.
///
/// Open to everyone, for load balancers: 503 while it starts or stops, while writes fail, and until there is a
/// user. Costs a write, once a second at most, however often it is asked.
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
    #[schema(example = "Broadsheet", max_length = 50)]
    name: &'static str,
    /// The server's version.
    #[schema(example = "0.1.0", pattern = "^[0-9]+\\.[0-9]+\\.[0-9]+")]
    version: &'static str,
    /// The base of the API.
    #[schema(example = "http://localhost:8080/api/v1", pattern = "^https?://")]
    api: String,
    /// Its OpenAPI document.
    #[schema(example = "http://localhost:8080/openapi.json", pattern = "^https?://")]
    openapi: String,
    /// The document, to be read and tried out.
    #[schema(example = "http://localhost:8080/docs/", pattern = "^https?://")]
    docs: String,
}

/// The index for people. Its addresses are relative, so that it is right behind any proxy.
const PAGE: &str = concat!(
    r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Broadsheet</title>
<style>body { font: 1.1rem/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; color-scheme: light dark; }</style>
<h1>Broadsheet</h1>
<p>A content API, version "#,
    env!("CARGO_PKG_VERSION"),
    r#". There is no site here: programs read articles as JSON.</p>
<ul>
<li><a href="docs/">The API, to be read and tried out</a></li>
<li><a href="openapi.json">Its OpenAPI document</a></li>
<li><a href="api/v1/articles">The newest articles</a></li>
</ul>
</html>
"#
);

/// Whether a browser asks: it names HTML, and programs that want JSON do not, or name JSON as well.
fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html") && !accepted.contains("application/json"))
}

/// See where things are.
///
/// Open to everyone: the way in for whoever has only the address. A page where a browser asks (`Accept:
/// text/html`), JSON for programs. Costs no database, and caches may keep it for five minutes.
#[utoipa::path(
    tag = "operations",
    operation_id = "get_index",
    security(()),
    responses((status = 200, description = "Addresses.", content((Index = "application/json"), (String = "text/html")))),
)]
#[get("/")]
pub async fn get_index(_query: NoQuery, request: HttpRequest, origin: web::Data<PublicUrl>) -> Result<HttpResponse> {
    let mut response = if wants_page(request.headers()) {
        HttpResponse::Ok()
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"))
            .body(PAGE)
    } else {
        let origin = &origin.0;
        let index = Index {
            name: "Broadsheet",
            version: env!("CARGO_PKG_VERSION"),
            api: format!("{origin}/api/v1"),
            openapi: format!("{origin}/openapi.json"),
            docs: format!("{origin}/docs/"),
        };
        Reply::json(&index)?.uncached().respond_to(&request)
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    headers.append(VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}
