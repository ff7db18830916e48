//! The change accepted last, kept over a restart of the router.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use nonevent_router::{Desired, embedded};
use serde::{Deserialize, Serialize};

const KIND: &str = "RouterState";

/// A state file longer than this is not read, in bytes.
const STATE_BYTES_MAX: u64 = 4 << 20;

/// What a router needs to come up as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    /// Where it took requests.
    pub(super) listen: SocketAddr,
    /// The change it accepted last.
    pub(super) desired: Desired,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Wire {
    api_version: String,
    kind: String,
    spec: State,
}

/// Reads a state file; `None` if there is none.
///
/// One that cannot be understood is an error: coming up with another split than the one that was
/// accepted would move traffic that nobody asked to move.
pub(super) fn read(path: &Path) -> io::Result<Option<State>> {
    let unfit = |why: &dyn std::fmt::Display| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "{}: not a router state ({why}); remove the file to start with the router closed",
                path.display()
            ),
        )
    };
    let length = match fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if length > STATE_BYTES_MAX {
        return Err(unfit(&format_args!("over {STATE_BYTES_MAX} bytes")));
    }
    let wire: Wire = serde_json::from_slice(&fs::read(path)?).map_err(|error| unfit(&error))?;
    if wire.api_version != embedded::API_VERSION || wire.kind != KIND {
        return Err(unfit(&format_args!(
            "it says apiVersion `{}`, kind `{}`",
            wire.api_version, wire.kind
        )));
    }
    embedded::check(&wire.spec.desired).map_err(|error| unfit(&error))?;
    Ok(Some(wire.spec))
}

/// Replaces a state file at once: a reader sees the old state or the new one, whole.
pub(super) fn write(path: &Path, state: &State) -> io::Result<()> {
    let wire = Wire {
        api_version: embedded::API_VERSION.to_owned(),
        kind: KIND.to_owned(),
        spec: state.clone(),
    };
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new: PathBuf = path.with_file_name(name);
    let mut file = File::create(&new)?;
    file.write_all(&serde_json::to_vec(&wire)?)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use nonevent_document::Digest;
    use nonevent_router::{Fence, Pools, Split};

    use super::*;

    fn state() -> State {
        State {
            listen: "127.0.0.1:8080".parse().expect("an address"),
            desired: Desired {
                split: Split::CANARY,
                pools: Pools::default(),
                plan: Digest::of(b""),
                fence: Fence {
                    epoch: 1,
                    generation: 2,
                },
            },
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("router.json");
        assert_eq!(read(&path).unwrap(), None);
        write(&path, &state()).unwrap();
        write(&path, &state()).unwrap();
        assert_eq!(read(&path).unwrap(), Some(state()));
    }

    #[test]
    fn damage_is_an_error_that_says_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("router.json");
        write(&path, &state()).unwrap();
        let whole = fs::read_to_string(&path).unwrap();
        for damaged in [
            whole[..whole.len() / 2].to_owned(),
            String::new(),
            whole.replace("nonevent/v1", "nonevent/v9"),
            whole.replace("\"listen\"", "\"heed\""),
        ] {
            fs::write(&path, damaged).unwrap();
            let error = read(&path).unwrap_err();
            assert!(error.to_string().contains("remove the file"), "{error}");
        }
    }
}
