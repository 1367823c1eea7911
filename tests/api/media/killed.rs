//! A server that is killed in the middle of uploads: a process of its own, ended by SIGKILL.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::IMAGES;
use crate::support::pictures::{encoded, media};
use crate::support::{Client, EMAIL, PASSWORD};

const ROUNDS: u64 = 9;
/// Uploads that are on their way at each kill.
const UPLOADS: u64 = 6;

/// The program, with no settings but these.
fn program(data: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_broadsheet"));
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("BROADSHEET_") || name == "DATABASE_URL")
        {
            command.env_remove(name);
        }
    }
    command
        .args(arguments)
        .env("BROADSHEET_DATA_DIR", data)
        .stdin(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// A server; killed when this is dropped.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    async fn start(data: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a free port");
        let child = program(data, &["serve"])
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

#[actix_web::test]
async fn kills_among_uploads_leave_nothing_to_mend() {
    let data = tempfile::tempdir().expect("a folder");
    let mut rng = fastrand::Rng::with_seed(5);
    let (mut answered, mut unanswered) = (0, 0);
    for round in 0..ROUNDS {
        let mut server = Server::start(data.path()).await;
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

        let server = Server::start(data.path()).await;
        let check = program(data.path(), &["media", "check"]).output().expect("a check");
        let said = String::from_utf8_lossy(&check.stdout);
        assert!(check.status.success(), "round {round}: {said}");
        // What was begun is gone, but for what this server has.
        let temporary = std::fs::read_dir(data.path().join("media/tmp")).expect("a folder");
        assert_eq!(temporary.count(), 2, "round {round}");
        let client = Client::new(server.address).login(EMAIL, PASSWORD).await;
        answered += done.len();
        for (file, answer) in done {
            let hash = answer["data"]["hash"].as_str().expect("a hash");
            let kept = client.get(&media(hash, "original")).await;
            assert!(kept.status == 200 && kept.body == file, "round {round}: {hash}");
        }
    }
    println!("{answered} uploads answered, {unanswered} cut off by {ROUNDS} kills");
    assert!(unanswered > 0, "every kill came too late");
}
