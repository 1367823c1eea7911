//! The response cache: exact after every kind of write, the same as without it, and bounded.

use std::cell::Cell;
use std::time::Duration;

use actix_web::http::Method;
use broadsheet::config::{Config, CorsOrigins};
use futures_util::future::join_all;
use serde_json::json;

use self::world::{World, anew, shown};
use crate::support::{Answer, App, Client, Role, both};

mod instances;
mod statements;
mod world;

both!(
    a_write_is_seen_by_the_next_read_of_every_page,
    answers_from_the_cache_are_those_without_it,
    what_is_not_in_the_key_changes_no_body,
    wrong_queries_and_errors_are_never_kept,
    who_signs_in_goes_round_the_cache,
    head_is_get_without_a_body,
    what_becomes_due_shows_at_once,
    many_at_once_are_one_and_true,
    nobody_waits_for_ever_beside_writes,
    search_is_counted_each_time,
);
both!(without_bytes_nothing_is_kept, with no_cache);
both!(many_queries_stay_within_the_budget, with a_small_cache);
both!(origins_are_told_apart, with two_origins);
both!(browsers_are_told_what_they_may_send);

fn no_cache(config: &mut Config) {
    config.cache_bytes = 0;
}

fn a_small_cache(config: &mut Config) {
    config.cache_bytes = 1 << 20;
}

fn two_origins(config: &mut Config) {
    config.cors_origins = CorsOrigins::Listed(vec!["https://a.example".into(), "https://b.example".into()]);
}

/// Whether the cache answered.
pub fn is_hit(answer: &Answer) -> bool {
    answer
        .header("server-timing")
        .expect("a header")
        .contains("cache;desc=hit")
}

