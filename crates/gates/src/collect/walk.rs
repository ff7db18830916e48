//! The walk itself.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::rc::Rc;
use std::string::String;
use std::time::{Duration, Instant};
use std::vec::Vec;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, statat};

use super::ignored::Rules;
use super::read::{Reading, read_file};
use super::{CollectLimits, Wanted, over};
use crate::path::TreePath;
use crate::tree::{Content, Entry, EntryKind, LEFT_OUT, Tree};

/// How many entries are seen between two looks at the clock.
const ENTRIES_PER_LOOK: u64 = 256;

/// A folder that is still to be listed.
struct Pending {
    parent: Rc<OwnedFd>,
    name: CString,
    path: TreePath,
    depth: usize,
    rules: Rules,
    tracked: bool,
}

/// A folder that is being listed.
struct Open {
    fd: Rc<OwnedFd>,
    path: Option<TreePath>,
    depth: usize,
    rules: Rules,
    tracked: bool,
}

struct Walk<'w> {
    wanted: &'w Wanted,
    limits: CollectLimits,
    deadline: Instant,
    entries: u64,
    bytes_left: u64,
    tree: Tree,
    pending: Vec<Pending>,
}

/// The walk was ended by a limit on the whole; the tree says so.
struct Ended;

/// What was found in a folder.
struct Listing {
    named: Vec<Named>,
    has_gitignore: bool,
    ended: Result<(), Ended>,
}

struct Named {
    name: CString,
    path: TreePath,
    kind: FileType,
}

impl Default for Listing {
    fn default() -> Self {
        Listing {
            named: Vec::new(),
            has_gitignore: false,
            ended: Ok(()),
        }
    }
}

pub(super) fn walk(root: &Path, wanted: &Wanted, limits: CollectLimits) -> io::Result<Tree> {
    // Only the root itself may be named by a link: the caller chose it.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = openat(CWD, root, flags, Mode::empty())?;
    let mut walk = Walk {
        wanted,
        limits,
        deadline: Instant::now() + Duration::from_millis(limits.time_ms_max),
        entries: 0,
        bytes_left: limits.bytes_max,
        tree: Tree::new(),
        pending: Vec::new(),
    };
    let open = Open {
        fd: Rc::new(fd),
        path: None,
        depth: 0,
        rules: Rules::default(),
        tracked: true,
    };
    let mut ended = walk.list(open).is_err();
    while !ended && let Some(next) = walk.pending.pop() {
        ended = walk.enter(next).is_err();
    }
    Ok(walk.tree)
}

