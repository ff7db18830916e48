//! Names say what is inside.

use std::collections::BTreeMap;

use super::super::law;
use super::super::source::{Source, Token};
use super::super::{Repo, Violation};

pub(super) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = same_program(repo);
    for source in &repo.sources {
        for part in source.inside.trim_end_matches(".rs").split('/') {
            if law::EMPTY_NAMES.contains(&part) {
                found.push(empty_name(source, None, part));
            }
        }
        let tokens = &source.tokens;
        for (at, token) in tokens.iter().enumerate() {
            if token.text == "mod"
                && let Some(name) = tokens.get(at + 1)
                && tokens.get(at + 2).is_some_and(|t| t.text == "{")
                && law::EMPTY_NAMES.contains(&&*name.text)
            {
                found.push(empty_name(source, Some(token.line), &name.text));
            }
            if token.text == "use" && is_public(&tokens[..at]) && is_glob(&tokens[at..]) {
                found.push(Violation::new(
                    &source.path,
                    Some(token.line),
                    "a re-export by glob",
                    "name what is re-exported",
                ));
            }
        }
    }
    found
}

/// Cargo builds the examples of all crates into one folder, where equal names overwrite each other.
fn same_program(repo: &Repo) -> Vec<Violation> {
    let mut seen: BTreeMap<&str, &Source> = BTreeMap::new();
    let mut found = Vec::new();
    for source in &repo.sources {
        let Some(name) = source.example() else {
            continue;
        };
        if let Some(first) = seen.insert(name, source) {
            found.push(Violation::new(
                &source.path,
                None,
                format!("{} is an example called `{name}` too", first.path),
                "call one of them by what it shows",
            ));
        }
    }
    found
}

fn empty_name(source: &Source, line: Option<usize>, name: &str) -> Violation {
    Violation::new(
        &source.path,
        line,
        format!("`{name}` says nothing about what is inside"),
        "name the module by its job",
    )
}

/// Whether the tokens end in `pub` or `pub(…)`.
fn is_public(before: &[Token]) -> bool {
    let before = match before {
        [rest @ .., close] if close.text == ")" => {
            let open = rest.iter().rposition(|t| t.text == "(");
            &rest[..open.unwrap_or(0)]
        }
        rest => rest,
    };
    before.last().is_some_and(|t| t.text == "pub")
}

/// Whether a `*` comes before the `;`.
fn is_glob(from: &[Token]) -> bool {
    from.iter()
        .take_while(|t| t.text != ";")
        .any(|t| t.text == "*")
}
