//! Breaking the glass: a named person has gates skipped, signs that, and it stays open until
//! somebody else has reviewed it.

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{
    BreakGlass, BreakGlassReview, Envelope, Predicate, SigningKey, Statement, TrustPolicy,
};

use crate::error::{DriverError, DriverErrorKind};
use crate::evidence_store::{EvidenceStore, digest_of, find_evidence, stored_evidence};
use crate::state_dir::StateDir;

/// Which gates are skipped, by whom and why.
#[derive(Clone, Debug)]
pub struct BreakingGlass {
    /// The gates, as `PHASE/entry` or `PHASE/exit`.
    pub gates: Vec<String>,
    /// Why it cannot wait.
    pub reason: String,
    /// Who, as the trust policy calls them.
    pub person: String,
    /// Their key.
    pub key: SigningKey,
    /// By which it must be theirs.
    pub trust: TrustPolicy,
}

impl BreakingGlass {
    /// Whether a gate is skipped.
    #[must_use]
    pub fn skips(&self, gate: &str) -> bool {
        self.gates.iter().any(|known| known == gate)
    }

    /// Signs that the gates are skipped for a plan, and keeps it in the state folder's store.
    ///
    /// # Errors
    ///
    /// No gate or no reason is named; the trust policy does not know the key as this person's, or
    /// does not let it say so; it cannot be kept.
    pub(crate) fn open(
        &self,
        state: &StateDir,
        (plan, environment): (Digest, &str),
        at: Timestamp,
    ) -> Result<Digest, DriverError> {
        if self.gates.is_empty() || self.reason.trim().is_empty() {
            let text = "to break the glass takes a reason and the names of the gates";
            return Err(refused(text));
        }
        let predicate = BreakGlass {
            reason: self.reason.clone(),
            person: self.person.clone(),
            gates: self.gates.clone(),
            plan: Some(plan),
            environment: Some(environment.to_owned()),
            at,
        };
        let statement = Statement::about("plan", plan, Predicate::BreakGlass(predicate));
        keep(state, &statement, (&self.key, &self.trust), at)
    }
}

/// Signs that somebody reviewed a broken glass, and keeps that in the store too: the digest of the new
/// envelope. `opened` is the digest of the envelope that says so, or its beginning.
///
/// # Errors
///
/// As for breaking it; and there is no such envelope, it says something else, or the same person
/// reviews it.
pub fn review_glass(
    state: &StateDir,
    opened: &str,
    (person, finding): (&str, &str),
    (key, trust): (&SigningKey, &TrustPolicy),
    at: Timestamp,
) -> Result<Digest, DriverError> {
    let store = stored_evidence(state.root())?;
    let stored = find_evidence(&store, opened)?;
    let Some(statement) = &stored.statement else {
        return Err(refused("that evidence cannot be read by this version"));
    };
    let Predicate::BreakGlass(broken) = &statement.predicate else {
        let short = stored.digest.short();
        return Err(refused(&format!(
            "{short} does not say that a gate was skipped"
        )));
    };
    if broken.person.trim().to_lowercase() == person.trim().to_lowercase() {
        return Err(refused("whoever broke the glass does not review it"));
    }
    if finding.trim().is_empty() {
        return Err(refused("a review says what was found"));
    }
    let predicate = BreakGlassReview {
        opened: stored.digest,
        person: person.to_owned(),
        finding: finding.to_owned(),
        at,
    };
    let review = Statement {
        subjects: statement.subjects.clone(),
        predicate: Predicate::BreakGlassReview(predicate),
    };
    keep(state, &review, (key, trust), at)
}

fn keep(
    state: &StateDir,
    statement: &Statement,
    (key, trust): (&SigningKey, &TrustPolicy),
    at: Timestamp,
) -> Result<Digest, DriverError> {
    let envelope = Envelope::sign(statement, key).map_err(|error| refused(&error.to_string()))?;
    envelope
        .verify(trust, at)
        .map_err(|error| refused(&format!("the trust policy does not accept it: {error}")))?;
    EvidenceStore::open(state)?.add(&envelope)?;
    digest_of(&envelope)
}

fn refused(text: &str) -> DriverError {
    DriverError::new(DriverErrorKind::Input, text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use nonevent_evidence::{TrustedKey, predicate_type};

    const NOW: Timestamp = Timestamp::from_unix_ms(1_770_000_000_000);

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_seed([seed; 32])
    }

    fn trust() -> TrustPolicy {
        let held = [("Ada", 1), ("Bob", 2)].map(|(person, seed)| {
            let may = predicate_type::ALL.map(String::from).to_vec();
            TrustedKey::new(key(seed).verifying_key(), may, person).held_by(person, [""; 0])
        });
        TrustPolicy::new(held.to_vec())
    }

    fn glass(seed: u8, reason: &str) -> BreakingGlass {
        BreakingGlass {
            gates: vec!["deployment/entry".to_owned()],
            reason: reason.to_owned(),
            person: "Ada".to_owned(),
            key: key(seed),
            trust: trust(),
        }
    }

    #[test]
    fn it_is_kept_and_reviewed_by_somebody_else() {
        let dir = tempfile::tempdir().expect("a folder");
        let state = StateDir::open(dir.path()).expect("a state folder");
        let open = |glass: &BreakingGlass| glass.open(&state, (Digest::of(b"plan"), "live"), NOW);
        for (glass, why) in [
            (glass(2, "no till"), "another person's"),
            (glass(3, "no till"), "not in the trust policy"),
            (glass(1, " "), "takes a reason"),
        ] {
            let error = open(&glass).expect_err(why).to_string();
            assert!(error.contains(why), "{error}");
        }
        let kept = || stored_evidence(dir.path()).expect("a store");
        assert!(kept().envelopes().is_empty());
        let opened = open(&glass(1, "no till")).expect("her own key").to_string();

        let review = |person, seed, finding| {
            let (key, trust) = (key(seed), trust());
            review_glass(&state, &opened, (person, finding), (&key, &trust), NOW)
        };
        for (person, seed, finding, why) in [
            ("ada", 1, "fine", "does not review it"),
            ("Bob", 1, "fine", "another person's"),
            ("Bob", 2, " ", "says what was found"),
        ] {
            let error = review(person, seed, finding).expect_err(why).to_string();
            assert!(error.contains(why), "{error}");
        }
        let reviewed = review("Bob", 2, "it was right to").expect("another person");
        assert_eq!(kept().envelopes().len(), 2);
        let (key, trust) = (key(2), trust());
        let again = reviewed.to_string();
        let again = review_glass(&state, &again, ("Bob", "x"), (&key, &trust), NOW);
        let error = again.expect_err("a review").to_string();
        assert!(
            error.contains("does not say that a gate was skipped"),
            "{error}"
        );
    }
}
