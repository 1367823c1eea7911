//! What search counts, and how its index is kept.

use broadsheet::articles::prepared::Analysed;
use broadsheet::articles::{ArticleFields, write as edit};
use broadsheet::auth::viewer::{Scope, Viewer};
use broadsheet::db::{Db, DbConn, Timestamp};
use broadsheet::index;
use broadsheet::search::upkeep::{self, Verdict};
use broadsheet::web::{IfMatch, Patch};
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use serde_json::{Value, json};

use crate::support::{Answer, App, Bearer, Client, both};

both!(
    facets_count_what_is_found,
    facets_follow_filters_and_phrases,
    search_and_lists_mean_the_same_by_every_filter,
    drafts_are_found_by_those_who_see_them,
    a_check_finds_and_mends_what_is_wrong,
    an_index_made_anew_finds_the_same,
    what_is_written_meanwhile_is_in_the_new_index,
    words_analysed_ahead_are_those_of_the_body_that_stands,
    an_edit_is_found_before_and_after_it_is_settled,
);

const SEARCH: &str = "/api/v1/search";
const ARTICLES: &str = "/api/v1/articles";

async fn write(editor: &Client<Bearer>, title: &str, more: Value) -> i64 {
    let mut fields = json!({"title": title, "body": "耳机。", "body_format": "text", "status": "published"});
    for (name, value) in more.as_object().expect("an object") {
        fields[name] = value.clone();
    }
    editor.post(ARTICLES, &fields).await.ok(201).id()
}

async fn category(editor: &Client<Bearer>, slug: &str, parent: Option<i64>) -> i64 {
    let fields = json!({"name": format!("名 {slug}"), "slug": slug, "parent_id": parent});
    editor.post("/api/v1/categories", &fields).await.ok(201).id()
}

async fn author(editor: &Client<Bearer>, slug: &str) -> i64 {
    let fields = json!({"name": format!("人 {slug}"), "slug": slug});
    editor.post("/api/v1/authors", &fields).await.ok(201).id()
}

/// `value × count` of a facet, in order.
fn counts(answer: &Answer, facet: &str) -> Vec<(String, u64)> {
    let values = answer["meta"]["facets"][facet].as_array().expect("the facet");
    let count = |value: &Value| {
        assert!(value["label"].is_string());
        let name = value["value"].as_str().expect("a value").to_owned();
        (name, value["count"].as_u64().expect("a count"))
    };
    values.iter().map(count).collect()
}

