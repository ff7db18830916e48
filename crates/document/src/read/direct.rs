//! JSON that is in order, straight to its tree.
//!
//! Nearly every text is in order, and then nobody asks how far the reader had come or what it had
//! read: there is no list of operations in between, and places are counted along the way. At the
//! first thing that is not in order this reader gives up without saying why, and the other one reads
//! the text again and says it.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{Limits, Member, Node, Number, Position, Span, Value};

/// The tree; `None` if anything at all is not in order, or over a limit.
pub(super) fn read(text: &str, limits: &Limits) -> Option<Node> {
    let mut reader = Reader {
        text,
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        before_line: 0,
        nodes_left: limits.nodes_max,
        items: Vec::new(),
        members: Vec::new(),
    };
    reader.skip_space();
    let root = reader.value(limits.depth_max)?;
    reader.skip_space();
    (reader.at == text.len()).then_some(root)
}

/// In a mapping with more members than this, keys are put in order to find one that is there twice.
const FEW: usize = 16;

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    line: u32,
    /// So many bytes lie before the line's first character, or are no character of their own in it.
    before_line: usize,
    nodes_left: usize,
    /// Items of lists that have not ended, inner ones last.
    items: Vec<Node>,
    /// Members of mappings that have not ended, inner ones last.
    members: Vec<Member>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn skip_space(&mut self) {
        loop {
            match self.peek() {
                Some(b'\n') => {
                    self.at += 1;
                    self.before_line = self.at;
                    self.line = self.line.saturating_add(1);
                }
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                _ => return,
            }
        }
    }

    fn position(&self) -> Position {
        let column = self.at - self.before_line + 1;
        Position {
            line: self.line,
            column: u32::try_from(column).unwrap_or(u32::MAX),
        }
    }

    /// From a place to here.
    fn since(&self, (start, at): (Position, usize)) -> Span {
        Span {
            start,
            end: self.position(),
            bytes: at..self.at,
        }
    }

    /// A value, with at most so many lists and mappings inside each other.
    fn value(&mut self, depth: usize) -> Option<Node> {
        self.nodes_left = self.nodes_left.checked_sub(1)?;
        let start = (self.position(), self.at);
        let value = match self.peek()? {
            b'"' => Value::String(self.string()?),
            b'{' => Value::Object(self.object(depth.checked_sub(1)?)?),
            b'[' => Value::Array(self.array(depth.checked_sub(1)?)?),
            b'-' | b'0'..=b'9' => Value::Number(self.number()?),
            _ => self.word()?,
        };
        let span = self.since(start);
        Some(Node { value, span })
    }

    fn array(&mut self, depth: usize) -> Option<Vec<Node>> {
        let first = self.items.len();
        self.at += 1;
        self.skip_space();
        if self.take(b']').is_some() {
            return Some(Vec::new());
        }
        loop {
            let item = self.value(depth)?;
            self.items.push(item);
            self.skip_space();
            if self.take(b']').is_some() {
                return Some(self.items.drain(first..).collect());
            }
            self.take(b',')?;
            self.skip_space();
        }
    }

    fn object(&mut self, depth: usize) -> Option<Vec<Member>> {
        let first = self.members.len();
        self.at += 1;
        self.skip_space();
        if self.take(b'}').is_some() {
            return Some(Vec::new());
        }
        loop {
            let start = (self.position(), self.at);
            let key = self.string()?;
            let key_span = self.since(start);
            self.skip_space();
            self.take(b':')?;
            self.skip_space();
            let value = self.value(depth)?;
            self.members.push(Member {
                key,
                key_span,
                value,
            });
            self.skip_space();
            if self.take(b'}').is_some() {
                is_unique(self.members.get(first..)?).then_some(())?;
                return Some(self.members.drain(first..).collect());
            }
            self.take(b',')?;
            self.skip_space();
        }
    }

    fn word(&mut self) -> Option<Value> {
        let rest = self.bytes.get(self.at..)?;
        let words = [
            (&b"null"[..], Value::Null),
            (b"true", Value::Bool(true)),
            (b"false", Value::Bool(false)),
        ];
        // What would go on after it is no comma and no bracket.
        let (word, value) = words.into_iter().find(|(word, _)| rest.starts_with(word))?;
        self.at += word.len();
        Some(value)
    }

    fn number(&mut self) -> Option<Number> {
        let start = self.at;
        let _ = self.take(b'-');
        let leading_zero = self.peek() == Some(b'0');
        let whole = self.digits();
        let mut is_whole = true;
        if whole == 0 || leading_zero && whole > 1 {
            return None;
        }
        if self.take(b'.').is_some() {
            is_whole = false;
            (self.digits() > 0).then_some(())?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            is_whole = false;
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            (self.digits() > 0).then_some(())?;
        }
        let text = self.text.get(start..self.at)?;
        if is_whole {
            Number::integer(text)
        } else {
            Number::float(text)
        }
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        self.at - start
    }

    /// A text in double quotes.
    fn string(&mut self) -> Option<String> {
        let quote = self.at;
        self.take(b'"')?;
        let (mut has_escapes, mut is_ascii) = (false, true);
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    self.at += 1;
                }
                0..0x20 => return None,
                _ => is_ascii &= byte.is_ascii(),
            }
        }
        let written = self.text.get(quote..self.at)?;
        if !is_ascii {
            let inner = written.bytes().filter(|byte| (0x80..0xc0).contains(byte));
            self.before_line += inner.count();
        }
        if !has_escapes {
            return Some(written.get(1..written.len() - 1)?.into());
        }
        let text: String = serde_json::from_str(written).ok()?;
        (!text.contains('\0')).then_some(text)
    }
}

