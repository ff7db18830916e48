//! TLS with one explicit provider and one explicit set of trusted roots.

use std::sync::Arc;

use nonevent_document::Digest;
use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::target::Target;
use crate::trouble::{Cause, Trouble, chain};

/// What was agreed on in a TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsFacts {
    /// `TLSv1_2` or `TLSv1_3`.
    pub version: String,
    /// The digest of the service's own certificate (DER).
    pub certificate: Digest,
}

/// Handshakes for one target; the roots are read once.
pub(crate) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    /// Nothing for a plain target.
    pub(crate) fn for_target(target: &Target) -> Result<Option<Tls>, Trouble> {
        if !target.is_https() {
            return Ok(None);
        }
        let local = |message: String| Trouble::new(Cause::Local, message);
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| local(format!("TLS cannot be set up: {}", chain(&error))))?;
        let mut config = if let Some(pem) = target.roots_pem() {
            builder
                .with_root_certificates(roots(pem)?)
                .with_no_client_auth()
        } else {
            let verifier = Verifier::new(provider).map_err(|error| {
                local(format!(
                    "this machine's trusted certificates cannot be read: {}; install them or \
                     give the certificates to trust",
                    chain(&error)
                ))
            })?;
            builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(verifier))
                .with_no_client_auth()
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let name = ServerName::try_from(target.tls_name().to_owned()).map_err(|_| {
            local(format!(
                "`{}` is no name for a certificate",
                target.tls_name()
            ))
        })?;
        Ok(Some(Tls {
            connector: TlsConnector::from(Arc::new(config)),
            name,
        }))
    }

    pub(crate) async fn handshake(
        &self,
        stream: TcpStream,
    ) -> Result<(TlsStream<TcpStream>, Option<TlsFacts>), Trouble> {
        let stream = self
            .connector
            .connect(self.name.clone(), stream)
            .await
            .map_err(|error| {
                Trouble::new(
                    Cause::Tls,
                    format!("the TLS handshake failed: {}", chain(&error)),
                )
            })?;
        let (_, session) = stream.get_ref();
        let version = session.protocol_version().and_then(|v| v.as_str());
        let certificate = session.peer_certificates().and_then(|chain| chain.first());
        let facts = version
            .zip(certificate)
            .map(|(version, certificate)| TlsFacts {
                version: version.to_owned(),
                certificate: Digest::of(certificate),
            });
        Ok((stream, facts))
    }
}

fn roots(pem: &[u8]) -> Result<RootCertStore, Trouble> {
    let bad = |what: String| Trouble::new(Cause::Local, what);
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate
            .map_err(|error| bad(format!("the certificates to trust are no PEM: {error}")))?;
        store.add(certificate).map_err(|error| {
            bad(format!(
                "a certificate to trust cannot be used: {}",
                chain(&error)
            ))
        })?;
    }
    if store.is_empty() {
        return Err(bad("the file of certificates to trust holds none".into()));
    }
    Ok(store)
}
