//! The files: crops and their addresses, AVIF, parts, attacks, who uses what, and what `media check` finds.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use broadsheet::db::Db;
use broadsheet::images::Files;
use broadsheet::images::check::check;
use diesel::RunQueryDsl;
use serde_json::{Value, json};

use crate::support::pictures::{encoded, gradient, media, png};
use crate::support::{Answer, App, both};

both!(
    an_image_says_what_a_page_needs,
    crops_keep_the_focal_point_and_their_addresses,
    avif_is_chosen_once_it_is_there,
    an_animation_goes_on_moving,
    parts_and_heads_are_answered,
    a_variant_is_made_once_and_a_failure_is_not_kept,
    hostile_files_leave_nothing_behind,
    a_place_is_told_to_nobody,
    the_bytes_decide_and_no_name,
    what_uses_an_image_is_told,
    unused_images_are_listed,
    media_check_finds_and_mends,
    what_a_killed_upload_left_is_settled,
    pictures_of_older_versions_are_looked_at,
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
    let mut files: Vec<PathBuf> = ["media", "tmp"]
        .iter()
        .flat_map(|folder| walkdir::WalkDir::new(app.config.data_dir.join(folder)))
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
    url[url.find("/media/").expect("a path")..].to_owned()
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
        assert_eq!(address(&image, name), media(&hash, name));
        let answer = reader.get(&media(&hash, name)).await;
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(
            answer.header("cache-control"),
            Some("public, max-age=31536000, immutable")
        );
        assert_eq!(seen(&answer.body).dimensions(), size);
        assert!(has_face(&answer.body), "{name}");
    }
    // A new focal point, a new address; the old one shows what it showed.
    let before = reader.get(&media(&hash, "thumb.webp")).await;
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
    let again = reader.get(&media(&hash, "thumb.webp")).await;
    assert_eq!((again.status, &again.body), (200, &before.body));
    // One that never was is no way to fill a disk.
    let files = files_in(app);
    for focal in ["0-0", "500-500", "999-1"] {
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
    // Back to what it was: the bare address again.
    let back = admin.patch(&at, &json!({"focal_x": 0.9, "focal_y": 0.1})).await.ok(200);
    assert_eq!(address(&back, "thumb.webp"), media(&hash, "thumb.webp"));
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
    let beyond = reader.with("range", &format!("bytes={size}-")).get(&at).await;
    assert_eq!(beyond.header("content-range"), Some(format!("bytes */{size}").as_str()));
    beyond.problem(416, "range_not_satisfiable");
    let same = reader.with("if-none-match", &tag).get(&at).await;
    assert_eq!(
        (same.status, same.body.len(), same.header("etag")),
        (304, 0, Some(tag.as_str()))
    );
    let head = reader.send(awc::http::Method::HEAD, &at, None).await;
    assert_eq!(
        (head.status, head.body.len(), head.header("etag")),
        (200, 0, Some(tag.as_str()))
    );
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
    let folder = app.config.data_dir.join("media").join(&hash[..2]).join(&hash);
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 2);
    assert!(
        files_in(app)
            .iter()
            .all(|file| !file.starts_with(app.config.data_dir.join("tmp")))
    );
    // The file is torn, then whole again.
    let original = std::fs::read(folder.join("original")).expect("the file");
    std::fs::write(folder.join("original"), &original[..500]).expect("a torn file");
    assert!(reader.get(&media(&hash, "w320.webp")).await.status >= 400);
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 2);
    std::fs::write(folder.join("original"), &original).expect("the file");
    assert_eq!(reader.get(&media(&hash, "w320.webp")).await.status, 200);
}

/// A chunk of a PNG.
fn png_chunk(name: &[u8], data: &[u8]) -> Vec<u8> {
    let named = [name, data].concat();
    let mut crc = flate2::Crc::new();
    crc.update(&named);
    let length = u32::try_from(data.len()).expect("short").to_be_bytes();
    [&length[..], &named, &crc.sum().to_be_bytes()].concat()
}

/// 30,000 × 30,000 black pixels, one bit each, in some 100 kB.
fn png_bomb() -> Vec<u8> {
    let side = 30_000_u32.to_be_bytes();
    let header = [&side[..], &side, &[1, 0, 0, 0, 0]].concat();
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..30_000 {
        packed.write_all(&[0; 1 + 30_000 / 8]).expect("zeros");
    }
    let packed = packed.finish().expect("zeros");
    [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        png_chunk(b"IHDR", &header),
        png_chunk(b"IDAT", &packed),
        png_chunk(b"IEND", &[]),
    ]
    .concat()
}

fn gif_of_many_frames() -> Vec<u8> {
    let gif = moving_gif();
    let frame = gif.windows(2).position(|pair| pair == [0x21, 0xF9]).expect("a frame");
    let first = gif[frame + 8..]
        .windows(2)
        .position(|pair| pair == [0x21, 0xF9])
        .expect("another");
    let one = &gif[frame..frame + 8 + first];
    [&gif[..frame], &one.repeat(10_000), &[0x3B]].concat()
}

