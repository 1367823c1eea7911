//! The last 24 hours, 7 days and 30 days: counts that move with the clock, an hour at a time.

/// A window, whose count stands beside each article's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// As queries name it.
    pub name: &'static str,
    /// How far it reaches back. The hour in which it begins counts whole.
    pub seconds: i64,
}

/// All of them, in the order in which counts stand everywhere.
pub const WINDOWS: [Window; 3] = [
    Window {
        name: "24h",
        seconds: 24 * HOUR,
    },
    Window {
        name: "7d",
        seconds: 7 * 24 * HOUR,
    },
    Window {
        name: "30d",
        seconds: 30 * 24 * HOUR,
    },
];

/// An hour, in seconds.
pub const HOUR: i64 = 3_600;

/// How far the shortest window reaches back, in seconds.
pub const SHORTEST: i64 = 24 * HOUR;
