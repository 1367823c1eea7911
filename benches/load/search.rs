//! How fast a server searches, suggests and makes findable what is written.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::corpus::Corpus;
use crate::fill::{self, Filled};
use crate::http::{Client, address};
use crate::process::Server;
use crate::queries::{self, Class, SEARCH};
use crate::report::{Report, Times};
use crate::target::Target;
use crate::{Result, in_words};

const SUGGEST: &str = "/api/v1/search/suggest";

/// What is asked of the measured machine at 100,000 articles, in milliseconds, searches a second, seconds and megabytes.
struct Wanted {
    search: [f64; 3],
    facets: f64,
    suggest: f64,
    a_second: f64,
    crowded: f64,
    write: f64,
    reindex: f64,
    reindex_memory: f64,
}

const SQLITE: Wanted = Wanted {
    search: [15.0, 40.0, 100.0],
    facets: 30.0,
    suggest: 15.0,
    a_second: 100.0,
    crowded: 500.0,
    write: 60.0,
    reindex: 300.0,
    reindex_memory: 300.0,
};

const POSTGRES: Wanted = Wanted {
    search: [30.0, 75.0, 150.0],
    a_second: 30.0,
    reindex: 540.0,
    ..SQLITE
};

/// Measures searching.
#[derive(clap::Args, Clone)]
pub struct Search {
    #[command(flatten)]
    target: Target,
    /// Build the index anew first, and measure that, also where the database is full already.
    #[arg(long)]
    reindex: bool,
    /// How many clients search at once, each as fast as it can.
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// For how many seconds they do.
    #[arg(long, default_value_t = 20)]
    seconds: u64,
    /// How often each query of one client is measured, after a round that is not.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// How many articles are written.
    #[arg(long, default_value_t = 200)]
    writes: usize,
}

