//! TLS that is as it should be: what is trusted and what is recorded of it.

use nonevent_document::Digest;
use nonevent_smoke::{Cause, Limits, Options, Report, Suite, SuiteVerdict, Target};
use rcgen::date_time_ymd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::authority::{Authority, acceptor, authority, names};
use crate::server::{Server, ok, options, run_suite};

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
