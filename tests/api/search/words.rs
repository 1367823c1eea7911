//! Synonyms, and the words that the site knows.

use std::collections::BTreeSet;

use broadsheet::config::Database as Location;
use broadsheet::db::schema::{synonyms, tags};
use broadsheet::text::flow::flow;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::{Value, json};

use super::{ARTICLES, found, highlights, publish, search};
use crate::support::{App, Backend, both};

both!(
    a_new_site_knows_what_taiwan_and_hong_kong_say,
    synonyms_find_each_other,
    synonyms_of_several_words_find_each_other,
    a_word_with_its_synonyms_is_one_of_two_thirds,
    titles_with_synonyms_come_first,
    phrases_and_exclusions_mean_what_they_say,
    synonyms_are_for_editors,
    wrong_synonyms_are_named,
    hostile_synonyms_are_words,
    a_tag_is_one_word,
    a_renamed_tag_is_one_word_by_its_new_name,
    a_file_of_words_is_read_when_it_changes,
    the_longest_query_is_looked_up,
);

const SYNONYMS: &str = "/api/v1/search/synonyms";

/// A body of these groups.
fn groups(groups: &[&[&str]]) -> Value {
    let groups: Vec<Value> = groups.iter().map(|words| json!({"words": words})).collect();
    json!({"groups": groups})
}

async fn ids(app: &App, query: &str) -> BTreeSet<i64> {
    found(&app.anonymous(), query).await.into_iter().collect()
}

async fn a_new_site_knows_what_taiwan_and_hong_kong_say(app: &App) {
    let rows: Vec<(String, String)> = synonyms::table
        .select((synonyms::word_key, synonyms::word))
        .load(&mut app.connect())
        .expect("the synonyms");
    assert!(rows.len() > 120, "{} words", rows.len());
    for (key, word) in rows {
        assert_eq!(key, flow(&word));
    }
    let editor = app.admin().await;
    let known = editor.get(SYNONYMS).await.ok(200);
    assert_eq!(known["data"]["groups"][0], json!({"words": ["软件", "軟體"]}));
    let again = editor.put(SYNONYMS, &known["data"]).await.ok(200);
    assert_eq!(again["data"], known["data"], "they pass their own checks");

    let simple = publish(&editor, "软件与鼠标", json!({})).await;
    let taiwan = publish(&editor, "軟體與滑鼠", json!({})).await;
    for query in ["軟體", "软件", "软体", "滑鼠", "鼠标", "软件鼠标", "軟體 滑鼠"] {
        assert_eq!(ids(app, query).await, BTreeSet::from([simple, taiwan]), "{query}");
    }
}

async fn synonyms_find_each_other(app: &App) {
    let editor = app.admin().await;
    let phone = publish(&editor, "手机评测", json!({})).await;
    let mobile = publish(&editor, "移動電話評測", json!({})).await;
    let scattered = publish(&editor, "移动，电话，评测", json!({})).await;
    for query in ["手机", "移动电话", "行動電話", "手机评测", "移动电话评测"] {
        let answer = search(&app.anonymous(), query).await;
        assert_eq!(
            answer.ids().into_iter().collect::<BTreeSet<_>>(),
            BTreeSet::from([phone, mobile]),
            "{answer}"
        );
        for hit in answer["data"].as_array().expect("hits") {
            let shown = highlights(hit).concat();
            assert!(
                shown.contains("<mark>手机") || shown.contains("<mark>移動電話"),
                "{shown}"
            );
        }
    }
    assert!(!ids(app, "移动电话").await.contains(&scattered));
    editor.put(SYNONYMS, &groups(&[])).await.ok(200);
    assert_eq!(ids(app, "手机").await, BTreeSet::from([phone]));
    assert_eq!(ids(app, "移动电话").await, BTreeSet::from([mobile]));
}

async fn synonyms_of_several_words_find_each_other(app: &App) {
    let editor = app.admin().await;
    let english = publish(&editor, "An introduction to Machine-Learning", json!({})).await;
    let chinese = publish(&editor, "機器學習入門", json!({})).await;
    publish(&editor, "Learning about a machine", json!({})).await;
    editor
        .put(
            SYNONYMS,
            &groups(&[&["Machine Learning", "机器学习"], &["入门", "introduction"]]),
        )
        .await
        .ok(200);
    let both = BTreeSet::from([english, chinese]);
    for query in [
        "machine learning",
        "机器学习",
        "机器学习入门",
        "machine-learning introduction",
    ] {
        assert_eq!(ids(app, query).await, both, "{query}");
    }
    assert_eq!(ids(app, "\"machine learning\"").await, BTreeSet::from([english]));
}

async fn a_word_with_its_synonyms_is_one_of_two_thirds(app: &App) {
    let editor = app.admin().await;
    let two = publish(&editor, "行動電話 電池", json!({})).await;
    publish(&editor, "手机 移动电话", json!({})).await;
    assert_eq!(ids(app, "手机 电池 屏幕").await, BTreeSet::from([two]));
    assert_eq!(ids(app, "手机 移动电话 电池").await, BTreeSet::from([two]), "two words");
}

