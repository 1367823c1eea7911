//! What an import did, for people.

use std::collections::BTreeMap;
use std::fmt;

use super::store::Outcome;

/// What an import did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Articles that were made.
    pub new: usize,
    /// Articles that were changed.
    pub changed: usize,
    /// Articles that were there as their files say.
    pub unchanged: usize,
    /// Pictures that were uploaded.
    pub pictures: usize,
    /// Files that did not come in, and why.
    pub failed: Vec<Note>,
    /// What could not be taken over from files that came in.
    pub notes: Vec<Note>,
    /// Keys of front matter that mean nothing here, with the number of files that have them.
    pub unknown: BTreeMap<String, usize>,
}

/// Something about a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its path in the folder.
    pub file: String,
    /// What is to be said.
    pub text: String,
}

impl Report {
    pub(super) fn count(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::New => self.new += 1,
            Outcome::Changed => self.changed += 1,
            Outcome::Unchanged => self.unchanged += 1,
        }
    }

    pub(super) fn fail(&mut self, file: impl Into<String>, text: impl Into<String>) {
        self.failed.push(Note {
            file: file.into(),
            text: text.into(),
        });
    }

    pub(super) fn note(&mut self, file: &str, notes: impl IntoIterator<Item = String>) {
        self.notes.extend(notes.into_iter().map(|text| Note {
            file: file.to_owned(),
            text,
        }));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Note { file, text } in &self.notes {
            writeln!(f, "note    {file}: {text}")?;
        }
        for (key, files) in &self.unknown {
            writeln!(f, "note    the key {key:?} means nothing here ({files} files)")?;
        }
        for Note { file, text } in &self.failed {
            writeln!(f, "failed  {file}: {text}")?;
        }
        let Self {
            new,
            changed,
            unchanged,
            pictures,
            ..
        } = self;
        let failed = self.failed.len();
        write!(
            f,
            "{new} new, {changed} changed, {unchanged} unchanged, {failed} failed; {pictures} pictures uploaded"
        )
    }
}
