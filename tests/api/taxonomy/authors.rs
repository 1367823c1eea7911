//! Authors: by-lines with a picture and links.

use serde_json::{Value, json};

use super::{ARTICLES, AUTHORS, article, column, made};
use crate::support::{App, both};

both!(
    an_author_has_picture_and_links,
    pictures_and_links_are_checked,
    null_clears_and_absent_keeps,
    articles_show_their_authors_in_order,
    an_author_with_articles_stays,
);

/// A picture of one colour.
fn png(red: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(4, 3, image::Rgb([red, 0, 0]))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("a picture");
    bytes.into_inner()
}

async fn an_author_has_picture_and_links(app: &App) {
    let admin = app.admin().await;
    let image = admin.upload("/api/v1/images", &png(1), &[]).await.ok(201).id();
    let links =
        json!([{"label": "微博", "url": "https://weibo.com/x"}, {"label": "主页", "url": "http://example.com/黎明"}]);
    let body = json!({"name": "黎明", "bio": "写手机\n十年", "avatar_image_id": image, "links": links});
    let author = admin.post(AUTHORS, &body).await.ok(201);
    let read = app.anonymous().get(&format!("{AUTHORS}/{}", author.id())).await.ok(200);
    assert_eq!(read["data"], author["data"]);
    assert_eq!(
        [
            &read["data"]["slug"],
            &read["data"]["bio"],
            &read["data"]["links"],
            &read["data"]["article_count"]
        ],
        [&json!("li-ming"), &json!("写手机\n十年"), &links, &json!(0)]
    );
    let avatar = &read["data"]["avatar"];
    assert_eq!((&avatar["id"], &avatar["width"]), (&json!(image), &json!(4)));
    assert!(
        avatar["srcset"]
            .as_str()
            .is_some_and(|set| set.starts_with("http://localhost:"))
    );
    let plain = admin.post(AUTHORS, &json!({"name": "黎明"})).await.ok(201);
    assert_eq!(
        plain["data"],
        json!({
            "id": plain.id(), "slug": "li-ming-2", "name": "黎明", "bio": null, "avatar": null, "links": [],
            "article_count": 0
        })
    );
    let list = app.anonymous().get(AUTHORS).await.ok(200);
    assert_eq!(list["data"], json!([author["data"], plain["data"]]));

    // The picture is in use.
    admin
        .delete(&format!("/api/v1/images/{image}"))
        .await
        .problem(409, "in_use");
    app.anonymous().get(&format!("/api/v1/images/{image}")).await.ok(200);
    let at = format!("{AUTHORS}/{}", author.id());
    admin.patch(&at, &json!({"avatar_image_id": null})).await.ok(200);
    admin.delete(&format!("/api/v1/images/{image}")).await.ok(204);
}

async fn pictures_and_links_are_checked(app: &App) {
    let admin = app.admin().await;
    let at = format!(
        "{AUTHORS}/{}",
        made(&admin, AUTHORS, json!({"name": "黎明", "bio": "原"})).await
    );
    let before = admin.get(&at).await.ok(200);
    let link = |label: &str, url: &str| json!([{"label": label, "url": url}]);
    for (field, value, places) in [
        ("avatar_image_id", json!(999_999), ["#/avatar_image_id"].as_slice()),
        ("avatar_image_id", json!(-1), &["#/avatar_image_id"]),
        (
            "avatar_image_id",
            json!(9_223_372_036_854_775_807_i64),
            &["#/avatar_image_id"],
        ),
        (
            "avatar_image_id",
            json!(9_223_372_036_854_775_808_u64),
            &["#/avatar_image_id"],
        ),
        ("avatar_image_id", json!("7"), &["#/avatar_image_id"]),
        ("bio", json!("a\u{0}"), &["#/bio"]),
        ("bio", json!("字".repeat(2001)), &["#/bio"]),
        ("bio", json!({}), &["#/bio"]),
        ("links", json!({}), &["#/links"]),
        ("links", json!([null]), &["#/links/0"]),
        ("links", json!([{"label": "a"}]), &["#/links/0/url"]),
        (
            "links",
            link("", "javascript:alert(1)"),
            &["#/links/0/label", "#/links/0/url"],
        ),
        (
            "links",
            link("a\u{0}", "https://e\u{0}"),
            &["#/links/0/label", "#/links/0/url"],
        ),
        ("links", link("a", "//example.com"), &["#/links/0/url"]),
        ("links", link("a", "https://a\"b"), &["#/links/0/url"]),
        ("links", json!(vec![json!({"label": "", "url": ""}); 21]), &["#/links"]),
    ] {
        for answer in [
            admin.post(AUTHORS, &json!({"name": "a", field: value})).await,
            admin.patch(&at, &json!({"name": "b", field: value})).await,
        ] {
            answer.problem(422, "invalid_field").at(places);
        }
    }
    let unknown =
        json!({"name": "a", "links": [{"label": "a", "url": "https://a.b", "rel": "me"}], "avatar": {"id": 1}});
    for answer in [admin.post(AUTHORS, &unknown).await, admin.patch(&at, &unknown).await] {
        answer.problem(422, "unknown_field").at(&["#/links/0/rel", "#/avatar"]);
    }
    assert_eq!(admin.get(&at).await.ok(200).json, before.json);
    assert_eq!(column(&admin.get(AUTHORS).await.ok(200).json, "name"), ["黎明"]);
}

