//! Folders of Markdown come in beside the running server, and the demo fills an empty one.

use std::fs;
use std::path::Path;

use broadsheet::cli::demo;
use broadsheet::cli::import::{Report, markdown};
use broadsheet::config::Database;
use broadsheet::db::Db;
use broadsheet::server;
use serde_json::{Value, json};

use crate::support::{Answer, App, Client, both};

both!(
    a_folder_comes_in_once,
    a_changed_file_changes_its_article_alone,
    what_only_the_api_says_outlives_an_import,
    front_matter_fills_the_fields,
    dates_are_in_the_zone_of_the_site,
    categories_are_paths_that_are_made_once,
    pictures_are_uploaded_once,
    broken_files_are_reported_and_the_others_come_in,
    slugs_that_others_have_are_left_to_them,
    drafts_are_for_those_who_are_signed_in,
    the_demo_fills_an_empty_database_once,
    the_demo_makes_an_admin_where_nobody_could_sign_in,
);

const ARTICLES: &str = "/api/v1/articles";

/// A folder with these files.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary folder");
    for (name, content) in files {
        write(dir.path(), name, content);
    }
    dir
}

fn write(dir: &Path, name: &str, content: &[u8]) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder");
    fs::write(path, content).expect("the file");
}

/// Imports on connections of its own, as the command does.
async fn import(app: &App, dir: &Path) -> Report {
    let db = Db::open(&app.config).expect("the database opens");
    let report = markdown(&db, &app.config, dir, |step| assert!(step.done < step.all)).await;
    db.close().await;
    report.expect("the folder comes in")
}

/// New, changed, unchanged, failed.
fn counts(report: &Report) -> (usize, usize, usize, usize) {
    (report.new, report.changed, report.unchanged, report.failed.len())
}

/// The article of a file, with its body, as an admin sees it.
async fn article(app: &App, file: &str, body_format: &str) -> Value {
    let admin = app.admin().await;
    let path = format!("{ARTICLES}?external_id=markdown:{file}&include=body&body_format={body_format}");
    let path = format!("{path}&status=draft,scheduled,published,archived");
    let answer = admin.get(&path).await.ok(200);
    assert_eq!(answer.ids().len(), 1, "{file}: {answer}");
    answer["data"][0].clone()
}

/// What everybody sees. Past the cache, which follows another process only a moment later.
async fn public(app: &App) -> Answer {
    app.key("read")
        .await
        .get(&format!("{ARTICLES}?count=exact"))
        .await
        .ok(200)
}

fn picture(shade: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = image::RgbImage::from_pixel(40, 30, image::Rgb([shade, 120, 60]));
    picture
        .write_to(&mut std::io::Cursor::new(&mut bytes), image::ImageFormat::Png)
        .expect("a picture");
    bytes
}

async fn a_folder_comes_in_once(app: &App) {
    let dir = folder(&[
        (
            "b/第二期.md",
            "# 第二期：海啸\n\n开头一段。\n\n## 小节\n\n正文。".as_bytes(),
        ),
        ("a.markdown", b"\xef\xbb\xbfno heading\r\n\r\nsecond paragraph"),
        (".hidden/c.md", b"# hidden"),
        ("node_modules/d/README.md", b"# module"),
        ("e.txt", b"no Markdown"),
    ]);
    let before = public(app).await;
    assert_eq!(before["meta"]["total"], 0, "{before}");
    let report = import(app, dir.path()).await;
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");

    // The server that runs meanwhile looks 20 times a second whether another process wrote.
    actix_web::rt::time::sleep(std::time::Duration::from_millis(500)).await;
    let list = public(app).await;
    assert_eq!(list["meta"]["total"], 2, "{list}");
    let hits = app.anonymous().get("/api/v1/search?q=海啸").await.ok(200);
    assert_eq!(hits["data"][0]["external_id"], "markdown:b/第二期.md", "{hits}");

    let first = article(app, "b/第二期.md", "blocks").await;
    assert_eq!(first["title"], "第二期：海啸");
    assert_eq!(first["status"], "published");
    assert_eq!(
        first["body"]["blocks"][0]["type"], "paragraph",
        "the heading has left the body: {first}"
    );
    assert_eq!(first["body"]["blocks"][1]["level"], 2, "{first}");
    let second = article(app, "a.markdown", "text").await;
    assert_eq!(second["title"], "a");
    assert_eq!(second["body"]["text"], "no heading\n\nsecond paragraph");

    let report = import(app, dir.path()).await;
    assert_eq!(counts(&report), (0, 0, 2, 0), "{report}");
    assert_eq!(
        article(app, "b/第二期.md", "blocks").await,
        first,
        "a second import changes nothing"
    );
    assert_eq!(public(app).await["meta"]["total"], 2);
}

