//! View counting: exact, and durable.

use serde_json::json;

use crate::support::{App, both};

both!(
    a_thousand_views_at_once_are_a_thousand,
    views_change_nothing_else,
    only_what_everybody_sees_is_counted
);

async fn a_thousand_views_at_once_are_a_thousand(app: &App) {
    let article = json!({"title": "头条", "status": "published"});
    let at = format!(
        "/api/v1/articles/{}",
        app.admin().await.post("/api/v1/articles", &article).await.ok(201).id()
    );
    let reader = app.anonymous();
    let views = format!("{at}/views");
    let mut seen = Vec::new();
    for _ in 0..10 {
        let beats = (0..100).map(|_| {
            reader.send(
                actix_web::http::Method::POST,
                &views,
                Some(("text/plain", b"x".to_vec())),
            )
        });
        for answer in futures_util::future::join_all(beats).await {
            let answer = answer.ok(200);
            assert_eq!(answer["data"]["counted"], true);
            seen.push(answer["data"]["view_count"].as_i64().expect("a number"));
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=1000).collect::<Vec<_>>());
    assert_eq!(reader.get(&at).await.ok(200)["data"]["view_count"], 1000);
}

async fn views_change_nothing_else(app: &App) {
    let article = json!({"title": "安静", "status": "published"});
    let at = format!(
        "/api/v1/articles/{}",
        app.admin().await.post("/api/v1/articles", &article).await.ok(201).id()
    );
    let before = app.anonymous().get(&at).await.ok(200);
    app.anonymous().post(&format!("{at}/views"), &json!({})).await.ok(200);
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
    for id in [draft.to_string(), "999999".to_owned(), "x".to_owned()] {
        admin
            .post(&format!("/api/v1/articles/{id}/views"), &json!({}))
            .await
            .problem(404, "not_found");
    }
    let good = admin
        .post("/api/v1/articles", &json!({"title": "好", "status": "published"}))
        .await
        .ok(201)
        .id();
    let reader = app.anonymous();
    // A bad one beside good ones fails alone.
    let (good_path, bad_path) = (
        format!("/api/v1/articles/{good}/views"),
        format!("/api/v1/articles/{draft}/views"),
    );
    let nothing = json!({});
    let beats = (0..20).map(|n| reader.post(if n % 2 == 0 { &good_path } else { &bad_path }, &nothing));
    let statuses: Vec<_> = futures_util::future::join_all(beats)
        .await
        .iter()
        .map(|answer| answer.status)
        .collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 10);
    assert_eq!(
        admin.get(&format!("/api/v1/articles/{good}")).await.ok(200)["data"]["view_count"],
        10
    );
}
