//! Everything a change must pass, cheapest first, stopping at the first failure.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::invocation::Invocation;
use crate::tidy::Repo;
use crate::{Failure, examples, hold_rules, tests, tidy};

/// A program outside the repository that some test asks.
struct Outside {
    program: &'static str,
    /// What cannot be seen without it.
    shows: &'static str,
    /// Debian's package.
    package: &'static str,
}

const OUTSIDE: &[Outside] = &[
    Outside {
        program: "xmllint",
        shows: "that JUnit reports meet their schema",
        package: "libxml2-utils",
    },
    Outside {
        program: "python3",
        shows: "that smoke suites get the verdicts of a loop over urllib",
        package: "python3",
    },
    Outside {
        program: "cmark-gfm",
        shows: "that no value changes a runbook's structure in GitHub's own renderer",
        package: "cmark-gfm",
    },
    Outside {
        program: "pip3",
        shows: "that in-toto for Python and we verify each other's envelopes",
        package: "python3-pip",
    },
];

/// What has been done so far.
#[derive(Default)]
struct Ledger {
    steps: Vec<(&'static str, Duration, String)>,
    not_run: Vec<String>,
    /// A test that cannot be run is a failure.
    require_all: bool,
}

type Step = fn(&Path, &mut Ledger) -> Result<String, Failure>;

const STEPS: &[(&str, Step)] = &[
    ("fmt", fmt),
    ("tidy", tidy_step),
    ("clippy", clippy),
    ("alone", alone),
    ("docs", docs),
    ("examples", examples_step),
    ("tests", tests_step),
];

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), Failure> {
    let require_all = match args {
        [] => false,
        [flag] if flag == "--require-all" => true,
        [other, ..] => return Err(Failure::Usage(format!("ci does not know {other:?}"))),
    };
    let mut ledger = Ledger {
        require_all,
        ..Ledger::default()
    };
    for outside in OUTSIDE.iter().filter(|o| !is_installed(o.program)) {
        ledger.not_run.push(format!(
            "{}: {} (apt-get install {})",
            outside.program, outside.shows, outside.package
        ));
    }
    // Known before an hour is spent.
    if require_all && !ledger.not_run.is_empty() {
        let missing = ledger.not_run.join("\n    ");
        return Err(Failure::No(format!(
            "--require-all, and missing:\n    {missing}"
        )));
    }
    let outcome = walk(root, STEPS, &mut ledger);
    print!("{}", summary(&ledger, outcome.is_ok()));
    outcome
}

