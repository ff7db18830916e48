//! The folder in which a rollout keeps what must outlive its controlling process.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::error::{DriverError, DriverErrorKind};

/// The state folder of one service and environment, `.nonevent/` unless said otherwise.
#[derive(Clone, Debug)]
pub struct StateDir {
    root: PathBuf,
}

/// The exclusive right to act on a state folder. The system takes it back when the process that
/// holds it ends, however it ends.
#[derive(Debug)]
pub struct Lock {
    _file: File,
    epoch: u64,
}

impl Lock {
    /// The number of this holder: greater than that of every holder before.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }
}

/// How often and how long apart a lock is tried for.
const LOCK_TRIES: u32 = 10;
const LOCK_EVERY: Duration = Duration::from_millis(20);

/// Takes the lock, past those who hold it for the moment that asking about it takes
/// ([`StateDir::is_locked`]).
fn lock_soon(file: &File) -> Result<(), Errno> {
    let mut tried = 1;
    loop {
        match flock(file, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) if tried < LOCK_TRIES => tried += 1,
            ended => return ended,
        }
        std::thread::sleep(LOCK_EVERY);
    }
}

impl StateDir {
    /// Opens a state folder, making it if need be, readable by its owner only.
    ///
    /// # Errors
    /// It cannot be made or used.
    pub fn open(root: impl Into<PathBuf>) -> Result<StateDir, DriverError> {
        use std::os::unix::fs::DirBuilderExt as _;
        let root = root.into();
        let made = fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&root);
        let root = made.and_then(|()| root.canonicalize()).map_err(|error| {
            DriverError::new(
                DriverErrorKind::Storage,
                format!(
                    "the state folder {} cannot be used: {error}",
                    root.display()
                ),
            )
        })?;
        Ok(StateDir { root })
    }

    /// An existing state folder.
    ///
    /// # Errors
    /// There is none.
    pub fn existing(root: impl Into<PathBuf>) -> Result<StateDir, DriverError> {
        let root = root.into();
        match root.canonicalize() {
            Ok(root) if root.is_dir() => Ok(StateDir { root }),
            _ => Err(DriverError::new(
                DriverErrorKind::State,
                format!(
                    "there is no state folder {}; name it with --state",
                    root.display()
                ),
            )),
        }
    }

    /// The folder itself.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A file or folder in it.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// The journal of the present rollout.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path("journal.jsonl")
    }

    /// Takes the lock, with a new epoch.
    ///
    /// # Errors
    /// [`DriverErrorKind::Locked`] if a living process holds it.
    pub fn lock(&self) -> Result<Lock, DriverError> {
        let path = self.path("lock");
        let failed = |error: io::Error| {
            DriverError::new(
                DriverErrorKind::Storage,
                format!("the lock {} cannot be used: {error}", path.display()),
            )
        };
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(failed)?;
        match lock_soon(&file) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let holder = io::read_to_string(&file).unwrap_or_default();
                return Err(DriverError::new(
                    DriverErrorKind::Locked,
                    format!(
                        "another nonevent ({}) is at work in {}; watch it with `nonevent status`, \
                         or end it with `nonevent abort`",
                        holder.trim().lines().next().unwrap_or("process unknown"),
                        self.root.display()
                    ),
                ));
            }
            Err(error) => return Err(failed(error.into())),
        }
        let epoch = self.next_epoch().map_err(failed)?;
        file.set_len(0).map_err(failed)?;
        writeln!(file, "process {}", std::process::id()).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        Ok(Lock { _file: file, epoch })
    }

    /// Whether a living process holds the lock.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        let Ok(file) = File::open(self.path("lock")) else {
            return false;
        };
        flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
    }

    fn next_epoch(&self) -> io::Result<u64> {
        let path = self.path("epoch");
        let last: u64 = match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map_err(|_| {
                io::Error::other(format!("{} does not hold a number", path.display()))
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        let epoch = last + 1;
        self.write("epoch", format!("{epoch}\n").as_bytes())?;
        Ok(epoch)
    }

    /// Writes a whole file so that after a crash it holds the old or the new content.
    ///
    /// # Errors
    /// As the system says.
    pub fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        let dir = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(dir)?;
        let temporary = path.with_extension("new");
        let mut file = File::create(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, &path)?;
        File::open(dir)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_about_the_lock_keeps_nobody_from_taking_it() {
        let dir = tempfile::tempdir().unwrap();
        let state = StateDir::open(dir.path()).unwrap();
        let first = state.lock().unwrap();
        assert!(state.is_locked());
        let refused = state.lock().unwrap_err();
        assert_eq!(refused.kind(), DriverErrorKind::Locked);
        drop(first);
        // As in `is_locked`, and for longer than that takes.
        let asking = File::open(state.path("lock")).unwrap();
        flock(&asking, FlockOperation::NonBlockingLockShared).unwrap();
        let asked = std::thread::spawn(move || {
            std::thread::sleep(LOCK_EVERY);
            drop(asking);
        });
        assert_eq!(state.lock().unwrap().epoch(), 2);
        asked.join().unwrap();
    }
}
