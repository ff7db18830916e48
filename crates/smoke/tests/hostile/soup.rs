//! Whatever bytes come as an answer: a run never panics, and ends by its deadline to the
//! millisecond.
//!
//! Nothing is real here: streams are memory and the clock is tokio's, paused.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use nonevent_smoke::{
    Channel, HttpVersion, Limits, Options, Peer, Report, Suite, Target, Transport, TransportFuture,
    Verdict,
};
use proptest::collection::vec;
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_oneof, proptest,
};
use proptest::sample::Index;
use tokio::io::AsyncWriteExt;
use tokio::runtime::Builder;

use crate::frames::{END_STREAM, Kind, frame, head, settings};
use crate::measure::turn;
use crate::server::{options, run_suite, suite};

const TOTAL_MS: u64 = 500;

/// Answers every connection with the same bytes, in pieces with pauses between, and then closes or
/// falls silent.
#[derive(Debug, Clone)]
struct Soup {
    bytes: Arc<[u8]>,
    piece_bytes: usize,
    pause_ms: u64,
    closes: bool,
}

impl Transport for Soup {
    fn resolve<'a>(&'a self, _: &'a str, port: u16) -> TransportFuture<'a, Vec<SocketAddr>> {
        Box::pin(async move { Ok(vec![SocketAddr::from(([10, 0, 0, 1], port))]) })
    }

    fn connect<'a>(&'a self, _: &'a Peer) -> TransportFuture<'a, Box<dyn Channel>> {
        let soup = self.clone();
        Box::pin(async move {
            let (near, mut far) = tokio::io::duplex(64 * 1024);
            tokio::spawn(async move {
                for piece in soup.bytes.chunks(soup.piece_bytes) {
                    if far.write_all(piece).await.is_err() {
                        return io::Result::Ok(());
                    }
                    let pause = core::time::Duration::from_millis(soup.pause_ms);
                    tokio::time::sleep(pause).await;
                }
                if !soup.closes {
                    core::future::pending::<()>().await;
                }
                far.shutdown().await
            });
            Ok(Box::new(near) as Box<dyn Channel>)
        })
    }
}

/// How the bytes are asked for.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Http1,
    Http2,
    Tls,
    Tcp,
}

fn ask(soup: Soup, asked: Asked) -> Report {
    let url = match asked {
        Asked::Tls => "https://shop.example.com",
        _ => "http://shop.example.com",
    };
    let mut target = Target::parse(url).expect("a URL");
    if matches!(asked, Asked::Http2) {
        target = target.http(HttpVersion::Http2);
    }
    let suite = match asked {
        Asked::Tcp => suite(r#"{"tests":[{"name":"t","tcp":{"expect":"220 mail"}}]}"#),
        _ => Suite::parse(
            "smoke-tests.json",
            br#"{"tests":[{"name":"t","follow_redirects":true,"expected_body_contains":"hello",
                "expected_json":[{"path":"$.a[*].b","exists":false}]}]}"#,
        )
        .expect("a suite without errors"),
    };
    let limits = Limits {
        total_ms: TOTAL_MS,
        header_bytes_max: 8 * 1024,
        body_bytes_max: 16 * 1024,
        decoded_bytes_max: 64 * 1024,
        wire_bytes_max: 64 * 1024,
        ..Limits::default()
    };
    let options = Options {
        limits,
        transport: Arc::new(soup),
        ..options()
    };
    let runtime = Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build();
    let runtime = runtime.expect("a runtime");
    runtime.block_on(run_suite(&suite, &target, &options))
}

/// Answers that are right, to be made wrong.
fn good() -> impl Strategy<Value = Vec<u8>> {
    let coded = |coding: &str, body: &[u8]| {
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        [head.as_bytes(), body].concat()
    };
    let text = b"hello hello hello hello, and some other words that are less alike";
    let zstd = ruzstd::encoding::compress_to_vec(
        &text.repeat(20)[..],
        ruzstd::encoding::CompressionLevel::Fastest,
    );
    let brotli = [0x8b, 0x00, 0x80, b'o', b'k', 0x03];
    let texts: [&[u8]; 5] = [
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-version: 1\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nx: y\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.0 200 OK\r\n\r\n{\"a\":[{\"c\":\"hello\"}]}",
        b"HTTP/1.1 302 Found\r\nlocation: http://b.example/x?y#z\r\ncontent-length: 0\r\n\r\n",
        b"\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03",
    ];
    let mut all: Vec<Vec<u8>> = texts.iter().map(|text| text.to_vec()).collect();
    all.push(coded("zstd", &zstd));
    all.push(coded("br", &brotli));
    all.push(coded("gzip", &zstd));
    let body = frame(Kind::Data, END_STREAM, 1, b"hello");
    all.push([settings(&[]), head(0), body].concat());
    prop::sample::select(all)
}

/// One change to some bytes.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Flip(Index, u8),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    Repeat(Index, usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (any::<Index>(), 0_u8..8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (any::<Index>(), 1_usize..20).prop_map(|(at, count)| Change::Remove(at, count)),
        (any::<Index>(), vec(any::<u8>(), 1..10)).prop_map(|(at, new)| Change::Insert(at, new)),
        (any::<Index>(), 2_usize..200).prop_map(|(at, times)| Change::Repeat(at, times)),
    ]
}

fn changed(mut bytes: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        match change {
            Change::Set(at, byte) => *at.get_mut(&mut bytes) = *byte,
            Change::Flip(at, bit) => *at.get_mut(&mut bytes) ^= 1 << bit,
            Change::Remove(at, count) => {
                let from = at.index(bytes.len());
                let to = bytes.len().min(from + count);
                bytes.drain(from..to);
            }
            Change::Insert(at, new) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, new.iter().copied());
            }
            Change::Repeat(at, times) => {
                let from = at.index(bytes.len());
                let to = bytes.len().min(from + 8);
                let more = bytes[from..to].repeat(*times);
                bytes.splice(to..to, more);
            }
        }
    }
    bytes
}

fn served(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Soup> {
    (bytes, 1_usize..2_000, 0_u64..40, any::<bool>()).prop_map(
        |(bytes, piece_bytes, pause_ms, closes)| Soup {
            bytes: bytes.into(),
            piece_bytes,
            pause_ms,
            closes,
        },
    )
}

fn asked() -> impl Strategy<Value = Asked> {
    prop_oneof![
        4 => Just(Asked::Http1),
        2 => Just(Asked::Http2),
        1 => Just(Asked::Tls),
        1 => Just(Asked::Tcp),
    ]
}

/// Bounds of what was found, whatever was sent.
fn is_sound(report: &Report) -> bool {
    let test = &report.tests[0];
    // An excerpt of control characters is ten times as long when it is made visible.
    let chars_max = 10 * Limits::default().excerpt_chars_max + 1_000;
    let short = |failure: &nonevent_smoke::Failure| failure.message.chars().count() < chars_max;
    report.summary.duration_ms <= TOTAL_MS
        && test.failures().all(short)
        && (test.verdict == Verdict::Passed) == (test.failures().count() == 0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_end_in_time(
        soup in served(vec(any::<u8>(), 0..3_000)),
        asked in asked(),
    ) {
        let _turn = turn();
        let report = ask(soup, asked);
        prop_assert!(is_sound(&report), "{report:#?}");
    }

    #[test]
    fn changed_answers_end_in_time(
        soup in served((good(), vec(change(), 0..6)).prop_map(|(good, changes)| changed(good, &changes))),
        asked in asked(),
    ) {
        let _turn = turn();
        let report = ask(soup, asked);
        prop_assert!(is_sound(&report), "{report:#?}");
    }
}
