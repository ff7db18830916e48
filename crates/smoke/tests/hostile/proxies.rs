//! Tests without HTTP, and proxies on the way to it.

use nonevent_smoke::{Cause, Target};

use crate::case::{Case, Fixture, after_request, answering, endless};
use crate::server::Server;

const WORD: &str = r#""tcp":{"send":"EHLO x\r\n\r\n","expect":"220 mail"}"#;

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = words();
    cases.extend(tunnels());
    cases
}

fn words() -> Vec<Case> {
    vec![
        endless("another word for ever", "", "221 mail ", 0)
            .test(WORD)
            .limits(|limits| limits.body_bytes_max = 16 * 1024)
            .fails(Cause::Limit, "said too much"),
        endless("a word that drips", "", "2", 20)
            .test(WORD)
            .fails(Cause::Timeout, "within 400ms (timeout_ms)"),
        answering("another word", "554 no mail here")
            .test(WORD)
            .fails(Cause::Closed, "it hung up"),
        after_request("no word", async |_| {})
            .test(WORD)
            .fails(Cause::Closed, "it hung up"),
    ]
}

/// A proxy that is asked for a tunnel to an https service which nobody reaches.
fn behind(mut case: Case) -> Case {
    let start = case.start;
    case.start = Box::pin(async move {
        let Fixture { servers, .. } = start.await;
        let proxy = servers.first().map(Server::target).expect("a proxy").url();
        let target = Target::parse("https://shop.example.com").expect("a URL");
        let target = target.proxy(&proxy).expect("a proxy's URL");
        // Its trust is never needed.
        let target = target.trust_only(crate::authority::authority("ours").pem);
        Fixture::new(target, servers)
    });
    case
}

fn tunnels() -> Vec<Case> {
    let short = |case: Case| case.limits(|limits| limits.connect_ms = 300);
    let established = "HTTP/1.1 200 Connection established\r\n\r\n";
    vec![
        behind(endless(
            "a proxy with an endless head",
            "HTTP/1.1 200 OK\r\n",
            "x: y\r\n",
            0,
        ))
        .never_connects(Cause::Connect, "sent an endless head"),
        short(behind(endless(
            "a proxy whose head drips",
            "HTTP/1.1 200 OK\r\nx: ",
            "y",
            10,
        )))
        .never_connects(
            Cause::Connect,
            "no answer of the proxy within 300ms (connect_ms)",
        )
        .ends_within(300),
        behind(answering("a proxy that hangs up", "HTTP/1.1 200"))
            .never_connects(Cause::Connect, "gave no tunnel"),
        behind(answering(
            "a proxy that is none",
            "SSH-2.0-OpenSSH_9.6\r\n\r\n",
        ))
        .never_connects(Cause::Connect, "did not answer in HTTP/1.1"),
        behind(answering(
            "a proxy with half a status",
            "HTTP/1.1 2\r\n\r\n",
        ))
        .never_connects(Cause::Connect, "did not answer in HTTP/1.1"),
        behind(answering("a proxy that refuses", "HTTP/1.1 407 No\r\n\r\n")).never_connects(
            Cause::Connect,
            "refused a tunnel to shop.example.com:443 with 407",
        ),
        behind(answering(
            "a tunnel to what is no TLS",
            format!("{established}hello, this is no TLS"),
        ))
        .fails(Cause::Tls, "the TLS handshake failed"),
        behind(answering("a tunnel that ends at once", established))
            .fails(Cause::Tls, "the TLS handshake failed"),
    ]
}
