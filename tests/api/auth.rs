//! Signing in and out, tokens, and how they end.

use std::cell::Cell;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use broadsheet::config::Config;
use broadsheet::db::Db;
use diesel::connection::SimpleConnection;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{EncodePrivateKey, KeypairBytes};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use crate::support::{Anonymous, Answer, ApiKey, App, Bearer, Client, EMAIL, PASSWORD, behind_a_proxy, both};

both!(
    an_account_signs_in_and_reads_itself,
    whoever_is_not_let_in_learns_nothing,
    an_address_is_the_same_in_either_case_and_width,
    a_refresh_token_is_good_once,
    of_parallel_refreshes_one_gets_through,
    signing_out_ends_every_token,
    a_changed_password_ends_the_other_sign_ins,
    a_password_is_kept_to_its_last_character,
    malformed_credentials_are_refused_everywhere,
    an_old_token_keeps_nobody_from_signing_in,
    the_public_keys_are_published,
    answers_of_sign_in_are_never_kept,
);
both!(only_tokens_of_a_known_key_are_good, with with_known_key);
both!(an_instance_believes_the_keys_of_others, with with_known_key);
both!(sign_in_is_limited, with with_limits);
both!(one_address_locks_nobody_out, with with_limits_behind_a_proxy);

fn credentials(email: &str, password: &str) -> Value {
    json!({"email": email, "password": password})
}

async fn login_is_refused(client: &Client<Anonymous>, email: &str, password: &str) {
    let answer = client.post("/api/v1/auth/login", &credentials(email, password)).await;
    answer.problem(401, "invalid_credentials");
}

async fn is_good(client: &Client<Bearer>) -> bool {
    let answer = client.get("/api/v1/auth/me").await;
    if answer.status == 200 {
        return true;
    }
    answer.problem(401, "invalid_token");
    false
}

fn with_token(app: &App, token: &str) -> Client<Bearer> {
    app.anonymous().become_role(Bearer {
        token: token.to_owned(),
        refresh_token: String::new(),
    })
}

async fn refresh(client: &Client<Anonymous>, token: &str) -> Answer {
    client
        .post("/api/v1/auth/refresh", &json!({"refresh_token": token}))
        .await
}

async fn an_account_signs_in_and_reads_itself(app: &App) {
    let answer = app
        .anonymous()
        .post("/api/v1/auth/login", &credentials(EMAIL, PASSWORD))
        .await
        .ok(200);
    assert_eq!(answer["token_type"], "Bearer");
    assert_eq!(answer["expires_in"], 900);
    let mut names: Vec<_> = answer.json.as_object().unwrap().keys().collect();
    names.sort_unstable();
    assert_eq!(names, ["access_token", "expires_in", "refresh_token", "token_type"]);

    let client = with_token(app, answer["access_token"].as_str().unwrap());
    let me = client.get("/api/v1/auth/me").await.ok(200);
    assert_eq!(me["data"]["email"], EMAIL);
    assert_eq!(me["data"]["role"], "admin");
    let mut names: Vec<_> = me["data"].as_object().unwrap().keys().collect();
    names.sort_unstable();
    assert_eq!(names, ["active", "created_at", "email", "id", "name", "role"]);

    app.anonymous()
        .get("/api/v1/auth/me")
        .await
        .problem(401, "unauthenticated");
    let key = app.key("write").await;
    key.get("/api/v1/auth/me").await.problem(403, "forbidden");
    let change = json!({"current_password": PASSWORD, "new_password": PASSWORD});
    key.post("/api/v1/auth/password", &change)
        .await
        .problem(403, "forbidden");
}

