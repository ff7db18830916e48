//! Files that must be there, in number and size.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::Timestamp;
use nonevent_evidence::CLOCK_SKEW_MS;

use crate::checks::content_type::ContentType;
use crate::checks::source::{
    age_in_words, content, listed, not_kept, nothing_found, passed_over, refuse_gaps,
};
use crate::glob::Glob;
use crate::outcome::{Input, Unmet};
use crate::path::{TreePath, visible};
use crate::tree::{Content, Tree};

/// Asks for regular files by name, number and size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilesCheck {
    pub(crate) include: Vec<Glob>,
    pub(crate) ignored: bool,
    pub(crate) min_count: u32,
    /// Bytes that are neither white space nor NUL, in each file that counts.
    pub(crate) min_bytes: u64,
    /// What each file that counts is.
    pub(crate) content_type: Option<ContentType>,
    /// How long ago each file that counts was last changed by a commit.
    pub(crate) max_age_ms: Option<i64>,
}

impl FilesCheck {
    pub(crate) fn asked(&self) -> String {
        let mut asked = format!(
            "at least {} file(s) {} of at least {} solid bytes each",
            self.min_count,
            self.globs(),
            self.min_bytes
        );
        if let Some(wanted) = self.content_type {
            asked.push_str(&format!(", that are {}", wanted.name()));
        }
        if let Some(age) = self.max_age_ms {
            let age = age_in_words(age);
            asked.push_str(&format!(", changed by a commit no longer than {age} ago"));
        }
        asked
    }

    /// Whether it looks into the files.
    pub(crate) const fn looks_into(&self) -> bool {
        self.content_type.is_some() || self.max_age_ms.is_some()
    }

    fn globs(&self) -> String {
        listed(self.include.iter().map(Glob::to_string), self.include.len())
    }

    pub(crate) fn evaluate(
        &self,
        tree: &Tree,
        now: Timestamp,
    ) -> Result<(String, Vec<Input>), Unmet> {
        let selection = tree.select(&self.include, self.ignored);
        refuse_gaps(&selection)?;
        if selection.files.is_empty() {
            return Err(Unmet::fail(nothing_found(&self.globs(), &selection)));
        }
        let mut counted = Vec::new();
        let mut others = Vec::new();
        for (path, entry) in &selection.files {
            let (bytes, input) = content(path, entry)?;
            let Content::Read { solid_bytes, .. } = entry.content else {
                continue;
            };
            if solid_bytes < self.min_bytes {
                others.push(format!("{path} has {solid_bytes} solid bytes"));
                continue;
            }
            if let Some(wanted) = self.content_type {
                let bytes = bytes.ok_or_else(|| not_kept(path))?;
                if let Err(why) = wanted.fits(bytes) {
                    others.push(format!("{path} is no {}: {}", wanted.name(), visible(&why)));
                    continue;
                }
            }
            if let Some(age_max) = self.max_age_ms {
                let changed = last_change(tree, path)?;
                let age = now.ms_since(changed);
                if age < -CLOCK_SKEW_MS {
                    others.push(format!(
                        "{path} was changed at {changed}, which is still to come"
                    ));
                    continue;
                }
                if age > age_max {
                    others.push(format!("{path} was last changed {} ago", age_in_words(age)));
                    continue;
                }
            }
            counted.push(input);
        }
        if counted.len() as u64 >= u64::from(self.min_count) {
            let names = counted.iter().map(|input| input.name.clone());
            return Ok((listed(names, counted.len()), counted));
        }
        let mut found = format!("{} file(s) count", counted.len());
        for more in [
            listed(others.iter().cloned(), others.len()),
            passed_over(&selection),
        ] {
            if !more.is_empty() {
                found.push_str("; ");
                found.push_str(&more);
            }
        }
        Err(Unmet::fail(found))
    }
}

/// When a commit last changed the file as it stands.
fn last_change(tree: &Tree, path: &TreePath) -> Result<Timestamp, Unmet> {
    let facts = super::git::facts(tree)?;
    let changed = facts.last_changes.get(&path.to_string()).copied();
    changed.ok_or_else(|| {
        Unmet::unknown(format!(
            "{path} is not as it was committed, or the history does not go back to its last change"
        ))
    })
}
