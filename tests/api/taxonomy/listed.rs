//! What lists show of a tag, an author and a category, whatever happens to these and to articles.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{ARTICLES, AUTHORS, CATEGORIES, TAGS, article, made};
use crate::support::{App, Bearer, Client, both};

both!(lists_follow_what_articles_and_categories_do);

/// An article, as editors and everybody see it.
struct Seen {
    id: i64,
    tags: BTreeSet<String>,
    authors: BTreeSet<String>,
    /// With all above it.
    categories: BTreeSet<String>,
}

fn slugs(rows: &Value) -> BTreeSet<String> {
    let rows = rows.as_array().into_iter().flatten();
    rows.map(|row| row["slug"].as_str().expect("a slug").to_owned())
        .collect()
}

/// All that everybody sees, the newest first, from a list without filters.
async fn all(app: &App) -> Vec<Seen> {
    let list = app.anonymous().get(&format!("{ARTICLES}?limit=100")).await.ok(200);
    let rows = list["data"].as_array().expect("a list").iter();
    rows.map(|row| {
        let mut categories = slugs(&row["category"]["ancestors"]);
        categories.extend(row["category"]["slug"].as_str().map(str::to_owned));
        Seen {
            id: row["id"].as_i64().expect("an id"),
            tags: slugs(&row["tags"]),
            authors: slugs(&row["authors"]),
            categories,
        }
    })
    .collect()
}

/// Holds each list against what its articles say of themselves; how many articles all of them showed.
async fn check(app: &App, after: &str) -> usize {
    let all = all(app).await;
    let mut shown = 0;
    for category in ["", "news", "phones", "reviews", "other", "nothing"] {
        for owners in [
            vec![],
            vec![("tag", "a")],
            vec![("tag", "b")],
            vec![("tag_all", "a"), ("tag_all", "b")],
            vec![("author", "li-ming")],
            vec![("tag", "a"), ("author", "li-ming")],
            vec![("tag", "nothing")],
        ] {
            let holds = |article: &&Seen| {
                let is_owned = |(kind, slug): &(&str, &str)| match *kind {
                    "author" => article.authors.contains(*slug),
                    _ => article.tags.contains(*slug),
                };
                (category.is_empty() || article.categories.contains(category)) && owners.iter().all(is_owned)
            };
            let expected: Vec<i64> = all.iter().filter(holds).map(|article| article.id).collect();
            let mut query: String = owners.iter().map(|(kind, slug)| format!("&{kind}={slug}")).collect();
            if !category.is_empty() {
                query.push_str(&format!("&category={category}"));
            }
            let list = app
                .anonymous()
                .get(&format!("{ARTICLES}?limit=50{query}"))
                .await
                .ok(200);
            assert_eq!(list.ids(), expected, "{query} after {after}");
            shown += expected.len();
        }
    }
    shown
}

async fn change(admin: &Client<Bearer>, path: &str, change: Value) {
    admin.with("if-match", "*").patch(path, &change).await.ok(200);
}

async fn lists_follow_what_articles_and_categories_do(app: &App) {
    let admin = app.admin().await;
    let category = async |slug: &str, parent: Option<i64>| {
        let body = json!({"name": slug, "slug": slug, "parent_id": parent});
        made(&admin, CATEGORIES, body).await
    };
    let news = category("news", None).await;
    let phones = category("phones", Some(news)).await;
    let reviews = category("reviews", Some(phones)).await;
    let other = category("other", None).await;
    let author = made(&admin, AUTHORS, json!({"name": "黎明"})).await;
    let second = made(&admin, AUTHORS, json!({"name": "第二人"})).await;
    let mut ids = Vec::new();
    for (number, category) in [None, Some(news), Some(phones), Some(reviews), Some(other)]
        .into_iter()
        .cycle()
        .take(20)
        .enumerate()
    {
        let tags = [vec![], vec!["a"], vec!["b"], vec!["b", "a"]][number % 4].clone();
        let authors = [vec![author, second], vec![second], vec![]][number % 3].clone();
        let more = json!({"tags": tags, "author_ids": authors, "category_id": category});
        ids.push(article(&admin, &format!("第{number}篇"), more).await);
    }
    let at = |number: usize| format!("{ARTICLES}/{}", ids[number]);
    let shown = check(app, "writing").await;
    assert!(shown > 100, "{shown}");

    let (lowest, deeper) = (format!("{CATEGORIES}/{reviews}"), format!("{CATEGORIES}/{phones}"));
    change(&admin, &lowest, json!({"parent_id": other})).await;
    check(app, "a category moved").await;
    change(&admin, &lowest, json!({"parent_id": phones})).await;
    assert_eq!(check(app, "it moved back").await, shown);
    change(&admin, &deeper, json!({"parent_id": null})).await;
    check(app, "a branch stands alone").await;
    change(&admin, &deeper, json!({"parent_id": other})).await;
    check(app, "a branch stands elsewhere").await;

    change(&admin, &at(3), json!({"category_id": news, "tags": ["b"]})).await;
    change(&admin, &at(13), json!({"author_ids": [author], "category_id": null})).await;
    check(app, "articles were edited").await;
    change(&admin, &at(7), json!({"status": "archived"})).await;
    change(&admin, &at(11), json!({"published_at": "2020-01-01T00:00:00Z"})).await;
    check(app, "one was withdrawn, one is old now").await;
    change(&admin, &at(7), json!({"status": "published"})).await;
    admin.with("if-match", "*").delete(&at(15)).await.ok(204);
    check(app, "one came back, one was deleted").await;
    let tags = app.anonymous().get(&format!("{TAGS}/by-slug/a")).await.ok(200);
    admin.delete(&format!("{TAGS}/{}", tags.id())).await.ok(204);
    let left = check(app, "a tag went").await;
    assert!((1..shown).contains(&left), "{left} of {shown}");
}
