//! What changed: a transaction says it inside itself, and every answer that is kept knows what it was made of.
//!
//! An answer is as good as on the first day while nothing of it has changed on the [`Board`] since the moment that was read
//! before its snapshot was opened; so it does not matter how late it was put away.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::prelude::*;

use super::DbConn;
use super::board::{Board, Subject, places};
use super::kept::Kept;
use super::schema::content_changes;

/// What a transaction touched.
#[derive(Clone, Debug, Default)]
pub(super) struct Touched {
    content: BTreeSet<Subject>,
    views: BTreeSet<Subject>,
}

impl Touched {
    pub(super) fn has(&self, subject: Subject) -> bool {
        self.content.contains(&subject)
    }

    pub(super) fn add(&mut self, subject: Subject) {
        if let Subject::Views(_) = subject {
            self.views.insert(subject);
            return;
        }
        self.content.insert(subject);
        self.content.extend(subject.wider());
        self.content.insert(Subject::Anything);
    }
}

/// The channel of NOTIFY.
pub(super) const CHANNEL: &str = "broadsheet_changes";

/// The longest message that NOTIFY takes is 7,999 bytes.
const LONGEST: usize = 7_000;

/// In place of a list that is too long.
const EVERYTHING: &str = "*";

/// Under what trust is ended for good: nobody watches.
const NEVER: i64 = i64::MIN;

/// What changed in a database, as far as this process knows, and whether it knows all.
pub struct Changes {
    /// Content.
    pub content: Board,
    /// View numbers; those that this process counted.
    pub views: Board,
    /// What was read of it once for all answers.
    pub(super) kept: Kept,
    /// The last generation that is known to this process; SQLite only, and while somebody watches.
    generation: Mutex<Option<i64>>,
    /// Begins the messages of this process, which has noted what they say when they arrive.
    own: String,
    announcements: AtomicU64,
    /// Announcements of this process whose commit failed, and may have happened all the same.
    doubtful: Mutex<BTreeSet<u64>>,
    begun: Instant,
    /// Milliseconds after `begun` until which what the board says is the truth.
    trusted_until: AtomicI64,
}

impl Default for Changes {
    fn default() -> Self {
        Self {
            content: Board::default(),
            views: Board::default(),
            kept: Kept::default(),
            generation: Mutex::new(None),
            own: uuid::Uuid::new_v4().simple().to_string(),
            announcements: AtomicU64::new(0),
            doubtful: Mutex::new(BTreeSet::new()),
            begun: Instant::now(),
            trusted_until: AtomicI64::new(NEVER),
        }
    }
}

/// How a change was announced; kept to the end of its commit.
pub(super) enum Announced<'a> {
    /// Not at all.
    Nothing,
    /// By a message of this number, which these words send when the transaction commits.
    Message(u64, String),
    /// By a generation; who watches compares with what is known only after the commit.
    Generation(MutexGuard<'a, Option<i64>>, i64),
}

impl Announced<'_> {
    /// What is said with the commit.
    pub(super) fn words(&self) -> Option<&str> {
        match self {
            Self::Message(_, words) => Some(words),
            Self::Nothing | Self::Generation(..) => None,
        }
    }
}

impl Changes {
    /// Whether changes that other processes made are known here. False until somebody watches, and while who watches
    /// has lost the database.
    pub fn are_known(&self) -> bool {
        self.milliseconds(Instant::now()) < self.trusted_until.load(Ordering::Acquire)
    }

    fn milliseconds(&self, at: Instant) -> i64 {
        i64::try_from(at.saturating_duration_since(self.begun).as_millis()).unwrap_or(i64::MAX)
    }

    /// What was asked at `asked` is known; for so long it may be taken that nothing was missed.
    pub(super) fn trust(&self, asked: Instant, lasts: Duration) {
        let until = self
            .milliseconds(asked)
            .saturating_add(i64::try_from(lasts.as_millis()).unwrap_or(0));
        self.trusted_until.store(until, Ordering::Release);
    }

    /// Changes may be missed from now on.
    pub(super) fn distrust(&self) {
        self.trusted_until.store(NEVER, Ordering::Release);
    }

    /// Everything may have changed.
    pub(super) fn mark_all(&self) {
        self.content.mark_all();
        self.views.mark_all();
    }

    /// Articles were read, or may have been.
    pub fn note_views(&self, article_ids: impl Iterator<Item = i64>) {
        let places = places(article_ids.map(Subject::Views));
        if !places.is_empty() {
            self.views.mark(&places);
        }
    }

