//! Queries of views.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use crate::db::schema::{article_views, articles};
use crate::db::{Sight, Tx, visible_to};
use crate::error::Result;

/// Adds views to articles, given as (id, how many) in the order of their ids. The answer is what each article had
/// before; articles that not everybody sees are left out and count nothing.
pub fn add_views(tx: &mut Tx<'_>, wanted: &[(i64, i64)]) -> Result<HashMap<i64, i64>> {
    let ids: Vec<i64> = wanted.iter().map(|(id, _)| *id).collect();
    let seen: HashSet<i64> = articles::table
        .filter(articles::id.eq_any(ids))
        .filter(visible_to(Sight::Public, tx.now))
        .select(articles::id)
        .load(tx.conn)?
        .into_iter()
        .collect();
    let mut before = HashMap::with_capacity(seen.len());
    for (id, views) in wanted.iter().filter(|(id, _)| seen.contains(id)) {
        let after: Option<i64> = diesel::update(article_views::table.find(id))
            .set(article_views::views.eq(article_views::views + views))
            .returning(article_views::views)
            .get_result(tx.conn)
            .optional()?;
        // Nothing where the article was deleted between the two statements.
        if let Some(after) = after {
            before.insert(*id, after - views);
        }
    }
    Ok(before)
}
