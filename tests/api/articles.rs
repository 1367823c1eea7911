//! Articles: written, published, read, listed.

use serde_json::{Value, json};

use crate::support::{App, Bearer, Client, both};

both!(
    a_draft_is_published_and_read,
    a_new_article_has_its_defaults,
    slugs_are_pinyin_and_free,
    the_names_of_routes_are_slugs_as_well,
    former_slugs_lead_to_the_present_one,
    a_living_slug_cannot_be_taken,
    one_of_many_takes_a_slug,
    edits_need_the_version_they_were_made_on,
    two_edits_of_one_version_are_one_edit,
    null_clears_and_absent_keeps,
    publication_follows_status_and_time,
    scheduled_articles_come_by_themselves,
    updated_at_is_never_before_the_publication,
    what_is_scheduled_is_not_in_the_way_of_what_was_updated,
    bodies_come_in_every_form,
    pictures_are_figures,
    tags_and_by_lines_are_the_same_wherever_they_stand,
    scripts_never_reach_a_reader,
    lists_filter_and_sort,
    bare_dates_begin_at_midnight_of_the_site,
    a_walk_by_cursor_meets_each_once,
    a_walk_stays_between_its_times,
    pages_end_where_they_must,
    bad_queries_are_named,
    bad_bodies_are_named_and_change_nothing,
    strangers_see_nothing_unpublished,
    contributors_keep_to_their_drafts,
    external_ids_create_once_and_replace,
    neighbours_and_related_stand_near,
    validators_follow_the_content,
    metadata_comes_back_as_it_was,
    deleted_articles_are_gone_and_their_ids_too,
);

const ARTICLES: &str = "/api/v1/articles";

fn path(id: i64) -> String {
    format!("{ARTICLES}/{id}")
}

/// Writes a published article; its id.
async fn published(editor: &Client<Bearer>, title: &str, more: Value) -> i64 {
    let mut body = json!({"title": title, "body": "正文", "status": "published"});
    for (key, value) in more.as_object().expect("an object") {
        body[key] = value.clone();
    }
    editor.post(ARTICLES, &body).await.ok(201).id()
}

fn titles(list: &Value) -> Vec<&str> {
    list["data"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|row| row["title"].as_str())
        .collect()
}

async fn a_draft_is_published_and_read(app: &App) {
    let admin = app.admin().await;
    let draft = admin
        .post(ARTICLES, &json!({"title": "小米14评测", "body": "**续航。**很好"}))
        .await
        .ok(201);
    let at = path(draft.id());
    assert_eq!(draft.header("location"), Some(at.as_str()));
    assert_eq!(
        (&draft["data"]["status"], &draft["data"]["published_at"]),
        (&json!("draft"), &Value::Null)
    );
    app.anonymous().get(&at).await.problem(404, "not_found");

    admin
        .patch(&at, &json!({"status": "published"}))
        .await
        .problem(428, "precondition_required");
    let tag = draft.header("etag").expect("a tag").to_owned();
    let after = admin
        .with("if-match", &tag)
        .patch(&at, &json!({"status": "published"}))
        .await
        .ok(200);
    assert_eq!(
        (&after["data"]["status"], &after["data"]["version"]),
        (&json!("published"), &json!(2))
    );

    let read = app.anonymous().get(&at).await.ok(200);
    assert_eq!(read["data"]["body"]["html"], "<p><strong>续航。</strong>很好</p>");
    assert_eq!(read["data"]["summary"], "续航。很好");
    assert!(
        read.header("cache-control")
            .is_some_and(|value| value.starts_with("public, max-age="))
    );
    let own = admin.get(&at).await.ok(200);
    assert_eq!(own.header("cache-control"), Some("private, no-store"));
}

async fn a_new_article_has_its_defaults(app: &App) {
    let made = app
        .admin()
        .await
        .post(ARTICLES, &json!({"title": " 标题 "}))
        .await
        .ok(201);
    let article = &made["data"];
    assert_eq!(article["title"], "标题");
    for (field, value) in [
        ("slug", json!("biao-ti")),
        ("status", json!("draft")),
        ("locale", json!("zh-CN")),
        ("featured", json!(false)),
        ("category", Value::Null),
        ("tags", json!([])),
        ("authors", json!([])),
        ("cover", Value::Null),
        ("published_at", Value::Null),
        ("version", json!(1)),
        ("view_count", json!(0)),
        ("word_count", json!(0)),
        ("reading_minutes", json!(1)),
        ("source", json!({"name": null, "url": null})),
        ("seo", json!({"title": null, "description": null})),
        ("external_id", Value::Null),
        ("metadata", json!({})),
        ("url", Value::Null),
        ("summary", json!("")),
        (
            "body",
            json!({"format": "html", "source_format": "markdown", "html": ""}),
        ),
    ] {
        assert_eq!(article[field], value, "{field}");
    }
    assert_eq!(article["links"]["views"], format!("{}/views", path(made.id())));
}

async fn slugs_are_pinyin_and_free(app: &App) {
    let admin = app.admin().await;
    let mut slugs = Vec::new();
    for _ in 0..5 {
        let made = admin.post(ARTICLES, &json!({"title": "小米14评测"})).await.ok(201);
        slugs.push(made["data"]["slug"].as_str().expect("a slug").to_owned());
    }
    assert_eq!(slugs[0], "xiao-mi-14-ping-ce");
    assert!(
        slugs[1..].iter().all(|slug| slug.starts_with("xiao-mi-14-ping-ce-")),
        "{slugs:?}"
    );
    slugs.sort();
    slugs.dedup();
    assert_eq!(slugs.len(), 5);
    let own = admin
        .post(ARTICLES, &json!({"title": "x", "slug": "小米-14"}))
        .await
        .ok(201);
    assert_eq!(own["data"]["slug"], "小米-14");
    admin
        .get(&format!("{ARTICLES}/by-slug/%E5%B0%8F%E7%B1%B3-14"))
        .await
        .ok(200);
}

async fn the_names_of_routes_are_slugs_as_well(app: &App) {
    let admin = app.admin().await;
    for slug in ["views", "related", "by-slug", "by-external-id"] {
        let id = published(&admin, slug, json!({"slug": slug})).await;
        for at in [
            format!("{ARTICLES}/by-slug/{slug}"),
            format!("{ARTICLES}/by-slug/{slug}?include=related"),
        ] {
            assert_eq!(app.anonymous().get(&at).await.ok(200).id(), id, "{at}");
        }
    }
}

