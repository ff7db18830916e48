//! Reading what a test sends.

use http::Method;
use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use nonevent_document::{Member, Node, Value, item_path, member_path};

use crate::bind::request::request_path;
use crate::bind::template::{Piece, Template};
use crate::codes;
use crate::suite::model::{Auth, Field, FormValue, HttpProbe, Payload, Place};
use crate::suite::read::Fields;
use crate::suite::reader::Reader;

/// Headers that frame the message or the connection, which the runner decides.
const OWN_HEADERS: [&str; 7] = [
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// Redirects that a test may follow.
const REDIRECTS_MAX: u64 = 50;
/// What a test follows that says only that it does.
const REDIRECTS_DEFAULT: u32 = 5;

impl Reader {
    pub(crate) fn http_probe(
        &mut self,
        fields: &Fields<'_>,
        test: &Node,
        path: &str,
    ) -> Option<HttpProbe> {
        let method = self.method(fields, path);
        let url = self.path(fields, test, path);
        let at = |key: &str| fields.get(key).map(|node| (*node, member_path(path, key)));
        let headers = at("headers").map(|(node, path)| self.headers(node, &path));
        let headers = headers.unwrap_or_default();
        let query = at("query").map(|(node, path)| self.named_texts(node, &path, true));
        let cookies = at("cookies").map(|(node, path)| self.named_texts(node, &path, false));
        let cookies = cookies.unwrap_or_default();
        let auth = at("auth")
            .and_then(|(node, path)| self.auth(node, &path))
            .map(Box::new);
        let body = self.payload(fields, test, path);
        let redirects_max = at("follow_redirects").map(|(node, path)| self.redirects(node, &path));
        let has = |name: &HeaderName| headers.iter().any(|(given, _)| given == name);
        for (given, header, field) in [
            (auth.is_some(), AUTHORIZATION, "auth"),
            (!cookies.is_empty(), COOKIE, "cookies"),
        ] {
            if given && has(&header) {
                let message = format!("both `{field}` and a header `{header}` are given");
                self.bad_value(test, path, message, "keep one of them");
            }
        }
        Some(HttpProbe {
            method: method.unwrap_or(Method::GET),
            path: url?,
            query: query.unwrap_or_default(),
            headers,
            auth,
            cookies,
            body: body?,
            redirects_max: redirects_max.unwrap_or_default(),
        })
    }

    fn path(&mut self, fields: &Fields<'_>, test: &Node, path: &str) -> Option<Field<Template>> {
        let path = member_path(path, "path");
        let Some(node) = fields.get("path") else {
            return self.template_of("/", test, &path);
        };
        let field = self.template(node, &path, "a path such as /health")?;
        if let [Piece::Text(text)] = field.value.pieces()
            && let Err(problem) = request_path("", text)
        {
            self.findings.push(problem.finding(&field.place, text));
            return None;
        }
        Some(field)
    }

    fn method(&mut self, fields: &Fields<'_>, path: &str) -> Option<Method> {
        let Some(node) = fields.get("method") else {
            return Some(Method::GET);
        };
        let path = member_path(path, "method");
        let text = self.text(node, &path, "a method such as GET")?;
        let method = Method::from_bytes(text.to_ascii_uppercase().as_bytes()).ok();
        let method = method.filter(|method| method != Method::CONNECT);
        if method.is_none() {
            let message = format!("`{text}` is no method that a test can use");
            self.bad_value(
                node,
                &path,
                message,
                "write GET, POST, PUT, PATCH, DELETE or HEAD",
            );
        }
        method
    }

    fn headers(&mut self, node: &Node, path: &str) -> Vec<(HeaderName, Field<Template>)> {
        let Some(members) = self.members(node, path, "an object of names and values") else {
            return Vec::new();
        };
        let mut headers = Vec::new();
        for member in members {
            let path = member_path(path, &member.key);
            let Some(name) = self.header_name(member, &path) else {
                continue;
            };
            if OWN_HEADERS.contains(&name.as_str()) {
                let place = Place {
                    path,
                    span: member.key_span.clone(),
                };
                let message = format!("`{}` is decided by the runner and not sent", member.key);
                self.findings
                    .push(place.warning(codes::OWN_HEADER, message, "remove it"));
                continue;
            }
            let value = match &member.value.value {
                Value::Null => continue,
                // Existing files write `"X-Id": 7`.
                Value::Number(_) | Value::Bool(_) => {
                    let text = member.value.to_json().to_string();
                    self.template_of(&text, &member.value, &path)
                }
                _ => self.template(&member.value, &path, "the header's value as text"),
            };
            if let Some(value) = value {
                headers.push((name, value));
            }
        }
        headers
    }

    /// The body, which is given in at most one way.
    fn payload(&mut self, fields: &Fields<'_>, test: &Node, path: &str) -> Option<Payload> {
        let ways = ["body", "body_file", "form"];
        let given: Vec<&str> = ways
            .into_iter()
            .filter(|w| fields.contains_key(w))
            .collect();
        if let [first, second, ..] = given[..] {
            let message = format!("both `{first}` and `{second}` are given");
            self.bad_value(test, path, message, "keep one of them");
            return None;
        }
        let Some(way) = given.first() else {
            return Some(Payload::None);
        };
        let node = *fields.get(way)?;
        let path = member_path(path, way);
        match *way {
            "body" => self.body(node, &path),
            "body_file" => {
                let file = self.template(node, &path, "the name of a file");
                file.map(|file| Payload::File(Box::new(file)))
            }
            _ => Some(Payload::Form(self.form(node, &path))),
        }
    }

    fn form(&mut self, node: &Node, path: &str) -> Vec<(String, FormValue)> {
        let wanted = "an object of names and values";
        let mut form = Vec::new();
        for member in self.members(node, path, wanted).unwrap_or_default() {
            let path = member_path(path, &member.key);
            if let Value::Object(inner) = &member.value.value {
                form.extend(
                    self.form_file(&member.value, inner, &path)
                        .map(|value| (member.key.clone(), value)),
                );
                continue;
            }
            for field in self.texts(&member.value, &path) {
                form.push((member.key.clone(), FormValue::Text(field)));
            }
        }
        form
    }

    fn form_file(&mut self, node: &Node, members: &[Member], path: &str) -> Option<FormValue> {
        let (mut file, mut content_type) = (None, None);
        for member in members {
            let inner = member_path(path, &member.key);
            match member.key.as_str() {
                "file" => file = self.template(&member.value, &inner, "the name of a file"),
                "content_type" => {
                    let text = self.text(&member.value, &inner, "a media type such as text/csv")?;
                    if text.chars().any(|c| c.is_control() || !c.is_ascii()) {
                        let message = format!("`{}` is no media type", text.escape_debug());
                        self.bad_value(&member.value, &inner, message, "write one like text/csv");
                    }
                    content_type = Some(text.to_owned());
                }
                _ => self.unknown_own(member, path, "file, content_type"),
            }
        }
        if node.get("file").is_none() {
            let message = "a field that is an object is a file, and none is named".to_owned();
            self.bad_value(
                node,
                path,
                message,
                "write { \"file\": \"logo.png\" }, or text",
            );
        }
        Some(FormValue::File {
            file: file?,
            content_type,
        })
    }

    /// Names with texts; a list gives a name several, where that is allowed.
    fn named_texts(
        &mut self,
        node: &Node,
        path: &str,
        lists: bool,
    ) -> Vec<(String, Field<Template>)> {
        let wanted = "an object of names and values";
        let mut found = Vec::new();
        for member in self.members(node, path, wanted).unwrap_or_default() {
            let path = member_path(path, &member.key);
            if !lists && matches!(member.value.value, Value::Array(_)) {
                self.text(&member.value, &path, "text");
                continue;
            }
            for field in self.texts(&member.value, &path) {
                found.push((member.key.clone(), field));
            }
        }
        found
    }

    /// A text, a number, true or false, or a list of them; null is none.
    fn texts(&mut self, node: &Node, path: &str) -> Vec<Field<Template>> {
        match &node.value {
            Value::Null => Vec::new(),
            Value::Array(items) => items
                .iter()
                .enumerate()
                .filter(|(_, item)| !matches!(item.value, Value::Null))
                .filter_map(|(at, item)| self.plain_text(item, &item_path(path, at)))
                .collect(),
            _ => self.plain_text(node, path).into_iter().collect(),
        }
    }

    fn plain_text(&mut self, node: &Node, path: &str) -> Option<Field<Template>> {
        if matches!(node.value, Value::Number(_) | Value::Bool(_)) {
            return self.template_of(&node.to_json().to_string(), node, path);
        }
        self.template(node, path, "text")
    }

    fn auth(&mut self, node: &Node, path: &str) -> Option<Auth> {
        let wanted = "{ \"bearer\": \"${env:TOKEN}\" } or { \"basic\": { \"user\": \"me\", \
                      \"password\": \"${env:PASSWORD}\" } }";
        let members = self.members(node, path, wanted)?;
        let [member] = members else {
            let message = "there is one way to say who asks".to_owned();
            self.bad_value(node, path, message, &format!("write {wanted}"));
            return None;
        };
        let inner = member_path(path, &member.key);
        match member.key.as_str() {
            "bearer" => self
                .template(&member.value, &inner, "the token as text")
                .map(Auth::Bearer),
            "basic" => {
                let (mut user, mut password) = (None, None);
                for part in self.members(&member.value, &inner, wanted)? {
                    let at = member_path(&inner, &part.key);
                    match part.key.as_str() {
                        "user" => user = self.template(&part.value, &at, "text"),
                        "password" => password = self.template(&part.value, &at, "text"),
                        _ => self.unknown_own(part, &inner, "user, password"),
                    }
                }
                if member.value.get("user").is_none() || member.value.get("password").is_none() {
                    let message = "basic authentication has a `user` and a `password`".to_owned();
                    self.bad_value(&member.value, &inner, message, &format!("write {wanted}"));
                }
                Some(Auth::Basic {
                    user: user?,
                    password: password?,
                })
            }
            _ => {
                self.unknown_own(member, path, "basic, bearer");
                None
            }
        }
    }

    /// `true` for as many as is usual, or how many.
    fn redirects(&mut self, node: &Node, path: &str) -> u32 {
        match &node.value {
            Value::Bool(true) => REDIRECTS_DEFAULT,
            Value::Bool(false) => 0,
            _ => self
                .whole(node, path, 0, REDIRECTS_MAX)
                .and_then(|count| u32::try_from(count).ok())
                .unwrap_or_default(),
        }
    }

    fn body(&mut self, node: &Node, path: &str) -> Option<Payload> {
        Some(match &node.value {
            Value::Null => Payload::None,
            Value::String(_) => Payload::Text(Box::new(self.template(node, path, "text")?)),
            _ => Payload::Json(Box::new(self.json(node, path)?)),
        })
    }
}