async fn hostile_files_leave_nothing_behind(app: &App) {
    let admin = app.admin().await;
    let jpeg = encoded(&gradient(800, 600), image::ImageFormat::Jpeg);
    let bomb = png_bomb();
    assert!(bomb.len() < 200_000, "{}", bomb.len());
    let script = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>".to_vec();
    let page = b"<!doctype html><script>alert(1)</script>".to_vec();
    // A page that begins like a GIF, and one that begins like a PNG.
    let polyglot = b"GIF89a/*<script>*/=1;alert(1)</script>".to_vec();
    let other = [b"\x89PNG\r\n\x1a\n".as_slice(), &page].concat();
    for (name, file, statuses) in [
        ("a large PNG", bomb, &[413][..]),
        ("many frames", gif_of_many_frames(), &[413]),
        ("half a JPEG", jpeg[..jpeg.len() / 2].to_vec(), &[422]),
        ("an SVG", script, &[415]),
        ("a page", page, &[415]),
        ("a GIF that is a script", polyglot, &[413, 415, 422]),
        ("a PNG that is a page", other, &[413, 415, 422]),
        ("AVIF", b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf".to_vec(), &[415]),
        ("nothing", Vec::new(), &[415]),
    ] {
        let answer = admin.upload(IMAGES, &file, &[]).await;
        assert!(
            statuses.contains(&answer.status),
            "{name}: {} {}",
            answer.status,
            answer.text()
        );
    }
    assert_eq!(files_in(app), Vec::<PathBuf>::new());
    assert_eq!(admin.get(IMAGES).await.ok(200).ids(), Vec::<i64>::new());
}

async fn a_place_is_told_to_nobody(app: &App) {
    let admin = app.admin().await;
    // Orientation 6, a GPS block, and the same words in a comment and behind the end.
    let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    exif.extend(b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0");
    exif.extend(b"\x88\x25\0\x04\0\0\0\x01\0\0\0\x26\0\0\0\0");
    exif.extend(b"\0\x01\0\x01\0\x02\0\0\0\x08\0\0\0\x38\0\0\0\0");
    exif.extend(b"GPSMARK\0");
    let jpeg = encoded(&gradient(600, 400), image::ImageFormat::Jpeg);
    let length = |data: &[u8]| u16::try_from(data.len() + 2).expect("short").to_be_bytes();
    let photo = [
        &jpeg[..2],
        &[0xff, 0xe1],
        &length(&exif),
        &exif,
        &[0xff, 0xfe],
        &length(b"GPSMARK"),
        b"GPSMARK",
        &jpeg[2..],
        b"GPSMARK",
    ]
    .concat();
    let image = admin.upload(IMAGES, &photo, &[]).await.ok(201);
    let hash = hash_of(&image);
    for variant in image["data"]["variants"].as_array().expect("variants") {
        let name = variant["name"].as_str().expect("a name");
        let answer = app.anonymous().get(&address(&image, name)).await;
        assert_eq!(answer.status, 200, "{name}");
        for trace in [b"GPSMARK".as_slice(), b"Exif"] {
            assert!(!answer.body.windows(trace.len()).any(|part| part == trace), "{name}");
        }
        if name == "w320.jpg" || name == "w320.webp" {
            let upright = seen(&answer.body);
            assert_eq!(upright.dimensions(), (320, 480), "{name}");
            // What lay at the left is on top: little red there, much below.
            assert!(
                upright.get_pixel(160, 10).0[0] < 40 && upright.get_pixel(160, 470).0[0] > 215,
                "{name}"
            );
        }
    }
    app.anonymous()
        .get(&media(&hash, "original"))
        .await
        .problem(401, "unauthenticated");
    let contributor = app.user("contributor", "c@example.com").await;
    contributor
        .get(&media(&hash, "original"))
        .await
        .problem(403, "forbidden");
    let kept = app
        .user("editor", "e@example.com")
        .await
        .get(&media(&hash, "original"))
        .await;
    assert_eq!((kept.status, &kept.body), (200, &photo));
    assert_eq!(kept.content_type(), "application/octet-stream");
}

async fn the_bytes_decide_and_no_name(app: &App) {
    const EDGE: &str = "edge";
    let admin = app.admin().await;
    let webp = encoded(&gradient(40, 30), image::ImageFormat::WebP);
    for (name, declared, file, status) in [
        ("photo.jpg", "image/jpeg", webp.clone(), 201),
        ("../../../etc/passwd\0.png", "text/html", png(41, 30), 201),
        (
            "photo.png",
            "image/png",
            b"<!doctype html><script>alert(1)</script>".to_vec(),
            415,
        ),
    ] {
        let head = format!(
            "--{EDGE}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\nContent-Type: {declared}\r\n\r\n",
            name.replace('\0', "%00")
        );
        let body = [head.as_bytes(), &file, format!("\r\n--{EDGE}--\r\n").as_bytes()].concat();
        let form = format!("multipart/form-data; boundary={EDGE}");
        let answer = admin.send(awc::http::Method::POST, IMAGES, Some((&form, body))).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.text());
        if file == webp {
            assert_eq!(answer.ok(201)["data"]["media_type"], json!("image/webp"));
        }
    }
}

async fn what_uses_an_image_is_told(app: &App) {
    let admin = app.admin().await;
    let id = admin.upload(IMAGES, &png(34, 30), &[]).await.ok(201).id();
    let at = format!("{IMAGES}/{id}?include=used_by");
    assert_eq!(admin.get(&at).await.ok(200)["data"]["used_by"], json!([]));
    let article = async |body: Value| admin.post("/api/v1/articles", &body).await.ok(201).id();
    let draft = article(json!({"title": "草稿", "body": format!("![](image:{id})")})).await;
    let shown = article(json!({"title": "公开", "status": "published", "cover_image_id": id})).await;
    let author = json!({"name": "黎明", "avatar_image_id": id});
    let author = admin.post("/api/v1/authors", &author).await.ok(201).id();
    let uses = |answer: &Answer| -> Vec<(String, i64, Value)> {
        let uses = answer["data"]["used_by"].as_array().expect("uses").iter();
        uses.map(|one| {
            let text = one["type"].as_str().expect("a type").to_owned();
            (text, one["id"].as_i64().expect("an id"), one["status"].clone())
        })
        .collect()
    };
    let all = uses(&admin.get(&at).await.ok(200));
    assert_eq!(all.len(), 3);
    for expected in [
        ("article".to_owned(), draft, json!("draft")),
        ("article".to_owned(), shown, json!("published")),
        ("author".to_owned(), author, json!(null)),
    ] {
        assert!(all.contains(&expected), "{expected:?} in {all:?}");
    }
    // A stranger is told of what a stranger sees.
    let public = uses(&app.anonymous().get(&at).await.ok(200));
    assert_eq!(public.iter().map(|one| one.1).collect::<Vec<_>>(), [shown, author]);
    let plain = admin.get(&format!("{IMAGES}/{id}")).await.ok(200);
    assert!(plain["data"].get("used_by").is_none());
    admin
        .get(&format!("{IMAGES}/{id}?include=all"))
        .await
        .problem(400, "invalid_parameter")
        .at(&["include"]);
    admin.delete(&format!("{IMAGES}/{id}")).await.problem(409, "in_use");
}

async fn unused_images_are_listed(app: &App) {
    let admin = app.admin().await;
    let mut ids = Vec::new();
    for width in 50..54 {
        ids.push(admin.upload(IMAGES, &png(width, 9), &[]).await.ok(201).id());
    }
    let article = json!({"title": "图", "cover_image_id": ids[0]});
    admin.post("/api/v1/articles", &article).await.ok(201);
    let author = json!({"name": "黎明", "avatar_image_id": ids[1]});
    admin.post("/api/v1/authors", &author).await.ok(201);
    let list = async |query: &str| admin.get(&format!("{IMAGES}?{query}")).await.ok(200);
    assert_eq!(list("used=true").await.ids(), [ids[1], ids[0]]);
    assert_eq!(list("used=false").await.ids(), [ids[3], ids[2]]);
    let first = list("used=false&limit=1").await;
    let cursor = first["meta"]["next_cursor"].as_str().expect("more").to_owned();
    assert_eq!(list(&format!("used=false&cursor={cursor}")).await.ids(), [ids[2]]);
    admin
        .get(&format!("{IMAGES}?cursor={cursor}"))
        .await
        .problem(400, "invalid_cursor");
    admin
        .get(&format!("{IMAGES}?used=maybe"))
        .await
        .problem(400, "invalid_parameter")
        .at(&["used"]);
}

async fn media_check_finds_and_mends(app: &App) {
    let admin = app.admin().await;
    let mut made = Vec::new();
    for width in 60..64 {
        let image = admin.upload(IMAGES, &png(width, 9), &[]).await.ok(201);
        made.push((image.id(), hash_of(&image)));
    }
    assert_eq!(app.anonymous().get(&media(&made[0].1, "w320.webp")).await.status, 200);
    let db = Db::open(&app.config).expect("the database");
    let files = Files::open(&app.config).expect("the files");
    let verdict = check(&db, &files).await.expect("a verdict");
    assert!(verdict.agrees() && verdict.images == 4, "{verdict:?}");

    let media_folder = app.config.data_dir.join("media");
    let folder = |hash: &str| media_folder.join(&hash[..2]).join(hash);
    std::fs::write(folder(&made[0].1).join("w640.webp"), b"").expect("an empty variant");
    std::fs::write(folder(&made[0].1).join("notes.txt"), b"mine").expect("a file of somebody");
    std::fs::remove_file(folder(&made[1].1).join("original")).expect("a file to lose");
    std::fs::write(folder(&made[2].1).join("original"), b"torn").expect("a torn file");
    let orphan = "ab".repeat(32);
    std::fs::create_dir_all(folder(&orphan)).expect("a folder");
    std::fs::write(folder(&orphan).join("original"), b"whose").expect("an orphan");

    let verdict = check(&db, &files).await.expect("a verdict");
    assert!(!verdict.agrees());
    assert_eq!((verdict.empty, verdict.orphans), (1, vec![orphan.clone()]));
    assert_eq!((verdict.missing, verdict.damaged), (vec![made[1].0], vec![made[2].0]));
    assert_eq!(verdict.foreign, [format!("{}/notes.txt", made[0].1)]);
    assert!(!folder(&orphan).exists() && folder(&made[0].1).join("notes.txt").exists());

    // The same bytes again bring the file back, and the image stays what it was.
    let again = admin.upload(IMAGES, &png(61, 9), &[("alt", "x")]).await.ok(200);
    assert_eq!((again.id(), &again["data"]["alt"]), (made[1].0, &json!(null)));
    std::fs::remove_file(folder(&made[2].1).join("original")).expect("a torn file");
    assert_eq!(admin.upload(IMAGES, &png(62, 9), &[]).await.ok(200).id(), made[2].0);
    std::fs::remove_file(folder(&made[0].1).join("notes.txt")).expect("a file of somebody");
    let verdict = check(&db, &files).await.expect("a verdict");
    assert!(verdict.agrees(), "{verdict:?}");
    assert_eq!(app.anonymous().get(&media(&made[0].1, "w640.webp")).await.status, 200);
    db.close().await;
}

async fn what_a_killed_upload_left_is_settled(app: &App) {
    let admin = app.admin().await;
    // A file in its place, its claim, and no row: as at a kill between the two.
    let bytes = png(70, 9);
    let hash = {
        let image = admin.upload(IMAGES, &bytes, &[]).await.ok(201);
        admin.delete(&format!("{IMAGES}/{}", image.id())).await.ok(204);
        hash_of(&image)
    };
    let folder = app.config.data_dir.join("media").join(&hash[..2]).join(&hash);
    let leave = |until: &str| {
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("original"), &bytes).expect("a file");
        let claim = format!("INSERT INTO image_claims (hash, token, held_until) VALUES ('{hash}', 'dead', '{until}')");
        diesel::sql_query(claim).execute(&mut app.connect()).expect("a claim");
    };
    let db = Db::open(&app.config).expect("the database");
    let files = Files::open(&app.config).expect("the files");
    // Still held: whoever it is, they are at work, and others wait.
    leave("2999-01-01T00:00:00.000000Z");
    let verdict = check(&db, &files).await.expect("a verdict");
    assert!(verdict.agrees() && folder.join("original").exists(), "{verdict:?}");
    admin.upload(IMAGES, &bytes, &[]).await.problem(503, "unavailable");
    diesel::sql_query("DELETE FROM image_claims")
        .execute(&mut app.connect())
        .expect("no claim");
    // Run out: it goes, and the same bytes may come again.
    leave("2026-01-01T00:00:00.000000Z");
    let verdict = check(&db, &files).await.expect("a verdict");
    assert_eq!((verdict.settled, folder.exists()), (1, false));
    leave("2026-01-01T00:00:00.000000Z");
    admin.upload(IMAGES, &bytes, &[]).await.ok(201);
    assert!(check(&db, &files).await.expect("a verdict").agrees());
    db.close().await;
}

async fn pictures_of_older_versions_are_looked_at(app: &App) {
    let admin = app.admin().await;
    let image = admin.upload(IMAGES, &png(80, 60), &[]).await.ok(201);
    diesel::sql_query("UPDATE images SET placeholder = NULL, color = NULL")
        .execute(&mut app.connect())
        .expect("an older row");
    let at = format!("{IMAGES}/{}", image.id());
    assert_eq!(admin.get(&at).await.ok(200)["data"]["color"], json!(null));
    let db = Db::open(&app.config).expect("the database");
    let files = Files::open(&app.config).expect("the files");
    let verdict = check(&db, &files).await.expect("a verdict");
    assert!(verdict.agrees() && verdict.looked == 1, "{verdict:?}");
    let again = admin.get(&at).await.ok(200);
    assert_eq!(again["data"]["color"], image["data"]["color"]);
    assert_eq!(again["data"]["placeholder"], image["data"]["placeholder"]);
    db.close().await;
}
