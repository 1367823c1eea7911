//! Finding articles by what they say.

mod queries;
mod words;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Answer, App, Bearer, Client, Role, both};

both!(
    words_of_every_length_and_script_are_found,
    width_case_and_traditional_characters_make_no_difference,
    phrases_are_exact_and_exclusions_hold,
    words_may_be_missing_where_few_articles_have_all,
    the_title_counts_most,
    the_order_is_the_same_everywhere,
    what_is_not_published_is_not_found,
    filters_narrow_a_search,
    changes_show_at_once,
    a_renamed_tag_is_found_by_its_new_name,
    a_walk_meets_each_hit_once_in_the_order_of_pages,
    a_walk_is_not_moved_by_new_articles,
    highlights_are_marked_and_escaped,
    a_hit_is_a_summary,
    nothing_is_a_syntax_error,
    wrong_parameters_are_named,
    tags_of_answers_outlive_their_timing,
);

const SEARCH: &str = "/api/v1/search";
const ARTICLES: &str = "/api/v1/articles";

const TITLE: &str = "马斯克三小时访谈：机器人之后，瓶颈是电";
const BODY: &str = "这场对谈从一个比喻开始：人工智能是一场超音速海啸。他的原话是“a supersonic tsunami”，海面看上去还很平静。\n\n\
    谈到供给，他说算力每半年翻一番，而变压器的交期已经排到两年以后；在中国，新建电厂的速度快得多。\n\n\
    最后他展望了所谓的丰盛时代：Optimus 会比人还多，AI 让商品几乎免费。至于怎样计算成本，他没有回答。";

/// Publishes an article; its id.
async fn publish(editor: &Client<Bearer>, title: &str, more: Value) -> i64 {
    let mut fields = json!({"title": title, "body": "正文。", "body_format": "text", "status": "published"});
    for (name, value) in more.as_object().expect("an object") {
        fields[name] = value.clone();
    }
    editor.post(ARTICLES, &fields).await.ok(201).id()
}

/// The answer to a query (`海啸&limit=5`).
async fn search<R: Role>(client: &Client<R>, query: &str) -> Answer {
    let answer = client.get(&format!("{SEARCH}?q={query}")).await.ok(200);
    assert!(answer["meta"]["took_ms"].is_u64(), "{answer}");
    answer
}

/// Ids in order, and the total with them.
async fn found<R: Role>(client: &Client<R>, query: &str) -> Vec<i64> {
    let answer = search(client, query).await;
    assert_eq!(answer["meta"]["total"], answer.ids().len(), "{answer}");
    answer.ids()
}

/// All highlights of a hit.
fn highlights(hit: &Value) -> Vec<String> {
    let all = &hit["highlights"];
    let body = all["body"].as_array().expect("a list").iter();
    let marked = [&all["title"], &all["summary"]].into_iter().chain(body);
    marked.filter_map(Value::as_str).map(str::to_owned).collect()
}

async fn words_of_every_length_and_script_are_found(app: &App) {
    let editor = app.admin().await;
    let id = publish(&editor, TITLE, json!({"body": BODY})).await;
    publish(&editor, "周末去哪里", json!({"body": "公园里有猫。计算器不必带。"})).await;
    for (query, words) in [
        ("超音速海啸", &["超音速", "海啸"][..]),
        ("算力", &["算力"]),
        ("变压器", &["变压器"]),
        ("丰盛时代", &["丰盛", "时代"]),
        ("Optimus", &["Optimus"]),
        ("supersonic tsunami", &["supersonic", "tsunami"]),
        ("马斯克 中国", &["马斯克", "中国"]),
        ("ＡＩ", &["AI"]),
        ("電廠", &["电厂"]),
        ("啸", &["啸"]),
        ("马斯克访谈机器人", &["马斯克", "访谈", "机器人"]),
    ] {
        let answer = search(&app.anonymous(), query).await;
        assert_eq!(answer.ids(), [id], "{answer}");
        let shown = highlights(&answer["data"][0]).concat();
        let marked: String = shown
            .split("<mark>")
            .skip(1)
            .filter_map(|part| part.split("</mark>").next())
            .collect();
        for word in words {
            assert!(marked.contains(word), "{word} of {query} is marked: {shown}");
        }
    }
    for absent in ["量子计算", "tsunamis", "超音波", "速海", "小米 华为 苹果"] {
        let expected: &[i64] = if absent == "速海" { &[id] } else { &[] };
        assert_eq!(found(&app.anonymous(), absent).await, expected, "{absent}");
    }
}

