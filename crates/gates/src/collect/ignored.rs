//! `.gitignore`, read with care and matched by the `ignore` crate.

use std::ffi::OsStr;
use std::os::fd::BorrowedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::rc::Rc;
use std::string::String;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::read::{Reading, read_file};
use crate::path::TreePath;

/// The longest `.gitignore`, in bytes: compiling it takes time and memory.
const BYTES_MAX: u64 = 64 << 10;
const NAME: &core::ffi::CStr = c".gitignore";

/// The rules that hold in a folder: its own and those above, nearest first.
#[derive(Clone, Default)]
pub(super) struct Rules(Option<Rc<Level>>);

struct Level {
    own: Gitignore,
    above: Rules,
}

impl Rules {
    /// The rules in a folder below, which has a `.gitignore` of its own; or why that is not known.
    pub(super) fn entering(
        &self,
        folder: BorrowedFd<'_>,
        path: Option<&TreePath>,
    ) -> Result<Rules, String> {
        let bytes = match read_file(folder, NAME, BYTES_MAX) {
            Reading::Bytes(bytes) => bytes,
            Reading::NoFile(_) => return Err(String::from("its .gitignore is no regular file")),
            Reading::TooLarge => {
                return Err(std::format!(
                    "its .gitignore has more than {BYTES_MAX} bytes"
                ));
            }
            Reading::Refused(why) => {
                return Err(std::format!("its .gitignore was not read: {why}"));
            }
        };
        // Patterns and names are compared as text; a line that is none matches no name of ours.
        let text = String::from_utf8_lossy(&bytes);
        let root = path.map_or(OsStr::new(""), |path| OsStr::from_bytes(path.as_bytes()));
        let mut builder = GitignoreBuilder::new(root);
        for line in text.strip_prefix('\u{feff}').unwrap_or(&text).lines() {
            // As git does, a pattern that cannot be understood is passed over.
            let _ = builder.add_line(None, line);
        }
        let own = builder
            .build()
            .map_err(|_| String::from("its .gitignore cannot be compiled"))?;
        Ok(Rules(Some(Rc::new(Level {
            own,
            above: self.clone(),
        }))))
    }

    /// Whether the rules name `path`; the nearest rule decides.
    pub(super) fn name(&self, path: &TreePath, is_folder: bool) -> bool {
        let path = Path::new(OsStr::from_bytes(path.as_bytes()));
        let mut rules = self;
        while let Some(level) = &rules.0 {
            match level.own.matched(path, is_folder) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => rules = &level.above,
            }
        }
        false
    }
}
