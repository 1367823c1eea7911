//! What the fields of front matter mean for an article.

use std::borrow::Cow;
use std::collections::HashSet;

use chrono_tz::Tz;
use percent_encoding::percent_decode_str;

use super::date::read_date;
use super::value::{Fields, Value};
use crate::db::Timestamp;
use crate::text::normalise::fold_name;
use crate::text::slug::check_slug;

/// Most characters of a summary.
const MOST_SUMMARY: usize = 1_000;

/// What front matter says of an article. What it does not say is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Post {
    /// Its title.
    pub title: Option<String>,
    /// When it was published.
    pub date: Option<Timestamp>,
    /// Whether readers are not to see it.
    pub draft: bool,
    /// Its name in addresses.
    pub slug: Option<String>,
    /// Names that it once had.
    pub former_slugs: Vec<String>,
    /// Its summary.
    pub summary: Option<String>,
    /// Names of its tags.
    pub tags: Vec<String>,
    /// Names of its category and those above it, from the root.
    pub category: Vec<String>,
    /// Names of its authors.
    pub authors: Vec<String>,
    /// Where its cover is.
    pub cover: Option<String>,
    /// Pictures that stand before its text.
    pub photos: Vec<String>,
    /// Its language.
    pub locale: Option<String>,
}

/// What was found in front matter beside the article itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    /// What could not be taken over, and why.
    pub notes: Vec<String>,
    /// Keys that mean nothing here.
    pub unknown: Vec<String>,
}

/// Whether a key of front matter means something here.
pub fn is_known(key: &str) -> bool {
    Key::parse(key).is_some()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Title,
    Date,
    Published,
    Updated,
    Draft,
    Slug,
    Aliases,
    Summary,
    Tags,
    Categories,
    Authors,
    Cover,
    Photos,
    Locale,
}

impl Key {
    fn parse(key: &str) -> Option<Self> {
        Some(match key.to_ascii_lowercase().as_str() {
            "title" => Self::Title,
            "date" | "published_at" => Self::Date,
            "published" => Self::Published,
            "updated" => Self::Updated,
            "draft" => Self::Draft,
            "slug" | "permalink" | "url" => Self::Slug,
            "aliases" | "alias" => Self::Aliases,
            "description" | "summary" | "excerpt" => Self::Summary,
            "tags" | "tag" => Self::Tags,
            "categories" | "category" => Self::Categories,
            "authors" | "author" => Self::Authors,
            "cover" | "image" | "thumbnail" | "featured_image" => Self::Cover,
            "photos" => Self::Photos,
            "lang" | "language" | "locale" => Self::Locale,
            _ => return None,
        })
    }
}

/// Reads the fields; times without an offset are the zone's.
///
/// # Errors
/// A date or a draft flag that cannot be read: to guess would publish the article at a wrong time.
pub fn read_post(fields: Fields, zone: Tz) -> Result<(Post, Remarks), String> {
    let mut post = Post::default();
    let mut remarks = Remarks::default();
    let mut updated = None;
    for (key, value) in fields {
        let Some(meaning) = Key::parse(&key) else {
            remarks.unknown.push(key);
            continue;
        };
        if value == Value::Null {
            continue;
        }
        match meaning {
            Key::Title => set(&mut post.title, value.line(), &key, &mut remarks),
            Key::Date => post.date = Some(date(&key, &value, zone)?),
            Key::Updated => updated = Some(date(&key, &value, zone)?),
            Key::Published => match value.flag() {
                Some(published) => post.draft |= !published,
                None => post.date = Some(date(&key, &value, zone)?),
            },
            Key::Draft => match value.flag() {
                Some(draft) => post.draft |= draft,
                None => return Err(format!("{key}: true or false is wanted")),
            },
            Key::Slug => {
                // Where several stand, the first that can be one.
                if post.slug.is_none() {
                    post.slug = value.line().and_then(|text| slug_of(&key, &text, &mut remarks));
                }
            }
            Key::Aliases => {
                let slugs: Vec<_> = value
                    .texts()
                    .iter()
                    .filter_map(|text| slug_of(&key, text, &mut remarks))
                    .collect();
                post.former_slugs.extend(slugs);
            }
            Key::Summary => {
                if post.summary.is_none() {
                    let (text, whole) = summary(&value);
                    set(&mut post.summary, text, &key, &mut remarks);
                    if !whole {
                        let note = format!("{key}: cut at {MOST_SUMMARY} characters");
                        remarks.notes.push(note);
                    }
                }
            }
            Key::Tags => post.tags.extend(value.names()),
            Key::Categories => categories(&key, &value, &mut post, &mut remarks),
            Key::Authors => post.authors.extend(author_names(&value)),
            Key::Cover => {
                if post.cover.is_none() {
                    set(&mut post.cover, place(&value), &key, &mut remarks);
                }
            }
            Key::Photos => post.photos.extend(value.texts()),
            Key::Locale => set(&mut post.locale, locale(&value), &key, &mut remarks),
        }
    }
    post.date = post.date.or(updated);
    distinct(&mut post.tags);
    distinct(&mut post.authors);
    Ok((post, remarks))
}

