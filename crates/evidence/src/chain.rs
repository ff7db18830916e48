//! The hash chain: one JSON line per record, each bound to the one before it.
//!
//! A line is the canonical JSON of `{"body": …, "prev": …, "seq": …, "sum": …}`: `seq` counts from
//! 0, `prev` is the `sum` of the line before, and `sum` is the SHA-256 of the line's canonical JSON
//! without `sum`. The first line's `prev` is the digest of the chain's kind, so that a journal is
//! never taken for another kind of chain. A chain shows damage and truncation in its middle; that
//! nothing was cut off its end, or all of it rewritten, only a signature over its head can show.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{Digest, canonical_json};
use serde::{Deserialize, Serialize};

/// How much a chain may hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainLimits {
    /// Bytes of the whole. Default 256 MiB.
    pub bytes_max: usize,
    /// Bytes of one line. Default 4 MiB, which is also the most that is ever written.
    pub record_bytes_max: usize,
    /// Lines. Default 1 000 000.
    pub records_max: usize,
}

/// The most bytes of a line that [`ChainWriter::append`] writes.
const RECORD_BYTES_MAX: usize = 4 << 20;

/// The deepest nesting of a body; JSON readers commonly stop at 128.
const BODY_DEPTH_MAX: usize = 100;

impl Default for ChainLimits {
    fn default() -> Self {
        ChainLimits {
            bytes_max: 256 << 20,
            record_bytes_max: RECORD_BYTES_MAX,
            records_max: 1_000_000,
        }
    }
}

/// A chain cannot be continued or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct ChainError {
    kind: ChainErrorKind,
    record: Option<u64>,
    text: String,
}

/// Why a chain cannot be continued or read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChainErrorKind {
    /// A line that is not a record, or whose sum does not match.
    Damaged,
    /// A line that does not follow the one before it: lines are missing, swapped or doubled.
    OutOfOrder,
    /// The chain is of another kind.
    OtherKind,
    /// A limit is exceeded.
    Limit,
    /// A body that canonical JSON cannot hold, or that is not what the chain is for.
    Body,
    /// The chain does not have the records that a head was once taken of: its end was cut off, or it
    /// was written anew.
    OtherHead,
}

impl ChainError {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> ChainErrorKind {
        self.kind
    }

    /// The record it is about, from 0.
    #[must_use]
    pub fn record(&self) -> Option<u64> {
        self.record
    }

    pub(crate) fn at(kind: ChainErrorKind, record: u64, text: &str) -> Self {
        ChainError {
            kind,
            record: Some(record),
            text: format!("record {record} of the chain {text}"),
        }
    }
}

#[derive(Serialize)]
struct Unsummed<'a, T: ?Sized> {
    body: &'a T,
    prev: Digest,
    seq: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    body: serde_json::Value,
    prev: Digest,
    seq: u64,
    sum: Digest,
}

/// Makes the lines of a chain. It writes nothing itself: whoever stores a line and fails has to
/// read the chain again and go on from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainWriter {
    seq: u64,
    prev: Digest,
}

impl ChainWriter {
    /// The beginning of a chain of the given kind, such as `journal`.
    #[must_use]
    pub fn new(kind: &str) -> Self {
        ChainWriter {
            seq: 0,
            prev: genesis(kind),
        }
    }

    /// Goes on after the record before `seq`, whose sum is `prev`.
    #[must_use]
    pub fn resume(seq: u64, prev: Digest) -> Self {
        ChainWriter { seq, prev }
    }

    /// The number that the next record gets; also how many there are.
    #[must_use]
    pub fn next_seq(&self) -> u64 {
        self.seq
    }

    /// The sum of the last record (of the kind, if there is none): it stands for the whole chain.
    #[must_use]
    pub fn head(&self) -> Digest {
        self.prev
    }

    /// The next line, with its line break.
    ///
    /// # Errors
    ///
    /// A body that canonical JSON cannot hold, that is nested more than 100 deep, or whose line
    /// would be longer than 4 MiB. The writer is then as it was.
    pub fn append<T: Serialize + ?Sized>(&mut self, body: &T) -> Result<String, ChainError> {
        let unsummed = Unsummed {
            body,
            prev: self.prev,
            seq: self.seq,
        };
        let mut line = canonical_json(&unsummed).map_err(|error| {
            ChainError::at(
                ChainErrorKind::Body,
                self.seq,
                &format!("cannot be written: {error}"),
            )
        })?;
        if nesting(&line) > BODY_DEPTH_MAX {
            let text = format!("is nested more than {BODY_DEPTH_MAX} deep");
            return Err(ChainError::at(ChainErrorKind::Limit, self.seq, &text));
        }
        let sum = Digest::of(line.as_bytes());
        // `sum` sorts after `seq`, so the line stays canonical.
        line.pop();
        line.push_str(&summed_end(&sum));
        line.push('\n');
        if line.len() > RECORD_BYTES_MAX {
            let text = format!("would be longer than {RECORD_BYTES_MAX} bytes");
            return Err(ChainError::at(ChainErrorKind::Limit, self.seq, &text));
        }
        self.seq += 1;
        self.prev = sum;
        Ok(line)
    }
}

