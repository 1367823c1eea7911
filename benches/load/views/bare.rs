//! What counting is held against: a bare handler that bumps a number in memory, and one that writes what the server
//! writes of a view in a transaction of its own for each. Each runs as a process, as the server does.

use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use actix_web::error::{ErrorInternalServerError, ErrorServiceUnavailable};
use actix_web::{App, HttpResponse, HttpServer, web};

use super::one_by_one::OneByOne;
use crate::process::apart;
use crate::target::Target;
use crate::{Result, in_words};

/// Which of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// In memory.
    Atomic,
    /// One transaction a view; see [`OneByOne`].
    OneByOne,
}

/// Serves one of them until it is killed.
#[derive(clap::Args, Clone)]
pub struct Bare {
    #[command(flatten)]
    target: Target,
    #[arg(long)]
    kind: Kind,
    #[arg(long)]
    port: u16,
}

impl Bare {
    /// Serves.
    pub async fn run(&self) -> Result<()> {
        let views = Arc::new(AtomicI64::new(0));
        let single = match self.kind {
            Kind::Atomic => None,
            Kind::OneByOne => Some(OneByOne::open(&self.target.config()?.database)?),
        };
        HttpServer::new(move || {
            App::new()
                .app_data(web::Data::new(views.clone()))
                .app_data(web::Data::new(single.clone()))
                .route("/api/v1/articles/{id}/views", web::post().to(count))
        })
        .bind(("127.0.0.1", self.port))
        .map_err(in_words)?
        .run()
        .await
        .map_err(in_words)
    }
}

async fn count(
    id: web::Path<i64>,
    views: web::Data<Arc<AtomicI64>>,
    single: web::Data<Option<OneByOne>>,
) -> actix_web::Result<HttpResponse> {
    let id = id.into_inner();
    let count = match single.as_ref().clone() {
        None => views.fetch_add(1, Ordering::Relaxed) + 1,
        Some(single) => {
            let counted = web::block(move || single.count(id)).await?;
            match counted
                .map_err(ErrorServiceUnavailable)?
                .map_err(ErrorInternalServerError)?
            {
                Some(count) => count,
                None => return Ok(HttpResponse::NotFound().finish()),
            }
        }
    };
    let body = format!("{{\"data\":{{\"article_id\":{id},\"view_count\":{count},\"counted\":true}}}}");
    Ok(HttpResponse::Ok().content_type("application/json").body(body))
}

/// One of them, running; it is killed when this is dropped.
pub struct Running {
    child: Child,
    /// Where it listens.
    pub origin: String,
}

impl Running {
    /// Starts it, and waits until it listens.
    pub async fn start(target: &Target, kind: Kind) -> Result<Self> {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .map_err(in_words)?
            .port();
        let kind = match kind {
            Kind::Atomic => "atomic",
            Kind::OneByOne => "one-by-one",
        };
        let child = apart(&std::env::current_exe().map_err(in_words)?)
            .args(["bare", "--kind", kind, "--port", &port.to_string()])
            .args([
                "--articles",
                &target.articles.to_string(),
                "--database",
                &target.database,
            ])
            .arg("--data")
            .arg(&target.data)
            .stdin(Stdio::null())
            .spawn()
            .map_err(in_words)?;
        let running = Self {
            child,
            origin: format!("http://127.0.0.1:{port}"),
        };
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(10) {
            if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(running);
            }
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
        Err("the bare handler does not listen".to_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("the bare handler could not be ended: {error}");
        }
    }
}
