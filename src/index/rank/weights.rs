//! The numbers of the ranking. They were set by hand and measured on known articles among 100,000, not fitted to them.

use crate::text::flow::Needle;
use crate::text::normalise::{Kind, look};

pub(super) const TITLE: f64 = 12.0;
pub(super) const TAGS: f64 = 4.0;
pub(super) const SUMMARY: f64 = 2.0;

/// How much a title weighs that holds the whole query, one that is nothing but the query, and the query's words in its order.
pub(super) const COVERED: f64 = 0.7;
pub(super) const FILLED: f64 = 0.7;
pub(super) const ADJACENT: f64 = 0.5;

/// How much an article of today weighs above an old one, and the days after which that has fallen to 1/e.
const RECENT: f64 = 0.1;
const RECENT_DAYS: f64 = 180.0;

/// Saturation, as in BM25: a count of this gives half of what the largest gives.
const SATURATION: f64 = 1.2;

/// The length of an average body, in bytes of its flow (1,600 Chinese characters). A constant, because an average of the
/// articles at hand would change scores from page to page.
const AVERAGE: f64 = 4_800.0;

/// What an unread body is taken to count.
pub(super) const UNREAD: f64 = 0.6;

const DAY: i64 = 86_400;

/// Two words next to each other, with a space between them or, in scripts without spaces, none.
pub(super) fn together(first: &str, second: &str) -> Vec<Needle> {
    let mut ways = vec![Needle::new(&format!("{first} {second}"))];
    let is_gram = |c: Option<char>| c.is_some_and(|c| look(c).1 == Kind::Gram);
    if is_gram(first.chars().next_back()) && is_gram(second.chars().next()) {
        ways.push(Needle::new(&format!("{first}{second}")));
    }
    ways
}

/// How many characters of a flow are not separators.
pub(super) fn characters(flow: &str) -> f64 {
    flow.chars().filter(|c| !matches!(c, ' ' | '\n')).count() as f64
}

pub(super) fn at_most(count: usize, most: usize) -> f64 {
    count.min(most) as f64
}

/// `part` of `whole`, at most 1; 0 of nothing.
pub(super) fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { (part / whole).min(1.0) } else { 0.0 }
}

pub(super) fn saturated(count: f64) -> f64 {
    count * (1.0 + SATURATION) / (count + SATURATION)
}

/// Whole days, and none for what is dated later than `day`.
fn age_in_days(published_at_seconds: i64, day: i64) -> f64 {
    day.saturating_sub(published_at_seconds.div_euclid(DAY)).max(0) as f64
}

/// The factor by which an article's age counts. What is dated later than `day` is as new as can be.
pub(super) fn recency(published_at_seconds: i64, day: i64) -> f64 {
    1.0 + RECENT * (-age_in_days(published_at_seconds, day) / RECENT_DAYS).exp()
}

/// By how much a word in a body counts less than once: a long body has more of everything.
pub(super) fn relative_length(body: &str) -> f64 {
    0.3 + 0.7 * (body.len() as f64 / AVERAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_saturation_stay_within_their_bounds() {
        assert_eq!(
            (share(1.0, 0.0), share(0.0, 5.0), share(1.0, 4.0), share(9.0, 4.0)),
            (0.0, 0.0, 0.25, 1.0)
        );
        assert_eq!((saturated(0.0), saturated(1.2)), (0.0, 1.1));
        assert!(saturated(1e12) < 2.2);
    }

    #[test]
    fn what_is_new_weighs_a_tenth_more_and_what_is_old_nothing() {
        assert_eq!(recency(20_000 * DAY, 20_000), 1.1);
        assert_eq!(recency(i64::MAX, 20_000), 1.1);
        assert_eq!(recency(i64::MIN, 20_000), 1.0);
        assert_eq!(
            recency(20_000 * DAY + DAY - 1, 20_001),
            recency(20_000 * DAY, 20_001),
            "whole days"
        );
    }

    #[test]
    fn han_stands_together_without_a_space_and_latin_with_one() {
        let ways = |first, second, text| together(first, second).iter().any(|way| way.is_in(text));
        assert!(ways("小米", "评测", "小米评测") && ways("小米", "评测", "小米 评测"));
        assert!(ways("小米", "14", "小米 14") && !ways("a", "b", "ab"));
        assert!(!ways("小米", "评测", "小米\n评测"));
    }
}
