//! DSSE envelopes (Dead Simple Signing Envelope v1): a payload, its type, and signatures over both.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use nonevent_document::{Digest, Document, Limits, Timestamp, digest_of};
use serde::{Deserialize, Serialize};

use crate::error::{EvidenceError, EvidenceErrorKind};
use crate::statement::limits;
use crate::{SigningKey, Statement, TrustPolicy, TrustedKey};

/// The payload type of in-toto statements.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// More signatures than this are not looked at.
const SIGNATURES_MAX: usize = 16;

/// A signed payload. As JSON it is a DSSE envelope; fields it does not know are left aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// What the payload is; signed together with it.
    pub payload_type: String,
    /// The payload in base64, standard or URL alphabet.
    pub payload: String,
    /// Who signed.
    pub signatures: Vec<Signature>,
}

/// One signature of an envelope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Which key, as a hint: it is not signed, and may be empty.
    #[serde(default)]
    pub keyid: String,
    /// The signature in base64, standard or URL alphabet.
    pub sig: String,
}

/// What a signature was found good for.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// What the envelope says.
    pub statement: Statement,
    /// The predicate type that the key may sign.
    pub predicate_type: String,
    /// The key that signed.
    pub key_id: Digest,
    /// What the trust policy calls the key.
    pub label: String,
    /// Whose key it is, by the trust policy.
    pub person: Option<String>,
    /// In which roles that person may speak with it, by the trust policy.
    pub roles: Vec<String>,
    /// The digest of the envelope's canonical JSON, by which a gate names its inputs.
    pub envelope: Digest,
}

/// DSSE's pre-authentication encoding: what is signed. Lengths are in bytes, so that no payload
/// can pass for another type.
fn pre_authentication(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    out.extend_from_slice(payload);
    out
}

/// What the JSON of an envelope may hold.
pub(crate) fn envelope_limits() -> Limits {
    Limits {
        bytes_max: 8 << 20,
        ..limits()
    }
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let standard = BASE64_STANDARD.decode(text);
    standard.or_else(|_| BASE64_URL_SAFE.decode(text)).ok()
}

impl Envelope {
    /// Signs a statement.
    ///
    /// # Errors
    ///
    /// A statement that cannot be written; see [`Statement::to_json`].
    pub fn sign(statement: &Statement, key: &SigningKey) -> Result<Self, EvidenceError> {
        let payload = statement.to_json()?;
        let mut envelope = Envelope {
            payload_type: String::from(PAYLOAD_TYPE),
            payload: BASE64_STANDARD.encode(payload.as_bytes()),
            signatures: Vec::new(),
        };
        envelope.add_signature(key)?;
        Ok(envelope)
    }

    /// Adds a signature by another key.
    ///
    /// # Errors
    ///
    /// A payload that is not base64.
    pub fn add_signature(&mut self, key: &SigningKey) -> Result<(), EvidenceError> {
        let message = pre_authentication(&self.payload_type, &self.payload_bytes()?);
        self.signatures.push(Signature {
            keyid: key.id().to_string(),
            sig: BASE64_STANDARD.encode(key.sign(&message)),
        });
        Ok(())
    }

    /// The envelope's JSON, on one line with a line break.
    #[must_use]
    pub fn to_json(&self) -> String {
        let json = nonevent_document::canonical_json(self);
        json.expect("an envelope holds nothing but text") + "\n"
    }

    /// Reads an envelope. What it holds is not verified.
    ///
    /// # Errors
    ///
    /// What is not the JSON of an envelope, or larger than 8 MiB.
    pub fn from_json(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let document = Document::parse("envelope.json", bytes, &envelope_limits());
        let envelope = document.and_then(|document| document.decode());
        envelope.map_err(|findings| {
            let what = "this is not a DSSE envelope";
            EvidenceError::from_findings(EvidenceErrorKind::Envelope, what, &findings)
        })
    }

    /// The digest of its canonical JSON.
    ///
    /// # Errors
    ///
    /// None that can happen; see [`digest_of`].
    pub fn digest(&self) -> Result<Digest, EvidenceError> {
        Ok(digest_of(self)?)
    }

    fn payload_bytes(&self) -> Result<Vec<u8>, EvidenceError> {
        decode_base64(&self.payload).ok_or_else(|| {
            let text = "the envelope's payload is not base64";
            EvidenceError::new(EvidenceErrorKind::Envelope, text)
        })
    }

