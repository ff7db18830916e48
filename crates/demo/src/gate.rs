//! `gate`.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use nonevent::document::Digest;
use nonevent::driver::{Clock, EvidenceStore, StateDir, all_evidence, read_signing_key};
use nonevent::evidence::{Envelope, SigningKey, TrustPolicy};
use nonevent::gates::{
    Bundle, CollectLimits, Context, EvidenceSet, Phase, Policy, Replayed, Side, Tree, Verdict,
    add_git, collect, evaluate, junit, sarif,
};
use nonevent::strategy::Plan;

use crate::args::{self, GateCommand, GateFormat};
use crate::code::{NO, UNASKED, USAGE, fail, failed, print, say};
use crate::planning::print_json;

/// `nonevent gate`.
pub(crate) fn gate(arguments: &args::Gate) -> ExitCode {
    let answered = match &arguments.command {
        Some(GateCommand::Replay { bundle, format }) => replay(bundle, *format),
        None => ask(arguments),
    };
    match answered {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(NO),
        Err(code) => code,
    }
}

/// Whether every gate that was asked for is open.
fn ask(arguments: &args::Gate) -> Result<bool, ExitCode> {
    let inputs = inputs(arguments)?;
    let policy = &inputs.policy;
    let (root, limits) = (&arguments.project_dir, CollectLimits::default());
    let mut tree = collect(root, policy, &limits).map_err(|error| fail(UNASKED, error))?;
    add_git(&mut tree, root, policy, &limits);
    let mut context = inputs.context;
    context.commit = match tree.git() {
        Some(Ok(facts)) => Some(facts.commit_digest()),
        _ => None,
    };
    let asked: Vec<&str> = match &arguments.phase {
        Some(phase) => vec![phase],
        None => policy.phases().iter().map(Phase::id).collect(),
    };
    let mut verdicts = Vec::new();
    for phase in asked {
        let gate = policy.gate(phase, arguments.side.into());
        let verdict = gate.map(|gate| evaluate(&gate, &tree, &inputs.evidence, &context));
        verdicts.push(verdict.ok_or_else(|| {
            let known: Vec<&str> = policy.phases().iter().map(Phase::id).collect();
            let (name, known) = (policy.name(), known.join(", "));
            fail(
                USAGE,
                format!("no phase {phase:?} in {name}; it has {known}"),
            )
        })?);
    }
    if let Some(path) = &arguments.bundle {
        let text = (inputs.policy_name.as_str(), &inputs.policy_text[..]);
        let bundle = Bundle::of(&verdicts, text, &tree, &inputs.evidence, &context)
            .map_err(|findings| refused("bundle", &[], &findings))?;
        fs::write(path, bundle.to_json())
            .map_err(|error| fail(UNASKED, format!("{}: {error}", path.display())))?;
    }
    let format = if arguments.json {
        GateFormat::Json
    } else {
        arguments.format
    };
    show(&verdicts, format, arguments.all, &inputs.policy_name);
    if let Some(key) = &arguments.sign {
        sign(&verdicts, key, arguments)?;
    }
    Ok(verdicts.iter().all(Verdict::is_passed))
}

/// Puts each verdict, signed, with the state folder's evidence.
fn sign(verdicts: &[Verdict], key: &Path, arguments: &args::Gate) -> Result<(), ExitCode> {
    let key = self::key(key)?;
    let folder = arguments.state.join("evidence");
    let problem = |path: &Path, error: &dyn std::fmt::Display| {
        fail(UNASKED, format!("{}: {error}", path.display()))
    };
    let state = StateDir::open(&arguments.state).map_err(|error| failed(&error))?;
    let mut store = EvidenceStore::open(&state).map_err(|error| failed(&error))?;
    fs::create_dir_all(&folder).map_err(|error| problem(&folder, &error))?;
    for verdict in verdicts {
        let statement = verdict.to_statement(&arguments.verifier);
        let envelope = Envelope::sign(&statement, &key).map_err(|error| fail(UNASKED, error))?;
        let digest = verdict.digest().hex();
        let file = format!(
            "gate-{}-{}.json",
            verdict.phase(),
            digest.get(..16).unwrap_or(&digest)
        );
        let path = folder.join(file);
        store.add(&envelope).map_err(|error| failed(&error))?;
        fs::write(&path, envelope.to_json() + "\n").map_err(|error| problem(&path, &error))?;
        say(format_args!("signed: {}", path.display()));
    }
    Ok(())
}

/// Whether every verdict of a bundle comes out as it did.
fn replay(path: &Path, format: GateFormat) -> Result<bool, ExitCode> {
    let (name, bytes) = read(path)?;
    let bundle = Bundle::parse(&name, &bytes);
    let bundle = bundle.map_err(|findings| refused(&name, &bytes, &findings))?;
    let replayed = bundle.replay();
    let replayed = replayed.map_err(|findings| refused(&name, &bytes, &findings))?;
    let verdicts: Vec<Verdict> = replayed.iter().map(|it| it.verdict.clone()).collect();
    show(&verdicts, format, verdicts.len() > 1, bundle.policy_name());
    for it in &replayed {
        let (phase, now) = (it.verdict.phase(), it.verdict.digest());
        if it.is_same() {
            say(format_args!("{phase}: the same verdict, {now}"));
        } else {
            let before = it.recorded;
            say(format_args!(
                "{phase}: ANOTHER verdict, {now}; the bundle says {before}"
            ));
        }
    }
    Ok(!replayed.is_empty() && replayed.iter().all(Replayed::is_same))
}

