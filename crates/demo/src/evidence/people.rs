//! `evidence sign-off` and `evidence waive`: what people say, signed and kept.

use std::path::Path;
use std::process::ExitCode;

use nonevent::document::{Digest, Timestamp};
use nonevent::driver::{Clock, EvidenceStore, PageFile, StateDir};
use nonevent::evidence::{Decision, Envelope, Predicate, SignOff, Statement, Subject, Waiver};
use nonevent::runbook::{Reviewer, review};

use crate::args::{self, Matter, Speaker};
use crate::code::{USAGE, fail, failed};
use crate::gate;

pub(super) fn sign_off(arguments: &args::SignOff) -> Result<String, ExitCode> {
    let subjects = subjects(&arguments.matter)?;
    let at = Clock::new().now();
    let reviewer = Reviewer {
        role: arguments.role.clone(),
        person: arguments.speaker.person.clone(),
        decision: if arguments.reject {
            Decision::Rejected
        } else {
            Decision::Approved
        },
        at,
    };
    let plan = subjects.iter().find(|it| it.name == "plan");
    let statement = match (arguments.review, plan, &arguments.matter.runbook) {
        (true, Some(plan), Some(path)) => {
            let page = PageFile::open(path).map_err(|error| failed(&error))?;
            let reviewed = review(page.text(), plan.digest, &reviewer);
            Statement {
                subjects,
                ..reviewed
            }
        }
        _ => Statement {
            subjects,
            predicate: Predicate::SignOff(SignOff {
                role: reviewer.role,
                person: reviewer.person,
                decision: reviewer.decision,
                comment: arguments.comment.clone(),
                at,
            }),
        },
    };
    keep(&arguments.speaker, &statement, at)
}

pub(super) fn waive(arguments: &args::Waive) -> Result<String, ExitCode> {
    let subjects = subjects(&arguments.matter)?;
    if !arguments.criterion.contains('/') {
        let text = "name the criterion with its phase, such as testing/coverage";
        return Err(fail(USAGE, text));
    }
    let at = Clock::new().now();
    let lasts = i64::try_from(arguments.lasts).unwrap_or(i64::MAX);
    let waiver = Waiver {
        criterion: arguments.criterion.clone(),
        reason: arguments.reason.clone(),
        owner: arguments.owner.clone(),
        expires: at.plus_ms(lasts),
        role: arguments.role.clone(),
        person: arguments.speaker.person.clone(),
        plan: None,
        at,
    };
    let statement = Statement {
        subjects,
        predicate: Predicate::Waiver(waiver),
    };
    keep(&arguments.speaker, &statement, at)
}

/// Signs, sees whether it counts, and keeps it.
pub(crate) fn keep(
    speaker: &Speaker,
    statement: &Statement,
    at: Timestamp,
) -> Result<String, ExitCode> {
    let key = gate::key(&speaker.key)?;
    let envelope = Envelope::sign(statement, &key).map_err(|error| fail(USAGE, error))?;
    if let Some(trust) = &speaker.trust {
        let verified = envelope.verify(&gate::trust(trust)?, at);
        verified.map_err(|error| fail(USAGE, format!("it would not count: {error}")))?;
    }
    let state = StateDir::open(&speaker.place.state).map_err(|error| failed(&error))?;
    let mut store = EvidenceStore::open(&state).map_err(|error| failed(&error))?;
    store.add(&envelope).map_err(|error| failed(&error))?;
    let digest = envelope.digest().map_err(|error| fail(USAGE, error))?;
    Ok(format!("kept: {digest}\n"))
}

fn subjects(matter: &Matter) -> Result<Vec<Subject>, ExitCode> {
    let mut subjects = Vec::new();
    let mut add = |name: &str, digest| {
        let name = name.to_owned();
        subjects.push(Subject { name, digest });
    };
    if let Some(folder) = &matter.commit {
        let (policy, ..) = gate::policy(None)?;
        let commit = gate::commit(folder, &policy).ok_or_else(|| {
            let text = format!("{} is no git repository with a commit", folder.display());
            fail(USAGE, text)
        })?;
        add("commit", commit);
    }
    if let Some(path) = &matter.plan {
        let plan = gate::plan(path)?;
        add("plan", plan.digest().map_err(|error| fail(USAGE, error))?);
    }
    let read = |path: &Path| gate::read(path).map(|(_, bytes)| Digest::of(&bytes));
    if let Some(path) = &matter.runbook {
        let (_, bytes) = gate::read(path)?;
        add("runbook", gate::page_digest(&bytes));
    }
    if let Some(named) = &matter.artifact {
        add("artifact", gate::artifact(named)?);
    }
    for path in &matter.file {
        add(&path.display().to_string(), read(path)?);
    }
    if let Some(path) = &matter.policy {
        let (policy, ..) = gate::policy(Some(path))?;
        add("policy", policy.digest());
    }
    Ok(subjects)
}
