//! Which articles everybody sees, and how often they were read, as counting has lately found: so that a view need not ask.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

/// How long a count is shown without being read again. The rest of a second is for what other instances have only noted.
const OLDEST: Duration = Duration::from_millis(750);

/// Of how many articles something is known at most.
const MOST: usize = 50_000;

/// Articles that everybody sees.
#[derive(Debug, Default)]
pub struct Known {
    /// How often an article had been hidden when they were found; it proves that everybody still sees them.
    pub hidden: i64,
    counts: HashMap<i64, Count>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    /// What this instance has noted since included.
    views: i64,
    read_at: Instant,
}

impl Known {
    /// Those of these articles of which nothing is known, or nothing new.
    pub fn lacking(&self, ids: impl Iterator<Item = i64>, now: Instant) -> Vec<i64> {
        let is_new = |count: &Count| now.saturating_duration_since(count.read_at) < OLDEST;
        ids.filter(|id| !self.counts.get(id).is_some_and(is_new)).collect()
    }

    /// Learns that everybody sees these articles, how often they were read, and how often an article had been hidden.
    pub fn learn(&mut self, found: Vec<(i64, i64, i64)>, now: Instant) {
        if self.counts.len() + found.len() > MOST {
            self.counts.clear();
        }
        for (id, views, hidden) in found {
            if hidden != self.hidden {
                self.counts.clear();
                self.hidden = hidden;
            }
            let count = self.counts.entry(id).or_insert(Count { views, read_at: now });
            count.update(views, now);
        }
    }

    /// Takes over how often some of them had been read at that time.
    pub fn refresh(&mut self, counts: impl Iterator<Item = (i64, i64)>, read_at: Instant) {
        for (id, views) in counts {
            if let Some(count) = self.counts.get_mut(&id) {
                count.update(views, read_at);
            }
        }
    }

    /// Those of these views whose article is known.
    pub fn of_known(&self, views: &BTreeMap<i64, i64>) -> BTreeMap<i64, i64> {
        let known = views.iter().filter(|(id, _)| self.counts.contains_key(id));
        known.map(|(id, views)| (*id, *views)).collect()
    }

    /// Adds views to an article; how often it had been read before, if it is known.
    pub fn add(&mut self, id: i64, views: i64) -> Option<i64> {
        let count = self.counts.get_mut(&id)?;
        let before = count.views;
        count.views += views;
        Some(before)
    }

    /// Knows nothing any more.
    pub fn forget(&mut self) {
        self.counts.clear();
    }
}

impl Count {
    /// A count grows: if another one is larger, that is the newer one.
    fn update(&mut self, views: i64, read_at: Instant) {
        self.views = self.views.max(views);
        self.read_at = self.read_at.max(read_at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_ends_with_time_and_when_an_article_is_hidden() {
        let begin = Instant::now();
        let mut known = Known::default();
        let ids = || [1, 2].into_iter();
        assert_eq!(known.lacking(ids(), begin), [1, 2]);
        known.learn(vec![(1, 10, 0), (2, 20, 0)], begin);
        assert!(known.lacking(ids(), begin).is_empty());
        assert_eq!(
            (known.add(1, 3), known.add(1, 1), known.add(9, 1)),
            (Some(10), Some(13), None)
        );
        // What is read again may lack what is only noted.
        known.refresh([(1, 12), (9, 1)].into_iter(), begin + OLDEST / 2);
        assert_eq!(known.lacking(ids(), begin + OLDEST), [2]);
        assert_eq!(known.add(1, 0), Some(14));
        assert_eq!(
            known.of_known(&BTreeMap::from([(1, 5), (9, 5)])),
            BTreeMap::from([(1, 5)])
        );
        known.learn(vec![(3, 30, 1)], begin);
        assert_eq!((known.hidden, known.add(1, 1), known.add(3, 1)), (1, None, Some(30)));
        known.forget();
        assert_eq!(known.add(3, 1), None);
    }

    #[test]
    fn not_more_is_known_than_so_many() {
        let now = Instant::now();
        let mut known = Known::default();
        for id in 0..60_000 {
            known.learn(vec![(id, 1, 0)], now);
        }
        assert!(known.counts.len() <= MOST);
        assert_eq!(known.add(59_999, 1), Some(1));
    }
}
