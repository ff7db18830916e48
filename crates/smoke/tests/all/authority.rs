//! Certificates made for one test, and servers that show them.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, SupportedProtocolVersion};
use tokio_rustls::TlsAcceptor;

pub(crate) type Chain = Vec<CertificateDer<'static>>;
pub(crate) type Key = PrivateKeyDer<'static>;

pub(crate) struct Authority {
    pub(crate) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

pub(crate) fn authority(name: &str) -> Authority {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).expect("a certificate").pem();
    Authority {
        pem,
        issuer: Issuer::new(params, key),
    }
}

/// What a certificate for these hosts says.
pub(crate) fn names(hosts: &[&str]) -> CertificateParams {
    let hosts: Vec<String> = hosts.iter().map(|&host| host.to_owned()).collect();
    CertificateParams::new(hosts).expect("names of hosts")
}

impl Authority {
    /// A certificate signed by this authority.
    pub(crate) fn certificate(&self, params: &CertificateParams) -> (Chain, Key) {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        (vec![certificate.der().clone()], private(&key))
    }
}

pub(crate) fn private(key: &KeyPair) -> Key {
    PrivateKeyDer::try_from(key.serialize_der()).expect("a key")
}

/// Accepts TLS of these versions with this certificate; `change` has the last word.
pub(crate) fn acceptor(
    chain: Chain,
    key: Key,
    versions: &[&'static SupportedProtocolVersion],
    change: impl FnOnce(&mut ServerConfig),
) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("protocols of the provider")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate and its key");
    change(&mut config);
    TlsAcceptor::from(Arc::new(config))
}
