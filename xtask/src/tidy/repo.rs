//! The repository as a value: every file that git would commit, its packages and its sources.
//!
//! Rules only ever see this model, so a rule is tried on a few lines of text in memory just as
//! on the real tree.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use super::package::Package;
use super::source::{self, Source};
use super::{Violation, law};

/// All that the rules look at.
pub(crate) struct Repo {
    /// Path from the root, with `/`, to the text; `None` where the bytes are not UTF-8.
    pub(crate) files: BTreeMap<String, Option<String>>,
    /// The root manifest.
    pub(crate) workspace: toml::Table,
    /// The members, by folder.
    pub(crate) packages: Vec<Package>,
    /// Every Rust file of a member.
    pub(crate) sources: Vec<Source>,
    /// Manifests and sources that could not be read.
    pub(crate) unreadable: Vec<Violation>,
}

impl Repo {
    /// Reads the working tree: what git tracks, and what it would add.
    ///
    /// # Errors
    ///
    /// A sentence, when git cannot be asked or a file cannot be read.
    pub(crate) fn read(root: &Path) -> Result<Repo, String> {
        // A checkout made by another user is still ours to read: a CI job often runs as root.
        let listing = Command::new("git")
            .current_dir(root)
            .args(["-c", "safe.directory=*", "ls-files", "-z"])
            .args(["--cached", "--others", "--exclude-standard"])
            .output()
            .map_err(|e| format!("git cannot be started ({e}): install git"))?;
        if !listing.status.success() {
            return Err(format!(
                "git cannot list the files of {}: {}",
                root.display(),
                String::from_utf8_lossy(&listing.stderr).trim()
            ));
        }
        let mut files = BTreeMap::new();
        for name in String::from_utf8_lossy(&listing.stdout).split('\0') {
            let path = root.join(name);
            // Deleted but not yet committed, or a symbolic link to a folder: nothing to read.
            if name.is_empty() || !path.is_file() {
                continue;
            }
            let bytes = std::fs::read(&path).map_err(|e| format!("{name}: {e}"))?;
            files.insert(name.to_owned(), String::from_utf8(bytes).ok());
        }
        Ok(Repo::new(files))
    }

    /// The model of these files.
    pub(crate) fn new(files: BTreeMap<String, Option<String>>) -> Repo {
        let mut unreadable = Vec::new();
        let mut packages = Vec::new();
        let mut workspace = toml::Table::new();
        for (path, text) in &files {
            let is_root = path == "Cargo.toml";
            let Some(dir) = path.strip_suffix("/Cargo.toml").or(is_root.then_some("")) else {
                continue;
            };
            if !is_root && !law::is_member_dir(dir) {
                continue;
            }
            match text.as_deref().unwrap_or_default().parse::<toml::Table>() {
                Ok(table) if is_root => workspace = table,
                Ok(table) => packages.push(Package::new(dir, table, text.as_deref())),
                Err(e) => unreadable.push(Violation::new(
                    path,
                    None,
                    format!("not TOML: {}", e.message()),
                    "mend the manifest",
                )),
            }
        }
        let mut sources = Vec::new();
        for package in &packages {
            let prefix = format!("{}/", package.dir);
            for (path, text) in files.range(prefix.clone()..) {
                let Some(inside) = path.strip_prefix(&prefix) else {
                    break;
                };
                if !inside.ends_with(".rs") {
                    continue;
                }
                match Source::read(path, inside, &package.folder, text.as_deref()) {
                    Ok(source) => sources.push(source),
                    Err(violation) => unreadable.push(violation),
                }
            }
        }
        source::mark_test_modules(&mut sources);
        Repo {
            files,
            workspace,
            packages,
            sources,
            unreadable,
        }
    }

    /// The text of one file, if it is there and is text.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path)?.as_deref()
    }

    /// The member in the folder of this name.
    pub(crate) fn package(&self, folder: &str) -> Option<&Package> {
        self.packages.iter().find(|p| p.folder == folder)
    }

    /// `[workspace.dependencies]`.
    pub(crate) fn pinned(&self) -> toml::Table {
        self.workspace
            .get("workspace")
            .and_then(|w| w.get("dependencies"))
            .and_then(toml::Value::as_table)
            .cloned()
            .unwrap_or_default()
    }
}
