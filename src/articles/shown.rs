//! One article as it is read to be shown: all of it but its pictures in one statement, since a database takes longer to be
//! asked than to find them.

use std::collections::HashMap;

use diesel::prelude::*;

use super::body::load_bodies;
use super::model::{ArticleRow, BodyFormat};
use super::store;
use crate::db::fixed::{Value, fixed};
use crate::db::schema::{article_bodies, article_views, articles};
use crate::db::{DbConn, LongText, Numbers, Sight, Timestamp, numbers};
use crate::taxonomy::authors::model::ByLine;
use crate::taxonomy::authors::store::{GatheredByLines, by_lines_of_rows, gathered_by_lines, load_by_lines};
use crate::taxonomy::tags::model::TagRef;
use crate::taxonomy::tags::store::{GatheredTags, gathered_tags, load_tags_of, tags_of_rows};
use crate::{on_backend, on_sight};

/// An article, and what stands beside it.
pub struct Shown {
    /// Its row.
    pub row: ArticleRow,
    /// How often it was read; nothing if that was never noted.
    pub views: Option<i64>,
    /// Its body as it is stored; nothing if no form was asked for, or none is stored.
    pub body: Option<String>,
    /// What stands around it.
    pub around: Around,
}

/// What stands around an article, in tables of its own.
pub struct Around {
    /// Its tags, in their order.
    pub tags: Vec<TagRef>,
    /// Its by-lines, in their order.
    pub by_lines: Vec<ByLine>,
}

/// An article as it is found.
type Found = (
    ArticleRow,
    (Option<i64>, Option<LongText>, GatheredTags, GatheredByLines, Numbers),
);

/// What names an article.
#[derive(Clone, Copy)]
pub enum Name<'a> {
    /// Its id.
    Id(i64),
    /// Its slug.
    Slug(&'a str),
}

/// The article of that name, with its body in that form, if `sight` sees it; and what proves that the site and the categories
/// which are kept are those of then.
pub fn find_shown(
    conn: &mut DbConn,
    now: Timestamp,
    name: Name<'_>,
    sight: Sight,
    body: Option<BodyFormat>,
) -> QueryResult<Option<(Shown, Numbers)>> {
    // Nothing is stored in the form of no name.
    let format = body.map_or("", BodyFormat::as_str);
    macro_rules! find {
        ($named:expr, $name:expr) => {
            on_sight!(sight, now, |seen| {
                // Each of the four subqueries is limited to one row; those of the numbers name the row of id 1 besides.
                let mut values = vec![Value::Number(1); 6];
                values.extend([Value::Text(format), $name]);
                values.extend(sight.values(now));
                on_backend!(conn, |c| {
                    let in_form = article_bodies::article_id
                        .eq(articles::id)
                        .and(article_bodies::format.eq(format));
                    let beside = (
                        article_views::views.nullable(),
                        article_bodies::content.nullable(),
                        gathered_tags(),
                        gathered_by_lines(),
                        numbers(),
                    );
                    let query = $named
                        .filter(seen)
                        .left_join(article_views::table)
                        .left_join(article_bodies::table.on(in_form))
                        .select((ArticleRow::as_select(), beside));
                    fixed(&*c, &query, values).load(c)?
                })
            })
        };
    }
    let found: Vec<Found> = match name {
        Name::Id(id) => find!(articles::table.filter(articles::id.eq(id)), Value::Number(id)),
        Name::Slug(slug) => find!(articles::table.filter(articles::slug.eq(slug)), Value::Text(slug)),
    };
    let shown = |(row, (views, body, tags, by_lines, numbers)): Found| {
        let around = Around {
            tags: tags_of_rows(tags),
            by_lines: by_lines_of_rows(by_lines),
        };
        let shown = Shown {
            row,
            views,
            body: body.map(|LongText(text)| text),
            around,
        };
        (shown, numbers)
    };
    Ok(found.into_iter().next().map(shown))
}

/// These articles with what stands beside them, in their order, with bodies in that form if one is named: four statements, or
/// three.
pub fn load_shown(conn: &mut DbConn, rows: Vec<ArticleRow>, body: Option<BodyFormat>) -> QueryResult<Vec<Shown>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let (mut tags, mut by_lines) = (load_tags_of(conn, &ids)?, load_by_lines(conn, &ids)?);
    let views = store::load_view_counts(conn, &ids)?;
    let mut bodies = match body {
        Some(format) => load_bodies(conn, &ids, format)?,
        None => HashMap::new(),
    };
    let shown = |row: ArticleRow| Shown {
        views: views.get(&row.id).copied(),
        body: bodies.remove(&row.id),
        around: Around {
            tags: tags.remove(&row.id).unwrap_or_default(),
            by_lines: by_lines.remove(&row.id).unwrap_or_default(),
        },
        row,
    };
    Ok(rows.into_iter().map(shown).collect())
}
