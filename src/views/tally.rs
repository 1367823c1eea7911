//! Which views count: decided in the transaction that writes them, for all that arrived together; those that count whatever else
//! was counted, before it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use uuid::Uuid;

use super::known::Known;
use super::series::hour_of;
use super::store::{self, Added, Clock, CountedView};
use super::visitor::{Key, Visitor, micros};
use super::windows::WINDOWS;
use crate::db::{DbConn, Timestamp, Tx};
use crate::error::Result;

/// How old an event of an app may be.
pub const OLDEST_EVENT: Duration = Duration::from_secs(7 * 86_400);

/// A view that arrived.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Of which article.
    pub article_id: i64,
    /// By whom; nothing where every view counts.
    pub visitor: Option<Visitor>,
    /// A crawler is told how often the article was read, and not counted.
    pub by_crawler: bool,
    /// What an app says of it: the event, and when it happened.
    pub event: Option<(Uuid, Timestamp)>,
}

/// What became of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It counted; the article has now been read so often.
    Counted(i64),
    /// The same visitor counted within the window; the article has been read so often.
    WithinWindow(i64),
    /// A crawler's; the article has been read so often.
    Crawler(i64),
    /// The event has been judged before.
    Duplicate,
    /// Everybody sees no such article.
    NotFound,
    /// It happened too long ago.
    TooOld,
}

/// How views are counted here.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// In which time a visitor counts once; zero counts every view.
    pub window: Duration,
    /// The zone of the hours, unless the site names one.
    pub zone: Tz,
}

/// Of how many articles plain views are noted as one row: fewer are added at once, and show at once.
pub const MANY: usize = 8;

/// What one statement counted.
#[derive(Debug, Default)]
pub struct AtOnce {
    /// How often each article had been read before. Of articles that are not in it, nothing was counted.
    pub before: HashMap<i64, i64>,
    /// Of how many articles views were noted, which have to be added up ([`add_up`]).
    pub noted: Option<usize>,
}

/// Counts plain views ([`View::is_plain`]) by one statement, which is a transaction by itself. Those of many articles are noted,
/// those of few added, unless they should be noted.
pub fn count_at_once<'v>(
    conn: &mut DbConn,
    known: &Known,
    clock: &Clock,
    plain: impl Iterator<Item = &'v View>,
    should_note: bool,
) -> Result<AtOnce> {
    let mut added: BTreeMap<i64, i64> = BTreeMap::new();
    for view in plain {
        *added.entry(view.article_id).or_default() += 1;
    }
    let second = Timestamp::now().utc().timestamp();
    if should_note || added.len() >= MANY {
        return note(conn, known, second, &added);
    }
    // What this instance has noted is known, but not added up.
    let (kept, _) = known.counts(added.keys().copied());
    let counts = store::add_at_once(conn, clock, hour_of(second, clock.zone), &added)?;
    let now = Instant::now();
    let before = counts.into_iter().map(|(id, views)| {
        let added = added.get(&id).copied().unwrap_or_default();
        let before = kept.get(&id).copied().unwrap_or_default().max(views - added);
        known.refresh([(id, before + added)], now);
        (id, before)
    });
    Ok(AtOnce {
        before: before.collect(),
        noted: None,
    })
}

/// Notes views of articles that everybody is known to see.
fn note(conn: &mut DbConn, known: &Known, second: i64, added: &BTreeMap<i64, i64>) -> Result<AtOnce> {
    // Once more if an article was hidden meanwhile.
    for _ in 0..2 {
        let now = Instant::now();
        let lacking = known.lacking(added.keys().copied(), now);
        if !lacking.is_empty() {
            known.learn(&lacking, &store::noted::find_marked(conn, &lacking)?, now);
        }
        let (before, hidden) = known.counts(added.keys().copied());
        let views: BTreeMap<i64, i64> = added
            .iter()
            .filter(|(id, _)| before.contains_key(id))
            .map(|(id, views)| (*id, *views))
            .collect();
        if views.is_empty() {
            break;
        }
        if store::noted::note(conn, second, &views, hidden)? {
            known.raise(
                views
                    .iter()
                    .filter_map(|(id, views)| Some((*id, before.get(id)? + views))),
            );
            return Ok(AtOnce {
                before,
                noted: Some(added.len()),
            });
        }
        known.forget();
    }
    Ok(AtOnce::default())
}

