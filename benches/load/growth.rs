//! What reading costs as the number of articles grows, without the cache: of each list the same part, as long at every size.

use broadsheet::db::DbConn;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;

use crate::fill;
use crate::http::Client;
use crate::process::Server;
use crate::report::{Report, Times, thousands};
use crate::target::Target;
use crate::{Result, in_words};

/// Measures growth.
#[derive(clap::Args, Clone)]
pub struct Growth {
    #[command(flatten)]
    target: Target,
    /// The sizes, the smallest first. On PostgreSQL each has a database of its own, `NAME_1000` and so on, which is made where
    /// it is missing.
    #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
    sizes: Vec<u64>,
    /// How often each thing is read at each size.
    #[arg(long, default_value_t = 400)]
    reads: usize,
}

/// How many times as long as at the smallest size a read may take at the largest.
const MOST: f64 = 1.5;

/// How many pairs of a category and a tag are read in turn.
const PAIRS: usize = 40;

/// What is read of a site.
struct Kind {
    name: &'static str,
    /// The paths that are taken in turn.
    paths: Vec<String>,
}

impl Growth {
    /// Measures all sizes in turn, so that what else the machine does falls on each of them.
    pub async fn run(&self) -> Result<()> {
        let mut sites = Vec::new();
        for size in &self.sizes {
            let target = self.target_of(*size)?;
            fill::ensure(&target).await?;
            let server = Server::start(&target).await?;
            let client = server.client(1);
            sites.push((*size, server, client));
        }
        let (Some((_, _, smallest)), Some((largest, ..))) = (sites.first(), sites.last()) else {
            return Err("no sizes".to_owned());
        };
        let lists = lists(smallest).await?;
        let mut kinds: Vec<Vec<Kind>> = Vec::new();
        for (size, _, client) in &sites {
            let mut own = vec![articles(client).await?];
            own.extend(lists.iter().map(|(name, paths)| Kind {
                name,
                paths: paths.clone(),
            }));
            own.push(deep(client, *size).await?);
            kinds.push(own);
        }
        let mut report = Report::new("growth", &self.target_of(*largest)?).await?;
        report.line(&format!(
            "One client, no cache, the median of {} reads in milliseconds, the sizes in turn, after each address was read \
             once. Lists are as long at every size: 20 articles, or as many as there are at the smallest, less the one that a \
             list reads beyond what it shows.",
            self.reads
        ));
        let (mut rows, mut bars) = (Vec::new(), Vec::new());
        let count = kinds.first().map_or(0, Vec::len);
        for place in 0..count {
            let of_sizes: Vec<&Kind> = kinds.iter().filter_map(|own| own.get(place)).collect();
            let Some(name) = of_sizes.first().map(|kind| kind.name) else {
                continue;
            };
            let mut times: Vec<Times> = of_sizes.iter().map(|_| Times::default()).collect();
            // What was never read comes from the disk, at any size; a large file is rarely all in memory, a small one always is.
            let before = of_sizes.iter().map(|kind| kind.paths.len()).max().unwrap_or_default();
            for read in 0..before + self.reads {
                for ((kind, (_, _, client)), times) in of_sizes.iter().zip(&sites).zip(&mut times) {
                    let path = kind.paths.get(read % kind.paths.len().max(1));
                    let path = path.ok_or_else(|| format!("{name}: nothing to read"))?;
                    let took = client.get(path).await?.took()?;
                    if read >= before {
                        times.add(took);
                    }
                }
            }
            let all: Vec<f64> = times.iter().map(|times| times.percentile(0.5)).collect();
            let ratio = match all.as_slice() {
                [first, .., last] => last / first,
                _ => 1.0,
            };
            report.at_most(&format!("{name}, the largest by the smallest"), ratio, MOST, "");
            let mut row = vec![name.to_owned()];
            row.extend(all.iter().map(|time| format!("{time:.2}")));
            row.push(format!("{ratio:.2}"));
            rows.push(row);
            bars.push((name.to_owned(), ratio));
        }
        let sizes: Vec<String> = self.sizes.iter().map(|size| thousands(*size)).collect();
        let mut head = vec!["what"];
        head.extend(sizes.iter().map(String::as_str));
        head.push("ratio");
        report.table(&head, &rows);
        report.bars("times as slow as the smallest", &bars);
        report.save(self.target.results.as_deref())
    }

