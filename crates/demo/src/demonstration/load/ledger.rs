//! The ledger: one line for every request, on disk within a tenth of a second.
//!
//! JSON Lines: a header, then one [`Entry`] a line in the order of completion. A request is sent
//! once and never again, so a line is the whole story of one request. The last line may be torn
//! when the writer was killed; a reader leaves it out and says how long it was.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::{Deserialize, Serialize};

/// The longest line a reader takes.
const LINE_BYTES_MAX: usize = 4 * 1024;

/// The most entries that [`read_ledger`] holds in memory; more are read with [`LedgerTail`].
const ENTRIES_MAX: usize = 2_000_000;

/// Why a request has no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Loss {
    /// No connection could be made.
    Connect,
    /// The connection ended before an answer.
    Reset,
    /// No whole answer in time.
    Timeout,
    /// The answer broke off, or its body is not what its header promised.
    BrokenBody,
    /// What came was not HTTP.
    Protocol,
    /// Never sent: as many requests as allowed were in flight when it was due. The sender's own
    /// bound, and no fault of the service.
    NotSent,
}

/// One request and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// Counts from 0 in the order in which requests were due. All clients of one ledger share
    /// the numbering.
    #[serde(rename = "n")]
    pub(crate) sequence: u64,
    /// When it was written to its connection, in ms since the Unix epoch; for one that got no
    /// connection, when that was known.
    #[serde(rename = "at")]
    pub(crate) sent_at_ms: i64,
    /// How much later than due that was, in whole ms.
    #[serde(rename = "late", default, skip_serializing_if = "is_zero")]
    pub(crate) late_ms: u32,
    #[serde(rename = "m")]
    pub(crate) method: String,
    #[serde(rename = "p")]
    pub(crate) path: String,
    /// The status of the answer, if its head arrived.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// Why there is no whole answer.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub(crate) loss: Option<Loss>,
    /// The version that answered, by its own word.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    /// The arm that the router says it chose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) arm: Option<String>,
    /// From being sent to the last byte of the answer, or until the loss was known, in µs.
    #[serde(rename = "us")]
    pub(crate) latency_us: u64,
}

impl Entry {
    /// Who answered: the version by its own word, else the arm by the router's.
    pub(crate) fn answered_by(&self) -> Option<&str> {
        self.version.as_deref().or(self.arm.as_deref())
    }

    /// Whether it was sent and has no whole answer.
    pub(crate) fn is_lost(&self) -> bool {
        self.loss.is_some_and(|loss| loss != Loss::NotSent)
    }

    /// Whether it was sent at all.
    pub(crate) fn is_sent(&self) -> bool {
        self.loss != Some(Loss::NotSent)
    }

    /// Whether a whole answer says that the server failed.
    pub(crate) fn is_error(&self) -> bool {
        self.loss.is_none() && self.status.is_some_and(|status| status >= 500)
    }

    /// The line in the ledger, with its end.
    pub(super) fn line(&self) -> String {
        let mut line = serde_json::to_string(self).expect("strings and numbers always serialise");
        line.push('\n');
        line
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// The first line of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Header {
    api_version: String,
    kind: String,
    /// Where the requests went.
    pub(crate) base_url: String,
    /// Fixes the mix of requests.
    pub(crate) seed: u64,
}

impl Header {
    const API_VERSION: &str = "nonevent/v1";
    const KIND: &str = "RequestLedger";

    pub(super) fn new(base_url: &str, seed: u64) -> Header {
        Header {
            api_version: Header::API_VERSION.to_owned(),
            kind: Header::KIND.to_owned(),
            base_url: base_url.to_owned(),
            seed,
        }
    }

    pub(super) fn line(&self) -> String {
        let mut line = serde_json::to_string(self).expect("strings and numbers always serialise");
        line.push('\n');
        line
    }
}

/// What kind of thing is wrong with a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LedgerErrorKind {
    /// The file cannot be opened or read.
    Io,
    /// A line other than a torn last one does not parse, or the header is another format's.
    Damaged,
    /// More entries than fit in memory.
    TooLong,
}

/// A ledger that cannot be read.
#[derive(Debug)]
pub(crate) struct LedgerError {
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "tests tell the faults apart by it")
    )]
    kind: LedgerErrorKind,
    message: String,
    source: Option<io::Error>,
}

impl LedgerError {
    #[cfg(test)]
    pub(crate) const fn kind(&self) -> LedgerErrorKind {
        self.kind
    }

