//! The top of the repository stays clear.

use std::collections::BTreeSet;

use super::super::{Repo, Violation, law};

pub(super) fn check(repo: &Repo) -> Vec<Violation> {
    let names: BTreeSet<&str> = repo
        .files
        .keys()
        .filter_map(|path| path.split('/').next())
        .collect();
    names
        .into_iter()
        .filter(|name| !law::TOP.contains(name))
        .map(|name| {
            Violation::new(
                name,
                None,
                "not one of the agreed names at the top",
                "move it below docs/, fixtures/ or its crate; if every tool looks for it here, \
                 add it to TOP in xtask/src/tidy/law.rs",
            )
        })
        .collect()
}
