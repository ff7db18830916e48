//! The evidence of a state folder: the store, which only grows, and the folder of the present rollout.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use nonevent_document::Digest;
use nonevent_evidence::{Bundle, ChainLimits, Envelope, Imported, Store, Stored, TrustPolicy};
use nonevent_gates::EvidenceSet;
use rustix::fs::{FlockOperation, flock};

use crate::error::{DriverError, DriverErrorKind};
use crate::state_dir::StateDir;

/// The store's file in the state folder.
const FILE: &str = "evidence.jsonl";
/// Envelopes in files that are larger than this are not read, in bytes.
const ENVELOPE_BYTES_MAX: u64 = 4 << 20;

/// The store of a state folder, locked: whoever else wants to add waits.
///
/// It is never put away, so that what was once kept there goes on counting: a failure cannot be
/// hidden behind an older pass. Every envelope is on disk when [`EvidenceStore::add`] returns.
#[derive(Debug)]
pub struct EvidenceStore {
    file: File,
    path: PathBuf,
    len: u64,
    store: Store,
}

fn failed(path: &Path, what: &str, error: &dyn std::fmt::Display) -> DriverError {
    let text = format!("{} cannot be {what}: {error}", path.display());
    DriverError::new(DriverErrorKind::Storage, text)
}

impl EvidenceStore {
    /// Opens the store, or begins one. An end that was torn by a crash is cut off.
    ///
    /// # Errors
    ///
    /// It cannot be opened or read, or is damaged: then nothing is added to it, and it is for people
    /// to find out what happened.
    pub fn open(state: &StateDir) -> Result<EvidenceStore, DriverError> {
        let path = state.path(FILE);
        let begun = !path.exists();
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).read(true).write(true);
        let open = || -> io::Result<(File, Vec<u8>)> {
            let mut file = options.open(&path)?;
            flock(&file, FlockOperation::LockExclusive)?;
            let bytes = whole(&mut file)?;
            if begun {
                File::open(state.root())?.sync_all()?;
            }
            Ok((file, bytes))
        };
        let (file, bytes) = open().map_err(|error| failed(&path, "opened", &error))?;
        let store = Store::read(&bytes, &ChainLimits::default());
        let store = store.map_err(|error| failed(&path, "read", &error))?;
        let mut opened = EvidenceStore {
            file,
            len: store.good_len() as u64,
            path,
            store,
        };
        if opened.store.torn_tail().is_some() {
            opened.cut()?;
        }
        Ok(opened)
    }

    /// What it holds.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Keeps an envelope, and says whether it is new. Its signatures are not looked at.
    ///
    /// # Errors
    ///
    /// It is no evidence, or cannot be written; then nothing is kept.
    pub fn add(&mut self, envelope: &Envelope) -> Result<bool, DriverError> {
        let mut grown = self.store.clone();
        let line = grown.add(envelope);
        let line = line.map_err(|error| failed(&self.path, "added to", &error))?;
        let Some(line) = line else {
            return Ok(false);
        };
        self.write(&line)?;
        self.store = grown;
        Ok(true)
    }

    /// Keeps what a bundle holds.
    ///
    /// # Errors
    ///
    /// As [`EvidenceStore::add`]; then nothing of it is kept.
    pub fn import(&mut self, bundle: &Bundle) -> Result<Imported, DriverError> {
        let mut grown = self.store.clone();
        let imported = grown.import(bundle);
        let imported = imported.map_err(|error| failed(&self.path, "added to", &error))?;
        self.write(&imported.lines)?;
        self.store = grown;
        Ok(imported)
    }

    fn write(&mut self, lines: &str) -> Result<(), DriverError> {
        let written = self
            .file
            .seek(SeekFrom::Start(self.len))
            .and_then(|_| self.file.write_all(lines.as_bytes()))
            .and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // What stands there of it would be a torn end; if this fails too, it is one.
            self.cut().ok();
            return Err(failed(&self.path, "written", &error));
        }
        self.len += lines.len() as u64;
        Ok(())
    }

    fn cut(&mut self) -> Result<(), DriverError> {
        let cut = self.file.set_len(self.len);
        cut.and_then(|()| self.file.sync_all())
            .map_err(|error| failed(&self.path, "cut to its whole records", &error))
    }
}

