//! The order of relevance, the same for both databases because neither has a part in it.
//!
//! A word of the query counts 12 in the title, 4 in a tag, 2 in the summary and 1 in the body, the body's share by its length;
//! what a word can count is bounded, so that one word in plenty does not beat two. Titles that hold much of the query, or
//! little else, weigh more, as do neighbouring words that stand together, and a little what is new. Every word is worth the
//! same: weights by rarity made no difference where this was measured.
//!
//! It goes in steps, because bodies are long: [`Ranking::by_fields`] orders all candidates without them, the caller fetches
//! those of [`Ranking::wants_bodies`], some at a time, for [`Ranking::read_bodies`], and [`Ranking::finish`] orders these
//! anew.

mod weights;

use std::cmp::Ordering;
use std::collections::HashMap;

use weights::{
    ADJACENT, COVERED, FILLED, SUMMARY, TAGS, TITLE, UNREAD, at_most, characters, recency, relative_length, saturated,
    share, together,
};

use crate::text::flow::{Needle, flow, flow_of};
use crate::text::query::{Query, Unit};

/// How many candidates are ranked by their bodies too.
pub const BODIES: usize = 100;

/// In how many ways two neighbouring words are looked for together: with many synonyms the products of all would be hundreds.
const WAYS: usize = 32;

/// An article that the databases found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its id.
    pub id: i64,
    /// When it was published, in seconds since 1970.
    pub published_at_seconds: i64,
    /// Its title as stored.
    pub title: String,
    /// Its summary as stored; empty where it has none.
    pub summary: String,
    /// The names of its tags.
    pub tags: Vec<String>,
}

/// An article with its place among the others.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranked {
    /// The article's id.
    pub id: i64,
    /// When it was published, in seconds since 1970.
    pub published_at_seconds: i64,
    /// Higher is better; comparable within one search.
    pub score: f64,
}

/// Candidates of one query in order, so far by title, tags and summary.
pub struct Ranking {
    words: Vec<Word>,
    /// For each two neighbouring words of the query the ways in which they stand together.
    neighbours: Vec<Vec<Needle>>,
    /// Best first.
    scored: Vec<Scored>,
    /// The scores of those whose bodies were read.
    with_body: HashMap<i64, f64>,
}

/// A word of the query with its synonyms; what is said in another word counts as much.
struct Word {
    /// Its length in characters, as it was typed.
    length: f64,
    /// Each way to write it, with its length.
    forms: Vec<(Needle, f64)>,
}

impl Word {
    fn new(unit: &Unit) -> Self {
        Self {
            length: characters(unit.text()),
            forms: unit.texts().map(|text| (Needle::new(text), characters(text))).collect(),
        }
    }

    fn count(&self, flow: &str) -> usize {
        self.forms.iter().map(|(needle, _)| needle.count(flow)).sum()
    }

    /// The length of the longest form that is there; 0 where none is.
    fn longest_in(&self, flow: &str) -> f64 {
        let there = self.forms.iter().filter(|(needle, _)| needle.is_in(flow));
        there.map(|(_, length)| *length).fold(0.0, f64::max)
    }
}

struct Scored {
    ranked: Ranked,
    /// What each word counts without the body.
    counts: Vec<f64>,
    /// The title's share in the factor, and whether each two neighbouring words stand together in it.
    title_factor: f64,
    adjacent_in_title: Vec<bool>,
    recency: f64,
}

impl Ranking {
    /// Orders candidates by their fields. `day` is the day on which the search was begun, in days since 1970: it stays the same
    /// from page to page. The order of `candidates` has no influence; ids must be distinct.
    pub fn by_fields(query: &Query, day: i64, candidates: &[Candidate]) -> Ranking {
        let units = query.units();
        let neighbours: Vec<Vec<Needle>> = units
            .iter()
            .zip(units.iter().skip(1))
            .map(|(first, second)| {
                let both = |first| second.texts().flat_map(move |second| together(first, second));
                first.texts().flat_map(both).take(WAYS).collect()
            })
            .collect();
        let mut ranking = Ranking {
            words: units.iter().map(Word::new).collect(),
            neighbours,
            scored: Vec::with_capacity(candidates.len()),
            with_body: HashMap::new(),
        };
        for candidate in candidates {
            let scored = ranking.score_fields(candidate, day);
            ranking.scored.push(scored);
        }
        ranking.scored.sort_unstable_by(|a, b| better(&a.ranked, &b.ranked));
        ranking
    }

