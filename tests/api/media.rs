//! The files: crops and their addresses, AVIF, animations, parts.

mod keeping;
mod killed;
mod uploads;

use std::path::PathBuf;
use std::time::Duration;

use broadsheet::images::Files;
use broadsheet::images::variants::{Format, Variant};
use serde_json::json;

use crate::support::pictures::{encoded, gradient, media, png};
use crate::support::{Answer, App, both};

both!(
    an_image_says_what_a_page_needs,
    crops_keep_the_focal_point_and_their_addresses,
    avif_is_chosen_once_it_is_there,
    an_animation_goes_on_moving,
    parts_and_heads_are_answered,
    a_variant_is_made_once_and_a_failure_is_not_kept,
    too_much_at_once_is_refused_and_made_later,
    what_nobody_waits_for_is_not_made,
    a_still_of_what_moves_is_made_once,
    large_avif_is_not_made,
);

const IMAGES: &str = "/api/v1/images";

fn hash_of(image: &Answer) -> String {
    image["data"]["hash"].as_str().expect("a hash").to_owned()
}

fn seen(bytes: &[u8]) -> image::RgbImage {
    image::load_from_memory(bytes).expect("a picture").into_rgb8()
}

/// The files of the site, but for the database.
fn files_in(app: &App) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = walkdir::WalkDir::new(app.config.data_dir.join("media"))
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() && entry.path().extension().is_none_or(|ending| ending != "lock"))
        .map(walkdir::DirEntry::into_path)
        .collect();
    files.sort();
    files
}

/// The address of a variant as the image names it, without the origin.
fn address(image: &Answer, name: &str) -> String {
    let variants = image["data"]["variants"].as_array().expect("variants");
    let variant = variants.iter().find(|variant| variant["name"] == name);
    let url = variant.expect(name)["url"].as_str().expect("an address");
    url.split_at(url.find("/media/").expect("a path")).1.to_owned()
}

async fn an_image_says_what_a_page_needs(app: &App) {
    let admin = app.admin().await;
    let red = image::RgbImage::from_pixel(800, 600, image::Rgb([200, 30, 31]));
    let image = admin
        .upload(IMAGES, &encoded(&red.into(), image::ImageFormat::Png), &[])
        .await
        .ok(201);
    let data = &image["data"];
    assert_eq!(data["color"], json!("#c81e1f"));
    let placeholder = data["placeholder"].as_str().expect("a placeholder");
    assert!((20..60).contains(&placeholder.len()), "{placeholder}");
    assert_eq!(data["sizes"], json!("100vw"));
    assert_eq!(data["srcset"].as_str().map(|set| set.matches("w, ").count()), Some(1));
    let names: Vec<&str> = data["variants"]
        .as_array()
        .expect("variants")
        .iter()
        .filter_map(|variant| variant["name"].as_str())
        .collect();
    for size in ["w320", "w640", "thumb", "card", "share"] {
        for ending in ["webp", "avif", "jpg"] {
            assert!(names.contains(&format!("{size}.{ending}").as_str()), "{size}.{ending}");
        }
    }
    assert_eq!(names.len(), 15);
    for variant in data["variants"].as_array().expect("variants") {
        let name = variant["name"].as_str().expect("a name");
        if name.ends_with("avif") {
            continue;
        }
        let answer = app.anonymous().get(&address(&image, name)).await;
        let picture = seen(&answer.body);
        assert_eq!(
            (json!(picture.width()), json!(picture.height())),
            (variant["width"].clone(), variant["height"].clone()),
            "{name}"
        );
        assert_eq!(Some(answer.content_type()), variant["media_type"].as_str(), "{name}");
    }
}

