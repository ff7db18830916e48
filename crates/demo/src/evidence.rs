//! `evidence keygen`, `evidence sign`, `evidence verify`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use nonevent::driver::{Clock, StateDir, new_signing_key, review_glass};
use nonevent::evidence::{Envelope, Statement, TrustPolicy, TrustedKey, predicate_type};
use serde_json::json;

use crate::args::EvidenceCommand;
use crate::code::{NO, UNASKED, USAGE, fail, failed, print, say};
use crate::gate;
use crate::planning::print_json;

/// `nonevent evidence`.
pub(crate) fn evidence(command: &EvidenceCommand) -> ExitCode {
    let ended = match command {
        EvidenceCommand::Keygen {
            output,
            label,
            person,
            roles,
        } => keygen(output, label, person.as_deref(), roles),
        EvidenceCommand::Sign { key, statement } => sign(key, statement),
        EvidenceCommand::Review {
            opened,
            finding,
            person,
            key,
            trust,
            place,
        } => gate::key(key).and_then(|key| {
            let trust = gate::trust(trust)?;
            let state = StateDir::open(&place.state).map_err(|error| failed(&error))?;
            let said = (person.as_str(), finding.as_str());
            let now = Clock::new().now();
            review_glass(&state, opened, said, (&key, &trust), now)
                .map(|digest| format!("reviewed: {digest}\n"))
                .map_err(|error| failed(&error))
        }),
        EvidenceCommand::Verify {
            trust,
            envelopes,
            json,
        } => {
            return verify(trust, envelopes, *json).unwrap_or_else(|code| code);
        }
    };
    match ended {
        Ok(text) => {
            print(text);
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ExitCode> {
    fs::read(path).map_err(|error| fail(USAGE, format!("{}: {error}", path.display())))
}

fn keygen(
    output: &Path,
    label: &str,
    person: Option<&str>,
    roles: &[String],
) -> Result<String, ExitCode> {
    let key = new_signing_key(output, label).map_err(|error| failed(&error))?;
    let may = predicate_type::ALL.map(String::from).to_vec();
    let trusted = TrustedKey::new(key.verifying_key(), may, label);
    let trusted = match person {
        Some(person) => trusted.held_by(person, roles),
        None => trusted,
    };
    let trust = TrustPolicy::new(vec![trusted]);
    trust.to_yaml().map_err(|error| fail(UNASKED, error))
}

fn sign(key: &Path, statement: &Path) -> Result<String, ExitCode> {
    let key = gate::key(key)?;
    let statement = Statement::from_json(&read(statement)?)
        .map_err(|error| fail(USAGE, format!("{}: {error}", statement.display())))?;
    let envelope = Envelope::sign(&statement, &key).map_err(|error| fail(USAGE, error))?;
    Ok(envelope.to_json() + "\n")
}

fn verify(
    trust: &Path,
    envelopes: &[std::path::PathBuf],
    json: bool,
) -> Result<ExitCode, ExitCode> {
    let name = trust.display().to_string();
    let bytes = read(trust)?;
    let policy = TrustPolicy::parse(&name, &bytes).map_err(|findings| {
        say(findings.render(&name, &String::from_utf8_lossy(&bytes), false));
        ExitCode::from(USAGE)
    })?;
    let now = Clock::new().now();
    let mut all = true;
    let mut documents = Vec::new();
    for path in envelopes {
        let shown = path.display();
        let verified = Envelope::from_json(&read(path)?).and_then(|it| it.verify(&policy, now));
        all &= verified.is_ok();
        match (verified, json) {
            (Ok(verified), false) => print(format_args!(
                "{shown}: {} by {} ({})\n",
                verified.predicate_type, verified.key_id, verified.label
            )),
            (Err(error), false) => print(format_args!("{shown}: NOT VERIFIED: {error}\n")),
            (Ok(verified), true) => documents.push(json!({
                "file": shown.to_string(), "verified": true,
                "predicateType": verified.predicate_type,
                "key": verified.key_id, "label": verified.label,
            })),
            (Err(error), true) => documents.push(json!({
                "file": shown.to_string(), "verified": false, "error": error.to_string(),
            })),
        }
    }
    if json {
        print_json(&documents);
    }
    Ok(if all {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NO)
    })
}