    /// The statement, without looking at any signature: for showing, never for deciding.
    ///
    /// # Errors
    ///
    /// As [`Statement::from_json`], and a payload of another type.
    pub fn unverified_statement(&self) -> Result<Statement, EvidenceError> {
        if self.payload_type != PAYLOAD_TYPE {
            let text = format!("the payload is not of type {PAYLOAD_TYPE}");
            return Err(EvidenceError::new(EvidenceErrorKind::PayloadType, text));
        }
        Statement::from_json(&self.payload_bytes()?)
    }

    /// What the envelope says, if a key of the policy that may say so has signed it: the first of
    /// [`Envelope::verify_all`].
    ///
    /// # Errors
    ///
    /// As [`Envelope::verify_all`].
    pub fn verify(&self, policy: &TrustPolicy, now: Timestamp) -> Result<Verified, EvidenceError> {
        let mut verified = self.verify_all(policy, now)?.into_iter();
        Ok(verified.next().expect("without one there is an error"))
    }

    /// What the envelope says, once for each key of the policy that may say so and has signed it, in
    /// the order of the signatures.
    ///
    /// Every signature is tried; those that are not good count for nothing. A key is trusted at
    /// `now` and at the time that the statement claims, or not at all.
    ///
    /// # Errors
    ///
    /// If no signature is good, what was wrong with the one that came furthest:
    /// [`UnknownKey`](EvidenceErrorKind::UnknownKey),
    /// [`BadSignature`](EvidenceErrorKind::BadSignature),
    /// [`NotAllowed`](EvidenceErrorKind::NotAllowed), [`KeyTime`](EvidenceErrorKind::KeyTime).
    /// Before that, what is no envelope; the payload is read only after a signature has matched.
    pub fn verify_all(
        &self,
        policy: &TrustPolicy,
        now: Timestamp,
    ) -> Result<Vec<Verified>, EvidenceError> {
        if self.signatures.is_empty() || self.signatures.len() > SIGNATURES_MAX {
            let text = format!(
                "the envelope has {} signatures; 1 to {SIGNATURES_MAX} are accepted",
                self.signatures.len()
            );
            return Err(EvidenceError::new(EvidenceErrorKind::Signatures, text));
        }
        let message = pre_authentication(&self.payload_type, &self.payload_bytes()?);
        let mut signers: Vec<&TrustedKey> = Vec::new();
        let mut bad = None;
        for signature in &self.signatures {
            match signer(signature, &message, policy) {
                Ok(trusted) if signers.iter().any(|known| known.key == trusted.key) => {}
                Ok(trusted) => signers.push(trusted),
                Err(error) => bad = furthest(bad, error),
            }
        }
        if signers.is_empty() {
            return Err(bad.expect("there is a signature, and each gives a signer or an error"));
        }
        let statement = self.unverified_statement()?;
        let envelope = self.digest()?;
        let mut verified = Vec::new();
        let mut refused = None;
        for trusted in signers {
            match permitted(trusted, &statement, now) {
                Ok(()) => verified.push(Verified {
                    predicate_type: String::from(statement.predicate.predicate_type()),
                    statement: statement.clone(),
                    key_id: trusted.key.id(),
                    label: trusted.label.clone(),
                    person: trusted.person.clone(),
                    roles: trusted.roles.clone(),
                    envelope,
                }),
                Err(error) => refused = furthest(refused, error),
            }
        }
        if verified.is_empty() {
            return Err(
                refused.expect("there is a signer, and each is permitted or gives an error")
            );
        }
        Ok(verified)
    }
}

/// How many signers it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Threshold {
    /// So many.
    pub needed: usize,
}

impl Threshold {
    /// How many signers there are: distinct keys, those of one person once.
    #[must_use]
    pub fn count(verified: &[Verified]) -> usize {
        let mut people: Vec<&str> = Vec::new();
        let mut keys: Vec<Digest> = Vec::new();
        for signer in verified {
            match signer.person.as_deref() {
                Some(person) if people.contains(&person) => {}
                _ if keys.contains(&signer.key_id) => {}
                person => {
                    people.extend(person);
                    keys.push(signer.key_id);
                }
            }
        }
        keys.len()
    }

    /// Whether there are enough of them. A threshold of none is never met.
    #[must_use]
    pub fn is_met(self, verified: &[Verified]) -> bool {
        self.needed > 0 && Threshold::count(verified) >= self.needed
    }
}