    /// The articles whose bodies decide the final order, best first.
    pub fn wants_bodies(&self) -> impl Iterator<Item = i64> + '_ {
        self.scored.iter().take(BODIES).map(|scored| scored.ranked.id)
    }

    /// Scores anew the articles whose bodies these are.
    pub fn read_bodies(&mut self, bodies: &HashMap<i64, String>) {
        for at in 0..self.scored.len().min(BODIES) {
            let Some(scored) = self.scored.get(at) else { continue };
            let Some(body) = bodies.get(&scored.ranked.id) else {
                continue;
            };
            let score = self.score_body(scored, body);
            self.with_body.insert(scored.ranked.id, score);
        }
    }

    /// The final order. A wanted body that was not given counts as empty.
    pub fn finish(mut self) -> Vec<Ranked> {
        let rest = self.scored.split_off(self.scored.len().min(BODIES));
        let scored = self.scored.iter().map(|scored| {
            let read = self.with_body.get(&scored.ranked.id).copied();
            Ranked {
                score: read.unwrap_or_else(|| self.score_body(scored, "")),
                ..scored.ranked
            }
        });
        let mut order: Vec<Ranked> = scored.collect();
        order.sort_unstable_by(better);
        order.extend(rest.into_iter().map(|scored| scored.ranked));
        order
    }

    fn score_fields(&self, candidate: &Candidate, day: i64) -> Scored {
        let title = flow(&candidate.title);
        let summary = flow(&candidate.summary);
        let tags = flow_of(candidate.tags.iter().map(String::as_str));
        let mut counts = Vec::with_capacity(self.words.len());
        let (mut covered, mut filled, mut asked) = (0.0, 0.0, 0.0);
        for word in &self.words {
            let in_title = at_most(word.count(&title), 2);
            let in_tags = at_most(word.count(&tags), 1);
            let in_summary = at_most(word.count(&summary), 2);
            counts.push(TITLE * in_title + TAGS * in_tags + SUMMARY * in_summary);
            asked += word.length;
            if in_title > 0.0 {
                covered += word.length;
                filled += word.longest_in(&title);
            }
        }
        let title_factor = COVERED * share(covered, asked) + FILLED * share(filled, characters(&title));
        let recency = recency(candidate.published_at_seconds, day);
        let sum: f64 = counts.iter().map(|count| saturated(count + UNREAD)).sum();
        let score = sum * (1.0 + title_factor) * recency;
        let adjacent_in_title = self
            .neighbours
            .iter()
            .map(|ways| ways.iter().any(|way| way.is_in(&title)))
            .collect();
        let ranked = Ranked {
            id: candidate.id,
            published_at_seconds: candidate.published_at_seconds,
            score,
        };
        Scored {
            ranked,
            counts,
            title_factor,
            adjacent_in_title,
            recency,
        }
    }

    fn score_body(&self, scored: &Scored, body: &str) -> f64 {
        let body = flow(body);
        let length = relative_length(&body);
        let words = self.words.iter().zip(&scored.counts);
        let sum: f64 = words
            .map(|(word, count)| saturated(count + word.count(&body) as f64 / length))
            .sum();
        let pairs = self.neighbours.iter().zip(&scored.adjacent_in_title);
        let adjacent = pairs
            .filter(|(ways, in_title)| **in_title || ways.iter().any(|way| way.is_in(&body)))
            .count();
        let adjacency = ADJACENT * share(adjacent as f64, self.neighbours.len() as f64);
        sum * (1.0 + scored.title_factor + adjacency) * scored.recency
    }
}

