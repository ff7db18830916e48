//! TLS with one explicit provider and one explicit set of trusted roots.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::net::certificate::TlsFacts;
use crate::net::route::{ClientCertificate, HttpVersion, Route};
use crate::net::transport::Channel;
use crate::trouble::{Cause, Trouble, chain};

/// Handshakes for one route; roots and certificates are read once.
#[derive(Debug)]
pub(crate) struct Tls {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl Tls {
    pub(crate) fn for_route(route: &Route) -> Result<Tls, Trouble> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| local(format!("TLS cannot be set up: {}", chain(&error))))?;
        let builder = if let Some(pem) = &route.access.roots_pem {
            builder.with_root_certificates(roots(pem)?)
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
        };
        let mut config = match &route.access.client {
            None => builder.with_no_client_auth(),
            Some(client) => {
                let (chain_der, key) = client_certificate(client)?;
                builder
                    .with_client_auth_cert(chain_der, key)
                    .map_err(|error| {
                        local(format!(
                            "the client certificate cannot be used: {}",
                            chain(&error)
                        ))
                    })?
            }
        };
        // A resumed session shows no certificate: one that expired on one backend would be hidden
        // by the session of another.
        config.resumption = Resumption::disabled();
        config.alpn_protocols = match route.access.http {
            HttpVersion::Http1 => vec![b"http/1.1".to_vec()],
            HttpVersion::Http2 => vec![b"h2".to_vec()],
            HttpVersion::Any => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        };
        let name = route.tls_name().to_owned();
        let name = ServerName::try_from(name).map_err(|_| {
            local(format!(
                "`{}` is no name for a certificate",
                route.tls_name()
            ))
        })?;
        Ok(Tls {
            config: Arc::new(config),
            name,
        })
    }

    pub(crate) async fn handshake(
        &self,
        stream: Box<dyn Channel>,
    ) -> Result<(TlsStream<Box<dyn Channel>>, Option<TlsFacts>), Trouble> {
        let stream = TlsConnector::from(Arc::clone(&self.config))
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
            .map(|(version, certificate)| TlsFacts::of(version, certificate));
        Ok((stream, facts))
    }
}

fn local(message: String) -> Trouble {
    Trouble::new(Cause::Local, message)
}

fn client_certificate(
    client: &ClientCertificate,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Trouble> {
    let chain_der: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&client.chain_pem).collect();
    let chain_der =
        chain_der.map_err(|error| local(format!("the client certificate is no PEM: {error}")))?;
    if chain_der.is_empty() {
        return Err(local(
            "the file of the client certificate holds none".into(),
        ));
    }
    // The error is not shown: it could quote the key.
    let key = PrivateKeyDer::from_pem_slice(client.key_pem.expose().as_bytes())
        .map_err(|_| local("the client certificate's key is no private key in PEM".into()))?;
    Ok((chain_der, key))
}

fn roots(pem: &[u8]) -> Result<RootCertStore, Trouble> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate
            .map_err(|error| local(format!("the certificates to trust are no PEM: {error}")))?;
        store.add(certificate).map_err(|error| {
            local(format!(
                "a certificate to trust cannot be used: {}",
                chain(&error)
            ))
        })?;
    }
    if store.is_empty() {
        return Err(local("the file of certificates to trust holds none".into()));
    }
    Ok(store)
}