impl Search {
    /// Measures everything.
    pub async fn run(&self, skipped: &mut Vec<String>) -> Result<()> {
        let target = &self.target;
        let wanted = if target.is_postgres() { &POSTGRES } else { &SQLITE };
        let Filled { corpus, reindexed, .. } = fill::ensure(target).await?;
        let mut report = Report::new("search", target).await?;
        report.judge_by_size(target);
        let reindexed = if self.reindex && reindexed.is_none() {
            Some(fill::reindex(target)?)
        } else {
            reindexed
        };
        if let Some(reindexed) = reindexed {
            report.at_most("reindex", reindexed.took.as_secs_f64(), wanted.reindex, "s");
            if let Some(peak) = reindexed.peak {
                report.at_most("memory of it", peak as f64 / 1_048_576.0, wanted.reindex_memory, "MB");
            }
        }
        let server = Server::start(target).await?;
        let client = server.client(1);
        let mut classes = queries::classes(&corpus);
        classes.extend(queries::classes_with_more(&corpus));
        report.line(&format!(
            "One client; milliseconds until the last byte; memory of the server: {}",
            server.memory()
        ));
        let all = self.one_by_one(&client, &classes, &mut report).await?;
        for ((name, share), most) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)]
            .into_iter()
            .zip(wanted.search)
        {
            report.at_most(&format!("search {name}"), all.percentile(share), most, "ms");
        }
        let faceted = queries::classes_with_facets(&corpus);
        if is_answered(&client, &faceted, skipped, "facets").await? {
            let all = self.one_by_one(&client, &faceted, &mut report).await?;
            report.at_most("with facets p50", all.percentile(0.5), wanted.facets, "ms");
        }
        self.suggest(&client, &corpus, wanted, &mut report, skipped).await?;
        self.crowd(&server, &classes, wanted, &mut report).await?;
        let written = self.write(&server, &corpus, &mut report).await?;
        report.at_most("write p99", written.percentile(0.99), wanted.write, "ms");
        report.item(&format!("memory of the server at the end: {}", server.memory()));
        report.save(target.results.as_deref())
    }

    /// One client, one query after the other.
    async fn one_by_one(&self, client: &Client, classes: &[Class], report: &mut Report) -> Result<Times> {
        let mut times = vec![Times::default(); classes.len()];
        let mut hits = vec![0; classes.len()];
        for round in 0..=self.rounds {
            for ((class, times), hits) in classes.iter().zip(&mut times).zip(&mut hits) {
                for path in &class.paths {
                    let answer = client.get(path).await?;
                    let took = answer.took().map_err(|error| format!("{path}: {error}"))?;
                    if round == 0 {
                        *hits += total(&answer.json()?)?;
                    } else {
                        times.add(took);
                    }
                }
            }
        }
        let mut all = Times::default();
        let mut rows = Vec::new();
        for ((class, times), hits) in classes.iter().zip(&times).zip(hits) {
            all.add_all(times);
            let mean = hits / class.paths.len().max(1) as u64;
            rows.push(row(class.name, &mean.to_string(), times));
        }
        rows.push(row("**all**", "", &all));
        report.table(
            &["queries", "mean total", "measured", "p50", "p95", "p99", "max"],
            &rows,
        );
        Ok(all)
    }

    /// Key by key.
    async fn suggest(
        &self,
        client: &Client,
        corpus: &Corpus,
        wanted: &Wanted,
        report: &mut Report,
        skipped: &mut Vec<String>,
    ) -> Result<()> {
        let (chinese, pinyin) = queries::keystrokes(corpus);
        let paths = |typed: Vec<String>| typed.iter().map(|typed| address(SUGGEST, &[("q", typed)])).collect();
        let classes = [("suggest: Chinese", chinese), ("suggest: pinyin", pinyin)].map(|(name, typed)| Class {
            name,
            paths: paths(typed),
        });
        if !is_answered(client, &classes, skipped, "suggest").await? {
            return Ok(());
        }
        let mut all = Times::default();
        let mut rows = Vec::new();
        for class in &classes {
            let mut times = Times::default();
            let mut filled = 0;
            for round in 0..=self.rounds {
                for path in &class.paths {
                    let answer = client.get(path).await?;
                    let took = answer.took().map_err(|error| format!("{path}: {error}"))?;
                    if round == 0 {
                        let items = answer.json()?.get("data").and_then(Value::as_array).map_or(0, Vec::len);
                        filled += usize::from(items > 0);
                    } else {
                        times.add(took);
                    }
                }
            }
            all.add_all(&times);
            rows.push(row(class.name, &format!("{filled} of {}", class.paths.len()), &times));
        }
        report.table(
            &["keys", "with suggestions", "measured", "p50", "p95", "p99", "max"],
            &rows,
        );
        report.at_most("suggest p99", all.percentile(0.99), wanted.suggest, "ms");
        Ok(())
    }

    /// Many clients at once, each as fast as it can.
    async fn crowd(&self, server: &Server, classes: &[Class], wanted: &Wanted, report: &mut Report) -> Result<()> {
        let client = server.client(self.clients);
        let paths: Rc<Vec<String>> = Rc::new(classes.iter().flat_map(|class| class.paths.clone()).collect());
        let times = Rc::new(RefCell::new(Times::default()));
        let begun = Instant::now();
        let end = begun + Duration::from_secs(self.seconds);
        let searchers = (0..self.clients).map(|number| {
            let (client, paths, times) = (client.clone(), Rc::clone(&paths), Rc::clone(&times));
            actix_web::rt::spawn(async move {
                // Each begins elsewhere, and none goes through the classes in step with another.
                let mut rng = fastrand::Rng::with_seed(number as u64);
                while Instant::now() < end {
                    if let Some(path) = rng.choice(paths.iter()) {
                        let took = client.get(path).await?.took()?;
                        times.borrow_mut().add(took);
                    }
                }
                Ok::<(), String>(())
            })
        });
        for outcome in join_all(searchers).await {
            outcome.map_err(in_words)??;
        }
        let took = begun.elapsed().as_secs_f64();
        let times = times.borrow();
        let a_second = times.count() as f64 / took;
        let mut cells = vec![format!("{} clients", self.clients), format!("{a_second:.1}")];
        cells.extend(times.cells());
        report.table(
            &["at once", "searches a second", "measured", "p50", "p95", "p99", "max"],
            &[cells],
        );
        report.at_least("searches a second", a_second, wanted.a_second);
        report.at_most("p99 among them", times.percentile(0.99), wanted.crowded, "ms");
        Ok(())
    }

    /// Writes articles; each must be found at once by a word that it alone has.
    async fn write(&self, server: &Server, corpus: &Corpus, report: &mut Report) -> Result<Times> {
        let client = server.client(1).signed_in().await?;
        let (mut written, mut found) = (Times::default(), Times::default());
        let mut ids = Vec::new();
        let mut missing = 0;
        for number in 0..self.writes {
            let word = unique_word("w", number as u64);
            let article = corpus.article(number as u64);
            let tags: Vec<&String> = article.tags.iter().filter_map(|tag| corpus.tags().get(*tag)).collect();
            let body = json!({
                "title": article.title, "body": format!("{}\n\n{word}。", article.source), "status": "published",
                "tags": tags, "category_id": article.category + 1, "author_ids": [article.author + 1],
            });
            let answer = client.post("/api/v1/articles", &body).await?;
            written.add(answer.took()?);
            let id = answer.json()?.pointer("/data/id").and_then(Value::as_i64);
            ids.extend(id);
            let answer = client.get(&address(SEARCH, &[("q", &word)])).await?;
            found.add(answer.took()?);
            if answer.json()?.pointer("/data/0/id").and_then(Value::as_i64) != id {
                missing += 1;
            }
        }
        for id in ids {
            client.delete(&format!("/api/v1/articles/{id}")).await?.took()?;
        }
        let rows = [
            row("article created", "", &written),
            row("its word searched", &format!("{missing} missing"), &found),
        ];
        report.table(&["writes", "", "measured", "p50", "p95", "p99", "max"], &rows);
        if missing > 0 {
            return Err(format!("{missing} articles were not found at once"));
        }
        Ok(written)
    }
}

fn row(name: &str, more: &str, times: &Times) -> Vec<String> {
    [name.to_owned(), more.to_owned()]
        .into_iter()
        .chain(times.cells())
        .collect()
}

/// How many articles a search found.
pub fn total(answer: &Value) -> Result<u64> {
    answer
        .pointer("/meta/total")
        .and_then(Value::as_u64)
        .ok_or_else(|| format!("no total in {answer}"))
}

/// A word of letters that stands nowhere else.
pub fn unique_word(kind: &str, number: u64) -> String {
    let mut word = format!("zq{kind}");
    let mut rest = number;
    for _ in 0..6 {
        let letter = u8::try_from(rest % 26).unwrap_or_default();
        word.push(char::from(b'a' + letter));
        rest /= 26;
    }
    word
}

/// Whether the server knows such requests; if not, that is noted.
async fn is_answered(client: &Client, classes: &[Class], skipped: &mut Vec<String>, what: &str) -> Result<bool> {
    let Some(path) = classes.first().and_then(|class| class.paths.first()) else {
        return Ok(false);
    };
    let answer = client.get(path).await?;
    if matches!(answer.status, 400 | 404) {
        skipped.push(format!("{what}: the server answers {}", answer.status));
        return Ok(false);
    }
    answer.took().map(|_| true)
}
