//! The statements that write an entry on PostgreSQL. Unlike queries by text, they are prepared once a connection.

use std::borrow::Cow;
use std::io::Write;

use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Bool, Nullable, SqlType, Text};

use crate::index::{Entry, Facts, ids_text};

/// Where an entry is written.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// Without an index.
    Fresh,
    /// Into the index.
    Indexed,
    /// Into the index that a rebuild fills.
    New,
}

/// Writes an entry, and takes it from where else it may be.
pub(super) struct Put<'a> {
    place: Place,
    id: i64,
    facts: Facts<'a>,
    /// In microseconds since 1970.
    listed_at: i64,
    tags: String,
    authors: String,
    stamp: i64,
    lexemes: Lexemes<'a>,
}

/// The SQL type of [`Lexemes`].
#[derive(SqlType)]
#[diesel(postgres_type(oid = 3614, array_oid = 3643))]
struct Tsvector;

/// Sorted, each once, as a `tsvector` has them. PostgreSQL takes an array of texts apart and makes another one of it first.
#[derive(Debug, AsExpression)]
#[diesel(sql_type = Tsvector)]
struct Lexemes<'a>(Vec<Cow<'a, str>>);

impl<'a> Lexemes<'a> {
    fn new(mut lexemes: Vec<Cow<'a, str>>) -> Self {
        // Most are in order, which this sort notices.
        lexemes.sort();
        lexemes.dedup();
        Self(lexemes)
    }
}

impl ToSql<Tsvector, Pg> for Lexemes<'_> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&i32::try_from(self.0.len())?.to_be_bytes())?;
        for lexeme in &self.0 {
            out.write_all(lexeme.as_bytes())?;
            // The end of the text, and how many positions follow.
            out.write_all(&[0, 0, 0])?;
        }
        Ok(IsNull::No)
    }
}

impl<'a> Put<'a> {
    /// The statement.
    pub(super) fn new(place: Place, entry: &'a Entry<'_>, stamp: i64) -> Self {
        Self {
            place,
            id: entry.id,
            facts: entry.facts,
            listed_at: entry.facts.listed_at.micros(),
            tags: ids_text(entry.facts.tags),
            authors: ids_text(entry.facts.authors),
            stamp,
            lexemes: Lexemes::new(entry.lexemes()),
        }
    }

    /// The same elsewhere.
    pub(super) fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    fn walk_values<'b>(&'b self, out: &mut AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_bind_param::<Text, _>(self.facts.state)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.listed_at)?;
        out.push_sql(", ");
        out.push_bind_param::<Nullable<BigInt>, _>(&self.facts.category_id)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(self.facts.locale)?;
        out.push_sql(", ");
        out.push_bind_param::<Bool, _>(&self.facts.featured)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.tags)?;
        out.push_sql(", ");
        out.push_bind_param::<Text, _>(&self.authors)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.stamp)?;
        out.push_sql(", ");
        out.push_bind_param::<Tsvector, _>(&self.lexemes)
    }
}

impl QueryFragment<Pg> for Put<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        let (elsewhere, here, fresh) = match self.place {
            Place::Fresh => (Some("NOT fresh"), "article_hits_fresh", "true"),
            Place::Indexed => (Some("fresh"), "article_hits_indexed", "false"),
            Place::New => (None, "article_hits_new_indexed", "false"),
        };
        if let Some(elsewhere) = elsewhere {
            out.push_sql("WITH elsewhere AS (DELETE FROM article_hits WHERE article_id = ");
            out.push_bind_param::<BigInt, _>(&self.id)?;
            out.push_sql(" AND ");
            out.push_sql(elsewhere);
            out.push_sql(") ");
        }
        out.push_sql("INSERT INTO ");
        out.push_sql(here);
        out.push_sql(
            " (article_id, state, listed_at, category_id, locale, featured, tags, authors, stamp, lexemes, fresh) VALUES (",
        );
        out.push_bind_param::<BigInt, _>(&self.id)?;
        out.push_sql(", ");
        self.walk_values(&mut out)?;
        out.push_sql(", ");
        out.push_sql(fresh);
        out.push_sql(
            ") ON CONFLICT (article_id) DO UPDATE SET
             state = excluded.state, listed_at = excluded.listed_at, category_id = excluded.category_id,
             locale = excluded.locale, featured = excluded.featured, tags = excluded.tags, authors = excluded.authors,
             stamp = excluded.stamp, lexemes = excluded.lexemes",
        );
        Ok(())
    }
}

/// Writes an entry where it waits already; none where it does not.
pub(super) struct Rewrite<'a>(pub(super) &'a Put<'a>);

impl QueryFragment<Pg> for Rewrite<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql(
            "UPDATE article_hits
             SET (state, listed_at, category_id, locale, featured, tags, authors, stamp, lexemes) = (",
        );
        self.0.walk_values(&mut out)?;
        out.push_sql(") WHERE fresh AND article_id = ");
        out.push_bind_param::<BigInt, _>(&self.0.id)
    }
}

// Their text depends on the place, and so tells them apart.
impl QueryId for Put<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl QueryId for Rewrite<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl RunQueryDsl<PgConnection> for Put<'_> {}
impl RunQueryDsl<PgConnection> for Rewrite<'_> {}
