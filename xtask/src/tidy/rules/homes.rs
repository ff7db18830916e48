//! Where each dependency from outside may be used.

use super::super::law::{self, External};
use super::super::package::Section;
use super::super::{Repo, Violation};

pub(super) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in &repo.packages {
        for dependency in &package.dependencies {
            if dependency.member().is_some() {
                continue;
            }
            let name = dependency.name.as_str();
            let Some(row) = row(name) else {
                found.push(Violation::new(
                    &package.path,
                    dependency.line,
                    format!("{name} has no home"),
                    "add it to EXTERNALS in xtask/src/tidy/law.rs with where it may be used and why",
                ));
                continue;
            };
            let homes = [row.homes, row.tests];
            let asked = match dependency.section {
                Section::Product => &homes[..1],
                Section::Dev => &homes[..],
            };
            let holds = |list: &&[&str]| list.contains(&"*") || list.contains(&&*package.folder);
            if !asked.iter().any(holds) {
                found.push(Violation::new(
                    &package.path,
                    dependency.line,
                    format!("{name} is not at home in {}: {}", package.folder, row.why),
                    format!(
                        "use it through {}, or change its row in xtask/src/tidy/law.rs",
                        described(row)
                    ),
                ));
            }
        }
    }
    found
}

/// The row of a dependency.
pub(super) fn row(name: &str) -> Option<&'static External> {
    law::EXTERNALS.iter().find(|e| e.name == name)
}

fn described(row: &External) -> String {
    match row.homes {
        [] => "tests only".to_owned(),
        homes => homes.join(", "),
    }
}
