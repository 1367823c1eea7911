//! Articles that somebody looks for who knows them: by title, by the title's rarest words, and typed in other ways.

use std::collections::HashMap;

use broadsheet::text::flow::flow;
use broadsheet::text::query::cut;

use super::ids_of;
use crate::corpus::{Article, Standing, Traditional};
use crate::fill::Filled;
use crate::http::{Client, address};
use crate::queries::SEARCH;
use crate::report::Report;
use crate::search::total;
use crate::{Result, in_words};

/// How many made articles are looked for where none are mixed in.
const MADE: u64 = 100;

/// Within how many hits an article must be.
const FIRST: usize = 10;

struct Known {
    external_id: String,
    title: String,
}

/// What a search shows on its first page.
#[derive(PartialEq)]
struct Page {
    total: u64,
    ids: Vec<i64>,
}

/// Looks for each of them in every way.
pub async fn run(filled: &Filled, client: &Client, report: &mut Report) -> Result<()> {
    let mut asker = Asker {
        client,
        totals: HashMap::new(),
    };
    let known = known(filled);
    let traditional = Traditional::new();
    let (mut first, mut rarest, mut glued) = (0, 0, 0);
    let mut missed = Vec::new();
    let mut variants = [("full width", 0), ("upper case", 0), ("traditional", 0)];
    for one in &known {
        let Some(id) = asker.id_of(&one.external_id).await? else {
            return Err(format!("{} is not there", one.external_id));
        };
        let title = asker.page(&one.title).await?;
        if title.ids.first() == Some(&id) {
            first += 1;
        } else {
            missed.push(format!("title {}", one.title));
        }
        let words = asker.rarest(&one.title).await?;
        for (typed, count) in [(words.join(" "), &mut rarest), (joined(&words), &mut glued)] {
            let page = asker.page(&typed).await?;
            if page.ids.iter().take(FIRST).any(|found| *found == id) {
                *count += 1;
            } else {
                missed.push(format!("{typed} for {}", one.title));
            }
        }
        let typed = [
            full_width(&one.title),
            one.title.to_uppercase(),
            traditional.write(&one.title),
        ];
        for (typed, (name, same)) in typed.iter().zip(&mut variants) {
            if asker.page(typed).await? == title {
                *same += 1;
            } else {
                missed.push(format!("{name} {typed}"));
            }
        }
    }
    let share = |count: usize| count as f64 / known.len().max(1) as f64;
    report.line(&format!("{} known articles.", known.len()));
    report.at_least("the title brings its article up first", share(first), 0.97);
    report.at_least("its three rarest words, in the first ten", share(rarest), 0.98);
    report.at_least("the same without spaces, in the first ten", share(glued), 0.97);
    for (name, same) in variants {
        report.at_least(&format!("the title in {name}, the same hits"), share(same), 1.0);
    }
    for line in missed.iter().take(20) {
        report.item(&format!("missed: {line}"));
    }
    Ok(())
}

/// Those that were mixed in; else made ones from all over the years.
fn known(filled: &Filled) -> Vec<Known> {
    if !filled.mixed.is_empty() {
        let mixed = filled.mixed.iter().map(|mixed| Known {
            external_id: mixed.external_id.clone(),
            title: mixed.title.clone(),
        });
        return mixed.collect();
    }
    let step = (filled.corpus.size() / MADE).max(1);
    let made = (0..MADE).map(|number| filled.corpus.article(number * step));
    let published = made.filter(|article: &Article| article.standing == Standing::Published);
    published
        .map(|article| Known {
            external_id: article.external_id,
            title: article.title,
        })
        .collect()
}

struct Asker<'a> {
    client: &'a Client,
    /// How many articles have a word.
    totals: HashMap<String, u64>,
}

impl Asker<'_> {
    async fn page(&self, typed: &str) -> Result<Page> {
        let typed: String = typed.chars().take(200).collect();
        let answer = self.client.get(&address(SEARCH, &[("q", &typed)])).await?;
        let answer = answer.json().map_err(|error| format!("{typed}: {error}"))?;
        Ok(Page {
            total: total(&answer)?,
            ids: ids_of(&answer),
        })
    }

    async fn id_of(&self, external_id: &str) -> Result<Option<i64>> {
        let path = address("/api/v1/articles", &[("external_id", external_id)]);
        let answer = self.client.get(&path).await?.json().map_err(in_words)?;
        Ok(ids_of(&answer).first().copied())
    }

    /// The three words of a title that the fewest articles have, in their order.
    async fn rarest(&mut self, title: &str) -> Result<Vec<String>> {
        let mut words: Vec<(usize, String, u64)> = Vec::new();
        for (place, word) in words_of(title).into_iter().enumerate() {
            if words.iter().any(|(_, other, _)| *other == word) {
                continue;
            }
            let total = match self.totals.get(&word) {
                Some(total) => *total,
                None => self.page(&word).await?.total,
            };
            self.totals.insert(word.clone(), total);
            words.push((place, word, total));
        }
        words.sort_by_key(|(place, _, total)| (*total, *place));
        words.truncate(3);
        words.sort_by_key(|(place, ..)| *place);
        Ok(words.into_iter().map(|(_, word, _)| word).collect())
    }
}

/// The words of a title that say something: of two characters or more, or of other scripts.
fn words_of(title: &str) -> Vec<String> {
    let flow = flow(title);
    let tokens = flow.split([' ', '\n']);
    let words = tokens.flat_map(|token| {
        if is_latin(token) {
            vec![token.to_owned()]
        } else {
            cut(token)
        }
    });
    words
        .filter(|word| is_latin(word) || word.chars().nth(1).is_some())
        .collect()
}

fn is_latin(word: &str) -> bool {
    word.is_ascii()
}

/// Words without spaces, but where two would become one word.
fn joined(words: &[String]) -> String {
    let mut text = String::new();
    for word in words {
        if text.ends_with(|c: char| c.is_ascii()) && is_latin(word) {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// Letters, digits and signs as wide as Chinese characters.
fn full_width(text: &str) -> String {
    let wide = |c: char| match c {
        ' ' => '\u{3000}',
        '!'..='~' => char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c),
        _ => c,
    };
    text.chars().map(wide).collect()
}
