//! Signatures of people under a page: what they sign, and whether it still holds.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::{Digest, Position, Timestamp};
use nonevent_evidence::{Decision, Predicate, RunbookReview, Statement, Subject};
use serde::Serialize;

use crate::align::align;
use crate::lines::Lines;
use crate::marks::{SIGN_OFF, SignedText, TickError, page_digest, sign_slots, signed_text};
use crate::parse::ReviewedSignOff;
use crate::print::{Line, decoded, encoded, lines};

/// Who says what of a page, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reviewer {
    /// In which role; a page has a place for `deploy-lead`, `on-call-engineer` and `product-owner`.
    pub role: String,
    /// Who, as the trust policy calls them.
    pub person: String,
    /// Yes or no.
    pub decision: Decision,
    /// When.
    pub at: Timestamp,
}

/// The statement that a person reviewed this page of this plan. It is about both, by digest, and
/// holds a print of each line, by which [`verify`] tells what changed after it was signed. It counts
/// once it is signed, by a key that a trust policy knows as this person's.
#[must_use]
pub fn review(page: &str, plan: Digest, reviewer: &Reviewer) -> Statement {
    let digest = page_digest(page);
    let text = signed_text(page);
    let prints = encoded(lines(&text).iter().map(|line| line.print));
    let subject = |name: &str, digest| Subject {
        name: String::from(name),
        digest,
    };
    Statement {
        subjects: Vec::from([subject("plan", plan), subject("runbook", digest)]),
        predicate: Predicate::RunbookReview(RunbookReview {
            plan,
            page: digest,
            role: reviewer.role.clone(),
            person: reviewer.person.clone(),
            decision: reviewer.decision,
            lines: Some(prints),
            at: reviewer.at,
        }),
    }
}

/// The page with the tick, the name and the date of whoever approved it in a role, for people to
/// see. It leaves every signature as good as it was.
///
/// # Errors
/// The page has no place for this role.
pub fn sign(page: &str, reviewer: &Reviewer) -> Result<String, TickError> {
    let id = format!("{SIGN_OFF}{}", reviewer.role);
    let date = reviewer.at.to_string();
    sign_slots(page, &id, &reviewer.person, &date)
}

/// Whether a role has signed a page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// The role.
    pub role: String,
    /// Who said the last word in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// What that is worth now.
    pub standing: Standing,
    /// What changed since it was signed, if that voids it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
}

impl Verified {
    /// Whether the role approves the page as it is, for this plan.
    #[must_use]
    pub const fn holds(&self) -> bool {
        matches!(self.standing, Standing::Approved)
    }
}

/// What a signature is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Standing {
    /// It is for this page and this plan.
    Approved,
    /// Nobody has signed in this role.
    Missing,
    /// It says no.
    Rejected,
    /// It is for another plan.
    OtherPlan,
    /// It was for this page before something changed.
    Changed,
    /// The page names somebody else in this role, or another day.
    OtherName,
}

/// Something that changed after a page was signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Where it is on the page now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Position>,
    /// What it is.
    pub what: String,
}

/// Whether each of `roles` has signed this page of this plan. `reviews` are statements whose
/// signatures have been verified, by keys that are known as these people's; of several in a role the
/// latest counts, whoever gave it.
#[must_use]
pub fn verify(
    page: &str,
    plan: Digest,
    roles: &[&str],
    signed_on_page: &[ReviewedSignOff],
    reviews: &[&RunbookReview],
) -> Vec<Verified> {
    let digest = page_digest(page);
    roles
        .iter()
        .map(|role| {
            let mut of_role = reviews.iter().filter(|it| it.role == **role);
            let last = of_role.by_ref().max_by_key(|it| it.at);
            let Some(last) = last else {
                return Verified {
                    role: (*role).to_string(),
                    person: None,
                    at: None,
                    standing: Standing::Missing,
                    changes: Vec::new(),
                };
            };
            let slot = signed_on_page
                .iter()
                .find(|it| it.id.strip_prefix(SIGN_OFF) == Some(role));
            let (standing, changes) = standing(page, (plan, digest), last, slot);
            Verified {
                role: (*role).to_string(),
                person: Some(last.person.clone()),
                at: Some(last.at),
                standing,
                changes,
            }
        })
        .collect()
}

