//! A server that is killed in the middle of uploads: a process of its own, ended by SIGKILL. On both databases, with its
//! files in a folder and in a bucket.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use broadsheet::config::Database as Location;
use broadsheet::db::schema::images;
use diesel::{QueryDsl, RunQueryDsl};

use super::IMAGES;
use crate::support::pictures::{encoded, media};
use crate::support::s3::S3;
use crate::support::{Backend, Client, Database, EMAIL, PASSWORD, connect};

const ROUNDS: u64 = 9;
/// Uploads that are on their way at each kill.
const UPLOADS: u64 = 6;

mod kills_among_uploads_leave_nothing_to_mend {
    use super::{Backend, S3, kill_among_uploads};

    #[actix_web::test]
    async fn sqlite() {
        kill_among_uploads(Backend::Sqlite, None).await;
    }
    #[actix_web::test]
    async fn postgres() {
        kill_among_uploads(Backend::Postgres, None).await;
    }
    #[actix_web::test]
    async fn sqlite_and_a_bucket() {
        kill_among_uploads(Backend::Sqlite, Some(S3::start())).await;
    }
    #[actix_web::test]
    async fn postgres_and_a_bucket() {
        kill_among_uploads(Backend::Postgres, Some(S3::start())).await;
    }
}

/// What a server has that outlives it.
struct Site {
    data: tempfile::TempDir,
    database: Database,
    s3: Option<S3>,
}

impl Site {
    /// The program, with no settings but these.
    fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_broadsheet"));
        for (name, _) in std::env::vars_os() {
            if name
                .to_str()
                .is_some_and(|name| name.starts_with("BROADSHEET_") || name.starts_with("AWS_"))
            {
                command.env_remove(name);
            }
        }
        let database = match self.database.location() {
            Location::Sqlite(path) => format!("sqlite://{}", path.display()),
            Location::Postgres(url) => url,
        };
        command
            .args(arguments)
            .env("BROADSHEET_DATA_DIR", self.data.path())
            .env("DATABASE_URL", database)
            .envs(self.s3.iter().flat_map(S3::variables))
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Where files are before they are whole.
    fn temporary(&self) -> PathBuf {
        let media = if self.s3.is_some() { "" } else { "media" };
        self.data.path().join(media).join("tmp")
    }

    /// Hashes of all uploads in the store.
    fn uploads(&self) -> BTreeSet<String> {
        let folder = match &self.s3 {
            Some(s3) => s3.bucket(),
            None => self.data.path().join("media"),
        };
        let named = |path: &Path| Some(path.parent()?.file_name()?.to_str()?.to_owned());
        walkdir::WalkDir::new(folder)
            .into_iter()
            .map(|entry| entry.expect("an entry").into_path())
            .filter(|path| path.ends_with("original"))
            .map(|path| named(&path).expect("a hash"))
            .collect()
    }

    /// Hashes of all rows.
    fn rows(&self) -> BTreeSet<String> {
        let mut db = connect(&self.database.location());
        let hashes: Vec<String> = images::table.select(images::hash).load(&mut db).expect("the rows");
        hashes.into_iter().collect()
    }

    /// Lets two minutes pass for those who had claims.
    fn outlast_claims(&self) {
        diesel::sql_query("UPDATE image_claims SET held_until = '2026-01-01T00:00:00.000000Z'")
            .execute(&mut connect(&self.database.location()))
            .expect("claims that ran out");
    }

    /// What `media check` says; it must find nothing.
    fn check(&self, when: &str) -> String {
        let check = self.program(&["media", "check"]).output().expect("a check");
        let said = String::from_utf8_lossy(&check.stdout).into_owned();
        assert!(check.status.success(), "{when}: {said}");
        said
    }
}

/// A server; killed when this is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    async fn start(site: &Site) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a free port");
        let child = site
            .program(&["serve"])
            .env("BROADSHEET_BIND", address.to_string())
            .env("BROADSHEET_ADMIN_EMAIL", EMAIL)
            .env("BROADSHEET_ADMIN_PASSWORD", PASSWORD)
            .env("BROADSHEET_RATE_LIMIT", "off")
            .stdout(Stdio::null())
            .spawn()
            .expect("the server starts");
        let server = Self { child, address };
        for _ in 0..600 {
            if std::net::TcpStream::connect(address).is_ok() {
                // It listens; it answers once it has put everything in order.
                assert_eq!(Client::new(address).get("/health/ready").await.status, 200);
                return server;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the server does not listen");
    }

    fn kill(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("its end");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A picture like no other, of some hundred kB.
fn noise(rng: &mut fastrand::Rng) -> Vec<u8> {
    let picture = image::RgbImage::from_fn(260, 200, |_, _| image::Rgb([rng.u8(..), rng.u8(..), rng.u8(..)]));
    encoded(&picture.into(), image::ImageFormat::Png)
}

async fn kill_among_uploads(backend: Backend, s3: Option<S3>) {
    let data = tempfile::tempdir().expect("a folder");
    let site = Site {
        database: Database::fresh(backend, data.path()).await,
        data,
        s3,
    };
    let mut rng = fastrand::Rng::with_seed(5);
    let (mut answered, mut unanswered) = (0, 0);
    for round in 0..ROUNDS {
        let mut server = Server::start(&site).await;
        let client = Client::new(server.address).login(EMAIL, PASSWORD).await;
        let uploads: Vec<_> = (0..UPLOADS)
            .map(|_| {
                // Connections of its own, which end on their own.
                let client = Client::new(server.address).become_role(client.role.clone());
                let file = noise(&mut rng);
                let sent = file.clone();
                (
                    file,
                    actix_web::rt::spawn(async move { client.upload(IMAGES, &sent, &[]).await }),
                )
            })
            .collect();
        // From the first bytes to the last rows.
        tokio::time::sleep(Duration::from_millis(rng.u64(0..300))).await;
        server.kill();
        let mut done = Vec::new();
        for (file, upload) in uploads {
            match upload.await {
                Ok(answer) => done.push((file, answer.ok(201))),
                // The connection ended under it.
                Err(_cut) => unanswered += 1,
            }
        }

        let server = Server::start(&site).await;
        site.check(&format!("round {round}"));
        // What was begun is gone, but for what this server has.
        let temporary = std::fs::read_dir(site.temporary()).expect("a folder");
        assert_eq!(temporary.count(), 2, "round {round}");
        let client = Client::new(server.address).login(EMAIL, PASSWORD).await;
        answered += done.len();
        for (file, answer) in done {
            let hash = answer["data"]["hash"].as_str().expect("a hash");
            let kept = client.get(&media(hash, "original")).await;
            assert!(kept.status == 200 && kept.body == file, "round {round}: {hash}");
        }
    }
    // On PostgreSQL another server may be at work under the claims of a dead one, for two minutes.
    let left = site.uploads().difference(&site.rows()).count();
    site.outlast_claims();
    let server = Server::start(&site).await;
    let said = site.check("at the end");
    assert_eq!(site.uploads(), site.rows(), "{said}");
    drop(server);
    println!(
        "{answered} uploads answered, {unanswered} cut off by {ROUNDS} kills; {left} file(s) were left to the end: {said}"
    );
    assert!(unanswered > 0, "every kill came too late");
}
