//! Files in a bucket of an S3 server, which is a real one, on a port, and is stopped on the way.

use actix_web::http::Method;
use serde_json::json;

use broadsheet::config::Media;
use broadsheet::db::Db;
use broadsheet::images::Files;
use broadsheet::images::check::check;

use crate::support::pictures::{media, png};
use crate::support::s3::S3;
use crate::support::{App, Backend, run};

const IMAGES: &str = "/api/v1/images";

/// A test on each database, against a server of its own.
macro_rules! with_s3 {
    ($($scenario:ident, redirect = $redirect:literal;)+) => {
        $(mod $scenario {
            #[actix_web::test]
            async fn sqlite() {
                super::start(super::Backend::Sqlite, $redirect, async |app, s3| super::$scenario(app, s3).await).await;
            }
            #[actix_web::test]
            async fn postgres() {
                super::start(super::Backend::Postgres, $redirect, async |app, s3| super::$scenario(app, s3).await).await;
            }
        })+
    };
}

with_s3! {
    files_lie_in_the_bucket, redirect = false;
    a_file_is_one_request_to_the_store, redirect = false;
    a_file_that_breaks_off_is_not_whole, redirect = false;
    a_store_that_is_down_takes_nothing_else_along, redirect = false;
    readers_are_sent_to_the_bucket, redirect = true;
    media_check_reads_the_bucket, redirect = false;
    a_variant_that_is_made_during_a_deletion_goes_too, redirect = false;
}

async fn start(backend: Backend, redirect: bool, scenario: impl AsyncFnOnce(&App, &mut S3)) {
    let mut s3 = S3::start();
    let settings = s3.settings();
    run(
        backend,
        |config| config.media = settings(redirect),
        async |app| scenario(app, &mut s3).await,
    )
    .await;
}

/// The objects, without the prefix.
fn objects(s3: &S3) -> Vec<String> {
    let folder = s3.bucket().join("some/prefix");
    let mut found: Vec<String> = walkdir::WalkDir::new(&folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .filter_map(|entry| Some(entry.path().strip_prefix(&folder).ok()?.to_string_lossy().into_owned()))
        .collect();
    found.sort();
    found
}

/// A PNG of more than one part, as S3 counts them.
fn large_png() -> Vec<u8> {
    let mut seed = 7_u32;
    let noise = image::RgbImage::from_fn(1600, 1300, |_, _| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [a, b, c, _] = seed.to_be_bytes();
        image::Rgb([a, b, c])
    });
    crate::support::pictures::encoded(&noise.into(), image::ImageFormat::Png)
}

