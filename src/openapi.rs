//! The OpenAPI document: made from the handlers, completed in one pass, the same for the server, the command and the
//! committed file.

mod answers;
mod complete;
mod problems;

use std::collections::BTreeMap;

use actix_web::App;
use actix_web::dev::ResourceDef;
use actix_web::middleware::from_fn;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr};
use utoipa_actix_web::AppExt;

use crate::config::Config;
use crate::error::Problem;
use crate::web::Services;
use crate::{articles, auth, images, ops, search, site, taxonomy, users, views};

/// What the document says before any endpoint.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Broadsheet",
        description = "A headless content API for Chinese-language news and review sites: articles, images, search in Chinese, exact view counts.\n\nLists go on by `cursor`. Times are RFC 3339 in UTC. Values of `code`, `type` and the like are strings with listed values; new ones may come, so skip what you do not know.\n\n**Who may call** stands first in each description. *Accounts* sign in, *API keys* are made by admins. *Contributors* are all who write: accounts of that role, and those of editors and admins, and keys of scope `write`. *Editors* are all who publish: accounts of that role, admins, and keys of scope `write`. *Admins* are accounts of that role. *Whoever sees drafts* is a contributor (their own), an editor or a key of scope `preview` (all). A key of scope `read` does what everyone does. A token or key that is not good is 401 everywhere, also where everyone may call.\n\n**What it costs** is said in statements to the database, beside the one or two that look at a token. What readers get without signing in, searches and rankings aside, is kept in memory until something that it shows changes, and costs none. A write is one transaction, and durable when it is answered.\n\n**Errors** are problem documents (RFC 9457) with a stable `code`, and name everything that is wrong at once: unknown parameters and wrong values are 400, unknown fields and wrong values 422. 429 and 503 have `Retry-After`.",
        contact(name = "Broadsheet", url = "https://broadsheet.dev"),
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    tags(
        (name = "articles", description = "Articles: write, publish, read."),
        (name = "search", description = "Finding articles by what they say."),
        (name = "views", description = "Counting who read what."),
        (name = "taxonomy", description = "Categories, tags and authors."),
        (name = "images", description = "Uploads and the files that readers load."),
        (name = "site", description = "The site's own facts."),
        (name = "auth", description = "Signing in and out."),
        (name = "users", description = "Accounts and API keys, for admins."),
        (name = "operations", description = "For whoever runs the server."),
    ),
    components(schemas(Problem)),
)]
struct Base;

/// Registers every endpoint of the API.
pub fn api(config: &mut Services<'_, '_>) {
    config.configure(ops::configure).configure(auth::configure_well_known);
    below(config, "/media", images::configure_media);
    below(config, "/api/v1", v1);
}

/// Registers what stands below a path, where it is known who calls.
fn below(config: &mut Services<'_, '_>, path: &str, feature: fn(&mut Services<'_, '_>)) {
    match config {
        Services::Documented(config) => {
            let scope = utoipa_actix_web::scope(path).wrap(from_fn(auth::identify));
            config.service(scope.configure(|config| feature(&mut Services::Documented(config))));
        }
        Services::Served(config) => {
            let scope = actix_web::web::scope(path).wrap(from_fn(auth::identify));
            config.service(scope.configure(|config| feature(&mut Services::Served(config))));
        }
    }
}

fn v1(config: &mut Services<'_, '_>) {
    config
        .configure(articles::configure)
        .configure(search::configure)
        .configure(views::configure)
        .configure(taxonomy::configure)
        .configure(images::configure)
        .configure(site::configure)
        .configure(auth::configure)
        .configure(users::configure);
}

/// The origin that absolute links begin with, before it is known which port is free.
pub fn origin(config: &Config) -> String {
    config
        .public_url
        .clone()
        .unwrap_or_else(|| format!("http://localhost:{}", config.bind.port()))
}

