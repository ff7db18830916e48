//! A runbook's page as a file that people work on too.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use nonevent_runbook::PAGE_BYTES_MAX;

use crate::error::{DriverError, DriverErrorKind};

/// A page that was read, and can be replaced if nobody changed it meanwhile.
#[derive(Clone, Debug)]
pub struct PageFile {
    path: PathBuf,
    text: String,
}

impl PageFile {
    /// Reads the page at `path`; a link is followed once and for all.
    ///
    /// # Errors
    /// There is no such file, it is no file, longer than [`PAGE_BYTES_MAX`], or no UTF-8.
    pub fn open(path: &Path) -> Result<PageFile, DriverError> {
        let told = |text: String| input(format!("{}: {text}", path.display()));
        let path = fs::canonicalize(path).map_err(|error| told(error.to_string()))?;
        let text = read(&path).map_err(told)?;
        Ok(PageFile { path, text })
    }

    /// Where it is, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says, as it was read or replaced last.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Puts `text` in its place: all of it or nothing, with the permissions that it had. If the text
    /// is what the file says, nothing is written.
    ///
    /// # Errors
    /// Somebody changed the file since it was read, or it cannot be written; the file is then as it
    /// was.
    pub fn replace(&mut self, text: String) -> Result<(), DriverError> {
        let shown = self.path.display();
        let now = read(&self.path).map_err(|error| input(format!("{shown}: {error}")))?;
        if now != self.text {
            return Err(input(format!(
                "{shown} was changed by somebody else meanwhile, and is left as it is: do it again"
            )));
        }
        if text == self.text {
            return Ok(());
        }
        write(&self.path, &text).map_err(|error| {
            DriverError::new(DriverErrorKind::Storage, format!("{shown}: {error}"))
        })?;
        self.text = text;
        Ok(())
    }
}

fn input(text: String) -> DriverError {
    DriverError::new(DriverErrorKind::Input, text)
}

fn read(path: &Path) -> Result<String, String> {
    let meta = fs::metadata(path).map_err(|error| error.to_string())?;
    if !meta.is_file() {
        return Err("this is no file".to_owned());
    }
    let mut bytes = Vec::new();
    let most = PAGE_BYTES_MAX as u64;
    File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    if bytes.len() as u64 > most {
        return Err(format!("it has more than {most} bytes"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        format!("this is no text in UTF-8, from byte {at} on")
    })
}

fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("/"));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let temporary = dir.join(name);
    let written = (|| {
        let mut file = File::create(&temporary)?;
        file.set_permissions(fs::metadata(path)?.permissions())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        File::open(dir)?.sync_all()
    })();
    if written.is_err() {
        // It may not be there at all.
        drop(fs::remove_file(&temporary));
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_page_is_replaced_whole_and_only_if_nobody_else_did() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("page.md");
        let link = dir.path().join("link.md");
        fs::write(&path, "a\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&path, &link).unwrap();
        let mut page = PageFile::open(&link).unwrap();
        page.replace("b\n".to_owned()).unwrap();
        page.replace("b\n".to_owned()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "b\n");
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        fs::write(&path, "somebody else's\n").unwrap();
        let error = page.replace("c\n".to_owned()).unwrap_err().to_string();
        assert!(error.contains("by somebody else"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "somebody else's\n");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_is_no_page_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("latin1"), b"caf\xe9").unwrap();
        File::create(at("long")).unwrap().set_len(5 << 20).unwrap();
        let cases = [
            ("", "this is no file"),
            ("missing", "No such file"),
            ("latin1", "from byte 3 on"),
            ("long", "more than 4194304 bytes"),
        ];
        for (name, expected) in cases {
            let error = PageFile::open(&at(name)).unwrap_err().to_string();
            assert!(error.contains(expected), "{name}: {error}");
        }
    }
}
