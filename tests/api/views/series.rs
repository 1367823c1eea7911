//! What was read when.

use broadsheet::db::schema::{article_views, views_by_day, views_by_hour};
use broadsheet::db::{Db, Timestamp};
use broadsheet::views::upkeep;
use chrono::{DateTime, NaiveTime, TimeDelta, Timelike, Utc};
use chrono_tz::Asia::Shanghai;
use diesel::prelude::*;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{every_view, published, views_of};
use crate::support::{App, both};

both!(
    hours_stand_with_zeros_between,
    days_are_those_of_the_site,
    hours_become_days_and_nothing_is_lost,
    an_hour_that_ends_keeps_its_views,
    who_may_not_see_the_article_sees_no_series,
    wrong_bounds_are_refused,
);
both!(a_view_is_of_the_hour_of_the_zone_that_the_site_has_now, with every_view);

/// Reads the article once at each of these times, each time as somebody else.
async fn read_at(app: &App, id: i64, times: &[DateTime<Utc>]) {
    for at in times {
        let reader = app.anonymous().with("X-Visitor-Id", &Uuid::new_v4().to_string());
        let event = json!({"event_id": Uuid::new_v4().to_string(), "article_id": id, "viewed_at": at.to_rfc3339()});
        let told = reader.post("/api/v1/views", &json!({"views": [event]})).await.ok(200);
        assert_eq!(told["data"][0]["status"], "counted");
    }
}

fn numbers(series: &Value) -> Vec<i64> {
    let points = series.as_array().expect("a list");
    points
        .iter()
        .map(|point| point["views"].as_i64().expect("a number"))
        .collect()
}

async fn hours_stand_with_zeros_between(app: &App) {
    let id = published(app, "小时").await;
    let now = Utc::now();
    let hours_ago = |hours| now - TimeDelta::hours(hours);
    read_at(app, id, &[now, hours_ago(2), hours_ago(2), hours_ago(5)]).await;
    let admin = app.admin().await;
    let path = format!("{}?interval=hour", views_of(id));
    let series = admin.get(&path).await.ok(200);
    let points = numbers(&series["data"]);
    assert_eq!(points.len(), 24);
    // An hour may have passed since.
    let last = points.iter().rposition(|views| *views > 0).expect("a view");
    assert!(last >= 22);
    let back = |hours: usize| points.get(last - hours).copied();
    assert_eq!(
        [back(0), back(1), back(2), back(3), back(5)],
        [Some(1), Some(0), Some(2), Some(0), Some(1)]
    );
    let start = series["data"][last]["start"].as_str().expect("a time");
    assert!(start.ends_with(":00:00Z"), "{start}");
    assert_eq!(series["meta"]["total"], 24);

    let from = hours_ago(5).format("%Y-%m-%dT%H:%M:%SZ");
    let to = hours_ago(2).format("%Y-%m-%dT%H:00:00Z");
    let part = admin.get(&format!("{path}&from={from}&to={to}")).await.ok(200);
    assert_eq!(numbers(&part["data"]), [1, 0, 0], "the end is not included");
}

async fn days_are_those_of_the_site(app: &App) {
    let id = published(app, "日子").await;
    // Yesterday in Shanghai, just after midnight and just before the next.
    let today = Utc::now().with_timezone(&Shanghai).date_naive();
    let yesterday = today - TimeDelta::days(1);
    let midnight = |day: chrono::NaiveDate| {
        let local = day.and_time(NaiveTime::MIN).and_local_timezone(Shanghai);
        local.single().expect("one midnight").to_utc()
    };
    let (begin, end) = (midnight(yesterday), midnight(today));
    read_at(
        app,
        id,
        &[begin, end - TimeDelta::seconds(1), begin - TimeDelta::seconds(1)],
    )
    .await;
    let admin = app.admin().await;
    let series = admin.get(&views_of(id)).await.ok(200);
    let points = numbers(&series["data"]);
    assert_eq!(points.len(), 30);
    assert_eq!(points.get(27..), Some(&[1, 2, 0][..]));
    assert_eq!(series["data"][28]["date"], yesterday.to_string());
    assert_eq!(
        series["data"][28]["start"],
        begin.format("%Y-%m-%dT%H:%M:%SZ").to_string()
    );
    let one = admin
        .get(&format!("{}?from={yesterday}&to={today}", views_of(id)))
        .await
        .ok(200);
    assert_eq!(numbers(&one["data"]), [2]);
}

async fn hours_become_days_and_nothing_is_lost(app: &App) {
    let id = published(app, "久远").await;
    let now = Utc::now();
    let times: Vec<_> = (0..6).map(|days| now - TimeDelta::days(days)).collect();
    read_at(app, id, &times).await;
    let admin = app.admin().await;
    let path = format!("{}?from={}", views_of(id), (now - TimeDelta::days(8)).date_naive());
    let before = numbers(&admin.get(&path).await.ok(200)["data"]);
    assert_eq!(before.iter().sum::<i64>(), 6);
    let db = Db::open(&app.config).expect("a second process");
    // The oldest three are more than 40 days back by then.
    let later: Timestamp = (now + TimeDelta::days(37)).into();
    for _ in 0..2 {
        upkeep::catch_up(&db, Shanghai, later)
            .await
            .expect("what is due is done");
        assert_eq!(numbers(&admin.get(&path).await.ok(200)["data"]), before);
    }
    db.close().await;
    let old = later.utc().timestamp() - 40 * 86_400;
    let mut conn = app.connect();
    let left: i64 = views_by_hour::table
        .filter(views_by_hour::hour.lt(old))
        .count()
        .get_result(&mut conn)
        .expect("hours");
    let days: i64 = views_by_day::table.count().get_result(&mut conn).expect("days");
    assert_eq!((left, days), (0, 3));
    let total = admin.get(&format!("/api/v1/articles/{id}")).await.ok(200);
    assert_eq!(total["data"]["view_count"], 6);
}