async fn crops_keep_the_focal_point_and_their_addresses(app: &App) {
    let admin = app.admin().await;
    // A red face at (0.9, 0.1) on blue.
    let mut photo = image::RgbImage::from_pixel(2000, 1500, image::Rgb([20, 20, 200]));
    for (x, y) in (1750..1850).flat_map(|x| (100..200).map(move |y| (x, y))) {
        photo.put_pixel(x, y, image::Rgb([250, 10, 10]));
    }
    let photo = encoded(&photo.into(), image::ImageFormat::Jpeg);
    let fields = [("focal_x", "0.9"), ("focal_y", "0.1")];
    let image = admin.upload(IMAGES, &photo, &fields).await.ok(201);
    let (hash, at) = (hash_of(&image), format!("{IMAGES}/{}", image.id()));
    let reader = app.anonymous();
    let has_face = |bytes: &[u8]| seen(bytes).pixels().any(|pixel| pixel.0[0] > 180 && pixel.0[2] < 90);
    for (name, size) in [
        ("thumb.webp", (320, 320)),
        ("card.jpg", (640, 360)),
        ("share.webp", (1200, 630)),
    ] {
        let at = format!("{}?focal=900-100", media(&hash, name));
        assert_eq!(address(&image, name), at);
        let answer = reader.get(&at).await;
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(
            answer.header("cache-control"),
            Some("public, max-age=31536000, immutable")
        );
        assert_eq!(seen(&answer.body).dimensions(), size);
        assert!(has_face(&answer.body), "{name}");
    }
    // The bare address stands for the middle, whatever the focal point is.
    let middle = reader.get(&media(&hash, "thumb.webp")).await;
    assert!(middle.status == 200 && !has_face(&middle.body));
    let same = reader
        .get(&format!("{}?focal=500-500", media(&hash, "thumb.webp")))
        .await;
    assert_eq!((&same.body, same.header("etag")), (&middle.body, middle.header("etag")));
    // A new focal point, a new address; the old one shows what it showed.
    let first = address(&image, "thumb.webp");
    let before = reader.get(&first).await;
    let changed = admin.patch(&at, &json!({"focal_x": 0.1, "focal_y": 0.9})).await.ok(200);
    let named = address(&changed, "thumb.webp");
    assert_eq!(named, format!("{}?focal=100-900", media(&hash, "thumb.webp")));
    assert_eq!(address(&changed, "w320.webp"), media(&hash, "w320.webp"));
    let new = reader.get(&named).await;
    assert_eq!(
        (new.status, new.header("cache-control")),
        (200, Some("public, max-age=31536000, immutable"))
    );
    assert!(!has_face(&new.body));
    assert_ne!(new.header("etag"), before.header("etag"));
    let again = reader.get(&first).await;
    assert_eq!((again.status, &again.body), (200, &before.body));
    let again = reader.get(&media(&hash, "thumb.webp")).await;
    assert_eq!((again.status, &again.body), (200, &middle.body));
    // One that never was is no way to fill a disk.
    let files = files_in(app);
    for focal in ["0-0", "500-501", "999-1"] {
        let answer = reader
            .get(&format!("{}?focal={focal}", media(&hash, "card.webp")))
            .await;
        assert_eq!(answer.status, 307, "{focal}");
        assert_eq!(answer.header("location"), Some(address(&changed, "card.webp").as_str()));
        assert!(!answer.header("cache-control").expect("caching").contains("immutable"));
    }
    assert_eq!(files_in(app), files);
    for query in ["focal=1001-0", "focal=x", "focal=1-2-3", "width=7"] {
        let answer = reader.get(&format!("{}?{query}", media(&hash, "card.webp"))).await;
        assert_eq!(answer.status, 400, "{query}");
    }
    reader
        .get(&format!("{}?focal=100-900", media(&hash, "w320.webp")))
        .await
        .problem(400, "unknown_parameter")
        .at(&["focal"]);
    // Back to what it was, and to the middle.
    let back = admin.patch(&at, &json!({"focal_x": 0.9, "focal_y": 0.1})).await.ok(200);
    assert_eq!(address(&back, "thumb.webp"), first);
    let back = admin
        .patch(&at, &json!({"focal_x": null, "focal_y": null}))
        .await
        .ok(200);
    assert_eq!(address(&back, "thumb.webp"), media(&hash, "thumb.webp"));
    // Deleted, and uploaded anew with another point: no address shows anything else than before.
    admin.delete(&at).await.ok(204);
    let fields = [("focal_x", "0.2"), ("focal_y", "0.8")];
    let image = admin.upload(IMAGES, &photo, &fields).await.ok(201);
    assert_eq!(hash_of(&image), hash);
    let again = reader.get(&media(&hash, "thumb.webp")).await;
    assert_eq!(
        (&again.body, again.header("etag")),
        (&middle.body, middle.header("etag"))
    );
    assert_eq!(reader.get(&first).await.status, 307);
}

