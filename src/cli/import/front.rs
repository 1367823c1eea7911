//! Front matter: where it ends, and what it says, as one tree for YAML and TOML.

use std::fmt;

use serde::Deserialize;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use super::value::{Fields, Value};

/// How far the end of front matter is looked for, in lines.
const MOST_LINES: usize = 1_000;

/// Parts a file into its fields and its body. `known` tells which keys mean something: a block without an opening
/// `---` (as Hexo writes) is front matter if it has one of them.
///
/// # Errors
/// A block that begins and ends as front matter and cannot be read; the text says why.
pub fn split(text: &str, known: impl Fn(&str) -> bool) -> Result<(Fields, &str), String> {
    let first = text.lines().next().unwrap_or_default().trim_end();
    match first {
        "---" => {
            let inner = after_line(text);
            match block(inner, &["---", "..."]) {
                Some((yaml, body)) => Ok(match read_yaml(yaml)? {
                    Value::Map(fields) => (fields, body),
                    Value::Null => (Fields::new(), body),
                    // Text between two rules.
                    Value::Text(_) | Value::List(_) => (Fields::new(), text),
                }),
                None => Ok((Fields::new(), text)),
            }
        }
        "+++" => match block(after_line(text), &["+++"]) {
            Some((toml, body)) => Ok((read_toml(toml)?, body)),
            None => Ok((Fields::new(), text)),
        },
        _ if begins_with_key(first) => Ok(match block(text, &["---"]) {
            Some((yaml, body)) => match read_yaml(yaml) {
                Ok(Value::Map(fields)) if fields.iter().any(|(key, _)| known(key)) => (fields, body),
                Err(error) if known(key_of(first)) => return Err(error),
                _ => (Fields::new(), text),
            },
            None => (Fields::new(), text),
        }),
        _ => Ok((Fields::new(), text)),
    }
}

fn key_of(line: &str) -> &str {
    line.split_once(':').map_or("", |(key, _)| key)
}

/// `title: …`, without white space in or before the key.
fn begins_with_key(line: &str) -> bool {
    let key = key_of(line);
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

fn after_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

/// What stands before the first line that is one of `ends`, and what after it.
fn block<'a>(text: &'a str, ends: &[&str]) -> Option<(&'a str, &'a str)> {
    let mut from = 0;
    for line in text.split_inclusive('\n').take(MOST_LINES) {
        if ends.contains(&line.trim_end()) {
            return Some((text.get(..from)?, text.get(from + line.len()..)?));
        }
        from += line.len();
    }
    None
}

fn read_toml(text: &str) -> Result<Fields, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| 1 + line_breaks(text, span.start));
        format!("the front matter is not TOML: line {line}: {}", error.message().trim())
    })?;
    Ok(table.into_iter().map(|(key, value)| (key, from_toml(value))).collect())
}

fn line_breaks(text: &str, to: usize) -> usize {
    text.bytes().take(to).filter(|byte| *byte == b'\n').count()
}

/// The parser bounds the depth.
fn from_toml(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::Text(text),
        toml::Value::Integer(number) => Value::Text(number.to_string()),
        toml::Value::Float(number) => Value::Text(number.to_string()),
        toml::Value::Boolean(flag) => Value::Text(flag.to_string()),
        toml::Value::Datetime(time) => Value::Text(time.to_string()),
        toml::Value::Array(items) => Value::List(items.into_iter().map(from_toml).collect()),
        toml::Value::Table(table) => {
            Value::Map(table.into_iter().map(|(key, value)| (key, from_toml(value))).collect())
        }
    }
}

fn read_yaml(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    let options = serde_saphyr::options! {
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! { max_depth: 16, max_nodes: 20_000, max_documents: 1, max_aliases: 100 },
    };
    let raw: Spanned<Raw> = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.to_string();
        format!(
            "the front matter is not YAML: {}",
            message.lines().next().unwrap_or_default()
        )
    })?;
    Ok(as_written(raw, text))
}

/// A value as the YAML parser sees it: what it takes for a number or a boolean is read again from the source.
enum Raw {
    Null,
    Text(String),
    Typed(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(String, Spanned<Raw>)>),
}

