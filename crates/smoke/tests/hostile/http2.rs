//! HTTP/2 without TLS: floods of frames, frames out of place, and who does not speak it at all.

use nonevent_smoke::{Cause, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;

use crate::case::{Case, answering, hold_open};
use crate::frames::{
    ACK, END_HEADERS, END_STREAM, Kind, STATUS_200, frame, head, line, read_head, settings,
};
use crate::server::Server;

const ASKS: &str = r#""connection":{"http":"2"}"#;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = floods();
    cases.extend(header_floods());
    cases.extend(headers());
    cases.extend(out_of_place());
    cases.extend(other_versions());
    cases
}

/// After the head of a request writes `first`, then `piece` for ever, and reads all the while.
fn endless(name: &str, first: Vec<u8>, piece: Vec<u8>) -> Case {
    let server = Server::start(move |mut stream, _| {
        let (first, piece) = (first.clone(), piece.clone());
        async move {
            if stream.write_all(&settings(&[])).await.is_err()
                || read_head(&mut stream).await.is_none()
            {
                return;
            }
            let (mut read, mut write) = stream.into_split();
            let reading = async {
                let mut buffer = [0; 4096];
                while matches!(read.read(&mut buffer).await, Ok(count) if count > 0) {}
            };
            tokio::join!(reading, flood(&mut write, &first, &piece));
        }
    });
    Case::new(name, server).test(ASKS).limits(|limits| {
        limits.total_ms = 600;
        limits.wire_bytes_max = 128 * 1024;
    })
}

async fn flood(write: &mut OwnedWriteHalf, first: &[u8], piece: &[u8]) {
    if write.write_all(first).await.is_err() || piece.is_empty() {
        return;
    }
    let many = piece.repeat((16 * 1024 / piece.len()).max(1));
    while write.write_all(&many).await.is_ok() {}
}

/// The same once, and then silence.
fn saying(name: &str, bytes: Vec<u8>) -> Case {
    endless(name, bytes, Vec::new())
}

fn floods() -> Vec<Case> {
    let small = frame(Kind::Data, 0, 1, b"x");
    let mut padded = vec![200];
    padded.extend([0; 200]);
    vec![
        endless("a flood of SETTINGS", Vec::new(), settings(&[(4, 65_535)]))
            .fails(Cause::Limit, "wire_bytes_max"),
        endless(
            "a flood of acknowledged SETTINGS",
            Vec::new(),
            frame(Kind::Settings, ACK, 0, &[]),
        )
        .fails(Cause::Protocol, "HTTP/2 failed"),
        endless(
            "a flood of PING",
            Vec::new(),
            frame(Kind::Ping, 0, 0, &[7; 8]),
        )
        .fails(Cause::Limit, "wire_bytes_max"),
        endless(
            "a flood of WINDOW_UPDATE",
            Vec::new(),
            frame(Kind::WindowUpdate, 0, 0, &[0, 0, 0, 1]),
        )
        .fails(Cause::Limit, "wire_bytes_max"),
        endless(
            "a flood of unknown frames",
            Vec::new(),
            frame(Kind::Unknown, 0, 0, &[0; 100]),
        )
        .fails(Cause::Limit, "wire_bytes_max"),
        endless(
            "a flood of empty DATA",
            head(0),
            frame(Kind::Data, 0, 1, &[]),
        )
        .fails(Cause::Protocol, "HTTP/2 failed"),
        endless("a flood of DATA of one byte", head(0), small)
            .limits(|limits| {
                *limits = Limits {
                    total_ms: 3_000,
                    ..Limits::default()
                };
            })
            .fails(Cause::Protocol, "too_many_data_frames")
            .or(Cause::Limit, "wire_bytes_max"),
        endless(
            "a flood of padding",
            head(0),
            frame(Kind::Data, 8, 1, &padded),
        )
        .fails(Cause::Protocol, "too_many_data_frames")
        .or(Cause::Limit, "wire_bytes_max"),
        endless(
            "a body that keeps to no window",
            head(0),
            frame(Kind::Data, 0, 1, &[b'x'; 1024]),
        )
        .fails(Cause::Protocol, "flow-control")
        // The window opens again as far as the body is read.
        .or(Cause::Limit, "bytes_max"),
        saying("a body that is too large", {
            // The client's window is larger than the limit once its settings are acknowledged.
            let data = frame(Kind::Data, 0, 1, &[b'x'; 1024]).repeat(65);
            [frame(Kind::Settings, ACK, 0, &[]), head(0), data].concat()
        })
        .fails(Cause::Limit, "over 65536 bytes (body_bytes_max)"),
    ]
}