/// Adds up some of what was noted: how often each article has been read now, and whether there may be more to add up.
pub fn add_up(tx: &mut Tx<'_>, clock: &Clock) -> Result<(HashMap<i64, i64>, bool)> {
    let (noted, is_more) = store::noted::take(tx)?;
    let views = noted.into_iter().flat_map(|noted| {
        let hour = hour_of(noted.second, clock.zone);
        let of_article = move |(article_id, views)| (article_id, hour, views);
        noted.views.into_iter().map(of_article)
    });
    let this_hour = hour_of(tx.now.utc().timestamp(), clock.zone);
    let (added, past) = by_hours(views, this_hour, clock.until);
    if added.is_empty() {
        return Ok((HashMap::new(), is_more));
    }
    Ok((store::add(tx, this_hour, &added, past, true)?, is_more))
}

/// What articles get of views, each of an article and an hour, and what their hours get that are not this one, by article and
/// hour. Windows have been moved on up to `until`.
fn by_hours(
    views: impl Iterator<Item = (i64, i64, i64)>,
    this_hour: i64,
    until: i64,
) -> (BTreeMap<i64, Added>, BTreeMap<(i64, i64), i64>) {
    let mut added: BTreeMap<i64, Added> = BTreeMap::new();
    let mut past: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for (article_id, hour, views) in views {
        let article = added.entry(article_id).or_default();
        article.views += views;
        if hour == this_hour {
            article.in_hour += views;
        } else {
            *past.entry((article_id, hour)).or_default() += views;
        }
        for (window, of) in WINDOWS.iter().zip(article.windows.iter_mut()) {
            if hour >= until - window.seconds {
                *of += views;
            }
        }
    }
    (added, past)
}

/// Counts what arrived together; an outcome for each, in their order.
pub fn count(tx: &mut Tx<'_>, rule: Rule, clock: &Clock, views: &[View]) -> Result<Vec<Outcome>> {
    let hidden = hidden_events(tx, views)?;
    let now = tx.now;
    let clocks: Vec<i64> = views.iter().map(|view| view.time(now).micros()).collect();
    let mut asked: BTreeMap<(Key, i64), (i64, i64)> = BTreeMap::new();
    let mut events = BTreeSet::new();
    for (view, at) in views.iter().zip(&clocks) {
        if view.by_crawler || hidden.contains(&view.article_id) {
            continue;
        }
        for key in view.keys(*at, rule.window).into_iter().flatten() {
            let (first, last) = asked.entry((key, view.article_id)).or_insert((*at, *at));
            (*first, *last) = ((*at).min(*first), (*at).max(*last));
        }
        events.extend(view.event.map(|(event, _)| event));
    }
    let mut tally = Tally {
        now,
        rule,
        hidden,
        added: HashMap::new(),
        counted: store::find_counted(tx, asked, micros(rule.window))?,
        events: store::find_events(tx, &events)?,
        moments: HashMap::new(),
        new_views: Vec::new(),
        new_events: Vec::new(),
    };
    // In the order in which they happened, whatever the order in which they are told.
    let mut order: Vec<(i64, usize, &View)> = clocks
        .into_iter()
        .zip(views)
        .enumerate()
        .map(|(place, (at, view))| (at, place, view))
        .collect();
    order.sort_by_key(|(at, place, _)| (*at, *place));
    let mut outcomes: Vec<(usize, i64, Outcome)> = order
        .into_iter()
        .map(|(at, place, view)| (place, view.article_id, tally.judge(view, at)))
        .collect();
    outcomes.sort_by_key(|(place, ..)| *place);
    let before = tally.write(tx, clock)?;
    let outcomes = outcomes.into_iter().map(|(_, article_id, outcome)| {
        let Some(before) = before.get(&article_id) else {
            return Outcome::NotFound;
        };
        match outcome {
            Outcome::Counted(added) => Outcome::Counted(before + added),
            Outcome::WithinWindow(added) => Outcome::WithinWindow(before + added),
            Outcome::Crawler(added) => Outcome::Crawler(before + added),
            outcome => outcome,
        }
    });
    Ok(outcomes.collect())
}

/// The articles of events that not everybody sees. Of other views the statement that adds them finds out; of an event it would
/// be too late, since one of the same id would have been judged to be its double.
fn hidden_events(tx: &mut Tx<'_>, views: &[View]) -> Result<BTreeSet<i64>> {
    let events = views.iter().filter(|view| view.event.is_some());
    let mut named: BTreeSet<i64> = events.map(|view| view.article_id).collect();
    if !named.is_empty() {
        let ids: Vec<i64> = named.iter().copied().collect();
        let public = store::find_public(tx, &ids)?;
        named.retain(|id| !public.contains(id));
    }
    Ok(named)
}

