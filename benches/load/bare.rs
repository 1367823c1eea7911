//! The floor: an actix-web handler that has the bytes and the headers in memory; and one that reads the article by hand first.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use crate::by_hand::{self, Found, Much};
use crate::{Result, in_words, process};

/// Serves what another server answers.
#[derive(clap::Args)]
pub struct Bare {
    /// The other server.
    #[arg(long)]
    origin: String,
    /// A file of paths, one a line.
    #[arg(long)]
    paths: PathBuf,
    /// The SQLite file from which the article of an address is selected before it is answered.
    #[arg(long)]
    database: Option<PathBuf>,
    /// How much of it is read.
    #[arg(long, value_enum, default_value = "row")]
    much: Much,
    /// Where to listen.
    #[arg(long)]
    port: u16,
}

struct Answer {
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Bytes,
}

/// A path's answers: plain, gzip, br.
struct Answers([Answer; 3]);

impl Bare {
    /// Serves until it is killed.
    pub async fn run(&self) -> Result<()> {
        let mut all: HashMap<String, Answers> = HashMap::new();
        for path in std::fs::read_to_string(&self.paths).map_err(in_words)?.lines() {
            let answers = [
                fetch(&self.origin, path, "identity").await?,
                fetch(&self.origin, path, "gzip").await?,
                fetch(&self.origin, path, "br").await?,
            ];
            all.insert(path.to_owned(), Answers(answers));
        }
        let by_hand = self.database.clone().map(|database| (database, self.much));
        if let Some((database, much @ (Much::Written | Much::Whole))) = &by_hand {
            compare(&all, database, *much)?;
        }
        let (all, by_hand) = (web::Data::new(all), web::Data::new(by_hand));
        HttpServer::new(move || {
            let app = App::new().app_data(all.clone()).app_data(by_hand.clone());
            app.default_service(web::to(answer))
        })
        .disable_signals()
        .bind(("127.0.0.1", self.port))
        .map_err(in_words)?
        .run()
        .await
        .map_err(in_words)
    }
}

async fn answer(
    request: HttpRequest,
    all: web::Data<HashMap<String, Answers>>,
    by_hand: web::Data<Option<(PathBuf, Much)>>,
) -> HttpResponse {
    let mut written = None;
    if let Some((database, much)) = by_hand.as_ref().clone() {
        let slug = slug_of(request.path());
        match web::block(move || by_hand::read(&database, much, &slug)).await {
            Ok(Ok(Found::There)) => {}
            Ok(Ok(Found::Answer(body))) => written = Some(Bytes::from(body)),
            _ => return HttpResponse::NotFound().finish(),
        }
    }
    let key = request.uri().path_and_query().map_or("", |key| key.as_str());
    let Some(Answers([plain, gzip, brotli])) = all.get(key) else {
        return HttpResponse::NotFound().finish();
    };
    let accepted = request
        .headers()
        .get("accept-encoding")
        .map_or(&b""[..], HeaderValue::as_bytes);
    let answer = match accepted {
        b"gzip" => gzip,
        b"br" => brotli,
        _ => plain,
    };
    let known = request.headers().contains_key("if-none-match");
    let mut response = if known {
        HttpResponse::new(StatusCode::NOT_MODIFIED)
    } else {
        HttpResponse::with_body(
            StatusCode::OK,
            actix_web::body::BoxBody::new(written.unwrap_or_else(|| answer.body.clone())),
        )
    };
    let headers = response.headers_mut();
    for (name, value) in &answer.headers {
        // Neither has Broadsheet these in a 304.
        if known && UNRENEWED.contains(&name.as_str()) {
            continue;
        }
        headers.insert(name.clone(), value.clone());
    }
    response
}

/// The headers that an answer has and a 304 in its place has not.
const UNRENEWED: [&str; 4] = ["content-type", "content-encoding", "cache-tag", "link"];

fn slug_of(path: &str) -> String {
    let slug = path.rsplit('/').next().unwrap_or_default();
    percent_encoding::percent_decode_str(slug)
        .decode_utf8_lossy()
        .into_owned()
}

/// What is read by hand must be what the other server answers.
fn compare(all: &HashMap<String, Answers>, database: &Path, much: Much) -> Result<()> {
    for (path, Answers([plain, ..])) in all {
        // Twice, since what stands around it may lie in memory then.
        for _ in 0..2 {
            match by_hand::read(database, much, &slug_of(path))? {
                Found::Answer(body) if body == plain.body => {}
                _ => return Err(format!("{path} is not the same by hand")),
            }
        }
    }
    Ok(())
}

async fn fetch(origin: &str, path: &str, coding: &str) -> Result<Answer> {
    let mut answer = awc::Client::builder()
        .no_default_headers()
        .finish()
        .get(format!("{origin}{path}"))
        .no_decompress()
        .insert_header(("accept-encoding", coding))
        .send()
        .await
        .map_err(in_words)?;
    let body = answer.body().limit(32 << 20).await.map_err(in_words)?;
    let own = ["date", "content-length", "connection", "transfer-encoding"];
    let headers = answer.headers().iter();
    Ok(Answer {
        headers: headers
            .filter(|(name, _)| !own.contains(&name.as_str()))
            .filter_map(|(name, value)| {
                let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
                Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
            })
            .collect(),
        body,
    })
}

/// A bare server in a process of its own; it is killed when this is dropped.
pub struct Running {
    child: Child,
    /// Where it listens.
    pub origin: String,
    _paths: tempfile::NamedTempFile,
}

impl Running {
    /// Starts one with the answers of another server.
    pub async fn start(origin: &str, paths: &[String], by_hand: Option<(&Path, Much)>) -> Result<Self> {
        let file = tempfile::NamedTempFile::new().map_err(in_words)?;
        std::fs::write(file.path(), paths.join("\n")).map_err(in_words)?;
        let free = std::net::TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .map_err(in_words)?;
        let child = process::apart(&std::env::current_exe().map_err(in_words)?)
            .args([
                "mirror",
                "--origin",
                origin,
                "--port",
                &free.port().to_string(),
                "--paths",
            ])
            .arg(file.path())
            .args(by_hand.into_iter().flat_map(|(database, much)| {
                [
                    OsStr::new("--database"),
                    database.as_os_str(),
                    OsStr::new("--much"),
                    OsStr::new(much.word()),
                ]
            }))
            .stdin(Stdio::null())
            .spawn()
            .map_err(in_words)?;
        let running = Self {
            child,
            origin: format!("http://{free}"),
            _paths: file,
        };
        for _ in 0..3_000 {
            if std::net::TcpStream::connect(free).is_ok() {
                return Ok(running);
            }
            actix_web::rt::time::sleep(Duration::from_millis(10)).await;
        }
        Err("the bare server does not answer".to_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("the bare server could not be ended: {error}");
        }
    }
}
