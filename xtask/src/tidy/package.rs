//! A member's manifest and its dependencies.

use super::law;

/// One member of the workspace.
pub(crate) struct Package {
    /// Its folder from the root: `crates/page`, or `xtask`.
    pub(crate) dir: String,
    /// The last part of `dir`, which the tables of [`law`] call it by.
    pub(crate) folder: String,
    /// The manifest's path from the root.
    pub(crate) path: String,
    /// The manifest.
    pub(crate) manifest: toml::Table,
    /// Every dependency of every section.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One line of a dependency section.
pub(crate) struct Dependency {
    /// The package's name, also where it is renamed.
    pub(crate) name: String,
    /// What the sources call it.
    pub(crate) word: String,
    /// Which section it stands in.
    pub(crate) section: Section,
    /// What is written after the `=`.
    pub(crate) spec: toml::Value,
    /// Its line in the manifest, from 1, where it was found.
    pub(crate) line: Option<usize>,
}

/// Whose build a dependency enters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Section {
    /// `[dependencies]` and `[build-dependencies]`: whoever uses the crate builds it.
    Product,
    /// `[dev-dependencies]`: tests, examples and benches only.
    Dev,
}

impl Package {
    pub(crate) fn new(dir: &str, manifest: toml::Table, text: Option<&str>) -> Package {
        let mut dependencies = Vec::new();
        read_sections(&manifest, text, &mut dependencies);
        if let Some(targets) = manifest.get("target").and_then(toml::Value::as_table) {
            for target in targets.values().filter_map(toml::Value::as_table) {
                read_sections(target, text, &mut dependencies);
            }
        }
        Package {
            dir: dir.to_owned(),
            folder: dir.rsplit('/').next().unwrap_or(dir).to_owned(),
            path: format!("{dir}/Cargo.toml"),
            manifest,
            dependencies,
        }
    }

    /// `[package]`'s value of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&toml::Value> {
        self.manifest.get("package")?.get(name)
    }

    /// The package's name.
    pub(crate) fn name(&self) -> &str {
        self.field("name")
            .and_then(toml::Value::as_str)
            .unwrap_or_default()
    }

    /// `[features]`, in the order of their names.
    pub(crate) fn features(&self) -> Vec<(String, Vec<String>)> {
        let Some(table) = self.manifest.get("features").and_then(|f| f.as_table()) else {
            return Vec::new();
        };
        let strings = |v: &toml::Value| -> Vec<String> {
            let items = v.as_array().map(Vec::as_slice).unwrap_or_default();
            items
                .iter()
                .filter_map(|i| i.as_str().map(str::to_owned))
                .collect()
        };
        table.iter().map(|(k, v)| (k.clone(), strings(v))).collect()
    }

    /// Its row in [`law::CRATES`].
    pub(crate) fn law(&self) -> Option<&'static law::Crate> {
        law::CRATES.iter().find(|c| c.folder == self.folder)
    }
}

impl Dependency {
    /// The folder of the workspace member it names, if it is one of ours.
    pub(crate) fn member(&self) -> Option<&str> {
        match self.name.strip_prefix("nonevent-") {
            Some(folder) => Some(folder),
            None => (self.name == "nonevent" || self.name == "xtask").then_some(&*self.name),
        }
    }

    /// Whether `key = true` is written in it.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.spec.get(key).and_then(toml::Value::as_bool) == Some(true)
    }

    /// The features it names.
    pub(crate) fn features(&self) -> Vec<&str> {
        features_of(&self.spec)
    }
}

/// The `features` of a dependency's value.
pub(crate) fn features_of(spec: &toml::Value) -> Vec<&str> {
    let list = spec.get("features").and_then(toml::Value::as_array);
    list.map(|l| l.iter().filter_map(toml::Value::as_str).collect())
        .unwrap_or_default()
}

fn read_sections(table: &toml::Table, text: Option<&str>, into: &mut Vec<Dependency>) {
    for (key, section) in [
        ("dependencies", Section::Product),
        ("build-dependencies", Section::Product),
        ("dev-dependencies", Section::Dev),
    ] {
        let Some(entries) = table.get(key).and_then(toml::Value::as_table) else {
            continue;
        };
        for (alias, spec) in entries {
            let renamed = spec.get("package").and_then(toml::Value::as_str);
            into.push(Dependency {
                name: renamed.unwrap_or(alias).to_owned(),
                word: alias.replace('-', "_"),
                section,
                spec: spec.clone(),
                line: text.and_then(|t| line_of_key(t, key, alias)),
            });
        }
    }
}

/// The line of `key` below the first header that ends in `section`, from 1.
pub(crate) fn line_of_key(text: &str, section: &str, key: &str) -> Option<usize> {
    let mut inside = false;
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if let Some(header) = line.strip_prefix('[') {
            let header = header.trim_end_matches(']');
            inside = header == section || header.ends_with(&format!(".{section}"));
        } else if inside
            && line
                .strip_prefix(key)
                .is_some_and(|rest| rest.starts_with([' ', '=', '.']))
        {
            return Some(at + 1);
        }
    }
    None
}
