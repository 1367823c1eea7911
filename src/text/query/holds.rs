//! The expressions that SQLite's index is asked with, as [`Query::fts5`](super::Query::fts5) writes them, read again for entries
//! that wait beside the index.

use std::cmp::Ordering;

/// Whether an entry has what an expression asks for. The entry is its lexemes in the order of their bytes, parted by single
/// blanks. What is no such expression asks for what nothing has.
pub fn holds(entry: &str, expression: &str) -> bool {
    let mut reader = Reader {
        entry: entry.as_bytes(),
        rest: expression,
    };
    reader.several(true) == Some(true) && reader.rest.is_empty()
}

struct Reader<'a> {
    entry: &'a [u8],
    rest: &'a str,
}

impl Reader<'_> {
    /// Conditions with one operator between all of them, as they are written: there is no precedence to heed. What cannot
    /// change the outcome any more is read without a look at the entry.
    fn several(&mut self, matters: bool) -> Option<bool> {
        let mut holds = self.one(matters)?;
        loop {
            if self.skip(" AND ") {
                holds &= self.one(matters && holds)?;
            } else if self.skip(" OR ") {
                holds |= self.one(matters && !holds)?;
            } else if self.skip(" NOT ") {
                holds &= !self.one(matters && holds)?;
            } else {
                return Some(holds);
            }
        }
    }

    /// A lexeme, or conditions in brackets.
    fn one(&mut self, matters: bool) -> Option<bool> {
        if self.skip("(") {
            let holds = self.several(matters)?;
            return self.skip(")").then_some(holds);
        }
        let (lexeme, rest) = self.rest.strip_prefix('"')?.split_once('"')?;
        self.rest = rest;
        Some(matters && has(self.entry, lexeme.as_bytes()))
    }

    fn skip(&mut self, what: &str) -> bool {
        let rest = self.rest.strip_prefix(what);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }
}

/// Whether a lexeme is there, by halves.
fn has(mut entry: &[u8], lexeme: &[u8]) -> bool {
    let blank = |byte: &u8| *byte == b' ';
    while let Some((before, behind)) = entry.split_at_checked(entry.len() / 2)
        && !behind.is_empty()
    {
        let start = before.iter().rposition(blank).map_or(0, |at| at + 1);
        let end = before.len() + behind.iter().position(blank).unwrap_or(behind.len());
        entry = match entry.get(start..end).unwrap_or_default().cmp(lexeme) {
            Ordering::Equal => return true,
            Ordering::Less => entry.get(end + 1..),
            Ordering::Greater => entry.get(..start.saturating_sub(1)),
        }
        .unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lexeme_is_found_wherever_it_stands() {
        let mut lexemes: Vec<String> = (0..200).map(|n| format!("词{}{n}", "长".repeat(n % 7))).collect();
        lexemes.extend(["a", "a_b", "a_bc", "c++", "\u{F8FF}词", "_词"].map(str::to_owned));
        lexemes.sort();
        for count in 0..lexemes.len() {
            let entry = lexemes[..count].join(" ");
            for (at, lexeme) in lexemes.iter().enumerate() {
                assert_eq!(
                    holds(&entry, &format!("\"{lexeme}\"")),
                    at < count,
                    "{lexeme} of {count}"
                );
                assert!(!holds(&entry, &format!("\"{lexeme}x\"")));
            }
        }
    }

    #[test]
    fn operators_and_brackets_are_heeded() {
        for (expression, expected) in [
            (r#""a" AND "b""#, true),
            (r#""a" AND "x""#, false),
            (r#""x" OR "b""#, true),
            (r#""x" OR "y" OR "z""#, false),
            (r#""a" NOT "x""#, true),
            (r#""a" NOT "b""#, false),
            (r#"("a" AND ("x" OR ("b" AND "c")))"#, true),
            (r#"("x" AND ("a" OR "b")) OR ("a" NOT ("x" OR "y"))"#, true),
            (r#"(("x" OR "y") NOT "z") OR ("y")"#, false),
        ] {
            assert_eq!(holds("a b c", expression), expected, "{expression}");
        }
    }

    #[test]
    fn what_is_no_expression_finds_nothing() {
        for expression in [
            "",
            "a",
            "\"a",
            "(\"a\"",
            "\"a\")",
            "\"a\" AND",
            "\"a\" AND ",
            "\"a\" XOR \"b\"",
            "()",
            "\"\"",
            "\"a\" \"b\"",
        ] {
            assert!(!holds("a b c", expression), "{expression}");
        }
        assert!(!holds("", "\"\""));
        assert!(!holds("", "\"a\""));
    }
}