fn pairs(expected: &[(&str, u64)]) -> Vec<(String, u64)> {
    expected
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

/// Eight articles that say 耳机, spread over everything that can be filtered or counted by.
async fn furnish(editor: &Client<Bearer>) -> Vec<i64> {
    let news = category(editor, "news", None).await;
    let reviews = category(editor, "reviews", Some(news)).await;
    let other = category(editor, "other", None).await;
    let (ming, hong) = (author(editor, "li-ming").await, author(editor, "xiao-hong").await);
    let mut ids = Vec::new();
    for (category, tags, authors, published, locale, featured) in [
        (
            Some(news),
            vec!["音频"],
            vec![ming],
            "2024-12-31T15:59:59Z",
            "zh-CN",
            true,
        ),
        (
            Some(reviews),
            vec!["音频", "评测"],
            vec![ming, hong],
            "2024-12-31T16:00:00Z",
            "zh-CN",
            false,
        ),
        (
            Some(reviews),
            vec!["评测"],
            vec![hong],
            "2025-06-01T00:00:00Z",
            "zh-TW",
            false,
        ),
        (Some(other), vec![], vec![], "2025-06-02T00:00:00Z", "zh-CN", true),
        (None, vec!["音频"], vec![ming], "2026-01-02T00:00:00Z", "zh-CN", false),
        (None, vec![], vec![], "2026-01-03T00:00:00Z", "zh-CN", false),
    ] {
        let number = ids.len();
        let fields = json!({
            "category_id": category, "tags": tags, "author_ids": authors, "published_at": published, "locale": locale,
            "featured": featured, "external_id": format!("x-{number}"), "body": format!("耳机，降噪{}。", "好".repeat(number)),
        });
        ids.push(write(editor, &format!("第 {number} 篇"), fields).await);
    }
    ids.push(
        write(
            editor,
            "草稿",
            json!({"status": "draft", "tags": ["音频"], "category_id": news}),
        )
        .await,
    );
    let planned = json!({"status": "scheduled", "published_at": "2999-01-01T00:00:00Z", "tags": ["评测"]});
    ids.push(write(editor, "预定", planned).await);
    ids
}

async fn facets_count_what_is_found(app: &App) {
    let editor = app.admin().await;
    furnish(&editor).await;
    let reader = app.anonymous();
    let answer = reader
        .get(&format!("{SEARCH}?q=耳机&facets=category,tag,author,year&limit=1"))
        .await
        .ok(200);
    assert_eq!(answer["meta"]["total"], 6);
    assert_eq!(
        counts(&answer, "category"),
        pairs(&[("news", 3), ("reviews", 2), ("other", 1)])
    );
    assert_eq!(counts(&answer, "tag"), pairs(&[("yin-pin", 3), ("ping-ce", 2)]));
    assert_eq!(counts(&answer, "author"), pairs(&[("li-ming", 3), ("xiao-hong", 2)]));
    // Midnight in Shanghai.
    assert_eq!(counts(&answer, "year"), pairs(&[("2026", 2), ("2025", 3), ("2024", 1)]));
    assert_eq!(answer["meta"]["facets"]["tag"][0]["label"], "音频");

    let one = reader.get(&format!("{SEARCH}?q=耳机&facets=year")).await.ok(200);
    let names: Vec<&String> = one["meta"]["facets"].as_object().expect("an object").keys().collect();
    assert_eq!(names, ["year"]);
    let none = reader.get(&format!("{SEARCH}?q=耳机")).await.ok(200);
    assert_eq!(none["meta"]["facets"], json!({}));
    let nothing = reader
        .get(&format!("{SEARCH}?q=量子&facets=category,tag,author,year"))
        .await
        .ok(200);
    assert_eq!(
        nothing["meta"]["facets"],
        json!({"category": [], "tag": [], "author": [], "year": []})
    );
}

async fn facets_follow_filters_and_phrases(app: &App) {
    let editor = app.admin().await;
    furnish(&editor).await;
    let reader = app.anonymous();
    let ask = async |query: &str| {
        let answer = reader
            .get(&format!("{SEARCH}?q={query}&facets=category,tag,year"))
            .await
            .ok(200);
        let total: u64 = counts(&answer, "year").iter().map(|(_, count)| count).sum();
        assert_eq!(answer["meta"]["total"], total, "{query}");
        answer
    };
    let reviews = ask("耳机&category=reviews").await;
    assert_eq!(counts(&reviews, "category"), pairs(&[("news", 2), ("reviews", 2)]));
    assert_eq!(counts(&reviews, "tag"), pairs(&[("ping-ce", 2), ("yin-pin", 1)]));
    let dated = ask("耳机&published_from=2025-01-01&published_to=2026-01-01&tag=ping-ce").await;
    assert_eq!(counts(&dated, "year"), pairs(&[("2025", 2)]));
    // Found by its lexemes, refused by its text.
    write(
        &editor,
        "散",
        json!({"body": "耳机，降噪。机，降。", "published_at": "2020-05-05T00:00:00Z"}),
    )
    .await;
    let phrase = ask("\"耳机，降噪好好\"").await;
    assert_eq!(counts(&phrase, "year"), pairs(&[("2026", 2), ("2025", 2)]));
}

async fn search_and_lists_mean_the_same_by_every_filter(app: &App) {
    let editor = app.admin().await;
    let ids = furnish(&editor).await;
    let own = app.user("contributor", "own@example.com").await;
    let draft = json!({"title": "自己的", "body": "耳机", "body_format": "text", "tags": ["音频"]});
    own.post(ARTICLES, &draft).await.ok(201);
    let some = format!("ids={},{},999", ids[1], ids[6]);
    let filters = [
        "",
        "category=news",
        "category=reviews",
        "category=nowhere",
        "tag=yin-pin",
        "tag=yin-pin,ping-ce",
        "tag_all=yin-pin,ping-ce",
        "tag=nothing",
        "author=xiao-hong",
        "author=nobody",
        "locale=zh-TW",
        "featured=true",
        "featured=false",
        &some,
        "published_from=2025-01-01",
        "published_to=2025-01-01",
        "published_from=2025-06-01T00:00:00Z&published_to=2025-06-02T00:00:00Z",
        "updated_from=2026-01-01",
        "updated_to=2026-01-01",
        "external_id=x-3",
        "external_id=nothing",
        "category=news&tag=yin-pin",
        "category=reviews&tag=yin-pin,ping-ce",
        "category=news&tag_all=ping-ce,yin-pin",
        "category=nowhere&tag=yin-pin",
        "category=news&tag=nothing",
        "author=li-ming&tag_all=yin-pin",
        "author=nobody&tag=yin-pin",
        "author=xiao-hong&category=news",
        "category=news&tag=yin-pin&author=li-ming&featured=true&locale=zh-CN",
    ];
    let statuses = [
        "",
        "status=published",
        "status=draft",
        "status=scheduled",
        "status=draft,scheduled",
        "status=archived",
        "status=draft,published&published_from=2025-01-01",
        "status=scheduled&published_to=2999-01-02",
    ];
    let readers = [&editor, &own];
    for status in statuses {
        for filter in filters {
            if filter.contains("published") && status.contains("published_") {
                continue;
            }
            for reader in readers {
                let asked = format!("{filter}&{status}&limit=100&sort=-published_at");
                let mut listed = reader.get(&format!("{ARTICLES}?{asked}")).await.ok(200).ids();
                let found = reader.get(&format!("{SEARCH}?q=耳机&{asked}")).await.ok(200);
                assert_eq!(found.ids(), listed, "{asked}");
                assert_eq!(found["meta"]["total"], listed.len(), "{asked}");
                let mut best = reader
                    .get(&format!("{SEARCH}?q=耳机&{filter}&{status}&limit=100"))
                    .await
                    .ok(200)
                    .ids();
                best.sort_unstable();
                listed.sort_unstable();
                assert_eq!(best, listed, "{asked}");
            }
        }
    }
}

async fn drafts_are_found_by_those_who_see_them(app: &App) {
    let editor = app.admin().await;
    let reader = app.anonymous();
    let id = write(&editor, "琥珀", json!({"status": "draft", "body": "珊瑚 与 珍珠"})).await;
    let find = async |query: &str| editor.get(&format!("{SEARCH}?q={query}")).await.ok(200).ids();
    assert_eq!(find("琥珀").await, [] as [i64; 0]);
    assert_eq!(find("琥珀&status=draft").await, [id]);
    assert_eq!(find("珊瑚 珍珠&status=draft,published").await, [id]);
    assert_eq!(find("珊瑚 -珍珠&status=draft,published").await, [] as [i64; 0]);
    for (status, found_as) in [("published", "published"), ("archived", "archived"), ("draft", "draft")] {
        let path = format!("{ARTICLES}/{id}");
        let change = json!({"status": status});
        editor.with("if-match", "*").patch(&path, &change).await.ok(200);
        for asked in ["draft", "scheduled", "published", "archived"] {
            let expected = if asked == found_as { vec![id] } else { vec![] };
            assert_eq!(
                find(&format!("琥珀&status={asked}")).await,
                expected,
                "{status} {asked}"
            );
        }
        let public = reader.get(&format!("{SEARCH}?q=琥珀")).await.ok(200).ids();
        assert_eq!(public.len(), usize::from(status == "published"));
    }
}

fn spoil(conn: &mut DbConn, sqlite: &str, postgres: &str) {
    match conn {
        DbConn::Sqlite(conn) => conn.batch_execute(sqlite).expect(sqlite),
        DbConn::Postgres(conn) => conn.batch_execute(postgres).expect(postgres),
    }
}

async fn a_check_finds_and_mends_what_is_wrong(app: &App) {
    let editor = app.admin().await;
    let ids = furnish(&editor).await;
    let db = Db::open(&app.config).expect("the database");
    let check = async || {
        upkeep::check(&db, &app.config.database, |_step| {})
            .await
            .expect("a verdict")
    };
    let articles = ids.len() as u64;
    let agreed = Verdict {
        articles,
        ..Verdict::default()
    };
    assert_eq!(check().await, agreed);
    let (first, second, third) = (ids[0], ids[1], ids[2]);
    for (sqlite, postgres, wrong) in [
        (
            format!("DELETE FROM article_index WHERE rowid = {first}"),
            format!("DELETE FROM article_hits WHERE article_id = {first}"),
            vec![first],
        ),
        (
            format!(
                "DELETE FROM article_index WHERE rowid = {second};
                 INSERT INTO article_index (rowid, lexemes) VALUES ({second}, '琥珀');"
            ),
            format!("UPDATE article_hits SET lexemes = array_to_tsvector('{{琥珀}}') WHERE article_id = {second}"),
            vec![second],
        ),
        (
            format!("UPDATE article_facts SET locale = 'en', tags = '' WHERE article_id IN ({second}, {third})"),
            format!("UPDATE article_hits SET locale = 'en', tags = '' WHERE article_id IN ({second}, {third})"),
            vec![second, third],
        ),
    ] {
        spoil(&mut app.connect(), &sqlite, &postgres);
        let verdict = check().await;
        assert_eq!(verdict.wrong, wrong);
        assert!(!verdict.agrees());
        assert_eq!(check().await, agreed);
    }
    spoil(
        &mut app.connect(),
        "INSERT INTO article_index (rowid, lexemes) VALUES (9999, '琥珀');
         UPDATE article_facts SET article_id = 9998 WHERE article_id = (SELECT max(article_id) FROM article_facts);",
        "INSERT INTO article_hits
         SELECT 9999, state, listed_at, category_id, locale, featured, tags, authors, stamp, lexemes
         FROM article_hits ORDER BY article_id DESC LIMIT 1;
         UPDATE article_hits SET article_id = 9998 WHERE article_id = (SELECT max(id) FROM articles);",
    );
    let verdict = check().await;
    assert_eq!((verdict.extra, verdict.wrong), (vec![9998, 9999], vec![ids[7]]));
    assert_eq!(check().await, agreed);
    if let DbConn::Sqlite(conn) = &mut app.connect() {
        conn.batch_execute("UPDATE article_index_data SET block = x'00' WHERE id = 10")
            .expect("a damaged index");
        assert!(check().await.rebuilt);
        assert_eq!(check().await, agreed);
    }
    let found = app.anonymous().get(&format!("{SEARCH}?q=耳机")).await.ok(200);
    assert_eq!(found["meta"]["total"], 6);
    db.close().await;
}

async fn an_index_made_anew_finds_the_same(app: &App) {
    let editor = app.admin().await;
    furnish(&editor).await;
    let reader = app.anonymous();
    let ask = async || {
        let mut answers = Vec::new();
        for query in [
            "耳机",
            "降噪",
            "耳机&facets=category,tag,author,year",
            "音频",
            "评测&sort=-published_at",
        ] {
            let answer = reader.get(&format!("{SEARCH}?q={query}")).await.ok(200);
            answers.push((answer.ids(), answer["meta"]["facets"].clone()));
        }
        let drafts = editor.get(&format!("{SEARCH}?q=耳机&status=draft")).await.ok(200);
        answers.push((drafts.ids(), Value::Null));
        answers
    };
    let (before, treated) = (ask().await, treatment(app));
    let db = Db::open(&app.config).expect("the database");
    for _ in 0..2 {
        let mut steps = 0;
        let indexed = upkeep::reindex(&db, &app.config.database, |step| steps = step.done)
            .await
            .expect("an index");
        assert_eq!((indexed, steps), (8, 8));
        assert_eq!(ask().await, before);
        assert_eq!(treatment(app), treated);
    }
    let id = write(&editor, "后来", json!({"body": "琥珀"})).await;
    assert_eq!(reader.get(&format!("{SEARCH}?q=琥珀")).await.ok(200).ids(), [id]);
    let verdict = upkeep::check(&db, &app.config.database, |_step| {})
        .await
        .expect("a verdict");
    assert!(verdict.agrees(), "{verdict:?}");
    db.close().await;
}

/// How PostgreSQL is told to treat the parts of the index: a rebuild must make them as the migrations do.
fn treatment(app: &App) -> String {
    let DbConn::Postgres(mut conn) = app.connect() else {
        return String::new();
    };
    let parts = sql::<Text>(
        "string_agg(concat_ws(' ', part.relname, part.reloptions::text, toast.reloptions::text, attname, attstorage,
         attstattarget), '; ' ORDER BY part.relname, attnum)
         FROM pg_class AS part LEFT JOIN pg_class AS toast ON toast.oid = part.reltoastrelid
         JOIN pg_attribute ON attrelid = part.oid
         WHERE part.relname ~ '^article_hits' AND attnum > 0 AND NOT attisdropped",
    );
    let parts: String = diesel::select(parts).get_result(&mut conn).expect("the settings");
    for set in ["vacuum_truncate=false", "toast_tuple_target=128", "fastupdate=on"] {
        assert!(parts.contains(set), "{set}: {parts}");
    }
    parts
}

