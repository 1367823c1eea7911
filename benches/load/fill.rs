//! Filling a database: articles are made and rendered on every core, written in large transactions, and indexed at the end by
//! the server's own command.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use broadsheet::config::Database;
use broadsheet::db::schema::{site, tags};
use broadsheet::db::{Db, DbConn};
use broadsheet::search::upkeep;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::corpus::{Article, Corpus};
use crate::process;
use crate::rows::{self, Ready};
use crate::target::Target;
use crate::{Result, in_words};

/// How many articles go in one transaction.
const BATCH: u64 = 400;

/// An article of the folder that is mixed in.
#[derive(Clone)]
pub struct Mixed {
    /// Its id.
    pub external_id: String,
    /// Its first heading.
    pub title: String,
    source: String,
}

/// What building the index took.
pub struct Reindexed {
    /// How long.
    pub took: Duration,
    /// The most memory of the command.
    pub peak: Option<u64>,
}

/// A database that is full.
pub struct Filled {
    /// What it is filled with.
    pub corpus: Corpus,
    /// What was mixed in.
    pub mixed: Vec<Mixed>,
    /// What building the index took, if that was done now.
    pub reindexed: Option<Reindexed>,
}

/// Fills the target, unless it is full already.
pub async fn ensure(target: &Target) -> Result<Filled> {
    let config = target.config()?;
    let mixed = target.mix.as_deref().map_or(Ok(Vec::new()), read_folder)?;
    let corpus = Corpus::new(target.seed, target.articles).of_length(target.length);
    let db = Db::open(&config)?;
    let reindexed = if is_full(&db, target.stamp()).await? {
        println!("reusing {} ({})", target.folder().display(), target.stamp());
        None
    } else {
        let begun = Instant::now();
        // Else the server would take the index of what is written here to be that of another version.
        upkeep::settle(&db).await.map_err(in_words)?;
        fill(&db, &corpus, &mixed)?;
        println!(
            "wrote {} articles in {:.1} s",
            corpus.size() + mixed.len() as u64,
            begun.elapsed().as_secs_f64()
        );
        let reindexed = (!target.unindexed).then(|| reindex(target)).transpose()?;
        if let Database::Postgres(url) = &config.database {
            vacuum(url)?;
        }
        let stamp = target.stamp();
        db.write(move |tx| {
            diesel::update(site::table)
                .set(site::description.eq(stamp))
                .execute(tx.conn)?;
            Ok(())
        })
        .await
        .map_err(in_words)?;
        reindexed
    };
    db.close().await;
    Ok(Filled {
        corpus,
        mixed,
        reindexed,
    })
}

/// Whether the database has what the stamp says. One that has something else is refused.
async fn is_full(db: &Db, stamp: String) -> Result<bool> {
    let (noted, any) = db
        .read(|read| {
            let noted: Option<String> = site::table.select(site::description).first(read.conn)?;
            let any: Option<i64> = tags::table.select(tags::id).first(read.conn).optional()?;
            Ok((noted, any))
        })
        .await
        .map_err(in_words)?;
    match (noted, any) {
        (Some(noted), _) if noted == stamp => Ok(true),
        (_, None) => Ok(false),
        (noted, Some(_)) => Err(format!(
            "the database has other articles ({}): give an empty one, or remove it",
            noted
                .as_deref()
                .unwrap_or("of unknown origin, or filling was broken off")
        )),
    }
}

fn fill(db: &Db, corpus: &Corpus, mixed: &[Mixed]) -> Result<()> {
    thread::scope(|scope| {
        let cores = thread::available_parallelism().map_or(2, usize::from) as u64;
        let batches: Vec<Receiver<Vec<Ready>>> = (0..cores)
            .map(|core| {
                let (send, receive) = sync_channel(2);
                scope.spawn(move || {
                    let mine = (0..).map(|round| (round * cores + core) * BATCH);
                    for begin in mine.take_while(|begin| *begin < corpus.size() + mixed.len() as u64) {
                        if send.send(batch(corpus, mixed, begin)).is_err() {
                            return;
                        }
                    }
                });
                receive
            })
            .collect();
        // A thread of its own for what waits, beside those that work.
        scope
            .spawn(move || actix_web::rt::System::new().block_on(write(db, corpus, batches)))
            .join()
            .map_err(|_panic| "writing panicked".to_owned())?
    })
}

