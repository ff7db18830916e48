//! Paths within a project, as bytes, and how they are shown to people.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::{self, Write as _};

use serde::{Serialize, Serializer};

/// The path of an entry relative to the project's root: one or more names joined by `/`, none of
/// them empty, `.` or `..`.
///
/// Names are bytes, because file systems hold bytes. `Display` and JSON show them without any
/// character that a terminal would act on and without loss: control characters, invisible
/// direction marks and bytes that are not UTF-8 become `\n`, `\u{202e}` or `\xff`, and a backslash
/// becomes `\\`.
///
/// ```
/// use nonevent_gates::TreePath;
///
/// let path = TreePath::new(b"docs/\x1b[2J\xff.md").expect("a relative path");
/// assert_eq!(path.to_string(), r"docs/\u{1b}[2J\xff.md");
/// assert!(TreePath::new("../secrets").is_none());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Vec<u8>);

impl TreePath {
    /// A path from its bytes, or `None` if it is empty, absolute, or has an empty, `.` or `..`
    /// name, or a NUL byte.
    #[must_use]
    pub fn new(path: impl AsRef<[u8]>) -> Option<TreePath> {
        let path = path.as_ref();
        let sound = path
            .split(|&byte| byte == b'/')
            .all(|name| !matches!(name, b"" | b"." | b"..") && !name.contains(&0));
        sound.then(|| TreePath(path.to_owned()))
    }

    /// The bytes, names joined by `/`.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The names from the root down.
    pub fn names(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|&byte| byte == b'/')
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_bytes(f, &self.0)
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreePath({self})")
    }
}

impl Serialize for TreePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

fn write_bytes(f: &mut impl fmt::Write, bytes: &[u8]) -> fmt::Result {
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character == '\\' {
                f.write_str("\\\\")?;
            } else {
                write_visible(f, character)?;
            }
        }
        for byte in chunk.invalid() {
            write!(f, "\\x{byte:02x}")?;
        }
    }
    Ok(())
}

fn write_visible(f: &mut impl fmt::Write, character: char) -> fmt::Result {
    if acts_on_a_terminal(character) {
        write!(f, "{}", character.escape_default())
    } else {
        f.write_char(character)
    }
}

/// Whether `character` moves the cursor, changes colours, breaks a line, or reorders or hides the
/// text around it (Unicode's bidirectional controls, UAX #9, and zero-width characters).
fn acts_on_a_terminal(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// `text` as one line that a terminal shows and does not act on.
pub(crate) fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        write_visible(&mut shown, character).expect("writing to a String cannot fail");
    }
    shown
}

/// JSON in which no character acts on a terminal. Outside strings, JSON has no such character but
/// the line breaks between its parts.
pub(crate) fn json_visible(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for character in json.chars() {
        if character == '\n' || !acts_on_a_terminal(character) {
            shown.push(character);
            continue;
        }
        let mut units = [0; 2];
        for unit in character.encode_utf16(&mut units) {
            write!(shown, "\\u{unit:04x}").expect("writing to a String cannot fail");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use alloc::string::ToString as _;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_leaves_the_tree() {
        for bad in [
            "",
            "/etc/passwd",
            "a//b",
            "a/",
            "./a",
            "a/../b",
            "..",
            "a\0b",
        ] {
            assert!(TreePath::new(bad).is_none(), "{bad:?}");
        }
        assert_eq!(TreePath::new("a/b.c").map(|p| p.names().count()), Some(2));
    }

    #[test]
    fn hidden_characters_are_written_out() {
        let path = TreePath::new("a\u{202e}b\n\u{9b}c\\").expect("relative");
        assert_eq!(path.to_string(), r"a\u{202e}b\n\u{9b}c\\");
    }

    proptest! {
        #[test]
        fn shown_paths_are_plain_and_distinct(a in proptest::collection::vec(1u8.., 1..12),
                                              b in proptest::collection::vec(1u8.., 1..12)) {
            if let (Some(a), Some(b)) = (TreePath::new(&a), TreePath::new(&b)) {
                prop_assert!(!a.to_string().chars().any(acts_on_a_terminal));
                prop_assert_eq!(a == b, a.to_string() == b.to_string());
            }
        }
    }
}
