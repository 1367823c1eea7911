//! How what was found is spread over categories, tags, authors and years.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use chrono::{Datelike, NaiveDate};

use super::model::FacetValue;
use super::query::Facet;
use super::store::{load_author_names, load_tag_names};
use crate::articles::load::Scene;
use crate::db::{DbConn, Timestamp};
use crate::error::Result;
use crate::index::{Counts, Hit};
use crate::taxonomy::categories::Tree;
use crate::web::query::TimeBound;

/// How many values of a facet are shown, those with most articles.
const SHOWN: usize = 100;

/// The values of each facet, those of most articles first, years by themselves the newest first.
pub fn facets(
    conn: &mut DbConn,
    scene: &Scene,
    zone: chrono_tz::Tz,
    wanted: &[Facet],
    hits: &[Hit],
    counts: &Counts,
) -> Result<BTreeMap<&'static str, Vec<FacetValue>>> {
    let mut facets = BTreeMap::new();
    for facet in wanted {
        let values = match facet {
            Facet::Category => categories(&scene.tree, &counts.categories),
            Facet::Tag => named(most(&counts.tags), |ids| load_tag_names(conn, &ids))?,
            Facet::Author => named(most(&counts.authors), |ids| load_author_names(conn, &ids))?,
            Facet::Year => years(zone, hits),
        };
        facets.insert(facet.name(), values);
    }
    Ok(facets)
}

/// An article counts for its category and for all above it.
fn categories(tree: &Tree, counts: &HashMap<i64, u64>) -> Vec<FacetValue> {
    let mut with_descendants: HashMap<i64, u64> = HashMap::new();
    for (id, count) in counts {
        for id in tree.with_ancestors(*id) {
            *with_descendants.entry(id).or_default() += count;
        }
    }
    let values = with_descendants.into_iter().filter_map(|(id, count)| {
        let category = tree.reference(id)?;
        Some(FacetValue {
            value: category.slug,
            label: category.name,
            count,
        })
    });
    sorted(values.collect())
}

/// The ids of most articles.
fn most(counts: &HashMap<i64, u64>) -> Vec<(i64, u64)> {
    let mut counts: Vec<(i64, u64)> = counts.iter().map(|(id, count)| (*id, *count)).collect();
    counts.sort_unstable_by_key(|(id, count)| (Reverse(*count), *id));
    counts.truncate(SHOWN);
    counts
}

/// Values with the slug and name that `load` knows of their ids.
fn named(
    counts: Vec<(i64, u64)>,
    load: impl FnOnce(Vec<i64>) -> diesel::QueryResult<HashMap<i64, (String, String)>>,
) -> Result<Vec<FacetValue>> {
    let mut names = load(counts.iter().map(|(id, _)| *id).collect())?;
    let values = counts.into_iter().filter_map(|(id, count)| {
        let (value, label) = names.remove(&id)?;
        Some(FacetValue { value, label, count })
    });
    Ok(sorted(values.collect()))
}

fn sorted(mut values: Vec<FacetValue>) -> Vec<FacetValue> {
    values.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
    values.truncate(SHOWN);
    values
}

/// By where each year begins in the site's zone, so that a moment is only compared.
fn years(zone: chrono_tz::Tz, hits: &[Hit]) -> Vec<FacetValue> {
    let year_of = |micros: i64| {
        let time = Timestamp::from_micros(micros)?.utc().with_timezone(&zone);
        Some(time.year())
    };
    let moments = || hits.iter().map(|hit| hit.listed_at);
    let (Some(first), Some(last)) = (moments().min().and_then(year_of), moments().max().and_then(year_of)) else {
        return Vec::new();
    };
    let begins = |year: i32| NaiveDate::from_ymd_opt(year, 1, 1).map(|day| TimeBound::Day(day).resolve(zone).micros());
    let starts: Vec<i64> = (first + 1..=last).filter_map(begins).collect();
    let mut counts: BTreeMap<i32, u64> = BTreeMap::new();
    for moment in moments() {
        let past = starts.partition_point(|start| *start <= moment);
        let year = first.saturating_add(i32::try_from(past).unwrap_or(i32::MAX));
        *counts.entry(year).or_default() += 1;
    }
    let values = counts.into_iter().rev().take(SHOWN).map(|(year, count)| FacetValue {
        value: year.to_string(),
        label: year.to_string(),
        count,
    });
    values.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Hit {
        Hit {
            id: 1,
            listed_at: Timestamp::parse(text).unwrap().micros(),
        }
    }

    #[test]
    fn years_begin_at_midnight_of_the_site() {
        let hits = [
            at("2025-12-31T15:59:59Z"),
            at("2025-12-31T16:00:00Z"),
            at("2026-12-31T15:59:59Z"),
            at("1969-06-01T00:00:00Z"),
        ];
        let counted = |zone| -> Vec<(String, u64)> {
            years(zone, &hits)
                .into_iter()
                .map(|value| (value.value, value.count))
                .collect()
        };
        let year = |year: &str, count| (year.to_owned(), count);
        assert_eq!(
            counted(chrono_tz::Asia::Shanghai),
            [year("2026", 2), year("2025", 1), year("1969", 1)]
        );
        assert_eq!(
            counted(chrono_tz::UTC),
            [year("2026", 1), year("2025", 2), year("1969", 1)]
        );
        assert_eq!(years(chrono_tz::UTC, &[]), []);
    }

    #[test]
    fn the_values_of_most_articles_are_shown() {
        let counts: HashMap<i64, u64> = (0..500).map(|id| (id, id as u64 / 2)).collect();
        let most = most(&counts);
        assert_eq!((most[0], most[1], most.len()), ((498, 249), (499, 249), SHOWN));
    }
}
