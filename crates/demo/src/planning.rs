//! `plan` and `prove`, and the reading of the document that they and `check` begin with.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use nonevent::document::{Document, Findings, Limits, Severity, format_duration_ms};
use nonevent::driver::{PlanRow, Prepared, StateDir, Wanted, observe, plan_table, prepare};
use nonevent::rollout::{Answer, FaultModel, ProofLimits, StoryLine};
use nonevent::strategy::{Plan, diff, replan};
use serde_json::json;

use crate::args;
use crate::code::{NO, UNASKED, USAGE, fail, failed, print, say};
use crate::wrap::{hanging, wrapped};

/// A document's text, and what it was made into.
pub(crate) struct Read {
    name: String,
    text: String,
    is_text: bool,
    prepared: Result<Prepared, Findings>,
}

/// Reads and plans a document, whatever there is to say against it; the exit status if there is no
/// such file.
pub(crate) fn open(file: &Path, wanted: &Wanted) -> Result<Read, ExitCode> {
    let name = file.display().to_string();
    let bytes = fs::read(file).map_err(|error| fail(USAGE, format!("{name}: {error}")))?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    // Text that is no YAML or JSON at all is wrong usage; findings about its content are an answer.
    let parsed = Document::parse(&name, &bytes, &Limits::default());
    let is_text = parsed.is_ok();
    let base = file.parent().unwrap_or(Path::new("."));
    let prepared = parsed.and_then(|_| prepare(&name, &bytes, base, wanted));
    Ok(Read {
        name,
        text,
        is_text,
        prepared,
    })
}

/// The same; the exit status if its text cannot even be read.
pub(crate) fn read(file: &Path, wanted: &Wanted) -> Result<Read, ExitCode> {
    let read = open(file, wanted)?;
    match &read.prepared {
        Err(findings) if !read.is_text => {
            say(read.render(findings));
            Err(ExitCode::from(USAGE))
        }
        _ => Ok(read),
    }
}

impl Read {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the text is YAML or JSON, whatever it says.
    pub(crate) const fn is_text(&self) -> bool {
        self.is_text
    }

    pub(crate) fn findings(&self) -> &Findings {
        match &self.prepared {
            Ok(prepared) => prepared.checked.findings(),
            Err(findings) => findings,
        }
    }

    pub(crate) fn render(&self, findings: &Findings) -> String {
        findings.render(&self.name, &self.text, color())
    }

    /// The plan, or the findings on standard error.
    pub(crate) fn plan(&self) -> Result<&Prepared, ExitCode> {
        match &self.prepared {
            Ok(prepared) => Ok(prepared),
            Err(findings) => {
                say(self.render(findings));
                Err(ExitCode::from(NO))
            }
        }
    }

    /// All that was made of the document, or the findings on standard error.
    pub(crate) fn into_prepared(self) -> Result<Prepared, ExitCode> {
        self.plan()?;
        self.prepared.map_err(|_| ExitCode::from(NO))
    }
}

