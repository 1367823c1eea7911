//! Queries of counting. Articles are read and written for all views of a transaction at once, in a few statements.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono_tz::Tz;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer};
use uuid::Uuid;

use super::query::Ranking;
use super::visitor::{Key, NAMED_SALT, Salt, Salts};
use super::windows::WINDOWS;
use crate::db::schema::{article_views, articles, counted_views, site, view_events, view_salts, view_windows};
use crate::db::{DbConn, MultiBackend, Read, Subject, Tx, among, is_public, is_public_of_few, level};
use crate::taxonomy::categories::Tree;

pub mod noted;
pub mod past;
mod postgres;
mod sqlite;

/// By what the hours and windows of a view are told.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The zone that the site names.
    named: Option<String>,
    /// The zone of the hours.
    pub zone: Tz,
    /// The hour up to which windows have been moved on.
    pub until: i64,
}

/// The clock, with the zone of the settings where the site names none.
pub fn find_clock(tx: &mut Tx<'_>, setting: Tz) -> QueryResult<Clock> {
    let clock = view_windows::table.select((site::table.select(site::time_zone).single_value(), view_windows::until));
    let (named, until): (Option<String>, i64) = crate::on_backend!(tx.conn, |conn| clock.first(conn)?);
    let zone = named.as_ref().and_then(|zone| zone.parse().ok()).unwrap_or(setting);
    Ok(Clock { named, zone, until })
}

/// Those of these articles that everybody sees.
pub fn find_public(tx: &mut Tx<'_>, ids: &[i64]) -> QueryResult<BTreeSet<i64>> {
    let public = articles::table
        .filter(among(articles::id, ids))
        .filter(is_public_of_few(tx.now))
        .select(articles::id);
    let public: Vec<i64> = crate::on_backend!(tx.conn, |conn| public.load(conn)?);
    Ok(public.into_iter().collect())
}

/// How often those of these articles have been read that everybody sees.
pub fn find_counts(tx: &mut Tx<'_>, ids: &[i64]) -> QueryResult<HashMap<i64, i64>> {
    let counts = article_views::table
        .inner_join(articles::table)
        .filter(among(article_views::article_id, ids))
        .filter(is_public_of_few(tx.now))
        .select((article_views::article_id, article_views::views));
    let counts: Vec<(i64, i64)> = crate::on_backend!(tx.conn, |conn| counts.load(conn)?);
    Ok(counts.into_iter().collect())
}

/// A view that counted, as it is kept.
#[derive(Debug, Clone, Insertable)]
#[diesel(table_name = counted_views)]
pub struct CountedView {
    named: bool,
    day: i32,
    visitor: Vec<u8>,
    article_id: i64,
    viewed_at: i64,
}

impl CountedView {
    /// Of which article.
    pub fn article_id(&self) -> i64 {
        self.article_id
    }

    /// A view at `at` (microseconds since 1970).
    pub fn new(key: Key, article_id: i64, at: i64) -> Self {
        Self {
            named: key.named,
            day: key.day,
            visitor: key.visitor.to_vec(),
            article_id,
            viewed_at: at,
        }
    }
}

/// When visitors counted for articles, by key and article: less than a window from one of the views, which came between the
/// two moments given (in microseconds).
pub fn find_counted(
    tx: &mut Tx<'_>,
    asked: BTreeMap<(Key, i64), (i64, i64)>,
    window: i64,
) -> QueryResult<HashMap<(Key, i64), Vec<i64>>> {
    let mut found: HashMap<(Key, i64), Vec<i64>> = HashMap::new();
    if asked.is_empty() {
        return Ok(found);
    }
    match tx.conn {
        DbConn::Postgres(conn) => {
            for (place, at) in postgres::find_counted(conn, &asked, window)? {
                let asked = usize::try_from(place - 1)
                    .ok()
                    .and_then(|place| asked.keys().nth(place));
                found.entry(*asked.ok_or(diesel::NotFound)?).or_default().push(at);
            }
        }
        DbConn::Sqlite(conn) => {
            for ((key, article_id), (first, last)) in asked {
                let times: Vec<i64> = counted_views::table
                    .filter(counted_views::named.eq(key.named))
                    .filter(counted_views::day.eq(key.day))
                    .filter(counted_views::visitor.eq(key.visitor.as_slice()))
                    .filter(counted_views::article_id.eq(article_id))
                    .filter(counted_views::viewed_at.gt(first - window))
                    .filter(counted_views::viewed_at.lt(last + window))
                    .select(counted_views::viewed_at)
                    .load(conn)?;
                if !times.is_empty() {
                    found.insert((key, article_id), times);
                }
            }
        }
    }
    Ok(found)
}