fn set(to: &mut Option<String>, value: Option<String>, key: &str, remarks: &mut Remarks) {
    match value {
        Some(value) => *to = Some(value),
        None => remarks.notes.push(format!(
            "{key}: left out, since it has no value that an article can take"
        )),
    }
}

fn date(key: &str, value: &Value, zone: Tz) -> Result<Timestamp, String> {
    value
        .line()
        .and_then(|text| read_date(&text, zone))
        .ok_or_else(|| format!("{key}: a date such as 2026-01-13 12:31:54 is wanted"))
}

/// As much of a text as a summary can be, and whether that is all of it.
fn summary(value: &Value) -> (Option<String>, bool) {
    let Value::Text(text) = value else { return (None, true) };
    let text = text.trim();
    let cut: String = text.chars().take(MOST_SUMMARY).collect();
    let whole = cut.len() == text.len();
    ((!cut.is_empty()).then_some(cut), whole)
}

/// As [`Value::names`]; an author may also be a map with a `name`.
fn author_names(value: &Value) -> Vec<String> {
    match value {
        Value::Map(_) => value.named(&["name"]).into_iter().collect(),
        Value::List(items) => items
            .iter()
            .flat_map(|item| item.line().or_else(|| item.named(&["name"])))
            .collect(),
        Value::Null | Value::Text(_) => value.names(),
    }
}

/// Where a picture is: a scalar, the first of a list, or a map that says it.
fn place(value: &Value) -> Option<String> {
    match value {
        Value::List(items) => items.first().and_then(Value::line),
        Value::Map(_) => value.named(&["src", "path", "url", "image", "relative"]),
        Value::Null | Value::Text(_) => value.line(),
    }
}

/// A list is a path from the root; a list of lists has several, of which an article here takes the first: what the
/// others end with becomes a tag.
fn categories(key: &str, value: &Value, post: &mut Post, remarks: &mut Remarks) {
    let mut paths: Vec<Vec<String>> = match value {
        Value::List(items) if items.iter().any(|item| matches!(item, Value::List(_))) => {
            items.iter().map(Value::texts).filter(|path| !path.is_empty()).collect()
        }
        other => vec![other.texts()],
    };
    if !post.category.is_empty() {
        paths.insert(0, std::mem::take(&mut post.category));
    }
    let mut paths = paths.into_iter();
    post.category = paths.next().unwrap_or_default();
    for name in paths
        .filter(|path| *path != post.category)
        .filter_map(|mut path| path.pop())
    {
        remarks
            .notes
            .push(format!("{key}: an article has one category; {name:?} became a tag"));
        post.tags.push(name);
    }
}

/// The last part of an address, without a page's ending.
fn slug_of(key: &str, text: &str, remarks: &mut Remarks) -> Option<String> {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    let last = path
        .split('/')
        .rev()
        .find(|part| !part.is_empty() && *part != "index.html")?;
    let last = percent_decode_str(last).decode_utf8().unwrap_or(Cow::Borrowed(last));
    let last = last
        .strip_suffix(".html")
        .or(last.strip_suffix(".htm"))
        .unwrap_or(&last);
    // `:title` is Jekyll's template for what stands elsewhere.
    match check_slug(last) {
        Ok(slug) => Some(slug),
        Err(error) => {
            remarks.notes.push(format!("{key}: {text:?} is no slug: {error}"));
            None
        }
    }
}

/// `zh_CN` and `zh-CN`, by their shape.
fn locale(value: &Value) -> Option<String> {
    let tag = value.line()?.replace('_', "-");
    let mut checks = crate::web::body::Checks::default();
    checks.locale("/locale", &tag);
    checks.finish().is_ok().then_some(tag)
}

