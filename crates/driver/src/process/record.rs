//! What a fleet keeps of its instances, so that the next controller finds them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::identity::ProcessIdentity;
use crate::fleet::InstanceId;

const API_VERSION: &str = "nonevent/v1";
const KIND: &str = "Instance";

/// A record longer than this is not read, in bytes.
const RECORD_BYTES_MAX: u64 = 64 << 10;

/// One instance on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Record {
    pub(super) id: InstanceId,
    pub(super) process: ProcessIdentity,
    pub(super) port: u16,
    pub(super) version: String,
    pub(super) started_unix_ms: i64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    api_version: String,
    kind: String,
    spec: Record,
}

/// The folder of records.
#[derive(Clone, Debug)]
pub(super) struct Records {
    folder: PathBuf,
}

impl Records {
    pub(super) fn open(folder: PathBuf) -> io::Result<Records> {
        fs::create_dir_all(&folder)?;
        Ok(Records { folder })
    }

    fn path(&self, id: InstanceId) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    /// Replaces a record at once.
    pub(super) fn write(&self, record: &Record) -> io::Result<()> {
        let path = self.path(record.id);
        let new = path.with_extension("new");
        let wire = Wire {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            spec: record.clone(),
        };
        fs::write(&new, serde_json::to_vec(&wire)?)?;
        fs::rename(new, path)
    }

    pub(super) fn remove(&self, id: InstanceId) -> io::Result<()> {
        match fs::remove_file(self.path(id)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// All records, and what is wrong with files that should be some. A damaged record is no
    /// error: the instance is still found by its marker.
    pub(super) fn read_all(&self) -> io::Result<(Vec<Record>, Vec<String>)> {
        let (mut records, mut notes) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                match read(&path) {
                    Ok(record) if self.path(record.id) == path => records.push(record),
                    Ok(record) => notes.push(format!(
                        "{}: it is the record of {}",
                        path.display(),
                        record.id
                    )),
                    Err(error) => notes.push(format!("{}: {error}", path.display())),
                }
            }
        }
        Ok((records, notes))
    }
}

fn read(path: &Path) -> io::Result<Record> {
    let unfit = |why: String| io::Error::new(io::ErrorKind::InvalidData, why);
    if fs::metadata(path)?.len() > RECORD_BYTES_MAX {
        return Err(unfit(format!("over {RECORD_BYTES_MAX} bytes")));
    }
    let wire: Wire = serde_json::from_slice(&fs::read(path)?)
        .map_err(|error| unfit(format!("not an instance's record: {error}")))?;
    if wire.api_version != API_VERSION || wire.kind != KIND {
        return Err(unfit("not an instance's record".to_owned()));
    }
    Ok(wire.spec)
}
