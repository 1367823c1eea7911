//! What search reads of articles, as the index takes it.

use std::collections::HashMap;

use diesel::prelude::*;

use super::body::load_bodies;
use super::model::{ArticleRow, BodyFormat};
use super::prepared::Said;
use super::shown::Around;
use super::store::{load_articles, load_author_ids};
use crate::db::schema::index_pending;
use crate::db::{DbConn, Subject, Tx};
use crate::error::Result;
use crate::index::{self, Entry, Facts, Words};
use crate::taxonomy::tags::model::TagRef;
use crate::taxonomy::tags::store::load_tags_of;

/// The entries of some articles, with what they borrow from.
pub struct Entries {
    rows: Vec<ArticleRow>,
    tags: HashMap<i64, (Vec<i64>, Vec<String>)>,
    authors: HashMap<i64, Vec<i64>>,
    texts: HashMap<i64, String>,
}

/// The ids and the names of tags.
fn ids_and_names(tags: &[TagRef]) -> (Vec<i64>, Vec<String>) {
    tags.iter().map(|tag| (tag.id, tag.name.clone())).unzip()
}

impl Entries {
    /// The articles of these ids, as far as they are there; a constant number of statements.
    pub fn of(conn: &mut DbConn, ids: &[i64]) -> Result<Self> {
        let rows = load_articles(conn, ids)?;
        let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
        let tags = load_tags_of(conn, &ids)?.into_iter();
        Ok(Self {
            tags: tags.map(|(id, tags)| (id, ids_and_names(&tags))).collect(),
            authors: load_author_ids(conn, &ids)?,
            texts: load_bodies(conn, &ids, BodyFormat::Text)?,
            rows,
        })
    }

    /// An article without its text, and what stands around it.
    fn of_one(row: ArticleRow, around: &Around) -> Self {
        let authors = around.by_lines.iter().map(|by_line| by_line.id);
        Self {
            tags: HashMap::from([(row.id, ids_and_names(&around.tags))]),
            authors: HashMap::from([(row.id, authors.collect())]),
            texts: HashMap::new(),
            rows: vec![row],
        }
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = Entry<'_>> + Clone {
        self.rows.iter().map(|ArticleRow { id, values }| {
            let (tag_ids, tag_names): (&[i64], &[String]) = match self.tags.get(id) {
                Some((ids, names)) => (ids, names),
                None => (&[], &[]),
            };
            Entry {
                id: *id,
                words: Words {
                    title: &values.title,
                    summary: values.summary.as_deref().unwrap_or(&values.derived_summary),
                    tags: tag_names,
                    text: self.texts.get(id).map_or("", String::as_str),
                    ahead: None,
                },
                facts: Facts {
                    state: values.state.as_str(),
                    listed_at: values.listed_at,
                    category_id: values.category_id,
                    locale: &values.locale,
                    featured: values.featured,
                    tags: tag_ids,
                    authors: self.authors.get(id).map_or(&[], Vec::as_slice),
                },
            }
        })
    }
}

/// Writes what search knows of an article; what its body says may be at hand.
pub(super) fn put_entry(
    conn: &mut DbConn,
    row: ArticleRow,
    around: &Around,
    said: Option<Said<'_>>,
    is_new: bool,
) -> Result<()> {
    let id = row.id;
    let mut entries = Entries::of_one(row, around);
    if said.is_none() {
        entries.texts = load_bodies(conn, &[id], BodyFormat::Text)?;
    }
    for mut entry in entries.iter() {
        if let Some(Said { text, lexemes }) = said {
            entry.words.text = text;
            entry.words.ahead = Some(lexemes);
        }
        if is_new {
            index::put(conn, &entry)?;
        } else {
            index::put_edit(conn, &entry)?;
        }
    }
    Ok(())
}

/// The same where neither what the article says nor whether it is published has changed.
pub(super) fn put_facts(conn: &mut DbConn, row: ArticleRow, around: &Around) -> Result<()> {
    let entries = Entries::of_one(row, around);
    for entry in entries.iter() {
        index::put_facts(conn, entry.id, &entry.facts)?;
    }
    Ok(())
}

/// How many articles one transaction of [`write_pending`] takes, so that other writers need not wait for a large tag.
const PENDING: i64 = 50;

/// Writes anew what search knows of some articles of which that is due, since a tag that they carry got another name or
/// went; whether there may be more.
pub fn write_pending(tx: &mut Tx<'_>) -> Result<bool> {
    let ids: Vec<i64> = index_pending::table
        .order(index_pending::article_id)
        .limit(PENDING)
        .select(index_pending::article_id)
        .load(tx.conn)?;
    lock(tx, &ids)?;
    // Before the names are read: a tag that is renamed from here on notes its articles again.
    diesel::delete(index_pending::table.filter(index_pending::article_id.eq_any(ids.clone()))).execute(tx.conn)?;
    write_anew(tx, &ids)?;
    Ok(!ids.is_empty())
}

/// Writes anew what search knows of these articles.
pub fn write_anew(tx: &mut Tx<'_>, ids: &[i64]) -> Result<()> {
    lock(tx, ids)?;
    let entries = Entries::of(tx.conn, ids)?;
    for entry in entries.iter() {
        index::put(tx.conn, &entry)?;
    }
    if !ids.is_empty() {
        // What is related is found by these words.
        tx.touch(Subject::Tags);
    }
    Ok(())
}

/// Whether something is due for [`write_pending`].
pub fn has_pending(conn: &mut DbConn) -> QueryResult<bool> {
    let first = index_pending::table
        .select(index_pending::article_id)
        .first::<i64>(conn);
    Ok(first.optional()?.is_some())
}

/// Holds articles, in the order of their ids, so that two that do it do not wait for each other.
fn lock(tx: &mut Tx<'_>, ids: &[i64]) -> Result<()> {
    for id in ids {
        tx.lock_row_to_edit("articles", *id)?;
    }
    Ok(())
}