/// Highest score, then newest, then the larger id.
fn better(a: &Ranked, b: &Ranked) -> Ordering {
    (b.score.total_cmp(&a.score))
        .then(b.published_at_seconds.cmp(&a.published_at_seconds))
        .then(b.id.cmp(&a.id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::query::{Known, cut};

    const TODAY: i64 = 20_000;
    const DAY: i64 = 86_400;

    fn article(id: i64, title: &str, summary: &str, tags: &[&str]) -> Candidate {
        Candidate {
            id,
            published_at_seconds: (TODAY - 100) * DAY,
            title: title.into(),
            summary: summary.into(),
            tags: tags.iter().map(|tag| (*tag).into()).collect(),
        }
    }

    fn rank(typed: &str, candidates: &[Candidate], bodies: &[(i64, &str)]) -> Vec<i64> {
        let mut ranking = Ranking::by_fields(&Query::parse(typed, &cut), TODAY, candidates);
        for (id, body) in bodies {
            ranking.read_bodies(&HashMap::from([(*id, (*body).to_owned())]));
        }
        ranking.finish().into_iter().map(|ranked| ranked.id).collect()
    }

    #[test]
    fn title_beats_tag_beats_summary_beats_body() {
        let candidates = [
            article(1, "甲", "", &[]),
            article(2, "乙", "续航", &[]),
            article(3, "丙", "", &["续航"]),
            article(4, "丁谈续航", "", &[]),
        ];
        let body = format!("续航不错{}", "，其他内容".repeat(400));
        assert_eq!(rank("续航", &candidates, &[(1, &body)]), [4, 3, 2, 1]);
    }

    #[test]
    fn the_title_that_is_the_query_comes_first() {
        let candidates = [
            article(
                1,
                "小米手机与华为手机续航评测大全：谁更好",
                "续航评测",
                &["小米", "手机"],
            ),
            article(2, "小米手机续航评测", "", &[]),
            article(3, "续航好的小米平板与手机评测", "", &[]),
        ];
        assert_eq!(rank("小米手机续航评测", &candidates, &[])[0], 2);
    }

    #[test]
    fn neighbouring_words_count_more_than_scattered_ones() {
        let candidates = [article(1, "文一", "", &[]), article(2, "文二", "", &[])];
        let filler = "其他内容，".repeat(20);
        let near = format!("{filler}小米 14 发布{filler}");
        let far = format!("{filler}小米发布{filler}14 天{filler}");
        assert_eq!(rank("小米14", &candidates, &[(1, &near), (2, &far)]), [1, 2]);
        assert_eq!(
            rank(
                "machine learning",
                &candidates,
                &[(1, "machine learning"), (2, "learning machine")]
            ),
            [1, 2]
        );
    }

    #[test]
    fn a_word_in_a_short_body_weighs_more() {
        let candidates = [article(1, "文一", "", &[]), article(2, "文二", "", &[])];
        assert_eq!(
            rank(
                "续航",
                &candidates,
                &[(1, "续航"), (2, &format!("续航{}", "内容".repeat(3_000)))]
            ),
            [1, 2]
        );
    }

    #[test]
    fn synonyms_count_as_much_and_together() {
        let mut known = Known::default();
        for (word, other) in [("手机", "移动电话"), ("评测", "开箱")] {
            known.add_synonym(word, other);
        }
        let query = Query::parse_with("手机评测", &cut, &known);
        let order = |candidates: &[Candidate]| -> Vec<(i64, f64)> {
            let ranked = Ranking::by_fields(&query, TODAY, candidates).finish();
            ranked.into_iter().map(|ranked| (ranked.id, ranked.score)).collect()
        };
        let same = order(&[
            article(1, "手机评测", "手机", &["移动电话"]),
            article(2, "移动电话开箱", "移动电话", &["手机"]),
        ]);
        assert_eq!(same[0].1, same[1].1, "one word is as good as the other");
        let both = order(&[
            article(1, "手机评测", "手机", &[]),
            article(2, "手机评测", "手机，移动电话", &[]),
        ]);
        assert_eq!(both[0].0, 2, "counts of all forms are added");
    }

    #[test]
    fn newer_is_a_little_better_but_not_more() {
        let mut old = article(1, "续航", "", &[]);
        old.published_at_seconds = 0;
        let new = Candidate {
            published_at_seconds: TODAY * DAY,
            ..article(2, "续航", "", &[])
        };
        let future = Candidate {
            published_at_seconds: (TODAY + 9) * DAY,
            ..article(3, "谈谈续航", "", &[])
        };
        assert_eq!(rank("续航", &[old, new, future], &[]), [2, 1, 3]);
    }

    #[test]
    fn ties_go_to_the_newest_and_then_to_the_larger_id() {
        let day = (TODAY - 100) * DAY;
        let candidates: Vec<Candidate> = [(1, 5), (2, 9), (3, 5)]
            .map(|(id, second)| Candidate {
                published_at_seconds: day + second,
                ..article(id, "续航", "", &[])
            })
            .to_vec();
        assert_eq!(rank("续航", &candidates, &[]), [2, 3, 1]);
    }

    #[test]
    fn bodies_are_asked_for_the_best_alone_and_the_rest_stays_behind() {
        let many: Vec<Candidate> = (0..500)
            .map(|id| article(id, if id % 2 == 0 { "续航" } else { "其他" }, "", &[]))
            .collect();
        let ranking = Ranking::by_fields(&Query::parse("续航", &cut), TODAY, &many);
        let wanted: Vec<i64> = ranking.wants_bodies().collect();
        assert_eq!(wanted.len(), BODIES);
        assert!(wanted.iter().all(|id| id % 2 == 0));
        let order: Vec<i64> = ranking.finish().iter().map(|ranked| ranked.id).collect();
        assert_eq!(order.len(), 500);
        assert!(order[..BODIES].iter().all(|id| wanted.contains(id)));
    }

    #[test]
    fn scores_are_the_same_to_the_bit_whatever_the_order_of_input() {
        let query = Query::parse("小米14 续航 评测 \"电池\" supersonic tsunami", &cut);
        let words = [
            "小米",
            "14",
            "续航",
            "评测",
            "电池",
            "supersonic",
            "tsunami",
            "，",
            "其他",
        ];
        let mut state = 7u64;
        let mut random = |most: u64| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 33) % most
        };
        let mut text = |length: u64| {
            (0..random(length))
                .map(|_| words[random(9) as usize])
                .collect::<String>()
        };
        let mut candidates: Vec<Candidate> = (0..400)
            .map(|id| article(id, &text(8), &text(20), &[&text(3)]))
            .collect();
        let bodies: HashMap<i64, String> = (0..400).map(|id| (id, text(300))).collect();
        let bits = |candidates: &[Candidate]| -> Vec<(i64, u64)> {
            let mut ranking = Ranking::by_fields(&query, TODAY, candidates);
            ranking.read_bodies(&bodies);
            let order = ranking.finish();
            order.iter().map(|ranked| (ranked.id, ranked.score.to_bits())).collect()
        };
        let expected = bits(&candidates);
        assert!(expected.iter().all(|(_, score)| f64::from_bits(*score).is_finite()));
        candidates.reverse();
        assert_eq!(bits(&candidates), expected);
        candidates.sort_by_key(|candidate| candidate.id * 7_919 % 401);
        assert_eq!(bits(&candidates), expected);
    }

    #[test]
    fn odd_candidates_do_no_harm() {
        let odd = Candidate {
            published_at_seconds: i64::MIN,
            ..article(1, "", "", &[])
        };
        let late = Candidate {
            published_at_seconds: i64::MAX,
            ..article(2, "\0", "", &[""])
        };
        for typed in ["", "，", "a", "-a", "\"a b c\""] {
            assert_eq!(rank(typed, &[odd.clone(), late.clone()], &[]), [2, 1], "{typed}");
        }
        assert_eq!(rank("a", &[], &[]), [] as [i64; 0]);
    }
}
