//! Reading one file without being held up, led astray or filled.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::BorrowedFd;
use std::vec::Vec;

use rustix::fs::{FileType, Mode, OFlags, fstat, openat};

use crate::tree::EntryKind;

/// What became of an attempt to read.
pub(super) enum Reading {
    /// All the bytes that were there when they were read.
    Bytes(Vec<u8>),
    /// It is no regular file after all.
    NoFile(EntryKind),
    /// It has more bytes than may be read.
    TooLarge,
    /// What the operating system said.
    Refused(io::ErrorKind),
}

/// Reads the regular file `name` in `folder`, at most `bytes_max` of it.
///
/// The flags matter: a link is refused rather than followed, and a FIFO or terminal put in the
/// file's place since the folder was listed neither blocks nor becomes ours.
pub(super) fn read_file(folder: BorrowedFd<'_>, name: &CStr, bytes_max: u64) -> Reading {
    let flags =
        OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = match openat(folder, name, flags, Mode::empty()) {
        Ok(opened) => opened,
        Err(rustix::io::Errno::LOOP) => return Reading::NoFile(EntryKind::Symlink),
        Err(error) => return Reading::Refused(io::Error::from(error).kind()),
    };
    let facts = match fstat(&opened) {
        Ok(facts) => facts,
        Err(error) => return Reading::Refused(io::Error::from(error).kind()),
    };
    match FileType::from_raw_mode(facts.st_mode) {
        FileType::RegularFile => {}
        FileType::Directory => return Reading::NoFile(EntryKind::Directory),
        _ => return Reading::NoFile(EntryKind::Other),
    }
    let length = u64::try_from(facts.st_size).unwrap_or(u64::MAX);
    if length > bytes_max {
        return Reading::TooLarge;
    }
    let mut bytes = Vec::new();
    // The file may grow while it is read.
    let mut reader = File::from(opened).take(bytes_max.saturating_add(1));
    match reader.read_to_end(&mut bytes) {
        Ok(_) if bytes.len() as u64 > bytes_max => Reading::TooLarge,
        Ok(_) => Reading::Bytes(bytes),
        Err(error) => Reading::Refused(error.kind()),
    }
}
