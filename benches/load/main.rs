//! Measures a whole server: `cargo bench --bench load -- search --articles 100000`. See `benches/README.md`.

mod bare;
mod by_hand;
mod corpus;
mod crash;
mod fill;
mod fresh;
mod growth;
mod http;
mod images;
mod process;
mod quality;
mod queries;
mod read;
mod report;
mod rows;
mod same;
mod search;
mod target;
mod views;
mod wrk;

use std::fmt::Display;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use target::Target;

/// What can go wrong, in one line.
pub type Result<T, E = String> = std::result::Result<T, E>;

/// Fills a database with made articles and measures a server on it.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// What cargo adds.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Fill the database, and index it.
    Fill(Target),
    /// Measure searching, suggesting and writing.
    Search(search::Search),
    /// Compare what is found with a reading of every text, and look for known articles.
    Quality(Target),
    /// Compare the answers of SQLite and PostgreSQL.
    Same(same::Same),
    /// Count views, beside a bare handler and one transaction a view.
    Views(views::Views),
    /// Kill the server among views, and look whether it lost or made up any.
    ViewsCrash(views::Crash),
    /// Ask for the most read after a year.
    Rankings(views::Rankings),
    /// What views are held against; started by `views`.
    #[command(hide = true)]
    Bare(views::bare::Bare),
    /// Measure reading from the cache, beside a bare handler that has the same bytes.
    Read(read::Read),
    /// Measure reading without the cache as the number of articles grows.
    Growth(growth::Growth),
    /// Measure writing beside reading, and whether what is written is seen.
    Fresh(fresh::Fresh),
    /// Serve what another server answers, from memory; started by `read`.
    #[command(hide = true)]
    Mirror(bare::Bare),
    /// Measure pictures: variants beside `vipsthumbnail`, many at once, and files beside a bare handler of them.
    Images(images::Images),
    /// Serve a folder; started by `images`.
    #[command(hide = true)]
    PlainFiles(images::floor::Plain),
    /// Speak S3; started by `images`.
    #[command(hide = true)]
    Bucket(images::bucket::Bucket),
    /// Kill the server while it writes, and look whether everything that it acknowledged is found.
    Crash(crash::Crash),
}

fn main() -> ExitCode {
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("warn")).init();
    let outcome = actix_web::rt::System::new().block_on(unless_interrupted(run(Cli::parse().command)));
    match outcome {
        Ok(skipped) if skipped.is_empty() => ExitCode::SUCCESS,
        Ok(skipped) => {
            for what in skipped {
                println!("SKIPPED: {what}");
            }
            ExitCode::from(3)
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Servers have sessions of their own, which a terminal does not interrupt: they end with what started them.
async fn unless_interrupted(work: impl Future<Output = Result<Vec<String>>>) -> Result<Vec<String>> {
    tokio::select! {
        outcome = work => outcome,
        interrupted = tokio::signal::ctrl_c() => Err(interrupted.err().map_or("interrupted".to_owned(), in_words)),
    }
}

/// Runs a command and tells what the server did not answer.
async fn run(command: Command) -> Result<Vec<String>> {
    let mut skipped = Vec::new();
    match command {
        Command::Fill(target) => {
            fill::ensure(&target).await?;
        }
        Command::Search(search) => search.run(&mut skipped).await?,
        Command::Quality(target) => quality::run(&target).await?,
        Command::Crash(crash) => crash.run(&mut skipped).await?,
        Command::Views(views) => views.run().await?,
        Command::ViewsCrash(crash) => crash.run().await?,
        Command::Rankings(rankings) => rankings.run().await?,
        Command::Read(read) => read.run().await?,
        Command::Growth(growth) => growth.run().await?,
        Command::Fresh(fresh) => fresh.run().await?,
        Command::Images(images) => images.run(&mut skipped).await?,
        Command::PlainFiles(files) => files.run().await?,
        Command::Bucket(bucket) => bucket.run().await?,
        Command::Bare(bare) => bare.run().await?,
        Command::Mirror(bare) => bare.run().await?,
        Command::Same(same) => same.run(&mut skipped).await?,
    }
    Ok(skipped)
}

/// An error as the line that is printed.
pub fn in_words(error: impl Display) -> String {
    error.to_string()
}
