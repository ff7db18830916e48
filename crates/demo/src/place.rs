//! Where a report or a changed file goes: a file that is whole or not there.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

/// A file in the making beside the one that it is to replace. Unless it is put there it is removed.
pub(crate) struct Place {
    path: PathBuf,
    /// Nothing where the path is no file and is written to as it is, such as `/dev/stdout`.
    part: Option<PathBuf>,
}

impl Place {
    /// Begins a file for `path`.
    ///
    /// # Errors
    ///
    /// When there can be no file, in a sentence.
    pub(crate) fn open(path: &Path) -> Result<(Place, BufWriter<File>), String> {
        let open = || -> io::Result<(Place, File)> {
            // A link goes on leading to what it leads to.
            let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
            let is_file = fs::metadata(&path).map_or(true, |it| it.is_file());
            if path.is_dir() {
                return Err(io::Error::other("this is a folder: name a file in it"));
            }
            if !is_file {
                let file = File::options().write(true).open(&path)?;
                return Ok((Place { path, part: None }, file));
            }
            let part = beside(&path, "part")?;
            let file = File::create(&part)?;
            let part = Some(part);
            Ok((Place { path, part }, file))
        };
        let (place, file) = open().map_err(|error| refused(path, &error))?;
        Ok((place, BufWriter::new(file)))
    }

    /// A file that nobody else sees, for what has to wait until the end.
    ///
    /// # Errors
    ///
    /// As [`Place::open`].
    pub(crate) fn spool(&self) -> Result<File, String> {
        let open = || {
            let folder = std::env::temp_dir();
            let path = match &self.part {
                Some(_) => beside(&self.path, "spool")?,
                None => folder.join(format!("nonevent-{}.spool", std::process::id())),
            };
            let options = File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .to_owned();
            let file = options.open(&path)?;
            fs::remove_file(&path)?;
            Ok(file)
        };
        open().map_err(|error| refused(&self.path, &error))
    }

    /// Replaces the old file by the new one, which has been flushed.
    ///
    /// # Errors
    ///
    /// When that is impossible; the old one is then still there.
    pub(crate) fn put(mut self) -> io::Result<()> {
        let Some(part) = self.part.clone() else {
            return Ok(());
        };
        let file = File::open(&part)?;
        if let Ok(old) = fs::metadata(&self.path) {
            // What may read the old one may read the new one.
            drop(file.set_permissions(old.permissions()));
        }
        file.sync_all()?;
        fs::rename(&part, &self.path)?;
        self.part = None;
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(part) = &self.part {
            drop(fs::remove_file(part));
        }
    }
}

/// `.report.xml.part-4711` for `report.xml`, in the same folder.
fn beside(path: &Path, what: &str) -> io::Result<PathBuf> {
    let name = path.file_name();
    let name = name.ok_or_else(|| io::Error::other("it names no file"))?;
    let name = name.to_string_lossy();
    let process = std::process::id();
    Ok(path.with_file_name(format!(".{name}.{what}-{process}")))
}

fn refused(path: &Path, error: &io::Error) -> String {
    let shown = path.display();
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    match folder {
        Some(folder) if error.kind() == io::ErrorKind::NotFound => {
            let folder = folder.display();
            format!("{shown} cannot be written: create the folder {folder} first")
        }
        _ => format!("{shown} cannot be written: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _, Write as _};

    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let name = |it: io::Result<fs::DirEntry>| it.expect("an entry").file_name();
        let mut names: Vec<String> = entries
            .map(|it| name(it).to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn an_old_file_stays_until_the_new_one_is_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("report.xml");
        fs::write(&path, "old").expect("written");
        let (place, mut file) = Place::open(&path).expect("opened");
        file.write_all(b"half").expect("written");
        drop((file, place));
        assert_eq!(fs::read_to_string(&path).expect("there"), "old");
        assert_eq!(names(folder.path()), ["report.xml"]);

        let (place, mut file) = Place::open(&path).expect("opened");
        file.write_all(b"new")
            .and_then(|()| file.flush())
            .expect("written");
        assert_eq!(fs::read_to_string(&path).expect("there"), "old");
        place.put().expect("put");
        assert_eq!(fs::read_to_string(&path).expect("there"), "new");
        assert_eq!(names(folder.path()), ["report.xml"]);
    }

    #[test]
    fn a_spool_is_read_again_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let (place, _file) = Place::open(&folder.path().join("r")).expect("opened");
        let mut spool = place.spool().expect("a spool");
        spool.write_all(b"kept").expect("written");
        spool.rewind().expect("rewound");
        let mut text = String::new();
        spool.read_to_string(&mut text).expect("read");
        assert_eq!(text, "kept");
        drop(place);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn what_is_no_file_is_written_to_and_not_replaced() {
        let (place, mut file) = Place::open(Path::new("/dev/null")).expect("opened");
        file.write_all(b"gone")
            .and_then(|()| file.flush())
            .expect("written");
        drop(place.spool().expect("a spool elsewhere"));
        place.put().expect("nothing to do");
        let metadata = fs::metadata("/dev/null").expect("there");
        assert!(!metadata.is_file());
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = Place::open(Path::new("/nowhere/r.xml"))
            .err()
            .expect("no folder");
        assert!(
            error.contains("create the folder /nowhere first"),
            "{error}"
        );
    }
}
