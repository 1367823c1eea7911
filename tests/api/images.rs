//! Images: what comes in, what goes out, and who may.

use serde_json::json;

use crate::support::pictures::{encoded, gradient, media, png};
use crate::support::{App, both};

both!(
    an_upload_is_known_by_its_content,
    what_is_no_image_is_refused,
    variants_are_made_and_kept,
    a_format_follows_accept,
    pictures_stand_upright_and_without_metadata,
    only_what_is_shown_is_public,
    contributors_change_their_own,
    deleting_takes_the_files_along,
    the_list_goes_on_by_cursor,
    bad_fields_are_named,
);

const IMAGES: &str = "/api/v1/images";

async fn an_upload_is_known_by_its_content(app: &App) {
    let admin = app.admin().await;
    let first = admin
        .upload(
            IMAGES,
            &png(640, 400),
            &[("alt", "封面"), ("caption", "图1"), ("focal_x", "0.25")],
        )
        .await
        .ok(201);
    let image = &first["data"];
    assert_eq!(
        first.header("location"),
        Some(format!("{IMAGES}/{}", first.id()).as_str())
    );
    assert_eq!(
        (&image["width"], &image["height"], &image["media_type"]),
        (&json!(640), &json!(400), &json!("image/png"))
    );
    assert_eq!(
        (&image["alt"], &image["credit"], &image["focal"]),
        (&json!("封面"), &json!(null), &json!({"x": 0.25, "y": 0.5}))
    );
    let srcset = image["srcset"].as_str().expect("a srcset");
    assert!(
        srcset.contains("w320.webp 320w, ") && srcset.ends_with("w640.webp 640w"),
        "{srcset}"
    );
    assert!(
        image["variants"]
            .as_array()
            .is_some_and(|variants| variants.len() == 15)
    );
    let again = admin.upload(IMAGES, &png(640, 400), &[("alt", "别的")]).await.ok(200);
    assert_eq!((again.id(), &again["data"]["alt"]), (first.id(), &json!("封面")));
    let at_once = futures_util::future::join_all((0..6).map(|_| {
        let admin = admin.clone();
        async move { admin.upload(IMAGES, &png(50, 50), &[]).await }
    }))
    .await;
    let statuses: Vec<_> = at_once.iter().map(|answer| answer.status).collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == 201).count(),
        1,
        "{statuses:?}"
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == 200).count(),
        5,
        "{statuses:?}"
    );
}

