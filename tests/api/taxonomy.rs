//! What categories, tags and authors have in common.

mod authors;
mod categories;
mod listed;
mod tags;

use actix_web::http::Method;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{App, Bearer, Client, both};

both!(
    editors_write_and_everybody_reads,
    slugs_are_made_from_names_and_numbered,
    one_of_many_takes_a_slug,
    one_name_at_once_makes_a_slug_for_each,
    a_slug_leads_to_its_thing_and_a_former_one_nowhere,
    bad_bodies_are_named_and_change_nothing,
    bodies_that_are_no_objects_are_refused,
    addresses_that_name_nothing_are_404,
    no_endpoint_takes_what_it_does_not_know,
    ids_are_never_used_again,
    an_article_that_comes_meanwhile_keeps_what_it_names,
    an_empty_patch_changes_nothing,
    answers_can_be_validated_and_cached,
    a_walk_by_cursor_meets_each_once,
    cursors_of_other_lists_are_refused,
);

const CATEGORIES: &str = "/api/v1/categories";
const TAGS: &str = "/api/v1/tags";
const AUTHORS: &str = "/api/v1/authors";
const ALL: [&str; 3] = [CATEGORIES, TAGS, AUTHORS];
const ARTICLES: &str = "/api/v1/articles";

/// Makes one; its id.
async fn made(editor: &Client<Bearer>, list: &str, body: Value) -> i64 {
    editor.post(list, &body).await.ok(201).id()
}

/// Writes an article, published unless `more` says otherwise; its id.
async fn article(editor: &Client<Bearer>, title: &str, more: Value) -> i64 {
    let mut body = json!({"title": title, "status": "published"});
    for (key, value) in more.as_object().expect("an object") {
        body[key] = value.clone();
    }
    editor.post(ARTICLES, &body).await.ok(201).id()
}

/// One field of each row of a list.
fn column<'a>(list: &'a Value, field: &str) -> Vec<&'a Value> {
    let rows = list["data"].as_array().expect("a list");
    rows.iter().map(|row| &row[field]).collect()
}

async fn editors_write_and_everybody_reads(app: &App) {
    let admin = app.admin().await;
    let editor = app.user("editor", "editor@example.com").await;
    let contributor = app.user("contributor", "contributor@example.com").await;
    let (writer, preview) = (app.key("write").await, app.key("preview").await);
    for (at, list) in ALL.into_iter().enumerate() {
        let body = |name: &str| json!({"name": format!("{name}{at}")});
        // Who may not is told so before anything that is wrong with the body.
        let wrong = json!({"bogus": 1});
        app.anonymous().post(list, &wrong).await.problem(401, "unauthenticated");
        contributor.post(list, &wrong).await.problem(403, "forbidden");
        preview.post(list, &wrong).await.problem(403, "forbidden");
        let id = editor.post(list, &body("甲")).await.ok(201).id();
        writer.post(list, &body("乙")).await.ok(201);
        admin.post(list, &body("丙")).await.ok(201);

        let one = format!("{list}/{id}");
        for path in [one.as_str(), list, &format!("{list}/by-slug/jia-{at}")] {
            app.anonymous().get(path).await.ok(200);
            contributor.get(path).await.ok(200);
            let stale = app.anonymous().with("authorization", "Bearer nonsense");
            stale.get(path).await.problem(401, "invalid_token");
        }
        app.anonymous()
            .patch(&one, &wrong)
            .await
            .problem(401, "unauthenticated");
        contributor.patch(&one, &wrong).await.problem(403, "forbidden");
        app.anonymous().delete(&one).await.problem(401, "unauthenticated");
        contributor.delete(&one).await.problem(403, "forbidden");
        contributor.delete(&format!("{list}/x")).await.problem(403, "forbidden");
        assert_eq!(
            app.anonymous().get(&one).await.ok(200)["data"]["name"],
            format!("甲{at}")
        );
        editor.delete(&one).await.ok(204);
        app.anonymous().get(&one).await.problem(404, "not_found");
    }
}

