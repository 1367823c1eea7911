//! Sign-in, tokens, and who is calling.
//!
//! An account signs in with e-mail and password and gets two tokens. The access token (a JWT, 15 minutes) is shown with
//! each request; the refresh token (random, used once) gets the next pair. Both belong to a session, a row that is read
//! with each request together with the account: whoever signs out, is deactivated or gets another role feels it at once,
//! whatever their token says. API keys are the other way in: random, stored as a digest, with a scope instead of a role.
//!
//! [`identify`] settles who is calling before anything else of a request is looked at; the extractors of [`viewer`] state
//! what a handler asks of them.

pub mod email;
mod limit;
pub mod model;
pub mod password;
mod routes;
pub mod secret;
mod signing_key;
pub mod store;
pub mod token;
pub mod viewer;

use self::limit::SignInLimits;
use self::password::Passwords;
use self::token::Keys;
use self::viewer::KeyUses;
use crate::config::Config;
use crate::db::Db;
use crate::error::Result;

pub use self::viewer::{Account, Admin, Contributor, Editor, SignedIn, Viewer, identify};
use crate::web::Services;

/// What signing in needs while the server runs.
pub struct Auth {
    /// The key that signs, and those that are believed.
    pub keys: Keys,
    /// Hashing, a few at a time.
    pub passwords: Passwords,
    limits: SignInLimits,
    key_uses: KeyUses,
}

impl Auth {
    /// Reads or makes the signing key, and publishes its public half. The error is one line for the operator.
    pub async fn open(config: &Config, db: &Db) -> std::result::Result<Self, String> {
        Ok(Self {
            keys: Keys::open(config, db).await?,
            passwords: Passwords::new(),
            limits: SignInLimits::new(config),
            key_uses: KeyUses::default(),
        })
    }
}

/// Whether there is any account: before that, nobody can sign in, and nothing can be written.
pub async fn has_user(db: &Db) -> Result<bool> {
    db.read(|read| Ok(store::has_user(read.conn)?)).await
}

/// Registers the routes.
pub fn configure(config: &mut Services<'_, '_>) {
    config
        .service(routes::login)
        .service(routes::refresh)
        .service(routes::logout)
        .service(routes::change_password)
        .service(routes::get_me);
}

/// Registers what stands outside of the API, at a place that a standard names.
pub fn configure_well_known(config: &mut Services<'_, '_>) {
    config.service(routes::get_jwks);
}