async fn what_is_no_image_is_refused(app: &App) {
    let admin = app.admin().await;
    let whole = png(200, 100);
    for bytes in [
        b"<svg xmlns='http://www.w3.org/2000/svg'/>".as_slice(),
        b"<html><script>alert(1)</script>",
        b"%PDF-1.7",
        b"MZ\x90",
    ] {
        admin
            .upload(IMAGES, bytes, &[])
            .await
            .problem(415, "unsupported_media_type");
    }
    for bytes in [&whole[..whole.len() / 2], &whole[..40], &[]] {
        let answer = admin.upload(IMAGES, bytes, &[]).await;
        assert!([415, 422].contains(&answer.status), "{}", answer.text());
    }
    // A head that claims more pixels than there may be.
    let mut bomb = whole.clone();
    bomb[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let answer = admin.upload(IMAGES, &bomb, &[]).await;
    assert!([413, 422].contains(&answer.status), "{}", answer.text());
    admin
        .upload(IMAGES, &vec![0xff; (20 << 20) + 1], &[])
        .await
        .problem(413, "too_large")
        .at(&["#/file"]);
    admin
        .post(IMAGES, &json!({}))
        .await
        .problem(415, "unsupported_media_type");
    app.anonymous()
        .upload(IMAGES, &whole, &[])
        .await
        .problem(401, "unauthenticated");
    app.key("preview")
        .await
        .upload(IMAGES, &whole, &[])
        .await
        .problem(403, "forbidden");
    assert_eq!(admin.get(IMAGES).await.ok(200).ids(), Vec::<i64>::new());
}

async fn variants_are_made_and_kept(app: &App) {
    let admin = app.admin().await;
    let image = admin.upload(IMAGES, &png(1000, 500), &[]).await.ok(201);
    let hash = image["data"]["hash"].as_str().expect("a hash").to_owned();
    let reader = app.anonymous();
    for (name, media_type, format, width) in [
        ("w320.webp", "image/webp", image::ImageFormat::WebP, 320),
        ("w960.jpg", "image/jpeg", image::ImageFormat::Jpeg, 960),
        ("w1920.webp", "image/webp", image::ImageFormat::WebP, 1000),
        ("w640.png", "image/png", image::ImageFormat::Png, 640),
    ] {
        let answer = reader.get(&media(&hash, name)).await;
        assert_eq!(
            (answer.status, answer.content_type()),
            (200, media_type),
            "{name}: {}",
            answer.text()
        );
        let made = image::load_from_memory_with_format(&answer.body, format).expect("a picture");
        assert_eq!((made.width(), made.height()), (width, width / 2), "{name}");
        assert_eq!(
            answer.header("cache-control"),
            Some("public, max-age=31536000, immutable")
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(
            answer.header("content-security-policy"),
            Some("default-src 'none'; sandbox")
        );
        let tag = answer.header("etag").expect("a tag").to_owned();
        assert!(!tag.starts_with("W/"));
        let again = reader.with("if-none-match", &tag).get(&media(&hash, name)).await;
        assert_eq!((again.status, again.body.len()), (304, 0), "{name}");
    }
    let part = reader.with("range", "bytes=0-9").get(&media(&hash, "w320.webp")).await;
    assert_eq!((part.status, part.body.len()), (206, 10));
    let many = futures_util::future::join_all((0..20).map(|_| reader.get("/media/x/y"))).await;
    assert!(many.iter().all(|answer| answer.status == 404));
    let at = media(&hash, "w1280.jpg");
    let many = futures_util::future::join_all((0..20).map(|_| reader.get(&at))).await;
    assert!(
        many.iter()
            .all(|answer| answer.status == 200 && answer.body == many[0].body)
    );
    let unknown = "0".repeat(64);
    for path in [
        media(&hash, "w321.webp"),
        media(&hash, "w320.gif"),
        media(&hash, "W320.webp"),
        media(&hash, "original.png"),
        media(&hash, "..%2foriginal"),
        media(&hash, "w320.webp%00"),
        media(&unknown, "w320.webp"),
        media("..", "w320.webp"),
        media(&hash.to_uppercase(), "w320.webp"),
        format!("/media/{hash}/"),
        "/media/..%2f..%2fbroadsheet.db/x".to_owned(),
    ] {
        let answer = reader.get(&path).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    reader
        .get(&media(&hash, "original"))
        .await
        .problem(401, "unauthenticated");
    let original = admin.get(&media(&hash, "original")).await;
    assert_eq!(
        (original.status, original.header("cache-control")),
        (200, Some("private, no-store"))
    );
    assert_eq!(original.body, png(1000, 500));
}

async fn a_format_follows_accept(app: &App) {
    let image = app.admin().await.upload(IMAGES, &png(400, 400), &[]).await.ok(201);
    let at = media(image["data"]["hash"].as_str().expect("a hash"), "w320");
    for (accept, media_type) in [
        ("image/avif,image/webp,*/*", "image/webp"),
        ("image/webp;q=0, image/*", "image/jpeg"),
        ("image/jpeg", "image/jpeg"),
        ("*/*", "image/jpeg"),
    ] {
        let answer = app.anonymous().with("accept", accept).get(&at).await;
        assert_eq!(
            (answer.status, answer.content_type(), answer.header("vary")),
            (200, media_type, Some("Accept")),
            "{accept}"
        );
    }
}

/// A JPEG of 60 × 40 pixels with an EXIF block that turns it by 90° and names a secret.
fn turned_jpeg() -> Vec<u8> {
    let jpeg = encoded(&gradient(60, 40), image::ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    exif.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0"); // Orientation = 6
    exif.extend(b"\x01\x0e\0\x02\0\0\0\x08\0\0\0\x26"); // ImageDescription at 38
    exif.extend(b"\0\0\0\0SECRET!\0");
    let length = u16::try_from(exif.len() + 2).expect("short").to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &exif, &jpeg[2..]].concat()
}

async fn pictures_stand_upright_and_without_metadata(app: &App) {
    let image = app.admin().await.upload(IMAGES, &turned_jpeg(), &[]).await.ok(201);
    assert_eq!(
        (&image["data"]["width"], &image["data"]["height"]),
        (&json!(40), &json!(60))
    );
    let hash = image["data"]["hash"].as_str().expect("a hash");
    for name in ["w320.webp", "w320.jpg", "w320.png"] {
        let answer = app.anonymous().get(&media(hash, name)).await;
        let made = image::load_from_memory(&answer.body).expect("a picture");
        assert_eq!((made.width(), made.height()), (40, 60), "{name}");
        for trace in [b"SECRET!".as_slice(), b"Exif"] {
            assert!(
                !answer.body.windows(trace.len()).any(|window| window == trace),
                "{name}"
            );
        }
    }
}

async fn only_what_is_shown_is_public(app: &App) {
    let admin = app.admin().await;
    let id = admin.upload(IMAGES, &png(30, 30), &[]).await.ok(201).id();
    let at = format!("{IMAGES}/{id}");
    let stranger = app.anonymous();
    stranger.get(&at).await.problem(404, "not_found");
    stranger.get(IMAGES).await.problem(401, "unauthenticated");
    app.key("read").await.get(IMAGES).await.problem(403, "forbidden");
    let article = json!({"title": "图", "body": format!("![](image:{id})")});
    let article = admin.post("/api/v1/articles", &article).await.ok(201).id();
    stranger.get(&at).await.problem(404, "not_found");
    let article = format!("/api/v1/articles/{article}");
    admin
        .with("if-match", "*")
        .patch(&article, &json!({"status": "published"}))
        .await
        .ok(200);
    stranger.get(&at).await.ok(200);
    admin
        .with("if-match", "*")
        .patch(&article, &json!({"body": "没有图"}))
        .await
        .ok(200);
    stranger.get(&at).await.problem(404, "not_found");
    admin.delete(&at).await.ok(204);
}

async fn contributors_change_their_own(app: &App) {
    let one = app.user("contributor", "one@example.com").await;
    let two = app.user("contributor", "two@example.com").await;
    let id = one
        .upload(IMAGES, &png(31, 30), &[("caption", "旧")])
        .await
        .ok(201)
        .id();
    let at = format!("{IMAGES}/{id}");
    let changed = one
        .patch(&at, &json!({"caption": null, "alt": "新", "focal_y": 1}))
        .await
        .ok(200);
    assert_eq!(
        (&changed["data"]["caption"], &changed["data"]["alt"]),
        (&json!(null), &json!("新"))
    );
    assert_eq!(changed["data"]["focal"], json!({"x": 0.5, "y": 1.0}));
    two.patch(&at, &json!({"alt": "x"})).await.problem(403, "forbidden");
    two.delete(&at).await.problem(403, "forbidden");
    app.user("editor", "three@example.com")
        .await
        .patch(&at, &json!({"credit": "编辑"}))
        .await
        .ok(200);
    one.patch(&at, &json!({"hash": "x", "width": 1, "focal_x": 2}))
        .await
        .problem(422, "unknown_field")
        .at(&["#/hash", "#/width"]);
    one.patch(&at, &json!({"focal_x": 2}))
        .await
        .problem(422, "invalid_field")
        .at(&["#/focal_x"]);
    one.delete(&at).await.ok(204);
}

async fn deleting_takes_the_files_along(app: &App) {
    let admin = app.admin().await;
    let image = admin.upload(IMAGES, &png(32, 30), &[]).await.ok(201);
    let hash = image["data"]["hash"].as_str().expect("a hash");
    let at = media(hash, "w320.webp");
    assert_eq!(app.anonymous().get(&at).await.status, 200);
    admin.delete(&format!("{IMAGES}/{}", image.id())).await.ok(204);
    assert_eq!(app.anonymous().get(&at).await.status, 404);
    let files = walkdir::WalkDir::new(&app.config.data_dir)
        .into_iter()
        .filter_map(Result::ok);
    let left: Vec<_> = files
        .filter(|entry| entry.path().to_string_lossy().contains(hash))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let next = admin.upload(IMAGES, &png(32, 30), &[]).await.ok(201);
    assert!(next.id() > image.id());
}

async fn the_list_goes_on_by_cursor(app: &App) {
    let admin = app.admin().await;
    let mut made = Vec::new();
    for width in 1..=5 {
        made.push(admin.upload(IMAGES, &png(width, 9), &[]).await.ok(201).id());
    }
    made.reverse();
    let first = admin.get(&format!("{IMAGES}?limit=3")).await.ok(200);
    let next = first["links"]["next"].as_str().expect("more").to_owned();
    let second = admin.get(&next).await.ok(200);
    assert_eq!([first.ids(), second.ids()].concat(), made);
    assert_eq!(second["meta"]["next_cursor"], json!(null));
    admin
        .get(&format!("{IMAGES}?page=1"))
        .await
        .problem(400, "unknown_parameter")
        .at(&["page"]);
}

async fn bad_fields_are_named(app: &App) {
    let admin = app.admin().await;
    let picture = png(33, 30);
    admin
        .upload(IMAGES, &picture, &[("width", "7")])
        .await
        .problem(422, "unknown_field")
        .at(&["#/width"]);
    admin
        .upload(IMAGES, &picture, &[("focal_x", "2")])
        .await
        .problem(422, "invalid_field")
        .at(&["#/focal_x"]);
    admin
        .upload(IMAGES, &picture, &[("alt", "a\u{0}b")])
        .await
        .problem(422, "invalid_field")
        .at(&["#/alt"]);
    admin
        .upload(IMAGES, &picture, &[("alt", "x"), ("alt", "y")])
        .await
        .problem(422, "invalid_field")
        .at(&["#/alt"]);
    assert_eq!(admin.get(IMAGES).await.ok(200).ids(), Vec::<i64>::new());
}
