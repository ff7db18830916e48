//! Signed evidence: of a kind, about the right thing, by the right key, young enough, and saying
//! what it must.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{CLOCK_SKEW_MS, Threshold};

use crate::checks::source::{Source, age_in_words, listed};
use crate::checks::structured::Condition;
use crate::evaluate::Sight;
use crate::outcome::{Input, Unmet};
use crate::policy::Side;
use crate::predicate::{PredicateKind, favours, file_of, page_of, shape_of};
use crate::statement;
use crate::witness::Witness;

/// What evidence must be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SubjectKind {
    Plan,
    Shape,
    Runbook,
    Artifact,
    Commit,
    /// A file of the tree, as it stands.
    File(Source),
}

/// Whose signature counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Signers {
    /// Any key that the trust policy lets say this.
    Policy,
    /// Of those, only these key ids.
    Listed(Vec<Digest>),
}

/// Asks for evidence. Of several statements that fit, the newest decides: an older pass does not
/// outweigh a newer failure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EvidenceCheck {
    pub(crate) predicate: PredicateKind,
    /// The statement must be about all of these.
    pub(crate) subjects: Vec<SubjectKind>,
    pub(crate) signers: Signers,
    /// How many of them must have signed one statement; those of one person are one.
    pub(crate) signers_min: u32,
    pub(crate) max_age_ms: i64,
    /// Tells which statements are meant.
    pub(crate) which: Vec<Condition>,
    /// What the newest of them must say, besides what its kind always must.
    pub(crate) require: Vec<Condition>,
    /// For a gate verdict: which gate's.
    pub(crate) gate: Option<GateName>,
}

/// A gate of a phase of one very policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GateName {
    pub(crate) policy: Digest,
    pub(crate) phase: String,
    /// Which of the phase's gates will do.
    pub(crate) sides: [Side; 2],
}

impl EvidenceCheck {
    /// Any statement of a kind that is in favour.
    pub(crate) const fn of(
        predicate: PredicateKind,
        signers: Signers,
        max_age_ms: i64,
    ) -> EvidenceCheck {
        EvidenceCheck {
            predicate,
            subjects: Vec::new(),
            signers,
            signers_min: 1,
            max_age_ms,
            which: Vec::new(),
            require: Vec::new(),
            gate: None,
        }
    }

    /// The same, for the exit verdict of `phase`.
    pub(crate) fn for_gate(&self, policy: Digest, phase: &str) -> EvidenceCheck {
        EvidenceCheck {
            gate: Some(GateName {
                policy,
                phase: phase.to_owned(),
                sides: [Side::Exit, Side::Both],
            }),
            ..self.clone()
        }
    }

    pub(crate) fn asked(&self) -> String {
        let mut asked = format!("signed evidence of {}", self.predicate);
        if let Some(gate) = &self.gate {
            asked.push_str(&format!(" for {} by this policy", gate.phase));
        }
        let subjects: Vec<String> = self.subjects.iter().map(SubjectKind::in_words).collect();
        asked.push_str(&format!(" about {}", subjects.join(" and ")));
        if let Signers::Listed(ids) = &self.signers {
            let ids_in_words = listed(ids.iter().map(Digest::short), ids.len());
            asked.push_str(&format!(", by key {ids_in_words}"));
        }
        if self.signers_min > 1 {
            asked.push_str(&format!(", signed by at least {} people", self.signers_min));
        }
        for condition in &self.which {
            asked.push_str(&format!(", whose {}", condition.asked()));
        }
        let always = self.predicate.must_say();
        asked.push_str(&format!(", that says {always}"));
        for condition in &self.require {
            asked.push_str(&format!(", {}", condition.asked()));
        }
        asked.push_str(&format!(
            ", no older than {}",
            age_in_words(self.max_age_ms)
        ));
        asked
    }

    pub(crate) fn evaluate(&self, sight: &Sight<'_>) -> Result<(String, Vec<Input>), Unmet> {
        let Found { fitting, others } = self.find(sight)?;
        let Some(newest) = fitting.iter().map(|witness| witness.at).max() else {
            return Err(Unmet::fail(nothing(&others)));
        };
        self.is_fresh(newest, sight.context.now)
            .map_err(|why| Unmet::fail(format!("the newest is {why}")))?;
        let deciding = fitting.iter().filter(|witness| witness.at == newest);
        let mut found = Vec::new();
        let mut inputs = Vec::new();
        for witness in deciding {
            let (figure, input) = self.says(witness, sight.context.now)?;
            found.push(figure);
            inputs.push(input);
        }
        Ok((found.join("; "), inputs))
    }

    /// The statements that are meant, about the right things, signed by whose word counts.
    pub(super) fn find<'s>(&self, sight: &'s Sight<'_>) -> Result<Found<'s>, Unmet> {
        let subjects = self.wanted_subjects(sight)?;
        let mut fitting: Vec<&Witness> = Vec::new();
        let mut others: Vec<String> = Vec::new();
        let kind = self.predicate;
        let judged = match &self.signers {
            Signers::Policy => sight.witnesses.by_policy(),
            Signers::Listed(ids) => sight.witnesses.by_listed(ids),
        };
        let of_kind = judged.accepted.iter().filter(|w| w.kind == kind);
        for witness in of_kind.filter(|witness| self.is_meant(witness)) {
            match self.missing_subject(witness, &subjects) {
                None if self.is_of_another_shape(witness, sight) => {
                    let short = witness.digest.short();
                    others.push(format!("{short} gives this plan another shape"));
                }
                None => fitting.push(witness),
                Some(subject) => {
                    let short = witness.digest.short();
                    others.push(format!("{short} is not about {}", subject.in_words()));
                }
            }
        }
        for refused in judged.refused.iter().filter(|r| r.kind == Some(kind)) {
            others.push(format!("{} {}", refused.digest.short(), refused.why));
        }
        Ok(Found { fitting, others })
    }