async fn slugs_are_made_from_names_and_numbered(app: &App) {
    let admin = app.admin().await;
    for list in ALL {
        let first = admin.post(list, &json!({"name": " 小米 "})).await.ok(201);
        assert_eq!(
            first.header("location"),
            Some(format!("{list}/{}", first.id()).as_str())
        );
        assert_eq!(
            (&first["data"]["name"], &first["data"]["slug"]),
            (&json!("小米"), &json!("xiao-mi"))
        );
        assert_eq!(first["data"]["article_count"], 0);
        // Other names of the same sound.
        let second = admin.post(list, &json!({"name": "晓米"})).await.ok(201);
        assert_eq!(second["data"]["slug"], "xiao-mi-2");
        admin
            .post(list, &json!({"name": "晓蜜", "slug": "xiao-mi-4"}))
            .await
            .ok(201);
        let third = admin.post(list, &json!({"name": "小蜜", "slug": null})).await.ok(201);
        assert_eq!(third["data"]["slug"], "xiao-mi-3");
        let fifth = admin.post(list, &json!({"name": "小秘"})).await.ok(201);
        assert_eq!(fifth["data"]["slug"], "xiao-mi-5");
        let given = admin.post(list, &json!({"name": "x", "slug": "小米_14"})).await.ok(201);
        assert_eq!(given["data"]["slug"], "小米_14");
        app.anonymous().get(&format!("{list}/by-slug/小米_14")).await.ok(200);

        let taken = admin.post(list, &json!({"name": "y", "slug": "XIAO-MI"})).await;
        taken.problem(409, "slug_taken").at(&["#/slug"]);
        let taken = admin
            .patch(&format!("{list}/{}", given.id()), &json!({"slug": "xiao-mi"}))
            .await;
        taken.problem(409, "slug_taken").at(&["#/slug"]);
        let same = admin
            .patch(&format!("{list}/{}", given.id()), &json!({"slug": "小米_14"}))
            .await;
        assert_eq!(same.ok(200)["data"]["slug"], "小米_14");
    }
}

async fn one_of_many_takes_a_slug(app: &App) {
    let admin = app.admin().await;
    for list in ALL {
        let bodies: Vec<_> = (0..20)
            .map(|n| json!({"name": format!("n{n}"), "slug": "wanted"}))
            .collect();
        let answers = join_all(bodies.iter().map(|body| admin.post(list, body))).await;
        let mut made = 0;
        for answer in answers {
            if answer.status == 201 {
                made += 1;
            } else {
                answer.problem(409, "slug_taken").at(&["#/slug"]);
            }
        }
        assert_eq!(made, 1, "{list}");
    }
}

async fn one_name_at_once_makes_a_slug_for_each(app: &App) {
    let admin = app.admin().await;
    for list in [CATEGORIES, AUTHORS] {
        let body = json!({"name": "同名"});
        let mut slugs = Vec::new();
        for answer in join_all((0..12).map(|_| admin.post(list, &body))).await {
            slugs.push(answer.ok(201)["data"]["slug"].as_str().expect("a slug").to_owned());
        }
        slugs.sort();
        let mut expected: Vec<_> = (2..=12).map(|n| format!("tong-ming-{n}")).collect();
        expected.push("tong-ming".to_owned());
        expected.sort();
        assert_eq!(slugs, expected, "{list}");
    }
}

async fn a_slug_leads_to_its_thing_and_a_former_one_nowhere(app: &App) {
    let admin = app.admin().await;
    for list in ALL {
        let id = made(&admin, list, json!({"name": "旧", "slug": "jiu-ming"})).await;
        let one = format!("{list}/{id}");
        let by_id = app.anonymous().get(&one).await.ok(200);
        let by_slug = app.anonymous().get(&format!("{list}/by-slug/jiu-ming")).await.ok(200);
        assert_eq!(by_id.json, by_slug.json);
        let renamed = admin.patch(&one, &json!({"name": "新"})).await.ok(200);
        assert_eq!(
            (&renamed["data"]["name"], &renamed["data"]["slug"]),
            (&json!("新"), &json!("jiu-ming"))
        );
        admin.patch(&one, &json!({"slug": "新"})).await.ok(200);
        let answer = app.anonymous().get(&format!("{list}/by-slug/jiu-ming")).await;
        answer.problem(404, "not_found");
        assert_eq!(
            app.anonymous()
                .get(&format!("{list}/by-slug/%E6%96%B0"))
                .await
                .ok(200)
                .id(),
            id
        );
        let again = made(&admin, list, json!({"name": "另一个", "slug": "jiu-ming"})).await;
        assert_ne!(again, id);
    }
}

