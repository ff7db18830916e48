//! Reading what is asserted of the connection: how fast, how secure, by which protocol.

use nonevent_document::{Node, Value, item_path, member_path};

use crate::suite::expectations::{CertificateRule, HttpSpoken, Phase, Text, TlsVersion};
use crate::suite::model::{Probe, TIMEOUT_MS_MAX};
use crate::suite::reader::Reader;

/// Days that a certificate may be asked to hold on.
const DAYS_MAX: u64 = 36_500;

impl Reader {
    pub(super) fn latency(
        &mut self,
        node: &Node,
        path: &str,
        probe: Option<&Probe>,
    ) -> Vec<(Phase, u64)> {
        let wanted = "an object such as { \"total\": 500, \"first_byte\": 200 }";
        let Some(members) = self.members(node, path, wanted) else {
            return Vec::new();
        };
        if members.is_empty() {
            self.nothing_in(node, path, wanted);
        }
        let mut latency = Vec::new();
        for member in members {
            let inner = member_path(path, &member.key);
            let Some(phase) = Phase::ALL
                .into_iter()
                .find(|phase| phase.as_str() == member.key)
            else {
                let known = "total, first_byte, connect, tls, resolve, body";
                self.unknown_own(member, path, known);
                continue;
            };
            if let Some(kind) = has_none(probe, phase) {
                let message = format!("there is no `{}` where `{kind}` asks", member.key);
                self.bad_value(&member.value, &inner, message, "remove it");
            }
            if let Some(ms) = self.whole(&member.value, &inner, 1, TIMEOUT_MS_MAX) {
                latency.push((phase, ms));
            }
        }
        latency
    }

    pub(super) fn certificate(&mut self, node: &Node, path: &str) -> Vec<CertificateRule<Text>> {
        let wanted = "an object such as { \"days_left\": 21 }";
        let Some(members) = self.members(node, path, wanted) else {
            return Vec::new();
        };
        if members.is_empty() {
            self.nothing_in(node, path, wanted);
        }
        let mut rules = Vec::new();
        for member in members {
            let (inner, value) = (member_path(path, &member.key), &member.value);
            match member.key.as_str() {
                "days_left" => rules.extend(
                    self.whole(value, &inner, 1, DAYS_MAX)
                        .and_then(|days| u32::try_from(days).ok())
                        .map(CertificateRule::DaysLeft),
                ),
                "names" => rules.extend(self.names(value, &inner)),
                "issuer" => {
                    let issuer = self.text_rules(value, &inner);
                    rules.extend(issuer.into_iter().map(CertificateRule::Issuer));
                }
                "sha256" => rules.extend(self.sha256(value, &inner).map(CertificateRule::Sha256)),
                _ => self.unknown_own(member, path, "days_left, names, issuer, sha256"),
            }
        }
        rules
    }

    fn names(&mut self, node: &Node, path: &str) -> Vec<CertificateRule<Text>> {
        let wanted = "a list of names such as [ \"shop.example.com\" ]";
        let items = self.items(node, path, wanted).unwrap_or_default();
        if items.is_empty() && matches!(node.value, Value::Array(_)) {
            self.nothing_in(node, path, wanted);
        }
        let mut rules = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let inner = item_path(path, at);
            let Some(name) = self.template(item, &inner, "a name as text") else {
                continue;
            };
            if name.value.pieces().is_empty() {
                let message = "no certificate covers an empty name".to_owned();
                self.bad_value(item, &inner, message, &format!("write {wanted}"));
            }
            rules.push(CertificateRule::Name(name));
        }
        rules
    }

    pub(super) fn tls_version(&mut self, node: &Node, path: &str) -> Option<TlsVersion> {
        let known = [TlsVersion::V1_2, TlsVersion::V1_3];
        let wanted = "\"1.2\" or \"1.3\"";
        let text = self.text(node, path, wanted)?;
        let found = known.into_iter().find(|version| version.as_str() == text);
        if found.is_none() {
            let message = format!("`{text}` is no version of TLS that is spoken here");
            self.bad_value(node, path, message, &format!("write {wanted}"));
        }
        found
    }

    pub(super) fn http_spoken(&mut self, node: &Node, path: &str) -> Option<HttpSpoken> {
        let wanted = "\"1.1\" or \"2\"";
        let text = self.text(node, path, wanted)?;
        let found = match text {
            "1.1" => Some(HttpSpoken::V1_1),
            "2" => Some(HttpSpoken::V2),
            _ => None,
        };
        if found.is_none() {
            let message = format!("`{text}` is no version of HTTP that is spoken here");
            self.bad_value(node, path, message, &format!("write {wanted}"));
        }
        found
    }
}

/// The probe, if it has no such phase.
fn has_none(probe: Option<&Probe>, phase: Phase) -> Option<&'static str> {
    match (probe?, phase) {
        (Probe::Tcp(_), Phase::FirstByte | Phase::Body | Phase::Tls) => Some("tcp"),
        (Probe::Tls(_), Phase::FirstByte | Phase::Body) => Some("tls"),
        _ => None,
    }
}
