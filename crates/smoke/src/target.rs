//! The service that a suite is run against.

use core::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use http::Uri;
use nonevent_document::Secret;

use crate::net::route::{Access, ClientCertificate, HttpVersion, Origin, OriginProblem, Proxy};

/// A deployed service: a base URL, and how to reach it.
///
/// A test's path is appended to the base URL's own path. No proxy of the environment is used.
///
/// ```
/// use nonevent_smoke::Target;
///
/// // One instance behind the name, asked with the name's Host header.
/// let target = Target::parse("http://shop.example.com/v2/")?
///     .connect_to("127.0.0.1:8081".parse().expect("an address"));
/// assert_eq!(target.url(), "http://shop.example.com/v2");
/// assert!(Target::parse("ftp://shop.example.com").is_err());
/// # Ok::<(), nonevent_smoke::TargetError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Target {
    origin: Origin,
    base_path: String,
    access: Access,
}

impl Target {
    /// Reads a base URL such as `https://shop.example.com` or `http://[::1]:8080/v2`.
    ///
    /// # Errors
    ///
    /// When it is no absolute `http` or `https` URL, or carries a user name, a query or a
    /// fragment.
    pub fn parse(url: &str) -> Result<Target, TargetError> {
        let (origin, base_path) = parse(url)?;
        Ok(Target {
            origin,
            base_path,
            access: Access::default(),
        })
    }

    /// Connects to this address instead of the host's, with `Host` and server name kept.
    #[must_use]
    pub fn connect_to(mut self, address: SocketAddr) -> Target {
        self.access.connect_to = Some(address);
        self
    }

    /// Takes these for the addresses of the URL's host, in this order, instead of asking the
    /// resolver; the port stays the URL's.
    #[must_use]
    pub fn resolve(mut self, addresses: impl IntoIterator<Item = IpAddr>) -> Target {
        self.access.resolve = addresses.into_iter().collect();
        self
    }

    /// Connects to this Unix domain socket instead of an address.
    #[must_use]
    pub fn unix_socket(mut self, path: impl Into<PathBuf>) -> Target {
        self.access.unix_socket = Some(path.into());
        self
    }

    /// Goes through this HTTP proxy, `http://proxy.example.com:3128`: in absolute form where the
    /// target is `http`, through a `CONNECT` tunnel where it is `https`.
    ///
    /// The proxy then resolves the target's name, so that its addresses cannot be checked here.
    ///
    /// # Errors
    ///
    /// When it is no `http` URL of a host and a port. A password is not taken from the URL; see
    /// [`Target::proxy_authorization`].
    pub fn proxy(mut self, url: &str) -> Result<Target, TargetError> {
        let (origin, path) = parse(url).map_err(|error| match error.kind {
            TargetErrorKind::Credentials => TargetError {
                help: "remove them and give them as the proxy's authorization".into(),
                ..error
            },
            _ => error,
        })?;
        if origin.https || !path.is_empty() {
            return Err(TargetError {
                kind: TargetErrorKind::Scheme,
                url: shown(url),
                help: "write a proxy like http://proxy.example.com:3128".into(),
            });
        }
        self.access.proxy = Some(Proxy {
            host: origin.host,
            port: origin.port,
            authorization: None,
        });
        Ok(self)
    }

    /// What the proxy is sent as `proxy-authorization`, such as `Basic dXNlcjpwYXNz`. Nothing
    /// changes without a [`Target::proxy`].
    #[must_use]
    pub fn proxy_authorization(mut self, value: Secret) -> Target {
        if let Some(proxy) = &mut self.access.proxy {
            proxy.authorization = Some(value);
        }
        self
    }

    /// The name asked for in TLS and looked for in the certificate, instead of the URL's host.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Target {
        self.access.server_name = Some(name.into());
        self
    }

    /// Trusts these certificates (PEM) and no others, instead of the machine's own.
    #[must_use]
    pub fn trust_only(mut self, roots_pem: impl Into<Vec<u8>>) -> Target {
        self.access.roots_pem = Some(roots_pem.into());
        self
    }

    /// Shows this certificate, with its chain, to a service that asks for one; both PEM.
    #[must_use]
    pub fn client_certificate(mut self, chain_pem: impl Into<Vec<u8>>, key_pem: Secret) -> Target {
        self.access.client = Some(ClientCertificate {
            chain_pem: chain_pem.into(),
            key_pem,
        });
        self
    }

    /// Which versions of HTTP are spoken; HTTP/1.1 if not said.
    #[must_use]
    pub fn http(mut self, version: HttpVersion) -> Target {
        self.access.http = version;
        self
    }

    /// Allows link-local and metadata addresses, which are refused otherwise; see
    /// [`is_link_local_or_metadata`](crate::is_link_local_or_metadata).
    #[must_use]
    pub fn allow_link_local(mut self, allow: bool) -> Target {
        self.access.allow_link_local = allow;
        self
    }

    /// The base URL, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{}", self.origin.url(), self.base_path)
    }

    /// The address connected to instead of the host's, if one was given.
    #[must_use]
    pub fn connect_address(&self) -> Option<SocketAddr> {
        self.access.connect_to
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    pub(crate) fn base_path(&self) -> &str {
        &self.base_path
    }
}

