//! The site's own facts.

use serde_json::{Value, json};

use crate::support::{App, both};

both!(
    everybody_reads_the_site,
    editors_change_the_site,
    null_clears_what_need_not_be_there,
    bad_fields_are_named_and_change_nothing,
    menus_have_bounds,
    articles_follow_the_site,
);

const SITE: &str = "/api/v1/site";

async fn everybody_reads_the_site(app: &App) {
    let answer = app.anonymous().get(SITE).await.ok(200);
    assert_eq!(
        answer["data"],
        json!({
            "name": "Broadsheet", "description": null, "locale": "zh-CN", "url": null, "article_url": null,
            "time_zone": "Asia/Shanghai", "navigation": []
        })
    );
    assert!(answer.header("etag").is_some_and(|tag| tag.starts_with("W/\"")));
    assert_eq!(answer.header("cache-tag"), Some("site"));
    app.anonymous()
        .get(&format!("{SITE}?bogus=1"))
        .await
        .problem(400, "unknown_parameter")
        .at(&["bogus"]);
    let stale = app.anonymous().with("authorization", "Bearer nonsense");
    stale.get(SITE).await.problem(401, "invalid_token");
    let answer = app
        .anonymous()
        .post(SITE, &json!({}))
        .await
        .problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), Some("GET, HEAD, PATCH"));
}

async fn editors_change_the_site(app: &App) {
    let editor = app.user("editor", "editor@example.com").await;
    let contributor = app.user("contributor", "contributor@example.com").await;
    let menus = json!([
        {"label": "评测资讯", "url": "/news/reviews", "children": [
            {"label": "手机", "url": "https://example.com/手机", "children": [{"label": "小米", "url": "/mi", "children": []}]}
        ]},
        {"label": "关于", "url": "/about", "children": []}
    ]);
    let body = json!({
        "name": "数码评测", "description": "手机\n芯片", "locale": "zh-Hant", "url": "https://example.com",
        "article_url": "https://example.com/{id}/{slug}", "time_zone": "America/New_York", "navigation": menus
    });
    app.anonymous()
        .patch(SITE, &json!({"bogus": 1}))
        .await
        .problem(401, "unauthenticated");
    contributor
        .patch(SITE, &json!({"bogus": 1}))
        .await
        .problem(403, "forbidden");
    app.key("preview")
        .await
        .patch(SITE, &body)
        .await
        .problem(403, "forbidden");
    let before = app.anonymous().get(SITE).await.ok(200);
    let tag = before.header("etag").expect("a tag").to_owned();
    let changed = editor.patch(SITE, &body).await.ok(200);
    assert_eq!(changed["data"], body);
    let read = app.anonymous().with("if-none-match", &tag).get(SITE).await.ok(200);
    assert_eq!(read["data"], body);
    // What is absent stays; entries without children need not say so.
    let short = json!({"navigation": [{"label": "a", "url": "/"}]});
    let changed = app.key("write").await.patch(SITE, &short).await.ok(200);
    assert_eq!(
        changed["data"]["navigation"],
        json!([{"label": "a", "url": "/", "children": []}])
    );
    assert_eq!(changed["data"]["name"], "数码评测");
    let same = editor.patch(SITE, &json!({})).await.ok(200);
    assert_eq!(same["data"], changed["data"]);
}

async fn null_clears_what_need_not_be_there(app: &App) {
    let admin = app.admin().await;
    let body = json!({
        "description": "a", "url": "https://example.com", "article_url": "https://example.com/{id}",
        "time_zone": "UTC", "navigation": [{"label": "a", "url": "/"}]
    });
    assert_eq!(admin.patch(SITE, &body).await.ok(200)["data"]["time_zone"], "UTC");
    let cleared = json!({"description": null, "url": null, "article_url": null, "time_zone": null, "navigation": null});
    let cleared = admin.patch(SITE, &cleared).await.ok(200);
    for (field, expected) in [
        ("description", Value::Null),
        ("url", Value::Null),
        ("article_url", Value::Null),
        ("time_zone", json!("Asia/Shanghai")),
        ("navigation", json!([])),
    ] {
        assert_eq!(cleared["data"][field], expected, "{field}");
    }
}

