//! `evidence list`, `bundle` and `import`: the store of the state folder.

use std::fmt::Write as _;
use std::fs;
use std::process::ExitCode;

use nonevent::driver::{Clock, EvidenceStore, StateDir, stored_evidence};
use nonevent::evidence::{Bundle, Envelope, Predicate, Stored, TrustPolicy};
use serde_json::{Value, json};

use super::read;
use crate::args::{Bundling, Import, Listing};
use crate::code::{UNASKED, USAGE, fail, failed};
use crate::gate;

pub(super) fn list(arguments: &Listing) -> Result<String, ExitCode> {
    let store = stored_evidence(&arguments.place.state).map_err(|error| failed(&error))?;
    let trust = arguments.trust.as_deref().map(gate::trust).transpose()?;
    let head = store.head();
    let entries = store.envelopes().iter().map(|it| entry(it, trust.as_ref()));
    if arguments.json {
        let entries: Vec<Value> = entries.map(|(entry, _)| entry).collect();
        let document = json!({ "head": head, "evidence": entries });
        let text = serde_json::to_string_pretty(&document);
        return text
            .map(|it| it + "\n")
            .map_err(|error| fail(UNASKED, error));
    }
    let mut text = String::new();
    for (entry, says) in entries {
        let word = |field: &str| entry[field].as_str().unwrap_or("-");
        let (digest, at, kind) = (word("digest"), word("at"), word("predicateType"));
        let digest = digest.get(..19).unwrap_or(digest);
        writeln!(text, "{digest}  {at}  {kind}{says}").expect("writing to a String cannot fail");
    }
    let (count, head) = (head.count, head.head);
    writeln!(text, "{count} in all, up to {head}").expect("writing to a String cannot fail");
    Ok(text)
}

/// One envelope as JSON, and who says so in words that a terminal shows and does not act on.
fn entry(stored: &Stored, trust: Option<&TrustPolicy>) -> (Value, String) {
    let statement = stored.statement.as_ref();
    let predicate = statement.map(|it| &it.predicate);
    let person = predicate.and_then(Predicate::person);
    let mut says = person.map_or_else(String::new, |it| format!(", says {}", it.escape_debug()));
    let verified = trust.map(|trust| stored.envelope.verify(trust, Clock::new().now()));
    match &verified {
        Some(Ok(verified)) => {
            says.push_str(&format!(", signed by {}", verified.label.escape_debug()));
        }
        Some(Err(error)) => says.push_str(&format!(", NOT VERIFIED: {error}")),
        None => {}
    }
    let subjects = statement.map(|it| it.subjects.iter());
    let subjects = subjects.into_iter().flatten();
    let subjects = subjects.map(|it| json!({ "name": it.name, "digest": it.digest }));
    let entry = json!({
        "digest": stored.digest,
        "predicateType": predicate.map(|it| it.predicate_type().escape_debug().to_string()),
        "at": predicate.and_then(Predicate::at),
        "person": person,
        "subjects": subjects.collect::<Vec<Value>>(),
        "verified": verified.map(|it| it.is_ok()),
    });
    (entry, says)
}

pub(super) fn bundle(arguments: &Bundling) -> Result<String, ExitCode> {
    let store = stored_evidence(&arguments.place.state).map_err(|error| failed(&error))?;
    let is_meant = |stored: &&Stored| {
        let about = |digest| {
            stored
                .statement
                .as_ref()
                .is_some_and(|it| it.is_about(digest))
        };
        arguments.about.is_empty() || arguments.about.iter().any(about)
    };
    let chosen = store.envelopes().iter().filter(is_meant);
    let bundle = Bundle::of(chosen.map(|it| it.envelope.clone()));
    let bundle = bundle.map_err(|error| fail(UNASKED, error))?;
    let count = bundle.envelopes().len();
    let text = bundle
        .to_json_lines()
        .map_err(|error| fail(UNASKED, error))?;
    let path = arguments.output.display();
    fs::write(&arguments.output, text)
        .map_err(|error| fail(UNASKED, format!("{path}: {error}")))?;
    Ok(format!("{count} written to {path}\n"))
}

pub(super) fn import(arguments: &Import) -> Result<String, ExitCode> {
    let mut envelopes = Vec::new();
    for path in &arguments.files {
        let bytes = read(path)?;
        // An envelope may be written on several lines.
        match Envelope::from_json(&bytes) {
            Ok(envelope) => envelopes.push(envelope),
            Err(_) => {
                let bundle = Bundle::from_json_lines(&bytes);
                let refused = |error| fail(USAGE, format!("{}: {error}", path.display()));
                envelopes.extend_from_slice(bundle.map_err(refused)?.envelopes());
            }
        }
    }
    let bundle = Bundle::of(envelopes).map_err(|error| fail(USAGE, error))?;
    let state = StateDir::open(&arguments.place.state).map_err(|error| failed(&error))?;
    let mut store = EvidenceStore::open(&state).map_err(|error| failed(&error))?;
    let imported = store.import(&bundle).map_err(|error| failed(&error))?;
    let (added, known) = (imported.added, imported.known);
    Ok(format!("{added} kept, {known} were there already\n"))
}
