//! The committed document, which every answer that a test gets is held against.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use awc::http::Method;
use jsonschema::Validator;
use serde_json::{Value, json};

use super::Answer;

/// Where the document lies.
pub const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/broadsheet.v1.json");

/// Headers that HTTP, browsers and proxies want, on whatever answer: the document does not name them.
const UNTOLD: [&str; 10] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-resource-policy",
    "date",
    "server-timing",
    "transfer-encoding",
    "x-content-type-options",
];

const PROBLEM: &str = "application/problem+json";

static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::committed);

/// Fails the test unless the answer to this request is one that the document describes.
pub fn check(method: &Method, path: &str, answer: &Answer) {
    if let Err(lie) = CONTRACT.compare(method, path, answer) {
        panic!("{answer}\nwhich the document does not say: {lie}");
    }
}

/// The document, made strict: an answer has no field that it does not name.
pub struct Contract {
    /// Each path in its parts with its operations; where two fit, the more literal one stands first.
    paths: Vec<(Vec<String>, Value)>,
    components: Value,
    /// The schemas that were needed, by how they are written.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Contract {
    /// Of the committed file.
    pub fn committed() -> Self {
        let text = std::fs::read_to_string(FILE).expect("the committed document");
        let mut document: Value = serde_json::from_str(&text).expect("a document");
        let mut paths: Vec<_> = document["paths"]
            .as_object()
            .expect("paths")
            .iter()
            .map(|(path, item)| (path.split('/').map(str::to_owned).collect::<Vec<_>>(), item.clone()))
            .collect();
        paths.sort_by_key(|(parts, _)| parts.iter().map(|part| is_template(part)).collect::<Vec<_>>());
        let mut components = document["components"].take();
        for schema in components["schemas"].as_object_mut().expect("schemas").values_mut() {
            *schema = strict(schema);
        }
        Self {
            paths,
            components,
            validators: Mutex::default(),
        }
    }

    /// What of the answer is not as the document says.
    pub fn compare(&self, method: &Method, path: &str, answer: &Answer) -> Result<(), String> {
        if *method == Method::OPTIONS {
            return Ok(());
        }
        let path = path.split(['?', '#']).next().unwrap_or_default();
        let Some(item) = self.item(path) else {
            return match path.strip_prefix("/api/v1") {
                Some(rest) if rest.is_empty() || rest.starts_with('/') => self.compare_problem(answer),
                _ => Ok(()),
            };
        };
        let name = if *method == Method::HEAD {
            "get"
        } else {
            &method.as_str().to_lowercase()
        };
        let Some(operation) = item.get(name) else {
            if answer.status != 405 || answer.header("allow").is_none() {
                return Err(format!(
                    "{method} is none of its methods, and the answer is not 405 with Allow"
                ));
            }
            return match *method {
                Method::HEAD => Ok(()),
                _ => self.compare_problem(answer),
            };
        };
        let responses = &operation["responses"];
        let response = responses.get(answer.status.to_string()).ok_or_else(|| {
            let known: Vec<_> = responses.as_object().into_iter().flat_map(|all| all.keys()).collect();
            format!("{name} has {known:?}, not {}", answer.status)
        })?;
        let response = self.resolve(response);
        self.compare_headers(response, answer)?;
        self.compare_body(response, *method == Method::HEAD, answer)
    }

    fn item(&self, path: &str) -> Option<&Value> {
        let parts: Vec<_> = path.split('/').collect();
        let fits = |template: &[String]| {
            template.len() == parts.len()
                && template.iter().zip(&parts).all(|(template, part)| {
                    if is_template(template) {
                        !part.is_empty()
                    } else {
                        template == part
                    }
                })
        };
        let found = self.paths.iter().find(|(template, _)| fits(template));
        found.map(|(_, item)| item)
    }

    /// What a reference among the components leads to.
    fn resolve<'a>(&'a self, part: &'a Value) -> &'a Value {
        let place = part["$ref"].as_str().and_then(|at| at.strip_prefix("#/components"));
        place.map_or(part, |place| self.components.pointer(place).expect(place))
    }

    fn compare_headers(&self, response: &Value, answer: &Answer) -> Result<(), String> {
        let named = response["headers"].as_object();
        for (name, header) in named.into_iter().flatten() {
            let header = self.resolve(header);
            match answer.header(name) {
                None if header["required"] == true => return Err(format!("the header {name} is missing")),
                Some(value) if header["schema"]["type"] == "integer" && value.parse::<u32>().is_err() => {
                    return Err(format!("the header {name} is no number: {value}"));
                }
                _ => {}
            }
        }
        for name in answer.headers.keys().map(awc::http::header::HeaderName::as_str) {
            let told = named.is_some_and(|named| named.keys().any(|known| known.eq_ignore_ascii_case(name)));
            if !told && !UNTOLD.contains(&name) && !name.starts_with("access-control-") {
                return Err(format!("the header {name} is not named for {}", answer.status));
            }
        }
        Ok(())
    }

