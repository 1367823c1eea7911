//! Finding articles by what they say.

mod facets;
mod find;
mod model;
mod queries;
mod query;
mod routes;
mod store;
mod suggest;
mod synonyms;
pub mod upkeep;
mod words;

use std::path::Path;

use self::queries::QueryLog;
use self::words::Words;
use crate::db::Db;
use crate::web::Services;

/// What search keeps in memory: the words of a file, and searches that are not written yet.
pub struct SearchState {
    words: Words,
    queries: QueryLog,
}

impl SearchState {
    /// Of a server with this database and data folder, on the present runtime.
    pub fn open(db: Db, data_dir: &Path) -> Self {
        Self {
            words: Words::open(data_dir),
            queries: QueryLog::new(db),
        }
    }

    /// Writes what is not written yet, before the database is closed.
    pub async fn finish(&self) {
        self.queries.flush().await;
    }
}

/// Registers the routes.
pub fn configure(config: &mut Services<'_, '_>) {
    config
        .service(routes::search_articles)
        .service(synonyms::routes::get_synonyms)
        .service(synonyms::routes::replace_synonyms)
        .service(queries::routes::list_search_queries)
        .service(suggest::list_suggestions);
}