async fn avif_is_chosen_once_it_is_there(app: &App) {
    let image = app.admin().await.upload(IMAGES, &png(400, 300), &[]).await.ok(201);
    let hash = hash_of(&image);
    let modern = app.anonymous().with("accept", "image/avif,image/webp,*/*;q=0.8");
    for size in ["w320", "thumb"] {
        let first = modern.get(&media(&hash, size)).await;
        assert_eq!(
            (first.status, first.content_type(), first.header("vary")),
            (200, "image/webp", Some("Accept"))
        );
        let mut chosen = first;
        for _ in 0..300 {
            chosen = modern.get(&media(&hash, size)).await;
            if chosen.content_type() == "image/avif" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!((chosen.status, chosen.content_type()), (200, "image/avif"), "{size}");
        assert_eq!(&chosen.body[4..12], b"ftypavif");
        let old = app.anonymous().with("accept", "image/*").get(&media(&hash, size)).await;
        assert_eq!(old.content_type(), "image/jpeg");
    }
    // Asked for by name it is made at once.
    let named = app.anonymous().get(&media(&hash, "card.avif")).await;
    assert_eq!((named.status, named.content_type()), (200, "image/avif"));
    modern
        .get(&media(&"0".repeat(64), "w320"))
        .await
        .problem(404, "not_found");
}

fn moving_gif() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut bytes);
    for shade in [10, 120, 240] {
        let frame = image::RgbaImage::from_pixel(64, 48, image::Rgba([shade, 20, 20, 255]));
        encoder.encode_frame(image::Frame::new(frame)).expect("a frame");
    }
    drop(encoder);
    bytes
}

async fn an_animation_goes_on_moving(app: &App) {
    let image = app.admin().await.upload(IMAGES, &moving_gif(), &[]).await.ok(201);
    let hash = hash_of(&image);
    let reader = app.anonymous().with("accept", "image/avif,image/webp");
    let is_moving = |bytes: &[u8]| bytes.windows(4).any(|name| name == b"ANMF");
    let webp = reader.get(&media(&hash, "w320.webp")).await;
    assert!(webp.status == 200 && is_moving(&webp.body));
    // A still AVIF is for those who ask for it by name.
    let avif = reader.get(&media(&hash, "w320.avif")).await;
    assert_eq!((avif.status, avif.content_type()), (200, "image/avif"));
    let accepted = reader.get(&media(&hash, "w320")).await;
    assert_eq!(
        (accepted.content_type(), is_moving(&accepted.body)),
        ("image/webp", true)
    );
    let still = reader.get(&media(&hash, "w320.png")).await;
    assert_eq!(seen(&still.body).get_pixel(5, 5).0[0], 10);
}

