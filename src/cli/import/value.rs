//! What front matter says, whatever its language.

/// A value. Scalars are kept as they are written: a tag `3.10` is no number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A scalar.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// A map, in its order.
    Map(Vec<(String, Value)>),
}

/// The fields of a file: in their order, or by key in TOML.
pub type Fields = Vec<(String, Value)>;

impl Value {
    /// A scalar in one line, if it is not blank.
    pub fn line(&self) -> Option<String> {
        let Self::Text(text) = self else { return None };
        in_one_line(text)
    }

    /// What a scalar answers to a question.
    pub fn flag(&self) -> Option<bool> {
        match self.line()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        }
    }

    /// The scalars of a list, or the one scalar, each in one line.
    pub fn texts(&self) -> Vec<String> {
        match self {
            Self::Null | Self::Map(_) => Vec::new(),
            Self::Text(text) => in_one_line(text).into_iter().collect(),
            Self::List(items) => items.iter().filter_map(Self::line).collect(),
        }
    }

    /// The scalars of a list, or what commas part in the one scalar.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Text(text) => text.split([',', '，', '、']).filter_map(in_one_line).collect(),
            other => other.texts(),
        }
    }

    /// The scalar that a map has under the first of its keys that is one of these.
    pub fn named(&self, keys: &[&str]) -> Option<String> {
        let Self::Map(pairs) = self else { return None };
        let (_, value) = pairs.iter().find(|(key, _)| keys.contains(&key.as_str()))?;
        value.line()
    }
}

fn in_one_line(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_in_a_list_or_between_commas() {
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(text(" 小米,评测， AI  5G、").names(), ["小米", "评测", "AI 5G"]);
        assert_eq!(
            Value::List(vec![text("a, b"), Value::Null, text(" ")]).names(),
            ["a, b"]
        );
        assert!(Value::Map(vec![("a".to_owned(), text("b"))]).names().is_empty());
    }
}