/// All of a file that is no larger than a store may be.
fn whole(file: &mut File) -> io::Result<Vec<u8>> {
    let max = ChainLimits::default().bytes_max as u64;
    let mut bytes = Vec::new();
    // One more, so that the reader sees that it is too large.
    file.take(max + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What the store of a state folder holds, without waiting for whoever adds to it; an empty one if
/// there is none.
///
/// # Errors
///
/// It cannot be read, or is damaged.
pub fn stored_evidence(state: &Path) -> Result<Store, DriverError> {
    let path = state.join(FILE);
    let bytes = match File::open(&path).and_then(|mut file| whole(&mut file)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(failed(&path, "read", &error)),
    };
    Store::read(&bytes, &ChainLimits::default()).map_err(|error| failed(&path, "read", &error))
}

/// The one envelope of a store whose digest begins so, with `sha256:` or without.
///
/// # Errors
///
/// There is none, or there are several.
pub fn find_evidence<'s>(store: &'s Store, begins: &str) -> Result<&'s Stored, DriverError> {
    let digits = begins.strip_prefix("sha256:").unwrap_or(begins);
    let mut found = store.envelopes().iter();
    let mut found = found
        .by_ref()
        .filter(|it| !digits.is_empty() && it.digest.hex().starts_with(digits));
    let refused = |how: &str| {
        let text = format!("{how} evidence in the store has a digest that begins with {begins}");
        DriverError::new(DriverErrorKind::Input, text)
    };
    match (found.next(), found.next()) {
        (Some(stored), None) => Ok(stored),
        (None, _) => Err(refused("no")),
        (Some(_), Some(_)) => Err(refused("more than one piece of")),
    }
}

/// All evidence that there is in a state folder: the store, and the files of the present rollout;
/// and which files were not read.
///
/// # Errors
///
/// The store cannot be read, or is damaged: what it held is not known, so nothing may be decided.
pub fn all_evidence(
    state: &Path,
    trust: TrustPolicy,
) -> Result<(EvidenceSet, Vec<PathBuf>), DriverError> {
    let mut evidence = EvidenceSet::new(trust);
    for stored in stored_evidence(state)?.envelopes() {
        evidence.add(stored.envelope.clone());
    }
    let entries = fs::read_dir(state.join("evidence"));
    let entries = entries.into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|it| it == "json"));
    paths.sort();
    let mut passed_over = Vec::new();
    for path in paths {
        let is_small =
            fs::metadata(&path).is_ok_and(|it| it.is_file() && it.len() <= ENVELOPE_BYTES_MAX);
        match fs::read(&path) {
            Ok(bytes) if is_small => evidence.read(&path.display().to_string(), &bytes),
            _ => passed_over.push(path),
        }
    }
    Ok((evidence, passed_over))
}

/// The digest of an envelope that has just been made.
pub(crate) fn digest_of(envelope: &Envelope) -> Result<Digest, DriverError> {
    let digest = envelope.digest();
    digest.map_err(|error| DriverError::new(DriverErrorKind::Input, error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use nonevent_document::Timestamp;
    use nonevent_evidence::{Approval, Predicate, SigningKey, Statement};

    fn envelope(by: &str) -> Envelope {
        let plan = Digest::of(b"plan");
        let predicate = Approval {
            plan,
            by: by.to_owned(),
            role: "lead".to_owned(),
            at: Timestamp::from_unix_ms(1_770_000_000_000),
            comment: String::new(),
        };
        let statement = Statement::about("plan", plan, Predicate::Approval(predicate));
        Envelope::sign(&statement, &SigningKey::from_seed([1; 32])).expect("signed")
    }

    #[test]
    fn what_is_kept_is_there_after_a_torn_end_and_damage_is_told() {
        let dir = tempfile::tempdir().expect("a folder");
        let state = StateDir::open(dir.path()).expect("a state folder");
        assert!(
            stored_evidence(dir.path())
                .expect("none")
                .envelopes()
                .is_empty()
        );
        let mut store = EvidenceStore::open(&state).expect("a store");
        assert!(store.add(&envelope("Ada")).expect("kept"));
        assert!(!store.add(&envelope("Ada")).expect("known"));
        assert!(store.add(&envelope("Bob")).expect("kept"));
        drop(store);

        let path = dir.path().join(FILE);
        let whole = fs::read(&path).expect("a file");
        fs::write(&path, &whole[..whole.len() - 40]).expect("torn");
        let mut store = EvidenceStore::open(&state).expect("a store");
        assert_eq!(store.store().envelopes().len(), 1);
        let bundle = Bundle::of(["Ada", "Bob", "Eve"].map(envelope)).expect("a bundle");
        let imported = store.import(&bundle).expect("kept");
        assert_eq!((imported.added, imported.known), (2, 1));
        drop(store);
        let kept = stored_evidence(dir.path()).expect("whole");
        assert_eq!(kept.envelopes().len(), 3);

        let second = kept.envelopes()[1].digest;
        let found = find_evidence(&kept, &second.hex()[..10]).expect("one");
        assert_eq!(found.digest, second);
        assert!(find_evidence(&kept, "").is_err());
        assert!(find_evidence(&kept, "sha256:zz").is_err());

        let mut damaged = fs::read(&path).expect("a file");
        damaged[60] ^= 1;
        fs::write(&path, &damaged).expect("damaged");
        assert!(stored_evidence(dir.path()).is_err());
        assert!(EvidenceStore::open(&state).is_err());
        assert!(all_evidence(dir.path(), TrustPolicy::default()).is_err());
        assert_eq!(fs::read(&path).expect("a file"), damaged);
    }
}
