//! Categories: the tree.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{ARTICLES, CATEGORIES, article, column, made};
use crate::support::{App, Bearer, Client, both};

both!(
    the_list_is_the_tree_in_order,
    a_category_names_its_ancestors,
    articles_count_for_all_that_stand_above,
    drafts_and_scheduled_articles_do_not_count,
    parents_and_positions_are_checked,
    null_clears_and_absent_keeps,
    a_category_cannot_stand_below_itself,
    two_moves_at_once_make_no_cycle,
    the_tree_has_ten_levels,
    the_tree_has_room_for_5000,
    what_holds_something_cannot_be_deleted,
    what_comes_while_its_parent_goes_is_refused_or_keeps_it,
    articles_show_their_category_and_lists_find_them,
);

/// Makes a category below another; its id.
async fn below(editor: &Client<Bearer>, parent: i64, slug: &str) -> i64 {
    made(
        editor,
        CATEGORIES,
        json!({"name": slug, "slug": slug, "parent_id": parent}),
    )
    .await
}

async fn root(editor: &Client<Bearer>, slug: &str) -> i64 {
    made(editor, CATEGORIES, json!({"name": slug, "slug": slug})).await
}

fn path(id: i64) -> String {
    format!("{CATEGORIES}/{id}")
}

async fn the_list_is_the_tree_in_order(app: &App) {
    let admin = app.admin().await;
    let empty = app.anonymous().get(CATEGORIES).await.ok(200);
    assert_eq!((&empty["data"], &empty["meta"]["total"]), (&json!([]), &json!(0)));

    let news = root(&admin, "news").await;
    let about = root(&admin, "about").await;
    let reviews = below(&admin, news, "reviews").await;
    let views = below(&admin, news, "views").await;
    let phones = below(&admin, reviews, "phones").await;
    let answer = app.anonymous().get(CATEGORIES).await.ok(200);
    assert_eq!(
        column(&answer.json, "path"),
        ["news", "news/reviews", "news/reviews/phones", "news/views", "about"]
    );
    assert_eq!(column(&answer.json, "position"), [0, 0, 0, 1, 1]);
    assert_eq!(
        answer["meta"],
        json!({"limit": null, "page": null, "next_cursor": null, "total": 5})
    );
    assert_eq!(answer["links"], json!({"self": CATEGORIES, "next": null, "prev": null}));

    // Siblings stand by position, then by name, then by id.
    admin.patch(&path(about), &json!({"position": 0})).await.ok(200);
    admin
        .patch(&path(views), &json!({"position": 0, "name": "reviews"}))
        .await
        .ok(200);
    let order = |list: &Value| {
        column(list, "id")
            .into_iter()
            .filter_map(Value::as_i64)
            .collect::<Vec<_>>()
    };
    let answer = app.anonymous().get(CATEGORIES).await.ok(200);
    assert_eq!(order(&answer.json), [about, news, reviews, phones, views]);

    // What moves takes along what stands below it, and keeps its position.
    let moved = admin.patch(&path(reviews), &json!({"parent_id": about})).await.ok(200);
    assert_eq!(moved["data"]["path"], "about/reviews");
    let answer = app.anonymous().get(CATEGORIES).await.ok(200);
    assert_eq!(order(&answer.json), [about, reviews, phones, news, views]);
    assert_eq!(
        column(&answer.json, "path"),
        ["about", "about/reviews", "about/reviews/phones", "news", "news/views"]
    );
    admin.patch(&path(reviews), &json!({"slug": "测评"})).await.ok(200);
    let answer = app.anonymous().get(&path(phones)).await.ok(200);
    assert_eq!(answer["data"]["path"], "about/测评/phones");
}

