//! `runbook sign` and `runbook verify`.

use std::path::Path;
use std::process::ExitCode;

use nonevent::driver::{Clock, PageFile, SignedRunbook, in_words, runbook_reviews};
use nonevent::evidence::{Decision, TrustPolicy};
use nonevent::runbook::{Reviewer, Verified, parse, review, roles, sign as shown};
use serde_json::json;

use super::source::prepared;
use crate::args::{SignPage, VerifyPage};
use crate::code::{NO, USAGE, fail, failed, print, say};
use crate::evidence::people::keep;
use crate::gate;
use crate::planning::print_json;

/// `nonevent runbook sign`.
pub(super) fn sign(arguments: &SignPage) -> ExitCode {
    match signed(arguments) {
        Ok(text) => {
            print(text);
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}

fn signed(arguments: &SignPage) -> Result<String, ExitCode> {
    let (path, origin) = (&arguments.page.page, &arguments.page.origin);
    let name = path.display();
    let mut page = PageFile::open(path).map_err(|error| failed(&error))?;
    let prepared = prepared(path, page.text(), origin, None)?;
    let reviewed = parse(page.text(), &prepared.plan).map_err(|error| fail(USAGE, error))?;
    let reviewer = Reviewer {
        role: arguments.role.clone(),
        person: arguments.speaker.person.clone(),
        decision: if arguments.reject {
            Decision::Rejected
        } else {
            Decision::Approved
        },
        at: Clock::new().now(),
    };
    if !roles(&reviewed).contains(&reviewer.role.as_str()) {
        let known = roles(&reviewed).join(", ");
        let text = format!("{name} has no place for {}; it has {known}", reviewer.role);
        return Err(fail(USAGE, text));
    }
    if !arguments.reject {
        if reviewed.findings.has_errors() {
            say(reviewed
                .findings
                .render(&name.to_string(), page.text(), false));
            say(format_args!("error: {name} is not signed as it stands"));
            return Err(ExitCode::from(NO));
        }
        if prepared.checked.deployment().author.as_ref() == Some(&reviewer.person) {
            let text = format!(
                "{} made this release: have somebody else sign",
                reviewer.person
            );
            say(format_args!("error: {text}"));
            return Err(ExitCode::from(NO));
        }
    }
    let statement = review(page.text(), prepared.digest, &reviewer);
    let kept = keep(&arguments.speaker, &statement, reviewer.at)?;
    if !arguments.reject {
        let text = shown(page.text(), &reviewer).map_err(|error| fail(USAGE, error))?;
        page.replace(text).map_err(|error| failed(&error))?;
    }
    Ok(kept)
}

/// `nonevent runbook verify`.
pub(super) fn verify(arguments: &VerifyPage) -> ExitCode {
    verified(arguments).unwrap_or_else(|code| code)
}

/// A page with what was said of it by those whom a trust policy knows.
pub(super) fn with_reviews(
    page: &PageFile,
    roles: &[String],
    trust: &TrustPolicy,
    state: &Path,
) -> Result<SignedRunbook, ExitCode> {
    let reviews = runbook_reviews(state, trust, Clock::new().now());
    Ok(SignedRunbook {
        name: page.path().display().to_string(),
        page: page.text().to_owned(),
        roles: roles.to_vec(),
        reviews: reviews.map_err(|error| failed(&error))?,
    })
}

fn verified(arguments: &VerifyPage) -> Result<ExitCode, ExitCode> {
    let (path, origin) = (&arguments.page.page, &arguments.page.origin);
    let page = PageFile::open(path).map_err(|error| failed(&error))?;
    let prepared = prepared(path, page.text(), origin, None)?;
    let trust = gate::trust(&arguments.trust)?;
    let signed = with_reviews(&page, &arguments.roles, &trust, &arguments.state)?;
    let verified = signed.verify(&prepared.plan, prepared.digest);
    let verified = verified.map_err(|error| failed(&error))?;
    let ok = verified.iter().all(Verified::holds);
    if arguments.json {
        print_json(&json!({ "ok": ok, "roles": verified }));
    } else {
        for it in &verified {
            print(format_args!("{}\n", in_words(it)));
            for change in it.changes.iter().skip(1) {
                let line = change.at.map(|at| format!("line {}, ", at.line));
                print(format_args!(
                    "  {}{}\n",
                    line.unwrap_or_default(),
                    change.what
                ));
            }
        }
    }
    Ok(if ok {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NO)
    })
}
