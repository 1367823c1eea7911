//! What every search and every write does with text, measured: `cargo bench --bench text`.

#[path = "load/corpus/mod.rs"]
#[expect(dead_code, reason = "the load benchmark uses the rest")]
mod corpus;

use std::collections::HashMap;
use std::hint::black_box;

use broadsheet::index::rank::{BODIES, Candidate, Ranking};
use broadsheet::text::analyse::lexemes;
use broadsheet::text::highlight::Highlighter;
use broadsheet::text::query::{Query, cut};
use broadsheet::text::render::{SourceFormat, render};
use broadsheet::text::summary::summary;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use corpus::{Article, Corpus};

/// How many candidates a search ranks.
const CANDIDATES: u64 = 1_000;

struct Text {
    title: String,
    summary: String,
    body: String,
    tags: Vec<String>,
}

fn read(corpus: &Corpus, article: &Article) -> Text {
    let body = render(&article.source, SourceFormat::Markdown).text;
    let tags = article.tags.iter().filter_map(|tag| corpus.tags().get(*tag)).cloned();
    Text {
        title: article.title.clone(),
        summary: summary(&body),
        tags: tags.collect(),
        body,
    }
}

fn benchmarks(criterion: &mut Criterion) {
    let corpus = Corpus::new(1, CANDIDATES);
    let texts: Vec<Text> = (0..CANDIDATES)
        .map(|place| read(&corpus, &corpus.article(place)))
        .collect();
    writing(criterion, &corpus, &texts);
    searching(criterion, &corpus, &texts);
}

/// What happens once an article.
fn writing(criterion: &mut Criterion, corpus: &Corpus, texts: &[Text]) {
    let mut group = criterion.benchmark_group("write");
    let mut each = texts.iter().cycle();
    group.throughput(Throughput::Bytes(
        texts.iter().map(|text| text.body.len() as u64).sum::<u64>() / CANDIDATES,
    ));
    group.bench_function("lexemes of an article", |bencher| {
        bencher.iter(|| {
            each.next()
                .map(|text| lexemes(&text.title, &text.summary, &text.tags, &text.body))
        });
    });
    let articles: Vec<Article> = (0..100).map(|place| corpus.article(place)).collect();
    let mut each = articles.iter().cycle();
    group.bench_function("render of an article", |bencher| {
        bencher.iter(|| {
            each.next()
                .map(|article| render(&article.source, SourceFormat::Markdown))
        });
    });
    group.finish();
}

/// What happens in each search.
fn searching(criterion: &mut Criterion, corpus: &Corpus, texts: &[Text]) {
    let topic = corpus.topic(0);
    let several = topic.iter().take(3).map(String::as_str).collect::<Vec<_>>();
    let mut group = criterion.benchmark_group("search");
    for (name, typed) in [
        ("three words", several.join(" ")),
        ("glued words", several.concat()),
        (
            "mixed",
            format!("{} iPhone16 \"machine learning\" -C++", several.join("")),
        ),
    ] {
        group.bench_function(format!("parse: {name}"), |bencher| {
            bencher.iter(|| Query::parse(black_box(&typed), &cut));
        });
    }

    let query = Query::parse(&several.join(" "), &cut);
    let candidates: Vec<Candidate> = (1..)
        .zip(texts)
        .map(|(id, text)| Candidate {
            id,
            published_at_seconds: id * 86_400,
            title: text.title.clone(),
            summary: text.summary.clone(),
            tags: text.tags.clone(),
        })
        .collect();
    group.bench_function("rank 1,000 by fields", |bencher| {
        bencher.iter(|| Ranking::by_fields(&query, 20_000, black_box(&candidates)));
    });
    let wanted: Vec<i64> = Ranking::by_fields(&query, 20_000, &candidates).wants_bodies().collect();
    let bodies: HashMap<i64, String> = (1..)
        .zip(texts)
        .filter(|(id, _)| wanted.contains(id))
        .map(|(id, text)| (id, text.body.clone()))
        .collect();
    group.bench_function(format!("rank 1,000 by fields and {BODIES} bodies"), |bencher| {
        bencher.iter(|| {
            let mut ranking = Ranking::by_fields(&query, 20_000, black_box(&candidates));
            ranking.read_bodies(&bodies);
            ranking.finish()
        });
    });

    let marks = Highlighter::new(&query);
    group.bench_function("highlight 20 hits", |bencher| {
        bencher.iter(|| {
            let hits = texts.iter().take(20);
            hits.map(|text| {
                (
                    marks.field(&text.title),
                    marks.field(&text.summary),
                    marks.excerpts(&text.body, 3, 120),
                )
            })
            .collect::<Vec<_>>()
        });
    });
    group.finish();
}

criterion_group!(text, benchmarks);
criterion_main!(text);
