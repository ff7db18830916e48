//! `gate`.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use nonevent::document::Digest;
use nonevent::driver::Clock;
use nonevent::evidence::TrustPolicy;
use nonevent::gates::{
    CollectLimits, Context, EvidenceSet, Policy, Side, Tree, Verdict, collect, evaluate,
};
use nonevent::strategy::Plan;

use crate::args::{self, GateFormat};
use crate::code::{NO, UNASKED, USAGE, fail, print, say};
use crate::planning::print_json;

/// The largest piece of evidence that is read, in bytes.
const EVIDENCE_BYTES_MAX: u64 = 4 << 20;

/// `nonevent gate`.
pub(crate) fn gate(arguments: &args::Gate) -> ExitCode {
    let (policy, evidence, context) = match inputs(arguments) {
        Ok(inputs) => inputs,
        Err(code) => return code,
    };
    let tree = match collect(&arguments.project_dir, &policy, &CollectLimits::default()) {
        Ok(tree) => tree,
        Err(error) => return fail(UNASKED, error),
    };
    let asked: Vec<&str> = match &arguments.phase {
        Some(phase) => vec![phase],
        None => policy.phases().iter().map(|phase| phase.id()).collect(),
    };
    let mut verdicts = Vec::new();
    for phase in asked {
        match verdict(&policy, phase, &tree, &evidence, &context) {
            Some(verdict) => verdicts.push(verdict),
            None => {
                let known: Vec<&str> = policy.phases().iter().map(|it| it.id()).collect();
                return fail(
                    USAGE,
                    format!(
                        "no phase {phase:?} in {}; it has {}",
                        policy.name(),
                        known.join(", ")
                    ),
                );
            }
        }
    }
    show(
        &verdicts,
        if arguments.json {
            GateFormat::Json
        } else {
            arguments.format
        },
        arguments.all,
    );
    let open = verdicts.iter().all(Verdict::is_passed);
    if open {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(NO)
    }
}

fn verdict(
    policy: &Policy,
    phase: &str,
    tree: &Tree,
    evidence: &EvidenceSet,
    context: &Context,
) -> Option<Verdict> {
    let gate = policy.gate(phase, Side::Both)?;
    Some(evaluate(&gate, tree, evidence, context))
}

fn show(verdicts: &[Verdict], format: GateFormat, all: bool) {
    match format {
        GateFormat::Json if all => print_json(&verdicts),
        GateFormat::Json => verdicts.iter().for_each(print_json),
        GateFormat::Markdown => {
            for verdict in verdicts {
                print(format_args!("{}\n", verdict.to_markdown()));
            }
        }
        GateFormat::Text => {
            for verdict in verdicts {
                print(format_args!("{}\n", verdict.to_text()));
            }
        }
    }
}

fn inputs(arguments: &args::Gate) -> Result<(Policy, EvidenceSet, Context), ExitCode> {
    let policy = match &arguments.policy {
        None => Policy::builtin(),
        Some(path) => {
            let (name, bytes) = read(path)?;
            Policy::parse(&name, &bytes).map_err(|findings| refused(&name, &bytes, &findings))?
        }
    };
    let trust = match &arguments.trust {
        None => TrustPolicy::default(),
        Some(path) => {
            let (name, bytes) = read(path)?;
            TrustPolicy::parse(&name, &bytes)
                .map_err(|findings| refused(&name, &bytes, &findings))?
        }
    };
    let mut evidence = EvidenceSet::new(trust);
    for path in evidence_files(&arguments.state) {
        let small =
            fs::metadata(&path).is_ok_and(|it| it.is_file() && it.len() <= EVIDENCE_BYTES_MAX);
        match fs::read(&path) {
            Ok(bytes) if small => evidence.read(&path.display().to_string(), &bytes),
            _ => say(format_args!("{}: not read as evidence", path.display())),
        }
    }
    Ok((policy, evidence, context(&arguments.state)))
}

fn read(path: &Path) -> Result<(String, Vec<u8>), ExitCode> {
    let name = path.display().to_string();
    fs::read(path)
        .map(|bytes| (name.clone(), bytes))
        .map_err(|error| fail(USAGE, format!("{name}: {error}")))
}

fn refused(name: &str, bytes: &[u8], findings: &nonevent::document::Findings) -> ExitCode {
    say(findings.render(name, &String::from_utf8_lossy(bytes), false));
    ExitCode::from(USAGE)
}

fn evidence_files(state: &Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = fs::read_dir(state.join("evidence")) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "json"));
    paths.sort();
    paths
}

/// What the gate is about: the plan and the runbook in the state folder, where there are any.
fn context(state: &Path) -> Context {
    let plan: Option<Plan> = fs::read(state.join("plan.json"))
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Context {
        plan: plan.as_ref().and_then(|plan| plan.digest().ok()),
        shape: plan.as_ref().and_then(|plan| plan.shape().ok()),
        runbook: fs::read(state.join("runbook.md"))
            .ok()
            .map(|bytes| Digest::of(&bytes)),
        ..Context::at(Clock::new().now())
    }
}
