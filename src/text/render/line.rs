//! A line of text as it is gathered: white space set right, marks kept.

use super::tree::{Cell, Image, Inline, Run, Style};
use std::rc::Rc;

/// White space that waits for the next word: at either end of a line it comes to nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Gap {
    #[default]
    None,
    Space,
    /// One no-break space and nothing beside it.
    NoBreak,
    /// White space with a line end of the source in it.
    Newline,
    /// A line break that the author asked for.
    Break,
    /// Two of them or more, which is how old pages part their paragraphs.
    Parting,
}

#[derive(Debug, Default)]
pub(super) struct Line {
    inlines: Vec<Inline>,
    gap: Gap,
    /// The marks and the link that all of the waiting white space has.
    gap_style: Style,
    gap_link: Option<Rc<str>>,
    last: Option<char>,
}

impl Line {
    /// Adds text. With `han` a line end of the source between two characters of Chinese or Japanese is no space.
    pub(super) fn text(&mut self, text: &str, style: Style, link: Option<&Rc<str>>, han: bool) {
        let mut rest = text;
        while !rest.is_empty() {
            let (white, words) = rest.split_at(rest.find(|c| !is_gap(c)).unwrap_or(rest.len()));
            if !white.is_empty() {
                self.mark_gap(style, link);
            }
            for c in white.chars() {
                self.white(c);
            }
            let (word, more) = words.split_at(words.find(is_gap).unwrap_or(words.len()));
            if !word.is_empty() {
                self.word(word, style, link, han);
            }
            rest = more;
        }
    }

    /// A line break that the author asked for.
    pub(super) fn line_break(&mut self, style: Style, link: Option<&Rc<str>>) {
        self.mark_gap(style, link);
        self.gap = if matches!(self.gap, Gap::Break | Gap::Parting) {
            Gap::Parting
        } else {
            Gap::Break
        };
    }

    /// The end of a block within a table cell, where lines are all that is left of blocks.
    pub(super) fn part(&mut self) {
        self.mark_gap(Style::default(), None);
        if self.gap != Gap::Parting {
            self.gap = Gap::Break;
        }
    }

    pub(super) fn image(&mut self, image: Image) {
        self.separate(None, Style::default(), None, false);
        self.inlines.push(Inline::Image(image));
        self.last = None;
    }

    /// The line, which is then empty; `None` where there was nothing to see in it.
    pub(super) fn take(&mut self) -> Option<Cell> {
        let mut inlines = std::mem::take(self).inlines;
        trim_end(&mut inlines);
        let visible = inlines.iter().any(|inline| match inline {
            Inline::Run(run) => is_visible(&run.text),
            Inline::Image(_) => true,
        });
        visible.then_some(inlines)
    }

    fn mark_gap(&mut self, style: Style, link: Option<&Rc<str>>) {
        if self.gap == Gap::None {
            self.gap_style = style;
            self.gap_link = link.cloned();
        } else {
            self.gap_style = self.gap_style.common(style);
            self.gap_link = self.gap_link.take().filter(|gap| Some(gap) == link);
        }
    }

    fn white(&mut self, c: char) {
        self.gap = match (self.gap, c) {
            (gap @ (Gap::Break | Gap::Parting | Gap::Newline), _) => gap,
            (_, '\n' | '\u{2028}' | '\u{2029}') => Gap::Newline,
            (Gap::None, '\u{a0}') => Gap::NoBreak,
            _ => Gap::Space,
        };
    }

    fn word(&mut self, word: &str, style: Style, link: Option<&Rc<str>>, han: bool) {
        // The ideographic spaces that indent a paragraph belong to its look.
        let starts = self.inlines.is_empty() || matches!(self.gap, Gap::Break | Gap::Parting);
        let word = if starts { word.trim_start() } else { word };
        if word.is_empty() {
            return;
        }
        self.separate(word.chars().next(), style, link, han);
        self.append(word, style, link);
        self.last = word.chars().next_back();
    }

    /// Sets the waiting white space before what comes, outside the marks that begin or end there.
    fn separate(&mut self, next: Option<char>, style: Style, link: Option<&Rc<str>>, han: bool) {
        let gap = std::mem::take(&mut self.gap);
        if matches!(gap, Gap::Break | Gap::Parting) {
            trim_end(&mut self.inlines);
        }
        if self.inlines.is_empty() {
            return;
        }
        let white = match gap {
            Gap::None => return,
            Gap::Newline if han && joins(self.last, next) => return,
            Gap::Space | Gap::Newline => " ",
            Gap::NoBreak => "\u{a0}",
            Gap::Break => "\n",
            Gap::Parting => "\n\n",
        };
        let gap_link = self.gap_link.take().filter(|gap| Some(gap) == link);
        let (style, link) = match self.inlines.last() {
            // A code span holds spaces, but no line break.
            Some(Inline::Run(run))
                if run.style == style
                    && self.gap_style == style
                    && run.link.as_ref() == link
                    && gap_link == run.link
                    && !(style.has(Style::CODE) && white.starts_with('\n')) =>
            {
                (style, gap_link)
            }
            Some(Inline::Run(run)) => {
                let style = run.style.common(style).common(self.gap_style).without(Style::CODE);
                (style, gap_link.filter(|gap| Some(gap) == run.link.as_ref()))
            }
            _ => (Style::default(), None),
        };
        self.append(white, style, link.as_ref());
    }

    fn append(&mut self, text: &str, style: Style, link: Option<&Rc<str>>) {
        match self.inlines.last_mut() {
            Some(Inline::Run(run)) if run.style == style && run.link.as_ref() == link => run.text.push_str(text),
            _ => self.inlines.push(Inline::Run(Run {
                text: text.to_owned(),
                style,
                link: link.cloned(),
            })),
        }
    }
}

