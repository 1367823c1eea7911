//! What answers have in common: headers, links, the bodies of files.

use std::collections::BTreeMap;

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::header::{Header, HeaderBuilder};
use utoipa::openapi::link::LinkBuilder;
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::openapi::{KnownFormat, ObjectBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, SchemaFormat, Type};

use super::complete::Target;

/// A header that answers share.
struct Shared {
    name: &'static str,
    description: &'static str,
    example: &'static str,
    /// Whether it is on each answer that names it.
    always: bool,
}

const HEADERS: [Shared; 11] = [
    Shared {
        name: "Accept-Ranges",
        description: "Parts may be asked for by `Range`.",
        example: "bytes",
        always: true,
    },
    Shared {
        name: "Cache-Control",
        description: "How long the answer may be kept. Whoever sends `Authorization` gets `private, no-store`; a problem is `no-store`.",
        example: "public, max-age=5, stale-while-revalidate=30",
        always: true,
    },
    Shared {
        name: "Cache-Tag",
        description: "What the answer shows, for a cache that is told what to let go: a thing by its id, or a kind. What stands beside a thing, such as the category of an article, is not always named.",
        example: "tag:42,articles",
        always: false,
    },
    Shared {
        name: "Content-Language",
        description: "The language of `title` and `detail`.",
        example: "zh-CN",
        always: true,
    },
    Shared {
        name: "Content-Range",
        description: "Which bytes of the file these are, and how many it has.",
        example: "bytes 0-99/1024",
        always: true,
    },
    Shared {
        name: "ETag",
        description: "Names this answer; `If-None-Match` with it gets 304 while nothing has changed.",
        example: "W/\"7-1f0c9a52d0b1e6a4c3d8\"",
        always: true,
    },
    Shared {
        name: "Link",
        description: "The next and the previous part, as `links` has them (RFC 8288). Absent where there is neither.",
        example: "</api/v1/articles?cursor=AQIDBAUGBwgCAAAAAGVh>; rel=\"next\"",
        always: false,
    },
    Shared {
        name: "Retry-After",
        description: "Seconds to wait before the next try.",
        example: "1",
        always: true,
    },
    Shared {
        name: "Vary",
        description: "The headers of the request that the answer depends on.",
        example: "Accept-Encoding, Authorization",
        always: false,
    },
    Shared {
        name: "WWW-Authenticate",
        description: "How to sign in.",
        example: "Bearer",
        always: true,
    },
    Shared {
        name: "X-Request-Id",
        description: "Names this request in the server's log: the one that was sent, or a new one.",
        example: "0198f2c6-7c7e-7d5a-9c1e-2f6d0a4b8c11",
        always: true,
    },
];

/// Whether an answer may be kept and asked for again by its tag. What accounts and keys are is never kept, the public keys
/// that sign are.
fn is_kept(path: &str, method: &HttpMethod, operation: &Operation) -> bool {
    let mut tags = operation.tags.iter().flatten();
    let of_accounts = tags.any(|tag| matches!(tag.as_str(), "users" | "auth"));
    let may_be_kept = path.starts_with("/api/") && !of_accounts || path.starts_with("/.well-known/");
    matches!(method, HttpMethod::Get) && may_be_kept
}