    fn io(path: &Path, source: io::Error) -> LedgerError {
        let message = format!("the ledger {} cannot be read", path.display());
        LedgerError {
            kind: LedgerErrorKind::Io,
            message,
            source: Some(source),
        }
    }

    const fn new(kind: LedgerErrorKind, message: String) -> LedgerError {
        LedgerError {
            kind,
            message,
            source: None,
        }
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for LedgerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

/// Reads a ledger while it is being written: each call takes up what was added since the last.
#[derive(Debug)]
pub(crate) struct LedgerTail {
    file: File,
    path: std::path::PathBuf,
    /// What follows the last line end.
    pending: Vec<u8>,
    lines: u64,
    header: Option<Header>,
}

impl LedgerTail {
    /// # Errors
    ///
    /// When the file cannot be opened.
    pub(crate) fn open(path: &Path) -> Result<LedgerTail, LedgerError> {
        let file = File::open(path).map_err(|error| LedgerError::io(path, error))?;
        let path = path.to_owned();
        Ok(LedgerTail {
            file,
            path,
            pending: Vec::new(),
            lines: 0,
            header: None,
        })
    }

    /// Hands every whole line not read before to `take`, and returns how many those were.
    ///
    /// # Errors
    ///
    /// When reading fails or a whole line is no entry. What was taken before stays taken.
    pub(crate) fn read_new(&mut self, mut take: impl FnMut(Entry)) -> Result<u64, LedgerError> {
        let mut taken = 0;
        let mut chunk = vec![0; 64 * 1024];
        loop {
            let read = match self.file.read(&mut chunk) {
                Ok(0) => return Ok(taken),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(LedgerError::io(&self.path, error)),
            };
            let mut rest = &chunk[..read];
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                self.pending.extend_from_slice(&rest[..end]);
                rest = &rest[end + 1..];
                let line = std::mem::take(&mut self.pending);
                if let Some(entry) = self.line(&line)? {
                    take(entry);
                    taken += 1;
                }
            }
            self.pending.extend_from_slice(rest);
            if self.pending.len() > LINE_BYTES_MAX {
                return Err(self.damaged("is longer than a line of a ledger can be"));
            }
        }
    }

    #[cfg(test)]
    /// The header, once its line has been read.
    pub(crate) const fn header(&self) -> Option<&Header> {
        self.header.as_ref()
    }

    /// How many bytes follow the last whole line: a line still being written, or a torn one.
    pub(crate) const fn torn_bytes(&self) -> usize {
        self.pending.len()
    }

    fn line(&mut self, line: &[u8]) -> Result<Option<Entry>, LedgerError> {
        self.lines += 1;
        if self.header.is_some() {
            let entry = serde_json::from_slice(line);
            return entry
                .map(Some)
                .map_err(|error| self.damaged(&format!("is no entry: {error}")));
        }
        let header: Header = serde_json::from_slice(line)
            .map_err(|error| self.damaged(&format!("is no header: {error}")))?;
        if header.api_version != Header::API_VERSION || header.kind != Header::KIND {
            return Err(self.damaged("is the header of another format"));
        }
        self.header = Some(header);
        Ok(None)
    }

    fn damaged(&self, what: &str) -> LedgerError {
        let (path, line) = (self.path.display(), self.lines.max(1));
        LedgerError::new(
            LedgerErrorKind::Damaged,
            format!("{path}: line {line} {what}"),
        )
    }
}

/// A whole ledger in memory.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// In the order of completion.
    pub(crate) entries: Vec<Entry>,
    /// The length of a torn last line; 0 for a ledger that was closed properly.
    pub(crate) torn_bytes: usize,
}