/// Whether standard error takes colours.
pub(crate) fn color() -> bool {
    use std::io::IsTerminal as _;
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// How many findings there are of each weight: `1 error, 0 warnings, 2 notes`.
pub(crate) fn counted(findings: &Findings) -> String {
    let of = |severity, name: &str| {
        let of_it = findings.iter().filter(|it| it.severity == severity);
        match of_it.count() {
            1 => format!("1 {name}"),
            other => format!("{other} {name}s"),
        }
    };
    let counts = [
        of(Severity::Error, "error"),
        of(Severity::Warning, "warning"),
        of(Severity::Note, "note"),
    ];
    counts.join(", ")
}

/// `nonevent plan`.
pub(crate) fn plan(arguments: &args::Plan) -> ExitCode {
    let source = &arguments.document.source;
    let read = match read(&source.file, &source.wanted()) {
        Ok(read) => read,
        Err(code) => return code,
    };
    let prepared = match read.plan() {
        Ok(prepared) => prepared,
        Err(code) => return code,
    };
    let observed = match arguments.observe.then(|| observed(arguments, prepared)) {
        Some(Err(code)) => return code,
        Some(Ok(plan)) => Some(plan),
        None => None,
    };
    let plan = observed.as_ref().unwrap_or(&prepared.plan);
    if let Some(earlier) = &arguments.since {
        return changes(earlier, plan, arguments.document.json);
    }
    if arguments.document.json {
        print_json(plan);
        return ExitCode::SUCCESS;
    }
    let (digest, shape) = match (plan.digest(), plan.shape()) {
        (Ok(digest), Ok(shape)) => (digest, shape),
        (Err(error), _) | (_, Err(error)) => return fail(USAGE, error),
    };
    print(format_args!(
        "{} {} → {} in {} ({})\nplan  {}\nshape {}\n\n{}",
        plan.service,
        plan.release.from,
        plan.release.to,
        plan.environment,
        plan.strategy,
        digest,
        shape,
        table(&plan_table(plan))
    ));
    ExitCode::SUCCESS
}

/// The plan for the fleet as it is. Where it is not as the document declares it, what that changes is
/// said on standard error.
fn observed(arguments: &args::Plan, prepared: &Prepared) -> Result<Plan, ExitCode> {
    let state = StateDir::existing(&arguments.place.state).map_err(|error| failed(&error))?;
    let runtime = crate::deploy::runtime()?;
    let found = runtime
        .block_on(observe(&state))
        .map_err(|error| failed(&error))?;
    let Err(misfit) = prepared.plan.fits(&found) else {
        return Ok(prepared.plan.clone());
    };
    say(&misfit);
    let plan = replan(&prepared.checked, &found, &prepared.plan).map_err(|cannot| {
        say(&cannot);
        ExitCode::from(NO)
    })?;
    say(format_args!(
        "planned anew:\n{}",
        diff(&prepared.plan, &plan)
    ));
    Ok(plan)
}

/// What changed since an earlier plan.
fn changes(earlier: &Path, plan: &Plan, json: bool) -> ExitCode {
    let name = earlier.display();
    let read = fs::read(earlier).map_err(|error| error.to_string());
    let old: Plan = match read
        .and_then(|bytes| serde_json::from_slice(&bytes).map_err(|error| error.to_string()))
    {
        Ok(old) => old,
        Err(error) => return fail(USAGE, format!("{name}: {error}")),
    };
    if let Err(error) = old.validate() {
        return fail(USAGE, format!("{name}: {error}"));
    }
    let changes = diff(&old, plan);
    if json {
        print_json(&changes);
    } else {
        print(format_args!("{changes}"));
    }
    ExitCode::SUCCESS
}

/// A plan's steps as a table.
pub(crate) fn table(rows: &[PlanRow]) -> String {
    let width = rows.iter().map(|row| row.step.chars().count()).max();
    let width = width.unwrap_or(0).max(20);
    let mut text = format!(
        "{:>4}  {:<width$} {:>9}  {:>6} {:>6}  {:>8}  {:>9}  {:>9}\n",
        "step", "", "canary", "stable", "canary", "watches", "at most", "back in"
    );
    for (index, row) in rows.iter().enumerate() {
        text.push_str(&format!(
            "{:>4}  {:<width$} {:>9}  {:>6} {:>6}  {:>8}  {:>9}  {:>9}\n",
            index + 1,
            row.step,
            row.traffic,
            row.stable,
            row.canary,
            row.for_ms.map(format_duration_ms).unwrap_or_default(),
            format_duration_ms(row.deadline_ms),
            match row.no_return {
                true => "none".to_owned(),
                false => format_duration_ms(row.back_within_ms),
            },
        ));
    }
    text
}

/// `nonevent prove`.
pub(crate) fn prove(arguments: &args::Prove) -> ExitCode {
    let read = match read(
        &arguments.document.source.file,
        &arguments.document.source.wanted(),
    ) {
        Ok(read) => read,
        Err(code) => return code,
    };
    let prepared = match read.plan() {
        Ok(prepared) => prepared,
        Err(code) => return code,
    };
    let faults = FaultModel {
        combined: arguments.faults,
    };
    let limits = ProofLimits {
        states_max: arguments.states_max,
    };
    let began = Instant::now();
    let answer = match nonevent::rollout::prove(&prepared.plan, faults, limits) {
        Ok(answer) => answer,
        Err(error) => return fail(USAGE, error),
    };
    let took = began.elapsed().as_secs_f64();
    if arguments.document.json {
        print_json(&proof_json(&answer, arguments.faults, took));
    } else {
        let within_ms = prepared.plan.rollback.within_ms;
        print(proof_text(&answer, took, within_ms, arguments.explain));
    }
    match answer {
        Answer::Holds(_) => ExitCode::SUCCESS,
        Answer::Refuted(_) => ExitCode::from(NO),
        Answer::Undecided(_) => ExitCode::from(UNASKED),
    }
}

/// The answer first; what it rests on is shown where it is asked for.
fn proof_text(answer: &Answer, took: f64, within_ms: u64, explain: bool) -> String {
    let mut text = match answer {
        Answer::Undecided(undecided) => return format!("not decided: {}\n", undecided.reason),
        Answer::Refuted(example) => {
            let broken = example.property.sentence();
            let mut text = wrapped(&format!("not safe: it is not so that {broken}"));
            text += &run(&example.story);
            text + &wrapped(&format!("what removes it: {}", example.property.remedy()))
        }
        Answer::Holds(proof) => {
            let mut text = format!(
                "proved: {} states and {} transitions in {took:.2} s, {} faults combined\n",
                proof.states, proof.transitions, proof.faults
            );
            for result in &proof.properties {
                text += &hanging("  holds: ", result.property.sentence(), 9);
            }
            text += &format!(
                "worst time to recover: {} (rollback.within is {})",
                format_duration_ms(proof.worst_recovery_ms),
                format_duration_ms(within_ms)
            );
            match explain {
                true => text + ", on this run\n" + &run(&proof.worst_recovery),
                false => text + "\n",
            }
        }
    };
    if !explain {
        text += "--explain shows the faults that may happen and what is taken for granted\n";
        return text;
    }
    text += "faults that may happen\n";
    for fault in FaultModel::FAULTS {
        text += &hanging("  ", fault, 4);
    }
    text += "taken for granted\n";
    for assumption in FaultModel::ASSUMPTIONS {
        text += &hanging("  ", assumption, 4);
    }
    text
}

/// A run, with what does not fit on a line under what happened.
fn run(story: &[StoryLine]) -> String {
    let mut text = String::new();
    for line in story {
        let line = line.to_string();
        let words = line.trim_start();
        let first = " ".repeat(2 + line.len() - words.len());
        text += &hanging(&first, words, 17);
    }
    text
}

fn proof_json(answer: &Answer, faults: u8, took: f64) -> serde_json::Value {
    let rate = |states: u64| (states as f64 / took.max(1e-6)).round();
    match answer {
        Answer::Holds(proof) => json!({
            "decided": true,
            "holds": true,
            "plan": proof.plan,
            "states": proof.states,
            "transitions": proof.transitions,
            "states_per_second": rate(proof.states),
            "depth": proof.depth,
            "worst_recovery_ms": proof.worst_recovery_ms,
            "worst_recovery": proof.worst_recovery,
            "faults": { "combined": proof.faults, "kinds": FaultModel::FAULTS },
            "assumptions": FaultModel::ASSUMPTIONS,
            "properties": proof.properties,
        }),
        Answer::Refuted(example) => json!({
            "decided": true,
            "holds": false,
            "plan": example.plan,
            "states": example.states,
            "property": example.property,
            "story": example.story,
            "faults": { "combined": faults, "kinds": FaultModel::FAULTS },
        }),
        Answer::Undecided(undecided) => json!({
            "decided": false,
            "plan": undecided.plan,
            "states": undecided.states,
            "reason": undecided.reason,
        }),
    }
}

/// One JSON document on standard output.
pub(crate) fn print_json(value: &impl serde::Serialize) {
    match serde_json::to_string_pretty(value) {
        Ok(text) => print(format_args!("{text}\n")),
        Err(error) => say(error),
    }
}
