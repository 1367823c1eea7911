//! Slugs of categories, tags and authors: one each, made from the name where none is given.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::Text;

use crate::db::DbConn;
use crate::db::violation::breaks_unique;
use crate::error::{Code, Error};
use crate::text::slug::slug_from_title;

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = Text)]
    slug: String,
}

/// A slug made from a name that no row of `table` has: `-2`, `-3` and so on stand behind it where it is taken.
/// `table` is a name from this source, never input. Nobody else may add rows meanwhile.
pub fn free_slug(conn: &mut DbConn, table: &'static str, name: &str) -> QueryResult<String> {
    let slug = slug_from_title(name);
    // All that begin with the slug and a hyphen: the character after the hyphen is the point.
    let taken: Vec<Taken> = diesel::sql_query(format!(
        "SELECT slug FROM {table} WHERE slug = $1 OR (slug > $2 AND slug < $3)"
    ))
    .bind::<Text, _>(&slug)
    .bind::<Text, _>(format!("{slug}-"))
    .bind::<Text, _>(format!("{slug}."))
    .load(conn)?;
    let taken: HashSet<String> = taken.into_iter().map(|row| row.slug).collect();
    Ok(first_free(slug, |slug| taken.contains(slug)))
}

/// The slug, or the first of `slug-2`, `slug-3` and so on that is not taken.
fn first_free(slug: String, taken: impl Fn(&str) -> bool) -> String {
    if !taken(&slug) {
        return slug;
    }
    let mut number = 2_u64;
    loop {
        let numbered = format!("{slug}-{number}");
        if !taken(&numbered) {
            return numbered;
        }
        number += 1;
    }
}

/// 409 at `#/slug` where the write failed since another row of `table` has the slug; other errors as they are.
pub fn slug_taken(error: DieselError, table: &str) -> Error {
    if breaks_unique(&error, table, "slug") {
        return Error::at_field(Code::SlugTaken, "/slug", "belongs to another");
    }
    error.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_free_number_stands_behind_a_taken_slug() {
        let taken = ["a", "a-2", "a-4", "b-2"];
        let free = |slug: &str| first_free(slug.to_owned(), |slug| taken.contains(&slug));
        assert_eq!(free("a"), "a-3");
        assert_eq!(free("b"), "b");
        assert_eq!(free("c"), "c");
    }
}
