//! What the names of tags are to search, which SQL cannot work out: the keys under which they are found by their beginnings
//! while they are typed, and the word that they are in a query.

use std::collections::HashMap;

use diesel::dsl::{count_star, exists, not};
use diesel::prelude::*;

use super::model::TagRef;
use super::store::seen_by;
use crate::db::schema::{article_tags, articles, tag_keys, tags};
use crate::db::{Db, DbConn, Sight, Subject, Timestamp, Tx, is_public};
use crate::error::Result;
use crate::on_backend;
use crate::text::flow::flow;
use crate::text::sound;

/// How many tags one transaction takes.
const AT_A_TIME: i64 = 200;

/// How many of the newest articles tell which tags are much used.
const NEWEST: i64 = 200;

/// How many tags are taken for being much used, and how many for being the first by their keys.
const USED: i64 = 50;
const FIRST: i64 = 100;

/// Behind every key that begins with the text before it.
const LAST: char = '\u{10FFFF}';

/// Writes the keys of a tag in place of what was there; in the transaction that names it.
pub(super) fn write_keys(conn: &mut DbConn, id: i64, name: &str) -> QueryResult<()> {
    diesel::delete(tag_keys::table.filter(tag_keys::tag_id.eq(id))).execute(conn)?;
    let rows: Vec<_> = sound::keys(name)
        .into_iter()
        .map(|key| (tag_keys::tag_id.eq(id), tag_keys::key.eq(key)))
        .collect();
    on_backend!(conn, |conn| diesel::insert_into(tag_keys::table)
        .values(rows)
        .execute(conn)?);
    diesel::update(tags::table.find(id))
        .set(tags::word_key.eq(flow(name)))
        .execute(conn)?;
    Ok(())
}

/// Whose keys are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Of every tag: after the rules by which keys are made have changed.
    All,
    /// Of the tags without keys: those that an older version made.
    Keyless,
}

/// Writes the keys of tags anew, in parts, so that other writers need not wait.
pub async fn rewrite_keys(db: &Db, whose: Whose) -> Result<()> {
    let mut after = Some(0);
    while let Some(id) = after {
        after = db.write(move |tx| rewrite_part(tx, whose, id)).await?;
    }
    Ok(())
}

/// The same for the tags after an id, as many as one transaction takes; the last of them, if more may follow.
fn rewrite_part(tx: &mut Tx<'_>, whose: Whose, after: i64) -> Result<Option<i64>> {
    // A tag that is renamed between reading and writing would be left with the keys of its old name.
    tx.lock_name("tags")?;
    let mut query = tags::table
        .filter(tags::id.gt(after))
        .order(tags::id)
        .limit(AT_A_TIME)
        .select((tags::id, tags::name))
        .into_boxed();
    if whose == Whose::Keyless {
        let keys = tag_keys::table.filter(tag_keys::tag_id.eq(tags::id));
        query = query.filter(not(exists(keys)).or(tags::word_key.is_null()));
    }
    let part: Vec<(i64, String)> = query.load(tx.conn)?;
    for (id, name) in &part {
        write_keys(tx.conn, *id, name)?;
        tx.touch(Subject::Tag(*id));
    }
    Ok(part.last().map(|(id, _)| *id))
}

/// A tag, and how many of the newest articles carry it.
pub type Used = (TagRef, i64);

/// Tags that everybody sees and of which a key begins with `beginning`, in no order: those that the newest articles carry
/// most, and the first ones by their keys, a tag whose key it is among them.
pub fn find_by_key(conn: &mut DbConn, now: Timestamp, beginning: &str) -> QueryResult<Vec<Used>> {
    let end = format!("{beginning}{LAST}");
    let newest = articles::table
        .filter(is_public(now))
        .order((articles::listed_at.desc(), articles::id.desc()))
        .limit(NEWEST)
        .select(articles::id);
    let meant = tag_keys::table
        .filter(tag_keys::tag_id.eq(article_tags::tag_id))
        .filter(tag_keys::key.ge(beginning))
        .filter(tag_keys::key.lt(&end));
    let used: HashMap<i64, i64> = article_tags::table
        .filter(article_tags::article_id.eq_any(newest))
        .filter(exists(meant))
        .group_by(article_tags::tag_id)
        .order((count_star().desc(), article_tags::tag_id))
        .limit(USED)
        .select((article_tags::tag_id, count_star()))
        .load(conn)?
        .into_iter()
        .collect();
    let mut ids: Vec<i64> = tag_keys::table
        .filter(tag_keys::key.ge(beginning))
        .filter(tag_keys::key.lt(&end))
        .order((tag_keys::key, tag_keys::tag_id))
        .limit(FIRST)
        .select(tag_keys::tag_id)
        .load(conn)?;
    ids.extend(used.keys());
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let seen: Vec<TagRef> = seen_by(Sight::Public, now)
        .filter(tags::id.eq_any(ids))
        .select(TagRef::as_select())
        .load(conn)?;
    Ok(seen
        .into_iter()
        .map(|tag| {
            let used = used.get(&tag.id).copied().unwrap_or_default();
            (tag, used)
        })
        .collect())
}
