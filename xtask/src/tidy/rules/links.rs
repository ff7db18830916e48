//! What a page points at is there.

use super::super::{Repo, Violation};

/// Beginnings that make a word in backticks a path of this repository.
const OURS: &[&str] = &["crates/", "docs/", "fixtures/", "xtask/"];

pub(super) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in &repo.files {
        let is_page = path.ends_with(".md") && !path.starts_with("fixtures/");
        let Some(text) = text.as_deref().filter(|_| is_page) else {
            continue;
        };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut in_code = false;
        for (at, line) in text.lines().enumerate() {
            in_code ^= line.trim_start().starts_with("```");
            if in_code {
                continue;
            }
            let named = spans(line).into_iter().filter(|s| is_path(s));
            let linked = targets(line).filter_map(|t| resolved(folder, t));
            for target in named.map(str::to_owned).chain(linked) {
                if !exists(repo, target.trim_end_matches('/')) {
                    found.push(Violation::new(
                        path,
                        Some(at + 1),
                        format!("points at {target}, which is not there"),
                        "point at where it went, or drop the pointer",
                    ));
                }
            }
        }
    }
    found
}

/// The words in backticks.
fn spans(line: &str) -> Vec<&str> {
    line.split('`').skip(1).step_by(2).collect()
}

fn is_path(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    OURS.iter().any(|start| word.starts_with(start)) && word.chars().all(plain)
}

/// What stands in the round brackets of `[…](…)`.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let parts = line.split("](").skip(1);
    parts.filter_map(|rest| rest.split([')', '#', ' ']).next())
}

/// The path from the root of a target beside a page; none for a web address, a place in the same
/// page or an item of the documentation.
fn resolved(folder: &str, target: &str) -> Option<String> {
    if target.is_empty() || target.contains(':') || !target.contains(['.', '/']) {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// A file, or a folder that holds one.
fn exists(repo: &Repo, path: &str) -> bool {
    let folder = format!("{path}/");
    let below = repo.files.range(folder.clone()..).next();
    repo.files.contains_key(path) || below.is_some_and(|(p, _)| p.starts_with(&folder))
}
