//! A query whose text is written once. diesel walks through a query three times for each time that it runs: to see whether it
//! may be kept prepared, to find it there, and to gather its values. For one that names forty columns that takes more
//! than half as long as what SQLite does for it.

use std::any::TypeId;
use std::collections::HashMap;
use std::fmt::Display;
use std::marker::PhantomData;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use diesel::backend::Backend;
use diesel::debug_query;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, DebugQuery, Query, QueryFragment, QueryId};
use diesel::result::Error as DieselError;
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, HasSqlType, Text};

use super::Timestamp;
use super::types::UtcTimestamp;

/// A value of a query.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// A number, or an id.
    Number(i64),
    /// A text.
    Text(&'a str),
    /// A time.
    Time(Timestamp),
}

/// The text of a query, in the parts between its values.
type Parts = Arc<[Box<str>]>;

/// A query of the type `Q` with its values, on connections of the type `C`.
pub struct Fixed<'a, C, Q> {
    parts: Parts,
    values: Vec<Value<'a>>,
    query: PhantomData<fn(C) -> Q>,
}

static TEXTS: LazyLock<RwLock<HashMap<TypeId, Parts>>> = LazyLock::new(RwLock::default);

/// A query of this type, with its values in their order, also of the limits that it has. What else it is made of, its type has
/// to say: the text is that of the first one of the type. A debug build proves each time that text and values are those of the
/// query.
pub fn fixed<'a, C, Q>(_to_run_on: &C, query: &Q, values: Vec<Value<'a>>) -> Fixed<'a, C, Q>
where
    C: Connection + 'static,
    Q: QueryId,
    for<'q> DebugQuery<'q, Q, C::Backend>: Display,
    for<'q> DebugQuery<'q, Fixed<'a, C, Q>, C::Backend>: Display,
{
    const {
        assert!(
            Q::HAS_STATIC_QUERY_ID,
            "queries that are put together as they run share a type"
        );
    }
    let key = TypeId::of::<(C, Q::QueryId)>();
    let known = {
        let texts = TEXTS.read().unwrap_or_else(PoisonError::into_inner);
        texts.get(&key).cloned()
    };
    let parts = known.unwrap_or_else(|| {
        let parts = parts_of(&debug_query::<C::Backend, Q>(query).to_string());
        let mut texts = TEXTS.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(texts.entry(key).or_insert(parts))
    });
    let fixed = Fixed {
        parts,
        values,
        query: PhantomData,
    };
    debug_assert_eq!(
        debug_query::<C::Backend, _>(&fixed).to_string(),
        debug_query::<C::Backend, Q>(query).to_string()
    );
    fixed
}

/// Splits a text at its places for values, `?` on SQLite and `$1` on PostgreSQL; what diesel says of the values stands last.
fn parts_of(shown: &str) -> Parts {
    let text = shown.split_once(" -- binds: ").map_or(shown, |(text, _)| text);
    let mut parts = text.split(['?', '$']);
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
    std::iter::once(first).chain(rest).map(Box::from).collect()
}

impl<DB, C, Q> QueryFragment<DB> for Fixed<'_, C, Q>
where
    DB: Backend + HasSqlType<BigInt> + HasSqlType<Text> + HasSqlType<UtcTimestamp>,
    i64: ToSql<BigInt, DB>,
    str: ToSql<Text, DB>,
    Timestamp: ToSql<UtcTimestamp, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.parts.len() != self.values.len() + 1 {
            let told = format!("{} values for {} parts", self.values.len(), self.parts.len());
            return Err(DieselError::QueryBuilderError(told.into()));
        }
        let mut values = self.values.iter();
        for part in self.parts.iter() {
            out.push_sql(part);
            match values.next() {
                Some(Value::Number(value)) => out.push_bind_param::<BigInt, _>(value)?,
                Some(Value::Text(value)) => out.push_bind_param::<Text, str>(value)?,
                Some(Value::Time(value)) => out.push_bind_param::<UtcTimestamp, _>(value)?,
                None => {}
            }
        }
        Ok(())
    }
}

impl<C, Q: Query> Query for Fixed<'_, C, Q> {
    type SqlType = Q::SqlType;
}

impl<C: 'static, Q: QueryId> QueryId for Fixed<'_, C, Q> {
    type QueryId = Fixed<'static, C, Q::QueryId>;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<C, Q> RunQueryDsl<C> for Fixed<'_, C, Q> {}

#[cfg(test)]
mod tests {
    use diesel::pg::Pg;
    use diesel::sqlite::Sqlite;

    use super::*;
    use crate::db::schema::articles;

    #[test]
    fn the_text_is_that_of_the_query() {
        let text = "a ? $1 -- binds: ";
        let query = articles::table
            .filter(articles::slug.eq(text))
            .filter(articles::id.gt(3))
            .select(articles::title);
        let ours = |shown: &str| Fixed::<(), ()> {
            parts: parts_of(shown),
            values: vec![Value::Text(text), Value::Number(3)],
            query: PhantomData,
        };
        let theirs = debug_query::<Sqlite, _>(&query).to_string();
        assert_eq!(debug_query::<Sqlite, _>(&ours(&theirs)).to_string(), theirs);
        let theirs = debug_query::<Pg, _>(&query).to_string();
        assert_eq!(debug_query::<Pg, _>(&ours(&theirs)).to_string(), theirs);
    }

    #[test]
    fn too_few_values_are_an_error() {
        let query = articles::table.filter(articles::id.eq(1)).select(articles::title);
        fn without_values<Q>(_query: &Q) -> Fixed<'static, SqliteConnection, Q> {
            Fixed {
                parts: parts_of("SELECT title FROM articles WHERE id = ?"),
                values: Vec::new(),
                query: PhantomData,
            }
        }
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let outcome: QueryResult<Vec<String>> = without_values(&query).load(&mut conn);
        assert!(matches!(outcome, Err(DieselError::QueryBuilderError(_))));
    }
}