async fn width_case_and_traditional_characters_make_no_difference(app: &App) {
    let editor = app.admin().await;
    let simple = publish(&editor, "软件与内存条：iPhone 16 Pro", json!({})).await;
    let traditional = publish(&editor, "軟件與記憶體：ＩＰＨＯＮＥ 16 PRO", json!({})).await;
    for query in [
        "软件",
        "軟件",
        "iphone16",
        "ＩＰｈｏｎｅ　１６",
        "\"iPhone 16 Pro\"",
        "iphone-16",
    ] {
        let ids: BTreeSet<i64> = found(&app.anonymous(), query).await.into_iter().collect();
        assert_eq!(ids, BTreeSet::from([simple, traditional]), "{query}");
    }
}

async fn phrases_are_exact_and_exclusions_hold(app: &App) {
    let editor = app.admin().await;
    let at = |day: u32| json!(format!("2026-01-{day:02}T00:00:00Z"));
    let exact = publish(
        &editor,
        "甲",
        json!({"body": "自动驾驶汽车上路", "published_at": at(1)}),
    )
    .await;
    let apart = publish(
        &editor,
        "乙",
        json!({"body": "自动驾，动驾驶；自动与驾驶", "published_at": at(2)}),
    )
    .await;
    let split = publish(
        &editor,
        "丙",
        json!({"body": "自动咖啡机，驾驶指南", "published_at": at(3)}),
    )
    .await;
    let reader = app.anonymous();
    let newest = |query: &str| format!("{query}&sort=-published_at");
    assert_eq!(found(&reader, &newest("自动驾驶")).await, [split, apart, exact]);
    assert_eq!(found(&reader, &newest("\"自动驾驶\"")).await, [exact]);
    assert_eq!(found(&reader, "“自动驾驶”").await, [exact]);
    assert_eq!(found(&reader, &newest("驾驶 -\"自动驾驶\"")).await, [split, apart]);
    assert_eq!(found(&reader, &newest("驾驶 -咖啡")).await, [apart, exact]);
    assert_eq!(found(&reader, "\"驾驶汽车上路\" -自动").await, [] as [i64; 0]);
    assert_eq!(
        found(&reader, "-咖啡").await,
        [] as [i64; 0],
        "an exclusion alone finds nothing"
    );
}

async fn words_may_be_missing_where_few_articles_have_all(app: &App) {
    let editor = app.admin().await;
    let reader = app.anonymous();
    let all = publish(&editor, "相机 镜头 电池", json!({})).await;
    let two = publish(&editor, "相机 镜头", json!({})).await;
    publish(&editor, "相机", json!({})).await;
    assert_eq!(
        found(&reader, "相机 镜头 电池").await,
        [all, two],
        "two thirds of three words are two"
    );
    assert_eq!(found(&reader, "镜头 电池").await, [all], "of two words both are needed");
    for _ in 0..2 {
        publish(&editor, "电池 相机 镜头", json!({})).await;
    }
    assert!(
        !found(&reader, "相机 镜头 电池").await.contains(&two),
        "three articles have all"
    );
}

async fn the_title_counts_most(app: &App) {
    let editor = app.admin().await;
    let long = format!("谈谈续航。{}", "还有别的内容。".repeat(300));
    let body = publish(&editor, "春天", json!({"body": long, "summary": "花"})).await;
    let summary = publish(&editor, "夏天", json!({"body": "树", "summary": "关于续航"})).await;
    let tag = publish(
        &editor,
        "秋天",
        json!({"body": "叶", "summary": "叶", "tags": ["续航"]}),
    )
    .await;
    let title = publish(&editor, "续航", json!({"body": "雪"})).await;
    assert_eq!(found(&app.anonymous(), "续航").await, [title, tag, summary, body]);
    assert_eq!(
        found(&app.anonymous(), "续航&sort=-published_at").await,
        [title, tag, summary, body]
    );
}

