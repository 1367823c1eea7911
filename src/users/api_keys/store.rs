//! Queries of API keys.

use diesel::prelude::*;

use super::model::{ApiKey, ApiKeyChanges, NewApiKey};
use crate::auth::secret;
use crate::db::schema::api_keys;
use crate::db::{DbConn, Tx, columns};
use crate::error::{Error, Result};

/// Characters of a key that are shown: enough to tell keys apart, and far from enough to guess the rest.
const SHOWN: usize = 12;

/// Up to `limit` keys in the order of their ids, after one of them.
pub fn list_api_keys(conn: &mut DbConn, after: i64, limit: i64) -> QueryResult<Vec<ApiKey>> {
    api_keys::table
        .filter(api_keys::id.gt(after))
        .order(api_keys::id)
        .limit(limit)
        .select(ApiKey::as_select())
        .load(conn)
}

/// The key of that id.
pub fn find_api_key(conn: &mut DbConn, id: i64) -> QueryResult<Option<ApiKey>> {
    api_keys::table
        .find(id)
        .select(ApiKey::as_select())
        .get_result(conn)
        .optional()
}

/// Keeps what there is to keep of a new key.
pub fn insert_api_key(tx: &mut Tx<'_>, new: &NewApiKey, key: &str) -> QueryResult<ApiKey> {
    diesel::insert_into(api_keys::table)
        .values((
            api_keys::name.eq(&new.name),
            api_keys::scope.eq(new.scope),
            api_keys::prefix.eq(key.get(..SHOWN).unwrap_or_default()),
            api_keys::digest.eq(secret::digest(key)),
            api_keys::created_at.eq(tx.now),
            api_keys::expires_at.eq(new.expires_at),
        ))
        .returning(columns::<ApiKey>())
        .get_result(tx.conn)
}

/// Changes a key; 404 if there is none. One that is revoked keeps the time at which it was.
pub fn update_api_key(tx: &mut Tx<'_>, id: i64, changes: &ApiKeyChanges) -> Result<ApiKey> {
    if !changes.columns.is_empty() {
        diesel::update(api_keys::table.find(id))
            .set(&changes.columns)
            .execute(tx.conn)?;
    }
    if changes.revoke {
        diesel::update(api_keys::table.find(id))
            .filter(api_keys::revoked_at.is_null())
            .set(api_keys::revoked_at.eq(tx.now))
            .execute(tx.conn)?;
    }
    find_api_key(tx.conn, id)?.ok_or_else(Error::not_found)
}

/// Deletes a key; 404 if there is none.
pub fn delete_api_key(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    match diesel::delete(api_keys::table.find(id)).execute(tx.conn)? {
        0 => Err(Error::not_found()),
        _ => Ok(()),
    }
}
