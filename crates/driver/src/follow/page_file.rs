//! The page's file: what becomes of an item is written into it as it happens, whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use nonevent_runbook::{PAGE_BYTES_MAX, tick};

use super::follower::Ticked;

/// A runbook's page on disk. Others may write into it between two ticks.
#[derive(Clone, Debug)]
pub struct PageFile {
    path: PathBuf,
}

impl PageFile {
    /// The page at `path`; a link goes on leading to what it leads to.
    ///
    /// # Errors
    /// There is none.
    pub fn open(path: &Path) -> io::Result<PageFile> {
        let path = path.canonicalize()?;
        Ok(PageFile { path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says.
    ///
    /// # Errors
    /// It cannot be read, is too long to be a runbook, or no text in UTF-8.
    pub fn read(&self) -> io::Result<String> {
        let long = || io::Error::other(format!("it is longer than {PAGE_BYTES_MAX} bytes"));
        let len = fs::metadata(&self.path)?.len();
        if usize::try_from(len).map_or(true, |len| len > PAGE_BYTES_MAX) {
            return Err(long());
        }
        fs::read_to_string(&self.path)
    }

    /// Writes down what became of an item.
    ///
    /// # Errors
    /// The page has no such item, or cannot be read or written; then it is as it was.
    pub fn tick(&self, ticked: &Ticked) -> Result<(), String> {
        let failed = |error: io::Error| format!("{}: {error}", self.path.display());
        let page = self.read().map_err(failed)?;
        let after = tick(&page, &ticked.id, Some(&ticked.record));
        let after = after.map_err(|error| error.to_string())?;
        if after == page {
            return Ok(());
        }
        self.replace(&after).map_err(failed)
    }

    /// Puts `text` in its place, with its permissions.
    fn replace(&self, text: &str) -> io::Result<()> {
        let name = self.path.file_name();
        let name = name.ok_or_else(|| io::Error::other("it names no file"))?;
        let mut part = OsString::from(".");
        part.push(name);
        part.push(format!(".part-{}", std::process::id()));
        let part = self.path.with_file_name(part);
        let write = || -> io::Result<()> {
            let mut file = File::create(&part)?;
            file.set_permissions(fs::metadata(&self.path)?.permissions())?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&part, &self.path)?;
            match self.path.parent() {
                Some(folder) => File::open(folder)?.sync_all(),
                None => Ok(()),
            }
        };
        let written = write();
        if written.is_err() {
            // One that is not there is removed already.
            drop(fs::remove_file(&part));
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use nonevent_document::Timestamp;
    use nonevent_runbook::{Record, RecordOutcome};

    use super::*;

    fn ticked(id: &str) -> Ticked {
        Ticked {
            id: id.to_owned(),
            record: Record {
                outcome: RecordOutcome::Done,
                at: Timestamp::from_unix_ms(0),
                by: "ada".to_owned(),
                took_ms: 12_000,
                seen: "it is so".to_owned(),
            },
        }
    }

    #[test]
    fn a_tick_is_written_once_keeps_who_may_read_it_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.md");
        fs::write(&path, "- [ ] It. <!-- id: step/it/do -->\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let link = folder.path().join("link.md");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let page = PageFile::open(&link).unwrap();
        page.tick(&ticked("step/it/do")).unwrap();
        page.tick(&ticked("step/it/do")).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "- [x] It. <!-- id: step/it/do -->\n  - Done 1970-01-01T00:00:00Z by ada in 12s: it is \
             so <!-- run -->\n"
        );
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
        let missing = page.tick(&ticked("step/other/do")).unwrap_err();
        assert!(missing.contains("step/other/do"), "{missing}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}
