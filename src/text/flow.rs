//! A text as its words: what indexing, phrases, ranking and highlighting all read, so that they agree on what a word is.
//!
//! A *flow* is the folded text without anything but its tokens. A token is a run of characters of one kind (`iPhone16` is two,
//! `小米14评测` is three; `c++` and `c#` keep their signs). Between two tokens stands a space where the reader sees them side by
//! side (nothing, blanks, or a joiner such as `.` or `-`), and a line feed where other punctuation or a line end parts them.
//! Looking for a word or a phrase is then looking for a string, with a look at its borders.

use std::ops::Range;

use memchr::memmem::Finder;

use super::normalise::{Kind, look};

/// What lies between a token and the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gap {
    /// Nothing, or joiners alone: `iPhone16`, `node.js`, `AT&T`.
    Glued,
    /// Blanks on one line.
    Blank,
    /// Punctuation, a line end, or the start of the text.
    Far,
}

impl Gap {
    pub(super) fn separator(self) -> char {
        if self == Gap::Far { '\n' } else { ' ' }
    }
}

/// What a character does to the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It belongs to no token.
    Skip,
    /// It goes on with the present token, in this form.
    Next(char),
    /// It begins a token of this kind, in this form, after this gap.
    First(char, Kind, Gap),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    Nothing,
    /// Joins anything.
    Joiner,
    /// Joins digits alone: the `,` of 1,299 and the `:` of 16:9.
    DigitJoiner,
    Blank,
    Far,
}

/// Finds the tokens of a text, one character at a time.
pub struct Scanner {
    /// The kind of the last token; `None` before the first.
    last: Option<Kind>,
    /// Whether the last token has taken `+` or `#`, after which it takes no more letters.
    signed: bool,
    between: Between,
}

impl Default for Scanner {
    fn default() -> Self {
        Scanner {
            last: None,
            signed: false,
            between: Between::Far,
        }
    }
}

impl Scanner {
    /// Reads the next character of the text.
    #[inline]
    pub fn step(&mut self, c: char) -> Step {
        let (folded, kind) = look(c);
        match kind {
            Kind::Gram | Kind::Letter | Kind::Digit => self.token(folded, kind),
            Kind::Mark => Step::Skip,
            Kind::Other
                if matches!(folded, '+' | '#')
                    && self.between == Between::Nothing
                    && self.last == Some(Kind::Letter) =>
            {
                self.signed = true;
                Step::Next(folded)
            }
            Kind::Blank | Kind::Other => {
                self.between = after(self.between, folded, kind);
                Step::Skip
            }
        }
    }

    fn token(&mut self, folded: char, kind: Kind) -> Step {
        let gap = match self.between {
            Between::Nothing if self.last == Some(kind) && !self.signed => return Step::Next(folded),
            Between::Nothing | Between::Joiner => Gap::Glued,
            Between::DigitJoiner if self.last == Some(Kind::Digit) && kind == Kind::Digit => Gap::Glued,
            Between::Blank => Gap::Blank,
            Between::DigitJoiner | Between::Far => Gap::Far,
        };
        self.last = Some(kind);
        self.signed = false;
        self.between = Between::Nothing;
        Step::First(folded, kind, gap)
    }
}

fn after(before: Between, c: char, kind: Kind) -> Between {
    let this = match c {
        '\n' | '\r' | '\u{B}' | '\u{C}' | '\u{2028}' | '\u{2029}' => Between::Far,
        _ if kind == Kind::Blank => Between::Blank,
        '.' | '-' | '_' | '/' | '\'' | '’' | '&' | '\u{2010}' | '–' | '·' | '・' => Between::Joiner,
        ',' | ':' => Between::DigitJoiner,
        _ => Between::Far,
    };
    match before {
        Between::Nothing => this,
        _ if before == this => this,
        _ => Between::Far,
    }
}

/// The flow of one text.
pub fn flow(text: &str) -> String {
    let mut flow = Flow::default();
    flow.field(text, usize::MAX);
    flow.text
}

/// The flow of several fields, each on lines of its own, so that no phrase goes from one into the next.
pub fn flow_of<'a>(fields: impl IntoIterator<Item = &'a str>) -> String {
    let mut flow = Flow::default();
    for field in fields {
        flow.field(field, usize::MAX);
    }
    flow.text
}

/// A flow that grows field by field, with a bound.
#[derive(Default)]
pub(crate) struct Flow {
    pub(crate) text: String,
    /// How many characters the tokens have.
    pub(crate) characters: usize,
}

impl Flow {
    /// Adds a field until `most` characters or three times as many bytes are there, counted over all fields.
    pub(crate) fn field(&mut self, field: &str, most: usize) {
        let most_bytes = most.saturating_mul(3);
        self.text
            .reserve(field.len().min(most_bytes.saturating_sub(self.text.len())));
        if !self.text.is_empty() {
            // An empty line: not even a phrase with a border inside goes from one field into the next.
            self.text.push('\n');
        }
        let mut scanner = Scanner::default();
        for c in field.chars() {
            let folded = match scanner.step(c) {
                Step::Skip => continue,
                Step::Next(folded) => folded,
                Step::First(folded, _, gap) => {
                    if !self.text.is_empty() {
                        self.text.push(gap.separator());
                    }
                    folded
                }
            };
            if self.characters >= most || self.text.len() + folded.len_utf8() > most_bytes {
                return;
            }
            self.text.push(folded);
            self.characters += 1;
        }
    }
}

