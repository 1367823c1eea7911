//! Accounts and API keys, and who may manage them.

use std::cell::Cell;
use std::io::Write;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use broadsheet::auth::has_user;
use broadsheet::auth::password::Passwords;
use broadsheet::config::{Config, Database};
use broadsheet::db::Db;
use broadsheet::users::ensure_first_admin;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};

use crate::support::{App, EMAIL, PASSWORD, both};

both!(
    an_admin_manages_accounts,
    accounts_are_for_admins_alone,
    a_change_holds_from_the_next_request_on,
    wrong_fields_are_all_named,
    an_address_belongs_to_one_account,
    one_admin_always_remains,
    ids_are_never_used_again,
    lists_go_on_by_cursor,
    an_admin_manages_keys,
    a_key_does_what_its_scope_says,
    a_key_ends_when_it_is_told_to,
);
both!(of_two_admins_who_remove_each_other_one_stays, with remembered);
both!(the_first_admin_is_made_once, with without_admin);
both!(accounts_are_made_beside_a_running_server, with remembered);

fn user(email: &str, role: &str) -> Value {
    json!({"email": email, "name": "李明", "role": role, "password": PASSWORD})
}

/// Every name and text in the document, to look for what must not be there.
fn has_secret(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            name.contains("hash")
                || name.contains("password")
                || name.contains("digest")
                || name == "email_key"
                || has_secret(value)
        }),
        Value::Array(items) => items.iter().any(has_secret),
        Value::String(text) => text.contains("$argon2") || text.contains(PASSWORD),
        _ => false,
    }
}

async fn an_admin_manages_accounts(app: &App) {
    let admin = app.admin().await;
    let made = admin
        .post("/api/v1/users", &user("  Li.Ming@Example.com ", "contributor"))
        .await
        .ok(201);
    let id = made.id();
    let path = format!("/api/v1/users/{id}");
    assert_eq!(made.header("location"), Some(path.as_str()));
    let data = &made["data"];
    assert_eq!(data["email"], "Li.Ming@Example.com");
    assert_eq!(
        (&data["name"], &data["role"], &data["active"]),
        (&json!("李明"), &json!("contributor"), &json!(true))
    );
    assert!(data["created_at"].as_str().unwrap().ends_with('Z'));

    let read = admin.get(&path).await.ok(200);
    assert_eq!(read["data"], *data);
    let changed = admin
        .patch(
            &path,
            &json!({"name": "Li Ming", "email": "li@example.com", "role": "editor"}),
        )
        .await
        .ok(200);
    assert_eq!(changed["data"]["name"], "Li Ming");
    assert_eq!(changed["data"]["email"], "li@example.com");
    assert_eq!(changed["data"]["role"], "editor");
    assert_eq!(changed["data"]["created_at"], data["created_at"]);
    assert_eq!(admin.patch(&path, &json!({})).await.ok(200)["data"], changed["data"]);
    let list = admin.get("/api/v1/users").await.ok(200);
    assert_eq!(list["data"].as_array().unwrap().len(), 2);
    for answer in [&made, &read, &changed, &list] {
        assert!(!has_secret(&answer.json), "{answer}");
        assert!(answer.header("cache-control").unwrap().contains("no-store"), "{answer}");
    }
    app.anonymous().login("LI@example.com", PASSWORD).await;

    admin.delete(&path).await.ok(204);
    admin.get(&path).await.problem(404, "not_found");
    admin
        .patch(&path, &json!({"name": "x"}))
        .await
        .problem(404, "not_found");
    admin.delete(&path).await.problem(404, "not_found");
    for wrong in ["1abc", "0", "-1", "9007199254740992", "99999999999999999999", "%31x"] {
        admin
            .get(&format!("/api/v1/users/{wrong}"))
            .await
            .problem(404, "not_found");
    }
}

