//! TLS: certificates that are not to be trusted, and handshakes that come to nothing.

use std::io::Write;
use std::time::Duration;

use nonevent_smoke::{Cause, Report, Target};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::authority::{Authority, Chain, Key, acceptor, authority, names, private};
use crate::case::{Case, Fixture, hold_open, repeat};
use crate::server::{Server, ok};

const HOST: &str = "shop.example.com";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = certificates();
    cases.extend(versions());
    cases.extend(handshakes());
    cases.extend(after_the_handshake());
    cases
}

fn nothing_was_sent(_: &Fixture, report: &Report) {
    assert_eq!(report.tests[0].attempts[0].status, None);
}

fn target(server: &Server, trusted: &Authority) -> Target {
    Target::parse(&format!("https://{HOST}"))
        .expect("a URL")
        .connect_to(server.address)
        .trust_only(trusted.pem.clone())
}

/// A server that would answer, if it were trusted.
async fn showing(chain: Chain, key: Key, trusted: Authority) -> Fixture {
    let acceptor = acceptor(chain, key, rustls::ALL_VERSIONS, |_| {});
    let server = Server::start(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let _ignored = stream.read(&mut [0; 1024]).await;
            let _ignored = stream.write_all(ok("ok").as_bytes()).await;
            let _ignored = stream.shutdown().await;
        }
    })
    .await;
    Fixture::new(target(&server, &trusted), vec![server])
}

/// Speaks before it is asked, and right after the handshake, so that it is sure to be first.
fn eager() -> Case {
    let start = async {
        let ours = authority("ours");
        let (chain, key) = ours.certificate(&names(&[HOST]));
        let acceptor = acceptor(chain, key, rustls::ALL_VERSIONS, |config| {
            config.send_half_rtt_data = true;
        });
        let server = Server::start(move |stream, _| {
            let acceptor = acceptor.clone();
            async move {
                let banner = b"220 mail.example.com ESMTP\r\n";
                let accepting = acceptor.accept_with(stream, |session| {
                    // Goes out with the last message of the handshake.
                    let _ignored = session.writer().write_all(banner);
                });
                let Ok(mut stream) = accepting.await else {
                    return;
                };
                let _ignored = stream.read(&mut [0; 1024]).await;
                let (mut stream, _) = stream.into_inner();
                hold_open(&mut stream).await;
            }
        })
        .await;
        Fixture::new(target(&server, &ours), vec![server])
    };
    Case::new("speaks before it is asked, over TLS", start)
        .fails(Cause::Protocol, "the service spoke before it was asked")
}

fn certified(name: &str, params: CertificateParams) -> Case {
    let start = async move {
        let ours = authority("ours");
        let (chain, key) = ours.certificate(&params);
        showing(chain, key, ours).await
    };
    Case::new(name, start).also(nothing_was_sent)
}

fn certificates() -> Vec<Case> {
    let mut expired = names(&[HOST]);
    expired.not_before = date_time_ymd(2020, 1, 1);
    expired.not_after = date_time_ymd(2020, 2, 1);
    let mut early = names(&[HOST]);
    early.not_before = date_time_ymd(2090, 1, 1);
    early.not_after = date_time_ymd(2090, 2, 1);
    let hosts: Vec<String> = (0..1_000)
        .map(|at| format!("host-{at}.example.com"))
        .collect();
    let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
    let unknown = async {
        let (chain, key) = authority("theirs").certificate(&names(&[HOST]));
        showing(chain, key, authority("ours")).await
    };
    let self_signed = async {
        let key = KeyPair::generate().expect("a key");
        let certificate = names(&[HOST]).self_signed(&key).expect("a certificate");
        let chain = vec![certificate.der().clone()];
        showing(chain, private(&key), authority("ours")).await
    };
    let huge = async {
        let ours = authority("ours");
        let (mut chain, key) = ours.certificate(&names(&[HOST]));
        // Over 64 KiB, which is what a message of a handshake may have here.
        let other = chain[0].clone();
        chain.resize(80 * 1024 / other.len(), other);
        showing(chain, key, ours).await
    };
    vec![
        certified("a certificate that expired", expired).fails(Cause::Tls, "expired"),
        certified("a certificate that does not hold yet", early).fails(Cause::Tls, "not valid yet"),
        certified(
            "a certificate for another name",
            names(&["other.example.com"]),
        )
        .fails(Cause::Tls, "not valid for name"),
        certified("a certificate for a thousand other names", names(&hosts))
            .fails(Cause::Tls, "not valid for name"),
        Case::new("an unknown authority", unknown)
            .also(nothing_was_sent)
            .fails(Cause::Tls, "UnknownIssuer"),
        Case::new("a self-signed certificate", self_signed)
            .also(nothing_was_sent)
            .fails(Cause::Tls, "the TLS handshake failed"),
        Case::new("a chain of over 64 KiB", huge)
            .also(nothing_was_sent)
            .fails(Cause::Tls, "the TLS handshake failed"),
    ]
}

