//! `broadsheet import`: articles from elsewhere.
//!
//! A folder of Markdown comes in file by file: [`files`] finds them, [`front`], [`post`] and [`body`] read them,
//! [`pictures`] says what they show, and [`store`] writes each in a short transaction of its own, so that a server on the
//! same database goes on serving.

mod article;
mod body;
mod date;
mod files;
mod front;
mod pictures;
mod plugins;
mod post;
mod report;
mod store;
mod value;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use chrono_tz::Tz;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

pub(super) use self::article::Article;
use self::files::{File, Folder, Picture};
pub use self::report::{Note, Report};
pub use self::store::Outcome;
pub(super) use self::store::save;
use crate::config::Config;
use crate::db::Db;
use crate::error::{Error, Language};
use crate::images::Files;
use crate::images::ingest::ingest_bytes;
use crate::site::store::find_site;

/// Longest external id, in characters.
const MOST_ID: usize = 200;

/// Where articles come from.
#[derive(Args)]
pub struct Import {
    #[command(subcommand)]
    from: From,
}

#[derive(Subcommand)]
enum From {
    /// A folder of Markdown files, with front matter or without (Hexo, Hugo, Jekyll).
    ///
    /// Each file is known by its path in the folder: a second import changes what changed. A server may run meanwhile.
    Markdown {
        /// The folder.
        dir: PathBuf,
    },
}

impl Import {
    /// Imports, with a progress bar on a terminal, and reports. The error is one line.
    pub async fn run(self, config: Config) -> Result<(), String> {
        let From::Markdown { dir } = self.from;
        let db = Db::open(&config)?;
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}") {
            bar.set_style(style);
        }
        let outcome = markdown(&db, &config, &dir, |step| {
            bar.set_length(step.all as u64);
            bar.set_position(step.done as u64);
            bar.set_message(step.file.to_owned());
        })
        .await;
        bar.finish_and_clear();
        db.close().await;
        let report = outcome?;
        println!("{report}");
        match report.failed.len() {
            0 => Ok(()),
            failed => Err(format!("{failed} files did not come in")),
        }
    }
}

/// How far an import is.
#[derive(Clone, Copy, Debug)]
pub struct Step<'a> {
    /// Files that are done.
    pub done: usize,
    /// All files.
    pub all: usize,
    /// The file that comes now.
    pub file: &'a str,
}

/// Imports a folder of Markdown files. A file that fails is reported, and the others come in.
///
/// # Errors
/// The folder or the database cannot be read at all; one line.
pub async fn markdown(
    db: &Db,
    config: &Config,
    dir: &Path,
    mut progress: impl FnMut(Step<'_>),
) -> Result<Report, String> {
    let folder = Folder::open(dir)?;
    let mut import = Importer {
        db,
        files: Files::open(config)?,
        zone: zone(db, config).await?,
        images: HashMap::new(),
        report: Report::default(),
        folder,
    };
    let files = import.folder.files();
    let all = files.len();
    for (done, file) in files.into_iter().enumerate() {
        match file {
            Ok(file) => {
                progress(Step {
                    done,
                    all,
                    file: &file.name,
                });
                if let Err(reason) = import.take(&file).await {
                    import.report.fail(file.name, reason);
                }
            }
            Err((path, reason)) => import.report.fail(path, reason),
        }
    }
    Ok(import.report)
}

/// The zone of dates without an offset.
pub(super) async fn zone(db: &Db, config: &Config) -> Result<Tz, String> {
    let site = db
        .read(|read| Ok(find_site(read.conn)?))
        .await
        .map_err(|error| error.to_string())?;
    Ok(site.zone(config.time_zone))
}

struct Importer<'a> {
    db: &'a Db,
    files: Files,
    folder: Folder,
    zone: Tz,
    /// What became of each picture: its image, or why there is none.
    images: HashMap<PathBuf, Result<i64, String>>,
    report: Report,
}

impl Importer<'_> {
    /// Takes one file in. The error says why it does not come in.
    async fn take(&mut self, file: &File) -> Result<(), String> {
        let mut article = Article::read(&file.read()?, &file.stem(), self.zone)?;
        article.post.draft |= file.is_draft();
        let mut notes = std::mem::take(&mut article.remarks.notes);
        let mut images = HashMap::new();
        for address in article.addresses() {
            if images.contains_key(address) {
                continue;
            }
            match self.folder.picture(file, address) {
                Picture::Elsewhere => {}
                Picture::Missing => notes.push(format!("the picture {address:?} is not in the folder")),
                Picture::Here(path) => match self.image(path).await? {
                    Ok(id) => {
                        images.insert(address.to_owned(), id);
                    }
                    Err(reason) => notes.push(format!("the picture {address:?} was not taken: {reason}")),
                },
            }
        }
        if article
            .post
            .cover
            .as_deref()
            .is_some_and(|cover| matches!(self.folder.picture(file, cover), Picture::Elsewhere))
        {
            notes.push("the cover is on the web; a cover has to lie in the folder".to_owned());
        }
        for key in &article.remarks.unknown {
            *self.report.unknown.entry(key.clone()).or_default() += 1;
        }
        let ready = article.with_images(&images);
        let (outcome, more) = save(self.db, external_id(&file.name), ready)
            .await
            .map_err(|error| reason(&error))?;
        self.report.count(outcome);
        notes.extend(more);
        notes.dedup();
        self.report.note(&file.name, notes);
        Ok(())
    }

    /// The image that a file is, uploaded if it is not there yet. The outer error ends the article: the database or the
    /// disk failed, not the picture.
    async fn image(&mut self, path: PathBuf) -> Result<Result<i64, String>, String> {
        if let Some(known) = self.images.get(&path) {
            return Ok(known.clone());
        }
        let outcome = match files::read_picture(&path) {
            Ok(bytes) => match ingest_bytes(self.db, &self.files, &bytes, None).await {
                Ok((image, new)) => {
                    self.report.pictures += usize::from(new);
                    Ok(image.id)
                }
                Err(error) if error.code.status().is_client_error() => Err(reason(&error)),
                Err(error) => return Err(reason(&error)),
            },
            Err(error) => Err(error),
        };
        self.images.insert(path, outcome.clone());
        Ok(outcome)
    }
}

/// How an article is known: by its path, or by the path's digest where that is too long.
fn external_id(name: &str) -> String {
    let id = format!("markdown:{name}");
    if id.chars().count() <= MOST_ID {
        return id;
    }
    let digest = Sha256::digest(name.as_bytes());
    format!(
        "markdown:sha256:{}",
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    )
}

/// What went wrong, for who imports.
pub(super) fn reason(error: &Error) -> String {
    let fields: Vec<_> = error
        .errors
        .iter()
        .map(|field| {
            let place = field
                .pointer
                .as_deref()
                .unwrap_or_default()
                .trim_start_matches(['#', '/']);
            format!("{place} {}", field.message)
        })
        .collect();
    match (&error.cause, fields.is_empty()) {
        (Some(cause), _) => cause.clone(),
        (None, false) => fields.join("; "),
        (None, true) => error.code.title(Language::English).to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_paths_are_known_by_their_digest() {
        assert_eq!(external_id("a/海啸.md"), "markdown:a/海啸.md");
        let long = external_id(&"海".repeat(200));
        assert!(long.starts_with("markdown:sha256:") && long.len() < MOST_ID, "{long}");
    }
}
