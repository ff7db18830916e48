//! Checking a release of several services: all findings at once.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, Document, Findings, Rule, name_advice};

use super::{ServiceRelease, order, rules};
use crate::SuiteFact;

const SERVICES_MAX: usize = 100;
const CONTRACTS_MAX: usize = 500;
const NAME_CHARS_MAX: usize = 200;

/// What a release cannot know and a check needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReleaseFacts {
    /// The services' plans, by service; one that is missing here could not be made.
    pub plans: BTreeMap<String, PlanFact>,
    /// Whether anybody tried to plan the deployments; if not, the check says that it did not
    /// evaluate.
    pub plans_made: bool,
    /// What is known of the contracts' suites, by the name the document gives them; one that is
    /// missing here could not be read.
    pub suites: BTreeMap<String, SuiteFact>,
    /// Whether anybody tried to read the suites; if not, the check says that it did not evaluate.
    pub suites_read: bool,
}

/// What is known of one service's plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanFact {
    /// Its digest.
    pub digest: Digest,
    /// The service it is for.
    pub service: String,
    /// The environment it is for.
    pub environment: String,
}

/// A release without an error among its findings, with the facts it was checked against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedRelease {
    release: ServiceRelease,
    facts: ReleaseFacts,
    findings: Findings,
}

impl CheckedRelease {
    /// The release.
    #[must_use]
    pub const fn release(&self) -> &ServiceRelease {
        &self.release
    }

    /// What it was checked against.
    #[must_use]
    pub const fn facts(&self) -> &ReleaseFacts {
        &self.facts
    }

    /// The warnings and notes.
    #[must_use]
    pub const fn findings(&self) -> &Findings {
        &self.findings
    }
}

/// Checks a release against every rule; positions are found in `document`, if there is one.
///
/// # Errors
/// All findings, if there is an error among them.
pub fn check_release(
    release: ServiceRelease,
    facts: ReleaseFacts,
    document: Option<&Document>,
) -> Result<CheckedRelease, Findings> {
    let mut checker = Checker {
        release: &release,
        facts: &facts,
        findings: Findings::new(),
    };
    checker.size();
    if checker.findings.is_empty() {
        checker.names();
        checker.services();
        checker.circles();
        checker.contracts();
        checker.plans();
        checker.suites();
    }
    let found = checker.findings.into_iter();
    let findings: Findings = match document {
        Some(document) => found.map(|finding| document.resolve(finding)).collect(),
        None => found.collect(),
    };
    if findings.has_errors() {
        return Err(findings);
    }
    Ok(CheckedRelease {
        release,
        facts,
        findings,
    })
}

struct Checker<'a> {
    release: &'a ServiceRelease,
    facts: &'a ReleaseFacts,
    findings: Findings,
}

impl<'a> Checker<'a> {
    fn push(&mut self, rule: Rule, path: &str, message: String, help: &str) {
        self.findings.push(rule.finding(path, message, help));
    }

    fn size(&mut self) {
        let counts = [
            ("services", self.release.services.len(), 1, SERVICES_MAX),
            ("contracts", self.release.contracts.len(), 0, CONTRACTS_MAX),
        ];
        for (path, count, least, most) in counts {
            if !(least..=most).contains(&count) {
                let help = format!("write {least} to {most}");
                self.push(
                    rules::SIZE,
                    path,
                    format!("{count} {path} are out of range"),
                    &help,
                );
            }
        }
    }

    fn names(&mut self) {
        let release = self.release;
        let mut names = alloc::vec![
            (String::from("name"), &release.name),
            (String::from("environment"), &release.environment),
        ];
        names.extend(release.owner.iter().map(|it| (String::from("owner"), it)));
        for (index, it) in release.services.iter().enumerate() {
            names.push((format!("services[{index}].name"), &it.name));
            names.push((format!("services[{index}].deployment"), &it.deployment));
        }
        for (index, it) in release.contracts.iter().enumerate() {
            names.push((format!("contracts[{index}].name"), &it.name));
            names.push((format!("contracts[{index}].suite"), &it.suite));
        }
        for (path, name) in names {
            let is_bad = name.trim().is_empty()
                || name.chars().any(char::is_control)
                || name.chars().count() > NAME_CHARS_MAX;
            if is_bad {
                self.push(
                    rules::NAME,
                    &path,
                    String::from("this name cannot be used"),
                    "write one line of 1 to 200 characters",
                );
            }
        }
    }

    /// Whether a service is one of the release; tells if not.
    fn is_known(&mut self, path: &str, name: &str) -> bool {
        if self.release.index(name).is_some() {
            return true;
        }
        let known: Vec<&str> = self
            .release
            .services
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        let message = format!("there is no service {name:?} in this release");
        self.push(
            rules::SERVICE_UNKNOWN,
            path,
            message,
            &name_advice(name, &known),
        );
        false
    }

