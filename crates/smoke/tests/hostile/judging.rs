//! Answers that are whole, and as costly to judge as they can be under the usual limits.

use flate2::Compression;
use flate2::write::GzEncoder;
use nonevent_smoke::{Cause, Limits};

use crate::case::{Case, endless};
use crate::codings::{BROTLI_BOMB, coded, gzip_of, zstd_bomb};

/// What `decoded_bytes_max` is by default.
const DECODED_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The limits of a run that says nothing else, and time enough for a build without optimization.
fn usual(limits: &mut Limits) {
    *limits = Limits {
        total_ms: 4_000,
        ..Limits::default()
    };
}

pub(crate) fn cases() -> Vec<Case> {
    let of = |piece: &[u8]| gzip_of(piece, DECODED_BYTES_MAX - 1_024);
    let layers = {
        let mut inner = GzEncoder::new(
            GzEncoder::new(Vec::new(), Compression::fast()),
            Compression::none(),
        );
        crate::codings::write_pieces(&mut inner, b"x", DECODED_BYTES_MAX - 16 * 1_024);
        let outer = inner.finish().expect("memory");
        outer.finish().expect("memory")
    };
    vec![
        coded(
            "layers that are all as large as allowed",
            "gzip, gzip",
            &layers,
        )
        .limits(usual),
        coded("a bomb in brotli, usual limits", "br", &BROTLI_BOMB)
            .limits(usual)
            .fails(Cause::Limit, "decoded_bytes_max"),
        coded("a bomb in zstd, usual limits", "zstd", &zstd_bomb())
            .limits(usual)
            .fails(Cause::Limit, "decoded_bytes_max"),
        coded("lines that are all empty", "gzip", &of(b"\n"))
            .test(r#""expected_body":{"equals":"one\ntwo\n"}"#)
            .limits(usual)
            .fails(Cause::Assertion, "body"),
        coded("bytes that are no text", "gzip", &of(b"\xff"))
            .test(r#""expected_body_contains":"ok""#)
            .limits(usual)
            .fails(Cause::Assertion, "ok"),
        coded("nearly what is expected, often", "gzip", &of(b"expecte"))
            .test(r#""expected_body_contains":"expected""#)
            .limits(usual)
            .fails(Cause::Assertion, "expected"),
        coded(
            "JSON that is nested without end",
            "gzip",
            &gzip_of(b"[", 200_000),
        )
        .test(r#""expected_json":[{"path":"/a","equals":1}]"#)
        .limits(usual)
        .fails(Cause::Assertion, "not JSON"),
        coded("JSON of many small lists", "gzip", &json(b"[0],"))
            .test(r#""expected_json":[{"path":"/a","equals":1}]"#)
            .limits(usual)
            .fails(Cause::Limit, "over 40 MiB of memory as JSON"),
        coded("JSON of many small objects", "gzip", &json(b"{\"\":0},"))
            .test(r#""expected_json":[{"path":"/a","equals":1}]"#)
            .limits(usual)
            .fails(Cause::Limit, "over 40 MiB of memory as JSON"),
        endless(
            "chunks of one byte for ever",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            "1\r\nx\r\n",
            0,
        )
        .limits(|limits| {
            usual(limits);
            // The deadline is to be met, although there is always something to be read.
            limits.total_ms = 300;
            limits.wire_bytes_max = u64::MAX;
            limits.body_bytes_max = 32 * 1024 * 1024;
        })
        .fails(Cause::Timeout, "further byte of the body within 300ms"),
        coded("JSON whose lines are mostly indentation", "gzip", &nested())
            .test(r#""expected_json":[{"path":"/0","equals":[1]}]"#)
            .limits(usual)
            .fails(Cause::Assertion, "expected [1]"),
    ]
}

/// A list of numbers, in as many lists as are read.
fn nested() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    crate::codings::write_pieces(&mut encoder, b"[", 100);
    crate::codings::write_pieces(&mut encoder, b"0,", 800 * 1_024);
    crate::codings::write_pieces(&mut encoder, b"0", 1);
    crate::codings::write_pieces(&mut encoder, b"]", 100);
    encoder.finish().expect("memory")
}

/// A list, whole.
fn json(item: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    crate::codings::write_pieces(&mut encoder, b"[", 1);
    crate::codings::write_pieces(&mut encoder, item, DECODED_BYTES_MAX - 1_024);
    crate::codings::write_pieces(&mut encoder, b"0]", 2);
    encoder.finish().expect("memory")
}