fn as_written(raw: Spanned<Raw>, source: &str) -> Value {
    match raw.value {
        Raw::Null => Value::Null,
        Raw::Text(text) => Value::Text(text),
        Raw::Typed(text) => {
            let span = raw.defined.span();
            let from = span.byte_offset().and_then(|at| usize::try_from(at).ok());
            let length = span.byte_len().and_then(|length| usize::try_from(length).ok());
            let written = from
                .zip(length)
                .and_then(|(from, length)| source.get(from..from.checked_add(length)?));
            Value::Text(written.map_or(text, |written| written.trim().to_owned()))
        }
        Raw::List(items) => Value::List(items.into_iter().map(|item| as_written(item, source)).collect()),
        Raw::Map(pairs) => Value::Map(
            pairs
                .into_iter()
                .map(|(key, value)| (key, as_written(value, source)))
                .collect(),
        ),
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_str<E>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Raw, E> {
        Ok(Raw::Text(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(Raw::Typed(value.to_string()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(pair) = pairs.next_entry()? {
            map.push(pair);
        }
        Ok(Raw::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(key: &str) -> bool {
        matches!(key, "title" | "date" | "tags")
    }

    fn text(value: &str) -> Value {
        Value::Text(value.to_owned())
    }

    fn fields(source: &str) -> Fields {
        split(source, known).unwrap().0
    }

    #[test]
    fn yaml_scalars_stay_as_they_are_written() {
        let source = "---\ntitle: 1.10\ndate: 2018-7-24 23:31:06\ndraft: yes\nslug: 007\n版本: 3.10\ntags: [3.10, '2024', true, ~]\nempty:\n---\n正文\n";
        let (fields, body) = split(source, known).unwrap();
        let tags = Value::List(vec![text("3.10"), text("2024"), text("true"), Value::Null]);
        let wanted = [
            ("title", text("1.10")),
            ("date", text("2018-7-24 23:31:06")),
            ("draft", text("yes")),
            ("slug", text("007")),
            ("版本", text("3.10")),
            ("tags", tags),
            ("empty", Value::Null),
        ];
        assert_eq!(fields, wanted.map(|(key, value)| (key.to_owned(), value)));
        assert_eq!(body, "正文\n");
    }

    #[test]
    fn toml_is_read_into_the_same_tree() {
        let source = "+++\ntitle = \"海啸\"\ndate = 2026-01-13T12:31:54+08:00\ntags = [\"AI\"]\n[author]\nname = \"黎明\"\n+++\n\n正文";
        let (fields, body) = split(source, known).unwrap();
        let field = |name: &str| fields.iter().find(|(key, _)| key == name).unwrap().1.clone();
        assert_eq!(field("date"), text("2026-01-13T12:31:54+08:00"));
        assert_eq!(field("author"), Value::Map(vec![("name".to_owned(), text("黎明"))]));
        assert_eq!(body, "\n正文");
    }

    #[test]
    fn the_opening_line_may_be_missing_where_a_known_key_stands() {
        let (fields, body) = split("layout: post\ntitle: 海啸\n---\n正文", known).unwrap();
        assert_eq!((fields.len(), body), (2, "正文"));
        for body in [
            "注意: 海啸\n---\n正文",
            "note: this\n---\ntext",
            "# Heading\n---\n",
            "title: no end",
            "",
            "title: a\n\n# x",
        ] {
            assert_eq!(split(body, known).unwrap(), (Fields::new(), body));
        }
    }

    #[test]
    fn rules_around_text_are_no_front_matter() {
        for body in [
            "---\nplain text\n---\nmore",
            "---\n\nno end",
            "+++\nno end",
            "---\n- a\n---\n",
        ] {
            assert_eq!(split(body, known).unwrap(), (Fields::new(), body));
        }
        assert_eq!(split("---\n---\nbody", known).unwrap(), (Fields::new(), "body"));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_of_one_line() {
        for source in [
            "---\ntitle: [a\n---\n",
            "---\ntitle: a: b\n---\n",
            "+++\ntitle = \n+++\n",
            "title: a: b\n---\n",
        ] {
            let error = split(source, known).unwrap_err();
            assert!(
                error.starts_with("the front matter is not") && !error.contains('\n'),
                "{error}"
            );
        }
    }

    #[test]
    fn bombs_and_nesting_are_refused() {
        let mut bomb = "---\na0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..20 {
            let part = format!("*a{}, ", level - 1).repeat(9);
            bomb.push_str(&format!("a{level}: &a{level} [{part}]\n"));
        }
        bomb.push_str("---\n");
        assert!(split(&bomb, known).is_err());
        let deep = format!("---\ntitle: {}{}\n---\n", "[".repeat(100_000), "]".repeat(100_000));
        assert!(split(&deep, known).is_err());
        let deep = format!("+++\ntitle = {}{}\n+++\n", "[".repeat(100_000), "]".repeat(100_000));
        assert!(split(&deep, known).is_err());
    }

    #[test]
    fn an_alias_is_what_it_stands_for() {
        assert_eq!(
            fields("---\ntitle: &t 1.50\ntags: [*t]\n---\n")[1].1,
            Value::List(vec![text("1.50")])
        );
    }
}
