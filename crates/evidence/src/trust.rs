//! Whose word counts, for what, and when.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{
    Code, Digest, Document, Finding, Findings, Limits, Timestamp, WriteError, to_yaml,
};
use serde::{Deserialize, Serialize};

use crate::{KeyAlgorithm, VerifyingKey};

const VERSION: Code = Code::new("NE7001");
const KEY_ID: Code = Code::new("NE7002");
const DOUBLE: Code = Code::new("NE7003");
const NOTHING: Code = Code::new("NE7004");
const TIME: Code = Code::new("NE7005");
const PERSON: Code = Code::new("NE7006");
const ROLE: Code = Code::new("NE7007");
const REVOKED: Code = Code::new("NE7008");
const ALGORITHM: Code = Code::new("NE7009");

/// A key and what it is trusted with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// The key.
    pub key: VerifyingKey,
    /// The predicate types it may sign, each in full; see [`predicate_type`](crate::predicate_type).
    pub may: Vec<String>,
    /// It is not trusted before this time.
    pub not_before: Option<Timestamp>,
    /// It is not trusted after this time.
    pub not_after: Option<Timestamp>,
    /// Whose it is, such as `release pipeline` or `DEMO: not trusted`.
    pub label: String,
    /// The person who holds it, such as `Ada Lovelace <ada@shop.example>`. Only a key of a person
    /// signs what a person says; see [`Predicate::person`](crate::Predicate::person).
    pub person: Option<String>,
    /// The roles in which that person may speak with it.
    pub roles: Vec<String>,
    /// Since when it is not to be believed any more, if so.
    pub revoked: Option<Revoked>,
}

/// A key that was taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revoked {
    /// Since when.
    pub at: Timestamp,
    /// Whether somebody else may have had it. Then nothing that it ever signed counts, since dates
    /// can be made up; otherwise what is dated before goes on counting.
    pub compromised: bool,
}

impl TrustedKey {
    /// A key that may sign these predicate types, always, under this label, and is no person's.
    #[must_use]
    pub fn new(key: VerifyingKey, may: Vec<String>, label: impl Into<String>) -> TrustedKey {
        TrustedKey {
            key,
            may,
            not_before: None,
            not_after: None,
            label: label.into(),
            person: None,
            roles: Vec::new(),
            revoked: None,
        }
    }

    /// The same key as this person's, in these roles.
    #[must_use]
    pub fn held_by(
        self,
        person: impl Into<String>,
        roles: impl IntoIterator<Item = impl Into<String>>,
    ) -> TrustedKey {
        TrustedKey {
            person: Some(person.into()),
            roles: roles.into_iter().map(Into::into).collect(),
            ..self
        }
    }

    /// Whether the time lies in the range in which the key is trusted.
    #[must_use]
    pub fn is_trusted_at(&self, at: Timestamp) -> bool {
        self.not_before.is_none_or(|start| at >= start)
            && self.not_after.is_none_or(|end| at <= end)
    }
}

