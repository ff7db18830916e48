//! Finds the benches of all crates and runs those that are named.
//!
//! One more, `flags`, races the flag engine against vendors' own. It has a workspace and a lock file
//! of its own, for what it depends on.

use std::path::Path;

use crate::invocation::Invocation;
use crate::{Failure, tidy::Repo};

/// The package of the race between flag engines, and what runs it.
const PEERS: &str = "nonevent-peers";
const PEERS_RUN: [&str; 6] = [
    "run",
    "--release",
    "--manifest-path",
    "xtask/peers/Cargo.toml",
    "--",
    "bench",
];

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), Failure> {
    let repo = Repo::read(root).map_err(Failure::No)?;
    let mut benches = benches(&repo);
    benches.push((PEERS.to_owned(), "flags".to_owned()));
    if args.is_empty() {
        println!("{} benches", benches.len());
        for (package, name) in &benches {
            println!("  {name}  ({package})");
        }
        return Ok(());
    }
    for wanted in args {
        let found: Vec<_> = benches.iter().filter(|(_, name)| name == wanted).collect();
        if found.is_empty() {
            let why = format!("there is no bench {wanted:?}; `cargo xtask bench` lists them");
            return Err(Failure::Usage(why));
        }
        for (package, name) in found {
            if package == PEERS {
                Invocation::cargo(&PEERS_RUN).run(root)?;
                continue;
            }
            // Some look at what only a feature brings.
            Invocation::cargo(&["bench", "--package", package, "--all-features"])
                .arg("--bench")
                .arg(name)
                .run(root)?;
        }
    }
    Ok(())
}

/// Package and name of every file in a `benches` folder.
fn benches(repo: &Repo) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for package in &repo.packages {
        for source in repo.sources.iter().filter(|s| s.folder == package.folder) {
            let name = source.inside.strip_prefix("benches/");
            let name = name.and_then(|n| n.strip_suffix("/main.rs").or(n.strip_suffix(".rs")));
            if let Some(name) = name.filter(|n| !n.contains('/')) {
                found.push((package.name().to_owned(), name.to_owned()));
            }
        }
    }
    found
}
