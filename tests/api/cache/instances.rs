//! Several processes on one database, and view numbers.

use std::time::{Duration, Instant};

use broadsheet::config::{Config, Database};
use broadsheet::db::Db;
use broadsheet::server;
use broadsheet::site::model::SitePatch;
use broadsheet::site::store::update_site;
use broadsheet::taxonomy::categories::model::CategoryPatch;
use broadsheet::taxonomy::categories::store::update_category;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::json;

use super::{is_hit, warm};
use crate::support::{Anonymous, App, Backend, Client, both};

both!(
    view_numbers_are_a_second_old_at_most,
    what_another_process_writes_is_noticed,
    what_is_made_anew_shows_what_another_process_has_just_written,
    views_change_only_their_number,
);

both!(view_numbers_are_as_new_where_every_view_counts, with every_view);

fn every_view(config: &mut Config) {
    config.view_window = Duration::ZERO;
}

mod a_lock_that_is_not_got_leaves_the_connection_whole {
    #[actix_web::test]
    async fn postgres() {
        let test = super::a_lock_that_is_not_got_leaves_the_connection_whole_on;
        crate::support::run(super::Backend::Postgres, |_| (), test).await;
    }
}

async fn view_numbers_are_as_new_where_every_view_counts(app: &App) {
    view_numbers_are_a_second_old_at_most(app).await;
}

mod the_other_instance_follows {
    #[actix_web::test]
    async fn postgres() {
        crate::support::run(super::Backend::Postgres, |_| (), super::the_other_instance_follows_on).await;
    }
}

mod a_cut_connection_is_noticed {
    #[actix_web::test]
    async fn postgres() {
        crate::support::run(super::Backend::Postgres, |_| (), super::a_cut_connection_is_noticed_on).await;
    }
}

mod an_instance_with_few_connections_keeps_answers_too {
    #[actix_web::test]
    async fn postgres() {
        let test = super::an_instance_with_few_connections_keeps_answers_too_on;
        crate::support::run(super::Backend::Postgres, |_| (), test).await;
    }
}

async fn article(app: &App) -> String {
    let made = app
        .admin()
        .await
        .post(
            "/api/v1/articles",
            &json!({"title": "旧", "status": "published", "tags": ["小米"]}),
        )
        .await
        .ok(201);
    format!("/api/v1/articles/{}", made.id())
}

async fn sleep(milliseconds: u64) {
    actix_web::rt::time::sleep(Duration::from_millis(milliseconds)).await;
}

/// A second instance on the same PostgreSQL, with folders of its own.
async fn second(app: &App, data: &std::path::Path) -> server::Running {
    let config = Config {
        data_dir: data.to_owned(),
        ..app.config.clone()
    };
    server::start(config).await.expect("a second instance")
}

/// Waits until `done`, and fails after a time that is far beyond what is promised.
async fn until(what: &str, mut done: impl AsyncFnMut() -> bool) -> Duration {
    let begun = Instant::now();
    while !done().await {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} never");
        sleep(5).await;
    }
    begun.elapsed()
}

async fn the_other_instance_follows_on(app: &App) {
    let data = tempfile::tempdir().expect("a folder");
    let other = second(app, data.path()).await;
    let (here, there) = (app.anonymous(), Client::new(other.address));
    warm(&here).await;
    warm(&there).await;
    let at = article(app).await;
    let admin = app.admin().await.with("if-match", "*");
    until("the article is kept there", async || is_hit(&there.get(&at).await)).await;
    for round in 0..10 {
        let title = format!("第{round}次");
        assert!(is_hit(&there.get(&at).await.ok(200)));
        admin.patch(&at, &json!({"title": title})).await.ok(200);
        assert_eq!(here.get(&at).await.ok(200)["data"]["title"], title.as_str());
        until("the other instance follows", async || {
            there.get(&at).await.ok(200)["data"]["title"] == title.as_str()
        })
        .await;
        // It is kept again.
        until("it is kept again", async || is_hit(&there.get(&at).await.ok(200))).await;
    }
    other.stop().await;
}

async fn a_cut_connection_is_noticed_on(app: &App) {
    let data = tempfile::tempdir().expect("a folder");
    let other = second(app, data.path()).await;
    let there = Client::new(other.address);
    warm(&there).await;
    let at = article(app).await;
    let admin = app.admin().await.with("if-match", "*");
    until("the article is kept there", async || is_hit(&there.get(&at).await)).await;
    for round in 0..3 {
        app.run_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = 'broadsheet_changes' AND datname = current_database()",
        );
        let title = format!("第{round}次");
        admin.patch(&at, &json!({"title": title})).await.ok(200);
        until("it follows without its connection", async || {
            there.get(&at).await.ok(200)["data"]["title"] == title.as_str()
        })
        .await;
        warm(&there).await;
        until("it is kept again", async || is_hit(&there.get(&at).await.ok(200))).await;
        assert_eq!(there.get(&at).await.ok(200)["data"]["title"], title.as_str());
    }
    other.stop().await;
}

