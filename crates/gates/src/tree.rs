//! The part of a project that a policy can see, as plain data.

use alloc::borrow::ToOwned as _;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, digest_of};
use serde::{Deserialize, Serialize};

use crate::git::GitFacts;
use crate::glob::Glob;
use crate::path::TreePath;

/// Folders that no criterion ever looks into, at any depth: other people's files, build output and
/// the version control's own store.
pub const LEFT_OUT: [&str; 4] = [".git", "node_modules", "target", "vendor"];

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link, wherever it leads. It never counts as a file and is never followed.
    Symlink,
    /// A FIFO, socket or device. It is never opened.
    Other,
}

/// What is known of a file's bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Nobody asked, or it is no regular file.
    NotRead,
    /// The file was read to its end.
    Read {
        /// The digest of the bytes that were read, even if the file changed meanwhile.
        digest: Digest,
        /// How many of the bytes are neither white space nor NUL.
        solid_bytes: u64,
        /// The bytes, if some criterion looks into the file.
        bytes: Option<Vec<u8>>,
    },
    /// The file should have been read and was not, for this reason.
    Unread(String),
}

/// One entry of a [`Tree`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What stands there.
    pub kind: EntryKind,
    /// Whether `.gitignore` leaves the entry in the project and, where a repository was looked at, the
    /// repository has it. A criterion looks at the others only
    /// if it says so (`ignored: true`).
    pub tracked: bool,
    /// What is known of its bytes.
    pub content: Content,
}

/// A part of the project that was not looked at, so that no criterion about it can be decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The folder; none is the whole project.
    pub path: Option<TreePath>,
    /// Why, in words.
    pub why: String,
}

/// The part of a project that a policy can see: entries by path, and what was not looked at.
///
/// A tree is plain data. `collect` makes one from a folder on disk; tests, replays and the trial of
/// a policy make theirs in memory:
///
/// ```
/// use nonevent_gates::Tree;
///
/// let tree = Tree::new()
///     .with_file("README.md", b"# Setup\n")
///     .with_symlink("docs/prd.md");
/// assert_eq!(tree.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    entries: BTreeMap<TreePath, Entry>,
    gaps: Vec<Gap>,
    git: Option<Result<GitFacts, String>>,
}

/// What a glob finds in a tree.
pub(crate) struct Selection<'t> {
    /// Regular files, in order of their paths.
    pub(crate) files: Vec<(&'t TreePath, &'t Entry)>,
    /// Entries of that name which do not count, and why.
    pub(crate) passed_over: Vec<(&'t TreePath, &'static str)>,
    /// Parts that were not looked at and could hold more.
    pub(crate) gaps: Vec<&'t Gap>,
}

impl Tree {
    /// A tree without entries.
    #[must_use]
    pub fn new() -> Tree {
        Tree::default()
    }

    /// Adds a file that was read whole. A path that is none (see [`TreePath::new`]) becomes a gap.
    #[must_use]
    pub fn with_file(self, path: impl AsRef<[u8]>, bytes: &[u8]) -> Tree {
        let content = Content::read(bytes, true);
        self.with(path.as_ref(), EntryKind::File, content)
    }

    /// Adds a folder.
    #[must_use]
    pub fn with_directory(self, path: impl AsRef<[u8]>) -> Tree {
        self.with(path.as_ref(), EntryKind::Directory, Content::NotRead)
    }

    /// Adds a symbolic link.
    #[must_use]
    pub fn with_symlink(self, path: impl AsRef<[u8]>) -> Tree {
        self.with(path.as_ref(), EntryKind::Symlink, Content::NotRead)
    }

    fn with(mut self, path: &[u8], kind: EntryKind, content: Content) -> Tree {
        match TreePath::new(path) {
            Some(path) => self.insert(
                path,
                Entry {
                    kind,
                    tracked: true,
                    content,
                },
            ),
            None => self.add_gap(None, "a path given for the tree is none".to_owned()),
        }
        self
    }

    /// Adds an entry, in place of an earlier one of the same path.
    pub fn insert(&mut self, path: TreePath, entry: Entry) {
        self.entries.insert(path, entry);
    }

    /// Says that a part of the project was not looked at.
    pub fn add_gap(&mut self, path: Option<TreePath>, why: String) {
        self.gaps.push(Gap { path, why });
    }

