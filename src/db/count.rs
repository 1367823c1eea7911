//! Counting statements, so that a request can tell how many it needed.

use std::cell::Cell;

use diesel::connection::{Connection, Instrumentation, InstrumentationEvent};

use super::DbConn;

thread_local! {
    static STATEMENTS: Cell<u32> = const { Cell::new(0) };
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

/// Runs `work`, which stays on this thread, and tells how many statements it ran.
pub(super) fn statements<T>(work: impl FnOnce() -> T) -> (T, u32) {
    let before = STATEMENTS.get();
    (work(), STATEMENTS.get().wrapping_sub(before))
}
