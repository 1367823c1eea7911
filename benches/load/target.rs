//! On what is measured: which database, how many articles, which binary.

use std::path::{Path, PathBuf};

use broadsheet::config::{Config, Settings};
use clap::{Args, Parser};

use crate::{Result, in_words};

/// What every measurement is told.
#[derive(Args, Clone, Debug)]
pub struct Target {
    /// How many articles are made.
    #[arg(long, default_value_t = 10_000)]
    pub articles: u64,
    /// From what they are made; the same seed gives the same articles.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How long articles are, in hundredths of the usual length.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub length: u32,
    /// Leaves out the index of search, which takes most of the time and which no list reads.
    #[arg(long)]
    pub unindexed: bool,
    /// `sqlite`, or `postgres://USER@HOST:PORT/NAME` of an empty database or one that was filled like this.
    #[arg(long, default_value = "sqlite")]
    pub database: String,
    /// Folder whose Markdown files are mixed in, each as an article.
    #[arg(long, value_name = "FOLDER")]
    pub mix: Option<PathBuf>,
    /// Where the databases of all sizes are kept.
    #[arg(long, value_name = "FOLDER", default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/target/load"))]
    pub data: PathBuf,
    /// The server.
    #[arg(long, value_name = "FILE", default_value = env!("CARGO_BIN_EXE_broadsheet"))]
    pub server: PathBuf,
    /// Where the figures go, besides the screen: their section of this Markdown file is written anew.
    #[arg(long, value_name = "FILE")]
    pub results: Option<PathBuf>,
}

/// The settings as the server's own flags read them, with the defaults that it has.
#[derive(Parser)]
struct ServerFlags {
    #[command(flatten)]
    settings: Settings,
}

impl Target {
    /// Whether it is PostgreSQL.
    pub fn is_postgres(&self) -> bool {
        self.database != "sqlite"
    }

    /// Which database, for people.
    pub fn database_name(&self) -> &'static str {
        if self.is_postgres() { "PostgreSQL" } else { "SQLite" }
    }

    /// The data folder of the server.
    pub fn folder(&self) -> PathBuf {
        let mixed = if self.mix.is_some() { "-mixed" } else { "" };
        let database = if self.is_postgres() { "postgres" } else { "sqlite" };
        let indexed = if self.unindexed { "-unindexed" } else { "" };
        let length = match self.length {
            100 => String::new(),
            length => format!("-length-{length}"),
        };
        self.data.join(format!(
            "{database}-{}-{}{length}{indexed}{mixed}",
            self.articles, self.seed
        ))
    }

    /// What `DATABASE_URL` is.
    pub fn database_url(&self) -> Result<String> {
        if self.is_postgres() {
            return Ok(self.database.clone());
        }
        let folder = std::path::absolute(self.folder()).map_err(in_words)?;
        Ok(format!("sqlite://{}/broadsheet.db", text_of(&folder)?))
    }

    /// The settings of a server on it.
    pub fn config(&self) -> Result<Config> {
        let folder = std::path::absolute(self.folder()).map_err(in_words)?;
        std::fs::create_dir_all(&folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
        let url = self.database_url()?;
        let flags = ["load", "--database-url", &url, "--data-dir", text_of(&folder)?];
        ServerFlags::try_parse_from(flags).map_err(in_words)?.settings.check()
    }

    /// How long its articles are, for people; nothing where they are as usual.
    pub fn length_in_words(&self) -> String {
        match self.length {
            100 => String::new(),
            length => format!(" of {length} % of their length"),
        }
    }

    /// What the database is filled with, as it is noted in it.
    pub fn stamp(&self) -> String {
        let mixed = self.mix.as_deref().map_or("", |mix| mix.to_str().unwrap_or("?"));
        let length = self.length_in_words();
        let indexed = if self.unindexed { ", unindexed" } else { "" };
        format!(
            "corpus {} of {} articles{length}, seed {}, mixed with {mixed:?}{indexed}",
            crate::corpus::VERSION,
            self.articles,
            self.seed
        )
    }
}

fn text_of(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| format!("{} is not UTF-8", path.display()))
}
