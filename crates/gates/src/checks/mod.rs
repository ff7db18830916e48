//! What a criterion can ask, and how the answers of its parts combine.

mod content_type;
mod coverage;
mod evidence;
mod files;
mod git;
mod junit;
mod markdown;
mod sarif;
mod schema;
mod sign_off;
mod source;
mod structured;
mod xml;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::Digest;

pub(crate) use content_type::ContentType;
pub(crate) use coverage::{CoverageCheck, CoverageForm};
pub(crate) use evidence::{EvidenceCheck, GateName, Signers, SubjectKind};
pub(crate) use files::FilesCheck;
pub(crate) use git::{GitCheck, TagPattern, VersionCheck};
pub(crate) use junit::JunitCheck;
pub(crate) use markdown::MarkdownCheck;
pub(crate) use sarif::{Level, SarifCheck};
pub(crate) use schema::{Schema, SchemaCheck, Usable};
pub(crate) use sign_off::SignOffCheck;
pub(crate) use source::Source;
pub(crate) use structured::{Condition, StructuredCheck, Syntax, Test};

use crate::evaluate::Sight;
use crate::glob::Glob;
use crate::outcome::{CheckResult, Input, Outcome, Unmet};

/// A check, as data.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Check {
    /// Every part.
    All(Vec<Check>),
    /// At least one part.
    Any(Vec<Check>),
    /// At least so many parts.
    AtLeast(u32, Vec<Check>),
    Files(FilesCheck),
    Markdown(MarkdownCheck),
    Structured(StructuredCheck),
    Schema(SchemaCheck),
    Junit(JunitCheck),
    Coverage(CoverageCheck),
    Sarif(SarifCheck),
    Git(GitCheck),
    Version(VersionCheck),
    Evidence(EvidenceCheck),
    SignOff(SignOffCheck),
}

impl Check {
    /// What is asked, in words.
    pub(crate) fn asked(&self) -> String {
        match self {
            Check::All(parts) => format!("all of {}", parts.len()),
            Check::Any(parts) => format!("any of {}", parts.len()),
            Check::AtLeast(n, parts) => format!("at least {n} of {}", parts.len()),
            Check::Files(check) => check.asked(),
            Check::Markdown(check) => check.asked(),
            Check::Structured(check) => check.asked(),
            Check::Schema(check) => check.asked(),
            Check::Junit(check) => check.asked(),
            Check::Coverage(check) => check.asked(),
            Check::Sarif(check) => check.asked(),
            Check::Git(check) => check.asked(),
            Check::Version(check) => check.asked(),
            Check::Evidence(check) => check.asked(),
            Check::SignOff(check) => check.asked(),
        }
    }

    pub(crate) fn evaluate(&self, sight: &Sight<'_>) -> CheckResult {
        match self {
            Check::All(parts) => self.composed(parts, parts.len(), sight),
            Check::Any(parts) => self.composed(parts, 1, sight),
            Check::AtLeast(n, parts) => self.composed(parts, *n as usize, sight),
            Check::Files(check) => self.leaf(check.evaluate(sight.tree, sight.context.now)),
            Check::Markdown(check) => self.leaf(check.evaluate(sight.tree)),
            Check::Structured(check) => self.leaf(check.evaluate(sight.tree)),
            Check::Schema(check) => self.leaf(check.evaluate(sight.tree)),
            Check::Junit(check) => self.leaf(check.evaluate(sight.tree)),
            Check::Coverage(check) => self.leaf(check.evaluate(sight.tree)),
            Check::Sarif(check) => self.leaf(check.evaluate(sight.tree)),
            Check::Git(check) => self.leaf(check.evaluate(sight.tree, sight.context.now)),
            Check::Version(check) => self.leaf(check.evaluate(sight.tree)),
            Check::Evidence(check) => self.leaf(check.evaluate(sight)),
            Check::SignOff(check) => self.leaf(check.evaluate(sight)),
        }
    }

    fn leaf(&self, answer: Result<(String, Vec<Input>), Unmet>) -> CheckResult {
        match answer {
            Ok((found, inputs)) => {
                CheckResult::new(Outcome::Pass, self.asked(), found).resting_on(inputs)
            }
            Err(unmet) => CheckResult::new(unmet.outcome, self.asked(), unmet.found),
        }
    }

    /// `needed` of the parts must pass. If they cannot, that is a fail; if they only might, the
    /// parts in doubt decide between error and unknown. No part or none needed is an error.
    fn composed(&self, parts: &[Check], needed: usize, sight: &Sight<'_>) -> CheckResult {
        let parts: Vec<CheckResult> = parts.iter().map(|part| part.evaluate(sight)).collect();
        let count = |wanted: Outcome| parts.iter().filter(|p| p.outcome == wanted).count();
        let passed = count(Outcome::Pass);
        let errors = count(Outcome::Error);
        let outcome = if parts.is_empty() || needed == 0 || needed > parts.len() {
            Outcome::Error
        } else if passed >= needed {
            Outcome::Pass
        } else if parts.len() - count(Outcome::Fail) < needed {
            Outcome::Fail
        } else if errors > 0 {
            Outcome::Error
        } else {
            Outcome::Unknown
        };
        let found = format!("{passed} of {} pass, {needed} needed", parts.len());
        let mut result = CheckResult::new(outcome, self.asked(), found);
        result.parts = parts;
        result.needed = u32::try_from(needed).unwrap_or(u32::MAX);
        result
    }

    /// The parts, or nothing for a check without parts.
    pub(crate) fn parts(&self) -> &[Check] {
        match self {
            Check::All(parts) | Check::Any(parts) | Check::AtLeast(_, parts) => parts,
            _ => &[],
        }
    }

    /// Adds the lists of keys that it goes by.
    pub(crate) fn listed_keys(&self, lists: &mut Vec<Vec<Digest>>) {
        for part in self.parts() {
            part.listed_keys(lists);
        }
        let (Check::Evidence(check)
        | Check::SignOff(SignOffCheck {
            statements: check, ..
        })) = self
        else {
            return;
        };
        if let Signers::Listed(listed) = &check.signers {
            lists.push(listed.clone());
        }
    }

    /// Calls `see` with every glob: whether it reaches files that `.gitignore` names, and whether
    /// the bytes are looked into.
    pub(crate) fn globs<'c>(&'c self, see: &mut impl FnMut(&'c Glob, bool, bool)) {
        match self {
            Check::All(parts) | Check::Any(parts) | Check::AtLeast(_, parts) => {
                for part in parts {
                    part.globs(see);
                }
            }
            Check::Files(check) => {
                for glob in &check.include {
                    see(glob, check.ignored, check.looks_into());
                }
            }
            Check::Markdown(MarkdownCheck { source, .. })
            | Check::Structured(StructuredCheck { source, .. })
            | Check::Junit(JunitCheck { source, .. })
            | Check::Coverage(CoverageCheck { source, .. })
            | Check::Sarif(SarifCheck { source, .. }) => see(&source.glob, source.ignored, true),
            Check::Schema(check) => {
                see(&check.source.glob, check.source.ignored, true);
                if let Schema::File(source) = &check.schema {
                    see(&source.glob, source.ignored, true);
                }
            }
            Check::Version(check) => {
                let source = &check.document.source;
                see(&source.glob, source.ignored, true);
            }
            Check::Git(_) => {}
            Check::Evidence(check)
            | Check::SignOff(SignOffCheck {
                statements: check, ..
            }) => {
                for subject in &check.subjects {
                    if let SubjectKind::File(source) = subject {
                        see(&source.glob, source.ignored, false);
                    }
                }
            }
        }
    }
}
