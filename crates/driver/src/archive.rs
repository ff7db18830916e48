//! The evidence of one rollout: signed statements, kept as files.

use std::fs;
use std::path::{Path, PathBuf};

use nonevent_document::Digest;
use nonevent_evidence::{Envelope, SigningKey, Statement, TrustPolicy, TrustedKey, predicate_type};

use crate::error::{DriverError, DriverErrorKind};
use crate::evidence_store::EvidenceStore;
use crate::state_dir::StateDir;

/// Signs statements and keeps the envelopes.
pub struct Archive {
    state: StateDir,
    key: SigningKey,
    envelopes: Vec<(String, Envelope)>,
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> DriverError {
    DriverError::new(DriverErrorKind::Storage, format!("{what}: {error}"))
}

impl Archive {
    /// Opens the archive of a state folder, with the key in it, or a new one under `label`.
    ///
    /// # Errors
    /// The key or an envelope cannot be read or written.
    pub fn open(state: &StateDir, label: &str) -> Result<Archive, DriverError> {
        let path = state.path("keys/signing.yaml");
        let key = if path.exists() {
            read_signing_key(&path)?
        } else {
            new_signing_key(&path, label)?
        };
        let mut archive = Archive {
            state: state.clone(),
            key,
            envelopes: Vec::new(),
        };
        archive
            .read()
            .map_err(|error| failed("the evidence folder", &error))?;
        Ok(archive)
    }

    fn dir(&self) -> PathBuf {
        self.state.path("evidence")
    }

    fn read(&mut self) -> std::io::Result<()> {
        fs::create_dir_all(self.dir())?;
        let mut paths: Vec<PathBuf> = fs::read_dir(self.dir())?
            .map(|entry| entry.map(|it| it.path()))
            .collect::<Result<_, _>>()?;
        paths.retain(|path| path.extension().is_some_and(|it| it == "json"));
        paths.sort();
        for path in paths {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            // What cannot be read is no evidence; a gate that needs it will say that it is missing.
            if let Ok(envelope) = Envelope::from_json(&fs::read(&path)?) {
                self.envelopes.push((name, envelope));
            }
        }
        Ok(())
    }

    /// Signs `statement` and keeps it as `NN-NAME.json`, and in the store; returns the envelope's digest.
    ///
    /// # Errors
    /// It cannot be signed or written.
    pub fn add(&mut self, name: &str, statement: &Statement) -> Result<Digest, DriverError> {
        let envelope = Envelope::sign(statement, &self.key)
            .map_err(|error| failed("a statement cannot be signed", &error))?;
        let digest = envelope
            .digest()
            .map_err(|error| failed("an envelope has no canonical form", &error))?;
        let file = format!("{:02}-{name}.json", self.envelopes.len() + 1);
        self.state
            .write(&format!("evidence/{file}"), envelope.to_json().as_bytes())
            .map_err(|error| failed("evidence cannot be written", &error))?;
        EvidenceStore::open(&self.state)?.add(&envelope)?;
        self.envelopes.push((file, envelope));
        Ok(digest)
    }

    /// The envelopes, with their files' names.
    #[must_use]
    pub fn envelopes(&self) -> &[(String, Envelope)] {
        &self.envelopes
    }

    /// Trusts this archive's own key and no other.
    #[must_use]
    pub fn own_trust(&self) -> TrustPolicy {
        TrustPolicy::new(vec![TrustedKey::new(
            self.key.verifying_key(),
            predicate_type::ALL.map(String::from).to_vec(),
            self.key.label(),
        )])
    }

    /// The key's label.
    #[must_use]
    pub fn label(&self) -> &str {
        self.key.label()
    }
}

/// Reads a signing key, which only its owner may be able to read.
///
/// # Errors
/// It cannot be read, is no key file, or others may read or write it.
pub fn read_signing_key(path: &Path) -> Result<SigningKey, DriverError> {
    use std::os::unix::fs::PermissionsExt as _;
    let name = path.display().to_string();
    let refused = |text: String| DriverError::new(DriverErrorKind::Input, text);
    let read = || -> std::io::Result<(u32, Vec<u8>)> {
        let mut file = fs::File::open(path)?;
        // Of the very file that is read.
        let mode = file.metadata()?.permissions().mode();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut file, &mut bytes)?;
        Ok((mode, bytes))
    };
    let (mode, bytes) = read().map_err(|error| refused(format!("{name}: {error}")))?;
    if mode & 0o077 != 0 {
        return Err(refused(format!(
            "{name}: others than its owner may use this key (mode {:o}); chmod 600 {name}",
            mode & 0o777
        )));
    }
    SigningKey::from_key_file(&name, &bytes).map_err(|error| refused(error.to_string()))
}

/// Makes a signing key and keeps it at `path`, readable by its owner only; there must be no file.
///
/// # Errors
/// There is one, or it cannot be written.
pub fn new_signing_key(path: &Path, label: &str) -> Result<SigningKey, DriverError> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut seed = [0u8; 32];
    getrandom::fill(&mut seed).map_err(|error| failed("no randomness for a key", &error))?;
    let key = SigningKey::from_seed(seed).with_label(label);
    let write = || -> std::io::Result<()> {
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        let mut file = fs::OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(key.to_key_file().as_bytes())?;
        file.sync_all()
    };
    write().map_err(|error| {
        failed(
            &format!("the key {} cannot be kept", path.display()),
            &error,
        )
    })?;
    Ok(key)
}
