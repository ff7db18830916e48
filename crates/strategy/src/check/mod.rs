//! Reading a document and checking it: all findings at once.

mod baseline;
mod batches;
mod bounds;
mod by_share;
mod data;
mod flags;
mod marks;
mod metrics;
mod parts;
mod pauses;
mod people;
mod planned;
mod references;
mod release;
mod secrets;
mod strategies;
mod strength;
mod target;
mod texts;
mod times;
mod values;
mod windows;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use nonevent_document::{Digest, Document, Findings, Rule, Severity, Timestamp};

use nonevent_router::Abilities;

use crate::deployment::Deployment;
use crate::resolve::resolved;
use crate::rules;
use crate::windows::Problem;
use crate::wire::{API_VERSION, DeploymentWire, KIND};

/// What a document cannot know and a check needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// What is known of the smoke suites, by the name the document gives them; a suite that is
    /// missing here could not be read.
    pub suites: BTreeMap<String, SuiteFact>,
    /// Whether anybody tried to read the suites and files; if not, a check says that it did not
    /// evaluate.
    pub suites_read: bool,
    /// SHA-256 of the other files that a document names, by the name it gives them.
    pub files: BTreeMap<String, Digest>,
    /// When the deployment would begin; absent: not known.
    pub now: Option<Timestamp>,
    /// What the router says that it can do; absent: what its kind usually can.
    pub router: Option<Abilities>,
}

/// What is known of one smoke suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuiteFact {
    /// SHA-256 of its bytes.
    pub digest: Digest,
    /// How many tests it has that assert something.
    pub tests: usize,
}

/// A deployment without an error among its findings, with the facts it was checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    deployment: Deployment,
    facts: Facts,
    findings: Findings,
}

impl Checked {
    /// The deployment.
    #[must_use]
    pub const fn deployment(&self) -> &Deployment {
        &self.deployment
    }

    /// What it was checked against.
    #[must_use]
    pub const fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The warnings and notes.
    #[must_use]
    pub const fn findings(&self) -> &Findings {
        &self.findings
    }
}

/// Reads a deployment from a parsed document, with all defaults filled in, for the environment
/// that the document names.
///
/// # Errors
/// What keeps it from being read: unknown fields, wrong types, another version of the format, not
/// exactly one strategy, and what [`resolved`] says.
pub fn read(document: &Document) -> Result<Deployment, Findings> {
    read_for(document, None)
}

/// Reads a deployment for one of the environments that the document describes; `None` takes the
/// one that it names.
///
/// # Errors
/// Those of [`read`].
pub fn read_for(document: &Document, environment: Option<&str>) -> Result<Deployment, Findings> {
    let document = &resolved(document, environment)?;
    let mut wire: DeploymentWire = document.decode()?;
    let mut findings = Findings::default();
    for (path, text, policy) in wire.bounds() {
        let found = bounds::read(&path, &text, policy);
        findings.extend(found.into_iter().map(|it| document.resolve(it)));
    }
    let mut push = |rule: Rule, path: &str, message: String, help: &str| {
        findings.push(document.resolve(rule.finding(path, message, help)));
    };
    if wire.api_version != API_VERSION {
        push(
            rules::API_VERSION,
            "apiVersion",
            format!(
                "this version of the format is not known: {:?}",
                wire.api_version
            ),
            "write `apiVersion: nonevent/v1`",
        );
    }
    if wire.kind != KIND {
        push(
            rules::API_VERSION,
            "kind",
            format!("this is a {:?}, not a deployment", wire.kind),
            "write `kind: Deployment`",
        );
    }
    if wire.strategy.named() != 1 {
        push(
            rules::ONE_STRATEGY,
            "strategy",
            format!("{} strategies are named", wire.strategy.named()),
            "name one of `canary`, `blue_green`, `rolling`, `recreate`; \
             `canary: {}` takes its defaults",
        );
    }
    if wire.strategy.divided_twice() {
        push(
            rules::PARTITION_TWICE,
            "strategy.rolling",
            String::from("both `by_zone` and `waves` divide it"),
            "keep one of them",
        );
    }
    let (windows, problems) = wire.windows();
    // Warnings are told by the check.
    let errors = |it: &Problem| it.severity() == Severity::Error;
    for problem in problems.into_iter().filter(errors) {
        let path = windows::path_of(&problem);
        push(rules::WINDOWS_FORM, &path, problem.message, &problem.help);
    }
    match wire.into_deployment(windows) {
        Some(deployment) if !findings.has_errors() => Ok(deployment),
        _ => Err(findings),
    }
}

/// Checks a deployment against every rule; positions are found in `document`, if there is one, as
/// it holds for the deployment's environment.
///
/// # Errors
/// All findings, if there is an error among them.
pub fn check(
    deployment: Deployment,
    facts: Facts,
    document: Option<&Document>,
) -> Result<Checked, Findings> {
    let mut checker = Checker {
        deployment: &deployment,
        facts: &facts,
        findings: Findings::default(),
    };
    checker.names();
    checker.fleet();
    checker.times();
    checker.lists();
    checker.release();
    checker.connections();
    checker.analyses();
    checker.metrics();
    checker.suites();
    checker.references();
    checker.people();
    checker.migrations();
    checker.flags();
    checker.target();
    checker.secrets();
    checker.reckon();
    let findings: Findings = match document {
        Some(document) => {
            let whole = resolved(document, Some(&deployment.environment));
            let document = whole.as_ref().unwrap_or(document);
            let found = checker.findings.into_iter();
            found.map(|finding| document.resolve(finding)).collect()
        }
        None => checker.findings,
    };
    if findings.has_errors() {
        return Err(findings);
    }
    Ok(Checked {
        deployment,
        facts,
        findings,
    })
}

/// Rules about numbers that arithmetic rests on.
const RANGES: [Rule; 6] = [
    rules::REPLICAS,
    rules::MIN_HEALTHY,
    rules::TIME_RANGE,
    rules::EVERY_ZERO,
    rules::ANALYSIS_POLICY,
    rules::TOO_MANY,
];

struct Checker<'a> {
    deployment: &'a Deployment,
    facts: &'a Facts,
    findings: Findings,
}

impl Checker<'_> {
    fn push(&mut self, rule: Rule, path: &str, message: String, help: &str) {
        self.findings.push(rule.finding(path, message, help));
    }

    /// What is worked out from the document's numbers, as far as they are in their ranges.
    fn reckon(&mut self) {
        let errors = |findings: &Findings| {
            let errors = findings.iter().filter(|it| it.severity == Severity::Error);
            errors.count()
        };
        let ranges = RANGES.map(|rule| rule.code);
        if self.findings.iter().any(|it| ranges.contains(&it.code)) {
            self.windows(None);
            return;
        }
        let before = errors(&self.findings);
        self.strategy();
        if errors(&self.findings) == before {
            self.plan();
        } else {
            // A plan of steps that do not fit together would only say so again.
            self.windows(None);
        }
    }
}

fn step_path(index: usize, field: &str) -> String {
    format!("strategy.canary.steps[{index}].{field}")
}
