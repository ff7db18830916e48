//! Reading what a test asks: HTTP, or only a connection or a TLS handshake.

use nonevent_document::{Node, member_path};

use crate::suite::model::{Probe, TcpProbe, TlsProbe};
use crate::suite::read::Fields;
use crate::suite::reader::Reader;

/// Fields that mean something for an HTTP request only.
const HTTP_FIELDS: [&str; 11] = [
    "method",
    "path",
    "query",
    "headers",
    "auth",
    "cookies",
    "body",
    "body_file",
    "form",
    "follow_redirects",
    "capture",
];

impl Reader {
    pub(crate) fn probe(&mut self, fields: &Fields<'_>, test: &Node, path: &str) -> Option<Probe> {
        let tcp = fields.get("tcp").map(|node| (*node, "tcp"));
        let tls = fields.get("tls").map(|node| (*node, "tls"));
        let (node, key) = match (tcp, tls) {
            (None, None) => {
                let http = self.http_probe(fields, test, path)?;
                return Some(Probe::Http(Box::new(http)));
            }
            (Some(_), Some(_)) => {
                let message = "both `tcp` and `tls` are given".to_owned();
                self.bad_value(test, path, message, "make two tests of it");
                return None;
            }
            (Some(found), None) | (None, Some(found)) => found,
        };
        for field in HTTP_FIELDS {
            if let Some(node) = fields.get(field) {
                let message = format!("`{field}` belongs to a request, and `{key}` makes none");
                let help = format!("remove `{field}`, or remove `{key}` to ask by HTTP");
                self.bad_value(node, &member_path(path, field), message, &help);
            }
        }
        let path = member_path(path, key);
        if key == "tcp" {
            self.tcp(node, &path).map(|tcp| Probe::Tcp(Box::new(tcp)))
        } else {
            self.tls(node, &path).map(Probe::Tls)
        }
    }

    fn tcp(&mut self, node: &Node, path: &str) -> Option<TcpProbe> {
        let mut probe = TcpProbe {
            port: None,
            send: None,
            expect: None,
        };
        for member in self.members(node, path, "{ \"port\": 5432 }")? {
            let inner = member_path(path, &member.key);
            match member.key.as_str() {
                "port" => probe.port = self.port(&member.value, &inner),
                "send" => probe.send = self.template(&member.value, &inner, "text to be sent"),
                "expect" => {
                    let wanted = "text that the service says";
                    probe.expect = self.template(&member.value, &inner, wanted);
                    if probe
                        .expect
                        .as_ref()
                        .is_some_and(|f| f.value.pieces().is_empty())
                    {
                        let message = "an empty text is always there".to_owned();
                        self.bad_value(&member.value, &inner, message, "write what it says");
                    }
                }
                _ => self.unknown_own(member, path, "port, send, expect"),
            }
        }
        Some(probe)
    }

    fn tls(&mut self, node: &Node, path: &str) -> Option<TlsProbe> {
        let mut probe = TlsProbe { port: None };
        for member in self.members(node, path, "{ \"port\": 443 }")? {
            match member.key.as_str() {
                "port" => {
                    probe.port = self.port(&member.value, &member_path(path, "port"));
                }
                _ => self.unknown_own(member, path, "port"),
            }
        }
        Some(probe)
    }

    fn port(&mut self, node: &Node, path: &str) -> Option<u16> {
        let port = self.whole(node, path, 1, 65_535)?;
        u16::try_from(port).ok()
    }
}
