//! What holds of every input.

use nonevent_document::{
    Digest, Document, DurationMs, Limits, Node, Percent, Redactor, Secret, Span, Timestamp, Value,
    canonical_json, format_duration_ms, parse_duration_ms, to_yaml,
};
use proptest::prelude::{
    Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use proptest::test_runner::Config;
use serde::Deserialize;
use serde_json::Value as Json;

/// A shape with an instance of everything that a decoder does.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only the decoding counts")]
struct Anything {
    a: Option<DurationMs>,
    b: Vec<Percent>,
    #[serde(default)]
    c: std::collections::BTreeMap<u8, Timestamp>,
    #[serde(flatten)]
    rest: std::collections::BTreeMap<String, Json>,
}

fn read(name: &str, bytes: &[u8]) -> Result<Document, nonevent_document::Findings> {
    Document::parse(name, bytes, &Limits::default())
}

/// Reads, decodes and renders whatever comes of it.
fn exercise(bytes: &[u8]) {
    for name in ["x.yaml", "x.json"] {
        match read(name, bytes) {
            Ok(document) => {
                if let Err(findings) = document.decode::<Anything>() {
                    assert!(!findings.render(name, document.text(), false).is_empty());
                }
                let json = document.root().to_json();
                let again = read("again.yaml", to_yaml(&json).expect("a tree").as_bytes());
                assert_eq!(again.map(|again| again.root().to_json()), Ok(json));
            }
            Err(findings) => {
                assert!(findings.has_errors());
                let text = String::from_utf8_lossy(bytes);
                assert!(!findings.render(name, &text, true).is_empty());
                for finding in &findings {
                    assert!(finding.message.len() < 400 && finding.help.len() < 400);
                }
            }
        }
    }
}

/// YAML and JSON that is nearly right.
fn soup() -> impl Strategy<Value = String> {
    let pieces = [
        "a",
        "b: ",
        "- ",
        "\n",
        "\n  ",
        "\n    ",
        "[",
        "]",
        "{",
        "}",
        ",",
        ": ",
        ":",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "&x ",
        "*x",
        "!t ",
        "# c",
        "---\n",
        "...\n",
        "%YAML 1.2\n",
        "\t",
        "0x1",
        "01",
        "1e9",
        "-",
        "?",
        "~",
        "<<",
        "\\",
        "\\u00e9",
        "\u{e9}",
        "\u{1f600}",
        "\u{feff}",
        "\u{85}",
        "\u{2028}",
        "\r\n",
        "\r",
        "true",
        " ",
        "\u{0}",
        "@",
        "`",
        "%",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..40).prop_map(|all| all.concat())
}

/// A text that YAML could take for something else.
fn text() -> impl Strategy<Value = String> {
    let traps = [
        "",
        "~",
        "null",
        "yes",
        "on",
        "true",
        "0x10",
        "010",
        "0o7",
        "1e3",
        ".5",
        "+1",
        "-",
        "- a",
        "a: b",
        "#",
        "a #b",
        "<<",
        "=",
        "!x",
        "&x",
        "*x",
        "%",
        "@",
        "`",
        "|",
        ">",
        "---",
        "...",
        "a\nb",
        "a\n",
        "\na",
        " a",
        "a ",
        "\ta",
        "a\t\n b",
        "\"",
        "'",
        "\\",
        "\u{7f}",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\r",
        "a\r\nb",
        "2026-01-05",
        "1:30",
        ".inf",
        "[",
        "{a: b}",
        "12e03",
        "1_000",
        "?",
        "? a",
        ":",
        "a:",
        ":a",
        "-1",
        "--- a",
        "\n\n",
        " \n",
        "a\n\n  b\n c\n",
    ];
    prop_oneof![
        2 => prop::sample::select(traps.to_vec()).prop_map(String::from),
        1 => any::<String>().prop_map(|text| text.replace('\0', "")),
        1 => "[ -~\n]{0,12}",
    ]
}

/// Numbers that JSON readers agree on: integers up to 2^53 - 1, and doubles that are no integers.
fn number() -> impl Strategy<Value = Json> {
    let exact = (1_i64 << 53) - 1;
    let float = any::<f64>().prop_filter("finite, not an integer", |f| {
        f.is_finite() && f.fract() != 0.0
    });
    prop_oneof![
        (-exact..=exact).prop_map(Json::from),
        float.prop_map(Json::from)
    ]
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        number(),
        text().prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::btree_map(text(), inner, 0..6).prop_map(|members| members
                .into_iter()
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(512) })]

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        exercise(&bytes);
    }

    #[test]
    fn nothing_nearly_right_makes_it_panic(text in soup()) {
        exercise(text.as_bytes());
        exercise(format!("{{\"a\": {text}").as_bytes());
    }

    #[test]
    fn canonical_json_is_a_fixed_point(value in json()) {
        let canonical = canonical_json(&value).unwrap();
        let document = read("x.json", canonical.as_bytes()).unwrap();
        prop_assert_eq!(document.root().to_json(), value);
        prop_assert_eq!(canonical_json(&document.root().to_json()).unwrap(), canonical);
    }

    #[test]
    fn canonical_doubles_read_back_exactly(bits in any::<u64>()) {
        let double = f64::from_bits(bits);
        if double.is_finite() {
            let text = canonical_json(&double).unwrap();
            let read: f64 = text.parse().unwrap();
            prop_assert!(read == double, "{}", text);
        } else {
            prop_assert!(canonical_json(&double).is_err());
        }
    }

    #[test]
    fn yaml_reads_back_as_it_was_written(value in json()) {
        let yaml = to_yaml(&value).unwrap();
        let document = read("x.yaml", yaml.as_bytes());
        prop_assert_eq!(document.map(|d| d.root().to_json()), Ok(value), "{}", yaml);
    }

    #[test]
    fn times_durations_percentages_and_digests_read_back(ms in any::<i64>(), length in any::<u64>(), bytes in any::<[u8; 32]>()) {
        let at = Timestamp::from_unix_ms(ms);
        prop_assert_eq!(at.to_string().parse(), Ok(at));
        prop_assert_eq!(parse_duration_ms(&format_duration_ms(length)), Ok(length));
        prop_assert_eq!(parse_duration_ms(&DurationMs(length).to_string()), Ok(length));
        assert!(DurationMs(length).to_string().len() <= format!("{length}ms").len());
        let digest = Digest::from_bytes(bytes);
        prop_assert_eq!(digest.to_string().parse(), Ok(digest));
    }

    #[test]
    fn no_text_makes_a_small_parser_panic(text in any::<String>()) {
        let _ = text.parse::<Timestamp>();
        let _ = text.parse::<Percent>();
        let _ = text.parse::<Digest>();
        let _ = parse_duration_ms(&text);
    }

    #[test]
    fn times_keep_their_order_as_text(a in 0_i64..253_402_300_800_000, b in 0_i64..253_402_300_800_000) {
        let (a, b) = (Timestamp::from_unix_ms(a - a % 1000), Timestamp::from_unix_ms(b - b % 1000));
        prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
    }
}

