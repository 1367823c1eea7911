//! Which constraint a statement broke, told the same for both databases.
//!
//! A value that must be unique is not looked up first: two writers would both find it free. The statement is run, and
//! its error asked.
//! PostgreSQL aborts the transaction then.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// Whether the error is a second row with these values. `columns` are those of the unique index or primary key, as the
/// migrations write them: `breaks_unique(&error, "users", "email_key")`, or `"article_id, tag_id"` for several.
pub fn breaks_unique(error: &DieselError, table: &str, columns: &str) -> bool {
    let DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) = error else {
        return false;
    };
    match info.table_name() {
        // PostgreSQL has the columns in its details alone: `Key (email_key)=(a@b.cn) already exists.`, in the server's
        // language; the first parentheses are the columns in each of them.
        Some(name) => {
            let details = info.details().unwrap_or_default();
            let named = details.split_once('(').and_then(|(_, rest)| rest.split_once(")=("));
            name == table && named.is_some_and(|(named, _)| named == columns)
        }
        // SQLite: `UNIQUE constraint failed: users.email_key`, each column with its table.
        None => {
            let named = info.message().rsplit_once(": ").map_or("", |(_, named)| named);
            let wanted = columns.split(", ");
            named.split(", ").eq(wanted.map(|column| format!("{table}.{column}")))
        }
    }
}

/// Whether the error is about a reference: to a row that is not there, or from rows that keep one from being deleted.
/// Which of them, SQLite does not say; the statement tells it.
pub fn breaks_reference(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(
            DatabaseErrorKind::ForeignKeyViolation | DatabaseErrorKind::RestrictViolation,
            _,
        ) => true,
        // `ON DELETE RESTRICT` is a trigger inside SQLite, and has the code of one.
        DieselError::DatabaseError(_, info) => info.message() == "FOREIGN KEY constraint failed",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::connection::SimpleConnection;
    use diesel::result::DatabaseErrorInformation;
    use diesel::{Connection, SqliteConnection};

    fn sqlite_error(statement: &str) -> DieselError {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        conn.batch_execute(
            "PRAGMA foreign_keys = ON;
             CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE, c TEXT, UNIQUE (b, c));
             CREATE TABLE u (a INTEGER REFERENCES t (a) ON DELETE RESTRICT);
             INSERT INTO t VALUES (1, 'x', 'y'); INSERT INTO u VALUES (1);",
        )
        .unwrap();
        conn.batch_execute(statement).unwrap_err()
    }

    struct Postgres(&'static str);

    impl DatabaseErrorInformation for Postgres {
        fn message(&self) -> &str {
            "duplicate key value violates unique constraint \"x\""
        }
        fn details(&self) -> Option<&str> {
            Some(self.0)
        }
        fn hint(&self) -> Option<&str> {
            None
        }
        fn table_name(&self) -> Option<&str> {
            Some("t")
        }
        fn column_name(&self) -> Option<&str> {
            None
        }
        fn constraint_name(&self) -> Option<&str> {
            Some("x")
        }
        fn statement_position(&self) -> Option<i32> {
            None
        }
    }

    fn postgres_error(details: &'static str) -> DieselError {
        DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, Box::new(Postgres(details)))
    }

    #[test]
    fn a_broken_unique_constraint_is_told_by_its_columns() {
        let error = sqlite_error("INSERT INTO t VALUES (2, 'x', 'z')");
        assert!(breaks_unique(&error, "t", "b"), "{error}");
        assert!(!breaks_unique(&error, "t", "a") && !breaks_unique(&error, "u", "b"));
        assert!(breaks_unique(
            &sqlite_error("INSERT INTO t VALUES (1, 'z', 'z')"),
            "t",
            "a"
        ));

        let error = postgres_error("Key (b, c)=(x)=(y, (b)=() already exists.");
        assert!(breaks_unique(&error, "t", "b, c"));
        assert!(!breaks_unique(&error, "t", "b") && !breaks_unique(&error, "u", "b, c"));
        assert!(breaks_unique(&postgres_error("键值\"(b)=(x)\" 已经存在"), "t", "b"));
    }

    #[test]
    fn a_broken_reference_is_no_broken_uniqueness() {
        for statement in ["INSERT INTO u VALUES (7)", "DELETE FROM t WHERE a = 1"] {
            let error = sqlite_error(statement);
            assert!(breaks_reference(&error), "{statement}: {error}");
            assert!(!breaks_unique(&error, "t", "a"));
        }
        assert!(!breaks_reference(&postgres_error("Key (a)=(1) already exists.")));
    }
}