async fn files_lie_in_the_bucket(app: &App, s3: &mut S3) {
    let admin = app.admin().await;
    let large = large_png();
    assert!(large.len() > 5 << 20, "{}", large.len());
    let image = admin.upload(IMAGES, &large, &[("focal_x", "0.9")]).await.ok(201);
    let hash = image["data"]["hash"].as_str().expect("a hash").to_owned();
    let key = |name: &str| format!("{}/{hash}/{name}", hash.split_at(2).0);
    assert_eq!(objects(s3), [key("original")]);
    assert!(!app.config.data_dir.join("media").exists());
    let original = admin.get(&media(&hash, "original")).await;
    assert!(original.status == 200 && original.body == large);

    let reader = app.anonymous();
    let at = media(&hash, "w960.webp");
    let all = futures_util::future::join_all((0..20).map(|_| reader.get(&at))).await;
    assert!(
        all.iter()
            .all(|answer| answer.status == 200 && answer.body == all[0].body)
    );
    assert_eq!(all[0].content_type(), "image/webp");
    assert_eq!(
        all[0].header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(objects(s3), [key("original"), key("w960.webp")]);
    let part = reader.with("range", "bytes=10-1009").get(&at).await;
    assert_eq!((part.status, &part.body[..]), (206, &all[0].body[10..1010]));
    let tag = all[0].header("etag").expect("a tag").to_owned();
    assert_eq!(reader.with("if-none-match", &tag).get(&at).await.status, 304);
    let beyond = reader.with("range", "bytes=99999999-").get(&at).await;
    assert_eq!(beyond.status, 416);
    for name in ["thumb.jpg", "card.png"] {
        assert_eq!(reader.get(&media(&hash, name)).await.status, 200, "{name}");
    }
    assert_eq!(reader.get(&media(&hash, "w961.webp")).await.status, 404);
    assert_eq!(reader.get(&media(&"0".repeat(64), "w960.webp")).await.status, 404);
    assert_eq!(objects(s3).len(), 4);

    let id = image.id();
    admin.delete(&format!("{IMAGES}/{id}")).await.ok(204);
    assert_eq!(objects(s3), Vec::<String>::new());
    assert_eq!(reader.get(&at).await.status, 404);
    admin
        .upload(IMAGES, b"<svg/>", &[])
        .await
        .problem(415, "unsupported_media_type");
    assert_eq!(objects(s3), Vec::<String>::new());
}

async fn a_file_is_one_request_to_the_store(app: &App, s3: &mut S3) {
    let admin = app.admin().await;
    let image = admin.upload(IMAGES, &large_png(), &[]).await.ok(201);
    let hash = image["data"]["hash"].as_str().expect("a hash").to_owned();
    let reader = app.anonymous();
    for (name, is_large) in [("w1280.webp", true), ("thumb.webp", false)] {
        let at = media(&hash, name);
        let fresh = reader.get(&at).await;
        assert_eq!((fresh.status, fresh.body.len() > 64 << 10), (200, is_large), "{name}");
        s3.asked();
        let stored = reader.get(&at).await;
        assert_eq!(s3.asked(), [format!("GET {name}")]);
        assert!(stored.status == 200 && stored.body == fresh.body, "{name}");
        let tag = stored.header("etag").expect("a tag").to_owned();
        assert_eq!(fresh.header("etag"), Some(tag.as_str()));

        let head = reader.send(Method::HEAD, &at, None).await;
        assert_eq!(s3.asked(), [format!("HEAD {name}")]);
        let length = fresh.body.len().to_string();
        assert_eq!(
            (head.status, head.header("content-length")),
            (200, Some(length.as_str()))
        );
        assert_eq!((head.body.len(), head.header("etag")), (0, Some(tag.as_str())));
        assert_eq!(reader.with("if-none-match", &tag).get(&at).await.status, 304);
        assert_eq!(s3.asked(), [format!("HEAD {name}")]);
        let changed = reader.with("if-none-match", "\"another\"").get(&at).await;
        assert!(changed.status == 200 && changed.body == fresh.body, "{name}");
        assert_eq!(s3.asked(), [format!("HEAD {name}"), format!("GET {name}, a part")]);
        let part = reader.with("range", "bytes=10-1009").get(&at).await;
        assert_eq!((part.status, &part.body[..]), (206, &fresh.body[10..1010]));
        assert_eq!(s3.asked(), [format!("HEAD {name}"), format!("GET {name}, a part")]);
        assert_eq!(reader.with("range", "bytes=99999999-").get(&at).await.status, 416);
        assert_eq!(s3.asked(), [format!("HEAD {name}")]);
    }
    let original = admin.get(&media(&hash, "original")).await;
    assert!(original.status == 200 && original.body == large_png());
    assert_eq!(s3.asked(), ["GET original"]);

    // What has vanished is made again, as long as there is something to make it of.
    let folder = s3.bucket().join("some/prefix").join(hash.split_at(2).0).join(&hash);
    let at = media(&hash, "thumb.webp");
    std::fs::remove_file(folder.join("thumb.webp")).expect("a variant to lose");
    assert_eq!(reader.get(&at).await.status, 200);
    assert_eq!(s3.asked().first().map(String::as_str), Some("GET thumb.webp"));
    for name in ["thumb.webp", "original"] {
        std::fs::remove_file(folder.join(name)).expect("a file to lose");
    }
    reader.get(&at).await.problem(404, "not_found");
    admin.get(&media(&hash, "original")).await.problem(404, "not_found");
}

async fn a_file_that_breaks_off_is_not_whole(app: &App, s3: &mut S3) {
    let admin = app.admin().await;
    let image = admin.upload(IMAGES, &large_png(), &[]).await.ok(201);
    let hash = image["data"]["hash"].as_str().expect("a hash").to_owned();
    let reader = app.anonymous();
    let at = media(&hash, "w1280.webp");
    let whole = reader.get(&at).await;
    assert!(whole.body.len() > 256 << 10, "{}", whole.body.len());
    s3.stop();
    // It is gone on with some times, from where it broke off.
    s3.break_after(32 << 10);
    s3.start_again();
    let mut broken = awc::Client::default()
        .get(reader.url(&at))
        .send()
        .await
        .expect("an answer");
    let length = broken
        .headers()
        .get("content-length")
        .and_then(|length| length.to_str().ok());
    assert_eq!(
        (broken.status().as_u16(), length),
        (200, Some(whole.body.len().to_string().as_str()))
    );
    // This client takes the end of the connection for the end of the body.
    let body = broken.body().limit(1 << 20).await.expect("an end");
    assert!(
        body.len() < whole.body.len() && whole.body.starts_with(&body),
        "{}",
        body.len()
    );
    s3.stop();
    s3.break_after(u64::MAX);
    s3.start_again();
    assert_eq!(reader.get(&at).await.body, whole.body);
}

async fn a_store_that_is_down_takes_nothing_else_along(app: &App, s3: &mut S3) {
    let admin = app.admin().await;
    let image = admin.upload(IMAGES, &png(400, 300), &[]).await.ok(201);
    let hash = image["data"]["hash"].as_str().expect("a hash").to_owned();
    let article = json!({"title": "图文", "body": format!("![](image:{})", image.id()), "status": "published"});
    let article = admin.post("/api/v1/articles", &article).await.ok(201);
    let at = format!("/api/v1/articles/{}", article.id());
    assert_eq!(app.anonymous().get(&media(&hash, "w320.webp")).await.status, 200);
    let before = objects(s3);

    s3.stop();
    let shown = app.anonymous().get(&at).await.ok(200);
    assert_eq!(shown["data"]["title"], json!("图文"));
    assert!(
        shown["data"]["body"]["html"]
            .as_str()
            .is_some_and(|html| html.contains("<figure><img"))
    );
    app.anonymous().get("/api/v1/articles").await.ok(200);
    let refused = admin.upload(IMAGES, &png(401, 300), &[]).await;
    assert!(refused.header("retry-after").is_some());
    refused.problem(503, "unavailable");
    let refused = app.anonymous().get(&media(&hash, "w320.webp")).await;
    assert_eq!(refused.header("cache-control"), Some("no-store"));
    refused.problem(503, "unavailable");
    app.anonymous()
        .get(&media(&hash, "w640.webp"))
        .await
        .problem(503, "unavailable");
    assert_eq!(admin.get(IMAGES).await.ok(200).ids(), [image.id()]);
    assert_eq!(app.anonymous().get("/health/live").await.status, 200);

    s3.start_again();
    assert_eq!(objects(s3), before);
    assert_eq!(app.anonymous().get(&media(&hash, "w320.webp")).await.status, 200);
    assert_eq!(app.anonymous().get(&media(&hash, "w640.webp")).await.status, 200);
    admin.upload(IMAGES, &png(401, 300), &[]).await.ok(201);
    let db = Db::open(&app.config).expect("the database");
    let files = Files::open(&app.config).expect("the files");
    let verdict = check(&db, &files, false).await.expect("a verdict");
    assert!(verdict.agrees() && verdict.images == 2, "{verdict:?}");
    db.close().await;
}

async fn readers_are_sent_to_the_bucket(app: &App, s3: &mut S3) {
    let admin = app.admin().await;
    let image = admin.upload(IMAGES, &png(400, 300), &[]).await.ok(201);
    let hash = image["data"]["hash"].as_str().expect("a hash").to_owned();
    let answer = app.anonymous().get(&media(&hash, "w320.webp")).await;
    assert_eq!(answer.status, 302);
    let caching = answer.header("cache-control").expect("caching");
    assert_eq!(caching, "public, max-age=3600");
    let address = answer.header("location").expect("an address").to_owned();
    assert!(
        address.contains("/site/some/prefix/") && address.contains("X-Amz-Signature="),
        "{address}"
    );
    let mut file = awc::Client::default().get(&address).send().await.expect("an answer");
    assert_eq!(file.status().as_u16(), 200);
    let body = file.body().limit(1 << 20).await.expect("a file");
    assert_eq!(&body[8..12], b"WEBP");
    // The address is signed for `GET` alone.
    let head = app
        .anonymous()
        .send(Method::HEAD, &media(&hash, "w320.webp"), None)
        .await;
    assert_eq!((head.status, head.header("content-type")), (200, Some("image/webp")));
    assert_eq!(head.header("content-length"), Some(body.len().to_string().as_str()));
    // Nor is it read here.
    s3.asked();
    assert_eq!(app.anonymous().get(&media(&hash, "w320.webp")).await.status, 302);
    assert_eq!(s3.asked(), ["HEAD w320.webp"]);
    let accepted = app
        .anonymous()
        .with("accept", "image/webp")
        .get(&media(&hash, "w320"))
        .await;
    assert_eq!((accepted.status, accepted.header("vary")), (302, Some("Accept")));
    // What a session signs ends with it.
    let files = |config| Files::open(config).expect("the files");
    assert!(files(&app.config).storage.is_lasting());
    let mut config = app.config.clone();
    if let Media::Bucket(bucket) = &mut config.media {
        bucket
            .options
            .push(("aws_session_token".to_owned(), "a token".to_owned()));
    }
    assert!(!files(&config).storage.is_lasting());
    // Never the original.
    let original = admin.get(&media(&hash, "original")).await;
    assert_eq!((original.status, original.body), (200, png(400, 300)));
}

async fn media_check_reads_the_bucket(app: &App, s3: &mut S3) {
    let admin = app.admin().await;
    let lost = admin.upload(IMAGES, &png(90, 30), &[]).await.ok(201);
    let kept = admin.upload(IMAGES, &png(91, 30), &[]).await.ok(201);
    assert_eq!(kept["data"]["width"], json!(91));
    let db = Db::open(&app.config).expect("the database");
    let files = Files::open(&app.config).expect("the files");
    let verdict = check(&db, &files, false).await.expect("a verdict");
    assert!(verdict.agrees() && verdict.images == 2, "{verdict:?}");
    let hash = lost["data"]["hash"].as_str().expect("a hash");
    let folder = s3.bucket().join("some/prefix");
    std::fs::remove_file(folder.join(hash.split_at(2).0).join(hash).join("original")).expect("an object to lose");
    let orphan = "cd".repeat(32);
    std::fs::create_dir_all(folder.join("cd").join(&orphan)).expect("a folder");
    std::fs::write(folder.join("cd").join(&orphan).join("original"), b"whose").expect("an orphan");
    let verdict = check(&db, &files, false).await.expect("a verdict");
    assert_eq!((verdict.missing, verdict.orphans), (vec![lost.id()], vec![orphan]));
    let verdict = check(&db, &files, true).await.expect("a verdict");
    assert_eq!((verdict.orphans.len(), verdict.removed), (1, 1));
    admin.upload(IMAGES, &png(90, 30), &[]).await.ok(200);
    assert!(check(&db, &files, false).await.expect("a verdict").agrees());
    db.close().await;
}

async fn a_variant_that_is_made_during_a_deletion_goes_too(app: &App, s3: &mut S3) {
    let admin = app.admin().await;
    let photo = large_png();
    for pause in [0, 40, 80, 120, 160, 200] {
        let image = admin.upload(IMAGES, &photo, &[]).await.ok(201);
        let hash = image["data"]["hash"].as_str().expect("a hash").to_owned();
        let reader = app.anonymous();
        let made = actix_web::rt::spawn(async move { reader.get(&media(&hash, "w1280.webp")).await.status });
        tokio::time::sleep(std::time::Duration::from_millis(pause)).await;
        admin.delete(&format!("{IMAGES}/{}", image.id())).await.ok(204);
        let status = made.await.expect("an answer");
        assert!([200, 404].contains(&status), "{status}");
        assert_eq!(objects(s3), Vec::<String>::new(), "after {pause} ms");
    }
}
