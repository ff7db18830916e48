//! Lines that are written several at a time where they come fast.

use std::io::{self, Write};
use std::time::{Duration, Instant};

/// What is held back at most, and for how long while more is written.
const BYTES_MAX: usize = 16 * 1024;
const HELD_MAX: Duration = Duration::from_millis(100);

/// Standard output that is no terminal: a line each would be a call of the system each.
pub(super) struct Paced<W: Write> {
    out: W,
    held: Vec<u8>,
    written: Option<Instant>,
}

impl<W: Write> Paced<W> {
    pub(super) fn new(out: W) -> Paced<W> {
        Paced {
            out,
            held: Vec::new(),
            written: None,
        }
    }

    fn hand_on(&mut self) -> io::Result<()> {
        self.written = Some(Instant::now());
        let held = core::mem::take(&mut self.held);
        self.out.write_all(&held)?;
        self.out.flush()
    }
}

impl<W: Write> Write for Paced<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        let is_late = self.written.is_none_or(|at| at.elapsed() >= HELD_MAX);
        let is_line = bytes.ends_with(b"\n");
        if is_late && is_line || self.held.len() >= BYTES_MAX {
            self.hand_on()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_on()
    }
}

impl<W: Write> Drop for Paced<W> {
    fn drop(&mut self) {
        // What is left of a run that ended at once.
        let _gone = self.hand_on();
    }
}
