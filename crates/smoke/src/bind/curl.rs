//! A `curl` command that repeats a test's request, with secrets by name and never by value.

use crate::bind::Bound;
use crate::bind::request::percent_encode;
use crate::bind::template::{Bindings, Piece, SecretName, Template};
use crate::net::route::{HttpVersion, Route};
use crate::suite::model::{Auth, FormValue, HttpProbe, JsonTemplate, Payload, Test};

/// The content type of a body that is text, where the test names none.
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";
/// The content type of a body that is a JSON value, where the test names none.
pub(crate) const JSON: &str = "application/json";

/// The command. Like the runner, it uses no proxy of the environment, and follows redirects only
/// where the test does. A file that only the caller knows stands in it in capitals.
pub(crate) fn command(test: &Test, bound: &Bound, bindings: &Bindings<'_>) -> Option<String> {
    let http = test.http()?;
    let mut command = Command {
        words: Vec::new(),
        bindings,
    };
    command.plain(&["curl", "-sSi"]);
    match http.method.as_str() {
        "GET" => {}
        "HEAD" => command.plain(&["--head"]),
        method => command.plain(&["-X", method]),
    }
    command.plain(&["--max-time", &seconds(bound.total_ms)]);
    if http.redirects_max > 0 {
        command.plain(&["-L", "--max-redirs", &http.redirects_max.to_string()]);
    }
    command.way(test, &bound.route);
    for (name, value) in &http.headers {
        command.plain(&["-H"]);
        command.words.push(vec![Part::Text(format!("{name}: "))]);
        command.template(&value.value);
    }
    command.who(http);
    command.body(http);
    let base = bound.url.split(['?', '#']).next().unwrap_or_default();
    command.words.push(vec![Part::Text(origin_of(base))]);
    command.text(&bound.base_path);
    command.template(&http.path.value);
    command.query(http);
    let words: Vec<String> = command.words.iter().map(|word| quoted(word)).collect();
    Some(words.join(" "))
}

/// `http://shop.example.com` of a URL.
fn origin_of(url: &str) -> String {
    let from = url.find("://").map_or(0, |at| at + 3);
    let end = url.get(from..).and_then(|rest| rest.find('/'));
    let end = end.map_or(url.len(), |at| from + at);
    url.get(..end).unwrap_or(url).to_owned()
}

