//! View counting: exact, durable, once a visitor.

mod events;
mod rankings;
mod series;
mod visitors;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use actix_web::http::Method;
use broadsheet::config::{Config, Database};
use broadsheet::db::Db;
use broadsheet::views::upkeep;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::{Answer, App, behind_a_proxy, both};

both!(a_thousand_views_at_once_are_a_thousand, with every_view);
both!(views_change_nothing_else, only_what_everybody_sees_is_counted);
both!(an_article_counts_as_long_as_everybody_sees_it, with every_view);
both!(no_view_counts_after_an_article_was_hidden, with every_view);
both!(no_view_of_many_articles_counts_after_one_was_hidden, with every_view);
both!(views_of_many_articles_are_added_up_soon, with every_view);
both!(what_a_killed_server_has_noted_is_added_up, with every_view);
both!(a_plain_view_is_answered_as_the_routes_answer, with behind_a_proxy);

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

async fn an_article_counts_as_long_as_everybody_sees_it(app: &App) {
    let named = json!({"title": "时有时无", "external_id": "on-off", "status": "published"});
    let id = app.admin().await.post("/api/v1/articles", &named).await.ok(201).id();
    let (editor, reader) = (app.admin().await.with("If-Match", "*"), app.anonymous());
    let states = [
        (json!({"title": "还在"}), true),
        (json!({"status": "draft"}), false),
        (json!({"title": "还没有"}), false),
        (json!({"status": "published"}), true),
        (json!({"published_at": "2999-01-01T00:00:00Z"}), false),
        (json!({"published_at": "2026-01-01T00:00:00Z"}), true),
        (json!({"status": "archived"}), false),
        (json!({"status": "published"}), true),
    ];
    // The same by replacing it: of what it was before nothing is left.
    let replaced = [
        (json!({"title": "重写"}), false),
        (json!({"title": "重写", "status": "published"}), true),
        (json!({"title": "重写", "status": "archived"}), false),
        (json!({"title": "重写", "status": "published"}), true),
        (
            json!({"title": "重写", "status": "published", "published_at": "2999-01-01T00:00:00Z"}),
            false,
        ),
        (json!({"title": "重写", "status": "published"}), true),
    ];
    let states = states.map(|(change, seen)| (Method::PATCH, format!("/api/v1/articles/{id}"), change, seen));
    let replaced = replaced.map(|(article, seen)| {
        let at = "/api/v1/articles/by-external-id/on-off".to_owned();
        (Method::PUT, at, article, seen)
    });
    let (mut count, mut untold) = (0, Vec::new());
    for (method, at, change, seen) in states.into_iter().chain(replaced) {
        let change = change.to_string();
        let body = Some(("application/json", change.clone().into_bytes()));
        editor.send(method, &at, body).await.ok(200);
        // What everybody sees is found out by the first view; the others are told by what stands beside the count.
        for _ in 0..2 {
            let answer = reader.post(&views_of(id), &json!({})).await;
            if seen {
                count += 1;
                assert_eq!(answer.ok(200)["data"]["view_count"], count, "{change}");
            } else {
                answer.problem(404, "not_found");
            }
        }
        let bot = reader.with("User-Agent", "Mozilla/5.0 (compatible; Baiduspider/2.0)");
        assert_eq!(
            bot.post(&views_of(id), &json!({})).await.status,
            if seen { 200 } else { 404 }
        );
        // An event of what nobody saw is not used up: told again, it counts.
        untold.push(events::event(id, chrono::Utc::now()));
        let told = events::tell(&reader, &untold).await;
        assert!(
            told.iter()
                .all(|status| *status == if seen { "counted" } else { "not_found" }),
            "{change}: {told:?}"
        );
        if seen {
            count += i64::try_from(untold.drain(..).count()).expect("few");
        }
        if seen {
            assert_eq!(count_of(app, id).await, count, "{change}");
        }
    }
    // Two views of each time it was seen, and an event of each time at all.
    assert_eq!(count, 7 * 2 + 14);
}

