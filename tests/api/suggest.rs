//! Suggestions for what is being typed.

use broadsheet::db::{Db, DbConn, Timestamp};
use broadsheet::index::{Entry, Facts, Words, put};
use broadsheet::taxonomy::tags::{Whose, rewrite_keys};
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_query;
use serde_json::{Value, json};

use crate::support::{App, Bearer, Client, Role, both};

both!(
    a_title_is_found_at_every_keystroke,
    tags_come_first_and_lead_to_themselves,
    no_more_than_half_are_tags_where_there_are_titles,
    titles_that_begin_with_it_come_first_then_the_newest,
    what_many_titles_have_is_found_among_all,
    what_is_not_published_is_not_suggested,
    changes_of_articles_show_at_once,
    changes_of_tags_show_at_once,
    tags_without_keys_get_them,
    whatever_is_typed_is_answered,
    wrong_parameters_are_named,
    the_answer_is_a_list_that_caches_may_keep,
);

const SUGGEST: &str = "/api/v1/search/suggest";
const ARTICLES: &str = "/api/v1/articles";
const TAGS: &str = "/api/v1/tags";

async fn publish(editor: &Client<Bearer>, title: &str, more: Value) -> i64 {
    let mut fields = json!({"title": title, "body": "正文。", "body_format": "text", "status": "published"});
    for (name, value) in more.as_object().expect("an object") {
        fields[name] = value.clone();
    }
    editor.post(ARTICLES, &fields).await.ok(201).id()
}

/// Type and text of each suggestion, in order: `tag 小米`.
async fn suggested<R: Role>(client: &Client<R>, q: &str) -> Vec<String> {
    let answer = client.get(&format!("{SUGGEST}?q={q}")).await.ok(200);
    let part = |one: &Value, name: &str| one[name].as_str().expect(name).to_owned();
    let all = answer["data"].as_array().expect("a list").iter();
    all.map(|one| format!("{} {}", part(one, "type"), part(one, "text")))
        .collect()
}

async fn a_title_is_found_at_every_keystroke(app: &App) {
    let editor = app.admin().await;
    let title = "今晚：小米14 Pro 手机评测，與iPhone 16比較";
    publish(&editor, title, json!({})).await;
    publish(&editor, "春天的花", json!({})).await;
    let reader = app.anonymous();
    for q in [
        "今",
        "米",
        "小米",
        "手机评测",
        "手機評測",
        "小米14",
        "１４",
        "ｉＰｈｏｎｅ",
        "iPhone 16",
        "iphone16b",
        "ip",
        "iphon",
        "pro",
        "比较",
        "xiaomi",
        "xiaom",
        "xiaomi14",
        "xiaomi 14 pro",
        "xm",
        "xm14",
        "xm14p",
        "xm14prosj",
        "shouji",
        "shoujip",
        "shoujipingce",
        "sjpc",
        "小米14pro手",
        "jinwan",
        "jinwanxiaomi14proshoujipingceyuiphone16bijiao",
    ] {
        assert_eq!(suggested(&reader, q).await, [format!("article {title}")], "{q}");
    }
    for q in [
        "iaomi",
        "phone",
        "小手",
        "xiaomshouji",
        "ipho16",
        "花今",
        "shouwei",
        "xz",
    ] {
        assert_eq!(suggested(&reader, q).await, [] as [&str; 0], "{q}");
    }
}

async fn tags_come_first_and_lead_to_themselves(app: &App) {
    let editor = app.admin().await;
    let article = publish(&editor, "小米发布新车", json!({"tags": ["小米", "新车"]})).await;
    for name in ["小米汽车", "小米之家", "重庆", "女排", "C++", "🔥", "Wi-Fi 7"] {
        editor.post(TAGS, &json!({"name": name})).await.ok(201);
    }
    let reader = app.anonymous();
    let answer = reader.get(&format!("{SUGGEST}?q=xiaomi")).await.ok(200);
    let first = &answer["data"][0];
    assert_eq!((&first["text"], &first["type"]), (&json!("小米"), &json!("tag")));
    let tag = reader.get(&format!("{TAGS}/{}", first["id"])).await.ok(200);
    assert_eq!(
        (&tag["data"]["name"], &tag["data"]["slug"]),
        (&json!("小米"), &first["slug"])
    );
    let last = &answer["data"][3];
    assert_eq!((last["id"].as_i64(), &last["type"]), (Some(article), &json!("article")));
    let shown = reader.get(&format!("{ARTICLES}/{article}")).await.ok(200);
    assert_eq!(
        (&last["text"], &last["slug"]),
        (&shown["data"]["title"], &shown["data"]["slug"])
    );

    let all = ["tag 小米", "tag 小米汽车", "tag 小米之家", "article 小米发布新车"];
    for q in ["小米", "小mi", "xm", "xiaomi", "XIAOM", "xia", "小"] {
        assert_eq!(suggested(&reader, q).await, all, "{q}");
    }
    for (q, tag) in [
        ("chongq", "重庆"),
        ("zq", "重庆"),
        ("重慶", "重庆"),
        ("nvpai", "女排"),
        ("nu", "女排"),
        ("c%2B%2B", "C++"),
        ("🔥", "🔥"),
        ("wifi", "Wi-Fi 7"),
        ("wi-fi7", "Wi-Fi 7"),
    ] {
        assert_eq!(suggested(&reader, q).await, [format!("tag {tag}")], "{q}");
    }
    assert_eq!(suggested(&reader, "新车").await, ["tag 新车", "article 小米发布新车"]);
    assert_eq!(
        suggested(&reader, "汽车").await,
        [] as [&str; 0],
        "a tag begins with it"
    );
}

