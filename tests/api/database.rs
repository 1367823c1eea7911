//! The databases themselves: migrations there and back, tables as described, a schema from the future.

use diesel::prelude::*;

use crate::support::{App, both};

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
