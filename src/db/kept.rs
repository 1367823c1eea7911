//! What every answer needs and what seldom changes, read once for all of them.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use diesel::prelude::*;

use super::board::{Board, Subject, place};
use super::changes::Changes;
use super::schema::content_changes;
use super::{DbConn, Read, Tx};
use crate::error::Result;
use crate::on_backend;

/// What seldom changes. Each transaction that touches it raises its number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seldom {
    /// The site.
    Site,
    /// The categories, all of them.
    Categories,
}

impl Seldom {
    fn subject(self) -> Subject {
        match self {
            Self::Site => Subject::Site,
            Self::Categories => Subject::Categories,
        }
    }
}

/// The numbers of what seldom changes, as they stand in one snapshot.
#[derive(Clone, Copy, Debug, Queryable)]
pub struct Numbers {
    site: i64,
    categories: i64,
}

/// [`Numbers`], to be selected beside something else and told by [`Read::tell_numbers`] or [`Tx::tell_numbers`]: that spares a
/// statement.
#[diesel::dsl::auto_type(no_type_alias)]
pub fn numbers() -> _ {
    let id: i64 = 1;
    let site = content_changes::table.find(id).select(content_changes::site);
    let categories = content_changes::table.find(id).select(content_changes::categories);
    (
        site.single_value().assume_not_null(),
        categories.single_value().assume_not_null(),
    )
}

impl Numbers {
    fn find(conn: &mut DbConn) -> QueryResult<Self> {
        let numbers = content_changes::table
            .find(1)
            .select((content_changes::site, content_changes::categories));
        on_backend!(conn, |c| numbers.first(c))
    }

    fn of(self, what: Seldom) -> i64 {
        match what {
            Seldom::Site => self.site,
            Seldom::Categories => self.categories,
        }
    }
}

struct Entry {
    /// The number at which it was read.
    number: i64,
    /// A moment of the board before the snapshot that it was read from.
    since: u64,
    value: Arc<dyn Any + Send + Sync>,
}

/// What is kept, by what it is of and its type.
#[derive(Default)]
pub(super) struct Kept(RwLock<HashMap<(Seldom, TypeId), Entry>>);

impl Kept {
    /// The number alone would do, but for a program before this one that writes beside it, or a database that was set back:
    /// of those this process hears, if it hears anything.
    fn find<T: Any + Send + Sync>(&self, what: Seldom, number: i64, board: &Board) -> Option<Arc<T>> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(&(what, TypeId::of::<T>()))?;
        if entry.number != number || board.has_changed(&[place(what.subject())], entry.since) {
            return None;
        }
        Arc::clone(&entry.value).downcast().ok()
    }

    fn put<T: Any + Send + Sync>(&self, what: Seldom, number: i64, since: u64, value: &Arc<T>) {
        let value = Arc::clone(value) as _;
        let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
        entries.insert((what, TypeId::of::<T>()), Entry { number, since, value });
    }
}

/// The way of one snapshot or transaction to what is kept.
pub(super) struct Keeper<'a> {
    changes: &'a Changes,
    /// The moment of the board before it began.
    since: u64,
    /// Asked for when the first of what is kept is, unless they were told before.
    numbers: Option<Numbers>,
}

impl<'a> Keeper<'a> {
    /// To be made before the snapshot is opened.
    pub(super) fn new(changes: &'a Changes) -> Self {
        Self {
            changes,
            since: changes.content.now(),
            numbers: None,
        }
    }

    fn find<T: Any + Send + Sync>(
        &mut self,
        conn: &mut DbConn,
        what: Seldom,
        load: impl FnOnce(&mut DbConn) -> QueryResult<T>,
    ) -> Result<Arc<T>> {
        let numbers = match self.numbers {
            Some(numbers) => numbers,
            None => *self.numbers.insert(Numbers::find(conn)?),
        };
        let number = numbers.of(what);
        if let Some(value) = self.changes.kept.find(what, number, &self.changes.content) {
            return Ok(value);
        }
        // If it is newer than its number, as it can be outside of a snapshot, the next number will not be that of the entry.
        let value = Arc::new(load(conn)?);
        self.changes.kept.put(what, number, self.since, &value);
        Ok(value)
    }

    /// What is kept, where the numbers were told and prove it.
    fn at_hand<T: Any + Send + Sync>(&self, what: Seldom) -> Option<Arc<T>> {
        let number = self.numbers?.of(what);
        self.changes.kept.find(what, number, &self.changes.content)
    }
}

impl Tx<'_> {
    /// Says what the numbers are here.
    pub fn tell_numbers(&mut self, numbers: Numbers) {
        self.keeper.numbers.get_or_insert(numbers);
    }

    /// What `load` reads of it, as it stood here when the first of it was asked for; what is kept for readers, if it is that.
    pub fn kept<T: Any + Send + Sync>(
        &mut self,
        what: Seldom,
        load: impl FnOnce(&mut DbConn) -> QueryResult<T>,
    ) -> Result<Arc<T>> {
        // The number is raised at the end of a transaction.
        if self.touched.has(what.subject()) {
            return Ok(Arc::new(load(self.conn)?));
        }
        self.keeper.find(self.conn, what, load)
    }
}

impl Read<'_> {
    /// Says what the numbers are in this snapshot; without one, as they were when all else was read.
    pub fn tell_numbers(&mut self, numbers: Numbers) {
        self.keeper.numbers.get_or_insert(numbers);
    }

    /// What `load` reads of it, as it stands in this snapshot; kept, one value of each type, until it changes. All that is
    /// kept is proved by one statement.
    pub fn kept<T: Any + Send + Sync>(
        &mut self,
        what: Seldom,
        load: impl FnOnce(&mut DbConn) -> QueryResult<T>,
    ) -> Result<Arc<T>> {
        self.keeper.find(self.conn, what, load)
    }

    /// The same without a statement: only if the numbers were told, and what is kept is that.
    pub fn kept_at_hand<T: Any + Send + Sync>(&self, what: Seldom) -> Option<Arc<T>> {
        self.keeper.at_hand(what)
    }
}
