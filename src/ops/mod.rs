//! For whoever runs the server: is it alive, is it ready, what is here.

mod routes;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::auth;
use crate::db::Db;
use crate::web::Services;

/// Registers the routes.
pub fn configure(config: &mut Services<'_, '_>) {
    config
        .service(routes::get_live)
        .service(routes::get_ready)
        .service(routes::get_index);
}

/// How long an answer to "ready?" holds: the question is open to everyone and costs a write.
const FRESH: Duration = Duration::from_secs(1);

/// Whether this instance takes work.
pub struct Readiness {
    db: Db,
    going: AtomicBool,
    last: Mutex<Option<(Instant, Result<(), &'static str>)>>,
}

impl Readiness {
    /// Of a server on this database.
    pub fn new(db: Db) -> Self {
        Self {
            db,
            going: AtomicBool::new(false),
            last: Mutex::new(None),
        }
    }

    /// Says from now on that this instance is going.
    pub fn going(&self) {
        self.going.store(true, Ordering::Relaxed);
    }

    /// Whether writes work and somebody could sign in; else why not.
    pub async fn check(&self) -> Result<(), &'static str> {
        if self.going.load(Ordering::Relaxed) {
            return Err("stopping");
        }
        let mut last = self.last.lock().await;
        if let Some((at, answer)) = *last
            && at.elapsed() < FRESH
        {
            return answer;
        }
        let answer = match auth::has_user(&self.db).await {
            Ok(false) => Err("there is no user yet"),
            Ok(true) if self.db.can_write().await => Ok(()),
            Ok(true) | Err(_) => Err("the database does not take writes"),
        };
        *last = Some((Instant::now(), answer));
        answer
    }
}