async fn a_category_names_its_ancestors(app: &App) {
    let admin = app.admin().await;
    let news = made(&admin, CATEGORIES, json!({"name": "News", "slug": "news"})).await;
    let body =
        json!({"name": "评测资讯", "slug": "reviews", "parent_id": news, "description": "手机\n芯片", "position": 7});
    let reviews = admin.post(CATEGORIES, &body).await.ok(201);
    assert_eq!(
        reviews["data"],
        json!({
            "id": reviews.id(), "slug": "reviews", "name": "评测资讯", "description": "手机\n芯片", "parent_id": news,
            "position": 7, "path": "news/reviews", "ancestors": [{"id": news, "slug": "news", "name": "News"}],
            "article_count": 0
        })
    );
    let phones = below(&admin, reviews.id(), "phones").await;
    let answer = app.anonymous().get(&path(phones)).await.ok(200);
    let ancestors = answer["data"]["ancestors"].as_array().expect("a list");
    assert_eq!(
        ancestors.iter().map(|one| &one["name"]).collect::<Vec<_>>(),
        ["News", "评测资讯"]
    );
    let answer = app.anonymous().get(&path(news)).await.ok(200);
    assert_eq!(
        (&answer["data"]["parent_id"], &answer["data"]["ancestors"]),
        (&Value::Null, &json!([]))
    );
}

async fn articles_count_for_all_that_stand_above(app: &App) {
    let admin = app.admin().await;
    let news = root(&admin, "news").await;
    let reviews = below(&admin, news, "reviews").await;
    let phones = below(&admin, reviews, "phones").await;
    root(&admin, "about").await;
    for (category, articles) in [(news, 1), (reviews, 2), (phones, 3)] {
        for number in 0..articles {
            article(
                &admin,
                &format!("{category} {number}"),
                json!({"category_id": category}),
            )
            .await;
        }
    }
    article(&admin, "无栏目", json!({})).await;
    let list = app.anonymous().get(CATEGORIES).await.ok(200);
    assert_eq!(column(&list.json, "article_count"), [6, 5, 3, 0]);
    for (id, count) in [(news, 6), (reviews, 5), (phones, 3)] {
        assert_eq!(
            app.anonymous().get(&path(id)).await.ok(200)["data"]["article_count"],
            count
        );
    }
    let moved = admin.patch(&path(phones), &json!({"parent_id": null})).await.ok(200);
    assert_eq!(moved["data"]["article_count"], 3);
    assert_eq!(
        app.anonymous().get(&path(news)).await.ok(200)["data"]["article_count"],
        3
    );
}

async fn drafts_and_scheduled_articles_do_not_count(app: &App) {
    let admin = app.admin().await;
    let news = root(&admin, "news").await;
    for more in [
        json!({"status": "draft"}),
        json!({"status": "archived"}),
        json!({"status": "scheduled", "published_at": "2999-01-01T00:00:00Z"}),
    ] {
        let mut more = more;
        more["category_id"] = news.into();
        article(&admin, "看不见", more).await;
    }
    article(&admin, "看得见", json!({"category_id": news})).await;
    // The number is the same for who sees more: it is what readers find there.
    assert_eq!(
        app.anonymous().get(&path(news)).await.ok(200)["data"]["article_count"],
        1
    );
    assert_eq!(admin.get(&path(news)).await.ok(200)["data"]["article_count"], 1);
    assert_eq!(column(&admin.get(CATEGORIES).await.ok(200).json, "article_count"), [1]);
}

async fn parents_and_positions_are_checked(app: &App) {
    let admin = app.admin().await;
    let news = root(&admin, "news").await;
    let at = path(news);
    let before = admin.get(&at).await.ok(200);
    for (field, value) in [
        ("parent_id", json!(999_999)),
        ("parent_id", json!(-1)),
        ("parent_id", json!(0)),
        ("parent_id", json!(9_223_372_036_854_775_807_i64)),
        ("parent_id", json!(9_223_372_036_854_775_808_u64)),
        ("parent_id", json!("1")),
        ("parent_id", json!(1.5)),
        ("position", json!(-1)),
        ("position", json!(1_000_001)),
        ("position", json!(9_223_372_036_854_775_808_u64)),
        ("position", json!("0")),
        ("position", json!(0.5)),
        ("description", json!("a\u{0}")),
        ("description", json!("字".repeat(1001))),
        ("description", json!(7)),
    ] {
        let place = format!("#/{field}");
        let answer = admin.post(CATEGORIES, &json!({"name": "a", field: value})).await;
        answer.problem(422, "invalid_field").at(&[&place]);
        let answer = admin.patch(&at, &json!({field: value})).await;
        answer.problem(422, "invalid_field").at(&[&place]);
    }
    let answer = admin.patch(&at, &json!({"position": null})).await;
    answer.problem(422, "invalid_field").at(&["#/position"]);
    assert_eq!(admin.get(&at).await.ok(200).json, before.json);
    assert_eq!(admin.get(CATEGORIES).await.ok(200)["meta"]["total"], 1);

    let last = json!({"name": "z", "position": 1_000_000});
    admin.post(CATEGORIES, &last).await.ok(201);
    let behind = admin.post(CATEGORIES, &json!({"name": "y"})).await.ok(201);
    assert_eq!(behind["data"]["position"], 1_000_000);
}

