//! Queries of accounts.

use diesel::prelude::*;

use super::model::{NewUser, UserChanges};
use crate::auth::email;
use crate::auth::model::User;
use crate::auth::store::{end_sessions, has_user};
use crate::auth::viewer::Role;
use crate::db::schema::users;
use crate::db::violation::breaks_unique;
use crate::db::{DbConn, Tx, columns};
use crate::error::{Code, Error, Result};

pub use crate::auth::store::find_user;

/// What one transaction at a time may do: whatever could take the last admin away, or make the first.
const ONE_AT_A_TIME: &str = "users";

/// Up to `limit` accounts in the order of their ids, after one of them.
pub fn list_users(conn: &mut DbConn, after: i64, limit: i64) -> QueryResult<Vec<User>> {
    users::table
        .filter(users::id.gt(after))
        .order(users::id)
        .limit(limit)
        .select(User::as_select())
        .load(conn)
}

/// Makes an account that was checked; 409 `email_taken` where another has the e-mail address.
pub fn insert_user(tx: &mut Tx<'_>, new: &NewUser, password_hash: &str) -> Result<User> {
    diesel::insert_into(users::table)
        .values((
            users::email.eq(email::trimmed(&new.email)),
            users::email_key.eq(email::key_of(&new.email)),
            users::name.eq(&new.name),
            users::role.eq(new.role),
            users::password_hash.eq(password_hash),
            users::active.eq(true),
            users::created_at.eq(tx.now),
        ))
        .returning(columns::<User>())
        .get_result(tx.conn)
        .map_err(email_taken)
}

/// Makes the first account; nothing if there is one by now.
pub fn insert_first_user(tx: &mut Tx<'_>, new: &NewUser, password_hash: &str) -> Result<Option<User>> {
    tx.lock_name(ONE_AT_A_TIME)?;
    if has_user(tx.conn)? {
        return Ok(None);
    }
    insert_user(tx, new, password_hash).map(Some)
}

/// Changes an account; 404 if there is none, 409 `email_taken` or `last_admin`.
pub fn update_user(tx: &mut Tx<'_>, id: i64, changes: &UserChanges) -> Result<User> {
    if changes.takes_admin_away() {
        keep_one_admin(tx, id)?;
    }
    if !changes.is_empty() {
        diesel::update(users::table.find(id))
            .set(changes)
            .execute(tx.conn)
            .map_err(email_taken)?;
    }
    if changes.ends_sessions() {
        end_sessions(tx, id, None)?;
    }
    Ok(users::table.find(id).select(User::as_select()).get_result(tx.conn)?)
}

/// Deletes an account with its sign-ins; what it wrote stays. 404 if there is none, 409 `last_admin`.
pub fn delete_user(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    keep_one_admin(tx, id)?;
    match diesel::delete(users::table.find(id)).execute(tx.conn)? {
        0 => Err(Error::not_found()),
        _ => Ok(()),
    }
}

/// 409 if the account is the last admin who may sign in. Until the commit nobody else takes an admin away.
fn keep_one_admin(tx: &mut Tx<'_>, id: i64) -> Result<()> {
    tx.lock_name(ONE_AT_A_TIME)?;
    let admins: Vec<i64> = users::table
        .filter(users::role.eq(Role::Admin))
        .filter(users::active.eq(true))
        .select(users::id)
        .load(tx.conn)?;
    if admins == [id] {
        return Err(Error::new(Code::LastAdmin));
    }
    Ok(())
}

fn email_taken(error: diesel::result::Error) -> Error {
    if breaks_unique(&error, "users", "email_key") {
        Error::at_field(Code::EmailTaken, "/email", "belongs to another account")
    } else {
        error.into()
    }
}

/// A name for who gave none: what stands before the `@`.
pub fn name_from_email(email: &str) -> String {
    let name = email::trimmed(email).split(['@', '＠']).next().unwrap_or_default();
    name.chars().take(100).collect()
}
