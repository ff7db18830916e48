//! `evidence`.

pub(crate) mod people;
mod store;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use nonevent::driver::{Clock, StateDir, new_signing_key, review_glass};
use nonevent::evidence::{Envelope, Statement, TrustPolicy, TrustedKey, predicate_type};
use serde_json::json;

use crate::args::{EvidenceCommand, Keygen, Review, Verify};
use crate::code::{NO, UNASKED, USAGE, fail, failed, print};
use crate::gate;
use crate::planning::print_json;

/// `nonevent evidence`.
pub(crate) fn evidence(command: &EvidenceCommand) -> ExitCode {
    let ended = match command {
        EvidenceCommand::Keygen(arguments) => keygen(arguments),
        EvidenceCommand::Sign { key, statement } => sign(key, statement),
        EvidenceCommand::SignOff(arguments) => people::sign_off(arguments),
        EvidenceCommand::Waive(arguments) => people::waive(arguments),
        EvidenceCommand::Review(arguments) => review(arguments),
        EvidenceCommand::List(arguments) => store::list(arguments),
        EvidenceCommand::Bundle(arguments) => store::bundle(arguments),
        EvidenceCommand::Import(arguments) => store::import(arguments),
        EvidenceCommand::Verify(arguments) => {
            return verify(arguments).unwrap_or_else(|code| code);
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

fn keygen(arguments: &Keygen) -> Result<String, ExitCode> {
    let label = &arguments.label;
    let mut keys = match &arguments.trust {
        Some(path) => gate::trust(path)?.keys().to_vec(),
        None => Vec::new(),
    };
    let key = new_signing_key(&arguments.output, label).map_err(|error| failed(&error))?;
    let may = predicate_type::ALL.map(String::from).to_vec();
    let trusted = TrustedKey::new(key.verifying_key(), may, label);
    let trusted = match &arguments.person {
        Some(person) => trusted.held_by(person, &arguments.roles),
        None => trusted,
    };
    keys.push(trusted);
    TrustPolicy::new(keys)
        .to_yaml()
        .map_err(|error| fail(UNASKED, error))
}

fn sign(key: &Path, statement: &Path) -> Result<String, ExitCode> {
    let key = gate::key(key)?;
    let statement = Statement::from_json(&read(statement)?)
        .map_err(|error| fail(USAGE, format!("{}: {error}", statement.display())))?;
    let envelope = Envelope::sign(&statement, &key).map_err(|error| fail(USAGE, error))?;
    Ok(envelope.to_json() + "\n")
}

fn review(arguments: &Review) -> Result<String, ExitCode> {
    let key = gate::key(&arguments.key)?;
    let trust = gate::trust(&arguments.trust)?;
    let state = StateDir::open(&arguments.place.state).map_err(|error| failed(&error))?;
    let said = (arguments.person.as_str(), arguments.finding.as_str());
    let now = Clock::new().now();
    review_glass(&state, &arguments.opened, said, (&key, &trust), now)
        .map(|digest| format!("kept: {digest}\n"))
        .map_err(|error| failed(&error))
}

fn verify(arguments: &Verify) -> Result<ExitCode, ExitCode> {
    let policy = gate::trust(&arguments.trust)?;
    let now = Clock::new().now();
    let mut all = true;
    let mut documents = Vec::new();
    for path in &arguments.envelopes {
        let shown = path.display();
        let verified = Envelope::from_json(&read(path)?).and_then(|it| it.verify(&policy, now));
        all &= verified.is_ok();
        match (verified, arguments.json) {
            (Ok(verified), false) => print(format_args!(
                "{shown}: {} by {} ({})\n",
                verified.predicate_type, verified.key_id, verified.label
            )),
            (Err(error), false) => print(format_args!("{shown}: NOT VERIFIED: {error}\n")),
            (Ok(verified), true) => documents.push(json!({
                "file": shown.to_string(), "verified": true,
                "predicateType": verified.predicate_type,
                "key": verified.key_id, "label": verified.label, "person": verified.person,
            })),
            (Err(error), true) => documents.push(json!({
                "file": shown.to_string(), "verified": false, "error": error.to_string(),
            })),
        }
    }
    if arguments.json {
        print_json(&documents);
    }
    Ok(if all {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NO)
    })
}
