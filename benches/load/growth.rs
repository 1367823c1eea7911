//! What reading costs as the number of articles grows, without the cache.

use serde_json::Value;

use crate::Result;
use crate::fill;
use crate::http::Client;
use crate::process::Server;
use crate::report::{Report, Times, thousands};
use crate::target::Target;

/// Measures growth.
#[derive(clap::Args, Clone)]
pub struct Growth {
    #[command(flatten)]
    target: Target,
    /// The sizes, the smallest first.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
    sizes: Vec<u64>,
    /// How often each thing is read.
    #[arg(long, default_value_t = 400)]
    reads: usize,
}

/// What is read, each with the paths that are taken in turn.
type Kinds = Vec<(&'static str, Vec<String>)>;

impl Growth {
    /// Measures each size.
    pub async fn run(&self) -> Result<()> {
        let mut columns: Vec<Vec<(&'static str, f64)>> = Vec::new();
        for size in &self.sizes {
            let target = Target {
                articles: *size,
                ..self.target.clone()
            };
            fill::ensure(&target).await?;
            let server = Server::start(&target).await?;
            let client = server.client(1);
            let kinds = kinds(&client, *size).await?;
            let mut column = Vec::new();
            for (name, paths) in &kinds {
                let mut times = Times::default();
                for path in paths.iter().cycle().take(self.reads / 4) {
                    client.get(path).await?.took()?;
                }
                for path in paths.iter().cycle().take(self.reads) {
                    times.add(client.get(path).await?.took()?);
                }
                column.push((*name, times.percentile(0.5)));
            }
            columns.push(column);
        }
        let largest = self.sizes.last().copied().unwrap_or_default();
        let target = Target {
            articles: largest,
            ..self.target.clone()
        };
        let mut report = Report::new("growth", &target).await?;
        report.line(&format!(
            "One client, no cache, the median of {} reads in milliseconds; the last column is the largest by the smallest",
            self.reads
        ));
        let mut rows = Vec::new();
        let mut bars = Vec::new();
        for (place, (name, first)) in columns.first().into_iter().flatten().enumerate() {
            let all: Vec<f64> = columns
                .iter()
                .filter_map(|column| column.get(place).map(|(_, time)| *time))
                .collect();
            let ratio = all.last().map_or(f64::NAN, |last| last / first);
            let mut row = vec![(*name).to_owned()];
            row.extend(all.iter().map(|time| format!("{time:.2}")));
            row.push(format!("{ratio:.2}"));
            rows.push(row);
            bars.push(((*name).to_owned(), ratio));
        }
        let sizes: Vec<String> = self.sizes.iter().map(|size| thousands(*size)).collect();
        let mut head = vec!["what"];
        head.extend(sizes.iter().map(String::as_str));
        head.push("ratio");
        report.table(&head, &rows);
        report.bars("times as slow as the smallest", &bars);
        report.save(self.target.results.as_deref())
    }
}

fn texts(page: &Value, name: &str) -> Vec<String> {
    let rows = page.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
    rows.iter()
        .filter_map(|row| row.get(name)?.as_str().map(str::to_owned))
        .map(|slug| percent_encoding::utf8_percent_encode(&slug, percent_encoding::NON_ALPHANUMERIC).to_string())
        .collect()
}

async fn kinds(client: &Client, size: u64) -> Result<Kinds> {
    let categories = texts(&client.get("/api/v1/categories").await?.json()?, "slug");
    let tags = texts(&client.get("/api/v1/tags?limit=40").await?.json()?, "slug");
    let authors = texts(&client.get("/api/v1/authors?limit=40").await?.json()?, "slug");
    let slugs = crate::read::slugs(client, 400).await?;
    // The place after nine tenths, reached by going there.
    let mut deep = "/api/v1/articles?limit=100".to_owned();
    for _ in 0..size * 9 / 1_000 {
        let page = client.get(&deep).await?.json()?;
        match page.pointer("/links/next").and_then(Value::as_str) {
            Some(next) => next.clone_into(&mut deep),
            None => break,
        }
    }
    let of = |path: &str, names: &[String]| {
        names
            .iter()
            .map(|name| format!("/api/v1/articles{path}{name}"))
            .collect()
    };
    Ok(vec![
        ("article by slug", of("/by-slug/", &slugs)),
        ("list of 20", vec!["/api/v1/articles?limit=20".to_owned()]),
        ("by category", of("?limit=20&category=", &categories)),
        ("by tag", of("?limit=20&tag=", &tags)),
        ("by author", of("?limit=20&author=", &authors)),
        (
            "by category and tag",
            categories
                .iter()
                .zip(&tags)
                .map(|(category, tag)| format!("/api/v1/articles?limit=20&category={category}&tag={tag}"))
                .collect(),
        ),
        ("after 90 % by cursor", vec![deep.replace("limit=100", "limit=20")]),
        (
            "by update",
            vec!["/api/v1/articles?limit=20&sort=-updated_at".to_owned()],
        ),
    ])
}