async fn parts_and_heads_are_answered(app: &App) {
    let admin = app.admin().await;
    // Larger than what is read at once.
    let mut noise = gradient(900, 700).into_rgb8();
    let mut seed = 7_u32;
    for pixel in noise.pixels_mut() {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        pixel.0[2] = seed.to_be_bytes()[0];
    }
    let image = admin
        .upload(IMAGES, &encoded(&noise.into(), image::ImageFormat::Png), &[])
        .await
        .ok(201);
    let at = media(&hash_of(&image), "w960.png");
    let reader = app.anonymous();
    let whole = reader.get(&at).await;
    let size = whole.body.len();
    assert!(whole.status == 200 && size > 300_000, "{size}");
    assert_eq!(seen(&whole.body).dimensions(), (900, 700));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    let tag = whole.header("etag").expect("a tag").to_owned();
    assert!(tag.starts_with('"') && tag.contains("w960.png"));
    for (range, from, to) in [
        ("bytes=0-0".to_owned(), 0, 1),
        ("bytes=100-299999".to_owned(), 100, 300_000),
        (format!("bytes={}-", size - 10), size - 10, size),
        ("bytes=-7".to_owned(), size - 7, size),
        ("bytes=5-99999999999".to_owned(), 5, size),
    ] {
        let part = reader.with("range", &range).get(&at).await;
        assert_eq!((part.status, &part.body[..]), (206, &whole.body[from..to]), "{range}");
        assert_eq!(
            part.header("content-range"),
            Some(format!("bytes {from}-{}/{size}", to - 1).as_str())
        );
        let other = reader
            .with("range", &range)
            .with("if-range", "\"other\"")
            .get(&at)
            .await;
        assert_eq!((other.status, other.body.len()), (200, size));
    }
    // Who waited for it to be made gets what those get who come later.
    let at_first = media(&hash_of(&image), "w640.png");
    let part = reader.with("range", "bytes=60000-199999").get(&at_first).await;
    let later = reader.get(&at_first).await;
    assert_eq!((part.status, &part.body[..]), (206, &later.body[60_000..200_000]));
    assert_eq!(part.header("etag"), later.header("etag"));
    assert_eq!(whole.body, reader.get(&at).await.body);
    let beyond = reader.with("range", &format!("bytes={size}-")).get(&at).await;
    assert_eq!(beyond.header("content-range"), Some(format!("bytes */{size}").as_str()));
    beyond.problem(416, "range_not_satisfiable");
    let same = reader.with("if-none-match", &tag).get(&at).await;
    assert_eq!(
        (same.status, same.body.len(), same.header("etag")),
        (304, 0, Some(tag.as_str()))
    );
    let beyond = format!("bytes={size}-");
    for reader in [
        &reader,
        &reader.with("range", "bytes=0-9"),
        &reader.with("range", &beyond),
    ] {
        let head = reader.send(awc::http::Method::HEAD, &at, None).await;
        assert_eq!(
            (head.status, head.body.len(), head.header("etag")),
            (200, 0, Some(tag.as_str()))
        );
        assert_eq!(
            (head.header("content-length"), head.header("content-range")),
            (Some(size.to_string().as_str()), None)
        );
    }
    for method in [
        awc::http::Method::POST,
        awc::http::Method::DELETE,
        awc::http::Method::PUT,
    ] {
        assert_eq!(reader.send(method, &at, None).await.status, 405);
    }
}

async fn a_variant_is_made_once_and_a_failure_is_not_kept(app: &App) {
    let admin = app.admin().await;
    let image = admin.upload(IMAGES, &png(1500, 1000), &[]).await.ok(201);
    let hash = hash_of(&image);
    let reader = app.anonymous();
    let at = media(&hash, "w960.webp");
    let all = futures_util::future::join_all((0..50).map(|_| reader.get(&at))).await;
    assert!(
        all.iter()
            .all(|answer| answer.status == 200 && answer.body == all[0].body)
    );
    let folder = app.config.data_dir.join("media").join(hash.split_at(2).0).join(&hash);
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 2);
    assert!(
        files_in(app)
            .iter()
            .all(|file| !file.starts_with(app.config.data_dir.join("media/tmp")))
    );
    // The file is torn, then whole again.
    let original = std::fs::read(folder.join("original")).expect("the file");
    std::fs::write(folder.join("original"), &original[..500]).expect("a torn file");
    for _ in 0..2 {
        assert_eq!(reader.get(&media(&hash, "w320.webp")).await.status, 422);
    }
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 2);
    std::fs::write(folder.join("original"), &original).expect("the file");
    assert_eq!(reader.get(&media(&hash, "w320.webp")).await.status, 200);
}

