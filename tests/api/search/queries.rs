//! What people search for.

use std::time::Duration;

use broadsheet::config::Database as Location;
use broadsheet::db::schema::search_queries;
use broadsheet::server;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::{SEARCH, publish, search};
use crate::support::{Answer, App, Backend, Client, EMAIL, PASSWORD, Role, both};

both!(
    searches_are_counted_with_what_they_found,
    pages_and_drafts_do_not_count,
    queries_are_listed_by_count_and_gone_through,
    old_ones_go,
    queries_are_for_editors,
    wrong_parameters_of_queries_are_named,
);

const QUERIES: &str = "/api/v1/search/queries";

/// The list, once that many searches have been written.
async fn noted<R: Role>(app: &App, editor: &Client<R>, searches: i64) -> Answer {
    for _ in 0..100 {
        let rows: Vec<i64> = search_queries::table
            .select(search_queries::searches)
            .load(&mut app.connect())
            .expect("the searches");
        if rows.iter().sum::<i64>() >= searches {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    editor.get(QUERIES).await.ok(200)
}

fn rows(answer: &Answer) -> Vec<(&str, i64, i64, i64)> {
    let number = |value: &Value| value.as_i64().expect("a number");
    let rows = answer["data"].as_array().expect("rows").iter();
    rows.map(|row| {
        assert!(row["last_searched_at"].as_str().is_some_and(|at| at.ends_with('Z')));
        let query = row["query"].as_str().expect("text");
        (
            query,
            number(&row["count"]),
            number(&row["without_answer"]),
            number(&row["last_total"]),
        )
    })
    .collect()
}

async fn searches_are_counted_with_what_they_found(app: &App) {
    let editor = app.admin().await;
    let reader = app.anonymous();
    search(&reader, "海啸").await;
    publish(&editor, "海啸", json!({})).await;
    for query in [
        "海啸",
        "海嘯&page=1",
        "+海啸+&limit=1",
        "海啸&tag=x",
        "ＡＩ++AI",
        "ai ai",
    ] {
        search(&reader, query).await;
    }
    // Not the one with a filter.
    let list = noted(app, &editor, 6).await;
    assert_eq!(rows(&list), [("海啸", 4, 1, 1), ("ai ai", 2, 2, 0)]);
    assert_eq!(list.header("cache-control"), Some("private, no-store"));
    assert_eq!(
        (&list["meta"]["total"], &list["meta"]["limit"]),
        (&Value::Null, &json!(20))
    );

    search(&reader, "海啸").await;
    let list = noted(app, &editor, 7).await;
    assert_eq!(rows(&list), [("海啸", 5, 1, 1), ("ai ai", 2, 2, 0)]);
    let without = editor
        .get(&format!("{QUERIES}?without_answer=true&count=exact"))
        .await
        .ok(200);
    assert_eq!(rows(&without), [("ai ai", 2, 2, 0)]);
    assert_eq!(without["meta"]["total"], 1);
}

async fn pages_and_drafts_do_not_count(app: &App) {
    let editor = app.admin().await;
    let reader = app.anonymous();
    for title in ["海啸一", "海啸二", "海啸三"] {
        publish(&editor, title, json!({})).await;
    }
    let first = search(&reader, "海啸&limit=1").await;
    let cursor = first["meta"]["next_cursor"].as_str().expect("a cursor");
    search(&reader, &format!("海啸&limit=1&cursor={cursor}")).await;
    search(&reader, "海啸&limit=1&page=2").await;
    search(&editor, "海啸&status=draft").await;
    search(&app.key("preview").await, "海啸&status=published").await;
    reader
        .get(&format!("{SEARCH}?q=海啸&x=1"))
        .await
        .problem(400, "unknown_parameter");
    search(&editor, "最后").await;
    assert_eq!(
        rows(&noted(app, &editor, 2).await),
        [("最后", 1, 1, 0), ("海啸", 1, 0, 3)]
    );
}

async fn queries_are_listed_by_count_and_gone_through(app: &App) {
    let editor = app.admin().await;
    let mut conn = app.connect();
    for (day, query, searches, without, total, at) in [
        ("2026-01-01", "a", 3, 0, 9, "2026-01-01T02:00:00.000000Z"),
        ("2026-01-02", "a", 2, 2, 0, "2026-01-02T02:00:00.000000Z"),
        ("2026-01-02", "b", 5, 0, 1, "2026-01-02T03:00:00.000000Z"),
        ("2026-01-02", "小米", 5, 1, 1, "2026-01-02T03:00:00.000000Z"),
        ("2026-01-03", "c", 1, 0, 1, "2026-01-03T03:00:00.000000Z"),
    ] {
        conn.batch_execute(&format!(
            "INSERT INTO search_queries VALUES ('{day}', '{query}', {searches}, {without}, {total}, '{at}')"
        ))
        .expect("a row");
    }
    let days = "from=2026-01-01&to=2026-01-02";
    let all = editor.get(&format!("{QUERIES}?{days}&count=exact")).await.ok(200);
    let expected = [("a", 5, 2, 0), ("b", 5, 0, 1), ("小米", 5, 1, 1)];
    assert_eq!((rows(&all), &all["meta"]["total"]), (expected.to_vec(), &json!(3)));
    assert_eq!(all["data"][0]["last_searched_at"], "2026-01-02T02:00:00Z");
    let first = editor
        .get(&format!("{QUERIES}?from=2026-01-01&to=2026-01-01"))
        .await
        .ok(200);
    assert_eq!(rows(&first), [("a", 3, 0, 9)]);

    let mut next = Some(format!("{QUERIES}?{days}&limit=1"));
    let mut walked = Vec::new();
    while let Some(at) = next {
        let part = editor.get(&at).await.ok(200);
        walked.extend(rows(&part).iter().map(|row| row.0.to_owned()));
        next = part["links"]["next"].as_str().map(str::to_owned);
    }
    assert_eq!(walked, ["a", "b", "小米"]);
    let second = editor.get(&format!("{QUERIES}?{days}&limit=1&page=2")).await.ok(200);
    assert_eq!(rows(&second), expected[1..2]);
    let none = editor
        .get(&format!("{QUERIES}?{days}&without_answer=true"))
        .await
        .ok(200);
    assert_eq!(rows(&none), expected[..1]);
    let cursor = editor.get(&format!("{QUERIES}?{days}&limit=1")).await.ok(200)["meta"]["next_cursor"].clone();
    let cursor = cursor.as_str().expect("a cursor");
    editor
        .get(&format!("{QUERIES}?from=2026-01-01&cursor={cursor}"))
        .await
        .problem(400, "invalid_cursor");
}

async fn old_ones_go(app: &App) {
    let editor = app.admin().await;
    app.connect()
        .batch_execute(
            "INSERT INTO search_queries VALUES ('2020-01-01', 'a', 3, 0, 9, '2020-01-01T02:00:00.000000Z'),
               ('2999-01-01', 'b', 1, 0, 9, '2999-01-01T02:00:00.000000Z')",
        )
        .expect("rows");
    search(&app.anonymous(), "海啸").await;
    let mut left = Vec::new();
    for _ in 0..100 {
        left = search_queries::table
            .order(search_queries::query)
            .select(search_queries::query)
            .load::<String>(&mut app.connect())
            .expect("rows");
        if left == ["b", "海啸"] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(left, ["b", "海啸"]);
    assert_eq!(rows(&editor.get(QUERIES).await.ok(200)), [("海啸", 1, 1, 0)]);
}

async fn queries_are_for_editors(app: &App) {
    app.anonymous()
        .get(&format!("{QUERIES}?x=1"))
        .await
        .problem(401, "unauthenticated");
    let contributor = app.user("contributor", "writer@example.com").await;
    contributor
        .get(&format!("{QUERIES}?x=1"))
        .await
        .problem(403, "forbidden");
    app.key("preview").await.get(QUERIES).await.problem(403, "forbidden");
    app.key("write").await.get(QUERIES).await.ok(200);
}

async fn wrong_parameters_of_queries_are_named(app: &App) {
    let editor = app.admin().await;
    editor
        .get(&format!(
            "{QUERIES}?from=2026-1-1&to=x&without_answer=yes&limit=101&page=0&count=all"
        ))
        .await
        .problem(400, "invalid_parameter")
        .at(&["from", "to", "without_answer", "limit", "page", "count"]);
    editor
        .get(&format!("{QUERIES}?from=2026-01-02&to=2026-01-01&q=a"))
        .await
        .problem(400, "unknown_parameter")
        .at(&["to", "q"]);
    editor
        .get(&format!("{QUERIES}?from=9998-12-31&to=9998-12-31"))
        .await
        .ok(200);
    editor.get(&format!("{QUERIES}?to=0002-01-01")).await.ok(200);
}

#[actix_web::test]
async fn a_stop_writes_what_waits() {
    crate::support::run(
        Backend::Sqlite,
        |_| (),
        async |app: &App| {
            let folder = tempfile::tempdir().expect("a folder");
            let mut config = app.config.clone();
            config.data_dir = folder.path().to_owned();
            config.database = Location::Sqlite(folder.path().join("broadsheet.db"));
            let running = server::start(config.clone()).await.expect("it starts");
            search(&Client::new(running.address), "海啸").await;
            running.stop().await;
            let running = server::start(config).await.expect("it starts again");
            let editor = Client::new(running.address).login(EMAIL, PASSWORD).await;
            assert_eq!(rows(&editor.get(QUERIES).await.ok(200)), [("海啸", 1, 1, 0)]);
            running.stop().await;
        },
    )
    .await;
}
