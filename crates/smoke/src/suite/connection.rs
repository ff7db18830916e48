//! Reading the way to the target, where a test has one of its own.

use std::net::IpAddr;

use nonevent_document::{Node, item_path, member_path};

use crate::net::route::HttpVersion;
use crate::suite::model::{ClientFiles, Connection};
use crate::suite::read::Fields;
use crate::suite::reader::Reader;

const KNOWN: &str = "connect_to, resolve, unix_socket, proxy, proxy_authorization, server_name, \
                     trust, client_certificate, http";

impl Reader {
    pub(crate) fn connection(
        &mut self,
        fields: &Fields<'_>,
        path: &str,
    ) -> Option<Box<Connection>> {
        let node = fields.get("connection")?;
        let path = member_path(path, "connection");
        let wanted = "an object such as { \"http\": \"2\" }";
        let mut connection = Box::<Connection>::default();
        for member in self.members(node, &path, wanted)? {
            let (inner, value) = (member_path(&path, &member.key), &member.value);
            let into = match member.key.as_str() {
                "connect_to" => {
                    connection.connect_to = self.parsed(value, &inner, "127.0.0.1:8080");
                    continue;
                }
                "resolve" => {
                    connection.resolve = self.addresses(value, &inner);
                    continue;
                }
                "client_certificate" => {
                    connection.client = self.client_files(value, &inner);
                    continue;
                }
                "http" => {
                    connection.http = self.http_version(value, &inner);
                    continue;
                }
                "unix_socket" => &mut connection.unix_socket,
                "proxy" => &mut connection.proxy,
                "proxy_authorization" => &mut connection.proxy_authorization,
                "server_name" => &mut connection.server_name,
                "trust" => &mut connection.trust,
                _ => {
                    self.unknown_own(member, &path, KNOWN);
                    continue;
                }
            };
            *into = self.template(value, &inner, "text");
        }
        if connection.proxy_authorization.is_some() && connection.proxy.is_none() {
            let message = "`proxy_authorization` is for a `proxy`, and none is given".to_owned();
            self.bad_value(node, &path, message, "name the proxy");
        }
        if connection.unix_socket.is_some()
            && (connection.proxy.is_some()
                || connection.connect_to.is_some()
                || !connection.resolve.is_empty())
        {
            let message = "a Unix socket is the whole way".to_owned();
            self.bad_value(
                node,
                &path,
                message,
                "remove `proxy`, `connect_to` and `resolve`",
            );
        }
        Some(connection)
    }

    fn parsed<T: core::str::FromStr>(
        &mut self,
        node: &Node,
        path: &str,
        example: &str,
    ) -> Option<T> {
        let text = self.text(node, path, &format!("an address such as {example}"))?;
        let parsed = text.parse().ok();
        if parsed.is_none() {
            let message = format!("`{text}` is no address");
            self.bad_value(node, path, message, &format!("write one like {example}"));
        }
        parsed
    }

    fn addresses(&mut self, node: &Node, path: &str) -> Vec<IpAddr> {
        let wanted = "a list of addresses such as [ \"10.0.0.7\" ]";
        let items = self.items(node, path, wanted).unwrap_or_default();
        items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| self.parsed(item, &item_path(path, at), "10.0.0.7"))
            .collect()
    }

    fn client_files(&mut self, node: &Node, path: &str) -> Option<ClientFiles> {
        let wanted = "{ \"certificate\": \"client.pem\", \"key\": \"client.key\" }";
        let (mut certificate, mut key) = (None, None);
        for member in self.members(node, path, wanted)? {
            let inner = member_path(path, &member.key);
            match member.key.as_str() {
                "certificate" => {
                    certificate = self.template(&member.value, &inner, "the name of a file");
                }
                "key" => key = self.template(&member.value, &inner, "the name of a file"),
                _ => self.unknown_own(member, path, "certificate, key"),
            }
        }
        if node.get("certificate").is_none() || node.get("key").is_none() {
            let message = "a client certificate has a `certificate` and a `key`".to_owned();
            self.bad_value(node, path, message, &format!("write {wanted}"));
        }
        Some(ClientFiles {
            certificate: certificate?,
            key: key?,
        })
    }

    fn http_version(&mut self, node: &Node, path: &str) -> Option<HttpVersion> {
        let wanted = "\"1.1\", \"2\" or \"any\"";
        let text = self.text(node, path, wanted)?;
        let version = match text {
            "1.1" => Some(HttpVersion::Http1),
            "2" => Some(HttpVersion::Http2),
            "any" => Some(HttpVersion::Any),
            _ => None,
        };
        if version.is_none() {
            let message = format!("`{text}` is no version of HTTP that is spoken here");
            self.bad_value(node, path, message, &format!("write {wanted}"));
        }
        version
    }
}
