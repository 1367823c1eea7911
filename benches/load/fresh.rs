//! Writes under load: is what was acknowledged seen by the next read, and what do reads lose?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{join, join_all};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bare;
use crate::fill;
use crate::http::Client;
use crate::process::Server;
use crate::read::CACHED;
use crate::report::{Report, Times};
use crate::target::Target;
use crate::wrk::{self, Answered, Load, median};
use crate::{Result, in_words};

/// Measures writing beside reading.
#[derive(clap::Args, Clone)]
pub struct Fresh {
    #[command(flatten)]
    target: Target,
    /// How long each run lasts, in seconds.
    #[arg(long, default_value_t = 8)]
    seconds: u64,
    /// Writes a second.
    #[arg(long, default_value_t = 100)]
    writes: u32,
}

/// What writing beside the load found.
#[derive(Default)]
struct Written {
    writes: Times,
    stale: usize,
    /// Until another instance shows it.
    followed: Times,
    /// How long a handler that has all in memory was waited for meanwhile.
    waited: Times,
}

impl Written {
    fn add_all(&mut self, other: &Self) {
        self.writes.add_all(&other.writes);
        self.followed.add_all(&other.followed);
        self.waited.add_all(&other.waited);
        self.stale += other.stale;
    }
}

/// How many write, each two articles of its own: so many that the rate is kept although each awaits its answers.
const WRITERS: usize = 48;

/// How long both are done first, in seconds.
const WARM_UP: u64 = 3;

/// How often both are measured.
const ROUNDS: u64 = 3;

/// How many articles the lists that are read show, the newest ones; others are written.
const READ: usize = 2_000;

/// After how long the other instance is asked again: oftener, asking would be the load.
const ASK_AGAIN: Duration = Duration::from_millis(5);

/// Another instance on the same database.
struct Other {
    server: Server,
    /// Beside it, what an answer takes that nothing has to be done for: all wait for the same cores.
    bare: bare::Running,
}

impl Other {
    async fn start(target: &Target, written: &[String]) -> Result<Self> {
        let server = Server::start_with(target, CACHED).await?;
        let bare = bare::Running::start(&server.origin, written, None).await?;
        Ok(Self { server, bare })
    }
}

impl Fresh {
    /// Measures everything.
    pub async fn run(&self) -> Result<()> {
        let target = &self.target;
        fill::ensure(target).await?;
        let server = Server::start_with(target, CACHED).await?;
        let client = server.client(4);
        let slugs = crate::read::slugs(&client, READ + 2 * WRITERS).await?;
        let (read, written) = slugs.split_at_checked(READ).ok_or("too few articles")?;
        let mut ids = Vec::new();
        for slug in written {
            let page = client.get(&format!("/api/v1/articles/by-slug/{slug}")).await?.json()?;
            ids.extend(page.pointer("/data/id").and_then(Value::as_i64));
        }
        // It follows from what it has, since it is asked for all once; what it was never asked for shows how long it takes to
        // wake up.
        let other = if target.is_postgres() {
            let written: Vec<String> = ids.iter().copied().map(path_of).collect();
            Some(Other::start(target, &written).await?)
        } else {
            None
        };
        let articles: Vec<String> = read
            .iter()
            .take(1_000)
            .map(|slug| format!("/api/v1/articles/by-slug/{slug}"))
            .collect();
        let lists: Vec<String> = (1..=READ / 20)
            .map(|page| format!("/api/v1/articles?limit=20&page={page}"))
            .collect();
        let mut report = Report::new("fresh", target).await?;
        // Once unmeasured: on a new connection each statement is planned first.
        for paths in [&articles, &lists] {
            let (_, written) = self.beside(&server, other.as_ref(), &ids, paths, WARM_UP).await?;
            if written.stale > 0 {
                return Err("a read was stale before anything was measured".to_owned());
            }
        }
        let mut rows = Vec::new();
        for (name, paths) in [("article by slug", &articles), ("list of 20", &lists)] {
            let (mut quiet, mut beside, mut kept) = (Vec::new(), Vec::new(), Vec::new());
            let mut found = Written::default();
            // In turn, since what else the machine does changes from one minute to the next.
            for _ in 0..ROUNDS {
                let alone = load(&server.origin, paths, self.seconds)?.rate;
                let (together, written) = self.beside(&server, other.as_ref(), &ids, paths, self.seconds).await?;
                found.add_all(&written);
                quiet.push(alone);
                beside.push(together);
                kept.push(together / alone);
            }
            let seconds = self.seconds * ROUNDS;
            rows.push(vec![
                name.to_owned(),
                format!("{:.0}", median(quiet)),
                format!("{:.0}", median(beside)),
                format!("{:.2}", median(kept)),
                format!("{:.0}", found.writes.count() as f64 / seconds as f64),
                format!("{:.1}", found.writes.percentile(0.99)),
                found.stale.to_string(),
            ]);
            if other.is_some() {
                report.item(&format!(
                    "{name}: the other instance followed in {}, {} of {} writes later than 100 ms; one answer of \
                     a bare handler beside it, which waits for the same cores, took {} from when it was due, by the clock of \
                     the client",
                    in_milliseconds(&found.followed),
                    found.followed.longer_than(Duration::from_millis(100)),
                    found.followed.count(),
                    in_milliseconds(&found.waited),
                ));
            }
        }
        report.line(&format!(
            "32 connections read for {} s, then for as long while {WRITERS} clients write titles of other articles, {ROUNDS} times \
             in turn, after {WARM_UP} s of both; medians. Each write is read back at once; a client \
             waits for what it wrote before it writes again",
            self.seconds
        ));
        let head = [
            "what is read",
            "reads a second, quiet",
            "beside writes",
            "ratio",
            "writes a second",
            "write p99 ms",
            "stale reads",
        ];
        report.table(&head, &rows);
        report.save(target.results.as_deref())
    }

