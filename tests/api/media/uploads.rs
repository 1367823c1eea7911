//! What is taken and what is refused.

use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use super::{IMAGES, address, files_in, hash_of, moving_gif, seen};
use crate::support::pictures::{encoded, gradient, media, png};
use crate::support::{App, both};

both!(
    hostile_files_leave_nothing_behind,
    a_place_is_told_to_nobody,
    the_bytes_decide_and_no_name
);

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
