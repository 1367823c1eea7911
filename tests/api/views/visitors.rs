//! One visitor counts once in the window.

use broadsheet::db::Db;
use broadsheet::db::schema::{counted_views, view_events, view_salts};
use broadsheet::server;
use broadsheet::views::upkeep;
use chrono::{TimeDelta, Utc};
use diesel::prelude::*;
use futures_util::future::join_all;
use serde_json::json;

use super::{count_of, counted, every_view, published, views_of};
use crate::support::{App, Backend, Client, both, run, run_again};

both!(
    a_visitor_counts_once,
    visitors_are_told_apart,
    crawlers_are_told_the_number,
    a_name_that_is_none_is_refused,
    who_was_counted_is_forgotten,
);

async fn a_visitor_counts_once(app: &App) {
    let id = published(app, "一次").await;
    let visitor = app.anonymous().with("X-Visitor-Id", "one");
    let (path, nothing) = (views_of(id), json!({}));
    let beats = (0..100).map(|_| visitor.post(&path, &nothing));
    let mut of = 0;
    for answer in join_all(beats).await {
        let answer = answer.ok(200);
        of += i32::from(counted(&answer));
        assert_eq!(answer["data"]["view_count"], 1);
    }
    assert_eq!((of, count_of(app, id).await), (1, 1));
    let other = published(app, "另一篇").await;
    assert!(counted(&visitor.post(&views_of(other), &nothing).await.ok(200)));
}

async fn visitors_are_told_apart(app: &App) {
    let id = published(app, "各自").await;
    let (path, nothing) = (views_of(id), json!({}));
    let many = (0..100).map(async |n| {
        let visitor = app.anonymous().with("X-Visitor-Id", &format!("visitor-{n}"));
        counted(&visitor.post(&path, &nothing).await.ok(200))
    });
    assert!(join_all(many).await.into_iter().all(|counted| counted));
    // Without a name, by address and user agent.
    let browser = app.anonymous().with("User-Agent", "Mozilla/5.0 (one)");
    assert!(counted(&browser.post(&path, &nothing).await.ok(200)));
    assert!(!counted(&browser.post(&path, &nothing).await.ok(200)));
    for library in ["Mozilla/5.0 (two)", "okhttp/4.12.0", "curl/8.5.0", "node"] {
        let library = app.anonymous().with("User-Agent", library);
        assert!(counted(&library.post(&path, &nothing).await.ok(200)));
    }
    // A name counts for itself, whatever the user agent.
    let named = browser.with("X-Visitor-Id", "visitor-7");
    assert!(!counted(&named.post(&path, &nothing).await.ok(200)));
    assert_eq!(count_of(app, id).await, 105);
}

async fn crawlers_are_told_the_number(app: &App) {
    let id = published(app, "爬虫").await;
    app.anonymous().post(&views_of(id), &json!({})).await.ok(200);
    for agent in [
        "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
        "WhatsApp/2.23.20.0 A",
    ] {
        let crawler = app
            .anonymous()
            .with("User-Agent", agent)
            .with("X-Visitor-Id", agent.get(..4).expect("ASCII"));
        let answer = crawler.post(&views_of(id), &json!({})).await.ok(200);
        assert_eq!((counted(&answer), &answer["data"]["view_count"]), (false, &json!(1)));
        crawler
            .post(&views_of(999_999), &json!({}))
            .await
            .problem(404, "not_found");
    }
    assert_eq!(count_of(app, id).await, 1);
}

async fn a_name_that_is_none_is_refused(app: &App) {
    let id = published(app, "名字").await;
    let long = "x".repeat(10_000);
    for wrong in ["", "a b", "访客", &long] {
        for (path, body) in [
            (views_of(id), json!({})),
            ("/api/v1/views".to_owned(), json!({"views": []})),
        ] {
            let answer = app.anonymous().with("X-Visitor-Id", wrong).post(&path, &body).await;
            let problem = answer.problem(400, "invalid_parameter");
            assert_eq!(problem["errors"][0]["parameter"], "X-Visitor-Id");
        }
    }
    let twice = app.anonymous().with("X-Visitor-Id", "a").with("X-Visitor-Id", "b");
    twice
        .post(&views_of(id), &json!({}))
        .await
        .problem(400, "invalid_parameter");
    assert_eq!(count_of(app, id).await, 0);
    let longest = app.anonymous().with("X-Visitor-Id", &"x".repeat(128));
    longest.post(&views_of(id), &json!({})).await.ok(200);
}