/// Completes the answers of an operation that go well. `paged` is a list that goes on by `cursor`.
pub fn complete(path: &str, method: &HttpMethod, operation: &mut Operation, paged: bool, targets: &[Target]) {
    let kept = is_kept(path, method, operation);
    if kept {
        let response = ResponseBuilder::new()
            .description("It is what `If-None-Match` names.")
            .build();
        let responses = &mut operation.responses.responses;
        responses.entry("304".to_owned()).or_insert(RefOr::T(response));
    }
    let is_file = path.starts_with("/media/");
    let id = operation.operation_id.clone().unwrap_or_default();
    let responses = &mut operation.responses.responses;
    let whole = match responses.get("200") {
        Some(RefOr::T(whole)) => whole.content.clone(),
        _ => Default::default(),
    };
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        if !status.starts_with(['2', '3']) {
            continue;
        }
        share(response, &["Cache-Control", "Vary", "X-Request-Id"]);
        if kept && matches!(status.as_str(), "200" | "304") {
            share(response, &["ETag"]);
        }
        if kept && status == "200" {
            share(response, &["Cache-Tag"]);
        }
        if is_file && matches!(status.as_str(), "200" | "206" | "304") {
            share(response, &["Accept-Ranges", "ETag"]);
        }
        if status == "206" {
            share(response, &["Content-Range"]);
            response.content.clone_from(&whole);
        }
        if paged && status == "200" {
            share(response, &["Link"]);
            let text = "The next part, while `next_cursor` is not null.";
            lead(
                response,
                "next",
                &id,
                "cursor",
                "$response.body#/meta/next_cursor",
                text,
            );
        }
        if matches!(method, HttpMethod::Post | HttpMethod::Put) && matches!(status.as_str(), "200" | "201") {
            // What is written by another name is at its id as well.
            let list = path.split("/by-").next().unwrap_or_default();
            let one = format!("{list}/{{id}}");
            let below = format!("{one}/");
            for target in targets
                .iter()
                .filter(|target| target.path == one || target.path.starts_with(&below))
            {
                lead(
                    response,
                    &target.id,
                    &target.id,
                    "id",
                    "$response.body#/data/id",
                    &target.summary,
                );
            }
        }
        for (media_type, content) in &mut response.content {
            if is_file
                && !media_type.ends_with("json")
                && let RefOr::T(content) = content
            {
                let bytes = ObjectBuilder::new()
                    .schema_type(Type::String)
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
                content.schema = Some(bytes.into());
            }
        }
        // What a handler names for a status is always there.
        for header in response.headers.values_mut() {
            if let RefOr::T(header) = header {
                require(header);
            }
        }
    }
}

/// Says that the header is always there. The builder has no word for it; what stands in `extensions` is written beside
/// the rest.
fn require(header: &mut Header) {
    header.extensions = Some(Extensions::from_iter([("required", true)]));
}

fn lead(response: &mut Response, name: &str, operation: &str, parameter: &str, value: &str, description: &str) {
    let link = LinkBuilder::new()
        .operation_id(operation)
        .parameter(parameter, value)
        .description(description)
        .build();
    response.links.insert(name.to_owned(), RefOr::T(link));
}

/// Says that an answer has these of the shared headers.
fn share(response: &mut Response, names: &[&str]) {
    for name in names {
        let reference = RefOr::Ref(Ref::new(format!("#/components/headers/{name}")));
        response.headers.entry((*name).to_owned()).or_insert(reference);
    }
}

/// Completes the shared answers and headers.
pub fn shared(document: &mut OpenApi, responses: BTreeMap<String, RefOr<Response>>) {
    let Some(components) = &mut document.components else {
        return;
    };
    components.responses = responses;
    for (name, response) in &mut components.responses {
        let RefOr::T(response) = response else { continue };
        share(response, &["Cache-Control", "Content-Language", "Vary", "X-Request-Id"]);
        match name.split('_').next().unwrap_or_default() {
            "TooManyRequests" | "ServiceUnavailable" => share(response, &["Retry-After"]),
            "Unauthorized" => share(response, &["WWW-Authenticate"]),
            "RangeNotSatisfiable" => share(response, &["Content-Range"]),
            _ => {}
        }
    }
    for shared in HEADERS {
        let seconds = shared.name == "Retry-After";
        let schema = if seconds {
            ObjectBuilder::new()
                .schema_type(Type::Integer)
                .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int32)))
        } else {
            ObjectBuilder::new().schema_type(Type::String)
        };
        let example = if seconds {
            serde_json::json!(1)
        } else {
            shared.example.into()
        };
        let mut header = HeaderBuilder::new()
            .schema(Some(schema))
            .description(Some(shared.description))
            .example(Some(example))
            .build();
        if shared.always {
            require(&mut header);
        }
        components.headers.insert(shared.name.to_owned(), RefOr::T(header));
    }
}
