//! The last good set of flags from a file that may change at any time.

use std::fs::{self, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use nonevent_document::{Digest, Findings, Timestamp};
use nonevent_flags::{FlagSet, LoadOptions, Usage};

use crate::error::{DriverError, DriverErrorKind};

/// The largest file, in bytes; that of the flags' own limits.
const BYTES_MAX: u64 = 64 << 20;

/// Where flags come from.
#[derive(Clone, Debug)]
pub struct FlagFile {
    /// The file.
    pub path: PathBuf,
    /// How it is read.
    pub options: LoadOptions,
}

/// A set of flags with what it was read from.
#[derive(Debug)]
pub struct Kept {
    /// The flags.
    pub set: FlagSet,
    /// How often each was evaluated. A set that takes this one's place goes on counting.
    pub usage: Usage,
    /// Of the file's bytes.
    pub digest: Digest,
    /// When it was read.
    pub read_at: Timestamp,
    /// Why a later content of the file is not in use, if there is one.
    pub refused: Option<String>,
}

/// What a look at the file found.
#[derive(Debug)]
pub enum Looked {
    /// The same as before.
    Unchanged,
    /// Another content, which is in use now, with what was noticed about it.
    Reloaded {
        /// How many flags there are.
        flags: usize,
        /// What was noticed.
        findings: Findings,
    },
    /// A content that cannot be used, and why; the last good one stays.
    Refused(String),
}

/// The last good set, swapped as a whole: an evaluation sees one set from its beginning to its
/// end, and waits for nobody.
#[derive(Debug)]
pub struct KeptFlags {
    file: FlagFile,
    kept: ArcSwap<Kept>,
    last: Mutex<Last>,
}

/// What the file was when it was looked at last.
#[derive(Debug, Default, PartialEq)]
struct Last {
    stamp: Option<Stamp>,
    digest: Option<Digest>,
    refused: Option<String>,
}

/// Tells most changes without reading the file.
#[derive(Debug, Clone, PartialEq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    inode: u64,
    /// A change so short ago that another one may have the same time is read again.
    is_fresh: bool,
}

impl KeptFlags {
    /// Reads the file; what was noticed about it comes with it.
    ///
    /// # Errors
    ///
    /// [`DriverErrorKind::Storage`] if it cannot be read, [`DriverErrorKind::Findings`] if there are
    /// no flags in it.
    pub fn open(file: FlagFile, now: Timestamp) -> Result<(KeptFlags, Findings), DriverError> {
        let stamp = stamp(&file.path).ok();
        let bytes = read(&file.path)?;
        let (kept, findings) = load(&file, &bytes, now)
            .map_err(|text| DriverError::new(DriverErrorKind::Findings, text))?;
        let last = Last {
            stamp,
            digest: Some(kept.digest),
            refused: None,
        };
        let flags = KeptFlags {
            file,
            kept: ArcSwap::from_pointee(kept),
            last: Mutex::new(last),
        };
        Ok((flags, findings))
    }

    /// The set that is in use.
    #[must_use]
    pub fn current(&self) -> Arc<Kept> {
        self.kept.load_full()
    }

    /// Looks at the file, and takes what it holds now if that can be used.
    pub fn look(&self, now: Timestamp) -> Looked {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let stamp = stamp(&self.file.path).ok();
        if stamp.is_some() && stamp == last.stamp && stamp.as_ref().is_some_and(|it| !it.is_fresh) {
            return Looked::Unchanged;
        }
        last.stamp = stamp;
        let bytes = match read(&self.file.path) {
            Ok(bytes) => bytes,
            Err(error) => return self.refuse(&mut last, None, error.to_string()),
        };
        let digest = Digest::of(&bytes);
        if last.digest == Some(digest) {
            return Looked::Unchanged;
        }
        match load(&self.file, &bytes, now) {
            Ok((mut kept, findings)) => {
                let flags = kept.set.len();
                kept.usage = self.kept.load().usage.renewed(&kept.set);
                self.kept.store(Arc::new(kept));
                last.digest = Some(digest);
                last.refused = None;
                Looked::Reloaded { flags, findings }
            }
            Err(why) => self.refuse(&mut last, Some(digest), why),
        }
    }

    fn refuse(&self, last: &mut Last, digest: Option<Digest>, why: String) -> Looked {
        last.digest = digest;
        if last.refused.as_ref() == Some(&why) {
            return Looked::Unchanged;
        }
        last.refused = Some(why.clone());
        let kept = self.current();
        self.kept.store(Arc::new(Kept {
            set: kept.set.clone(),
            usage: kept.usage.clone(),
            refused: Some(why.clone()),
            ..*kept
        }));
        Looked::Refused(why)
    }
}

