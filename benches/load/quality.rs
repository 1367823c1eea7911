//! What a server finds, against a reading of every text; and whether known articles come first.

mod known;
mod scan;

use std::collections::BTreeSet;

use broadsheet::db::Db;
use broadsheet::text::flow::{Needle, flow};
use fastrand::Rng;
use serde_json::Value;

use crate::Result;
use crate::corpus::Corpus;
use crate::fill;
use crate::http::{Client, address};
use crate::process::Server;
use crate::queries::SEARCH;
use crate::report::Report;
use crate::search::total;
use crate::target::Target;

/// How many hits can be read by relevance, and how many a page has.
const WINDOW: u64 = 1_000;
const PAGE: u64 = 100;

/// Strings of one kind, and how much of what has them must be found.
struct Strings {
    name: &'static str,
    texts: Vec<String>,
    precision: f64,
}

/// Reads every text, asks the server for the same, and compares.
pub async fn run(target: &Target) -> Result<()> {
    let filled = fill::ensure(target).await?;
    let mut report = Report::new("quality", target).await?;
    let server = Server::start(target).await?;
    let client = server.client(1);
    compare(target, &filled.corpus, &client, &mut report).await?;
    known::run(&filled, &client, &mut report).await?;
    report.save(target.results.as_deref())
}

async fn compare(target: &Target, corpus: &Corpus, client: &Client, report: &mut Report) -> Result<()> {
    let mut rng = Rng::with_seed(target.seed);
    let rng = &mut rng;
    let kinds = [
        ("1 character", random_strings(corpus, 1, 100, rng), 0.99),
        ("2 characters", random_strings(corpus, 2, 100, rng), 0.99),
        ("3 characters", random_strings(corpus, 3, 100, rng), 0.99),
        ("words of 4 characters", words_of_four(corpus, 50, rng), 0.97),
        ("new words", corpus.invented().to_vec(), 0.97),
    ]
    .map(|(name, texts, precision)| Strings { name, texts, precision });
    let needles = kinds
        .iter()
        .flat_map(|kind| &kind.texts)
        .map(|text| Needle::new(&flow(text)))
        .collect();
    let db = Db::open(&target.config()?)?;
    let mut truths = scan::having(&db, needles).await?.into_iter();
    db.close().await;
    let mut rows = Vec::new();
    let mut verdicts = Vec::new();
    for kind in &kinds {
        let mut sums = Sums::default();
        for (text, truth) in kind.texts.iter().zip(&mut truths) {
            sums.add(text, &found(client, text).await?, &truth);
        }
        verdicts.push((kind, sums.recall(), sums.precision()));
        rows.push(sums.row(kind.name));
    }
    report.line("Strings of the corpus; what the server finds against a reading of every text.");
    let head = [
        "strings",
        "asked",
        "compared hit by hit",
        "recall",
        "least",
        "precision",
        "least",
    ];
    report.table(&head, &rows);
    for (kind, recall, precision) in verdicts {
        report.at_least(&format!("recall, {}", kind.name), recall, 1.0);
        report.at_least(&format!("precision, {}", kind.name), precision, kind.precision);
    }
    Ok(())
}

/// What a search found: how many, and which, if all of them can be read.
struct Found {
    total: u64,
    ids: Option<BTreeSet<i64>>,
}

async fn found(client: &Client, text: &str) -> Result<Found> {
    let mut ids = BTreeSet::new();
    let mut page = 1;
    loop {
        let (limit, number) = (PAGE.to_string(), page.to_string());
        let path = address(SEARCH, &[("q", text), ("limit", &limit), ("page", &number)]);
        let answer = client
            .get(&path)
            .await?
            .json()
            .map_err(|error| format!("{path}: {error}"))?;
        let total = total(&answer)?;
        if total > WINDOW {
            return Ok(Found { total, ids: None });
        }
        ids.extend(ids_of(&answer));
        if page * PAGE >= total {
            return Ok(Found { total, ids: Some(ids) });
        }
        page += 1;
    }
}

/// The ids of the hits on a page, in order.
fn ids_of(answer: &Value) -> Vec<i64> {
    let hits = answer.get("data").and_then(Value::as_array).into_iter().flatten();
    hits.filter_map(|hit| hit.get("id").and_then(Value::as_i64)).collect()
}

#[derive(Default)]
struct Sums {
    asked: usize,
    compared: usize,
    recall: f64,
    least_recall: Option<(f64, String)>,
    precision: f64,
    least_precision: Option<(f64, String)>,
}

impl Sums {
    fn add(&mut self, text: &str, found: &Found, truth: &BTreeSet<i64>) {
        // Of more hits than can be read, the numbers alone are compared.
        let right = match &found.ids {
            Some(ids) => ids.intersection(truth).count() as f64,
            None => found.total.min(truth.len() as u64) as f64,
        };
        let share = |whole: f64| if whole > 0.0 { right / whole } else { 1.0 };
        let (recall, precision) = (share(truth.len() as f64), share(found.total as f64));
        self.asked += 1;
        self.compared += usize::from(found.ids.is_some());
        self.recall += recall;
        self.precision += precision;
        for (least, value) in [(&mut self.least_recall, recall), (&mut self.least_precision, precision)] {
            if least.as_ref().is_none_or(|(least, _)| value < *least) {
                *least = Some((value, text.to_owned()));
            }
        }
    }

    fn recall(&self) -> f64 {
        self.recall / self.asked as f64
    }

    fn precision(&self) -> f64 {
        self.precision / self.asked as f64
    }

    fn row(&self, name: &str) -> Vec<String> {
        let least = |least: &Option<(f64, String)>| match least {
            Some((value, text)) if *value < 1.0 => format!("{value:.3} ({text})"),
            Some(_) | None => "1".to_owned(),
        };
        vec![
            name.to_owned(),
            self.asked.to_string(),
            self.compared.to_string(),
            format!("{:.4}", self.recall()),
            least(&self.least_recall),
            format!("{:.4}", self.precision()),
            least(&self.least_precision),
        ]
    }
}

/// Strings of Han characters that stand side by side somewhere, wherever words begin and end.
fn random_strings(corpus: &Corpus, characters: usize, many: usize, rng: &mut Rng) -> Vec<String> {
    let han = |c: char| ('\u{4E00}'..='\u{9FFF}').contains(&c);
    let mut strings = BTreeSet::new();
    while strings.len() < many {
        let source = corpus.article(rng.u64(0..corpus.size().max(1))).source;
        let runs: Vec<&str> = source
            .split(|c| !han(c))
            .filter(|run| run.chars().count() >= characters)
            .collect();
        let Some(run) = rng.choice(runs.iter()) else { continue };
        let begin = rng.usize(0..=run.chars().count() - characters);
        strings.insert(run.chars().skip(begin).take(characters).collect::<String>());
    }
    strings.into_iter().collect()
}

/// Words of four characters, as they are met in texts: the frequent ones more often.
fn words_of_four(corpus: &Corpus, many: usize, rng: &mut Rng) -> Vec<String> {
    let mut words = BTreeSet::new();
    while words.len() < many {
        let word = corpus.draw(rng);
        if word.chars().count() == 4 {
            words.insert(word.to_owned());
        }
    }
    words.into_iter().collect()
}