async fn whoever_is_not_let_in_learns_nothing(app: &App) {
    let sleeper = app.user("editor", "sleeper@example.com").await;
    let id = sleeper.get("/api/v1/auth/me").await.ok(200).id();
    let admin = app.admin().await;
    admin
        .patch(&format!("/api/v1/users/{id}"), &json!({"active": false}))
        .await
        .ok(200);

    let endless = "x".repeat(1 << 20);
    let mut seen = Vec::new();
    for (email, password) in [
        (EMAIL, "wrong password"),
        ("nobody@example.com", PASSWORD),
        ("sleeper@example.com", PASSWORD),
        ("no address", PASSWORD),
        ("a\0@example.com", PASSWORD),
        ("", ""),
        (EMAIL, &endless),
    ] {
        let answer = app
            .anonymous()
            .with("x-request-id", "same")
            .post("/api/v1/auth/login", &credentials(email, password))
            .await
            .problem(401, "invalid_credentials");
        seen.push(answer.text());
    }
    seen.dedup();
    assert_eq!(seen.len(), 1, "{seen:?}");

    let client = app.anonymous();
    for body in [
        json!({"email": EMAIL}),
        json!({"email": {}, "password": PASSWORD}),
        json!([]),
    ] {
        client
            .post("/api/v1/auth/login", &body)
            .await
            .problem(422, "invalid_field");
    }
    let body = json!({"email": EMAIL, "password": PASSWORD, "role": "admin"});
    let answer = client.post("/api/v1/auth/login", &body).await;
    answer.problem(422, "unknown_field").at(&["#/role"]);
}

async fn an_address_is_the_same_in_either_case_and_width(app: &App) {
    for email in ["ADMIN@EXAMPLE.COM", " admin@example.com ", "ａｄｍｉｎ＠Example.com"] {
        assert!(is_good(&app.anonymous().login(email, PASSWORD).await).await, "{email}");
    }
    login_is_refused(&app.anonymous(), "admın@example.com", PASSWORD).await;
}

