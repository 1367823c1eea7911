//! The HTTP server: its state, its routes, its start and its stop.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, ResponseError, web};
use utoipa_swagger_ui::SwaggerUi;

use crate::articles::searched::write_pending;
use crate::articles::store::load_view_counts;
use crate::auth::Auth;
use crate::config::{Config, Database};
use crate::db::{Db, Watch, migrate};
use crate::error::{Code, Error};
use crate::images::{self, Files};
use crate::openapi::{self, Routes};
use crate::ops::Readiness;
use crate::search::{SearchState, upkeep};
use crate::taxonomy::tags::{Reindex, Whose, rewrite_keys};
use crate::users;
use crate::views::{self, Counter};
use crate::web::cache::ResponseCache;
use crate::web::cross_origin::CrossOrigin;
use crate::web::envelope::Envelope;
use crate::web::{NoQuery, PublicUrl, Reply, Services};

/// A server that runs.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    db: Db,
    counter: web::Data<Counter>,
    search: web::Data<SearchState>,
    readiness: web::Data<Readiness>,
    handle: ServerHandle,
    finished: actix_web::rt::task::JoinHandle<std::io::Result<()>>,
    /// What works beside the requests: keeps the search index, what views add up to, the files, and the view numbers of
    /// kept answers.
    upkeep: Vec<tokio::task::JoinHandle<()>>,
    /// What this process learns from of changes of other processes.
    watch: Option<Watch>,
    /// Held while the server runs: one server a SQLite file.
    _lock: Option<std::fs::File>,
}

/// Opens the databases, and listens. The error is one line for the operator.
pub async fn start(config: Config) -> Result<Running, String> {
    std::fs::create_dir_all(&config.data_dir)
        .map_err(|error| format!("cannot make {}: {error}", config.data_dir.display()))?;
    let lock = only_server(&config.database)?;
    let opening = config.clone();
    let db = web::block(move || Db::open_to_serve(&opening))
        .await
        .map_err(|error| error.to_string())??;
    // An older version made tags without them, and SQL cannot make them.
    rewrite_keys(&db, Whose::Keyless)
        .await
        .map_err(|error| format!("cannot write the keys of tags: {error}"))?;
    let auth = Auth::open(&config, &db).await?;
    users::ensure_first_admin(&config, &db, &auth.passwords).await?;

    upkeep::settle(&db).await.map_err(|error| error.to_string())?;
    let (index_db, database) = (db.clone(), config.database.clone());
    let index_upkeep = tokio::spawn(async move { upkeep::keep_up(&index_db, &database).await });
    let (views_db, zone) = (db.clone(), config.time_zone);
    // As far as the server before could not do it any more.
    if let Err(error) = views::upkeep::add_up(&db, zone, |_, _| ()).await {
        log::warn!("views that are noted are not added up yet: {error}");
    }
    let views_upkeep = tokio::spawn(async move { views::upkeep::keep_up(&views_db, zone).await });
    let listener = std::net::TcpListener::bind(config.bind)
        .map_err(|error| format!("cannot listen on {}: {error}", config.bind))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let origin = config
        .public_url
        .clone()
        .unwrap_or_else(|| format!("http://localhost:{}", address.port()));
    let document = openapi::document(&origin);
    let shown_origin = origin.clone();
    let routes = web::Data::new(Routes::of(&document));
    let spec = web::Data::new(Spec(
        document.to_json().map_err(|error| error.to_string())?.into_bytes(),
    ));

    if !config.bind.ip().is_loopback() && config.public_url.is_none() {
        log::warn!("links begin with {origin}: set BROADSHEET_PUBLIC_URL to the address that others use");
    }
    let database = db.describe().await.map_err(|error| error.to_string())?;
    let files = Files::open(&config)?;
    images::settle_at_start(&db, &files, &config.database).await;
    let (files_db, kept_files) = (db.clone(), files.clone());
    let media_upkeep = tokio::spawn(async move { images::keep_up(&files_db, &kept_files).await });
    let cache = ResponseCache::new(config.cache_bytes, &db, |read, ids| {
        Ok(load_view_counts(read.conn, ids)?)
    });
    // Without it nothing is kept between requests, and so nothing has to be known.
    let watch = cache.as_ref().map(|_cache| db.watch(&config.database)).transpose()?;
    let (cache, refreshing) = cache.unzip();
    let search = web::Data::new(SearchState::open(db.clone(), &config.data_dir));
    let readiness = web::Data::new(Readiness::new(db.clone()));
    let counter = web::Data::new(Counter::new(db.clone(), &config));
    let state = State {
        files: web::Data::new(files),
        config: web::Data::new(config),
        public_url: web::Data::new(PublicUrl(origin)),
        counter: counter.clone(),
        search: search.clone(),
        readiness: readiness.clone(),
        db: web::Data::new(db.clone()),
        auth: web::Data::new(auth),
    };
    let server = HttpServer::new(move || {
        let app = state
            .register(App::new())
            .app_data(routes.clone())
            .app_data(spec.clone())
            .configure(|config| openapi::api(&mut Services::Served(config)));
        app.service(
            web::resource("/openapi.json")
                .get(serve_document)
                .default_service(web::to(nowhere)),
        )
        .service(web::redirect("/docs", "/docs/"))
        .service(SwaggerUi::new("/docs/{_:.*}").config(utoipa_swagger_ui::Config::new(["/openapi.json"])))
        .default_service(web::to(nowhere))
        .wrap(Envelope::new(
            cache.clone(),
            CrossOrigin::new(state.config.cors_origins.clone()),
            views::shortcut(state.counter.as_ref().clone()),
        ))
    })
    .client_request_timeout(Duration::from_secs(10))
    .shutdown_timeout(10)
    .disable_signals()
    .listen(listener)
    .map_err(|error| format!("cannot listen on {address}: {error}"))?
    .run();
    log::info!("serving {shown_origin}/api/v1 on {database}; {shown_origin}/docs/ shows it; listening on {address}");
    let handle = server.handle();
    let finished = actix_web::rt::spawn(server);
    let upkeep = [index_upkeep, views_upkeep, media_upkeep]
        .into_iter()
        .chain(refreshing)
        .collect();
    Ok(Running {
        address,
        db,
        counter,
        search,
        readiness,
        handle,
        finished,
        upkeep,
        watch,
        _lock: lock,
    })
}

