//! The tables, kept by hand: one description for both databases. A test selects from each on both.
#![expect(missing_docs, reason = "the migrations describe the tables")]

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::UtcTimestamp;
    users (id) {
        id -> BigInt, email -> Text, email_key -> Text, name -> Text, role -> Text, password_hash -> Text, active -> Bool,
        created_at -> UtcTimestamp,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::UtcTimestamp;
    sessions (id) {
        id -> BigInt, user_id -> BigInt, created_at -> UtcTimestamp, expires_at -> UtcTimestamp,
        revoked_at -> Nullable<UtcTimestamp>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::UtcTimestamp;
    refresh_tokens (digest) { digest -> Text, session_id -> BigInt, used_at -> Nullable<UtcTimestamp> }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::UtcTimestamp;
    api_keys (id) {
        id -> BigInt, name -> Text, scope -> Text, prefix -> Text, digest -> Text, created_at -> UtcTimestamp,
        expires_at -> Nullable<UtcTimestamp>, last_used_at -> Nullable<UtcTimestamp>, revoked_at -> Nullable<UtcTimestamp>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::UtcTimestamp;
    signing_keys (kid) { kid -> Text, jwk -> Text, created_at -> UtcTimestamp }
}

diesel::table! {
    site (id) {
        id -> BigInt, name -> Text, description -> Nullable<Text>, locale -> Text, url -> Nullable<Text>,
        article_url -> Nullable<Text>, time_zone -> Nullable<Text>, navigation -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::UtcTimestamp;
    images (id) {
        id -> BigInt, hash -> Text, media_type -> Text, width -> Integer, height -> Integer, bytes -> BigInt,
        transparent -> Bool, alt -> Nullable<Text>, caption -> Nullable<Text>, credit -> Nullable<Text>, focal_x -> Double,
        focal_y -> Double, created_by -> Nullable<BigInt>, created_at -> UtcTimestamp, placeholder -> Nullable<Text>,
        color -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::UtcTimestamp;
    image_claims (hash) { hash -> Text, token -> Text, held_until -> UtcTimestamp }
}

diesel::table! {
    categories (id) {
        id -> BigInt, slug -> Text, name -> Text, description -> Nullable<Text>, parent_id -> Nullable<BigInt>,
        position -> Integer,
    }
}

diesel::table! { tags (id) { id -> BigInt, slug -> Text, name -> Text, name_key -> Text, declared -> Bool, word_key -> Nullable<Text> } }
diesel::table! { tag_keys (tag_id, key) { tag_id -> BigInt, key -> Text } }

diesel::table! {
    authors (id) {
        id -> BigInt, slug -> Text, name -> Text, bio -> Nullable<Text>, avatar_image_id -> Nullable<BigInt>, links -> Text,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::UtcTimestamp;
    articles (id) {
        id -> BigInt, slug -> Text, title -> Text, summary -> Nullable<Text>, derived_summary -> Text, state -> Text,
        published_at -> Nullable<UtcTimestamp>, listed_at -> UtcTimestamp,
        created_at -> UtcTimestamp, updated_at -> UtcTimestamp, version -> BigInt,
        category_id -> Nullable<BigInt>, cover_image_id -> Nullable<BigInt>, locale -> Text, featured -> Bool,
        word_count -> BigInt, reading_minutes -> Integer, source_name -> Nullable<Text>, source_url -> Nullable<Text>,
        seo_title -> Nullable<Text>, seo_description -> Nullable<Text>, external_id -> Nullable<Text>, metadata -> Text,
        source_format -> Text, created_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    article_bodies (article_id, format) { article_id -> BigInt, format -> Text, renderer -> Integer, content -> Text }
}

diesel::table! { former_slugs (slug) { slug -> Text, article_id -> BigInt } }

diesel::table! { article_tags (article_id, tag_id) { article_id -> BigInt, tag_id -> BigInt, position -> Integer } }

diesel::table! { article_authors (article_id, author_id) { article_id -> BigInt, author_id -> BigInt, position -> Integer } }

diesel::table! { image_uses (article_id, image_id) { article_id -> BigInt, image_id -> BigInt } }

diesel::table! {
    article_views (article_id) {
        article_id -> BigInt, views -> BigInt, level -> Integer, views_24h -> BigInt, level_24h -> Integer,
        views_7d -> BigInt, level_7d -> Integer, views_30d -> BigInt, level_30d -> Integer, hour -> BigInt, hour_views -> BigInt,
        public -> Bool,
    }
}

diesel::table! { noted_views (id) { id -> BigInt, viewed_at -> BigInt, views -> Text } }

diesel::table! { views_by_hour (article_id, hour) { article_id -> BigInt, hour -> BigInt, views -> BigInt } }

diesel::table! { views_by_day (article_id, day) { article_id -> BigInt, day -> Integer, views -> BigInt } }

diesel::table! { view_windows (id) { id -> BigInt, until -> BigInt } }

diesel::table! {
    counted_views (named, day, visitor, article_id, viewed_at) {
        named -> Bool, day -> Integer, visitor -> Binary, article_id -> BigInt, viewed_at -> BigInt,
    }
}

diesel::table! { view_events (event_id) { event_id -> Binary, viewed_at -> BigInt } }

diesel::table! { view_salts (day) { day -> Integer, salt -> Text } }

diesel::table! {
    article_hits (article_id) {
        article_id -> BigInt, state -> Text, listed_at -> BigInt, category_id -> Nullable<BigInt>, locale -> Text,
        featured -> Bool, tags -> Text, authors -> Text, stamp -> BigInt,
    }
}

diesel::table! {
    content_changes (id) { id -> BigInt, generation -> BigInt, site -> BigInt, categories -> BigInt, hidden -> BigInt }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::UtcTimestamp;
    article_listings (kind, owner_id, category_id, listed_at, article_id) {
        kind -> Integer, owner_id -> BigInt, category_id -> BigInt, listed_at -> UtcTimestamp, article_id -> BigInt,
    }
}

diesel::table! { index_state (id) { id -> BigInt, analyser -> Integer } }

diesel::table! { index_pending (article_id) { article_id -> BigInt } }

diesel::table! { synonyms (word_key) { word_key -> Text, group_id -> BigInt, position -> Integer, word -> Text } }

diesel::table! {
    use diesel::sql_types::*;
    use crate::db::types::UtcTimestamp;
    search_queries (day, query) {
        day -> Text, query -> Text, searches -> BigInt, without_answer -> BigInt, last_total -> BigInt,
        last_searched_at -> UtcTimestamp,
    }
}

diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(refresh_tokens -> sessions (session_id));
diesel::joinable!(article_bodies -> articles (article_id));
diesel::joinable!(former_slugs -> articles (article_id));
diesel::joinable!(article_tags -> articles (article_id));
diesel::joinable!(article_tags -> tags (tag_id));
diesel::joinable!(tag_keys -> tags (tag_id));
diesel::joinable!(article_authors -> articles (article_id));
diesel::joinable!(article_authors -> authors (author_id));
diesel::joinable!(image_uses -> articles (article_id));
diesel::joinable!(image_uses -> images (image_id));
diesel::joinable!(article_views -> articles (article_id));
diesel::joinable!(article_listings -> articles (article_id));

diesel::allow_tables_to_appear_in_same_query!(
    users,
    sessions,
    refresh_tokens,
    api_keys,
    signing_keys,
    site,
    images,
    image_claims,
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
