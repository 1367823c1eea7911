//! What every answer needs and what seldom changes, read once for all of them.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use super::changes::{Changes, Place, Subject, places};
use super::{DbConn, Read};
use crate::error::Result;

/// What is kept, by its type.
#[derive(Default)]
pub(super) struct Kept(RwLock<HashMap<TypeId, Entry>>);

struct Entry {
    made_of: Box<[Place]>,
    /// A moment before the snapshot that it was read from.
    since: u64,
    value: Arc<dyn Any + Send + Sync>,
}

impl Kept {
    fn find<T: Any + Send + Sync>(&self, changes: &Changes) -> Option<Arc<T>> {
        let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(&TypeId::of::<T>())?;
        if changes.content.has_changed(&entry.made_of, entry.since) {
            return None;
        }
        Arc::clone(&entry.value).downcast().ok()
    }
}

impl Read<'_> {
    /// What `load` reads, as long as nothing of `subjects` changes and `holds` is true of it; one value of each type.
    ///
    /// As exact as the response cache: a change is seen by who asks after its acknowledgement, and one that another
    /// process made when this one has heard of it. While it hears nothing, everything is read anew.
    pub fn kept<T: Any + Send + Sync>(
        &mut self,
        subjects: &[Subject],
        holds: impl FnOnce(&T) -> bool,
        load: impl FnOnce(&mut DbConn) -> Result<T>,
    ) -> Result<Arc<T>> {
        let known = self.changes.are_known();
        if known && let Some(value) = self.kept.find(self.changes).filter(|value| holds(value)) {
            return Ok(value);
        }
        let value = Arc::new(load(self.conn)?);
        if known {
            let entry = Entry {
                made_of: places(subjects.iter().copied()),
                since: self.since,
                value: Arc::clone(&value) as Arc<dyn Any + Send + Sync>,
            };
            let mut entries = self.kept.0.write().unwrap_or_else(PoisonError::into_inner);
            entries.insert(TypeId::of::<T>(), entry);
        }
        Ok(value)
    }
}