async fn former_slugs_lead_to_the_present_one(app: &App) {
    let admin = app.admin().await;
    let id = published(&admin, "旧题", json!({"former_slugs": ["archives-7"]})).await;
    let any = admin.with("if-match", "*");
    any.patch(&path(id), &json!({"slug": "new-slug"})).await.ok(200);
    for former in ["jiu-ti", "archives-7"] {
        let moved = app
            .anonymous()
            .get(&format!("{ARTICLES}/by-slug/{former}?body_format=text"))
            .await;
        assert_eq!(moved.status, 308, "{former}");
        assert_eq!(
            moved.header("location"),
            Some("/api/v1/articles/by-slug/new-slug?body_format=text")
        );
    }
    // Back again: the slug lives, and no longer leads elsewhere.
    any.patch(&path(id), &json!({"slug": "jiu-ti"})).await.ok(200);
    app.anonymous().get(&format!("{ARTICLES}/by-slug/jiu-ti")).await.ok(200);
    assert_eq!(
        app.anonymous()
            .get(&format!("{ARTICLES}/by-slug/new-slug"))
            .await
            .status,
        308
    );
    any.patch(&path(id), &json!({"status": "archived"})).await.ok(200);
    app.anonymous()
        .get(&format!("{ARTICLES}/by-slug/new-slug"))
        .await
        .problem(404, "not_found");
}

async fn a_living_slug_cannot_be_taken(app: &App) {
    let admin = app.admin().await;
    let id = published(&admin, "一", json!({"slug": "one"})).await;
    admin
        .post(ARTICLES, &json!({"title": "x", "slug": "one"}))
        .await
        .problem(409, "slug_taken")
        .at(&["#/slug"]);
    admin
        .post(ARTICLES, &json!({"title": "x", "slug": "ONE"}))
        .await
        .problem(409, "slug_taken");
    admin
        .with("if-match", "*")
        .patch(&path(id), &json!({"slug": "uno"}))
        .await
        .ok(200);
    admin
        .post(ARTICLES, &json!({"title": "x", "slug": "one"}))
        .await
        .problem(409, "slug_taken");
    admin
        .post(ARTICLES, &json!({"title": "x", "former_slugs": ["uno"]}))
        .await
        .problem(409, "slug_taken");
    assert_eq!(
        admin.post(ARTICLES, &json!({"title": "One"})).await.ok(201)["data"]["slug"],
        "one-2"
    );
    admin.with("if-match", "*").delete(&path(id)).await.ok(204);
    admin
        .post(ARTICLES, &json!({"title": "x", "slug": "uno"}))
        .await
        .ok(201);
}

async fn one_of_many_takes_a_slug(app: &App) {
    let admin = app.admin().await;
    let body = json!({"title": "x", "slug": "wanted"});
    let tries = (0..30).map(|_| admin.post(ARTICLES, &body));
    let statuses: Vec<_> = futures_util::future::join_all(tries)
        .await
        .into_iter()
        .map(|answer| answer.status)
        .collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 409).count(),
        29,
        "{statuses:?}"
    );
    let body = json!({"title": "同题"});
    let tries = (0..20).map(|_| admin.post(ARTICLES, &body));
    let answers = futures_util::future::join_all(tries).await;
    let mut slugs: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.ok(201)["data"]["slug"].to_string())
        .collect();
    slugs.sort();
    slugs.dedup();
    assert_eq!(slugs.len(), 20);
}

async fn edits_need_the_version_they_were_made_on(app: &App) {
    let admin = app.admin().await;
    let id = published(&admin, "版本", json!({})).await;
    let at = path(id);
    let edit = json!({"summary": "新"});
    for stale in ["\"0\"", "W/\"stale\"", "\"2-abc\", \"3\""] {
        let answer = admin
            .with("if-match", stale)
            .patch(&at, &edit)
            .await
            .problem(412, "version_mismatch");
        assert_eq!(answer["current_version"], 1);
        admin
            .with("if-match", stale)
            .delete(&at)
            .await
            .problem(412, "version_mismatch");
    }
    for wrong in ["1", "\"1", "1\"", "\"1\" \"2\""] {
        admin
            .with("if-match", wrong)
            .patch(&at, &edit)
            .await
            .problem(400, "invalid_if_match")
            .at(&["If-Match"]);
    }
    assert_eq!(admin.get(&at).await.ok(200)["data"]["version"], 1);
    admin
        .with("if-match", "\"9\", W/\"1-whatever\"")
        .patch(&at, &edit)
        .await
        .ok(200);
    admin.with("if-match", "*").patch(&at, &edit).await.ok(200);
    admin.delete(&at).await.problem(428, "precondition_required");
}

async fn two_edits_of_one_version_are_one_edit(app: &App) {
    let admin = app.admin().await;
    let at = path(published(&admin, "竞争", json!({})).await);
    let editor = admin.with("if-match", "\"1\"");
    let edits: Vec<_> = (0..10).map(|n| json!({"summary": format!("第{n}个")})).collect();
    let answers = futures_util::future::join_all(edits.iter().map(|edit| editor.patch(&at, edit))).await;
    let good = answers.iter().filter(|answer| answer.status == 200).count();
    let stale = answers.iter().filter(|answer| answer.status == 412).count();
    assert_eq!((good, stale), (1, 9));
    assert_eq!(admin.get(&at).await.ok(200)["data"]["version"], 2);
}

async fn null_clears_and_absent_keeps(app: &App) {
    let admin = app.admin().await;
    let full = json!({
        "summary": "自己写的", "source": {"name": "新华社", "url": "https://example.org/a"}, "seo": {"title": "甲", "description": "乙"},
        "metadata": {"score": 9}, "tags": ["小米", "评测"], "external_id": "x-1", "featured": true,
    });
    let at = path(published(&admin, "补丁", full).await);
    let any = admin.with("if-match", "*");
    let kept = any.patch(&at, &json!({"seo": {"title": null}})).await.ok(200);
    assert_eq!(kept["data"]["seo"], json!({"title": null, "description": "乙"}));
    assert_eq!(kept["data"]["source"]["name"], "新华社");
    assert_eq!(kept["data"]["tags"].as_array().map(Vec::len), Some(2));
    let cleared = any
        .patch(
            &at,
            &json!({"summary": null, "source": null, "seo": null, "metadata": null, "tags": null, "external_id": null}),
        )
        .await
        .ok(200);
    assert_eq!(cleared["data"]["summary"], "正文");
    assert_eq!(cleared["data"]["source"], json!({"name": null, "url": null}));
    assert_eq!(
        (&cleared["data"]["metadata"], &cleared["data"]["tags"]),
        (&json!({}), &json!([]))
    );
    assert_eq!(cleared["data"]["external_id"], Value::Null);
    assert_eq!(cleared["data"]["featured"], true);
    for field in ["title", "body", "slug", "status", "locale", "featured", "published_at"] {
        any.patch(&at, &json!({field: null}))
            .await
            .problem(422, "invalid_field")
            .at(&[&format!("#/{field}")]);
    }
}

