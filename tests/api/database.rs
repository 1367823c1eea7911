//! The databases themselves: migrations there and back, tables as described, a schema from the future.

use broadsheet::config::Config;
use broadsheet::db::DbConn;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use serde_json::{Value, json};

use crate::support::{App, Backend, administer, both, run, run_again};

both!(every_table_is_as_described);

macro_rules! select_each {
    ($conn:expr, $($table:ident),+ $(,)?) => {{
        use broadsheet::db::schema::*;
        $($table::table.select($table::all_columns).limit(0).execute($conn).expect(stringify!($table));)+
    }};
}

async fn every_table_is_as_described(app: &App) {
    let mut conn = app.connect();
    select_each!(
        &mut conn,
        users,
        sessions,
        refresh_tokens,
        api_keys,
        signing_keys,
        site,
        images,
        categories,
        tag_keys,
        tags,
        authors,
        articles,
        article_bodies,
        former_slugs,
        article_tags,
        article_authors,
        image_uses,
        article_views,
        views_by_hour,
        views_by_day,
        noted_views,
        view_windows,
        counted_views,
        view_events,
        view_salts,
        article_hits,
        article_listings,
        content_changes,
        index_state,
        index_pending,
        synonyms,
        search_queries,
    );
}

/// On PostgreSQL alone, since a file does not go away. What is asked then was not prepared before on these connections.
mod a_connection_that_was_lost_is_not_lent_again {
    use super::*;

    #[actix_web::test]
    async fn postgres() {
        run(Backend::Postgres, no_cache, scenario).await;
    }

    fn no_cache(config: &mut Config) {
        config.cache_bytes = 0;
    }

    async fn scenario(app: &App) {
        let admin = app.admin().await;
        let article = json!({"title": "题", "slug": "one", "body": "续航", "status": "published"});
        let id = admin.post("/api/v1/articles", &article).await.ok(201).id();
        let reader = app.anonymous();
        for _ in 0..3 {
            reader.get("/api/v1/articles/by-slug/one").await.ok(200);
        }
        let name: String = diesel::select(sql::<Text>("CAST(current_database() AS TEXT)"))
            .get_result(&mut app.connect())
            .expect("a name");
        administer(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        ));
        // The first one to fail puts the others in doubt, those of editors too; the lane of views has its own.
        let path = format!("/api/v1/articles/{id}");
        let mut failed = 0;
        loop {
            let answer = reader.get(&path).await;
            if answer.status == 200 {
                break;
            }
            answer.problem(503, "unavailable");
            failed += 1;
            assert!(failed <= 1, "a connection that was lost is lent to readers");
        }
        for other in ["two", "three", "four"] {
            let article = json!({"title": "题", "slug": other, "body": "续航", "status": "published"});
            admin.post("/api/v1/articles", &article).await.ok(201);
        }
        let mut failed = 0;
        loop {
            let answer = reader.post(&format!("{path}/views"), &json!({})).await;
            if answer.status == 200 {
                break;
            }
            answer.problem(503, "unavailable");
            failed += 1;
            assert!(failed <= 1, "a connection that was lost is lent to count");
        }
    }
}

/// Nothing that readers see is lost or made up when the last migrations are undone and done again.
mod filled_tables_are_migrated {
    use super::*;

    /// So many: those since lists had a table of their own.
    const UNDONE: usize = 5;

    /// What is asked for before and after.
    const ASKED: &[&str] = &[
        "/api/v1/articles?sort=published_at",
        "/api/v1/articles?category=shou-ji",
        "/api/v1/articles?category=xiao-mi-shou-ji",
        "/api/v1/articles?tag=xu-hang",
        "/api/v1/articles?category=shou-ji&tag=xu-hang",
        "/api/v1/articles?author=zhang-san",
        "/api/v1/articles/1",
        "/api/v1/search?q=新标题",
        "/api/v1/search?q=旧标题",
        "/api/v1/search?q=两个小时",
        "/api/v1/search?q=两个小时&category=shou-ji",
        "/api/v1/rankings/views?window=24h",
    ];

    #[actix_web::test]
    async fn sqlite() {
        run_again(Backend::Sqlite, |_| (), [fill, look_again]).await;
    }

