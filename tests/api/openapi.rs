//! The document: committed as it is made, and complete.

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

use crate::support::contract::{Contract, FILE};
use crate::support::{Answer, App, Client, Role, both};

both!(
    who_may_call_is_who_is_let_in,
    the_words_that_a_query_takes_are_those_that_are_listed,
    the_server_gives_its_document,
    every_path_refuses_unknown_parameters,
    wrong_methods_and_paths_are_problems,
    the_index_is_a_page_for_browsers
);

fn document() -> Value {
    let document = broadsheet::openapi::document("http://localhost:8080");
    serde_json::to_value(document).expect("a document")
}

/// Each operation with its method and path.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            operations.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    operations
}

#[test]
fn the_committed_document_is_what_the_handlers_say() {
    let made = format!("{:#}\n", document());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(FILE, &made).expect("the file can be written");
    }
    let committed = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        committed == made,
        "openapi/broadsheet.v1.json is out of date: BLESS=1 cargo test openapi writes it anew"
    );
}

#[test]
fn every_operation_says_what_it_is() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let tags: Vec<_> = document["tags"]
        .as_array()
        .expect("tags")
        .iter()
        .map(|tag| tag["name"].clone())
        .collect();
    let mut ids = std::collections::BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let name = format!("{method} {path}");
        let id = operation["operationId"].as_str().unwrap_or_default();
        assert!(
            id.contains('_') && ids.insert(id.to_owned()),
            "{name}: operationId {id:?}"
        );
        assert!(
            operation["summary"].as_str().is_some_and(|text| !text.is_empty()),
            "{name}: summary"
        );
        assert!(
            operation["description"].as_str().is_some_and(|text| text.len() > 20),
            "{name}: description"
        );
        assert_eq!(operation["tags"].as_array().map(Vec::len), Some(1), "{name}: tag");
        assert!(tags.contains(&operation["tags"][0]), "{name}: {}", operation["tags"][0]);
        assert!(operation["security"].is_array(), "{name}: security");
        let responses = operation["responses"].as_object().expect("responses");
        assert!(
            responses
                .keys()
                .any(|status| status.starts_with('2') || status == "308"),
            "{name}: an answer"
        );
        assert!(responses.contains_key("500"), "{name}: problems");
        for (media_type, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
            let shown = content["example"]
                .as_object()
                .is_some_and(|example| !example.is_empty());
            assert!(
                shown || media_type == "multipart/form-data",
                "{name}: {media_type} has no example"
            );
        }
    }
    assert!(ids.len() > 30, "{} operations", ids.len());
}

/// How a description begins, and who is let in then: nobody known, a key that reads, one that sees drafts, a contributor,
/// an editor, a key that writes, an admin.
const AUDIENCES: [(&str, [bool; 7]); 7] = [
    ("Open to everyone", [true; 7]),
    ("For whoever is signed in", [false, true, true, true, true, true, true]),
    ("For whoever sees drafts", [false, false, true, true, true, true, true]),
    ("For accounts", [false, false, false, true, true, false, true]),
    ("For contributors", [false, false, false, true, true, true, true]),
    ("For editors", [false, false, false, false, true, true, true]),
    ("For admins", [false, false, false, false, false, false, true]),
];

/// Who may call an operation, as its description says.
fn audience(name: &str, operation: &Value) -> [bool; 7] {
    let description = operation["description"].as_str().unwrap_or_default();
    let said = AUDIENCES.iter().find(|(words, _)| description.starts_with(words));
    said.unwrap_or_else(|| panic!("{name} does not begin with who may call it: {description}"))
        .1
}

#[test]
fn every_operation_says_who_may_call_it_and_what_it_costs() {
    for (method, path, operation) in operations(&document()) {
        let name = format!("{method} {path}");
        let description = operation["description"].as_str().expect("a description");
        assert!(description.to_lowercase().contains("cost"), "{name}: {description}");
        let is_open = audience(&name, &operation)[0];
        let needs = operation["security"].as_array().expect("security");
        let without = needs.is_empty() || needs.iter().any(|way| way == &serde_json::json!({}));
        assert_eq!(is_open, without, "{name}: {needs:?}");
    }
}

