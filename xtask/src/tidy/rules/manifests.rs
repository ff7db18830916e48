//! Manifests inherit what is the same everywhere, and describe the crate.

use super::super::package::Package;
use super::super::{Repo, Violation};

const INHERITED: &[&str] = &["version", "edition", "rust-version", "license", "publish"];

pub(super) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = Vec::new();
    for package in &repo.packages {
        let mut push = |what: String, todo: String| {
            found.push(Violation::new(&package.path, None, what, todo));
        };
        for field in INHERITED {
            let value = package.field(field).and_then(|f| f.get("workspace"));
            if value.and_then(toml::Value::as_bool) != Some(true) {
                push(
                    format!("{field} is not inherited"),
                    format!("write `{field}.workspace = true`"),
                );
            }
        }
        let lints = package.manifest.get("lints");
        let lints = lints.and_then(|l| l.get("workspace")?.as_bool());
        if lints != Some(true) {
            push(
                "the workspace's lints are not inherited".to_owned(),
                "write `[lints]` and `workspace = true`".to_owned(),
            );
        }
        let name = match &*package.folder {
            "nonevent" | "xtask" => package.folder.clone(),
            folder => format!("nonevent-{folder}"),
        };
        if package.name() != name {
            push(
                format!("folder {} holds package {}", package.folder, package.name()),
                format!("call the package {name}"),
            );
        }
        for field in described(package) {
            push(
                format!("no {field}"),
                format!("say it in `[package]`: {field} = …"),
            );
        }
    }
    found
}

/// The describing fields that are missing or empty.
fn described(package: &Package) -> Vec<&'static str> {
    let fields: &[&str] = match &*package.folder {
        "xtask" => &["description"],
        _ => &["description", "readme", "keywords", "categories"],
    };
    let is_there = |field: &&&str| match package.field(field) {
        Some(toml::Value::String(text)) => !text.is_empty(),
        Some(toml::Value::Array(list)) => !list.is_empty(),
        _ => false,
    };
    fields.iter().filter(|f| !is_there(f)).copied().collect()
}
