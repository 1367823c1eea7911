//! API keys as stored, shown and changed.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::viewer::Scope;
use crate::db::Timestamp;
use crate::db::schema::api_keys;
use crate::error::Result;
use crate::web::Patch;
use crate::web::body::Checks;

/// Longest name, in characters.
const LONGEST_NAME: usize = 100;

/// An API key, without what opens.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = api_keys)]
pub struct ApiKey {
    /// Its id, never used again.
    #[schema(example = 1, minimum = 1)]
    pub id: i64,
    /// What it is for.
    #[schema(example = "小程序", max_length = 100)]
    pub name: String,
    /// What may be done with it.
    pub scope: Scope,
    /// How it begins, to know it by.
    #[schema(example = "bsk_Yk1s5sWc", pattern = "^bsk_[A-Za-z0-9_-]{8}$")]
    pub prefix: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; null for never.
    #[schema(required)]
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute; null for never.
    #[schema(required)]
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked; null while it is not.
    #[schema(required)]
    pub revoked_at: Option<Timestamp>,
}

/// An API key as it was made: the only answer with what opens.
#[derive(Serialize, ToSchema)]
pub struct CreatedApiKey {
    /// The key as it will be listed.
    #[serde(flatten)]
    pub api_key: ApiKey,
    /// The key itself, for `Authorization: Bearer`. It is not stored and cannot be shown again.
    #[schema(
        example = "bsk_Yk1s5sWc0R1b9m3XJ2u7fD6tQ8vA4zN0pLhE5gKiTxo",
        pattern = "^bsk_[A-Za-z0-9_-]{43}$"
    )]
    pub key: String,
}

/// An API key to be made.
#[derive(Deserialize, ToSchema)]
pub struct NewApiKey {
    /// What it is for.
    #[schema(example = "小程序", max_length = 100, format = "line")]
    pub name: String,
    /// What it may do.
    pub scope: Scope,
    /// When it ends; absent or null for never.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

impl NewApiKey {
    /// Checks every field; 422 with all that is wrong.
    pub fn check(&self, now: Timestamp) -> Result<()> {
        let mut checks = Checks::default();
        checks.line("/name", &self.name, LONGEST_NAME);
        if let Some(end) = self.expires_at {
            in_future(&mut checks, end, now);
        }
        checks.finish()
    }
}

/// A change of an API key. What is absent stays.
#[derive(Deserialize, ToSchema)]
pub struct ApiKeyPatch {
    /// What it is for; cannot be cleared.
    #[serde(default)]
    #[schema(value_type = String, example = "小程序", max_length = 100, format = "line")]
    pub name: Patch<String>,
    /// When it ends; null for never.
    #[serde(default)]
    #[schema(value_type = Option<Timestamp>)]
    pub expires_at: Patch<Timestamp>,
    /// `true` revokes it for good: there is no way back, so `false` is refused.
    #[serde(default)]
    #[schema(value_type = bool, example = true)]
    pub revoked: Patch<bool>,
}

/// An [`ApiKeyPatch`] as columns, and whether it revokes.
pub struct ApiKeyChanges {
    pub(super) columns: ApiKeyColumns,
    pub(super) revoke: bool,
}

#[derive(AsChangeset)]
#[diesel(table_name = api_keys)]
pub(super) struct ApiKeyColumns {
    name: Option<String>,
    expires_at: Option<Option<Timestamp>>,
}

impl ApiKeyPatch {
    /// Checks every field; 422 with all that is wrong.
    pub fn check(self, now: Timestamp) -> Result<ApiKeyChanges> {
        let mut checks = Checks::default();
        match &self.name {
            Patch::Null => checks.wrong("/name", "must not be null"),
            Patch::Value(name) => checks.line("/name", name, LONGEST_NAME),
            Patch::Absent => {}
        }
        if let Patch::Value(end) = &self.expires_at {
            in_future(&mut checks, *end, now);
        }
        if matches!(self.revoked, Patch::Null | Patch::Value(false)) {
            checks.wrong("/revoked", "must be true: a revoked key cannot be taken back");
        }
        checks.finish()?;
        Ok(ApiKeyChanges {
            columns: ApiKeyColumns {
                name: self.name.value(),
                expires_at: self.expires_at.change(),
            },
            revoke: self.revoked.is_given(),
        })
    }
}

impl ApiKeyColumns {
    /// Whether nothing is to be changed, which the database would refuse as an update.
    pub(super) fn is_empty(&self) -> bool {
        self.name.is_none() && self.expires_at.is_none()
    }
}

fn in_future(checks: &mut Checks, end: Timestamp, now: Timestamp) {
    if end <= now {
        checks.wrong("/expires_at", "must lie in the future; to end a key now, revoke it");
    }
}
