//! Every file and every crate says what it is for.

use super::super::package::Package;
use super::super::source::{Place, Source};
use super::super::{Repo, Violation};

/// The code map that names every member.
const MAP: &str = "docs/ARCHITECTURE.md";

pub(super) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in &repo.sources {
        module(repo, source, &mut found);
    }
    for package in &repo.packages {
        if !repo
            .text(MAP)
            .is_some_and(|map| map.contains(&format!("\n| `{}` |", package.folder)))
        {
            found.push(Violation::new(
                MAP,
                None,
                format!("no row of the code map is for {}", package.folder),
                format!("add a row that begins \"| `{}` |\"", package.folder),
            ));
        }
        if package.folder != "xtask" {
            page(repo, package, &mut found);
        }
    }
    found
}

fn module(repo: &Repo, source: &Source, found: &mut Vec<Violation>) {
    let text = repo.text(&source.path).unwrap_or_default();
    if source.inside == "src/lib.rs" {
        if !text.contains("#![doc = include_str!(\"../README.md\")]") {
            found.push(Violation::new(
                &source.path,
                Some(1),
                "the crate's page is not its README",
                "begin with `#![doc = include_str!(\"../README.md\")]`",
            ));
        }
    } else if source.place != Place::Test && !text.trim_start().starts_with("//! ") {
        found.push(Violation::new(
            &source.path,
            Some(1),
            "a file that does not say what it is for",
            "begin with `//! ` and one sentence",
        ));
    }
}

fn page(repo: &Repo, package: &Package, found: &mut Vec<Violation>) {
    let readme = format!("{}/README.md", package.dir);
    let mut push = |what: &str, todo: String| {
        found.push(Violation::new(&readme, None, what, todo));
    };
    match repo.text(&readme) {
        None => push("no crate page", "write what the crate is for".to_owned()),
        Some(text) => {
            let title = format!("# {}\n", package.name());
            if !text.starts_with(&title) {
                push(
                    "the page is not titled with the crate's name",
                    format!("begin with \"{}\"", title.trim_end()),
                );
            }
            if !text.contains("```") {
                push("the page shows no example", "show a working one".to_owned());
            }
            let text = text.to_lowercase();
            if !["does not", "do not", "is not"]
                .iter()
                .any(|no| text.contains(no))
            {
                push(
                    "the page leaves open what the crate does not do",
                    "say what it does not do, and who does".to_owned(),
                );
            }
        }
    }
    let mut sources = repo.sources.iter().filter(|s| s.folder == package.folder);
    if !sources.any(|s| s.example().is_some()) {
        found.push(Violation::new(
            &format!("{}/examples", package.dir),
            None,
            format!("{} has no example program", package.folder),
            "add one that runs without arguments and exits 0",
        ));
    }
}
