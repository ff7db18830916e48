//! When a commit last changed a file, as `git log -1 -- FILE` tells it: from the commit that is
//! checked out back along the parent that has the same file, to the one whose parents all differ.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::string::{String, ToString as _};
use std::time::Instant;
use std::vec::Vec;

use gix::{ObjectId, Repository};
use nonevent_document::Timestamp;

use crate::path::TreePath;
use crate::tree::{Content, EntryKind, Tree};

/// Looks into a commit for one file that are made in all.
const LOOKS_MAX: usize = 200_000;
/// Bytes of git's objects that are kept at hand.
const CACHE_BYTES: usize = 16 << 20;

/// The time of the last change of each wanted file that stands as it was committed.
pub(super) fn last_changes(
    repository: &mut Repository,
    head: ObjectId,
    tree: &Tree,
    wanted: &dyn Fn(&TreePath) -> bool,
    deadline: Instant,
) -> BTreeMap<String, Timestamp> {
    repository.object_cache_size_if_unset(CACHE_BYTES);
    let mut history = History {
        repository,
        looks_left: LOOKS_MAX,
        deadline,
        changes: BTreeMap::new(),
    };
    let mut files: Vec<(&TreePath, ObjectId)> = Vec::new();
    for (path, entry) in tree.iter() {
        let Content::Read {
            bytes: Some(bytes), ..
        } = &entry.content
        else {
            continue;
        };
        if entry.kind != EntryKind::File || !wanted(path) {
            continue;
        }
        let id = gix::objs::compute_hash(head.kind(), gix::objs::Kind::Blob, bytes);
        if let Ok(id) = id
            && history.file_at(head, path) == Some(Some(id))
        {
            files.push((path, id));
        }
    }
    history.follow(head, files);
    history.changes
}

struct History<'r> {
    repository: &'r Repository,
    looks_left: usize,
    deadline: Instant,
    changes: BTreeMap<String, Timestamp>,
}

/// Files by the commit that has them as they stand.
type Pending<'t> = BTreeMap<ObjectId, Vec<(&'t TreePath, ObjectId)>>;

impl History<'_> {
    fn follow(&mut self, head: ObjectId, files: Vec<(&TreePath, ObjectId)>) {
        let mut pending = Pending::from([(head, files)]);
        let mut seen = BTreeSet::new();
        while let Some((commit, files)) = pending.pop_first() {
            let Some((at, parents)) = self.commit(commit) else {
                continue;
            };
            for (path, id) in files {
                // Two ways to the same commit are one.
                if !seen.insert((commit, path)) {
                    continue;
                }
                match self.same_parent(&parents, path, id) {
                    Some(Some(parent)) => pending.entry(parent).or_default().push((path, id)),
                    Some(None) => {
                        self.changes.insert(path.to_string(), at);
                    }
                    // A parent that is not there, or a limit: it is not known.
                    None => {}
                }
            }
        }
    }

    fn commit(&self, id: ObjectId) -> Option<(Timestamp, Vec<ObjectId>)> {
        let commit = self.repository.find_commit(id).ok()?;
        let seconds = commit.time().ok()?.seconds;
        let at = Timestamp::from_unix_ms(seconds.saturating_mul(1000));
        Some((at, commit.parent_ids().map(gix::Id::detach).collect()))
    }

    /// The first parent that has the file as it stands, or `Some(None)` if none has.
    fn same_parent(
        &mut self,
        parents: &[ObjectId],
        path: &TreePath,
        id: ObjectId,
    ) -> Option<Option<ObjectId>> {
        for parent in parents {
            if self.file_at(*parent, path)? == Some(id) {
                return Some(Some(*parent));
            }
        }
        Some(None)
    }

    /// What a commit has at the path, if anything; none if it cannot be told.
    fn file_at(&mut self, commit: ObjectId, path: &TreePath) -> Option<Option<ObjectId>> {
        self.looks_left = self.looks_left.checked_sub(1)?;
        if self.looks_left.is_multiple_of(256) && Instant::now() >= self.deadline {
            self.looks_left = 0;
            return None;
        }
        let commit = self.repository.find_commit(commit).ok()?;
        let tree = commit.tree().ok()?;
        let path = Path::new(std::ffi::OsStr::new(
            core::str::from_utf8(path.as_bytes()).ok()?,
        ));
        let entry = tree.lookup_entry_by_path(path).ok()?;
        Some(entry.map(|entry| entry.object_id()))
    }
}
