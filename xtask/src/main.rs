//! Repository automation: `cargo xtask <task>`.
//!
//! Tasks run cargo and print each command first, so that a failing one can be copied and run
//! again by hand.

mod bench;
mod ci;
mod examples;
mod fuzz;
mod invocation;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use invocation::Invocation;
use tidy::Repo;

/// What a task says when it cannot do what it was asked.
pub(crate) enum Failure {
    /// The answer is no; it has been printed.
    No(String),
    /// The command line is wrong.
    Usage(String),
}

/// One task.
struct Task {
    name: &'static str,
    arguments: &'static str,
    does: &'static str,
    run: fn(&Path, &[String]) -> Result<(), Failure>,
}

const TASKS: &[Task] = &[
    Task {
        name: "ci",
        arguments: "[--require-all]",
        does: "everything a change must pass: fmt, tidy, clippy, each crate alone, docs,\n\
               examples, tests; with --require-all, a missing outside program fails it",
        run: ci::run,
    },
    Task {
        name: "test",
        arguments: "[ARGS]",
        does: "cargo test: every test of the workspace, unless ARGS name a package",
        run: test,
    },
    Task {
        name: "tidy",
        arguments: "",
        does: "the repository's own rules",
        run: |root, args| no_more(args).and_then(|()| hold_rules(root)),
    },
    Task {
        name: "bless",
        arguments: "[ARGS]",
        does: "accept what is now: generated parts of pages, and snapshots (cargo test ARGS)",
        run: bless,
    },
    Task {
        name: "bench",
        arguments: "[NAME...]",
        does: "run benches by name; without a name, list them",
        run: bench::run,
    },
    Task {
        name: "fuzz",
        arguments: "[TARGET] [--runs N]",
        does: "run a fuzz target, or all of them, for N executions (a million)",
        run: fuzz::run,
    },
    Task {
        name: "conformance",
        arguments: "SUITE DIR",
        does: "run a vendor's feature-flag test suite, kept in DIR, against the flags crate",
        run: conformance,
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::No(why)) => {
            eprintln!("xtask: {why}");
            ExitCode::from(1)
        }
        Err(Failure::Usage(why)) => {
            eprintln!("xtask: {why}\n\n{}", help());
            ExitCode::from(2)
        }
    }
}

fn dispatch(args: &[String]) -> Result<(), Failure> {
    let Some((name, rest)) = args.split_first() else {
        return Err(Failure::Usage("name a task".to_owned()));
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        println!("{}", help());
        return Ok(());
    }
    match TASKS.iter().find(|t| t.name == name) {
        Some(task) => (task.run)(&root()?, rest),
        None => Err(Failure::Usage(format!("there is no task {name:?}"))),
    }
}

fn help() -> String {
    let mut text = String::from("usage: cargo xtask TASK\n");
    for task in TASKS {
        let head = format!("{} {}", task.name, task.arguments);
        let does = task.does.replace('\n', &format!("\n{:26}", ""));
        text.push_str(&format!("\n  {head:22}  {does}"));
    }
    text
}

/// The workspace that this task was started in.
///
/// Not the path compiled in: with a shared target folder, the program may have been built for
/// another checkout.
fn root() -> Result<PathBuf, Failure> {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let from = own.or_else(|| std::env::current_dir().ok());
    let mut above = from.iter().flat_map(|f| f.ancestors());
    above
        .find(|dir| dir.join("Cargo.lock").is_file())
        .map(PathBuf::from)
        .ok_or_else(|| Failure::No("no Cargo.lock here or above".to_owned()))
}

fn no_more(args: &[String]) -> Result<(), Failure> {
    match args.first() {
        None => Ok(()),
        Some(extra) => Err(Failure::Usage(format!("{extra:?} is one too many"))),
    }
}

/// Checks the rules and prints every violation.
fn hold_rules(root: &Path) -> Result<(), Failure> {
    let violations = tidy::check(&Repo::read(root).map_err(Failure::No)?);
    for violation in &violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => {
            println!("tidy: {} rules hold", tidy::rule_count());
            Ok(())
        }
        n => Err(Failure::No(format!("tidy: {n} violations"))),
    }
}

fn test(root: &Path, args: &[String]) -> Result<(), Failure> {
    tests(args).run(root)
}

/// `cargo test` with these arguments. All features, since a test or an example that requires one
/// is left out without a word where it is off.
fn tests(args: &[String]) -> Invocation {
    let mut command = Invocation::cargo(&["test"]);
    let cargos = args.iter().take_while(|a| *a != "--");
    let is_choice = |a: &String| a.starts_with("-p") || a.starts_with("--package");
    if !cargos.into_iter().any(is_choice) {
        command = command.arg("--workspace").arg("--all-features");
    }
    args.iter().fold(command, |c, a| c.arg(a))
}

fn bless(root: &Path, args: &[String]) -> Result<(), Failure> {
    let repo = Repo::read(root).map_err(Failure::No)?;
    for path in tidy::bless(root, &repo).map_err(Failure::No)? {
        println!("wrote {path}");
    }
    tests(args).env("INSTA_UPDATE", "always").run(root)
}

fn conformance(root: &Path, args: &[String]) -> Result<(), Failure> {
    let [suite, dir] = args else {
        return Err(Failure::Usage("name a suite and its folder".to_owned()));
    };
    // The folder is the caller's: a path from where they stand.
    let dir = std::path::absolute(dir).map_err(|e| Failure::Usage(format!("{dir}: {e}")))?;
    Invocation::cargo(&["run", "--package", "nonevent-flags", "--release"])
        .arg("--example")
        .arg("conformance")
        .arg("--")
        .arg(suite)
        .arg(&dir.display().to_string())
        .run(root)
}
