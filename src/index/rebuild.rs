//! The index made anew beside the old one, which answers until the swap.
//!
//! In transactions of their own: [`begin`], then [`add`] for all that is [`behind`] until little is, [`finish`], and in
//! one last transaction [`hold`], [`add`] for the rest, and [`swap`]. Each entry carries the stamp of the one that it was
//! made beside, so that [`behind`] finds whatever was written meanwhile. One process at a time; what a crash leaves is
//! dropped by the next [`begin`].

use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::{Entry, postgres, sqlite};
use crate::db::DbConn;
use crate::db::schema::index_state;
use crate::text::analyse::ANALYSER;

/// The stamp of an entry that stands beside none.
const BESIDE_NONE: i64 = -1;

#[derive(QueryableByName)]
struct Stamp {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    stamp: i64,
}

/// An article whose entry is missing or older than what is searched now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind {
    /// The article.
    pub id: i64,
    stamp: i64,
}

/// Whether another analyser than this program's made the index.
pub fn is_due(conn: &mut DbConn) -> QueryResult<bool> {
    let analyser: i32 = index_state::table.select(index_state::analyser).first(conn)?;
    Ok(analyser != ANALYSER)
}

/// Notes that this program's analyser made the index.
pub fn is_done(conn: &mut DbConn) -> QueryResult<()> {
    diesel::update(index_state::table)
        .set(index_state::analyser.eq(ANALYSER))
        .execute(conn)?;
    Ok(())
}

/// Makes the new, empty tables.
pub fn begin(conn: &mut DbConn) -> QueryResult<()> {
    match conn {
        DbConn::Postgres(conn) => postgres::begin(conn),
        DbConn::Sqlite(conn) => sqlite::begin(conn),
    }
}

/// The articles after `after`, by id, that still have to be added, at most so many.
pub fn behind(conn: &mut DbConn, after: i64, most: i64) -> QueryResult<Vec<Behind>> {
    let query = match conn {
        DbConn::Postgres(_) => postgres::BEHIND,
        DbConn::Sqlite(_) => sqlite::BEHIND,
    };
    let query = diesel::sql_query(query)
        .bind::<BigInt, _>(after)
        .bind::<BigInt, _>(most);
    let rows: Vec<Stamp> = match conn {
        DbConn::Postgres(conn) => query.load(conn)?,
        DbConn::Sqlite(conn) => query.load(conn)?,
    };
    Ok(rows
        .into_iter()
        .map(|Stamp { id, stamp }| Behind { id, stamp })
        .collect())
}

/// Writes entries; `behind` and what they say must be of one snapshot.
pub fn add<'a>(conn: &mut DbConn, behind: &[Behind], entries: impl Iterator<Item = Entry<'a>>) -> QueryResult<()> {
    for entry in entries {
        let stamp = behind.iter().find(|behind| behind.id == entry.id);
        let stamp = stamp.map_or(BESIDE_NONE, |behind| behind.stamp);
        match conn {
            DbConn::Postgres(conn) => postgres::put_new(conn, &entry, stamp)?,
            DbConn::Sqlite(conn) => sqlite::put(conn, sqlite::NEW, &entry, stamp)?,
        }
    }
    Ok(())
}

/// In how many parts [`finish`] works, each on a core of its own where the database has them.
pub const PARTS: [usize; 2] = [0, 1];

/// Does some of what makes a part of the new index quick; whether there is more to do. On SQLite the first part is all.
pub fn finish(conn: &mut DbConn, part: usize) -> QueryResult<bool> {
    match conn {
        DbConn::Postgres(conn) => postgres::finish(conn, part),
        DbConn::Sqlite(conn) if part == 0 => sqlite::finish(conn),
        DbConn::Sqlite(_) => Ok(false),
    }
}

/// Keeps others from writing to the index until the commit.
pub fn hold(conn: &mut DbConn) -> QueryResult<()> {
    match conn {
        DbConn::Postgres(conn) => postgres::hold(conn),
        DbConn::Sqlite(_) => Ok(()),
    }
}

/// Puts the new index in place of the old one.
pub fn swap(conn: &mut DbConn) -> QueryResult<()> {
    match conn {
        DbConn::Postgres(conn) => postgres::swap(conn)?,
        DbConn::Sqlite(conn) => sqlite::swap(conn)?,
    }
    is_done(conn)
}

/// How many articles there are.
pub fn count(conn: &mut DbConn) -> QueryResult<i64> {
    crate::db::schema::articles::table.count().get_result(conn)
}