async fn a_refresh_token_is_good_once(app: &App) {
    let client = app.anonymous();
    let first = app.admin().await;
    let other = app.admin().await;

    let answer = refresh(&client, &first.role.refresh_token).await.ok(200);
    let second = with_token(app, answer["access_token"].as_str().unwrap());
    let second_refresh = answer["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(second_refresh, first.role.refresh_token);
    assert_ne!(second.role.token, first.role.token);
    assert!(
        is_good(&second).await && is_good(&first).await,
        "both are of the same sign-in"
    );

    // Used again: somebody has a copy, and all of the sign-in ends.
    refresh(&client, &first.role.refresh_token)
        .await
        .problem(401, "invalid_token");
    refresh(&client, &second_refresh).await.problem(401, "invalid_token");
    assert!(!is_good(&second).await && !is_good(&first).await);
    assert!(is_good(&other).await, "another sign-in of the account stays");

    for wrong in ["", "x", &"x".repeat(43), &other.role.token, "a\0b"] {
        refresh(&client, wrong).await.problem(401, "invalid_token");
    }
    assert!(!is_good(&with_token(app, &other.role.refresh_token)).await);
    for wrong in [
        json!({}),
        json!({"refresh_token": {}}),
        json!({"refresh_token": [other.role.refresh_token]}),
    ] {
        client
            .post("/api/v1/auth/refresh", &wrong)
            .await
            .problem(422, "invalid_field");
    }
    refresh(&client, &other.role.refresh_token).await.ok(200);
}

async fn of_parallel_refreshes_one_gets_through(app: &App) {
    let client = app.anonymous();
    let admin = app.admin().await;
    let tries = (0..20).map(|_| refresh(&client, &admin.role.refresh_token));
    let answers = futures_util::future::join_all(tries).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!((statuses[0], &statuses[1..]), (200, &[401; 19][..]));
    // The copies ended the sign-in, for the one that got through as well.
    let good = answers.iter().find(|answer| answer.status == 200).unwrap();
    refresh(&client, good["refresh_token"].as_str().unwrap())
        .await
        .problem(401, "invalid_token");
    assert!(!is_good(&admin).await);
}

async fn signing_out_ends_every_token(app: &App) {
    let client = app.anonymous();
    let admin = app.admin().await;
    let other = app.admin().await;
    let next = refresh(&client, &admin.role.refresh_token).await.ok(200);
    let next_refresh = next["refresh_token"].as_str().unwrap();

    // One that was used already names its sign-in as well.
    for token in [&admin.role.refresh_token, &admin.role.refresh_token, "unknown"] {
        let body = json!({"refresh_token": token});
        client.post("/api/v1/auth/logout", &body).await.ok(204);
    }
    refresh(&client, next_refresh).await.problem(401, "invalid_token");
    assert!(!is_good(&admin).await);
    assert!(!is_good(&with_token(app, next["access_token"].as_str().unwrap())).await);
    assert!(is_good(&other).await);
}

async fn a_changed_password_ends_the_other_sign_ins(app: &App) {
    let editor = app.user("editor", "editor@example.com").await;
    let elsewhere = app.anonymous().login("editor@example.com", PASSWORD).await;
    let path = "/api/v1/auth/password";
    let change = |current: &str, new: &str| json!({"current_password": current, "new_password": new});

    let answer = editor
        .post(path, &change("wrong password", "一二三四五六七八九十"))
        .await;
    answer.problem(422, "invalid_field").at(&["#/current_password"]);
    for wrong in ["一二三四五六七八九", "", &"x".repeat(201)] {
        let answer = editor.post(path, &change(PASSWORD, wrong)).await;
        answer.problem(422, "invalid_field").at(&["#/new_password"]);
    }
    app.anonymous()
        .post(path, &change(PASSWORD, "一二三四五六七八九十"))
        .await
        .problem(401, "unauthenticated");
    assert!(is_good(&elsewhere).await, "nothing has changed so far");

    editor
        .post(path, &change(PASSWORD, "一二三四五六七八九十"))
        .await
        .ok(204);
    assert!(is_good(&editor).await);
    assert!(!is_good(&elsewhere).await);
    refresh(&app.anonymous(), &elsewhere.role.refresh_token)
        .await
        .problem(401, "invalid_token");
    login_is_refused(&app.anonymous(), "editor@example.com", PASSWORD).await;
    app.anonymous()
        .login("editor@example.com", "一二三四五六七八九十")
        .await;
    refresh(&app.anonymous(), &editor.role.refresh_token).await.ok(200);
}

async fn a_password_is_kept_to_its_last_character(app: &App) {
    let admin = app.admin().await;
    let password = format!("  {} 🔑\u{0}\t ", "密".repeat(100));
    let user = json!({"email": "long@example.com", "name": "长", "role": "editor", "password": password});
    admin.post("/api/v1/users", &user).await.ok(201);
    app.anonymous().login("long@example.com", &password).await;
    let first_72_bytes = format!("  {}", "密".repeat(23));
    for other in [&first_72_bytes, password.trim(), &password.replace('\0', "")] {
        login_is_refused(&app.anonymous(), "long@example.com", other).await;
    }
}

async fn malformed_credentials_are_refused_everywhere(app: &App) {
    let token = app.admin().await.role.token;
    let client = app.anonymous();
    for header in [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Basic YWRtaW46YWRtaW4=".to_owned(),
        token.clone(),
        format!("Token {token}"),
        format!("Bearer{token}"),
        format!("Bearer {token} {token}"),
        format!("Bearer \"{token}\""),
        "Bearer bsk_".to_owned(),
        format!("Bearer bsk_{}", "x".repeat(43)),
        format!("Bearer {}", "x".repeat(60_000)),
    ] {
        let client = client.with("authorization", &header);
        client.get("/api/v1/site").await.problem(401, "invalid_token");
        // Who may not call at all is not told what was wrong with the body.
        let answer = client.post("/api/v1/users", &json!({"bogus": 1})).await;
        answer.problem(401, "invalid_token");
    }
    let twice = client
        .with("authorization", &format!("Bearer {token}"))
        .with("authorization", &format!("Bearer {token}"));
    twice.get("/api/v1/site").await.problem(401, "invalid_token");
    client
        .with("authorization", &format!("bearer {token}"))
        .get("/api/v1/auth/me")
        .await
        .ok(200);
    // Nothing secret in a query string.
    let path = format!("/api/v1/auth/me?access_token={token}");
    client.get(&path).await.problem(401, "unauthenticated");
    client.get("/api/v1/site").await.ok(200);
}

async fn an_old_token_keeps_nobody_from_signing_in(app: &App) {
    let admin = app.admin().await;
    let client = app.anonymous().with("authorization", "Bearer long.gone.token");
    client
        .post("/api/v1/auth/login", &credentials(EMAIL, PASSWORD))
        .await
        .ok(200);
    let answer = refresh(&client, &admin.role.refresh_token).await.ok(200);
    let body = json!({"refresh_token": answer["refresh_token"]});
    client.post("/api/v1/auth/logout", &body).await.ok(204);
}

async fn the_public_keys_are_published(app: &App) {
    let answer = app.anonymous().get("/.well-known/jwks.json").await.ok(200);
    let keys = answer["keys"].as_array().unwrap();
    let token = app.admin().await.role.token;
    let header = jsonwebtoken::decode_header(&token).unwrap();
    assert_eq!(header.alg, Algorithm::EdDSA);
    let key = keys.iter().find(|key| key["kid"].as_str() == header.kid.as_deref());
    let key = key.expect("the key that signed is among them");
    let mut names: Vec<_> = key.as_object().unwrap().keys().collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["alg", "crv", "kid", "kty", "use", "x"],
        "and nothing of a private key"
    );

    // What others would do with it.
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(key.clone()).unwrap();
    let mut validation = jsonwebtoken::Validation::new(Algorithm::EdDSA);
    validation.set_audience(&["broadsheet"]);
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
    let claims = jsonwebtoken::decode::<Value>(&token, &key, &validation).unwrap().claims;
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    for name in ["iss", "sub", "sid", "jti"] {
        assert!(claims[name].is_string(), "{name}: {claims}");
    }
    assert_eq!(claims.get("role"), None, "what an account may do is not in its token");
}

