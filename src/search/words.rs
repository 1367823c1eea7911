//! The words that the site knows, so that a query is not cut in them: its tags, its synonyms, and those of a file.
//!
//! Tags and synonyms are asked for the words of each query, so that every instance knows at once what was written. The file is each
//! machine's own; it is read again when it has changed.

use std::collections::HashSet;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use super::synonyms::store;
use crate::db::DbConn;
use crate::error::Result;
use crate::text::query::{Known, lookups, own_word};

/// The file's name in the data folder.
const FILE: &str = "words.txt";

/// How much of the file is read, in bytes: some 300,000 words.
const MOST: u64 = 4 << 20;

/// When the file was changed, and its length: another file has another of them.
type Stamp = (SystemTime, u64);

/// Words of the file `words.txt` in the data folder: UTF-8, one a line, of 2 to 12 Han characters; `#` begins a comment.
pub struct Words {
    path: PathBuf,
    read: Mutex<FileWords>,
}

#[derive(Default)]
struct FileWords {
    stamp: Option<Stamp>,
    words: Arc<HashSet<String>>,
}

impl Words {
    /// Reads the file, if there is one.
    pub fn open(data_dir: &Path) -> Self {
        let words = Self {
            path: data_dir.join(FILE),
            read: Mutex::default(),
        };
        let count = words.of_file().len();
        if count > 0 {
            log::info!("{count} words from {}", words.path.display());
        }
        words
    }

    /// The words of a query that are known, with their synonyms: one look at the file's time, and one statement.
    pub fn known(&self, conn: &mut DbConn, typed: &str) -> Result<Known> {
        let mut known = Known::default();
        let lookups = lookups(typed);
        if lookups.is_empty() {
            return Ok(known);
        }
        let of_file = self.of_file();
        for word in lookups.iter().filter(|word| of_file.contains(*word)) {
            known.add_word(word);
        }
        for row in store::find_known(conn, &lookups)? {
            match row.other {
                Some(other) => known.add_synonym(&row.word, &other),
                None => known.add_word(&row.word),
            }
        }
        Ok(known)
    }

    /// The file's words as they are now. One that cannot be read leaves those of before.
    fn of_file(&self) -> Arc<HashSet<String>> {
        let stamp = std::fs::metadata(&self.path)
            .and_then(|about| Ok((about.modified()?, about.len())))
            .map(Some);
        // What it guards is replaced whole.
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = match stamp {
            Ok(stamp) => stamp,
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            // Said where it is read.
            Err(_unknown) => read.stamp,
        };
        if stamp != read.stamp {
            read.stamp = stamp;
            match stamp.map(|_| read_words(&self.path)) {
                Some(Ok(words)) => read.words = Arc::new(words),
                Some(Err(error)) => log::warn!("cannot read {}: {error}", self.path.display()),
                None => read.words = Arc::default(),
            }
        }
        Arc::clone(&read.words)
    }
}

fn read_words(path: &Path) -> std::io::Result<HashSet<String>> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path)?;
    if file.metadata()?.len() > MOST {
        log::warn!("{}: only the first {MOST} bytes are read", path.display());
    }
    file.take(MOST).read_to_end(&mut bytes)?;
    let (words, broken) = parse(&bytes);
    if let Some(first) = broken.first() {
        log::warn!(
            "{}: {} line(s) are no word of 2 to 12 Han characters, the first is line {first}; the rest is read",
            path.display(),
            broken.len()
        );
    }
    Ok(words)
}

/// The words of a file, and the numbers of the lines that are none.
fn parse(bytes: &[u8]) -> (HashSet<String>, Vec<usize>) {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let (mut words, mut broken) = (HashSet::new(), Vec::new());
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = std::str::from_utf8(line).map(|line| line.split('#').next().unwrap_or_default().trim());
        match line.map(|line| (line, own_word(line))) {
            Ok((_, Some(word))) => {
                words.insert(word);
            }
            Ok(("", None)) => {}
            Ok(_) | Err(_) => broken.push(number),
        }
    }
    (words, broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_a_word_a_comment_or_broken() {
        let (words, broken) = parse("\u{FEFF}# 新词\r\n自動駕駛 # 汽车\r\n\n折叠屏手机\n车\nAI\n".as_bytes());
        assert_eq!(words, HashSet::from(["自动驾驶".to_owned(), "折叠屏手机".to_owned()]));
        assert_eq!(broken, [5, 6]);
        assert_eq!(
            parse(b"\xFF\xFE\n\xE8\xBD\xAF\xE4\xBB\xB6"),
            (HashSet::from(["软件".into()]), vec![1])
        );
        assert_eq!(parse(&[0; 1 << 20]).0.len(), 0);
    }

    #[test]
    fn a_file_is_read_again_when_it_has_changed_and_may_be_missing() {
        let folder = tempfile::tempdir().unwrap();
        let words = Words::open(folder.path());
        assert_eq!(words.of_file().len(), 0);
        let path = folder.path().join(FILE);
        std::fs::write(&path, "自动驾驶\n").unwrap();
        assert!(words.of_file().contains("自动驾驶"));
        std::fs::write(&path, "折叠屏手机\n").unwrap();
        assert!(words.of_file().contains("折叠屏手机") && words.of_file().len() == 1);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(words.of_file().len(), 0);
        std::fs::create_dir(&path).unwrap();
        assert_eq!(words.of_file().len(), 0, "a folder of that name is no file");
    }
}