    #[actix_web::test]
    async fn postgres() {
        run_again(Backend::Postgres, |_| (), [fill, look_again]).await;
    }

    type Scenario<'a> = std::pin::Pin<Box<dyn Future<Output = ()> + 'a>>;

    async fn seen(app: &App) -> Value {
        let reader = app.anonymous();
        let mut answers = Vec::new();
        for path in ASKED {
            answers.push(reader.get(path).await.ok(200)["data"].clone());
        }
        Value::Array(answers)
    }

    fn fill(app: &App) -> Scenario<'_> {
        Box::pin(async {
            let admin = app.admin().await.with("If-Match", "*");
            let category = json!({"name": "手机", "slug": "shou-ji"});
            let above = admin.post("/api/v1/categories", &category).await.ok(201).id();
            let category = json!({"name": "小米手机", "slug": "xiao-mi-shou-ji", "parent_id": above});
            let below = admin.post("/api/v1/categories", &category).await.ok(201).id();
            let author = json!({"name": "张三", "slug": "zhang-san"});
            let author = admin.post("/api/v1/authors", &author).await.ok(201).id();
            for (category, status) in [(above, "published"), (below, "published"), (below, "draft")] {
                let article = json!({
                    "title": "旧标题", "body": "续航多了两个小时。", "status": status, "category_id": category,
                    "tags": ["续航"], "author_ids": [author],
                });
                admin.post("/api/v1/articles", &article).await.ok(201);
            }
            let edit = json!({"title": "新标题"});
            admin.patch("/api/v1/articles/1", &edit).await.ok(200);
            for (visitor, id) in [("a", 1), ("b", 1), ("a", 2)] {
                let visitor = app.anonymous().with("X-Visitor-Id", visitor);
                visitor
                    .post(&format!("/api/v1/articles/{id}/views"), &json!({}))
                    .await
                    .ok(200);
            }
            let before = seen(app).await;
            std::fs::write(kept(app), before.to_string()).expect("a file");
            // As if what was counted last were noted and not added up.
            app.run_sql(
                "INSERT INTO noted_views (viewed_at, views) SELECT hour + 1, '{\"2\":1,\"99\":1}' FROM article_views WHERE article_id = 2;
                 UPDATE article_views SET views = 0, level = 0, views_24h = 0, level_24h = 0, views_7d = 0, level_7d = 0,
                 views_30d = 0, level_30d = 0, hour = 0, hour_views = 0 WHERE article_id = 2",
            );
            match app.connect() {
                DbConn::Sqlite(mut conn) => undo(&mut conn, "migrations/sqlite"),
                DbConn::Postgres(mut conn) => undo(&mut conn, "migrations/postgres"),
            }
        })
    }

    fn kept(app: &App) -> std::path::PathBuf {
        app.config.data_dir.join("seen.json")
    }

    fn undo<D: diesel::backend::Backend>(conn: &mut impl MigrationHarness<D>, folder: &str) {
        let migrations = FileBasedMigrations::from_path(folder).expect("the migrations");
        for _ in 0..UNDONE {
            conn.revert_last_migration(migrations.clone())
                .expect("a migration undone");
        }
    }

    fn look_again(app: &App) -> Scenario<'_> {
        Box::pin(async {
            let before: Value =
                serde_json::from_slice(&std::fs::read(kept(app)).expect("a file")).expect("what was seen before");
            let after = seen(app).await;
            for ((path, before), after) in ASKED
                .iter()
                .zip(before.as_array().expect("a list"))
                .zip(after.as_array().expect("a list"))
            {
                assert_eq!(before, after, "{path}");
            }
            let series = app
                .admin()
                .await
                .get("/api/v1/articles/2/views?interval=hour")
                .await
                .ok(200);
            let points = series["data"].as_array().expect("points").iter();
            assert_eq!(points.filter_map(|point| point["views"].as_i64()).sum::<i64>(), 1);
            // The third visitor of the first; the draft is still nobody's.
            let visitor = app.anonymous().with("X-Visitor-Id", "c");
            let counted = visitor.post("/api/v1/articles/1/views", &json!({})).await.ok(200);
            assert_eq!(counted["data"]["view_count"], 3);
            visitor
                .post("/api/v1/articles/3/views", &json!({}))
                .await
                .problem(404, "not_found");
        })
    }
}
