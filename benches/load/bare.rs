//! The floor: an actix-web handler that has the bytes and the headers in memory; and one that first selects the article's
//! row and body with rusqlite, as somebody would who wrote a handler for this one address by hand.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};

use crate::{Result, in_words};

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
    /// Where to listen.
    #[arg(long)]
    port: u16,
}

thread_local! {
    static READER: RefCell<Option<rusqlite::Connection>> = const { RefCell::new(None) };
}

/// The length of what the article of a slug has to say, read with its whole row.
fn select(database: &Path, slug: &str) -> rusqlite::Result<usize> {
    READER.with_borrow_mut(|reader| {
        let reader = match reader {
            Some(reader) => reader,
            None => {
                let opened =
                    rusqlite::Connection::open_with_flags(database, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
                opened.execute_batch("PRAGMA cache_size = -4000; PRAGMA mmap_size = 0")?;
                reader.insert(opened)
            }
        };
        let mut statement = reader.prepare_cached(
            "SELECT articles.*, content FROM articles JOIN article_bodies ON article_id = id AND format = 'html' \
             WHERE slug = ?1 AND state = 'published'",
        )?;
        let columns = statement.column_count();
        statement.query_row([slug], |row| {
            let mut length = 0;
            for column in 0..columns {
                if let rusqlite::types::ValueRef::Text(text) = row.get_ref(column)? {
                    length += text.to_vec().len();
                }
            }
            Ok(length)
        })
    })
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
        let (all, database) = (web::Data::new(all), web::Data::new(self.database.clone()));
        HttpServer::new(move || {
            let app = App::new().app_data(all.clone()).app_data(database.clone());
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
    database: web::Data<Option<PathBuf>>,
) -> HttpResponse {
    if let Some(database) = database.as_ref().clone() {
        let slug = request.path().rsplit('/').next().unwrap_or_default();
        let slug = percent_encoding::percent_decode_str(slug)
            .decode_utf8_lossy()
            .into_owned();
        match web::block(move || select(&database, &slug)).await {
            Ok(Ok(length)) if length > 0 => {}
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
        HttpResponse::with_body(StatusCode::OK, actix_web::body::BoxBody::new(answer.body.clone()))
    };
    let headers = response.headers_mut();
    for (name, value) in &answer.headers {
        if known && (name == "content-type" || name == "content-encoding") {
            continue;
        }
        headers.insert(name.clone(), value.clone());
    }
    response
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
    pub async fn start(origin: &str, paths: &[String], database: Option<&Path>) -> Result<Self> {
        let file = tempfile::NamedTempFile::new().map_err(in_words)?;
        std::fs::write(file.path(), paths.join("\n")).map_err(in_words)?;
        let free = std::net::TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .map_err(in_words)?;
        let child = Command::new(std::env::current_exe().map_err(in_words)?)
            .args([
                "mirror",
                "--origin",
                origin,
                "--port",
                &free.port().to_string(),
                "--paths",
            ])
            .arg(file.path())
            .args(
                database
                    .into_iter()
                    .flat_map(|database| [OsStr::new("--database"), database.as_os_str()]),
            )
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
