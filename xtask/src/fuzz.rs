//! Runs the fuzz targets of the workspace in `fuzz`.

use std::path::Path;

use crate::Failure;
use crate::invocation::Invocation;

/// A target of `fuzz/targets`.
struct Target {
    name: &'static str,
    /// What it may be seeded with besides `fixtures/fuzz/NAME`.
    seeds: &'static [&'static str],
    /// The words it is written in, if there is such a list.
    words: Option<&'static str>,
}

const TARGETS: &[Target] = &[
    Target {
        name: "document",
        seeds: &[
            "fixtures/deployment",
            "fixtures/deployment/bad",
            "fixtures/document/bad",
        ],
        words: Some("fixtures/fuzz/document.dict"),
    },
    Target {
        name: "quantities",
        seeds: &[],
        words: None,
    },
    Target {
        name: "bounds",
        seeds: &[],
        words: None,
    },
    Target {
        name: "flags_flagd",
        seeds: &["fixtures/flags/flagd"],
        words: None,
    },
    Target {
        name: "flags_growthbook",
        seeds: &["fixtures/flags/growthbook"],
        words: None,
    },
    Target {
        name: "flags_launchdarkly",
        seeds: &["fixtures/flags/launchdarkly"],
        words: None,
    },
    Target {
        name: "flags_plain",
        seeds: &["fixtures/flags/plain"],
        words: None,
    },
    Target {
        name: "flags_ufc",
        seeds: &["fixtures/flags/ufc"],
        words: None,
    },
    Target {
        name: "flags_unleash",
        seeds: &["fixtures/flags/unleash"],
        words: None,
    },
    Target {
        name: "runbook",
        seeds: &[],
        words: None,
    },
];

const RUNS_DEFAULT: u64 = 1_000_000;

/// One input may take this long, in seconds; a larger one is a finding like a panic.
const INPUT_SECONDS_MAX: u32 = 10;

/// Memory of the whole process, in MiB, most of it the fuzzer's own.
const MEMORY_MIB_MAX: u32 = 2_048;

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), Failure> {
    let (targets, runs) = chosen(args)?;
    let present = Invocation::cargo(&["+nightly", "fuzz", "--version"]).run(root);
    present.map_err(|_| {
        Failure::No(
            "fuzzing takes a nightly compiler (rustup toolchain install nightly) and cargo-fuzz \
             (cargo install cargo-fuzz)"
                .to_owned(),
        )
    })?;
    for target in targets {
        // What is found on the way is kept for the next run, and is not committed.
        let corpus = format!("fuzz/corpus/{}", target.name);
        std::fs::create_dir_all(root.join(&corpus))
            .map_err(|e| Failure::No(format!("{corpus}: {e}")))?;
        invocation(target, &corpus, runs).run(root)?;
    }
    Ok(())
}

fn chosen(args: &[String]) -> Result<(Vec<&'static Target>, u64), Failure> {
    let (mut targets, mut runs) = (Vec::new(), RUNS_DEFAULT);
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        if arg == "--runs" {
            let number = rest.next().and_then(|n| n.parse().ok());
            let why = || Failure::Usage("--runs takes a number".to_owned());
            runs = number.ok_or_else(why)?;
            continue;
        }
        let known: Vec<&str> = TARGETS.iter().map(|t| t.name).collect();
        let target = TARGETS.iter().find(|t| t.name == arg).ok_or_else(|| {
            let known = known.join(", ");
            Failure::Usage(format!("there is no target {arg:?}, only {known}"))
        })?;
        targets.push(target);
    }
    if targets.is_empty() {
        targets = TARGETS.iter().collect();
    }
    Ok((targets, runs))
}

fn invocation(target: &Target, corpus: &str, runs: u64) -> Invocation {
    // Without the address sanitizer, which makes it ten times slower: there is no `unsafe` whose
    // slips it would find. Overflows are checked for all the same.
    let mut command = Invocation::cargo(&["+nightly", "fuzz", "run", "--fuzz-dir", "fuzz"])
        .arg("--sanitizer=none")
        .arg(target.name)
        .arg(corpus)
        .arg(&format!("fixtures/fuzz/{}", target.name));
    for seeds in target.seeds {
        command = command.arg(seeds);
    }
    command = command
        .arg("--")
        .arg(&format!("-runs={runs}"))
        .arg(&format!("-timeout={INPUT_SECONDS_MAX}"))
        .arg(&format!("-rss_limit_mb={MEMORY_MIB_MAX}"))
        .arg("-print_final_stats=1");
    match target.words {
        Some(words) => command.arg(&format!("-dict={words}")),
        None => command,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn the_targets_are_those_of_the_workspace() {
        let manifest: toml::Table = include_str!("../../fuzz/Cargo.toml")
            .parse()
            .expect("the manifest is TOML");
        let named = manifest["bin"].as_array().expect("a list of targets");
        let named: Vec<_> = named.iter().map(|bin| bin["name"].as_str()).collect();
        let ours: Vec<_> = TARGETS.iter().map(|t| Some(t.name)).collect();
        assert_eq!(named, ours);
    }

    #[test]
    fn targets_and_runs_are_chosen_in_any_order() {
        let chosen = |words: &[&str]| match chosen(&args(words)) {
            Ok((targets, runs)) => {
                let names: Vec<&str> = targets.iter().map(|t| t.name).collect();
                Some((names.join(" "), runs))
            }
            Err(_) => None,
        };
        let all = TARGETS
            .iter()
            .map(|it| it.name)
            .collect::<Vec<_>>()
            .join(" ");
        assert!(all.starts_with("document quantities bounds flags_flagd "));
        assert_eq!(chosen(&[]), Some((all, RUNS_DEFAULT)));
        let one = Some(("document".to_owned(), 5));
        assert_eq!(chosen(&["document", "--runs", "5"]), one);
        assert_eq!(chosen(&["--runs", "5", "document"]), one);
        for wrong in [&["documents"][..], &["--runs"], &["--runs", "many"]] {
            assert_eq!(chosen(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_run_is_limited_in_time_and_memory() {
        let text = invocation(&TARGETS[1], "fuzz/corpus/quantities", 7).to_string();
        assert_eq!(
            text,
            "cargo +nightly fuzz run --fuzz-dir fuzz --sanitizer=none quantities \
             fuzz/corpus/quantities fixtures/fuzz/quantities -- -runs=7 -timeout=10 -rss_limit_mb=2048 \
             -print_final_stats=1"
        );
    }
}
