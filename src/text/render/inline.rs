//! Writes a line as GFM: escapes, emphasis, code, links.

use super::tree::{Run, Style};

/// What a line of Markdown may hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lines {
    /// Line breaks, as in a paragraph.
    Several,
    /// No line end, as in a heading.
    One,
    /// No line end, and a bar would end the cell.
    Cell,
}

/// The Markdown of runs, as they stand between the ends of a line.
pub(super) fn write(runs: &[Run], lines: Lines) -> String {
    let mut out = String::new();
    write_links(runs, lines, &mut out);
    out
}

/// Length of the longest row of one character.
pub(super) fn longest_run(text: &str, c: char) -> usize {
    text.split(|other| other != c)
        .map(|row| row.len() / c.len_utf8())
        .max()
        .unwrap_or(0)
}

/// Appends text as the alternative text of an image.
pub(super) fn escape_alt(text: &str, out: &mut String) {
    escape_text(text, false, Lines::Cell, out);
}

/// Appends text as the quoted title of a link or an image.
pub(super) fn escape_title(text: &str, out: &mut String) {
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\\' | '|' => out.extend(['\\', c]),
            '&' if begins_entity(rest.as_str()) => out.push_str("&amp;"),
            _ => out.push(c),
        }
    }
}

/// Appends the address of a link or an image, in round brackets already open.
pub(super) fn escape_address(address: &str, out: &mut String) {
    let mut rest = address.chars();
    while let Some(c) = rest.next() {
        match c {
            '(' | ')' => out.extend(['\\', c]),
            '&' if begins_entity(rest.as_str()) => out.push_str("&amp;"),
            ' ' | '<' | '>' | '\\' | '|' => out.push_str(&format!("%{:02X}", u32::from(c))),
            _ if c.is_control() => {}
            _ => out.push(c),
        }
    }
}

fn write_links(runs: &[Run], lines: Lines, out: &mut String) {
    let mut groups = runs.chunk_by(|a, b| a.link == b.link).peekable();
    while let Some(group) = groups.next() {
        let Some(address) = group.first().and_then(|run| run.link.as_deref()) else {
            let before = out.chars().next_back();
            // A link that follows begins with a bracket of one kind or the other.
            write_marks(group, 0, (before, groups.peek().map(|_| '[')), lines, out);
            continue;
        };
        match group {
            [run] if run.style == Style::default() && is_autolink(&run.text, address) => {
                out.extend(["<", &run.text, ">"]);
            }
            _ => {
                out.push('[');
                write_marks(group, 0, (Some('['), Some(']')), lines, out);
                out.push_str("](");
                escape_address(address, out);
                out.push(')');
            }
        }
    }
}

/// Whether `<text>` is a link to the address.
fn is_autolink(text: &str, address: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'-');
    match address.strip_prefix("mailto:") {
        Some(mail) => {
            mail == text
                && text.split_once('@').is_some_and(|(name, host)| {
                    !name.is_empty()
                        && name.bytes().all(plain)
                        && host.split('.').all(|label| {
                            label.bytes().all(|byte| byte.is_ascii_alphanumeric()) && (1..=63).contains(&label.len())
                        })
                })
        }
        // Some renderers read an entity even there.
        None => text == address && text.starts_with("http") && !text.contains(';'),
    }
}

/// Writes runs of one link; `level` is the place in the order of nesting, so this goes eight levels deep. `around` is what
/// stands before and after, which decides whether stars and tildes are emphasis there.
fn write_marks(runs: &[Run], level: usize, around: (Option<char>, Option<char>), lines: Lines, out: &mut String) {
    let Some(&mark) = Style::NESTING.get(level) else {
        for run in runs {
            // Within a mark or a link no line begins.
            let starts = around.0.is_none() && out.is_empty();
            escape_text(&run.text, starts, lines, out);
        }
        return;
    };
    let begin = out.len();
    let mut groups = runs.chunk_by(|a, b| a.style.has(mark) == b.style.has(mark)).peekable();
    while let Some(group) = groups.next() {
        let before = out.get(begin..).and_then(|own| own.chars().next_back()).or(around.0);
        let marks = Style::NESTING.get(level..).unwrap_or_default();
        let after = groups
            .peek()
            .and_then(|next| next.first())
            .map_or(around.1, |run| first_char(run, marks));
        if !group.first().is_some_and(|run| run.style.has(mark)) {
            write_marks(group, level + 1, (before, after), lines, out);
        } else if mark == Style::CODE {
            for run in group {
                write_code(&run.text, lines, out);
            }
        } else {
            let mut inner = String::new();
            let inside = if mark == Style::STRIKE {
                (Some('~'), Some('~'))
            } else {
                (Some('>'), Some('<'))
            };
            write_marks(group, level + 1, inside, lines, &mut inner);
            let whole = group.iter().all(|run| run.style.has(Style::ITALIC));
            let (open, close) = delimiters(mark, &inner, whole, before, after);
            out.extend([open, &inner, close]);
        }
    }
}