    fn once(&mut self, path: &str, seen: &mut BTreeSet<&'a str>, name: &'a str) {
        if !seen.insert(name) {
            let message = format!("{name:?} is already there");
            self.push(rules::TWICE, path, message, "keep one of the two");
        }
    }

    fn services(&mut self) {
        let mut seen = BTreeSet::new();
        for (index, service) in self.release.services.iter().enumerate() {
            self.once(&format!("services[{index}].name"), &mut seen, &service.name);
            let mut awaited = BTreeSet::new();
            for (place, name) in service.after.iter().enumerate() {
                let path = format!("services[{index}].after[{place}]");
                if self.is_known(&path, name) {
                    self.once(&path, &mut awaited, name);
                }
            }
        }
    }

    /// Tells each circle once, at its first service.
    fn circles(&mut self) {
        let awaited = order::awaited(self.release);
        for index in 0..awaited.len() {
            let circle: Vec<usize> = (0..awaited.len())
                .filter(|it| awaited[index].contains(it) && awaited[*it].contains(&index))
                .collect();
            if circle.first() != Some(&index) {
                continue;
            }
            let names: Vec<String> = circle
                .iter()
                .map(|it| format!("{:?}", self.release.services[*it].name))
                .collect();
            let message = match names.as_slice() {
                [name] => format!("{name} waits for itself"),
                names => format!("{} wait for each other", names.join(", ")),
            };
            let help = "leave one of them out of another's `after`";
            self.push(
                rules::CIRCLE,
                &format!("services[{index}].after"),
                message,
                help,
            );
        }
    }

    fn contracts(&mut self) {
        let awaited = order::awaited(self.release);
        let mut seen = BTreeSet::new();
        for (index, contract) in self.release.contracts.iter().enumerate() {
            let path = format!("contracts[{index}]");
            self.once(&format!("{path}.name"), &mut seen, &contract.name);
            let ends = [
                ("consumer", &contract.consumer),
                ("provider", &contract.provider),
            ];
            let known = ends.map(|(end, name)| self.is_known(&format!("{path}.{end}"), name));
            if contract.consumer == contract.provider {
                self.push(
                    rules::CONTRACT_SELF,
                    &format!("{path}.provider"),
                    format!("{:?} would rely on itself", contract.provider),
                    "name the service that answers; what one service promises is for its own suite",
                );
                continue;
            }
            let places = [&contract.consumer, &contract.provider].map(|it| self.release.index(it));
            if let ([true, true], [Some(consumer), Some(provider)]) = (known, places)
                && !awaited[consumer].contains(&provider)
                && !awaited[provider].contains(&consumer)
            {
                self.push(
                    rules::CONTRACT_UNORDERED,
                    &path,
                    format!(
                        "nothing says whether {:?} or {:?} moves first",
                        contract.provider, contract.consumer
                    ),
                    "add the provider to the consumer's `after`: what is asked for is there first",
                );
            }
        }
    }

    fn plans(&mut self) {
        if !self.facts.plans_made {
            self.push(
                rules::PLAN_UNKNOWN,
                "services",
                String::from("not evaluated: what the deployments plan is not known here"),
                "give the check the plan of each service",
            );
            return;
        }
        for (index, service) in self.release.services.iter().enumerate() {
            let path = format!("services[{index}].deployment");
            let file = &service.deployment;
            match self.facts.plans.get(&service.name) {
                None => self.push(
                    rules::PLAN_MISSING,
                    &path,
                    format!("{file:?} could not be planned"),
                    "check it by itself",
                ),
                Some(plan) if plan.service != service.name => self.push(
                    rules::PLAN_OTHER,
                    &path,
                    format!("{file:?} deploys {:?}", plan.service),
                    "name the service's own document",
                ),
                Some(plan) if plan.environment != self.release.environment => self.push(
                    rules::PLAN_OTHER,
                    &path,
                    format!("{file:?} is for {:?}", plan.environment),
                    "plan it for the release's environment",
                ),
                Some(_) => {}
            }
        }
    }

    fn suites(&mut self) {
        if !self.facts.suites_read {
            if !self.release.contracts.is_empty() {
                self.push(
                    rules::SUITE_UNKNOWN,
                    "contracts",
                    String::from(
                        "not evaluated: what the contracts' suites assert is not known here",
                    ),
                    "give the check each suite's digest and number of tests",
                );
            }
            return;
        }
        for (index, contract) in self.release.contracts.iter().enumerate() {
            let path = format!("contracts[{index}].suite");
            let suite = &contract.suite;
            match self.facts.suites.get(suite) {
                Some(fact) if fact.tests > 0 => {}
                Some(_) => self.push(
                    rules::SUITE_EMPTY,
                    &path,
                    format!("the suite {suite:?} has no test that asserts anything"),
                    "add a test, or leave the contract out",
                ),
                None => self.push(
                    rules::SUITE_UNREAD,
                    &path,
                    format!("the suite {suite:?} could not be read"),
                    "name a file relative to the release document",
                ),
            }
        }
    }
}
