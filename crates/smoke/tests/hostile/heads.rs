//! Heads of answers: without end, slow, malformed, or not HTTP/1.1 at all.

use nonevent_smoke::Cause;
use tokio::io::AsyncWriteExt;

use crate::case::{Case, answering, endless, hold_open};
use crate::server::Server;

const START: &str = "HTTP/1.1 200 OK\r\n";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = large();
    cases.extend(malformed());
    cases.extend(statuses());
    cases
}

fn large() -> Vec<Case> {
    let lines = "x: y\r\n".repeat(51);
    let location = format!(
        "HTTP/1.1 302 Found\r\nlocation: http://{}@shop\r\ncontent-length: 0\r\n\r\n",
        "x".repeat(10_000)
    );
    vec![
        endless("drips a head", "HTTP/1.1 200 OK\r\nx: ", "y", 10)
            .fails(Cause::Timeout, "no complete head"),
        endless(
            "drips an interim answer",
            "",
            "HTTP/1.1 103 Early\r\n\r\n",
            50,
        )
        .fails(Cause::Timeout, "no complete head"),
        endless("endless header lines", START, "x-more: of the same\r\n", 0)
            .fails(Cause::Limit, "header_bytes_max"),
        endless("one endless header line", "HTTP/1.1 200 OK\r\nx: ", "x", 0)
            .fails(Cause::Limit, "header_bytes_max"),
        endless("an endless reason phrase", "HTTP/1.1 200 ", "x", 0)
            .fails(Cause::Limit, "header_bytes_max"),
        endless("empty lines for ever before the answer", "", "\r\n", 0)
            .fails(Cause::Limit, "header_bytes_max"),
        answering(
            "51 header lines",
            format!("{START}{lines}content-length: 0\r\n\r\n"),
        )
        .fails(Cause::Limit, "header_count_max"),
        endless(
            "interim answers without end",
            "",
            "HTTP/1.1 102 Processing\r\n\r\n",
            0,
        )
        .fails(Cause::Limit, "more than 16 interim"),
        answering("a location of 10 000 bytes", location)
            .test(r#""follow_redirects":true"#)
            .fails(Cause::Redirect, "with credentials"),
    ]
}

/// Answers whose head alone decides.
fn malformed() -> Vec<Case> {
    let wrong = [
        ("another protocol's banner", "SSH-2.0-OpenSSH_9.6\r\n"),
        ("HTTP/0.9", "<html>hello</html>\r\n\r\n"),
        ("HTTP/2 in text", "HTTP/2 200\r\n\r\n"),
        ("HTTP/3.0", "HTTP/3.0 200 OK\r\n\r\n"),
        ("HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n"),
        ("a version in lower case", "http/1.1 200 OK\r\n\r\n"),
        ("a status of five digits", "HTTP/1.1 99999 Huge\r\n\r\n"),
        ("status 000", "HTTP/1.1 000 None\r\n\r\n"),
        ("a negative status", "HTTP/1.1 -20 OK\r\n\r\n"),
        (
            "a folded header line",
            "HTTP/1.1 200 OK\r\nx: a\r\n b\r\n\r\n",
        ),
        (
            "a NUL in a header's value",
            "HTTP/1.1 200 OK\r\nx: a\0b\r\n\r\n",
        ),
        (
            "a NUL in a header's name",
            "HTTP/1.1 200 OK\r\nx\0y: a\r\n\r\n",
        ),
        (
            "a bare CR in a header's value",
            "HTTP/1.1 200 OK\r\nx: a\rb\r\n\r\n",
        ),
        (
            "a space in a header's name",
            "HTTP/1.1 200 OK\r\nbad header: x\r\n\r\n",
        ),
        (
            "a space before the colon",
            "HTTP/1.1 200 OK\r\ncontent-length : 0\r\n\r\n",
        ),
        ("a header without a name", "HTTP/1.1 200 OK\r\n: x\r\n\r\n"),
        (
            "a header without a colon",
            "HTTP/1.1 200 OK\r\nnothing\r\n\r\n",
        ),
    ];
    let wrong = wrong.into_iter().map(|(name, bytes)| {
        answering(name, bytes).fails(Cause::Protocol, "the answer is not HTTP/1.1")
    });
    let cut = answering("a head that is cut", "HTTP/1.1 200 OK\r\ncontent-le")
        .fails(Cause::Closed, "the connection ended before the answer did");
    // RFC 9112, section 2.2, lets a recipient take a bare LF for the end of a line.
    let bare = "HTTP/1.1 200 OK\ncontent-length: 2\n\nok";
    let bare = answering("line breaks without CR", bare);
    let eager = Server::start(async |mut stream, _| {
        if stream
            .write_all(b"220 mail.example.com ESMTP\r\n")
            .await
            .is_ok()
        {
            hold_open(&mut stream).await;
        }
    });
    let eager = Case::new("speaks before it is asked", eager).fails(Cause::Protocol, "");
    wrong.chain([cut, bare, eager]).collect()
}

fn statuses() -> Vec<Case> {
    vec![
        answering(
            "status 999",
            "HTTP/1.1 999 Mine\r\ncontent-length: 0\r\n\r\n",
        )
        .fails(Cause::Assertion, "999"),
        answering(
            "switches protocols unasked",
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
        )
        .test(r#""expected_status":"100-299""#)
        .fails(Cause::Protocol, "101"),
        answering(
            "204 with a body",
            "HTTP/1.1 204 No Content\r\ncontent-length: 2\r\n\r\nok",
        )
        .test(r#""expected_status":204"#)
        .fails(Cause::Protocol, "2 bytes came after the end"),
        answering(
            "HEAD with a body",
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        )
        .test(r#""method":"HEAD""#)
        .fails(Cause::Protocol, "2 bytes came after the end"),
    ]
}
