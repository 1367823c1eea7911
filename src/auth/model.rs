//! Accounts, and what signing in says and hears.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::viewer::Role;
use crate::db::Timestamp;
use crate::db::schema::users;

/// An account, which may sign in.
#[derive(Debug, Clone, Queryable, Selectable, Serialize, ToSchema)]
#[diesel(table_name = users)]
pub struct User {
    /// Its id, never used again.
    #[schema(example = 1, minimum = 1)]
    pub id: i64,
    /// What it signs in with, as it was written.
    #[schema(example = "li.ming@example.com", max_length = 254)]
    pub email: String,
    /// Whose account it is.
    #[schema(example = "黎明", max_length = 100)]
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Whether it may sign in.
    #[schema(example = true)]
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What an account is known by at sign-in.
pub struct Proof {
    /// Its id.
    pub id: i64,
    /// The hash of its password.
    pub password_hash: String,
    /// Whether it may sign in.
    pub active: bool,
}

/// Who wants to sign in.
#[derive(Deserialize, ToSchema)]
pub struct Login {
    /// The account's e-mail address; case and width do not matter.
    #[schema(example = "li.ming@example.com", max_length = 254)]
    pub email: String,
    /// The password of the account.
    #[schema(example = "correct horse battery staple", format = Password, max_length = 200)]
    pub password: String,
}

/// What gets the next pair of tokens.
#[derive(Deserialize, ToSchema)]
pub struct RefreshToken {
    /// The refresh token of the last answer.
    #[schema(example = "Yk1s5sWc0R1b9m3XJ2u7fD6tQ8vA4zN0pLhE5gKiTxo", max_length = 200)]
    pub refresh_token: String,
}

/// A pair of tokens, in the words of OAuth 2.0 (RFC 6749, 5.1).
#[derive(Serialize, ToSchema)]
pub struct Tokens {
    /// A JWT for `Authorization: Bearer`; do not look inside it.
    #[schema(
        example = "eyJ0eXAiOiJKV1QiLCJhbGciOiJFZERTQSIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        pattern = "^[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+){2}$"
    )]
    pub access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer", max_length = 50)]
    pub token_type: &'static str,
    /// Seconds that the access token is good for.
    #[schema(example = 900, minimum = 1)]
    pub expires_in: i64,
    /// Good once, for the next pair. Keep it as you keep a password.
    #[schema(
        example = "Yk1s5sWc0R1b9m3XJ2u7fD6tQ8vA4zN0pLhE5gKiTxo",
        pattern = "^[A-Za-z0-9_-]{43}$"
    )]
    pub refresh_token: String,
}

/// A change of one's own password.
#[derive(Deserialize, ToSchema)]
pub struct PasswordChange {
    /// The password until now.
    #[schema(example = "correct horse battery staple", format = Password, max_length = 200)]
    pub current_password: String,
    /// The password from now on; any characters, kept as they are.
    #[schema(example = "一二三四五六七八九十", format = Password, min_length = 10, max_length = 200)]
    pub new_password: String,
}

/// The public half of a key that signs access tokens (JWK, RFC 7517 and RFC 8037).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PublicKey {
    /// Kind of key: `OKP`.
    #[schema(example = "OKP", max_length = 50)]
    pub kty: String,
    /// Its curve: `Ed25519`.
    #[schema(example = "Ed25519", max_length = 50)]
    pub crv: String,
    /// What it is for: `sig`.
    #[serde(rename = "use")]
    #[schema(example = "sig", max_length = 50)]
    pub purpose: String,
    /// How it signs: `EdDSA`.
    #[schema(example = "EdDSA", max_length = 50)]
    pub alg: String,
    /// Its thumbprint (RFC 7638), which tokens name.
    #[schema(
        example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
        pattern = "^[A-Za-z0-9_-]{43}$"
    )]
    pub kid: String,
    /// The key, 32 bytes in base64url.
    #[schema(
        example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        pattern = "^[A-Za-z0-9_-]{43}$"
    )]
    pub x: String,
}

impl PublicKey {
    /// From its thumbprint and its bytes in base64url.
    pub fn ed25519(kid: String, x: String) -> Self {
        let text = str::to_owned;
        Self {
            kty: text("OKP"),
            crv: text("Ed25519"),
            purpose: text("sig"),
            alg: text("EdDSA"),
            kid,
            x,
        }
    }
}

/// The keys of every instance (JWK set, RFC 7517).
#[derive(Debug, Serialize, ToSchema)]
pub struct KeySet {
    /// One for each instance that signs, of those that stopped as well.
    pub keys: Vec<PublicKey>,
}