async fn bad_bodies_are_named_and_change_nothing(app: &App) {
    let admin = app.admin().await;
    for list in ALL {
        let id = made(&admin, list, json!({"name": "原"})).await;
        let one = format!("{list}/{id}");
        let before = admin.get(&one).await.ok(200);
        let all = admin.get(list).await.ok(200);
        for (body, places) in [
            (json!({"name": ""}), ["#/name"].as_slice()),
            (json!({"name": "\u{3000} "}), &["#/name"]),
            (json!({"name": "\u{200b}"}), &["#/name"]),
            (json!({"name": "字".repeat(101)}), &["#/name"]),
            (json!({"name": "a\u{0}b"}), &["#/name"]),
            (json!({"name": "a\nb"}), &["#/name"]),
            (json!({"name": 7}), &["#/name"]),
            (json!({"name": ["a"]}), &["#/name"]),
            (json!({"name": "a", "slug": ""}), &["#/slug"]),
            (json!({"name": "a", "slug": "a/b"}), &["#/slug"]),
            (json!({"name": "a", "slug": "a\u{0}"}), &["#/slug"]),
            (json!({"name": "a", "slug": "-a"}), &["#/slug"]),
            (json!({"name": "a", "slug": "字".repeat(201)}), &["#/slug"]),
            (json!({"name": "a", "slug": 1}), &["#/slug"]),
            (json!({"name": "\u{7}", "slug": "a b"}), &["#/name", "#/slug"]),
        ] {
            admin.post(list, &body).await.problem(422, "invalid_field").at(places);
            admin.patch(&one, &body).await.problem(422, "invalid_field").at(places);
        }
        admin
            .post(list, &json!({}))
            .await
            .problem(422, "invalid_field")
            .at(&["#/name"]);
        admin
            .post(list, &json!({"name": null}))
            .await
            .problem(422, "invalid_field")
            .at(&["#/name"]);
        for (body, places) in [
            (json!({"name": null}), ["#/name"].as_slice()),
            (json!({"slug": null}), &["#/slug"]),
            (json!({"name": null, "slug": null}), &["#/name", "#/slug"]),
        ] {
            admin.patch(&one, &body).await.problem(422, "invalid_field").at(places);
        }
        let unknown = json!({"name": "a", "bogus": 1, "id": 5, "article_count": 3});
        for answer in [admin.post(list, &unknown).await, admin.patch(&one, &unknown).await] {
            answer
                .problem(422, "unknown_field")
                .at(&["#/bogus", "#/id", "#/article_count"]);
        }
        assert_eq!(admin.get(&one).await.ok(200).json, before.json);
        assert_eq!(admin.get(list).await.ok(200).json, all.json);
    }
}

async fn bodies_that_are_no_objects_are_refused(app: &App) {
    let admin = app.admin().await;
    for list in ALL {
        let one = format!("{list}/{}", made(&admin, list, json!({"name": "原"})).await);
        for (text, status, code) in [
            ("", 400, "malformed_json"),
            ("{\"name\": \"a\"", 400, "malformed_json"),
            ("{\"name\": \"\\ud800\"}", 400, "malformed_json"),
            ("null", 422, "invalid_field"),
            ("\"name\"", 422, "invalid_field"),
            ("{\"name\": \"a\", \"name\": \"b\"}", 422, "invalid_field"),
        ] {
            for (method, path) in [(Method::POST, list), (Method::PATCH, one.as_str())] {
                let body = Some(("application/json", text.as_bytes().to_vec()));
                admin.send(method, path, body).await.problem(status, code);
            }
        }
        for content_type in ["text/plain", "application/merge-patch+json"] {
            let answer = admin
                .send(Method::POST, list, Some((content_type, b"{}".to_vec())))
                .await;
            answer.problem(415, "unsupported_media_type");
        }
        let plain = Some(("application/json", b"{\"name\": \"b\"}".to_vec()));
        assert_eq!(
            admin.send(Method::PATCH, &one, plain).await.ok(200)["data"]["name"],
            "b"
        );
    }
}

