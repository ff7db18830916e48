//! Files of how often flags are evaluated.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use nonevent::driver::{DriverError, DriverErrorKind};
use nonevent::flags::{Usage, UsageSnapshot};

use crate::place::Place;

/// What such a file says.
pub(super) fn read(path: &Path) -> Result<UsageSnapshot, String> {
    let name = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    serde_json::from_str(&text).map_err(|error| {
        format!("{name}: {error}; write a JSON object of numbers by key, or what `flags serve --usage` wrote")
    })
}

/// Counts on from what the file says, if there is one.
pub(super) fn resume(path: &Path, usage: &Usage) -> Result<(), DriverError> {
    if matches!(fs::metadata(path), Err(error) if error.kind() == ErrorKind::NotFound) {
        return Ok(());
    }
    let before = read(path).map_err(|text| DriverError::new(DriverErrorKind::Input, text))?;
    usage.absorb(&before);
    Ok(())
}

/// Puts a whole file in the place of the one before.
pub(super) fn keep(path: &Path, usage: &Usage) -> Result<(), DriverError> {
    let storage = |text: String| DriverError::new(DriverErrorKind::Storage, text);
    let refused = |error: &dyn std::fmt::Display| storage(format!("{}: {error}", path.display()));
    let text = serde_json::to_string_pretty(&usage.snapshot()).map_err(|error| refused(&error))?;
    let (place, mut file) = Place::open(path).map_err(storage)?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.write_all(b"\n"))
        .and_then(|()| file.flush())
        .map_err(|error| refused(&error))?;
    drop(file);
    place.put().map_err(|error| refused(&error))
}