fn load(file: &FlagFile, bytes: &[u8], now: Timestamp) -> Result<(Kept, Findings), String> {
    let name = file.path.display().to_string();
    match FlagSet::load(&name, bytes, file.options) {
        Ok(loaded) => {
            let kept = Kept {
                usage: Usage::new(&loaded.set),
                set: loaded.set,
                digest: Digest::of(bytes),
                read_at: now,
                refused: None,
            };
            Ok((kept, loaded.findings))
        }
        Err(findings) => Err(findings.render(&name, &String::from_utf8_lossy(bytes), false)),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, DriverError> {
    let problem = |error: &dyn std::fmt::Display| {
        let text = format!("{} cannot be read: {error}", path.display());
        DriverError::new(DriverErrorKind::Storage, text)
    };
    // Something that is no file could keep whoever opens it waiting.
    let facts = fs::metadata(path).map_err(|error| problem(&error))?;
    if !facts.is_file() {
        return Err(problem(&"it is no file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| problem(&error))?;
    file.take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| problem(&error))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(problem(&format!("it is longer than {BYTES_MAX} bytes")));
    }
    Ok(bytes)
}

/// Changes within this long of each other may have one time.
const SAME_TIME_MS: u128 = 2_000;

fn stamp(path: &Path) -> std::io::Result<Stamp> {
    use std::os::unix::fs::MetadataExt as _;
    let facts = fs::metadata(path)?;
    let modified = facts.modified().ok();
    let age = modified.and_then(|at| SystemTime::now().duration_since(at).ok());
    Ok(Stamp {
        length: facts.len(),
        modified,
        inode: facts.ino(),
        is_fresh: age.is_none_or(|age| age.as_millis() < SAME_TIME_MS),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

    fn kept(text: &str) -> (tempfile::TempDir, KeptFlags) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("flags.json");
        fs::write(&path, text).unwrap();
        let file = FlagFile {
            path,
            options: LoadOptions::default(),
        };
        let (flags, findings) = KeptFlags::open(file, AT).unwrap();
        assert!(!findings.has_errors());
        (dir, flags)
    }

    fn value(flags: &KeptFlags) -> bool {
        let context = nonevent_flags::Context::anonymous();
        flags.current().set.bool("dark", false, &context).value
    }

    #[test]
    fn a_change_is_taken_as_a_whole_and_a_bad_one_leaves_the_last_good_set() {
        let (dir, flags) = kept(r#"{"flags":{"dark":true}}"#);
        let path = dir.path().join("flags.json");
        assert!(value(&flags));
        assert!(matches!(flags.look(AT), Looked::Unchanged));

        let before = flags.current();
        let context = nonevent_flags::Context::anonymous();
        let resolution = before.set.evaluate("dark", &context);
        before.usage.record("dark", &resolution, AT);
        fs::write(&path, r#"{"flags":{"dark":false,"more":1}}"#).unwrap();
        assert!(matches!(
            flags.look(AT.plus_ms(5)),
            Looked::Reloaded { flags: 2, .. }
        ));
        assert!(!value(&flags));
        // Whoever still evaluates the set before counts into the same.
        before.usage.record("dark", &resolution, AT);
        let usage = flags.current().usage.snapshot();
        assert_eq!(usage.flags["dark"].evaluations, 2);
        assert_eq!(flags.current().read_at, AT.plus_ms(5));

        for bad in ["{", r#"{"flags":"#, "[]"] {
            fs::write(&path, bad).unwrap();
            let looked = flags.look(AT);
            assert!(matches!(looked, Looked::Refused(_)), "{bad}: {looked:?}");
            assert!(
                matches!(flags.look(AT), Looked::Unchanged),
                "it is said once"
            );
            assert_eq!(flags.current().set.len(), 2);
            assert!(flags.current().refused.is_some());
        }
        fs::remove_file(&path).unwrap();
        assert!(matches!(flags.look(AT), Looked::Refused(why) if why.contains("cannot be read")));
        assert_eq!(flags.current().set.len(), 2);

        // What was in use before the trouble is taken again, and the trouble is over.
        fs::write(&path, r#"{"flags":{"dark":false,"more":1}}"#).unwrap();
        assert!(matches!(flags.look(AT), Looked::Reloaded { .. }));
        assert!(flags.current().refused.is_none());
    }

    #[test]
    fn what_is_no_file_of_flags_is_refused_at_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let open = |path: &Path| {
            let file = FlagFile {
                path: path.to_owned(),
                options: LoadOptions::default(),
            };
            KeptFlags::open(file, AT).unwrap_err()
        };
        assert_eq!(open(dir.path()).kind(), DriverErrorKind::Storage);
        let path = dir.path().join("flags.json");
        assert_eq!(open(&path).kind(), DriverErrorKind::Storage);
        fs::write(&path, "{").unwrap();
        assert_eq!(open(&path).kind(), DriverErrorKind::Findings);
    }
}