async fn addresses_that_name_nothing_are_404(app: &App) {
    let admin = app.admin().await;
    for list in ALL {
        for id in [
            "0",
            "-1",
            "1.0",
            "x",
            "999999",
            "9007199254740992",
            "9223372036854775808",
            "%00",
            "1%20",
        ] {
            let one = format!("{list}/{id}");
            admin.get(&one).await.problem(404, "not_found");
            admin.patch(&one, &json!({"name": "a"})).await.problem(404, "not_found");
            admin.patch(&one, &json!({})).await.problem(404, "not_found");
            admin.delete(&one).await.problem(404, "not_found");
        }
        for slug in ["nothing", "%00", "%FF", "a%2Fb", "%27", "字"] {
            admin
                .get(&format!("{list}/by-slug/{slug}"))
                .await
                .problem(404, "not_found");
        }
        admin.delete(list).await.problem(405, "method_not_allowed");
        let answer = admin.patch(&format!("{list}/by-slug/x"), &json!({})).await;
        assert_eq!(
            answer.problem(405, "method_not_allowed").header("allow"),
            Some("GET, HEAD")
        );
    }
}

async fn no_endpoint_takes_what_it_does_not_know(app: &App) {
    let admin = app.admin().await;
    for list in ALL {
        let one = format!("{list}/{}", made(&admin, list, json!({"name": "原"})).await);
        let query = "?bogus=1&other=2";
        for answer in [
            admin.get(&format!("{list}{query}")).await,
            admin.get(&format!("{one}{query}")).await,
            admin.get(&format!("{list}/by-slug/yuan{query}")).await,
            admin.post(&format!("{list}{query}"), &json!({"name": "a"})).await,
            admin.patch(&format!("{one}{query}"), &json!({"name": "a"})).await,
            admin.delete(&format!("{one}{query}")).await,
        ] {
            answer.problem(400, "unknown_parameter").at(&["bogus", "other"]);
        }
        assert_eq!(column(&admin.get(list).await.ok(200).json, "name"), ["原"]);
    }
    let answer = admin.get(&format!("{CATEGORIES}?limit=5&cursor=x")).await;
    answer.problem(400, "unknown_parameter").at(&["limit", "cursor"]);
    for list in [TAGS, AUTHORS] {
        for (query, place) in [
            ("limit=0", "limit"),
            ("limit=101", "limit"),
            ("limit=-1", "limit"),
            ("limit=1&limit=2", "limit"),
            ("count=yes", "count"),
        ] {
            let answer = admin.get(&format!("{list}?{query}")).await;
            answer.problem(400, "invalid_parameter").at(&[place]);
        }
        let answer = admin.get(&format!("{list}?page=1")).await;
        answer.problem(400, "unknown_parameter").at(&["page"]);
    }
}

async fn ids_are_never_used_again(app: &App) {
    let admin = app.admin().await;
    for list in ALL {
        let first = made(&admin, list, json!({"name": "甲"})).await;
        let last = made(&admin, list, json!({"name": "乙"})).await;
        assert!(last > first);
        for id in [first, last] {
            admin.delete(&format!("{list}/{id}")).await.ok(204);
            admin.delete(&format!("{list}/{id}")).await.problem(404, "not_found");
        }
        let next = made(&admin, list, json!({"name": "甲"})).await;
        assert!(next > last, "{list}: {next} after {last}");
    }
}

async fn an_article_that_comes_meanwhile_keeps_what_it_names(app: &App) {
    let admin = app.admin().await;
    for (list, place) in [(CATEGORIES, "category_id"), (AUTHORS, "author_ids")] {
        for round in 0..10 {
            let id = made(&admin, list, json!({"name": format!("n{round}")})).await;
            let one = format!("{list}/{id}");
            let named = if list == AUTHORS { json!([id]) } else { json!(id) };
            let body = json!({"title": "x", place: named});
            let deleting = async { admin.delete(&one).await };
            let (deleted, written) = futures_util::future::join(deleting, admin.post(ARTICLES, &body)).await;
            let stands = admin.get(&one).await.status == 200;
            assert_eq!(deleted.status, if stands { 409 } else { 204 }, "{deleted}");
            if stands {
                let at = format!("{ARTICLES}/{}", written.ok(201).id());
                admin.with("if-match", "*").delete(&at).await.ok(204);
            } else {
                written.problem(422, "invalid_field");
            }
        }
    }
}