async fn the_order_is_the_same_everywhere(app: &App) {
    let editor = app.admin().await;
    let parts = ["电池", "续航", "屏幕", "相机", "充电", "手机", "评测", "芯片"];
    let mut state = 7_u32;
    let mut any = |most: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) % most
    };
    let mut ids = Vec::new();
    for _ in 0..40 {
        let mut words = |most: u32, between: &str| {
            let words: Vec<&str> = (0..=any(most)).map(|_| parts[any(8) as usize]).collect();
            words.join(between)
        };
        let title = words(3, "");
        let body = [words(9, ""), words(9, "，"), words(40, "还有一些别的话。")].join("。");
        let (summary, tag) = (words(2, "与"), words(1, ""));
        // So long ago that what is new weighs no more, whatever day it is.
        let published_at = format!("2001-0{}-1{}T08:00:00Z", 1 + any(9), any(3));
        let fields = json!({"body": body, "summary": summary, "tags": [tag], "published_at": published_at});
        ids.push(publish(&editor, &title, fields).await);
    }
    for (query, total, first) in [
        ("电池", 39, [8, 16, 33, 28, 17, 9, 20, 27, 7, 34, 10, 22].as_slice()),
        ("续航 评测", 39, &[15, 12, 4, 30, 20, 5, 2, 38, 3, 13, 26, 32]),
        ("手机屏幕相机", 38, &[29, 39, 37, 6, 31, 22, 13, 34, 32, 36, 23, 14]),
        ("\"电池续航\"", 3, &[19, 29, 39]),
        ("充电 -手机", 1, &[20]),
    ] {
        let answer = search(&app.anonymous(), &format!("{query}&limit=12")).await;
        let place = |id| ids.iter().position(|other| *other == id).expect("one of them");
        let order: Vec<usize> = answer.ids().into_iter().map(place).collect();
        assert_eq!(
            (answer["meta"]["total"].as_u64(), order.as_slice()),
            (Some(total), first),
            "{query}"
        );
    }
}

async fn what_is_not_published_is_not_found(app: &App) {
    let editor = app.admin().await;
    let seen = publish(&editor, "公开的海啸", json!({})).await;
    let draft = publish(&editor, "草稿的海啸", json!({"status": "draft"})).await;
    let later = json!({"status": "scheduled", "published_at": "2099-01-01T00:00:00Z"});
    let scheduled = publish(&editor, "预定的海啸", later).await;
    let archived = publish(&editor, "收起的海啸", json!({"status": "archived"})).await;
    let contributor = app.user("contributor", "writer@example.com").await;
    let own = contributor
        .post(ARTICLES, &json!({"title": "自己的海啸"}))
        .await
        .ok(201)
        .id();

    for query in ["海啸", "海啸&sort=-published_at"] {
        assert_eq!(found(&app.anonymous(), query).await, [seen], "{query}");
        assert_eq!(found(&editor, query).await, [seen], "{query}");
    }
    for (status, ids) in [
        ("draft", vec![draft, own]),
        ("scheduled", vec![scheduled]),
        ("archived", vec![archived]),
    ] {
        let mut all = found(&editor, &format!("海啸&status={status}")).await;
        all.sort_unstable();
        assert_eq!(all, ids, "{status}");
    }
    assert_eq!(found(&contributor, "海啸&status=draft,scheduled,archived").await, [own]);
    let preview = app.key("preview").await;
    assert_eq!(
        found(&preview, "海啸&status=draft,scheduled,archived,published")
            .await
            .len(),
        5
    );

    let status = format!("{SEARCH}?q=海啸&status=draft");
    app.anonymous()
        .get(&status)
        .await
        .problem(401, "unauthenticated")
        .at(&["status"]);
    app.key("read")
        .await
        .get(&status)
        .await
        .problem(403, "forbidden")
        .at(&["status"]);
}

