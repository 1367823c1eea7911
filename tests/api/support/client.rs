//! Callers of the API, one type for each way to be known.

use std::net::SocketAddr;
use std::time::Duration;

use awc::http::Method;
use awc::http::header::{AUTHORIZATION, CONTENT_TYPE};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};

use super::answer::Answer;
use super::contract;

/// How a caller is known.
pub trait Role: Clone {
    /// The value of `Authorization`.
    fn authorization(&self) -> Option<String>;
}

/// Not at all.
#[derive(Clone)]
pub struct Anonymous;

/// By a sign-in.
#[derive(Clone)]
pub struct Bearer {
    /// The access token.
    pub token: String,
    /// What gets the next one.
    pub refresh_token: String,
}

/// By an API key.
#[derive(Clone)]
pub struct ApiKey {
    /// Its id.
    pub id: i64,
    /// `bsk_…`.
    pub key: String,
}

impl Role for Anonymous {
    fn authorization(&self) -> Option<String> {
        None
    }
}

impl Role for Bearer {
    fn authorization(&self) -> Option<String> {
        Some(format!("Bearer {}", self.token))
    }
}

impl Role for ApiKey {
    fn authorization(&self) -> Option<String> {
        Some(format!("Bearer {}", self.key))
    }
}

/// What a URL may not hold as it is; what lies beyond ASCII is encoded in any case, and `%` is left to the test.
const UNSAFE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'|');

/// A caller. Paths are whole (`/api/v1/articles?q=海啸`), as links and `Location` give them.
#[derive(Clone)]
pub struct Client<R: Role> {
    /// Who calls.
    pub role: R,
    server: SocketAddr,
    http: awc::Client,
    headers: Vec<(String, String)>,
}

impl Client<Anonymous> {
    /// A caller of this server.
    pub fn new(server: SocketAddr) -> Self {
        // Redirects are answers that tests look at.
        let http = awc::Client::builder()
            .disable_redirects()
            .timeout(Duration::from_secs(60))
            .finish();
        Self {
            role: Anonymous,
            server,
            http,
            headers: Vec::new(),
        }
    }

    /// The same way to the server, for somebody who is known.
    pub fn become_role<R: Role>(&self, role: R) -> Client<R> {
        Client {
            role,
            server: self.server,
            http: self.http.clone(),
            headers: self.headers.clone(),
        }
    }

    /// Signs in.
    pub async fn login(&self, email: &str, password: &str) -> Client<Bearer> {
        let answer = self
            .post("/api/v1/auth/login", &json!({"email": email, "password": password}))
            .await
            .ok(200);
        let text = |name: &str| answer[name].as_str().expect(name).to_owned();
        self.become_role(Bearer {
            token: text("access_token"),
            refresh_token: text("refresh_token"),
        })
    }
}

impl<R: Role> Client<R> {
    /// The same caller, sending one header more.
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// GET.
    #[must_use = "an answer that nobody looks at tests nothing"]
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// POST of a JSON document.
    #[must_use = "an answer that nobody looks at tests nothing"]
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(("application/json", body.to_string().into())))
            .await
    }

    /// PUT of a JSON document.
    #[must_use = "an answer that nobody looks at tests nothing"]
    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, Some(("application/json", body.to_string().into())))
            .await
    }

    /// PATCH by a JSON Merge Patch.
    #[must_use = "an answer that nobody looks at tests nothing"]
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(
            Method::PATCH,
            path,
            Some(("application/merge-patch+json", body.to_string().into())),
        )
        .await
    }

    /// DELETE.
    #[must_use = "an answer that nobody looks at tests nothing"]
    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// POST of a form with a file and text fields beside it.
    #[must_use = "an answer that nobody looks at tests nothing"]
    pub async fn upload(&self, path: &str, file: &[u8], fields: &[(&str, &str)]) -> Answer {
        const EDGE: &str = "edge-of-the-form";
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!("--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let head = format!(
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(format!("\r\n--{EDGE}--\r\n").as_bytes());
        self.send(
            Method::POST,
            path,
            Some((&format!("multipart/form-data; boundary={EDGE}"), body)),
        )
        .await
    }

    /// The address of a path, for those who ask in a way of their own.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{}", self.server, utf8_percent_encode(path, UNSAFE))
    }

    /// Any request, with a body of any content type. The answer is one that the document describes, or the test fails.
    #[must_use = "an answer that nobody looks at tests nothing"]
    pub async fn send(&self, method: Method, path: &str, body: Option<(&str, Vec<u8>)>) -> Answer {
        let url = self.url(path);
        let sent = format!("{method} {path}");
        // One connection a request: a server that stops waits for those that are kept alive.
        let mut request = self.http.request(method.clone(), url).force_close();
        if let Some(value) = self.role.authorization() {
            request = request.insert_header((AUTHORIZATION, value));
        }
        for (name, value) in &self.headers {
            request = request.append_header((name.as_str(), value.as_str()));
        }
        let response = match body {
            Some((content_type, bytes)) => {
                request
                    .insert_header((CONTENT_TYPE, content_type))
                    .send_body(bytes)
                    .await
            }
            None => request.send().await,
        };
        let mut response = response.unwrap_or_else(|error| panic!("{sent}: {error}"));
        let body = response
            .body()
            .limit(64 << 20)
            .await
            .unwrap_or_else(|error| panic!("{sent}: the body: {error}"));
        let answer = Answer::new(
            sent,
            response.status().as_u16(),
            response.headers().clone(),
            body.to_vec(),
        );
        contract::check(&method, path, &answer);
        answer
    }
}