async fn an_empty_patch_changes_nothing(app: &App) {
    let admin = app.admin().await;
    for list in ALL {
        let one = format!("{list}/{}", made(&admin, list, json!({"name": "原"})).await);
        let before = admin.get(&one).await.ok(200);
        let after = admin.patch(&one, &json!({})).await.ok(200);
        assert_eq!(after.json, before.json);
    }
}

async fn answers_can_be_validated_and_cached(app: &App) {
    let admin = app.admin().await;
    for (list, kind) in [(CATEGORIES, "category"), (TAGS, "tag"), (AUTHORS, "author")] {
        let id = made(&admin, list, json!({"name": "原"})).await;
        let one = format!("{list}/{id}");
        for path in [one.as_str(), list] {
            let answer = app.anonymous().get(path).await.ok(200);
            let caching = answer.header("cache-control");
            assert_eq!(caching, Some("public, max-age=5, stale-while-revalidate=30"), "{path}");
            let tag = answer.header("etag").expect("a tag").to_owned();
            app.anonymous().with("if-none-match", &tag).get(path).await.ok(304);
            let own = admin.get(path).await.ok(200);
            assert_eq!(own.header("cache-control"), Some("private, no-store"));
            admin.patch(&one, &json!({"name": format!("新{path}")})).await.ok(200);
            let answer = app.anonymous().with("if-none-match", &tag).get(path).await.ok(200);
            assert_ne!(answer.header("etag"), Some(tag.as_str()));
        }
        let tags = app.anonymous().get(&one).await.ok(200);
        let tags = tags.header("cache-tag").expect("cache tags").to_owned();
        assert!(tags.split(',').any(|tag| tag == format!("{kind}:{id}")), "{tags}");
    }

    // Counts change by themselves when an article becomes due.
    made(&admin, TAGS, json!({"name": "标签"})).await;
    let soon = (chrono::Utc::now() + chrono::TimeDelta::seconds(4)).to_rfc3339();
    let category = made(&admin, CATEGORIES, json!({"name": "栏目"})).await;
    let author = made(&admin, AUTHORS, json!({"name": "黎明"})).await;
    article(
        &admin,
        "马上",
        json!({"status": "scheduled", "published_at": soon, "category_id": category, "author_ids": [author], "tags": ["标签"]}),
    )
    .await;
    let paths = [
        CATEGORIES.to_owned(),
        format!("{CATEGORIES}/{category}"),
        TAGS.to_owned(),
        format!("{TAGS}/by-slug/biao-qian"),
        AUTHORS.to_owned(),
        format!("{AUTHORS}/{author}"),
    ];
    for path in &paths {
        let answer = app.anonymous().get(path).await.ok(200);
        let caching = answer.header("cache-control").expect("caching");
        assert!(!caching.contains("max-age=5"), "{path}: {caching}");
        assert!(!answer.text().contains("\"article_count\":1"), "{answer}");
    }
    actix_web::rt::time::sleep(std::time::Duration::from_millis(4200)).await;
    for path in &paths {
        let answer = app.anonymous().get(path).await.ok(200);
        assert!(answer.text().contains("\"article_count\":1"), "{answer}");
    }
}

/// Follows `links.next` to the end.
async fn walk(app: &App, first: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut next = Some(first.to_owned());
    while let Some(path) = next {
        let answer = app.anonymous().get(&path).await.ok(200);
        assert_eq!(answer["links"]["self"], path);
        rows.extend(answer["data"].as_array().expect("a list").iter().cloned());
        next = answer["links"]["next"].as_str().map(str::to_owned);
        let header = next.as_ref().map(|next| format!("<{next}>; rel=\"next\""));
        assert_eq!(answer.header("link").map(str::to_owned), header);
        assert_eq!(answer["meta"]["next_cursor"].is_string(), next.is_some());
        assert_eq!(
            (&answer["meta"]["page"], &answer["links"]["prev"]),
            (&Value::Null, &Value::Null)
        );
    }
    rows
}

