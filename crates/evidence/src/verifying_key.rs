//! Keys that verify: Ed25519 (RFC 8032), and ECDSA over P-256 with SHA-256 (FIPS 186-5).

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use nonevent_document::Digest;
use p256::ecdsa::signature::Verifier as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{EvidenceError, EvidenceErrorKind};

/// What comes before the 32 bytes of an Ed25519 key in its `SubjectPublicKeyInfo` (RFC 8410).
const ED25519_SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// What comes before the 65 bytes of an uncompressed point of P-256 in its `SubjectPublicKeyInfo`
/// (RFC 5480): a key on the curve `1.2.840.10045.3.1.7`.
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";

/// How a key signs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyAlgorithm {
    /// Ed25519; signatures have 64 bytes. We sign with these only.
    #[default]
    #[serde(rename = "ed25519")]
    Ed25519,
    /// ECDSA over P-256 with SHA-256; signatures are in DER. Others sign with these.
    #[serde(rename = "ecdsa-p256")]
    EcdsaP256,
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyAlgorithm::Ed25519 => "ed25519",
            KeyAlgorithm::EcdsaP256 => "ecdsa-p256",
        })
    }
}

/// A key that verifies.
///
/// As text an Ed25519 key is the base64 of its 32 bytes, and a P-256 key that of its
/// `SubjectPublicKeyInfo` in DER: what stands between the first and the last line of its PEM.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct VerifyingKey(Inner);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inner {
    Ed25519(ed25519_dalek::VerifyingKey),
    EcdsaP256(p256::ecdsa::VerifyingKey),
}

fn refused(text: impl Into<String>) -> EvidenceError {
    EvidenceError::new(EvidenceErrorKind::Key, text)
}

impl VerifyingKey {
    pub(crate) fn of_ed25519(key: ed25519_dalek::VerifyingKey) -> Self {
        VerifyingKey(Inner::Ed25519(key))
    }

    /// From the 32 bytes of RFC 8032.
    ///
    /// # Errors
    ///
    /// Bytes that are no point of the curve, or one of the few weak points for which a signature
    /// proves nothing.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, EvidenceError> {
        match ed25519_dalek::VerifyingKey::from_bytes(bytes) {
            Ok(key) if !key.is_weak() => Ok(VerifyingKey::of_ed25519(key)),
            Ok(_) => Err(refused("the public key is weak")),
            Err(_) => Err(refused("the public key is not a point of the curve")),
        }
    }

    /// From a `SubjectPublicKeyInfo` in DER, as [`VerifyingKey::to_spki_der`] writes it.
    ///
    /// # Errors
    ///
    /// A key of another algorithm or curve; a point that is compressed, or not on its curve.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, EvidenceError> {
        if let Some(bytes) = der.strip_prefix(&ED25519_SPKI) {
            let bytes = bytes.try_into();
            return Self::from_bytes(bytes.map_err(|_| refused("the public key is cut off"))?);
        }
        let Some(point) = der.strip_prefix(&P256_SPKI) else {
            let text = "the public key is neither an Ed25519 key nor an uncompressed P-256 key; \
                        `openssl pkey -pubin -pubout` writes such a one";
            return Err(refused(text));
        };
        match p256::ecdsa::VerifyingKey::from_sec1_bytes(point) {
            Ok(key) if point.len() == 65 => Ok(VerifyingKey(Inner::EcdsaP256(key))),
            _ => Err(refused("the public key is not a point of the curve")),
        }
    }

    /// From the PEM of a `SubjectPublicKeyInfo` (`BEGIN PUBLIC KEY`), and nothing beside it.
    ///
    /// # Errors
    ///
    /// As [`VerifyingKey::from_spki_der`], and what is not such a PEM.
    pub fn from_pem(text: &str) -> Result<Self, EvidenceError> {
        let inner = text.trim().strip_prefix(PEM_BEGIN);
        let inner = inner.and_then(|rest| rest.strip_suffix(PEM_END));
        let base64: Option<String> = inner.map(|it| it.split_ascii_whitespace().collect());
        let der = base64.and_then(|base64| BASE64_STANDARD.decode(base64).ok());
        let text = "this is not one public key in PEM; it begins with `-----BEGIN PUBLIC KEY-----`";
        Self::from_spki_der(&der.ok_or_else(|| refused(text))?)
    }

    /// From the base64 of the 32 bytes of Ed25519, or of a `SubjectPublicKeyInfo` in DER.
    ///
    /// # Errors
    ///
    /// As [`VerifyingKey::from_bytes`] and [`VerifyingKey::from_spki_der`].
    pub fn from_base64(text: &str) -> Result<Self, EvidenceError> {
        let bytes = BASE64_STANDARD.decode(text).unwrap_or_default();
        match <&[u8; 32]>::try_from(bytes.as_slice()) {
            Ok(bytes) => Self::from_bytes(bytes),
            Err(_) if bytes.first() == Some(&0x30) => Self::from_spki_der(&bytes),
            Err(_) => Err(refused(
                "the public key is neither the base64 of 32 bytes (Ed25519) nor that of a \
                 SubjectPublicKeyInfo",
            )),
        }
    }

    /// How it signs.
    #[must_use]
    pub fn algorithm(&self) -> KeyAlgorithm {
        match self.0 {
            Inner::Ed25519(_) => KeyAlgorithm::Ed25519,
            Inner::EcdsaP256(_) => KeyAlgorithm::EcdsaP256,
        }
    }

    /// Its `SubjectPublicKeyInfo` in DER: 44 bytes for Ed25519, 91 for P-256.
    #[must_use]
    pub fn to_spki_der(&self) -> Vec<u8> {
        match &self.0 {
            Inner::Ed25519(key) => [ED25519_SPKI.as_slice(), key.as_bytes()].concat(),
            Inner::EcdsaP256(key) => {
                let point = key.to_sec1_point(false);
                [P256_SPKI.as_slice(), point.as_bytes()].concat()
            }
        }
    }

    /// The PEM of its `SubjectPublicKeyInfo`, which other tools read.
    #[must_use]
    pub fn to_pem(&self) -> String {
        let base64 = BASE64_STANDARD.encode(self.to_spki_der());
        let mut pem = String::from(PEM_BEGIN);
        for (at, character) in base64.chars().enumerate() {
            if at % 64 == 0 {
                pem.push('\n');
            }
            pem.push(character);
        }
        pem + "\n" + PEM_END + "\n"
    }

    /// The key id of envelopes and trust policies: the SHA-256 of the 32 bytes of an Ed25519 key, or
    /// of the [`SubjectPublicKeyInfo`](VerifyingKey::to_spki_der) of a P-256 key.
    ///
    /// Other tools have other ids for the same key. That does no harm: the id in a signature is a
    /// hint.
    #[must_use]
    pub fn id(&self) -> Digest {
        match &self.0 {
            Inner::Ed25519(key) => Digest::of(key.as_bytes()),
            Inner::EcdsaP256(_) => Digest::of(&self.to_spki_der()),
        }
    }

    /// Whether `signature` is this key's over `message`. Ed25519 goes by the strict rules (no
    /// malleable or small-order signatures). ECDSA's are taken in DER, with a high or a low `s`, as
    /// the tools that make them do not agree on one.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Inner::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
            Inner::EcdsaP256(key) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| key.verify(message, &signature).is_ok()),
        }
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match &self.0 {
            Inner::Ed25519(key) => BASE64_STANDARD.encode(key.as_bytes()),
            Inner::EcdsaP256(_) => BASE64_STANDARD.encode(self.to_spki_der()),
        })
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