/// Every way in which a secret could stand in a text.
fn encodings(secret: &str) -> Vec<String> {
    let percent = |keep: fn(&u8) -> bool, upper: bool| {
        secret
            .bytes()
            .map(|byte| match byte {
                byte if keep(&byte) => char::from(byte).to_string(),
                byte if upper => format!("%{byte:02X}"),
                byte => format!("%{byte:02x}"),
            })
            .collect::<String>()
    };
    let json = serde_json::to_string(secret).expect("a text");
    let mut all = vec![
        secret.to_owned(),
        percent(u8::is_ascii_alphanumeric, true),
        percent(u8::is_ascii_alphanumeric, false),
        percent(|_| false, true),
        percent(u8::is_ascii_alphanumeric, true).replace("%20", "+"),
        json[1..json.len() - 1].to_owned(),
        json[1..json.len() - 1].replace('/', "\\/"),
        secret
            .encode_utf16()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect(),
        secret
            .replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
            .replace('"', "&quot;")
            .replace('\'', "&#39;"),
        secret
            .replace('&', "&#38;")
            .replace('<', "&#x3C;")
            .replace('"', "&#34;")
            .replace('\'', "&apos;"),
        secret
            .chars()
            .map(|c| format!("&#x{:x};", u32::from(c)))
            .collect(),
    ];
    if secret.len() >= 3 {
        for before in ["", "u", "us"] {
            let whole = base64(format!("{before}{secret}t").as_bytes());
            // What stands before and after is no part of the secret; the rest must be masked.
            all.push(whole.replace('+', "-").replace('/', "_"));
            all.push(whole);
        }
    }
    all
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks(3).map(|chunk| {
        let word = chunk
            .iter()
            .fold(0_usize, |word, byte| word << 8 | usize::from(*byte));
        let word = word << (8 * (3 - chunk.len()));
        (0..=chunk.len())
            .map(|n| char::from(ALPHABET[word >> (18 - 6 * n) & 63]))
            .collect::<String>()
    });
    groups.collect()
}