async fn titles_with_synonyms_come_first(app: &App) {
    let editor = app.admin().await;
    let at = |day: u32| json!(format!("2020-01-{day:02}T00:00:00Z"));
    let body = publish(&editor, "甲", json!({"body": "手机", "published_at": at(3)})).await;
    let title = publish(&editor, "移动电话", json!({"published_at": at(1)})).await;
    let both = publish(&editor, "手机", json!({"body": "移动电话", "published_at": at(2)})).await;
    assert_eq!(found(&app.anonymous(), "手机").await, [both, title, body]);
    assert_eq!(found(&app.anonymous(), "移动电话").await, [both, title, body]);
}

async fn phrases_and_exclusions_mean_what_they_say(app: &App) {
    let editor = app.admin().await;
    let phone = publish(&editor, "手机", json!({})).await;
    let mobile = publish(&editor, "移动电话", json!({})).await;
    assert_eq!(ids(app, "\"手机\"").await, BTreeSet::from([phone]));
    assert_eq!(ids(app, "手机 -移动电话").await, BTreeSet::from([phone]));
    assert_eq!(ids(app, "移动电话 -手机").await, BTreeSet::from([mobile]));
    assert_eq!(ids(app, "手机 \"移动电话\"").await, BTreeSet::from([mobile]));
}

async fn synonyms_are_for_editors(app: &App) {
    let body = groups(&[&["甲", "乙"]]);
    app.anonymous().get(SYNONYMS).await.problem(401, "unauthenticated");
    app.anonymous()
        .put(SYNONYMS, &body)
        .await
        .problem(401, "unauthenticated");
    let contributor = app.user("contributor", "writer@example.com").await;
    contributor.get(SYNONYMS).await.problem(403, "forbidden");
    contributor
        .put(SYNONYMS, &json!({"x": 1}))
        .await
        .problem(403, "forbidden");
    for scope in ["read", "preview"] {
        let key = app.key(scope).await;
        key.get(SYNONYMS).await.problem(403, "forbidden");
        key.put(SYNONYMS, &body).await.problem(403, "forbidden");
    }
    let editor = app.user("editor", "editor@example.com").await;
    let put = editor.put(SYNONYMS, &body).await.ok(200);
    assert_eq!(put["data"], body);
    let got = app.key("write").await.get(SYNONYMS).await.ok(200);
    assert_eq!(got["data"], body);
    assert_eq!(got.header("cache-control"), Some("private, no-store"));
    app.key("write").await.put(SYNONYMS, &groups(&[])).await.ok(200);
    assert_eq!(editor.get(SYNONYMS).await.ok(200)["data"], groups(&[]));
    editor
        .get("/api/v1/search/synonyms?q=a")
        .await
        .problem(400, "unknown_parameter")
        .at(&["q"]);
    editor.post(SYNONYMS, &body).await.problem(405, "method_not_allowed");
}

async fn wrong_synonyms_are_named(app: &App) {
    let editor = app.admin().await;
    let before = editor.get(SYNONYMS).await.ok(200);
    for (body, code, places) in [
        (json!({}), "invalid_field", vec!["#/groups"]),
        (json!({"groups": null}), "invalid_field", vec!["#/groups"]),
        (json!({"groups": [["a", "b"]]}), "invalid_field", vec!["#/groups/0"]),
        (
            json!({"groups": [{"words": ["a", 1]}]}),
            "invalid_field",
            vec!["#/groups/0/words/1"],
        ),
        (
            json!({"groups": [{"words": ["a", "b"], "x": 1}], "y": 2}),
            "unknown_field",
            vec!["#/groups/0/x", "#/y"],
        ),
        (
            groups(&[&["a"], &[]]),
            "invalid_field",
            vec!["#/groups/0/words", "#/groups/1/words"],
        ),
        (
            groups(&[&["手機", "a", "😀"], &["b", "手机"]]),
            "invalid_field",
            vec!["#/groups/0/words/0", "#/groups/0/words/2", "#/groups/1/words/1"],
        ),
        (groups(&[&["a", "b\u{0}"]]), "invalid_field", vec!["#/groups/0/words/1"]),
    ] {
        editor.put(SYNONYMS, &body).await.problem(422, code).at(&places);
    }
    assert_eq!(
        editor.get(SYNONYMS).await.ok(200)["data"],
        before["data"],
        "nothing was replaced"
    );
}

async fn hostile_synonyms_are_words(app: &App) {
    let editor = app.admin().await;
    let id = publish(&editor, "c++ 与 a' OR 'b", json!({})).await;
    let hostile = [
        "\" OR title:x NOT \"",
        "' | !'b",
        "C++",
        "a\\' <-> 'b",
        "*",
        "NEAR(x y)",
        "😀表情",
    ];
    let words: Vec<&str> = std::iter::once("甲")
        .chain(hostile)
        .filter(|word| *word != "*")
        .collect();
    let put = editor.put(SYNONYMS, &groups(&[&words])).await.ok(200);
    assert_eq!(put["data"], groups(&[&words]));
    for query in ["甲", "甲 乙 丙", "near(X y)", "表情"] {
        let expected: &[i64] = if query == "甲 乙 丙" { &[] } else { &[id] };
        assert_eq!(found(&app.anonymous(), query).await, expected, "{query}");
    }
}

