//! Views that apps noted and tell later.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{count_of, counted, published, views_of};
use crate::support::{Answer, App, Client, Role, both};

both!(
    each_event_is_reported,
    an_event_counts_once,
    the_window_holds_at_the_time_of_the_view,
    what_is_wrong_is_named_and_nothing_counts,
    five_hundred_are_taken,
);

const EVENTS: &str = "/api/v1/views";

pub(super) fn event(article: i64, at: DateTime<Utc>) -> Value {
    json!({"event_id": Uuid::new_v4().to_string(), "article_id": article, "viewed_at": at.to_rfc3339()})
}

fn ago(minutes: i64) -> DateTime<Utc> {
    Utc::now() - TimeDelta::minutes(minutes)
}

pub(super) async fn tell<R: Role>(client: &Client<R>, events: &[Value]) -> Vec<String> {
    let answer = client.post(EVENTS, &json!({"views": events})).await.ok(200);
    let told = answer["data"].as_array().expect("a list");
    for (result, event) in told.iter().zip(events) {
        assert_eq!(result["event_id"], event["event_id"]);
    }
    let status = |result: &Value| result["status"].as_str().expect("a status").to_owned();
    told.iter().map(status).collect()
}

async fn each_event_is_reported(app: &App) {
    let id = published(app, "离线").await;
    let draft = app
        .admin()
        .await
        .post("/api/v1/articles", &json!({"title": "草稿"}))
        .await
        .ok(201)
        .id();
    let reader = app.anonymous().with("X-Visitor-Id", "phone");
    let events = [
        event(id, ago(7 * 24 * 60 - 5)),
        event(id, ago(7 * 24 * 60 + 5)),
        event(999_999, ago(1)),
        event(draft, ago(1)),
        event(id, ago(20)),
        event(id, ago(10)),
    ];
    let expected = [
        "counted",
        "too_old",
        "not_found",
        "not_found",
        "counted",
        "within_window",
    ];
    assert_eq!(tell(&reader, &events).await, expected);
    assert_eq!(count_of(app, id).await, 2);
    assert_eq!(tell(&reader, &[]).await, [""; 0]);
}

async fn an_event_counts_once(app: &App) {
    let id = published(app, "重发").await;
    let reader = app.anonymous().with("X-Visitor-Id", "phone");
    let batch: Vec<Value> = (1..=5).map(|n| event(id, ago(n * 60))).collect();
    assert_eq!(tell(&reader, &batch).await, ["counted"; 5]);
    assert_eq!(tell(&reader, &batch).await, ["duplicate"; 5]);
    let other = app.anonymous().with("X-Visitor-Id", "tablet");
    assert_eq!(tell(&other, &batch).await, ["duplicate"; 5], "whoever tells it");
    // What did not count is judged once as well, and does not count from elsewhere.
    let two = [event(id, ago(3000)), event(id, ago(2990))];
    let at_home = app.anonymous().with("User-Agent", "App (Wi-Fi)");
    assert_eq!(tell(&at_home, &two).await, ["counted", "within_window"]);
    let under_way = app.anonymous().with("User-Agent", "App (LTE)");
    assert_eq!(tell(&under_way, &two).await, ["duplicate"; 2]);
    // Two requests with the same event at the same moment.
    let same = [event(id, ago(600))];
    let both = futures_util::future::join(tell(&reader, &same), tell(&reader, &same)).await;
    let mut both = [both.0.concat(), both.1.concat()];
    both.sort();
    assert_eq!(both, ["counted", "duplicate"]);
    assert_eq!(count_of(app, id).await, 7);
}

async fn the_window_holds_at_the_time_of_the_view(app: &App) {
    let id = published(app, "窗口").await;
    let reader = app.anonymous().with("X-Visitor-Id", "phone");
    // In the order in which they happened: 100, 80, 60 and 35 minutes ago.
    let events = [
        event(id, ago(80)),
        event(id, ago(60)),
        event(id, ago(100)),
        event(id, ago(35)),
    ];
    let expected = ["within_window", "counted", "counted", "within_window"];
    assert_eq!(tell(&reader, &events).await, expected);
    // What is told later and lies between two that counted is too near to one of them.
    assert_eq!(tell(&reader, &[event(id, ago(85))]).await, ["within_window"]);
    assert_eq!(tell(&reader, &[event(id, ago(29))]).await, ["counted"]);
    assert!(
        !counted(&reader.post(&views_of(id), &json!({})).await.ok(200)),
        "a view now as well"
    );
    let other = app.anonymous().with("X-Visitor-Id", "tablet");
    assert_eq!(tell(&other, &[event(id, ago(60))]).await, ["counted"]);
    assert_eq!(count_of(app, id).await, 4);
}

async fn what_is_wrong_is_named_and_nothing_counts(app: &App) {
    let id = published(app, "错误").await;
    let good = event(id, ago(1));
    let with = |field: &str, value: Value| {
        let mut event = event(id, ago(2));
        event[field] = value;
        event
    };
    let later = (Utc::now() + TimeDelta::minutes(1)).to_rfc3339();
    for (wrong, pointer) in [
        (with("viewed_at", json!(later)), "#/views/1/viewed_at"),
        (with("viewed_at", json!("2026-01-13T04:31:54")), "#/views/1/viewed_at"),
        (with("event_id", json!("7")), "#/views/1/event_id"),
        (
            with("event_id", json!("0198f2c67c7e7d5a9c1e2f6d0a4b8c11")),
            "#/views/1/event_id",
        ),
        (with("event_id", good["event_id"].clone()), "#/views/1/event_id"),
        (with("article_id", json!(0)), "#/views/1/article_id"),
        (with("article_id", json!(1_i64 << 53)), "#/views/1/article_id"),
        (with("article_id", json!("1")), "#/views/1/article_id"),
        (json!(7), "#/views/1"),
    ] {
        let answer = app.anonymous().post(EVENTS, &json!({"views": [good, wrong]})).await;
        let problem: Answer = answer.problem(422, "invalid_field");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    let many: Vec<Value> = (0..501).map(|_| event(id, ago(1))).collect();
    let problem = app
        .anonymous()
        .post(EVENTS, &json!({"views": many}))
        .await
        .problem(422, "invalid_field");
    assert_eq!(problem["errors"][0]["pointer"], "#/views");
    let unknown = app
        .anonymous()
        .post(EVENTS, &json!({"views": [with("bogus", json!(1))]}))
        .await;
    assert_eq!(
        unknown.problem(422, "unknown_field")["errors"][0]["pointer"],
        "#/views/0/bogus"
    );
    app.anonymous()
        .post(EVENTS, &json!({}))
        .await
        .problem(422, "invalid_field");
    app.anonymous().get(EVENTS).await.problem(405, "method_not_allowed");
    assert_eq!(count_of(app, id).await, 0);
}

async fn five_hundred_are_taken(app: &App) {
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(published(app, &format!("第{n}篇")).await);
    }
    let reader = app.anonymous().with("X-Visitor-Id", "phone");
    // An hour apart, for each article.
    let events: Vec<Value> = ids
        .iter()
        .flat_map(|id| (0..100).map(|hours| event(*id, ago(hours * 60 + 1))))
        .collect();
    assert_eq!(tell(&reader, &events).await, ["counted"; 500]);
    for id in ids {
        assert_eq!(count_of(app, id).await, 100);
    }
}
