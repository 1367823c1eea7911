//! What is read most.

use broadsheet::db::{Db, Timestamp};
use broadsheet::views::upkeep;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{count_of, every_view, published, views_of};
use crate::support::{Answer, App, both};

both!(the_most_read_come_first, with every_view);
both!(windows_move_with_the_clock, with every_view);
both!(
    a_category_counts_with_its_descendants,
    what_was_read_before_counts_for_all_time,
    wrong_rankings_are_refused,
);

const RANKING: &str = "/api/v1/rankings/views";

async fn read_times(app: &App, id: i64, times: usize) {
    for _ in 0..times {
        app.anonymous().post(&views_of(id), &json!({})).await.ok(200);
    }
}

async fn read_at(app: &App, id: i64, at: DateTime<Utc>) {
    let event = json!({"event_id": Uuid::new_v4().to_string(), "article_id": id, "viewed_at": at.to_rfc3339()});
    app.anonymous()
        .post("/api/v1/views", &json!({"views": [event]}))
        .await
        .ok(200);
}

/// Rank, id and views of each.
fn places(ranking: &Answer) -> Vec<(i64, i64, i64)> {
    let rows = ranking["data"].as_array().expect("a list");
    let number = |value: &Value| value.as_i64().expect("a number");
    let place = |row: &Value| {
        (
            number(&row["rank"]),
            number(&row["article"]["id"]),
            number(&row["views"]),
        )
    };
    rows.iter().map(place).collect()
}

async fn ranked(app: &App, query: &str) -> Vec<(i64, i64)> {
    let ranking = app.anonymous().get(&format!("{RANKING}?{query}")).await.ok(200);
    places(&ranking).into_iter().map(|(_, id, views)| (id, views)).collect()
}

async fn the_most_read_come_first(app: &App) {
    let empty = app.anonymous().get(RANKING).await.ok(200);
    assert_eq!(empty["data"], json!([]));
    let mut ids = Vec::new();
    for (n, times) in [3, 0, 5, 1, 5, 9].into_iter().enumerate() {
        let id = published(app, &format!("第{n}篇")).await;
        read_times(app, id, times).await;
        ids.push(id);
    }
    let [a, _, c, d, e, f] = ids.as_slice() else {
        panic!("six articles")
    };
    let ranking = app.anonymous().get(RANKING).await.ok(200);
    // As many views: the newest first. None at all: left out.
    let expected = [(1, *f, 9), (2, *e, 5), (3, *c, 5), (4, *a, 3), (5, *d, 1)];
    assert_eq!(places(&ranking), expected);
    assert_eq!(ranking["data"][0]["article"]["view_count"], 9);
    for limit in 1..=5 {
        let few = app.anonymous().get(&format!("{RANKING}?limit={limit}")).await.ok(200);
        assert_eq!(Some(places(&few).as_slice()), expected.get(..limit));
    }
    // A view changes the tag here.
    read_times(app, *d, 1).await;
    let after = app.anonymous().get(RANKING).await.ok(200);
    assert_ne!(ranking.header("etag"), after.header("etag"));
    // What is withdrawn is gone, and comes back with its views.
    let admin = app.admin().await.with("If-Match", "*");
    let path = format!("/api/v1/articles/{f}");
    admin.patch(&path, &json!({"status": "archived"})).await.ok(200);
    assert_eq!(ranked(app, "limit=1").await, [(*e, 5)]);
    admin.patch(&path, &json!({"status": "published"})).await.ok(200);
    assert_eq!(ranked(app, "limit=1").await, [(*f, 9)]);
    admin.delete(&path).await.ok(204);
    assert_eq!(ranked(app, "limit=1&window=all").await, [(*e, 5)]);
}

