//! Envelopes to carry elsewhere: an in-toto bundle, as JSON Lines.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, Document, canonical_json};
use serde::{Deserialize, Serialize};

use crate::envelope::envelope_limits;
use crate::error::{EvidenceError, EvidenceErrorKind};
use crate::{Envelope, Signature};

/// The most bytes of a bundle that are read.
const BYTES_MAX: usize = 256 << 20;

/// Envelopes, each once, in an order of no meaning.
///
/// As text it is in-toto's bundle (Attestation Bundle v1): one envelope on each line. Beside the
/// fields of DSSE a line of ours has `digest`, the envelope's [digest](Envelope::digest), so that
/// damage shows before anybody looks at signatures; bundles of other tools lack it. No trust policy
/// is in it: whom to believe is for the reader to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bundle {
    envelopes: Vec<Envelope>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LineOut<'a> {
    digest: Digest,
    payload: &'a str,
    payload_type: &'a str,
    signatures: &'a [Signature],
}

/// A foreign format: unknown fields are left aside.
#[derive(Deserialize)]
struct DigestIn {
    digest: Option<Digest>,
}

impl Bundle {
    /// A bundle of these envelopes; those that come twice are in it once.
    ///
    /// # Errors
    ///
    /// None that can happen; see [`Envelope::digest`].
    pub fn of(envelopes: impl IntoIterator<Item = Envelope>) -> Result<Self, EvidenceError> {
        let mut known = BTreeSet::new();
        let mut bundle = Bundle::default();
        for envelope in envelopes {
            if known.insert(envelope.digest()?) {
                bundle.envelopes.push(envelope);
            }
        }
        Ok(bundle)
    }

    /// The envelopes. Nothing in a bundle says that their signatures are good.
    #[must_use]
    pub fn envelopes(&self) -> &[Envelope] {
        &self.envelopes
    }

    /// The text, one line for each envelope.
    ///
    /// # Errors
    ///
    /// None that can happen; see [`Envelope::digest`].
    pub fn to_json_lines(&self) -> Result<String, EvidenceError> {
        let mut text = String::new();
        for envelope in &self.envelopes {
            text += &canonical_json(&LineOut {
                digest: envelope.digest()?,
                payload: &envelope.payload,
                payload_type: &envelope.payload_type,
                signatures: &envelope.signatures,
            })?;
            text.push('\n');
        }
        Ok(text)
    }

    /// Reads a bundle; empty lines are left aside, and envelopes that come twice are in it once.
    ///
    /// # Errors
    ///
    /// [`EvidenceErrorKind::Bundle`], with the number of the line from 1: a line that is not an
    /// envelope, or has another digest than is written on it. More than 256 MiB.
    pub fn from_json_lines(bytes: &[u8]) -> Result<Self, EvidenceError> {
        let refused = |text: String| EvidenceError::new(EvidenceErrorKind::Bundle, text);
        if bytes.len() > BYTES_MAX {
            let text = format!("the bundle is larger than {BYTES_MAX} bytes");
            return Err(refused(text));
        }
        let mut known = BTreeSet::new();
        let mut bundle = Bundle::default();
        for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
            let number = index + 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            let at_line = |error: EvidenceError| refused(format!("line {number}: {error}"));
            let envelope = Envelope::from_json(line).map_err(at_line)?;
            let digest = envelope.digest()?;
            let written = Document::parse("envelope.json", line, &envelope_limits())
                .and_then(|document| document.decode::<DigestIn>())
                .map_err(|findings| {
                    let what = format!("line {number}");
                    EvidenceError::from_findings(EvidenceErrorKind::Bundle, &what, &findings)
                })?;
            if written.digest.is_some_and(|written| written != digest) {
                let text = format!(
                    "line {number}: the envelope was changed; its digest is not the one on the line"
                );
                return Err(refused(text));
            }
            if known.insert(digest) {
                bundle.envelopes.push(envelope);
            }
        }
        Ok(bundle)
    }
}