    /// Prepares what tells other processes with the commit, and raises the numbers that prove what is kept of the site and the
    /// categories ([`super::Seldom`]).
    pub(super) fn announce<'a>(&'a self, conn: &mut DbConn, touched: &Touched) -> QueryResult<Announced<'a>> {
        if touched.content.is_empty() {
            return Ok(Announced::Nothing);
        }
        let changed = |subject| i64::from(touched.content.contains(&subject));
        let (site, categories) = (changed(Subject::Site), changed(Subject::Categories));
        let raise = (
            content_changes::site.eq(content_changes::site + site),
            content_changes::categories.eq(content_changes::categories + categories),
        );
        match conn {
            DbConn::Postgres(conn) => {
                if site + categories > 0 {
                    diesel::update(content_changes::table.find(1))
                        .set(raise)
                        .execute(conn)?;
                }
                let names: Vec<String> = touched.content.iter().map(|subject| subject.name()).collect();
                let names = names.join(" ");
                let names = if names.len() > LONGEST { EVERYTHING } else { &names };
                let number = self.announcements.fetch_add(1, Ordering::Relaxed);
                let message = format!("{} {number} {names}", self.own);
                // Letters, digits, spaces, colons, an asterisk: nothing that would end the quotes.
                Ok(Announced::Message(number, format!("NOTIFY {CHANNEL}, '{message}'")))
            }
            DbConn::Sqlite(conn) => {
                let known = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
                let generation = diesel::update(content_changes::table.find(1))
                    .set((content_changes::generation.eq(content_changes::generation + 1), raise))
                    .returning(content_changes::generation)
                    .get_result(conn)?;
                Ok(Announced::Generation(known, generation))
            }
        }
    }

    /// After the commit, and before who wrote is answered.
    pub(super) fn settle(&self, touched: &Touched, announced: Announced<'_>, committed: bool) {
        if !touched.views.is_empty() {
            self.views.mark(&places(touched.views.iter().copied()));
        }
        if touched.content.is_empty() {
            return;
        }
        if let (Announced::Message(number, _), false) = (&announced, committed) {
            self.doubtful_now().insert(*number);
        }
        if committed {
            self.content.mark(&places(touched.content.iter().copied()));
        } else {
            // Whether a commit that failed has happened, only the database knows.
            self.mark_all();
        }
        if let Announced::Generation(mut known, generation) = announced {
            // After a commit that failed nothing is known.
            if *known != Some(generation - 1) {
                self.mark_all();
            }
            *known = committed.then_some(generation);
        }
    }

    fn doubtful_now(&self) -> MutexGuard<'_, BTreeSet<u64>> {
        self.doubtful.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the channel said: who sent it, their number, and what changed.
    pub(super) fn heard(&self, message: &str) {
        let mut words = message.split(' ');
        let (sender, number) = (words.next(), words.next().and_then(|number| number.parse().ok()));
        // What this process has committed it noted itself, or is about to.
        if sender == Some(&self.own) && number.is_some_and(|number| !self.doubtful_now().remove(&number)) {
            return;
        }
        let subjects: Option<Vec<Subject>> = words.map(Subject::of_name).collect();
        match subjects {
            Some(subjects) => self.content.mark(&places(subjects)),
            // Everything, or a word of a version to come.
            None => self.mark_all(),
        }
    }

    /// Compares with the generation that the database has; `read` is asked while no commit of this process is under way.
    pub(super) fn compare<E>(&self, read: impl FnOnce() -> Result<i64, E>) -> Result<(), E> {
        let mut known = self.generation.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = read()?;
        if *known != Some(generation) {
            self.mark_all();
        }
        *known = Some(generation);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_after_a_moment_has_changed_since() {
        let changes = Changes::default();
        let (one, other) = (places([Subject::Article(1)]), places([Subject::Article(2)]));
        let before = changes.content.now();
        changes.heard("other 1 article:1 articles all");
        assert!(changes.content.has_changed(&one, before) && !changes.content.has_changed(&other, before));
        assert!(changes.content.has_changed(&places([Subject::Anything]), before));
        assert!(!changes.content.has_changed(&one, changes.content.now()));
        let before = changes.content.now();
        changes.heard("other 2 word_of_a_later_version");
        assert!(changes.content.has_changed(&other, before));
        let before = changes.content.now();
        changes.heard(&format!("{} 3 article:1", changes.own));
        assert!(!changes.content.has_changed(&one, before));
    }

    #[test]
    fn one_thing_changes_what_it_belongs_to() {
        let mut touched = Touched::default();
        touched.add(Subject::Tag(3));
        touched.add(Subject::Views(3));
        assert_eq!(
            touched.content.into_iter().collect::<Vec<_>>(),
            [Subject::Anything, Subject::Tags, Subject::Tag(3)]
        );
        assert_eq!(touched.views.len(), 1);
    }

    #[test]
    fn a_change_of_another_process_is_seen_by_its_generation() {
        let changes = Changes::default();
        let every = places([Subject::Site]);
        changes.compare(|| Ok::<_, ()>(5)).unwrap();
        let before = changes.content.now();
        changes.compare(|| Ok::<_, ()>(5)).unwrap();
        assert!(!changes.content.has_changed(&every, before));
        changes.compare(|| Ok::<_, ()>(6)).unwrap();
        assert!(changes.content.has_changed(&every, before));
    }

    #[test]
    fn trust_ends() {
        let changes = Changes::default();
        assert!(!changes.are_known());
        changes.trust(Instant::now(), Duration::from_secs(60));
        assert!(changes.are_known());
        changes.distrust();
        assert!(!changes.are_known());
    }
}
