//! Memory for decoding, counted before it is taken.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The memory that all decoding at a time may take. Cheap to clone.
#[derive(Clone)]
pub struct Room(Arc<Inner>);

struct Inner {
    all: u64,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    free: u64,
    /// The number of who comes next.
    next: u64,
    /// Whose turn it is: one after the other, else small pictures would pass a large one for ever.
    turn: u64,
}

/// Memory that is taken; given back when this is dropped.
pub struct Taken {
    room: Arc<Inner>,
    bytes: u64,
}

impl Room {
    /// Room for so many bytes.
    pub fn new(bytes: u64) -> Self {
        Self(Arc::new(Inner {
            all: bytes,
            state: Mutex::new(State {
                free: bytes,
                next: 0,
                turn: 0,
            }),
            changed: Condvar::new(),
        }))
    }

    /// Waits until there is room, and takes it; what is more than all there is takes all. For threads that may wait, and
    /// hold none yet.
    pub(super) fn take(&self, bytes: u64) -> Taken {
        let room = Arc::clone(&self.0);
        let bytes = bytes.min(room.all);
        let mut state = room.lock();
        let mine = state.next;
        state.next += 1;
        while state.turn != mine || state.free < bytes {
            state = room.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.turn += 1;
        state.free -= bytes;
        drop(state);
        room.changed.notify_all();
        Taken { room, bytes }
    }
}

impl Taken {
    /// Gives back what is more than that.
    pub(super) fn keep(&mut self, bytes: u64) {
        self.give_back(self.bytes.saturating_sub(bytes));
    }

    fn give_back(&mut self, bytes: u64) {
        self.bytes -= bytes;
        self.room.lock().free += bytes;
        self.room.changed.notify_all();
    }
}

impl Inner {
    /// A number is whole after each step, whatever panicked.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn who_finds_no_room_waits_until_some_is_free() {
        let room = Room::new(100);
        let mut first = room.take(60);
        let other = room.clone();
        let large = thread::spawn(move || other.take(1_000).bytes);
        thread::sleep(Duration::from_millis(20));
        // There would be room for this one, but the large one was first.
        let other = room.clone();
        let small = thread::spawn(move || other.take(1).bytes);
        thread::sleep(Duration::from_millis(20));
        first.keep(50);
        thread::sleep(Duration::from_millis(20));
        assert!(!large.is_finished() && !small.is_finished());
        drop(first);
        assert_eq!((large.join().unwrap(), small.join().unwrap()), (100, 1));
        assert_eq!(room.0.lock().free, 100);
    }
}
