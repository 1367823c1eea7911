//! A server that speaks S3, in a process of its own, with its objects in a folder.

use std::path::{Path, PathBuf};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;

use crate::process::Beside;
use crate::{Result, in_words};

const NAME: &str = "load";
const KEY: &str = "load-key";
const SECRET: &str = "load-secret";

/// Serves a folder until it is killed.
#[derive(clap::Args)]
pub struct Bucket {
    /// The folder of the buckets.
    #[arg(long)]
    root: PathBuf,
    /// Where to listen.
    #[arg(long)]
    port: u16,
}

impl Bucket {
    /// Serves.
    pub async fn run(&self) -> Result<()> {
        let files = FileSystem::new(&self.root).map_err(|error| format!("{error:?}"))?;
        let mut builder = S3ServiceBuilder::new(files);
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = builder.build();
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", self.port))
            .await
            .map_err(in_words)?;
        loop {
            let (socket, _) = listener.accept().await.map_err(in_words)?;
            // As servers do: an answer in two pieces would wait for the client's delayed acknowledgement else.
            socket.set_nodelay(true).map_err(in_words)?;
            let service = service.clone();
            tokio::spawn(async move {
                let serving = Builder::new(TokioExecutor::new());
                // A connection may end in the middle.
                let _ended = serving.serve_connection(TokioIo::new(socket), service).await;
            });
        }
    }
}

/// One that runs, and its objects; both go with this.
pub struct Running {
    server: Beside,
    _root: tempfile::TempDir,
}

impl Running {
    /// Starts one with an empty bucket.
    pub async fn start(parent: &Path) -> Result<Self> {
        let root = tempfile::tempdir_in(parent).map_err(in_words)?;
        std::fs::create_dir(root.path().join(NAME)).map_err(in_words)?;
        let server = Beside::start("bucket", &[("--root", root.path())]).await?;
        Ok(Self { server, _root: root })
    }

    /// The settings of a site that has its files there.
    pub fn settings(&self) -> Vec<(String, String)> {
        [
            ("BROADSHEET_MEDIA_URL", format!("s3://{NAME}/images")),
            ("AWS_ENDPOINT_URL", self.server.origin.clone()),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }
}