async fn publication_follows_status_and_time(app: &App) {
    let admin = app.admin().await;
    let past = published(&admin, "过去", json!({"published_at": "2026-01-13T12:31:54+08:00"})).await;
    assert_eq!(
        app.anonymous().get(&path(past)).await.ok(200)["data"]["published_at"],
        "2026-01-13T04:31:54Z"
    );
    let scheduled = json!({"title": "将来", "status": "scheduled", "published_at": "2999-01-01T00:00:00Z"});
    let id = admin.post(ARTICLES, &scheduled).await.ok(201).id();
    assert_eq!(admin.get(&path(id)).await.ok(200)["data"]["status"], "scheduled");
    app.anonymous().get(&path(id)).await.problem(404, "not_found");
    for wrong in [
        json!({"status": "scheduled"}),
        json!({"status": "scheduled", "published_at": "2020-01-01T00:00:00Z"}),
    ] {
        let mut body = json!({"title": "x"});
        body.as_object_mut()
            .expect("an object")
            .extend(wrong.as_object().cloned().expect("an object"));
        admin
            .post(ARTICLES, &body)
            .await
            .problem(422, "invalid_field")
            .at(&["#/published_at"]);
    }
    for wrong in ["2026-01-13T12:31:54", "2026-01-13", "gestern", ""] {
        let body = json!({"title": "x", "published_at": wrong});
        admin
            .post(ARTICLES, &body)
            .await
            .problem(422, "invalid_field")
            .at(&["#/published_at"]);
    }
    // A draft may have a time in mind.
    let draft = json!({"title": "草稿", "published_at": "2020-01-01T00:00:00Z"});
    let draft = admin.post(ARTICLES, &draft).await.ok(201);
    app.anonymous().get(&path(draft.id())).await.problem(404, "not_found");
    let now = admin
        .with("if-match", "*")
        .patch(&path(draft.id()), &json!({"status": "published"}))
        .await
        .ok(200);
    assert_eq!(now["data"]["published_at"], "2020-01-01T00:00:00Z");
}

async fn scheduled_articles_come_by_themselves(app: &App) {
    let admin = app.admin().await;
    let soon = (chrono::Utc::now() + chrono::TimeDelta::seconds(4)).to_rfc3339();
    let id = admin
        .post(
            ARTICLES,
            &json!({"title": "马上", "status": "scheduled", "published_at": soon}),
        )
        .await
        .ok(201)
        .id();
    let list = app.anonymous().get(ARTICLES).await.ok(200);
    assert_eq!(titles(&list.json), Vec::<&str>::new());
    let caching = list.header("cache-control").expect("caching");
    assert!(!caching.contains("max-age=5"), "{caching}");
    for _ in 0..100 {
        if app.anonymous().get(&path(id)).await.status == 200 {
            break;
        }
        actix_web::rt::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(titles(&app.anonymous().get(ARTICLES).await.ok(200).json), ["马上"]);
    app.anonymous().get(&path(id)).await.ok(200);
}

async fn updated_at_is_never_before_the_publication(app: &App) {
    let admin = app.admin().await;
    let future = json!({"title": "将来", "status": "published", "published_at": "2999-01-01T00:00:00Z"});
    let made = admin.post(ARTICLES, &future).await.ok(201);
    assert_eq!(made["data"]["updated_at"], "2999-01-01T00:00:00Z");
    let past = json!({"title": "过去", "status": "published", "published_at": "2001-01-01T00:00:00Z"});
    let made = admin.post(ARTICLES, &past).await.ok(201);
    assert!(made["data"]["updated_at"].as_str() > Some("2026"));
}

/// What is scheduled stands before everything else by update, and is passed over in one step.
async fn what_is_scheduled_is_not_in_the_way_of_what_was_updated(app: &App) {
    use broadsheet::db::{Timestamp, schema::articles};
    use diesel::prelude::*;
    let admin = app.admin().await;
    let later = |minutes| Timestamp::from(chrono::Utc::now() + chrono::TimeDelta::minutes(minutes));
    for minutes in [2, 90, 90_000] {
        let scheduled = json!({"title": "将来", "status": "published", "published_at": later(minutes).to_rfc3339()});
        admin.post(ARTICLES, &scheduled).await.ok(201);
    }
    let first = published(&admin, "先", json!({"published_at": "2026-01-02T00:00:00Z"})).await;
    published(&admin, "后", json!({"published_at": "2026-01-01T00:00:00Z"})).await;
    let lists = async |expected: [&str; 2]| {
        let [newest, oldest] = expected;
        for query in [
            "sort=-updated_at",
            "sort=-updated_at&updated_from=2026-01-01",
            "sort=-updated_at&updated_to=2999-01-01",
        ] {
            let list = app.anonymous().get(&format!("{ARTICLES}?{query}")).await.ok(200);
            assert_eq!(titles(&list.json), [newest, oldest], "{query}");
        }
        let list = app
            .anonymous()
            .get(&format!("{ARTICLES}?sort=updated_at&count=exact"))
            .await
            .ok(200);
        assert_eq!(
            (titles(&list.json), &list["meta"]["total"]),
            (vec![oldest, newest], &json!(2))
        );
        // To the end, behind which what is scheduled stands.
        let first = app
            .anonymous()
            .get(&format!("{ARTICLES}?sort=updated_at&limit=1"))
            .await
            .ok(200);
        let next = first["links"]["next"].as_str().expect("a next page");
        let last = app.anonymous().get(next).await.ok(200);
        assert_eq!(
            (titles(&last.json), &last["links"]["next"]),
            (vec![newest], &Value::Null)
        );
        let page = app
            .anonymous()
            .get(&format!("{ARTICLES}?sort=-updated_at&limit=1&page=2"))
            .await
            .ok(200);
        assert_eq!(titles(&page.json), [oldest]);
    };
    lists(["后", "先"]).await;
    let list = admin
        .get(&format!("{ARTICLES}?status=scheduled&sort=-updated_at"))
        .await
        .ok(200);
    assert_eq!(list.ids().len(), 3);
    // Written by an instance whose clock is ahead.
    diesel::update(articles::table.find(first))
        .set(articles::updated_at.eq(later(30)))
        .execute(&mut app.connect())
        .expect("a write");
    published(&admin, "别的", json!({"published_at": "2025-01-01T00:00:00Z"})).await;
    let list = app
        .anonymous()
        .get(&format!("{ARTICLES}?sort=-updated_at&limit=3"))
        .await
        .ok(200);
    assert_eq!(list.ids().len(), 3);
    assert!(list.ids().contains(&first));
}

async fn bodies_come_in_every_form(app: &App) {
    let admin = app.admin().await;
    let source = "# 标题\n\n**续航。**真的\n好。\n\n- 一\n- 二\n";
    let at = path(published(&admin, "形式", json!({"body": source})).await);
    let body = async |format: &str| {
        let answer = app.anonymous().get(&format!("{at}?body_format={format}")).await.ok(200);
        answer["data"]["body"].clone()
    };
    assert_eq!(
        body("html").await["html"],
        "<h1>标题</h1><p><strong>续航。</strong>真的好。</p><ul><li>一</li><li>二</li></ul>"
    );
    assert!(
        body("text").await["text"]
            .as_str()
            .is_some_and(|text| text.contains("续航。真的好。"))
    );
    assert!(
        body("markdown").await["markdown"]
            .as_str()
            .is_some_and(|text| text.contains("续航。"))
    );
    let blocks = body("blocks").await;
    assert_eq!(
        blocks["blocks"][0],
        json!({"type": "heading", "level": 1, "runs": [{"text": "标题"}]})
    );
    assert_eq!(blocks["blocks"][2]["items"][1][0]["runs"][0]["text"], "二");
    assert_eq!(blocks.as_object().map(serde_json::Map::len), Some(3));

    app.anonymous()
        .get(&format!("{at}?body_format=source"))
        .await
        .problem(401, "unauthenticated");
    let own = admin.get(&format!("{at}?body_format=source")).await.ok(200);
    assert_eq!(own["data"]["body"]["source"], source);

    let any = admin.with("if-match", "*");
    any.patch(&at, &json!({"body_format": "html"}))
        .await
        .problem(422, "invalid_field")
        .at(&["#/body_format"]);
    let html = any
        .patch(&at, &json!({"body": "<p>甲</p>", "body_format": "html"}))
        .await
        .ok(200);
    assert_eq!(html["data"]["body"]["source_format"], "html");
    // A new body alone keeps the format.
    let html = any.patch(&at, &json!({"body": "<p>乙 *丙*</p>"})).await.ok(200);
    assert_eq!(html["data"]["body"]["html"], "<p>乙 *丙*</p>");
    let list = app
        .anonymous()
        .get(&format!("{ARTICLES}?include=body&body_format=text"))
        .await
        .ok(200);
    assert_eq!(list["data"][0]["body"]["text"], "乙 *丙*");
}

/// A picture of 4 × 3 pixels.
fn png() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(4, 3)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("a picture");
    bytes.into_inner()
}

