//! What files are served beside: a bare handler of actix-files, and nginx where there is one; each a process of its own.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use actix_web::{App, HttpServer};

use crate::process::{Beside, wait_for_port};
use crate::{Result, in_words};

/// Serves a folder until it is killed.
#[derive(clap::Args)]
pub struct Plain {
    /// The folder.
    #[arg(long)]
    folder: PathBuf,
    /// Where to listen.
    #[arg(long)]
    port: u16,
}

impl Plain {
    /// Serves.
    pub async fn run(&self) -> Result<()> {
        let folder = self.folder.clone();
        HttpServer::new(move || App::new().service(actix_files::Files::new("/", &folder)))
            .disable_signals()
            .bind(("127.0.0.1", self.port))
            .map_err(in_words)?
            .run()
            .await
            .map_err(in_words)
    }
}

/// A handler of actix-files on a folder.
pub async fn actix_files(folder: &Path) -> Result<Beside> {
    Beside::start("plain-files", &[("--folder", folder)]).await
}

/// nginx on a folder; it ends with this.
pub struct Nginx {
    master: Child,
    program: PathBuf,
    own: tempfile::TempDir,
    /// Where it listens.
    pub origin: String,
}

impl Nginx {
    /// Starts it; `None` where it is not installed.
    pub async fn start(folder: &Path) -> Result<Option<Self>> {
        // Debian keeps it off the path of users.
        for program in ["nginx", "/usr/sbin/nginx"] {
            let own = tempfile::tempdir().map_err(in_words)?;
            let free = TcpListener::bind(("127.0.0.1", 0))
                .and_then(|listener| listener.local_addr())
                .map_err(in_words)?;
            let own_folder = own.path().display();
            // `root`: its workers are to read what this process has written. No other user can be it, nor is asked to.
            let settings = format!(
                "daemon off; user root; worker_processes auto; pid {own_folder}/pid; error_log {own_folder}/log;\n\
                 events {{ worker_connections 512; }}\n\
                 http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;\n\
                 types {{ image/webp webp; }}\n\
                 client_body_temp_path {own_folder}/a; proxy_temp_path {own_folder}/b; fastcgi_temp_path {own_folder}/c;\n\
                 uwsgi_temp_path {own_folder}/d; scgi_temp_path {own_folder}/e;\n\
                 server {{ listen {free}; root {};\n\
                 add_header Cache-Control \"public, max-age=31536000, immutable\"; }} }}\n",
                folder.display()
            );
            let file = own.path().join("conf");
            std::fs::write(&file, settings).map_err(in_words)?;
            let started = Command::new(program)
                .args([Path::new("-p"), own.path(), Path::new("-c"), &file])
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            let master = match started {
                Ok(master) => master,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(format!("cannot run {program}: {error}")),
            };
            let nginx = Self {
                master,
                program: PathBuf::from(program),
                own,
                origin: format!("http://{free}"),
            };
            wait_for_port(free)
                .await
                .map_err(|error| format!("{program}: {error}"))?;
            return Ok(Some(nginx));
        }
        Ok(None)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // A master that is killed leaves its workers.
        let own = self.own.path();
        let stopped = Command::new(&self.program)
            .args([Path::new("-p"), own, Path::new("-c"), &own.join("conf")])
            .args(["-s", "stop"])
            .stderr(Stdio::null())
            .status();
        if let Err(error) = stopped.and_then(|_| self.master.wait()) {
            eprintln!("nginx could not be ended: {error}");
        }
    }
}
