//! From a folder on disk to a [`Tree`]: one bounded walk that follows nothing and starts nothing.
//!
//! Folders are opened one below the other by file descriptor and without following links, so that
//! a link put in a folder's place during the walk leads nowhere. `.gitignore` files are read by the
//! same careful hand and matched by the `ignore` crate; that crate's own walk is not used because
//! it opens whatever is called `.gitignore`, and a FIFO of that name would hold it for ever.

#[cfg(feature = "git")]
mod git;
#[cfg(feature = "git")]
mod history;
mod ignored;
mod read;
mod walk;

#[cfg(feature = "git")]
pub use git::add_git;
use std::path::{Path, PathBuf};
use std::string::String;
use std::vec::Vec;
use std::{fmt, io};

use crate::glob::Glob;
use crate::path::TreePath;
use crate::policy::Policy;
use crate::tree::Tree;

/// How much of a project is looked at. What lies beyond becomes a [`Gap`](crate::Gap), and a
/// criterion that could depend on it is not decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CollectLimits {
    /// Directory entries seen in all, the ones left out included.
    pub entries_max: u64,
    /// Folders below each other.
    pub depth_max: usize,
    /// Bytes of one file; a larger one is not read.
    pub file_bytes_max: u64,
    /// Bytes read in all.
    pub bytes_max: u64,
    /// Time for the whole walk, in milliseconds.
    pub time_ms_max: u64,
}

impl Default for CollectLimits {
    /// 4,000,000 entries, 64 folders deep, 8 MiB a file, 64 MiB in all, 30 s.
    fn default() -> Self {
        CollectLimits {
            entries_max: 4_000_000,
            depth_max: 64,
            file_bytes_max: 8 << 20,
            bytes_max: 64 << 20,
            time_ms_max: 30_000,
        }
    }
}

/// The project's folder could not be opened.
#[derive(Debug)]
pub struct CollectError {
    root: PathBuf,
    source: io::Error,
}

impl CollectError {
    /// What the operating system said, as a kind.
    #[must_use]
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

impl fmt::Display for CollectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = self.root.to_string_lossy();
        write!(
            f,
            "{} cannot be opened as a project folder; name a folder that you may read",
            crate::path::visible(&root)
        )
    }
}

impl std::error::Error for CollectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The part of the project at `root` that `policy` can see.
///
/// Only paths that some criterion names are kept, so the tree is small however large the project.
/// `.gitignore` files within the project are honoured; those above it and the user's own are not.
/// Symbolic links, FIFOs, sockets and devices are recorded by kind and never opened. A file that
/// changes while it is read is recorded as what was read.
///
/// # Errors
///
/// [`CollectError`] if `root` is no readable folder. Everything below it that cannot be read or
/// exceeds `limits` is recorded in the tree instead.
pub fn collect(root: &Path, policy: &Policy, limits: &CollectLimits) -> Result<Tree, CollectError> {
    let wanted = Wanted::of(policy);
    walk::walk(root, &wanted, *limits).map_err(|source| CollectError {
        root: root.to_path_buf(),
        source,
    })
}

/// The globs of a policy, and what each wants to know.
pub(crate) struct Wanted {
    globs: Vec<WantedGlob>,
}

struct WantedGlob {
    glob: Glob,
    ignored: bool,
    look_into: bool,
}

impl Wanted {
    fn of(policy: &Policy) -> Wanted {
        let mut globs: Vec<WantedGlob> = Vec::new();
        let mut add = |glob: &Glob, ignored: bool, look_into: bool| match globs
            .iter_mut()
            .find(|known| known.glob == *glob && known.ignored == ignored)
        {
            Some(known) => known.look_into |= look_into,
            None => globs.push(WantedGlob {
                glob: glob.clone(),
                ignored,
                look_into,
            }),
        };
        for criterion in policy.criteria() {
            criterion.check.globs(&mut add);
            for glob in criterion.applies_when.iter().flatten() {
                add(glob, true, false);
            }
        }
        Wanted { globs }
    }

    fn concerned(&self, tracked: bool) -> impl Iterator<Item = &WantedGlob> {
        self.globs
            .iter()
            .filter(move |known| tracked || known.ignored)
    }

    /// Whether anything wanted could lie below `folder`.
    fn below(&self, folder: Option<&TreePath>, tracked: bool) -> bool {
        self.concerned(tracked)
            .any(|known| known.glob.may_match_under(folder))
    }

    /// Whether the path is wanted, and if so whether its bytes are.
    fn file(&self, path: &TreePath, tracked: bool) -> Option<bool> {
        let mut found = None;
        for known in self.concerned(tracked) {
            if known.glob.matches(path) {
                found = Some(found.unwrap_or(false) || known.look_into);
            }
        }
        found
    }
}

/// What limits are left, for messages.
fn over(limit: &str, figure: impl fmt::Display) -> String {
    std::format!("the limit of {figure} {limit} was reached")
}