async fn a_tag_is_one_word(app: &App) {
    let editor = app.admin().await;
    let together = publish(&editor, "自动驾驶来了", json!({})).await;
    let apart = publish(&editor, "自动咖啡机与驾驶指南", json!({})).await;
    assert_eq!(ids(app, "自动驾驶").await, BTreeSet::from([together, apart]));
    // The tag's name is written otherwise, and no article that readers see has it.
    publish(&editor, "草稿", json!({"status": "draft", "tags": ["自動駕駛"]})).await;
    for query in ["自动驾驶", "自動駕駛", "自动驾驶来了"] {
        assert_eq!(ids(app, query).await, BTreeSet::from([together]), "{query}");
    }
    assert_eq!(ids(app, "自动 驾驶").await, BTreeSet::from([together, apart]));

    editor.post("/api/v1/tags", &json!({"name": "生活"})).await.ok(201);
    let event = publish(&editor, "发生活动", json!({})).await;
    assert_eq!(
        ids(app, "发生活动").await,
        BTreeSet::from([event]),
        "a short one only between words"
    );
}

async fn a_renamed_tag_is_one_word_by_its_new_name(app: &App) {
    let editor = app.admin().await;
    let together = publish(&editor, "自动驾驶来了", json!({})).await;
    let apart = publish(&editor, "自动咖啡机与驾驶指南", json!({})).await;
    let tag = editor.post("/api/v1/tags", &json!({"name": "汽车"})).await.ok(201).id();
    let at = format!("/api/v1/tags/{tag}");
    editor.patch(&at, &json!({"name": "自动驾驶"})).await.ok(200);
    assert_eq!(ids(app, "自动驾驶").await, BTreeSet::from([together]));
    editor.delete(&at).await.ok(204);
    assert_eq!(ids(app, "自动驾驶").await, BTreeSet::from([together, apart]));
}

async fn a_file_of_words_is_read_when_it_changes(app: &App) {
    let editor = app.admin().await;
    let together = publish(&editor, "折叠屏手机来了", json!({})).await;
    let apart = publish(&editor, "手机的折叠屏", json!({})).await;
    let both = BTreeSet::from([together, apart]);
    assert_eq!(ids(app, "折叠屏手机").await, both);
    let file = app.config.data_dir.join("words.txt");
    std::fs::write(&file, "# 新词\nx y z\n折疊屏手機\n").expect("the file");
    assert_eq!(ids(app, "折叠屏手机").await, BTreeSet::from([together]));
    std::fs::remove_file(&file).expect("the file");
    assert_eq!(ids(app, "折叠屏手机").await, both);
}

async fn the_longest_query_is_looked_up(app: &App) {
    let editor = app.admin().await;
    let text: String = (0..200).filter_map(|i| char::from_u32(0x4E00 + i)).collect();
    let id = publish(&editor, "长", json!({"body": text})).await;
    assert_eq!(ids(app, &text).await, BTreeSet::from([id]));
    let words: Vec<String> = (0..100).map(|i| format!("{}", i % 10)).collect();
    app.anonymous().get(&format!("{ARTICLES}?limit=1")).await.ok(200);
    search(&app.anonymous(), &words.join("+")).await;
}

#[actix_web::test]
async fn a_start_folds_the_names_of_tags_that_an_older_release_wrote() {
    let folder = tempfile::tempdir().expect("a folder");
    crate::support::run(
        Backend::Sqlite,
        |config| {
            config.data_dir = folder.path().to_owned();
            config.database = Location::Sqlite(folder.path().join("broadsheet.db"));
        },
        async |app: &App| {
            let editor = app.admin().await;
            editor.post("/api/v1/tags", &json!({"name": "自動駕駛"})).await.ok(201);
            app.connect()
                .batch_execute("UPDATE tags SET word_key = NULL")
                .expect("as an older release leaves it");
        },
    )
    .await;
    let path = folder.path().join("broadsheet.db");
    let mut conn = SqliteConnection::establish(path.to_str().expect("UTF-8")).expect("SQLite");
    migrate_and_fill(&path).await;
    let key: Option<String> = tags::table.select(tags::word_key).first(&mut conn).expect("the tag");
    assert_eq!(key.as_deref(), Some("自动驾驶"));
}

/// Starts a server on this file, and stops it.
async fn migrate_and_fill(path: &std::path::Path) {
    crate::support::run(
        Backend::Sqlite,
        |config| config.database = Location::Sqlite(path.to_owned()),
        async |_app: &App| {},
    )
    .await;
}
