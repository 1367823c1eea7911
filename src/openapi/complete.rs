//! What holds for many operations alike and stands at none of them: bounds and names here, [`answers`] beside it.

use std::collections::BTreeSet;

use serde_json::Value;
use utoipa::Number;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, Components, SchemaType};
use utoipa::openapi::{KnownFormat, Object, OpenApi, Ref, RefOr, Schema, SchemaFormat, Server, Type};

use super::answers;

/// Where references to schemas point.
const SCHEMAS: &str = "#/components/schemas/";

/// Text as it is taken where nothing else is said: no control characters but tab and line break.
const TEXT: &str = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$";

/// The formats that the house names (`format = "line"` at a field), each as the pattern that the document shows.
const FORMATS: [(&str, &str); 8] = [
    // One line that is not blank.
    (
        "line",
        r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$",
    ),
    (
        "http-url",
        r#"^https?://[^/\s\x00-\x1f\x7f-\x9f"<>\\][^\s\x00-\x1f\x7f-\x9f"<>\\]*$"#,
    ),
    (
        "http-url-or-path",
        r#"^(/([^/\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*)?|https?://[^/\s\x00-\x1f\x7f-\x9f"<>\\][^\s\x00-\x1f\x7f-\x9f"<>\\]*)$"#,
    ),
    (
        "article-url",
        r#"^https?://[^/\s\x00-\x1f\x7f-\x9f"<>\\][^\s\x00-\x1f\x7f-\x9f"<>\\]*\{(id|slug)\}[^\s\x00-\x1f\x7f-\x9f"<>\\]*$"#,
    ),
    // BCP 47, by its shape.
    ("language-tag", "^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$"),
    (
        "date-or-time",
        r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][^\x00-\x1f\x7f-\x9f]+)?$",
    ),
    ("entity-tags", r#"^(\*|(W/)?"[^"]*"(\s*,\s*(W/)?"[^"]*")*)$"#),
    ("visible-ascii", r"^[\x21-\x7e]*$"),
];

/// A value out of a list that may grow.
const WORD: &str = "^[a-z][a-z0-9_]*$";

/// The largest id and the largest count: what a double holds exactly.
const MAX: usize = 9_007_199_254_740_991;

/// The server of the document.
pub fn server(origin: &str) -> Server {
    let mut server = Server::new(origin);
    server.description = Some("This server, local or in production.".to_owned());
    server.extensions = Some(ExtensionsBuilder::new().add("x-internal", false).build());
    server
}

/// Calls `on` for a schema and for each inside it; references are not followed.
fn each_schema(schema: &mut RefOr<Schema>, on: &mut dyn FnMut(&mut RefOr<Schema>)) {
    on(schema);
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            for property in object.properties.values_mut() {
                each_schema(property, on);
            }
            if let Some(AdditionalProperties::RefOr(values)) = object.additional_properties.as_deref_mut() {
                each_schema(values, on);
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                each_schema(items, on);
            }
        }
        Schema::OneOf(choice) => {
            for item in &mut choice.items {
                each_schema(item, on);
            }
        }
        Schema::AllOf(sum) => {
            for item in &mut sum.items {
                each_schema(item, on);
            }
        }
        Schema::AnyOf(choice) => {
            for item in &mut choice.items {
                each_schema(item, on);
            }
        }
        _ => {}
    }
}

pub(super) fn as_json<T: serde::Serialize>(part: &T) -> Value {
    serde_json::to_value(part).unwrap_or_default()
}

/// The names of all schemas that a part of the document refers to, through others as well.
fn names(part: &Value, schemas: &Value, found: &mut BTreeSet<String>) {
    match part {
        Value::Object(map) => {
            let name = map.get("$ref").and_then(Value::as_str);
            if let Some(name) = name.and_then(|at| at.strip_prefix(SCHEMAS))
                && found.insert(name.to_owned())
                && let Some(schema) = schemas.get(name)
            {
                names(schema, schemas, found);
            }
            for inner in map.values() {
                names(inner, schemas, found);
            }
        }
        Value::Array(list) => {
            for inner in list {
                names(inner, schemas, found);
            }
        }
        _ => {}
    }
}

