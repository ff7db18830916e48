//! Time, TLS and HTTP.

use nonevent_document::Digest;
use serde_json::{Value as Json, json};

use super::{answer, check, facts, judged, messages};
use crate::net::certificate::TlsFacts;
use crate::net::exchange::Facts;

#[test]
fn connections() {
    let certificate = |rule: Json| json!({ "expected_certificate": rule });
    let digest = Digest::of(b"certificate").hex();
    check(&[
        (
            json!({ "expected_latency_ms": { "total": 101, "first_byte": 81, "tls": 12, "resolve": 1,
            "body": 1, "connect": 1 } }),
            "",
        ),
        (json!({ "expected_http": "1.1", "expected_tls": "1.2" }), ""),
        (certificate(json!({ "days_left": 15 })), ""),
        (
            certificate(json!({ "names": ["shop.example.com", "a.cdn.example.com"] })),
            "",
        ),
        (
            certificate(json!({ "issuer": { "contains": "CN=ours" }, "sha256": digest })),
            "",
        ),
        (
            json!({ "expected_latency_ms": { "total": 100, "tls": 11 } }),
            "tls took 12.000 ms, expected at most 11 ms\n\
             total took 100.001 ms, expected at most 100 ms",
        ),
        (
            json!({ "expected_http": "2" }),
            "HTTP/1.1 was spoken, expected HTTP/2",
        ),
        (
            json!({ "expected_tls": "1.3" }),
            "TLS 1.2 was spoken, expected TLS 1.3 or later",
        ),
        (
            certificate(json!({ "days_left": 16 })),
            "the certificate's time left is 15 days, until 2026-01-20T10:00:00Z, expected at least \
             16 days",
        ),
        (
            certificate(json!({ "names": ["shop.example.com", "example.com"] })),
            "the certificate is for shop.example.com, *.cdn.example.com, expected one for \
             `example.com`",
        ),
        (
            certificate(json!({ "issuer": { "contains": "theirs" } })),
            "the certificate's issuer is `CN=ours,O=Example`, expected to contain `theirs`",
        ),
        (
            certificate(json!({ "sha256": "0".repeat(64) })),
            &format!(
                "the certificate has the SHA-256 {digest}, expected {}",
                "0".repeat(64)
            ),
        ),
    ]);
}

#[test]
fn a_phase_that_was_not_needed_is_said_and_does_not_fail() {
    let fields = json!({ "expected_latency_ms": { "connect": 1, "total": 200 } });
    let judgement = judged(&fields, Some(&answer()), &facts());
    assert_eq!(judgement.not_measured, ["connect"]);
    assert!(judgement.failures.is_empty());
}

#[test]
fn without_tls_nothing_holds_of_it() {
    let plain = Facts {
        tls: None,
        ..facts()
    };
    let fields = json!({ "expected_tls": "1.2",
        "expected_certificate": { "days_left": 1, "names": ["shop.example.com"] } });
    let judgement = judged(&fields, Some(&answer()), &plain);
    assert_eq!(
        messages(&judgement),
        [
            "the connection has no TLS, expected TLS 1.2 or later",
            "the connection has no TLS, expected a certificate"
        ]
    );
    let unreadable = Facts {
        tls: Some(TlsFacts::of("TLSv1_3", b"nothing")),
        ..facts()
    };
    let fields = json!({ "expected_certificate": {
        "days_left": 1, "names": ["a"], "issuer": { "contains": "" } } });
    let judgement = judged(&fields, Some(&answer()), &unreadable);
    assert_eq!(
        messages(&judgement),
        [
            "the certificate's end is not readable, expected at least 1 day",
            "the certificate's issuer is not readable, expected to contain ``",
            "the certificate is for no name, expected one for `a`"
        ]
    );
}

#[test]
fn a_handshake_alone_is_judged() {
    let fields = json!({ "expected_latency_ms": { "tls": 5 },
        "expected_certificate": { "days_left": 30 }, "expected_tls": "1.2" });
    let judgement = judged(&fields, None, &facts());
    assert_eq!(
        messages(&judgement),
        [
            "tls took 12.000 ms, expected at most 5 ms",
            "the certificate's time left is 15 days, until 2026-01-20T10:00:00Z, expected at least \
             30 days"
        ]
    );
    assert!(
        judged(&json!({ "expected_tls": "1.2" }), None, &facts())
            .failures
            .is_empty()
    );
}
