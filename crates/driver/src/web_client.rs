//! Asking a web server for something: one connection for one request, over TLS where the address
//! says so, with deadlines and a size limit. Redirects are told, not followed.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, LengthLimitError, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::driven::driven;
use crate::error::{DriverError, DriverErrorKind};

/// How long a web server may take, and how much it may send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebLimits {
    /// Milliseconds until there is a connection, TLS included. 5 000.
    pub connect_ms: u64,
    /// Milliseconds from then until the answer is here. 25 000.
    pub answer_ms: u64,
    /// Bytes of the answer's body. 64 MiB.
    pub body_bytes_max: usize,
}

impl Default for WebLimits {
    fn default() -> WebLimits {
        WebLimits {
            connect_ms: 5_000,
            answer_ms: 25_000,
            body_bytes_max: 64 << 20,
        }
    }
}

/// An address that begins with `http://` or `https://`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebAddress {
    uri: Uri,
    host: String,
}

impl WebAddress {
    /// Reads an address.
    ///
    /// # Errors
    ///
    /// [`DriverErrorKind::Input`] if it is of another scheme, has no host, or has a password in it,
    /// which would end up in logs.
    pub fn parse(text: &str) -> Result<WebAddress, DriverError> {
        let wrong = |why: &str| {
            let text = format!("{text:?} is no address to ask: {why}");
            DriverError::new(DriverErrorKind::Input, text)
        };
        let uri: Uri = text.parse().map_err(|error| wrong(&format!("{error}")))?;
        let is_web = uri
            .scheme()
            .is_some_and(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS);
        let authority = uri.authority().filter(|_| is_web);
        let authority = authority.ok_or_else(|| wrong("write https://HOST/PATH"))?;
        if authority.as_str().contains('@') {
            return Err(DriverError::new(
                DriverErrorKind::Input,
                "the address has credentials in it: send them in a header",
            ));
        }
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        if host.is_empty() {
            return Err(wrong("it names no host"));
        }
        Ok(WebAddress { uri, host })
    }

    fn is_tls(&self) -> bool {
        self.uri.scheme() == Some(&Scheme::HTTPS)
    }

    fn port(&self) -> u16 {
        let default = if self.is_tls() { 443 } else { 80 };
        self.uri.port_u16().unwrap_or(default)
    }
}

impl Display for WebAddress {
    /// Without the query, which may hold what is nobody's business.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let authority = self.uri.authority().map_or("", |all| all.as_str());
        let scheme = self.uri.scheme_str().unwrap_or_default();
        write!(f, "{scheme}://{authority}{}", self.uri.path())
    }
}

/// What a web server answered.
#[derive(Clone, Debug)]
pub struct WebAnswer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

/// Asks web servers.
#[derive(Clone)]
pub struct WebClient {
    tls: TlsConnector,
    limits: WebLimits,
}

