//! Pure crates stay pure.

use super::super::law::{self, Purity};
use super::super::package::{Package, Section, features_of};
use super::super::source::{Place, Source, Token};
use super::super::{Repo, Violation};
use super::homes;

pub(super) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in &repo.packages {
        let edge = match package.law().map(|l| l.purity) {
            Some(Purity::Pure) => None,
            Some(Purity::PureBut(edge)) => Some(edge),
            Some(Purity::Facade | Purity::Hands) | None => continue,
        };
        dependencies(repo, package, edge, &mut found);
        for source in repo.sources.iter().filter(|s| s.folder == package.folder) {
            if source.place == Place::Product && source.inside.starts_with("src/") {
                tokens(source, edge, &mut found);
            }
        }
    }
    found
}

fn dependencies(repo: &Repo, package: &Package, edge: Option<&str>, found: &mut Vec<Violation>) {
    let pinned = repo.pinned();
    for dependency in &package.dependencies {
        if dependency.section != Section::Product || dependency.member().is_some() {
            continue;
        }
        let name = dependency.name.as_str();
        // What only the edge module needs must be left out of a build without it.
        let at_the_edge = edge.is_some() && dependency.has("optional");
        if homes::row(name).is_some_and(|row| !row.pure) && !at_the_edge {
            found.push(Violation::new(
                &package.path,
                dependency.line,
                format!("{} is pure, and {name} is not known to be", package.folder),
                "move what needs it to a crate that may touch the world; if it only computes, say \
                 so in its row in xtask/src/tidy/law.rs",
            ));
        }
        let inherited = pinned.get(name).map(features_of).unwrap_or_default();
        for (of, banned, why) in law::IMPURE_FEATURES {
            for feature in dependency.features().iter().chain(&inherited) {
                if of == &name && banned.contains(feature) && !at_the_edge {
                    found.push(Violation::new(
                        &package.path,
                        dependency.line,
                        format!(
                            "{} is pure, but feature {feature} of {name} {why}",
                            package.folder
                        ),
                        "switch the feature off, here and in `[workspace.dependencies]`",
                    ));
                }
            }
        }
    }
}

fn tokens(source: &Source, edge: Option<&str>, found: &mut Vec<Violation>) {
    if source.inside == "src/lib.rs" && !declares_no_std(source, edge) {
        found.push(Violation::new(
            &source.path,
            None,
            "a pure crate without `#![no_std]`",
            "write `#![no_std]` and `extern crate alloc;`; tests say `extern crate std` themselves",
        ));
    }
    let at_the_edge = edge.is_some_and(|edge| {
        let rest = source.inside.strip_prefix("src/").unwrap_or_default();
        let rest = rest.strip_prefix(edge);
        rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
    });
    if at_the_edge {
        return;
    }
    let tokens: Vec<&Token> = source.product_tokens().collect();
    for (at, token) in tokens.iter().enumerate() {
        let word = |offset: usize| tokens.get(at + offset).map(|t| t.text.as_str());
        let path = token.text == "std" && word(1) == Some(":") && word(2) == Some(":");
        let import = token.text == "std" && at > 0 && tokens[at - 1].text == "crate";
        if path || (import && !edge.is_some_and(|edge| is_gated(&tokens[..at], edge))) {
            found.push(Violation::new(
                &source.path,
                Some(token.line),
                "`std` in a pure crate, outside its tests",
                "use `core` or `alloc`, and take files, times and randomness as arguments",
            ));
        }
    }
}

/// `#![no_std]`; where there is an edge, it may be dropped with the feature that adds the edge,
/// since the build without it is still the compiler's to judge.
fn declares_no_std(source: &Source, edge: Option<&str>) -> bool {
    let mut ways = vec!["#![no_std]".to_owned()];
    ways.extend(edge.map(|e| format!("#![cfg_attr(not(feature=\"{e}\"),no_std)]")));
    let line = |at: usize| -> String {
        let rest = source.tokens[at..].iter();
        let upto = rest.skip(1).take_while(|t| t.depth > 0 || t.text != "#");
        let texts = source.tokens[at..=at].iter().chain(upto).take(16);
        texts.map(|t| t.text.as_str()).collect()
    };
    let mut starts = source.tokens.iter().enumerate();
    starts.any(|(at, token)| {
        token.depth == 0 && token.text == "#" && ways.iter().any(|way| line(at).starts_with(way))
    })
}

/// Whether these tokens end in `#[cfg(feature = "edge")] extern crate`.
fn is_gated(before: &[&Token], edge: &str) -> bool {
    let feature = format!("\"{edge}\"");
    let gate = [
        "#", "[", "cfg", "(", "feature", "=", &feature, ")", "]", "extern", "crate",
    ];
    let Some(from) = before.len().checked_sub(gate.len()) else {
        return false;
    };
    before[from..].iter().map(|t| t.text.as_str()).eq(gate)
}