fn genesis(kind: &str) -> Digest {
    Digest::of(format!("nonevent chain v1 {kind}").as_bytes())
}

/// What takes the place of the closing bracket once the sum is known.
fn summed_end(sum: &Digest) -> String {
    format!(",\"sum\":\"{sum}\"}}")
}

fn nesting(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = json.bytes();
    let mut in_text = false;
    while let Some(byte) = bytes.next() {
        match (in_text, byte) {
            (_, b'"') => in_text = !in_text,
            (true, b'\\') => {
                bytes.next();
            }
            (false, b'{' | b'[') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (false, b'}' | b']') => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// A chain that was read and verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Chain {
    /// The bodies, in order.
    pub records: Vec<serde_json::Value>,
    /// The sum of each: what the head was when it was the last.
    pub sums: Vec<Digest>,
    /// How many bytes at the end belong to a record that was never completely written. They have
    /// to be cut off (to `good_len`) before the chain is continued.
    pub torn_tail: Option<usize>,
    /// How many bytes belong to whole records.
    pub good_len: usize,
    /// Goes on after the last whole record.
    pub writer: ChainWriter,
}

/// Reads and verifies a chain of the given kind. No bytes at all are an empty chain.
///
/// The last line may be torn, as after a crash: without its line break, or not a record at all. It
/// is left out and reported. A last line that is a record and only has the wrong sum is damage.
///
/// # Errors
///
/// Damage anywhere else, with the number of the record; a chain of another kind; a limit exceeded.
pub fn read_chain(kind: &str, bytes: &[u8], limits: &ChainLimits) -> Result<Chain, ChainError> {
    if bytes.len() > limits.bytes_max {
        return Err(ChainError {
            kind: ChainErrorKind::Limit,
            record: None,
            text: format!(
                "the chain has {} bytes, more than the limit of {}",
                bytes.len(),
                limits.bytes_max
            ),
        });
    }
    let mut chain = Chain {
        records: Vec::new(),
        sums: Vec::new(),
        torn_tail: None,
        good_len: 0,
        writer: ChainWriter::new(kind),
    };
    while let Some(rest) = bytes.get(chain.good_len..).filter(|rest| !rest.is_empty()) {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let line = &rest[..end.unwrap_or(rest.len())];
        let record = chain.writer.seq;
        let parsed = end.map(|_| parse(line)).unwrap_or_default();
        let is_last = end.is_none_or(|end| end + 1 == rest.len());
        let Some((line, sum)) = parsed else {
            if is_last && !begins_with_record(rest) {
                chain.torn_tail = Some(rest.len());
                break;
            }
            let text = "is damaged: the line is not one record";
            return Err(ChainError::at(ChainErrorKind::Damaged, record, text));
        };
        check(&line, &sum, &chain.writer)?;
        let length = end.unwrap_or_default() + 1;
        if length > limits.record_bytes_max || chain.records.len() >= limits.records_max {
            let text = "is beyond the limits for reading it";
            return Err(ChainError::at(ChainErrorKind::Limit, record, text));
        }
        chain.good_len += length;
        chain.writer = ChainWriter::resume(record + 1, sum);
        chain.records.push(line.body);
        chain.sums.push(sum);
    }
    Ok(chain)
}

/// Whether a whole record stands at the beginning and something else behind it: two records that
/// lost the line break between them, which no crash does.
fn begins_with_record(rest: &[u8]) -> bool {
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Line>();
    let whole = matches!(values.next(), Some(Ok(_)));
    let behind = &rest[values.byte_offset()..];
    whole && behind.iter().any(|byte| !matches!(byte, 0 | b'\n'))
}

/// The record on a line, and the sum that its bytes have.
fn parse(line: &[u8]) -> Option<(Line, Digest)> {
    let text = core::str::from_utf8(line).ok()?;
    let parsed: Line = serde_json::from_str(text).ok()?;
    // The sum is taken over the bytes as they stand, not over what a reader made of them.
    let unsummed = text.strip_suffix(&summed_end(&parsed.sum))?;
    let sum = Digest::of(format!("{unsummed}}}").as_bytes());
    Some((parsed, sum))
}

fn check(line: &Line, sum: &Digest, writer: &ChainWriter) -> Result<(), ChainError> {
    let record = writer.seq;
    if line.sum != *sum {
        let text = "is damaged: its sum does not match";
        return Err(ChainError::at(ChainErrorKind::Damaged, record, text));
    }
    if line.seq != record {
        let text = format!("has the number {}: records are missing or moved", line.seq);
        return Err(ChainError::at(ChainErrorKind::OutOfOrder, record, &text));
    }
    if line.prev == writer.prev {
        return Ok(());
    }
    if record == 0 {
        let text = "does not begin a chain of this kind";
        return Err(ChainError::at(ChainErrorKind::OtherKind, record, text));
    }
    let text = "does not follow the record before it";
    Err(ChainError::at(ChainErrorKind::OutOfOrder, record, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(count: u64) -> String {
        let mut writer = ChainWriter::new("journal");
        (0..count)
            .map(|n| writer.append(&json!({ "n": n, "f": 0.1 })).unwrap())
            .collect()
    }

    fn read(text: &str) -> Result<Chain, ChainError> {
        read_chain("journal", text.as_bytes(), &ChainLimits::default())
    }

    fn refused(text: &str) -> (ChainErrorKind, Option<u64>) {
        let error = read(text).unwrap_err();
        (error.kind(), error.record())
    }

    #[test]
    fn a_line_is_canonical_json() {
        let line = written(1);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(canonical_json(&value).unwrap() + "\n", line);
        assert_eq!(value["seq"], 0);
    }

    #[test]
    fn what_was_written_is_read_and_goes_on() {
        let mut text = written(3);
        let mut chain = read(&text).unwrap();
        assert_eq!(chain.records.len(), 3);
        assert_eq!(chain.records[2]["n"], 2);
        assert_eq!((chain.good_len, chain.torn_tail), (text.len(), None));
        let head = chain.writer.head();
        assert_eq!(chain.writer, ChainWriter::resume(3, head));
        text.push_str(&chain.writer.append("more").unwrap());
        assert_eq!(read(&text).unwrap().records.len(), 4);
        assert_eq!(read("").unwrap().writer, ChainWriter::new("journal"));
    }

    #[test]
    fn a_tail_torn_at_any_byte_is_cut_off() {
        let whole = written(3);
        let two = written(2).len();
        for cut in two + 1..whole.len() {
            let chain = read(&whole[..cut]).unwrap();
            assert_eq!(chain.records.len(), 2, "cut at {cut}");
            assert_eq!((chain.good_len, chain.torn_tail), (two, Some(cut - two)));
            assert_eq!(chain.writer.next_seq(), 2);
        }
        let zeros = alloc::format!("{}{}\n", &whole[..two + 10], "\0".repeat(20));
        assert_eq!(read(&zeros).unwrap().torn_tail, Some(31));
    }

    #[test]
    fn damage_is_refused_with_its_record() {
        let whole = written(4);
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        let join = |order: &[usize]| order.iter().map(|n| lines[*n]).collect::<String>();
        assert_eq!(
            refused(&join(&[0, 2, 3])),
            (ChainErrorKind::OutOfOrder, Some(1))
        );
        assert_eq!(
            refused(&join(&[0, 2, 1, 3])),
            (ChainErrorKind::OutOfOrder, Some(1))
        );
        assert_eq!(
            refused(&join(&[0, 0, 1])),
            (ChainErrorKind::OutOfOrder, Some(1))
        );
        assert_eq!(
            refused(&join(&[1, 2])),
            (ChainErrorKind::OutOfOrder, Some(0))
        );
        assert_eq!(
            refused(&alloc::format!("{}\n{}", lines[0], lines[1])),
            (ChainErrorKind::Damaged, Some(1))
        );
        // The last line is a record, only with another body: not a crash.
        let changed = whole.replace("\"n\":3", "\"n\":4");
        assert_eq!(refused(&changed), (ChainErrorKind::Damaged, Some(3)));
        let other = read_chain("store", whole.as_bytes(), &ChainLimits::default()).unwrap_err();
        assert_eq!(other.kind(), ChainErrorKind::OtherKind);
    }

    #[test]
    fn no_flipped_byte_goes_unnoticed() {
        let whole = written(3);
        let first_two = written(2).len();
        for at in 0..whole.len() {
            let mut bytes = whole.clone().into_bytes();
            bytes[at] ^= 1;
            match read_chain("journal", &bytes, &ChainLimits::default()) {
                Err(_) => {}
                Ok(chain) => {
                    assert!(at >= first_two, "byte {at}");
                    assert!(chain.torn_tail.is_some(), "byte {at}");
                }
            }
        }
    }

    #[test]
    fn limits_hold() {
        let mut writer = ChainWriter::new("journal");
        let before = writer.clone();
        let kind = |error: ChainError| error.kind();
        assert_eq!(
            writer.append(&"x".repeat(RECORD_BYTES_MAX)).map_err(kind),
            Err(ChainErrorKind::Limit)
        );
        let deep = (0..120).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(
            writer.append(&deep).map_err(kind),
            Err(ChainErrorKind::Limit)
        );
        assert_eq!(
            writer.append(&u64::MAX).map_err(kind),
            Err(ChainErrorKind::Body)
        );
        assert_eq!(writer, before);
        let limits = ChainLimits {
            records_max: 2,
            ..ChainLimits::default()
        };
        let error = read_chain("journal", written(3).as_bytes(), &limits).unwrap_err();
        assert_eq!(
            (error.kind(), error.record()),
            (ChainErrorKind::Limit, Some(2))
        );
        let limits = ChainLimits {
            bytes_max: 10,
            ..ChainLimits::default()
        };
        assert!(read_chain("journal", written(1).as_bytes(), &limits).is_err());
    }
}