fn standing(
    page: &str,
    (plan, digest): (Digest, Digest),
    review: &RunbookReview,
    slot: Option<&ReviewedSignOff>,
) -> (Standing, Vec<Change>) {
    if review.decision != Decision::Approved {
        return (Standing::Rejected, Vec::new());
    }
    if review.plan != plan {
        let what = format!(
            "the plan: {} was signed, and this is {}",
            review.plan.short(),
            plan.short()
        );
        return (Standing::OtherPlan, Vec::from([Change { at: None, what }]));
    }
    if review.page != digest {
        return (Standing::Changed, changes(page, review.lines.as_deref()));
    }
    let other = slot.and_then(|slot| other_name(slot, review));
    match other {
        Some(what) => {
            let at = slot.map(|slot| slot.at);
            (Standing::OtherName, Vec::from([Change { at, what }]))
        }
        None => (Standing::Approved, Vec::new()),
    }
}

/// What the page says of who signed, if that is not what was signed.
fn other_name(slot: &ReviewedSignOff, review: &RunbookReview) -> Option<String> {
    if let Some(name) = slot.name.as_ref().filter(|name| **name != review.person) {
        return Some(format!(
            "the page names {name:?}, and {} signed",
            review.person
        ));
    }
    let at = review.at.to_string();
    let date = slot.date.as_ref().filter(|date| !at.starts_with(*date))?;
    Some(format!("the page says {date:?}, and it was signed at {at}"))
}

/// At most so many changes are told; the rest are counted.
const CHANGES_MAX: usize = 20;

/// What differs between the lines that were signed and those of the page now.
fn changes(page: &str, signed: Option<&str>) -> Vec<Change> {
    let somewhere = |what: &str| {
        Vec::from([Change {
            at: None,
            what: what.to_string(),
        }])
    };
    let Some(signed) = signed.and_then(decoded) else {
        return somewhere(
            "the page; the signature does not hold its lines, so nothing more is known",
        );
    };
    let text = SignedText::of(page);
    let now = lines(&text.text);
    let prints: Vec<_> = now.iter().map(|line| line.print).collect();
    let there = align(&signed, &prints);
    let mut found = Vec::new();
    let mut gone: BTreeMap<usize, usize> = BTreeMap::new();
    let mut known = alloc::vec![false; now.len()];
    let mut last = 0;
    for (index, at) in there.iter().enumerate() {
        let Some(at) = at.filter(|at| *at < now.len()) else {
            if !signed.get(index).is_some_and(|it| it.is_blank()) {
                *gone.entry(last).or_default() += 1;
            }
            continue;
        };
        known[at] = true;
        if !now[at].print.says_the_same(signed[index]) {
            found.push((at, String::from("this line says something else")));
        } else if at < last {
            found.push((at, String::from("this line stood elsewhere")));
        }
        last = last.max(at);
    }
    for (at, line) in now.iter().enumerate() {
        if !known[at] && !line.print.is_blank() {
            found.push((at, String::from("this line is new")));
        }
    }
    found.extend(gone.into_iter().map(|(at, count)| {
        let what = match count {
            1 => String::from("a line is gone near this one"),
            count => format!("{count} lines are gone near this one"),
        };
        (at, what)
    }));
    if found.is_empty() {
        return somewhere("white space, or a character that does not show");
    }
    found.sort();
    let places = Lines::of(page);
    let rest = found.len().saturating_sub(CHANGES_MAX);
    let mut changes: Vec<Change> = found
        .into_iter()
        .take(CHANGES_MAX)
        .map(|(at, what)| {
            let line = now.get(at);
            let place = line.map(|line| places.position(text.origin(line.at)));
            told(place, line, what)
        })
        .collect();
    if rest > 0 {
        let what = format!("and {rest} more");
        changes.push(Change { at: None, what });
    }
    changes
}

fn told(at: Option<Position>, line: Option<&Line<'_>>, what: String) -> Change {
    let what = match line.and_then(|line| line.id) {
        Some(id) => format!("{id}: {what}"),
        None => what,
    };
    Change { at, what }
}