async fn filters_narrow_a_search(app: &App) {
    let editor = app.admin().await;
    let reader = app.anonymous();
    let parent = json!({"name": "新闻", "slug": "news"});
    let parent = editor.post("/api/v1/categories", &parent).await.ok(201).id();
    let child = json!({"name": "评测", "slug": "reviews", "parent_id": parent});
    let child = editor.post("/api/v1/categories", &child).await.ok(201).id();
    let author = editor
        .post("/api/v1/authors", &json!({"name": "黎明", "slug": "li-ming"}))
        .await
        .ok(201)
        .id();
    let one =
        json!({"category_id": child, "tags": ["长测"], "author_ids": [author], "published_at": "2026-01-13T04:31:54Z"});
    let one = publish(&editor, "耳机一", one).await;
    let two = json!({"category_id": parent, "tags": ["长测", "降噪"], "locale": "zh-TW", "featured": true, "external_id": "x-2"});
    let two = publish(&editor, "耳机二", two).await;
    let three = publish(
        &editor,
        "音箱三",
        json!({"category_id": child, "tags": ["降噪"], "featured": true}),
    )
    .await;
    let tags = editor.get("/api/v1/tags").await.ok(200);
    let slug = |name: &str| {
        let all = tags["data"].as_array().expect("a list");
        let tag = all.iter().find(|tag| tag["name"] == name).expect(name);
        tag["slug"].as_str().expect("a slug").to_owned()
    };
    let (long, quiet) = (slug("长测"), slug("降噪"));
    for (filter, expected) in [
        ("category=reviews".to_owned(), vec![one]),
        ("category=news".to_owned(), vec![one, two]),
        ("category=nowhere".to_owned(), vec![]),
        (format!("tag={quiet}"), vec![two]),
        (format!("tag={quiet},{long}"), vec![one, two]),
        (format!("tag_all={quiet}&tag_all={long}"), vec![two]),
        ("author=li-ming".to_owned(), vec![one]),
        ("locale=zh-TW".to_owned(), vec![two]),
        ("featured=true".to_owned(), vec![two]),
        (format!("ids={one},{three},999999"), vec![one]),
        (
            "published_from=2026-01-13&published_to=2026-01-14".to_owned(),
            vec![one],
        ),
        ("external_id=x-2".to_owned(), vec![two]),
    ] {
        for sort in ["relevance", "-published_at"] {
            let mut ids = found(&reader, &format!("耳机&{filter}&sort={sort}")).await;
            ids.sort_unstable();
            assert_eq!(ids, expected, "{filter} by {sort}");
        }
    }
}

async fn changes_show_at_once(app: &App) {
    let editor = app.admin().await;
    let reader = app.anonymous();
    let id = publish(&editor, "第一版", json!({"body": "里面写着琥珀。"})).await;
    let path = format!("{ARTICLES}/{id}");
    let patch = async |fields: Value| {
        editor.with("if-match", "*").patch(&path, &fields).await.ok(200);
    };
    assert_eq!(found(&reader, "琥珀").await, [id]);
    patch(json!({"body": "里面写着珊瑚。"})).await;
    assert_eq!(found(&reader, "琥珀").await, [] as [i64; 0]);
    assert_eq!(found(&reader, "珊瑚").await, [id]);
    patch(json!({"title": "翡翠", "summary": "珍珠", "tags": ["玛瑙"]})).await;
    for word in ["翡翠", "珍珠", "玛瑙", "珊瑚"] {
        assert_eq!(found(&reader, word).await, [id], "{word}");
    }
    assert_eq!(found(&reader, "第一版").await, [] as [i64; 0]);
    patch(json!({"status": "archived"})).await;
    assert_eq!(found(&reader, "翡翠").await, [] as [i64; 0]);
    patch(json!({"status": "published"})).await;
    assert_eq!(found(&reader, "翡翠").await, [id]);
    editor.with("if-match", "*").delete(&path).await.ok(204);
    assert_eq!(found(&reader, "翡翠").await, [] as [i64; 0]);
}

async fn a_renamed_tag_is_found_by_its_new_name(app: &App) {
    let editor = app.admin().await;
    let reader = app.anonymous();
    let id = publish(&editor, "标题", json!({"tags": ["琥珀"]})).await;
    let article = reader.get(&format!("{ARTICLES}/{id}")).await.ok(200);
    let tag = format!("/api/v1/tags/{}", article["data"]["tags"][0]["id"]);
    editor.patch(&tag, &json!({"name": "珊瑚"})).await.ok(200);
    assert_eq!(found(&reader, "琥珀").await, [] as [i64; 0]);
    assert_eq!(found(&reader, "珊瑚").await, [id]);
    editor.delete(&tag).await.ok(204);
    assert_eq!(found(&reader, "珊瑚").await, [] as [i64; 0]);
}

/// The ids of a list, from its first page to its last, by following a member of each answer.
async fn walk(app: &App, first: &str, next: impl Fn(&Answer) -> Option<String>) -> Vec<Vec<i64>> {
    let mut pages = Vec::new();
    let mut path = Some(first.to_owned());
    while let Some(this) = path {
        let answer = app.anonymous().get(&this).await.ok(200);
        pages.push(answer.ids());
        assert!(pages.len() < 100, "{this} leads round in circles");
        path = next(&answer);
        assert_eq!(
            path.is_some(),
            answer.header("link").is_some_and(|link| link.contains("rel=\"next\""))
        );
    }
    pages
}