async fn no_more_than_half_are_tags_where_there_are_titles(app: &App) {
    let editor = app.admin().await;
    for at in 0..6 {
        editor.post(TAGS, &json!({"name": format!("海{at}")})).await.ok(201);
    }
    for at in 0..3 {
        publish(&editor, &format!("海边{at}"), json!({})).await;
    }
    let reader = app.anonymous();
    for (limit, tags, articles) in [
        (1, 1, 0),
        (2, 1, 1),
        (5, 3, 2),
        (6, 3, 3),
        (8, 5, 3),
        (9, 6, 3),
        (20, 6, 3),
    ] {
        let found = suggested(&reader, &format!("hai&limit={limit}")).await;
        let count = found.iter().filter(|one| one.starts_with("tag")).count();
        assert_eq!((count, found.len() - count), (tags, articles), "{limit}: {found:?}");
        assert!(found.iter().take(tags).all(|one| one.starts_with("tag")), "{found:?}");
    }
}

async fn titles_that_begin_with_it_come_first_then_the_newest(app: &App) {
    let editor = app.admin().await;
    for (day, title) in [
        (1, "海啸预警"),
        (2, "关于海啸"),
        (3, "海啸科普"),
        (4, "再谈海啸"),
        (5, "好心情"),
    ] {
        let at = format!("2026-01-{day:02}T00:00:00Z");
        publish(&editor, title, json!({"published_at": at})).await;
    }
    let reader = app.anonymous();
    for q in ["海啸", "haixiao", "haix"] {
        assert_eq!(
            suggested(&reader, q).await,
            [
                "article 海啸科普",
                "article 海啸预警",
                "article 再谈海啸",
                "article 关于海啸"
            ],
            "{q}"
        );
    }
    assert_eq!(
        suggested(&reader, "hx").await,
        [
            "article 好心情",
            "article 海啸科普",
            "article 海啸预警",
            "article 再谈海啸",
            "article 关于海啸"
        ]
    );
    let two = suggested(&reader, "海&limit=2").await;
    assert_eq!(two, ["article 海啸科普", "article 海啸预警"]);
}

/// Beyond the number of titles from which on the newest articles are read before the index, and where they have none.
async fn what_many_titles_have_is_found_among_all(app: &App) {
    let editor = app.admin().await;
    let old = publish(
        &editor,
        "琥珀时代的手机",
        json!({"published_at": "2001-01-01T00:00:00Z"}),
    )
    .await;
    let pattern = publish(&editor, "手机", json!({"published_at": "2002-02-02T00:00:00Z"})).await;
    let mut conn = app.connect();
    conn.transaction(|conn| {
        copy(conn, pattern, pattern + 1, "手机", 1_100)?;
        copy(conn, pattern, pattern + 10_000, "平板", 3_100)
    })
    .expect("the rows");
    let reader = app.anonymous();
    for (q, first) in [
        ("手机", "手机1099"),
        ("shouji", "手机1099"),
        ("sj", "手机1099"),
        ("机", "手机1099"),
        ("手机2", "手机299"),
        ("手机1023", "手机1023"),
        ("shouji0", "手机0"),
        ("sj321", "手机321"),
        ("平板", "平板3099"),
        ("板", "平板3099"),
        ("p", "平板3099"),
        ("平板2", "平板2999"),
        ("pingban100", "平板1009"),
        ("pb100", "平板1009"),
        ("琥珀", "琥珀时代的手机"),
        ("hupo", "琥珀时代的手机"),
        ("dsj", "琥珀时代的手机"),
        ("琥珀时代的手机", "琥珀时代的手机"),
    ] {
        let found = suggested(&reader, q).await;
        assert_eq!(found.first(), Some(&format!("article {first}")), "{q}: {found:?}");
    }
    let answer = reader.get(&format!("{SUGGEST}?q=时代的")).await.ok(200);
    assert_eq!(answer.ids(), [old]);
}

