//! What is said of accounts when they are made and changed.

use diesel::prelude::*;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::auth::viewer::Role;
use crate::auth::{email, password};
use crate::db::schema::users;
use crate::error::Result;
use crate::web::Patch;
use crate::web::body::Checks;

/// Longest name, in characters.
const LONGEST_NAME: usize = 100;

/// An account to be made.
#[derive(Deserialize, ToSchema)]
pub struct NewUser {
    /// What it signs in with; no two accounts have the same, whatever their case and width.
    #[schema(example = "li.ming@example.com", max_length = 254, pattern = r"^[^@\s]+@[^@\s]+$")]
    pub email: String,
    /// Whose account it is.
    #[schema(example = "黎明", max_length = 100, format = "line")]
    pub name: String,
    /// Any characters, kept as they are.
    #[schema(example = "correct horse battery staple", format = Password, min_length = 10, max_length = 200)]
    pub password: String,
    /// What it may do.
    pub role: Role,
}

impl NewUser {
    /// Checks every field; 422 with all that is wrong.
    pub fn check(&self) -> Result<()> {
        let mut checks = Checks::default();
        email::check(&mut checks, "/email", &self.email);
        checks.line("/name", &self.name, LONGEST_NAME);
        password::check(&mut checks, "/password", &self.password);
        checks.finish()
    }
}

/// A change of an account. What is absent stays; nothing can be cleared.
#[derive(Deserialize, ToSchema)]
pub struct UserPatch {
    /// What it signs in with.
    #[serde(default)]
    #[schema(value_type = String, example = "li.ming@example.com", max_length = 254, pattern = r"^[^@\s]+@[^@\s]+$")]
    pub email: Patch<String>,
    /// Whose account it is.
    #[serde(default)]
    #[schema(value_type = String, example = "黎明", max_length = 100, format = "line")]
    pub name: Patch<String>,
    /// What it may do, from the next request on.
    #[serde(default)]
    #[schema(value_type = Role)]
    pub role: Patch<Role>,
    /// Whether it may sign in; `false` ends its sign-ins.
    #[serde(default)]
    #[schema(value_type = bool, example = true)]
    pub active: Patch<bool>,
    /// A new password, which ends its sign-ins.
    #[serde(default)]
    #[schema(value_type = String, example = "correct horse battery staple", format = Password, min_length = 10, max_length = 200)]
    pub password: Patch<String>,
}

/// A [`UserPatch`] as columns.
#[derive(AsChangeset)]
#[diesel(table_name = users)]
pub struct UserChanges {
    pub(super) email: Option<String>,
    pub(super) email_key: Option<String>,
    pub(super) name: Option<String>,
    pub(super) role: Option<Role>,
    pub(super) active: Option<bool>,
    pub(super) password_hash: Option<String>,
}

impl UserPatch {
    /// Checks every field; 422 with all that is wrong. The columns come without the hash, and the new password beside
    /// them: hashing takes its time elsewhere.
    pub fn check(self) -> Result<(UserChanges, Option<String>)> {
        let mut checks = Checks::default();
        for (pointer, null) in [
            ("/email", matches!(self.email, Patch::Null)),
            ("/name", matches!(self.name, Patch::Null)),
            ("/role", matches!(self.role, Patch::Null)),
            ("/active", matches!(self.active, Patch::Null)),
            ("/password", matches!(self.password, Patch::Null)),
        ] {
            if null {
                checks.wrong(pointer, "must not be null");
            }
        }
        if let Patch::Value(text) = &self.email {
            email::check(&mut checks, "/email", text);
        }
        if let Patch::Value(name) = &self.name {
            checks.line("/name", name, LONGEST_NAME);
        }
        if let Patch::Value(text) = &self.password {
            password::check(&mut checks, "/password", text);
        }
        checks.finish()?;
        let written = self.email.value();
        let changes = UserChanges {
            email_key: written.as_deref().map(email::key_of),
            email: written.as_deref().map(|text| email::trimmed(text).to_owned()),
            name: self.name.value().map(|name| name.trim().to_owned()),
            role: self.role.value(),
            active: self.active.value(),
            password_hash: None,
        };
        Ok((changes, self.password.value()))
    }
}

impl UserChanges {
    /// Whether nothing is to be changed, which the database would refuse as an update.
    pub(super) fn is_empty(&self) -> bool {
        self.email.is_none()
            && self.name.is_none()
            && self.role.is_none()
            && self.active.is_none()
            && self.password_hash.is_none()
    }

    /// Whether whoever is signed in must sign in anew.
    pub(super) fn ends_sessions(&self) -> bool {
        self.active == Some(false) || self.password_hash.is_some()
    }

    /// Whether an active admin would be none any more.
    pub(super) fn takes_admin_away(&self) -> bool {
        self.active == Some(false) || self.role.is_some_and(|role| role != Role::Admin)
    }
}
