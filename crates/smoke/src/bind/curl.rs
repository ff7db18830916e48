//! A `curl` command that repeats a test's request, with secrets by name and never by value.

use crate::bind::template::{Bindings, Piece, SecretName, Template};
use crate::suite::model::{JsonTemplate, Payload, Test};
use crate::target::Target;

/// The content type of a body that is text, where the test names none.
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";
/// The content type of a body that is a JSON value, where the test names none.
pub(crate) const JSON: &str = "application/json";

/// The command. Like the runner, it follows no redirect and uses no proxy.
pub(crate) fn command(test: &Test, target: &Target, bindings: &Bindings, total_ms: u64) -> String {
    let mut command = Command {
        words: Vec::new(),
        bindings,
    };
    for word in ["curl", "-sSi", "--noproxy", "*"] {
        command.plain(word);
    }
    match test.method.as_str() {
        "GET" => {}
        "HEAD" => command.plain("--head"),
        method => {
            command.plain("-X");
            command.plain(method);
        }
    }
    command.plain("--max-time");
    command.plain(&seconds(total_ms));
    if let Some(address) = target.connect_address() {
        command.plain("--connect-to");
        command.plain(&format!("::{address}"));
    }
    for (name, value) in &test.headers {
        command.plain("-H");
        command.words.push(vec![Part::Text(format!("{name}: "))]);
        command.template(&value.value);
    }
    command.body(test);
    command.words.push(vec![Part::Text(target.url())]);
    command.template(&test.path.value);
    command
        .words
        .iter()
        .map(|word| quoted(word))
        .collect::<Vec<_>>()
        .join(" ")
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
    bindings: &'b Bindings,
}

impl Command<'_> {
    fn plain(&mut self, word: &str) {
        self.words.push(vec![Part::Text(word.to_owned())]);
    }

    /// Adds a part to the last word.
    fn part(&mut self, part: Part) {
        if let Some(word) = self.words.last_mut() {
            word.push(part);
        }
    }

    fn body(&mut self, test: &Test) {
        let kind = match &test.body {
            Payload::None => return,
            Payload::Text(_) => TEXT,
            Payload::Json(_) => JSON,
        };
        if !test
            .headers
            .iter()
            .any(|(name, _)| name == http::header::CONTENT_TYPE)
        {
            self.plain("-H");
            self.plain(&format!("content-type: {kind}"));
        }
        self.plain("--data-raw");
        self.words.push(Vec::new());
        match &test.body {
            Payload::None => {}
            Payload::Text(text) => self.template(&text.value),
            Payload::Json(value) => self.json(&value.value),
        }
    }

    fn template(&mut self, template: &Template) {
        self.pieces(template, str::to_owned);
    }

    fn pieces(&mut self, template: &Template, write: impl Fn(&str) -> String) {
        for piece in template.pieces() {
            let part = match piece {
                Piece::Text(text) => Part::Text(write(text)),
                Piece::Variable(name) => Part::Text(write(
                    self.bindings.variables.get(name).map_or("", String::as_str),
                )),
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

    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{command, shell_word};
    use crate::bind::template::Bindings;
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

    #[test]
    fn a_request_is_repeated_with_its_secrets_by_name() {
        let text = br#"{ "tests": [ { "method": "POST", "path": "/pay?v=${release}",
            "headers": { "Authorization": "Bearer ${env:API_TOKEN}", "X-Vault": "${vault:key}" },
            "body": { "note": "it's ${env:PIN}", "list": [1, null, {}], "empty": [] } } ] }"#;
        let suite = Suite::parse("smoke-tests.json", text).expect("a suite");
        let variables = BTreeMap::from([("release".to_owned(), "1.5.0".to_owned())]);
        let bindings = Bindings {
            variables,
            ..Bindings::default()
        };
        let target = Target::parse("https://shop.example.com/v2")
            .expect("a URL")
            .connect_to("127.0.0.1:8443".parse().expect("an address"));
        insta::assert_snapshot!(command(&suite.tests[0], &target, &bindings, 1_500));
    }
}
