//! What a service's certificate says.

use nonevent_document::{Digest, Timestamp};
use serde::{Deserialize, Serialize};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::time::Time;

/// What was agreed on in a TLS handshake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TlsFacts {
    /// `TLSv1_2` or `TLSv1_3`.
    pub version: String,
    /// The digest of the service's own certificate (DER).
    pub certificate: Digest,
    /// From when the certificate holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Until when it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_after: Option<Timestamp>,
    /// The names and addresses it holds for (`subjectAltName`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// Who issued it, as RFC 4514 writes a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
}

/// Names of one certificate that are kept.
pub(crate) const NAMES_MAX: usize = 200;

impl TlsFacts {
    /// A certificate that cannot be read has a digest and nothing more; rustls trusted it.
    pub(crate) fn of(version: &str, der: &[u8]) -> TlsFacts {
        let mut facts = TlsFacts {
            version: version.to_owned(),
            certificate: Digest::of(der),
            not_before: None,
            not_after: None,
            names: Vec::new(),
            issuer: None,
        };
        let Ok(certificate) = Certificate::from_der(der) else {
            return facts;
        };
        let fields = certificate.tbs_certificate();
        facts.not_before = Some(timestamp(&fields.validity().not_before));
        facts.not_after = Some(timestamp(&fields.validity().not_after));
        facts.issuer = Some(fields.issuer().to_string());
        for extension in fields.extensions().into_iter().flatten() {
            if extension.extn_id == SubjectAltName::OID
                && let Ok(names) = SubjectAltName::from_der(extension.extn_value.as_bytes())
            {
                facts.names = names.0.iter().filter_map(name).take(NAMES_MAX).collect();
            }
        }
        facts
    }
}

fn timestamp(time: &Time) -> Timestamp {
    let ms = time.to_unix_duration().as_millis();
    Timestamp::from_unix_ms(i64::try_from(ms).unwrap_or(i64::MAX))
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_ascii_lowercase()),
        GeneralName::IpAddress(octets) => {
            let octets = octets.as_bytes();
            if let Ok(v4) = <[u8; 4]>::try_from(octets) {
                return Some(std::net::IpAddr::from(v4).to_string());
            }
            let v6 = <[u8; 16]>::try_from(octets).ok()?;
            Some(std::net::IpAddr::from(v6).to_string())
        }
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.as_str().to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::TlsFacts;

    #[test]
    fn a_certificate_is_read() {
        let names = vec![
            "Shop.example.com".to_owned(),
            "*.example.com".to_owned(),
            "127.0.0.1".to_owned(),
        ];
        let mut params = rcgen::CertificateParams::new(names).expect("names");
        params.not_before = rcgen::date_time_ymd(2026, 1, 5);
        params.not_after = rcgen::date_time_ymd(2026, 4, 5);
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        let facts = TlsFacts::of("TLSv1_3", certificate.der());
        assert_eq!(
            facts.names,
            ["shop.example.com", "*.example.com", "127.0.0.1"]
        );
        let not_after = facts.not_after.expect("a date").to_string();
        assert_eq!(not_after, "2026-04-05T00:00:00Z");
        assert!(facts.issuer.expect("an issuer").contains("CN="), "issuer");
    }

    #[test]
    fn what_is_no_certificate_has_a_digest() {
        let facts = TlsFacts::of("TLSv1_3", b"nothing");
        assert_eq!((facts.names.len(), facts.not_after), (0, None));
    }
}