impl View {
    /// Whether it counts, whatever else was counted.
    pub fn is_plain(&self) -> bool {
        self.visitor.is_none() && self.event.is_none() && !self.by_crawler
    }

    fn time(&self, now: Timestamp) -> Timestamp {
        // A clock that goes a little ahead saw it now.
        self.event.map_or(now, |(_, at)| at.min(now))
    }

    /// The key that it is kept under, then the others that it is looked up under.
    fn keys(&self, at: i64, window: Duration) -> [Option<Key>; 3] {
        match &self.visitor {
            Some(visitor) if !window.is_zero() => {
                let (home, [one, other]) = visitor.keys(at, window);
                [Some(home), one, other]
            }
            _ => [None; 3],
        }
    }
}

struct Tally {
    now: Timestamp,
    rule: Rule,
    /// Articles that are known not to be seen by everybody.
    hidden: BTreeSet<i64>,
    /// What each other article gets here, so far.
    added: HashMap<i64, i64>,
    /// The same by the moment.
    moments: HashMap<i64, BTreeMap<i64, i64>>,
    /// When visitors counted, in microseconds.
    counted: HashMap<(Key, i64), Vec<i64>>,
    events: HashSet<Uuid>,
    new_views: Vec<CountedView>,
    /// With the article.
    new_events: Vec<(i64, Uuid, i64)>,
}

impl Tally {
    /// Its count is of what is added here alone.
    fn judge(&mut self, view: &View, at: i64) -> Outcome {
        if self.hidden.contains(&view.article_id) {
            return Outcome::NotFound;
        }
        let added = self.added.entry(view.article_id).or_default();
        if view.by_crawler {
            return Outcome::Crawler(*added);
        }
        if let Some((event, _)) = view.event {
            if at < self.now.micros() - micros(OLDEST_EVENT) {
                return Outcome::TooOld;
            }
            // Kept whether it counts or not: told again, perhaps from another address, it must not count then.
            if !self.events.insert(event) {
                return Outcome::Duplicate;
            }
            self.new_events.push((view.article_id, event, at));
        }
        let keys = view.keys(at, self.rule.window);
        let near = |before: &i64| (at - before).abs() < micros(self.rule.window);
        for key in keys.into_iter().flatten() {
            let counted = self.counted.get(&(key, view.article_id));
            if counted.into_iter().flatten().any(near) {
                return Outcome::WithinWindow(*added);
            }
        }
        *added += 1;
        let outcome = Outcome::Counted(*added);
        if let [Some(home), ..] = keys {
            self.counted.entry((home, view.article_id)).or_default().push(at);
            self.new_views.push(CountedView::new(home, view.article_id, at));
        }
        let moments = self.moments.entry(view.article_id).or_default();
        *moments.entry(at).or_default() += 1;
        outcome
    }

    /// The answer is how often each article had been read before; those that not everybody sees are not in it.
    fn write(self, tx: &mut Tx<'_>, clock: &Clock) -> Result<HashMap<i64, i64>> {
        let asked = self.added.iter().filter(|(_, added)| **added == 0);
        let asked: Vec<i64> = asked.map(|(id, _)| *id).collect();
        let mut before = match asked.as_slice() {
            [] => HashMap::new(),
            asked => store::find_counts(tx, asked)?,
        };
        let views = self.moments.into_iter().flat_map(|(article_id, moments)| {
            let moments = moments.into_iter();
            moments.map(move |(at, views)| (article_id, hour_of(at.div_euclid(1_000_000), clock.zone), views))
        });
        let this_hour = hour_of(self.now.utc().timestamp(), clock.zone);
        let (added, past) = by_hours(views, this_hour, clock.until);
        if !added.is_empty() {
            for (id, views) in store::add(tx, this_hour, &added, past, false)? {
                before.insert(id, views - self.added.get(&id).copied().unwrap_or_default());
            }
        }
        // Nothing is noted of articles that were hidden meanwhile: told again, an event may count.
        let mut counted = self.new_views;
        counted.retain(|view| before.contains_key(&view.article_id()));
        store::insert_counted(tx, &counted)?;
        let events = self.new_events.into_iter();
        let events = events.filter(|(article_id, ..)| before.contains_key(article_id));
        let events: Vec<(Uuid, i64)> = events.map(|(_, event, at)| (event, at)).collect();
        store::insert_events(tx, &events)?;
        Ok(before)
    }
}