async fn windows_move_with_the_clock(app: &App) {
    let now = Utc::now();
    let (new, old) = (published(app, "新").await, published(app, "旧").await);
    read_at(app, new, now - TimeDelta::hours(23)).await;
    for _ in 0..3 {
        read_at(app, old, now - TimeDelta::hours(26)).await;
        read_at(app, old, now - TimeDelta::days(6)).await;
    }
    let db = Db::open(&app.config).expect("a second process");
    let at = async |now: DateTime<Utc>| {
        let later: Timestamp = now.into();
        upkeep::catch_up(&db, chrono_tz::Asia::Shanghai, later)
            .await
            .expect("what is due is done");
        [
            ranked(app, "window=24h").await,
            ranked(app, "window=7d").await,
            ranked(app, "window=30d").await,
        ]
    };
    assert_eq!(
        at(now).await,
        [vec![(new, 1)], vec![(old, 6), (new, 1)], vec![(old, 6), (new, 1)]]
    );
    assert_eq!(
        at(now + TimeDelta::hours(4)).await,
        [vec![], vec![(old, 6), (new, 1)], vec![(old, 6), (new, 1)]]
    );
    assert_eq!(
        at(now + TimeDelta::days(2)).await,
        [vec![], vec![(old, 3), (new, 1)], vec![(old, 6), (new, 1)]]
    );
    assert_eq!(
        at(now + TimeDelta::days(27)).await,
        [vec![], vec![], vec![(old, 3), (new, 1)]]
    );
    // The clock was wrong, and somebody read before that was seen.
    read_at(app, new, now).await;
    for _ in 0..3 {
        app.anonymous().post(&views_of(new), &json!({})).await.ok(200);
    }
    let back = [vec![(new, 5)], vec![(old, 6), (new, 5)], vec![(old, 6), (new, 5)]];
    assert_eq!(at(now).await, back);
    assert_eq!(count_of(app, old).await, 6);
    // After a long pause, and beyond what hours are kept for.
    assert_eq!(at(now + TimeDelta::days(400)).await, [vec![], vec![], vec![]]);
    assert_eq!(ranked(app, "window=all").await, [(old, 6), (new, 5)]);
    db.close().await;
}

async fn a_category_counts_with_its_descendants(app: &App) {
    let admin = app.admin().await;
    let category = async |name: &str, parent: Option<i64>| {
        let category = json!({"name": name, "slug": name, "parent_id": parent});
        admin.post("/api/v1/categories", &category).await.ok(201).id()
    };
    let news = category("news", None).await;
    let reviews = category("reviews", Some(news)).await;
    let other = category("other", None).await;
    let mut ids = Vec::new();
    for (n, category) in [news, reviews, other].into_iter().enumerate() {
        let article = json!({"title": format!("第{n}篇"), "status": "published", "category_id": category});
        let id = admin.post("/api/v1/articles", &article).await.ok(201).id();
        for visitor in 0..=n {
            let visitor = app.anonymous().with("X-Visitor-Id", &format!("v{visitor}"));
            visitor.post(&views_of(id), &json!({})).await.ok(200);
        }
        ids.push(id);
    }
    let [a, b, c] = ids.as_slice() else {
        panic!("three articles")
    };
    assert_eq!(ranked(app, "category=news").await, [(*b, 2), (*a, 1)]);
    assert_eq!(ranked(app, "category=reviews").await, [(*b, 2)]);
    assert_eq!(ranked(app, "category=other&window=24h").await, [(*c, 3)]);
    assert_eq!(ranked(app, "category=nowhere").await, []);
}

async fn what_was_read_before_counts_for_all_time(app: &App) {
    let admin = app.admin().await;
    let imported = json!({"title": "旧站", "status": "published", "initial_view_count": 5000});
    let imported = admin.post("/api/v1/articles", &imported).await.ok(201).id();
    let fresh = published(app, "新站").await;
    for visitor in ["a", "b"] {
        let visitor = app.anonymous().with("X-Visitor-Id", visitor);
        visitor.post(&views_of(fresh), &json!({})).await.ok(200);
    }
    assert_eq!(ranked(app, "window=all").await, [(imported, 5000), (fresh, 2)]);
    assert_eq!(ranked(app, "window=30d").await, [(fresh, 2)]);
}

async fn wrong_rankings_are_refused(app: &App) {
    for (query, parameter) in [("window=1h", "window"), ("limit=0", "limit"), ("limit=101", "limit")] {
        let problem = app
            .anonymous()
            .get(&format!("{RANKING}?{query}"))
            .await
            .problem(400, "invalid_parameter");
        assert_eq!(problem["errors"][0]["parameter"], parameter);
    }
    app.anonymous()
        .get(&format!("{RANKING}?page=2"))
        .await
        .problem(400, "unknown_parameter");
}