async fn who_was_counted_is_forgotten(app: &App) {
    let id = published(app, "忘记").await;
    let event = |name: &str| json!({"event_id": name, "article_id": id, "viewed_at": Utc::now().to_rfc3339()});
    let events = json!({"views": [event("0198f2c6-7c7e-7d5a-9c1e-2f6d0a4b8c11")]});
    app.anonymous()
        .with("X-Visitor-Id", "phone")
        .post("/api/v1/views", &events)
        .await
        .ok(200);
    app.anonymous().post(&views_of(id), &json!({})).await.ok(200);
    let db = Db::open(&app.config).expect("a second process");
    let left = async |days: i64| {
        let later = Utc::now() + TimeDelta::days(days);
        upkeep::catch_up(&db, chrono_tz::Asia::Shanghai, later.into())
            .await
            .expect("what is due is done");
        let mut conn = app.connect();
        let named: Vec<bool> = counted_views::table
            .select(counted_views::named)
            .order(counted_views::named)
            .load(&mut conn)
            .expect("who was counted");
        let events: i64 = view_events::table.count().get_result(&mut conn).expect("events");
        let salts: i64 = view_salts::table.count().get_result(&mut conn).expect("salts");
        (named, events, salts)
    };
    assert_eq!(left(1).await, (vec![false, true], 1, 2));
    assert_eq!(left(2).await, (vec![true], 1, 1));
    assert_eq!(left(7).await, (vec![true], 1, 1));
    assert_eq!(left(8).await, (vec![true], 0, 1));
    assert_eq!(left(10).await, (vec![], 0, 1));
    db.close().await;
}

mod the_window_holds_over_a_restart {
    use super::*;

    #[actix_web::test]
    async fn sqlite() {
        run_again(Backend::Sqlite, |_| (), [start, again]).await;
    }

    #[actix_web::test]
    async fn postgres() {
        run_again(Backend::Postgres, |_| (), [start, again]).await;
    }

    type Scenario<'a> = std::pin::Pin<Box<dyn Future<Output = ()> + 'a>>;

    fn start(app: &App) -> Scenario<'_> {
        Box::pin(async {
            let id = published(app, "重启").await;
            assert_eq!(id, 1);
            for name in [None, Some("app")] {
                assert!(counted(
                    &visitor(app, name).post(&views_of(1), &json!({})).await.ok(200)
                ));
            }
        })
    }

    fn again(app: &App) -> Scenario<'_> {
        Box::pin(async {
            for name in [None, Some("app")] {
                assert!(!counted(
                    &visitor(app, name).post(&views_of(1), &json!({})).await.ok(200)
                ));
            }
            assert_eq!(count_of(app, 1).await, 2);
        })
    }

    fn visitor(app: &App, name: Option<&str>) -> Client<crate::support::Anonymous> {
        let visitor = app.anonymous();
        name.map_or_else(|| visitor.clone(), |name| visitor.with("X-Visitor-Id", name))
    }
}

mod two_instances_count_together {
    use super::*;

    #[actix_web::test]
    async fn postgres() {
        run(Backend::Postgres, |_| (), scenario).await;
    }

    #[actix_web::test]
    async fn postgres_without_a_window() {
        run(Backend::Postgres, every_view, every_view_counts).await;
    }

    async fn every_view_counts(app: &App) {
        let ids = [published(app, "一").await, published(app, "二").await];
        let second = server::start(app.config.clone())
            .await
            .expect("the second instance starts");
        let instances = [app.anonymous(), Client::new(second.address)];
        let admin = app.admin().await.with("If-Match", "*");
        for round in 1..=10 {
            let beats = (0..80).map(async |n: usize| {
                let client = instances.get(n / 2 % 2).expect("two instances");
                let id = ids.get(n % 2).expect("two articles");
                counted(&client.post(&views_of(*id), &json!({})).await.ok(200))
            });
            assert!(join_all(beats).await.into_iter().all(|counted| counted));
            for id in ids {
                assert_eq!(count_of(app, id).await, 40 * round);
            }
        }
        // Hidden by one, and not counted by the other.
        let [hidden, _] = ids;
        let path = format!("/api/v1/articles/{hidden}");
        admin.patch(&path, &json!({"status": "draft"})).await.ok(200);
        for client in &instances {
            client
                .post(&views_of(hidden), &json!({}))
                .await
                .problem(404, "not_found");
        }
        admin.patch(&path, &json!({"status": "published"})).await.ok(200);
        assert_eq!(count_of(app, hidden).await, 400);
        second.stop().await;
    }

    async fn scenario(app: &App) {
        let id = published(app, "两台").await;
        let second = server::start(app.config.clone())
            .await
            .expect("the second instance starts");
        let instances = [app.anonymous(), Client::new(second.address)];
        let (path, nothing) = (views_of(id), json!({}));
        let mut counted_views = 0;
        for round in 0..10 {
            // Forty visitors, each of them at both instances at once.
            let beats = (0..80).map(async |n: usize| {
                let name = format!("{round}-{}", n / 2);
                let client = instances.get(n % 2).expect("two instances").with("X-Visitor-Id", &name);
                counted(&client.post(&path, &nothing).await.ok(200))
            });
            counted_views += join_all(beats).await.into_iter().filter(|counted| *counted).count();
        }
        assert_eq!(counted_views, 400);
        assert_eq!(count_of(app, id).await, 400);
        second.stop().await;
    }
}
