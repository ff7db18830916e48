//! Ed25519 keys (RFC 8032). A key's id is the SHA-256 of its 32 public bytes.

use alloc::string::{String, ToString};
use core::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::Signer as _;
use nonevent_document::{Digest, Document, Limits, to_yaml};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
        VerifyingKey(self.key.verifying_key())
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

/// A key that verifies. Written as the base64 of its 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// From the 32 bytes of RFC 8032.
    ///
    /// # Errors
    ///
    /// Bytes that are no point of the curve, or one of the few weak points for which a signature
    /// proves nothing.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, EvidenceError> {
        match ed25519_dalek::VerifyingKey::from_bytes(bytes) {
            Ok(key) if !key.is_weak() => Ok(VerifyingKey(key)),
            Ok(_) => Err(EvidenceError::new(
                EvidenceErrorKind::Key,
                "the public key is weak",
            )),
            Err(_) => Err(EvidenceError::new(
                EvidenceErrorKind::Key,
                "the public key is not a point of the curve",
            )),
        }
    }

    /// From the base64 of the 32 bytes.
    ///
    /// # Errors
    ///
    /// As [`VerifyingKey::from_bytes`], and a text that is not the base64 of 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, EvidenceError> {
        let bytes = BASE64_STANDARD.decode(text).unwrap_or_default();
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| {
            let text = "the public key is not the base64 of 32 bytes";
            EvidenceError::new(EvidenceErrorKind::Key, text)
        })?;
        Self::from_bytes(&bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The SHA-256 of the 32 bytes: the key id of envelopes and trust policies.
    #[must_use]
    pub fn id(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// Whether `signature` is this key's over `message`, by the strict rules (no malleable or
    /// small-order signatures).
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        ed25519_dalek::Signature::from_slice(signature)
            .is_ok_and(|signature| self.0.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(self.to_bytes()))
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({self})")
    }
}

impl Serialize for VerifyingKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

impl<'de> Deserialize<'de> for VerifyingKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = alloc::borrow::Cow::<str>::deserialize(deserializer)?;
        Self::from_base64(&text).map_err(serde::de::Error::custom)
    }
}
