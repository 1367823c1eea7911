//! What SQLite is taught to search what waits beside its index.

use diesel::prelude::*;
use diesel::sql_types::Text;

use crate::text::query::holds;

diesel::define_sql_function! {
    /// Whether these lexemes, in order and parted by blanks, have what an expression of FTS5 asks for.
    fn lexemes_say(lexemes: Text, expression: Text) -> Bool;
}

/// Teaches it to a connection; PostgreSQL matches such entries by itself.
pub(super) fn teach(conn: &mut SqliteConnection) -> QueryResult<()> {
    lexemes_say_utils::register_impl(conn, |lexemes: String, expression: String| holds(&lexemes, &expression))
}