    /// Writes for as long as these paths are read: the rate at which they are, and what writing found.
    async fn beside(
        &self,
        server: &Server,
        other: Option<&Other>,
        ids: &[i64],
        paths: &[String],
        seconds: u64,
    ) -> Result<(f64, Written)> {
        let stop = Arc::new(AtomicBool::new(false));
        let reading = {
            let (origin, paths, stop) = (server.origin.clone(), paths.to_owned(), Arc::clone(&stop));
            std::thread::spawn(move || {
                let outcome = load(&origin, &paths, seconds);
                stop.store(true, Ordering::Relaxed);
                outcome
            })
        };
        let written = self.write(server, other, ids, &stop).await?;
        let answered = reading.join().map_err(|_panic| "the load panicked")??;
        Ok((answered.rate, written))
    }

    async fn write(&self, server: &Server, other: Option<&Other>, ids: &[i64], stop: &AtomicBool) -> Result<Written> {
        // Connections of its own: those from before the load was awaited are closed by now.
        let reader = server.client(WRITERS);
        let editor = reader.clone().signed_in().await?;
        let there = other.map(|other| other.server.client(WRITERS));
        let pause = Duration::from_secs(1) * WRITERS as u32 / self.writes;
        let parts = ids.chunks(2);
        let writers = (0..).zip(parts).map(async |(place, ids): (u32, &[i64])| {
            let mut written = Written::default();
            // One after the other.
            let mut next = Instant::now() + pause / WRITERS as u32 * place;
            actix_web::rt::time::sleep(next.saturating_duration_since(Instant::now())).await;
            for (number, id) in ids.iter().cycle().enumerate() {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                let (path, title) = (path_of(*id), format!("新题{number}"));
                written
                    .writes
                    .add(editor.patch(&path, &json!({"title": title})).await?.took()?);
                let acknowledged = Instant::now();
                let followed = async {
                    let Some(there) = &there else { return Ok(None) };
                    while title_of(there, &path).await? != title {
                        if acknowledged.elapsed() > Duration::from_secs(10) {
                            return Err("the other instance does not follow".to_owned());
                        }
                        actix_web::rt::time::sleep(ASK_AGAIN).await;
                    }
                    Ok(Some(acknowledged.elapsed()))
                };
                // On both at once: what the other one is asked must not wait for what this one is.
                let (own, followed) = join(title_of(&reader, &path), followed).await;
                if own? != title {
                    written.stale += 1;
                }
                if let Some(followed) = followed? {
                    written.followed.add(followed);
                }
                next += pause;
                actix_web::rt::time::sleep(next.saturating_duration_since(Instant::now())).await;
            }
            Ok::<_, String>(written)
        });
        let mut all = Written::default();
        let (written, waited) = join(join_all(writers), wait(other, ids, pause / WRITERS as u32, stop)).await;
        for written in written {
            all.add_all(&written?);
        }
        all.waited = waited?;
        Ok(all)
    }
}

/// Asks the bare handler as often as others write, for as long as they do. An answer counts from when it was due to be asked for.
async fn wait(other: Option<&Other>, ids: &[i64], pause: Duration, stop: &AtomicBool) -> Result<Times> {
    let mut waited = Times::default();
    let Some(other) = other else { return Ok(waited) };
    let client = Client::new(other.bare.origin.clone(), 1);
    let mut due = Instant::now();
    for id in ids.iter().cycle() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        client.get(&path_of(*id)).await?.took()?;
        waited.add(due.elapsed());
        due += pause;
        actix_web::rt::time::sleep(due.saturating_duration_since(Instant::now())).await;
    }
    Ok(waited)
}

fn in_milliseconds(times: &Times) -> String {
    let [half, most, all] = [0.5, 0.99, 1.0].map(|share| times.percentile(share));
    format!("p50 {half:.1} ms, p99 {most:.0} ms, at most {all:.0} ms")
}

/// Reads from one thread, which two cores cannot keep up with: a second one would add nothing but another that waits for a
/// core, and who reads a site does it elsewhere.
fn load(origin: &str, paths: &[String], seconds: u64) -> Result<Answered> {
    let load = Load {
        method: "GET",
        paths,
        headers: &[],
        etags: &[],
        connections: 32,
        threads: 1,
        seconds,
    };
    wrk::succeeded(wrk::run(origin, &load)?)
}

fn path_of(id: i64) -> String {
    format!("/api/v1/articles/{id}")
}

async fn title_of(client: &Client, path: &str) -> Result<String> {
    /// Nothing else is taken apart: it would be load.
    #[derive(Deserialize)]
    struct Page {
        data: Titled,
    }
    #[derive(Deserialize)]
    struct Titled {
        title: String,
    }
    let page = client.get(path).await?;
    let page: Page = serde_json::from_slice(page.bytes()).map_err(in_words)?;
    Ok(page.data.title)
}