/// After the first bytes of the client does what it is told to.
fn after_hello<F>(name: &str, then: impl Fn(TcpStream) -> F + Send + Sync + Clone + 'static) -> Case
where
    F: Future<Output = ()> + Send + 'static,
{
    let start = async move {
        let server = Server::start(move |mut stream, _| {
            let then = then.clone();
            async move {
                if matches!(stream.read(&mut [0; 4096]).await, Ok(count) if count > 0) {
                    then(stream).await;
                }
            }
        })
        .await;
        Fixture::new(target(&server, &authority("ours")), vec![server])
    };
    Case::new(name, start).also(nothing_was_sent)
}

/// The same with `first` and then `piece` for ever.
fn saying(name: &str, first: Vec<u8>, piece: &'static [u8], pause_ms: u64) -> Case {
    after_hello(name, move |mut stream| {
        let first = first.clone();
        async move {
            if stream.write_all(&first).await.is_ok() {
                repeat(&mut stream, piece, pause_ms).await;
            }
        }
    })
}

/// A TLS record of a version (RFC 8446, section 5.1).
fn record(kind: u8, version: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("a record");
    let mut record = vec![kind];
    record.extend(version.to_be_bytes());
    record.extend(length.to_be_bytes());
    record.extend_from_slice(payload);
    record
}

/// A ServerHello without extensions, as all versions before 1.3 have it.
fn server_hello(version: u16, suite: u16) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(suite.to_be_bytes());
    body.push(0);
    let mut message = vec![2, 0, 0, u8::try_from(body.len()).expect("a short message")];
    message.extend(body);
    message
}

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
/// TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 and TLS_RSA_WITH_AES_128_CBC_SHA.
const SUITE_12: u16 = 0xc02f;
const SUITE_10: u16 = 0x002f;

fn versions() -> Vec<Case> {
    let only = |name, version| {
        let hello = record(HANDSHAKE, version, &server_hello(version, SUITE_10));
        saying(name, hello, b"", 0).fails(Cause::Tls, "the TLS handshake failed")
    };
    vec![
        only("TLS 1.0 only", 0x0301),
        only("TLS 1.1 only", 0x0302),
        saying(
            "an older version only, in an alert",
            record(ALERT, 0x0301, &[2, 70]),
            b"",
            0,
        )
        .fails(Cause::Tls, "ProtocolVersion"),
        saying(
            "SSL 2",
            vec![0x80, 0x0b, 4, 0, 1, 0, 2, 0, 0, 0, 0, 0, 0],
            b"",
            0,
        )
        .fails(Cause::Tls, "the TLS handshake failed"),
    ]
}

