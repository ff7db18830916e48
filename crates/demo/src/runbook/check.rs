//! `runbook check`: a page held against its plan.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::UNIX_EPOCH;

use nonevent::document::Timestamp;
use nonevent::driver::PageFile;
use nonevent::runbook::{Circumstances, Verified, check as findings, parse};
use serde_json::json;

use super::sign::with_reviews;
use super::source::prepared;
use crate::args::CheckPage;
use crate::code::{NO, USAGE, fail, failed, print};
use crate::gate;
use crate::planning::{color, counted, print_json};

/// `nonevent runbook check`.
pub(super) fn check(arguments: &CheckPage) -> ExitCode {
    checked(arguments).unwrap_or_else(|code| code)
}

fn checked(arguments: &CheckPage) -> Result<ExitCode, ExitCode> {
    let (path, origin) = (&arguments.page.page, &arguments.page.origin);
    let page = PageFile::open(path).map_err(|error| failed(&error))?;
    let prepared = prepared(path, page.text(), origin, arguments.begins)?;
    let reviewed = parse(page.text(), &prepared.plan).map_err(|error| fail(USAGE, error))?;
    let matches = reviewed.matches;
    let mut known = Circumstances {
        author: prepared.checked.deployment().author.clone(),
        // A page of this very plan is no older than it, whenever the file was written.
        changed: origin
            .file
            .as_deref()
            .filter(|_| !matches)
            .and_then(changed),
        begins: arguments.begins,
        window_ms: arguments.window,
        ..Circumstances::default()
    };
    if let Some(path) = &arguments.trust {
        let trust = gate::trust(path)?;
        let keys = trust.keys().iter();
        let roles = keys.clone().flat_map(|key| key.roles.iter().cloned());
        let people = keys.filter_map(|key| key.person.clone()).chain(roles);
        known.people = Some(people.collect());
        let signed = with_reviews(&page, &[], &trust, &arguments.state)?;
        // A page with errors is signed by nobody.
        let verified = signed.verify(&prepared.plan, prepared.digest);
        let verified = verified.unwrap_or_default().into_iter();
        let by = verified.filter(Verified::holds).filter_map(|it| it.person);
        known.signed_by = Some(by.collect::<BTreeSet<String>>());
    }
    let found = findings(page.text(), &prepared.plan, &known);
    let found = found.map_err(|error| fail(USAGE, error))?;
    let name = path.display();
    if arguments.json {
        print_json(&json!({ "ok": !found.has_errors(), "findings": found }));
    } else if found.is_empty() {
        print(format_args!("{name}: nothing to say against it\n"));
    } else {
        let text = found.render(&name.to_string(), page.text(), color());
        print(format_args!("{text}\n{}\n", counted(&found)));
    }
    Ok(if found.has_errors() {
        ExitCode::from(NO)
    } else {
        ExitCode::SUCCESS
    })
}

/// When a file was changed last, to the second, as pages have it.
fn changed(path: &Path) -> Option<Timestamp> {
    let changed = fs::metadata(path).ok()?.modified().ok()?;
    let since = changed.duration_since(UNIX_EPOCH).ok()?;
    let seconds = i64::try_from(since.as_secs()).ok()?;
    Some(Timestamp::from_unix_ms(seconds.checked_mul(1_000)?))
}
