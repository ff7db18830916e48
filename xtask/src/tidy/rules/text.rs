//! Files tell nothing of the machine they were written on.

use super::super::{Repo, Violation, law};

pub(super) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in &repo.files {
        let Some(text) = text else {
            continue;
        };
        for (at, line) in text.lines().enumerate() {
            for (words, todo) in law::FORBIDDEN_TEXT {
                if speaks_of(line, words) {
                    found.push(Violation::new(
                        path,
                        Some(at + 1),
                        format!("`{words}` has no business here"),
                        *todo,
                    ));
                }
            }
            if path == "Cargo.lock"
                && let Some(source) = line.strip_prefix("source = ")
                && source.trim_matches('"') != law::LOCKED_SOURCE
            {
                found.push(Violation::new(
                    path,
                    Some(at + 1),
                    format!("a package from {source}"),
                    "lock it from the public registry",
                ));
            }
        }
    }
    found
}

/// Whether the words stand in the line; those that are an absolute path, not inside a longer one.
fn speaks_of(line: &str, words: &str) -> bool {
    line.match_indices(words).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '}');
        !(words.starts_with('/') && before.is_some_and(goes_on))
    })
}