async fn answers_of_sign_in_are_never_kept(app: &App) {
    let client = app.anonymous();
    let login = client
        .post("/api/v1/auth/login", &credentials(EMAIL, PASSWORD))
        .await
        .ok(200);
    let next = refresh(&client, login["refresh_token"].as_str().unwrap()).await.ok(200);
    let me = with_token(app, next["access_token"].as_str().unwrap())
        .get("/api/v1/auth/me")
        .await
        .ok(200);
    for answer in [&login, &next, &me] {
        let caching = answer.header("cache-control").unwrap_or_default();
        assert!(caching.ends_with("no-store") && !caching.contains("public"), "{answer}");
        assert_eq!(answer.header("etag"), None, "{answer}");
    }
}

/// The private key of the servers that are given one; it stands nowhere but in tests.
fn known_key() -> SigningKey {
    SigningKey::from_bytes(&[41; 32])
}

thread_local! {
    /// The settings of the server that this thread tests.
    static CONFIG: Cell<Option<Config>> = const { Cell::new(None) };
}

fn with_known_key(config: &mut Config) {
    CONFIG.set(Some(config.clone()));
    let pem = known_key().to_pkcs8_pem(LineEnding::LF).unwrap();
    std::fs::write(config.data_dir.join("signing-key.pem"), pem.as_bytes()).unwrap();
}

fn encoding_key(key: &SigningKey) -> EncodingKey {
    let bytes = KeypairBytes {
        secret_key: key.to_bytes(),
        public_key: None,
    };
    EncodingKey::from_ed_der(bytes.to_pkcs8_der().unwrap().as_bytes())
}

/// A token as the holder of the key would make it.
fn signed(kid: Option<&str>, claims: &Value, key: &SigningKey) -> String {
    let header = Header {
        kid: kid.map(str::to_owned),
        ..Header::new(Algorithm::EdDSA)
    };
    jsonwebtoken::encode(&header, claims, &encoding_key(key)).unwrap()
}