/// The keys that count. Empty, it trusts nobody.
///
/// On disk:
///
/// ```yaml
/// apiVersion: nonevent/v1
/// kind: TrustPolicy
/// keys:
/// - id: sha256:3097…
///   algorithm: ed25519 # optional; or ecdsa-p256
///   public_key: 2152… # base64 of 32 bytes; for ecdsa-p256, of the SubjectPublicKeyInfo
///   may:
///   - urn:nonevent:predicate:proof:v1
///   not_before: 2026-01-01T00:00:00Z # optional
///   not_after: 2027-01-01T00:00:00Z # optional
///   label: release pipeline
///   person: Ada Lovelace <ada@shop.example> # optional
///   roles: [product-owner] # optional
///   revoked: { at: 2026-06-01T00:00:00Z, compromised: false } # optional
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustPolicy {
    keys: Vec<TrustedKey>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyWire {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    keys: Vec<KeyWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyWire {
    id: Digest,
    #[serde(default, skip_serializing_if = "is_usual")]
    algorithm: KeyAlgorithm,
    public_key: VerifyingKey,
    may: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_before: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    not_after: Option<Timestamp>,
    label: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    person: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    revoked: Option<Revoked>,
}

fn is_usual(algorithm: &KeyAlgorithm) -> bool {
    *algorithm == KeyAlgorithm::default()
}

impl TrustPolicy {
    /// A policy of these keys. Of two entries for one key, the first counts.
    #[must_use]
    pub fn new(keys: Vec<TrustedKey>) -> Self {
        TrustPolicy { keys }
    }

    /// The keys, as they were given.
    #[must_use]
    pub fn keys(&self) -> &[TrustedKey] {
        &self.keys
    }

    /// The key with this id.
    #[must_use]
    pub fn key(&self, id: &Digest) -> Option<&TrustedKey> {
        self.keys.iter().find(|trusted| trusted.key.id() == *id)
    }

    /// Reads a policy in YAML or JSON.
    ///
    /// # Errors
    ///
    /// All that is wrong with it: what cannot be read, another `apiVersion` or `kind` (`NE7001`),
    /// an id that is not its key's (`NE7002`), a key twice (`NE7003`), a key that may sign nothing
    /// (`NE7004`), a time range that is empty (`NE7005`), a person without a name (`NE7006`), roles
    /// that are empty, listed twice or nobody's (`NE7007`), a key that was revoked before it was
    /// trusted (`NE7008`), a key of another algorithm than is written (`NE7009`).
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, Findings> {
        let document = Document::parse(name, bytes, &Limits::default())?;
        let wire: PolicyWire = document.decode()?;
        let mut findings = Findings::new();
        let mut report = |code, path: String, message: &str, help: &str| {
            let finding = Finding::error(code, path, message, help);
            findings.push(document.resolve(finding));
        };
        for (field, found, wanted) in [
            ("apiVersion", &wire.api_version, "nonevent/v1"),
            ("kind", &wire.kind, "TrustPolicy"),
        ] {
            if found != wanted {
                let message = alloc::format!("{field} is not `{wanted}`");
                let help = alloc::format!("write `{field}: {wanted}`");
                report(VERSION, String::from(field), &message, &help);
            }
        }
        for index in 0..wire.keys.len() {
            check_key(&wire.keys, index, &mut report);
        }
        if !findings.is_empty() {
            return Err(findings);
        }
        let keys = wire.keys.into_iter().map(|key| TrustedKey {
            key: key.public_key,
            may: key.may,
            not_before: key.not_before,
            not_after: key.not_after,
            label: key.label,
            person: key.person,
            roles: key.roles,
            revoked: key.revoked,
        });
        Ok(TrustPolicy::new(keys.collect()))
    }

    /// The policy as YAML that [`TrustPolicy::parse`] reads.
    ///
    /// # Errors
    ///
    /// As [`to_yaml`]; it has no values that can fail.
    pub fn to_yaml(&self) -> Result<String, WriteError> {
        let keys = self.keys.iter().map(|trusted| KeyWire {
            id: trusted.key.id(),
            algorithm: trusted.key.algorithm(),
            public_key: trusted.key,
            may: trusted.may.clone(),
            not_before: trusted.not_before,
            not_after: trusted.not_after,
            label: trusted.label.clone(),
            person: trusted.person.clone(),
            roles: trusted.roles.clone(),
            revoked: trusted.revoked,
        });
        to_yaml(&PolicyWire {
            api_version: String::from("nonevent/v1"),
            kind: String::from("TrustPolicy"),
            keys: keys.collect(),
        })
    }
}

/// All that is wrong with the entry at `index`.
fn check_key(keys: &[KeyWire], index: usize, report: &mut impl FnMut(Code, String, &str, &str)) {
    let key = &keys[index];
    let path = |field: &str| alloc::format!("keys[{index}].{field}");
    let id = key.public_key.id();
    if key.id != id {
        let help = alloc::format!("the id of this public key is {id}; take care whose it is");
        report(
            KEY_ID,
            path("id"),
            "the id is not that of the public key",
            &help,
        );
    }
    if keys[..index]
        .iter()
        .any(|other| other.public_key == key.public_key)
    {
        let help = "keep one entry for each key";
        report(DOUBLE, path("public_key"), "the key is listed twice", help);
    }
    if key.may.is_empty() {
        let help = "list the predicate types it may sign, or remove the key";
        report(NOTHING, path("may"), "the key may sign nothing", help);
    }
    if let (Some(start), Some(end)) = (key.not_before, key.not_after)
        && end < start
    {
        let help = "put not_after later than not_before";
        report(TIME, path("not_after"), "the key is never trusted", help);
    }
    if key.person.as_ref().is_some_and(|it| it.trim().is_empty()) {
        let help = "write who holds it, or leave `person` out";
        report(PERSON, path("person"), "the person has no name", help);
    }
    if let Some(message) = roles_are_wrong(key) {
        let help = "list each role once, of a key that has a `person`";
        report(ROLE, path("roles"), message, help);
    }
    if let (Some(start), Some(revoked)) = (key.not_before, key.revoked)
        && revoked.at < start
    {
        let message = "the key was revoked before it was trusted";
        let help = "remove the key, or put `revoked.at` right";
        report(REVOKED, path("revoked"), message, help);
    }
    if key.algorithm != key.public_key.algorithm() {
        let help = alloc::format!("write `algorithm: {}`", key.public_key.algorithm());
        let message = "the public key is of another algorithm";
        report(ALGORITHM, path("algorithm"), message, &help);
    }
}

fn roles_are_wrong(key: &KeyWire) -> Option<&'static str> {
    if key.roles.iter().any(|role| role.trim().is_empty()) {
        Some("a role is empty")
    } else if (1..key.roles.len()).any(|at| key.roles[..at].contains(&key.roles[at])) {
        Some("a role is listed twice")
    } else if key.person.is_none() && !key.roles.is_empty() {
        Some("the roles are nobody's")
    } else {
        None
    }
}
