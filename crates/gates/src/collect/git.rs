//! Facts of a git repository, read from its files. Git itself is never started: a repository's own
//! settings can name commands.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::string::{String, ToString as _};
use std::time::{Duration, Instant};
use std::vec::Vec;

use gix::bstr::{BStr, ByteSlice as _};
use gix::index::entry::{Mode, Stage};
use gix::{ObjectId, Repository};
use nonevent_document::Timestamp;

use super::history::last_changes;
use super::{CollectLimits, over};
use crate::checks::Check;
use crate::git::{GitChanges, GitFacts, Person, Related};
use crate::glob::Glob;
use crate::path::TreePath;
use crate::policy::Policy;
use crate::tree::Tree;

/// Tags that are looked at.
const TAGS_MAX: usize = 10_000;
/// Commits that are looked at for one relation.
const COMMITS_MAX: usize = 200_000;
/// Paths that are named where more differ.
const PATHS_SHOWN: usize = 5;

/// Adds to `tree` what the repository at `root` says, and takes for tracked only what it has in its
/// index. Without a repository at `root` nothing changes.
///
/// The repository's own settings, hooks and filters are not followed, nor those of the user: a file
/// that a filter would change on its way differs from the commit here. Untracked files do not count
/// as changes.
pub fn add_git(tree: &mut Tree, root: &Path, policy: &Policy, limits: &CollectLimits) {
    if fs::symlink_metadata(root.join(".git")).is_err() {
        return;
    }
    let mut asked = Asked::default();
    for criterion in policy.criteria() {
        asked.add(&criterion.check);
    }
    let deadline = Instant::now() + Duration::from_millis(limits.time_ms_max);
    let read = Reader::open(root, limits, deadline).and_then(|mut reader| {
        let mut facts = reader.facts(&asked)?;
        if !asked.aged.is_empty() {
            let (repository, head) = (&mut reader.repository, reader.head);
            let wanted = |path: &TreePath| asked.aged.iter().any(|glob| glob.matches(path));
            facts.last_changes = last_changes(repository, head, tree, &wanted, deadline);
        }
        Ok((reader.index, facts))
    });
    match read {
        Ok((index, facts)) => {
            tree.track_only(|path| index.entry_by_path(path.as_bytes().as_bstr()).is_some());
            tree.set_git(Ok(facts));
        }
        Err(why) => {
            tree.track_only(|_| false);
            tree.set_git(Err(why));
        }
    }
}

/// What the policy asks of a repository.
#[derive(Default)]
struct Asked<'p> {
    names: BTreeSet<&'p str>,
    is_clean: bool,
    /// Files whose last change is asked for.
    aged: Vec<&'p Glob>,
}

impl<'p> Asked<'p> {
    fn add(&mut self, check: &'p Check) {
        check.parts().iter().for_each(|part| self.add(part));
        if let Check::Git(check) = check {
            self.names.extend(check.names());
            self.is_clean |= check.clean;
        }
        if let Check::Files(check) = check
            && check.max_age_ms.is_some()
        {
            self.aged.extend(&check.include);
        }
    }
}

struct Reader<'l> {
    root: PathBuf,
    repository: Repository,
    index: gix::index::File,
    head: ObjectId,
    limits: &'l CollectLimits,
    deadline: Instant,
}

fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

impl<'l> Reader<'l> {
    fn open(root: &Path, limits: &'l CollectLimits, deadline: Instant) -> Result<Self, String> {
        // Neither the user's settings nor the environment's; and of the repository's own only those
        // that are needed to read it.
        let options = gix::open::Options::isolated()
            .with(gix::sec::Trust::Reduced)
            .strict_config(false)
            .open_path_as_is(false);
        let repository = gix::open_opts(root, options).map_err(|error| told(&error))?;
        let index = match repository.try_index() {
            Ok(Some(index)) => gix::index::File::clone(&index),
            Ok(None) => return Err(String::from("it has no index: nothing is tracked")),
            Err(error) => return Err(told(&error)),
        };
        let head = repository.head_id().map_err(|error| told(&error))?.detach();
        Ok(Reader {
            root: root.to_owned(),
            repository,
            index,
            head,
            limits,
            deadline,
        })
    }

    fn facts(&self, asked: &Asked<'_>) -> Result<GitFacts, String> {
        let commit = self.repository.find_commit(self.head);
        let commit = commit.map_err(|error| told(&error))?;
        let author = commit.author().map_err(|error| told(&error))?;
        let committer = commit.committer().map_err(|error| told(&error))?;
        let time = commit.time().map_err(|error| told(&error))?;
        let head = self.repository.head_name().map_err(|error| told(&error))?;
        let branch = head.map(|name| name.shorten().to_str_lossy().into_owned());
        let (tags, other_tags) = self.tags()?;
        let mut related = BTreeMap::new();
        for name in &asked.names {
            related.insert((*name).to_string(), self.related(name));
        }
        Ok(GitFacts {
            commit: self.head.to_string(),
            committed_at: Timestamp::from_unix_ms(time.seconds.saturating_mul(1000)),
            author: person(author.name, author.email),
            committer: person(committer.name, committer.email),
            branch,
            tags,
            other_tags,
            changes: if asked.is_clean {
                self.changes()
            } else {
                GitChanges::NotAsked
            },
            related,
            last_changes: BTreeMap::new(),
        })
    }

