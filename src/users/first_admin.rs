//! The first admin, from the settings.

use super::model::NewUser;
use super::store;
use crate::auth::has_user;
use crate::auth::password::Passwords;
use crate::auth::viewer::Role;
use crate::config::Config;
use crate::db::Db;

/// Makes the admin that the settings name, while there is no user at all; says how to make one where they name none.
/// The error is one line for the operator. Of two instances that start at a time, one makes it.
pub async fn ensure_first_admin(config: &Config, db: &Db, passwords: &Passwords) -> Result<(), String> {
    let failed = |error| format!("cannot look for the first admin: {error}");
    let Some((email, password)) = &config.admin else {
        if !has_user(db).await.map_err(failed)? {
            log::warn!(
                "there is no user yet; make the first one: broadsheet user add --email you@example.com --role admin"
            );
        }
        return Ok(());
    };
    let new = NewUser {
        email: email.clone(),
        name: store::name_from_email(email),
        password: password.clone(),
        role: Role::Admin,
    };
    // Checked even where it is not used: a wrong setting is told when it is made, not when it is needed.
    if let Err(error) = new.check() {
        let what = error.errors.first().map_or_else(
            || error.to_string(),
            |first| match first.pointer.as_deref() {
                Some("#/password") => format!("BROADSHEET_ADMIN_PASSWORD {}", first.message),
                _ => format!("BROADSHEET_ADMIN_EMAIL {email:?} {}", first.message),
            },
        );
        return Err(what);
    }
    if has_user(db).await.map_err(failed)? {
        return Ok(());
    }
    let made = async {
        let hash = passwords.hash(new.password.clone()).await?;
        db.write(move |tx| store::insert_first_user(tx, &new, &hash)).await
    };
    match made.await {
        Ok(Some(user)) => {
            log::info!("the first admin is made: {}", user.email);
            Ok(())
        }
        Ok(None) => Ok(()),
        Err(error) => Err(format!("cannot make the first admin: {error}")),
    }
}
