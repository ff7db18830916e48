//! From a wish for evidence on disk to one as data.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::Digest;

use super::Reader;
use super::condition::Comparison;
use crate::checks::{Check, Condition, EvidenceCheck, SignOffCheck, Signers, Source, SubjectKind};
use crate::predicate::PredicateKind;
use crate::wire::{ConditionWire, EvidenceWire, PreviousWire, SignOffWire, SubjectWire};

pub(super) fn evidence(reader: &mut Reader, wire: EvidenceWire, path: &str) -> Option<Check> {
    let predicate = PredicateKind::of_name(&wire.predicate);
    if predicate.is_none() {
        reader.refuse(
            "NE3012",
            format!("{path}.predicate"),
            format!(
                "`{}` is no kind of evidence",
                crate::path::visible(&wire.predicate)
            ),
            format!("there are {}", PredicateKind::names()),
        );
    }
    let subjects = subjects(reader, wire.subjects, path);
    let max_age_ms = age(reader, wire.max_age.0, path);
    let which = conditions(reader, wire.which, predicate, &format!("{path}.which"));
    let require = conditions(reader, wire.require, predicate, &format!("{path}.require"));
    let signers = signers(reader, wire.trusted, path);
    people(reader, wire.signers, format!("{path}.signers"));
    Some(Check::Evidence(EvidenceCheck {
        subjects: subjects?,
        which: which?,
        require: require?,
        signers_min: wire.signers,
        ..EvidenceCheck::of(predicate?, signers, max_age_ms)
    }))
}

pub(super) fn sign_off(reader: &mut Reader, wire: SignOffWire, path: &str) -> Option<Check> {
    if wire.role.trim().is_empty() {
        reader.refuse(
            "NE3010",
            format!("{path}.role"),
            "no role is named",
            "write the role as the trust policy has it",
        );
    }
    people(reader, wire.count, format!("{path}.count"));
    let subjects = subjects(reader, wire.subjects, path);
    let signers = signers(reader, wire.trusted, path);
    let max_age_ms = age(reader, wire.max_age.0, path);
    Some(Check::SignOff(SignOffCheck {
        role: wire.role,
        count: wire.count,
        statements: EvidenceCheck {
            subjects: subjects?,
            ..EvidenceCheck::of(PredicateKind::SignOff, signers, max_age_ms)
        },
        by_author: wire.by_author,
    }))
}

/// More than 16 signatures of one envelope are not looked at.
fn people(reader: &mut Reader, count: u32, path: String) {
    if !(1..=16).contains(&count) {
        reader.refuse(
            "NE3014",
            path,
            format!("{count} cannot be asked for"),
            "write 1 to 16",
        );
    }
}

/// What every criterion on a previous verdict shares.
pub(super) fn previous(
    reader: &mut Reader,
    wire: PreviousWire,
    path: &str,
) -> Option<EvidenceCheck> {
    let subjects = subjects(reader, wire.subjects, path);
    let signers = signers(reader, wire.trusted, path);
    let max_age_ms = age(reader, wire.max_age.0, path);
    Some(EvidenceCheck {
        subjects: subjects?,
        ..EvidenceCheck::of(PredicateKind::GateVerdict, signers, max_age_ms)
    })
}

fn signers(reader: &mut Reader, trusted: Option<Vec<Digest>>, path: &str) -> Signers {
    match trusted {
        None => Signers::Policy,
        Some(ids) => {
            if ids.is_empty() {
                reader.refuse(
                    "NE3015",
                    format!("{path}.trusted"),
                    "no key is listed, so no evidence could be trusted",
                    "list key ids, or leave `trusted` out to go by the trust policy",
                );
            }
            Signers::Listed(ids)
        }
    }
}

fn age(reader: &mut Reader, max_age_ms: u64, path: &str) -> i64 {
    match i64::try_from(max_age_ms) {
        Ok(age) if age > 0 => age,
        _ => {
            reader.refuse(
                "NE3014",
                format!("{path}.max_age"),
                "no evidence is that young",
                "write how old it may be, such as `31d`",
            );
            0
        }
    }
}

fn subjects(reader: &mut Reader, wires: Vec<SubjectWire>, path: &str) -> Option<Vec<SubjectKind>> {
    let path = format!("{path}.subjects");
    if wires.is_empty() {
        reader.refuse(
            "NE3012",
            path,
            "the evidence may be about anything",
            "name what it must be about: `plan`, `shape`, `runbook`, `artifact`, `commit` or \
             `file: PATH`",
        );
        return None;
    }
    let mut subjects = Vec::new();
    for (index, wire) in wires.into_iter().enumerate() {
        subjects.push(match wire {
            SubjectWire::Plan => SubjectKind::Plan,
            SubjectWire::Shape => SubjectKind::Shape,
            SubjectWire::Runbook => SubjectKind::Runbook,
            SubjectWire::Artifact => SubjectKind::Artifact,
            SubjectWire::Commit => SubjectKind::Commit,
            SubjectWire::File(file) => {
                let path = format!("{path}[{index}].file");
                let glob = reader.glob(&file, &path)?;
                if !glob.is_literal() {
                    reader.refuse(
                        "NE3012",
                        path,
                        "evidence is about one file",
                        "write its path without `*`, `?` or braces",
                    );
                    return None;
                }
                SubjectKind::File(Source {
                    glob,
                    ignored: false,
                })
            }
        });
    }
    Some(subjects)
}

fn conditions(
    reader: &mut Reader,
    wires: Vec<ConditionWire>,
    predicate: Option<PredicateKind>,
    path: &str,
) -> Option<Vec<Condition>> {
    let mut conditions = Vec::new();
    for (index, wire) in wires.into_iter().enumerate() {
        let path = format!("{path}[{index}]");
        let comparison = Comparison {
            pointer: wire.field.clone(),
            field: "field",
            equals: wire.equals,
            at_least: wire.at_least,
            at_most: wire.at_most,
            exists: wire.exists,
            items_at_least: wire.items_at_least,
        };
        conditions.push(comparison.read(reader, &path)?);
        let known = predicate.is_none_or(|predicate| predicate.has_field(&wire.field));
        if !known {
            reader.refuse(
                "NE3012",
                format!("{path}.field"),
                format!(
                    "this kind of evidence has no field `{}`",
                    crate::path::visible(&wire.field)
                ),
                predicate.map_or_else(String::new, PredicateKind::fields_in_words),
            );
        }
    }
    Some(conditions)
}
