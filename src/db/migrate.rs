//! Migrations: embedded, run at start, by one process at a time.

use std::fs::{self, File};
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource, MigrationVersion};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{DbConn, pool};
use crate::config::Database;

const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Brings the schema up to date; safe beside other processes that do the same. The error is one line.
pub fn run(database: &Database) -> Result<(), String> {
    match database {
        Database::Sqlite(path) => {
            if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
            }
            let lock = lock_file(path, "migrate.lock")?;
            lock.lock()
                .map_err(|error| format!("cannot lock {}: {error}", path.display()))?;
            make_private(path)?;
            let mut conn = pool::open_sqlite(path, false)?;
            // Off, since rebuilding a table would otherwise delete what refers to it; a no-op inside a transaction.
            conn.batch_execute("PRAGMA foreign_keys = OFF")
                .map_err(|error| error.to_string())?;
            migrate(&mut conn, SQLITE)
        }
        Database::Postgres(url) => {
            let mut conn = pool::open_postgres(url).map_err(|error| {
                // libpq quotes an address that it cannot read, password and all.
                format!(
                    "cannot reach PostgreSQL: {}",
                    error.to_string().replace(url.as_str(), "DATABASE_URL")
                )
            })?;
            // Held by the session: a crash releases it.
            let locked = "SET statement_timeout = 0; SELECT pg_advisory_lock(4806249)";
            conn.batch_execute(locked)
                .map_err(|error| format!("cannot lock the schema: {error}"))?;
            migrate(&mut conn, POSTGRES)
        }
    }
}

/// A new database file is for its owner alone, since it holds digests of passwords; what SQLite lays beside it takes
/// the same permissions.
fn make_private(path: &Path) -> Result<(), String> {
    let mut options = File::options();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(format!("cannot make {}: {error}", path.display()))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// A lock file beside the database. Locks end with the process, however it ends.
pub fn lock_file(database: &Path, ending: &str) -> Result<File, String> {
    let path = database.with_extension(ending);
    File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|error| format!("cannot open {}: {error}", path.display()))
}

fn migrate(conn: &mut DbConn, source: EmbeddedMigrations) -> Result<(), String> {
    let known = versions(&source)?;
    let applied = conn
        .applied_migrations()
        .map_err(|error| format!("cannot read the schema's version: {error}"))?;
    if let Some(newer) = applied.iter().find(|version| !known.contains(version)) {
        return Err(format!(
            "the schema has the migration {newer}, which this version does not know: it needs a newer broadsheet"
        ));
    }
    let done = conn
        .run_pending_migrations(source)
        .map_err(|error| format!("a migration failed: {error}"))?;
    if !done.is_empty() {
        log::info!("{} migration(s) applied", done.len());
    }
    Ok(())
}

fn versions(source: &EmbeddedMigrations) -> Result<Vec<MigrationVersion<'static>>, String> {
    let migrations: Vec<Box<dyn Migration<super::MultiBackend>>> = source
        .migrations()
        .map_err(|error| format!("cannot read the migrations: {error}"))?;
    Ok(migrations
        .iter()
        .map(|migration| migration.name().version().as_owned())
        .collect())
}
