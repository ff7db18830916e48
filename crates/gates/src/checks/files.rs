//! Files that must be there, in number and size.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::checks::source::{content, listed, nothing_found, passed_over, refuse_gaps};
use crate::glob::Glob;
use crate::outcome::{Input, Unmet};
use crate::tree::{Content, Tree};

/// Asks for regular files by name, number and size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FilesCheck {
    pub(crate) include: Vec<Glob>,
    pub(crate) ignored: bool,
    pub(crate) min_count: u32,
    /// Bytes that are neither white space nor NUL, in each file that counts.
    pub(crate) min_bytes: u64,
}

impl FilesCheck {
    pub(crate) fn asked(&self) -> String {
        format!(
            "at least {} file(s) {} of at least {} solid bytes each",
            self.min_count,
            self.globs(),
            self.min_bytes
        )
    }

    fn globs(&self) -> String {
        listed(self.include.iter().map(Glob::to_string), self.include.len())
    }

    pub(crate) fn evaluate(&self, tree: &Tree) -> Result<(String, Vec<Input>), Unmet> {
        let selection = tree.select(&self.include, self.ignored);
        refuse_gaps(&selection)?;
        if selection.files.is_empty() {
            return Err(Unmet::fail(nothing_found(&self.globs(), &selection)));
        }
        let mut counted = Vec::new();
        let mut small = Vec::new();
        for (path, entry) in &selection.files {
            let (_, input) = content(path, entry)?;
            match entry.content {
                Content::Read { solid_bytes, .. } if solid_bytes >= self.min_bytes => {
                    counted.push(input);
                }
                Content::Read { solid_bytes, .. } => {
                    small.push(format!("{path} has {solid_bytes} solid bytes"));
                }
                Content::NotRead | Content::Unread(_) => {}
            }
        }
        if counted.len() as u64 >= u64::from(self.min_count) {
            let names = counted.iter().map(|input| input.name.clone());
            return Ok((listed(names, counted.len()), counted));
        }
        let mut found = format!("{} file(s) count", counted.len());
        for more in [
            listed(small.iter().cloned(), small.len()),
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