/// The whole document, with `origin` as its server.
pub fn document(origin: &str) -> OpenApi {
    let (_app, mut document) = App::new()
        .into_utoipa_app()
        .openapi(Base::openapi())
        .configure(|config| api(&mut Services::Documented(config)))
        .split_for_parts();
    document.servers = Some(vec![complete::server(origin)]);
    let components = document.components.get_or_insert_default();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
        "An access token from `/api/v1/auth/login`, or an API key (`bsk_…`).",
    ));
    components
        .security_schemes
        .insert("bearer".to_owned(), RefOr::T(SecurityScheme::Http(bearer.build())));
    complete::schemas(&mut document);
    let schemas = document.components.as_ref().map(|components| &components.schemas);
    let schemas = serde_json::to_value(schemas).unwrap_or_default();
    let targets = complete::targets(&document);
    let mut shared = BTreeMap::new();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in [
            (HttpMethod::Get, &mut item.get),
            (HttpMethod::Post, &mut item.post),
            (HttpMethod::Put, &mut item.put),
            (HttpMethod::Patch, &mut item.patch),
            (HttpMethod::Delete, &mut item.delete),
        ] {
            if let Some(operation) = operation {
                problems::add(path, operation, &mut shared);
                add_examples(&schemas, operation);
                complete::operation(path, &method, operation, &targets);
            }
        }
    }
    answers::shared(&mut document, shared);
    document
}

/// Gives each JSON body that the handler shows no example for the examples of its fields.
fn add_examples(schemas: &serde_json::Value, operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else {
        return;
    };
    for (media_type, content) in &mut body.content {
        let RefOr::T(content) = content else { continue };
        let Some(RefOr::Ref(reference)) = &content.schema else {
            continue;
        };
        if content.example.is_some() || !media_type.ends_with("json") {
            continue;
        }
        let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
        let fields = schemas
            .get(name)
            .and_then(|schema| schema.get("properties")?.as_object());
        let example: serde_json::Map<_, _> = fields
            .into_iter()
            .flatten()
            .filter_map(|(field, schema)| Some((field.clone(), example_of(schemas, schema)?)))
            .collect();
        content.example = (!example.is_empty()).then_some(example.into());
    }
}

/// The example of a field: its own, or that of the named schema that it refers to.
fn example_of(schemas: &serde_json::Value, field: &serde_json::Value) -> Option<serde_json::Value> {
    let named = field
        .get("$ref")
        .and_then(|reference| schemas.get(reference.as_str()?.rsplit('/').next()?));
    [Some(field), named]
        .into_iter()
        .flatten()
        .find_map(|schema| schema.get("example").or_else(|| schema.get("examples")?.get(0)))
        .cloned()
}

/// Which methods each path takes, to tell a wrong method from a wrong path.
pub struct Routes(Vec<(ResourceDef, Vec<&'static str>)>);

impl Routes {
    /// The routes that a document describes.
    pub fn of(document: &OpenApi) -> Self {
        let routes = document.paths.paths.iter().map(|(path, item)| {
            let mut methods = Vec::new();
            for (operation, names) in [
                (&item.get, &["GET", "HEAD"][..]),
                (&item.post, &["POST"]),
                (&item.put, &["PUT"]),
                (&item.patch, &["PATCH"]),
                (&item.delete, &["DELETE"]),
            ] {
                if operation.is_some() {
                    methods.extend(names);
                }
            }
            (ResourceDef::new(path.as_str()), methods)
        });
        // Beside the document stands the document.
        let own = (ResourceDef::new("/openapi.json"), vec!["GET", "HEAD"]);
        Self(routes.chain([own]).collect())
    }

    /// The methods of a path; none if there is no such path.
    pub fn methods(&self, path: &str) -> Vec<&'static str> {
        let mut methods: Vec<_> = self
            .0
            .iter()
            .filter(|(route, _)| route.is_match(path))
            .flat_map(|(_, methods)| methods.iter().copied())
            .collect();
        methods.sort_unstable();
        methods.dedup();
        methods
    }
}