fn part(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

async fn only_tokens_of_a_known_key_are_good(app: &App) {
    let admin = app.admin().await;
    let token = admin.role.token.clone();
    let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let now = claims["iat"].as_i64().unwrap();
    let key = known_key();
    let with = |name: &str, value: Value| {
        let mut claims = claims.clone();
        claims[name] = value;
        signed(Some(&kid), &claims, &key)
    };
    let without = |name: &str| {
        let mut claims = claims.clone();
        claims.as_object_mut().unwrap().remove(name);
        signed(Some(&kid), &claims, &key)
    };
    let body = |header: Value| format!("{}.{}", part(header.to_string()), parts[1]);
    let hmac = |algorithm, secret: &[u8]| {
        let header = Header {
            kid: Some(kid.clone()),
            ..Header::new(algorithm)
        };
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(secret)).unwrap()
    };
    let public = key.verifying_key();
    let mut forged = vec![
        ("HS256 with the public key", hmac(Algorithm::HS256, public.as_bytes())),
        (
            "HS256 with its text",
            hmac(Algorithm::HS256, part(public.as_bytes()).as_bytes()),
        ),
        ("HS512", hmac(Algorithm::HS512, public.as_bytes())),
        (
            "another key under the kid",
            signed(Some(&kid), &claims, &SigningKey::from_bytes(&[42; 32])),
        ),
        ("no kid", signed(None, &claims, &key)),
        ("a kid that is a path", signed(Some("../../../dev/null"), &claims, &key)),
        ("a kid that is SQL", signed(Some("x' UNION SELECT 'k"), &claims, &key)),
        ("an unknown kid", signed(Some(&"A".repeat(43)), &claims, &key)),
        ("no signature", format!("{}.{}.", parts[0], parts[1])),
        ("two parts", format!("{}.{}", parts[0], parts[1])),
        ("four parts", format!("{token}.{}", parts[2])),
        ("padding", format!("{token}=")),
        ("expired", with("exp", json!(now - 31))),
        ("exp as text", with("exp", json!((now + 900).to_string()))),
        ("exp beyond numbers", with("exp", json!(1e300))),
        ("exp below zero", with("exp", json!(-1))),
        ("exp null", with("exp", Value::Null)),
        ("not yet", with("nbf", json!(now + 3600))),
        ("nbf as text", with("nbf", json!("0"))),
        ("another audience", with("aud", json!("another"))),
        ("another issuer", with("iss", json!("another"))),
        ("another account", with("sub", json!("2"))),
        ("another session", with("sid", json!("999"))),
        ("a number as sub", with("sub", json!(1))),
        ("sub that is none", with("sub", json!("1 OR 1=1"))),
    ];
    for name in ["exp", "iss", "aud", "sub", "sid", "iat", "jti"] {
        forged.push((name, without(name)));
    }
    for none in ["none", "None", "nOnE", ""] {
        forged.push(("alg none", format!("{}.", body(json!({"alg": none, "kid": kid})))));
        forged.push((
            "alg none, signed",
            format!("{}.{}", body(json!({"alg": none, "kid": kid})), parts[2]),
        ));
    }
    // Every last character: some of them differ in bits that base64 does not use.
    let (head, last) = token.split_at(token.len() - 1);
    for other in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
        if other.to_string() != last {
            forged.push(("another last character", format!("{head}{other}")));
        }
    }
    for (what, token) in &forged {
        let answer = with_token(app, token).get("/api/v1/auth/me").await;
        assert_eq!(answer.status, 401, "{what}: {answer}");
        answer.problem(401, "invalid_token");
    }
    // The same way of making one, with nothing wrong, is good: the refusals above are for their reasons.
    assert!(is_good(&with_token(app, &with("jti", json!("another")))).await);
    assert!(is_good(&admin).await);
}

