//! Memory for decoding, counted before it is taken.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// The memory that all decoding at a time may take. Cheap to clone.
#[derive(Clone)]
pub struct Room(Arc<Inner>);

struct Inner {
    all: u64,
    free: Mutex<u64>,
    freed: Condvar,
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
            free: Mutex::new(bytes),
            freed: Condvar::new(),
        }))
    }

    /// Waits until there is room, and takes it; what is more than all there is takes all. For threads that may wait.
    pub(super) fn take(&self, bytes: u64) -> Taken {
        let room = Arc::clone(&self.0);
        let bytes = bytes.min(room.all);
        let mut free = room.lock();
        while *free < bytes {
            free = room.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= bytes;
        drop(free);
        Taken { room, bytes }
    }
}

impl Inner {
    /// A number is whole after each step, whatever panicked.
    fn lock(&self) -> MutexGuard<'_, u64> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        *self.room.lock() += self.bytes;
        self.room.freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_finds_no_room_waits_until_some_is_free() {
        let room = Room::new(100);
        let first = room.take(60);
        let other = room.clone();
        let waiting = std::thread::spawn(move || other.take(1_000).bytes);
        std::thread::sleep(std::time::Duration::from_millis(20));
        assert!(!waiting.is_finished());
        drop(first);
        assert_eq!(waiting.join().unwrap(), 100);
        assert_eq!(*room.0.lock(), 100);
    }
}