async fn null_clears_and_absent_keeps(app: &App) {
    let admin = app.admin().await;
    let news = root(&admin, "news").await;
    let body = json!({"name": "评测", "parent_id": news, "description": "说明", "position": 3});
    let at = path(made(&admin, CATEGORIES, body).await);
    let kept = admin.patch(&at, &json!({"name": "测评"})).await.ok(200);
    assert_eq!(
        [
            &kept["data"]["description"],
            &kept["data"]["parent_id"],
            &kept["data"]["position"]
        ],
        [&json!("说明"), &json!(news), &json!(3)]
    );
    let cleared = admin
        .patch(&at, &json!({"description": null, "parent_id": null}))
        .await
        .ok(200);
    assert_eq!(
        [&cleared["data"]["description"], &cleared["data"]["parent_id"]],
        [&Value::Null, &Value::Null]
    );
}

async fn a_category_cannot_stand_below_itself(app: &App) {
    let admin = app.admin().await;
    let news = root(&admin, "news").await;
    let reviews = below(&admin, news, "reviews").await;
    let phones = below(&admin, reviews, "phones").await;
    for (id, parent) in [
        (news, news),
        (news, reviews),
        (news, phones),
        (reviews, phones),
        (phones, phones),
    ] {
        let answer = admin
            .patch(&path(id), &json!({"parent_id": parent, "name": "anders"}))
            .await;
        answer.problem(422, "invalid_field").at(&["#/parent_id"]);
    }
    let list = admin.get(CATEGORIES).await.ok(200);
    assert_eq!(
        column(&list.json, "path"),
        ["news", "news/reviews", "news/reviews/phones"]
    );
    // To where it is already is no move.
    admin.patch(&path(phones), &json!({"parent_id": reviews})).await.ok(200);
}

async fn two_moves_at_once_make_no_cycle(app: &App) {
    let admin = app.admin().await;
    let (a, b, c) = (
        root(&admin, "a").await,
        root(&admin, "b").await,
        root(&admin, "c").await,
    );
    for _ in 0..10 {
        let moves = [(a, b), (b, c), (c, a)].map(|(id, parent)| (path(id), json!({"parent_id": parent})));
        let mut moved = 0;
        for answer in join_all(moves.iter().map(|(at, body)| admin.patch(at, body))).await {
            if answer.status == 200 {
                moved += 1;
            } else {
                answer.problem(422, "invalid_field").at(&["#/parent_id"]);
            }
        }
        assert_eq!(moved, 2);
        // A cycle could not be reached from the root.
        assert_eq!(app.anonymous().get(CATEGORIES).await.ok(200)["meta"]["total"], 3);
        for id in [a, b, c] {
            admin.patch(&path(id), &json!({"parent_id": null})).await.ok(200);
        }
    }
}

async fn the_tree_has_ten_levels(app: &App) {
    let admin = app.admin().await;
    let mut chain = vec![root(&admin, "l1").await];
    for level in 2..=10 {
        chain.push(below(&admin, chain[chain.len() - 1], &format!("l{level}")).await);
    }
    let answer = admin
        .post(CATEGORIES, &json!({"name": "x", "parent_id": chain[9]}))
        .await;
    answer.problem(422, "invalid_field").at(&["#/parent_id"]);
    let top = root(&admin, "top").await;
    let low = below(&admin, top, "low").await;
    // Two levels fit below the eighth, not below the ninth; ten fit below nothing.
    for (id, parent) in [(top, chain[8]), (chain[0], top), (chain[0], low)] {
        let answer = admin.patch(&path(id), &json!({"parent_id": parent})).await;
        answer.problem(422, "invalid_field").at(&["#/parent_id"]);
    }
    let moved = admin.patch(&path(top), &json!({"parent_id": chain[7]})).await.ok(200);
    assert_eq!(moved["data"]["ancestors"].as_array().map(Vec::len), Some(8));
}