async fn an_instance_believes_the_keys_of_others(app: &App) {
    let first = app.admin().await;
    let claims: Value = {
        let body = first.role.token.split('.').nth(1).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
    };
    let other = SigningKey::from_bytes(&[43; 32]);
    let x = part(other.verifying_key().as_bytes());
    let kid = "other_other_other_other_other_other_other_o";
    let token = signed(Some(kid), &claims, &other);
    assert!(!is_good(&with_token(app, &token)).await, "nobody knows its key yet");

    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": x});
    let row = format!(
        "INSERT INTO signing_keys (kid, jwk, created_at) VALUES ('{kid}', '{jwk}', '2026-01-01T00:00:00.000000Z')"
    );
    let config = CONFIG.take().expect("the settings of this server");
    let db = Db::open(&config).expect("the database opens beside the server");
    db.write(move |tx| Ok(tx.conn.batch_execute(&row)?)).await.unwrap();
    db.close().await;
    // Made-up names do not hide a key that is there, nor does the server ask for each of them.
    let begun = std::time::Instant::now();
    let made_up = |n: usize| signed(Some(&format!("{n:043}")), &claims, &other);
    let tries = (0..40).map(|n| {
        let client = with_token(app, &made_up(n));
        async move { client.get("/api/v1/auth/me").await.status }
    });
    let good = with_token(app, &token);
    let (statuses, good) = tokio::join!(futures_util::future::join_all(tries), is_good(&good));
    assert!(good);
    assert!(statuses.iter().all(|status| *status == 401), "{statuses:?}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

fn with_limits(config: &mut Config) {
    config.rate_limit = true;
}

fn with_limits_behind_a_proxy(config: &mut Config) {
    behind_a_proxy(config);
    config.rate_limit = true;
}

async fn sign_in_is_limited(app: &App) {
    let mut counts = Vec::new();
    for n in 0..14 {
        let email = if n % 2 == 0 { EMAIL } else { "nobody@example.com" };
        // What a caller may write about itself does not count.
        let client = app
            .anonymous()
            .with("x-forwarded-for", &format!("10.0.0.{n}"))
            .with("x-real-ip", &format!("10.0.0.{n}"));
        let answer = client
            .post("/api/v1/auth/login", &credentials(email, "wrong password"))
            .await;
        if answer.status == 429 {
            let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=60).contains(&wait), "{answer}");
            answer.problem(429, "rate_limited");
        } else {
            counts.push(answer.problem(401, "invalid_credentials").status);
        }
    }
    // The tests may take long enough for one more.
    assert!((10..=12).contains(&counts.len()), "{}", counts.len());
}

async fn one_address_locks_nobody_out(app: &App) {
    let from = |address: &str| app.anonymous().with("x-forwarded-for", address);
    for _ in 0..40 {
        let answer = from("203.0.113.7")
            .post("/api/v1/auth/login", &credentials(EMAIL, "wrong password"))
            .await;
        assert!(matches!(answer.status, 401 | 429), "{answer}");
    }
    from("198.51.100.9").login(EMAIL, PASSWORD).await;

    // Of many addresses, each of which tries little, the account's own limit is met; for unknown ones alike.
    for email in ["target@example.com", EMAIL] {
        let tries = (0..50).map(|n| {
            let client = from(&format!("192.0.2.{n}"));
            let body = credentials(email, "wrong password");
            async move { client.post("/api/v1/auth/login", &body).await }
        });
        let answers = futures_util::future::join_all(tries).await;
        assert!(answers.iter().any(|answer| answer.status == 429), "{email}");
        let wait = answers.iter().find_map(|answer| answer.header("retry-after"));
        assert!(wait.unwrap().parse::<u64>().unwrap() <= 4, "{wait:?}");
    }
}

// An access token is no API key, and the other way round.
both!(a_key_of_another_kind_is_none);

async fn a_key_of_another_kind_is_none(app: &App) {
    let admin = app.admin().await;
    let disguised = app.anonymous().become_role(ApiKey {
        id: 1,
        key: format!("bsk_{}", admin.role.token),
    });
    disguised.get("/api/v1/site").await.problem(401, "invalid_token");
    let key = app.key("write").await.role.key;
    let bare = with_token(app, key.strip_prefix("bsk_").unwrap());
    bare.get("/api/v1/site").await.problem(401, "invalid_token");
    refresh(&app.anonymous(), &key).await.problem(401, "invalid_token");
}
