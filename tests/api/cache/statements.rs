//! How many statements a request needs: as many for a hundred articles as for two.

use broadsheet::config::Config;
use serde_json::json;

use crate::support::pictures::png;
use crate::support::{Anonymous, Answer, App, Client, both};

both!(more_articles_need_no_more_statements, with no_cache);

fn no_cache(config: &mut Config) {
    config.cache_bytes = 0;
}

/// What the answer says of its own statements.
fn statements(answer: &Answer) -> u32 {
    let timing = answer.header("server-timing").expect("a header");
    let (_, rest) = timing.split_once("desc=\"").expect("statements");
    let (number, _) = rest.split_once(' ').expect("a number");
    number.parse().expect("a number")
}

/// How many a page needs where what all of them need has been read.
async fn fewest(reader: &Client<Anonymous>, page: &str) -> u32 {
    let mut fewest = u32::MAX;
    for _ in 0..4 {
        let answer = reader.get(&format!("/api/v1{page}")).await.ok(200);
        fewest = fewest.min(statements(&answer));
    }
    fewest
}

async fn more_articles_need_no_more_statements(app: &App) {
    let admin = app.admin().await;
    let parent = admin
        .post("/api/v1/categories", &json!({"name": "新闻", "slug": "news"}))
        .await
        .ok(201)
        .id();
    let mut authors = Vec::new();
    for number in 0..3 {
        let author = json!({"name": format!("作者{number}"), "slug": format!("author-{number}")});
        authors.push(admin.post("/api/v1/authors", &author).await.ok(201).id());
    }
    let write = async |number: usize| {
        let category = json!({"name": format!("栏目{number}"), "parent_id": parent});
        let category = admin.post("/api/v1/categories", &category).await.ok(201).id();
        let article = json!({"title": format!("第{number}篇"), "slug": format!("a-{number}"), "body": "正文", "status": "published",
            "tags": ["小米", format!("标签{number}")], "category_id": category, "author_ids": authors});
        admin.post("/api/v1/articles", &article).await.ok(201);
    };
    for number in 0..4 {
        write(number).await;
    }
    let image = admin.upload("/api/v1/images", &png(4, 3), &[]).await.ok(201).id();
    let pictured = json!({"name": "图", "slug": "pictured", "avatar_image_id": image});
    let pictured = admin.post("/api/v1/authors", &pictured).await.ok(201).id();
    let pictured = json!({"title": "图", "slug": "pictured", "body": format!("![](image:{image})"), "status": "published",
        "cover_image_id": image, "author_ids": [pictured]});
    admin.post("/api/v1/articles", &pictured).await.ok(201);
    let pages = [
        ("/articles/1", 1),
        ("/articles/by-slug/a-1", 1),
        ("/articles/by-slug/pictured", 2),
        ("/articles/1?include=related,neighbors", 30),
        ("/articles/1/related", 22),
        ("/articles?limit=100", 14),
        ("/articles?limit=100&include=body&count=exact", 16),
        ("/articles?limit=100&tag=xiao-mi", 14),
        ("/articles?limit=100&category=news", 14),
        ("/articles?limit=100&category=news&tag=xiao-mi", 14),
        ("/articles?limit=100&author=author-1&sort=published_at", 14),
        ("/categories", 8),
        ("/tags?limit=100&count=exact", 10),
        ("/authors", 10),
        ("/site", 5),
        (
            "/search?q=%E6%AD%A3%E6%96%87&limit=50&facets=category,tag,author,year",
            34,
        ),
    ];
    let reader = app.anonymous();
    let mut few = Vec::new();
    for (page, most) in pages {
        let needed = fewest(&reader, page).await;
        assert!((1..=most).contains(&needed), "{page}: {needed}");
        few.push(needed);
    }
    for number in 4..40 {
        write(number).await;
    }
    // Search reads texts in parts of 25, so many at most.
    for ((page, _), few) in pages
        .into_iter()
        .zip(few)
        .filter(|((page, _), _)| !page.starts_with("/search"))
    {
        assert_eq!(fewest(&reader, page).await, few, "{page}");
    }
}
