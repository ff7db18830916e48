//! Servers that mean harm or are broken: each ends with the right verdict, within its deadline.

use std::future::Future;
use std::time::{Duration, Instant};

use nonevent_smoke::{Cause, Limits, Options, Report, Suite, SuiteVerdict, Target, Verdict};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::server::{Server, options, read_request, run_suite};

/// The time of an attempt in these tests.
const TOTAL_MS: u64 = 250;
/// What ending may take beyond a deadline.
const GRACE_MS: u64 = 100;

fn hurried() -> Options {
    let limits = Limits {
        total_ms: TOTAL_MS,
        header_bytes_max: 16 * 1024,
        header_count_max: 50,
        body_bytes_max: 64 * 1024,
        ..Limits::default()
    };
    Options {
        limits,
        ..options()
    }
}

/// With time enough for a size to be what ends the attempt, also on a busy machine.
fn patient() -> Options {
    let limits = Limits {
        total_ms: 2_000,
        ..hurried().limits
    };
    Options {
        limits,
        ..options()
    }
}

/// Runs `GET /` and holds verdict, cause and time.
///
/// The promise is about this crate and not about how busy the machine is, so of three runs the
/// fastest counts; the verdict must be right in each.
async fn check(server: &Server, options: &Options, cause: Cause, says: &str) {
    check_target(&server.target(), options, cause, says, TOTAL_MS).await;
}

async fn check_target(
    target: &Target,
    options: &Options,
    cause: Cause,
    says: &str,
    deadline_ms: u64,
) {
    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        let report = run_suite(&Suite::default_suite(), target, options).await;
        fastest = fastest.min(start.elapsed());
        judged(&report, cause, says);
        if fastest <= Duration::from_millis(deadline_ms + GRACE_MS) {
            break;
        }
    }
    let allowed = Duration::from_millis(deadline_ms + GRACE_MS);
    assert!(
        fastest <= allowed,
        "took {fastest:?} with a deadline of {deadline_ms} ms"
    );
}

fn judged(report: &Report, cause: Cause, says: &str) {
    let test = &report.tests[0];
    let failures: Vec<_> = test.failures().collect();
    assert_eq!(failures.len(), 1, "{failures:#?}");
    let failure = failures[0];
    assert_eq!(failure.cause, cause, "{failure:?}");
    assert!(
        failure.message.contains(says),
        "`{says}` is not in: {}",
        failure.message
    );
    let (verdict, suite) = if cause.is_answer() {
        (Verdict::Failed, SuiteVerdict::Failed)
    } else if cause.is_unreachable() {
        (Verdict::Inconclusive, SuiteVerdict::Unreachable)
    } else {
        (Verdict::Inconclusive, SuiteVerdict::Inconclusive)
    };
    assert_eq!((test.verdict, report.summary.verdict), (verdict, suite));
    assert_ne!(report.summary.exit_code(), 0);
}

/// After the request writes `head`, then `piece` for ever with a pause between; without a pause,
/// many at once.
async fn endless(head: &'static str, piece: &'static [u8], pause_ms: u64) -> Server {
    let pieces = if pause_ms == 0 { 100 } else { 1 };
    Server::start(move |mut stream, _| async move {
        if read_request(&mut stream).await.is_none()
            || stream.write_all(head.as_bytes()).await.is_err()
        {
            return;
        }
        let flood = piece.repeat(pieces);
        while stream.write_all(&flood).await.is_ok() {
            if pause_ms > 0 {
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            }
        }
    })
    .await
}

