//! A site with something of everything, and its pages.

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