async fn what_is_written_meanwhile_is_in_the_new_index(app: &App) {
    let editor = app.admin().await;
    for number in 0..30 {
        write(&editor, &format!("起初 {number}"), json!({})).await;
    }
    let db = Db::open(&app.config).expect("the database");
    let writing = async {
        for number in 0..30 {
            let id = write(&editor, &format!("新来 {number}"), json!({"tags": ["甲"]})).await;
            let path = format!("{ARTICLES}/{id}");
            match number % 3 {
                0 => editor.with("if-match", "*").delete(&path).await.ok(204),
                1 => {
                    let change = json!({"title": "改过的琥珀", "status": "archived"});
                    editor.with("if-match", "*").patch(&path, &change).await.ok(200)
                }
                _ => editor
                    .with("if-match", "*")
                    .patch(&path, &json!({"featured": true}))
                    .await
                    .ok(200),
            };
        }
    };
    let making = async {
        for _ in 0..5 {
            upkeep::reindex(&db, &app.config.database, |_step| {})
                .await
                .expect("an index");
        }
    };
    futures_util::future::join(writing, making).await;
    let verdict = upkeep::check(&db, &app.config.database, |_step| {})
        .await
        .expect("a verdict");
    assert_eq!((verdict.agrees(), verdict.articles), (true, 50), "{verdict:?}");
    let found = app.anonymous().get(&format!("{SEARCH}?q=新来&limit=100")).await.ok(200);
    assert_eq!(found["meta"]["total"], 10);
    db.close().await;
}