fn next_link(answer: &Answer) -> Option<String> {
    answer["links"]["next"].as_str().map(str::to_owned)
}

async fn a_walk_meets_each_hit_once_in_the_order_of_pages(app: &App) {
    let editor = app.admin().await;
    for number in 0..250 {
        let title = if number % 7 == 0 {
            format!("晨报与早茶 {number}")
        } else {
            format!("第 {number} 期")
        };
        let day = format!("2026-{:02}-{:02}T00:00:00Z", 1 + number % 8, 1 + number % 5);
        publish(
            &editor,
            &title,
            json!({"body": "晨报。".repeat(1 + number % 3), "published_at": day}),
        )
        .await;
    }
    for sort in ["relevance", "-published_at"] {
        let by_cursor = walk(app, &format!("{SEARCH}?q=晨报&sort={sort}&limit=30"), next_link)
            .await
            .concat();
        let by_page = walk(app, &format!("{SEARCH}?q=晨报&sort={sort}&limit=30&page=1"), next_link).await;
        assert_eq!(by_page.len(), 9);
        assert_eq!(by_cursor, by_page.concat(), "{sort}");
        assert_eq!(by_cursor.len(), 250);
        assert_eq!(by_cursor.iter().collect::<BTreeSet<_>>().len(), 250, "{sort}");
        let again = walk(app, &format!("{SEARCH}?q=晨报&sort={sort}&limit=100"), |answer| {
            assert_eq!(answer["meta"]["total"], 250);
            let cursor = answer["meta"]["next_cursor"].as_str()?;
            Some(format!("{SEARCH}?q=晨报&sort={sort}&limit=100&cursor={cursor}"))
        })
        .await;
        assert_eq!(again.concat(), by_cursor);
    }
}

async fn a_walk_is_not_moved_by_new_articles(app: &App) {
    let editor = app.admin().await;
    let mut published = Vec::new();
    for number in 0..6 {
        published.push(publish(&editor, &format!("晚报 {number}"), json!({})).await);
    }
    for sort in ["relevance", "-published_at"] {
        let first = search(&app.anonymous(), &format!("晚报&sort={sort}&limit=4")).await;
        publish(&editor, "晚报", json!({})).await;
        let rest = app.anonymous().get(&next_link(&first).expect("more")).await.ok(200);
        let mut met = first.ids();
        met.extend(rest.ids());
        met.retain(|id| published.contains(id));
        met.sort_unstable();
        met.dedup();
        assert_eq!(met, published, "{sort}");
    }
}

async fn highlights_are_marked_and_escaped(app: &App) {
    let editor = app.admin().await;
    let long = format!(
        "{}这里说到沙漏<b>与\"钟\"。{}",
        "前面的话。".repeat(200),
        "后面的话。".repeat(200)
    );
    let fields = json!({"body": long, "summary": "沙漏 & <i>时间</i>"});
    publish(&editor, "<script>alert('沙漏')</script><mark>", fields).await;
    let answer = search(&app.anonymous(), "沙漏").await;
    let shown = &answer["data"][0]["highlights"];
    assert_eq!(
        shown["title"],
        "&lt;script&gt;alert(&#39;<mark>沙漏</mark>&#39;)&lt;/script&gt;&lt;mark&gt;"
    );
    assert_eq!(shown["summary"], "<mark>沙漏</mark> &amp; &lt;i&gt;时间&lt;/i&gt;");
    let excerpts = shown["body"].as_array().expect("a list");
    assert_eq!(excerpts.len(), 1);
    let excerpt = excerpts[0].as_str().expect("text");
    assert!(
        excerpt.contains("说到<mark>沙漏</mark>&lt;b&gt;与&quot;钟&quot;。"),
        "{excerpt}"
    );
    assert!(
        excerpt.starts_with('…') && excerpt.ends_with('…') && excerpt.chars().count() < 220,
        "{excerpt}"
    );
    // The fields themselves stay as they were written.
    assert_eq!(answer["data"][0]["title"], "<script>alert('沙漏')</script><mark>");

    let nothing = search(&app.anonymous(), "前面").await;
    let shown = &nothing["data"][0]["highlights"];
    assert_eq!((&shown["title"], &shown["summary"]), (&Value::Null, &Value::Null));
    assert!((1..=3).contains(&shown["body"].as_array().expect("a list").len()));
}

