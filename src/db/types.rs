//! Column types that both databases understand.
//!
//! `timestamptz` on PostgreSQL, fixed-width RFC 3339 text on SQLite, which sorts like the time that it names.

use chrono::{DateTime, SecondsFormat, SubsecRound, Utc};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{HasSqlType, SqlType, Text, Timestamptz};
use diesel::sqlite::{Sqlite, SqliteValue};

use super::MultiBackend;

/// The SQL type of [`Timestamp`].
#[derive(Debug, Clone, Copy, SqlType, QueryId)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
#[diesel(sqlite_type(name = "Text"))]
pub struct UtcTimestamp;

/// A moment in UTC, to the microsecond, which is what both databases keep. It reads and is shown in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, AsExpression, FromSqlRow)]
#[diesel(sql_type = UtcTimestamp)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// The clock, cut to the microsecond.
    pub fn now() -> Self {
        Self::from(Utc::now())
    }

    /// As `chrono` has it.
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0.timestamp_micros()
    }

    /// The moment that many microseconds after 1970, if there is one in the years 1 to 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        let time = DateTime::from_timestamp_micros(micros)?;
        Self::in_range(time).then_some(Self(time))
    }

    /// RFC 3339 in UTC, to the microsecond: as SQLite keeps it.
    pub fn to_rfc3339_micros(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Micros, true)
    }

    /// RFC 3339 in UTC and whole seconds, as answers show it.
    pub fn to_rfc3339(self) -> String {
        self.0.to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// Reads RFC 3339 with an offset; nothing else, and only the years 1 to 9999, which both databases keep.
    pub fn parse(text: &str) -> Option<Self> {
        let time = DateTime::parse_from_rfc3339(text).ok()?.to_utc();
        // By its number, since a leap second (`:60`) is the next second here, as PostgreSQL has it.
        Self::from_micros(time.timestamp_micros())
    }

    fn in_range(time: DateTime<Utc>) -> bool {
        use chrono::Datelike;
        (1..=9999).contains(&time.year())
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.trunc_subsecs(6))
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a time: RFC 3339 with an offset is wanted"))
    }
}

impl utoipa::PartialSchema for Timestamp {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some(
                "RFC 3339. Answers are in UTC and whole seconds; what is sent needs an offset.",
            ))
            .examples([serde_json::json!("2026-01-13T04:31:54Z")])
            .into()
    }
}

impl utoipa::ToSchema for Timestamp {}

impl ToSql<UtcTimestamp, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Timestamptz, Pg>::to_sql(&self.0, &mut out.reborrow())
    }
}

impl FromSql<UtcTimestamp, Pg> for Timestamp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        FromSql::<Timestamptz, Pg>::from_sql(value).map(Self)
    }
}

impl ToSql<UtcTimestamp, Sqlite> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.to_rfc3339_micros());
        Ok(IsNull::No)
    }
}

impl FromSql<UtcTimestamp, Sqlite> for Timestamp {
    fn from_sql(value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(DateTime::parse_from_rfc3339(&text)?.to_utc()))
    }
}

impl HasSqlType<UtcTimestamp> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        MultiBackend::lookup_sql_type::<UtcTimestamp>(lookup)
    }
}

impl FromSql<UtcTimestamp, MultiBackend> for Timestamp {
    fn from_sql(raw: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        raw.from_sql::<Timestamp, UtcTimestamp>()
    }
}

impl ToSql<UtcTimestamp, MultiBackend> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((UtcTimestamp, self));
        Ok(IsNull::No)
    }
}

/// A text that may be long. diesel checks by the standard library that a text is UTF-8, which for the 15 kB of a Chinese article
/// takes a tenth of the time in which it is answered. Read as bytes, the text is copied once more by SQLite; that takes less.
#[derive(Debug, PartialEq, Eq, FromSqlRow)]
pub struct LongText(pub String);

impl LongText {
    fn read(bytes: &[u8]) -> deserialize::Result<Self> {
        Ok(Self(simdutf8::basic::from_utf8(bytes)?.to_owned()))
    }
}

impl FromSql<Text, Sqlite> for LongText {
    fn from_sql(mut value: SqliteValue<'_, '_, '_>) -> deserialize::Result<Self> {
        Self::read(value.read_blob())
    }
}

impl FromSql<Text, Pg> for LongText {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Self::read(value.as_bytes())
    }
}

/// Gives an enum of fixed names its text column, its JSON form and its schema: a string with listed values, since
/// the list may grow.
#[macro_export]
macro_rules! text_enum {
    ($(#[doc = $doc:literal])* $visibility:vis enum $name:ident { $($(#[doc = $variant_doc:literal])* $variant:ident = $text:literal),* $(,)? }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = diesel::sql_types::Text)]
        $visibility enum $name { $($(#[doc = $variant_doc])* $variant),* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [$name] = &[$($name::$variant),*];

            /// The name in the database and in JSON.
            pub const fn as_str(self) -> &'static str { match self { $($name::$variant => $text),* } }

            /// The value of that name.
            pub fn parse(text: &str) -> Option<Self> { match text { $($text => Some($name::$variant),)* _ => None } }
        }

        impl<DB: diesel::backend::Backend> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where str: diesel::serialize::ToSql<diesel::sql_types::Text, DB> {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
                diesel::serialize::ToSql::<diesel::sql_types::Text, DB>::to_sql(self.as_str(), out)
            }
        }

        impl<DB: diesel::backend::Backend> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB> {
            fn from_sql(raw: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                let text = <String as diesel::deserialize::FromSql<diesel::sql_types::Text, DB>>::from_sql(raw)?;
                Self::parse(&text).ok_or_else(|| format!("{text:?} is no {}", stringify!($name)).into())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> { serializer.serialize_str(self.as_str()) }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(concat!("unknown value; known are", $(" ", $text),*)))
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::schema::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .description(Some(concat!($($doc),*, "\n\n", $("- `", $text, "`:", $($variant_doc,)* "\n"),*).trim()))
                    .examples([$(serde_json::json!($text)),*])
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_need_an_offset_and_keep_microseconds() {
        let time = Timestamp::parse("2026-01-13T12:31:54.1234567+08:00").unwrap();
        assert_eq!(time.to_rfc3339(), "2026-01-13T04:31:54Z");
        assert_eq!(time.micros() % 1_000_000, 123_456);
        for wrong in [
            "2026-01-13T12:31:54",
            "2026-01-13",
            "",
            "tomorrow",
            "+12026-01-13T00:00:00Z",
        ] {
            assert!(Timestamp::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_long_text_is_text_or_an_error() {
        use diesel::dsl::sql;
        use diesel::prelude::*;
        use diesel::sql_types::Nullable;

        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        let mut read = |value: &str| -> QueryResult<Option<LongText>> {
            diesel::select(sql::<Nullable<Text>>(value)).get_result(&mut conn)
        };
        assert_eq!(read("'新闻'").unwrap(), Some(LongText("新闻".to_owned())));
        assert_eq!(read("''").unwrap(), Some(LongText(String::new())));
        assert_eq!(read("NULL").unwrap(), None);
        assert!(read("CAST(x'e6ff' AS TEXT)").is_err());
    }

    #[test]
    fn the_clock_is_cut_to_what_the_databases_keep() {
        let now = Timestamp::now();
        assert_eq!(Timestamp::from_micros(now.micros()), Some(now));
    }
}