async fn a_changed_file_changes_its_article_alone(app: &App) {
    let dir = folder(&[("a.md", b"# A\n\none"), ("b.md", b"# B\n\none")]);
    import(app, dir.path()).await;
    let (a, b) = (article(app, "a.md", "text").await, article(app, "b.md", "text").await);
    write(dir.path(), "a.md", b"# A2\n\ntwo");
    let report = import(app, dir.path()).await;
    assert_eq!(counts(&report), (0, 1, 1, 0), "{report}");
    let changed = article(app, "a.md", "text").await;
    assert_eq!(
        (&changed["title"], &changed["body"]["text"]),
        (&json!("A2"), &json!("two"))
    );
    for name in ["id", "slug", "published_at", "created_at"] {
        assert_eq!(changed[name], a[name], "{name} stays");
    }
    assert_eq!(article(app, "b.md", "text").await, b);

    // A file that is gone leaves its article there.
    fs::remove_file(dir.path().join("b.md")).expect("the file goes");
    assert_eq!(counts(&import(app, dir.path()).await), (0, 0, 1, 0));
    assert_eq!(article(app, "b.md", "text").await, b);
}

async fn what_only_the_api_says_outlives_an_import(app: &App) {
    let dir = folder(&[("a.md", b"# A\n\none")]);
    import(app, dir.path()).await;
    let id = article(app, "a.md", "text").await["id"].clone();
    let fields = json!({"featured": true, "metadata": {"score": 9}, "status": "archived"});
    let admin = app.admin().await.with("If-Match", "*");
    admin.patch(&format!("{ARTICLES}/{id}"), &fields).await.ok(200);
    assert_eq!(counts(&import(app, dir.path()).await), (0, 0, 1, 0));
    write(dir.path(), "a.md", b"# A\n\ntwo");
    assert_eq!(counts(&import(app, dir.path()).await), (0, 1, 0, 0));
    let after = article(app, "a.md", "text").await;
    assert_eq!(after["body"]["text"], "two");
    for (name, value) in fields.as_object().expect("an object") {
        assert_eq!(after[name], *value, "{name}");
    }
}

