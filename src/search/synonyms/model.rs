//! Groups of synonyms, as editors write them.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::schema::synonyms;
use crate::error::Result;
use crate::text::flow::flow;
use crate::web::body::{Checks, object_list};

/// Most groups.
const GROUPS: usize = 2_000;

/// Words of a group.
const WORDS: RangeInclusive<usize> = 2..=20;

/// Longest word, in characters.
const LONGEST: usize = 50;

/// Words that mean the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SynonymGroup {
    /// Each finds all of them. Width, case and traditional or simplified characters make no difference, and what is
    /// the same without them needs to stand here once.
    #[schema(example = json!(["手机", "移动电话"]), min_items = 2, max_items = 20)]
    pub words: Vec<String>,
}

/// All groups of synonyms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Synonyms {
    /// The groups, in the order in which they were written. A word is in one of them at most.
    #[serde(deserialize_with = "object_list")]
    #[schema(example = json!([{"words": ["手机", "移动电话"]}]), max_items = 2000)]
    pub groups: Vec<SynonymGroup>,
}

/// A word of a group as stored.
#[derive(Debug, Clone, PartialEq, Eq, Insertable)]
#[diesel(table_name = synonyms)]
pub struct NewSynonym {
    /// What it is to search: its flow.
    word_key: String,
    /// Which group it is of, counted from 0.
    group_id: i64,
    /// Its place there, counted from 0.
    position: i32,
    /// As it was written.
    word: String,
}

impl Synonyms {
    /// Checks every word; 422 with all that is wrong.
    pub fn check(self) -> Result<Vec<NewSynonym>> {
        let mut checks = Checks::default();
        if self.groups.len() > GROUPS {
            checks.wrong("/groups", format!("must have at most {GROUPS} groups"));
            checks.finish()?;
            return Ok(Vec::new());
        }
        let mut rows: Vec<NewSynonym> = Vec::new();
        // Where each word stands first, and whether that was said to be wrong.
        let mut places: HashMap<String, (String, bool)> = HashMap::new();
        for (group_id, group) in (0..).zip(self.groups) {
            let pointer = format!("/groups/{group_id}/words");
            if !WORDS.contains(&group.words.len()) {
                let message = format!("must have {} to {} words", WORDS.start(), WORDS.end());
                checks.wrong(&pointer, message);
                continue;
            }
            for (position, word) in (0..).zip(group.words) {
                let pointer = format!("{pointer}/{position}");
                checks.line(&pointer, &word, LONGEST);
                let word_key = flow(&word);
                if word_key.is_empty() {
                    if !word.trim().is_empty() {
                        checks.wrong(&pointer, "must have a letter, a character or a digit to look for");
                    }
                    continue;
                }
                match places.get_mut(&word_key) {
                    Some((first, said)) => {
                        checks.wrong(&pointer, format!("is the same word as #{first}"));
                        if !std::mem::replace(said, true) {
                            checks.wrong(first, format!("is the same word as #{pointer}"));
                        }
                    }
                    None => {
                        places.insert(word_key.clone(), (pointer, false));
                        rows.push(NewSynonym {
                            word_key,
                            group_id,
                            position,
                            word: word.trim().to_owned(),
                        });
                    }
                }
            }
        }
        checks.finish()?;
        Ok(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(groups: &[&[&str]]) -> Result<Vec<NewSynonym>, Vec<String>> {
        let groups = groups.iter().map(|words| SynonymGroup {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        });
        let synonyms = Synonyms {
            groups: groups.collect(),
        };
        let pointers =
            |error: crate::error::Error| error.errors.into_iter().filter_map(|error| error.pointer).collect();
        synonyms.check().map_err(pointers)
    }

    #[test]
    fn words_are_kept_as_written_and_known_as_folded() {
        let rows = check(&[&[" 軟體 ", "软件"], &["Node.js", "\"node\" OR"]]).unwrap();
        let keys: Vec<_> = rows.iter().map(|row| row.word_key.as_str()).collect();
        assert_eq!(keys, ["软体", "软件", "node js", "node\nor"]);
        let places: Vec<_> = rows.iter().map(|row| (row.group_id, row.position)).collect();
        assert_eq!(places, [(0, 0), (0, 1), (1, 0), (1, 1)]);
        assert_eq!(rows[0].word, "軟體");
    }

    #[test]
    fn each_word_stands_once_and_both_places_are_named() {
        assert_eq!(
            check(&[&["手机", "移动电话"], &["手機", "x"], &["ＸＹ", "xy"], &["手机", "z"]]).unwrap_err(),
            [
                "#/groups/1/words/0",
                "#/groups/0/words/0",
                "#/groups/2/words/1",
                "#/groups/2/words/0",
                "#/groups/3/words/0"
            ]
        );
    }

    #[test]
    fn bounds_are_checked_by_pointer() {
        assert_eq!(check(&[&["a"]]).unwrap_err(), ["#/groups/0/words"]);
        let many: Vec<String> = (0..21).map(|i| format!("w{i}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(check(&[&["a", "b"], &many]).unwrap_err(), ["#/groups/1/words"]);
        assert!(check(&[&many[..20]]).is_ok());
        let (longest, longer) = ("字".repeat(50), "字".repeat(51));
        assert!(check(&[&[&longest, "b"]]).is_ok());
        for wrong in ["", " ", "，。", "😀", "a\0b", "a\nb", &longer] {
            assert_eq!(
                check(&[&["a", wrong]]).unwrap_err(),
                ["#/groups/0/words/1"],
                "{wrong:?}"
            );
        }
        let words: Vec<[String; 2]> = (0..=GROUPS).map(|i| [format!("a{i}"), format!("b{i}")]).collect();
        let words: Vec<[&str; 2]> = words.iter().map(|pair| [pair[0].as_str(), &pair[1]]).collect();
        let groups: Vec<&[&str]> = words.iter().map(<[&str; 2]>::as_slice).collect();
        assert_eq!(check(&groups).unwrap_err(), ["#/groups"]);
        assert_eq!(check(&groups[1..]).unwrap().len(), 2 * GROUPS);
        assert_eq!(check(&[]).unwrap(), []);
    }
}
