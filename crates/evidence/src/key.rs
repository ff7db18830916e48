//! Keys that sign: Ed25519 (RFC 8032), and their files.

use alloc::string::String;
use core::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::Signer as _;
use nonevent_document::{Digest, Document, Limits, to_yaml};
use serde::{Deserialize, Serialize};

use crate::VerifyingKey;
use crate::error::{EvidenceError, EvidenceErrorKind};

/// A key that signs, with a label that says what it is worth, such as `DEMO: not trusted`.
#[derive(Clone)]
pub struct SigningKey {
    key: ed25519_dalek::SigningKey,
    label: String,
}

/// What a signing key looks like in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyFile {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    label: String,
    /// For people; it is computed from the seed.
    id: Option<Digest>,
    /// 32 bytes in base64.
    seed: String,
}

impl SigningKey {
    /// The key of a seed: 32 bytes from a source that nobody can guess. The seed is the key, keep
    /// it as such.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        SigningKey {
            key: ed25519_dalek::SigningKey::from_bytes(&seed),
            label: String::new(),
        }
    }

    /// The same key with a label.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// What the key is worth, in its owner's words; may be empty.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The public half.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey::of_ed25519(self.key.verifying_key())
    }

    /// The SHA-256 of the public key's 32 bytes.
    #[must_use]
    pub fn id(&self) -> Digest {
        self.verifying_key().id()
    }

    /// The 64 bytes of the signature of `message`.
    #[must_use]
    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.key.sign(message).to_bytes()
    }

    /// The text of a key file, in YAML. It holds the seed: only its owner may read the file.
    #[must_use]
    pub fn to_key_file(&self) -> String {
        let file = KeyFile {
            api_version: String::from("nonevent/v1"),
            kind: String::from("SigningKey"),
            label: self.label.clone(),
            id: Some(self.id()),
            seed: BASE64_STANDARD.encode(self.key.to_bytes()),
        };
        to_yaml(&file).expect("five texts can always be written")
    }

    /// Reads a key file.
    ///
    /// # Errors
    ///
    /// A file that is not a key file, or whose id is not that of its seed. The text says where,
    /// and never shows the seed.
    pub fn from_key_file(name: &str, bytes: &[u8]) -> Result<Self, EvidenceError> {
        let refused = |text: &str| {
            EvidenceError::new(EvidenceErrorKind::Key, alloc::format!("{name}: {text}"))
        };
        let what = alloc::format!("{name} is not a key file");
        let file: KeyFile = Document::parse(name, bytes, &Limits::default())
            .and_then(|document| document.decode())
            .map_err(|findings| {
                EvidenceError::from_findings(EvidenceErrorKind::Key, &what, &findings)
            })?;
        if file.api_version != "nonevent/v1" || file.kind != "SigningKey" {
            return Err(refused(
                "expected apiVersion nonevent/v1 and kind SigningKey",
            ));
        }
        let seed = BASE64_STANDARD
            .decode(file.seed.as_bytes())
            .unwrap_or_default();
        let seed: [u8; 32] = seed
            .try_into()
            .map_err(|_| refused("the seed is not the base64 of 32 bytes"))?;
        let key = SigningKey::from_seed(seed).with_label(file.label);
        match file.id {
            Some(id) if id != key.id() => Err(refused("the id is not that of the seed")),
            _ => Ok(key),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, {:?})", self.id().short(), self.label)
    }
}
