//! Unix sockets at paths longer than the 107 bytes that a socket address holds.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// The longest path of a Unix socket, in bytes, without the final NUL (unix(7)).
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// A path to the same socket that is short enough to bind or connect to.
pub(crate) struct ShortPath {
    path: PathBuf,
    /// Keeps the folder open while `path` refers to it.
    _folder: Option<File>,
}

impl ShortPath {
    /// A short way to `path`: the path itself, or, if it is too long, one through the open
    /// folder that it lies in.
    pub(crate) fn to(path: &Path) -> io::Result<ShortPath> {
        if path.as_os_str().len() <= SOCKET_PATH_BYTES_MAX {
            return Ok(ShortPath {
                path: path.to_owned(),
                _folder: None,
            });
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let folder = File::open(folder)?;
        Ok(ShortPath {
            path: Path::new("/proc/self/fd")
                .join(folder.as_raw_fd().to_string())
                .join(name),
            _folder: Some(folder),
        })
    }

    pub(crate) fn as_path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    #[test]
    fn a_socket_may_lie_deep() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a".repeat(120));
        std::fs::create_dir(&deep).unwrap();
        let socket = deep.join("control");
        assert!(UnixListener::bind(&socket).is_err(), "too long as it is");
        let listener = UnixListener::bind(ShortPath::to(&socket).unwrap().as_path()).unwrap();
        assert!(socket.exists());
        UnixStream::connect(ShortPath::to(&socket).unwrap().as_path()).unwrap();
        drop(listener);
    }
}
