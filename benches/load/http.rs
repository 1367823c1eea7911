//! A client over connections that stay open.

use std::time::{Duration, Instant};

use awc::http::{Method, StatusCode};
use awc::{Client as Http, ClientRequest, Connector, SendClientRequest};
use serde_json::{Value, json};

use crate::process::{EMAIL, PASSWORD};
use crate::{Result, in_words};

/// The longest answer that is read, in bytes.
const LONGEST: usize = 32 << 20;

/// Asks one server.
#[derive(Clone)]
pub struct Client {
    http: Http,
    origin: String,
    token: Option<String>,
    header: Option<(&'static str, String)>,
}

/// What it answered.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The time from the request to the last byte.
    pub took: Duration,
    body: Vec<u8>,
}

impl Answer {
    /// The body of a success; else what went wrong.
    pub fn json(&self) -> Result<Value> {
        let value: Value = serde_json::from_slice(&self.body).map_err(in_words)?;
        if self.is_success() {
            return Ok(value);
        }
        Err(format!("{}: {}", self.status, problem(&value)))
    }

    /// Whether the status begins with 2.
    pub fn is_success(&self) -> bool {
        StatusCode::from_u16(self.status).is_ok_and(|status| status.is_success())
    }

    /// The body.
    pub fn bytes(&self) -> &[u8] {
        &self.body
    }

    /// The length of the body.
    pub fn length(&self) -> usize {
        self.body.len()
    }

    /// How long it took, if it went well.
    pub fn took(&self) -> Result<Duration> {
        if self.is_success() {
            return Ok(self.took);
        }
        self.json().map(|_| self.took)
    }
}

fn problem(value: &Value) -> String {
    let text = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let errors = value.get("errors").map(Value::to_string).unwrap_or_default();
    format!("{} ({}) {errors}", text("code"), text("detail"))
}

impl Client {
    /// A client with so many connections.
    pub fn new(origin: String, connections: usize) -> Self {
        let connector = Connector::new()
            .limit(connections)
            .conn_keep_alive(Duration::from_secs(60))
            .conn_lifetime(Duration::from_secs(3_600));
        let http = Http::builder()
            .connector(connector)
            .timeout(Duration::from_secs(60))
            .finish();
        Self {
            http,
            origin,
            token: None,
            header: None,
        }
    }

    /// The same, signed in as the admin.
    pub async fn signed_in(mut self) -> Result<Self> {
        let answer = self
            .post("/api/v1/auth/login", &json!({"email": EMAIL, "password": PASSWORD}))
            .await?;
        self.token = answer
            .json()?
            .get("access_token")
            .and_then(Value::as_str)
            .map(str::to_owned);
        Ok(self)
    }

    /// The same, sending a header.
    pub fn with(&self, name: &'static str, value: &str) -> Self {
        Self {
            header: Some((name, value.to_owned())),
            ..self.clone()
        }
    }

    /// GET.
    pub async fn get(&self, path: &str) -> Result<Answer> {
        self.send(Method::GET, path, None).await
    }

    /// POST of JSON.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// PATCH of any version.
    pub async fn patch(&self, path: &str, body: &Value) -> Result<Answer> {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// DELETE of any version.
    pub async fn delete(&self, path: &str) -> Result<Answer> {
        self.send(Method::DELETE, path, None).await
    }

    /// POST of a form that has a file alone.
    pub async fn upload(&self, path: &str, file: &[u8]) -> Result<Answer> {
        const EDGE: &str = "edge-of-the-form";
        let head = format!(
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        let form = [head.as_bytes(), file, format!("\r\n--{EDGE}--\r\n").as_bytes()].concat();
        let begun = Instant::now();
        let request = self
            .request(Method::POST, path)
            .content_type(format!("multipart/form-data; boundary={EDGE}"));
        read(path, begun, request.send_body(form)).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer> {
        let begun = Instant::now();
        let any_version = method == Method::PATCH || method == Method::DELETE;
        let mut request = self.request(method, path);
        if any_version {
            request = request.insert_header(("If-Match", "*"));
        }
        match body {
            Some(body) => read(path, begun, request.send_json(body)).await,
            None => read(path, begun, request.send()).await,
        }
    }

    fn request(&self, method: Method, path: &str) -> ClientRequest {
        let mut request = self.http.request(method, format!("{}{path}", self.origin));
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some((name, value)) = &self.header {
            request = request.insert_header((*name, value.as_str()));
        }
        request
    }
}

async fn read(path: &str, begun: Instant, sent: SendClientRequest) -> Result<Answer> {
    let mut answer = sent.await.map_err(|error| format!("{path}: {error}"))?;
    let body = answer
        .body()
        .limit(LONGEST)
        .await
        .map_err(|error| format!("{path}: {error}"))?;
    Ok(Answer {
        status: answer.status().as_u16(),
        took: begun.elapsed(),
        body: body.to_vec(),
    })
}

/// A path with a query.
pub fn address(path: &str, parameters: &[(&str, &str)]) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    format!("{path}?{query}")
}