async fn pictures_are_figures(app: &App) {
    let admin = app.admin().await;
    let image = admin
        .upload("/api/v1/images", &png(), &[("alt", "封面"), ("caption", "图1")])
        .await
        .ok(201)
        .id();
    let body = format!("前\n\n![替代](image:{image} \"说明\")\n\n后");
    let at = path(published(&admin, "图", json!({"body": body, "cover_image_id": image})).await);
    let read = app.anonymous().get(&at).await.ok(200);
    let html = read["data"]["body"]["html"].as_str().expect("html");
    for part in [
        "<figure>",
        "srcset=\"",
        "alt=\"替代\"",
        "<figcaption>说明</figcaption>",
        "width=\"4\"",
        "loading=\"lazy\"",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert_eq!(read["data"]["cover"]["id"], image);
    let opening = json!({"body": format!("![](image:{image} \"说明\")\n\n正文在后。")});
    let opening = published(&admin, "开头", opening).await;
    assert_eq!(
        app.anonymous().get(&path(opening)).await.ok(200)["data"]["summary"],
        "正文在后。"
    );
    let blocks = app.anonymous().get(&format!("{at}?body_format=blocks")).await.ok(200);
    let block = &blocks["data"]["body"]["blocks"][1];
    assert_eq!(
        (&block["type"], &block["caption"], &block["image"]["id"]),
        (&json!("image"), &json!("说明"), &json!(image))
    );
    // A new caption of the image is a new tag of the article, which says nothing of its own.
    let plain = path(published(&admin, "图二", json!({"body": format!("![](image:{image})")})).await);
    let before = app.anonymous().get(&plain).await.ok(200);
    admin
        .patch(&format!("/api/v1/images/{image}"), &json!({"caption": "新说明"}))
        .await
        .ok(200);
    let after = app.anonymous().get(&plain).await.ok(200);
    assert!(after.text().contains("新说明"));
    assert_ne!(before.header("etag"), after.header("etag"));

    let unknown = json!({"title": "x", "body": "![](image:999999)"});
    admin
        .post(ARTICLES, &unknown)
        .await
        .problem(422, "invalid_field")
        .at(&["#/body"]);
    admin
        .post(ARTICLES, &json!({"title": "x", "cover_image_id": 999_999}))
        .await
        .problem(422, "invalid_field")
        .at(&["#/cover_image_id"]);
    admin
        .delete(&format!("/api/v1/images/{image}"))
        .await
        .problem(409, "in_use");
}

async fn tags_and_by_lines_are_the_same_wherever_they_stand(app: &App) {
    let admin = app.admin().await;
    let image = admin.upload("/api/v1/images", &png(), &[]).await.ok(201).id();
    let author = async |fields: Value| admin.post("/api/v1/authors", &fields).await.ok(201).id();
    let first = author(json!({"name": "O'Neil 😀", "bio": "“写”\"手机\"\\\n\t十年", "avatar_image_id": image})).await;
    let second = author(json!({"name": "黎明"})).await;
    let tags = ["乙", "a\"b\\c", "甲", "{}[],"];
    let fields = json!({"slug": "around", "tags": tags, "author_ids": [second, first], "body": "续航"});
    let id = published(&admin, "题", fields).await;
    let reader = app.anonymous();
    let read = reader.get(&path(id)).await.ok(200);
    let article = &read["data"];
    let names = |list: &Value| -> Vec<Value> {
        let all = list.as_array().expect("a list").iter();
        all.map(|one| one["name"].clone()).collect()
    };
    assert_eq!(names(&article["tags"]), tags);
    assert_eq!(names(&article["authors"]), ["黎明", "O'Neil 😀"]);
    assert_eq!(
        (&article["authors"][0]["bio"], &article["authors"][0]["avatar"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(article["authors"][1]["bio"], "“写”\"手机\"\\\n\t十年");
    assert_eq!(article["authors"][1]["avatar"]["id"], image);
    let by_slug = reader.get(&format!("{ARTICLES}/by-slug/around")).await.ok(200);
    let near = reader.get(&format!("{}?include=neighbors", path(id))).await.ok(200);
    let list = reader.get(ARTICLES).await.ok(200);
    let none = reader
        .get(&path(published(&admin, "无", json!({})).await))
        .await
        .ok(200);
    for same in [&by_slug["data"], &near["data"], &list["data"][0]] {
        assert_eq!(
            (&same["tags"], &same["authors"]),
            (&article["tags"], &article["authors"])
        );
    }
    assert_eq!(
        (&none["data"]["tags"], &none["data"]["authors"]),
        (&json!([]), &json!([]))
    );
}

async fn scripts_never_reach_a_reader(app: &App) {
    let admin = app.admin().await;
    let evil = "<p onclick=x>a<script>alert(1)</script><a href='java\tscript:x'>b</a><svg><set onbegin=x></svg><img src=x onerror=x><iframe src=javascript:x></iframe></p>";
    for format in ["html", "markdown", "text"] {
        let at = path(published(&admin, "坏", json!({"body": evil, "body_format": format})).await);
        let html = app.anonymous().get(&at).await.ok(200)["data"]["body"]["html"]
            .to_string()
            .to_lowercase();
        if format == "text" {
            assert!(!html.contains("<script") && html.contains("&lt;script"), "{html}");
        } else {
            for part in [
                "<script",
                "onclick",
                "onerror",
                "onbegin",
                "javascript:",
                "script:",
                "<svg",
                "<iframe",
            ] {
                assert!(!html.contains(part), "{format} {part}: {html}");
            }
        }
    }
}

async fn lists_filter_and_sort(app: &App) {
    let admin = app.admin().await;
    let news = admin
        .post("/api/v1/categories", &json!({"name": "News", "slug": "news"}))
        .await
        .ok(201)
        .id();
    let reviews = json!({"name": "评测资讯", "slug": "reviews", "parent_id": news});
    let reviews = admin.post("/api/v1/categories", &reviews).await.ok(201).id();
    let author = admin
        .post("/api/v1/authors", &json!({"name": "黎明"}))
        .await
        .ok(201)
        .id();
    let at = |day: u32| format!("2026-01-{day:02}T00:00:00Z");
    let a = published(
        &admin,
        "甲",
        json!({"published_at": at(1), "category_id": reviews, "tags": ["小米", "评测"]}),
    )
    .await;
    let b = published(
        &admin,
        "乙",
        json!({"published_at": at(2), "category_id": news, "tags": ["小米"], "author_ids": [author]}),
    )
    .await;
    let c = published(
        &admin,
        "丙",
        json!({"published_at": at(3), "locale": "en", "featured": true, "external_id": "c-1"}),
    )
    .await;
    admin
        .post(
            ARTICLES,
            &json!({"title": "草稿", "category_id": news, "tags": ["小米"]}),
        )
        .await
        .ok(201);

    for (query, expected) in [
        ("", vec!["丙", "乙", "甲"]),
        ("sort=published_at", vec!["甲", "乙", "丙"]),
        ("sort=-updated_at", vec!["丙", "乙", "甲"]),
        ("category=news", vec!["乙", "甲"]),
        ("category=reviews", vec!["甲"]),
        ("category=nothing", vec![]),
        ("tag=xiao-mi", vec!["乙", "甲"]),
        ("tag=xiao-mi,ping-ce", vec!["乙", "甲"]),
        ("tag=nothing&tag=ping-ce", vec!["甲"]),
        ("tag_all=xiao-mi,ping-ce", vec!["甲"]),
        ("tag_all=xiao-mi,nothing", vec![]),
        ("author=li-ming", vec!["乙"]),
        ("locale=en", vec!["丙"]),
        ("featured=true", vec!["丙"]),
        ("featured=false", vec!["乙", "甲"]),
        ("external_id=c-1", vec!["丙"]),
        ("published_from=2026-01-02T00:00:00Z", vec!["丙", "乙"]),
        ("published_to=2026-01-02T00:00:00Z", vec!["甲"]),
        ("updated_to=2020-01-01", vec![]),
        ("category=news&tag=ping-ce", vec!["甲"]),
    ] {
        let list = app.anonymous().get(&format!("{ARTICLES}?{query}")).await.ok(200);
        assert_eq!(titles(&list.json), expected, "{query}");
    }
    let list = app
        .anonymous()
        .get(&format!("{ARTICLES}?ids={c},{a},999999&count=exact"))
        .await
        .ok(200);
    assert_eq!(
        (titles(&list.json), &list["meta"]["total"]),
        (vec!["丙", "甲"], &json!(2))
    );
    let drafts = admin.get(&format!("{ARTICLES}?status=draft")).await.ok(200);
    assert_eq!(titles(&drafts.json), ["草稿"]);
    assert_eq!(
        admin
            .get(&format!("{ARTICLES}?status=draft,published"))
            .await
            .ok(200)
            .ids()
            .len(),
        4
    );
    let shown = app.anonymous().get(&path(a)).await.ok(200);
    assert_eq!(shown["data"]["category"]["path"], "news/reviews");
    assert_eq!(shown["data"]["category"]["ancestors"][0]["slug"], "news");
    assert_eq!(shown["data"]["tags"][1]["name"], "评测");
    assert_eq!(
        app.anonymous().get(&path(b)).await.ok(200)["data"]["authors"][0]["name"],
        "黎明"
    );
}

async fn bare_dates_begin_at_midnight_of_the_site(app: &App) {
    let admin = app.admin().await;
    published(&admin, "前夜", json!({"published_at": "2026-01-12T15:59:59Z"})).await;
    published(&admin, "凌晨", json!({"published_at": "2026-01-12T16:00:00Z"})).await;
    let list = app
        .anonymous()
        .get(&format!("{ARTICLES}?published_from=2026-01-13"))
        .await
        .ok(200);
    assert_eq!(titles(&list.json), ["凌晨"]);
    let list = app
        .anonymous()
        .get(&format!("{ARTICLES}?published_to=2026-01-13"))
        .await
        .ok(200);
    assert_eq!(titles(&list.json), ["前夜"]);
}

async fn a_walk_stays_between_its_times(app: &App) {
    let admin = app.admin().await;
    let category = admin
        .post("/api/v1/categories", &json!({"name": "栏目", "slug": "column"}))
        .await
        .ok(201)
        .id();
    let mut days = Vec::new();
    for day in 1..=12 {
        let more =
            json!({"published_at": format!("2026-01-{day:02}T08:00:00Z"), "tags": ["t"], "category_id": category});
        days.push(published(&admin, &format!("第{day}天"), more).await);
    }
    let later = json!({"published_at": "2999-01-01T00:00:00Z", "tags": ["t"], "category_id": category});
    published(&admin, "将来", later).await;
    let between = "published_from=2026-01-03T08:00:00Z&published_to=2026-01-10T08:00:00Z";
    for (bounds, expected) in [("", 0..12), (between, 2..9)] {
        for owner in ["", "&tag=t", "&category=column", "&tag=t&category=column"] {
            for sort in ["-published_at", "published_at"] {
                let mut expected = days[expected.clone()].to_vec();
                if sort.starts_with('-') {
                    expected.reverse();
                }
                let (mut met, mut at) = (Vec::new(), format!("{ARTICLES}?limit=2&sort={sort}{owner}&{bounds}"));
                loop {
                    let part = app.anonymous().get(at.trim_end_matches('&')).await.ok(200);
                    met.extend(part.ids());
                    match part["links"]["next"].as_str() {
                        Some(next) => at = next.to_owned(),
                        None => break,
                    }
                }
                assert_eq!(met, expected, "{sort}{owner}&{bounds}");
            }
        }
    }
}

async fn a_walk_by_cursor_meets_each_once(app: &App) {
    let admin = app.admin().await;
    let mut made = std::collections::BTreeSet::new();
    for n in 0..45 {
        // Three share each second, so that ids decide.
        let time = format!("2026-01-01T00:00:{:02}Z", n / 3);
        made.insert(published(&admin, &format!("第{n}篇"), json!({"published_at": time})).await);
    }
    for sort in ["-published_at", "published_at", "-updated_at", "updated_at"] {
        let mut met = Vec::new();
        let mut next = format!("{ARTICLES}?limit=7&sort={sort}");
        loop {
            let list = app.anonymous().get(&next).await.ok(200);
            met.extend(list.ids());
            match list["links"]["next"].as_str() {
                Some(link) => {
                    assert!(list.header("link").is_some_and(|header| header.contains(link)));
                    next = link.to_owned();
                }
                None => break,
            }
            if sort == "-published_at" && met.len() == 14 {
                published(&admin, "新来的", json!({"published_at": "2026-06-01T00:00:00Z"})).await;
            }
        }
        assert_eq!(
            met.len(),
            met.iter().collect::<std::collections::BTreeSet<_>>().len(),
            "{sort}"
        );
        assert!(made.iter().all(|id| met.contains(id)), "{sort}");
    }
    let list = app.anonymous().get(&format!("{ARTICLES}?limit=7")).await.ok(200);
    let cursor = list["meta"]["next_cursor"].as_str().expect("a cursor").to_owned();
    for wrong in [
        format!("limit=7&cursor={cursor}&sort=published_at"),
        format!("limit=7&cursor={cursor}&tag=x"),
        format!("cursor={}", cursor.get(..cursor.len() - 2).expect("ASCII")),
        format!("cursor={cursor}AA"),
        "cursor=".to_owned(),
        "cursor=%F0%9F%98%80".to_owned(),
        "cursor=../../etc".to_owned(),
    ] {
        app.anonymous()
            .get(&format!("{ARTICLES}?{wrong}"))
            .await
            .problem(400, "invalid_cursor")
            .at(&["cursor"]);
    }
    app.anonymous()
        .get(&format!("{ARTICLES}?cursor={cursor}&page=2"))
        .await
        .problem(400, "invalid_parameter");
}

async fn pages_end_where_they_must(app: &App) {
    let admin = app.admin().await;
    for n in 0..5 {
        published(
            &admin,
            &format!("第{n}篇"),
            json!({"published_at": format!("2026-01-01T00:00:0{n}Z")}),
        )
        .await;
    }
    let list = app
        .anonymous()
        .get(&format!("{ARTICLES}?limit=2&page=2&count=exact"))
        .await
        .ok(200);
    assert_eq!(titles(&list.json), ["第2篇", "第1篇"]);
    assert_eq!((&list["meta"]["page"], &list["meta"]["total"]), (&json!(2), &json!(5)));
    assert_eq!(list["links"]["prev"], "/api/v1/articles?limit=2&count=exact&page=1");
    assert_eq!(list["links"]["next"], "/api/v1/articles?limit=2&count=exact&page=3");
    let last = app.anonymous().get(&format!("{ARTICLES}?limit=2&page=3")).await.ok(200);
    assert_eq!(
        (
            titles(&last.json).len(),
            &last["links"]["next"],
            &last["meta"]["next_cursor"]
        ),
        (1, &Value::Null, &Value::Null)
    );
    assert_eq!(
        titles(
            &app.anonymous()
                .get(&format!("{ARTICLES}?limit=2&page=5000"))
                .await
                .ok(200)
                .json
        )
        .len(),
        0
    );
    app.anonymous()
        .get(&format!("{ARTICLES}?limit=2&page=5001"))
        .await
        .problem(400, "invalid_parameter")
        .at(&["page"]);
    assert_eq!(
        app.anonymous().get(ARTICLES).await.ok(200)["meta"]["total"],
        Value::Null
    );
}

async fn bad_queries_are_named(app: &App) {
    for (query, places) in [
        ("bogus=1&other=2", vec!["bogus", "other"]),
        ("limit=0", vec!["limit"]),
        ("limit=101", vec!["limit"]),
        ("limit=abc", vec!["limit"]),
        ("page=0", vec!["page"]),
        ("page=9223372036854775808", vec!["page"]),
        ("sort=title", vec!["sort"]),
        ("sort=-published_at;drop", vec!["sort"]),
        ("include=secrets", vec!["include"]),
        ("body_format=pdf", vec!["body_format"]),
        ("count=yes", vec!["count"]),
        ("featured=1", vec!["featured"]),
        ("ids=1,x", vec!["ids"]),
        ("ids=9223372036854775808", vec!["ids"]),
        ("published_from=2026-13-01", vec!["published_from"]),
        ("published_from=2026-01-13T00:00:00", vec!["published_from"]),
        ("status=deleted", vec!["status"]),
        ("limit=5&limit=6", vec!["limit"]),
        ("tag=a%00b", vec!["tag"]),
    ] {
        let answer = app.anonymous().get(&format!("{ARTICLES}?{query}")).await;
        assert_eq!(answer.status, 400, "{query}: {}", answer.text());
        answer.at(&places);
    }
    app.anonymous()
        .get(&format!("{ARTICLES}?status=draft"))
        .await
        .problem(401, "unauthenticated")
        .at(&["status"]);
    app.key("read")
        .await
        .get(&format!("{ARTICLES}?status=draft"))
        .await
        .problem(403, "forbidden")
        .at(&["status"]);
    app.key("preview")
        .await
        .get(&format!("{ARTICLES}?status=draft"))
        .await
        .ok(200);
    for id in [
        "abc",
        "1abc",
        "+1",
        "0",
        "-1",
        "1.0",
        "9007199254740992",
        "9223372036854775808",
        "%00",
        "1%20",
    ] {
        let answer = app.anonymous().get(&format!("{ARTICLES}/{id}")).await;
        assert_eq!(answer.status, 404, "{id}");
    }
    let wrong_method = app
        .anonymous()
        .put(ARTICLES, &json!({}))
        .await
        .problem(405, "method_not_allowed");
    assert_eq!(wrong_method.header("allow"), Some("GET, HEAD, POST"));
}

async fn bad_bodies_are_named_and_change_nothing(app: &App) {
    let admin = app.admin().await;
    for (body, code, places) in [
        (
            json!({"title": "x", "bogus": 1, "seo": {"nope": 2}}),
            "unknown_field",
            vec!["#/bogus", "#/seo/nope"],
        ),
        (json!({"title": "x", "id": 7}), "unknown_field", vec!["#/id"]),
        (
            json!({"title": "x", "view_count": 7}),
            "unknown_field",
            vec!["#/view_count"],
        ),
        (json!({}), "invalid_field", vec!["#/title"]),
        (json!({"title": "a\u{0}b"}), "invalid_field", vec!["#/title"]),
        (
            json!({"title": "x", "body": "a\u{0}b"}),
            "invalid_field",
            vec!["#/body"],
        ),
        (json!({"title": 7}), "invalid_field", vec!["#/title"]),
        (json!({"title": "x", "tags": "小米"}), "invalid_field", vec!["#/tags"]),
        (
            json!({"title": "x", "tags": ["a", 7]}),
            "invalid_field",
            vec!["#/tags/1"],
        ),
        (
            json!({"title": "x", "category_id": 999_999}),
            "invalid_field",
            vec!["#/category_id"],
        ),
        (
            json!({"title": "x", "category_id": 9_223_372_036_854_775_808_u64}),
            "invalid_field",
            vec!["#/category_id"],
        ),
        (
            json!({"title": "x", "author_ids": [999_999]}),
            "invalid_field",
            vec!["#/author_ids/0"],
        ),
        (json!({"title": "x".repeat(301)}), "invalid_field", vec!["#/title"]),
        (json!({"title": "x", "slug": "a b"}), "invalid_field", vec!["#/slug"]),
        (
            json!({"title": "x", "metadata": []}),
            "invalid_field",
            vec!["#/metadata"],
        ),
        (
            json!({"title": "x", "status": "deleted"}),
            "invalid_field",
            vec!["#/status"],
        ),
        (
            json!({"title": "x", "body": "x".repeat((1 << 20) + 1)}),
            "invalid_field",
            vec!["#/body"],
        ),
        (json!(["title"]), "invalid_field", vec!["#"]),
    ] {
        admin.post(ARTICLES, &body).await.problem(422, code).at(&places);
    }
    let raw = |text: &str| text.as_bytes().to_vec();
    let post = actix_web::http::Method::POST;
    for broken in ["{", "", "{\"title\": \"\\ud800\"}", "{\"title\": \"x\"} {}", "nope"] {
        let answer = admin
            .send(post.clone(), ARTICLES, Some(("application/json", raw(broken))))
            .await;
        answer.problem(400, "malformed_json");
    }
    let answer = admin
        .send(post.clone(), ARTICLES, Some(("text/plain", raw("{}"))))
        .await;
    answer.problem(415, "unsupported_media_type");
    let answer = admin
        .send(post, ARTICLES, Some(("application/json", vec![b' '; 5 << 20])))
        .await;
    answer.problem(413, "too_large");
    assert_eq!(
        admin
            .get(&format!("{ARTICLES}?status=draft,published&count=exact"))
            .await
            .ok(200)["meta"]["total"],
        0
    );
}

async fn strangers_see_nothing_unpublished(app: &App) {
    let admin = app.admin().await;
    let draft = admin
        .post(
            ARTICLES,
            &json!({"title": "秘密草稿", "slug": "secret", "tags": ["暗号"]}),
        )
        .await
        .ok(201);
    let id = draft.id();
    let tag = draft.header("etag").expect("a tag").to_owned();
    let reader = app.key("read").await;
    for who in [app.anonymous().get(&path(id)).await, reader.get(&path(id)).await] {
        who.problem(404, "not_found");
    }
    app.anonymous()
        .with("if-none-match", &tag)
        .get(&path(id))
        .await
        .problem(404, "not_found");
    for at in [format!("{ARTICLES}/by-slug/secret"), format!("{}/related", path(id))] {
        app.anonymous().get(&at).await.problem(404, "not_found");
    }
    app.anonymous()
        .post(&format!("{}/views", path(id)), &json!({}))
        .await
        .problem(404, "not_found");
    let list = app
        .anonymous()
        .get(&format!("{ARTICLES}?count=exact&ids={id}"))
        .await
        .ok(200);
    assert_eq!((list.ids(), &list["meta"]["total"]), (vec![], &json!(0)));
    app.key("preview").await.get(&path(id)).await.ok(200);
    app.anonymous()
        .post(ARTICLES, &json!({"title": "x"}))
        .await
        .problem(401, "unauthenticated");
    app.anonymous()
        .post(ARTICLES, &json!({"bogus": 1}))
        .await
        .problem(401, "unauthenticated");
    reader
        .post(ARTICLES, &json!({"bogus": "x"}))
        .await
        .problem(403, "forbidden");
}

async fn contributors_keep_to_their_drafts(app: &App) {
    let admin = app.admin().await;
    let one = app.user("contributor", "one@example.com").await;
    let two = app.user("contributor", "two@example.com").await;
    let draft = one
        .post(ARTICLES, &json!({"title": "我的草稿", "body": "甲"}))
        .await
        .ok(201)
        .id();
    let any = one.with("if-match", "*");
    any.patch(&path(draft), &json!({"title": "我的稿"})).await.ok(200);
    two.get(&path(draft)).await.problem(404, "not_found");
    two.with("if-match", "*")
        .patch(&path(draft), &json!({"title": "x"}))
        .await
        .problem(404, "not_found");
    two.with("if-match", "*")
        .delete(&path(draft))
        .await
        .problem(404, "not_found");
    for field in [
        json!({"status": "published"}),
        json!({"status": "archived"}),
        json!({"featured": true}),
        json!({"external_id": "x"}),
        json!({"initial_view_count": 1_000_000}),
        json!({"created_at": "2001-01-01T00:00:00Z"}),
        json!({"former_slugs": ["x"]}),
    ] {
        let pointer = format!(
            "#/{}",
            field
                .as_object()
                .and_then(|field| field.keys().next())
                .expect("a field")
        );
        any.patch(&path(draft), &field)
            .await
            .problem(403, "forbidden")
            .at(&[&pointer]);
        let mut body = json!({"title": "x"});
        body.as_object_mut()
            .expect("an object")
            .extend(field.as_object().cloned().expect("an object"));
        one.post(ARTICLES, &body)
            .await
            .problem(403, "forbidden")
            .at(&[&pointer]);
    }
    one.put(&format!("{ARTICLES}/by-external-id/x"), &json!({"title": "x"}))
        .await
        .problem(403, "forbidden");
    assert_eq!(
        one.get(&format!("{ARTICLES}?status=draft")).await.ok(200).ids(),
        [draft]
    );
    assert_eq!(
        two.get(&format!("{ARTICLES}?status=draft")).await.ok(200).ids(),
        Vec::<i64>::new()
    );
    admin
        .with("if-match", "*")
        .patch(&path(draft), &json!({"status": "published"}))
        .await
        .ok(200);
    any.patch(&path(draft), &json!({"title": "x"}))
        .await
        .problem(403, "forbidden");
    any.delete(&path(draft)).await.problem(403, "forbidden");
    let writer = app.key("write").await;
    let made = writer
        .post(ARTICLES, &json!({"title": "密钥", "status": "published"}))
        .await
        .ok(201)
        .id();
    writer.with("if-match", "*").delete(&path(made)).await.ok(204);
}

async fn external_ids_create_once_and_replace(app: &App) {
    let admin = app.admin().await;
    let at = format!("{ARTICLES}/by-external-id/wp-1024");
    let body = json!({"title": "迁移", "body": "甲", "status": "published", "published_at": "2020-01-01T00:00:00Z",
        "initial_view_count": 500, "former_slugs": ["archives-1024"], "created_at": "2019-01-01T00:00:00Z", "tags": ["旧"]});
    let first = admin.put(&at, &body).await.ok(201);
    assert_eq!(
        (&first["data"]["view_count"], &first["data"]["created_at"]),
        (&json!(500), &json!("2019-01-01T00:00:00Z"))
    );
    let second = admin
        .put(&at, &json!({"title": "迁移二", "status": "published"}))
        .await
        .ok(200);
    assert_eq!(second.id(), first.id());
    assert_eq!(second["data"]["slug"], first["data"]["slug"]);
    assert_eq!(
        (&second["data"]["tags"], &second["data"]["view_count"]),
        (&json!([]), &json!(500))
    );
    assert_eq!(second["data"]["body"]["html"], "");
    assert_eq!(
        app.anonymous()
            .get(&format!("{ARTICLES}/by-slug/archives-1024"))
            .await
            .status,
        308
    );
    let race = body_without_former(&body);
    let parallel = (0..10).map(|_| admin.put("/api/v1/articles/by-external-id/race", &race));
    let statuses: Vec<_> = futures_util::future::join_all(parallel)
        .await
        .iter()
        .map(|answer| answer.status)
        .collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        9,
        "{statuses:?}"
    );
    admin
        .post(ARTICLES, &json!({"title": "x", "external_id": "race"}))
        .await
        .problem(409, "external_id_taken");
    let mut other = body_without_former(&body);
    other["external_id"] = json!("else");
    admin
        .put(&at, &other)
        .await
        .problem(422, "invalid_field")
        .at(&["#/external_id"]);
}

fn body_without_former(body: &Value) -> Value {
    let mut body = body.clone();
    body.as_object_mut().expect("an object").remove("former_slugs");
    body
}

async fn neighbours_and_related_stand_near(app: &App) {
    let admin = app.admin().await;
    let news = admin
        .post("/api/v1/categories", &json!({"name": "News"}))
        .await
        .ok(201)
        .id();
    let time = |n: u32| format!("2026-01-01T00:00:0{n}Z");
    let mut ids = Vec::new();
    for (n, title) in ["小米14续航评测", "小米15续航评测", "周末菜谱", "小米15续航对比"]
        .iter()
        .enumerate()
    {
        let n = u32::try_from(n).expect("few");
        let mut more = json!({"published_at": time(n)});
        if n != 3 {
            more["category_id"] = json!(news);
        }
        if n < 2 {
            more["tags"] = json!(["小米"]);
        }
        ids.push(published(&admin, title, more).await);
    }
    admin
        .post(
            ARTICLES,
            &json!({"title": "小米14续航草稿", "tags": ["小米"], "category_id": news}),
        )
        .await
        .ok(201);
    let one = app
        .anonymous()
        .get(&format!("{}?include=neighbors,related", path(ids[1])))
        .await
        .ok(200);
    assert_eq!(one["data"]["neighbors"]["prev"]["id"], ids[0]);
    assert_eq!(one["data"]["neighbors"]["next"]["id"], ids[2]);
    let related: Vec<_> = one["data"]["related"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| row["id"].as_i64())
        .collect();
    // Two words in common outweigh a category.
    assert_eq!(related, [Some(ids[0]), Some(ids[3]), Some(ids[2])]);
    let list = app
        .anonymous()
        .get(&format!("{}/related?limit=1", path(ids[1])))
        .await
        .ok(200);
    assert_eq!(list.ids(), [ids[0]]);
    assert!(one["data"]["related"][0].get("body").is_none());
    let plain = app.anonymous().get(&path(ids[1])).await.ok(200);
    assert!(plain["data"].get("related").is_none() && plain["data"].get("neighbors").is_none());
}

async fn validators_follow_the_content(app: &App) {
    let admin = app.admin().await;
    let id = published(&admin, "标签", json!({"tags": ["旧名"]})).await;
    let reader = app.anonymous();
    let tag = async || {
        reader
            .get(&path(id))
            .await
            .ok(200)
            .header("etag")
            .expect("a tag")
            .to_owned()
    };
    let first = tag().await;
    let not_modified = reader.with("if-none-match", &first).get(&path(id)).await;
    assert_eq!((not_modified.status, not_modified.body.len()), (304, 0));
    assert_eq!(not_modified.header("etag"), Some(first.as_str()));
    reader.post(&format!("{}/views", path(id)), &json!({})).await.ok(200);
    assert_eq!(tag().await, first);
    assert_eq!(reader.get(&path(id)).await.ok(200)["data"]["view_count"], 1);
    let tags = app.anonymous().get("/api/v1/tags").await.ok(200).ids();
    admin
        .patch(&format!("/api/v1/tags/{}", tags[0]), &json!({"name": "新名"}))
        .await
        .ok(200);
    let second = tag().await;
    assert_ne!(second, first);
    // The version has not changed, so that an editor's tag from before still allows an edit.
    admin
        .with("if-match", &first)
        .patch(&path(id), &json!({"summary": "新"}))
        .await
        .ok(200);
    assert_ne!(tag().await, second);
    let large = published(&admin, "大", json!({"body": "很长的正文。".repeat(400)})).await;
    for coding in ["br", "gzip"] {
        let answer = reader.with("accept-encoding", coding).get(&path(large)).await;
        assert_eq!((answer.status, answer.header("content-encoding")), (200, Some(coding)));
        assert_eq!(answer.header("vary"), Some("Accept-Encoding, Authorization"));
    }
    assert_eq!(
        reader
            .with("accept-encoding", "identity")
            .get(&path(large))
            .await
            .header("content-encoding"),
        None
    );
}

async fn metadata_comes_back_as_it_was(app: &App) {
    let admin = app.admin().await;
    let metadata = json!({"score": 9.1, "pros": ["轻", "快"], "specs": {"weight": 193, "5g": true, "none": null}});
    let id = published(&admin, "评分", json!({"metadata": metadata})).await;
    assert_eq!(
        app.anonymous().get(&path(id)).await.ok(200)["data"]["metadata"],
        metadata
    );
}

async fn deleted_articles_are_gone_and_their_ids_too(app: &App) {
    let admin = app.admin().await;
    let id = published(&admin, "要删的", json!({"tags": ["标签"]})).await;
    admin.with("if-match", "*").delete(&path(id)).await.ok(204);
    app.anonymous().get(&path(id)).await.problem(404, "not_found");
    admin
        .with("if-match", "*")
        .delete(&path(id))
        .await
        .problem(404, "not_found");
    let next = published(&admin, "新的", json!({})).await;
    assert!(next > id);
}