    /// The target of one size; on PostgreSQL its database is there afterwards.
    fn target_of(&self, articles: u64) -> Result<Target> {
        let mut target = Target {
            articles,
            ..self.target.clone()
        };
        if target.is_postgres() {
            let (at, query) = match self.target.database.split_once('?') {
                Some((at, query)) => (at, format!("?{query}")),
                None => (self.target.database.as_str(), String::new()),
            };
            let (server, name) = at.rsplit_once('/').ok_or_else(|| format!("{at} names no database"))?;
            let name = format!("{name}_{articles}");
            make_database(&format!("{server}/postgres{query}"), &name)?;
            target.database = format!("{server}/{name}{query}");
        }
        Ok(target)
    }
}

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    datname: String,
}

fn make_database(server: &str, name: &str) -> Result<()> {
    let mut conn = DbConn::Postgres(diesel::PgConnection::establish(server).map_err(in_words)?);
    let there: Vec<Named> = diesel::sql_query("SELECT datname::text AS datname FROM pg_database")
        .load(&mut conn)
        .map_err(in_words)?;
    if there.iter().any(|one| one.datname == name) {
        return Ok(());
    }
    conn.batch_execute(&format!("CREATE DATABASE \"{name}\""))
        .map_err(in_words)
}

fn texts(page: &Value, name: &str) -> Vec<String> {
    let rows = page.get("data").and_then(Value::as_array).into_iter().flatten();
    rows.filter_map(|row| row.get(name)?.as_str())
        .map(|slug| percent_encoding::utf8_percent_encode(slug, percent_encoding::NON_ALPHANUMERIC).to_string())
        .collect()
}

/// How many articles of a list are shown, at most 20: one less than there are, since a list reads one more than it shows.
async fn length(client: &Client, filters: &str) -> Result<usize> {
    let page = client
        .get(&format!("/api/v1/articles?limit=21{filters}"))
        .await?
        .json()?;
    let there = page.get("data").and_then(Value::as_array).map_or(0, Vec::len);
    Ok(there.saturating_sub(1))
}

/// Articles by their slugs: others at each size, of the same lengths in the mean.
async fn articles(client: &Client) -> Result<Kind> {
    let slugs = crate::read::slugs(client, 400).await?;
    Ok(Kind {
        name: "article by slug",
        paths: slugs
            .iter()
            .map(|slug| format!("/api/v1/articles/by-slug/{slug}"))
            .collect(),
    })
}

/// Lists of what there is at the smallest size, as long as they are there.
async fn lists(smallest: &Client) -> Result<Vec<(&'static str, Vec<String>)>> {
    let categories = texts(&smallest.get("/api/v1/categories").await?.json()?, "slug");
    let tags = texts(&smallest.get("/api/v1/tags?limit=40").await?.json()?, "slug");
    let authors = texts(&smallest.get("/api/v1/authors?limit=40").await?.json()?, "slug");
    let mut lists = vec![
        ("list of 20", vec!["/api/v1/articles?limit=20".to_owned()]),
        (
            "by update",
            vec!["/api/v1/articles?limit=20&sort=-updated_at".to_owned()],
        ),
    ];
    let at = |filters: &str, length: usize| format!("/api/v1/articles?limit={length}{filters}");
    for (name, field, slugs) in [
        ("by category", "category", &categories),
        ("by tag", "tag", &tags),
        ("by author", "author", &authors),
    ] {
        let mut paths = Vec::new();
        for slug in slugs {
            let filters = format!("&{field}={slug}");
            match length(smallest, &filters).await? {
                0 => {}
                length => paths.push(at(&filters, length)),
            }
        }
        lists.push((name, paths));
    }
    let mut pairs = Vec::new();
    for category in &categories {
        for tag in &tags {
            let filters = format!("&category={category}&tag={tag}");
            pairs.push((length(smallest, &filters).await?, filters));
        }
    }
    pairs.retain(|(length, _)| *length > 0);
    pairs.sort();
    let few = pairs.iter().take(PAIRS);
    let many = pairs.iter().rev().take(PAIRS);
    let shown = |(length, filters): &(usize, String)| at(filters, *length);
    lists.push(("by category and tag", many.map(shown).collect()));
    lists.push(("by category and tag, the rarest", few.map(shown).collect()));
    Ok(lists)
}

/// The place after nine tenths, reached by going there.
async fn deep(client: &Client, size: u64) -> Result<Kind> {
    let mut at = "/api/v1/articles?limit=100".to_owned();
    for _ in 0..size * 9 / 1_000 {
        let page = client.get(&at).await?.json()?;
        match page.pointer("/links/next").and_then(Value::as_str) {
            Some(next) => next.clone_into(&mut at),
            None => break,
        }
    }
    Ok(Kind {
        name: "after 90 % by cursor",
        paths: vec![at.replace("limit=100", "limit=20")],
    })
}
