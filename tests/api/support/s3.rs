//! A server that speaks S3, on a port of this machine, which tests may stop and start again.

use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use broadsheet::config::{Bucket, Media};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::S3Result;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tokio::io::AsyncReadExt;
use tokio::sync::oneshot;

/// The bucket that it has.
const BUCKET: &str = "site";
/// What its keys begin with.
const PREFIX: &str = "some/prefix";
const KEY: &str = "test-key";
const SECRET: &str = "test-secret";

/// Lets in whoever has the key, and notes what is asked for.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<String>>>);

impl S3Access for Asked {
    fn check<'me, 'cx, 'of, 'all>(
        &'me self,
        cx: &'cx mut S3AccessContext<'of>,
    ) -> Pin<Box<dyn Future<Output = S3Result<()>> + Send + 'all>>
    where
        'me: 'all,
        'cx: 'all,
        'of: 'all,
        Self: 'all,
    {
        let name = cx.uri().path().rsplit('/').next().unwrap_or_default();
        let part = cx.headers().get("range").map_or("", |_| ", a part");
        let asked = format!("{} {name}{part}", cx.method());
        self.0.lock().expect("what was asked").push(asked);
        let known = cx.credentials().is_some();
        Box::pin(async move {
            if known {
                Ok(())
            } else {
                Err(s3s::s3_error!(AccessDenied))
            }
        })
    }
}

/// The server. It ends with this.
pub struct S3 {
    root: tempfile::TempDir,
    address: SocketAddr,
    asked: Asked,
    most: u64,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl S3 {
    /// Starts one with an empty bucket.
    pub fn start() -> Self {
        let root = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(root.path().join(BUCKET)).expect("a bucket");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let mut server = Self {
            address: listener.local_addr().expect("an address"),
            root,
            asked: Asked::default(),
            most: u64::MAX,
            running: None,
        };
        server.serve(listener);
        server
    }

    /// Ends it; whoever asks is refused.
    pub fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            stop.send(()).ok();
            thread.join().expect("the S3 server ends");
        }
    }

    /// Starts it again, with what it had.
    pub fn start_again(&mut self) {
        for _ in 0..100 {
            if let Ok(listener) = TcpListener::bind(self.address) {
                return self.serve(listener);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the port of the S3 server is not free again");
    }

    /// From its next start on, each of its connections breaks after so many bytes of answers.
    pub fn break_after(&mut self, most: u64) {
        self.most = most;
    }

    /// What it was asked for since this was called last: the method, the last part of the key, and whether for a part of it.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.0.lock().expect("what was asked"))
    }

    /// Where the objects lie.
    pub fn bucket(&self) -> PathBuf {
        self.root.path().join(BUCKET)
    }

    /// Settings of a site that keeps its files there, under a prefix; given whether readers are sent there.
    pub fn settings(&self) -> impl Fn(bool) -> Media + use<> {
        let options = self
            .options()
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .to_vec();
        move |redirect| {
            Media::Bucket(Bucket {
                name: BUCKET.to_owned(),
                prefix: PREFIX.to_owned(),
                options: options.clone(),
                redirect,
            })
        }
    }

    /// The same settings as variables, for a server that is another process.
    pub fn variables(&self) -> Vec<(&'static str, String)> {
        let place = ("BROADSHEET_MEDIA_URL", format!("s3://{BUCKET}/{PREFIX}"));
        [place].into_iter().chain(self.options()).collect()
    }

    fn options(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", SECRET.to_owned()),
        ]
    }

    fn serve(&mut self, listener: TcpListener) {
        let mut builder = S3ServiceBuilder::new(FileSystem::new(self.root.path()).expect("a folder to serve"));
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        builder.set_access(self.asked.clone());
        let service = builder.build();
        let most = self.most;
        listener.set_nonblocking(true).expect("a socket");
        let (stop, mut stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            // Its end closes every connection.
            runtime.expect("a runtime").block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener).expect("a socket");
                loop {
                    let mut socket = tokio::select! {
                        accepted = listener.accept() => accepted.expect("a connection").0,
                        _ = &mut stopped => return,
                    };
                    let service = service.clone();
                    // Else each answer waits for the client to say that it has the beginning.
                    socket.set_nodelay(true).expect("a socket");
                    let (inside, outside) = tokio::io::duplex(64 << 10);
                    tokio::spawn(async move {
                        let serving = Builder::new(TokioExecutor::new());
                        serving.serve_connection(TokioIo::new(inside), service).await.ok();
                    });
                    tokio::spawn(async move {
                        let (mut questions, mut there) = socket.split();
                        let (answers, mut back) = tokio::io::split(outside);
                        let mut answers = answers.take(most);
                        tokio::select! {
                            _ = tokio::io::copy(&mut questions, &mut back) => {}
                            _ = tokio::io::copy(&mut answers, &mut there) => {}
                        }
                    });
                }
            });
        });
        self.running = Some((stop, thread));
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        self.stop();
    }
}