impl From<args::GateSide> for Side {
    fn from(side: args::GateSide) -> Side {
        match side {
            args::GateSide::Entry => Side::Entry,
            args::GateSide::Exit => Side::Exit,
            args::GateSide::Both => Side::Both,
        }
    }
}

fn show(verdicts: &[Verdict], format: GateFormat, all: bool, policy: &str) {
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
        GateFormat::Sarif => print_json(&sarif(verdicts, policy)),
        GateFormat::Junit => print(junit(verdicts)),
    }
}

/// What a gate is asked with.
struct Inputs {
    policy: Policy,
    policy_name: String,
    policy_text: Vec<u8>,
    evidence: EvidenceSet,
    context: Context,
}

fn inputs(arguments: &args::Gate) -> Result<Inputs, ExitCode> {
    let (policy, policy_name, policy_text) = policy(arguments.policy.as_deref())?;
    let trust = match &arguments.trust {
        None => TrustPolicy::default(),
        Some(path) => trust(path)?,
    };
    let evidence = all_evidence(&arguments.state, trust);
    let (evidence, passed_over) = evidence.map_err(|error| failed(&error))?;
    for path in passed_over {
        say(format_args!("{}: not read as evidence", path.display()));
    }
    Ok(Inputs {
        policy,
        policy_name,
        policy_text,
        evidence,
        context: context(arguments)?,
    })
}

/// The policy of a file, or the built-in one, with its name and text.
pub(crate) fn policy(path: Option<&Path>) -> Result<(Policy, String, Vec<u8>), ExitCode> {
    let (name, text) = match path {
        None => (
            "builtin.yaml".to_owned(),
            Policy::builtin_text().as_bytes().to_vec(),
        ),
        Some(path) => read(path)?,
    };
    let policy =
        Policy::parse(&name, &text).map_err(|findings| refused(&name, &text, &findings))?;
    Ok((policy, name, text))
}

pub(crate) fn key(path: &Path) -> Result<SigningKey, ExitCode> {
    read_signing_key(path).map_err(|error| failed(&error))
}

pub(crate) fn plan(path: &Path) -> Result<Plan, ExitCode> {
    let (name, bytes) = read(path)?;
    let plan = serde_json::from_slice(&bytes);
    plan.map_err(|error| fail(USAGE, format!("{name} is no plan: {error}")))
}

pub(crate) fn trust(path: &Path) -> Result<TrustPolicy, ExitCode> {
    let (name, bytes) = read(path)?;
    TrustPolicy::parse(&name, &bytes).map_err(|findings| refused(&name, &bytes, &findings))
}

/// The commit that is checked out at `root`, as the subject of evidence, if there is one.
pub(crate) fn commit(root: &Path, policy: &Policy) -> Option<Digest> {
    let mut tree = Tree::new();
    add_git(&mut tree, root, policy, &CollectLimits::default());
    let facts = tree.git()?.as_ref().ok()?;
    Some(facts.commit_digest())
}

/// The digest that a text gives, or that of the file it names.
pub(crate) fn artifact(named: &str) -> Result<Digest, ExitCode> {
    if let Ok(digest) = named.parse() {
        return Ok(digest);
    }
    let problem = |error: std::io::Error| {
        let text = format!("{named}: neither a digest, such as sha256:…, nor a file: {error}");
        fail(USAGE, text)
    };
    let mut file = fs::File::open(named).map_err(problem)?;
    Digest::of_stream(|piece| file.read(piece)).map_err(problem)
}

pub(crate) fn read(path: &Path) -> Result<(String, Vec<u8>), ExitCode> {
    let name = path.display().to_string();
    fs::read(path)
        .map(|bytes| (name.clone(), bytes))
        .map_err(|error| fail(USAGE, format!("{name}: {error}")))
}

fn refused(name: &str, bytes: &[u8], findings: &nonevent::document::Findings) -> ExitCode {
    say(findings.render(name, &String::from_utf8_lossy(bytes), false));
    ExitCode::from(USAGE)
}

/// What a runbook's page is known by; what is no text, by its bytes.
pub(crate) fn page_digest(bytes: &[u8]) -> Digest {
    match std::str::from_utf8(bytes) {
        Ok(page) => nonevent::runbook::page_digest(page),
        Err(_) => Digest::of(bytes),
    }
}

/// What the gate is about: what the command line names, or the plan and the runbook in the state
/// folder, where there are any.
fn context(arguments: &args::Gate) -> Result<Context, ExitCode> {
    let kept = |name: &str| fs::read(arguments.state.join(name)).ok();
    let plan: Option<Plan> = match &arguments.plan {
        Some(path) => Some(plan(path)?),
        None => kept("plan.json").and_then(|bytes| serde_json::from_slice(&bytes).ok()),
    };
    let runbook = match &arguments.runbook {
        Some(path) => Some(read(path)?.1),
        None => kept("runbook.md"),
    };
    let artifact = arguments.artifact.as_deref().map(artifact);
    Ok(Context {
        plan: plan.as_ref().and_then(|plan| plan.digest().ok()),
        shape: plan.as_ref().and_then(|plan| plan.shape().ok()),
        runbook: runbook.map(|bytes| page_digest(&bytes)),
        artifact: artifact.transpose()?,
        ..Context::at(Clock::new().now())
    })
}