/// `10`, `1.5`: seconds as curl reads them.
fn seconds(ms: u64) -> String {
    let text = format!("{}.{:03}", ms / 1_000, ms % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

enum Part {
    Text(String),
    Secret(SecretName),
}

struct Command<'b> {
    words: Vec<Vec<Part>>,
    bindings: &'b Bindings<'b>,
}

impl Command<'_> {
    fn plain(&mut self, words: &[&str]) {
        let word = |word: &&str| vec![Part::Text((*word).to_owned())];
        self.words.extend(words.iter().map(word));
    }

    /// An option whose value is the test's.
    fn option(&mut self, name: &str, value: &Template) {
        self.plain(&[name]);
        self.words.push(Vec::new());
        self.template(value);
    }

    /// How the target is reached.
    fn way(&mut self, test: &Test, route: &Route) {
        let access = &route.access;
        match &access.proxy {
            None => self.plain(&["--noproxy", "*"]),
            Some(proxy) => {
                let url = format!("http://{}:{}", proxy.host, proxy.port);
                self.plain(&["--proxy", &url]);
                if proxy.authorization.is_some() {
                    self.plain(&["--proxy-header", "proxy-authorization: ***"]);
                }
            }
        }
        if let Some(path) = &access.unix_socket {
            self.plain(&["--unix-socket", &path.to_string_lossy()]);
        } else if let Some(address) = access.connect_to {
            self.plain(&["--connect-to", &format!("::{address}")]);
        }
        for address in &access.resolve {
            let origin = &route.origin;
            let entry = format!("{}:{}:{address}", origin.host, origin.port);
            self.plain(&["--resolve", &entry]);
        }
        match (access.http, route.origin.https) {
            (HttpVersion::Http1, false) | (HttpVersion::Any, _) => {}
            (HttpVersion::Http1, true) => self.plain(&["--http1.1"]),
            (HttpVersion::Http2, true) => self.plain(&["--http2"]),
            (HttpVersion::Http2, false) => self.plain(&["--http2-prior-knowledge"]),
        }
        let connection = test.connection.as_deref();
        match connection.and_then(|connection| connection.trust.as_ref()) {
            Some(file) => self.option("--cacert", &file.value),
            None if access.roots_pem.is_some() => self.plain(&["--cacert", "CA-FILE"]),
            None => {}
        }
        match connection.and_then(|connection| connection.client.as_ref()) {
            Some(files) => {
                self.option("--cert", &files.certificate.value);
                self.option("--key", &files.key.value);
            }
            None if access.client.is_some() => {
                self.plain(&["--cert", "CERTIFICATE-FILE", "--key", "KEY-FILE"]);
            }
            None => {}
        }
    }

    /// Who asks.
    fn who(&mut self, http: &HttpProbe) {
        match http.auth.as_deref() {
            None => {}
            Some(Auth::Bearer(token)) => {
                self.plain(&["-H"]);
                self.words
                    .push(vec![Part::Text("authorization: Bearer ".to_owned())]);
                self.template(&token.value);
            }
            Some(Auth::Basic { user, password }) => {
                self.plain(&["-u"]);
                self.words.push(Vec::new());
                self.template(&user.value);
                self.text(":");
                self.template(&password.value);
            }
        }
        for (at, (name, value)) in http.cookies.iter().enumerate() {
            if at == 0 {
                self.plain(&["-b"]);
                self.words.push(Vec::new());
            } else {
                self.text("; ");
            }
            self.text(&format!("{name}="));
            self.template(&value.value);
        }
    }

    fn query(&mut self, http: &HttpProbe) {
        let path = http.path.value.pieces();
        let mut joint = if path
            .iter()
            .any(|piece| matches!(piece, Piece::Text(text) if text.contains('?')))
        {
            "&"
        } else {
            "?"
        };
        for (name, value) in &http.query {
            self.text(&format!("{joint}{}=", percent_encode(name)));
            self.pieces(&value.value, percent_encode);
            joint = "&";
        }
    }

    /// Adds a part to the last word.
    fn part(&mut self, part: Part) {
        if let Some(word) = self.words.last_mut() {
            word.push(part);
        }
    }

    fn body(&mut self, http: &HttpProbe) {
        let kind = match &http.body {
            Payload::None => return,
            Payload::Text(_) => TEXT,
            Payload::Json(_) => JSON,
            Payload::File(_) => "application/octet-stream",
            Payload::Form(fields) => return self.form(fields),
        };
        let content_type = http::header::CONTENT_TYPE;
        if !http.headers.iter().any(|(name, _)| *name == content_type) {
            self.plain(&["-H", &format!("content-type: {kind}")]);
        }
        match &http.body {
            Payload::None | Payload::Form(_) => {}
            Payload::Text(text) => self.option("--data-raw", &text.value),
            Payload::File(file) => {
                self.plain(&["--data-binary", "@"]);
                self.template(&file.value);
            }
            Payload::Json(value) => {
                self.plain(&["--data-raw"]);
                self.words.push(Vec::new());
                self.json(&value.value);
            }
        }
    }

    fn form(&mut self, fields: &[(String, FormValue)]) {
        let has_files = fields.iter().any(|(_, value)| value.is_file());
        for (name, value) in fields {
            match value {
                FormValue::Text(text) if has_files => {
                    self.plain(&["--form-string", &format!("{name}=")]);
                    self.template(&text.value);
                }
                FormValue::Text(text) => {
                    let name = percent_encode(name);
                    self.plain(&["--data-urlencode", &format!("{name}=")]);
                    self.template(&text.value);
                }
                FormValue::File { file, content_type } => {
                    self.plain(&["-F", &format!("{name}=@")]);
                    self.template(&file.value);
                    if let Some(kind) = content_type {
                        self.text(&format!(";type={kind}"));
                    }
                }
            }
        }
    }

    fn template(&mut self, template: &Template) {
        self.pieces(template, str::to_owned);
    }

    fn pieces(&mut self, template: &Template, write: impl Fn(&str) -> String) {
        for piece in template.pieces() {
            let part = match piece {
                Piece::Text(text) => Part::Text(write(text)),
                Piece::Variable(name) => {
                    Part::Text(write(self.bindings.variable(name).unwrap_or_default()))
                }
                Piece::Secret(name) => Part::Secret(name.clone()),
            };
            self.part(part);
        }
    }

    fn json(&mut self, value: &JsonTemplate) {
        match value {
            JsonTemplate::Fixed(value) => self.part(Part::Text(value.to_string())),
            JsonTemplate::Text(text) => {
                self.text("\"");
                self.pieces(text, |text| {
                    let quoted = serde_json::Value::from(text).to_string();
                    quoted
                        .get(1..quoted.len() - 1)
                        .unwrap_or_default()
                        .to_owned()
                });
                self.text("\"");
            }
            JsonTemplate::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.text(if at == 0 { "[" } else { "," });
                    self.json(item);
                }
                self.text(if items.is_empty() { "[]" } else { "]" });
            }
            JsonTemplate::Object(members) => {
                for (at, (key, item)) in members.iter().enumerate() {
                    self.text(if at == 0 { "{" } else { "," });
                    self.text(&format!("{}:", serde_json::Value::from(key.as_str())));
                    self.json(item);
                }
                self.text(if members.is_empty() { "{}" } else { "}" });
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.part(Part::Text(text.to_owned()));
    }
}

/// One argument, quoted for a POSIX shell. A secret of the environment stands as `"$NAME"`, so
/// that the command works where the variable is set; any other as `***`.
fn quoted(word: &[Part]) -> String {
    let mut out = String::new();
    let mut plain = String::new();
    for part in word {
        match part {
            Part::Text(text) => plain.push_str(text),
            Part::Secret(secret) => {
                let is_variable = secret.scheme == "env"
                    && secret
                        .name
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || c == '_');
                if is_variable {
                    if !plain.is_empty() {
                        out.push_str(&shell_word(&plain));
                        plain.clear();
                    }
                    out.push_str(&format!("\"${}\"", secret.name));
                } else {
                    plain.push_str("***");
                }
            }
        }
    }
    if !plain.is_empty() || out.is_empty() {
        out.push_str(&shell_word(&plain));
    }
    out
}

