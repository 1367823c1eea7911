//! Tags: one a name, and articles that carry them.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{ARTICLES, TAGS, article, column, made};
use crate::support::{App, both};

both!(
    there_is_one_tag_a_name,
    one_of_many_takes_a_name,
    articles_make_and_carry_tags,
    articles_that_make_the_same_tags_at_once_share_them,
    a_tag_that_goes_leaves_its_articles,
    tags_that_change_while_articles_take_them,
    only_what_is_public_counts,
    the_words_of_a_draft_stay_with_it,
);

async fn there_is_one_tag_a_name(app: &App) {
    let admin = app.admin().await;
    let tag = admin.post(TAGS, &json!({"name": "Li  Ming"})).await.ok(201);
    assert_eq!(
        tag["data"],
        json!({"id": tag.id(), "slug": "li-ming", "name": "Li  Ming", "article_count": 0})
    );
    let other = made(&admin, TAGS, json!({"name": "其他"})).await;
    for name in ["li ming", " ＬＩ　ＭＩＮＧ ", "Li\u{200b} Ming", "Li  Ming"] {
        let body = json!({"name": name, "slug": "free"});
        admin.post(TAGS, &body).await.problem(409, "name_taken").at(&["#/name"]);
        let answer = admin.patch(&format!("{TAGS}/{other}"), &body).await;
        answer.problem(409, "name_taken").at(&["#/name"]);
    }
    // Of two things that are taken, both databases name the same.
    let both = json!({"name": "LI MING", "slug": "li-ming"});
    admin.post(TAGS, &both).await.problem(409, "name_taken").at(&["#/name"]);
    // Its own name, in another spelling, is free for it.
    let at = format!("{TAGS}/{}", tag.id());
    let renamed = admin.patch(&at, &json!({"name": "LI MING"})).await.ok(200);
    assert_eq!(renamed["data"]["name"], "LI MING");
    // The old name is free, and traditional characters are another name.
    admin.patch(&at, &json!({"name": "軟體"})).await.ok(200);
    admin.post(TAGS, &json!({"name": "Li Ming"})).await.ok(201);
    admin.post(TAGS, &json!({"name": "软体"})).await.ok(201);
}

async fn one_of_many_takes_a_name(app: &App) {
    let admin = app.admin().await;
    let body = json!({"name": "抢手"});
    let mut made = 0;
    for answer in join_all((0..20).map(|_| admin.post(TAGS, &body))).await {
        if answer.status == 201 {
            made += 1;
        } else {
            answer.problem(409, "name_taken").at(&["#/name"]);
        }
    }
    assert_eq!(made, 1);
    // Names of one sound are no reason to refuse one.
    let bodies: Vec<_> = ["小米", "晓米", "小蜜", "晓蜜", "小秘", "晓秘"]
        .map(|name| json!({"name": name}))
        .into();
    let mut slugs = Vec::new();
    for answer in join_all(bodies.iter().map(|body| admin.post(TAGS, body))).await {
        slugs.push(answer.ok(201)["data"]["slug"].as_str().expect("a slug").to_owned());
    }
    slugs.sort();
    assert_eq!(
        slugs,
        [
            "xiao-mi",
            "xiao-mi-2",
            "xiao-mi-3",
            "xiao-mi-4",
            "xiao-mi-5",
            "xiao-mi-6"
        ]
    );
}

/// Names of an article's tags.
fn names(article: &Value) -> Vec<&str> {
    let tags = article["data"]["tags"].as_array().expect("tags");
    tags.iter().filter_map(|tag| tag["name"].as_str()).collect()
}

async fn articles_make_and_carry_tags(app: &App) {
    let admin = app.admin().await;
    let known = made(&admin, TAGS, json!({"name": "Xiaomi", "slug": "mi"})).await;
    let id = article(
        &admin,
        "评测",
        json!({"tags": ["手机", "ＸＩＡＯＭＩ", " 手机 ", "芯片"]}),
    )
    .await;
    let at = format!("{ARTICLES}/{id}");
    let read = app.anonymous().get(&at).await.ok(200);
    assert_eq!(names(&read.json), ["手机", "Xiaomi", "芯片"]);
    assert_eq!(
        read["data"]["tags"][1],
        json!({"id": known, "slug": "mi", "name": "Xiaomi"})
    );
    assert_eq!(read["data"]["tags"][0]["slug"], "shou-ji");
    let list = app.anonymous().get(TAGS).await.ok(200);
    assert_eq!(column(&list.json, "name"), ["Xiaomi", "手机", "芯片"]);
    assert_eq!(column(&list.json, "article_count"), [1, 1, 1]);

    let order = json!({"tags": ["芯片", "手机"]});
    admin.with("if-match", "*").patch(&at, &order).await.ok(200);
    assert_eq!(names(&app.anonymous().get(&at).await.ok(200).json), ["芯片", "手机"]);
    let left = app.anonymous().get(&format!("{TAGS}/{known}")).await.ok(200);
    assert_eq!(left["data"]["article_count"], 0);

    admin
        .patch(&format!("{TAGS}/{known}"), &json!({"slug": "xiaomi"}))
        .await
        .ok(200);
    for (tag, found) in [("shou-ji", 1), ("xiaomi", 0), ("mi", 0)] {
        let list = app.anonymous().get(&format!("{ARTICLES}?tag={tag}")).await.ok(200);
        assert_eq!(list.ids().len(), found, "{tag}");
    }
}