/// A wrapper (`Data_Article`, `Page_Tag`) that was made from a generic holds its item whole. The item has a name of its
/// own: with a reference, clients have one type for it.
fn name_items(components: &mut Components) {
    let named = components.schemas.clone();
    for (name, schema) in &mut components.schemas {
        let Some((_, item)) = name.split_once('_') else {
            continue;
        };
        let Some(whole) = named.get(item).map(as_json) else {
            continue;
        };
        let RefOr::T(Schema::Object(wrapper)) = schema else {
            continue;
        };
        let Some(data) = wrapper.properties.get_mut("data") else {
            continue;
        };
        let place = match data {
            RefOr::T(Schema::Array(array)) => match &mut array.items {
                ArrayItems::RefOrSchema(items) => &mut **items,
                ArrayItems::False => continue,
            },
            other => other,
        };
        if as_json(place) == whole {
            let mut reference = Ref::from_schema_name(item);
            let description = whole.get("description").and_then(Value::as_str);
            reference.description = description.unwrap_or_default().to_owned();
            *place = RefOr::Ref(reference);
        }
    }
}

/// What is sent is read strictly, what is answered may grow. So a schema of requests alone takes no unknown field and has
/// bounds; one that answers use as well gets a twin for requests, with `Input` behind its name.
fn split(document: &mut OpenApi) {
    let Some(components) = &mut document.components else {
        return;
    };
    let schemas = as_json(&components.schemas);
    let (mut sent, mut answered) = (BTreeSet::new(), BTreeSet::new());
    for item in document.paths.paths.values() {
        for operation in [&item.get, &item.post, &item.put, &item.patch, &item.delete] {
            let Some(operation) = operation else { continue };
            names(&as_json(&operation.request_body), &schemas, &mut sent);
            names(&as_json(&operation.responses), &schemas, &mut answered);
        }
    }
    let has_fields = |name: &String| {
        schemas
            .get(name)
            .is_some_and(|schema| schema.get("properties").is_some())
    };
    let shared: BTreeSet<String> = sent
        .intersection(&answered)
        .filter(|name| has_fields(name))
        .cloned()
        .collect();
    let mut to_twin = |schema: &mut RefOr<Schema>| {
        if let RefOr::Ref(reference) = schema
            && let Some(name) = reference.ref_location.strip_prefix(SCHEMAS)
            && shared.contains(name)
        {
            reference.ref_location.push_str("Input");
        }
    };
    for name in sent.iter().filter(|name| has_fields(name)) {
        let Some(mut schema) = components.schemas.get(name).cloned() else {
            continue;
        };
        each_schema(&mut schema, &mut to_twin);
        each_schema(&mut schema, &mut bound);
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
        let twin = if shared.contains(name) { "Input" } else { "" };
        components.schemas.insert(format!("{name}{twin}"), schema);
    }
    for item in document.paths.paths.values_mut() {
        for operation in [
            &mut item.get,
            &mut item.post,
            &mut item.put,
            &mut item.patch,
            &mut item.delete,
        ] {
            let body = operation.as_mut().and_then(|operation| operation.request_body.as_mut());
            let Some(RefOr::T(body)) = body else { continue };
            for content in body.content.values_mut() {
                if let RefOr::T(content) = content
                    && let Some(schema) = &mut content.schema
                {
                    each_schema(schema, &mut to_twin);
                }
            }
        }
    }
}

fn is(object: &Object, wanted: &Type) -> bool {
    match &object.schema_type {
        SchemaType::Type(kind) => kind == wanted,
        SchemaType::Array(kinds) => kinds.contains(wanted),
        SchemaType::AnyValue => false,
    }
}

fn is_free_text(object: &Object) -> bool {
    is(object, &Type::String) && object.pattern.is_none() && object.format.is_none() && object.enum_values.is_none()
}

/// What a format begins with that lists the values there are: `format = "one of day hour"`.
const ONE_OF: &str = "one of ";

/// What a format begins with that lists the values of a word that may grow: `format = "word day hour"`.
const WORD_OF: &str = "word ";

/// A format of the house is shown as what it means.
fn spell_format(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else {
        return;
    };
    let Some(SchemaFormat::Custom(format)) = &object.format else {
        return;
    };
    if let Some(values) = format.strip_prefix(ONE_OF) {
        object.enum_values = Some(values.split(' ').map(Value::from).collect());
        object.format = None;
    } else if let Some(values) = format.strip_prefix(WORD_OF) {
        object.examples = values.split(' ').map(Value::from).collect();
        object.example = None;
        object.format = None;
        to_word(object);
    } else if let Some((_, pattern)) = FORMATS.iter().find(|(name, _)| name == format) {
        object.pattern = Some((*pattern).to_owned());
        object.format = None;
    }
}

fn to_word(object: &mut Object) {
    object.pattern = Some(WORD.to_owned());
    object.max_length = Some(50);
}

/// What a field says of a value that may be null is said of the field, not of one of its two forms.
fn describe_choice(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::OneOf(choice)) = schema else {
        return;
    };
    for item in &mut choice.items {
        if let RefOr::Ref(reference) = item
            && choice.description.is_none()
            && !reference.description.is_empty()
        {
            choice.description = Some(std::mem::take(&mut reference.description));
        }
    }
}

