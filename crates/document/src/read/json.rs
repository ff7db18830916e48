//! Strict JSON (RFC 8259).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::sink::{Fatal, Sink};
use crate::rules::{EMPTY, NUMBER, SYNTAX};
use crate::{Number, Value, text::shown};

pub(super) fn read(text: &str, sink: &mut Sink<'_>) -> Result<(), Fatal> {
    let mut reader = Reader {
        sink,
        text,
        at: 0,
        open: Vec::new(),
    };
    reader.skip_space();
    if reader.at == text.len() {
        let message = "the document is empty";
        return Err(reader
            .sink
            .finding(EMPTY, 0..0, message, "write something into it"));
    }
    reader.document()?;
    reader.skip_space();
    if reader.at < text.len() {
        return Err(reader.unexpected("the end of the document"));
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Array,
    Object,
}

struct Reader<'r, 'a, 't> {
    sink: &'r mut Sink<'a>,
    text: &'t str,
    at: usize,
    open: Vec<Container>,
}

impl Reader<'_, '_, '_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn error(&self, from: usize, message: impl Into<String>, help: &str) -> Fatal {
        let next = self.text[from..].chars().next().map_or(0, char::len_utf8);
        self.sink.finding(SYNTAX, from..from + next, message, help)
    }

    fn unexpected(&self, expected: &str) -> Fatal {
        let (found, help) = match self.text[self.at..].chars().next() {
            None => (String::from("the end of the text"), "add what is missing"),
            Some('\'') => (
                String::from("a single quote"),
                "JSON has double quotes only",
            ),
            Some('/' | '#') => (String::from("a comment"), "JSON has no comments; remove it"),
            Some(other) => (
                format!("`{other}`"),
                "write strict JSON, or YAML in a file with another extension that does not \
                 begin with `{`",
            ),
        };
        let message = format!("not valid JSON: expected {expected}, found {found}");
        self.error(self.at, message, help)
    }

    fn document(&mut self) -> Result<(), Fatal> {
        loop {
            let began = self.value()?;
            if began {
                continue;
            }
            loop {
                let Some(container) = self.open.last().copied() else {
                    return Ok(());
                };
                self.skip_space();
                let close = match container {
                    Container::Array => b']',
                    Container::Object => b'}',
                };
                match self.peek() {
                    Some(b',') => {
                        self.at += 1;
                        self.skip_space();
                        if self.peek() == Some(close) {
                            let message = "not valid JSON: a comma before the closing bracket";
                            return Err(self.error(self.at - 1, message, "remove the comma"));
                        }
                        if container == Container::Object {
                            self.key()?;
                        }
                        break;
                    }
                    Some(byte) if byte == close => self.close(),
                    _ => {
                        let close = char::from(close);
                        return Err(self.unexpected(&format!("`,` or `{close}`")));
                    }
                }
            }
        }
    }

    fn close(&mut self) {
        self.at += 1;
        self.open.pop();
        self.sink.end(self.at);
    }

    /// Reads one value, or the beginning of a list or mapping that has a first value to read next;
    /// true in that case.
    fn value(&mut self) -> Result<bool, Fatal> {
        self.skip_space();
        let start = self.at;
        match self.peek() {
            Some(b'{') => {
                self.sink.start_object(start..start + 1)?;
                self.at += 1;
                self.open.push(Container::Object);
                self.skip_space();
                if self.peek() == Some(b'}') {
                    self.close();
                    return Ok(false);
                }
                self.key()?;
                Ok(true)
            }
            Some(b'[') => {
                self.sink.start_array(start..start + 1)?;
                self.at += 1;
                self.open.push(Container::Array);
                self.skip_space();
                if self.peek() == Some(b']') {
                    self.close();
                    return Ok(false);
                }
                Ok(true)
            }
            Some(b'"') => {
                let text = self.string()?;
                self.sink.scalar(Value::String(text), start..self.at)?;
                Ok(false)
            }
            Some(b'-' | b'0'..=b'9') => {
                let value = self.number()?;
                self.sink.scalar(value, start..self.at)?;
                Ok(false)
            }
            _ => {
                let value = self.word()?;
                self.sink.scalar(value, start..self.at)?;
                Ok(false)
            }
        }
    }

    fn word(&mut self) -> Result<Value, Fatal> {
        let words = [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
        ];
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(rest.len());
        for (word, value) in words {
            if &rest[..end] == word {
                self.at += end;
                return Ok(value);
            }
        }
        Err(self.unexpected("a value"))
    }

    fn key(&mut self) -> Result<(), Fatal> {
        self.skip_space();
        let start = self.at;
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("a key in double quotes"));
        }
        let key = self.string()?;
        self.sink.key(key, start..self.at);
        self.skip_space();
        if self.peek() != Some(b':') {
            return Err(self.unexpected("`:`"));
        }
        self.at += 1;
        Ok(())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    fn number(&mut self) -> Result<Value, Fatal> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        if whole == 0 {
            return Err(self.unexpected("a digit"));
        }
        if leading_zero && whole > 1 {
            let message = "not valid JSON: a number with leading zeros";
            return Err(self.error(start, message, "remove the zeros, or put it in quotes"));
        }
        let mut integer = true;
        if self.peek() == Some(b'.') {
            integer = false;
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.unexpected("a digit"));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            integer = false;
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.unexpected("a digit"));
            }
        }
        let text = &self.text[start..self.at];
        let number = if integer {
            Number::integer(text)
        } else {
            Number::float(text)
        };
        number.map(Value::Number).ok_or_else(|| {
            let message = format!(
                "`{}` is a number that does not fit into 64 bits",
                shown(text)
            );
            let help = "put it in quotes if it is text";
            self.sink.finding(NUMBER, start..self.at, message, help)
        })
    }

    /// A text in double quotes, from its first quote.
    fn string(&mut self) -> Result<String, Fatal> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let rest = &self.text[self.at..];
            // All of them are ASCII, and no part of another character.
            let ends = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
            let Some(end) = rest.as_bytes().iter().position(ends) else {
                let message = "not valid JSON: the text in quotes does not end";
                return Err(self.error(start, message, "add the closing quote"));
            };
            out.push_str(&rest[..end]);
            self.at += end;
            match rest.as_bytes()[end] {
                b'"' => {
                    self.at += 1;
                    return Ok(out);
                }
                b'\\' => out.push(self.escape()?),
                _ => {
                    let message = "not valid JSON: a line break or tab inside quotes";
                    return Err(self.error(self.at, message, "write it as `\\n` or `\\t`"));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fatal> {
        let start = self.at;
        self.at += 2;
        let escaped = match self.text.as_bytes().get(start + 1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                return self.unicode_escape().ok_or_else(|| {
                    let message = "not valid JSON: a broken `\\u` escape";
                    let help = "write `\\u` and four hexadecimal digits, characters above \
                                U+FFFF as a pair of surrogates";
                    self.error(start, message, help)
                });
            }
            _ => {
                let message = "not valid JSON: an unknown escape";
                return Err(self.error(start, message, "write a backslash itself as `\\\\`"));
            }
        };
        Ok(escaped)
    }

    /// What follows `\u`.
    fn unicode_escape(&mut self) -> Option<char> {
        let first = self.four_digits()?;
        if !(0xd800..0xe000).contains(&first) {
            return char::from_u32(first);
        }
        if !self.text[self.at..].starts_with("\\u") {
            return None;
        }
        self.at += 2;
        let second = self.four_digits()?;
        let units = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
        char::decode_utf16(units).next()?.ok()
    }

    fn four_digits(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}
