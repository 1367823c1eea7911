//! Which articles everybody sees, and how often they were read, as counting has lately found: so that a view need not ask.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a count is shown without being read again. The rest of a second is for what other instances have only noted.
const OLDEST: Duration = Duration::from_millis(600);

/// Of how many articles something is known at most.
const MOST: usize = 50_000;

/// Articles that everybody sees. It is locked for a moment at a time, and never while a database is asked.
#[derive(Debug, Default)]
pub struct Known(Mutex<Articles>);

#[derive(Debug, Default)]
struct Articles {
    /// How often an article had been hidden when they were found; it proves that everybody still sees them.
    hidden: i64,
    counts: HashMap<i64, Count>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    /// What this instance has noted since included.
    views: i64,
    read_at: Instant,
}

impl Known {
    /// No lock is held over a panic.
    fn articles(&self) -> MutexGuard<'_, Articles> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those of these articles of which nothing is known, or nothing new.
    pub fn lacking(&self, ids: impl Iterator<Item = i64>, now: Instant) -> Vec<i64> {
        let articles = self.articles();
        let is_new = |count: &Count| now.saturating_duration_since(count.read_at) < OLDEST;
        ids.filter(|id| !articles.counts.get(id).is_some_and(is_new)).collect()
    }

    /// Learns which of the articles that were asked for everybody sees, how often each was read, and how often an article had
    /// been hidden then.
    pub fn learn(&self, asked: &[i64], found: &[(i64, i64, i64)], now: Instant) {
        let mut articles = self.articles();
        if articles.counts.len() + found.len() > MOST {
            articles.counts.clear();
        }
        let ids: HashSet<i64> = found.iter().map(|(id, ..)| *id).collect();
        for id in asked.iter().filter(|id| !ids.contains(id)) {
            articles.counts.remove(id);
        }
        for (id, views, hidden) in found {
            if *hidden != articles.hidden {
                articles.counts.clear();
                articles.hidden = *hidden;
            }
            let new = Count {
                views: *views,
                read_at: now,
            };
            articles.counts.entry(*id).or_insert(new).update(*views, now);
        }
    }

    /// Takes over how often some of them had been read at that time.
    pub fn refresh(&self, counts: impl IntoIterator<Item = (i64, i64)>, read_at: Instant) {
        let mut articles = self.articles();
        for (id, views) in counts {
            if let Some(count) = articles.counts.get_mut(&id) {
                count.update(views, read_at);
            }
        }
    }

    /// Takes over how often some of them have been read with what was counted now. Who adds up at the same time may have told
    /// a number with the same views in it; so this is no sum.
    pub fn raise(&self, counts: impl IntoIterator<Item = (i64, i64)>) {
        let mut articles = self.articles();
        for (id, views) in counts {
            if let Some(count) = articles.counts.get_mut(&id) {
                count.update(views, count.read_at);
            }
        }
    }

    /// How often those of these articles have been read that are known, and how often an article had been hidden when they
    /// were found.
    pub fn counts(&self, ids: impl Iterator<Item = i64>) -> (HashMap<i64, i64>, i64) {
        let articles = self.articles();
        let known = ids.filter_map(|id| Some((id, articles.counts.get(&id)?.views)));
        (known.collect(), articles.hidden)
    }

    /// Knows nothing any more.
    pub fn forget(&self) {
        self.articles().counts.clear();
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
        let known = Known::default();
        let ids = || [1, 2].into_iter();
        assert_eq!(known.lacking(ids(), begin), [1, 2]);
        known.learn(&[1, 2], &[(1, 10, 0), (2, 20, 0)], begin);
        assert!(known.lacking(ids(), begin).is_empty());
        let of = |id: i64| known.counts([id].into_iter()).0.get(&id).copied();
        known.raise([(1, 13), (1, 11), (9, 1)]);
        assert_eq!((of(1), of(9)), (Some(13), None));
        // What is read again may lack what is only noted.
        known.refresh([(1, 12), (9, 1)], begin + OLDEST / 2);
        assert_eq!(known.lacking(ids(), begin + OLDEST), [2]);
        assert_eq!((of(1), of(9)), (Some(13), None));
        // Everybody sees the second no more.
        known.learn(&[1, 2], &[(1, 14, 0)], begin);
        assert_eq!((of(1), of(2)), (Some(14), None));
        known.learn(&[3], &[(3, 30, 1)], begin);
        assert_eq!((of(1), of(3)), (None, Some(30)));
        assert_eq!(known.counts(ids()), (HashMap::new(), 1));
        known.forget();
        assert_eq!(of(3), None);
    }

    #[test]
    fn not_more_is_known_than_so_many() {
        let (now, known) = (Instant::now(), Known::default());
        for id in 0..60_000 {
            known.learn(&[id], &[(id, 1, 0)], now);
        }
        assert!(known.articles().counts.len() <= MOST);
        let last = known.counts([59_999].into_iter()).0;
        assert_eq!(last, HashMap::from([(59_999, 1)]));
    }
}
