//! From a document's bytes to a plan: everything before anyone acts.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use nonevent_document::{Digest, Document, Findings, Limits, Timestamp};
use nonevent_smoke::Suite;
use nonevent_strategy::{
    Checked, Deployment, Facts, Plan, StrategyKind, SuiteFact, check, plan, read_for,
};

use crate::site::SuiteText;

/// The largest smoke suite or flag file that is read, in bytes.
const SUITE_BYTES_MAX: u64 = 1 << 20;

/// A deployment, checked and planned, with the texts it refers to.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The deployment with its warnings and notes.
    pub checked: Checked,
    /// Its plan.
    pub plan: Plan,
    /// The plan's digest.
    pub digest: Digest,
    /// The plan's shape.
    pub shape: Digest,
    /// The smoke suites it names.
    pub suites: Vec<SuiteText>,
    /// The folder that the other files it names lie in, absolute; absent if it is not known.
    pub documents: Option<PathBuf>,
}

/// What of a document is wanted, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Which of its environments; absent: the one that it names itself.
    pub environment: Option<String>,
    /// When the deployment would begin, if that is known: its change windows are held against it.
    pub begins: Option<Timestamp>,
}

/// Reads, checks and plans the document `bytes`; the smoke suites and files it names are looked for
/// from `base`.
///
/// # Errors
/// Every finding, if there is an error among them.
pub fn prepare(
    name: &str,
    bytes: &[u8],
    base: &Path,
    wanted: &Wanted,
) -> Result<Prepared, Findings> {
    let document = Document::parse(name, bytes, &Limits::default())?;
    let deployment = read_for(&document, wanted.environment.as_deref())?;
    let suites = suite_texts(&deployment, base);
    let files = file_digests(&deployment, base);
    let facts = Facts {
        suites: suite_facts(&suites),
        suites_read: true,
        files,
        now: wanted.begins,
        router: None,
    };
    let mut prepared = prepare_deployment(deployment, suites, facts, Some(&document))?;
    // What cannot be found is missed where a file in it is needed.
    let named = if base.as_os_str().is_empty() {
        Path::new(".")
    } else {
        base
    };
    prepared.documents = named.canonicalize().ok();
    Ok(prepared)
}

/// Checks and plans a deployment that was made or changed after it was read, with the texts of
/// the smoke suites it names.
///
/// # Errors
/// As [`prepare`].
pub fn prepare_deployment(
    deployment: Deployment,
    suites: Vec<SuiteText>,
    facts: Facts,
    document: Option<&Document>,
) -> Result<Prepared, Findings> {
    let checked = check(deployment, facts, document)?;
    let plan = plan(&checked);
    let digest = plan
        .digest()
        .expect("a checked deployment's numbers have a canonical form");
    let shape = plan
        .shape()
        .expect("a checked deployment's numbers have a canonical form");
    Ok(Prepared {
        checked,
        plan,
        digest,
        shape,
        suites,
        documents: None,
    })
}

/// The same deployment by each of the four strategies: its own as it is, the others with the field's
/// usual figures and everything around them unchanged. A strategy that the check refuses for this
/// deployment has its findings instead.
#[must_use]
pub fn alternatives(prepared: &Prepared) -> Vec<(StrategyKind, Result<Prepared, Findings>)> {
    let own = prepared.plan.strategy;
    let with = |kind: StrategyKind| {
        if kind == own {
            return Ok(prepared.clone());
        }
        let mut deployment = prepared.checked.deployment().clone();
        deployment.strategy = Deployment::default_for(kind).strategy;
        let facts = prepared.checked.facts().clone();
        prepare_deployment(deployment, prepared.suites.clone(), facts, None)
    };
    let kinds = StrategyKind::ALL.into_iter();
    kinds.map(|kind| (kind, with(kind))).collect()
}

fn suite_texts(deployment: &Deployment, base: &Path) -> Vec<SuiteText> {
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    for (_, name) in deployment.suites() {
        // One that cannot be read is a finding of the check.
        if let Some(text) = read_text(&base.join(name)) {
            texts.insert(name, text);
        }
    }
    texts
        .into_iter()
        .map(|(name, text)| SuiteText {
            name: name.to_owned(),
            text,
        })
        .collect()
}

/// The digests of the other files that a deployment names, as far as they can be read.
fn file_digests(deployment: &Deployment, base: &Path) -> BTreeMap<String, Digest> {
    let named = deployment.files().into_iter();
    let read = named.filter_map(|(_, name)| {
        let text = read_text(&base.join(name))?;
        Some((name.to_owned(), Digest::of(text.as_bytes())))
    });
    read.collect()
}

fn read_text(path: &Path) -> Option<String> {
    if !path.is_file() {
        return None;
    }
    let mut text = String::new();
    let read = File::open(path)
        .ok()?
        .take(SUITE_BYTES_MAX + 1)
        .read_to_string(&mut text)
        .ok()?;
    (read as u64 <= SUITE_BYTES_MAX).then_some(text)
}

/// What the check must know of suites.
#[must_use]
pub fn suite_facts(suites: &[SuiteText]) -> BTreeMap<String, SuiteFact> {
    suites
        .iter()
        .map(|suite| {
            // A suite asserts something in every test, or cannot be read.
            let read = Suite::parse(&suite.name, suite.text.as_bytes());
            let tests = read.map_or(0, |suite| suite.tests().len());
            (
                suite.name.clone(),
                SuiteFact {
                    digest: Digest::of(suite.text.as_bytes()),
                    tests,
                },
            )
        })
        .collect()
}
