//! The way of a test to the target, with its references replaced and its files read.

use nonevent_document::Secret;

use crate::bind::Binder;
use crate::bind::template::Template;
use crate::codes;
use crate::net::route::{Access, ClientCertificate};
use crate::suite::model::{Connection, Field};
use crate::target::Target;

impl Binder<'_> {
    /// What the target says of the way, and what the test says instead.
    pub(crate) fn access(&mut self, connection: &Connection) -> Option<Access> {
        let mut access = self.context.target.access().clone();
        if connection.leaves_the_backend() {
            // The ways exclude each other, so one of the test's replaces all of the target's.
            access.connect_to = connection.connect_to;
            access.resolve.clone_from(&connection.resolve);
            access.unix_socket = None;
            access.proxy = None;
        }
        if let Some(path) = &connection.unix_socket {
            access.unix_socket = Some(self.text(path)?.into());
        }
        if let Some(url) = &connection.proxy {
            let text = self.text(url)?;
            // Read by the one who reads the caller's.
            let through = Target::parse("http://x").and_then(|target| target.proxy(&text));
            match through {
                Ok(target) => access.proxy.clone_from(&target.access().proxy),
                Err(error) => {
                    let message = error.to_string();
                    let finding = url.place.error(codes::BAD_VALUE, message, "write its URL");
                    self.findings.push(finding);
                    return None;
                }
            }
            if let Some(value) = &connection.proxy_authorization {
                let value = Secret::new(self.text(value)?);
                if let Some(proxy) = &mut access.proxy {
                    proxy.authorization = Some(value);
                }
            }
        }
        if let Some(name) = &connection.server_name {
            access.server_name = Some(self.text(name)?);
        }
        if let Some(file) = &connection.trust {
            access.roots_pem = Some(self.file(file)?.to_vec());
        }
        if let Some(files) = &connection.client {
            let key = self.file(&files.key)?;
            access.client = Some(ClientCertificate {
                chain_pem: self.file(&files.certificate)?.to_vec(),
                key_pem: Secret::new(String::from_utf8_lossy(&key).into_owned()),
            });
        }
        if let Some(http) = connection.http {
            access.http = http;
        }
        Some(access)
    }

    /// The bytes of a file that the suite names.
    pub(crate) fn file(&mut self, name: &Field<Template>) -> Option<bytes::Bytes> {
        let text = self.text(name)?;
        match self.context.file(&text) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                let shown = crate::judge::excerpt::visible(&text);
                let message = format!("the file `{shown}` cannot be read: {error}");
                let help = "name a file in the folder of the suite";
                let finding = name.place.error(codes::UNREADABLE_FILE, message, help);
                self.findings.push(finding);
                None
            }
        }
    }
}