fn header_floods() -> Vec<Case> {
    vec![
        endless("a flood of interim answers", Vec::new(), {
            frame(Kind::Headers, END_HEADERS, 1, &[0x08, 3, b'1', b'0', b'3'])
        })
        // The engine shows no interim answers of HTTP/2, so that they cannot be counted.
        .fails(Cause::Limit, "wire_bytes_max"),
        endless(
            "interim answers of one byte each",
            {
                // Puts `:status: 103` into the table.
                frame(Kind::Headers, END_HEADERS, 1, &[0x48, 3, b'1', b'0', b'3'])
            },
            frame(Kind::Headers, END_HEADERS, 1, &[0xbe]),
        )
        .limits(|limits| {
            limits.total_ms = 5_000;
            limits.wire_bytes_max = 1024 * 1024;
        })
        .fails(Cause::Limit, "wire_bytes_max"),
        endless(
            "a flood of CONTINUATION",
            frame(Kind::Headers, 0, 1, &[STATUS_200]),
            frame(Kind::Continuation, 0, 1, &[]),
        )
        .fails(Cause::Protocol, "HTTP/2 failed"),
        endless(
            "an endless header in CONTINUATION",
            frame(Kind::Headers, 0, 1, &[STATUS_200]),
            frame(Kind::Continuation, 0, 1, &line("x", "of the same")),
        )
        .fails(Cause::Protocol, "HTTP/2 failed"),
        endless("a rapid reset", Vec::new(), {
            [head(0), frame(Kind::Reset, 0, 1, &[0, 0, 0, 8])].concat()
        })
        .fails(Cause::Protocol, "HTTP/2 failed"),
    ]
}

fn headers() -> Vec<Case> {
    let many = line("x", "y").repeat(60);
    let many = [&[STATUS_200][..], &many].concat();
    let connection = [&[STATUS_200][..], &line("connection", "close")].concat();
    let upper = [&[STATUS_200][..], &line("X-Upper", "y")].concat();
    let nul = [&[STATUS_200][..], &line("x", "a\0b")].concat();
    let length = [&[STATUS_200][..], &line("content-length", "5")].concat();
    let two = [&length[..], &line("content-length", "6")].concat();
    let only = |block: &[u8]| frame(Kind::Headers, END_HEADERS | END_STREAM, 1, block);
    let open = |block: &[u8]| frame(Kind::Headers, END_HEADERS, 1, block);
    let data = |body: &[u8]| frame(Kind::Data, END_STREAM, 1, body);
    vec![
        saying("a header list out of a few bytes", only(&hpack_bomb()))
            .fails(Cause::Protocol, "HTTP/2 failed"),
        saying("60 header lines in HTTP/2", only(&many)).fails(Cause::Limit, "header_count_max"),
        saying("a header of the connection", only(&connection))
            .fails(Cause::Protocol, "HTTP/2 failed"),
        saying("a name in upper case", only(&upper)).fails(Cause::Protocol, "HTTP/2 failed"),
        saying("a NUL in a value", only(&nul)).fails(Cause::Protocol, "HTTP/2 failed"),
        saying("no status", only(&line("x", "y"))).fails(Cause::Protocol, "HTTP/2 failed"),
        saying("an index of no table", only(&[STATUS_200, 0xff, 0x7f]))
            .fails(Cause::Protocol, "HTTP/2 failed"),
        saying(
            "a table larger than was agreed",
            only(&[0x3f, 0xff, 0xff, 0x7f, STATUS_200]),
        )
        .fails(Cause::Protocol, "HTTP/2 failed"),
        saying(
            "a longer body in HTTP/2",
            [open(&length), data(b"hello!")].concat(),
        )
        .fails(Cause::Protocol, "HTTP/2 failed"),
        saying(
            "a shorter body in HTTP/2",
            [open(&length), data(b"hell")].concat(),
        )
        .fails(Cause::Protocol, "HTTP/2 failed"),
        saying(
            "two lengths in HTTP/2",
            [open(&two), data(b"hello")].concat(),
        )
        .fails(Cause::Protocol, "HTTP/2 failed"),
    ]
}

/// A line of 4 000 bytes that is put into the table once, and 4 000 times one byte that means it.
fn hpack_bomb() -> Vec<u8> {
    // A literal with incremental indexing: a name of one byte, a value of 4 000.
    let mut block = vec![STATUS_200, 0x40, 1, b'x', 0x7f];
    // 4 000 = 127 + 33 + 30 * 128.
    block.extend([0x80 | 33, 30]);
    block.extend([b'y'; 4_000]);
    // The first entry of the dynamic table.
    block.extend([0xbe; 4_000]);
    block
}

