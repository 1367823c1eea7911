//! The OpenAPI document: made from the handlers, completed in one pass, the same for the server, the command and the
//! committed file.

mod answers;
mod complete;

use actix_web::App;
use actix_web::dev::ResourceDef;
use actix_web::middleware::from_fn;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, SecurityRequirement};
use utoipa_actix_web::AppExt;

use crate::config::Config;
use crate::error::{Code, Language, Problem};
use crate::web::Services;
use crate::{articles, auth, images, ops, search, site, taxonomy, users, views};

/// What the document says before any endpoint.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Broadsheet",
        description = "A headless content API for Chinese-language news and review sites: articles, images, search in Chinese, exact view counts.\n\nEvery error is a problem document (RFC 9457). Lists go on by `cursor`. Times are RFC 3339 in UTC. Values of `code`, `type` and the like are strings with listed values; new ones may come, so skip what you do not know.",
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
    for code in statuses() {
        components
            .responses
            .insert(problem_name(code), RefOr::T(problem_response(code)));
    }
    complete::schemas(&mut document);
    let schemas = document.components.as_ref().map(|components| &components.schemas);
    let schemas = serde_json::to_value(schemas).unwrap_or_default();
    let targets = complete::targets(&document);
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in [
            (HttpMethod::Get, &mut item.get),
            (HttpMethod::Post, &mut item.post),
            (HttpMethod::Put, &mut item.put),
            (HttpMethod::Patch, &mut item.patch),
            (HttpMethod::Delete, &mut item.delete),
        ] {
            if let Some(operation) = operation {
                add_problems(path, &method, operation);
                add_examples(&schemas, operation);
                complete::operation(path, &method, operation, &targets);
            }
        }
    }
    answers::shared(&mut document);
    document
}

/// Adds the problem answers that follow from an operation's shape, and gives those that the handler names their body.
fn add_problems(path: &str, method: &HttpMethod, operation: &mut Operation) {
    let nothing = |requirement: &SecurityRequirement| {
        serde_json::to_value(requirement).is_ok_and(|value| value == serde_json::json!({}))
    };
    // `security(())` stands for "or without", which makes a requirement of nothing.
    let requirements = operation.security.as_deref().unwrap_or_default();
    let secured = !requirements.is_empty() && !requirements.iter().any(nothing);
    let takes_credentials = !requirements.iter().all(nothing);
    let body = operation.request_body.is_some();
    // A parameter that is unknown is 400 where there is none as well.
    let mut statuses = vec![400, 500, 503];
    if takes_credentials {
        statuses.push(401);
    }
    if secured {
        statuses.push(403);
    }
    if path.contains('{') {
        statuses.push(404);
    }
    if body {
        statuses.extend([408, 413, 415, 422]);
    }
    if operation.responses.responses.contains_key("206") {
        statuses.push(416);
    }
    let named: Vec<u16> = operation
        .responses
        .responses
        .iter()
        .filter(|(_, response)| matches!(response, RefOr::T(response) if response.content.is_empty()))
        .filter_map(|(status, _)| status.parse().ok())
        .filter(|status| *status >= 400)
        .collect();
    for status in statuses.into_iter().chain(named.iter().copied()) {
        let Some(code) = representative(status) else { continue };
        let reference = RefOr::Ref(Ref::from_response_name(problem_name(code)));
        if named.contains(&status) || !operation.responses.responses.contains_key(&status.to_string()) {
            operation.responses.responses.insert(status.to_string(), reference);
        }
    }
    if answers::is_kept(path, method, operation) {
        let response = ResponseBuilder::new()
            .description("It is what `If-None-Match` names.")
            .build();
        operation
            .responses
            .responses
            .entry("304".to_owned())
            .or_insert(RefOr::T(response));
    }
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

/// The example of a field: its own, or the first of the named schema that it refers to.
fn example_of(schemas: &serde_json::Value, field: &serde_json::Value) -> Option<serde_json::Value> {
    let named = field
        .get("$ref")
        .and_then(|reference| schemas.get(reference.as_str()?.rsplit('/').next()?));
    let first = named.and_then(|schema| schema.get("examples")?.get(0));
    field.get("example").or(first).cloned()
}

/// One code for each status, which gives the shared answer its name.
fn statuses() -> impl Iterator<Item = Code> {
    let mut seen = Vec::new();
    Code::ALL.iter().copied().filter(move |code| {
        let new = !seen.contains(&code.status());
        seen.push(code.status());
        new
    })
}

fn representative(status: u16) -> Option<Code> {
    statuses().find(|code| code.status().as_u16() == status)
}

fn problem_name(code: Code) -> String {
    let reason = code.status().canonical_reason().unwrap_or("Problem");
    reason.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn problem_response(code: Code) -> Response {
    let status = code.status();
    let codes: Vec<_> = Code::ALL
        .iter()
        .filter(|other| other.status() == status)
        .map(|code| format!("`{}`", code.name()))
        .collect();
    let problem = crate::error::Error::new(code).problem(Language::English, "0198f2c6-7c7e-7d5a-9c1e-2f6d0a4b8c11");
    let example = serde_json::to_value(problem);
    ResponseBuilder::new()
        .description(format!(
            "{}. `code` is one of: {}.",
            code.title(Language::English),
            codes.join(", ")
        ))
        .content(
            "application/problem+json",
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .example(example.ok())
                .build(),
        )
        .build()
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
