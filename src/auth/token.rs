//! Access tokens: JWTs signed with Ed25519 (RFC 7519, RFC 8037), and the keys that are believed.
//!
//! Each instance signs with a key of its own, and every instance believes all whose public halves are rows. A token says
//! who signed in and when it ends; what its account may do is read from the rows, never from the token.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::model::PublicKey;
use super::{signing_key, store};
use crate::config::Config;
use crate::db::{Db, Timestamp};
use crate::error::{Code, Error, Result};

/// Seconds that an access token is good for.
pub const LIFETIME: i64 = 15 * 60;

/// Who issues the tokens. Not the address of an instance: those behind one balancer may be known by several.
const ISSUER: &str = "broadsheet";

/// Whom the tokens are for.
const AUDIENCE: &str = "broadsheet";

/// Longer than any token that was issued.
const LONGEST: usize = 2048;

/// Time between two looks into the table for keys that are not known yet.
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

/// What a token says. A string where a number belongs fails here, before any claim is judged.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    sid: String,
    iat: i64,
    exp: i64,
    jti: String,
}

/// Whom a good token names. Whether they are still there, the rows tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bearer {
    /// The account.
    pub user: i64,
    /// The sign-in.
    pub session: i64,
}

/// The key that signs, and those that are believed.
pub struct Keys {
    kid: String,
    private: EncodingKey,
    known: RwLock<HashMap<String, DecodingKey>>,
    last_look: tokio::sync::Mutex<Option<Instant>>,
    validation: Validation,
}

impl Keys {
    /// Reads or makes the private key and makes sure that its public half is a row. The error is one line.
    pub async fn open(config: &Config, db: &Db) -> Result<Self, String> {
        let pair = signing_key::open(config)?;
        let row = pair.public.clone();
        db.write(move |tx| store::add_public_key(tx, &row))
            .await
            .map_err(|error| format!("cannot publish the signing key: {error}"))?;
        let keys = Self {
            kid: pair.public.kid,
            private: pair.private,
            known: RwLock::default(),
            last_look: tokio::sync::Mutex::new(None),
            validation: validation(),
        };
        keys.look(db)
            .await
            .map_err(|error| format!("cannot read the public keys: {error}"))?;
        Ok(keys)
    }

    /// An access token for the session, from now on for [`LIFETIME`] seconds.
    pub fn sign(&self, bearer: Bearer, now: Timestamp) -> Result<String> {
        let now = now.utc().timestamp();
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: bearer.user.to_string(),
            sid: bearer.session.to_string(),
            iat: now,
            exp: now + LIFETIME,
            jti: uuid::Uuid::new_v4().to_string(),
        };
        let header = Header {
            kid: Some(self.kid.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, &claims, &self.private).map_err(Error::internal)
    }

    /// Whom the token names, if one of the known keys made it and it has not ended; else 401 `invalid_token`.
    pub async fn verify(&self, db: &Db, token: &str) -> Result<Bearer> {
        if token.len() > LONGEST {
            return Err(invalid());
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_error| invalid())?;
        let kid = header
            .kid
            .filter(|kid| header.alg == Algorithm::EdDSA && is_thumbprint(kid));
        let kid = kid.ok_or_else(invalid)?;
        let key = match self.known(&kid) {
            Some(key) => key,
            None => self.find(db, &kid).await?,
        };
        let claims = jsonwebtoken::decode::<Claims>(token, &key, &self.validation)
            .map_err(|_error| invalid())?
            .claims;
        let id = |text: &str| text.parse().map_err(|_error| invalid());
        Ok(Bearer {
            user: id(&claims.sub)?,
            session: id(&claims.sid)?,
        })
    }

    fn known(&self, kid: &str) -> Option<DecodingKey> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(kid).cloned()
    }

    /// Looks for a key that is not known yet: another instance may just have been started. However many ask, the table
    /// is read once in [`BETWEEN_LOOKS`], and each waits for a look that began after it asked.
    async fn find(&self, db: &Db, kid: &str) -> Result<DecodingKey> {
        let asked = Instant::now();
        let mut last_look = self.last_look.lock().await;
        if last_look.is_none_or(|last| last < asked) {
            if let Some(last) = *last_look {
                tokio::time::sleep(BETWEEN_LOOKS.saturating_sub(last.elapsed())).await;
            }
            let begun = Instant::now();
            self.look(db).await?;
            *last_look = Some(begun);
        }
        self.known(kid).ok_or_else(invalid)
    }

    async fn look(&self, db: &Db) -> Result<()> {
        let rows = db.read(|read| store::public_keys(read.conn)).await?;
        let keys = rows
            .into_iter()
            .map(|row| Ok((row.kid.clone(), decoding_key(&row)?)))
            .collect::<Result<_>>()?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = keys;
        Ok(())
    }
}

fn invalid() -> Error {
    Error::new(Code::InvalidToken)
}

fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    // Clocks that differ shorten or lengthen a token by their difference; there is no moment that both must hit.
    validation.leeway = 0;
    validation
}

/// Other names of keys are never looked up.
fn is_thumbprint(kid: &str) -> bool {
    kid.len() == 43 && kid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn decoding_key(key: &PublicKey) -> Result<DecodingKey> {
    // Checked here, since the library takes the first 32 bytes of whatever it is given.
    let bytes = URL_SAFE_NO_PAD.decode(&key.x).map_err(Error::internal)?;
    let bytes: [u8; 32] = bytes
        .try_into()
        .map_err(|_bytes| Error::internal(format!("the public key {} has not 32 bytes", key.kid)))?;
    Ok(DecodingKey::from_ed_der(&bytes))
}
