//! TLS: what is trusted, and every way in which it is not.

use std::sync::Arc;
use std::time::Duration;

use nonevent_document::Digest;
use nonevent_smoke::{Cause, Limits, Options, Report, Suite, SuiteVerdict, Target, Verdict};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::server::{Server, ok, options, run_suite};

pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

pub(crate) fn authority(name: &str) -> Authority {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).expect("a certificate").pem();
    Authority {
        pem,
        issuer: Issuer::new(params, key),
    }
}

/// A server with a certificate for `shop.example.com`, and the certificate's digest.
async fn serve(authority: &Authority, expired: bool) -> (Server, Digest) {
    let until = expired.then_some((2020, 2, 1));
    serve_until(authority, until, rustls::ALL_VERSIONS).await
}

/// The same with a certificate that ends on a day, and with these versions of TLS.
pub(crate) async fn serve_until(
    authority: &Authority,
    until: Option<(i32, u8, u8)>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> (Server, Digest) {
    let key = KeyPair::generate().expect("a key");
    let mut params =
        CertificateParams::new(vec!["shop.example.com".to_owned()]).expect("a DNS name");
    if let Some((year, month, day)) = until {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, month, day);
    }
    let certificate = params
        .signed_by(&key, &authority.issuer)
        .expect("a certificate");
    let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
    let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("protocols of the provider")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate and its key");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let digest = Digest::of(certificate.der());
    let server = Server::start(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            let mut request = [0; 1024];
            let _ignored = stream.read(&mut request).await;
            let _ignored = stream.write_all(ok("ok").as_bytes()).await;
            let _ignored = stream.shutdown().await;
        }
    })
    .await;
    (server, digest)
}

fn target(server: &Server, host: &str) -> Target {
    Target::parse(&format!("https://{host}"))
        .expect("a URL")
        .connect_to(server.address)
}

async fn ask(target: &Target) -> Report {
    let limits = Limits {
        total_ms: 2_000,
        tls_ms: 250,
        ..Limits::default()
    };
    let options = Options {
        limits,
        ..options()
    };
    run_suite(&Suite::default_suite(), target, &options).await
}

fn refused(report: &Report, cause: Cause, says: &str) {
    let failure = report.tests[0].failures().next().expect("a failure");
    assert_eq!(failure.cause, cause, "{failure:?}");
    assert!(
        failure.message.contains(says),
        "`{says}` is not in: {}",
        failure.message
    );
    assert_eq!(report.tests[0].attempts[0].status, None, "nothing was sent");
}

#[tokio::test]
async fn a_trusted_certificate_passes_and_is_recorded() {
    let authority = authority("ours");
    let (server, digest) = serve(&authority, false).await;
    let trusting = target(&server, "shop.example.com").trust_only(authority.pem.clone());
    let report = ask(&trusting).await;
    assert_eq!(
        report.summary.verdict,
        SuiteVerdict::Passed,
        "{}",
        report.text(false)
    );
    let attempt = &report.tests[0].attempts[0];
    let tls = attempt.tls.as_ref().expect("TLS was spoken");
    assert_eq!((tls.version.as_str(), tls.certificate), ("TLSv1_3", digest));
    assert!(attempt.timings.tls_us.is_some_and(|us| us > 0));
    assert_eq!(
        attempt.peer,
        Some(nonevent_smoke::Peer::Tcp(server.address))
    );

    let renamed = target(&server, "10.0.0.1").server_name("shop.example.com");
    let report = ask(&renamed.trust_only(authority.pem.clone())).await;
    assert_eq!(
        report.summary.verdict,
        SuiteVerdict::Passed,
        "{}",
        report.text(false)
    );
}

#[tokio::test]
async fn what_is_not_to_be_trusted_fails() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let (server, _) = serve(&ours, false).await;
    let wrong_name = target(&server, "other.example.com").trust_only(ours.pem.clone());
    refused(&ask(&wrong_name).await, Cause::Tls, "not valid for name");
    let unknown = target(&server, "shop.example.com").trust_only(theirs.pem.clone());
    let report = ask(&unknown).await;
    refused(&report, Cause::Tls, "UnknownIssuer");
    assert_eq!(
        (report.summary.verdict, report.tests[0].verdict),
        (SuiteVerdict::Failed, Verdict::Failed)
    );
    let (expired, _) = serve(&ours, true).await;
    let expired = target(&expired, "shop.example.com").trust_only(ours.pem.clone());
    refused(&ask(&expired).await, Cause::Tls, "expired");
}

#[tokio::test]
async fn tls_that_never_comes() {
    let authority = authority("ours");
    let silent = Server::start(async |stream, _| {
        tokio::time::sleep(Duration::from_secs(60)).await;
        drop(stream);
    })
    .await;
    let asked = target(&silent, "shop.example.com").trust_only(authority.pem.clone());
    let report = ask(&asked).await;
    refused(
        &report,
        Cause::Timeout,
        "no TLS handshake within 250ms (tls_ms)",
    );
    assert!(
        (250..350 + 250).contains(&report.summary.duration_ms),
        "{}",
        report.summary.duration_ms
    );

    let plain = Server::start(async |mut stream, _| {
        let _ignored = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let asked = target(&plain, "shop.example.com").trust_only(authority.pem.clone());
    refused(&ask(&asked).await, Cause::Tls, "handshake failed");
}

#[tokio::test]
async fn roots_that_are_none_are_this_sides_fault() {
    let authority = authority("ours");
    let (server, _) = serve(&authority, false).await;
    for pem in [
        "",
        "no certificate",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let report = ask(&target(&server, "shop.example.com").trust_only(pem)).await;
        let failure = report.tests[0].failures().next().expect("a failure");
        assert_eq!(failure.cause, Cause::Local, "{pem}: {failure:?}");
        assert_eq!(
            (report.summary.verdict, report.summary.exit_code()),
            (SuiteVerdict::Inconclusive, 3)
        );
    }
}