async fn an_instance_with_few_connections_keeps_answers_too_on(app: &App) {
    let Database::Postgres(address) = &app.config.database else {
        panic!("it runs on PostgreSQL alone")
    };
    // The limit is that of who signs in, the rights are those of the owner.
    let role = format!("few_{}", std::process::id());
    let (_, rest) = address.split_once('@').expect("an address with a user");
    let (at, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    app.run_sql(&format!(
        "DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN PASSWORD '{role}' CONNECTION LIMIT 5;
         DO $$ BEGIN EXECUTE format('GRANT %I TO {role}; ALTER ROLE {role} SET role = %I', current_user, current_user); END $$"
    ));
    let data = tempfile::tempdir().expect("a folder");
    let other = server::start(Config {
        data_dir: data.path().to_owned(),
        database: Database::Postgres(format!("postgres://{role}:{role}@{at}?{parameters}")),
        ..app.config.clone()
    })
    .await
    .expect("a second instance");
    let there = Client::new(other.address);
    let at = article(app).await;
    let admin = app.admin().await.with("if-match", "*");
    for round in 0..3 {
        until("the article is kept there", async || {
            is_hit(&there.get(&at).await.ok(200))
        })
        .await;
        let title = format!("第{round}次");
        admin.patch(&at, &json!({"title": title})).await.ok(200);
        until("it follows", async || {
            there.get(&at).await.ok(200)["data"]["title"] == title.as_str()
        })
        .await;
        app.run_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = 'broadsheet_changes' AND datname = current_database()",
        );
    }
    other.stop().await;
    app.run_sql(&format!("DROP ROLE {role}"));
}

async fn view_numbers_are_a_second_old_at_most(app: &App) {
    let reader = app.anonymous();
    warm(&reader).await;
    let at = article(app).await;
    let lists = [
        at.clone(),
        "/api/v1/articles".to_owned(),
        "/api/v1/articles?tag=xiao-mi".to_owned(),
    ];
    let number = |answer: crate::support::Answer| {
        let one = answer["data"]["view_count"].as_i64();
        one.or_else(|| answer["data"][0]["view_count"].as_i64())
            .expect("a number")
    };
    for list in &lists {
        let _kept = reader.get(list).await.ok(200);
    }
    let etag = reader.get(&at).await.ok(200).header("etag").map(str::to_owned);
    for views in 1..=5 {
        view(&reader, &at, views).await;
        // Counted here, and so seen at once.
        for list in &lists {
            let answer = reader.get(list).await.ok(200);
            assert!(is_hit(&answer), "{list}");
            assert_eq!(number(answer), views, "{list}");
        }
    }
    // Counted elsewhere.
    app.run_sql("UPDATE article_views SET views = 77");
    sleep(1_050).await;
    for list in &lists {
        let gzip = reader.with("accept-encoding", "gzip").get(list).await.ok(200);
        assert!(is_hit(&gzip));
        let answer = reader.get(list).await.ok(200);
        assert!(is_hit(&answer), "{list} was made anew");
        assert_eq!(number(answer), 77, "{list}");
    }
    assert_eq!(reader.get(&at).await.ok(200).header("etag").map(str::to_owned), etag);
}

/// A view by a visitor of that number.
async fn view(reader: &Client<Anonymous>, article: &str, visitor: i64) {
    let visitor = reader.with("X-Visitor-Id", &visitor.to_string());
    visitor.post(&format!("{article}/views"), &json!({})).await.ok(200);
}

async fn views_change_only_their_number(app: &App) {
    let reader = app.anonymous();
    warm(&reader).await;
    let at = article(app).await;
    let _kept = reader.get(&at).await.ok(200);
    let before = reader.get("/api/v1/articles?include=body").await.ok(200);
    for visitor in 0..12 {
        view(&reader, &at, visitor).await;
    }
    let truth = app.key("read").await.get(&at).await.ok(200);
    sleep(1_050).await;
    let after = reader.get(&at).await.ok(200);
    assert!(is_hit(&after));
    assert_eq!(after.text(), truth.text());
    let list = reader.get("/api/v1/articles?include=body").await.ok(200);
    assert_eq!(
        list.text(),
        before.text().replace("\"view_count\":0", "\"view_count\":12")
    );
}