/// Origin and path of a base URL; the path without a trailing slash.
fn parse(url: &str) -> Result<(Origin, String), TargetError> {
    let fail = |kind, help: &str| TargetError {
        kind,
        url: shown(url),
        help: help.into(),
    };
    if url.contains('#') {
        return Err(fail(TargetErrorKind::Extra, "remove the part after `#`"));
    }
    let like = "write it like https://shop.example.com";
    let uri: Uri = url
        .parse()
        .map_err(|_| fail(TargetErrorKind::Syntax, like))?;
    let origin = Origin::of(&uri).map_err(|problem| match problem {
        OriginProblem::Scheme => fail(TargetErrorKind::Scheme, "begin it with http:// or https://"),
        OriginProblem::NoHost => fail(TargetErrorKind::Syntax, "name a host after the scheme"),
        OriginProblem::Port => fail(TargetErrorKind::Syntax, "give a port from 1 to 65535"),
        OriginProblem::Credentials => fail(
            TargetErrorKind::Credentials,
            "remove the user name and send it as an `authorization` header from ${env:NAME}",
        ),
    })?;
    if uri.query().is_some() {
        return Err(fail(
            TargetErrorKind::Extra,
            "move the query to the paths of the tests",
        ));
    }
    Ok((origin, uri.path().trim_end_matches('/').to_owned()))
}

/// The URL as far as it may be shown: what stands before an `@` could be a password.
fn shown(url: &str) -> String {
    let (scheme, rest) = url
        .split_once("://")
        .map_or(("", url), |(scheme, rest)| (scheme, rest));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = authority
        .rsplit_once('@')
        .map_or(authority.to_owned(), |(_, h)| format!("***@{h}"));
    let joint = if scheme.is_empty() { "" } else { "://" };
    crate::judge::excerpt::visible(&format!("{scheme}{joint}{host}{path}"))
}

/// What is wrong with a target's URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TargetErrorKind {
    /// No absolute URL.
    Syntax,
    /// Neither `http` nor `https`.
    Scheme,
    /// It carries a user name or password.
    Credentials,
    /// It carries a query or a fragment.
    Extra,
}

/// A URL that cannot be a [`Target`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetError {
    kind: TargetErrorKind,
    url: String,
    help: String,
}

impl TargetError {
    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> TargetErrorKind {
        self.kind
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            TargetErrorKind::Syntax => "is not a URL",
            TargetErrorKind::Scheme => "has no scheme this runner speaks",
            TargetErrorKind::Credentials => "carries credentials",
            TargetErrorKind::Extra => "carries more than a base URL",
        };
        write!(f, "target `{}` {what}: {}", self.url, self.help)
    }
}

impl core::error::Error for TargetError {}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn urls_are_taken_apart() {
        let cases = [
            ("http://a.example", "http://a.example", 80, "a.example"),
            ("http://A.example:80/", "http://a.example", 80, "a.example"),
            (
                "https://a.example:8443/v1/",
                "https://a.example:8443/v1",
                8443,
                "a.example",
            ),
            ("http://[::1]:8080", "http://[::1]:8080", 8080, "::1"),
            ("https://[::1]", "https://[::1]", 443, "::1"),
        ];
        for (given, url, port, host) in cases {
            let target = Target::parse(given).expect(given);
            assert_eq!(
                (
                    target.url().as_str(),
                    target.origin.port,
                    target.origin.host.as_str()
                ),
                (url, port, host)
            );
        }
    }

    #[test]
    fn what_is_no_base_url_is_refused_and_no_password_is_shown() {
        let cases = [
            ("shop.example.com", "begin it with http"),
            ("/health", "begin it with http"),
            ("ftp://a.example", "begin it with http"),
            ("http://", "write it like"),
            ("http://a.example:0", "port from 1"),
            ("http://a.example:99999", "port from 1"),
            ("http://a.example/?q=1", "query"),
            ("http://a.example/#top", "after `#`"),
            ("http://me:hunter2@a.example/", "authorization"),
            ("http://a b/", "write it like"),
            ("", "write it like"),
        ];
        for (given, help) in cases {
            let error = Target::parse(given).expect_err(given).to_string();
            assert!(error.contains(help), "{given}: {error}");
            assert!(!error.contains("hunter2"), "{error}");
        }
    }
}