/// Until the server trusts its cache, which takes some milliseconds after its start.
pub async fn warm<R: Role>(reader: &Client<R>) {
    for _ in 0..500 {
        if is_hit(&reader.get("/api/v1/site").await.ok(200)) {
            return;
        }
        actix_web::rt::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the cache never answers");
}

async fn a_write_is_seen_by_the_next_read_of_every_page(app: &App) {
    let world = World::new(app).await;
    let reader = app.anonymous();
    warm(&reader).await;
    // With a token that is no more than anonymous: what the cache is gone round for.
    let truth = app.key("read").await;
    let pages = world.pages();
    for (method, path, body) in world.writes() {
        // Every page is kept when the write comes.
        for page in &pages {
            let _kept = reader.get(page).await;
        }
        let editor = world.admin.with("if-match", "*");
        let body = (!body.is_null()).then(|| ("application/json", body.to_string().into_bytes()));
        let written = editor.send(method.clone(), &path, body.clone()).await;
        assert!(written.status < 300, "{written}");
        for page in &pages {
            let (now, true_now) = (reader.get(page).await, truth.get(page).await);
            let wrote = format!(
                "{method} {path} {:?}",
                body.as_ref().map(|(_, body)| String::from_utf8_lossy(body))
            );
            assert_eq!(shown(&now).2, shown(&true_now).2, "{page} after {wrote}");
            assert_eq!(now.status, true_now.status, "{page} after {wrote}");
            assert_eq!(now.header("etag"), true_now.header("etag"), "{page} after {wrote}");
        }
    }
}

async fn answers_from_the_cache_are_those_without_it(app: &App) {
    let world = World::new(app).await;
    let reader = app.anonymous();
    warm(&reader).await;
    let mut kept = 0;
    for page in world.pages() {
        let ways = [
            ("accept", "*/*"),
            ("accept-encoding", "gzip"),
            ("accept-encoding", "br, gzip"),
            ("if-none-match", "*"),
            ("origin", "https://somewhere.example"),
        ];
        // The length of a compressed search is that of how long it took.
        let is_search = page.contains("/search?");
        for (number, (name, value)) in ways.into_iter().enumerate().filter(|_| !is_search) {
            let page = anew(&page, number);
            let miss = reader.with(name, value).get(&page).await;
            let hit = reader.with(name, value).get(&page).await;
            assert!(!is_hit(&miss));
            kept += usize::from(is_hit(&hit));
            assert_eq!(shown(&hit), shown(&miss), "{page} with {name}: {value}");
            assert_eq!(hit.body, miss.body);
        }
    }
    // All but searches.
    assert_eq!(kept, (world.pages().len() - 1) * 5);
}

async fn what_is_not_in_the_key_changes_no_body(app: &App) {
    let world = World::new(app).await;
    let reader = app.anonymous();
    warm(&reader).await;
    for page in world.pages().iter().filter(|page| !page.contains("/search?")) {
        let plain = reader.get(page).await;
        for (name, value) in [
            ("accept-language", "en"),
            ("cookie", "session=1"),
            ("cache-control", "no-cache"),
            ("pragma", "no-cache"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-proto", "gopher"),
            ("x-original-url", "/api/v1/site"),
            ("range", "bytes=0-3"),
            ("origin", "https://evil.example"),
            ("user-agent", "x"),
            ("accept", "text/html"),
            ("accept-encoding", "identity"),
            ("x-visitor-id", "someone"),
        ] {
            let answer = reader.with(name, value).get(page).await;
            assert_eq!(
                (answer.status, answer.text(), answer.header("etag")),
                (plain.status, plain.text(), plain.header("etag")),
                "{page} with {name}"
            );
        }
        let etag = plain.header("etag").expect("a tag").to_owned();
        let known = reader
            .with("if-none-match", &etag)
            .with("cache-control", "no-cache")
            .get(page)
            .await
            .ok(304);
        assert!(is_hit(&known), "{page}");
        // What caches renew, and nothing that the tag stands for.
        for renewed in ["etag", "cache-control", "vary"] {
            assert_eq!(known.header(renewed), plain.header(renewed), "{page}: {renewed}");
        }
        for kept in ["cache-tag", "link", "content-type", "content-encoding"] {
            assert_eq!(known.header(kept), None, "{page}");
        }
        let id = reader.with("x-request-id", "abc-1").get(page).await.ok(200);
        assert_eq!(id.header("x-request-id"), Some("abc-1"));
        let ids: Vec<_> = [reader.get(page).await, reader.get(page).await]
            .iter()
            .map(|answer| answer.header("x-request-id").expect("an id").to_owned())
            .collect();
        assert_ne!(ids[0], ids[1]);
    }
}

async fn wrong_queries_and_errors_are_never_kept(app: &App) {
    let reader = app.anonymous();
    warm(&reader).await;
    for (path, status) in [
        ("/articles?bogus=1", 400),
        ("/articles?limit=0", 400),
        ("/articles?cursor=AAAA", 400),
        ("/articles?status=draft", 401),
        ("/articles/1", 404),
        ("/articles/x", 404),
        ("/articles/by-slug/nothing", 404),
        ("/nothing", 404),
        ("/images", 401),
        ("/categories/9?x=1", 400),
    ] {
        let path = format!("/api/v1{path}");
        for _ in 0..3 {
            let answer = reader.get(&path).await;
            assert_eq!(answer.status, status, "{answer}");
            assert!(!is_hit(&answer), "{answer}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer}");
        }
    }
    // What was missing is there when it is there.
    let article = json!({"title": "头条", "slug": "nothing", "status": "published"});
    let _missing = reader.get("/api/v1/articles/by-slug/nothing").await;
    app.admin().await.post("/api/v1/articles", &article).await.ok(201);
    reader.get("/api/v1/articles/by-slug/nothing").await.ok(200);
}

async fn who_signs_in_goes_round_the_cache(app: &App) {
    let world = World::new(app).await;
    let reader = app.anonymous();
    warm(&reader).await;
    world
        .admin
        .post("/api/v1/articles", &json!({"title": "草稿", "slug": "draft"}))
        .await
        .ok(201);
    for page in world.pages() {
        let _kept = reader.get(&page).await;
        let own = world.admin.get(&page).await.ok(200);
        assert!(
            !own.header("server-timing").expect("a header").contains("cache"),
            "{own}"
        );
        assert_eq!(own.header("cache-control"), Some("private, no-store"));
    }
    world.admin.get("/api/v1/articles/by-slug/draft").await.ok(200);
    reader
        .get("/api/v1/articles/by-slug/draft")
        .await
        .problem(404, "not_found");
    reader
        .with("authorization", "Bearer nonsense")
        .get("/api/v1/site")
        .await
        .problem(401, "invalid_token");
}

async fn head_is_get_without_a_body(app: &App) {
    let world = World::new(app).await;
    let reader = app.anonymous();
    warm(&reader).await;
    for page in world.pages().iter().filter(|page| !page.contains("/search?")) {
        // First what fills the cache, then what comes from it.
        let fresh = format!("{page}{}", if page.contains('?') { "&" } else { "?" });
        for page in [&fresh, page] {
            let head = reader.send(Method::HEAD, page, None).await.ok(200);
            let get = reader.get(page).await.ok(200);
            assert!(is_hit(&get) && head.body.is_empty(), "{page}");
            let (mut a, mut b) = (shown(&head), shown(&get));
            (a.2, b.2) = (String::new(), String::new());
            assert_eq!(a, b, "{page}");
        }
    }
}

async fn what_becomes_due_shows_at_once(app: &App) {
    let world = World::new(app).await;
    let reader = app.anonymous();
    warm(&reader).await;
    let due = chrono::Utc::now() + chrono::TimeDelta::milliseconds(1_500);
    let article = json!({"title": "准时", "slug": "due", "status": "scheduled", "published_at": due.to_rfc3339(),
        "tags": ["小米"], "category_id": world.category, "author_ids": [world.author]});
    let id = world.admin.post("/api/v1/articles", &article).await.ok(201).id();
    let lists = [
        "/api/v1/articles",
        "/api/v1/articles?tag=xiao-mi",
        "/api/v1/articles?category=news",
        "/api/v1/articles?author=li-ming",
    ];
    for list in lists {
        for _ in 0..2 {
            let answer = reader.get(list).await.ok(200);
            if chrono::Utc::now() < due {
                assert!(!answer.ids().contains(&id), "{answer}");
            }
        }
    }
    let count = |answer: Answer| answer["data"]["article_count"].as_i64();
    let category = format!("/api/v1/categories/{}", world.category);
    let before = count(reader.get(&category).await.ok(200));
    let left = (due - chrono::Utc::now()).to_std().unwrap_or_default();
    actix_web::rt::time::sleep(left + Duration::from_millis(5)).await;
    for list in lists {
        assert_eq!(reader.get(list).await.ok(200).ids()[0], id, "{list}");
    }
    reader.get("/api/v1/articles/by-slug/due").await.ok(200);
    assert_eq!(
        count(reader.get(&category).await.ok(200)),
        before.map(|before| before + 1)
    );
}

async fn many_at_once_are_one_and_true(app: &App) {
    let world = World::new(app).await;
    let reader = app.anonymous();
    warm(&reader).await;
    let page = format!("/api/v1/articles/{}", world.article);
    for round in 0..20 {
        let title = format!("第{round}次");
        world
            .admin
            .with("if-match", "*")
            .patch(&page, &json!({"title": title}))
            .await
            .ok(200);
        let answers = futures_util::future::join_all((0..30).map(|_| reader.get(&page))).await;
        let mut made = 0;
        for answer in answers {
            let answer = answer.ok(200);
            assert_eq!(answer["data"]["title"], title.as_str());
            made += usize::from(!is_hit(&answer));
        }
        assert_eq!(made, 1, "round {round}");
    }
}

async fn nobody_waits_for_ever_beside_writes(app: &App) {
    let world = World::new(app).await;
    let reader = app.anonymous();
    warm(&reader).await;
    let (written, done) = (Cell::new(0), Cell::new(false));
    let at = format!("/api/v1/articles/{}", world.article);
    let write = async {
        for number in 1..=60 {
            let title = json!({"title": number.to_string()});
            world.admin.with("if-match", "*").patch(&at, &title).await.ok(200);
            written.set(number);
        }
        done.set(true);
    };
    let read = async |page: &str| {
        let mut times = 0;
        while !done.get() {
            let least = written.get();
            let answer = reader.get(page).await.ok(200);
            let text = answer.text();
            let newer = (least..=60).any(|number| text.contains(&format!("\"title\":\"{number}\"")));
            assert!(newer || least == 0, "{page} is older than {least}");
            times += 1;
        }
        times
    };
    let pages = [at.as_str(), "/api/v1/articles?limit=100"];
    let readers = join_all(
        (0..24)
            .filter_map(|number| pages.get(number % 2))
            .map(|page| read(page)),
    );
    let ((), times) = futures_util::join!(write, readers);
    assert!(times.iter().all(|times| *times >= 3), "{times:?}");
}

async fn search_is_counted_each_time(app: &App) {
    let _world = World::new(app).await;
    let reader = app.anonymous();
    warm(&reader).await;
    for _ in 0..3 {
        let answer = reader.get("/api/v1/search?q=%E7%BB%AD%E8%88%AA").await.ok(200);
        assert!(!is_hit(&answer));
    }
}

async fn without_bytes_nothing_is_kept(app: &App) {
    let world = World::new(app).await;
    let reader = app.anonymous();
    for page in world.pages() {
        for _ in 0..2 {
            let answer = reader.get(&page).await.ok(200);
            assert!(
                !answer.header("server-timing").expect("a header").contains("cache"),
                "{answer}"
            );
        }
    }
}

async fn many_queries_stay_within_the_budget(app: &App) {
    let world = World::new(app).await;
    let reader = app.anonymous();
    warm(&reader).await;
    let hot: Vec<String> = world
        .pages()
        .into_iter()
        .filter(|page| !page.contains("/search?"))
        .collect();
    for _ in 0..5 {
        for page in &hot {
            reader.get(page).await.ok(200);
        }
    }
    let flood = |number: u32| format!("/api/v1/articles?published_from=2001-01-01T00:00:00.{number:06}Z");
    for part in 0..40 {
        let paths: Vec<String> = (0..50).map(|number| flood(part * 50 + number)).collect();
        for answer in futures_util::future::join_all(paths.iter().map(|path| reader.get(path))).await {
            answer.ok(200);
        }
        // Somebody goes on to read.
        let page = &hot[part as usize % hot.len()];
        reader.get(page).await.ok(200);
    }
    let mut kept = 0;
    for page in &hot {
        kept += usize::from(is_hit(&reader.get(page).await.ok(200)));
    }
    assert!(kept * 10 >= hot.len() * 9, "{kept} of {} hot pages are left", hot.len());
    let mut bytes = 0;
    for number in 0..2_000 {
        let answer = reader.get(&flood(number)).await.ok(200);
        if is_hit(&answer) {
            bytes += answer.body.len();
        }
    }
    assert!(bytes < 1 << 20, "{bytes} bytes are kept");
}

async fn origins_are_told_apart(app: &App) {
    let world = World::new(app).await;
    let reader = app.anonymous();
    warm(&reader).await;
    let page = format!("/api/v1/categories/{}", world.category);
    let allowed = |answer: &Answer| answer.header("access-control-allow-origin").map(str::to_owned);
    let origins = [
        "https://a.example",
        "https://b.example",
        "https://c.example",
        "null",
        "",
    ];
    for (number, origin) in origins.into_iter().enumerate() {
        let client = if origin.is_empty() {
            reader.clone()
        } else {
            reader.with("origin", origin)
        };
        let page = anew(&page, number);
        let (miss, hit) = (client.get(&page).await.ok(200), client.get(&page).await.ok(200));
        assert!(is_hit(&hit) && !is_hit(&miss));
        assert_eq!(shown(&hit), shown(&miss), "{origin}");
        let wanted = (origin.starts_with("https://a") || origin.starts_with("https://b")).then(|| origin.to_owned());
        assert_eq!(allowed(&hit), wanted);
        assert!(hit.header("vary").expect("a header").ends_with("Origin"));
        let asks = client.with("access-control-request-method", "GET");
        let preflight = asks.send(Method::OPTIONS, &page, None).await;
        assert_eq!(allowed(&preflight), wanted, "{origin}");
        let missing = client.get("/api/v1/articles/999999").await;
        assert_eq!((missing.status, allowed(&missing)), (404, wanted));
    }
}

async fn browsers_are_told_what_they_may_send(app: &App) {
    let anyone = app.anonymous();
    let browser = anyone
        .with("origin", "https://a.example")
        .with("access-control-request-method", "PATCH");
    let answer = browser.send(Method::OPTIONS, "/api/v1/articles/1", None).await.ok(200);
    assert!(answer.text().is_empty());
    let header = |name| answer.header(name).unwrap_or_default();
    assert_eq!(header("access-control-allow-origin"), "*");
    assert!(header("access-control-allow-methods").contains("PATCH"));
    assert!(header("access-control-allow-headers").contains("If-Match"));
    assert_eq!(header("access-control-max-age"), "3600");
    assert_eq!(header("access-control-allow-credentials"), "");
    // Without an origin it is a request like any other.
    assert_eq!(
        anyone.send(Method::OPTIONS, "/api/v1/articles/1", None).await.status,
        405
    );
    // Scripts can read errors, too.
    let missing = anyone
        .with("origin", "https://a.example")
        .get("/api/v1/articles/999999")
        .await;
    assert_eq!(missing.status, 404);
    assert_eq!(missing.header("access-control-allow-origin"), Some("*"));
    assert!(
        missing
            .header("access-control-expose-headers")
            .expect("a header")
            .contains("ETag")
    );
}