/// Reads the ledger at `path`.
///
/// # Errors
///
/// When it cannot be read, is damaged anywhere but in a torn last line, or has more than two
/// million entries.
pub(crate) fn read_ledger(path: &Path) -> Result<Ledger, LedgerError> {
    let mut tail = LedgerTail::open(path)?;
    let mut entries = Vec::new();
    let mut left_out = false;
    tail.read_new(|entry| {
        if entries.len() < ENTRIES_MAX {
            entries.push(entry);
        } else {
            left_out = true;
        }
    })?;
    if left_out {
        let message = format!("{}: more than {ENTRIES_MAX} entries", path.display());
        return Err(LedgerError::new(LedgerErrorKind::TooLong, message));
    }
    Ok(Ledger {
        entries,
        torn_bytes: tail.torn_bytes(),
    })
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use super::*;

    pub(crate) fn entry(sequence: u64, sent_at_ms: i64, version: &str) -> Entry {
        Entry {
            sequence,
            sent_at_ms,
            late_ms: 0,
            method: "GET".to_owned(),
            path: "/work".to_owned(),
            status: Some(200),
            loss: None,
            version: Some(version.to_owned()),
            arm: None,
            latency_us: 5_000,
        }
    }

    fn header() -> String {
        Header::new("http://127.0.0.1:1", 7).line()
    }

    fn written(text: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.jsonl");
        std::fs::write(&path, text).unwrap();
        (folder, path)
    }

    #[test]
    fn lines_are_compact_and_read_back() {
        let mut lost = entry(12, 1_767_607_200_123, "1.5.0");
        lost.late_ms = 3;
        lost.status = None;
        lost.version = None;
        lost.loss = Some(Loss::Reset);
        lost.arm = Some("canary".to_owned());
        let good = entry(11, 1_767_607_200_120, "1.4.2");
        insta::assert_snapshot!(header() + &good.line() + &lost.line(), @r#"
        {"apiVersion":"nonevent/v1","kind":"RequestLedger","baseUrl":"http://127.0.0.1:1","seed":7}
        {"n":11,"at":1767607200120,"m":"GET","p":"/work","s":200,"v":"1.4.2","us":5000}
        {"n":12,"at":1767607200123,"late":3,"m":"GET","p":"/work","e":"reset","arm":"canary","us":5000}
        "#);
        let (_folder, path) = written(&(header() + &good.line() + &lost.line()));
        let ledger = read_ledger(&path).unwrap();
        assert_eq!((ledger.entries, ledger.torn_bytes), (vec![good, lost], 0));
    }

    #[test]
    fn a_torn_last_line_is_left_out_wherever_it_is_torn() {
        let whole = header() + &entry(0, 1, "1.4.2").line();
        let last = entry(1, 2, "1.4.2").line();
        for cut in 0..last.len() {
            let (_folder, path) = written(&format!("{whole}{}", &last[..cut]));
            let ledger = read_ledger(&path).unwrap();
            assert_eq!((ledger.entries.len(), ledger.torn_bytes), (1, cut));
        }
        let (_folder, path) = written(&header()[..20]);
        assert_eq!(read_ledger(&path).unwrap().torn_bytes, 20);
    }

    #[test]
    fn damage_elsewhere_is_refused_with_its_line() {
        let good = entry(0, 1, "1.4.2").line();
        let damaged = |text: String| {
            let (_folder, path) = written(&text);
            let error = read_ledger(&path).unwrap_err();
            assert_eq!(error.kind(), LedgerErrorKind::Damaged);
            error.to_string()
        };
        assert!(damaged(header() + &good[..9] + "\n" + &good).contains("line 2 is no entry"));
        assert!(damaged(good.clone() + &good).contains("line 1 is no header"));
        assert!(damaged(header().replace("/v1", "/v9") + &good).contains("another format"));
        assert!(damaged(header() + &"x".repeat(70_000)).contains("longer"));
        let unknown = good.replace("\"us\"", "\"extra\":1,\"us\"");
        assert!(damaged(header() + &unknown).contains("extra"));
        let missing = read_ledger(Path::new("/nonexistent/ledger")).unwrap_err();
        assert_eq!(missing.kind(), LedgerErrorKind::Io);
    }

    #[test]
    fn a_tail_takes_up_what_was_added() {
        let (_folder, path) = written(&header());
        let mut tail = LedgerTail::open(&path).unwrap();
        let mut file = File::options().append(true).open(&path).unwrap();
        let mut seen = Vec::new();
        let line = entry(0, 1, "1.4.2").line();
        let (head, rest) = line.split_at(30);
        assert_eq!(tail.read_new(|entry| seen.push(entry.sequence)).unwrap(), 0);
        assert_eq!(tail.header().unwrap().seed, 7);
        file.write_all(head.as_bytes()).unwrap();
        assert_eq!(tail.read_new(|entry| seen.push(entry.sequence)).unwrap(), 0);
        assert_eq!(tail.torn_bytes(), 30);
        file.write_all(format!("{rest}{}", entry(1, 2, "1.5.0").line()).as_bytes())
            .unwrap();
        assert_eq!(tail.read_new(|entry| seen.push(entry.sequence)).unwrap(), 2);
        assert_eq!(seen, [0, 1]);
    }
}
