//! The order of the house: what may use what, and that both databases have the same migrations.
#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, from the ground up; each uses only what stands before it.
const ROOMS: &[&str] = &[
    "error", "text", "config", "db", "web", "auth", "users", "site", "images", "taxonomy", "index", "articles",
    "search", "views", "ops", "openapi", "server", "cli",
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
    {
        if entry.is_dir() {
            files.extend(sources(&entry));
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            files.push(entry);
        }
    }
    files
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The room that a file stands in, and its name there.
fn place(file: &Path) -> (String, String) {
    let inside = file.strip_prefix(root()).expect("a source");
    let room = inside
        .components()
        .next()
        .expect("a name")
        .as_os_str()
        .to_string_lossy()
        .replace(".rs", "");
    let name = inside.file_stem().expect("a name").to_string_lossy().into_owned();
    (room, name)
}

/// The lines of code of a file, without its comments.
fn code(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).expect("text");
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("//"))
        .map(str::to_owned)
        .collect()
}

/// The rooms that a line names: `crate::db::…`, and each of `use crate::{db, web}`.
fn rooms_named(line: &str) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for rest in line.split("crate::").skip(1) {
        let list = rest
            .strip_prefix('{')
            .map(|list| list.split('}').next().unwrap_or(list));
        for part in list
            .unwrap_or(rest)
            .split(',')
            .take(if list.is_some() { usize::MAX } else { 1 })
        {
            let name: String = part
                .trim()
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if ROOMS.contains(&name.as_str()) {
                named.insert(name);
            }
        }
    }
    named
}

#[test]
fn each_room_uses_only_what_stands_before_it() {
    let at = |room: &str| ROOMS.iter().position(|other| *other == room);
    let mut wrong = Vec::new();
    for file in sources(&root()) {
        let (room, _) = place(&file);
        if room == "lib" || room == "main" {
            continue;
        }
        let own = at(&room).unwrap_or_else(|| panic!("{room} has no place in the order"));
        for line in code(&file) {
            for other in rooms_named(&line) {
                // The error type answers in HTTP; it uses nothing of the house.
                if at(&other) > Some(own) {
                    wrong.push(format!("{}: {line}", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "against the order:\n{}", wrong.join("\n"));
}

#[test]
fn routes_know_no_tables_and_stores_no_http() {
    let mut wrong = Vec::new();
    for file in sources(&root()) {
        let (_, name) = place(&file);
        let forbidden: &[&str] = match name.as_str() {
            "routes" => &["diesel", "schema::", "sql_query"],
            "store" => &[
                "actix_web",
                "crate::web::Json",
                "crate::web::Reply",
                "HttpRequest",
                "utoipa::path",
            ],
            _ => continue,
        };
        for line in code(&file) {
            if forbidden.iter().any(|word| line.contains(word)) {
                wrong.push(format!("{}: {line}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "in the wrong file:\n{}", wrong.join("\n"));
}

#[test]
fn no_file_grows_beyond_what_can_be_read() {
    let long: Vec<_> = sources(&root())
        .into_iter()
        .map(|file| (fs::read_to_string(&file).expect("text").lines().count(), file))
        .filter(|(lines, _)| *lines > 500)
        .collect();
    assert!(long.is_empty(), "longer than 500 lines: {long:?}");
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |database: &str| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(database);
        let entries = fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path());
        entries
            .map(|folder| {
                for file in ["up.sql", "down.sql"] {
                    assert!(folder.join(file).is_file(), "{} has no {file}", folder.display());
                }
                folder.file_name().expect("a name").to_owned()
            })
            .collect::<BTreeSet<_>>()
    };
    let sqlite = names("sqlite");
    assert!(!sqlite.is_empty());
    assert_eq!(sqlite, names("postgres"));
}