    fn compare_body(&self, response: &Value, is_head: bool, answer: &Answer) -> Result<(), String> {
        let contents = response["content"].as_object().filter(|contents| !contents.is_empty());
        let Some(contents) = contents.filter(|_| !is_head && answer.status != 304) else {
            return match answer.body.len() {
                0 => Ok(()),
                length => Err(format!("a body of {length} bytes where there is none")),
            };
        };
        let media_type = answer.content_type();
        let content = contents
            .get(media_type)
            .ok_or_else(|| format!("the content type is {media_type:?}, not one of {:?}", contents.keys()))?;
        if answer.body.is_empty() {
            return Err("the body is missing".to_owned());
        }
        if !media_type.ends_with("json") || answer.header("content-encoding").is_some() {
            return Ok(());
        }
        self.validate(&content["schema"], &answer.json)?;
        // The codes that go with a status stand in its description.
        let code = answer["code"].as_str().unwrap_or_default();
        let description = response["description"].as_str().unwrap_or_default();
        if media_type == PROBLEM && !description.contains(&format!("`{code}`")) {
            return Err(format!("the code {code} is not named for {}", answer.status));
        }
        Ok(())
    }

    /// Beside the document, an answer of the API is a problem at least.
    fn compare_problem(&self, answer: &Answer) -> Result<(), String> {
        if answer.content_type() != PROBLEM {
            return Err("nothing is there, so the answer must be a problem".to_owned());
        }
        self.validate(&json!({"$ref": "#/components/schemas/Problem"}), &answer.json)
    }

    fn validate(&self, schema: &Value, value: &Value) -> Result<(), String> {
        let validator = self.validator(schema);
        let wrong: Vec<_> = validator
            .iter_errors(value)
            .take(5)
            .map(|error| {
                let text: String = error.to_string().chars().take(500).collect();
                format!("at {:?}: {text}", error.instance_path().as_str())
            })
            .collect();
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(wrong.join("\n"))
        }
    }

    fn validator(&self, schema: &Value) -> Arc<Validator> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let make = || {
            let mut whole = closed(schema);
            whole["components"] = self.components.clone();
            let made = jsonschema::options()
                .with_draft(jsonschema::Draft::Draft202012)
                .should_validate_formats(true)
                .build(&whole);
            Arc::new(made.unwrap_or_else(|error| panic!("{schema}: {error}")))
        };
        Arc::clone(validators.entry(schema.to_string()).or_insert_with(make))
    }
}

fn is_template(part: &str) -> bool {
    part.starts_with('{')
}

/// The schema where it stands for a whole value, not for a part of one as in `allOf`: nothing is there but what it names.
fn closed(schema: &Value) -> Value {
    let mut schema = strict(schema);
    if ["$ref", "allOf", "properties"]
        .iter()
        .any(|key| schema.get(key).is_some())
        && schema.get("additionalProperties").is_none()
    {
        schema["unevaluatedProperties"] = false.into();
    }
    schema
}

/// The schema with all values inside it closed. A word out of a list, which may grow, is one of those that are listed.
fn strict(schema: &Value) -> Value {
    let Some(map) = schema.as_object() else {
        return schema.clone();
    };
    let mut map = map.clone();
    for (key, inner) in &mut map {
        match (key.as_str(), &mut *inner) {
            ("properties", Value::Object(properties)) => {
                for property in properties.values_mut() {
                    *property = closed(property);
                }
            }
            ("allOf", Value::Array(parts)) => {
                for part in parts {
                    *part = strict(part);
                }
            }
            ("oneOf" | "anyOf" | "prefixItems", Value::Array(choices)) => {
                for choice in choices {
                    *choice = closed(choice);
                }
            }
            ("items" | "additionalProperties", _) => *inner = closed(inner),
            _ => {}
        }
    }
    let listed = map.get("examples").filter(|_| map.contains_key("pattern"));
    if let Some(mut listed) = listed.and_then(Value::as_array).cloned() {
        if map["type"]
            .as_array()
            .is_some_and(|kinds| kinds.contains(&"null".into()))
        {
            listed.push(Value::Null);
        }
        map.insert("enum".to_owned(), listed.into());
    }
    map.into()
}