/// A word that a shell reads back as it is. Control characters are written as escapes in
/// `$'…'`, which POSIX.1-2024 shells, bash and zsh know, so that the command stays one line.
fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    if !text.chars().any(char::is_control) {
        return format!("'{}'", text.replace('\'', "'\\''"));
    }
    let mut out = String::from("$'");
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\'' => out.push_str("\\'"),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => {
                // Octal, since a hexadecimal escape would swallow hex digits after it.
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    out.push_str(&format!("\\{byte:03o}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::process::Command as Process;
    use std::sync::Arc;

    use nonevent_document::Secret;
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{command, shell_word};
    use crate::bind::{Prepared, prepare};
    use crate::net::route::Route;
    use crate::options::{Files, Options, Secrets};
    use crate::suite::model::Suite;
    use crate::target::Target;

    #[test]
    fn words_are_quoted() {
        let cases = [
            ("curl", "curl"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("$(rm)", "'$(rm)'"),
            ("a\nb'", "$'a\\nb\\''"),
            ("\u{1b}[2J", "$'\\033[2J'"),
        ];
        for (text, wanted) in cases {
            assert_eq!(shell_word(text), wanted);
        }
    }

    proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(40))]
        #[test]
        fn a_shell_reads_back_what_was_quoted(text in any::<String>()) {
            // A word cannot hold a NUL, and bash is the shell that is there.
            let text = text.replace('\0', "");
            let script = format!("printf %s {}", shell_word(&text));
            let Ok(out) = Process::new("bash").args(["-c", &script]).output() else { return Ok(()) };
            prop_assert_eq!(String::from_utf8_lossy(&out.stdout).into_owned(), text);
        }
    }

    /// The command of a suite's first test.
    fn again(text: &str, target: &Target) -> String {
        let suite = Suite::parse("smoke-tests.yaml", text.as_bytes()).expect("a suite");
        let now = "2026-01-05T10:00:00Z".parse().expect("a time");
        let options = Options {
            variables: BTreeMap::from([("release".to_owned(), "1.5.0".to_owned())]),
            secrets: Secrets::from_fn(|_, _| Some(Secret::new("hunter2"))),
            files: Files::from_fn(|_| Ok(b"bytes".to_vec())),
            timeout_ms: Some(1_500),
            ..Options::started_at(now)
        };
        let Prepared { context, cases, .. } = prepare(&suite, target, &options).expect("it binds");
        let base = Route::new(target.origin().clone(), target.access().clone());
        let captured = BTreeMap::new();
        let bound = context
            .bind(cases[0], &Arc::new(base), &captured)
            .expect("it binds");
        let bindings = context.bindings(cases[0], &captured);
        let command = command(&suite.tests[0], &bound, &bindings).expect("a request");
        assert!(!command.contains("hunter2"), "{command}");
        command
    }

    #[test]
    fn a_request_is_repeated_with_its_secrets_by_name() {
        let text = r#"{ "tests": [ { "method": "POST", "path": "/pay?v=${release}",
            "headers": { "Authorization": "Bearer ${env:API_TOKEN}", "X-Vault": "${vault:key}" },
            "body": { "note": "it's ${env:PIN}", "list": [1, null, {}], "empty": [] } } ] }"#;
        let target = Target::parse("https://shop.example.com/v2")
            .expect("a URL")
            .connect_to("127.0.0.1:8443".parse().expect("an address"));
        insta::assert_snapshot!(again(text, &target));
    }

    #[test]
    fn every_way_to_ask_has_its_option() {
        let target = Target::parse("https://shop.example.com").expect("a URL");
        let tests = [
            "query: { q: a b, list: [ 1, 2 ] }",
            "path: /a?b=c, query: { q: \"${env:PIN}\" }",
            "auth: { basic: { user: me, password: \"${env:PASSWORD}\" } }",
            "auth: { bearer: \"${env:TOKEN}\" }",
            "cookies: { a: 1x, b: \"${env:PIN}\" }",
            "method: POST, form: { a: b c, d: \"${release}\" }",
            "method: POST, form: { a: b, logo: { file: logo.png, content_type: image/png } }",
            "method: PUT, body_file: body.bin",
            "follow_redirects: 3",
            "connection: { http: '2', server_name: other.example.com, trust: ca.pem }",
            "connection: { unix_socket: /run/app.sock }",
            "connection: { resolve: [ 127.0.0.1 ] }",
            "connection: { proxy: \"http://proxy.example.com:3128\", proxy_authorization: \"${env:P}\" }",
            "connection: { client_certificate: { certificate: c.pem, key: c.key } }",
        ];
        let mut all = String::new();
        for test in tests {
            let text = format!("tests: [ {{ {test} }} ]");
            all.push_str(&format!("{test}\n    {}\n", again(&text, &target)));
        }
        insta::assert_snapshot!(all);
    }
}