/// A word or a phrase as it is looked for in a flow: Latin words and numbers only whole, the rest anywhere.
pub struct Needle {
    finder: Finder<'static>,
    bytes: usize,
    edges: Edges,
}

impl Needle {
    /// `flow` is the flow of the word or the phrase; an empty one is found nowhere.
    pub fn new(flow: &str) -> Self {
        Needle {
            finder: Finder::new(flow).into_owned(),
            bytes: flow.len(),
            edges: Edges::of(flow),
        }
    }

    /// How often it occurs in a flow.
    pub fn count(&self, flow: &str) -> usize {
        self.places(flow).count()
    }

    /// Whether it occurs in a flow.
    pub fn is_in(&self, flow: &str) -> bool {
        self.places(flow).next().is_some()
    }

    /// Where it occurs in a flow, in bytes. Two of its places never overlap.
    pub fn places<'a>(&'a self, flow: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
        let most = if self.bytes == 0 { 0 } else { usize::MAX };
        let ranges = self
            .finder
            .find_iter(flow.as_bytes())
            .map(|start| start..start + self.bytes);
        ranges.filter(|range| self.edges.fit(flow, range)).take(most)
    }
}

/// Which ends of a needle must lie on the border of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edges {
    start: bool,
    end: bool,
    /// The needle ends in a word long enough to be found under a sign: `disney` in `disney+`, but not `c` in `c++`.
    sign_may_follow: bool,
}

impl Edges {
    fn of(flow: &str) -> Self {
        let whole = |c: Option<char>| c.is_some_and(|c| look(c).1 != Kind::Gram);
        let last = flow.rsplit([' ', '\n']).next().unwrap_or_default();
        Edges {
            start: whole(flow.chars().next()),
            end: whole(flow.chars().next_back()),
            sign_may_follow: last.chars().nth(1).is_some() && last.chars().all(|c| look(c).1 == Kind::Letter),
        }
    }

    /// Whether these bytes of a flow are the needle and not a part of a longer word.
    fn fit(self, flow: &str, range: &Range<usize>) -> bool {
        let bytes = flow.as_bytes();
        let before = range.start.checked_sub(1).and_then(|i| bytes.get(i));
        let after = bytes.get(range.end);
        (!self.start || matches!(before, None | Some(b' ' | b'\n')))
            && (!self.end
                || matches!(after, None | Some(b' ' | b'\n'))
                || (self.sign_may_follow && matches!(after, Some(b'+' | b'#'))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stand_side_by_side_or_apart() {
        assert_eq!(flow("小米14评测，iPhone16 Pro"), "小米 14 评测\niphone 16 pro");
        assert_eq!(
            flow("Node.js & C++17/C#; M.2 5G AT&T"),
            "node js\nc++ 17 c#\nm 2 5 g at t"
        );
        assert_eq!(flow("1,299元 16:9 a,b 1, 2"), "1 299 元 16 9 a\nb 1\n2");
        assert_eq!(flow("人工 智能\n人工\n智能"), "人工 智能\n人工\n智能");
        assert_eq!(flow("a - b"), "a\nb");
        assert_eq!(flow("re\u{301}sume\u{301} 中\u{200B}国"), "resume 中国");
        assert_eq!(flow("，。！ \0 😀"), "");
        assert_eq!(flow("お買い物スーパー 한국어"), "お买い物スーパー 한국어");
    }

    #[test]
    fn fields_stay_apart() {
        assert_eq!(
            flow_of(["machine", "learning", "", "中", "国"]),
            "machine\n\nlearning\n\n\n中\n\n国"
        );
    }

    #[test]
    fn the_bound_counts_over_fields_in_characters_and_bytes() {
        let mut flow = Flow::default();
        flow.field("中国 ab", 5);
        flow.field("cdef", 5);
        assert_eq!((flow.text.as_str(), flow.characters), ("中国 ab\n\nc", 5));
        let mut wide = Flow::default();
        wide.field(&"\u{20000}".repeat(10), 6);
        assert_eq!(wide.text.len(), 16, "six characters of three bytes at most");
    }

    #[test]
    fn latin_words_are_found_whole_and_han_anywhere() {
        let count = |needle: &str, text: &str| Needle::new(&flow(needle)).count(&flow(text));
        assert_eq!(count("art", "Art, smart art-work; ART"), 3);
        assert_eq!(count("16", "iPhone16 160 16"), 2);
        assert_eq!(count("国", "中国国家"), 2);
        assert_eq!(count("小米14", "小米 14，小米143，老小米14"), 2);
        assert_eq!(count("c", "c++ c# c"), 1);
        assert_eq!(count("c++", "C++17 c"), 1);
        assert_eq!(count("disney", "Disney+ disneyland"), 1);
        assert_eq!(count("node.js", "Node JS node/js nodejs"), 2);
        assert_eq!(count("", "a b"), 0);
    }
}
