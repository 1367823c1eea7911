//! The problem answers of an operation: the statuses that follow from its shape, each with the codes that it can have.

use std::collections::BTreeMap;

use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, SecurityRequirement};

use crate::error::{Code, Error, Language};

/// How the description of an operation begins that refuses nobody who is signed in.
const FOR_ALL_SIGNED_IN: &str = "For whoever is signed in";

/// What the problems of an operation follow from.
struct Shape {
    takes_credentials: bool,
    needs_sign_in: bool,
    /// Whether somebody who is signed in may be told 403.
    refuses: bool,
    names_one: bool,
    json: bool,
    form: bool,
    parts: bool,
    cursor: bool,
    if_match: bool,
}

impl Shape {
    fn of(path: &str, operation: &Operation) -> Self {
        let nothing = |requirement: &SecurityRequirement| {
            serde_json::to_value(requirement).is_ok_and(|value| value == serde_json::json!({}))
        };
        // `security(())` stands for "or without", which makes a requirement of nothing.
        let requirements = operation.security.as_deref().unwrap_or_default();
        let secured = !requirements.is_empty() && !requirements.iter().any(nothing);
        let description = operation.description.as_deref().unwrap_or_default();
        let responses = &operation.responses.responses;
        let takes = |media_type: &str| matches!(&operation.request_body, Some(RefOr::T(body)) if body.content.keys().any(|key| key.ends_with(media_type)));
        let has = |place: ParameterIn, name: &str| {
            operation.parameters.iter().flatten().any(|parameter| {
                matches!(parameter, RefOr::T(parameter) if parameter.name == name && parameter.parameter_in == place)
            })
        };
        Self {
            takes_credentials: !requirements.iter().all(nothing),
            needs_sign_in: secured || responses.contains_key("403"),
            refuses: secured && !description.starts_with(FOR_ALL_SIGNED_IN) || responses.contains_key("403"),
            names_one: path.contains('{'),
            json: takes("json"),
            form: takes("form-data"),
            parts: responses.contains_key("206"),
            cursor: has(ParameterIn::Query, "cursor"),
            if_match: has(ParameterIn::Header, "If-Match"),
        }
    }

    /// Whether the code can occur without the handler naming its status.
    fn allows(&self, code: Code) -> bool {
        match code {
            // A parameter that is unknown is 400 where there is none as well.
            Code::UnknownParameter | Code::InvalidParameter | Code::Internal | Code::Unavailable => true,
            Code::InvalidToken => self.takes_credentials,
            Code::Unauthenticated => self.needs_sign_in,
            Code::Forbidden => self.refuses,
            Code::NotFound => self.names_one,
            Code::MalformedJson => self.json,
            Code::BadRequest
            | Code::RequestTimeout
            | Code::TooLarge
            | Code::UnsupportedMediaType
            | Code::UnknownField
            | Code::InvalidField => self.json || self.form,
            Code::InvalidCursor => self.cursor,
            Code::InvalidIfMatch | Code::VersionMismatch | Code::PreconditionRequired => self.if_match,
            Code::RangeNotSatisfiable => self.parts,
            Code::InvalidCredentials
            | Code::MethodNotAllowed
            | Code::SlugTaken
            | Code::NameTaken
            | Code::EmailTaken
            | Code::ExternalIdTaken
            | Code::InUse
            | Code::LastAdmin
            | Code::RateLimited => false,
        }
    }
}

/// Adds an operation's problem answers: those of its shape, and those whose status its handler names. Where several codes
/// have that status, the handler names in backticks which of them can occur. `shared` gets each answer once.
pub fn add(path: &str, operation: &mut Operation, shared: &mut BTreeMap<String, RefOr<Response>>) {
    let shape = Shape::of(path, operation);
    let responses = &mut operation.responses.responses;
    let mut codes: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for &code in Code::ALL {
        let status = code.status().as_u16();
        let said = match responses.get(&status.to_string()) {
            Some(RefOr::T(response)) if response.content.is_empty() => Some(response.description.as_str()),
            _ => None,
        };
        let only = Code::ALL.iter().filter(|other| other.status() == code.status()).count() == 1;
        let named = said.is_some_and(|said| only || said.contains(&format!("`{}`", code.name())));
        if named || shape.allows(code) {
            codes.entry(status).or_default().push(code);
        }
    }
    for (status, codes) in codes {
        let name = name_of(status, &codes);
        let reference = RefOr::Ref(Ref::from_response_name(&name));
        responses.insert(status.to_string(), reference);
        shared.entry(name).or_insert_with(|| RefOr::T(response(&codes)));
    }
}

/// The name of a shared answer: its status, and its codes where there are more with that status.
fn name_of(status: u16, codes: &[Code]) -> String {
    let of_status = || Code::ALL.iter().filter(|code| code.status().as_u16() == status);
    let reason = of_status().next().and_then(|code| code.status().canonical_reason());
    let mut name: String = reason.unwrap_or("Problem").split_whitespace().collect();
    if of_status().count() > 1 {
        name.push('_');
        name.push_str(&codes.iter().map(|code| code.name()).collect::<Vec<_>>().join("-"));
    }
    name
}

fn response(codes: &[Code]) -> Response {
    let bullet = if codes.len() > 1 { "- " } else { "" };
    let meanings = codes
        .iter()
        .map(|code| format!("{bullet}`{}`: {}", code.name(), code.detail(Language::English)));
    let example = codes.first().map(|code| {
        let problem = Error::new(*code).problem(Language::English, "0198f2c6-7c7e-7d5a-9c1e-2f6d0a4b8c11");
        serde_json::json!(problem)
    });
    ResponseBuilder::new()
        .description(meanings.collect::<Vec<_>>().join("\n"))
        .content(
            "application/problem+json",
            ContentBuilder::new()
                .schema(Some(Ref::from_schema_name("Problem")))
                .example(example)
                .build(),
        )
        .build()
}
