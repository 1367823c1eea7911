//! Secrets that are random enough to be their own proof: refresh tokens and API keys.
//!
//! Only their digests are stored. A plain SHA-256 is right for 256 random bits: there is nothing to guess that a slow
//! hash would make slower, and it is computed with each request.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_core::{OsRng, RngCore};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// What API keys begin with, so that people and scanners know them when they see one.
pub const API_KEY_MARK: &str = "bsk_";

/// 256 random bits, as 43 characters of base64url.
pub fn random() -> Result<String> {
    let mut bytes = [0; 32];
    OsRng.try_fill_bytes(&mut bytes).map_err(Error::internal)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What is stored of a secret.
pub fn digest(secret: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_and_never_the_same() {
        let (one, other) = (random().unwrap(), random().unwrap());
        assert_eq!((one.len(), other.len()), (43, 43));
        assert_ne!(one, other);
        assert_eq!(digest(&one), digest(&one));
        assert_ne!(digest(&one), one);
    }
}
