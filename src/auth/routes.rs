//! HTTP of signing in.

use actix_web::{HttpRequest, HttpResponse, get, post, web};

use super::model::{KeySet, Login, PasswordChange, RefreshToken, Tokens, User};
use super::store::Rotation;
use super::token::{Bearer, LIFETIME};
use super::{Account, Auth, email, password, secret, store};
use crate::config::Config;
use crate::db::{Db, Timestamp};
use crate::error::{Code, Error, Result};
use crate::web::body::Checks;
use crate::web::{Data, Json, NoQuery, Reply, client};

/// Sign in.
///
/// Open to everyone, with the e-mail address and the password of an active account: an access token for 15 minutes
/// and a refresh token, good once, for the next pair; the sign-in lasts 30 days. An unknown address, a wrong
/// password and an account that is not active are one answer: 401 `invalid_credentials`. Costs a password hash, so
/// ten tries a minute from one address, and thirty for one account, are taken; then 429 with `Retry-After`. An
/// `Authorization` header is ignored.
#[utoipa::path(
    tag = "auth",
    operation_id = "sign_in",
    security(()),
    request_body = Login,
    responses(
        (status = 200, description = "The tokens.", body = Tokens),
        (status = 401, description = "`invalid_credentials`."),
        (status = 429, description = "Too many tries."),
    ),
)]
#[post("/auth/login")]
pub async fn login(
    _query: NoQuery,
    request: HttpRequest,
    Json(login): Json<Login>,
    config: web::Data<Config>,
    db: web::Data<Db>,
    auth: web::Data<Auth>,
) -> Result<Reply> {
    let key = email::is_plausible(&login.email).then(|| email::key_of(&login.email));
    auth.limits.check(
        client::address(&request, &config.trusted_proxies),
        key.as_deref().unwrap_or_default(),
    )?;
    let proof = match key {
        Some(key) => db.read(move |read| Ok(store::proof_of_email(read.conn, &key)?)).await?,
        None => None,
    };
    let hash = proof.as_ref().map(|proof| proof.password_hash.clone());
    let right = auth.passwords.verify(login.password, hash).await?;
    let refused = || Error::new(Code::InvalidCredentials);
    let proof = proof.filter(|proof| right && proof.active).ok_or_else(refused)?;

    let refresh_token = secret::random()?;
    let digest = secret::digest(&refresh_token);
    let user = proof.id;
    let session = db
        .write(move |tx| Ok(store::begin_session(tx, user, &proof.password_hash, &digest)?))
        .await?
        .ok_or_else(refused)?;
    prune_beside(&db);
    answer(&auth, Bearer { user, session }, refresh_token)
}

/// Get the next pair of tokens.
///
/// Open to everyone who has a refresh token. It is good once: the answer has the next one. One that was used before
/// means that somebody has a copy, and ends the sign-in for both (sign in again): send it once, and not from two
/// tabs at a time. Costs one write. An unknown, used or ended token is 401 `invalid_token`. An `Authorization`
/// header is ignored.
#[utoipa::path(
    tag = "auth",
    operation_id = "refresh_tokens",
    security(()),
    request_body = RefreshToken,
    responses(
        (status = 200, description = "The next tokens.", body = Tokens),
        (status = 401, description = "`invalid_token`."),
    ),
)]
#[post("/auth/refresh")]
pub async fn refresh(
    _query: NoQuery,
    Json(body): Json<RefreshToken>,
    db: web::Data<Db>,
    auth: web::Data<Auth>,
) -> Result<Reply> {
    let invalid = || Error::new(Code::InvalidToken);
    let digest = secret::digest(&body.refresh_token);
    let session = session_of(&db, digest.clone()).await?.ok_or_else(invalid)?;
    let refresh_token = secret::random()?;
    let next_digest = secret::digest(&refresh_token);
    let rotation = db
        .write(move |tx| Ok(store::rotate(tx, session, &digest, &next_digest)?))
        .await?;
    match rotation {
        Rotation::Rotated { user } => answer(&auth, Bearer { user, session }, refresh_token),
        Rotation::Reused { user } => {
            log::warn!("a refresh token of user {user} came twice; session {session} is ended");
            Err(invalid())
        }
        Rotation::Ended => Err(invalid()),
    }
}

