//! What the tests share: a server in this process on a fresh database, clients for every kind of caller, which hold each
//! answer against the document, and [`both!`], which makes one test per database out of one function.

mod answer;
mod client;
pub mod contract;
mod database;
pub mod pictures;
pub mod s3;

use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use broadsheet::config::{Config, CorsOrigins, Database as Location, LogFormat, Media};
use broadsheet::db::DbConn;
use broadsheet::server;
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use serde_json::json;

pub use answer::Answer;
pub use client::{Anonymous, ApiKey, Bearer, Client, Role};
pub use database::{Backend, Database, administer};

/// E-mail of the admin that every server of the tests has.
pub const EMAIL: &str = "admin@example.com";
/// The password of everybody in the tests.
pub const PASSWORD: &str = "correct horse battery staple";

/// Makes a test on SQLite and one on PostgreSQL of each named `async fn(&App)`. Where the settings differ, the name of
/// an `fn(&mut Config)` that changes them: `both!(counts_each_view, with no_view_window);`
///
/// The function itself stays outside of the macro, where rustfmt and the compiler's messages reach it; one that is
/// not named here is dead code, and a warning says so.
macro_rules! both {
    ($scenario:ident, with $change:ident) => {
        mod $scenario {
            #[actix_web::test]
            async fn sqlite() {
                $crate::support::run($crate::support::Backend::Sqlite, super::$change, super::$scenario).await;
            }
            #[actix_web::test]
            async fn postgres() {
                $crate::support::run($crate::support::Backend::Postgres, super::$change, super::$scenario).await;
            }
        }
    };
    ($($scenario:ident),+ $(,)?) => {
        $(mod $scenario {
            #[actix_web::test]
            async fn sqlite() {
                $crate::support::run($crate::support::Backend::Sqlite, |_| (), super::$scenario).await;
            }
            #[actix_web::test]
            async fn postgres() {
                $crate::support::run($crate::support::Backend::Postgres, |_| (), super::$scenario).await;
            }
        })+
    };
}
pub(crate) use both;

/// A running server and the way to it.
pub struct App {
    /// The server's settings.
    pub config: Config,
    client: Client<Anonymous>,
}

impl App {
    /// A connection of the test's own to the server's database.
    pub fn connect(&self) -> DbConn {
        connect(&self.config.database)
    }

    /// Runs statements on a connection of the test's own.
    pub fn run_sql(&self, sql: &str) {
        self.connect().batch_execute(sql).expect(sql);
    }

    /// Somebody who is not signed in.
    pub fn anonymous(&self) -> Client<Anonymous> {
        self.client.clone()
    }

    /// The admin, freshly signed in.
    pub async fn admin(&self) -> Client<Bearer> {
        self.client.login(EMAIL, PASSWORD).await
    }

    /// A new user of this role (`contributor`, `editor`, `admin`), signed in.
    pub async fn user(&self, role: &str, email: &str) -> Client<Bearer> {
        let user = json!({"email": email, "name": role, "role": role, "password": PASSWORD});
        self.admin().await.post("/api/v1/users", &user).await.ok(201);
        self.client.login(email, PASSWORD).await
    }

    /// A new API key of this scope (`read`, `preview`, `write`).
    pub async fn key(&self, scope: &str) -> Client<ApiKey> {
        let made = self
            .admin()
            .await
            .post("/api/v1/api-keys", &json!({"name": scope, "scope": scope}))
            .await
            .ok(201);
        let key = made["data"]["key"]
            .as_str()
            .expect("the key, in the answer that made it")
            .to_owned();
        self.client.become_role(ApiKey { id: made.id(), key })
    }
}

/// A connection to the database of a server.
pub fn connect(location: &Location) -> DbConn {
    match location {
        Location::Postgres(url) => DbConn::Postgres(PgConnection::establish(url).expect("PostgreSQL")),
        Location::Sqlite(path) => {
            let path = path.to_str().expect("a path in UTF-8");
            let mut conn = SqliteConnection::establish(path).expect("SQLite");
            // The server may be writing just then.
            conn.batch_execute("PRAGMA busy_timeout = 10000")
                .expect("a time to wait");
            DbConn::Sqlite(conn)
        }
    }
}

/// Runs the scenario against a server of its own, and takes everything away again, also when the scenario fails.
pub async fn run(backend: Backend, change: impl FnOnce(&mut Config), scenario: impl AsyncFnOnce(&App)) {
    run_again(backend, change, [scenario]).await;
}

/// Runs one scenario after the other on the same data; between them the server stops, and starts anew.
pub async fn run_again<S: AsyncFnOnce(&App)>(
    backend: Backend,
    change: impl FnOnce(&mut Config),
    scenarios: impl IntoIterator<Item = S>,
) {
    database::announce();
    let data = tempfile::tempdir().expect("a temporary folder");
    let database = Database::fresh(backend, data.path()).await;
    let mut config = settings(database.location(), data.path());
    change(&mut config);
    for scenario in scenarios {
        let running = server::start(config.clone()).await.expect("the server starts");
        let app = App {
            config: config.clone(),
            client: Client::new(running.address),
        };
        let outcome = caught(scenario(&app)).await;
        drop(app);
        running.stop().await;
        if let Err(panic) = outcome {
            drop(database);
            resume_unwind(panic);
        }
    }
}

/// The settings of a server for tests: on a free port, without the limits that a fast client would meet.
fn settings(database: broadsheet::config::Database, data: &std::path::Path) -> Config {
    Config {
        database,
        data_dir: data.to_owned(),
        bind: ([127, 0, 0, 1], 0).into(),
        public_url: None,
        admin: Some((EMAIL.to_owned(), PASSWORD.to_owned())),
        signing_key: None,
        time_zone: chrono_tz::Asia::Shanghai,
        view_window: Duration::from_secs(30 * 60),
        cache_bytes: 8 << 20,
        rate_limit: false,
        cors_origins: CorsOrigins::Any,
        trusted_proxies: Vec::new(),
        media: Media::Folder,
        drain: Duration::ZERO,
        log: LogFormat::Text,
    }
}

/// Requests come by a proxy on this machine, which tells from whom.
pub fn behind_a_proxy(config: &mut Config) {
    use clap::Parser;
    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        settings: broadsheet::config::Settings,
    }
    let flags = ["broadsheet", "--trusted-proxies", "127.0.0.1"];
    let settings = Cli::parse_from(flags).settings.check();
    config.trusted_proxies = settings.expect("settings").trusted_proxies;
}

/// The future's output, or what it panicked with: the server and the database are to end in either case.
async fn caught<T>(future: impl Future<Output = T>) -> std::thread::Result<T> {
    let mut future = pin!(future);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(panic)),
        },
    )
    .await
}
