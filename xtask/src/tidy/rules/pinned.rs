//! Versions stand in one place.

use super::super::package::{Dependency, line_of_key};
use super::super::{Repo, Violation, law};

const ROOT: &str = "Cargo.toml";

pub(super) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in &repo.packages {
        for dependency in &package.dependencies {
            if let Some((what, todo)) = fault(dependency) {
                found.push(Violation::new(
                    &package.path,
                    dependency.line,
                    format!("{} {what}", dependency.name),
                    todo,
                ));
            }
        }
    }
    let used = |name: &str| {
        let mut all = repo.packages.iter().flat_map(|p| &p.dependencies);
        all.any(|d| d.name == name)
    };
    for (name, spec) in &repo.pinned() {
        let line = repo
            .text(ROOT)
            .and_then(|t| line_of_key(t, "dependencies", name));
        let mut push =
            |what: String, todo: &str| found.push(Violation::new(ROOT, line, what, todo));
        if !used(name) && !name.starts_with("nonevent") {
            push(
                format!("{name} is pinned, and no member uses it"),
                "remove the line, or the member that wanted it is yet to name it",
            );
            continue;
        }
        let off = spec.get("default-features").and_then(toml::Value::as_bool) == Some(false);
        let listed = law::DEFAULTS_ON.iter().any(|(n, _)| n == name);
        if !off && !listed {
            push(
                format!("{name} has its default features on"),
                "write `default-features = false` and the features that are used, or say in \
                 DEFAULTS_ON in xtask/src/tidy/law.rs why the defaults are right",
            );
        }
        if off && listed {
            push(
                format!("{name} has its default features off, but DEFAULTS_ON lists it"),
                "take its row out of DEFAULTS_ON in xtask/src/tidy/law.rs",
            );
        }
        if spec.get("git").is_some() {
            push(
                format!("{name} comes from a git repository"),
                "use a published version",
            );
        }
        let version = spec.get("version").unwrap_or(spec).as_str();
        if version.is_none_or(|v| v.contains('*')) {
            push(
                format!("{name} has no version"),
                "name the version that is asked for at least",
            );
        }
    }
    found
}

fn fault(dependency: &Dependency) -> Option<(String, String)> {
    for key in ["version", "path", "git"] {
        if dependency.spec.is_str() || dependency.spec.get(key).is_some() {
            return Some((
                "is pinned outside the workspace's manifest".to_owned(),
                format!(
                    "move version and path to `[workspace.dependencies]` and write \
                     `{}.workspace = true`",
                    dependency.name
                ),
            ));
        }
    }
    dependency.has("default-features").then(|| {
        (
            "switches default features on".to_owned(),
            "name the features that are used".to_owned(),
        )
    })
}
