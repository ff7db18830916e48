//! A file can be read in one sitting.

use super::super::source::Place;
use super::super::{Repo, Violation, law};

pub(super) fn check(repo: &Repo) -> Vec<Violation> {
    let mut found = Vec::new();
    for source in repo.sources.iter().filter(|s| s.place != Place::Test) {
        let lines = source.code_lines();
        if lines > law::CODE_LINES_MAX {
            found.push(Violation::new(
                &source.path,
                None,
                format!("{lines} lines of code, of {} at most", law::CODE_LINES_MAX),
                "split it where its jobs part",
            ));
        }
    }
    found
}
