//! Which crate may import which.

use std::collections::BTreeSet;

use super::super::law::{self, Crate};
use super::super::package::{Package, Section};
use super::super::{Repo, Violation};

pub(super) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in &repo.packages {
        match package.law() {
            Some(row) => edges(package, row, &mut found),
            None => found.push(Violation::new(
                &package.path,
                None,
                format!("no row of the law speaks of crate {}", package.folder),
                "add one to CRATES in xtask/src/tidy/law.rs, with what it may import",
            )),
        }
    }
    found
}

fn edges(package: &Package, row: &'static Crate, found: &mut Vec<Violation>) {
    let direct = imports(row);
    let reached = reach(row);
    for dependency in &package.dependencies {
        let Some(target) = dependency.member() else {
            continue;
        };
        let (allowed, how) = match dependency.section {
            Section::Product => (&direct, "imports"),
            Section::Dev => (&reached, "tests with"),
        };
        if !allowed.contains(target) {
            let allowed: Vec<&str> = allowed.iter().copied().collect();
            let allowed = match &allowed[..] {
                [] => "none of ours".to_owned(),
                some => some.join(", "),
            };
            found.push(Violation::new(
                &package.path,
                dependency.line,
                format!("{} {how} {target}, against the arrows", row.folder),
                format!(
                    "it may use {allowed}; move the code to where the arrow points, or change \
                     the design and its row in xtask/src/tidy/law.rs"
                ),
            ));
        }
    }
}

/// What a crate may import itself.
fn imports(row: &'static Crate) -> BTreeSet<&'static str> {
    let everywhere: &[&str] = match row.folder {
        "xtask" => &[],
        folder if law::EVERYWHERE.contains(&folder) => &[],
        _ => law::EVERYWHERE,
    };
    row.imports.iter().chain(everywhere).copied().collect()
}

/// What a crate's build reaches by any number of arrows.
fn reach(row: &'static Crate) -> BTreeSet<&'static str> {
    let mut reached = imports(row);
    // Rows only import rows above, so one pass from below gathers everything.
    for below in law::CRATES.iter().rev() {
        if reached.contains(below.folder) {
            reached.extend(imports(below));
        }
    }
    reached
}
