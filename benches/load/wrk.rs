//! The load of `wrk` (Debian's package of that name), which takes less of a core than a client written here.

use std::io::Write;
use std::process::Command;

use serde::Deserialize;

use crate::{Result, in_words};

/// A load: what is asked for in turn over connections that stay open, each with one request at a time.
pub struct Load<'a> {
    /// The method.
    pub method: &'a str,
    /// Paths that are asked for in turn.
    pub paths: &'a [String],
    /// Headers of each request.
    pub headers: &'a [(&'a str, &'a str)],
    /// The validators of the paths, for `If-None-Match`; none are sent where this is empty.
    pub etags: &'a [String],
    /// How many connections.
    pub connections: u32,
    /// How many threads of wrk serve them.
    pub threads: u32,
    /// How long, in seconds.
    pub seconds: u64,
}

/// What came back.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Answered {
    /// Answers below 400.
    pub succeeded: u64,
    /// Other answers, and requests that got none.
    pub failed: u64,
    /// Successes a second.
    pub rate: f64,
    /// The time that 99 of 100 did not exceed, in milliseconds.
    pub p99: f64,
}

/// How many requests one function of the script writes; Lua's are not of any length.
const CHUNK: usize = 200;

/// Sends a load to a server.
pub fn run(origin: &str, load: &Load<'_>) -> Result<Answered> {
    let mut script = tempfile::Builder::new().suffix(".lua").tempfile().map_err(in_words)?;
    script.write_all(text(load).as_bytes()).map_err(in_words)?;
    let output = Command::new("wrk")
        .arg(format!("-t{}", load.threads))
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

/// Asks for these paths in turn over 32 connections; each with its validator, where there are some.
pub fn reads(
    origin: &str,
    paths: &[String],
    headers: &[(&str, &str)],
    etags: &[String],
    seconds: u64,
) -> Result<Answered> {
    let load = Load {
        method: "GET",
        paths,
        headers,
        etags,
        connections: 32,
        threads: 2,
        seconds,
    };
    succeeded(run(origin, &load)?)
}

/// What must not fail: a load with an answer that is no success is an error.
pub fn succeeded(answered: Answered) -> Result<Answered> {
    match answered.failed {
        0 => Ok(answered),
        failed => Err(format!("{failed} requests got no success")),
    }
}

/// The script: each request is written once, before the load begins.
fn text(load: &Load<'_>) -> String {
    let mut text = format!("requests = {{}}\nlocal at = 0\nwrk.method = {:?}\n", load.method);
    let requests: Vec<String> = load
        .paths
        .iter()
        .enumerate()
        .map(|(number, path)| {
            let own = load.etags.get(number).map(|etag| ("If-None-Match", etag.as_str()));
            let headers: Vec<String> = load
                .headers
                .iter()
                .copied()
                .chain(own)
                .map(|(name, value)| format!("[{name:?}] = {value:?}"))
                .collect();
            format!(
                "requests[{}] = wrk.format(nil, {path:?}, {{ {} }})\n",
                number + 1,
                headers.join(", ")
            )
        })
        .collect();
    let chunks = requests.chunks(CHUNK);
    let parts: String = (0..chunks.len()).map(|number| format!("part{number}()\n")).collect();
    for (number, chunk) in chunks.enumerate() {
        text.push_str(&format!("function part{number}()\n{}end\n", chunk.concat()));
    }
    text.push_str(&format!(
        "function init(args)\n{parts}end\n\
         function request() at = at % #requests + 1; return requests[at] end\n\
         function done(summary, latency, requests)\n\
           local e = summary.errors\n\
           local failed = e.connect + e.read + e.write + e.status + e.timeout\n\
           local good = summary.requests - e.status\n\
           io.write(string.format('{{\"succeeded\": %d, \"failed\": %d, \"rate\": %f, \"p99\": %f}}\\n',\n\
             good, failed, good / summary.duration * 1e6, latency:percentile(99) / 1000))\n\
         end\n"
    ));
    text
}

/// The one in the middle.
pub fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}