async fn bad_fields_are_named_and_change_nothing(app: &App) {
    let admin = app.admin().await;
    let before = admin.get(SITE).await.ok(200);
    for (field, value) in [
        ("name", json!(null)),
        ("name", json!(" ")),
        ("name", json!("a\u{0}")),
        ("name", json!("字".repeat(101))),
        ("name", json!(7)),
        ("description", json!("a\u{0}")),
        ("description", json!("字".repeat(1001))),
        ("locale", json!(null)),
        ("locale", json!("中文")),
        ("locale", json!("")),
        ("url", json!("example.com")),
        ("url", json!("javascript:alert(1)")),
        ("url", json!("https://a\u{0}")),
        ("article_url", json!("https://example.com/article")),
        ("article_url", json!("/articles/{id}")),
        ("article_url", json!("javascript:{id}")),
        ("time_zone", json!("Mars/Base")),
        ("time_zone", json!("")),
        ("time_zone", json!(8)),
        ("navigation", json!({})),
        ("navigation", json!("menu")),
    ] {
        let answer = admin.patch(SITE, &json!({"description": "neu", field: value})).await;
        answer.problem(422, "invalid_field").at(&[&format!("#/{field}")]);
    }
    let many = json!({"name": "", "locale": "x", "url": "y", "time_zone": "z"});
    let answer = admin.patch(SITE, &many).await.problem(422, "invalid_field");
    answer.at(&["#/name", "#/locale", "#/url", "#/time_zone"]);
    let unknown = json!({"id": 1, "theme": "dark", "navigation": [{"label": "a", "url": "/", "icon": "x"}]});
    let answer = admin.patch(SITE, &unknown).await.problem(422, "unknown_field");
    answer.at(&["#/id", "#/theme", "#/navigation/0/icon"]);
    assert_eq!(admin.get(SITE).await.ok(200).json, before.json);
}

async fn menus_have_bounds(app: &App) {
    let admin = app.admin().await;
    let entry = |children: Value| json!({"label": "a", "url": "/", "children": children});
    let three = entry(json!([entry(json!([entry(json!([]))]))]));
    admin.patch(SITE, &json!({"navigation": [three]})).await.ok(200);
    let four = entry(json!([three]));
    let answer = admin
        .patch(SITE, &json!({"navigation": [four]}))
        .await
        .problem(422, "invalid_field");
    answer.at(&["#/navigation/0/children/0/children/0/children"]);
    for (url, label, places) in [
        ("javascript:alert(1)", "a", ["#/navigation/0/url"].as_slice()),
        ("//example.com", "a", &["#/navigation/0/url"]),
        ("news", "a", &["#/navigation/0/url"]),
        ("/a\nb", "a", &["#/navigation/0/url"]),
        ("/", "", &["#/navigation/0/label"]),
        ("", "\u{0}", &["#/navigation/0/label", "#/navigation/0/url"]),
    ] {
        let menu = json!({"navigation": [{"label": label, "url": url}]});
        admin.patch(SITE, &menu).await.problem(422, "invalid_field").at(places);
    }
    let entries = |count: usize| json!({"navigation": vec![entry(json!([])); count]});
    admin.patch(SITE, &entries(200)).await.ok(200);
    admin
        .patch(SITE, &entries(201))
        .await
        .problem(422, "invalid_field")
        .at(&["#/navigation"]);
    let wrong = json!({"navigation": vec![json!({"label": "", "url": ""}); 50_000]});
    let answer = admin.patch(SITE, &wrong).await.problem(422, "invalid_field");
    assert!(answer.body.len() < 100_000, "{} bytes of problems", answer.body.len());
    let deep = format!("{{\"navigation\": {}", "[{\"children\":".repeat(50_000));
    let body = Some(("application/json", deep.into_bytes()));
    let answer = admin.send(actix_web::http::Method::PATCH, SITE, body).await;
    answer.problem(400, "malformed_json");
    assert_eq!(
        admin.get(SITE).await.ok(200)["data"]["navigation"]
            .as_array()
            .map(Vec::len),
        Some(200)
    );
}

async fn articles_follow_the_site(app: &App) {
    let admin = app.admin().await;
    let body = json!({"title": "小米14", "status": "published", "slug": "小米-14"});
    let at = format!(
        "/api/v1/articles/{}",
        admin.post("/api/v1/articles", &body).await.ok(201).id()
    );
    let before = app.anonymous().get(&at).await.ok(200);
    assert_eq!(before["data"]["url"], Value::Null);
    let template = json!({"article_url": "https://example.com/{slug}?id={id}", "locale": "zh-TW"});
    admin.patch(SITE, &template).await.ok(200);
    let tag = before.header("etag").expect("a tag").to_owned();
    let after = app.anonymous().with("if-none-match", &tag).get(&at).await.ok(200);
    let id = after.id();
    assert_eq!(
        after["data"]["url"],
        format!("https://example.com/%E5%B0%8F%E7%B1%B3-14?id={id}")
    );
    // The language of those that stand keeps; new ones take the site's.
    assert_eq!(after["data"]["locale"], "zh-CN");
    let next = admin.post("/api/v1/articles", &json!({"title": "b"})).await.ok(201);
    assert_eq!(next["data"]["locale"], "zh-TW");
}
