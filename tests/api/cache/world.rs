//! A site with something of everything, and its pages.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, App, Bearer, Client};

/// A site with something of everything.
pub struct World {
    pub admin: Client<Bearer>,
    pub article: i64,
    pub other: i64,
    pub parent: i64,
    pub category: i64,
    pub tag: i64,
    pub author: i64,
    pub image: i64,
}

/// A PNG of one pixel, in this color.
fn pixel(red: u8) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(8, 8, image::Rgb([red, 0, 0]))
        .write_to(&mut bytes, image::ImageFormat::Png)
        .expect("a picture");
    bytes.into_inner()
}

impl World {
    pub async fn new(app: &App) -> Self {
        let admin = app.admin().await;
        let image = admin
            .upload("/api/v1/images", &pixel(1), &[("alt", "旧")])
            .await
            .ok(201)
            .id();
        let made = |path: &'static str, body: Value| {
            let admin = admin.clone();
            async move { admin.post(path, &body).await.ok(201).id() }
        };
        let parent = made("/api/v1/categories", json!({"name": "News", "slug": "news"})).await;
        let category = made(
            "/api/v1/categories",
            json!({"name": "评测", "slug": "reviews", "parent_id": parent}),
        )
        .await;
        let author = made(
            "/api/v1/authors",
            json!({"name": "黎明", "slug": "li-ming", "avatar_image_id": image}),
        )
        .await;
        let article = made(
            "/api/v1/articles",
            json!({"title": "小米14评测", "slug": "one", "body": format!("续航 ![x](image:{image})"), "tags": ["小米"],
                "category_id": category, "author_ids": [author], "cover_image_id": image, "status": "published",
                "metadata": {"score": 1}}),
        )
        .await;
        let other = made(
            "/api/v1/articles",
            json!({"title": "小米15评测", "slug": "two", "body": "屏幕", "tags": ["小米"], "category_id": category,
                "author_ids": [author], "status": "published"}),
        )
        .await;
        let tags = admin.get("/api/v1/tags").await.ok(200);
        let tag = tags.ids()[0];
        Self {
            admin,
            article,
            other,
            parent,
            category,
            tag,
            author,
            image,
        }
    }

    /// Every kind of page that readers see.
    pub fn pages(&self) -> Vec<String> {
        let Self {
            article,
            other,
            parent,
            category,
            tag,
            author,
            image,
            ..
        } = self;
        [
            format!("/articles/{article}"),
            format!("/articles/{article}?body_format=blocks&include=related,neighbors"),
            format!("/articles/{article}?body_format=text"),
            "/articles/by-slug/one".into(),
            "/articles/by-slug/two?body_format=markdown".into(),
            format!("/articles/{other}?include=neighbors"),
            format!("/articles/{article}/related"),
            "/articles".into(),
            "/articles?include=body".into(),
            "/articles?limit=1&count=exact".into(),
            "/articles?sort=-updated_at".into(),
            "/articles?sort=published_at&page=1".into(),
            "/articles?category=news".into(),
            "/articles?category=reviews&count=exact".into(),
            "/articles?tag=xiao-mi".into(),
            "/articles?tag_all=xiao-mi,hua-wei".into(),
            "/articles?author=li-ming&sort=published_at".into(),
            "/articles?featured=true".into(),
            "/articles?locale=zh-CN&ids=1,2,3,4,5".into(),
            "/articles?external_id=x-1".into(),
            "/articles?updated_from=2020-01-01".into(),
            "/articles?category=news&tag=xiao-mi&author=li-ming".into(),
            "/categories".into(),
            format!("/categories/{parent}"),
            format!("/categories/{category}"),
            "/categories/by-slug/reviews".into(),
            "/tags?count=exact".into(),
            format!("/tags/{tag}"),
            "/tags/by-slug/xiao-mi".into(),
            "/authors?count=exact".into(),
            format!("/authors/{author}"),
            "/authors/by-slug/li-ming".into(),
            format!("/images/{image}"),
            "/site".into(),
            "/search?q=%E5%B0%8F%E7%B1%B3".into(),
            "/search/suggest?q=xm".into(),
        ]
        .into_iter()
        .map(|path| format!("/api/v1{path}"))
        .collect()
    }

    /// A write of every kind, in an order in which each can be made: the method, the path and the body.
    pub fn writes(&self) -> Vec<(Method, String, Value)> {
        let (article, other) = (
            format!("/articles/{}", self.article),
            format!("/articles/{}", self.other),
        );
        let parent = format!("/categories/{}", self.parent);
        let category = format!("/categories/{}", self.category);
        let tag = format!("/tags/{}", self.tag);
        let by_external_id = "/articles/by-external-id/x-9";
        let write = |method, path: &str, body| (method, format!("/api/v1{path}"), body);
        let patch = |path: &str, body| write(Method::PATCH, path, body);
        let post = |path: &str, body| write(Method::POST, path, body);
        let put = |path: &str, body| write(Method::PUT, path, body);
        let delete = |path: &str| write(Method::DELETE, path, Value::Null);
        vec![
            patch(&article, json!({"title": "新题"})),
            patch(&article, json!({"body": "新文"})),
            patch(&article, json!({"summary": "摘要", "metadata": {"score": 2}})),
            patch(&article, json!({"featured": true})),
            patch(&article, json!({"external_id": "x-1"})),
            patch(&article, json!({"tags": ["华为", "小米"]})),
            patch(&article, json!({"category_id": self.parent})),
            patch(&article, json!({"category_id": self.category, "author_ids": []})),
            patch(&article, json!({"author_ids": [self.author]})),
            patch(&article, json!({"published_at": "2020-05-01T00:00:00Z"})),
            patch(&article, json!({"initial_view_count": 500})),
            patch(&article, json!({"slug": "three"})),
            patch(&article, json!({"slug": "one"})),
            patch(&article, json!({"status": "archived"})),
            patch(&article, json!({"status": "published", "locale": "zh-TW"})),
            patch(&article, json!({"cover_image_id": null})),
            patch(&article, json!({"cover_image_id": self.image})),
            patch(&other, json!({"status": "draft"})),
            patch(&other, json!({"status": "published"})),
            post(
                "/articles",
                json!({"title": "第三篇", "status": "published", "tags": ["小米"], "category_id": self.category}),
            ),
            post("/articles", json!({"title": "草稿", "tags": ["草稿标签"]})),
            put(
                by_external_id,
                json!({"title": "第九", "status": "published", "tags": ["小米"]}),
            ),
            put(by_external_id, json!({"title": "第十", "status": "published"})),
            put(by_external_id, json!({"title": "第十"})),
            patch(&category, json!({"name": "测评"})),
            patch(&parent, json!({"slug": "xin-wen"})),
            patch(&parent, json!({"slug": "news"})),
            patch(&category, json!({"parent_id": null})),
            patch(&category, json!({"parent_id": self.parent})),
            post("/categories", json!({"name": "手机", "parent_id": self.parent})),
            patch(&tag, json!({"name": "小米手机"})),
            patch(&tag, json!({"slug": "mi"})),
            patch(&tag, json!({"slug": "xiao-mi"})),
            post("/tags", json!({"name": "苹果"})),
            patch(
                &format!("/authors/{}", self.author),
                json!({"name": "李明", "bio": "写手机"}),
            ),
            post("/authors", json!({"name": "王五"})),
            patch(
                &format!("/images/{}", self.image),
                json!({"alt": "新", "caption": "图"}),
            ),
            patch(
                "/site",
                json!({"name": "新站", "article_url": "https://example.com/{slug}"}),
            ),
            delete(&tag),
            delete(&article),
        ]
    }
}

/// What must not differ: the status, the body, and all headers but the id, the timing and the date.
pub fn shown(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let own = ["x-request-id", "server-timing", "date", "connection"];
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    headers.sort();
    let mut text = answer.text();
    // How long a search took.
    if let Some(at) = text.find("\"took_ms\":") {
        text.truncate(at);
        headers.retain(|(name, _)| name != "content-length");
    }
    // A problem names its request.
    if answer.content_type() == "application/problem+json" {
        text = answer["code"].to_string();
        headers.retain(|(name, _)| name != "content-length");
    }
    (answer.status, headers, text)
}

/// The same page under an address that was never asked for: empty parameters say nothing.
pub fn anew(page: &str, number: usize) -> String {
    let mark = if page.contains('?') { "" } else { "?" };
    format!("{page}{mark}{}", "&".repeat(number + 1))
}