fn out_of_place() -> Vec<Case> {
    let go_away = |last: u8, code: u8, debug: &[u8]| {
        let payload = [&[0, 0, 0, last, 0, 0, 0, code][..], debug].concat();
        frame(Kind::GoAway, 0, 0, &payload)
    };
    let promise = [&[0, 0, 0, 2][..], &[0x82, 0x84, 0x86, 0x41, 1, b'a']].concat();
    let large = [&[0xff, 0xff, 0xff, 0, 0][..], &[0; 4]].concat();
    vec![
        saying("GOAWAY at once", go_away(0, 0, b"")).fails(Cause::Protocol, "HTTP/2 failed"),
        saying("GOAWAY with much to say", go_away(0, 11, &[b'\n'; 8_000]))
            .fails(Cause::Protocol, "HTTP/2 failed"),
        saying("GOAWAY after the stream, and no answer", go_away(1, 0, b""))
            .fails(Cause::Timeout, "no complete head"),
        saying("RST_STREAM", frame(Kind::Reset, 0, 1, &[0, 0, 0, 7]))
            .fails(Cause::Protocol, "HTTP/2 failed"),
        saying("RST_STREAM in mid-body", {
            let body = frame(Kind::Data, 0, 1, b"hello");
            [head(0), body, frame(Kind::Reset, 0, 1, &[0, 0, 0, 2])].concat()
        })
        .fails(Cause::Protocol, "HTTP/2 failed"),
        saying(
            "RST_STREAM of a stream that never was",
            frame(Kind::Reset, 0, 7, &[0; 4]),
        )
        .fails(Cause::Protocol, "HTTP/2 failed"),
        saying(
            "PUSH_PROMISE",
            frame(Kind::PushPromise, END_HEADERS, 1, &promise),
        )
        .fails(Cause::Protocol, "HTTP/2 failed"),
        saying("DATA before the head", frame(Kind::Data, 0, 1, b"hello"))
            .fails(Cause::Protocol, "HTTP/2 failed"),
        saying("DATA on stream 0", frame(Kind::Data, 0, 0, b"hello"))
            .fails(Cause::Protocol, "HTTP/2 failed"),
        saying(
            "an answer on stream 3",
            frame(Kind::Headers, END_HEADERS, 3, &[STATUS_200]),
        )
        .fails(Cause::Protocol, "HTTP/2 failed"),
        saying("a frame larger than was agreed", large).fails(Cause::Protocol, "HTTP/2 failed"),
        saying(
            "a window that overflows",
            frame(Kind::WindowUpdate, 0, 0, &[0x7f, 0xff, 0xff, 0xff]),
        )
        .fails(Cause::Protocol, "HTTP/2 failed"),
        saying("padding longer than its frame", {
            [head(0), frame(Kind::Data, 8, 1, &[200, 0])].concat()
        })
        .fails(Cause::Protocol, "HTTP/2 failed"),
        saying("a head and no body", head(0)).fails(Cause::Timeout, "further byte of the body"),
        no_window(),
    ]
}

/// A window of 0 for the request's body, which never grows.
fn no_window() -> Case {
    let server = Server::start(async |mut stream, _| {
        let _ignored = stream.write_all(&settings(&[(4, 0)])).await;
        hold_open(&mut stream).await;
    });
    Case::new("no window for ever", server)
        .test(r#""method":"PUT","body":"never sent","connection":{"http":"2"}"#)
        .fails(Cause::Timeout, "no complete head")
}

fn other_versions() -> Vec<Case> {
    let http1 = Server::start(async |mut stream, _| {
        let _ignored = stream.read(&mut [0; 1024]).await;
        let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        let _ignored = stream.write_all(answer).await;
        hold_open(&mut stream).await;
    });
    let silent = Server::start(async |mut stream, _| hold_open(&mut stream).await);
    let closing = Server::start(async |mut stream, _| {
        let _ignored = stream.write_all(&settings(&[])).await;
        let _ignored = read_head(&mut stream).await;
    });
    vec![
        Case::new("HTTP/1.1 where HTTP/2 is spoken", http1)
            .test(ASKS)
            .fails(Cause::Protocol, "HTTP/2 failed"),
        answering(
            "HTTP/2 where HTTP/1.1 is spoken",
            [settings(&[]), head(END_STREAM)].concat(),
        )
        .fails(Cause::Protocol, "the answer is not HTTP/1.1"),
        Case::new("silence where HTTP/2 is spoken", silent)
            .test(ASKS)
            .fails(Cause::Timeout, "no complete head"),
        Case::new("a close where HTTP/2 is spoken", closing)
            .test(ASKS)
            .fails(Cause::Closed, "the connection ended before the answer did"),
    ]
}