async fn articles_that_make_the_same_tags_at_once_share_them(app: &App) {
    let admin = app.admin().await;
    let forward = json!({"title": "x", "status": "published", "tags": ["甲", "乙", "丙", "丁"]});
    let backward = json!({"title": "x", "status": "published", "tags": ["丁", "丙", "乙", "甲"]});
    let answers = join_all((0..24).map(|n| admin.post(ARTICLES, if n % 2 == 0 { &forward } else { &backward }))).await;
    for (n, answer) in answers.into_iter().enumerate() {
        let answer = answer.ok(201);
        let expected = if n % 2 == 0 {
            ["甲", "乙", "丙", "丁"]
        } else {
            ["丁", "丙", "乙", "甲"]
        };
        assert_eq!(names(&answer.json), expected);
    }
    let list = app.anonymous().get(TAGS).await.ok(200);
    assert_eq!(column(&list.json, "article_count"), [24, 24, 24, 24]);
}

async fn a_tag_that_goes_leaves_its_articles(app: &App) {
    let admin = app.admin().await;
    let id = article(&admin, "评测", json!({"tags": ["一", "二", "三"]})).await;
    let at = format!("{ARTICLES}/{id}");
    let read = app.anonymous().get(&at).await.ok(200);
    let etag = read.header("etag").expect("a tag").to_owned();
    let gone = read["data"]["tags"][1]["id"].as_i64().expect("an id");
    admin.delete(&format!("{TAGS}/{gone}")).await.ok(204);
    let after = app.anonymous().with("if-none-match", &etag).get(&at).await.ok(200);
    assert_eq!(names(&after.json), ["一", "三"]);
    // The same name makes another tag.
    admin
        .with("if-match", "*")
        .patch(&at, &json!({"tags": ["二"]}))
        .await
        .ok(200);
    let again = app.anonymous().get(&at).await.ok(200);
    assert!(again["data"]["tags"][0]["id"].as_i64().is_some_and(|id| id > gone));
}

async fn tags_that_change_while_articles_take_them(app: &App) {
    let admin = app.admin().await;
    for round in 0..8 {
        let id = made(&admin, TAGS, json!({"name": "热门", "slug": format!("hot{round}")})).await;
        let at = format!("{TAGS}/{id}");
        let body = json!({"title": "x", "tags": ["热门", format!("新{round}")]});
        let writing = join_all((0..6).map(|_| admin.post(ARTICLES, &body)));
        let slug = json!({"slug": format!("hotter{round}")});
        let changing = async { (admin.patch(&at, &slug).await, admin.delete(&at).await) };
        let (written, (renamed, deleted)) = futures_util::future::join(writing, changing).await;
        renamed.ok(200);
        deleted.ok(204);
        for answer in written {
            assert_eq!(names(&answer.ok(201).json).len(), 2);
        }
        // What was written after the tag went has made it anew.
        let list = admin.get(&format!("{TAGS}?limit=100")).await.ok(200);
        for tag in list["data"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|tag| tag["name"] == "热门")
        {
            admin.delete(&format!("{TAGS}/{}", tag["id"])).await.ok(204);
        }
    }
}

async fn only_what_is_public_counts(app: &App) {
    let admin = app.admin().await;
    for more in [
        json!({}),
        json!({"status": "draft"}),
        json!({"status": "archived"}),
        json!({"status": "scheduled", "published_at": "2999-01-01T00:00:00Z"}),
    ] {
        let mut more = more;
        more["tags"] = json!(["标签"]);
        article(&admin, "一", more).await;
    }
    for reader in [app.anonymous().get(TAGS).await, admin.get(TAGS).await] {
        assert_eq!(column(&reader.ok(200).json, "article_count"), [1]);
    }
    assert_eq!(
        app.anonymous().get(&format!("{TAGS}/by-slug/biao-qian")).await.ok(200)["data"]["article_count"],
        1
    );
}

async fn the_words_of_a_draft_stay_with_it(app: &App) {
    let admin = app.admin().await;
    let writer = app.user("contributor", "writer@example.com").await;
    let draft = json!({"title": "草稿", "tags": ["未公开的字"]});
    let draft = writer.post(ARTICLES, &draft).await.ok(201);
    let tag = draft["data"]["tags"][0]["id"].as_i64().expect("an id");
    let at = format!("{TAGS}/{tag}");
    let stranger = app.anonymous();
    assert_eq!(
        stranger.get(&format!("{TAGS}?count=exact")).await.ok(200)["meta"]["total"],
        0
    );
    stranger.get(&at).await.problem(404, "not_found");
    let slug = draft["data"]["tags"][0]["slug"].as_str().expect("a slug").to_owned();
    stranger
        .get(&format!("{TAGS}/by-slug/{slug}"))
        .await
        .problem(404, "not_found");
    admin.get(&at).await.ok(200);
    let article = format!("{ARTICLES}/{}", draft.id());
    admin
        .with("if-match", "*")
        .patch(&article, &json!({"status": "published"}))
        .await
        .ok(200);
    stranger.get(&at).await.ok(200);
    assert_eq!(stranger.get(TAGS).await.ok(200).ids(), [tag]);
}