async fn the_tree_has_room_for_5000(app: &App) {
    use diesel::connection::SimpleConnection;
    let admin = app.admin().await;
    let top = root(&admin, "top").await;
    app.connect()
        .batch_execute(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4998)
             INSERT INTO categories (slug, name, parent_id, position) SELECT 's' || i, 'n', {top}, 0 FROM n"
        ))
        .expect("categories");
    below(&admin, top, "last").await;
    let answer = admin.post(CATEGORIES, &json!({"name": "x"})).await;
    answer.problem(422, "invalid_field").at(&["#"]);
    article(&admin, "一", json!({"category_id": top})).await;
    let list = app.anonymous().get(CATEGORIES).await.ok(200);
    assert_eq!(list["meta"]["total"], 5000);
    let read = app.anonymous().get(&path(top)).await.ok(200);
    assert_eq!(read["data"]["article_count"], 1);
    let found = app.anonymous().get(&format!("{ARTICLES}?category=top")).await.ok(200);
    assert_eq!(found.ids().len(), 1);
}

async fn what_holds_something_cannot_be_deleted(app: &App) {
    let admin = app.admin().await;
    let news = root(&admin, "news").await;
    let reviews = below(&admin, news, "reviews").await;
    admin.delete(&path(news)).await.problem(409, "in_use");
    let draft = article(&admin, "草稿", json!({"status": "draft", "category_id": reviews})).await;
    admin.delete(&path(reviews)).await.problem(409, "in_use");
    assert_eq!(admin.get(CATEGORIES).await.ok(200)["meta"]["total"], 2);
    let at = format!("{ARTICLES}/{draft}");
    admin
        .with("if-match", "*")
        .patch(&at, &json!({"category_id": null}))
        .await
        .ok(200);
    admin.delete(&path(reviews)).await.ok(204);
    admin.delete(&path(news)).await.ok(204);
}

async fn what_comes_while_its_parent_goes_is_refused_or_keeps_it(app: &App) {
    let admin = app.admin().await;
    for round in 0..10 {
        let parent = root(&admin, &format!("p{round}")).await;
        let at = path(parent);
        let child = json!({"name": "child", "parent_id": parent});
        let deleting = async { admin.delete(&at).await };
        let (deleted, child) = futures_util::future::join(deleting, admin.post(CATEGORIES, &child)).await;
        let stands = admin.get(&at).await.status == 200;
        assert_eq!(deleted.status, if stands { 409 } else { 204 }, "{deleted}");
        if stands {
            admin.delete(&path(child.ok(201).id())).await.ok(204);
            admin.delete(&at).await.ok(204);
        } else {
            child.problem(422, "invalid_field").at(&["#/parent_id"]);
        }
    }
}

async fn articles_show_their_category_and_lists_find_them(app: &App) {
    let admin = app.admin().await;
    let news = made(&admin, CATEGORIES, json!({"name": "News", "slug": "news"})).await;
    let reviews = below(&admin, news, "reviews").await;
    let id = article(&admin, "小米14评测", json!({"category_id": reviews})).await;
    let read = app.anonymous().get(&format!("{ARTICLES}/{id}")).await.ok(200);
    let ancestors = json!([{"id": news, "slug": "news", "name": "News"}]);
    assert_eq!(
        read["data"]["category"],
        json!({"id": reviews, "slug": "reviews", "name": "reviews", "path": "news/reviews", "ancestors": ancestors})
    );
    for (slug, found) in [("news", 1), ("reviews", 1), ("nothing", 0)] {
        let list = app
            .anonymous()
            .get(&format!("{ARTICLES}?category={slug}"))
            .await
            .ok(200);
        assert_eq!(list.ids().len(), found, "{slug}");
    }
    let tag = read.header("etag").expect("a tag").to_owned();
    admin.patch(&path(news), &json!({"name": "新闻"})).await.ok(200);
    let again = app
        .anonymous()
        .with("if-none-match", &tag)
        .get(&format!("{ARTICLES}/{id}"))
        .await
        .ok(200);
    assert_eq!(again["data"]["category"]["ancestors"][0]["name"], "新闻");
}
