//! The service that a suite is run against.

use core::fmt;
use std::net::{IpAddr, SocketAddr};

use http::Uri;

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
    https: bool,
    host: String,
    port: u16,
    authority: String,
    base_path: String,
    connect_to: Option<SocketAddr>,
    server_name: Option<String>,
    roots_pem: Option<Vec<u8>>,
    allow_link_local: bool,
}

impl Target {
    /// Reads a base URL such as `https://shop.example.com` or `http://[::1]:8080/v2`.
    ///
    /// # Errors
    ///
    /// When it is no absolute `http` or `https` URL, or carries a user name, a query or a
    /// fragment.
    pub fn parse(url: &str) -> Result<Target, TargetError> {
        let fail = |kind, help: &str| {
            Err(TargetError {
                kind,
                url: shown(url),
                help: help.into(),
            })
        };
        if url.contains('#') {
            return fail(TargetErrorKind::Extra, "remove the part after `#`");
        }
        let Ok(uri) = url.parse::<Uri>() else {
            return fail(
                TargetErrorKind::Syntax,
                "write it like https://shop.example.com",
            );
        };
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return fail(TargetErrorKind::Scheme, "begin it with http:// or https://"),
        };
        let Some(authority) = uri.authority() else {
            return fail(TargetErrorKind::Syntax, "name a host after the scheme");
        };
        if authority.as_str().contains('@') {
            return fail(
                TargetErrorKind::Credentials,
                "remove the user name and send it as an `authorization` header from ${env:NAME}",
            );
        }
        if uri.query().is_some() {
            return fail(
                TargetErrorKind::Extra,
                "move the query to the paths of the tests",
            );
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_lowercase();
        if host.is_empty() {
            return fail(TargetErrorKind::Syntax, "name a host after the scheme");
        }
        let standard = if https { 443 } else { 80 };
        let port = match (
            authority.port_u16(),
            authority.as_str().ends_with(authority.host()),
        ) {
            (Some(0), _) | (None, false) => {
                return fail(TargetErrorKind::Syntax, "give a port from 1 to 65535");
            }
            (Some(port), _) => port,
            (None, true) => standard,
        };
        let bracketed = if host.contains(':') {
            format!("[{host}]")
        } else {
            host.clone()
        };
        let authority = if port == standard {
            bracketed
        } else {
            format!("{bracketed}:{port}")
        };
        Ok(Target {
            https,
            host,
            port,
            authority,
            base_path: uri.path().trim_end_matches('/').to_owned(),
            connect_to: None,
            server_name: None,
            roots_pem: None,
            allow_link_local: false,
        })
    }

    /// Connects to this address instead of the host's, with `Host` and server name kept.
    #[must_use]
    pub fn connect_to(mut self, address: SocketAddr) -> Target {
        self.connect_to = Some(address);
        self
    }

    /// The name asked for in TLS and looked for in the certificate, instead of the URL's host.
    #[must_use]
    pub fn server_name(mut self, name: impl Into<String>) -> Target {
        self.server_name = Some(name.into());
        self
    }

    /// Trusts these certificates (PEM) and no others, instead of the machine's own.
    #[must_use]
    pub fn trust_only(mut self, roots_pem: impl Into<Vec<u8>>) -> Target {
        self.roots_pem = Some(roots_pem.into());
        self
    }

    /// Allows link-local and metadata addresses, which are refused otherwise; see
    /// [`is_link_local_or_metadata`](crate::is_link_local_or_metadata).
    #[must_use]
    pub fn allow_link_local(mut self, allow: bool) -> Target {
        self.allow_link_local = allow;
        self
    }

    /// The base URL, without a trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.https { "https" } else { "http" };
        format!("{scheme}://{}{}", self.authority, self.base_path)
    }

    /// The address connected to instead of the host's, if one was given.
    #[must_use]
    pub fn connect_address(&self) -> Option<SocketAddr> {
        self.connect_to
    }

    pub(crate) fn is_https(&self) -> bool {
        self.https
    }

    /// Host without brackets, lower case.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Host and, unless it is the scheme's own, port: the value of the `Host` header.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }

    pub(crate) fn base_path(&self) -> &str {
        &self.base_path
    }

    /// The name to verify in TLS.
    pub(crate) fn tls_name(&self) -> &str {
        self.server_name.as_deref().unwrap_or(&self.host)
    }

    pub(crate) fn roots_pem(&self) -> Option<&[u8]> {
        self.roots_pem.as_deref()
    }

    pub(crate) fn may_ask(&self, address: IpAddr) -> bool {
        self.allow_link_local || !crate::is_link_local_or_metadata(address)
    }
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
                (target.url().as_str(), target.port(), target.host()),
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
