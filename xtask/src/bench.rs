//! Finds the benches of all crates and runs those that are named.

use std::path::Path;

use crate::invocation::Invocation;
use crate::{Failure, tidy::Repo};

pub(crate) fn run(root: &Path, args: &[String]) -> Result<(), Failure> {
    let repo = Repo::read(root).map_err(Failure::No)?;
    let benches = benches(&repo);
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
            Invocation::cargo(&["bench", "--package", package, "--bench", name]).run(root)?;
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
