//! Flags from a web server, also over TLS.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nonevent_document::Timestamp;
use nonevent_driver::{
    FlagPlace, FlagSource, KeptFlags, Looked, WebAddress, WebClient, WebLimits, WebPlace,
};
use nonevent_flags::{Context, LoadOptions};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{ONE, TWO};

const AT: Timestamp = Timestamp::from_unix_ms(1_790_000_000_000);

/// What each request in turn is answered, and what it is to have in it.
type Script = Vec<(&'static str, String)>;

async fn answer<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, wanted: &str, answer: &str) {
    let mut asked = Vec::new();
    while !asked.ends_with(b"\r\n\r\n") {
        let mut bytes = [0; 512];
        let read = stream.read(&mut bytes).await.expect("it works");
        assert!(read > 0, "the request is cut off");
        asked.extend_from_slice(&bytes[..read]);
    }
    let asked = String::from_utf8_lossy(&asked).to_lowercase();
    assert!(asked.contains(wanted), "{wanted:?} is not in {asked}");
    stream.write_all(answer.as_bytes()).await.expect("it works");
    stream.shutdown().await.expect("it works");
}

/// A server that follows a script; its port, and how many requests it has answered.
async fn server(script: Script, tls: Option<TlsAcceptor>) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("it works");
    let port = listener.local_addr().expect("an address").port();
    let count = Arc::new(AtomicUsize::new(0));
    let answered = Arc::clone(&count);
    tokio::spawn(async move {
        for (wanted, text) in script {
            let (stream, _) = listener.accept().await.expect("it works");
            match &tls {
                None => answer(stream, wanted, &text).await,
                Some(tls) => match tls.accept(stream).await {
                    Ok(stream) => answer(stream, wanted, &text).await,
                    // Whoever does not trust it goes away.
                    Err(_) => continue,
                },
            }
            answered.fetch_add(1, Ordering::SeqCst);
        }
    });
    (port, count)
}

fn ok(body: &str, more: &str) -> String {
    let len = body.len();
    format!("HTTP/1.1 200 OK\r\ncontent-length: {len}\r\n{more}\r\n{body}")
}

fn source(address: &str, roots: Option<&str>) -> FlagSource {
    let mut headers = http::HeaderMap::new();
    headers.insert("authorization", "secret-token".parse().expect("a value"));
    let client = WebClient::new(roots.map(str::as_bytes), WebLimits::default());
    FlagSource {
        place: FlagPlace::Web(Box::new(WebPlace {
            address: WebAddress::parse(address).expect("an address"),
            headers,
            client: client.expect("a client"),
        })),
        options: LoadOptions::default(),
    }
}

fn dark(flags: &KeptFlags) -> Option<bool> {
    let kept = flags.current();
    let set = kept.set_of("dark")?;
    Some(set.bool("dark", false, &Context::anonymous()).value)
}

#[tokio::test]
async fn an_address_is_asked_with_what_it_said_before() {
    let script = vec![
        ("authorization: secret-token", ok(ONE, "etag: \"a\"\r\n")),
        (
            "if-none-match: \"a\"",
            "HTTP/1.1 304 Not Modified\r\n\r\n".to_owned(),
        ),
        (
            "if-none-match: \"a\"",
            ok(TWO, "last-modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n"),
        ),
        (
            "if-modified-since: thu, 01 jan 2026",
            "HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n".to_owned(),
        ),
        ("get /flags?x=1 http/1.1", ok(TWO, "")),
        ("get /flags", ok("{", "")),
        (
            "get /flags",
            "HTTP/1.1 302 Found\r\nlocation: https://new.example/\r\ncontent-length: 0\r\n\r\n"
                .to_owned(),
        ),
    ];
    let (port, count) = server(script, None).await;
    let source = source(&format!("http://127.0.0.1:{port}/flags?x=1"), None);
    let (flags, _) = KeptFlags::open(source, AT).await.expect("flags");
    assert_eq!(dark(&flags), Some(true));
    assert!(matches!(flags.look(AT).await, Looked::Unchanged));
    assert!(matches!(
        flags.look(AT).await,
        Looked::Reloaded { flags: 2, .. }
    ));
    assert_eq!(dark(&flags), Some(false));
    let refused = |looked: Looked| match looked {
        Looked::Refused(why) => why,
        other => panic!("{other:?}"),
    };
    let why = refused(flags.look(AT).await);
    assert!(why.contains("503") && !why.contains("x=1"), "{why}");
    assert!(flags.current().refused.is_some());
    // The same as before the trouble: it is over, and said so.
    assert!(matches!(flags.look(AT).await, Looked::Reloaded { .. }));
    assert!(flags.current().refused.is_none());
    let why = refused(flags.look(AT).await);
    assert!(why.contains("/flags"), "{why}");
    let why = refused(flags.look(AT).await);
    assert!(why.contains("https://new.example/"), "{why}");
    let why = refused(flags.look(AT).await);
    assert!(why.contains("cannot be reached"), "{why}");
    assert_eq!(dark(&flags), Some(false), "the last good flags stay");
    assert_eq!(count.load(Ordering::SeqCst), 7);
}

#[tokio::test]
async fn a_server_is_trusted_by_the_certificates_given_and_by_no_others() {
    let made = || {
        let names = vec!["127.0.0.1".to_owned()];
        rcgen::generate_simple_self_signed(names).expect("a certificate")
    };
    let (own, other) = (made(), made());
    let key = rustls::pki_types::PrivateKeyDer::try_from(own.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key.expect("a key"))
        .expect("a certificate");
    let script = vec![("get / ", ok(ONE, "")), ("get / ", ok(ONE, ""))];
    let (port, _) = server(script, Some(TlsAcceptor::from(Arc::new(config)))).await;
    let address = format!("https://127.0.0.1:{port}");
    let untrusted = KeptFlags::open(source(&address, Some(&other.cert.pem())), AT).await;
    let said = untrusted.expect_err("another certificate").to_string();
    assert!(said.contains("cannot be trusted"), "{said}");
    let trusted = KeptFlags::open(source(&address, Some(&own.cert.pem())), AT).await;
    assert_eq!(dark(&trusted.expect("flags").0), Some(true));
}
