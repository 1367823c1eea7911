//! Whether the index says what it should.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};

use super::{Entry, Facts, postgres, sqlite};
use crate::db::DbConn;

/// What the index holds, on the snapshot that it was read from.
pub struct Held {
    /// For SQLite, whose index cannot be asked for the lexemes of one article: a digest of each article's.
    digests: HashMap<i64, u64>,
}

/// The order of lexemes makes no difference, since FTS5 tells them by lexeme, not by article.
fn digest<'a>(lexemes: impl Iterator<Item = &'a str>) -> u64 {
    lexemes.map(digest_of).fold(0, u64::wrapping_add)
}

pub(super) fn digest_of(lexeme: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    lexeme.hash(&mut hasher);
    hasher.finish()
}

impl Held {
    /// Reads what the index holds. An error may mean that its file is damaged.
    pub fn read(conn: &mut DbConn) -> QueryResult<Self> {
        let digests = match conn {
            DbConn::Postgres(_) => HashMap::new(),
            DbConn::Sqlite(conn) => sqlite::digests(conn)?,
        };
        Ok(Self { digests })
    }

    /// Which of these articles the index has wrong, or not at all.
    pub fn wrong<'a>(
        &mut self,
        conn: &mut DbConn,
        entries: impl Iterator<Item = Entry<'a>> + Clone,
    ) -> QueryResult<Vec<i64>> {
        let ids: Vec<i64> = entries.clone().map(|entry| entry.id).collect();
        let facts = stored_facts(conn, &ids)?;
        let mut wrong = Vec::new();
        for entry in entries {
            let lexemes = entry.lexemes();
            let right = match conn {
                DbConn::Postgres(conn) => postgres::has(conn, entry.id, &lexemes)?,
                DbConn::Sqlite(_) => {
                    // There is none of an article without lexemes.
                    let held = self.digests.remove(&entry.id).unwrap_or_default();
                    held == digest(lexemes.iter().map(AsRef::as_ref))
                }
            };
            if !right || !facts.get(&entry.id).is_some_and(|stored| stored.says(&entry.facts)) {
                wrong.push(entry.id);
            }
        }
        Ok(wrong)
    }

    /// What the index holds beyond the articles that there are, once [`Held::wrong`] was asked for all of them.
    pub fn extra(self, conn: &mut DbConn) -> QueryResult<Vec<i64>> {
        let query = |table| {
            diesel::sql_query(format!(
                "SELECT article_id AS id FROM {table} WHERE NOT EXISTS (SELECT 1 FROM articles WHERE id = article_id)"
            ))
        };
        let rows: Vec<Id> = match conn {
            DbConn::Postgres(conn) => query(postgres::LIVE).load(conn)?,
            DbConn::Sqlite(conn) => query(sqlite::LIVE.facts).load(conn)?,
        };
        let extra: BTreeSet<i64> = self
            .digests
            .into_keys()
            .chain(rows.into_iter().map(|row| row.id))
            .collect();
        Ok(extra.into_iter().collect())
    }
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Facts as they are stored.
#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = BigInt)]
    article_id: i64,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    listed_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    category_id: Option<i64>,
    #[diesel(sql_type = Text)]
    locale: String,
    #[diesel(sql_type = Bool)]
    featured: bool,
    #[diesel(sql_type = Text)]
    tags: String,
    #[diesel(sql_type = Text)]
    authors: String,
}

impl Stored {
    fn says(&self, facts: &Facts<'_>) -> bool {
        self.state == facts.state
            && self.listed_at == facts.listed_at.micros()
            && self.category_id == facts.category_id
            && self.locale == facts.locale
            && self.featured == facts.featured
            && same_ids(&self.tags, facts.tags)
            && same_ids(&self.authors, facts.authors)
    }
}

fn same_ids(text: &str, ids: &[i64]) -> bool {
    let stored: Option<HashSet<i64>> = text.split_ascii_whitespace().map(|id| id.parse().ok()).collect();
    stored == Some(ids.iter().copied().collect())
}

fn stored_facts(conn: &mut DbConn, ids: &[i64]) -> QueryResult<HashMap<i64, Stored>> {
    let list: Vec<String> = ids.iter().map(i64::to_string).collect();
    let list = if list.is_empty() {
        "0".to_owned()
    } else {
        list.join(", ")
    };
    let query = |table| {
        diesel::sql_query(format!(
            "SELECT article_id, state, listed_at, category_id, locale, featured, tags, authors FROM {table}
             WHERE article_id IN ({list})"
        ))
    };
    let rows: Vec<Stored> = match conn {
        DbConn::Postgres(conn) => query(postgres::LIVE).load(conn)?,
        DbConn::Sqlite(conn) => query(sqlite::LIVE.facts).load(conn)?,
    };
    Ok(rows.into_iter().map(|stored| (stored.article_id, stored)).collect())
}
