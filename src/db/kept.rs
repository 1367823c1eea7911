//! What every answer needs and what seldom changes, read once for all of them.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use diesel::prelude::*;

use super::schema::content_changes;
use super::{DbConn, Read};
use crate::error::Result;
use crate::on_backend;

/// What seldom changes. Each transaction that touches it raises its number in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seldom {
    /// The site.
    Site,
    /// The categories, all of them.
    Categories,
}

/// The numbers of what seldom changes, as they stand in one snapshot.
#[derive(Clone, Copy, Debug, Queryable)]
pub(super) struct Numbers {
    site: i64,
    categories: i64,
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

type Value = Arc<dyn Any + Send + Sync>;

/// What is kept, by its type, with the number at which it was read.
#[derive(Default)]
pub(super) struct Kept(RwLock<HashMap<TypeId, (i64, Value)>>);

impl Kept {
    fn find<T: Any + Send + Sync>(&self, number: i64) -> Option<Arc<T>> {
        let values = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (read_at, value) = values.get(&TypeId::of::<T>())?;
        (*read_at == number).then(|| Arc::clone(value).downcast().ok())?
    }

    fn insert<T: Any + Send + Sync>(&self, number: i64, value: &Arc<T>) {
        let mut values = self.0.write().unwrap_or_else(PoisonError::into_inner);
        values.insert(TypeId::of::<T>(), (number, Arc::clone(value) as _));
    }
}

impl Read<'_> {
    /// What `load` reads of it, as it stands in this snapshot; kept, one value of each type, until it changes. Whoever changes
    /// it, the snapshot says so; all that is kept is proved by one statement.
    pub fn kept<T: Any + Send + Sync>(
        &mut self,
        what: Seldom,
        load: impl FnOnce(&mut DbConn) -> QueryResult<T>,
    ) -> Result<Arc<T>> {
        let numbers = match self.numbers {
            Some(numbers) => numbers,
            None => *self.numbers.insert(Numbers::find(self.conn)?),
        };
        let number = numbers.of(what);
        if let Some(value) = self.kept.find(number) {
            return Ok(value);
        }
        let value = Arc::new(load(self.conn)?);
        self.kept.insert(number, &value);
        Ok(value)
    }
}
