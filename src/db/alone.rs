//! Work that one process at a time may do, of all that share a database.

use std::fs::{File, TryLockError};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::migrate::lock_file;
use super::{DbConn, pool};
use crate::config::Database;

/// The right to do something alone, until it is dropped or the process ends.
pub struct Alone {
    _held: Held,
}

#[expect(dead_code, reason = "held, not read")]
enum Held {
    File(File),
    Session(DbConn),
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    locked: bool,
}

/// Takes the right of that name; nothing where another process has it. The error is one line.
pub fn alone(database: &Database, name: &str) -> Result<Option<Alone>, String> {
    let held = match database {
        Database::Sqlite(path) => {
            let file = lock_file(path, &format!("{name}.lock"))?;
            match file.try_lock() {
                Ok(()) => Some(Held::File(file)),
                Err(TryLockError::WouldBlock) => None,
                Err(TryLockError::Error(error)) => return Err(format!("cannot lock {}: {error}", path.display())),
            }
        }
        Database::Postgres(url) => {
            let mut conn = pool::open_postgres(url).map_err(|error| format!("cannot reach PostgreSQL: {error}"))?;
            let DbConn::Postgres(session) = &mut conn else {
                return Ok(None);
            };
            let Locked { locked } =
                diesel::sql_query("SELECT pg_try_advisory_lock(hashtextextended($1, $2)) AS locked")
                    .bind::<Text, _>(name)
                    .bind::<BigInt, _>(0)
                    .get_result(session)
                    .map_err(|error| format!("cannot lock {name}: {error}"))?;
            locked.then_some(Held::Session(conn))
        }
    };
    Ok(held.map(|held| Alone { _held: held }))
}