/// Copies an article many times, from that id on, as `手机0`, `手机1` and so on.
fn copy(conn: &mut DbConn, pattern: i64, first: i64, word: &str, many: u32) -> QueryResult<()> {
    for (number, id) in (0..many).zip(first..) {
        let title = format!("{word}{number}");
        sql_query(format!(
            "INSERT INTO articles (id, slug, title, derived_summary, state, published_at, listed_at, created_at, updated_at,
               version, locale, featured, word_count, reading_minutes, metadata, source_format)
             SELECT {id}, 'copy-{id}', '{title}', derived_summary, state, published_at, listed_at, created_at, updated_at,
               version, locale, featured, word_count, reading_minutes, metadata, source_format
             FROM articles WHERE id = {pattern}"
        ))
        .execute(conn)?;
        let entry = Entry {
            id,
            words: Words {
                title: &title,
                summary: "",
                tags: &[],
                text: "",
                ahead: None,
            },
            facts: Facts {
                state: "published",
                listed_at: Timestamp::now(),
                category_id: None,
                locale: "zh-CN",
                featured: false,
                tags: &[],
                authors: &[],
            },
        };
        put(conn, &entry)?;
    }
    Ok(())
}

async fn tags_without_keys_get_them(app: &App) {
    let editor = app.admin().await;
    for at in 0..250 {
        editor.post(TAGS, &json!({"name": format!("海{at}")})).await.ok(201);
    }
    let mut conn = app.connect();
    conn.batch_execute("DELETE FROM tag_keys").expect("no keys are left");
    let reader = app.anonymous();
    assert_eq!(suggested(&reader, "hai24").await, [] as [&str; 0]);
    let db = Db::open(&app.config).expect("the database");
    rewrite_keys(&db, Whose::Keyless).await.expect("the keys are written");
    // Another process wrote them; the server looks 20 times a second.
    let noticed = || actix_web::rt::time::sleep(std::time::Duration::from_millis(500));
    noticed().await;
    let found = suggested(&reader, "hai24").await;
    assert_eq!(found.len(), 10, "{found:?}");
    conn.batch_execute("UPDATE tag_keys SET key = key || 'x'")
        .expect("other keys");
    rewrite_keys(&db, Whose::All).await.expect("the keys are written");
    noticed().await;
    assert_eq!(suggested(&reader, "hai24").await, found);
    db.close().await;
}

async fn what_is_not_published_is_not_suggested(app: &App) {
    let editor = app.admin().await;
    publish(&editor, "公开的海啸", json!({"tags": ["海啸"]})).await;
    publish(&editor, "草稿的海啸", json!({"status": "draft", "tags": ["海啸草稿"]})).await;
    let later = json!({"status": "scheduled", "published_at": "2099-01-01T00:00:00Z", "tags": ["海啸预定"]});
    publish(&editor, "预定的海啸", later).await;
    publish(
        &editor,
        "收起的海啸",
        json!({"status": "archived", "tags": ["海啸收起"]}),
    )
    .await;
    let expected = ["tag 海啸", "article 公开的海啸"];
    for q in ["海啸", "haixiao", "hx", "h", "海"] {
        assert_eq!(suggested(&app.anonymous(), q).await, expected, "{q}");
        assert_eq!(suggested(&editor, q).await, expected, "{q}, whoever asks");
        assert_eq!(
            suggested(&app.key("preview").await, q).await,
            expected,
            "{q}, whoever asks"
        );
    }
}

async fn changes_of_articles_show_at_once(app: &App) {
    let editor = app.admin().await;
    let reader = app.anonymous();
    let id = publish(&editor, "琥珀", json!({"tags": ["宝石"]})).await;
    let path = format!("{ARTICLES}/{id}");
    let patch = async |fields: Value| {
        editor.with("if-match", "*").patch(&path, &fields).await.ok(200);
    };
    assert_eq!(suggested(&reader, "hupo").await, ["article 琥珀"]);
    patch(json!({"title": "珊瑚"})).await;
    assert_eq!(suggested(&reader, "hupo").await, [] as [&str; 0]);
    assert_eq!(suggested(&reader, "shanhu").await, ["article 珊瑚"]);
    patch(json!({"status": "archived"})).await;
    for q in ["shanhu", "珊", "s", "baoshi"] {
        assert_eq!(suggested(&reader, q).await, [] as [&str; 0], "{q}");
    }
    patch(json!({"status": "published"})).await;
    assert_eq!(suggested(&reader, "baoshi").await, ["tag 宝石"]);
    editor.with("if-match", "*").delete(&path).await.ok(204);
    for q in ["shanhu", "珊", "s", "baoshi"] {
        assert_eq!(suggested(&reader, q).await, [] as [&str; 0], "{q}");
    }
}

