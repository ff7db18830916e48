//! Finding processes by what they were started with, however their starter died.

use std::fs::{self, File};
use std::io::{self, Read};

use super::identity::{ProcessIdentity, Stat};

/// The environment variable that marks what was started here: `<marker>/<name>`.
pub const INSTANCE_VARIABLE: &str = "NONEVENT_INSTANCE";

/// The environment variable that holds the version label.
pub const VERSION_VARIABLE: &str = "NONEVENT_VERSION";

/// The environment variable that holds the port to listen on.
pub const PORT_VARIABLE: &str = "PORT";

/// How much of a process's environment is read, in bytes.
const ENVIRONMENT_BYTES_MAX: u64 = 1 << 20;

/// A living process that carries a marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The process.
    pub process: ProcessIdentity,
    /// What follows the marker, such as `canary-1`. Processes started by the marked one carry
    /// the same name.
    pub name: String,
    /// Its version label, if it has one.
    pub version: Option<String>,
    /// Its port, if it has one.
    pub port: Option<u16>,
    /// Whether it leads its process group, as the one that was started here does and its
    /// descendants do not.
    pub leads: bool,
}

/// Every living process of this user that was started under `marker`, in the order of their
/// numbers. This process itself is left out.
///
/// It needs no record: a process is found by its environment, from the moment it exists. One that
/// overwrites its own environment is not found this way.
///
/// # Errors
///
/// There is no `/proc`.
pub fn find_marked(marker: &str) -> io::Result<Vec<Marked>> {
    let own = std::process::id();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if pid != own
            && let Some(marked) = look_at(pid, marker)?
        {
            found.push(marked);
        }
    }
    found.sort_by_key(|marked| marked.process.pid());
    Ok(found)
}

/// Whether a process can be found by its marker.
pub(super) fn is_marked(pid: u32, marker: &str) -> io::Result<bool> {
    look_at(pid, marker).map(|marked| marked.is_some())
}

fn look_at(pid: u32, marker: &str) -> io::Result<Option<Marked>> {
    let mut environment = Vec::new();
    let read = File::open(format!("/proc/{pid}/environ")).and_then(|file| {
        file.take(ENVIRONMENT_BYTES_MAX)
            .read_to_end(&mut environment)
    });
    // It has ended, or belongs to somebody else.
    if read.is_err() {
        return Ok(None);
    }
    let Some(name) = variable(&environment, INSTANCE_VARIABLE)
        .and_then(|value| value.strip_prefix(marker)?.strip_prefix('/'))
    else {
        return Ok(None);
    };
    let (Some(process), Some(stat)) = (ProcessIdentity::of(pid)?, Stat::of(pid)) else {
        return Ok(None);
    };
    // A number that was reused while we looked belongs to a process that is found next time.
    if !process.lives() {
        return Ok(None);
    }
    Ok(Some(Marked {
        process,
        name: name.to_owned(),
        version: variable(&environment, VERSION_VARIABLE).map(str::to_owned),
        port: variable(&environment, PORT_VARIABLE).and_then(|port| port.parse().ok()),
        leads: stat.group == pid,
    }))
}

fn variable<'a>(environment: &'a [u8], name: &str) -> Option<&'a str> {
    environment
        .split(|byte| *byte == 0)
        .filter_map(|entry| str::from_utf8(entry).ok())
        .find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='))
}

/// Whether a text can be a marker: it must come back whole from an environment.
pub(crate) fn is_marker(marker: &str) -> bool {
    !marker.is_empty()
        && marker.len() <= 200
        && marker
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_read_exactly() {
        let environment = b"A=1\0NONEVENT_INSTANCES=x/y\0NONEVENT_INSTANCE=m/canary-1\0PORT=80\0";
        assert_eq!(variable(environment, INSTANCE_VARIABLE), Some("m/canary-1"));
        assert_eq!(variable(environment, PORT_VARIABLE), Some("80"));
        assert_eq!(variable(environment, "B"), None);
        assert_eq!(variable(b"\xff\xfe\0PORT=1", PORT_VARIABLE), Some("1"));
    }

    #[test]
    fn a_marker_cannot_hide_a_name() {
        for good in ["shop", "shop-4f2a", "a.b_c:d"] {
            assert!(is_marker(good), "{good}");
        }
        for bad in ["", "a/b", "a=b", "a b", "a\0b", "é"] {
            assert!(!is_marker(bad), "{bad}");
        }
    }
}
