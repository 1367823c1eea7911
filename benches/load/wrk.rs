//! The load of `wrk` (Debian's package of that name): one thread of it takes less of a core than a client written here.

use std::io::Write;
use std::process::Command;

use serde::Deserialize;

use crate::{Result, in_words};

/// A load.
pub struct Load<'a> {
    /// The method.
    pub method: &'a str,
    /// Paths that are asked for in turn.
    pub paths: &'a [String],
    /// Connections that stay open, each with one request at a time.
    pub connections: u32,
    /// How long, in seconds.
    pub seconds: u32,
}

/// What came back.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Answered {
    /// Successes.
    pub succeeded: u64,
    /// Other answers, and requests that got none.
    pub failed: u64,
    /// Successes a second.
    pub rate: f64,
    /// The time that 99 of 100 did not exceed, in milliseconds.
    pub p99: f64,
}

/// Sends a load to a server.
pub fn run(origin: &str, load: &Load<'_>) -> Result<Answered> {
    let mut script = tempfile::Builder::new().suffix(".lua").tempfile().map_err(in_words)?;
    let paths: Vec<String> = load.paths.iter().map(|path| format!("{path:?}")).collect();
    write!(
        script,
        "wrk.method = \"{}\"\nlocal paths, at = {{ {} }}, 0\n\
         function request() at = at % #paths + 1; return wrk.format(nil, paths[at]) end\n\
         function done(summary, latency, requests)\n\
           local e = summary.errors\n\
           local failed = e.connect + e.read + e.write + e.status + e.timeout\n\
           local good = summary.requests - e.status\n\
           io.write(string.format('{{\"succeeded\": %d, \"failed\": %d, \"rate\": %f, \"p99\": %f}}\\n',\n\
             good, failed, good / summary.duration * 1e6, latency:percentile(99) / 1000))\n\
         end\n",
        load.method,
        paths.join(", "),
    )
    .map_err(in_words)?;
    let output = Command::new("wrk")
        .arg("-t1")
        .arg(format!("-c{}", load.connections))
        .arg(format!("-d{}s", load.seconds))
        .arg("-s")
        .arg(script.path())
        .arg(origin)
        .output()
        .map_err(|error| format!("cannot run wrk, which this needs: {error}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let last = said.lines().rfind(|line| line.starts_with('{')).unwrap_or_default();
    serde_json::from_str(last)
        .map_err(|_error| format!("wrk {origin}: {said}{}", String::from_utf8_lossy(&output.stderr)))
}
