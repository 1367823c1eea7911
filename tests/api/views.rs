//! View counting: exact, durable, once a visitor.

mod events;
mod rankings;
mod series;
mod visitors;

use std::time::Duration;

use actix_web::http::Method;
use broadsheet::config::Config;
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Answer, App, both};

both!(a_thousand_views_at_once_are_a_thousand, with every_view);
both!(views_change_nothing_else, only_what_everybody_sees_is_counted);

fn every_view(config: &mut Config) {
    config.view_window = Duration::ZERO;
}

/// A new article that everybody sees.
async fn published(app: &App, title: &str) -> i64 {
    let article = json!({"title": title, "status": "published"});
    app.admin().await.post("/api/v1/articles", &article).await.ok(201).id()
}

fn views_of(id: i64) -> String {
    format!("/api/v1/articles/{id}/views")
}

/// How often an article was read, as it says itself.
async fn count_of(app: &App, id: i64) -> i64 {
    let article = app.anonymous().get(&format!("/api/v1/articles/{id}")).await.ok(200);
    article["data"]["view_count"].as_i64().expect("a number")
}

fn counted(answer: &Answer) -> bool {
    answer["data"]["counted"].as_bool().expect("whether it counted")
}

async fn a_thousand_views_at_once_are_a_thousand(app: &App) {
    let id = published(app, "头条").await;
    let (reader, path) = (app.anonymous(), views_of(id));
    let mut seen = Vec::new();
    for _ in 0..10 {
        let beats = (0..100).map(|_| reader.send(Method::POST, &path, Some(("text/plain", b"x".to_vec()))));
        for answer in join_all(beats).await {
            let answer = answer.ok(200);
            assert!(counted(&answer));
            seen.push(answer["data"]["view_count"].as_i64().expect("a number"));
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=1000).collect::<Vec<_>>());
    assert_eq!(count_of(app, id).await, 1000);
}

async fn views_change_nothing_else(app: &App) {
    let id = published(app, "安静").await;
    let at = format!("/api/v1/articles/{id}");
    let before = app.anonymous().get(&at).await.ok(200);
    app.anonymous().post(&views_of(id), &json!({})).await.ok(200);
    let after = app.anonymous().get(&at).await.ok(200);
    assert_eq!(before["data"]["version"], after["data"]["version"]);
    assert_eq!(before["data"]["updated_at"], after["data"]["updated_at"]);
    assert_eq!(before.header("etag"), after.header("etag"));
    assert_eq!(after["data"]["view_count"], 1);
}

async fn only_what_everybody_sees_is_counted(app: &App) {
    let admin = app.admin().await;
    let draft = admin
        .post("/api/v1/articles", &json!({"title": "草稿"}))
        .await
        .ok(201)
        .id();
    let gone = published(app, "已删").await;
    let delete = admin.with("If-Match", "*");
    delete.delete(&format!("/api/v1/articles/{gone}")).await.ok(204);
    for id in [draft.to_string(), gone.to_string(), "999999".to_owned(), "x".to_owned()] {
        admin
            .post(&format!("/api/v1/articles/{id}/views"), &json!({}))
            .await
            .problem(404, "not_found");
    }
    let good = published(app, "好").await;
    let reader = app.anonymous();
    // A bad one beside good ones fails alone.
    let beats = (0..20).map(async |n| {
        let visitor = reader.with("X-Visitor-Id", &format!("v{n}"));
        let id = if n % 2 == 0 { good } else { draft };
        visitor.post(&views_of(id), &json!({})).await.status
    });
    let statuses = join_all(beats).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 10);
    assert_eq!(statuses.iter().filter(|status| **status == 404).count(), 10);
    assert_eq!(count_of(app, good).await, 10);
}