/// After the request does what it is told to.
async fn after_request<F>(then: impl Fn(TcpStream) -> F + Send + Sync + Clone + 'static) -> Server
where
    F: Future<Output = ()> + Send + 'static,
{
    Server::start(move |mut stream, _| {
        let then = then.clone();
        async move {
            if read_request(&mut stream).await.is_some() {
                then(stream).await;
            }
        }
    })
    .await
}

async fn hold(stream: TcpStream) {
    tokio::time::sleep(Duration::from_secs(60)).await;
    drop(stream);
}

#[tokio::test]
async fn never_answering() {
    let server = after_request(hold).await;
    check(
        &server,
        &hurried(),
        Cause::Timeout,
        "no complete head of an answer within 250ms",
    )
    .await;
    let limits = Limits {
        first_byte_ms: 100,
        ..hurried().limits
    };
    let options = Options {
        limits,
        ..options()
    };
    check_target(
        &server.target(),
        &options,
        Cause::Timeout,
        "100ms (first_byte_ms)",
        100,
    )
    .await;
}

#[tokio::test]
async fn dripping_a_body() {
    let server = endless("HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n", b"x", 10).await;
    check(
        &server,
        &hurried(),
        Cause::Timeout,
        "within 250ms (timeout_ms)",
    )
    .await;
}

#[tokio::test]
async fn dripping_a_head() {
    let server = endless("HTTP/1.1 200 OK\r\nx: ", b"y", 10).await;
    check(&server, &hurried(), Cause::Timeout, "no complete head").await;
}

#[tokio::test]
async fn pausing_in_mid_body() {
    let server = endless("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n", b"x", 60_000).await;
    let limits = Limits {
        idle_ms: 100,
        ..hurried().limits
    };
    let options = Options {
        limits,
        ..options()
    };
    check_target(
        &server.target(),
        &options,
        Cause::Timeout,
        "100ms (idle_ms)",
        100,
    )
    .await;
}

#[tokio::test]
async fn endless_headers() {
    let many = endless("HTTP/1.1 200 OK\r\n", b"x-more: of the same\r\n", 0).await;
    check(&many, &patient(), Cause::Limit, "header_bytes_max").await;
    let long = endless("HTTP/1.1 200 OK\r\nx-long: ", &[b'x'; 512], 0).await;
    check(&long, &patient(), Cause::Limit, "header_bytes_max").await;
    let lines = "x: y\r\n".repeat(51);
    let lines = format!("HTTP/1.1 200 OK\r\n{lines}content-length: 0\r\n\r\n");
    check(
        &Server::answering(lines).await,
        &patient(),
        Cause::Limit,
        "header_count_max",
    )
    .await;
}

#[tokio::test]
async fn endless_bodies() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let server = endless(chunked, b"5\r\nhello\r\n", 0).await;
    check(
        &server,
        &patient(),
        Cause::Limit,
        "over 65536 bytes (body_bytes_max)",
    )
    .await;
    let server = endless("HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 512], 0).await;
    check(&server, &patient(), Cause::Limit, "body_bytes_max").await;
    // Nobody waits for a terabyte to find out that it is too much.
    let server = endless(
        "HTTP/1.1 200 OK\r\ncontent-length: 1000000000000\r\n\r\n",
        b"",
        60_000,
    );
    check_target(
        &server.await.target(),
        &patient(),
        Cause::Limit,
        "body_bytes_max",
        0,
    )
    .await;
    // One chunk that claims to be nearly endless.
    let server = endless(chunked, b"fffffffffffffff\r\nhello", 10).await;
    check(&server, &hurried(), Cause::Timeout, "timeout_ms").await;
}

#[tokio::test]
async fn endless_trailers() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n";
    let server = endless(head, b"x-more: of the same\r\n", 0).await;
    let report = run_suite(&Suite::default_suite(), &server.target(), &patient()).await;
    assert_eq!(report.summary.verdict, SuiteVerdict::Failed, "{report:#?}");
}

#[tokio::test]
async fn interim_answers_without_end() {
    let server = endless("", b"HTTP/1.1 102 Processing\r\n\r\n", 0).await;
    check(&server, &patient(), Cause::Limit, "more than 16 interim").await;
}

#[tokio::test]
async fn a_length_that_lies() {
    let short = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello").await;
    check(&short, &hurried(), Cause::Closed, "before the answer did").await;
    let long = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhello").await;
    check(
        &long,
        &hurried(),
        Cause::Protocol,
        "3 bytes came after the end",
    )
    .await;
}

#[tokio::test]
async fn a_second_answer_behind_the_first() {
    let smuggled = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n";
    let server = Server::answering(smuggled).await;
    check(&server, &hurried(), Cause::Protocol, "came after the end").await;
    let kept = Options {
        reuse_connections: true,
        ..hurried()
    };
    check(&server, &kept, Cause::Protocol, "came after the end").await;
}

