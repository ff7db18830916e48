//! A runbook that people have signed, as what has to be there before anything is started.

use std::path::Path;

use nonevent_document::{Digest, Timestamp};
use nonevent_evidence::{Predicate, RunbookReview, TrustPolicy};
use nonevent_runbook::{Standing, Verified, parse, roles, verify};
use nonevent_strategy::Plan;

use crate::error::{DriverError, DriverErrorKind};
use crate::evidence_store::stored_evidence;

/// The reviews of runbooks in a state folder's evidence that were signed by whom they say, in a role
/// that is theirs by the trust policy. What is signed by nobody whom it trusts is passed over.
///
/// # Errors
/// The store cannot be read, or is damaged.
pub fn runbook_reviews(
    state: &Path,
    trust: &TrustPolicy,
    now: Timestamp,
) -> Result<Vec<RunbookReview>, DriverError> {
    let store = stored_evidence(state)?;
    let verified = store
        .envelopes()
        .iter()
        .filter_map(|it| it.envelope.verify(trust, now).ok());
    let reviews = verified.filter_map(|it| match it.statement.predicate {
        Predicate::RunbookReview(review) if review.at <= now => Some(review),
        _ => None,
    });
    Ok(reviews.collect())
}

/// A page, and who said what of it.
#[derive(Clone, Debug)]
pub struct SignedRunbook {
    /// What it is called, such as its path.
    pub name: String,
    /// Its text.
    pub page: String,
    /// The roles that must have signed it; none: all that it has a place for.
    pub roles: Vec<String>,
    /// What was said of runbooks, verified; see [`runbook_reviews`].
    pub reviews: Vec<RunbookReview>,
}

impl SignedRunbook {
    /// What each role's word is worth for this page and this plan.
    ///
    /// # Errors
    /// The page has errors, as findings; or it has no place for a signature, and no role is named.
    pub fn verify(&self, plan: &Plan, digest: Digest) -> Result<Vec<Verified>, DriverError> {
        let refused = |kind, text| DriverError::new(kind, text);
        let reviewed = parse(&self.page, plan)
            .map_err(|error| refused(DriverErrorKind::Input, error.to_string()))?;
        if let Some(named) = reviewed.digest_in_page.filter(|_| !reviewed.matches) {
            let text = format!(
                "{} is about plan {}, but plan {} will be run: bring it up to that with `nonevent \
                 runbook update`, and have it signed",
                self.name,
                named.short(),
                digest.short()
            );
            return Err(refused(DriverErrorKind::Findings, text));
        }
        if reviewed.findings.has_errors() {
            let found = reviewed.findings.render(&self.name, &self.page, false);
            let text = format!(
                "{found}\n{} is not a runbook of this plan as it stands",
                self.name
            );
            return Err(refused(DriverErrorKind::Findings, text));
        }
        // A place that was taken off the page is missed all the same.
        let taken_off = reviewed.removed.iter();
        let taken_off = taken_off.filter_map(|id| id.strip_prefix("sign-off/"));
        let asked: Vec<&str> = match self.roles.as_slice() {
            [] => roles(&reviewed).into_iter().chain(taken_off).collect(),
            named => named.iter().map(String::as_str).collect(),
        };
        if asked.is_empty() {
            let text = format!("{} has no place for a signature", self.name);
            return Err(refused(DriverErrorKind::Findings, text));
        }
        let reviews: Vec<&RunbookReview> = self.reviews.iter().collect();
        Ok(verify(
            &self.page,
            digest,
            &asked,
            &reviewed.sign_offs,
            &reviews,
        ))
    }

    /// Who signed the page as it is, each with the role.
    ///
    /// # Errors
    /// As [`SignedRunbook::verify`]; and if somebody is missing, who.
    pub fn signers(&self, plan: &Plan, digest: Digest) -> Result<Vec<String>, DriverError> {
        let verified = self.verify(plan, digest)?;
        let missing: Vec<String> = verified
            .iter()
            .filter(|it| !it.holds())
            .map(in_words)
            .collect();
        if missing.is_empty() {
            let by = |it: &Verified| Some(format!("{} ({})", it.person.as_ref()?, it.role));
            return Ok(verified.iter().filter_map(by).collect());
        }
        Err(DriverError::new(
            DriverErrorKind::Gate,
            format!(
                "{} is not signed as it stands: {}",
                self.name,
                missing.join("; ")
            ),
        ))
    }
}

/// What one role's signature is worth, in one line.
#[must_use]
pub fn in_words(verified: &Verified) -> String {
    let role = &verified.role;
    let who = verified.person.as_deref().unwrap_or("nobody");
    let at = verified
        .at
        .map(|at| format!(" at {at}"))
        .unwrap_or_default();
    let first = verified.changes.first().map(|change| {
        let line = change.at.map(|at| format!("line {}, ", at.line));
        let more = match verified.changes.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        format!("{}{}{more}", line.unwrap_or_default(), change.what)
    });
    let first = first.unwrap_or_default();
    match verified.standing {
        Standing::Approved => format!("{role}: {who} approved it{at}"),
        Standing::Missing => format!("{role}: nobody has signed"),
        Standing::Rejected => format!("{role}: {who} refused it{at}"),
        Standing::OtherPlan => format!("{role}: {who} signed another plan{at}: {first}"),
        Standing::Changed => {
            format!("{role}: void, it was changed after {who} signed{at}: {first}")
        }
        Standing::OtherName => format!("{role}: {first}"),
    }
}
