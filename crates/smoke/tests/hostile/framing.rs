//! Where an answer ends: lengths that lie or differ, chunks that are none, and what comes after.

use std::time::Duration;

use nonevent_smoke::Cause;
use tokio::io::AsyncWriteExt;

use crate::case::{Case, after_request, answering, endless, hold_open};

const START: &str = "HTTP/1.1 200 OK\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = lengths();
    cases.extend(surplus());
    cases.extend(chunks());
    cases.extend(cuts());
    cases
}

fn lengths() -> Vec<Case> {
    let no_length = [
        ("two lengths", "content-length: 5\r\ncontent-length: 6\r\n"),
        ("two lengths in one line", "content-length: 5, 6\r\n"),
        ("a negative length", "content-length: -5\r\n"),
        ("a signed length", "content-length: +5\r\n"),
        ("a hexadecimal length", "content-length: 0x5\r\n"),
        ("an empty length", "content-length:\r\n"),
        (
            "a length over 64 bits",
            "content-length: 18446744073709551621\r\n",
        ),
    ];
    let no_length = no_length.into_iter().map(|(name, headers)| {
        answering(name, format!("{START}{headers}\r\nhello"))
            .fails(Cause::Protocol, "the answer is not HTTP/1.1")
    });
    let both = answering(
        "a length and chunks",
        format!("{START}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
    )
    .fails(Cause::Protocol, "both content-length and transfer-encoding");
    let huge = endless(
        "a length of a terabyte",
        format!("{START}content-length: 1000000000000\r\n\r\n"),
        "",
        0,
    )
    .fails(Cause::Limit, "body_bytes_max")
    // Nobody waits for a terabyte to find out that it is too much.
    .ends_within(0);
    let largest = endless(
        "the largest length there is",
        format!("{START}content-length: 18446744073709551615\r\n\r\n"),
        "",
        0,
    )
    // The engine says no more of it than that something is too large.
    .fails(Cause::Limit, "a length that no body has")
    .ends_within(0);
    no_length.chain([both, huge, largest]).collect()
}

fn surplus() -> Vec<Case> {
    let long = format!("{START}content-length: 2\r\n\r\nhello");
    let second = format!("{START}content-length: 2\r\n\r\nok{START}content-length: 0\r\n\r\n");
    let chunked = format!("{CHUNKED}2\r\nok\r\n0\r\n\r\n{START}content-length: 0\r\n\r\n");
    vec![
        answering("a body longer than its length", long)
            .fails(Cause::Protocol, "3 bytes came after the end"),
        answering("a second answer behind the first", second.clone())
            .fails(Cause::Protocol, "came after the end"),
        answering("a second answer on a connection that is kept", second)
            .options(|options| options.reuse_connections = true)
            .fails(Cause::Protocol, "came after the end"),
        answering("a second answer behind the last chunk", chunked)
            .fails(Cause::Protocol, "came after the end"),
    ]
}

fn chunks() -> Vec<Case> {
    let malformed = [
        (
            "a chunk's size that is no number",
            "zz\r\nhello\r\n0\r\n\r\n",
        ),
        ("a negative chunk", "-5\r\nhello\r\n0\r\n\r\n"),
        ("a chunk's size in 0x", "0x5\r\nhello\r\n0\r\n\r\n"),
        ("no chunk's size", "\r\nhello\r\n0\r\n\r\n"),
        ("a chunk longer than its size", "5\r\nhelloX\r\n0\r\n\r\n"),
        ("a chunk's size over 64 bits", "ffffffffffffffffff\r\nhello"),
        (
            "a chunk's size that ends in a bare LF",
            "5\nhello\r\n0\r\n\r\n",
        ),
    ];
    let malformed = malformed.into_iter().map(|(name, body)| {
        answering(name, format!("{CHUNKED}{body}"))
            .fails(Cause::Protocol, "the answer is malformed")
    });
    let floods = [
        endless(
            "an endless chunk extension",
            format!("{CHUNKED}5;x="),
            "x",
            0,
        )
        .fails(Cause::Protocol, "the answer is malformed"),
        endless(
            "an extension in each chunk",
            CHUNKED,
            "1;x=yyyyyyyyy\r\nz\r\n",
            0,
        )
        .fails(Cause::Protocol, "the answer is malformed"),
        endless("a chunk's size of endless zeros", CHUNKED, "0", 0)
            .limits(|limits| limits.wire_bytes_max = 128 * 1024)
            .fails(Cause::Limit, "wire_bytes_max"),
        endless("endless trailers", format!("{CHUNKED}0\r\n"), "x: y\r\n", 0)
            .fails(Cause::Protocol, "the answer is malformed"),
        endless("one endless trailer", format!("{CHUNKED}0\r\nx: "), "y", 0)
            .fails(Cause::Protocol, "the answer is malformed"),
        endless("drips trailers", format!("{CHUNKED}0\r\n"), "x: y\r\n", 20)
            .fails(Cause::Timeout, "timeout_ms"),
        endless(
            "a chunk that is nearly endless",
            format!("{CHUNKED}fffffffffffffff\r\n"),
            "x",
            10,
        )
        .fails(Cause::Timeout, "timeout_ms"),
    ];
    malformed.chain(floods).collect()
}

fn cuts() -> Vec<Case> {
    let cut = [
        (
            "a body shorter than its length",
            format!("{START}content-length: 100\r\n\r\nhello"),
        ),
        ("a close in mid-chunk", format!("{CHUNKED}64\r\nhello")),
        ("a close between chunks", format!("{CHUNKED}5\r\nhello\r\n")),
        ("a close in a chunk's size", format!("{CHUNKED}5")),
        ("a close in the trailers", format!("{CHUNKED}0\r\nx: y\r\n")),
    ];
    let cut = cut.into_iter().map(|(name, bytes)| {
        answering(name, bytes).fails(Cause::Closed, "the connection ended before the answer did")
    });
    let reset = after_request("a reset in mid-body", |mut stream| async move {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello";
        let _ignored = stream.write_all(head).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let _ignored = stream.set_zero_linger();
    })
    .fails(Cause::Closed, "reset");
    let stalled = after_request("a body that stops", |mut stream| async move {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello";
        if stream.write_all(head).await.is_ok() {
            hold_open(&mut stream).await;
        }
    })
    .limits(|limits| limits.idle_ms = 300)
    .fails(Cause::Timeout, "300ms (idle_ms)")
    .ends_within(300);
    cut.chain([reset, stalled]).collect()
}