async fn too_much_at_once_is_refused_and_made_later(app: &App) {
    let admin = app.admin().await;
    let mut addresses = Vec::new();
    for width in [1001, 1002, 1003, 1004] {
        let hash = hash_of(&admin.upload(IMAGES, &png(width, 800), &[]).await.ok(201));
        for size in ["w320", "w640", "w960", "w1280", "w1920", "thumb", "card", "share"] {
            addresses.extend(["webp", "jpg", "png"].map(|ending| media(&hash, &format!("{size}.{ending}"))));
        }
    }
    let reader = app.anonymous();
    let all = futures_util::future::join_all(addresses.iter().map(|at| reader.get(at))).await;
    for answer in &all {
        let told = answer.header("retry-after").is_some();
        assert!(
            answer.status == 200 || (answer.status == 503 && told),
            "{}",
            answer.text()
        );
    }
    for at in addresses {
        assert_eq!(reader.get(&at).await.status, 200, "{at}");
    }
}

async fn what_nobody_waits_for_is_not_made(app: &App) {
    let image = app.admin().await.upload(IMAGES, &png(1600, 1300), &[]).await.ok(201);
    let hash = hash_of(&image);
    let files = Files::open(&app.config).expect("the files");
    let all: Vec<Variant> = Variant::offered((1600, 1300), true, None)
        .filter(|variant| variant.format != Format::Avif)
        .collect();
    let made = futures_util::future::join_all(all.iter().map(|variant| files.make(&hash, *variant, true)));
    let late = tokio::time::timeout(Duration::from_millis(30), made).await;
    assert!(late.is_err(), "so many were made in no time");
    // What had begun is made; then there is nothing more to do.
    let folder = app.config.data_dir.join("media").join(hash.split_at(2).0).join(&hash);
    let count = || std::fs::read_dir(&folder).expect("a folder").count();
    let mut before = 0;
    while before < count() {
        before = count();
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    assert!(before < all.len(), "{before}");
    for variant in &all {
        files.make(&hash, *variant, true).await.expect("a variant");
    }
    assert_eq!(count(), all.len() + 1);
}

async fn a_still_of_what_moves_is_made_once(app: &App) {
    let image = app.admin().await.upload(IMAGES, &moving_gif(), &[]).await.ok(201);
    let hash = hash_of(&image);
    let reader = app.anonymous().with("accept", "image/avif,image/webp");
    assert_eq!(reader.get(&media(&hash, "w320.avif")).await.status, 200);
    let folder = app.config.data_dir.join("media").join(hash.split_at(2).0).join(&hash);
    let made = || {
        let meta = std::fs::metadata(folder.join("w320.still.avif")).expect("a still");
        meta.modified().expect("a time")
    };
    let before = made();
    for _ in 0..4 {
        assert_eq!(reader.get(&media(&hash, "w320")).await.content_type(), "image/webp");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(made(), before);
}

async fn large_avif_is_not_made(app: &App) {
    let image = app.admin().await.upload(IMAGES, &png(1000, 9000), &[]).await.ok(201);
    let hash = hash_of(&image);
    let reader = app.anonymous().with("accept", "image/avif");
    let names = image["data"]["variants"].as_array().expect("variants").iter();
    assert!(names.clone().any(|variant| variant["name"] == "w320.avif"));
    assert!(!names.clone().any(|variant| variant["name"] == "w960.avif"));
    reader.get(&media(&hash, "w960.avif")).await.problem(404, "not_found");
    assert_eq!(reader.get(&media(&hash, "w960")).await.content_type(), "image/jpeg");
}