impl std::fmt::Debug for WebClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebClient")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl WebClient {
    /// One that trusts what this machine trusts or, if they are given, these certificates (PEM) and
    /// no others.
    ///
    /// # Errors
    ///
    /// [`DriverErrorKind::Input`] if there is no certificate in the text;
    /// [`DriverErrorKind::Start`] if this machine's own cannot be read.
    pub fn new(roots_pem: Option<&[u8]>, limits: WebLimits) -> Result<WebClient, DriverError> {
        let start = |error: &dyn Display| {
            let text = format!("TLS cannot be set up: {error}");
            DriverError::new(DriverErrorKind::Start, text)
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| start(&error))?;
        let builder = match roots_pem {
            Some(pem) => builder.with_root_certificates(roots(pem)?),
            None => {
                let verifier = Verifier::new(provider).map_err(|error| start(&error))?;
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(verifier))
            }
        };
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(WebClient {
            tls: TlsConnector::from(Arc::new(config)),
            limits,
        })
    }

    /// Gets what is at an address.
    ///
    /// # Errors
    ///
    /// In words, if it cannot be reached, breaks off, takes too long or sends too much. Any status
    /// is an answer.
    pub async fn get(
        &self,
        address: &WebAddress,
        headers: &HeaderMap,
    ) -> Result<WebAnswer, String> {
        let limits = self.limits;
        let connect = TcpStream::connect((address.host.as_str(), address.port()));
        let connect = async {
            let stream = connect
                .await
                .map_err(|error| format!("cannot be reached: {error}"))?;
            // Without it small requests may wait; that is no reason not to ask.
            let _ = stream.set_nodelay(true);
            if !address.is_tls() {
                return Ok(Connected::Plain(stream));
            }
            let name = ServerName::try_from(address.host.clone())
                .map_err(|_| String::from("has a host that no certificate can name"))?;
            let stream = self.tls.connect(name, stream).await;
            let stream = stream.map_err(|error| format!("cannot be trusted: {error}"))?;
            Ok::<_, String>(Connected::Tls(Box::new(stream)))
        };
        let told = |why: String| format!("{address} {why}");
        let connected = timeout(Duration::from_millis(limits.connect_ms), connect).await;
        let connected = connected.map_err(|_| {
            told(format!(
                "takes no connection within {} ms",
                limits.connect_ms
            ))
        })?;
        let exchange = async {
            match connected.map_err(told)? {
                Connected::Plain(stream) => self.exchange(stream, address, headers).await,
                Connected::Tls(stream) => self.exchange(stream, address, headers).await,
            }
            .map_err(told)
        };
        timeout(Duration::from_millis(limits.answer_ms), exchange)
            .await
            .map_err(|_| told(format!("does not answer within {} ms", limits.answer_ms)))?
    }

    async fn exchange<S>(
        &self,
        stream: S,
        address: &WebAddress,
        headers: &HeaderMap,
    ) -> Result<WebAnswer, String>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let broke = |error: hyper::Error| format!("broke off: {error}");
        let request =
            request(address, headers).map_err(|error| format!("cannot be asked: {error}"))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broke)?;
        let exchange = async {
            let answer = sender.send_request(request).await.map_err(broke)?;
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, self.limits.body_bytes_max)
                .collect()
                .await;
            let body = body.map_err(|error| match error.is::<LengthLimitError>() {
                true => format!("sends more than {} bytes", self.limits.body_bytes_max),
                false => format!("broke off: {error}"),
            })?;
            Ok(WebAnswer {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
            })
        };
        driven(connection, exchange).await
    }
}

enum Connected {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

fn roots(pem: &[u8]) -> Result<RootCertStore, DriverError> {
    let wrong = |error: &dyn Display| {
        let text = format!("the trusted certificates cannot be used: {error}");
        DriverError::new(DriverErrorKind::Input, text)
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        roots.add(certificate).map_err(|error| wrong(&error))?;
    }
    if roots.is_empty() {
        return Err(wrong(&"there is no certificate in the file"));
    }
    Ok(roots)
}

fn request(
    address: &WebAddress,
    headers: &HeaderMap,
) -> Result<Request<Empty<Bytes>>, http::Error> {
    let path = address
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let mut request = Request::get(path).body(Empty::new())?;
    *request.headers_mut() = headers.clone();
    let authority = address.uri.authority().map_or("", |all| all.as_str());
    request
        .headers_mut()
        .insert(HOST, HeaderValue::try_from(authority)?);
    Ok(request)
}

#[cfg(test)]
mod tests {
    use super::WebAddress;

    #[test]
    fn addresses() {
        for (text, shown, port) in [
            (
                "https://flags.example/api?token=x",
                "https://flags.example/api",
                443,
            ),
            ("http://127.0.0.1:4242", "http://127.0.0.1:4242/", 4242),
            ("http://[::1]/a", "http://[::1]/a", 80),
        ] {
            let address = WebAddress::parse(text).expect(text);
            assert_eq!(
                (address.to_string(), address.port()),
                (shown.to_owned(), port)
            );
        }
        for text in [
            "flags.json",
            "ftp://a/b",
            "https://",
            "/a",
            "",
            "https://a:b@c/d",
        ] {
            let said = WebAddress::parse(text).expect_err(text).to_string();
            assert!(!said.contains("a:b"), "{said}");
        }
    }
}