/// Sign out.
///
/// Open to everyone who has a refresh token of the sign-in, used or not: its tokens are good no longer, the access
/// token included. Costs one write. An unknown one changes nothing, costs none and has the same answer. An
/// `Authorization` header is ignored.
#[utoipa::path(
    tag = "auth",
    operation_id = "sign_out",
    security(()),
    request_body = RefreshToken,
    responses((status = 204, description = "Signed out.")),
)]
#[post("/auth/logout")]
pub async fn logout(_query: NoQuery, Json(body): Json<RefreshToken>, db: web::Data<Db>) -> Result<HttpResponse> {
    if let Some(session) = session_of(&db, secret::digest(&body.refresh_token)).await? {
        db.write(move |tx| Ok(store::end_session(tx, session)?)).await?;
    }
    Ok(Reply::empty())
}

/// Change one's own password.
///
/// For accounts; an API key has no password (403). The new one has 10 to 200 characters of any kind, kept as they
/// are. Every other sign-in of the account ends, the present one stays. Costs two password hashes, so thirty tries
/// a minute are taken; then 429. A wrong present password is 422 at `#/current_password`.
#[utoipa::path(
    tag = "auth",
    operation_id = "change_password",
    security(("bearer" = [])),
    request_body = PasswordChange,
    responses(
        (status = 204, description = "Changed."),
        (status = 429, description = "Too many tries."),
    ),
)]
#[post("/auth/password")]
pub async fn change_password(
    account: Account,
    _query: NoQuery,
    Json(change): Json<PasswordChange>,
    db: web::Data<Db>,
    auth: web::Data<Auth>,
) -> Result<HttpResponse> {
    let mut checks = Checks::default();
    password::check(&mut checks, "/new_password", &change.new_password);
    checks.finish()?;
    let Account { id, session, .. } = account;
    auth.limits.check_account(&format!("id:{id}"))?;

    let wrong = || Error::at_field(Code::InvalidField, "/current_password", "is not the present password");
    let hash = db.read(move |read| Ok(store::password_hash_of(read.conn, id)?)).await?;
    if !auth.passwords.verify(change.current_password, hash.clone()).await? {
        return Err(wrong());
    }
    let hash = hash.ok_or_else(wrong)?;
    let new_hash = auth.passwords.hash(change.new_password).await?;
    let changed = db
        .write(move |tx| Ok(store::change_password(tx, id, session, &hash, &new_hash)?))
        .await?;
    if changed { Ok(Reply::empty()) } else { Err(wrong()) }
}

/// Read one's own account.
///
/// For accounts. An API key is none, whatever its scope: 403. Costs one statement.
#[utoipa::path(
    tag = "auth",
    operation_id = "get_me",
    security(("bearer" = [])),
    responses((status = 200, description = "The account.", body = Data<User>)),
)]
#[get("/auth/me")]
pub async fn get_me(account: Account, _query: NoQuery, db: web::Data<Db>) -> Result<Reply> {
    let user = db
        .read(move |read| Ok(store::find_user(read.conn, account.id)?))
        .await?;
    // Deleted since the token was looked at.
    let user = user.ok_or_else(|| Error::new(Code::InvalidToken))?;
    Ok(Reply::data(&user)?.uncached())
}

/// Read the public keys.
///
/// Open to everyone: the keys that sign the access tokens of every instance, for services that check tokens
/// themselves. A good signature alone does not tell that the account is still active; `GET /api/v1/auth/me` does.
/// Costs one statement.
#[utoipa::path(
    tag = "auth",
    operation_id = "get_public_keys",
    security(()),
    responses((status = 200, description = "The keys, as a JWK set (RFC 7517).", body = KeySet)),
)]
#[get("/.well-known/jwks.json")]
pub async fn get_jwks(_query: NoQuery, db: web::Data<Db>) -> Result<Reply> {
    let keys = db.read(|read| store::public_keys(read.conn)).await?;
    Reply::json(&KeySet { keys })
}

fn answer(auth: &Auth, bearer: Bearer, refresh_token: String) -> Result<Reply> {
    let tokens = Tokens {
        access_token: auth.keys.sign(bearer, Timestamp::now())?,
        token_type: "Bearer",
        expires_in: LIFETIME,
        refresh_token,
    };
    Ok(Reply::json(&tokens)?.uncached())
}

/// Read, so that made-up tokens never reach the writer.
async fn session_of(db: &Db, digest: String) -> Result<Option<i64>> {
    db.read(move |read| Ok(store::session_of_token(read.conn, &digest)?))
        .await
}

/// Sweeps behind those who sign in, without keeping them waiting.
fn prune_beside(db: &web::Data<Db>) {
    let db = db.clone();
    actix_web::rt::spawn(async move {
        if let Err(error) = db.write(|tx| Ok(store::prune_sessions(tx)?)).await {
            log::warn!("ended sessions were not removed: {error}");
        }
    });
}
