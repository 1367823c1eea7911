//! Queries of signing in: sessions, refresh tokens, public keys, and who a caller is.

use diesel::dsl::exists;
use diesel::prelude::*;

use super::model::{Proof, PublicKey, User};
use super::viewer::{Role, Scope};
use crate::db::schema::{api_keys, refresh_tokens, sessions, signing_keys, users};
use crate::db::{DbConn, Read, Timestamp, Tx};
use crate::error::{Error, Result};
use crate::on_backend;

/// Days that a sign-in lasts, however often its tokens are refreshed.
pub const SESSION_DAYS: i64 = 30;

/// Ended sessions that are removed at once.
const PRUNED_AT_ONCE: i64 = 100;

/// The role of an account, if it and its session are both still good.
pub fn role_in_session(read: &mut Read<'_>, user: i64, session: i64) -> QueryResult<Option<Role>> {
    let role = sessions::table
        .inner_join(users::table)
        .filter(sessions::id.eq(session))
        .filter(sessions::user_id.eq(user))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(read.now))
        .filter(users::active.eq(true))
        .select(users::role);
    on_backend!(read.conn, |conn| role.get_result(conn)).optional()
}

/// An API key that is good: its id, its scope, and when its last use was noted.
pub fn api_key_of(read: &mut Read<'_>, digest: &str) -> QueryResult<Option<(i64, Scope, Option<Timestamp>)>> {
    let key = api_keys::table
        .filter(api_keys::digest.eq(digest))
        .filter(api_keys::revoked_at.is_null())
        .filter(api_keys::expires_at.is_null().or(api_keys::expires_at.gt(read.now)))
        .select((api_keys::id, api_keys::scope, api_keys::last_used_at));
    on_backend!(read.conn, |conn| key.get_result(conn)).optional()
}

/// Notes that an API key was used.
pub fn note_key_use(tx: &mut Tx<'_>, id: i64) -> QueryResult<()> {
    diesel::update(api_keys::table.find(id))
        .set(api_keys::last_used_at.eq(tx.now))
        .execute(tx.conn)?;
    Ok(())
}

/// Whether there is any account.
pub fn has_user(conn: &mut DbConn) -> QueryResult<bool> {
    diesel::select(exists(users::table.select(users::id))).get_result(conn)
}

/// The account of that id.
pub fn find_user(conn: &mut DbConn, id: i64) -> QueryResult<Option<User>> {
    users::table
        .find(id)
        .select(User::as_select())
        .get_result(conn)
        .optional()
}

/// What the account of that e-mail address is known by; `email_key` is from [`super::email::key_of`].
pub fn proof_of_email(conn: &mut DbConn, email_key: &str) -> QueryResult<Option<Proof>> {
    let row = users::table
        .filter(users::email_key.eq(email_key))
        .select((users::id, users::password_hash, users::active))
        .get_result(conn)
        .optional()?;
    Ok(row.map(|(id, password_hash, active)| Proof {
        id,
        password_hash,
        active,
    }))
}

/// The hash of the account's password.
pub fn password_hash_of(conn: &mut DbConn, id: i64) -> QueryResult<Option<String>> {
    users::table
        .find(id)
        .select(users::password_hash)
        .get_result(conn)
        .optional()
}

/// Holds the account against other writers, if it may sign in with the password that was verified a moment ago: a
/// change of password or a deactivation in between has ended every session there was, and no new one may slip past it.
fn hold_account(tx: &mut Tx<'_>, id: i64, verified_hash: &str) -> QueryResult<bool> {
    tx.lock_row("users", id)?;
    let same = users::table
        .find(id)
        .filter(users::active.eq(true))
        .filter(users::password_hash.eq(verified_hash));
    diesel::select(exists(same)).get_result(tx.conn)
}

/// Begins a session with its first refresh token. Nothing if the account has changed since its password was verified.
pub fn begin_session(tx: &mut Tx<'_>, user: i64, verified_hash: &str, token_digest: &str) -> QueryResult<Option<i64>> {
    if !hold_account(tx, user, verified_hash)? {
        return Ok(None);
    }
    let expires_at = Timestamp::from(tx.now.utc() + chrono::TimeDelta::days(SESSION_DAYS));
    let session = diesel::insert_into(sessions::table)
        .values((
            sessions::user_id.eq(user),
            sessions::created_at.eq(tx.now),
            sessions::expires_at.eq(expires_at),
        ))
        .returning(sessions::id)
        .get_result(tx.conn)?;
    add_refresh_token(tx, session, token_digest)?;
    Ok(Some(session))
}

fn add_refresh_token(tx: &mut Tx<'_>, session: i64, digest: &str) -> QueryResult<()> {
    diesel::insert_into(refresh_tokens::table)
        .values((
            refresh_tokens::digest.eq(digest),
            refresh_tokens::session_id.eq(session),
        ))
        .execute(tx.conn)?;
    Ok(())
}