/// The views of the hour in which an article was read last stand beside its count.
async fn an_hour_that_ends_keeps_its_views(app: &App) {
    let id = published(app, "整点").await;
    if Utc::now().minute() == 59 {
        // All of this must happen in one hour.
        tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    }
    let (now, admin) = (Utc::now(), app.admin().await);
    let path = format!("{}?interval=hour", views_of(id));
    let series = async || {
        let points = numbers(&admin.get(&path).await.ok(200)["data"]);
        points.into_iter().filter(|views| *views > 0).collect::<Vec<_>>()
    };
    let hours = || -> Vec<i64> {
        let of_article = views_by_hour::table.filter(views_by_hour::article_id.eq(id));
        let hours = of_article.order(views_by_hour::hour).select(views_by_hour::views);
        hours.load(&mut app.connect()).expect("hours")
    };
    read_at(app, id, &[now, now, now - TimeDelta::hours(3)]).await;
    assert_eq!((series().await, hours()), (vec![1, 2], vec![1]));

    // As if what was read now had been read three and two hours ago: the former joins what is there.
    for (back, kept) in [(3, vec![3]), (2, vec![3, 1])] {
        diesel::update(article_views::table.find(id))
            .set(article_views::hour.eq(article_views::hour - back * 3_600))
            .execute(&mut app.connect())
            .expect("an older hour");
        read_at(app, id, &[now]).await;
        assert_eq!(hours(), kept);
    }
    assert_eq!(series().await, [3, 1, 1]);

    // The last one ends without another view, when time has passed.
    let db = Db::open(&app.config).expect("a second process");
    let later = (now + TimeDelta::hours(26)).into();
    for _ in 0..2 {
        upkeep::catch_up(&db, Shanghai, later)
            .await
            .expect("what is due is done");
        assert_eq!((series().await, hours()), (vec![3, 1, 1], vec![3, 1, 1]));
    }
    db.close().await;
}

async fn who_may_not_see_the_article_sees_no_series(app: &App) {
    let id = published(app, "公开").await;
    app.anonymous().get(&views_of(id)).await.problem(401, "unauthenticated");
    app.anonymous()
        .get(&format!("{}?bogus=1", views_of(id)))
        .await
        .problem(401, "unauthenticated");
    let admin = app.admin().await;
    let draft = admin
        .post("/api/v1/articles", &json!({"title": "草稿"}))
        .await
        .ok(201)
        .id();
    let contributor = app.user("contributor", "c@example.com").await;
    contributor.get(&views_of(draft)).await.problem(404, "not_found");
    contributor.get(&views_of(id)).await.ok(200);
    app.key("read").await.get(&views_of(id)).await.ok(200);
    assert_eq!(numbers(&admin.get(&views_of(draft)).await.ok(200)["data"]), [0; 30]);
    admin.get(&views_of(999_999)).await.problem(404, "not_found");
}

async fn wrong_bounds_are_refused(app: &App) {
    let id = published(app, "界限").await;
    let admin = app.admin().await;
    let old = (Utc::now() - TimeDelta::days(60)).date_naive();
    for (query, parameter) in [
        ("from=2026-02-01&to=2026-01-01".to_owned(), "to"),
        ("from=2026-01-01&to=2026-01-01".to_owned(), "to"),
        ("from=2020-01-01".to_owned(), "from"),
        (format!("interval=hour&from={old}"), "from"),
        ("interval=week".to_owned(), "interval"),
        ("from=yesterday".to_owned(), "from"),
        ("from=0003-01-01&to=0003-01-02&interval=hour".to_owned(), "from"),
        ("from=9999-12-31T00:00:00Z&to=9999-12-31T23:59:59Z".to_owned(), "to"),
    ] {
        let answer = admin.get(&format!("{}?{query}", views_of(id))).await;
        let problem = answer.problem(400, "invalid_parameter");
        assert_eq!(problem["errors"][0]["parameter"], parameter, "{query}");
    }
    admin
        .get(&format!("{}?page=1", views_of(id)))
        .await
        .problem(400, "unknown_parameter");
    for far in ["from=9998-12-30&to=9998-12-31", "from=0003-01-01&to=0003-01-02"] {
        let series = admin.get(&format!("{}?{far}", views_of(id))).await.ok(200);
        assert!(numbers(&series["data"]).iter().all(|views| *views == 0));
    }
}

async fn a_view_is_of_the_hour_of_the_zone_that_the_site_has_now(app: &App) {
    let id = published(app, "换时区").await;
    let admin = app.admin().await.with("If-Match", "*");
    let db = Db::open(&app.config).expect("a second process");
    for (zone, minute) in [
        ("Asia/Shanghai", 0),
        ("Asia/Kathmandu", 15),
        ("Asia/Kolkata", 30),
        ("UTC", 0),
    ] {
        admin.patch("/api/v1/site", &json!({"time_zone": zone})).await.ok(200);
        // The first by the zone that was known before, or not.
        for _ in 0..3 {
            app.anonymous().post(&views_of(id), &json!({})).await.ok(200);
        }
        let (hour, in_hour) = db
            .read(move |read| {
                let row = article_views::table.find(id);
                Ok(row
                    .select((article_views::hour, article_views::hour_views))
                    .first::<(i64, i64)>(read.conn)?)
            })
            .await
            .expect("a row");
        assert_eq!((hour.rem_euclid(3_600) / 60, in_hour % 3), (minute, 0), "{zone}");
    }
    assert_eq!(super::count_of(app, id).await, 12);
}
