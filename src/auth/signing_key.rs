//! The private key of this instance: from a file that the settings name, or made once in the data folder.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey, KeypairBytes};
use jsonwebtoken::EncodingKey;
use rand_core::OsRng;
use sha2::{Digest, Sha256};

use super::model::PublicKey;
use crate::config::Config;

/// Name of the file in the data folder.
const FILE: &str = "signing-key.pem";

/// The key that signs, and how others know it.
pub(super) struct SigningPair {
    pub(super) private: EncodingKey,
    pub(super) public: PublicKey,
}

/// Reads the key, or makes it. The error is one line for the operator, and has nothing of the key in it.
pub(super) fn open(config: &Config) -> Result<SigningPair, String> {
    let key = match &config.signing_key {
        Some(path) => read(path)
            .map_err(|error| format!("cannot read {}: {error}", path.display()))?
            .map_err(|error| format!("BROADSHEET_SIGNING_KEY: {error}"))?,
        None => read_or_make(&config.data_dir.join(FILE))?,
    };
    pair(&key)
}

fn read(path: &Path) -> io::Result<Result<SigningKey, String>> {
    let text = fs::read_to_string(path)?;
    Ok(SigningKey::from_pkcs8_pem(&text)
        .map_err(|_error| format!("{} is no Ed25519 private key in PEM (PKCS#8)", path.display())))
}

fn read_or_make(path: &Path) -> Result<SigningKey, String> {
    let wrong = |error: io::Error| format!("cannot read {}: {error}", path.display());
    match read(path) {
        Ok(key) => key,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(path).map_err(|error| format!("cannot make {}: {error}", path.display()))?;
            // Two processes may have made one each; both go by the one that stands.
            read(path).map_err(wrong)?
        }
        Err(error) => Err(wrong(error)),
    }
}

/// Writes a new key where there is none: whole, for the owner's eyes, and never over another.
fn make(path: &Path) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // The first version of PKCS#8, without the public key: OpenSSL and others refuse the second one.
    let bytes = KeypairBytes {
        secret_key: SigningKey::generate(&mut OsRng).to_bytes(),
        public_key: None,
    };
    let pem = bytes.to_pkcs8_pem(LineEnding::LF).map_err(io::Error::other)?;
    // On Unix with mode 0600 from the beginning.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(pem.as_bytes())?;
    file.as_file().sync_all()?;
    match file.persist_noclobber(path) {
        Err(error) if error.error.kind() != io::ErrorKind::AlreadyExists => Err(error.error),
        _ => Ok(()),
    }
}

fn pair(key: &SigningKey) -> Result<SigningPair, String> {
    let bytes = KeypairBytes {
        secret_key: key.to_bytes(),
        public_key: None,
    };
    let der = bytes
        .to_pkcs8_der()
        .map_err(|error| format!("the signing key: {error}"))?;
    let x = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    // The thumbprint of RFC 7638 with the members of RFC 8037.
    let thumbprint = Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#));
    Ok(SigningPair {
        private: EncodingKey::from_ed_der(der.as_bytes()),
        public: PublicKey::ed25519(URL_SAFE_NO_PAD.encode(thumbprint), x),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data").join(FILE);
        let one = read_or_make(&path).unwrap();
        make(&path).unwrap();
        assert_eq!(read_or_make(&path).unwrap(), one);
        let pem = fs::read_to_string(&path).unwrap();
        assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"), "{}", pem.len());
        // 48 bytes of PKCS#8, version 1.
        assert_eq!(pem.lines().nth(1).unwrap().len(), 64);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn keys_are_read_in_either_version_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        let key = SigningKey::from_bytes(&[7; 32]);
        fs::write(&path, key.to_pkcs8_pem(LineEnding::LF).unwrap().as_bytes()).unwrap();
        assert_eq!(read_or_make(&path).unwrap(), key);
        fs::write(
            &path,
            "-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n",
        )
        .unwrap();
        let error = read_or_make(&path).unwrap_err();
        assert!(error.contains("key.pem") && !error.contains("secret"), "{error}");
    }

    #[test]
    fn the_thumbprint_is_that_of_the_standard() {
        // RFC 8037, appendix A.3.
        let secret = URL_SAFE_NO_PAD
            .decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
            .unwrap();
        let pair = pair(&SigningKey::from_bytes(&secret.try_into().unwrap())).unwrap();
        assert_eq!(pair.public.kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }
}