/// The character that a run begins with, or one like it: `marks` are those that may open there.
fn first_char(run: &Run, marks: &[Style]) -> Option<char> {
    match marks.iter().find(|mark| run.style.has(**mark)) {
        None => run.text.chars().next(),
        Some(_) if run.style.has(Style::STRIKE) => Some('~'),
        Some(_) => Some('<'),
    }
}

/// Stars and tildes where CommonMark reads them as emphasis in any renderer, tags where it would not: `a<em>(b)</em>c`.
fn delimiters(
    mark: Style,
    inner: &str,
    whole_italic: bool,
    before: Option<char>,
    after: Option<char>,
) -> (&'static str, &'static str) {
    let (plain, tags) = match mark {
        Style::BOLD => ("**", ("<strong>", "</strong>")),
        Style::ITALIC => ("*", ("<em>", "</em>")),
        Style::STRIKE => ("~~", ("<s>", "</s>")),
        Style::UNDERLINE => return ("<u>", "</u>"),
        Style::MARK => return ("<mark>", "</mark>"),
        Style::SUB => return ("<sub>", "</sub>"),
        _ => return ("<sup>", "</sup>"),
    };
    let stars = inner.starts_with('*') || inner.ends_with('*');
    // `***a***` is the one row of stars that is read as meant.
    let nested = mark == Style::BOLD && whole_italic && inner.starts_with('*') && inner.ends_with('*');
    let clear = mark == Style::STRIKE || (before != Some('*') && (!stars || nested));
    let text = if nested { inner.trim_matches('*') } else { inner };
    let flanks = |inside: Option<char>, outside: Option<char>| {
        inside.is_some_and(|inside| {
            !inside.is_whitespace()
                && (inside.is_alphanumeric() || outside.is_none_or(|c| c.is_whitespace() || is_mark(c)))
        })
    };
    if clear && flanks(text.chars().next(), before) && flanks(text.chars().next_back(), after) {
        (plain, plain)
    } else {
        tags
    }
}

/// Punctuation beyond doubt, in every version of Unicode. Tildes are not: renderers look past them to what stands behind.
fn is_mark(c: char) -> bool {
    (c.is_ascii_punctuation() && c != '~')
        || matches!(c, '“' | '”' | '‘' | '’' | '…' | '—' | '、' | '。' | '〈'..='】' | '！'..='／' | '：'..='＠' | '［'..='｀' | '｛'..='･')
}

/// Writes a code span; no line break is within code.
fn write_code(text: &str, lines: Lines, out: &mut String) {
    if lines == Lines::Cell && text.contains("\\|") {
        // A cell cannot hold a backslash before a bar in a code span.
        out.push_str("<code>");
        escape_text(text, false, lines, out);
        return out.push_str("</code>");
    }
    let ticks = "`".repeat(longest_run(text, '`') + 1);
    let room = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    out.extend([&ticks, room]);
    for c in text.chars() {
        if c == '|' && lines == Lines::Cell {
            out.push('\\');
        }
        out.push(c);
    }
    out.extend([room, &ticks]);
}

fn write_break(lines: Lines, out: &mut String) {
    out.push_str(if lines == Lines::Several { "\\\n" } else { "<br>" });
}

/// Appends text so that nothing in it is markup. `starts` tells that it begins a line, where more characters have a meaning.
fn escape_text(text: &str, starts: bool, lines: Lines, out: &mut String) {
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            write_break(lines, out);
        }
        let first = (at > 0 && lines == Lines::Several) || (at == 0 && starts);
        escape_line(line, first, lines, out);
    }
}

fn escape_line(line: &str, first: bool, lines: Lines, out: &mut String) {
    let mut before = None;
    // A number that may count an item of a list.
    let mut counts = first;
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        let begins = first && before.is_none();
        let next = rest.as_str();
        let escaped = match c {
            '\\' | '*' | '`' | '[' | ']' | '<' | '>' | '~' | '^' => true,
            '_' => !before.is_some_and(char::is_alphanumeric) || !next.starts_with(char::is_alphanumeric),
            '|' => begins || lines == Lines::Cell,
            '#' => begins || lines == Lines::One,
            '+' | '-' | '=' => begins,
            '.' | ')' => (counts && before.is_some()) || (c == '.' && out.ends_with(['w', 'W'])),
            '!' => next.is_empty(),
            ':' => begins || next.starts_with('/'),
            _ => false,
        };
        if c == '&' && begins_entity(next) {
            out.push_str("&amp;");
            before = Some(c);
            continue;
        }
        if escaped {
            out.push('\\');
        } else if c == '@' && before.is_some_and(|c| !c.is_whitespace()) {
            // An address of mail becomes a link by itself, and no backslash prevents it.
            out.push_str("<!-- -->");
        }
        out.push(c);
        counts = counts && c.is_ascii_digit();
        before = Some(c);
    }
}

/// Whether what follows `&` makes it an entity; the longest name has 31 letters.
fn begins_entity(rest: &str) -> bool {
    let end = rest
        .bytes()
        .take(40)
        .position(|byte| !byte.is_ascii_alphanumeric() && byte != b'#');
    end.is_some_and(|end| end > 0 && rest.as_bytes().get(end) == Some(&b';'))
}
