//! `broadsheet search`: the index in the hands of who runs the site.

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::import::reason;
use crate::config::Config;
use crate::db::Db;
use crate::search::upkeep::{self, Step};

/// Flags of `search`.
#[derive(Args)]
pub struct Search {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Make the search index anew. The old one answers until the new one is ready.
    Reindex,
    /// Look whether the index agrees with the articles, and mend what does not; exit 1 if anything did not.
    Check,
}

impl Search {
    /// Does it, with a progress bar on a terminal, beside a running server or without one. The error is one line.
    pub async fn run(self, config: Config) -> Result<(), String> {
        let db = Db::open(&config)?;
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {eta}") {
            bar.set_style(style);
        }
        let shown = bar.clone();
        let progress = move |step: Step| {
            shown.set_length(step.all);
            shown.set_position(step.done);
        };
        let outcome = match self.what {
            What::Reindex => reindex(&db, &config, progress).await,
            What::Check => check(&db, &config, progress).await,
        };
        bar.finish_and_clear();
        db.close().await;
        println!("{}", outcome?);
        Ok(())
    }
}

async fn reindex(db: &Db, config: &Config, progress: impl FnMut(Step)) -> Result<String, String> {
    let begun = std::time::Instant::now();
    let articles = upkeep::reindex(db, &config.database, progress)
        .await
        .map_err(|error| reason(&error))?;
    Ok(format!(
        "{articles} article(s) indexed in {:.1} s",
        begun.elapsed().as_secs_f64()
    ))
}

async fn check(db: &Db, config: &Config, progress: impl FnMut(Step) + Send + 'static) -> Result<String, String> {
    let verdict = upkeep::check(db, &config.database, progress)
        .await
        .map_err(|error| reason(&error))?;
    if verdict.agrees() {
        return Ok(format!("{} article(s): the index agrees", verdict.articles));
    }
    if verdict.rebuilt {
        return Err(format!(
            "the index was damaged; it is made anew of {} article(s)",
            verdict.articles
        ));
    }
    Err(format!(
        "of {} article(s) the index had {} wrong, and {} that are not there; that is mended",
        verdict.articles,
        verdict.wrong.len(),
        verdict.extra.len()
    ))
}