async fn null_clears_and_absent_keeps(app: &App) {
    let admin = app.admin().await;
    let image = admin.upload("/api/v1/images", &png(2), &[]).await.ok(201).id();
    let body = json!({"name": "黎明", "bio": "介绍", "avatar_image_id": image, "links": [{"label": "a", "url": "https://a.b"}]});
    let at = format!("{AUTHORS}/{}", made(&admin, AUTHORS, body).await);
    let kept = admin.patch(&at, &json!({"name": "李明"})).await.ok(200);
    assert_eq!(
        (&kept["data"]["bio"], &kept["data"]["avatar"]["id"]),
        (&json!("介绍"), &json!(image))
    );
    assert_eq!(kept["data"]["links"].as_array().map(Vec::len), Some(1));
    let cleared = admin
        .patch(&at, &json!({"bio": null, "avatar_image_id": null, "links": null}))
        .await
        .ok(200);
    assert_eq!(
        [
            &cleared["data"]["bio"],
            &cleared["data"]["avatar"],
            &cleared["data"]["links"]
        ],
        [&Value::Null, &Value::Null, &json!([])]
    );
    assert_eq!(cleared["data"]["name"], "李明");
}

async fn articles_show_their_authors_in_order(app: &App) {
    let admin = app.admin().await;
    let image = admin.upload("/api/v1/images", &png(3), &[]).await.ok(201).id();
    let first = made(&admin, AUTHORS, json!({"name": "甲", "avatar_image_id": image})).await;
    let second = made(&admin, AUTHORS, json!({"name": "乙", "bio": "介绍"})).await;
    let id = article(&admin, "合写", json!({"author_ids": [second, first]})).await;
    article(&admin, "独写", json!({"author_ids": [first]})).await;
    article(&admin, "草稿", json!({"author_ids": [first], "status": "draft"})).await;
    let read = app.anonymous().get(&format!("{ARTICLES}/{id}")).await.ok(200);
    let authors = read["data"]["authors"].as_array().expect("authors");
    assert_eq!(
        authors[0],
        json!({"id": second, "slug": "yi", "name": "乙", "bio": "介绍", "avatar": null})
    );
    assert_eq!(
        (&authors[1]["id"], &authors[1]["avatar"]["id"]),
        (&json!(first), &json!(image))
    );
    assert_eq!(authors.len(), 2);
    let list = app.anonymous().get(AUTHORS).await.ok(200);
    assert_eq!(column(&list.json, "name"), ["乙", "甲"]);
    assert_eq!(column(&list.json, "article_count"), [1, 2]);
    let found = app.anonymous().get(&format!("{ARTICLES}?author=yi")).await.ok(200);
    assert_eq!(found.ids(), [id]);
}

async fn an_author_with_articles_stays(app: &App) {
    let admin = app.admin().await;
    let author = made(&admin, AUTHORS, json!({"name": "黎明"})).await;
    let at = format!("{AUTHORS}/{author}");
    let draft = article(&admin, "草稿", json!({"author_ids": [author], "status": "draft"})).await;
    admin.delete(&at).await.problem(409, "in_use");
    assert_eq!(admin.get(&at).await.ok(200)["data"]["name"], "黎明");
    admin
        .with("if-match", "*")
        .delete(&format!("{ARTICLES}/{draft}"))
        .await
        .ok(204);
    admin.delete(&at).await.ok(204);
}