/// Takes away the wide spaces at the end of a line.
fn trim_end(inlines: &mut Cell) {
    while let Some(Inline::Run(run)) = inlines.last_mut() {
        run.text.truncate(run.text.trim_end().len());
        if !run.text.is_empty() {
            break;
        }
        inlines.pop();
    }
}

/// Cuts a line into paragraphs where its author set two line breaks.
pub(super) fn paragraphs(runs: Vec<Run>) -> Vec<Vec<Run>> {
    let mut all = vec![Vec::new()];
    for run in runs {
        for (at, part) in run.text.split("\n\n").enumerate() {
            if at > 0 {
                all.push(Vec::new());
            }
            if let Some(paragraph) = all.last_mut()
                && !part.is_empty()
            {
                paragraph.push(Run {
                    text: part.to_owned(),
                    style: run.style,
                    link: run.link.clone(),
                });
            }
        }
    }
    all.retain(|paragraph| paragraph.iter().any(|run| is_visible(&run.text)));
    all
}

/// Takes the partings back to line breaks, for a line that cannot be cut.
pub(super) fn one_line(mut line: Cell) -> Cell {
    for inline in &mut line {
        if let Inline::Run(run) = inline
            && run.text.contains("\n\n")
        {
            run.text = run.text.replace("\n\n", "\n");
        }
    }
    line
}

/// Whether a text character is dropped wherever it stands: control characters, among them those that mark a place and those
/// that XML cannot hold, the byte order mark, and two that are no characters.
pub(super) fn is_forbidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\n')) || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// One line of plain words, as `alt` and captions are; `None` where nothing is left.
pub(super) fn words(raw: &str) -> Option<String> {
    let mut out = String::with_capacity(raw.len());
    for word in raw.split(char::is_whitespace) {
        let before = out.len();
        out.extend(word.chars().filter(|&c| !is_forbidden(c)));
        if out.len() > before && before > 0 {
            out.insert(before, ' ');
        }
    }
    (!out.is_empty()).then_some(out)
}

fn is_gap(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{a0}' | '\u{2028}' | '\u{2029}')
}

fn is_visible(text: &str) -> bool {
    text.chars().any(|c| !is_zero_width(c) && !c.is_whitespace())
}

fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}')
}

/// Whether a line end between the two is no space: both belong to a script without spaces, or one does and the other is a mark
/// that Chinese shares with the Latin script (“”, ‘’, …, —, ·).
fn joins(before: Option<char>, after: Option<char>) -> bool {
    let (Some(before), Some(after)) = (before, after) else {
        return false;
    };
    (is_han(before) && (is_han(after) || is_shared(after))) || (is_shared(before) && is_han(after))
}

fn is_shared(c: char) -> bool {
    matches!(c, '“' | '”' | '‘' | '’' | '…' | '—' | '·')
}

/// Han, kana, and the marks and wide forms used with them. Hangul is not among them: Korean parts its words by spaces.
fn is_han(c: char) -> bool {
    matches!(c,
        '\u{2e80}'..='\u{2fdf}' | '\u{2ff0}'..='\u{312f}' | '\u{3190}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}' | '\u{ff01}'..='\u{ff9f}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str, han: bool) -> Option<String> {
        let mut line = Line::default();
        line.text(text, Style::default(), None, han);
        line.take()
            .map(|line| super::super::tree::runs(line).into_iter().map(|run| run.text).collect())
    }

    #[test]
    fn white_space_becomes_one_space_and_none_at_the_ends() {
        assert_eq!(plain(" a \t\n b\u{a0}\u{a0}c ", false).as_deref(), Some("a b c"));
        assert_eq!(plain("10\u{a0}km", false).as_deref(), Some("10\u{a0}km"));
        assert_eq!(
            plain("\u{3000}\u{3000}续航\u{3000}真的\u{3000}", false).as_deref(),
            Some("续航\u{3000}真的")
        );
    }

    #[test]
    fn a_line_without_anything_to_see_is_none() {
        for text in ["", " ", "\u{a0}", "\u{200b}", "\u{3000}", "a"] {
            assert_eq!(plain(text, false).is_some(), text == "a", "{text:?}");
        }
    }

    #[test]
    fn a_line_end_between_han_is_no_space() {
        assert_eq!(plain("续航\n真的，\n好", true).as_deref(), Some("续航真的，好"));
        assert_eq!(plain("他说\n“好”\n了", true).as_deref(), Some("他说“好”了"));
        assert_eq!(plain("续航\nbattery\n真的", true).as_deref(), Some("续航 battery 真的"));
        assert_eq!(plain("한국\n어", true).as_deref(), Some("한국 어"));
        assert_eq!(plain("续航\n真的", false).as_deref(), Some("续航 真的"));
        assert_eq!(plain("续航 真的", true).as_deref(), Some("续航 真的"));
    }

    #[test]
    fn a_space_stands_outside_the_mark_that_ends_before_it() {
        let mut line = Line::default();
        line.text("a ", Style::BOLD, None, false);
        line.text("b", Style::BOLD.with(Style::ITALIC), None, false);
        line.text(" c", Style::default(), None, false);
        let runs = super::super::tree::runs(line.take().unwrap());
        let seen: Vec<(&str, Style)> = runs.iter().map(|run| (run.text.as_str(), run.style)).collect();
        assert_eq!(
            seen,
            [
                ("a ", Style::BOLD),
                ("b", Style::BOLD.with(Style::ITALIC)),
                (" c", Style::default())
            ]
        );
    }

    #[test]
    fn words_drop_controls_and_fold_white_space() {
        assert_eq!(words(" a\u{1}\u{2}b \n\u{3000} c\u{0} ").as_deref(), Some("ab c"));
        assert_eq!(words(" \u{1} "), None);
    }
}