async fn no_view_counts_after_an_article_was_hidden(app: &App) {
    let id = published(app, "忽隐忽现").await;
    let (editor, reader, path) = (app.admin().await.with("If-Match", "*"), app.anonymous(), views_of(id));
    let view = || reader.send(Method::POST, &path, Some(("text/plain", b"x".to_vec())));
    let mut acknowledged = 0;
    for _ in 0..15 {
        let hide = async {
            let hidden = json!({"status": "draft"});
            editor.patch(&format!("/api/v1/articles/{id}"), &hidden).await.ok(200);
            join_all((0..4).map(|_| view())).await
        };
        let (before, after) = futures_util::join!(join_all((0..40).map(|_| view())), hide);
        acknowledged += before.iter().filter(|answer| answer.status == 200).count();
        assert!(before.iter().all(|answer| [200, 404].contains(&answer.status)));
        assert!(after.iter().all(|answer| answer.status == 404));
        let shown = json!({"status": "published"});
        editor.patch(&format!("/api/v1/articles/{id}"), &shown).await.ok(200);
    }
    assert_eq!(usize::try_from(count_of(app, id).await).ok(), Some(acknowledged));
}

/// Waits until an article was read so often, and fails where that is beyond what is promised, and what a slow machine needs.
async fn until_count_is(app: &App, id: i64, count: i64) {
    let begun = Instant::now();
    loop {
        let found = count_of(app, id).await;
        if found == count {
            return;
        }
        assert!(
            found < count && begun.elapsed() < Duration::from_secs(10),
            "{found} views instead of {count}"
        );
        actix_web::rt::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn views_of_many_articles_are_added_up_soon(app: &App) {
    let (reader, admin) = (app.anonymous(), app.admin().await);
    let mut ids = Vec::new();
    for n in 0..20 {
        ids.push(published(app, &format!("第{n}篇")).await);
    }
    let mut seen: HashMap<i64, Vec<i64>> = HashMap::new();
    // Notes come and go; this stays.
    app.run_sql(match app.config.database {
        Database::Sqlite(_) => {
            "CREATE TABLE seen (id BIGINT); CREATE TRIGGER see AFTER INSERT ON noted_views
             BEGIN INSERT INTO seen VALUES (NEW.id); END"
        }
        Database::Postgres(_) => "CREATE VIEW seen AS SELECT last_value FROM noted_views_id_seq WHERE is_called",
    });
    for _ in 0..10 {
        let paths: Vec<(i64, String)> = ids.iter().cycle().take(100).map(|id| (*id, views_of(*id))).collect();
        let views = paths.iter().map(async |(id, path)| {
            let answer = reader
                .send(Method::POST, path, Some(("text/plain", b"x".to_vec())))
                .await;
            (*id, answer.ok(200)["data"]["view_count"].as_i64().expect("a number"))
        });
        for (id, count) in join_all(views).await {
            seen.entry(id).or_default().push(count);
        }
    }
    let noted = diesel::select(sql::<Bool>("EXISTS (SELECT 1 FROM seen)"));
    assert!(noted.get_result::<bool>(&mut app.connect()).expect("an answer"));
    for (id, mut counts) in seen {
        // Each is told its own number, whether it is added up or not.
        counts.sort_unstable();
        assert_eq!(counts, (1..=50).collect::<Vec<_>>());
        until_count_is(app, id, 50).await;
        let series = admin.get(&format!("{}?interval=day", views_of(id))).await.ok(200);
        let points = series["data"].as_array().expect("points").iter();
        assert_eq!(
            points
                .map(|point| point["views"].as_i64().expect("a number"))
                .sum::<i64>(),
            50
        );
    }
    let ranking = reader.get("/api/v1/rankings/views?window=24h&limit=100").await.ok(200);
    let ranked = ranking["data"].as_array().expect("a ranking");
    assert_eq!(ranked.len(), 20);
    assert!(ranked.iter().all(|one| one["views"] == 50));
}

async fn no_view_of_many_articles_counts_after_one_was_hidden(app: &App) {
    let (editor, reader) = (app.admin().await.with("If-Match", "*"), app.anonymous());
    let (mut ids, mut acknowledged) = (Vec::new(), HashMap::<i64, i64>::new());
    for n in 0..12 {
        ids.push(published(app, &format!("第{n}篇")).await);
    }
    let view = async |id: i64| {
        let path = views_of(id);
        let answer = reader
            .send(Method::POST, &path, Some(("text/plain", b"x".to_vec())))
            .await;
        (id, answer.status)
    };
    for round in 0..16 {
        // The last one is deleted in the end.
        let one = ids[round % 12];
        let at = format!("/api/v1/articles/{one}");
        let views = || join_all(ids.iter().cycle().take(60).map(|id| view(*id)));
        let hide = async {
            if round == 15 {
                editor.delete(&at).await.ok(204);
            } else {
                editor.patch(&at, &json!({"status": "draft"})).await.ok(200);
            }
            join_all((0..2).flat_map(|_| &ids).map(|id| view(*id))).await
        };
        let (before, after) = futures_util::join!(views(), hide);
        for (id, status) in after.iter().chain(&before) {
            assert!([200, 404].contains(status));
            *acknowledged.entry(*id).or_default() += i64::from(*status == 200);
        }
        for (id, status) in after {
            assert_eq!(status, if id == one { 404 } else { 200 });
        }
        if round < 15 {
            editor.patch(&at, &json!({"status": "published"})).await.ok(200);
        }
    }
    for id in ids.iter().filter(|id| **id != ids[15 % 12]) {
        until_count_is(app, *id, acknowledged[id]).await;
    }
}

/// Nobody waits for a database that has gone, and nothing that was refused counts when it is back.
mod views_that_cannot_be_written_are_refused {
    use super::*;
    use crate::support::{Backend, administer, run};

    #[actix_web::test]
    async fn postgres() {
        run(Backend::Postgres, every_view, scenario).await;
    }

    async fn scenario(app: &App) {
        let id = published(app, "断线").await;
        let (reader, path) = (app.anonymous(), views_of(id));
        reader.post(&path, &json!({})).await.ok(200);
        let name: String = diesel::select(sql::<Text>("CAST(current_database() AS TEXT)"))
            .get_result(&mut app.connect())
            .expect("a name");
        administer(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
        administer(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ));
        for _ in 0..2 {
            let nothing = json!({});
            for answer in join_all((0..20).map(|_| reader.post(&path, &nothing))).await {
                answer.problem(503, "unavailable");
            }
        }
        administer(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
        let begun = Instant::now();
        while reader.post(&path, &json!({})).await.status != 200 {
            assert!(begun.elapsed() < Duration::from_secs(30), "it does not come back");
        }
        assert_eq!(count_of(app, id).await, 2);
    }
}

async fn what_a_killed_server_has_noted_is_added_up(app: &App) {
    let (shown, hidden) = (published(app, "还在").await, published(app, "藏了").await);
    for id in [shown, hidden] {
        app.anonymous().post(&views_of(id), &json!({})).await.ok(200);
    }
    let admin = app.admin().await.with("If-Match", "*");
    let hide = json!({"status": "draft"});
    admin.patch(&format!("/api/v1/articles/{hidden}"), &hide).await.ok(200);
    // Of now, of two hours ago, of two days ago; and of an article that has gone since.
    let now = chrono::Utc::now().timestamp();
    for (second, views) in [(now, 2), (now - 7_200, 3), (now - 2 * 86_400, 4)] {
        let noted = format!("{{\"{shown}\":{views},\"{hidden}\":{views},\"999999\":1}}");
        app.run_sql(&format!(
            "INSERT INTO noted_views (viewed_at, views) VALUES ({second}, '{noted}')"
        ));
    }
    let db = Db::open(&app.config).expect("a second process");
    for _ in 0..2 {
        upkeep::add_up(&db, chrono_tz::Asia::Shanghai, |_, _| ())
            .await
            .expect("it is added up");
    }
    db.close().await;
    let count_of = async |id: i64| {
        let article = admin.get(&format!("/api/v1/articles/{id}")).await.ok(200);
        article["data"]["view_count"].as_i64().expect("a number")
    };
    assert_eq!((count_of(shown).await, count_of(hidden).await), (10, 10));
    for (window, views) in [("24h", 6), ("7d", 10)] {
        let ranking = admin
            .get(&format!("/api/v1/rankings/views?window={window}"))
            .await
            .ok(200);
        assert_eq!(ranking["data"][0]["views"], views, "{window}");
        assert_eq!(ranking["data"].as_array().map(Vec::len), Some(1));
    }
    let hours = admin.get(&format!("{}?interval=hour", views_of(shown))).await.ok(200);
    let points = hours["data"].as_array().expect("points").iter();
    let read: Vec<i64> = points
        .map(|point| point["views"].as_i64().expect("a number"))
        .filter(|views| *views > 0)
        .collect();
    assert_eq!(read, [3, 3]);
}

/// A view of somebody signed in takes the long way: through routes and extractors.
async fn a_plain_view_is_answered_as_the_routes_answer(app: &App) {
    let id = published(app, "同样").await;
    let signed_in = app.key("read").await;
    let reader = app.anonymous();
    let paths = [
        views_of(id),
        views_of(999_999),
        views_of(0),
        "/api/v1/articles/007/views".to_owned(),
        "/api/v1/articles/x/views".to_owned(),
        "/api/v1/articles/%31/views".to_owned(),
        format!("{}?a=1", views_of(id)),
        format!("{}?", views_of(id)),
        format!("{}/", views_of(id)),
    ];
    let bot = ("User-Agent", "Mozilla/5.0 (compatible; Baiduspider/2.0)");
    for path in &paths {
        for (name, value) in [
            ("X-Visitor-Id", "somebody"),
            ("X-Visitor-Id", ""),
            ("X-Visitor-Id", "two names"),
            ("X-Forwarded-For", "203.0.113.7"),
            ("Accept-Language", "en"),
            ("Origin", "https://example.com"),
            bot,
        ] {
            // Whoever it is has counted by then: both ways tell the same of them.
            let first = reader.with(name, value).post(path, &json!({})).await;
            let short = reader.with(name, value).post(path, &json!({})).await;
            assert_eq!(first.status, short.status, "{path} {name}: {value}");
            let long = signed_in.with(name, value).post(path, &json!({})).await;
            assert_eq!(short.status, long.status, "{path} {name}: {value}");
            let without_id = |answer: &Answer| {
                let mut body = answer.json.clone();
                if let Some(problem) = body.as_object_mut() {
                    problem.remove("request_id");
                }
                body
            };
            assert_eq!(without_id(&short), without_id(&long), "{path} {name}: {value}");
            // That of somebody signed in is private; the others are of the one request.
            let own = ["cache-control", "date", "x-request-id", "server-timing"];
            let headers = |answer: &Answer| {
                let mut headers: Vec<String> = answer
                    .headers
                    .iter()
                    .filter(|(name, _)| !own.contains(&name.as_str()))
                    .map(|(name, value)| format!("{name}: {value:?}"))
                    .collect();
                headers.sort();
                headers
            };
            assert_eq!(headers(&short), headers(&long), "{path} {name}: {value}");
            assert_eq!(short.header("cache-control"), Some("no-store"));
            assert!(short.header("x-request-id").is_some() && short.header("server-timing").is_some());
        }
    }
    // One visitor each: by the name, by the address of the proxy, and by the one that it tells; no crawler.
    let count = count_of(app, id).await;
    assert_eq!(count, 3);
    for address in ["203.0.113.8", "203.0.113.8", "203.0.113.9"] {
        let from = reader.with("X-Forwarded-For", address);
        from.post(&views_of(id), &json!({})).await.ok(200);
    }
    assert_eq!(count_of(app, id).await, 5);
}