async fn accounts_are_for_admins_alone(app: &App) {
    let id = app.admin().await.get("/api/v1/auth/me").await.ok(200).id();
    let one = format!("/api/v1/users/{id}");
    let key = format!("/api/v1/api-keys/{}", app.key("write").await.role.id);
    let new_key = json!({"name": "x", "scope": "write"});

    macro_rules! refused {
        ($client:expr, $status:expr, $code:expr) => {{
            let client = $client;
            for path in ["/api/v1/users", "/api/v1/api-keys", &one, &key] {
                client.get(path).await.problem($status, $code);
            }
            let new = user("new@example.com", "admin");
            client.post("/api/v1/users", &new).await.problem($status, $code);
            client.post("/api/v1/api-keys", &new_key).await.problem($status, $code);
            // What is wrong with the body is not told to those who may not call.
            let bogus = json!({"bogus": 1});
            client.post("/api/v1/users", &bogus).await.problem($status, $code);
            client.patch(&one, &json!({"active": false})).await.problem($status, $code);
            client.patch(&key, &json!({"revoked": true})).await.problem($status, $code);
            for path in [&one, &key] {
                client.delete(path).await.problem($status, $code);
            }
        }};
    }
    refused!(app.anonymous(), 401, "unauthenticated");
    for role in ["contributor", "editor"] {
        refused!(app.user(role, &format!("{role}@example.com")).await, 403, "forbidden");
    }
    for scope in ["read", "preview", "write"] {
        refused!(app.key(scope).await, 403, "forbidden");
    }
    let admin = app.admin().await;
    assert_eq!(admin.get(&one).await.ok(200)["data"]["active"], true);
    assert_eq!(admin.get(&key).await.ok(200)["data"]["revoked_at"], Value::Null);
    assert_eq!(
        admin.get("/api/v1/users").await.ok(200)["data"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
}

async fn a_change_holds_from_the_next_request_on(app: &App) {
    let admin = app.admin().await;
    let other = app.user("admin", "other@example.com").await;
    let path = format!("/api/v1/users/{}", other.get("/api/v1/auth/me").await.ok(200).id());
    other.get("/api/v1/users").await.ok(200);

    admin.patch(&path, &json!({"role": "editor"})).await.ok(200);
    other.get("/api/v1/users").await.problem(403, "forbidden");
    admin.patch(&path, &json!({"role": "admin"})).await.ok(200);
    other.get("/api/v1/users").await.ok(200);

    admin.patch(&path, &json!({"active": false})).await.ok(200);
    other.get("/api/v1/users").await.problem(401, "invalid_token");
    let refresh = json!({"refresh_token": other.role.refresh_token});
    let client = app.anonymous();
    client
        .post("/api/v1/auth/refresh", &refresh)
        .await
        .problem(401, "invalid_token");
    admin.patch(&path, &json!({"active": true})).await.ok(200);
    other.get("/api/v1/auth/me").await.problem(401, "invalid_token");

    let again = client.login("other@example.com", PASSWORD).await;
    let password = "another password";
    admin.patch(&path, &json!({"password": password})).await.ok(200);
    again.get("/api/v1/auth/me").await.problem(401, "invalid_token");
    let login = json!({"email": "other@example.com", "password": PASSWORD});
    client
        .post("/api/v1/auth/login", &login)
        .await
        .problem(401, "invalid_credentials");
    let again = client.login("other@example.com", password).await;

    admin.delete(&path).await.ok(204);
    again.get("/api/v1/auth/me").await.problem(401, "invalid_token");
    again.get("/api/v1/site").await.problem(401, "invalid_token");
    let refresh = json!({"refresh_token": again.role.refresh_token});
    client
        .post("/api/v1/auth/refresh", &refresh)
        .await
        .problem(401, "invalid_token");
    client.post("/api/v1/auth/logout", &refresh).await.ok(204);
}

async fn wrong_fields_are_all_named(app: &App) {
    let admin = app.admin().await;
    let path = "/api/v1/users";
    let mut body = user("new@example.com", "editor");
    for (name, value) in [
        ("id", json!(99)),
        ("created_at", json!("2020-01-01T00:00:00Z")),
        ("password_hash", json!("x")),
        ("active", json!(true)),
    ] {
        body[name] = value;
    }
    let answer = admin.post(path, &body).await.problem(422, "unknown_field");
    answer.at(&["#/id", "#/created_at", "#/password_hash", "#/active"]);

    let body = json!({"email": "no address", "name": " ", "password": "short", "role": "editor"});
    let answer = admin.post(path, &body).await.problem(422, "invalid_field");
    answer.at(&["#/email", "#/name", "#/password"]);
    for email in [
        "a@b@c",
        "a b@c",
        "@b",
        "a@",
        "a\u{200b}@b",
        "a\0@b",
        &format!("{}@b", "a".repeat(253)),
    ] {
        let answer = admin
            .post(path, &user(email, "editor"))
            .await
            .problem(422, "invalid_field");
        answer.at(&["#/email"]);
    }
    let answer = admin.post(path, &user("new@example.com", "owner")).await;
    answer.problem(422, "invalid_field").at(&["#/role"]);
    let answer = admin
        .post("/api/v1/users?role=admin", &user("new@example.com", "editor"))
        .await;
    answer.problem(400, "unknown_parameter").at(&["role"]);
    assert_eq!(
        admin.get(path).await.ok(200)["data"].as_array().unwrap().len(),
        1,
        "nothing was made"
    );

    let me = format!("/api/v1/users/{}", admin.get("/api/v1/auth/me").await.ok(200).id());
    let nulls = json!({"email": null, "name": null, "role": null, "active": null, "password": null});
    let answer = admin.patch(&me, &nulls).await.problem(422, "invalid_field");
    answer.at(&["#/email", "#/name", "#/role", "#/active", "#/password"]);
    let answer = admin.patch(&me, &json!({"id": 7, "email_key": "x"})).await;
    answer.problem(422, "unknown_field").at(&["#/id", "#/email_key"]);
    admin.get("/api/v1/auth/me").await.ok(200);
}

async fn an_address_belongs_to_one_account(app: &App) {
    let admin = app.admin().await;
    for taken in [
        EMAIL,
        "ADMIN@example.com",
        " Admin@Example.Com ",
        "ａｄｍｉｎ＠ｅｘａｍｐｌｅ．ｃｏｍ",
    ] {
        let answer = admin.post("/api/v1/users", &user(taken, "editor")).await;
        answer.problem(409, "email_taken").at(&["#/email"]);
    }
    let made = admin
        .post("/api/v1/users", &user("b@example.com", "editor"))
        .await
        .ok(201);
    let path = format!("/api/v1/users/{}", made.id());
    let answer = admin
        .patch(&path, &json!({"email": "ADMIN@EXAMPLE.COM", "name": "x"}))
        .await;
    answer.problem(409, "email_taken").at(&["#/email"]);
    assert_eq!(
        admin.get(&path).await.ok(200)["data"]["name"],
        "李明",
        "nothing was changed"
    );
    // Its own, written otherwise.
    let changed = admin.patch(&path, &json!({"email": "B@example.com"})).await.ok(200);
    assert_eq!(changed["data"]["email"], "B@example.com");

    let body = user("race@example.com", "editor");
    let tries = (0..8).map(|_| admin.post("/api/v1/users", &body));
    let answers = futures_util::future::join_all(tries).await;
    let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
}

async fn one_admin_always_remains(app: &App) {
    let admin = app.admin().await;
    let id = admin.get("/api/v1/auth/me").await.ok(200).id();
    let path = format!("/api/v1/users/{id}");
    app.user("editor", "editor@example.com").await;
    let sleeping = admin
        .post("/api/v1/users", &user("sleeping@example.com", "admin"))
        .await
        .ok(201);
    let sleeping = format!("/api/v1/users/{}", sleeping.id());
    admin.patch(&sleeping, &json!({"active": false})).await.ok(200);

    admin.delete(&path).await.problem(409, "last_admin");
    for change in [
        json!({"role": "editor"}),
        json!({"active": false}),
        json!({"active": false, "name": "x"}),
    ] {
        admin.patch(&path, &change).await.problem(409, "last_admin");
    }
    let me = admin.get("/api/v1/auth/me").await.ok(200);
    assert_eq!(
        (&me["data"]["role"], &me["data"]["active"]),
        (&json!("admin"), &json!(true))
    );
    assert_ne!(me["data"]["name"], "x");
    admin
        .patch(&path, &json!({"role": "admin", "active": true, "name": "Chief"}))
        .await
        .ok(200);

    admin.patch(&sleeping, &json!({"active": true})).await.ok(200);
    admin.patch(&path, &json!({"role": "editor"})).await.ok(200);
    admin.get("/api/v1/users").await.problem(403, "forbidden");
}

async fn of_two_admins_who_remove_each_other_one_stays(app: &App) {
    let config = CONFIG.take().expect("the settings of this server");
    let db = Db::open(&config).unwrap();
    let one = app.admin().await;
    let other = app.user("admin", "other@example.com").await;
    let one_id = one.get("/api/v1/auth/me").await.ok(200).id();
    let other_id = other.get("/api/v1/auth/me").await.ok(200).id();
    let (one_path, other_path) = (format!("/api/v1/users/{one_id}"), format!("/api/v1/users/{other_id}"));

    // Both are let in and have looked before either may write.
    let hold = db.write(move |tx| {
        tx.lock_row("users", one_id)?;
        tx.lock_row("users", other_id)?;
        std::thread::sleep(Duration::from_millis(800));
        Ok(())
    });
    let demote = json!({"role": "editor"});
    let both = async {
        actix_web::rt::time::sleep(Duration::from_millis(200)).await;
        tokio::join!(one.patch(&other_path, &demote), other.delete(&one_path))
    };
    let (held, (first, second)) = tokio::join!(hold, both);
    held.unwrap();
    db.close().await;
    if first.status == 200 {
        second.problem(409, "last_admin");
        one.get("/api/v1/users").await.ok(200);
    } else {
        second.ok(204);
        first.problem(409, "last_admin");
        other.get("/api/v1/users").await.ok(200);
    }
}

async fn ids_are_never_used_again(app: &App) {
    let admin = app.admin().await;
    let client = app.user("editor", "first@example.com").await;
    let id = client.get("/api/v1/auth/me").await.ok(200).id();
    admin.delete(&format!("/api/v1/users/{id}")).await.ok(204);
    let next = admin
        .post("/api/v1/users", &user("first@example.com", "admin"))
        .await
        .ok(201);
    assert!(next.id() > id);
    // The token of the one who was deleted does not become that of the next.
    client.get("/api/v1/auth/me").await.problem(401, "invalid_token");
    client.get("/api/v1/users").await.problem(401, "invalid_token");

    let key = app.key("read").await.role;
    admin.delete(&format!("/api/v1/api-keys/{}", key.id)).await.ok(204);
    assert!(app.key("read").await.role.id > key.id);
}

async fn lists_go_on_by_cursor(app: &App) {
    let admin = app.admin().await;
    let mut ids = admin.get("/api/v1/users").await.ok(200).ids();
    for n in 0..4 {
        let made = admin
            .post("/api/v1/users", &user(&format!("{n}@example.com"), "editor"))
            .await;
        ids.push(made.ok(201).id());
    }
    let mut path = "/api/v1/users?limit=2".to_owned();
    let mut met = Vec::new();
    loop {
        let page = admin.get(&path).await.ok(200);
        met.extend(page.ids());
        assert_eq!(
            (&page["meta"]["limit"], &page["meta"]["total"], &page["meta"]["page"]),
            (&json!(2), &Value::Null, &Value::Null)
        );
        assert_eq!(page["links"]["self"], path.as_str());
        match page["links"]["next"].as_str() {
            Some(next) => {
                assert!(
                    page.header("link")
                        .unwrap()
                        .contains(&format!("<{next}>; rel=\"next\""))
                );
                assert!(next.contains(page["meta"]["next_cursor"].as_str().unwrap()));
                next.clone_into(&mut path);
            }
            None => break,
        }
    }
    assert_eq!(met, ids);

    let page = admin.get("/api/v1/users?limit=1").await.ok(200);
    let cursor = page["meta"]["next_cursor"].as_str().unwrap();
    let foreign = format!("/api/v1/api-keys?cursor={cursor}");
    admin.get(&foreign).await.problem(400, "invalid_cursor");
    for (query, place) in [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("cursor=", "cursor"),
        ("cursor=AAAA", "cursor"),
    ] {
        let answer = admin.get(&format!("/api/v1/users?{query}")).await;
        assert_eq!(answer.status, 400, "{answer}");
        answer.at(&[place]);
    }
    admin
        .get("/api/v1/users?page=1")
        .await
        .problem(400, "unknown_parameter");
}

async fn an_admin_manages_keys(app: &App) {
    let admin = app.admin().await;
    let made = admin
        .post(
            "/api/v1/api-keys",
            &json!({"name": "小程序", "scope": "preview", "expires_at": "2099-01-01T08:00:00+08:00"}),
        )
        .await
        .ok(201);
    let path = format!("/api/v1/api-keys/{}", made.id());
    assert_eq!(made.header("location"), Some(path.as_str()));
    assert_eq!(made.header("cache-control"), Some("private, no-store"));
    let key = made["data"]["key"].as_str().unwrap();
    assert!(key.len() == 47 && key.starts_with("bsk_"));
    assert_eq!(made["data"]["prefix"].as_str(), key.get(..12));
    assert_eq!(made["data"]["expires_at"], "2099-01-01T00:00:00Z");

    let read = admin.get(&path).await.ok(200);
    let mut shown = made["data"].clone();
    shown.as_object_mut().unwrap().remove("key");
    assert_eq!(read["data"], shown, "all but the key is shown again");
    let list = admin.get("/api/v1/api-keys").await.ok(200);
    assert_eq!(list["data"], json!([shown]));
    for name in ["last_used_at", "revoked_at"] {
        assert_eq!(read["data"][name], Value::Null);
    }

    let changed = admin
        .patch(&path, &json!({"name": "App", "expires_at": null}))
        .await
        .ok(200);
    assert_eq!(
        (&changed["data"]["name"], &changed["data"]["expires_at"]),
        (&json!("App"), &Value::Null)
    );
    let revoked = admin.patch(&path, &json!({"revoked": true})).await.ok(200);
    assert!(revoked["data"]["revoked_at"].is_string());
    assert_eq!(
        admin.patch(&path, &json!({"revoked": true})).await.ok(200)["data"],
        revoked["data"]
    );
    for wrong in [json!({"revoked": false}), json!({"revoked": null})] {
        admin
            .patch(&path, &wrong)
            .await
            .problem(422, "invalid_field")
            .at(&["#/revoked"]);
    }
    for wrong in ["scope", "digest", "prefix", "revoked_at", "key", "id"] {
        let answer = admin.patch(&path, &json!({wrong: "write"})).await;
        answer.problem(422, "unknown_field").at(&[&format!("#/{wrong}")]);
    }
    let wrong = json!({"name": "", "scope": "read", "expires_at": "2020-01-01T00:00:00Z"});
    let answer = admin.post("/api/v1/api-keys", &wrong).await;
    answer.problem(422, "invalid_field").at(&["#/name", "#/expires_at"]);
    for wrong in [
        json!("2099-01-01"),
        json!("2099-01-01T00:00:00"),
        json!(4_070_908_800_i64),
    ] {
        let body = json!({"name": "x", "scope": "read", "expires_at": wrong});
        let answer = admin.post("/api/v1/api-keys", &body).await;
        answer.problem(422, "invalid_field").at(&["#/expires_at"]);
    }
    let answer = admin
        .post("/api/v1/api-keys", &json!({"name": "x", "scope": "admin"}))
        .await;
    answer.problem(422, "invalid_field").at(&["#/scope"]);

    admin.delete(&path).await.ok(204);
    admin.get(&path).await.problem(404, "not_found");
    admin
        .patch(&path, &json!({"name": "x"}))
        .await
        .problem(404, "not_found");
    admin.delete(&path).await.problem(404, "not_found");
}

async fn a_key_does_what_its_scope_says(app: &App) {
    let admin = app.admin().await;
    for scope in ["read", "preview", "write"] {
        let key = app.key(scope).await;
        let answer = key.get("/api/v1/site").await.ok(200);
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        // The use is noted beside the answer.
        let path = format!("/api/v1/api-keys/{}", key.role.id);
        let mut used = Value::Null;
        for _ in 0..100 {
            used = admin.get(&path).await.ok(200)["data"]["last_used_at"].clone();
            if used.is_string() {
                break;
            }
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(used.is_string(), "{scope}: {used}");
        key.get("/api/v1/site").await.ok(200);
        assert_eq!(
            admin.get(&path).await.ok(200)["data"]["last_used_at"],
            used,
            "once a minute"
        );
    }
}

async fn a_key_ends_when_it_is_told_to(app: &App) {
    let admin = app.admin().await;
    let revoked = app.key("write").await;
    let deleted = app.key("read").await;
    let brief = app.key("preview").await;
    for key in [&revoked, &deleted, &brief] {
        key.get("/api/v1/site").await.ok(200);
    }
    let path = |id: i64| format!("/api/v1/api-keys/{id}");
    admin
        .patch(&path(revoked.role.id), &json!({"revoked": true}))
        .await
        .ok(200);
    admin.delete(&path(deleted.role.id)).await.ok(204);
    let soon = chrono::Utc::now() + chrono::TimeDelta::milliseconds(1500);
    let end = json!({"expires_at": soon.to_rfc3339()});
    admin.patch(&path(brief.role.id), &end).await.ok(200);
    actix_web::rt::time::sleep(Duration::from_millis(1600)).await;
    for key in [&revoked, &deleted, &brief] {
        key.get("/api/v1/site").await.problem(401, "invalid_token");
    }
}

thread_local! {
    /// The settings of the server that this thread tests.
    static CONFIG: Cell<Option<Config>> = const { Cell::new(None) };
}

fn remembered(config: &mut Config) {
    CONFIG.set(Some(config.clone()));
}

fn without_admin(config: &mut Config) {
    remembered(config);
    config.admin = None;
}

async fn the_first_admin_is_made_once(app: &App) {
    let config = CONFIG.take().expect("the settings of this server");
    let (one, other) = (Db::open(&config).unwrap(), Db::open(&config).unwrap());
    let passwords = Passwords::new();
    one.write(|tx| Ok(tx.conn.batch_execute("DELETE FROM users")?))
        .await
        .unwrap();
    assert!(!has_user(&one).await.unwrap());

    let with = |email: &str, password: &str| Config {
        admin: Some((email.to_owned(), password.to_owned())),
        ..config.clone()
    };
    for (wrong, name) in [
        (with("no address", PASSWORD), "BROADSHEET_ADMIN_EMAIL"),
        (with(EMAIL, "短"), "BROADSHEET_ADMIN_PASSWORD"),
    ] {
        let error = ensure_first_admin(&wrong, &one, &passwords).await.unwrap_err();
        assert!(
            error.starts_with(name) && !error.contains('短') && error.lines().count() == 1,
            "{error}"
        );
    }
    let none = Config {
        admin: None,
        ..config.clone()
    };
    ensure_first_admin(&none, &one, &passwords).await.unwrap();
    assert!(!has_user(&one).await.unwrap(), "nothing wrong makes a user");

    let others = Passwords::new();
    let outcome = tokio::join!(
        ensure_first_admin(&config, &one, &passwords),
        ensure_first_admin(&config, &other, &others),
    );
    assert_eq!(outcome, (Ok(()), Ok(())));
    ensure_first_admin(&with("second@example.com", PASSWORD), &other, &passwords)
        .await
        .unwrap();
    assert!(has_user(&other).await.unwrap());
    let users = app.admin().await.get("/api/v1/users").await.ok(200);
    assert_eq!(users["data"].as_array().unwrap().len(), 1, "{users}");
    assert_eq!(users["data"][0]["role"], "admin");
    one.close().await;
    other.close().await;
}

/// Runs `broadsheet user add` on the server's database.
fn add(config: &Config, flags: &[&str], input: &str) -> Output {
    let database = match &config.database {
        Database::Sqlite(path) => format!("sqlite://{}", path.display()),
        Database::Postgres(url) => url.clone(),
    };
    let mut child = Command::new(env!("CARGO_BIN_EXE_broadsheet"))
        .args(["user", "add", "--database-url", &database, "--data-dir"])
        .arg(&config.data_dir)
        .args(flags)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    // One that does not read its input may have ended.
    let _ended = child.stdin.take().expect("its input").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

async fn accounts_are_made_beside_a_running_server(app: &App) {
    let config = CONFIG.take().expect("the settings of this server");
    let client = app.anonymous();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();

    let output = add(
        &config,
        &["--email", "a@example.com", "--role", "editor", "--password", PASSWORD],
        "",
    );
    assert!(output.status.success(), "{output:?}");
    assert!(!text(&output.stdout).contains(PASSWORD), "what was given is not shown");
    let me = client
        .login("a@example.com", PASSWORD)
        .await
        .get("/api/v1/auth/me")
        .await
        .ok(200);
    assert_eq!(
        (&me["data"]["role"], &me["data"]["name"]),
        (&json!("editor"), &json!("a"))
    );

    let output = add(
        &config,
        &["--email", "b@example.com", "--name", "乙"],
        " 一二三四五六七八九 \r\n",
    );
    assert!(output.status.success(), "{output:?}");
    let me = client.login("b@example.com", " 一二三四五六七八九 ").await;
    let me = me.get("/api/v1/auth/me").await.ok(200);
    assert_eq!(
        (&me["data"]["role"], &me["data"]["name"]),
        (&json!("contributor"), &json!("乙"))
    );

    let output = add(&config, &["--email", "c@example.com", "--role", "admin"], "");
    assert!(output.status.success(), "{output:?}");
    let shown = text(&output.stdout);
    let made = shown.lines().find_map(|line| line.strip_prefix("its password: "));
    client
        .login("c@example.com", made.expect("the password that was made"))
        .await;

    for (flags, what) in [
        (
            &["--email", "A@Example.com", "--password", PASSWORD][..],
            "another account",
        ),
        (&["--email", "d", "--password", PASSWORD], "--email"),
        (&["--email", "d@example.com", "--password", "short"], "--password"),
        (
            &["--email", "d@example.com", "--role", "owner"],
            "contributor, editor, admin",
        ),
    ] {
        let output = add(&config, flags, "");
        let error = text(&output.stderr);
        assert!(
            !output.status.success() && error.contains(what) && !error.contains("short"),
            "{error}"
        );
    }
    let users = app.admin().await.get("/api/v1/users").await.ok(200);
    assert_eq!(users["data"].as_array().unwrap().len(), 4);
}
