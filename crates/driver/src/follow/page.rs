//! What becomes of an item, written into the page's file as it happens.

use std::path::Path;

use nonevent_runbook::tick;

use super::follower::Ticked;
use crate::page_file::PageFile;

/// How often it is tried while somebody else writes.
const TRIES: u32 = 3;

/// Writes down what became of an item on the page at `path`, into which others may write between two
/// ticks.
///
/// # Errors
/// The page has no such item, or cannot be read or written; then it is as it was.
pub fn write_down(path: &Path, ticked: &Ticked) -> Result<(), String> {
    let mut written = Ok(());
    for _ in 0..TRIES {
        written = write_once(path, ticked);
        if written.is_ok() {
            break;
        }
    }
    written
}

fn write_once(path: &Path, ticked: &Ticked) -> Result<(), String> {
    let mut page = PageFile::open(path).map_err(|error| error.to_string())?;
    let text = tick(page.text(), &ticked.id, Some(&ticked.record));
    let text = text.map_err(|error| error.to_string())?;
    page.replace(text).map_err(|error| error.to_string())
}