/// Texts and lists that have no bound of their own: they are as long as what somebody wrote and what was made of it, or as
/// what was wrong.
const UNBOUNDED: [&str; 31] = [
    "Block.alt",
    "Block.blocks",
    "Block.caption",
    "Block.code",
    "Block.header",
    "Block.header[]",
    "Block.items",
    "Block.items[]",
    "Block.language",
    "Block.rows",
    "Block.rows[]",
    "Block.rows[][]",
    "Block.runs",
    "Block.url",
    "Body.blocks",
    "Body.html",
    "Body.markdown",
    "Body.source",
    "Body.text",
    "FieldError.message",
    "FieldError.parameter",
    "Highlights.body[]",
    "Highlights.summary",
    "Highlights.title",
    "KeySet.keys",
    "Problem.errors",
    "Run.link",
    "Run.text",
    "SearchMeta.facets{}",
    "SearchedQuery.query",
    "SynonymGroup.words[]",
];

/// What a value does not say of itself, into `lacks`: an example, and bounds. Schemas that have a name are looked at
/// where they stand.
fn look_at(place: &str, schema: &Value, shown: bool, lacks: &mut Vec<String>) {
    if ["$ref", "oneOf", "allOf"].iter().any(|key| schema.get(key).is_some()) {
        return;
    }
    let is =
        |kind: &str| schema["type"] == kind || schema["type"].as_array().is_some_and(|all| all.contains(&kind.into()));
    let has_one_of = |keys: &[&str]| keys.iter().any(|key| schema.get(key).is_some());
    let named_items = schema["items"].get("$ref").is_some();
    let shown = shown || has_one_of(&["example", "examples"]) || schema["format"] == "binary" || named_items;
    if !shown {
        lacks.push(format!("{place}: example"));
    }
    let bounded = if is("string") {
        has_one_of(&["format", "enum", "pattern", "maxLength"])
    } else if is("integer") || is("number") {
        schema.get("minimum").is_some() && schema.get("maximum").is_some()
    } else if is("array") {
        schema.get("maxItems").is_some()
    } else {
        true
    };
    if !bounded {
        lacks.push(place.to_owned());
    }
    if is("array") {
        look_at(&format!("{place}[]"), &schema["items"], true, lacks);
    }
    if schema["additionalProperties"].is_object() {
        look_at(&format!("{place}{{}}"), &schema["additionalProperties"], true, lacks);
    }
}

/// Every field of a schema, of the parts of an `allOf` as well.
fn fields(schema: &Value) -> Vec<(&String, &Value)> {
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let own = schema["properties"].as_object().into_iter().flatten();
    own.chain(parts.flat_map(fields)).collect()
}

#[test]
fn every_field_and_parameter_says_what_it_is_and_what_it_holds() {
    let document = document();
    let mut lacks = Vec::new();
    for (name, schema) in document["components"]["schemas"].as_object().expect("schemas") {
        assert!(schema.get("description").is_some(), "{name} has no description");
        for (field, property) in fields(schema) {
            let place = format!("{name}.{field}");
            if property["description"].as_str().is_none_or(|text| text.len() < 10) {
                lacks.push(format!("{place}: description"));
            }
            look_at(&place, property, false, &mut lacks);
        }
    }
    for (method, path, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let place = format!("{method} {path} {}", parameter["name"]);
            if parameter["description"].as_str().is_none_or(|text| text.len() < 10) {
                lacks.push(format!("{place}: description"));
            }
            look_at(
                &place,
                &parameter["schema"],
                parameter.get("example").is_some(),
                &mut lacks,
            );
        }
    }
    lacks.sort();
    assert_eq!(lacks, UNBOUNDED);
}