fn secret() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -~]{4,24}",
        "[%+&\\\\/\"'<> ;#25x]{4,12}",
        "[a-z\u{e9}\u{20ac}\u{1f600}\n]{3,10}",
    ]
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(256) })]

    #[test]
    fn no_encoding_of_a_secret_is_left(secret in secret(), other in secret()) {
        let mut redactor = Redactor::default();
        redactor.add(&Secret::new(secret.clone()));
        redactor.add(&Secret::new(other));
        for encoded in encodings(&secret) {
            let text = format!("[{encoded}]");
            let shown = redactor.apply(&text);
            prop_assert!(!shown.contains(&encoded), "{} is left of {:?}", shown, secret);
            // The brackets may stay, and in base64 what only `us` before and `t` after decide.
            let left = shown.replace("***", "");
            prop_assert!(left.len() <= 2 + 2 + 2, "{:?} is left of {:?} as {}", left, secret, encoded);
        }
    }

    #[test]
    fn a_text_without_secrets_is_left_alone(text in "[a-m .%&\\\\+]{0,40}") {
        let mut redactor = Redactor::default();
        redactor.add(&Secret::new("nopqrstuv"));
        redactor.add(&Secret::new(""));
        let shown = redactor.apply(&text);
        prop_assert!(matches!(shown, std::borrow::Cow::Borrowed(same) if same == text));
    }
}

/// Every place lies in the text, and its line and column are those of its bytes.
fn check_places(document: &Document, node: &Node) {
    let text = document.text();
    let check = |span: &Span| {
        let before = &text[..span.bytes.start];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        assert_eq!(
            (span.start.line as usize, span.start.column as usize),
            (line, column)
        );
        assert!(text.get(span.bytes.clone()).is_some(), "{span:?}");
    };
    check(&node.span);
    let written = &text[node.span.bytes.clone()];
    match &node.value {
        Value::Array(items) => items.iter().for_each(|item| check_places(document, item)),
        Value::Object(members) => {
            for member in members {
                check(&member.key_span);
                check_places(document, &member.value);
            }
        }
        Value::Bool(value) => assert_eq!(written.to_lowercase(), value.to_string()),
        Value::Number(number) => assert_eq!(written.parse(), Ok(number.as_f64())),
        // Quoted and folded texts are written differently from what they mean.
        Value::String(value)
            if !value.contains('\n')
                && !written.contains(['"', '\'', '\\', '|', '>', '\n', '\r', '\u{feff}']) =>
        {
            assert_eq!(written, value.trim_end_matches([' ', '\t']));
        }
        Value::String(_) | Value::Null => {}
    }
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(512) })]

    #[test]
    fn places_are_those_of_the_text(text in soup(), value in json()) {
        let yaml = to_yaml(&value).unwrap();
        let json = serde_json::to_string_pretty(&value).unwrap();
        for (name, text) in [("x.yaml", &text), ("x.yaml", &yaml), ("x.json", &json)] {
            if let Ok(document) = read(name, text.as_bytes()) {
                check_places(&document, document.root());
            }
        }
    }
}
