//! What answers are made of, and a board that says when it changed last.
//!
//! A [`Board`] holds, for each thing that answers are made of, the moment of its last change. A moment is a number that
//! grows with each change, not a time. Things share the places of the board: that two share one ends an answer early at worst.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// What answers are made of, and what writes change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Any content at all. What does not say what it was made of was made of this; every change changes it.
    Anything,
    /// Which articles are public, and by what lists filter and sort them, save `updated_at`.
    Listing,
    /// Any article that readers see, in any way.
    Articles,
    /// What is shown of one article.
    Article(i64),
    /// Any category.
    Categories,
    /// What is shown of one category; what stands below it shows it as well.
    Category(i64),
    /// Any tag.
    Tags,
    /// What is shown of one tag.
    Tag(i64),
    /// Any author.
    Authors,
    /// What is shown of one author.
    Author(i64),
    /// What is shown of one image.
    Image(i64),
    /// The site.
    Site,
    /// How often one article was read. Nothing else changes with it, and other instances are not told.
    Views(i64),
}

impl Subject {
    /// What else has changed when this has.
    pub(super) fn wider(self) -> Option<Self> {
        match self {
            Self::Article(_) => Some(Self::Articles),
            Self::Category(_) => Some(Self::Categories),
            Self::Tag(_) => Some(Self::Tags),
            Self::Author(_) => Some(Self::Authors),
            _ => None,
        }
    }

    /// The name under which other instances are told.
    pub(super) fn name(self) -> String {
        match self {
            Self::Anything => "all".to_owned(),
            Self::Listing => "listing".to_owned(),
            Self::Articles => "articles".to_owned(),
            Self::Article(id) => format!("article:{id}"),
            Self::Categories => "categories".to_owned(),
            Self::Category(id) => format!("category:{id}"),
            Self::Tags => "tags".to_owned(),
            Self::Tag(id) => format!("tag:{id}"),
            Self::Authors => "authors".to_owned(),
            Self::Author(id) => format!("author:{id}"),
            Self::Image(id) => format!("image:{id}"),
            Self::Site => "site".to_owned(),
            Self::Views(id) => format!("views:{id}"),
        }
    }

    /// What a name means; nothing for one of a version to come.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let one = |make: fn(i64) -> Self, id: &str| id.parse().ok().map(make);
        match name.split_once(':') {
            Some(("article", id)) => one(Self::Article, id),
            Some(("category", id)) => one(Self::Category, id),
            Some(("tag", id)) => one(Self::Tag, id),
            Some(("author", id)) => one(Self::Author, id),
            Some(("image", id)) => one(Self::Image, id),
            Some(_) => None,
            None => match name {
                "all" => Some(Self::Anything),
                "listing" => Some(Self::Listing),
                "articles" => Some(Self::Articles),
                "categories" => Some(Self::Categories),
                "tags" => Some(Self::Tags),
                "authors" => Some(Self::Authors),
                "site" => Some(Self::Site),
                _ => None,
            },
        }
    }
}

/// How many places a board has: 512 kB.
const PLACES: usize = 1 << 16;

/// How many of them are for what many answers show. Articles, which change most, have the others, one after the other: an
/// edit ends no answer that shows none of the article, unless it shows one of an id that is so many away.
const COMMON: usize = 1 << 14;

/// A place on a board.
pub type Place = u16;

/// The places of these subjects, each once.
pub fn places(subjects: impl IntoIterator<Item = Subject>) -> Box<[Place]> {
    let mut places: Vec<Place> = subjects.into_iter().map(place).collect();
    places.sort_unstable();
    places.dedup();
    places.into_boxed_slice()
}

/// The place of a subject.
pub(super) fn place(subject: Subject) -> Place {
    let place = match subject {
        Subject::Article(id) | Subject::Views(id) => COMMON as u64 + id.unsigned_abs() % (PLACES - COMMON) as u64,
        _ => {
            let mut hash = DefaultHasher::new();
            subject.hash(&mut hash);
            hash.finish() % COMMON as u64
        }
    };
    // Below PLACES, and so within a Place.
    Place::try_from(place).unwrap_or(0)
}

/// When what changed last.
pub struct Board {
    /// The moment of the last change.
    moment: AtomicU64,
    places: Box<[AtomicU64]>,
    /// One change at a time.
    marking: Mutex<()>,
}

impl Default for Board {
    fn default() -> Self {
        Self {
            moment: AtomicU64::new(1),
            places: (0..PLACES).map(|_| AtomicU64::new(0)).collect(),
            marking: Mutex::new(()),
        }
    }
}

impl Board {
    /// The moment of the last change. To be read before the snapshot is opened.
    pub fn now(&self) -> u64 {
        self.moment.load(Ordering::Acquire)
    }

    /// Whether anything at these places has changed since a moment.
    pub fn has_changed(&self, places: &[Place], since: u64) -> bool {
        let at = |place: &Place| self.places.get(usize::from(*place));
        places
            .iter()
            .filter_map(at)
            .any(|last| last.load(Ordering::Acquire) > since)
    }

    /// Notes a change. Its moment is seen only when all its places are written, so that who has looked at a moment has
    /// seen all of it.
    pub(super) fn mark(&self, places: &[Place]) {
        let _one = self.marking.lock().unwrap_or_else(PoisonError::into_inner);
        let moment = self.moment.load(Ordering::Relaxed) + 1;
        for place in places {
            if let Some(last) = self.places.get(usize::from(*place)) {
                last.store(moment, Ordering::Release);
            }
        }
        self.moment.store(moment, Ordering::Release);
    }

    /// Notes that everything may have changed.
    pub(super) fn mark_all(&self) {
        let _one = self.marking.lock().unwrap_or_else(PoisonError::into_inner);
        let moment = self.moment.load(Ordering::Relaxed) + 1;
        for last in &self.places {
            last.store(moment, Ordering::Release);
        }
        self.moment.store(moment, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for subject in [
            Subject::Anything,
            Subject::Listing,
            Subject::Articles,
            Subject::Article(42),
            Subject::Categories,
            Subject::Category(7),
            Subject::Tags,
            Subject::Tag(1),
            Subject::Authors,
            Subject::Author(3),
            Subject::Image(9),
            Subject::Site,
        ] {
            assert_eq!(Subject::of_name(&subject.name()), Some(subject));
        }
        assert_eq!(Subject::of_name("views:1"), None);
        assert_eq!(Subject::of_name("poll:1"), None);
    }

    #[test]
    fn articles_share_no_place_with_what_many_answers_show() {
        let common: Vec<Place> = (1..2_000)
            .flat_map(|id| [place(Subject::Tag(id)), place(Subject::Author(id))])
            .collect();
        let articles: Vec<Place> = (1..49_000).map(|id| place(Subject::Article(id))).collect();
        assert!(articles.iter().all(|place| !common.contains(place)));
        assert_eq!(
            places((1..49_000).map(Subject::Article)).len(),
            articles.len(),
            "nor with each other"
        );
    }
}