/// The session that a refresh token belongs to, used or not.
pub fn session_of_token(conn: &mut DbConn, digest: &str) -> QueryResult<Option<i64>> {
    refresh_tokens::table
        .find(digest)
        .select(refresh_tokens::session_id)
        .get_result(conn)
        .optional()
}

/// What became of a refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// It was good; the next one stands in its place.
    Rotated {
        /// The account.
        user: i64,
    },
    /// It had been used before: somebody has a copy, so the session is ended.
    Reused {
        /// The account.
        user: i64,
    },
    /// Its session or its account is no longer good.
    Ended,
}

/// Puts the next refresh token in the place of one. Of many that come with the same, one gets through.
pub fn rotate(tx: &mut Tx<'_>, session: i64, digest: &str, next_digest: &str) -> QueryResult<Rotation> {
    // The session first, then its tokens: the order in which deleting goes, so that neither waits for the other.
    tx.lock_row("sessions", session)?;
    let user = sessions::table
        .inner_join(users::table)
        .filter(sessions::id.eq(session))
        .filter(sessions::revoked_at.is_null())
        .filter(sessions::expires_at.gt(tx.now))
        .filter(users::active.eq(true))
        .select(users::id)
        .get_result::<i64>(tx.conn)
        .optional()?;
    let Some(user) = user else {
        return Ok(Rotation::Ended);
    };
    let taken = diesel::update(refresh_tokens::table.find(digest))
        .filter(refresh_tokens::used_at.is_null())
        .set(refresh_tokens::used_at.eq(tx.now))
        .execute(tx.conn)?;
    if taken == 0 {
        end_session(tx, session)?;
        return Ok(Rotation::Reused { user });
    }
    add_refresh_token(tx, session, next_digest)?;
    Ok(Rotation::Rotated { user })
}

/// Ends a session.
pub fn end_session(tx: &mut Tx<'_>, session: i64) -> QueryResult<()> {
    diesel::update(sessions::table.find(session))
        .filter(sessions::revoked_at.is_null())
        .set(sessions::revoked_at.eq(tx.now))
        .execute(tx.conn)?;
    Ok(())
}

/// Ends the sessions of an account, but for one that is to stay.
pub fn end_sessions(tx: &mut Tx<'_>, user: i64, but: Option<i64>) -> QueryResult<()> {
    diesel::update(sessions::table)
        .filter(sessions::user_id.eq(user))
        .filter(sessions::revoked_at.is_null())
        // No session has the id 0.
        .filter(sessions::id.ne(but.unwrap_or(0)))
        .set(sessions::revoked_at.eq(tx.now))
        .execute(tx.conn)?;
    Ok(())
}

/// Changes the password of an account, and ends its other sessions. False if the account has changed since the present
/// password was verified.
pub fn change_password(
    tx: &mut Tx<'_>,
    user: i64,
    session: i64,
    verified_hash: &str,
    new_hash: &str,
) -> QueryResult<bool> {
    if !hold_account(tx, user, verified_hash)? {
        return Ok(false);
    }
    diesel::update(users::table.find(user))
        .set(users::password_hash.eq(new_hash))
        .execute(tx.conn)?;
    end_sessions(tx, user, Some(session))?;
    Ok(true)
}

/// Removes some of the sessions that have run out, with their tokens.
pub fn prune_sessions(tx: &mut Tx<'_>) -> QueryResult<usize> {
    let ended: Vec<i64> = sessions::table
        .filter(sessions::expires_at.le(tx.now))
        .order(sessions::expires_at)
        .limit(PRUNED_AT_ONCE)
        .select(sessions::id)
        .load(tx.conn)?;
    if ended.is_empty() {
        return Ok(0);
    }
    diesel::delete(sessions::table.filter(sessions::id.eq_any(ended))).execute(tx.conn)
}

/// Makes sure that the public half of a key is a row.
pub fn add_public_key(tx: &mut Tx<'_>, key: &PublicKey) -> Result<()> {
    let jwk = serde_json::to_string(key).map_err(Error::internal)?;
    let row = (
        signing_keys::kid.eq(&key.kid),
        signing_keys::jwk.eq(jwk),
        signing_keys::created_at.eq(tx.now),
    );
    on_backend!(&mut *tx.conn, |c| diesel::insert_into(signing_keys::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

/// The public keys of every instance, the newest first.
pub fn public_keys(conn: &mut DbConn) -> Result<Vec<PublicKey>> {
    let rows: Vec<String> = signing_keys::table
        .order((signing_keys::created_at.desc(), signing_keys::kid))
        .select(signing_keys::jwk)
        .load(conn)?;
    rows.iter()
        .map(|jwk| serde_json::from_str(jwk).map_err(Error::internal))
        .collect()
}
