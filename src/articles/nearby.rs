//! What stands near an article: related ones, and the ones before and after it.

use std::collections::{BTreeSet, HashMap};

use diesel::prelude::*;

use super::model::ArticleRow;
use super::store;
use crate::db::schema::{article_tags, articles};
use crate::db::{DbConn, Sight, Timestamp, is_public_within, visible_to};
use crate::error::Result;
use crate::index;
use crate::text::analyse::lexemes;

/// How many candidates each way of being near may bring.
const CANDIDATES: i64 = 100;

/// The articles nearest to one, at most `limit`: by tags in common, then category, then words of title and summary
/// in common; newer ones first where that is equal. What everybody sees, whoever asks.
pub fn related(conn: &mut DbConn, now: Timestamp, of: &ArticleRow, limit: usize) -> Result<Vec<ArticleRow>> {
    let own_tags: Vec<i64> = article_tags::table
        .filter(article_tags::article_id.eq(of.id))
        .select(article_tags::tag_id)
        .load(conn)?;
    let seen = || {
        articles::table
            .filter(visible_to(Sight::Public, now))
            .filter(articles::id.ne(of.id))
    };
    let newest = (articles::listed_at.desc(), articles::id.desc());

    let sharing = article_tags::table
        .filter(article_tags::tag_id.eq_any(own_tags.clone()))
        .select(article_tags::article_id);
    let mut ids: BTreeSet<i64> = seen()
        .filter(articles::id.eq_any(sharing))
        .order(newest)
        .limit(CANDIDATES)
        .select(articles::id)
        .load::<i64>(conn)?
        .into_iter()
        .collect();
    let same_category: Vec<i64> = seen()
        .filter(articles::category_id.eq(of.values.category_id))
        .order(newest)
        .limit(CANDIDATES)
        .select(articles::id)
        .load(conn)?;
    ids.extend(same_category);
    // Long lexemes say most: three Han characters, words, pairs of words.
    let words = words_of(of);
    if let Some(condition) = index::any_of(conn, words.iter().filter(|word| word.chars().count() >= 3).take(40)) {
        let by_words: Vec<i64> = seen()
            .filter(condition)
            .order(newest)
            .limit(CANDIDATES)
            .select(articles::id)
            .load(conn)?;
        ids.extend(by_words);
    }

    let ids: Vec<i64> = ids.into_iter().collect();
    let tags: Vec<(i64, i64)> = article_tags::table
        .filter(article_tags::article_id.eq_any(ids.clone()))
        .filter(article_tags::tag_id.eq_any(own_tags))
        .select((article_tags::article_id, article_tags::tag_id))
        .load(conn)?;
    let mut shared: HashMap<i64, u32> = HashMap::new();
    for (article, _) in tags {
        *shared.entry(article).or_default() += 1;
    }
    let mut scored: Vec<(u64, ArticleRow)> = store::load_articles(conn, &ids)?
        .into_iter()
        .map(|row| {
            let tags = u64::from(shared.get(&row.id).copied().unwrap_or_default());
            let category =
                u64::from(row.values.category_id.is_some() && row.values.category_id == of.values.category_id);
            (tags * 300 + category * 150 + overlap(&words, &words_of(&row)), row)
        })
        .collect();
    scored.sort_by(|(a, row_a), (b, row_b)| {
        b.cmp(a)
            .then_with(|| (row_b.values.listed_at, row_b.id).cmp(&(row_a.values.listed_at, row_a.id)))
    });
    Ok(scored.into_iter().map(|(_, row)| row).take(limit).collect())
}

fn words_of(row: &ArticleRow) -> BTreeSet<String> {
    let summary = row.values.summary.as_deref().unwrap_or(&row.values.derived_summary);
    lexemes(&row.values.title, summary, &[] as &[&str], "")
        .into_iter()
        .filter(|lexeme| lexeme.chars().count() >= 2)
        .collect()
}

/// Words in common as a share of all, in thousandths (the Jaccard index): whole numbers, so that the order is the same
/// on both databases.
fn overlap(a: &BTreeSet<String>, b: &BTreeSet<String>) -> u64 {
    let common = a.intersection(b).count() as u64;
    let all = (a.len() + b.len()) as u64 - common;
    (common * 1000).checked_div(all).unwrap_or(0)
}

/// The older and the newer article of the same category, as everybody sees them.
pub fn neighbors(
    conn: &mut DbConn,
    now: Timestamp,
    of: &ArticleRow,
) -> Result<(Option<ArticleRow>, Option<ArticleRow>)> {
    let (at, id) = (of.values.listed_at, of.id);
    let seen = || {
        let query = articles::table
            .filter(is_public_within(now))
            .select(ArticleRow::as_select())
            .into_boxed();
        match of.values.category_id {
            Some(category) => query.filter(articles::category_id.eq(category)),
            None => query.filter(articles::category_id.is_null()),
        }
    };
    let older = seen()
        .filter(articles::listed_at.le(at))
        .filter(articles::listed_at.lt(at).or(articles::id.lt(id)))
        .order((articles::listed_at.desc(), articles::id.desc()))
        .first(conn)
        .optional()?;
    let newer = seen()
        .filter(articles::listed_at.ge(at))
        .filter(articles::listed_at.gt(at).or(articles::id.gt(id)))
        .order((articles::listed_at.asc(), articles::id.asc()))
        .first(conn)
        .optional()?;
    Ok((older, newer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_is_the_share_in_common() {
        let set = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        assert_eq!(overlap(&set(&["a", "b"]), &set(&["b", "c"])), 333);
        assert_eq!(overlap(&set(&[]), &set(&[])), 0);
        assert_eq!(overlap(&set(&["a"]), &set(&["a"])), 1000);
    }
}
