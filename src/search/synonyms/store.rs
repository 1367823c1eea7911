//! Queries of synonyms.

use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, Text};

use super::model::{NewSynonym, SynonymGroup};
use crate::db::schema::synonyms;
use crate::db::{DbConn, Subject, Tx};
use crate::error::{Error, Result};
use crate::on_backend;

/// How many rows one statement writes; SQLite takes 32,766 values.
const BATCH: usize = 1_000;

/// All groups, in their order.
pub fn load_groups(conn: &mut DbConn) -> QueryResult<Vec<SynonymGroup>> {
    let rows: Vec<(i64, String)> = synonyms::table
        .order((synonyms::group_id, synonyms::position))
        .select((synonyms::group_id, synonyms::word))
        .load(conn)?;
    let groups = rows.chunk_by(|(group, _), (next, _)| group == next);
    Ok(groups
        .map(|rows| SynonymGroup {
            words: rows.iter().map(|(_, word)| word.clone()).collect(),
        })
        .collect())
}

/// Writes these in place of all that were there.
pub fn replace_all(tx: &mut Tx<'_>, rows: &[NewSynonym]) -> QueryResult<()> {
    tx.lock_name("synonyms")?;
    diesel::delete(synonyms::table).execute(tx.conn)?;
    tx.touch(Subject::Anything);
    for rows in rows.chunks(BATCH) {
        on_backend!(&mut *tx.conn, |c| diesel::insert_into(synonyms::table)
            .values(rows)
            .execute(c))?;
    }
    Ok(())
}

/// A word that is known.
#[derive(QueryableByName)]
pub struct KnownWord {
    /// Its flow.
    #[diesel(sql_type = Text)]
    pub word: String,
    /// A word of its group, as it was written; nothing where it is known as a tag's name.
    #[diesel(sql_type = Nullable<Text>)]
    pub other: Option<String>,
}

/// Which of these flows are words of a group, with each word of the group in its order, and which are names of tags. One
/// statement on two unique or ordered indexes, with one value bound however many flows there are.
pub fn find_known(conn: &mut DbConn, flows: &[String]) -> Result<Vec<KnownWord>> {
    let statement = |flows: &str| {
        format!(
            "SELECT mine.word_key AS word, theirs.word AS other, theirs.position AS place
             FROM synonyms AS mine JOIN synonyms AS theirs ON theirs.group_id = mine.group_id
             WHERE mine.word_key {flows}
             UNION ALL
             SELECT word_key AS word, NULL AS other, 0 AS place FROM tags WHERE word_key {flows}
             ORDER BY word, place"
        )
    };
    let rows = match conn {
        DbConn::Postgres(conn) => diesel::sql_query(statement("= ANY($1)"))
            .bind::<Array<Text>, _>(flows)
            .load(conn)?,
        DbConn::Sqlite(conn) => {
            let flows = serde_json::to_string(flows).map_err(Error::internal)?;
            diesel::sql_query(statement("IN (SELECT value FROM json_each($1))"))
                .bind::<Text, _>(flows)
                .load(conn)?
        }
    };
    Ok(rows)
}