/// The check of every other test, checked: it sees whatever an answer has too much, too little or otherwise.
#[test]
fn an_answer_that_the_document_does_not_describe_is_seen() {
    const JSON: (&str, &str) = ("content-type", "application/json");
    const ID: (&str, &str) = ("x-request-id", "1");
    const KEPT: (&str, &str) = ("cache-control", "no-store");
    const BODY: &str = r#"{"status": "ok", "version": "1.0.0"}"#;
    let contract = Contract::committed();
    let compare = |method: Method, path: &str, status: u16, headers: &[(&'static str, &'static str)], body: &str| {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let answer = Answer::new(path.to_owned(), status, headers, body.as_bytes().to_vec());
        contract.compare(&method, path, &answer)
    };
    let live = |status, headers: &[_], body: &str| compare(Method::GET, "/health/live", status, headers, body);
    assert_eq!(live(200, &[JSON, ID, KEPT], BODY), Ok(()));
    assert_eq!(
        compare(Method::HEAD, "/health/live", 200, &[JSON, ID, KEPT], ""),
        Ok(())
    );
    let whole = [JSON, ID, KEPT];
    let refused = |code: &str| {
        let problem = serde_json::json!({"type": format!("https://broadsheet.dev/problems/{code}"), "title": "x", "status": 400,
            "detail": "x", "code": code, "request_id": "1", "errors": []});
        let headers = [
            ("content-type", "application/problem+json"),
            ID,
            KEPT,
            ("content-language", "en"),
        ];
        live(400, &headers, &problem.to_string())
    };
    assert_eq!(refused("unknown_parameter"), Ok(()));
    for (lie, seen) in [
        ("a status", live(202, &whole, BODY)),
        (
            "a field too much",
            live(200, &whole, r#"{"status": "ok", "version": "1.0.0", "more": 1}"#),
        ),
        ("a field too little", live(200, &whole, r#"{"status": "ok"}"#)),
        ("a type", live(200, &whole, r#"{"status": "ok", "version": 1}"#)),
        ("null", live(200, &whole, r#"{"status": null, "version": "1.0.0"}"#)),
        ("a word", live(200, &whole, r#"{"status": "well", "version": "1.0.0"}"#)),
        (
            "a renamed field",
            live(200, &whole, r#"{"state": "ok", "version": "1.0.0"}"#),
        ),
        ("a code that the operation has not", refused("invalid_cursor")),
        ("no body", live(200, &whole, "")),
        (
            "a content type",
            live(200, &[("content-type", "text/plain"), ID, KEPT], BODY),
        ),
        ("a header too much", live(200, &[JSON, ID, KEPT, ("x-more", "1")], BODY)),
        ("a header too little", live(200, &[JSON, KEPT], BODY)),
        (
            "a body with HEAD",
            compare(Method::HEAD, "/health/live", 200, &whole, BODY),
        ),
        (
            "a body with 204",
            compare(Method::DELETE, "/api/v1/tags/1", 204, &whole, BODY),
        ),
        ("a method", compare(Method::PUT, "/health/live", 200, &whole, BODY)),
        ("a path", compare(Method::GET, "/api/v1/nothing", 200, &whole, BODY)),
    ] {
        assert!(seen.is_err(), "{lie} is not seen");
    }
}

/// What somebody is answered who calls each operation, without a body, for what is not there.
async fn statuses<R: Role>(client: &Client<R>) -> Vec<u16> {
    let mut statuses = Vec::new();
    for (method, path, _) in operations(&document()) {
        let path = path
            .replace("{id}", "9007199254740991")
            .replace("{slug}", "x")
            .replace("{external_id}", "x")
            .replace("{hash}", "x")
            .replace("{variant}", "x");
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        statuses.push(client.send(method, &path, None).await.status);
    }
    statuses
}

async fn who_may_call_is_who_is_let_in(app: &App) {
    let answered = [
        statuses(&app.anonymous()).await,
        statuses(&app.key("read").await).await,
        statuses(&app.key("preview").await).await,
        statuses(&app.user("contributor", "contributor@example.com").await).await,
        statuses(&app.user("editor", "editor@example.com").await).await,
        statuses(&app.key("write").await).await,
        statuses(&app.admin().await).await,
    ];
    for (at, (method, path, operation)) in operations(&document()).into_iter().enumerate() {
        let name = format!("{method} {path}");
        for (caller, (let_in, statuses)) in audience(&name, &operation).iter().zip(&answered).enumerate() {
            let refusal = if caller == 0 { 401 } else { 403 };
            let status = statuses[at];
            let as_said = if *let_in {
                ![401, 403].contains(&status)
            } else {
                status == refusal
            };
            assert!(as_said, "{name} answers {status} to caller {caller}");
        }
    }
}

async fn the_words_that_a_query_takes_are_those_that_are_listed(app: &App) {
    let admin = app.admin().await;
    let mut lists = 0;
    for (_, path, operation) in operations(&document()) {
        let path = path.replace("{id}", "1").replace("{slug}", "x");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let (name, schema) = (parameter["name"].as_str().expect("a name"), &parameter["schema"]);
            let Some(words) = schema["enum"].as_array().or(schema["items"]["enum"].as_array()) else {
                continue;
            };
            lists += 1;
            let words = words.iter().map(|word| word.as_str().expect("a word"));
            for (word, known) in words.map(|word| (word, true)).chain([("bogus", false)]) {
                let answer = admin.get(&format!("{path}?{name}={word}")).await;
                let errors = answer["errors"].as_array();
                let named = errors.is_some_and(|errors| errors.iter().any(|error| error["parameter"] == name));
                assert_ne!(named, known, "{name}={word}: {answer}");
            }
        }
    }
    assert!(lists > 10, "{lists}");
}

async fn the_server_gives_its_document(app: &App) {
    let answer = app.anonymous().get("/openapi.json").await.ok(200);
    assert_eq!(answer["paths"], document()["paths"]);
    let page = app.anonymous().get("/docs/").await;
    assert!(page.status == 200 && page.text().contains("swagger"));
    assert!(!page.text().contains("://"), "the page loads from elsewhere");
    assert!((300..400).contains(&app.anonymous().get("/docs").await.status));
}

async fn every_path_refuses_unknown_parameters(app: &App) {
    let admin = app.admin().await;
    for (method, path, _) in operations(&document()) {
        if method != "GET" || path.starts_with("/media/") {
            continue;
        }
        let path = path
            .replace("{id}", "1")
            .replace("{slug}", "x")
            .replace("{external_id}", "x");
        let answer = admin.get(&format!("{path}?bogus=1")).await;
        assert_eq!(answer.status, 400, "{path}: {}", answer.text());
        let named = answer["errors"]
            .as_array()
            .is_some_and(|errors| errors.iter().any(|error| error["parameter"] == "bogus"));
        assert!(named, "{path}: {}", answer.text());
    }
}

async fn wrong_methods_and_paths_are_problems(app: &App) {
    let reader = app.anonymous();
    for path in [
        "/nothing",
        "/api/v1/nothing",
        "/api/v2/articles",
        "/api/v1/articles/",
        "/api/v1//articles",
        "/API/v1/articles",
    ] {
        reader.get(path).await.problem(404, "not_found");
    }
    let answer = reader
        .delete("/api/v1/articles")
        .await
        .problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("GET, HEAD, POST"));
    let english = reader
        .with("accept-language", "en")
        .get("/nothing")
        .await
        .problem(404, "not_found");
    assert_eq!(
        (&english["title"], english.header("content-language")),
        (&Value::from("Not found"), Some("en"))
    );
    let chinese = reader
        .with("accept-language", "zh-TW,zh;q=0.9,en;q=0.1")
        .get("/nothing")
        .await;
    assert_eq!(chinese["title"], "未找到");
    let head = reader
        .send(actix_web::http::Method::HEAD, "/api/v1/articles", None)
        .await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    let named = reader.with("x-request-id", "trace-1").get("/api/v1/articles").await;
    assert_eq!(named.header("x-request-id"), Some("trace-1"));
    assert_eq!(named.header("access-control-allow-origin"), Some("*"));
    let refused = reader.delete("/openapi.json").await.problem(405, "method_not_allowed");
    assert_eq!(refused.header("allow"), Some("GET, HEAD"));
    reader.get("/api/v1/articles/01").await.problem(404, "not_found");
    assert!(
        named
            .header("server-timing")
            .is_some_and(|timing| timing.contains("db;dur="))
    );
}

async fn the_index_is_a_page_for_browsers(app: &App) {
    let reader = app.anonymous();
    let program = reader.get("/").await.ok(200);
    assert_eq!(
        (program.content_type(), &program["name"]),
        ("application/json", &Value::from("Broadsheet"))
    );
    let browser = reader
        .with("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
        .get("/")
        .await;
    assert_eq!((browser.status, browser.content_type()), (200, "text/html"));
    assert!(browser.text().contains("href=\"docs/\""));
}
