//! The journal on disk: appended, synced, and with room set aside for the way back.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use nonevent_rollout::JournalLine;
use rustix::fs::{FallocateFlags, fallocate};

use crate::error::{DriverError, DriverErrorKind};

/// Bytes set aside beyond what is written: far more than the records of one rollback.
const RESERVED_BYTES: u64 = 256 * 1024;

/// An open journal.
#[derive(Debug)]
pub struct JournalFile {
    file: File,
    path: PathBuf,
    len: u64,
    reserved: u64,
}

impl JournalFile {
    /// Begins a journal with its first line; there must be none. It is never seen without that
    /// line, since a journal that tells of no plan could neither be gone on with nor put away.
    ///
    /// # Errors
    /// It exists, or cannot be made.
    pub fn create(path: &Path, first: &JournalLine) -> Result<JournalFile, DriverError> {
        let temporary = path.with_extension("new");
        let open = || -> io::Result<File> {
            if path.try_exists()? {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            let mut file = File::create(&temporary)?;
            file.write_all(first.0.as_bytes())?;
            file.sync_all()?;
            fs::rename(&temporary, path)?;
            if let Some(dir) = path.parent() {
                File::open(dir)?.sync_all()?;
            }
            Ok(file)
        };
        let file = open().map_err(|error| failed(path, "begun", &error))?;
        let len = first.0.len() as u64;
        JournalFile {
            file,
            path: path.to_owned(),
            len,
            reserved: len,
        }
        .reserve()
    }

    /// Goes on with a journal of which `good_len` bytes are good; a torn rest is cut off.
    ///
    /// # Errors
    /// It cannot be opened or cut.
    pub fn reopen(path: &Path, good_len: usize) -> Result<JournalFile, DriverError> {
        let len = good_len as u64;
        let open = || -> io::Result<File> {
            let mut file = OpenOptions::new().write(true).open(path)?;
            file.set_len(len)?;
            file.seek(SeekFrom::Start(len))?;
            file.sync_all()?;
            Ok(file)
        };
        let file = open().map_err(|error| failed(path, "opened", &error))?;
        JournalFile {
            file,
            path: path.to_owned(),
            len,
            reserved: len,
        }
        .reserve()
    }

    /// Writes lines and syncs them; when it returns, they are on disk.
    ///
    /// # Errors
    /// They are not, or may not be.
    pub fn append(&mut self, lines: &[JournalLine]) -> Result<(), DriverError> {
        if lines.is_empty() {
            return Ok(());
        }
        let text: String = lines.iter().map(|line| line.0.as_str()).collect();
        let write = |file: &mut File| {
            file.write_all(text.as_bytes())?;
            file.sync_data()
        };
        write(&mut self.file).map_err(|error| failed(&self.path, "written", &error))?;
        self.len += text.len() as u64;
        if self.len + RESERVED_BYTES / 2 > self.reserved {
            self.reserve_more()?;
        }
        Ok(())
    }

    fn reserve(mut self) -> Result<JournalFile, DriverError> {
        self.reserve_more()?;
        Ok(self)
    }

    /// Asks the file system for room beyond the end, without changing the length.
    fn reserve_more(&mut self) -> Result<(), DriverError> {
        let reserved = fallocate(
            &self.file,
            FallocateFlags::KEEP_SIZE,
            self.len,
            RESERVED_BYTES,
        );
        match reserved {
            Ok(()) => {}
            // Not every file system can: then there is no promise, and writing may fail later.
            Err(rustix::io::Errno::OPNOTSUPP) => {}
            Err(error) => {
                return Err(failed(
                    &self.path,
                    "given room for a whole rollback",
                    &error.into(),
                ));
            }
        }
        self.reserved = self.len + RESERVED_BYTES;
        Ok(())
    }
}

fn failed(path: &Path, what: &str, error: &io::Error) -> DriverError {
    DriverError::new(
        DriverErrorKind::Journal,
        format!(
            "the journal {} could not be {what}: {error}",
            path.display()
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_end_is_cut_off_and_the_room_set_aside_is_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal.jsonl");
        let mut journal = JournalFile::create(&path, &JournalLine("one\n".into())).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\n");
        journal.append(&[JournalLine("two\n".into())]).unwrap();
        drop(journal);
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert!(
            JournalFile::create(&path, &JournalLine("other\n".into())).is_err(),
            "a second beginning overwrites nothing"
        );
        let mut journal = JournalFile::reopen(&path, 4).unwrap();
        journal.append(&[JournalLine("three\n".into())]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\nthree\n");
    }
}
