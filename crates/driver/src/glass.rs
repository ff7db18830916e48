//! Breaking the glass: a named person has gates skipped, signs that, and it stays open until
//! somebody else has reviewed it.

use std::fs;
use std::path::{Path, PathBuf};

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{
    BreakGlass, BreakGlassReview, Envelope, Predicate, SigningKey, Statement, TrustPolicy,
};

use crate::error::{DriverError, DriverErrorKind};
use crate::state_dir::StateDir;

/// Where it is kept, whatever else is put away, in the state folder.
const FOLDER: &str = "break-glass";
/// Larger files than this are not read.
const BYTES_MAX: u64 = 4 << 20;

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

    /// Signs that the gates are skipped for a plan, and keeps it in the state folder.
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
        keep(state, "opened", &statement, (&self.key, &self.trust), at)
    }
}

/// Signs that somebody reviewed a broken glass, and keeps it beside it: the digest of the new
/// envelope.
///
/// # Errors
///
/// As for breaking it; and there is no such envelope, it holds something else, or the same person
/// reviews it.
pub fn review_glass(
    state: &StateDir,
    opened: &Path,
    (person, finding): (&str, &str),
    (key, trust): (&SigningKey, &TrustPolicy),
    at: Timestamp,
) -> Result<Digest, DriverError> {
    let shown = opened.display();
    let bytes = fs::read(opened).map_err(|error| refused(&format!("{shown}: {error}")))?;
    let read = Envelope::from_json(&bytes).and_then(|it| Ok((it.unverified_statement()?, it)));
    let (statement, envelope) = read.map_err(|error| refused(&format!("{shown}: {error}")))?;
    let Predicate::BreakGlass(broken) = &statement.predicate else {
        return Err(refused(&format!(
            "{shown} does not say that a gate was skipped"
        )));
    };
    if broken.person.trim().to_lowercase() == person.trim().to_lowercase() {
        return Err(refused("whoever broke the glass does not review it"));
    }
    if finding.trim().is_empty() {
        return Err(refused("a review says what was found"));
    }
    let digest = envelope
        .digest()
        .map_err(|error| refused(&error.to_string()))?;
    let predicate = BreakGlassReview {
        opened: digest,
        person: person.to_owned(),
        finding: finding.to_owned(),
        at,
    };
    let subject = statement.subjects.first().map_or(digest, |it| it.digest);
    let review = Statement::about("plan", subject, Predicate::BreakGlassReview(predicate));
    keep(state, "reviewed", &review, (key, trust), at)
}

/// The files in which a state folder keeps what was opened and reviewed, in order of their names.
#[must_use]
pub fn glass_files(state: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(state.join(FOLDER)) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| {
        let is_small = fs::metadata(path).is_ok_and(|it| it.is_file() && it.len() <= BYTES_MAX);
        is_small && path.extension().is_some_and(|it| it == "json")
    });
    paths.sort();
    paths
}

fn keep(
    state: &StateDir,
    name: &str,
    statement: &Statement,
    (key, trust): (&SigningKey, &TrustPolicy),
    at: Timestamp,
) -> Result<Digest, DriverError> {
    let envelope = Envelope::sign(statement, key).map_err(|error| refused(&error.to_string()))?;
    envelope
        .verify(trust, at)
        .map_err(|error| refused(&format!("the trust policy does not accept it: {error}")))?;
    let digest = envelope
        .digest()
        .map_err(|error| refused(&error.to_string()))?;
    let file = format!("{FOLDER}/{}-{name}.json", digest.short());
    state
        .write(&file, envelope.to_json().as_bytes())
        .map_err(|error| {
            let text = format!("{file} cannot be written: {error}");
            DriverError::new(DriverErrorKind::Storage, text)
        })?;
    Ok(digest)
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
        assert_eq!(glass_files(dir.path()), Vec::<PathBuf>::new());
        open(&glass(1, "no till")).expect("her own key");
        let [opened] = &glass_files(dir.path())[..] else {
            unreachable!("one was opened");
        };

        let review = |person, seed, finding| {
            let (key, trust) = (key(seed), trust());
            review_glass(&state, opened, (person, finding), (&key, &trust), NOW)
        };
        for (person, seed, finding, why) in [
            ("ada", 1, "fine", "does not review it"),
            ("Bob", 1, "fine", "another person's"),
            ("Bob", 2, " ", "says what was found"),
        ] {
            let error = review(person, seed, finding).expect_err(why).to_string();
            assert!(error.contains(why), "{error}");
        }
        review("Bob", 2, "it was right to").expect("another person");
        let files = glass_files(dir.path());
        assert_eq!(files.len(), 2);
        let reviewed = files
            .iter()
            .find(|path| *path != opened)
            .expect("the other");
        let (key, trust) = (key(2), trust());
        let again = review_glass(&state, reviewed, ("Bob", "x"), (&key, &trust), NOW);
        let error = again.expect_err("a review").to_string();
        assert!(
            error.contains("does not say that a gate was skipped"),
            "{error}"
        );
    }
}