/// The articles from `begin` on, those that are mixed in at the end.
fn batch(corpus: &Corpus, mixed: &[Mixed], begin: u64) -> Vec<Ready> {
    let end = (begin + BATCH).min(corpus.size() + mixed.len() as u64);
    (begin..end)
        .map(|place| {
            let id = i64::try_from(place).unwrap_or(i64::MAX - 1) + 1;
            rows::prepare(id, article(corpus, mixed, place))
        })
        .collect()
}

fn article(corpus: &Corpus, mixed: &[Mixed], place: u64) -> Article {
    let Some(number) = place.checked_sub(corpus.size()) else {
        return corpus.article(place);
    };
    let Some(mixed) = usize::try_from(number)
        .ok()
        .and_then(|number| mixed.get(number).map(|one| (one, mixed.len())))
    else {
        return corpus.article(place);
    };
    let (one, many) = mixed;
    // Their dates are spread over all the years.
    let as_if = number * corpus.size() / many as u64;
    corpus.adopt(one.external_id.clone(), one.title.clone(), one.source.clone(), as_if)
}

async fn write(db: &Db, corpus: &Corpus, batches: Vec<Receiver<Vec<Ready>>>) -> Result<()> {
    let progress = indicatif::ProgressBar::new(corpus.size())
        .with_style(indicatif::ProgressStyle::with_template("{elapsed} {wide_bar} {pos}/{len}").map_err(in_words)?);
    let taxonomy = rows::Taxonomy::of(corpus);
    db.write(move |tx| Ok(rows::insert_taxonomy(tx, &taxonomy)?))
        .await
        .map_err(in_words)?;
    'all: loop {
        for receiver in &batches {
            let Ok(batch) = receiver.recv() else { break 'all };
            progress.inc(batch.len() as u64);
            db.write(move |tx| Ok(rows::insert(tx, &batch)?))
                .await
                .map_err(in_words)?;
        }
    }
    db.write(|tx| Ok(rows::settle_ids(tx)?)).await.map_err(in_words)?;
    progress.finish_and_clear();
    Ok(())
}

/// What autovacuum would do within minutes.
fn vacuum(url: &str) -> Result<()> {
    let mut conn = DbConn::Postgres(PgConnection::establish(url).map_err(in_words)?);
    conn.batch_execute("VACUUM ANALYZE").map_err(in_words)
}

/// Builds the index by the server's command.
pub fn reindex(target: &Target) -> Result<Reindexed> {
    let ended = process::run(target, &["search", "reindex"])?;
    if ended.code != Some(0) {
        return Err(format!("search reindex failed: {}", ended.last_line()));
    }
    println!(
        "indexed in {:.1} s, at most {}",
        ended.took.as_secs_f64(),
        process::megabytes(ended.peak)
    );
    Ok(Reindexed {
        took: ended.took,
        peak: ended.peak,
    })
}

/// The Markdown files of a folder, by name.
fn read_folder(folder: &Path) -> Result<Vec<Mixed>> {
    let shown = |error: std::io::Error| format!("cannot read {}: {error}", folder.display());
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(shown)? {
        let path = entry.map_err(shown)?.path();
        if path.extension().is_some_and(|ending| ending == "md") {
            files.push(path);
        }
    }
    files.sort();
    files.iter().map(|file| read_file(file)).collect()
}

fn read_file(file: &Path) -> Result<Mixed> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let heading = |line: &str| line.strip_prefix("# ").map(|title| title.trim().to_owned());
    let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let title = text.lines().find_map(heading).unwrap_or_else(|| name.to_owned());
    let rest = text.lines().filter(|line| heading(line).as_deref() != Some(&title));
    Ok(Mixed {
        external_id: format!("mixed-{name}"),
        source: rest.collect::<Vec<_>>().join("\n"),
        title,
    })
}