async fn a_walk_by_cursor_meets_each_once(app: &App) {
    let admin = app.admin().await;
    let names = [
        "小米",
        "华为",
        "苹果",
        "Ａpp",
        "apple",
        "Zed",
        "zed2",
        "评测",
        "𠮷野家",
        "カメラ",
        "～",
        "深度，观察",
        "手机",
        "é",
    ];
    for list in [TAGS, AUTHORS] {
        assert_eq!(walk(app, list).await, Vec::<Value>::new());
        let mut expected = Vec::new();
        for name in names {
            expected.push((name, made(&admin, list, json!({"name": name})).await));
        }
        if list == AUTHORS {
            for _ in 0..3 {
                expected.push(("华为", made(&admin, list, json!({"name": "华为"})).await));
            }
        }
        expected.sort();
        let mut first = true;
        for limit in [1, 4, 5, 100] {
            let rows = walk(app, &format!("{list}?limit={limit}")).await;
            let met: Vec<_> = rows
                .iter()
                .map(|row| {
                    (
                        row["name"].as_str().expect("a name"),
                        row["id"].as_i64().expect("an id"),
                    )
                })
                .collect();
            assert_eq!(met, expected, "{list} by {limit}");
            if std::mem::take(&mut first) {
                let answer = app.anonymous().get(&format!("{list}?limit=1")).await.ok(200);
                assert_eq!(
                    (&answer["meta"]["limit"], &answer["meta"]["total"]),
                    (&json!(1), &Value::Null)
                );
                let answer = app
                    .anonymous()
                    .get(&format!("{list}?limit=1&count=exact"))
                    .await
                    .ok(200);
                assert_eq!(answer["meta"]["total"], expected.len());
            }
        }

        // What comes and goes behind and before the place neither repeats nor hides another.
        let half = app.anonymous().get(&format!("{list}?limit=5")).await.ok(200);
        let place = half["data"][4]["id"].as_i64().expect("an id");
        admin.delete(&format!("{list}/{place}")).await.ok(204);
        made(&admin, list, json!({"name": "!"})).await;
        let next = half["links"]["next"].as_str().expect("more").to_owned();
        let rest: Vec<_> = walk(app, &next)
            .await
            .iter()
            .map(|row| row["id"].as_i64().unwrap())
            .collect();
        let after: Vec<_> = expected.iter().skip(5).map(|(_, id)| *id).collect();
        assert_eq!(rest, after, "{list}");
    }
}

async fn cursors_of_other_lists_are_refused(app: &App) {
    use broadsheet::db::cursor::{Cursor, Scope};
    let admin = app.admin().await;
    for list in [TAGS, AUTHORS] {
        for name in ["甲", "乙", "丙"] {
            made(&admin, list, json!({"name": name})).await;
        }
    }
    article(&admin, "一", json!({})).await;
    article(&admin, "二", json!({})).await;
    let cursor = async |path: &str| {
        let answer = app.anonymous().get(path).await.ok(200);
        answer["meta"]["next_cursor"].as_str().expect("a cursor").to_owned()
    };
    let of_tags = cursor(&format!("{TAGS}?limit=1")).await;
    let of_authors = cursor(&format!("{AUTHORS}?limit=1")).await;
    let of_articles = cursor(&format!("{ARTICLES}?limit=1")).await;
    // Right in every way but for a character that no name has.
    let with_nul = Cursor {
        numbers: vec![1],
        text: "a\0".to_owned(),
    };
    for (list, table, own, foreign) in [
        (TAGS, "tags", &of_tags, &of_authors),
        (AUTHORS, "authors", &of_authors, &of_tags),
    ] {
        app.anonymous()
            .get(&format!("{list}?limit=2&cursor={own}"))
            .await
            .ok(200);
        let forged = with_nul.encode(&Scope::of([table, "name"]));
        let shorter = own.get(..own.len() - 1).expect("a character less");
        for cursor in [
            foreign.as_str(),
            &of_articles,
            &forged,
            shorter,
            &format!("{own}="),
            "",
            "AAAA",
            "%00",
            "'",
        ] {
            let answer = app.anonymous().get(&format!("{list}?cursor={cursor}")).await;
            assert_eq!(answer.status, 400, "{answer}");
            answer.at(&["cursor"]);
        }
    }
}
