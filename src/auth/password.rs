//! Passwords: the rule for new ones, and Argon2id.
//!
//! Parameters are those that OWASP recommends first (Password Storage Cheat Sheet): 19 MiB, two passes, one lane. A hash
//! takes some 20 ms and those 19 MiB, so only a few are made at a time; who finds no turn in time is told to come again.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use rand_core::OsRng;
use tokio::sync::Semaphore;

use crate::error::{Error, Result};
use crate::web::body::Checks;

/// Fewest characters of a password.
pub const SHORTEST: usize = 10;

/// Most characters of a password.
pub const LONGEST: usize = 200;

/// Hashes at the same time.
const AT_ONCE: usize = 2;

/// How long to wait for a turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// Of no password. Verified where there is no account, so that an answer takes as long as it does for one.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5J3Mgc2FsdA$bm9ib2R5IGhhcyB0aGlzIHBhc3N3b3JkLCBldmVyLiE";

/// Whether it is neither too short nor too long. There is no other rule: every character counts, and is kept as it is.
pub fn is_acceptable(password: &str) -> bool {
    !is_too_long(password) && password.chars().count() >= SHORTEST
}

fn is_too_long(password: &str) -> bool {
    // Bytes first: what is megabytes long is not counted.
    password.len() > 4 * LONGEST || password.chars().count() > LONGEST
}

/// Notes what is wrong with a new password.
pub fn check(checks: &mut Checks, pointer: &str, password: &str) {
    if !is_acceptable(password) {
        checks.wrong(pointer, format!("must have {SHORTEST} to {LONGEST} characters"));
    }
}

/// Hashes and verifies, off the threads that serve, a few at a time.
pub struct Passwords {
    turns: Arc<Semaphore>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// All turns free.
    pub fn new() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// The hash of a password, with a salt of its own (PHC string). 503 if no turn comes in time.
    pub async fn hash(&self, password: String) -> Result<String> {
        self.in_turn(move || {
            let salt = SaltString::generate(&mut OsRng);
            let hash = argon2()?.hash_password(password.as_bytes(), &salt);
            hash.map(|hash| hash.to_string()).map_err(Error::internal)
        })
        .await
    }

    /// Whether it is the password of that hash; of no hash, after the same time, it is not. 503 if no turn comes in time.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool> {
        // No account has such a password; hashing megabytes would only cost time.
        let (password, hash) = if is_too_long(&password) {
            (String::new(), None)
        } else {
            (password, hash)
        };
        self.in_turn(move || {
            let parsed = PasswordHash::new(hash.as_deref().unwrap_or(NOBODY)).map_err(Error::internal)?;
            match argon2()?.verify_password(password.as_bytes(), &parsed) {
                Ok(()) => Ok(hash.is_some()),
                Err(argon2::password_hash::Error::Password) => Ok(false),
                Err(error) => Err(Error::internal(error)),
            }
        })
        .await
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn
            .map_err(|_elapsed| Error::unavailable("too many passwords are being hashed"))?
            .map_err(Error::internal)?;
        tokio::task::spawn_blocking(move || {
            // Given back by the work, not by the caller, who may go while it runs.
            let _turn = turn;
            work()
        })
        .await
        .map_err(Error::internal)?
    }
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(19_456, 2, 1, None).map_err(Error::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters() {
        assert!(is_acceptable("一二三四五六七八九十"));
        assert!(!is_acceptable("一二三四五六七八九"));
        assert!(is_acceptable(&"言".repeat(LONGEST)));
        assert!(!is_acceptable(&"言".repeat(LONGEST + 1)));
        assert!(!is_acceptable(&"a".repeat(10 << 20)));
    }

    #[actix_web::test]
    async fn a_password_is_known_again_to_its_last_byte() {
        let passwords = Passwords::new();
        let long = format!("{}ß 🔑\0", "密".repeat(90));
        let hash = passwords.hash(long.clone()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify(long.clone(), Some(hash.clone())).await.unwrap());
        for other in [long.trim_end_matches('\0'), long.get(..72).unwrap(), ""] {
            let same = passwords.verify(other.to_owned(), Some(hash.clone())).await.unwrap();
            assert!(!same, "{other}");
        }
        assert_ne!(hash, passwords.hash(long).await.unwrap());
    }

    #[actix_web::test]
    async fn nobody_is_verified_at_the_same_cost_and_never_right() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let params = Params::try_from(&nobody).unwrap();
        assert_eq!((params.m_cost(), params.t_cost(), params.p_cost()), (19_456, 2, 1));
        assert_eq!(nobody.hash.unwrap().len(), 32);
        assert!(!Passwords::new().verify("nobody".to_owned(), None).await.unwrap());
    }

    #[actix_web::test]
    async fn too_long_a_password_is_always_wrong() {
        let passwords = Passwords::new();
        let endless = "a".repeat(3 << 20);
        let hash = argon2()
            .unwrap()
            .hash_password(endless.as_bytes(), &SaltString::generate(&mut OsRng))
            .unwrap()
            .to_string();
        assert!(!passwords.verify(endless, Some(hash)).await.unwrap());
    }
}