/// The error of the signature that came further.
fn furthest(before: Option<EvidenceError>, error: EvidenceError) -> Option<EvidenceError> {
    let rank = |error: &EvidenceError| match error.kind() {
        EvidenceErrorKind::UnknownKey => 0,
        EvidenceErrorKind::BadSignature => 1,
        EvidenceErrorKind::NotAllowed => 2,
        _ => 3,
    };
    match before {
        Some(before) if rank(&before) >= rank(&error) => Some(before),
        _ => Some(error),
    }
}

/// The key of the policy that made the signature. The id in it is a hint, and not signed: if it is
/// that of a key of the policy, this key has made the signature or nobody has.
fn signer<'p>(
    signature: &Signature,
    message: &[u8],
    policy: &'p TrustPolicy,
) -> Result<&'p TrustedKey, EvidenceError> {
    let bytes = decode_base64(&signature.sig).unwrap_or_default();
    let named = signature.keyid.parse().ok().and_then(|id| policy.key(&id));
    if let Some(trusted) = named {
        if trusted.key.verifies(message, &bytes) {
            return Ok(trusted);
        }
        let text = format!(
            "the signature by {} does not match: the payload or the signature was changed",
            shown(trusted)
        );
        return Err(EvidenceError::new(EvidenceErrorKind::BadSignature, text));
    }
    // Other tools have other ids for our keys, or give none: then every key is tried.
    let mut keys = policy.keys().iter();
    keys.find(|trusted| trusted.key.verifies(message, &bytes))
        .ok_or_else(|| {
            let shown: String = signature.keyid.chars().take(80).collect();
            let text = if shown.is_empty() {
                String::from("no key of the trust policy made the signature, which names none")
            } else {
                format!("the key {shown} is not in the trust policy")
            };
            EvidenceError::new(EvidenceErrorKind::UnknownKey, text)
        })
}

fn shown(trusted: &TrustedKey) -> String {
    format!("key {} ({})", trusted.key.id().short(), trusted.label)
}

fn permitted(
    trusted: &TrustedKey,
    statement: &Statement,
    now: Timestamp,
) -> Result<(), EvidenceError> {
    let uri = statement.predicate.predicate_type();
    if !trusted.may.iter().any(|may| may == uri) {
        let text = format!("{} is not trusted to sign {uri}", shown(trusted));
        return Err(EvidenceError::new(EvidenceErrorKind::NotAllowed, text));
    }
    speaks_for(trusted, statement)?;
    if let Some(revoked) = trusted.revoked
        && (revoked.compromised || statement.predicate.at().is_none_or(|at| at >= revoked.at))
    {
        let how = if revoked.compromised {
            " as compromised"
        } else {
            ""
        };
        let text = format!("{} was revoked{how} at {}", shown(trusted), revoked.at);
        return Err(EvidenceError::new(EvidenceErrorKind::KeyTime, text));
    }
    for (at, what) in [
        (Some(now), "now"),
        (statement.predicate.at(), "when it signed"),
    ] {
        let Some(at) = at.filter(|at| !trusted.is_trusted_at(*at)) else {
            continue;
        };
        let text = format!("{} was not trusted {what}, at {at}", shown(trusted));
        return Err(EvidenceError::new(EvidenceErrorKind::KeyTime, text));
    }
    Ok(())
}

/// What a person says is signed with that person's key, in a role of theirs.
fn speaks_for(trusted: &TrustedKey, statement: &Statement) -> Result<(), EvidenceError> {
    let refused = |text| Err(EvidenceError::new(EvidenceErrorKind::NotAllowed, text));
    let (predicate, key) = (&statement.predicate, shown(trusted));
    let Some(person) = predicate.person() else {
        return Ok(());
    };
    match &trusted.person {
        Some(holder) if holder == person => {}
        Some(_) => return refused(format!("{key} is another person's than who speaks")),
        None => return refused(format!("{key} is no person's by the trust policy")),
    }
    match predicate.role() {
        Some(role) if !trusted.roles.iter().any(|allowed| allowed == role) => {
            let shown: String = role.chars().take(80).collect();
            refused(format!("{key} may not speak in the role {shown}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the DSSE protocol's text.
    #[test]
    fn pre_authentication_encoding() {
        let encoded = pre_authentication("http://example.com/HelloWorld", b"hello world");
        let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(encoded, expected);
        assert_eq!(
            pre_authentication("\u{e9}", b""),
            "DSSEv1 2 \u{e9} 0 ".as_bytes()
        );
    }
}