async fn a_hit_is_a_summary(app: &App) {
    let editor = app.admin().await;
    publish(
        &editor,
        "单反相机",
        json!({"body": "**光圈**", "body_format": "markdown", "tags": ["摄影"]}),
    )
    .await;
    let listed = app.anonymous().get(ARTICLES).await.ok(200);
    let answer = search(&app.anonymous(), "光圈").await;
    let mut hit = answer["data"][0].clone();
    hit.as_object_mut().expect("an object").remove("highlights");
    assert_eq!(hit, listed["data"][0]);
    let meta = answer["meta"].as_object().expect("an object");
    let names: Vec<&str> = meta.keys().map(String::as_str).collect();
    assert_eq!(names, ["facets", "limit", "next_cursor", "page", "took_ms", "total"]);

    let with_body = search(&app.anonymous(), "光圈&include=body&body_format=markdown").await;
    assert_eq!(
        with_body["data"][0]["body"]["markdown"].as_str().map(str::trim),
        Some("**光圈**")
    );
    assert_eq!(with_body["data"][0]["highlights"]["body"], json!(["<mark>光圈</mark>"]));
    let source = format!("{SEARCH}?q=光圈&include=body&body_format=source");
    app.anonymous().get(&source).await.problem(401, "unauthenticated");
    assert_eq!(
        editor.get(&source).await.ok(200)["data"][0]["body"]["source"],
        "**光圈**"
    );
}

async fn nothing_is_a_syntax_error(app: &App) {
    let editor = app.admin().await;
    let id = publish(&editor, "title x 你好", json!({"body": "a-b 与 a'b，NEAR 和 OR。"})).await;
    let long = "龘".repeat(200);
    let quotes = "\"".repeat(200);
    let brackets = "(".repeat(200);
    let words: String = ('a'..='z').cycle().take(100).map(|c| format!("{c} ")).collect();
    for (query, expected) in [
        ("\"", vec![]),
        ("a-b", vec![id]),
        ("AND", vec![]),
        ("OR", vec![id]),
        ("NOT x", vec![]),
        ("NEAR(", vec![id]),
        ("*", vec![]),
        ("(", vec![]),
        ("a'b", vec![id]),
        ("a''b", vec![id]),
        ("a'c", vec![]),
        ("title:x", vec![id]),
        ("titles:x", vec![]),
        ("^x", vec![id]),
        ("{title body}:x", vec![id]),
        ("你好*", vec![id]),
        ("你好\\", vec![id]),
        ("你好'; DROP TABLE articles; --", vec![]),
        ("的", vec![]),
        ("，。！", vec![]),
        ("😀", vec![]),
        ("\u{200B}", vec![]),
        ("\u{FFFF}", vec![]),
        ("\u{F8FF}你好", vec![id]),
        ("x' %26 !'y", vec![]),
        ("a | b <-> c", vec![]),
        ("x:*", vec![id]),
        ("%2B%23", vec![]),
        ("%C3%9F", vec![]),
        ("-", vec![]),
        ("--x", vec![id]),
        ("-\"", vec![]),
        ("%09%0A你好", vec![id]),
        (&long, vec![]),
        (&quotes, vec![]),
        (&brackets, vec![]),
        (&words, vec![]),
    ] {
        assert_eq!(found(&app.anonymous(), query).await, expected, "{query}");
        let looser = format!("{query}&sort=-published_at&limit=1");
        assert_eq!(found(&app.anonymous(), &looser).await, expected, "{query}");
    }
    for query in ["%00", "a%1Fb", "%FF", "%ED%A0%80"] {
        let path = format!("{SEARCH}?q={query}");
        app.anonymous()
            .get(&path)
            .await
            .problem(400, "invalid_parameter")
            .at(&["q"]);
    }
}