/// An edit of the title alone has the body analysed before it begins. Whoever writes another body meanwhile must not lose it.
async fn words_analysed_ahead_are_those_of_the_body_that_stands(app: &App) {
    let editor = app.admin().await;
    // Behind what the summary takes.
    let body = format!("{}降噪", "前言。".repeat(200));
    let id = write(&editor, "一", json!({"body": body})).await;
    let db = Db::open(&app.config).expect("the database");
    let finds = async |word: &str| {
        let found = app.anonymous().get(&format!("{SEARCH}?q={word}")).await.ok(200).ids();
        found == [id]
    };
    for (title, version, ahead, taken) in [
        ("二", 1, "续航", true),
        ("三", 1, "无线", false),
        ("四", 4, "无线", false),
    ] {
        db.write(move |tx| {
            let analysed = Analysed::new(version, ahead.to_owned());
            let fields = ArticleFields {
                title: Patch::Value(title.to_owned()),
                ..ArticleFields::default()
            };
            let viewer = Viewer::Key {
                id: 0,
                scope: Scope::Write,
            };
            edit::update(tx, &viewer, id, &IfMatch::Any, fields, None, Some(&analysed))
        })
        .await
        .expect("an edit");
        assert!(finds(title).await, "{title}");
        assert_eq!(finds(ahead).await, taken, "{title}");
        assert_eq!(finds("降噪").await, !taken, "{title}");
    }
    db.close().await;
}

