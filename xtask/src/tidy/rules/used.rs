//! What a manifest names, the sources use.

use super::super::package::{Dependency, Package, Section};
use super::super::{Repo, Violation};

pub(super) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in &repo.packages {
        for dependency in &package.dependencies {
            let (used, by) = match dependency.section {
                Section::Product => (in_product(repo, package, dependency), ""),
                Section::Dev => (in_text(repo, package, dependency), "the tests of "),
            };
            if !used {
                found.push(Violation::new(
                    &package.path,
                    dependency.line,
                    format!("{} is not used by {by}{}", dependency.name, package.folder),
                    "remove the line",
                ));
            }
        }
    }
    found
}

fn in_product(repo: &Repo, package: &Package, dependency: &Dependency) -> bool {
    let mut sources = repo.sources.iter().filter(|s| s.folder == package.folder);
    sources.any(|s| s.product_tokens().any(|t| t.text == dependency.word))
}

/// Tests use a dependency in code, in documentation and on the crate's page.
fn in_text(repo: &Repo, package: &Package, dependency: &Dependency) -> bool {
    let texts = repo.files.iter().filter(|(path, _)| {
        path.starts_with(&format!("{}/", package.dir))
            && (path.ends_with(".rs") || path.ends_with(".md"))
    });
    texts
        .filter_map(|(_, text)| text.as_deref())
        .any(|text| text.contains(&format!("{}::", dependency.word)))
}