impl Walk<'_> {
    fn enter(&mut self, next: Pending) -> Result<(), Ended> {
        if next.depth > self.limits.depth_max {
            let why = over("folders below each other", self.limits.depth_max);
            self.tree.add_gap(Some(next.path), why);
            return Ok(());
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(&*next.parent, &*next.name, flags, Mode::empty()) {
            Ok(fd) => self.list(Open {
                fd: Rc::new(fd),
                path: Some(next.path),
                depth: next.depth,
                rules: next.rules,
                tracked: next.tracked,
            }),
            Err(error) => {
                let why = io::Error::from(error).kind();
                self.tree.add_gap(Some(next.path), std::format!("{why}"));
                Ok(())
            }
        }
    }

    fn list(&mut self, mut open: Open) -> Result<(), Ended> {
        let mut listing = Listing::default();
        if let Err(error) = self.names(&open, &mut listing) {
            let why = std::format!("{}", io::Error::from(error).kind());
            self.tree.add_gap(open.path.clone(), why);
        }
        listing.ended?;
        if open.tracked && listing.has_gitignore {
            match open.rules.entering(open.fd.as_fd(), open.path.as_ref()) {
                Ok(rules) => open.rules = rules,
                // What it names is not known, so nothing below is.
                Err(why) => self.tree.add_gap(open.path.clone(), why),
            }
        }
        listing.named.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        let first_new = self.pending.len();
        for named in listing.named {
            self.entry(&open, named)?;
        }
        // The last pushed is walked first: keep the order of names.
        self.pending[first_new..].reverse();
        Ok(())
    }

    /// Lists a folder, keeping only what some glob could want, tracked or not.
    fn names(&mut self, open: &Open, listing: &mut Listing) -> Result<(), rustix::io::Errno> {
        for entry in Dir::read_from(&*open.fd)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            listing.ended = self.spend_entry();
            if listing.ended.is_err() {
                return Ok(());
            }
            listing.has_gitignore |= name == c".gitignore";
            let Some(path) = below(open.path.as_ref(), name) else {
                let why = String::from("a name in it is none");
                self.tree.add_gap(open.path.clone(), why);
                continue;
            };
            let kind = match entry.file_type() {
                FileType::Unknown => kind_of(&open.fd, name),
                known => known,
            };
            let is_folder = kind == FileType::Directory;
            if self.wanted.file(&path, true).is_some()
                || is_folder && self.wanted.below(Some(&path), true)
            {
                listing.named.push(Named {
                    name: CString::from(name),
                    path,
                    kind,
                });
            }
        }
        Ok(())
    }

    fn spend_entry(&mut self) -> Result<(), Ended> {
        self.entries += 1;
        if self.entries > self.limits.entries_max {
            let why = over("entries", self.limits.entries_max);
            self.tree.add_gap(None, why);
            return Err(Ended);
        }
        if self.entries.is_multiple_of(ENTRIES_PER_LOOK) {
            self.look_at_the_clock()?;
        }
        Ok(())
    }

    fn look_at_the_clock(&mut self) -> Result<(), Ended> {
        if Instant::now() < self.deadline {
            return Ok(());
        }
        let why = over("ms", self.limits.time_ms_max);
        self.tree.add_gap(None, why);
        Err(Ended)
    }

    fn entry(&mut self, open: &Open, named: Named) -> Result<(), Ended> {
        let Named { name, path, kind } = named;
        match kind {
            FileType::Directory => self.folder(open, name, path),
            FileType::RegularFile => return self.file(open, &name, path),
            FileType::Symlink => self.other(open, path, EntryKind::Symlink),
            _ => self.other(open, path, EntryKind::Other),
        }
        Ok(())
    }

    fn folder(&mut self, open: &Open, name: CString, path: TreePath) {
        if LEFT_OUT.iter().any(|out| out.as_bytes() == name.as_bytes()) {
            return;
        }
        let tracked = open.tracked && !open.rules.name(&path, true);
        if self.wanted.file(&path, tracked).is_some() {
            let entry = Entry {
                kind: EntryKind::Directory,
                tracked,
                content: Content::NotRead,
            };
            self.tree.insert(path.clone(), entry);
        }
        if self.wanted.below(Some(&path), tracked) {
            self.pending.push(Pending {
                parent: Rc::clone(&open.fd),
                name,
                path,
                depth: open.depth + 1,
                rules: open.rules.clone(),
                tracked,
            });
        }
    }

    fn other(&mut self, open: &Open, path: TreePath, kind: EntryKind) {
        let tracked = open.tracked && !open.rules.name(&path, false);
        let entry = Entry {
            kind,
            tracked,
            content: Content::NotRead,
        };
        self.tree.insert(path, entry);
    }

    fn file(&mut self, open: &Open, name: &CString, path: TreePath) -> Result<(), Ended> {
        let tracked = open.tracked && !open.rules.name(&path, false);
        let (kind, content) = match self.wanted.file(&path, tracked) {
            // Recorded all the same: it explains why a name was passed over.
            None => (EntryKind::File, Content::NotRead),
            Some(look_into) => {
                self.look_at_the_clock()?;
                self.read(open, name, look_into)
            }
        };
        let entry = Entry {
            kind,
            tracked,
            content,
        };
        self.tree.insert(path, entry);
        Ok(())
    }

    fn read(&mut self, open: &Open, name: &CString, look_into: bool) -> (EntryKind, Content) {
        let bytes_max = self.limits.file_bytes_max.min(self.bytes_left);
        match read_file(open.fd.as_fd(), name, bytes_max) {
            Reading::Bytes(bytes) => {
                self.bytes_left -= (bytes.len() as u64).min(self.bytes_left);
                (EntryKind::File, Content::read(&bytes, look_into))
            }
            Reading::NoFile(kind) => (kind, Content::NotRead),
            Reading::TooLarge if bytes_max < self.limits.file_bytes_max => {
                let why = over("bytes in all", self.limits.bytes_max);
                (EntryKind::File, Content::Unread(why))
            }
            Reading::TooLarge => (EntryKind::File, Content::Unread(over("bytes", bytes_max))),
            Reading::Refused(why) => (EntryKind::File, Content::Unread(std::format!("{why}"))),
        }
    }
}

fn below(folder: Option<&TreePath>, name: &CStr) -> Option<TreePath> {
    let mut bytes = Vec::new();
    if let Some(folder) = folder {
        bytes.extend_from_slice(folder.as_bytes());
        bytes.push(b'/');
    }
    bytes.extend_from_slice(name.to_bytes());
    TreePath::new(bytes)
}

/// For the file systems that do not say it in the listing.
fn kind_of(folder: &OwnedFd, name: &CStr) -> FileType {
    match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(facts) => FileType::from_raw_mode(facts.st_mode),
        Err(_) => FileType::Unknown,
    }
}
