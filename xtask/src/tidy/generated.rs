//! The parts of pages that are printed from the tables and manifests.
//!
//! A part stands between two comments that name it, so a page is written by hand around it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::law::{self, Purity};
use super::rules::RULES;
use super::{Repo, Violation};

/// One part of one page.
struct Part {
    path: &'static str,
    name: &'static str,
    render: fn(&Repo) -> String,
}

const PARTS: &[Part] = &[
    Part {
        path: "docs/ARCHITECTURE.md",
        name: "arrows",
        render: arrows,
    },
    Part {
        path: "docs/ARCHITECTURE.md",
        name: "rules",
        render: rules,
    },
    Part {
        path: "docs/ARCHITECTURE.md",
        name: "dependencies",
        render: dependencies,
    },
    Part {
        path: "crates/nonevent/README.md",
        name: "features",
        render: features,
    },
];

pub(super) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = Vec::new();
    for part in PARTS {
        match current(repo, part) {
            None => found.push(Violation::new(
                part.path,
                None,
                format!("the generated part \"{}\" has no place", part.name),
                format!("write the lines {:?} and {:?}", begin(part), end(part)),
            )),
            Some(text) if text.trim() != (part.render)(repo).trim() => {
                found.push(Violation::new(
                    part.path,
                    None,
                    format!("the generated part \"{}\" is out of date", part.name),
                    "run `cargo xtask bless`",
                ));
            }
            Some(_) => {}
        }
    }
    found
}

/// The pages that would change, with every part written anew.
pub(super) fn refreshed(repo: &Repo) -> BTreeMap<&'static str, String> {
    let mut pages = BTreeMap::new();
    for part in PARTS {
        let Some(was) = repo.text(part.path) else {
            continue;
        };
        let page = pages.entry(part.path).or_insert_with(|| was.to_owned());
        if let Some(new) = replaced(page, part, &(part.render)(repo)) {
            *page = new;
        }
    }
    pages.retain(|path, page| repo.text(path) != Some(&**page));
    pages
}

/// Writes every part anew and names the files that changed.
///
/// # Errors
///
/// A sentence, when a page cannot be written.
pub(crate) fn bless(root: &Path, repo: &Repo) -> Result<Vec<&'static str>, String> {
    let pages = refreshed(repo);
    for (path, page) in &pages {
        std::fs::write(root.join(path), page).map_err(|e| format!("{path}: {e}"))?;
    }
    Ok(pages.into_keys().collect())
}

fn begin(part: &Part) -> String {
    format!("<!-- generated: {} (cargo xtask bless) -->", part.name)
}

fn end(part: &Part) -> String {
    format!("<!-- end of {} -->", part.name)
}

fn current<'a>(repo: &'a Repo, part: &Part) -> Option<&'a str> {
    let (_, rest) = repo.text(part.path)?.split_once(&begin(part))?;
    Some(rest.split_once(&end(part))?.0)
}

fn replaced(text: &str, part: &Part, body: &str) -> Option<String> {
    let (before, rest) = text.split_once(&begin(part))?;
    let (_, after) = rest.split_once(&end(part))?;
    let (begin, end, body) = (begin(part), end(part), body.trim());
    Some(format!("{before}{begin}\n\n{body}\n\n{end}{after}"))
}

fn arrows(_: &Repo) -> String {
    let mut table = String::from("| crate | imports besides | is |\n|---|---|---|\n");
    for row in law::CRATES {
        let imports = row.imports.iter().map(|i| format!("`{i}`"));
        let imports: Vec<String> = imports.collect();
        let is = match row.purity {
            Purity::Pure => "pure".to_owned(),
            Purity::PureBut(edge) => format!("pure but for `{edge}`"),
            Purity::Facade => "re-exports only".to_owned(),
            Purity::Hands => "touches the world".to_owned(),
        };
        line(&mut table, &[row.folder, &imports.join(", "), &is]);
    }
    table
}

fn rules(_: &Repo) -> String {
    let mut table = String::from("| rule | holds that |\n|---|---|\n");
    for rule in RULES {
        line(&mut table, &[&format!("`{}`", rule.name), rule.holds]);
    }
    table
}

fn dependencies(_: &Repo) -> String {
    let mut table =
        String::from("| dependency | lives in | tests also in | for |\n|---|---|---|---|\n");
    let places = |list: &[&str]| match list {
        ["*"] => "any crate".to_owned(),
        list => list.join(", "),
    };
    for row in law::EXTERNALS {
        line(
            &mut table,
            &[
                &format!("`{}`", row.name),
                &places(row.homes),
                &places(row.tests),
                row.why,
            ],
        );
    }
    table
}

fn features(repo: &Repo) -> String {
    let mut table =
        String::from("| feature | module | with features | which |\n|---|---|---|---|\n");
    let Some(facade) = repo.package("nonevent") else {
        return table;
    };
    for (feature, brings) in facade.features() {
        let (crates, features): (Vec<&String>, Vec<&String>) =
            brings.iter().partition(|b| b.starts_with("dep:nonevent-"));
        let crates = crates
            .iter()
            .filter_map(|c| c.strip_prefix("dep:nonevent-"));
        let crates: Vec<String> = crates.map(|c| format!("`{c}`")).collect();
        let features: Vec<String> = features.iter().map(|f| format!("`{f}`")).collect();
        let package = repo.package(&feature);
        let described = package.and_then(|p| p.field("description")?.as_str());
        let cells = [
            &*format!("`{feature}`"),
            &crates.join(", "),
            &features.join(", "),
            described.unwrap_or("what is on unless it is switched off"),
        ];
        line(&mut table, &cells);
    }
    table
}

fn line(table: &mut String, cells: &[&str]) {
    for cell in cells {
        // Writing to a string cannot fail.
        let _ = write!(
            table,
            "| {}{}",
            cell.replace('|', "\\|"),
            if cell.is_empty() { "" } else { " " }
        );
    }
    table.push_str("|\n");
}
