//! Rows of another table as one value of the row that they belong to: what stands around an article comes with it, in the one
//! statement that finds it, and so as it was at the same moment.

use std::collections::HashMap;

use diesel::backend::Backend;
use diesel::deserialize::{FromStaticSqlRow, Queryable};
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Nullable, Text};
use diesel::sqlite::Sqlite;
use serde::de::DeserializeOwned;

/// What a subquery selects to give all its rows as one value: a list of lists, in JSON.
#[derive(Debug, Clone, Copy, QueryId)]
pub struct Gathered<T>(T);

/// These columns of all rows of a subquery, whose `single_value` is read as [`Rows`].
pub fn gathered<T: Expression>(columns: T) -> Gathered<T> {
    Gathered(columns)
}

/// The type of [`gathered()`], under the name by which diesel finds it.
#[expect(non_camel_case_types, reason = "it is named after the function")]
pub type gathered<T> = Gathered<T>;

impl<T: Expression> Expression for Gathered<T> {
    type SqlType = Text;
}

impl<T: AppearsOnTable<Source>, Source> AppearsOnTable<Source> for Gathered<T> {}

impl<T: SelectableExpression<Source>, Source> SelectableExpression<Source> for Gathered<T> {}

impl<T, By> ValidGrouping<By> for Gathered<T> {
    type IsAggregate = is_aggregate::Yes;
}

impl<T: QueryFragment<Pg>> QueryFragment<Pg> for Gathered<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("CAST(json_agg(json_build_array(");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql(")) AS text)");
        Ok(())
    }
}

impl<T: QueryFragment<Sqlite>> QueryFragment<Sqlite> for Gathered<T> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("json_group_array(json_array(");
        self.0.walk_ast(out.reborrow())?;
        out.push_sql("))");
        Ok(())
    }
}

/// What belongs to one owner, by the position that it has there, then by its id. There are few of them, and the database would
/// make a table to sort them in.
pub fn in_order<T>(mut rows: Vec<(i32, T)>, id: impl Fn(&T) -> i64) -> Vec<T> {
    rows.sort_by_key(|(position, one)| (*position, id(one)));
    rows.into_iter().map(|(_, one)| one).collect()
}

/// The same for many: rows of an owner, a position, and what belongs there.
pub fn by_owner<T>(rows: Vec<(i64, i32, T)>, id: impl Fn(&T) -> i64) -> HashMap<i64, Vec<T>> {
    let mut owners: HashMap<i64, Vec<(i32, T)>> = HashMap::new();
    for (owner, position, one) in rows {
        owners.entry(owner).or_default().push((position, one));
    }
    let ordered = owners.into_iter().map(|(owner, rows)| (owner, in_order(rows, &id)));
    ordered.collect()
}

/// Rows that were gathered, in no order.
pub struct Rows<T>(pub Vec<T>);

impl<T, DB> Queryable<Nullable<Text>, DB> for Rows<T>
where
    T: DeserializeOwned,
    DB: Backend,
    Option<String>: FromStaticSqlRow<Nullable<Text>, DB>,
{
    type Row = Option<String>;

    fn build(row: Option<String>) -> diesel::deserialize::Result<Self> {
        match row {
            Some(json) => Ok(Self(serde_json::from_str(&json)?)),
            // What PostgreSQL gathers of no rows.
            None => Ok(Self(Vec::new())),
        }
    }
}
