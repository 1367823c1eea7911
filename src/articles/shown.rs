//! One article as it is read to be shown. Its row, and what stands in one row beside it, take one statement: PostgreSQL takes
//! longer to be asked than to find them. Its tags take one, its by-lines one or two.

use std::collections::HashMap;

use diesel::prelude::*;

use super::model::{ArticleRow, BodyFormat};
use crate::db::schema::{article_bodies, article_views, articles};
use crate::db::{DbConn, Numbers, Sight, Timestamp, numbers};
use crate::taxonomy::authors::store::{ByLine, load_by_lines};
use crate::taxonomy::tags::model::TagRef;
use crate::taxonomy::tags::store::load_tags_of;
use crate::{on_backend, on_sight};

/// An article, and what stands in one row beside it.
#[derive(Queryable)]
pub struct Shown {
    /// Its row.
    pub row: ArticleRow,
    /// How often it was read; nothing if that was never noted.
    pub views: Option<i64>,
    /// Its body as it is stored; nothing if no form was asked for, or none is stored.
    pub body: Option<String>,
    /// What proves that the site and the categories which are kept are those of then.
    pub numbers: Numbers,
}

/// What names an article.
#[derive(Clone, Copy)]
pub enum Name<'a> {
    /// Its id.
    Id(i64),
    /// Its slug.
    Slug(&'a str),
}

/// The article of that name, with its body in that form, if `sight` sees it.
pub fn find_shown(
    conn: &mut DbConn,
    now: Timestamp,
    name: Name<'_>,
    sight: Sight,
    body: Option<BodyFormat>,
) -> QueryResult<Option<Shown>> {
    // Nothing is stored in the form of no name.
    let format = body.map_or("", BodyFormat::as_str);
    macro_rules! find {
        ($named:expr) => {
            on_sight!(sight, now, |seen| {
                let in_form = article_bodies::article_id
                    .eq(articles::id)
                    .and(article_bodies::format.eq(format));
                let found = $named
                    .filter(seen)
                    .left_join(article_views::table)
                    .left_join(article_bodies::table.on(in_form));
                let (views, body) = (
                    article_views::views.nullable(),
                    article_bodies::content.nullable(),
                );
                on_backend!(conn, |c| found
                    .select((ArticleRow::as_select(), views, body, numbers()))
                    .first(c))
            })
            .optional()
        };
    }
    match name {
        Name::Id(id) => find!(articles::table.filter(articles::id.eq(id))),
        Name::Slug(slug) => find!(articles::table.filter(articles::slug.eq(slug))),
    }
}

/// What stands around articles, in tables of its own.
pub struct Around {
    /// Their tags, in the order of each.
    pub tags: HashMap<i64, Vec<TagRef>>,
    /// Their by-lines, in the order of each.
    pub by_lines: HashMap<i64, Vec<ByLine>>,
}

impl Around {
    /// Reads it for these articles.
    pub fn load(conn: &mut DbConn, ids: &[i64]) -> QueryResult<Self> {
        Ok(Self {
            tags: load_tags_of(conn, ids)?,
            by_lines: load_by_lines(conn, ids)?,
        })
    }
}