/// Notes who counted.
pub fn insert_counted(tx: &mut Tx<'_>, views: &[CountedView]) -> QueryResult<()> {
    match tx.conn {
        _ if views.is_empty() => {}
        DbConn::Postgres(conn) => postgres::insert_counted(conn, views)?,
        DbConn::Sqlite(conn) => {
            for view in views {
                diesel::insert_into(counted_views::table).values(view).execute(conn)?;
            }
        }
    }
    Ok(())
}

/// Those of these events that have counted.
pub fn find_events(tx: &mut Tx<'_>, events: &BTreeSet<Uuid>) -> QueryResult<HashSet<Uuid>> {
    if events.is_empty() {
        return Ok(HashSet::new());
    }
    let ids: Vec<&[u8]> = events.iter().map(|event| event.as_bytes().as_slice()).collect();
    let known = view_events::table
        .filter(view_events::event_id.eq_any(ids))
        .select(view_events::event_id);
    let known: Vec<Vec<u8>> = crate::on_backend!(tx.conn, |conn| known.load(conn)?);
    Ok(known.iter().filter_map(|id| Uuid::from_slice(id).ok()).collect())
}

/// Notes events that counted.
pub fn insert_events(tx: &mut Tx<'_>, events: &[(Uuid, i64)]) -> QueryResult<()> {
    if events.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = events
        .iter()
        .map(|(event, at)| {
            (
                view_events::event_id.eq(event.as_bytes().as_slice()),
                view_events::viewed_at.eq(at),
            )
        })
        .collect();
    crate::on_backend!(tx.conn, |conn| diesel::insert_into(view_events::table)
        .values(&rows)
        .execute(conn)?);
    Ok(())
}

/// What is added to an article.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Added {
    /// To its count of all time.
    pub views: i64,
    /// To its counts of the windows, in their order.
    pub windows: [i64; WINDOWS.len()],
    /// To that of the present hour.
    pub in_hour: i64,
}

impl Added {
    /// Whether all of it happened in this hour, and so in every window.
    pub fn is_of_now(&self) -> bool {
        self.in_hour == self.views && self.windows == [self.views; WINDOWS.len()]
    }
}

/// The counts of an article, and the levels that stand beside them.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = article_views)]
struct Counts {
    article_id: i64,
    views: i64,
    views_24h: i64,
    views_7d: i64,
    views_30d: i64,
    level: i32,
    level_24h: i32,
    level_7d: i32,
    level_30d: i32,
}

/// The columns of [`Counts`], for statements that are written by hand.
type CountsTypes = (
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    BigInt,
    Integer,
    Integer,
    Integer,
    Integer,
);

impl Counts {
    /// The levels as they should be, if they are not.
    fn levels(&self) -> Option<(i64, [i32; 4])> {
        let kept = [self.level, self.level_24h, self.level_7d, self.level_30d];
        let right = [self.views, self.views_24h, self.views_7d, self.views_30d].map(level);
        (kept != right).then_some((self.article_id, right))
    }
}

/// Adds views of this hour to articles by one statement, which may be a transaction by itself. The answer is how often each
/// has been read now. Nothing is added, and nothing told, of articles that need more than that: that were not read in this
/// hour before, are not seen by everybody, or get another level; and of none at all where the clock is another one.
pub fn add_at_once(
    conn: &mut DbConn,
    clock: &Clock,
    hour: i64,
    added: &BTreeMap<i64, i64>,
) -> QueryResult<Vec<(i64, i64)>> {
    match conn {
        _ if added.is_empty() => Ok(Vec::new()),
        DbConn::Postgres(conn) => postgres::add_at_once(conn, clock, hour, added),
        DbConn::Sqlite(conn) => sqlite::add_at_once(conn, clock, hour, added),
    }
}

