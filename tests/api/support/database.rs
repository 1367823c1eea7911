//! A database for each test: a file in its folder, or a copy of a PostgreSQL database that was migrated once.

use std::io::Write;
use std::path::Path;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use broadsheet::config::Database as Location;
use broadsheet::server;
use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use tokio::sync::OnceCell;

/// The kinds of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// Built in.
    Sqlite,
    /// A server, at the address in `BROADSHEET_TEST_POSTGRES`.
    Postgres,
}

/// One test's database; it goes away with this.
pub enum Database {
    /// In the test's folder, which takes it along.
    Sqlite(Location),
    /// On the server, under this name.
    Postgres(String),
}

impl Database {
    /// An empty one. For PostgreSQL it is a copy, in which no migration is left to do.
    pub async fn fresh(backend: Backend, data: &Path) -> Self {
        match backend {
            Backend::Sqlite => Self::Sqlite(Location::Sqlite(data.join("broadsheet.db"))),
            Backend::Postgres => {
                static TEMPLATE: OnceCell<String> = OnceCell::const_new();
                let template = TEMPLATE.get_or_init(make_template).await;
                let name = new_name("t");
                administer(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
                Self::Postgres(name)
            }
        }
    }

    /// Where it is, in the words of the settings.
    pub fn location(&self) -> Location {
        match self {
            Self::Sqlite(location) => location.clone(),
            Self::Postgres(name) => Location::Postgres(address_of(name)),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres(name) = self {
            // By force: a server that failed to stop may still hold connections.
            administer(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

/// A database that a server has once started on, so that its copies hold the tables and the admin. It stays until the
/// PostgreSQL server, which is a throw-away, goes.
async fn make_template() -> String {
    let name = new_name("template");
    administer(&format!("CREATE DATABASE {name}"));
    let data = tempfile::tempdir().expect("a temporary folder");
    let config = super::settings(Location::Postgres(address_of(&name)), data.path());
    server::start(config)
        .await
        .expect("the server starts on an empty database")
        .stop()
        .await;
    name
}

/// A name that neither this process nor one beside it has given.
fn new_name(kind: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!(
        "{kind}_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}

fn server_address() -> String {
    std::env::var("BROADSHEET_TEST_POSTGRES").unwrap_or_else(|_| {
        panic!(
            "BROADSHEET_TEST_POSTGRES is not set, so this test has no PostgreSQL: run scripts/test, which starts a \
             server, or set it to postgres://USER@HOST:PORT/postgres of one where databases may be created"
        )
    })
}

/// The server's address with another database in it: its path is what stands between the last slash and the `?`.
fn address_of(database: &str) -> String {
    let address = server_address();
    let (path, query) = address.split_once('?').unwrap_or((&address, ""));
    let (server, _) = path
        .rsplit_once('/')
        .expect("postgres://USER@HOST:PORT/NAME in BROADSHEET_TEST_POSTGRES");
    format!("{server}/{database}?{query}")
}

pub fn administer(statement: &str) {
    let mut connection = PgConnection::establish(&server_address()).expect("BROADSHEET_TEST_POSTGRES answers");
    connection.batch_execute(statement).expect(statement);
}

/// Says once which databases the tests meet, past the test runner, which would keep it to itself.
pub fn announce() {
    #[derive(QueryableByName)]
    struct Version {
        #[diesel(sql_type = Text)]
        version: String,
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let sqlite = SqliteConnection::establish(":memory:")
            .map(|mut c| sql_query("SELECT sqlite_version() AS version").get_result::<Version>(&mut c))
            .expect("SQLite is built in")
            .expect("its version");
        let mut line = format!("databases: SQLite {}", sqlite.version);
        if std::env::var_os("BROADSHEET_TEST_POSTGRES").is_some() {
            let mut c = PgConnection::establish(&server_address()).expect("BROADSHEET_TEST_POSTGRES answers");
            let postgres =
                sql_query("SELECT current_setting('server_version') AS version").get_result::<Version>(&mut c);
            line = format!("{line}, PostgreSQL {}", postgres.expect("its version").version);
        }
        writeln!(std::io::stderr(), "{line}").expect("standard error is open");
    });
}