    fn wanted_subjects(&self, sight: &Sight<'_>) -> Result<Vec<Digest>, Unmet> {
        let mut subjects = Vec::new();
        for subject in &self.subjects {
            let known = match subject {
                SubjectKind::Plan => sight.context.plan,
                SubjectKind::Shape => sight.context.shape,
                SubjectKind::Runbook => sight.context.runbook,
                SubjectKind::Artifact => sight.context.artifact,
                SubjectKind::Commit => sight.context.commit,
                SubjectKind::File(source) => Some(source.digest(sight.tree)?),
            };
            subjects.push(known.ok_or_else(|| {
                Unmet::unknown(format!("the digest of {} is not known", subject.in_words()))
            })?);
        }
        Ok(subjects)
    }

    /// Whether the criterion is about statements such as this.
    fn is_meant(&self, witness: &Witness) -> bool {
        let selected = |condition: &Condition| condition.test(&witness.fields).is_ok();
        self.which.iter().all(selected) && self.is_of_gate(witness)
    }

    fn is_of_gate(&self, witness: &Witness) -> bool {
        match &self.gate {
            None => true,
            Some(gate) => statement::is_verdict_of(witness.predicate(), gate),
        }
    }

    /// The subject that the statement is not about, if there is one.
    fn missing_subject(&self, witness: &Witness, digests: &[Digest]) -> Option<&SubjectKind> {
        let pairs = self.subjects.iter().zip(digests);
        let mut missing = pairs.filter(|(kind, digest)| !is_about(witness, kind, digest));
        missing.next().map(|(kind, _)| kind)
    }

    /// A plan has one shape.
    fn is_of_another_shape(&self, witness: &Witness, sight: &Sight<'_>) -> bool {
        let same_plan = witness.predicate().plan().is_some()
            && witness.predicate().plan() == sight.context.plan;
        match (shape_of(witness.predicate()), sight.context.shape) {
            (Some(said), Some(known)) => same_plan && said != known,
            _ => false,
        }
    }

    /// Whether what is dated `at` is young enough; if not, what it is.
    pub(super) fn is_fresh(&self, at: Timestamp, now: Timestamp) -> Result<(), String> {
        let age_ms = now.ms_since(at);
        if age_ms < -CLOCK_SKEW_MS {
            return Err(format!("dated {at}, which is still to come"));
        }
        if age_ms > self.max_age_ms {
            return Err(format!("{} old, of {at}", age_in_words(age_ms)));
        }
        Ok(())
    }

    fn says(&self, witness: &Witness, now: Timestamp) -> Result<(String, Input), Unmet> {
        let name = format!("{} {}", self.predicate, witness.digest.short());
        if let Err(why) = favours(witness.predicate()) {
            return Err(Unmet::fail(format!("{name} says {why}")));
        }
        let threshold = Threshold {
            needed: self.signers_min as usize,
        };
        if !threshold.is_met(&witness.signers) {
            return Err(Unmet::fail(format!(
                "{name} is signed by {} of {}",
                Threshold::count(&witness.signers),
                self.signers_min
            )));
        }
        let mut figures = Vec::new();
        for condition in &self.require {
            match condition.test(&witness.fields) {
                Ok(figure) => figures.push(figure),
                Err(figure) => return Err(Unmet::fail(format!("{name}: {figure}"))),
            }
        }
        figures.push(format!(
            "by {}, {} old",
            witness.signer_in_words(),
            age_in_words(now.ms_since(witness.at))
        ));
        let input = Input {
            name: self.predicate.to_string(),
            digest: witness.digest,
        };
        Ok((format!("{name}: {}", figures.join(", ")), input))
    }
}

/// Whether `witness` speaks of `digest`. What a predicate itself names comes before the list of
/// subjects: a statement about two plans proves only the one that its predicate names.
fn is_about(witness: &Witness, kind: &SubjectKind, digest: &Digest) -> bool {
    let named = match kind {
        SubjectKind::Plan => witness.predicate().plan(),
        SubjectKind::Shape => shape_of(witness.predicate()),
        SubjectKind::Runbook => page_of(witness.predicate()),
        // A file that a predicate names is a subject too.
        SubjectKind::File(_) if !witness.statement.is_about(digest) => return false,
        SubjectKind::File(_) => file_of(witness.predicate()),
        SubjectKind::Artifact | SubjectKind::Commit => None,
    };
    match named {
        Some(named) => named == *digest,
        None => witness.statement.is_about(digest),
    }
}

/// Statements, and why others do not count.
pub(super) struct Found<'w> {
    pub(super) fitting: Vec<&'w Witness>,
    pub(super) others: Vec<String>,
}

impl SubjectKind {
    pub(super) fn in_words(&self) -> String {
        match self {
            SubjectKind::Plan => "this plan".to_owned(),
            SubjectKind::Shape => "a plan of this shape".to_owned(),
            SubjectKind::Runbook => "this runbook".to_owned(),
            SubjectKind::Artifact => "this artifact".to_owned(),
            SubjectKind::Commit => "this commit".to_owned(),
            SubjectKind::File(source) => format!("{} as it stands", source.glob),
        }
    }
}

fn nothing(others: &[String]) -> String {
    if others.is_empty() {
        "no such evidence".to_owned()
    } else {
        let reasons = listed(others.iter().cloned(), others.len());
        format!("no evidence that counts: {reasons}")
    }
}