/// Adds views to articles, by their ids, and to hours that are past, by article and hour. The answer is how often each has
/// been read now. Articles that not everybody sees are not in it, and get nothing, unless the views were judged before.
pub fn add(
    tx: &mut Tx<'_>,
    hour: i64,
    added: &BTreeMap<i64, Added>,
    mut past: BTreeMap<(i64, i64), i64>,
    judged: bool,
) -> QueryResult<HashMap<i64, i64>> {
    let mut counts = add_in_hour(tx, hour, added, judged)?;
    let mut there: BTreeSet<i64> = counts.iter().map(|counts| counts.article_id).collect();
    if there.len() < added.len() {
        // Those that are read for the first time in this hour, or since everybody sees them.
        let rest: Vec<i64> = added.keys().copied().filter(|id| !there.contains(id)).collect();
        let public = if judged { rest } else { mark_public(tx, &rest)? };
        let of_public = |id: &i64| added.get(id).map(|added| (*id, *added));
        let rest: BTreeMap<i64, Added> = public.iter().filter_map(of_public).collect();
        if !rest.is_empty() {
            begin_hour(tx, hour, &public)?;
            let first = add_in_hour(tx, hour, &rest, judged)?;
            there.extend(first.iter().map(|counts| counts.article_id));
            counts.extend(first);
        }
    }
    past.retain(|(article_id, _), _| there.contains(article_id));
    add_to_hours(tx, &past)?;
    let levels: Vec<_> = counts.iter().filter_map(Counts::levels).collect();
    match tx.conn {
        _ if levels.is_empty() => {}
        DbConn::Postgres(conn) => postgres::set_levels(conn, &levels)?,
        DbConn::Sqlite(conn) => sqlite::set_levels(conn, &levels)?,
    }
    for counts in &counts {
        tx.touch(Subject::Views(counts.article_id));
    }
    Ok(counts.iter().map(|counts| (counts.article_id, counts.views)).collect())
}

/// Adds views to those articles that were read in this hour before, and that everybody still sees or that are judged.
fn add_in_hour(tx: &mut Tx<'_>, hour: i64, added: &BTreeMap<i64, Added>, judged: bool) -> QueryResult<Vec<Counts>> {
    match tx.conn {
        DbConn::Postgres(conn) => postgres::add(conn, hour, added, judged),
        DbConn::Sqlite(conn) => sqlite::add(conn, hour, added, judged),
    }
}

/// Those of these articles that everybody sees, which stands beside their counts from now on. Who hides one takes it back
/// (`articles::store::hide_from_views`).
fn mark_public(tx: &mut Tx<'_>, ids: &[i64]) -> QueryResult<Vec<i64>> {
    let named = article_views::table
        .filter(among(article_views::article_id, ids))
        .order(article_views::article_id)
        .select((article_views::article_id, article_views::public));
    let named: Vec<(i64, bool)> = match tx.conn {
        // Held before it is asked who sees them: whoever hides one takes the mark back in the same transaction, and so either
        // has ended when it is asked, or waits for this one.
        DbConn::Postgres(conn) => named.for_no_key_update().load(conn)?,
        DbConn::Sqlite(conn) => named.load(conn)?,
    };
    let unmarked: Vec<i64> = named.iter().filter(|(_, public)| !public).map(|(id, _)| *id).collect();
    let found = match unmarked.as_slice() {
        [] => BTreeSet::new(),
        unmarked => find_public(tx, unmarked)?,
    };
    if !found.is_empty() {
        let ids: Vec<i64> = found.iter().copied().collect();
        let mark = diesel::update(article_views::table.filter(among(article_views::article_id, &ids)))
            .set(article_views::public.eq(true));
        crate::on_backend!(tx.conn, |conn| mark.execute(conn)?);
    }
    let public = named.into_iter().filter(|(id, marked)| *marked || found.contains(id));
    Ok(public.map(|(id, _)| id).collect())
}

/// Puts away the hour that stands beside the counts of these articles, and lets this one stand there.
fn begin_hour(tx: &mut Tx<'_>, hour: i64, ids: &[i64]) -> QueryResult<()> {
    let others = article_views::table
        .filter(among(article_views::article_id, ids))
        .filter(article_views::hour.ne(hour))
        .order(article_views::article_id)
        .select((
            article_views::article_id,
            article_views::hour,
            article_views::hour_views,
        ));
    let others: Vec<(i64, i64, i64)> = match tx.conn {
        // Held, so that none of them is deleted before its hour has a row.
        DbConn::Postgres(conn) => others.for_no_key_update().load(conn)?,
        DbConn::Sqlite(conn) => others.load(conn)?,
    };
    if others.is_empty() {
        return Ok(());
    }
    let ended = others.iter().filter(|(_, _, views)| *views > 0);
    let ended = ended.map(|(article_id, hour, views)| ((*article_id, *hour), *views));
    add_to_hours(tx, &ended.collect())?;
    let ids: Vec<i64> = others.iter().map(|(article_id, ..)| *article_id).collect();
    let update = diesel::update(article_views::table.filter(among(article_views::article_id, &ids)))
        .set((article_views::hour.eq(hour), article_views::hour_views.eq(0)));
    crate::on_backend!(tx.conn, |conn| update.execute(conn)?);
    Ok(())
}