fn walk(root: &Path, steps: &[(&'static str, Step)], ledger: &mut Ledger) -> Result<(), Failure> {
    for (name, step) in steps {
        println!("\n== {name}");
        let started = Instant::now();
        let outcome = step(root, ledger);
        let note = match &outcome {
            Ok(note) => note.clone(),
            Err(_) => "FAILED".to_owned(),
        };
        ledger.steps.push((name, started.elapsed(), note));
        outcome.map_err(|failure| match failure {
            Failure::No(why) => Failure::No(format!("{name}: {why}")),
            usage @ Failure::Usage(_) => usage,
        })?;
    }
    Ok(())
}

fn summary(ledger: &Ledger, passed: bool) -> String {
    let mut text = String::from("\n== summary\n");
    let mut total = Duration::ZERO;
    for (name, took, note) in &ledger.steps {
        total += *took;
        text += &format!("{name:10} {:7.1} s  {note}\n", took.as_secs_f64());
    }
    for missing in &ledger.not_run {
        text += &format!("not run    {missing}\n");
    }
    let verdict = if passed { "passed" } else { "FAILED" };
    text + &format!("ci {verdict} in {:.1} s\n", total.as_secs_f64())
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

fn fmt(root: &Path, _: &mut Ledger) -> Result<String, Failure> {
    Invocation::cargo(&["fmt", "--all", "--check"]).run(root)?;
    Ok("every file".to_owned())
}

fn tidy_step(root: &Path, _: &mut Ledger) -> Result<String, Failure> {
    println!("$ cargo xtask tidy");
    hold_rules(root)?;
    Ok(format!("{} rules", tidy::rule_count()))
}

fn clippy(root: &Path, _: &mut Ledger) -> Result<String, Failure> {
    linted(&["--workspace", "--all-features", "--all-targets"]).run(root)?;
    Ok("the workspace with all its targets".to_owned())
}

/// Type-checks each crate by itself, with the features of nobody else switched on for it.
///
/// Clippy does what `cargo check` does, and denies what a missing feature leaves unused.
fn alone(root: &Path, _: &mut Ledger) -> Result<String, Failure> {
    let repo = Repo::read(root).map_err(Failure::No)?;
    let mut builds = 0;
    for package in &repo.packages {
        let features = package.features();
        let default = features.iter().find(|(name, _)| name == "default");
        let has_default = default.is_some_and(|(_, brings)| !brings.is_empty());
        let has_more = features.iter().any(|(name, _)| name != "default");
        // Without default features the first build is the default one.
        let mut sets = vec!["--no-default-features"];
        sets.extend(has_default.then_some("--features=default"));
        sets.extend(has_more.then_some("--all-features"));
        for set in sets {
            linted(&["--package", package.name(), set]).run(root)?;
            builds += 1;
        }
    }
    let crates = repo.packages.len();
    Ok(format!(
        "{crates} crates checked, {builds} sets of features"
    ))
}

fn linted(args: &[&str]) -> Invocation {
    let command = args
        .iter()
        .fold(Invocation::cargo(&["clippy"]), |c, a| c.arg(a));
    command.arg("--").arg("-D").arg("warnings")
}

fn docs(root: &Path, _: &mut Ledger) -> Result<String, Failure> {
    Invocation::cargo(&["doc", "--workspace", "--all-features", "--no-deps"])
        .env("RUSTDOCFLAGS", "-D warnings")
        .run(root)?;
    Ok("every crate".to_owned())
}

fn examples_step(root: &Path, ledger: &mut Ledger) -> Result<String, Failure> {
    let (ran, mut not_run) = examples::run(root)?;
    ledger.not_run.append(&mut not_run);
    Ok(format!("{ran} run"))
}

fn tests_step(root: &Path, ledger: &mut Ledger) -> Result<String, Failure> {
    let mut totals = Totals::default();
    // A snapshot that differs is a failure here, and leaves no file behind.
    let mut run = tests(&["--no-fail-fast".to_owned()]).env("INSTA_UPDATE", "no");
    if ledger.require_all {
        run = run.env("NONEVENT_REQUIRE_ALL", "1");
    }
    run.run_lines(root, |line| {
        println!("{line}");
        totals.add(line);
    })?;
    Ok(totals.to_string())
}

/// The test runner's closing lines, added up.
#[derive(Default)]
struct Totals {
    passed: u64,
    ignored: u64,
}

impl Totals {
    /// Takes in `test result: ok. 12 passed; 0 failed; 1 ignored; …`.
    fn add(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else {
            return;
        };
        let count = |what: &str| -> u64 {
            let mut parts = counts.split(['.', ';']).map(str::trim);
            let part = parts.find_map(|p| p.strip_suffix(what));
            part.and_then(|n| n.trim().parse().ok()).unwrap_or(0)
        };
        self.passed += count("passed");
        self.ignored += count("ignored");
    }
}

impl std::fmt::Display for Totals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} ignored", self.passed, self.ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_the_runners_own() {
        let mut totals = Totals::default();
        totals.add("running 3 tests");
        totals.add("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out");
        totals.add("test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out");
        assert_eq!(totals.to_string(), "15 passed, 1 ignored");
    }

    #[test]
    fn the_first_failure_ends_the_walk() {
        let fails: Step = |_, _| {
            Err(Failure::No(
                "exit status: 1; to run it again:\n    x".to_owned(),
            ))
        };
        let steps: &[(&str, Step)] = &[
            ("first", |_, _| Ok("fine".to_owned())),
            ("second", fails),
            ("third", |_, _| panic!("a step ran after a failed one")),
        ];
        let mut ledger = Ledger::default();
        ledger.not_run.push("xmllint: reports".to_owned());
        let Err(Failure::No(why)) = walk(Path::new("."), steps, &mut ledger) else {
            panic!("the second step fails");
        };
        assert_eq!(why, "second: exit status: 1; to run it again:\n    x");
        let text = summary(&ledger, false);
        assert!(text.contains("fine") && text.contains("FAILED"), "{text}");
        assert!(text.contains("not run    xmllint: reports"), "{text}");
        assert!(!text.contains("third"), "{text}");
    }

    #[test]
    fn the_hosted_job_installs_all_that_is_asked_for() {
        let script = include_str!("../../.ci/run");
        for Outside {
            program, package, ..
        } in OUTSIDE
        {
            let entry = format!("\n    {program}:{package}\n");
            assert!(
                script.contains(&entry),
                ".ci/run does not install {program}"
            );
        }
    }
}
