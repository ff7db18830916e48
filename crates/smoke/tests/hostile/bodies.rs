//! Bodies that never end, or come so slowly that they might as well not.

use nonevent_smoke::Cause;

use crate::case::{Case, endless};

const SIZED: &str = "HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

pub(crate) fn cases() -> Vec<Case> {
    vec![
        endless("drips a body", SIZED, "x", 10).fails(Cause::Timeout, "within 400ms (timeout_ms)"),
        endless("drips chunks", CHUNKED, "1\r\nx\r\n", 20)
            .fails(Cause::Timeout, "within 400ms (timeout_ms)"),
        // 100 bytes in a second, asked for 1 000 after 250 ms, when 25 of them are there.
        endless("a body slower than the least rate", SIZED, "x", 10)
            .limits(|limits| {
                limits.total_ms = 5_000;
                limits.rate_bytes_per_s_min = 1_000;
                limits.rate_grace_ms = 250;
            })
            .fails(Cause::Timeout, "(rate_bytes_per_s_min)")
            .ends_within(250),
        endless("endless chunks", CHUNKED, "5\r\nhello\r\n", 0)
            .limits(|limits| limits.body_bytes_max = 8 * 1024)
            .fails(Cause::Limit, "over 8192 bytes (body_bytes_max)"),
        endless("endless chunks of one byte", CHUNKED, "1\r\nx\r\n", 0)
            .limits(|limits| limits.wire_bytes_max = 32 * 1024)
            .fails(Cause::Limit, "over 32768 bytes came"),
        endless(
            "an endless body without a length",
            "HTTP/1.1 200 OK\r\n\r\n",
            "x",
            0,
        )
        .fails(Cause::Limit, "body_bytes_max"),
        endless(
            "an endless HTTP/1.0 body",
            "HTTP/1.0 200 OK\r\n\r\n",
            "x",
            0,
        )
        .fails(Cause::Limit, "body_bytes_max"),
        endless("endless JSON", "HTTP/1.1 200 OK\r\n\r\n", "[", 0)
            .test(r#""expected_json":[{"path":"/a","equals":1}]"#)
            .fails(Cause::Limit, "body_bytes_max"),
    ]
}
