//! Which stretches of a text show a query best.

use std::ops::Range;

use super::Mark;
use crate::text::normalise::{Kind, look};

/// How far a border is moved so that it does not part what belongs together.
pub(super) const NUDGE: usize = 24;

/// No excerpt is wider, whatever is asked for: the work grows with the marks in one.
const WIDEST: usize = 1_000;

/// Up to `most` stretches that do not overlap. The best comes first: the one with most of what the query asks for and no better
/// one shows yet, then with most of the query, then with most marks.
pub(super) fn best(text: &[char], marks: &[Mark], most: usize, width: usize) -> Vec<Range<usize>> {
    let width = width.min(WIDEST);
    let windows = windows(marks, width);
    let mut shown: Vec<Range<usize>> = Vec::new();
    let mut seen = 0u64;
    while shown.len() < most {
        let mut best_worth = (0, 0, 0);
        let mut best = None;
        for window in &windows {
            let worth = (
                (window.units & !seen).count_ones(),
                window.units.count_ones(),
                window.marks.len(),
            );
            if worth <= best_worth {
                continue;
            }
            let frame = frame(text, window.place(marks), width);
            if shown
                .iter()
                .all(|other| other.end <= frame.start || frame.end <= other.start)
            {
                best_worth = worth;
                best = Some((window.units, frame));
            }
        }
        let Some((units, frame)) = best else { break };
        seen |= units;
        shown.push(frame);
    }
    shown
}

/// Marks that fit into one excerpt.
struct Window {
    /// Which of the marks.
    marks: Range<usize>,
    units: u64,
}

impl Window {
    fn place(&self, marks: &[Mark]) -> Range<usize> {
        let inside = marks.get(self.marks.clone()).unwrap_or_default();
        let start = inside.first().map_or(0, |mark| mark.place.start);
        start..inside.iter().map(|mark| mark.place.end).max().unwrap_or(start)
    }
}

/// For each mark the window that begins with it. No mark is looked at more often than `width` allows.
fn windows(marks: &[Mark], width: usize) -> Vec<Window> {
    let mut windows = Vec::with_capacity(marks.len());
    for (i, first) in marks.iter().enumerate() {
        let inside = marks.iter().skip(i);
        let fits = inside
            .clone()
            .skip(1)
            .take_while(|mark| mark.place.end <= first.place.start + width)
            .count()
            + 1;
        windows.push(Window {
            marks: i..i + fits,
            units: inside.take(fits).fold(0, |units, mark| units | mark.unit),
        });
    }
    windows
}

/// The stretch of about `width` characters around a window's marks: from the beginning of a sentence where one is near, with
/// words and composed characters whole.
fn frame(text: &[char], marks: Range<usize>, width: usize) -> Range<usize> {
    if text.len() <= width {
        return 0..text.len();
    }
    let earliest = marks
        .end
        .saturating_sub(width)
        .max(marks.start.saturating_sub(width / 3))
        .min(marks.start);
    let mut start = match (earliest..=marks.start).find(|&at| begins_sentence(text, at)) {
        Some(sentence) => sentence,
        None => marks.start.saturating_sub(width / 4).max(earliest),
    };
    start -= (0..NUDGE.min(start))
        .take_while(|back| belongs_to_last(text, start - back))
        .count();
    let mut end = (start + width).max(marks.end).min(text.len());
    let back = (0..NUDGE.min(end - marks.end))
        .take_while(|back| in_word(text, end - back))
        .count();
    if !in_word(text, end - back) {
        end -= back;
    }
    end += (0..NUDGE.min(text.len() - end))
        .take_while(|on| composed(text, end + on))
        .count();
    let is_blank = |at: usize| text.get(at).is_some_and(|&c| look(c).1 == Kind::Blank);
    start += (start..marks.start).take_while(|&at| is_blank(at)).count();
    end -= (marks.end..end).rev().take_while(|&at| is_blank(at)).count();
    start..end
}

/// Whether a sentence or a line begins here.
fn begins_sentence(text: &[char], at: usize) -> bool {
    let back = |by: usize| at.checked_sub(by).and_then(|before| text.get(before)).copied();
    match back(1) {
        None | Some('\n' | '。' | '！' | '？' | '；' | '!' | '?' | ';') => true,
        Some(' ') => matches!(back(2), Some('.' | '!' | '?' | ';')),
        _ => false,
    }
}

fn belongs_to_last(text: &[char], at: usize) -> bool {
    in_word(text, at) || composed(text, at)
}

/// Whether a border here would go through a Latin word or a number.
fn in_word(text: &[char], at: usize) -> bool {
    let is_word = |at: Option<usize>| {
        at.and_then(|at| text.get(at))
            .is_some_and(|&c| matches!(look(c).1, Kind::Letter | Kind::Digit))
    };
    is_word(at.checked_sub(1)) && is_word(Some(at))
}

/// Whether a border here would take a mark from its letter, or part an emoji.
fn composed(text: &[char], at: usize) -> bool {
    text.get(at)
        .is_some_and(|&c| look(c).1 == Kind::Mark || matches!(c, '\u{1F3FB}'..='\u{1F3FF}'))
        || at.checked_sub(1).and_then(|before| text.get(before)) == Some(&'\u{200D}')
}