fn is_unique(members: &[Member]) -> bool {
    if members.len() <= FEW {
        let mut rest = members;
        while let Some((first, after)) = rest.split_first() {
            if after.iter().any(|member| member.key == first.key) {
                return false;
            }
            rest = after;
        }
        return true;
    }
    let mut keys = BTreeSet::new();
    members.iter().all(|member| keys.insert(&*member.key))
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::Limits;
    use crate::lines::LineIndex;
    use crate::read::{build, json, sink::Sink};
    use proptest::prelude::*;

    /// Both readers, on one text. What the other one finds fault with this one gives up.
    fn check(text: &str, limits: &Limits) -> Result<bool, TestCaseError> {
        let lines = LineIndex::new(text);
        let mut sink = Sink::new(text, &lines, limits);
        let done = json::read(text, &mut sink);
        let (ops, mut findings) = sink.into_parts();
        let slow = build::tree(ops, &mut findings).filter(|_| done.is_ok() && findings.is_empty());
        let direct = read(text, limits);
        prop_assert_eq!(&direct, &slow, "{}", text);
        Ok(direct.is_some())
    }

    fn limits(depth_max: usize, nodes_max: usize) -> Limits {
        Limits {
            depth_max,
            nodes_max,
            ..Limits::default()
        }
    }

    #[test]
    fn what_is_in_order_and_what_is_not() {
        for (text, is_fine) in [
            ("{}", true),
            (" [ ] ", true),
            ("{\"a\": [1, -0, 2.5e-3, true, false, null, \"\"]}\n", true),
            (
                "{\r\n  \"\u{e4}\u{1f600}\": \"\u{20ac}\", \"b\": 1\n}",
                true,
            ),
            (r#"["\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00"]"#, true),
            ("7", true),
            ("", false),
            ("{\"a\": 1, \"a\": 2}", false),
            (r#"["\u0000"]"#, false),
            (r#"["\ud83d"]"#, false),
            (r#"["\x"]"#, false),
            ("[1,]", false),
            ("[1 2]", false),
            ("{\"a\" 1}", false),
            ("{a: 1}", false),
            ("[01]", false),
            ("[1.]", false),
            ("[1e400]", false),
            ("[99999999999999999999]", false),
            ("[truex]", false),
            ("[\"\n\"]", false),
            ("[\"open]", false),
            ("\"\\", false),
            ("[1] 2", false),
            ("[", false),
        ] {
            assert_eq!(
                check(text, &limits(64, 1000)).expect("both are the same"),
                is_fine,
                "{text}"
            );
        }
    }

    #[test]
    fn limits_are_the_same() {
        for depth in 0..5 {
            for nodes in 0..6 {
                check("[[[{\"a\": 1}]]]", &limits(depth, nodes)).expect("both are the same");
            }
        }
    }

    #[test]
    fn a_key_that_is_there_twice_among_many() {
        let keys = |last: usize| -> alloc::string::String {
            let members = (0..40)
                .chain([last])
                .map(|at| alloc::format!("\"k{at}\": {at}"));
            let members: alloc::vec::Vec<_> = members.collect();
            alloc::format!("{{{}}}", members.join(", "))
        };
        let limits = limits(64, 1000);
        assert!(check(&keys(40), &limits).expect("both are the same"));
        assert!(!check(&keys(17), &limits).expect("both are the same"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_by_the_other_reader(
            text in r#"(\[|\]|\{|\}|"|,|:|"a":|"b" : |1|-0|0|\.5|e3|true|null| |\n|\r\n|é|😀|\\n|\\u00e9|\\|x){0,24}"#,
            depth in 0..6_usize,
        ) {
            check(&text, &limits(depth, 12))?;
        }

        #[test]
        fn json_is_read_as_by_the_other_reader(
            keys in proptest::collection::vec("[a-c\u{e9}]{0,2}", 0..30),
            texts in proptest::collection::vec(any::<alloc::string::String>(), 0..5),
            number: f64,
            whole: i64,
            is_pretty: bool,
        ) {
            let inner = serde_json::json!([texts, number, whole, null, {"x": [], "y": {}}]);
            let map: serde_json::Map<_, _> = keys.into_iter().map(|key| (key, inner.clone())).collect();
            let json = serde_json::Value::from(map);
            let text = if is_pretty { serde_json::to_string_pretty(&json) } else { serde_json::to_string(&json) };
            check(&text.expect("JSON"), &limits(64, 10_000))?;
        }
    }
}