async fn changes_of_tags_show_at_once(app: &App) {
    let editor = app.admin().await;
    let reader = app.anonymous();
    let tag = editor.post(TAGS, &json!({"name": "琥珀"})).await.ok(201).id();
    let path = format!("{TAGS}/{tag}");
    assert_eq!(suggested(&reader, "hup").await, ["tag 琥珀"]);
    editor.patch(&path, &json!({"slug": "amber"})).await.ok(200);
    assert_eq!(suggested(&reader, "hup").await, ["tag 琥珀"]);
    editor.patch(&path, &json!({"name": "珊瑚"})).await.ok(200);
    assert_eq!(suggested(&reader, "hup").await, [] as [&str; 0]);
    assert_eq!(suggested(&reader, "sh").await, ["tag 珊瑚"]);
    editor.delete(&path).await.ok(204);
    assert_eq!(suggested(&reader, "sh").await, [] as [&str; 0]);
}

async fn whatever_is_typed_is_answered(app: &App) {
    let editor = app.admin().await;
    publish(
        &editor,
        "小米 \"14\" * 评测 100% O'Reilly \\ 😀",
        json!({"tags": ["a*b", "100%"]}),
    )
    .await;
    let reader = app.anonymous();
    for q in [
        "\"",
        "'",
        "*",
        "\\",
        "%25",
        "_",
        "小米*",
        "\"小米\"",
        "小米' OR '1'='1",
        "NEAR(小米)",
        "xm:*",
        "-小米",
        "^小",
        "{a}",
        "😀",
        "\u{F8FE}xm",
        "\u{F8FF}小米",
        "\u{200B}",
        "\u{301}",
        "\u{10FFFF}",
        "，。",
        "a%26b",
        "%09x",
        "ü",
        "Ⅷ",
        "한국",
        "ソ",
    ] {
        reader.get(&format!("{SUGGEST}?q={q}")).await.ok(200);
    }
    for q in ["机", "xiang", "an", "a", "😀", "1", "重长"] {
        let long: String = q.chars().cycle().take(50).collect();
        reader.get(&format!("{SUGGEST}?q={long}")).await.ok(200);
    }
    let title = "article 小米 \"14\" * 评测 100% O'Reilly \\ 😀";
    assert_eq!(suggested(&reader, "\"小米\"").await, [title]);
    assert_eq!(suggested(&reader, "小米*14").await, [title]);
    assert_eq!(suggested(&reader, "100%25").await, ["tag 100%", title]);
    assert_eq!(suggested(&reader, "o'r").await, [title]);
    assert_eq!(suggested(&reader, "\u{F8FE}xm").await, [title], "a mark is no letter");
    assert_eq!(suggested(&reader, "xm' OR 'xm").await, [] as [&str; 0]);
}

async fn wrong_parameters_are_named(app: &App) {
    let reader = app.anonymous();
    let fine = "海".repeat(50);
    reader.get(&format!("{SUGGEST}?q={fine}&limit=20")).await.ok(200);
    for (query, names) in [
        ("", &["q"][..]),
        ("?q=", &["q"]),
        ("?q=+%E3%80%80", &["q"]),
        ("?q=%00", &["q"]),
        (&format!("?q={fine}海"), &["q"]),
        ("?q=a&q=b", &["q"]),
        ("?q=a&limit=0", &["limit"]),
        ("?q=a&limit=21", &["limit"]),
        ("?q=a&limit=x", &["limit"]),
    ] {
        reader
            .get(&format!("{SUGGEST}{query}"))
            .await
            .problem(400, "invalid_parameter")
            .at(names);
    }
    for name in ["page", "cursor", "count", "category", "sort"] {
        let path = format!("{SUGGEST}?q=a&{name}=1");
        reader.get(&path).await.problem(400, "unknown_parameter").at(&[name]);
    }
}

async fn the_answer_is_a_list_that_caches_may_keep(app: &App) {
    let editor = app.admin().await;
    publish(&editor, "海啸", json!({})).await;
    let path = format!("{SUGGEST}?q=hx&limit=3");
    let answer = app.anonymous().get(&path).await.ok(200);
    assert_eq!(
        answer["meta"],
        json!({"limit": 3, "page": null, "next_cursor": null, "total": null})
    );
    assert_eq!(answer["links"], json!({"self": path, "next": null, "prev": null}));
    assert_eq!(answer.header("link"), None);
    assert_eq!(answer.header("cache-tag"), Some("tags,articles"));
    let public = "public, max-age=5, stale-while-revalidate=30";
    assert_eq!(answer.header("cache-control"), Some(public));
    let etag = answer.header("etag").expect("a tag").to_owned();
    let again = app.anonymous().with("if-none-match", &etag).get(&path).await;
    assert_eq!(again.status, 304);
    let own = editor.get(&path).await.ok(200);
    assert_eq!(own.header("cache-control"), Some("private, no-store"));
}