    /// Tags at the commit, and the others.
    fn tags(&self) -> Result<(Vec<String>, Vec<String>), String> {
        let (mut here, mut elsewhere) = (Vec::new(), Vec::new());
        let references = self.repository.references().map_err(|error| told(&error))?;
        let tags = references.tags().map_err(|error| told(&error))?;
        for (count, tag) in tags.enumerate() {
            if count >= TAGS_MAX {
                return Err(over("tags", TAGS_MAX));
            }
            let mut tag = tag.map_err(|error| error.to_string())?;
            let name = tag.name().shorten().to_str_lossy().into_owned();
            match tag.peel_to_id() {
                Ok(id) if id.detach() == self.head => here.push(name),
                // One that leads to nothing that is there is a tag all the same.
                _ => elsewhere.push(name),
            }
        }
        here.sort_unstable();
        elsewhere.sort_unstable();
        Ok((here, elsewhere))
    }

    fn related(&self, name: &str) -> Related {
        let found = self.repository.try_find_reference(name);
        let other = match found {
            Ok(Some(mut reference)) => reference.peel_to_id().map(gix::Id::detach),
            Ok(None) => return Related::Missing,
            // A name that none can have.
            Err(_) => return Related::Missing,
        };
        let Ok(other) = other else {
            return Related::Unknown;
        };
        if other == self.head {
            return Related::Same;
        }
        match (
            self.reaches(self.head, other),
            self.reaches(other, self.head),
        ) {
            (Some(true), _) => Related::Descendant,
            (_, Some(true)) => Related::Ancestor,
            (Some(false), Some(false)) => Related::Apart,
            _ => Related::Unknown,
        }
    }

    /// Whether one commit has the other among those before it.
    fn reaches(&self, from: ObjectId, wanted: ObjectId) -> Option<bool> {
        let walk = self.repository.rev_walk([from]).all().ok()?;
        for (count, commit) in walk.enumerate() {
            let is_late = count % 256 == 255 && Instant::now() >= self.deadline;
            if count >= COMMITS_MAX || is_late {
                return None;
            }
            if commit.ok()?.id == wanted {
                return Some(true);
            }
        }
        Some(false)
    }

    fn changes(&self) -> GitChanges {
        let mut changed = Changed::default();
        match self
            .staged(&mut changed)
            .and_then(|()| self.edited(&mut changed))
        {
            Err(why) => GitChanges::Unknown(why),
            Ok(()) if changed.paths.is_empty() => GitChanges::None,
            Ok(()) => GitChanges::Some {
                count: changed.paths.len() as u64,
                first: changed.paths.into_iter().take(PATHS_SHOWN).collect(),
            },
        }
    }

    /// What the index has otherwise than the commit.
    fn staged(&self, changed: &mut Changed) -> Result<(), String> {
        let commit = self
            .repository
            .find_commit(self.head)
            .map_err(|error| told(&error))?;
        let tree = commit.tree_id().map_err(|error| told(&error))?;
        let committed = self.repository.index_from_tree(&tree);
        let committed = committed.map_err(|error| told(&error))?;
        let facts = |index: &gix::index::File| -> BTreeMap<Vec<u8>, (Mode, ObjectId)> {
            let entries = index.entries().iter();
            entries
                .filter(|entry| entry.stage() == Stage::Unconflicted)
                .map(|entry| (entry.path(index).to_vec(), (entry.mode, entry.id)))
                .collect()
        };
        let conflicts = self.index.entries().iter();
        for entry in conflicts.filter(|entry| entry.stage() != Stage::Unconflicted) {
            changed.add(entry.path(&self.index));
        }
        let (before, now) = (facts(&committed), facts(&self.index));
        for path in before.keys().chain(now.keys()) {
            if before.get(path) != now.get(path) {
                changed.add(path.as_bstr());
            }
        }
        Ok(())
    }