/// Numbers that are answered begin at 0, where the field says nothing else, and JavaScript reads them exactly.
fn bound_answer(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::Object(object)) = schema else {
        return;
    };
    if is(object, &Type::Integer) {
        object.minimum.get_or_insert(Number::UInt(0));
        object.maximum.get_or_insert(Number::UInt(most(object)));
    }
}

fn most(integer: &Object) -> usize {
    let long = integer.format == Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
    if long { MAX } else { 2_147_483_647 }
}

/// How many rows a list has at most: of what is always whole, as many as there can be.
fn bound_rows(components: &mut Components) {
    for (name, schema) in &mut components.schemas {
        let Some(item) = name.strip_prefix("Page_") else {
            continue;
        };
        if let RefOr::T(Schema::Object(page)) = schema
            && let Some(RefOr::T(Schema::Array(rows))) = page.properties.get_mut("data")
        {
            rows.max_items = Some(match item {
                "Category" => 5_000,
                "ViewPoint" => 1_000,
                _ => 100,
            });
        }
    }
}

/// The bounds of what is sent, where the field names none.
fn bound(schema: &mut RefOr<Schema>) {
    spell_format(schema);
    let RefOr::T(Schema::Object(object)) = schema else {
        return;
    };
    if is_free_text(object) {
        object.pattern = Some(TEXT.to_owned());
    }
    if is(object, &Type::Integer) {
        let most = most(object);
        object.minimum.get_or_insert(Number::UInt((most == MAX).into()));
        object.maximum.get_or_insert(Number::UInt(most));
    }
}

/// Completes the schemas. Before anything is made from them.
pub fn schemas(document: &mut OpenApi) {
    if let Some(components) = &mut document.components {
        name_items(components);
        bound_rows(components);
        for schema in components.schemas.values_mut() {
            each_schema(schema, &mut describe_choice);
        }
    }
    split(document);
    let Some(components) = &mut document.components else {
        return;
    };
    for schema in components.schemas.values_mut() {
        each_schema(schema, &mut spell_format);
        each_schema(schema, &mut bound_answer);
        if let RefOr::T(Schema::Object(object)) = schema
            && is_free_text(object)
        {
            to_word(object);
        }
    }
}

/// An operation that others may follow from: its path, its id, its summary.
pub struct Target {
    pub(super) path: String,
    pub(super) id: String,
    pub(super) summary: String,
}

/// The operations on one thing, which the answer that made it leads to.
pub fn targets(document: &OpenApi) -> Vec<Target> {
    let mut targets = Vec::new();
    for (path, item) in &document.paths.paths {
        if path.matches('{').count() != 1 || !path.contains("{id}") {
            continue;
        }
        for operation in [&item.get, &item.post, &item.put, &item.patch, &item.delete] {
            if let Some(operation) = operation
                && let Some(id) = &operation.operation_id
            {
                targets.push(Target {
                    path: path.clone(),
                    id: id.clone(),
                    summary: operation.summary.clone().unwrap_or_default(),
                });
            }
        }
    }
    targets
}

/// Completes an operation that has all its answers.
pub fn operation(path: &str, method: &HttpMethod, operation: &mut Operation, targets: &[Target]) {
    let mut paged = false;
    for parameter in operation.parameters.iter_mut().flatten() {
        let RefOr::T(parameter) = parameter else { continue };
        paged |= parameter.name == "cursor";
        if let Some(schema) = &mut parameter.schema {
            each_schema(schema, &mut bound);
            // A parameter is there or not: there is no way to write null.
            if let RefOr::T(Schema::Object(object)) = schema
                && let SchemaType::Array(kinds) = &object.schema_type
                && let Some(kind) = kinds.iter().find(|kind| **kind != Type::Null)
            {
                object.schema_type = SchemaType::Type(kind.clone());
            }
            // No entries cannot be told from one that is empty, which is wrong.
            if let RefOr::T(Schema::Array(list)) = schema {
                list.min_items = Some(1);
            }
        }
    }
    if let Some(RefOr::T(body)) = &mut operation.request_body
        && body.content.contains_key("application/merge-patch+json")
        && body.content.remove("application/json").is_some()
    {
        // Two media types for the same body break more than one generator of clients.
        let text = "A merge patch (RFC 7396): absent keeps, `null` clears. As `application/json` it is taken, too.";
        body.description = Some(text.to_owned());
    }
    if as_json(&operation.security) == serde_json::json!([{}]) {
        // "Or without", alone, is better said by an empty list: generators make a client without credentials of it.
        operation.security = Some(Vec::new());
    }
    answers::complete(path, method, operation, paged, targets);
}
