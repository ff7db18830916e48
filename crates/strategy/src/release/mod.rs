//! Several services released as one: their order, and the contracts between them.
//!
//! A release document names the services that belong together, each with its deployment document,
//! which of them waits for which, and the contracts between them: smoke suites that a consumer
//! relies on its provider to pass. [`release_plan`] makes it a list of steps. Each service moves by
//! its own plan, one at a time unless the document says `parallel`; contracts are checked before
//! anything changes and whenever one of their two services has moved. The way back is the same
//! list from its end.
//!
//! ```
//! use nonevent_document::{Document, Limits};
//! use nonevent_strategy::release::{ReleaseFacts, check_release, read_release, release_plan};
//!
//! let text = "
//! apiVersion: nonevent/v1
//! kind: Release
//! name: prices-in-euro
//! environment: production
//! services:
//! - { name: checkout, deployment: checkout.yaml, after: [pricing] }
//! - { name: pricing, deployment: pricing.yaml }
//! contracts:
//! - { name: ask-price, consumer: checkout, provider: pricing, suite: ask-price.json }
//! ";
//! let document = Document::parse("release.yaml", text.as_bytes(), &Limits::default())?;
//! let release = read_release(&document)?;
//! let checked = check_release(release, ReleaseFacts::default(), Some(&document))?;
//! let plan = release_plan(&checked);
//! assert_eq!(plan.steps[1].services(), ["pricing"]);
//! assert_eq!(plan.rollback[0].services(), ["checkout"]);
//! # Ok::<(), nonevent_document::Findings>(())
//! ```

mod check;
mod order;
mod plan;
mod rules;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Document, Findings, Rule};
use serde::Deserialize;

pub use check::{CheckedRelease, PlanFact, ReleaseFacts, check_release};
pub use plan::{ContractPlan, ReleasePlan, ReleaseStep, release_plan};
pub use rules::RELEASE_RULES;

use crate::wire::API_VERSION;

const KIND: &str = "Release";

/// Services that are released together, as the document says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceRelease {
    #[serde(rename = "apiVersion")]
    api_version: String,
    kind: String,
    /// The release's name.
    pub name: String,
    /// The environment's name.
    pub environment: String,
    /// Who answers for it.
    #[serde(default)]
    pub owner: Option<String>,
    /// Whether services that do not wait for each other move at the same time; default `false`.
    #[serde(default)]
    pub parallel: bool,
    /// The services, 1 to 100.
    pub services: Vec<Service>,
    /// What is checked between them, at most 500.
    #[serde(default)]
    pub contracts: Vec<Contract>,
}

/// A service of a release.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Its name, as its deployment document has it.
    pub name: String,
    /// Its deployment document, a file beside the release's.
    pub deployment: String,
    /// The services that must have moved before it.
    #[serde(default)]
    pub after: Vec<String>,
}

/// What one service relies on another for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Its name.
    pub name: String,
    /// The service that asks.
    pub consumer: String,
    /// The service that answers.
    pub provider: String,
    /// The smoke suite that the provider must pass, a file beside the release's.
    pub suite: String,
}

impl ServiceRelease {
    /// The place of a service in the document, from 0.
    fn index(&self, name: &str) -> Option<usize> {
        self.services.iter().position(|it| it.name == name)
    }
}

/// Reads a release from a parsed document.
///
/// # Errors
/// What keeps it from being read: unknown fields, wrong types, another version of the format.
pub fn read_release(document: &Document) -> Result<ServiceRelease, Findings> {
    let release: ServiceRelease = document.decode()?;
    let mut findings = Findings::new();
    let mut push = |rule: Rule, path: &str, message: String, help: &str| {
        findings.push(document.resolve(rule.finding(path, message, help)));
    };
    if release.api_version != API_VERSION {
        push(
            rules::FORMAT,
            "apiVersion",
            format!(
                "this version of the format is not known: {:?}",
                release.api_version
            ),
            "write `apiVersion: nonevent/v1`",
        );
    }
    if release.kind != KIND {
        push(
            rules::FORMAT,
            "kind",
            format!("this is a {:?}, not a release", release.kind),
            "write `kind: Release`",
        );
    }
    if findings.is_empty() {
        Ok(release)
    } else {
        Err(findings)
    }
}
