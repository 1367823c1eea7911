//! `broadsheet media`: the files in the hands of who runs the site.

use clap::{Args, Subcommand};

use super::import::reason;
use crate::config::Config;
use crate::db::Db;
use crate::images::Files;
use crate::images::check::{Verdict, check};

/// Flags of `media`.
#[derive(Args)]
pub struct Media {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Look whether the files agree with the database, and mend what loses nothing; exit 1 if anything did not.
    Check {
        /// Remove uploads that the database does not know. Be sure that it is the right one, and no older backup.
        #[arg(long)]
        remove: bool,
    },
}

impl Media {
    /// Does it, beside a running server or without one. The error is one line.
    pub async fn run(self, config: Config) -> Result<(), String> {
        let What::Check { remove } = self.what;
        let db = Db::open(&config)?;
        let files = Files::open(&config)?;
        let outcome = check(&db, &files, remove).await.map_err(|error| reason(&error));
        db.close().await;
        let verdict = outcome?;
        if verdict.agrees() {
            println!("{}", in_words(&verdict));
            return Ok(());
        }
        for hash in &verdict.orphans {
            println!("an upload that the database does not know: {hash}");
        }
        for file in &verdict.foreign {
            println!("not a file of an image: {file}");
        }
        Err(in_words(&verdict))
    }
}

fn in_words(verdict: &Verdict) -> String {
    let mut words = vec![format!("{} image(s)", verdict.images)];
    let counted = [
        (verdict.settled, "left half done by a process that ended: settled"),
        (verdict.removed, "upload(s) that the database does not know: removed"),
        (
            verdict.orphans.len() - verdict.removed,
            "upload(s) that the database does not know: left alone; --remove removes them where it knows others",
        ),
        (verdict.leftovers, "variant(s) of uploads that are gone: removed"),
        (verdict.empty, "empty variant(s): removed"),
        (verdict.foreign.len(), "file(s) that are none of an image: left alone"),
        (verdict.looked, "looked at for placeholder and colour"),
    ];
    for (count, what) in counted {
        if count > 0 {
            words.push(format!("{count} {what}"));
        }
    }
    for (ids, what) in [
        (&verdict.missing, "without its file; upload it again"),
        (&verdict.damaged, "with a file of another size than it had; restore it"),
    ] {
        if !ids.is_empty() {
            let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
            words.push(format!("{what}: image {}", ids.join(", ")));
        }
    }
    if verdict.agrees() {
        words.push("the files agree".to_owned());
    }
    words.join("; ")
}