impl Running {
    /// Tells load balancers that this instance is going, and gives them time to notice.
    pub async fn drain(&self, pause: Duration) {
        self.readiness.going();
        tokio::time::sleep(pause).await;
    }

    /// Finishes what was asked, writes what is queued, and ends.
    pub async fn stop(self) {
        self.handle.stop(true).await;
        match self.finished.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => log::error!("the server ended with {error}"),
            Err(error) => log::error!("the server ended with {error}"),
        }
        for upkeep in self.upkeep {
            // Begun anew with the next start.
            upkeep.abort();
            if let Err(error) = upkeep.await
                && error.is_panic()
            {
                log::error!("the work beside the server ended with {error}");
            }
        }
        drop(self.watch);
        self.counter.finish().await;
        self.search.finish().await;
        self.db.close().await;
    }

    /// The databases, for what runs beside the server.
    pub fn db(&self) -> &Db {
        &self.db
    }
}

/// What handlers reach through `web::Data`.
#[derive(Clone)]
struct State {
    config: web::Data<Config>,
    public_url: web::Data<PublicUrl>,
    db: web::Data<Db>,
    counter: web::Data<Counter>,
    search: web::Data<SearchState>,
    files: web::Data<Files>,
    readiness: web::Data<Readiness>,
    auth: web::Data<Auth>,
}

impl State {
    fn register<T>(&self, app: App<T>) -> App<T>
    where
        T: actix_web::dev::ServiceFactory<
                actix_web::dev::ServiceRequest,
                Config = (),
                Error = actix_web::Error,
                InitError = (),
            >,
    {
        app.app_data(self.config.clone())
            .app_data(self.public_url.clone())
            .app_data(self.db.clone())
            .app_data(self.counter.clone())
            .app_data(self.search.clone())
            .app_data(self.files.clone())
            .app_data(self.readiness.clone())
            .app_data(self.auth.clone())
            .app_data(web::Data::new(Reindex(write_pending)))
    }
}

/// Two servers on one SQLite file would have two writers.
fn only_server(database: &Database) -> Result<Option<std::fs::File>, String> {
    let Database::Sqlite(path) = database else {
        return Ok(None);
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| format!("cannot make {}: {error}", folder.display()))?;
    }
    let lock = migrate::lock_file(path, "serve.lock")?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(_) => Err(format!(
            "another broadsheet serves {}; one server a SQLite file",
            path.display()
        )),
    }
}

struct Spec(Vec<u8>);

async fn serve_document(_query: NoQuery, spec: web::Data<Spec>) -> Reply {
    Reply::bytes(spec.0.clone())
}

/// No route took the request: the method is wrong, or there is nothing.
async fn nowhere(request: HttpRequest, routes: web::Data<Routes>) -> HttpResponse {
    let methods = routes.methods(request.path());
    if methods.is_empty() {
        return Error::not_found().error_response();
    }
    let mut response = Error::new(Code::MethodNotAllowed).error_response();
    if let Ok(allow) = HeaderValue::from_str(&methods.join(", ")) {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}