/// How many entries wait beside the index.
fn fresh(app: &App) -> i64 {
    let count = |table| sql::<BigInt>(&format!("SELECT count(*) FROM {table} WHERE article_id < 1000000"));
    match app.connect() {
        DbConn::Postgres(mut conn) => count("article_hits_fresh").get_result(&mut conn),
        DbConn::Sqlite(mut conn) => count("article_fresh").get_result(&mut conn),
    }
    .expect("a count")
}

async fn an_edit_is_found_before_and_after_it_is_settled(app: &App) {
    let editor = app.admin().await;
    let reader = app.anonymous();
    let id = write(&editor, "旧题", json!({})).await;
    let other = write(&editor, "别的", json!({})).await;
    let path = format!("{ARTICLES}/{id}");
    let edit = async |fields: Value| {
        editor.with("if-match", "*").patch(&path, &fields).await.ok(200);
    };
    let found = async |query: &str| {
        let answer = reader.get(&format!("{SEARCH}?{query}")).await.ok(200);
        let ids: Vec<i64> = answer["data"]
            .as_array()
            .expect("a page")
            .iter()
            .map(|row| row["id"].as_i64().expect("an id"))
            .collect();
        assert_eq!(answer["meta"]["total"], ids.len(), "{query}");
        ids
    };
    let db = Db::open(&app.config).expect("the database");
    let agrees = async || {
        let verdict = upkeep::check(&db, &app.config.database, |_step| {})
            .await
            .expect("a verdict");
        assert!(verdict.agrees(), "{verdict:?}");
    };
    let in_seconds =
        |seconds: i64| Timestamp::from_micros(Timestamp::now().micros() + seconds * 1_000_000).expect("a time");
    let settle = async |seconds| {
        let now = in_seconds(seconds);
        db.write(move |tx| Ok(index::settle(tx.conn, now)?))
            .await
            .expect("settling")
    };

    assert_eq!(fresh(app), 0, "a new article goes into the index");
    edit(json!({"title": "改过"})).await;
    edit(json!({"title": "琥珀"})).await;
    edit(json!({"featured": true})).await;
    assert_eq!(fresh(app), 1);
    agrees().await;
    let as_it_is = async || {
        assert_eq!(
            (found("q=琥珀").await, found("q=旧题").await, found("q=改过").await),
            (vec![id], vec![], vec![])
        );
        assert_eq!(found("q=耳机&featured=true").await, [id]);
        assert_eq!(found("q=耳机&featured=false").await, [other]);
    };
    as_it_is().await;

    assert!(!settle(0).await);
    assert_eq!(fresh(app), 1, "it was edited just now");
    if let DbConn::Postgres(mut conn) = app.connect() {
        conn.batch_execute(&format!("BEGIN; SELECT 1 FROM articles WHERE id = {id} FOR UPDATE"))
            .expect("held");
        assert!(!settle(60).await);
        assert_eq!(fresh(app), 1, "somebody holds it");
        conn.batch_execute("ROLLBACK").expect("given back"); // Where it only hangs up, the server sees so later.
    }
    assert!(!settle(60).await);
    assert_eq!(fresh(app), 0);
    as_it_is().await;
    agrees().await;

    // Made anew while one waits: nothing waits afterwards, and nothing is there twice.
    edit(json!({"summary": "翡翠"})).await;
    upkeep::reindex(&db, &app.config.database, |_step| {})
        .await
        .expect("an index");
    assert_eq!(fresh(app), 0);
    assert_eq!(found("q=翡翠").await, [id]);
    as_it_is().await;

    // Where too many wait, an edit goes into the index.
    edit(json!({"title": "琥珀"})).await;
    spoil(
        &mut app.connect(),
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 128)
         INSERT INTO article_fresh SELECT 1000000 + n, stamp, '' FROM article_fresh, numbers",
        "INSERT INTO article_hits_fresh SELECT 1000000 + n, state, listed_at, category_id, locale, featured, tags, authors,
         stamp, ''::tsvector, true FROM article_hits_fresh, generate_series(1, 256) AS n",
    );
    let third = write(&editor, "第三", json!({})).await;
    editor
        .with("if-match", "*")
        .patch(&format!("{ARTICLES}/{third}"), &json!({"title": "水晶"}))
        .await
        .ok(200);
    assert_eq!(fresh(app), 1);
    assert_eq!(found("q=水晶").await, [third]);
    spoil(
        &mut app.connect(),
        "DELETE FROM article_fresh WHERE article_id > 1000000",
        "DELETE FROM article_hits_fresh WHERE article_id > 1000000",
    );

    edit(json!({"status": "draft"})).await;
    assert!(found("q=琥珀").await.is_empty());
    agrees().await;
    editor.with("if-match", "*").delete(&path).await.ok(204);
    assert_eq!(fresh(app), 0);
    agrees().await;
    db.close().await;
}
