//! How a request gets to a service: to which origin, and on which way.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use http::Uri;
use http::uri::PathAndQuery;
use nonevent_document::Secret;

use crate::net::tls::Tls;
use crate::trouble::Trouble;

/// Scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) https: bool,
    /// Without brackets, lower case.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// Host and, unless it is the scheme's own, port: the value of the `Host` header.
    pub(crate) authority: String,
}

/// Why a URL names no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OriginProblem {
    Scheme,
    NoHost,
    Port,
    Credentials,
}

impl Origin {
    /// The origin of an absolute `http` or `https` URL.
    pub(crate) fn of(uri: &Uri) -> Result<Origin, OriginProblem> {
        let https = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(OriginProblem::Scheme),
        };
        let authority = uri.authority().ok_or(OriginProblem::NoHost)?;
        if authority.as_str().contains('@') {
            return Err(OriginProblem::Credentials);
        }
        let host = authority
            .host()
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_lowercase();
        if host.is_empty() {
            return Err(OriginProblem::NoHost);
        }
        let port = match (
            authority.port_u16(),
            authority.as_str().ends_with(authority.host()),
        ) {
            (Some(0), _) | (None, false) => return Err(OriginProblem::Port),
            (Some(port), _) => port,
            (None, true) => standard_port(https),
        };
        Ok(Origin::new(https, host, port))
    }

    pub(crate) fn new(https: bool, host: String, port: u16) -> Origin {
        let bracketed = bracketed(&host);
        let authority = if port == standard_port(https) {
            bracketed
        } else {
            format!("{bracketed}:{port}")
        };
        Origin {
            https,
            host,
            port,
            authority,
        }
    }

    pub(crate) fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    /// `https://shop.example.com`, without a path.
    pub(crate) fn url(&self) -> String {
        format!("{}://{}", self.scheme(), self.authority)
    }

    /// The URL of a path and query here.
    pub(crate) fn url_of(&self, uri: &Uri) -> String {
        let path = uri.path_and_query().map_or("", PathAndQuery::as_str);
        [self.scheme(), "://", &self.authority, path].concat()
    }

    /// Host and port, the port always: what `CONNECT` asks for.
    pub(crate) fn host_and_port(&self) -> String {
        format!("{}:{}", bracketed(&self.host), self.port)
    }
}

fn standard_port(https: bool) -> u16 {
    if https { 443 } else { 80 }
}

fn bracketed(host: &str) -> String {
    if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

/// Which versions of HTTP are spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum HttpVersion {
    /// HTTP/1.1 only.
    #[default]
    Http1,
    /// HTTP/2 only: agreed on in TLS, or spoken at once where there is no TLS (RFC 9113, section
    /// 3.3).
    Http2,
    /// Over TLS whichever the service prefers; without TLS HTTP/1.1.
    Any,
}

/// An HTTP proxy on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The value of `proxy-authorization`.
    pub(crate) authorization: Option<Secret>,
}

/// A certificate and its key that the service may ask for; both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientCertificate {
    pub(crate) chain_pem: Vec<u8>,
    pub(crate) key_pem: Secret,
}

/// The way to an origin, where it is not the plain one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Access {
    /// Connected to instead of the host's address and port.
    pub(crate) connect_to: Option<SocketAddr>,
    /// What the host's name stands for, instead of asking the resolver.
    pub(crate) resolve: Vec<IpAddr>,
    pub(crate) unix_socket: Option<PathBuf>,
    pub(crate) proxy: Option<Proxy>,
    /// Asked for in TLS and looked for in the certificate, instead of the host.
    pub(crate) server_name: Option<String>,
    /// Trusted instead of what the machine trusts; PEM.
    pub(crate) roots_pem: Option<Vec<u8>>,
    pub(crate) client: Option<ClientCertificate>,
    pub(crate) http: HttpVersion,
    pub(crate) allow_link_local: bool,
}

/// An origin and the way there. Connections are kept by route, and TLS is set up once for each.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) origin: Origin,
    pub(crate) access: Access,
    tls: OnceLock<Result<Arc<Tls>, Trouble>>,
}

impl Route {
    pub(crate) fn new(origin: Origin, access: Access) -> Route {
        Route {
            origin,
            access,
            tls: OnceLock::new(),
        }
    }

    /// Where a redirect to another origin goes: the trust stays, everything else that was said of
    /// the way holds for the first origin alone.
    pub(crate) fn elsewhere(&self, origin: Origin) -> Route {
        let access = Access {
            proxy: self.access.proxy.clone(),
            roots_pem: self.access.roots_pem.clone(),
            http: self.access.http,
            allow_link_local: self.access.allow_link_local,
            ..Access::default()
        };
        Route::new(origin, access)
    }

    /// The name to verify in TLS.
    pub(crate) fn tls_name(&self) -> &str {
        self.access
            .server_name
            .as_deref()
            .unwrap_or(&self.origin.host)
    }

    pub(crate) fn tls(&self) -> Result<&Tls, Trouble> {
        self.tls
            .get_or_init(|| Tls::for_route(self).map(Arc::new))
            .as_deref()
            .map_err(Clone::clone)
    }

    pub(crate) fn may_ask(&self, address: IpAddr) -> bool {
        self.access.allow_link_local || !crate::net::address::is_link_local_or_metadata(address)
    }

    /// Whether requests go to the proxy in absolute form instead of through a tunnel.
    pub(crate) fn is_proxied_plainly(&self) -> bool {
        self.access.proxy.is_some() && !self.origin.https
    }
}