#[tokio::test]
async fn reset_in_mid_body() {
    let server = after_request(async |mut stream: TcpStream| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello";
        let _ignored = stream.write_all(head).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let _ignored = stream.set_zero_linger();
    })
    .await;
    check(&server, &hurried(), Cause::Closed, "reset").await;
}

#[tokio::test]
async fn closing_without_a_word() {
    let server = after_request(async |stream: TcpStream| drop(stream)).await;
    check(&server, &hurried(), Cause::Closed, "before the answer did").await;
    let half = Server::answering("HTTP/1.1 200 OK\r\ncontent-le").await;
    check(&half, &hurried(), Cause::Closed, "before the answer did").await;
}

#[tokio::test]
async fn what_is_not_http() {
    let head = "HTTP/1.1 200 OK\r\n";
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n");
    let cases = [
        ("SSH-2.0-OpenSSH_9.6\r\n".to_owned(), "not HTTP/1.1"),
        ("<html>hello</html>\r\n\r\n".to_owned(), "not HTTP/1.1"),
        ("HTTP/2 200\r\n\r\n".to_owned(), "not HTTP/1.1"),
        ("HTTP/1.1 99999 Huge\r\n\r\n".to_owned(), "not HTTP/1.1"),
        (
            format!("{head}content-length: 5\r\ncontent-length: 6\r\n\r\nhello"),
            "not HTTP/1.1",
        ),
        (
            format!("{head}content-length: -5\r\n\r\nhello"),
            "not HTTP/1.1",
        ),
        (
            format!("{head}content-length: +5\r\n\r\nhello"),
            "not HTTP/1.1",
        ),
        (format!("{head}bad header: x\r\n\r\n"), "not HTTP/1.1"),
        (format!("{head}x: a\0b\r\n\r\n"), "not HTTP/1.1"),
        (
            format!("{head}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"),
            "both content-length and transfer-encoding",
        ),
        (format!("{chunked}zz\r\nhello\r\n0\r\n\r\n"), "malformed"),
        (format!("{chunked}5\r\nhelloX\r\n0\r\n\r\n"), "malformed"),
        (format!("{chunked}ffffffffffffffffff\r\nhello"), "malformed"),
        (format!("{chunked}-5\r\nhello\r\n0\r\n\r\n"), "malformed"),
    ];
    for (bytes, says) in cases {
        check(
            &Server::answering(bytes).await,
            &hurried(),
            Cause::Protocol,
            says,
        )
        .await;
    }
}

#[tokio::test]
async fn redirect_to_the_metadata_service() {
    let answer = "HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/latest/meta-data/\r\n\
                  content-length: 0\r\n\r\n";
    let server = Server::answering(answer).await;
    check(
        &server,
        &hurried(),
        Cause::Assertion,
        "which is not followed",
    )
    .await;
    assert_eq!(
        server.connections(),
        1,
        "it was asked once and nobody else was"
    );
}

#[tokio::test]
async fn addresses_that_are_not_asked() {
    for url in [
        "http://169.254.169.254/",
        "http://[fe80::1]/",
        "http://[::ffff:a9fe:a9fe]/",
    ] {
        let target = Target::parse(url).expect(url);
        check_target(
            &target,
            &hurried(),
            Cause::RefusedAddress,
            "was not asked",
            0,
        )
        .await;
    }
    let behind = Target::parse("http://shop.example.com/")
        .expect("a URL")
        .connect_to("100.100.100.200:80".parse().expect("an address"));
    check_target(
        &behind,
        &hurried(),
        Cause::RefusedAddress,
        "was not asked",
        0,
    )
    .await;
}

#[tokio::test]
async fn nobody_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let target = Target::parse(&format!("http://{address}")).expect("a URL");
    check_target(&target, &hurried(), Cause::Connect, "refused", TOTAL_MS).await;
    let nowhere = Target::parse("http://nowhere.invalid/").expect("a URL");
    let report = run_suite(&Suite::default_suite(), &nowhere, &hurried()).await;
    judged(&report, Cause::Resolve, "address");
}
