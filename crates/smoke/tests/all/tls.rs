//! TLS that is as it should be: what is trusted and what is recorded of it, who shows a certificate,
//! and what is spoken over it.

use std::io;
use std::sync::Arc;

use base64::Engine as _;
use nonevent_document::{Digest, Secret};
use nonevent_smoke::{
    Cause, Files, HttpVersion, Limits, Options, Report, Suite, SuiteVerdict, Target,
};
use rcgen::date_time_ymd;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;

use crate::authority::{Authority, acceptor, authority, names};
use crate::server::{Server, ok, options, read_request, run_suite, suite};

/// A server with a certificate for `shop.example.com`, and the certificate's digest.
async fn serve(authority: &Authority) -> (Server, Digest) {
    serve_until(authority, None, rustls::ALL_VERSIONS).await
}

/// The same with a certificate that ends on a day, and with these versions of TLS.
pub(crate) async fn serve_until(
    authority: &Authority,
    until: Option<(i32, u8, u8)>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> (Server, Digest) {
    let mut params = names(&["shop.example.com"]);
    if let Some((year, month, day)) = until {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, month, day);
    }
    let (chain, key) = authority.certificate(&params);
    let digest = Digest::of(&chain[0]);
    let acceptor = acceptor(chain, key, versions, |_| {});
    (answering(acceptor).await, digest)
}

fn target(server: &Server, host: &str) -> Target {
    Target::parse(&format!("https://{host}"))
        .expect("a URL")
        .connect_to(server.address)
}

async fn ask(target: &Target) -> Report {
    let limits = Limits {
        total_ms: 2_000,
        ..Limits::default()
    };
    let options = Options {
        limits,
        ..options()
    };
    run_suite(&Suite::default_suite(), target, &options).await
}

#[tokio::test]
async fn a_trusted_certificate_passes_and_is_recorded() {
    let authority = authority("ours");
    let (server, digest) = serve(&authority).await;
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
async fn roots_that_are_none_are_this_sides_fault() {
    let authority = authority("ours");
    let (server, _) = serve(&authority).await;
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

impl Authority {
    /// A certificate of a client and its key, both PEM.
    fn client(&self) -> (String, String) {
        let (chain, key) = self.certificate(&names(&["client.example.com"]));
        let pem = |label: &str, der: &[u8]| {
            let text = base64::engine::general_purpose::STANDARD.encode(der);
            let lines: Vec<&[u8]> = text.as_bytes().chunks(64).collect();
            let lines = String::from_utf8(lines.join(&b'\n')).expect("base64");
            format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n")
        };
        (
            pem("CERTIFICATE", &chain[0]),
            pem("PRIVATE KEY", key.secret_der()),
        )
    }
}

/// A server that takes only clients whose certificate is by this authority.
async fn for_clients_of(authority: &Authority) -> Server {
    let (chain, key) = authority.certificate(&names(&["shop.example.com"]));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(authority.pem.as_bytes()).expect("PEM");
    roots.add(root).expect("a root");
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .expect("protocols of the provider")
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_single_cert(chain, key)
        .expect("a certificate and its key");
    answering(TlsAcceptor::from(Arc::new(config))).await
}

async fn answering(acceptor: TlsAcceptor) -> Server {
    Server::start(move |stream, _| {
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
    .await
}

#[tokio::test]
async fn a_certificate_of_the_clients_is_shown_where_it_is_asked_for() {
    let authority = authority("Clients");
    let server = for_clients_of(&authority).await;
    let target = target(&server, "shop.example.com").trust_only(authority.pem.as_bytes());
    let without = ask(&target).await;
    assert_eq!(without.summary.verdict, SuiteVerdict::Failed);
    let failure = &without.tests[0].attempts[0].failures[0];
    assert_eq!(failure.cause, Cause::Tls, "{failure}");

    let (certificate, key) = authority.client();
    let shown = target
        .clone()
        .client_certificate(certificate.as_bytes(), Secret::new(key.clone()));
    let with = ask(&shown).await;
    assert_eq!(
        with.summary.verdict,
        SuiteVerdict::Passed,
        "{}",
        with.text(false)
    );

    // The same by the suite's own word.
    let of_suite = suite(
        r#"{"tests":[{"connection":{"client_certificate":{"certificate":"c.pem","key":"k.pem"}}}]}"#,
    );
    let options = Options {
        files: Files::from_fn(move |name| match name {
            "c.pem" => Ok(certificate.clone().into_bytes()),
            "k.pem" => Ok(key.clone().into_bytes()),
            _ => Err(io::ErrorKind::NotFound.into()),
        }),
        ..options()
    };
    let report = run_suite(&of_suite, &target, &options).await;
    assert_eq!(
        report.summary.verdict,
        SuiteVerdict::Passed,
        "{}",
        report.text(false)
    );
}

#[tokio::test]
async fn a_tunnel_through_a_proxy_keeps_name_and_certificate() {
    let authority = authority("Root");
    let (server, digest) = serve(&authority).await;
    let address = server.address;
    let proxy = Server::start(move |mut stream, _| async move {
        let request = read_request(&mut stream).await.unwrap_or_default();
        assert!(
            request.starts_with("CONNECT shop.example.com:443 HTTP/1.1\r\n"),
            "{request}"
        );
        let mut behind = TcpStream::connect(address).await.expect("the service");
        let _ignored = stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await;
        let _ignored = copy_bidirectional(&mut stream, &mut behind).await;
    })
    .await;
    let target = Target::parse("https://shop.example.com")
        .expect("a URL")
        .trust_only(authority.pem.as_bytes())
        .proxy(&format!("http://{}", proxy.address))
        .expect("a proxy");
    let report = ask(&target).await;
    assert_eq!(
        report.summary.verdict,
        SuiteVerdict::Passed,
        "{}",
        report.text(false)
    );
    let tls = report.tests[0].attempts[0].tls.as_ref().expect("TLS");
    assert_eq!(tls.certificate, digest);
}

#[tokio::test]
async fn http_2_is_agreed_on_over_tls() {
    let authority = authority("Root");
    let (chain, key) = authority.certificate(&names(&["shop.example.com"]));
    let acceptor = acceptor(chain, key, rustls::ALL_VERSIONS, |config| {
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    });
    let server = Server::start(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let stream = acceptor.accept(stream).await.expect("TLS");
            let Ok(mut connection) = h2::server::handshake(stream).await else {
                return;
            };
            while let Some(Ok((request, mut answer))) = connection.accept().await {
                assert_eq!(request.uri().scheme_str(), Some("https"));
                let head = http::Response::new(());
                let mut body = answer.send_response(head, false).expect("open");
                body.send_data("two".into(), true).expect("open");
            }
        }
    })
    .await;
    let target = target(&server, "shop.example.com").trust_only(authority.pem.as_bytes());
    let asserting = suite(r#"{"tests":[{"expected_http":"2","expected_body_contains":"two"}]}"#);
    for http in [HttpVersion::Http2, HttpVersion::Any] {
        let report = run_suite(&asserting, &target.clone().http(http), &options()).await;
        assert_eq!(
            report.summary.verdict,
            SuiteVerdict::Passed,
            "{}",
            report.text(false)
        );
    }
}