    /// What the repository says; or why it could not be read. None if none was looked at.
    #[must_use]
    pub const fn git(&self) -> Option<&Result<GitFacts, String>> {
        self.git.as_ref()
    }

    /// Says what the repository says, or why it could not be read.
    pub fn set_git(&mut self, git: Result<GitFacts, String>) {
        self.git = Some(git);
    }

    /// Takes every entry that is not so for one that is not tracked.
    #[cfg(all(feature = "git", unix))]
    pub(crate) fn track_only(&mut self, is_tracked: impl Fn(&TreePath) -> bool) {
        for (path, entry) in &mut self.entries {
            entry.tracked &= is_tracked(path);
        }
    }

    /// The entries in order of their paths.
    pub fn iter(&self) -> impl Iterator<Item = (&TreePath, &Entry)> {
        self.entries.iter()
    }

    /// What was not looked at.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// The number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A digest of all that the tree says: paths, kinds, contents and gaps.
    #[must_use]
    pub fn digest(&self) -> Digest {
        let entries: Vec<EntryFacts<'_>> = self.entries.iter().map(EntryFacts::of).collect();
        digest_of(&TreeFacts {
            entries,
            gaps: &self.gaps,
            git: self.git.as_ref().map(Result::as_ref),
        })
        .expect("strings, whole numbers and digests have a canonical form")
    }

    /// What `globs` find; entries that `.gitignore` names only if `ignored`.
    pub(crate) fn select(&self, globs: &[Glob], ignored: bool) -> Selection<'_> {
        let mut selection = Selection {
            files: Vec::new(),
            passed_over: Vec::new(),
            gaps: Vec::new(),
        };
        for (path, entry) in &self.entries {
            if !globs.iter().any(|glob| glob.matches(path)) {
                continue;
            }
            match reason_against(path, entry, ignored) {
                Some(why) => selection.passed_over.push((path, why)),
                None => selection.files.push((path, entry)),
            }
        }
        let concerns = |gap: &&Gap| {
            globs.iter().any(|glob| {
                glob.may_match_under(gap.path.as_ref())
                    || gap.path.as_ref().is_some_and(|path| glob.matches(path))
            })
        };
        selection.gaps.extend(self.gaps.iter().filter(concerns));
        selection
    }
}

fn reason_against(path: &TreePath, entry: &Entry, ignored: bool) -> Option<&'static str> {
    let left_out = |name: &[u8]| LEFT_OUT.iter().any(|out| out.as_bytes() == name);
    match entry.kind {
        EntryKind::Directory => Some("is a folder"),
        EntryKind::Symlink => Some("is a symbolic link, which is never followed"),
        EntryKind::Other => Some("is no regular file"),
        EntryKind::File if path.names().any(left_out) => Some("is in a folder that is left out"),
        EntryKind::File if !entry.tracked && !ignored => {
            Some("is named by .gitignore, or not tracked")
        }
        EntryKind::File => None,
    }
}

impl Content {
    /// The facts about `bytes`, which were the whole file; the bytes themselves only if `keep`.
    #[must_use]
    pub fn read(bytes: &[u8], keep: bool) -> Content {
        let blank = |byte: &&u8| !byte.is_ascii_whitespace() && **byte != 0;
        Content::Read {
            digest: Digest::of(bytes),
            solid_bytes: bytes.iter().filter(blank).count() as u64,
            bytes: keep.then(|| bytes.to_owned()),
        }
    }
}

#[derive(Serialize)]
struct TreeFacts<'t> {
    entries: Vec<EntryFacts<'t>>,
    gaps: &'t [Gap],
    #[serde(skip_serializing_if = "Option::is_none")]
    git: Option<Result<&'t GitFacts, &'t String>>,
}

#[derive(Serialize)]
struct EntryFacts<'t> {
    path: &'t TreePath,
    kind: EntryKind,
    tracked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unread: Option<&'t str>,
}

impl<'t> EntryFacts<'t> {
    fn of((path, entry): (&'t TreePath, &'t Entry)) -> EntryFacts<'t> {
        let (digest, unread) = match &entry.content {
            Content::NotRead => (None, None),
            Content::Read { digest, .. } => (Some(*digest), None),
            Content::Unread(why) => (None, Some(why.as_str())),
        };
        EntryFacts {
            path,
            kind: entry.kind,
            tracked: entry.tracked,
            digest,
            unread,
        }
    }
}
