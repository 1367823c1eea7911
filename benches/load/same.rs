//! Whether two servers, one on SQLite and one on PostgreSQL, answer the same.

use serde_json::Value;

use crate::Result;
use crate::fill;
use crate::http::Client;
use crate::process::Server;
use crate::queries;
use crate::report::Report;
use crate::target::Target;

/// How many queries are compared.
const QUERIES: usize = 200;

/// How many differences are shown.
const SHOWN: usize = 10;

/// Compares two databases.
#[derive(clap::Args, Clone)]
pub struct Same {
    #[command(flatten)]
    target: Target,
    /// The other database, as `--database`; filled with the same articles.
    #[arg(long, value_name = "DATABASE")]
    other: String,
}

/// What must be the same.
#[derive(PartialEq)]
struct Answer {
    total: Option<Value>,
    ids: Vec<String>,
    facets: Option<Value>,
}

impl Same {
    /// Asks both the same.
    pub async fn run(&self, skipped: &mut Vec<String>) -> Result<()> {
        let mut other = self.target.clone();
        other.database.clone_from(&self.other);
        if other.is_postgres() == self.target.is_postgres() {
            return Err("--database and --other are the same kind of database".to_owned());
        }
        let corpus = fill::ensure(&self.target).await?.corpus;
        fill::ensure(&other).await?;
        let (one, two) = (Server::start(&self.target).await?, Server::start(&other).await?);
        let (one, two) = (one.client(1), two.client(1));

        let mut classes = queries::classes(&corpus);
        classes.extend(queries::classes_with_more(&corpus));
        classes.extend(queries::classes_with_facets(&corpus));
        let each = QUERIES.div_ceil(classes.len());
        let mut report = Report::new("same answers on both databases", &self.target).await?;
        let mut rows = Vec::new();
        let mut differences = Vec::new();
        for class in &classes {
            let (mut same, mut asked) = (0, 0);
            for path in class.paths.iter().take(each) {
                let (Some(first), Some(second)) = (ask(&one, path).await?, ask(&two, path).await?) else {
                    skipped.push(format!("{}: not answered", class.name));
                    break;
                };
                asked += 1;
                if first == second {
                    same += 1;
                } else {
                    differences.push(path.clone());
                }
            }
            rows.push(vec![class.name.to_owned(), asked.to_string(), same.to_string()]);
        }
        report.table(&["queries", "asked", "same total, hits, order and facets"], &rows);
        for path in differences.iter().take(SHOWN) {
            report.item(&format!("differs: `{path}`"));
        }
        report.save(self.target.results.as_deref())?;
        if differences.is_empty() {
            return Ok(());
        }
        Err(format!("{} answers differ", differences.len()))
    }
}

/// What is compared of an answer; nothing if the server does not know such requests.
async fn ask(client: &Client, path: &str) -> Result<Option<Answer>> {
    let answer = client.get(path).await?;
    if matches!(answer.status, 400 | 404) {
        return Ok(None);
    }
    let answer = answer.json().map_err(|error| format!("{path}: {error}"))?;
    let hits = answer.get("data").and_then(Value::as_array).into_iter().flatten();
    let id = |hit: &Value| hit.get("external_id").and_then(Value::as_str).map(str::to_owned);
    Ok(Some(Answer {
        total: answer.pointer("/meta/total").cloned(),
        ids: hits.map(|hit| id(hit).unwrap_or_default()).collect(),
        // Facets name what they count by slug.
        facets: answer.pointer("/meta/facets").cloned(),
    }))
}
