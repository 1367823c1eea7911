//! What is kept, what uses it, and what is mended.

use broadsheet::db::Db;
use broadsheet::images::Files;
use broadsheet::images::check::check;
use diesel::RunQueryDsl;
use serde_json::{Value, json};

use super::{IMAGES, hash_of};
use crate::support::pictures::{media, png};
use crate::support::{Answer, App, both};

both!(
    what_uses_an_image_is_told,
    unused_images_are_listed,
    media_check_finds_and_mends,
    a_database_that_knows_nothing_removes_nothing,
    what_a_killed_upload_left_is_settled,
    pictures_of_older_versions_are_looked_at
);

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
    let verdict = check(&db, &files, false).await.expect("a verdict");
    assert!(verdict.agrees() && verdict.images == 4, "{verdict:?}");

    let media_folder = app.config.data_dir.join("media");
    let folder = |hash: &str| media_folder.join(hash.split_at(2).0).join(hash);
    std::fs::write(folder(&made[0].1).join("w640.webp"), b"").expect("an empty variant");
    std::fs::write(folder(&made[0].1).join("notes.txt"), b"mine").expect("a file of somebody");
    std::fs::remove_file(folder(&made[1].1).join("original")).expect("a file to lose");
    std::fs::write(folder(&made[2].1).join("original"), b"torn").expect("a torn file");
    let orphan = "ab".repeat(32);
    std::fs::create_dir_all(folder(&orphan)).expect("a folder");
    std::fs::write(folder(&orphan).join("original"), b"whose").expect("an orphan");
    let leftover = "cd".repeat(32);
    std::fs::create_dir_all(folder(&leftover)).expect("a folder");
    std::fs::write(folder(&leftover).join("w320.webp"), b"of what").expect("a leftover");
    // Nothing of ours: another start.
    std::fs::create_dir_all(media_folder.join("ef").join(&orphan)).expect("a folder");
    std::fs::write(media_folder.join("ef").join(&orphan).join("original"), b"no").expect("a file");

    let verdict = check(&db, &files, false).await.expect("a verdict");
    assert!(!verdict.agrees());
    assert_eq!((verdict.empty, verdict.leftovers, verdict.removed), (1, 1, 0));
    assert_eq!(verdict.orphans, std::slice::from_ref(&orphan));
    assert_eq!((verdict.missing, verdict.damaged), (vec![made[1].0], vec![made[2].0]));
    assert_eq!(verdict.foreign, [format!("{}/notes.txt", made[0].1)]);
    assert!(folder(&orphan).join("original").exists() && folder(&made[0].1).join("notes.txt").exists());
    let verdict = check(&db, &files, true).await.expect("a verdict");
    assert_eq!((verdict.orphans, verdict.removed), (vec![orphan.clone()], 1));
    assert!(!folder(&orphan).exists() && folder(&made[0].1).join("original").exists());

    // The same bytes again bring the file back, and the image stays what it was.
    let again = admin.upload(IMAGES, &png(61, 9), &[("alt", "x")]).await.ok(200);
    assert_eq!((again.id(), &again["data"]["alt"]), (made[1].0, &json!(null)));
    assert_eq!(admin.upload(IMAGES, &png(62, 9), &[]).await.ok(200).id(), made[2].0);
    std::fs::remove_file(folder(&made[0].1).join("notes.txt")).expect("a file of somebody");
    let verdict = check(&db, &files, false).await.expect("a verdict");
    assert!(verdict.agrees(), "{verdict:?}");
    assert_eq!(app.anonymous().get(&media(&made[0].1, "w640.webp")).await.status, 200);
    db.close().await;
}

async fn a_database_that_knows_nothing_removes_nothing(app: &App) {
    let image = app.admin().await.upload(IMAGES, &png(66, 9), &[]).await.ok(201);
    let original = app.config.data_dir.join("media").join(hash_of(&image).split_at(2).0);
    let original = original.join(hash_of(&image)).join("original");
    // As beside an empty database: the row alone goes.
    diesel::sql_query("DELETE FROM images")
        .execute(&mut app.connect())
        .expect("no image");
    let db = Db::open(&app.config).expect("the database");
    let files = Files::open(&app.config).expect("the files");
    for remove in [false, true] {
        let verdict = check(&db, &files, remove).await.expect("a verdict");
        assert!(!verdict.agrees());
        assert_eq!((verdict.orphans.len(), verdict.removed), (1, 0));
        assert!(original.exists());
    }
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
    let folder = app.config.data_dir.join("media").join(hash.split_at(2).0).join(&hash);
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
    let verdict = check(&db, &files, false).await.expect("a verdict");
    assert!(verdict.agrees() && folder.join("original").exists(), "{verdict:?}");
    admin.upload(IMAGES, &bytes, &[]).await.problem(503, "unavailable");
    diesel::sql_query("DELETE FROM image_claims")
        .execute(&mut app.connect())
        .expect("no claim");
    // Run out: it goes, and the same bytes may come again.
    leave("2026-01-01T00:00:00.000000Z");
    let verdict = check(&db, &files, false).await.expect("a verdict");
    assert_eq!((verdict.settled, folder.exists()), (1, false));
    leave("2026-01-01T00:00:00.000000Z");
    admin.upload(IMAGES, &bytes, &[]).await.ok(201);
    assert!(check(&db, &files, false).await.expect("a verdict").agrees());
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
    // One whose file is missing for now is not given up, and stops nobody.
    let other = admin.upload(IMAGES, &png(81, 60), &[]).await.ok(201);
    let hash = hash_of(&image);
    let folder = app.config.data_dir.join("media").join(hash.split_at(2).0).join(&hash);
    std::fs::rename(folder.join("original"), folder.join("elsewhere")).expect("a file");
    diesel::sql_query("UPDATE images SET placeholder = NULL, color = NULL")
        .execute(&mut app.connect())
        .expect("an older row");
    let verdict = check(&db, &files, false).await.expect("a verdict");
    assert_eq!((verdict.looked, verdict.missing), (1, vec![image.id()]));
    let seen = admin.get(&format!("{IMAGES}/{}", other.id())).await.ok(200);
    assert_eq!(seen["data"]["color"], other["data"]["color"]);
    std::fs::rename(folder.join("elsewhere"), folder.join("original")).expect("a file");
    let verdict = check(&db, &files, false).await.expect("a verdict");
    assert!(verdict.agrees() && verdict.looked == 1, "{verdict:?}");
    let again = admin.get(&at).await.ok(200);
    assert_eq!(again["data"]["color"], image["data"]["color"]);
    assert_eq!(again["data"]["placeholder"], image["data"]["placeholder"]);
    db.close().await;
}