async fn front_matter_fills_the_fields(app: &App) {
    let yaml = "---\ntitle: 小米14 评测\ndate: 2026-01-13T12:31:54+08:00\ntags: [小米, 评测, 3.10]\nauthors: [黎明, 周末]\n\
                permalink: /2026/01/mi-14.html\naliases: [/old/mi14/]\ndescription: 续航多了两个小时。\nlang: en\ntoc: true\nmath: false\n---\n\n正文。\n\n<!-- more -->\n\n余下。";
    let toml = "+++\ntitle = \"海啸\"\ndate = 2026-01-13T12:31:54\nauthor = \"黎明\"\ntags = []\n+++\n正文。";
    let dir = folder(&[("yaml.md", yaml.as_bytes()), ("toml.md", toml.as_bytes())]);
    let report = import(app, dir.path()).await;
    assert_eq!(counts(&report), (2, 0, 0, 0), "{report}");
    assert_eq!(report.unknown.keys().collect::<Vec<_>>(), ["math", "toc"], "{report}");

    let first = article(app, "yaml.md", "text").await;
    let names = |list: &Value| {
        let items = list.as_array().expect("a list");
        items.iter().map(|item| item["name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(
        (&first["title"], &first["slug"]),
        (&json!("小米14 评测"), &json!("mi-14"))
    );
    assert_eq!(first["published_at"], "2026-01-13T04:31:54Z");
    assert_eq!(first["created_at"], first["published_at"]);
    assert_eq!(
        (&first["summary"], &first["locale"]),
        (&json!("续航多了两个小时。"), &json!("en"))
    );
    assert_eq!(names(&first["tags"]), ["小米", "评测", "3.10"]);
    assert_eq!(names(&first["authors"]), ["黎明", "周末"]);
    assert_eq!(first["body"]["text"], "正文。\n\n余下。");
    let moved = app.anonymous().get(&format!("{ARTICLES}/by-slug/mi14")).await;
    assert_eq!(moved.status, 308, "{moved}");

    let second = article(app, "toml.md", "text").await;
    assert_eq!(second["published_at"], "2026-01-13T04:31:54Z");
    assert_eq!(
        second["authors"][0]["id"], first["authors"][0]["id"],
        "one author of a name"
    );
    assert_eq!(counts(&import(app, dir.path()).await), (0, 0, 2, 0));

    // What leaves the front matter leaves the article.
    write(dir.path(), "yaml.md", "---\ntitle: 小米14 评测\n---\n正文。".as_bytes());
    assert_eq!(counts(&import(app, dir.path()).await), (0, 1, 1, 0));
    let bare = article(app, "yaml.md", "text").await;
    assert_eq!((&bare["tags"], &bare["authors"]), (&json!([]), &json!([])));
    assert_eq!(
        (&bare["summary"], &bare["published_at"]),
        (&json!("正文。"), &first["published_at"])
    );
}

async fn dates_are_in_the_zone_of_the_site(app: &App) {
    let file = b"title: Hexo\ndate: 2018-7-24 23:31:06\ntags:\n---\n\ntext";
    let dir = folder(&[("_posts/hexo.md", file)]);
    assert_eq!(counts(&import(app, dir.path()).await), (1, 0, 0, 0));
    let hexo = article(app, "_posts/hexo.md", "text").await;
    assert_eq!(
        (&hexo["title"], &hexo["published_at"]),
        (&json!("Hexo"), &json!("2018-07-24T15:31:06Z"))
    );
    assert_eq!(hexo["body"]["text"], "text");
    let zone = json!({"time_zone": "UTC"});
    app.admin().await.patch("/api/v1/site", &zone).await.ok(200);
    assert_eq!(counts(&import(app, dir.path()).await), (0, 1, 0, 0));
    assert_eq!(
        article(app, "_posts/hexo.md", "text").await["published_at"],
        "2018-07-24T23:31:06Z"
    );
}

async fn categories_are_paths_that_are_made_once(app: &App) {
    let admin = app.admin().await;
    let news = json!({"name": "News", "slug": "xin-wen"});
    let news = admin.post("/api/v1/categories", &news).await.ok(201).id();
    let dir = folder(&[
        ("a.md", "---\ncategories:\n- news\n- 评测\n---\na".as_bytes()),
        (
            "b.md",
            "---\ncategories: [[xin-wen, 评测], [其他, 手机]]\n---\nb".as_bytes(),
        ),
        ("c.md", "---\ncategory: 评测\n---\nc".as_bytes()),
    ]);
    let report = import(app, dir.path()).await;
    assert_eq!((counts(&report), report.notes.len()), ((3, 0, 0, 0), 1), "{report}");
    let a = article(app, "a.md", "text").await;
    let b = article(app, "b.md", "text").await;
    let c = article(app, "c.md", "text").await;
    assert_eq!(a["category"]["name"], "评测");
    assert_eq!(a["category"]["ancestors"][0]["id"], news);
    assert_eq!(a["category"]["id"], b["category"]["id"], "found by name and by slug");
    assert_eq!(b["tags"][0]["name"], "手机");
    assert_eq!(c["category"]["ancestors"], json!([]), "at the root it is another");
    let list = admin.get("/api/v1/categories").await.ok(200);
    assert_eq!(list.ids().len(), 3, "{list}");
    assert_eq!(counts(&import(app, dir.path()).await), (0, 0, 3, 0));
}

async fn pictures_are_uploaded_once(app: &App) {
    let body = "---\ntitle: 图\ncover: /assets/一.png\n---\n![甲](../assets/%E4%B8%80.png \"图1\")\n\n<p>看 <img src='/assets/b.png'></p>\n\n\
                ![丙](own.png)\n\n![网](https://example.org/x.png)\n\n![无](missing.png)\n\n![坏](/assets/broken.png)\n\n`![码](own.png)`";
    let dir = folder(&[
        ("_posts/图.md", body.as_bytes()),
        ("_posts/图/own.png", &picture(3)),
        ("assets/一.png", &picture(1)),
        ("assets/b.png", &picture(1)),
        ("assets/broken.png", b"no picture"),
    ]);
    let report = import(app, dir.path()).await;
    assert_eq!(
        (counts(&report), report.pictures),
        ((1, 0, 0, 0), 2),
        "the same bytes are one picture: {report}"
    );
    let notes: Vec<_> = report.notes.iter().map(|note| note.text.as_str()).collect();
    assert!(
        notes.len() == 2 && notes[0].contains("missing.png") && notes[1].contains("broken.png"),
        "{report}"
    );

    let shown = article(app, "_posts/图.md", "blocks").await;
    let pictures: Vec<_> = shown["body"]["blocks"]
        .as_array()
        .expect("blocks")
        .iter()
        .filter(|block| block["type"] == "image")
        .collect();
    assert_eq!(pictures[0]["image"]["id"], shown["cover"]["id"], "{shown}");
    assert_eq!(
        (&pictures[0]["alt"], &pictures[0]["caption"]),
        (&json!("甲"), &json!("图1"))
    );
    let source = article(app, "_posts/图.md", "source").await["body"]["source"].clone();
    let source = source.as_str().expect("the source");
    for kept in [
        "(https://example.org/x.png)",
        "(missing.png)",
        "(/assets/broken.png)",
        "`![码](own.png)`",
    ] {
        assert!(source.contains(kept), "{kept}: {source}");
    }
    assert_eq!(source.matches("image:").count(), 3, "{source}");
    let file = shown["cover"]["srcset"]
        .as_str()
        .expect("srcset")
        .split(' ')
        .next()
        .expect("an address");
    let file = file.split_once("/media/").expect("an address of a file").1;
    app.anonymous().get(&format!("/media/{file}")).await.ok(200);

    let report = import(app, dir.path()).await;
    assert_eq!((counts(&report), report.pictures), ((0, 0, 1, 0), 0), "{report}");
}

async fn broken_files_are_reported_and_the_others_come_in(app: &App) {
    let long = format!("# {}\n\ntext", "长".repeat(301));
    let large = "字".repeat(500_000);
    let dir = folder(&[
        ("a.md", b"---\ntitle: [broken\n---\ntext"),
        ("b.md", b"---\ntitle: B\ndate: soon\n---\ntext"),
        ("c.md", b"\xff\xfe\x00"),
        ("d.md", long.as_bytes()),
        ("e.md", large.as_bytes()),
        ("f.md", b"text with \0"),
        ("g.md", b"![x](image:999)"),
        ("z.md", b"# Z"),
    ]);
    let report = import(app, dir.path()).await;
    assert_eq!(counts(&report), (1, 0, 0, 7), "{report}");
    let failed: Vec<_> = report
        .failed
        .iter()
        .map(|note| (note.file.as_str(), note.text.as_str()))
        .collect();
    for ((file, reason), (name, word)) in failed.iter().zip([
        ("a.md", "YAML"),
        ("b.md", "date"),
        ("c.md", "UTF-8"),
        ("d.md", "title"),
        ("e.md", "MiB"),
        ("f.md", "NUL"),
        ("g.md", "999"),
    ]) {
        assert!(
            *file == name && reason.contains(word) && !reason.contains('\n'),
            "{file}: {reason}"
        );
    }
    let list = public(app).await;
    assert_eq!(
        (&list["meta"]["total"], &list["data"][0]["title"]),
        (&json!(1), &json!("Z"))
    );
    assert!(
        report
            .to_string()
            .ends_with("1 new, 0 changed, 0 unchanged, 7 failed; 0 pictures uploaded"),
        "{report}"
    );
}

async fn slugs_that_others_have_are_left_to_them(app: &App) {
    let dir = folder(&[
        ("a/post.md", b"---\ntitle: One\nslug: post\naliases: [old]\n---\n1"),
        ("b/post.md", b"---\ntitle: Two\nslug: post\naliases: [old]\n---\n2"),
    ]);
    let report = import(app, dir.path()).await;
    assert_eq!((counts(&report), report.notes.len()), ((2, 0, 0, 0), 2), "{report}");
    assert_eq!(article(app, "a/post.md", "text").await["slug"], "post");
    assert_eq!(article(app, "b/post.md", "text").await["slug"], "two");
    assert_eq!(counts(&import(app, dir.path()).await), (0, 0, 2, 0));
}

async fn drafts_are_for_those_who_are_signed_in(app: &App) {
    let dir = folder(&[
        ("a.md", b"---\ntitle: A\ndraft: true\n---\na"),
        ("b.md", b"---\ntitle: B\npublished: false\n---\nb"),
        ("_drafts/c.md", b"---\ntitle: C\n---\nc"),
        ("d.md", b"---\ntitle: D\ndate: 2999-01-01\n---\nd"),
    ]);
    assert_eq!(counts(&import(app, dir.path()).await), (4, 0, 0, 0));
    assert_eq!(public(app).await["meta"]["total"], 0);
    for file in ["a.md", "b.md", "_drafts/c.md"] {
        assert_eq!(article(app, file, "text").await["status"], "draft", "{file}");
    }
    assert_eq!(article(app, "d.md", "text").await["status"], "scheduled");
    assert_eq!(counts(&import(app, dir.path()).await), (0, 0, 4, 0));
    write(dir.path(), "a.md", b"---\ntitle: A\n---\na");
    assert_eq!(counts(&import(app, dir.path()).await), (0, 1, 3, 0));
    assert_eq!(public(app).await["data"][0]["title"], "A");
}

async fn the_demo_fills_an_empty_database_once(app: &App) {
    let db = Db::open(&app.config).expect("the database opens");
    let made = demo::fill(&db, &app.config)
        .await
        .expect("the demo comes in")
        .expect("the database was empty");
    let list = public(app).await;
    assert_eq!(list["meta"]["total"], made - 2, "one is scheduled, one a draft: {list}");
    let admin = app.admin().await;
    for status in ["draft", "scheduled"] {
        let one = admin.get(&format!("{ARTICLES}?status={status}")).await.ok(200);
        assert_eq!(one.ids().len(), 1, "{one}");
    }
    for shown in list["data"].as_array().expect("a list") {
        assert!(
            shown["cover"]["id"].is_i64() && shown["authors"][0]["name"].is_string(),
            "{shown}"
        );
        assert_eq!(shown["category"]["ancestors"][0]["name"], "News", "{shown}");
    }
    let first = app
        .anonymous()
        .get(&format!("{ARTICLES}/{}?body_format=blocks", list.ids()[0]))
        .await
        .ok(200);
    let kinds: Vec<_> = first["data"]["body"]["blocks"]
        .as_array()
        .expect("blocks")
        .iter()
        .map(|block| block["type"].as_str().expect("a type"))
        .collect();
    for kind in ["paragraph", "heading", "image", "table", "list"] {
        assert!(kinds.contains(&kind), "{kind}: {first}");
    }
    let site = app.anonymous().get("/api/v1/site").await.ok(200);
    assert_eq!(site["data"]["name"], "数码晚报");
    assert_eq!(
        site["data"]["navigation"][0]["children"][0]["label"], "评测资讯",
        "{site}"
    );

    assert_eq!(
        demo::fill(&db, &app.config).await,
        Ok(None),
        "there are articles already"
    );
    assert_eq!(public(app).await["meta"]["total"], made - 2);
    db.close().await;
}

async fn the_demo_makes_an_admin_where_nobody_could_sign_in(app: &App) {
    let mut config = app.config.clone();
    config.admin = None;
    let demo = demo::prepare(&mut config).await.expect("the demo comes in");
    assert!(
        demo.articles.is_some() && demo.admin.is_none(),
        "the tests have an admin: {demo:?}"
    );

    let data = tempfile::tempdir().expect("a temporary folder");
    config.data_dir = data.path().to_owned();
    config.database = Database::Sqlite(data.path().join("demo.db"));
    let demo = demo::prepare(&mut config).await.expect("the demo comes in");
    let (email, password) = demo.admin.clone().expect("an admin");
    let running = server::start(config.clone()).await.expect("the server starts");
    let signed_in = Client::new(running.address).login(&email, &password).await;
    let me = signed_in.get("/api/v1/auth/me").await.ok(200);
    assert_eq!(me["data"]["role"], "admin", "{me}");
    running.stop().await;

    config.admin = None;
    let demo = demo::prepare(&mut config).await.expect("the demo looks");
    assert!(
        demo.articles.is_none() && demo.admin.is_none(),
        "both are there already: {demo:?}"
    );
}