/// Adds views to hours that have rows of their own, by article and hour. Of articles that are there, and held.
fn add_to_hours(tx: &mut Tx<'_>, hours: &BTreeMap<(i64, i64), i64>) -> QueryResult<()> {
    match tx.conn {
        _ if hours.is_empty() => Ok(()),
        DbConn::Postgres(conn) => postgres::add_to_hours(conn, hours),
        DbConn::Sqlite(conn) => sqlite::add_to_hours(conn, hours),
    }
}

/// The salts of today and the day before and the one for names, made where they are missing.
pub fn settle_salts(tx: &mut Tx<'_>, today: i32, mut make: impl FnMut() -> String) -> QueryResult<Salts> {
    for day in [NAMED_SALT, today] {
        let row = (view_salts::day.eq(day), view_salts::salt.eq(make()));
        let insert = diesel::insert_into(view_salts::table)
            .values(row)
            .on_conflict_do_nothing();
        crate::on_backend!(tx.conn, |conn| insert.execute(conn)?);
    }
    let salts: Vec<Salt> = view_salts::table
        .select((view_salts::day, view_salts::salt))
        .order(view_salts::day)
        .load(tx.conn)?;
    Ok(Salts(salts))
}

/// Up to how many articles of a category are all looked at; of more, the most read of all are, until enough are of it.
const FEW: i64 = 5_000;

/// The articles that everybody sees with the most views in a window, and these; the most read first, then the newest.
pub fn most_viewed(read: &mut Read<'_>, tree: &Tree, asked: &Ranking) -> QueryResult<Vec<(i64, i64)>> {
    let branch = asked.category.as_deref().map(|slug| tree.with_descendants(slug));
    let is_large = match &branch {
        None => false,
        Some(branch) => articles::table
            .filter(articles::category_id.eq_any(branch.clone()))
            .select(articles::id)
            .offset(FEW)
            .first::<i64>(read.conn)
            .optional()?
            .is_some(),
    };
    // PostgreSQL has statistics, and chooses well itself.
    let is_sqlite = matches!(read.conn, DbConn::Sqlite(_));
    macro_rules! by {
        ($lowest:expr, $level:ident) => {{
            let mut public = article_views::table
                .inner_join(articles::table)
                .filter(article_views::$level.ge($lowest))
                .into_boxed::<MultiBackend>();
            public = if is_sqlite {
                public.filter(is_public_of_few(read.now))
            } else {
                public.filter(is_public(read.now))
            };
            public = match &branch {
                None => public,
                // Without an index to go by, the levels are walked down.
                Some(branch) if is_large && is_sqlite => {
                    public.filter((articles::category_id + 0).eq_any(branch.clone()))
                }
                Some(branch) => public.filter(articles::category_id.eq_any(branch.clone())),
            };
            public
        }};
    }
    // Whoever is among the first so many has no lower level than the last of them by level.
    macro_rules! first {
        ($views:ident, $level:ident) => {{
            let lowest: Option<i32> = by!(1, $level)
                .select(article_views::$level)
                .order(article_views::$level.desc())
                .offset(asked.limit - 1)
                .first(read.conn)
                .optional()?;
            by!(lowest.unwrap_or(1), $level)
                .select((articles::id, article_views::$views))
                .order((
                    article_views::$views.desc(),
                    articles::listed_at.desc(),
                    articles::id.desc(),
                ))
                .limit(asked.limit)
                .load(read.conn)
        }};
    }
    match asked.window.map(|window| window.name) {
        None => first!(views, level),
        Some("24h") => first!(views_24h, level_24h),
        Some("7d") => first!(views_7d, level_7d),
        Some(_) => first!(views_30d, level_30d),
    }
}