async fn wrong_parameters_are_named(app: &App) {
    let editor = app.admin().await;
    for number in 0..3 {
        publish(&editor, &format!("海啸 {number}"), json!({})).await;
    }
    let reader = app.anonymous();
    let long = "海".repeat(201);
    for (query, code, places) in [
        ("", "invalid_parameter", &["q"][..]),
        ("q=", "invalid_parameter", &["q"]),
        ("q=%20%E3%80%80", "invalid_parameter", &["q"]),
        (&format!("q={long}"), "invalid_parameter", &["q"]),
        ("q=a&q=b", "invalid_parameter", &["q"]),
        ("q=a&count=exact", "unknown_parameter", &["count"]),
        ("q=a&facets=tags", "invalid_parameter", &["facets"]),
        (
            "q=a&bogus=1&limit=0&sort=title",
            "unknown_parameter",
            &["bogus", "limit", "sort"],
        ),
        ("q=a&sort=updated_at", "invalid_parameter", &["sort"]),
        ("q=a&include=related", "invalid_parameter", &["include"]),
        ("q=a&limit=101", "invalid_parameter", &["limit"]),
        ("q=a&page=0", "invalid_parameter", &["page"]),
        ("q=a&page=51", "invalid_parameter", &["page"]),
        (
            "q=a&page=101&limit=100&sort=-published_at",
            "invalid_parameter",
            &["page"],
        ),
        ("q=a&page=1&cursor=x", "invalid_parameter", &["page"]),
        ("q=a&cursor=", "invalid_cursor", &["cursor"]),
        ("q=a&cursor=AAAA", "invalid_cursor", &["cursor"]),
        ("q=a&status=lost", "invalid_parameter", &["status"]),
    ] {
        reader
            .get(&format!("{SEARCH}?{query}"))
            .await
            .problem(400, code)
            .at(places);
    }
    reader.get(&format!("{SEARCH}?q={}", "海".repeat(200))).await.ok(200);
    reader.get(&format!("{SEARCH}?q=a&page=50")).await.ok(200);
    reader
        .get(&format!("{SEARCH}?q=a&page=100&limit=100&sort=-published_at"))
        .await
        .ok(200);

    let first = search(&reader, "海啸&limit=2").await;
    let cursor = first["meta"]["next_cursor"].as_str().expect("more");
    assert!(
        cursor
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_')),
        "{cursor}"
    );
    for foreign in ["海", "海啸&sort=-published_at", "海啸&featured=false", "海啸 海啸"] {
        let path = format!("{SEARCH}?q={foreign}&cursor={cursor}");
        reader.get(&path).await.problem(400, "invalid_cursor").at(&["cursor"]);
    }
    reader
        .get(&format!("{ARTICLES}?cursor={cursor}"))
        .await
        .problem(400, "invalid_cursor");
    assert_eq!(
        search(&reader, &format!("海啸&limit=2&cursor={cursor}"))
            .await
            .ids()
            .len(),
        1
    );
    reader
        .post(&format!("{SEARCH}?q=a"), &json!({}))
        .await
        .problem(405, "method_not_allowed");
}

async fn tags_of_answers_outlive_their_timing(app: &App) {
    let editor = app.admin().await;
    let reader = app.anonymous();
    let id = publish(&editor, "海啸", json!({})).await;
    let path = format!("{SEARCH}?q=海啸");
    let first = search(&reader, "海啸").await;
    let tag = first.header("etag").expect("a tag").to_owned();
    assert!(
        first
            .header("cache-control")
            .is_some_and(|value| value.starts_with("public, max-age=5"))
    );
    assert_eq!(first.header("cache-tag"), Some("articles,tags,synonyms"));
    for _ in 0..5 {
        reader.with("if-none-match", &tag).get(&path).await.ok(304);
    }
    publish(&editor, "又见海啸", json!({})).await;
    // The cursor of what follows is another one each time.
    for page in ["limit=1", "limit=1&page=1", "limit=1&facets=year"] {
        let path = format!("{path}&{page}");
        let first = reader.get(&path).await.ok(200);
        let again = reader.get(&path).await.ok(200);
        let cursor = |answer: &Answer| answer["meta"]["next_cursor"].as_str().map(str::to_owned);
        assert!(cursor(&first).is_some() && cursor(&first) != cursor(&again));
        let tag = first.header("etag").expect("a tag");
        assert_eq!(again.header("etag"), Some(tag));
        reader.with("if-none-match", tag).get(&path).await.ok(304);
    }
    let tag = reader
        .get(&path)
        .await
        .ok(200)
        .header("etag")
        .expect("a tag")
        .to_owned();
    let retitled = json!({"title": "海啸之后"});
    editor
        .with("if-match", "*")
        .patch(&format!("{ARTICLES}/{id}"), &retitled)
        .await
        .ok(200);
    let second = reader.with("if-none-match", &tag).get(&path).await.ok(200);
    assert_ne!(second.header("etag"), Some(tag.as_str()));
    assert_eq!(
        editor.get(&path).await.ok(200).header("cache-control"),
        Some("private, no-store")
    );
}