fn handshakes() -> Vec<Case> {
    let hello = record(HANDSHAKE, 0x0303, &server_hello(0x0303, SUITE_12));
    // A certificate message of 16 MiB, its pieces in records of 16 bytes.
    let endless = [
        hello.clone(),
        record(HANDSHAKE, 0x0303, &[11, 0xff, 0xff, 0xff]),
    ]
    .concat();
    let piece: &[u8] = &[
        22, 3, 3, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];
    let short = |case: Case| {
        case.limits(|limits| limits.tls_ms = 300)
            .fails(Cause::Timeout, "no TLS handshake within 300ms (tls_ms)")
            .ends_within(300)
    };
    vec![
        short(saying("a handshake that never begins", Vec::new(), b"", 0)),
        short(saying("a handshake that stops", hello.clone(), b"", 0)),
        short(saying(
            "a record that drips",
            vec![22, 3, 3, 0x3f, 0xff, 2],
            b"\0",
            10,
        )),
        short(dripping()),
        saying("a certificate without end", endless, piece, 0)
            .fails(Cause::Tls, "the TLS handshake failed"),
        saying(
            "empty records without end",
            Vec::new(),
            &[22, 3, 3, 0, 0],
            0,
        )
        .fails(Cause::Tls, "the TLS handshake failed"),
        saying(
            "warnings without end",
            Vec::new(),
            &[21, 3, 3, 0, 2, 1, 90],
            0,
        )
        .fails(Cause::Tls, "the TLS handshake failed"),
        saying(
            "a record of over 16 KiB",
            vec![22, 3, 3, 0xff, 0xff],
            b"\0",
            0,
        )
        .fails(Cause::Tls, "the TLS handshake failed"),
        saying("random bytes", Vec::new(), b"\x93\x5d\xe1\x07\x42", 0)
            .fails(Cause::Tls, "the TLS handshake failed"),
        saying(
            "HTTP in plain text",
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            b"",
            0,
        )
        .fails(Cause::Tls, "the TLS handshake failed"),
        after_hello("a close after the first message", async |_| {})
            .fails(Cause::Tls, "the TLS handshake failed"),
        after_hello("a close in mid-handshake", move |mut stream| {
            let hello = hello.clone();
            async move {
                let _ignored = stream.write_all(&hello).await;
            }
        })
        .fails(Cause::Tls, "the TLS handshake failed"),
        after_hello("a reset in mid-handshake", async |stream| {
            let _ignored = stream.set_zero_linger();
        })
        .fails(Cause::Tls, "the TLS handshake failed"),
    ]
}

/// A right handshake that comes one byte at a time.
fn dripping() -> Case {
    let start = async {
        let ours = authority("ours");
        let (chain, key) = ours.certificate(&names(&[HOST]));
        let acceptor = acceptor(chain, key, rustls::ALL_VERSIONS, |_| {});
        let server = Server::start(move |stream, _| {
            let acceptor = acceptor.clone();
            async move {
                let (near, far) = tokio::io::duplex(64 * 1024);
                let (mut from_client, mut to_client) = stream.into_split();
                let (mut from_tls, mut to_tls) = tokio::io::split(far);
                let dripping = async {
                    while let Ok(byte) = from_tls.read_u8().await {
                        if to_client.write_u8(byte).await.is_err() {
                            return;
                        }
                        tokio::time::sleep(Duration::from_millis(5)).await;
                    }
                };
                let passing = tokio::io::copy(&mut from_client, &mut to_tls);
                let _ended = tokio::join!(acceptor.accept(near), dripping, passing);
            }
        })
        .await;
        Fixture::new(target(&server, &ours), vec![server])
    };
    Case::new("a handshake that drips", start).also(nothing_was_sent)
}

fn after_the_handshake() -> Vec<Case> {
    let with_tickets = |count: usize, then: &'static [u8], closes_rudely: bool| async move {
        let ours = authority("ours");
        let (chain, key) = ours.certificate(&names(&[HOST]));
        let acceptor = acceptor(chain, key, rustls::ALL_VERSIONS, |config| {
            config.send_tls13_tickets = count;
        });
        let server = Server::start(move |stream, _| {
            let acceptor = acceptor.clone();
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else {
                    return;
                };
                let _ignored = stream.read(&mut [0; 1024]).await;
                let _ignored = stream.write_all(then).await;
                let _ignored = stream.flush().await;
                if closes_rudely {
                    return;
                }
                let (mut stream, _) = stream.into_inner();
                hold_open(&mut stream).await;
            }
        })
        .await;
        Fixture::new(target(&server, &ours), vec![server])
    };
    let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    vec![
        Case::new("a hundred tickets", with_tickets(100, whole, false)),
        Case::new(
            "a thousand tickets and no answer",
            with_tickets(1_000, b"", false),
        )
        .fails(Cause::Protocol, "message buffer full"),
        eager(),
        // Without a length, only a close of TLS says that a body is whole (RFC 9112, section 9.8).
        Case::new(
            "a body that ends without a close of TLS",
            with_tickets(0, b"HTTP/1.1 200 OK\r\n\r\nhalf", true),
        )
        .fails(Cause::Closed, "the connection ended before the answer did"),
    ]
}