/// Keeps the first of what is the same name.
fn distinct(names: &mut Vec<String>) {
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(fold_name(name)));
}

#[cfg(test)]
mod tests {
    use super::super::front;
    use super::*;

    fn read(yaml: &str) -> (Post, Remarks) {
        let source = format!("---\n{yaml}\n---\n");
        let (fields, _) = front::split(&source, is_known).unwrap();
        read_post(fields, chrono_tz::Asia::Shanghai).unwrap()
    }

    fn error(yaml: &str) -> String {
        let source = format!("---\n{yaml}\n---\n");
        let (fields, _) = front::split(&source, is_known).unwrap();
        read_post(fields, chrono_tz::Asia::Shanghai).unwrap_err()
    }

    #[test]
    fn every_field_is_taken_over() {
        let (post, remarks) = read(
            "title: ' 小米14  评测 '\ndate: 2026-01-13 12:31:54\ntags: 小米, 评测，AI\ncategory: 评测\nauthor: {name: 黎明}\npermalink: /2026/01/mi-14.html\n\
             aliases: [/old/mi14/, archives-7]\ndescription: 续航\ncover: {src: a.jpg}\nlang: zh_CN\ntoc: true",
        );
        assert_eq!(post.title.as_deref(), Some("小米14 评测"));
        assert_eq!(
            post.date.map(Timestamp::to_rfc3339).as_deref(),
            Some("2026-01-13T04:31:54Z")
        );
        assert_eq!(
            (post.tags, post.category),
            (vec!["小米".into(), "评测".into(), "AI".into()], vec!["评测".to_owned()])
        );
        assert_eq!(post.authors, ["黎明"]);
        assert_eq!(
            (post.slug.as_deref(), post.former_slugs),
            (Some("mi-14"), vec!["mi14".into(), "archives-7".into()])
        );
        assert_eq!(
            (post.summary.as_deref(), post.cover.as_deref(), post.locale.as_deref()),
            (Some("续航"), Some("a.jpg"), Some("zh-CN"))
        );
        assert_eq!(
            remarks,
            Remarks {
                notes: vec![],
                unknown: vec!["toc".to_owned()]
            }
        );
    }

    #[test]
    fn a_list_of_categories_is_a_path() {
        assert_eq!(read("categories: [Foo, Bar, Baz]").0.category, ["Foo", "Bar", "Baz"]);
        assert_eq!(read("categories: Foo\ncategory: Foo").0.category, ["Foo"]);
        let (post, remarks) = read("categories: [[News, Reviews], [News, Phones], Tips]");
        assert_eq!(post.category, ["News", "Reviews"]);
        assert_eq!(
            (post.tags, remarks.notes.len()),
            (vec!["Phones".to_owned(), "Tips".to_owned()], 2)
        );
    }

    #[test]
    fn drafts_are_marked_in_either_way() {
        for (yaml, draft) in [
            ("draft: true", true),
            ("published: false", true),
            ("draft: no", false),
            ("published: 2026-01-13", false),
            ("tags:", false),
        ] {
            assert_eq!(read(yaml).0.draft, draft, "{yaml}");
        }
        assert!(read("published: 2026-01-13").0.date.is_some());
    }

    #[test]
    fn a_date_that_cannot_be_read_is_an_error() {
        for yaml in [
            "date: soon",
            "date: [2026]",
            "published_at: 13.1.2026",
            "draft: perhaps",
        ] {
            assert!(error(yaml).contains(':'), "{yaml}");
        }
    }

    #[test]
    fn what_no_article_can_take_is_noted() {
        let (post, remarks) = read("slug: 'a b/c d'\nlang: 中文\ntitle: [a]\ncover: {}\naliases: [/x.y/]");
        assert_eq!(post, Post::default());
        assert_eq!(remarks.notes.len(), 5, "{remarks:?}");
        let (post, remarks) = read(&format!("summary: {}", "长".repeat(1_001)));
        assert_eq!(
            (post.summary.map(|text| text.chars().count()), remarks.notes.len()),
            (Some(1_000), 1)
        );
    }

    #[test]
    fn a_name_comes_once() {
        assert_eq!(read("tags: [AI, ai, ＡＩ, 海啸]").0.tags, ["AI", "海啸"]);
    }
}