    /// What the files have otherwise than the index.
    fn edited(&self, changed: &mut Changed) -> Result<(), String> {
        let mut bytes_left = self.limits.bytes_max.saturating_mul(16);
        let mut folders = Folders::default();
        let index_written = self.index.timestamp();
        for (count, entry) in self.index.entries().iter().enumerate() {
            if count as u64 >= self.limits.entries_max {
                return Err(over("entries", self.limits.entries_max));
            }
            if count % 256 == 255 && Instant::now() >= self.deadline {
                return Err(over("ms", self.limits.time_ms_max));
            }
            let path = entry.path(&self.index);
            if entry.mode == Mode::COMMIT {
                return Err(std::format!(
                    "{path} is a submodule, which is not looked into"
                ));
            }
            // A path that leads out of the project is none.
            let Some(inside) = TreePath::new(path) else {
                changed.add(path);
                continue;
            };
            let file = self
                .root
                .join(std::ffi::OsStr::from_bytes(inside.as_bytes()));
            let metadata = fs::symlink_metadata(&file).ok();
            let metadata = metadata.filter(|_| folders.are_real(&self.root, &inside));
            let Some(metadata) = metadata else {
                changed.add(path);
                continue;
            };
            let kind_fits = match entry.mode {
                Mode::SYMLINK => metadata.is_symlink(),
                Mode::FILE_EXECUTABLE => metadata.is_file() && metadata.mode() & 0o100 != 0,
                _ => metadata.is_file() && metadata.mode() & 0o100 == 0,
            };
            if !kind_fits {
                changed.add(path);
                continue;
            }
            if is_as_stated(&entry.stat, &metadata, index_written.unix_seconds()) {
                continue;
            }
            let bytes = content(&file, &metadata, bytes_left)?;
            bytes_left -= (bytes.len() as u64).min(bytes_left);
            let kind = self.head.kind();
            let id = gix::objs::compute_hash(kind, gix::objs::Kind::Blob, &bytes);
            if id.map_err(|error| error.to_string())? != entry.id {
                changed.add(path);
            }
        }
        Ok(())
    }
}

fn person(name: &BStr, email: &BStr) -> Person {
    Person {
        name: name.to_str_lossy().into_owned(),
        email: email.to_str_lossy().into_owned(),
    }
}

#[derive(Default)]
struct Changed {
    paths: BTreeSet<String>,
}

impl Changed {
    fn add(&mut self, path: &BStr) {
        let shown = TreePath::new(path).map(|path| path.to_string());
        let shown = shown.unwrap_or_else(|| crate::path::visible(&path.to_str_lossy()));
        self.paths.insert(shown);
    }
}

/// Folders that are known to be folders and no links.
#[derive(Default)]
struct Folders(BTreeSet<Vec<u8>>);

impl Folders {
    fn are_real(&mut self, root: &Path, path: &TreePath) -> bool {
        let bytes = path.as_bytes();
        let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for (end, _) in ends {
            let Some(folder) = bytes.get(..end) else {
                return false;
            };
            if self.0.contains(folder) {
                continue;
            }
            let place = root.join(std::ffi::OsStr::from_bytes(folder));
            if !fs::symlink_metadata(place).is_ok_and(|it| it.is_dir()) {
                return false;
            }
            self.0.insert(folder.to_vec());
        }
        true
    }
}

/// Whether a file is what the index saw, so that it need not be read: git's own test, without the
/// files that changed in the very second in which the index was written.
fn is_as_stated(stat: &gix::index::entry::Stat, now: &fs::Metadata, index_written: i64) -> bool {
    let cut = |number: u64| u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default();
    let seconds = |number: i64| u32::try_from(number).unwrap_or_default();
    u64::from(stat.size) == now.size()
        && stat.size > 0
        && stat.ino == cut(now.ino())
        && stat.mtime.secs == seconds(now.mtime())
        && i64::from(stat.mtime.nsecs) == now.mtime_nsec()
        && stat.ctime.secs == seconds(now.ctime())
        && i64::from(stat.ctime.nsecs) == now.ctime_nsec()
        && now.mtime() < index_written
        && now.ctime() < index_written
}

/// What git hashes of a file, or of a link.
fn content(file: &Path, metadata: &fs::Metadata, bytes_max: u64) -> Result<Vec<u8>, String> {
    let problem = |error: std::io::Error| std::format!("{}: {}", file.display(), error.kind());
    if metadata.is_symlink() {
        let target = fs::read_link(file).map_err(problem)?;
        return Ok(target.as_os_str().as_bytes().to_vec());
    }
    if metadata.len() > bytes_max {
        return Err(over("bytes in all", bytes_max));
    }
    let flags = rustix::fs::OFlags::RDONLY
        | rustix::fs::OFlags::NOFOLLOW
        | rustix::fs::OFlags::NONBLOCK
        | rustix::fs::OFlags::CLOEXEC;
    let opened = rustix::fs::open(file, flags, rustix::fs::Mode::empty());
    let opened = fs::File::from(opened.map_err(|error| problem(error.into()))?);
    let mut bytes = Vec::new();
    opened
        .take(bytes_max + 1)
        .read_to_end(&mut bytes)
        .map_err(problem)?;
    Ok(bytes)
}
