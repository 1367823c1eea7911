//! What a read costs, so that a request can tell how many statements it needed, and what it did beside them.

use std::cell::Cell;
use std::time::{Duration, Instant};

use diesel::connection::{Connection, Instrumentation, InstrumentationEvent};

use super::DbConn;

thread_local! {
    static STATEMENTS: Cell<u32> = const { Cell::new(0) };
    static RENDERING: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

struct Counter;

impl Instrumentation for Counter {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { .. } = event {
            STATEMENTS.set(STATEMENTS.get() + 1);
        }
    }
}

/// Lets a connection count.
pub(super) fn install(conn: &mut DbConn) {
    conn.set_instrumentation(Counter);
}

/// What was done on this thread.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counted {
    /// Statements that were run.
    pub(super) statements: u32,
    /// Time that was taken by [`rendering`].
    pub(super) rendering: Duration,
}

/// Runs `work`, which stays on this thread, and tells what it did.
pub(super) fn counted<T>(work: impl FnOnce() -> T) -> (T, Counted) {
    let (statements, rendering) = (STATEMENTS.get(), RENDERING.get());
    let outcome = work();
    let counted = Counted {
        statements: STATEMENTS.get().wrapping_sub(statements),
        rendering: RENDERING.get().saturating_sub(rendering),
    };
    (outcome, counted)
}

/// Writes an answer out inside of a read, by the thread that has read what it is made of: another would free each text in this
/// one's part of the heap, which is slow. To the request that asks for it, this is not time of the database.
pub fn rendering<T>(work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let outcome = work();
    RENDERING.set(RENDERING.get() + begun.elapsed());
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rendered_is_told_apart() {
        let pause = Duration::from_millis(5);
        let (_, counted) = counted(|| rendering(|| std::thread::sleep(pause)));
        assert!(counted.rendering >= pause && counted.statements == 0);
        let (_, counted) = super::counted(|| std::thread::sleep(pause));
        assert_eq!(counted.rendering, Duration::ZERO);
    }
}
