//! The files a check looks into: found by a glob, read whole, or the reason why not.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::{Digest, format_duration_ms};

use crate::glob::Glob;
use crate::outcome::{Input, Unmet};
use crate::path::{TreePath, visible};
use crate::tree::{Content, Entry, Selection, Tree};

/// How many names a message lists before it says "and more".
const NAMES_SHOWN: usize = 4;

/// Which files a check looks into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) glob: Glob,
    pub(crate) ignored: bool,
}

/// A file that was found and read.
pub(crate) struct SourceFile<'t> {
    pub(crate) path: &'t TreePath,
    pub(crate) bytes: &'t [u8],
}

impl Source {
    /// Every file the glob finds, at least one, and the inputs to name.
    pub(crate) fn open<'t>(
        &self,
        tree: &'t Tree,
    ) -> Result<(Vec<SourceFile<'t>>, Vec<Input>), Unmet> {
        let selection = tree.select(core::slice::from_ref(&self.glob), self.ignored);
        refuse_gaps(&selection)?;
        if selection.files.is_empty() {
            return Err(Unmet::fail(nothing_found(&self.glob, &selection)));
        }
        let mut files = Vec::new();
        let mut inputs = Vec::new();
        for (path, entry) in selection.files {
            let (bytes, input) = content(path, entry)?;
            let bytes = bytes.ok_or_else(|| not_kept(path))?;
            files.push(SourceFile { path, bytes });
            inputs.push(input);
        }
        Ok((files, inputs))
    }
}

impl Source {
    /// The digest of the one file there is.
    pub(crate) fn digest(&self, tree: &Tree) -> Result<Digest, Unmet> {
        let selection = tree.select(core::slice::from_ref(&self.glob), self.ignored);
        refuse_gaps(&selection)?;
        let Some((path, entry)) = selection.files.first() else {
            return Err(Unmet::fail(nothing_found(&self.glob, &selection)));
        };
        content(path, entry).map(|(_, input)| input.digest)
    }
}

/// The bytes, if kept, and the digest of a file; or why it could not be read.
pub(crate) fn content<'t>(
    path: &TreePath,
    entry: &'t Entry,
) -> Result<(Option<&'t [u8]>, Input), Unmet> {
    match &entry.content {
        Content::Read { digest, bytes, .. } => Ok((
            bytes.as_deref(),
            Input {
                name: path.to_string(),
                digest: *digest,
            },
        )),
        Content::Unread(why) => Err(Unmet::error(format!(
            "{path} could not be read: {}",
            visible(why)
        ))),
        Content::NotRead => Err(not_kept(path)),
    }
}

/// The bytes that a check looks into are not there.
pub(crate) fn not_kept(path: &TreePath) -> Unmet {
    Unmet::error(format!(
        "{path} was not read: the tree was collected for another policy"
    ))
}

pub(crate) fn age_in_words(ms: i64) -> String {
    format_duration_ms(u64::try_from(ms).unwrap_or(0))
}

/// A check cannot be decided while a part of the tree that could matter was not looked at.
pub(crate) fn refuse_gaps(selection: &Selection<'_>) -> Result<(), Unmet> {
    let Some(gap) = selection.gaps.first() else {
        return Ok(());
    };
    let place = match &gap.path {
        Some(path) => path.to_string(),
        None => "the project".to_string(),
    };
    Err(Unmet::unknown(format!(
        "{place} was not looked at in full: {}",
        visible(&gap.why)
    )))
}

/// "no file …", with the entries of that name that do not count.
pub(crate) fn nothing_found(what: &impl core::fmt::Display, selection: &Selection<'_>) -> String {
    let mut text = format!("no file {what}");
    if !selection.passed_over.is_empty() {
        text.push_str("; ");
        text.push_str(&passed_over(selection));
    }
    text
}

/// The entries of the right name that do not count, and why.
pub(crate) fn passed_over(selection: &Selection<'_>) -> String {
    let reasons = selection
        .passed_over
        .iter()
        .map(|(path, why)| format!("{path} {why}"));
    listed(reasons, selection.passed_over.len())
}

/// The first few of `items`, and how many there are beyond.
pub(crate) fn listed(items: impl Iterator<Item = String>, count: usize) -> String {
    let shown: Vec<String> = items.take(NAMES_SHOWN).collect();
    let text = shown.join(", ");
    if count > shown.len() {
        format!("{text} and {} more", count - shown.len())
    } else {
        text
    }
}