async fn what_is_made_anew_shows_what_another_process_has_just_written(app: &App) {
    let other = Db::open(&app.config).expect("the database");
    let (admin, reader) = (app.admin().await, app.anonymous());
    let edit = admin.with("If-Match", "*");
    let category = json!({"name": "旧栏目", "slug": "column"});
    let category = admin.post("/api/v1/categories", &category).await.ok(201).id();
    let made = json!({"title": "旧", "slug": "old", "status": "published", "category_id": category});
    admin.post("/api/v1/articles", &made).await.ok(201);
    for round in 0..20 {
        let (name, at) = (format!("第{round}栏"), format!("https://example.org/{round}/{{slug}}"));
        let renamed: CategoryPatch = serde_json::from_value(json!({"name": name})).expect("a category");
        let moved: SitePatch = serde_json::from_value(json!({"article_url": at})).expect("a site");
        let (renamed, moved) = (renamed.check().expect("a category"), moved.check().expect("a site"));
        other
            .write(move |tx| {
                update_category(tx, category, &renamed)?;
                Ok(update_site(tx, &moved)?)
            })
            .await
            .expect("a write");
        // The list was not asked for before, and so is not kept.
        for article in [
            &edit
                .patch("/api/v1/articles/1", &json!({"featured": round % 2 == 0}))
                .await
                .ok(200)["data"],
            &admin.get("/api/v1/articles/1").await.ok(200)["data"],
            &reader
                .get(&format!("/api/v1/articles?limit={}", round + 1))
                .await
                .ok(200)["data"][0],
        ] {
            assert_eq!(article["category"]["name"], name.as_str());
            assert_eq!(article["url"], format!("https://example.org/{round}/old"));
        }
    }
}

async fn what_another_process_writes_is_noticed(app: &App) {
    let reader = app.anonymous();
    warm(&reader).await;
    let at = article(app).await;
    until("the article is kept", async || is_hit(&reader.get(&at).await)).await;
    let posts = tempfile::tempdir().expect("a folder");
    std::fs::write(posts.path().join("one.md"), "---\ntitle: 外来\n---\n正文\n").expect("a file");
    let program = env!("CARGO_BIN_EXE_broadsheet");
    let url = match &app.config.database {
        Database::Sqlite(path) => format!("sqlite://{}", path.display()),
        Database::Postgres(url) => url.clone(),
    };
    assert!(reader.get("/api/v1/articles").await.ok(200).ids().len() == 1);
    let output = std::process::Command::new(program)
        .args(["import", "markdown"])
        .arg(posts.path())
        .env("DATABASE_URL", url)
        .env("BROADSHEET_DATA_DIR", &app.config.data_dir)
        .output()
        .expect("the command runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    until("the import shows", async || {
        reader.get("/api/v1/articles").await.ok(200).ids().len() == 2
    })
    .await;
}

/// A transaction begins with the lock in one round trip: BEGIN may have gone well where the lock was not got.
async fn a_lock_that_is_not_got_leaves_the_connection_whole_on(app: &App) {
    #[derive(QueryableByName)]
    struct Cancelled {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        cancelled: i64,
    }
    let at = article(app).await;
    let admin = app.admin().await.with("if-match", "*");
    let mut holder = app.connect();
    holder
        .batch_execute("SELECT pg_advisory_lock(hashtext('categories'))")
        .expect("the lock");
    for round in 0..3 {
        let edit = async { admin.patch(&at, &json!({"title": format!("第{round}次")})).await };
        let cancel = async {
            until("the edit waits", async || {
                let found: Cancelled = diesel::sql_query(
                    "SELECT count(*) FILTER (WHERE pg_cancel_backend(pid)) AS cancelled FROM pg_stat_activity
                     WHERE wait_event_type = 'Lock' AND wait_event = 'advisory' AND datname = current_database()",
                )
                .get_result(&mut holder)
                .expect("who waits");
                found.cancelled > 0
            })
            .await
        };
        let (answer, _) = futures_util::join!(edit, cancel);
        assert!(answer.status >= 500, "{answer}");
        for _ in 0..20 {
            app.anonymous().get(&format!("{at}?include=related")).await.ok(200);
        }
    }
    holder
        .batch_execute("SELECT pg_advisory_unlock(hashtext('categories'))")
        .expect("the lock is given back");
    let edited = admin.patch(&at, &json!({"title": "新"})).await.ok(200);
    assert_eq!(edited["data"]["title"], "新");
}
