//! Sign-offs: so many people in a role approved the very thing that is there.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::Digest;
use nonevent_evidence::{Decision, Predicate};

use crate::checks::evidence::{EvidenceCheck, SubjectKind};
use crate::checks::source::{age_in_words, listed};
use crate::evaluate::Sight;
use crate::outcome::{Input, Unmet};
use crate::path::visible;
use crate::predicate::PredicateKind;
use crate::witness::Witness;

/// Asks that so many people signed off in a role. Of each person the newest word counts; a rejection
/// among those closes it, however many approved.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SignOffCheck {
    pub(crate) role: String,
    /// Distinct people, each with a key of their own.
    pub(crate) count: u32,
    /// What they signed off, whose signatures count, and how long their word does.
    pub(crate) statements: EvidenceCheck,
    /// Whether who wrote or committed the commit counts too.
    pub(crate) by_author: bool,
}

impl SignOffCheck {
    pub(crate) fn asked(&self) -> String {
        let subjects = &self.statements.subjects;
        let subjects: Vec<String> = subjects.iter().map(SubjectKind::in_words).collect();
        let others = if self.by_author {
            ""
        } else {
            " other than its author"
        };
        format!(
            "{} sign-off(s) of {} by people in the role {}{others}, no older than {}",
            self.count,
            subjects.join(" and "),
            visible(&self.role),
            age_in_words(self.statements.max_age_ms)
        )
    }

    pub(crate) fn evaluate(&self, sight: &Sight<'_>) -> Result<(String, Vec<Input>), Unmet> {
        let found = self.statements.find(sight)?;
        let authors = self.authors(sight)?;
        let mut newest: BTreeMap<String, (&Witness, &str, Decision)> = BTreeMap::new();
        let mut others = found.others;
        for witness in found.fitting {
            let Predicate::SignOff(signed) = witness.predicate() else {
                continue;
            };
            let short = witness.digest.short();
            let person = visible(&signed.person);
            if signed.role != self.role {
                others.push(format!("{short} is in the role {}", visible(&signed.role)));
            } else if let Err(why) = self.statements.is_fresh(witness.at, sight.context.now) {
                others.push(format!("{short} by {person} is {why}"));
            } else if authors.iter().any(|author| is_same(author, &signed.person)) {
                others.push(format!("{short} is by the author, {person}"));
            } else {
                let word = (witness, signed.person.as_str(), signed.decision);
                let known = newest.entry(person_key(&signed.person)).or_insert(word);
                // At the same moment a rejection weighs more.
                if (witness.at, signed.decision == Decision::Rejected)
                    > (known.0.at, known.2 == Decision::Rejected)
                {
                    *known = word;
                }
            }
        }
        let rejected = newest.values().find(|(_, _, it)| *it == Decision::Rejected);
        if let Some((witness, person, _)) = rejected {
            return Err(Unmet::fail(format!(
                "{} rejected it at {}",
                visible(person),
                witness.at
            )));
        }
        let keys: Vec<Digest> = newest.values().map(|(witness, ..)| witness.key).collect();
        let distinct = distinct(&keys);
        let people: Vec<String> = newest
            .values()
            .map(|(witness, person, _)| {
                format!("{} with {}", visible(person), witness.signer_in_words())
            })
            .collect();
        if distinct >= self.count as usize {
            let inputs = newest.values().map(|(witness, ..)| Input {
                name: PredicateKind::SignOff.to_string(),
                digest: witness.digest,
            });
            return Ok((people.join("; "), inputs.collect()));
        }
        let mut reason = match people.len() {
            0 => String::from("nobody signed it off"),
            count => format!(
                "{distinct} of {} did: {}",
                self.count,
                listed(people.into_iter(), count)
            ),
        };
        if !others.is_empty() {
            let count = others.len();
            reason.push_str(&format!(
                "; not counted: {}",
                listed(others.into_iter(), count)
            ));
        }
        Err(Unmet::fail(reason))
    }

    /// Whose sign-offs do not count, as the commit names them.
    fn authors(&self, sight: &Sight<'_>) -> Result<Vec<String>, Unmet> {
        if self.by_author {
            return Ok(Vec::new());
        }
        let facts = super::git::facts(sight.tree)?;
        let people = [&facts.author, &facts.committer];
        let names = people
            .into_iter()
            .flat_map(|it| [it.name.clone(), it.email.clone()]);
        Ok(names.filter(|name| !name.trim().is_empty()).collect())
    }
}

fn distinct(keys: &[Digest]) -> usize {
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    keys.dedup();
    keys.len()
}

/// Whether a commit's name or address is that of a person: `Ada`, `ada@shop.example` and
/// `Ada <ADA@shop.example>` are one.
fn is_same(author: &str, person: &str) -> bool {
    let author = author.trim().to_lowercase();
    parts(person).any(|part| part == author)
}

/// A person's name and address, or the whole, without case.
fn parts(person: &str) -> impl Iterator<Item = String> {
    let whole = person.trim().to_lowercase();
    let split = whole.strip_suffix('>').and_then(|it| it.split_once('<'));
    let split = split.map(|(name, address)| [name.trim().to_string(), address.trim().to_string()]);
    core::iter::once(whole.clone())
        .chain(split.into_iter().flatten())
        .filter(|part| !part.is_empty())
}

/// By what two words are one person's: the address, if there is one.
fn person_key(person: &str) -> String {
    parts(person).last().unwrap_or_default()
}
