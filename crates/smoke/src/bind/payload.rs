//! What a test sends, with its references replaced.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_TYPE, COOKIE, HOST, HeaderName, HeaderValue,
    USER_AGENT,
};
use http::{HeaderMap, Uri};
use nonevent_document::Digest;

use crate::bind::request::{json_bytes, percent_encode, request_path};
use crate::bind::template::Template;
use crate::bind::{AGENT, Binder, curl};
use crate::codes;
use crate::net::exchange::Call;
use crate::net::route::Route;
use crate::suite::model::{Auth, Field, FormValue, HttpProbe, Payload};

/// The content type of a body that comes from a file, where the test names none.
const FILE: &str = "application/octet-stream";
/// The content type of a form without files.
const FORM: &str = "application/x-www-form-urlencoded";

impl Binder<'_> {
    /// The request, and its URL.
    pub(crate) fn call(&mut self, http: &HttpProbe, base: &Arc<Route>) -> Option<(Call, String)> {
        let uri = self.uri(http);
        let body = self.body(&http.body);
        let (body, kind) = body.unzip();
        let headers = self.headers(http, base, kind.flatten());
        let uri = uri?;
        let url = base.origin.url_of(&uri);
        let call = Call {
            method: http.method.clone(),
            uri,
            headers: headers?,
            body: body?,
        };
        Some((call, url))
    }

    fn uri(&mut self, http: &HttpProbe) -> Option<Uri> {
        let mut path = self.text(&http.path)?;
        for (name, value) in &http.query {
            path.push(if path.contains('?') { '&' } else { '?' });
            path.push_str(&percent_encode(name));
            path.push('=');
            path.push_str(&percent_encode(&self.text(value)?));
        }
        match request_path(self.context.target.base_path(), &path) {
            Ok(uri) => Some(uri),
            Err(problem) => {
                // A path with a secret in it is not shown.
                let secret = http.path.value.has_secret();
                let shown = if secret { "***" } else { &path };
                self.findings.push(problem.finding(&http.path.place, shown));
                None
            }
        }
    }

    fn headers(
        &mut self,
        http: &HttpProbe,
        base: &Arc<Route>,
        kind: Option<String>,
    ) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        for (name, value) in &http.headers {
            let text = self.text(value)?;
            self.header(&mut headers, name, &text, value)?;
        }
        match http.auth.as_deref() {
            None => {}
            Some(Auth::Bearer(token)) => {
                let text = format!("Bearer {}", self.text(token)?);
                self.header(&mut headers, &AUTHORIZATION, &text, token)?;
            }
            Some(Auth::Basic { user, password }) => {
                let pair = format!("{}:{}", self.text(user)?, self.text(password)?);
                let text = format!("Basic {}", STANDARD.encode(pair));
                self.header(&mut headers, &AUTHORIZATION, &text, password)?;
            }
        }
        if let [(_, first), ..] = &http.cookies[..] {
            let mut pairs = Vec::new();
            for (name, value) in &http.cookies {
                pairs.push(format!("{name}={}", self.text(value)?));
            }
            self.header(&mut headers, &COOKIE, &pairs.join("; "), first)?;
        }
        if let Some(kind) = kind.and_then(|kind| HeaderValue::try_from(kind).ok()) {
            headers.entry(CONTENT_TYPE).or_insert(kind);
        }
        if !headers.contains_key(HOST) {
            // The authority of a parsed URL is always a header's value.
            headers.insert(HOST, HeaderValue::from_str(&base.origin.authority).ok()?);
        }
        for (name, value) in [
            (USER_AGENT, AGENT),
            (ACCEPT, "*/*"),
            (ACCEPT_ENCODING, "identity"),
        ] {
            headers
                .entry(name)
                .or_insert(HeaderValue::from_static(value));
        }
        Some(headers)
    }

    fn header(
        &mut self,
        headers: &mut HeaderMap,
        name: &HeaderName,
        text: &str,
        field: &Field<Template>,
    ) -> Option<()> {
        let Ok(mut parsed) = HeaderValue::from_bytes(text.as_bytes()) else {
            let message = format!("the value of `{name}` has control characters in it");
            let help = "a header is one line of text: remove line breaks";
            let finding = field.place.error(codes::BAD_VALUE, message, help);
            self.findings.push(finding);
            return None;
        };
        parsed.set_sensitive(field.value.has_secret());
        headers.append(name.clone(), parsed);
        Some(())
    }

    /// The body, and the content type that it has if the test names none.
    fn body(&mut self, body: &Payload) -> Option<(Bytes, Option<String>)> {
        let of = |bytes: Bytes, kind: &str| Some((bytes, Some(kind.to_owned())));
        match body {
            Payload::None => Some((Bytes::new(), None)),
            Payload::Text(text) => of(Bytes::from(self.text(text)?), curl::TEXT),
            Payload::Json(value) => of(json_bytes(&self.json(value)?), curl::JSON),
            Payload::File(name) => of(self.file(name)?, FILE),
            Payload::Form(fields) => {
                if fields.iter().any(|(_, value)| value.is_file()) {
                    return self.multipart(fields);
                }
                let mut out = String::new();
                for (name, value) in fields {
                    if let FormValue::Text(text) = value {
                        let joint = if out.is_empty() { "" } else { "&" };
                        let value = percent_encode(&self.text(text)?);
                        out.push_str(&format!("{joint}{}={value}", percent_encode(name)));
                    }
                }
                of(Bytes::from(out), FORM)
            }
        }
    }

    /// `multipart/form-data` (RFC 7578). The boundary is made of what it parts, so that the same
    /// form is always the same bytes.
    fn multipart(&mut self, fields: &[(String, FormValue)]) -> Option<(Bytes, Option<String>)> {
        let mut parts = Vec::new();
        for (name, value) in fields {
            let name = quoted(name);
            parts.push(match value {
                FormValue::Text(text) => {
                    let head = format!("content-disposition: form-data; name=\"{name}\"\r\n\r\n");
                    (head, Bytes::from(self.text(text)?))
                }
                FormValue::File { file, content_type } => {
                    let path = self.text(file)?;
                    let file_name = quoted(path.rsplit('/').next().unwrap_or(&path));
                    let kind = content_type.as_deref().unwrap_or(FILE);
                    let head = format!(
                        "content-disposition: form-data; name=\"{name}\"; \
                         filename=\"{file_name}\"\r\ncontent-type: {kind}\r\n\r\n"
                    );
                    (head, self.file(file)?)
                }
            });
        }
        let joined: Vec<u8> = parts
            .iter()
            .flat_map(|(head, body)| head.bytes().chain(body.iter().copied()))
            .collect();
        let boundary = format!("nonevent-{}", Digest::of(&joined).short());
        let mut out = Vec::new();
        for (head, body) in &parts {
            out.extend_from_slice(format!("--{boundary}\r\n{head}").as_bytes());
            out.extend_from_slice(body);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let kind = format!("multipart/form-data; boundary={boundary}");
        Some((Bytes::from(out), Some(kind)))
    }
}

/// A name inside quotes, as RFC 7578 and browsers write it.
fn quoted(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}
