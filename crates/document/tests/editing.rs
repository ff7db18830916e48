//! Changes of values as edits of the text: what is edited, what stays, and what is refused.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use nonevent_document::{Change, Document, EditError, EditErrorKind, Limits, edited};
use proptest::prelude::*;
use serde_json::{Value, json};

fn read(name: &str, text: &str) -> Document {
    Document::parse(name, text.as_bytes(), &Limits::default()).unwrap()
}

fn change(name: &str, text: &str, changes: &[(&str, Value)]) -> Result<String, EditError> {
    let changes: Vec<Change> = changes
        .iter()
        .map(|(path, value)| Change::new(*path, value.clone()))
        .collect();
    let document = read(name, text);
    let edits = document.edits(&changes)?;
    Ok(edited(document.text(), &edits))
}

/// A text, a path in it, the value it is to have, and the text that says so.
type Case = (&'static str, &'static str, Value, &'static str);

fn in_json() -> Vec<Case> {
    let rule = json!({"if": [true, "on"]});
    vec![
        // JSON.
        (
            "{\"a\":1 , \"b\":2}",
            "a",
            json!(10),
            "{\"a\":10 , \"b\":2}",
        ),
        ("{\"a\":{}}", "a.b", json!("x"), "{\"a\":{\"b\": \"x\"}}"),
        ("{\"a\":1}", "b", json!([1]), "{\"a\":1, \"b\": [1]}"),
        (
            "{\n\t\"a\": 1\n}\n",
            "b",
            rule.clone(),
            "{\n\t\"a\": 1,\n\t\"b\": {\"if\": [true, \"on\"]}\n}\n",
        ),
        (
            "{\r\n  \"a\": {\"x\": [1, 2]}\r\n}",
            "b",
            json!(null),
            "{\r\n  \"a\": {\"x\": [1, 2]},\r\n  \"b\": null\r\n}",
        ),
    ]
}

fn replacements() -> Vec<Case> {
    let rule = json!({"if": [true, "on"]});
    vec![
        // Scalars of YAML, with comments and quotes.
        (
            "a: x # why\nb: 'y'\n",
            "a",
            json!("z"),
            "a: z # why\nb: 'y'\n",
        ),
        (
            "a: x # why\nb: 'y'\n",
            "b",
            json!("it's"),
            "a: x # why\nb: 'it''s'\n",
        ),
        ("a: x\n", "a", json!("on"), "a: \"on\"\n"),
        ("a: x\n", "a", json!("1.0"), "a: \"1.0\"\n"),
        ("a: 5\n", "a", json!("z"), "a: \"z\"\n"),
        ("a: \"x\"\n", "a", json!(5.5), "a: 5.5\n"),
        ("a: 'x'\n", "a", json!("two\nlines"), "a: \"two\\nlines\"\n"),
        (
            "a:   # later\nb: 1\n",
            "a",
            json!(2),
            "a: 2   # later\nb: 1\n",
        ),
        ("a: |\n  x\nb: 1\n", "a", json!("z"), "a: \"z\"\nb: 1\n"),
        // Lists and mappings of YAML.
        (
            "a:\n  - 1 # one\n  - 2\nb: 1\n",
            "a[1]",
            json!(3),
            "a:\n  - 1 # one\n  - 3\nb: 1\n",
        ),
        (
            "a:\n  x: 1\n  y:\n    - 2\n# end\nb: 1\n",
            "a",
            rule.clone(),
            "a: {\"if\": [true, \"on\"]}\n# end\nb: 1\n",
        ),
        ("a:\n- 1\n- 2\nb: 1\n", "a", json!([3]), "a: [3]\nb: 1\n"),
        (
            "a: # who\n  x: 1\n",
            "a",
            json!({"y": 2}),
            "a: # who\n  {\"y\": 2}\n",
        ),
        (
            "a: {x: 1, y: 2}\n",
            "a.z",
            json!(3),
            "a: {x: 1, y: 2, z: 3}\n",
        ),
        ("a: {'x': 1}\n", "a.z", json!(3), "a: {'x': 1, \"z\": 3}\n"),
        ("a: {}\n", "a.z", json!(3), "a: {z: 3}\n"),
        ("a: 'x'   # why\n", "a", json!("z"), "a: 'z'   # why\n"),
        ("a: \"\\\"x\" # why\n", "a", json!("z"), "a: \"z\" # why\n"),
        ("a: 'it''s' # '\n", "a", json!("z"), "a: 'z' # '\n"),
        (
            "a: [\"x\" , 1] # why\n",
            "a[0]",
            json!("z"),
            "a: [\"z\" , 1] # why\n",
        ),
        (
            "a: |\n  x\n# why\nb: 1\n",
            "a",
            json!("z"),
            "a: \"z\"\n# why\nb: 1\n",
        ),
        ("a: {x: 'y'} # why\n", "a", json!(1), "a: 1 # why\n"),
        (
            "a:\n  x: 'y' # why\n# more\n",
            "a",
            json!(1),
            "a: 1 # why\n# more\n",
        ),
    ]
}

fn additions() -> Vec<Case> {
    vec![
        // New members.
        (
            "a:\n  x: 1 # one\n\n  # of y\n  y:\n    - 2\nb: 1\n",
            "a.z",
            json!(true),
            "a:\n  x: 1 # one\n  z: true\n\n  # of y\n  y:\n    - 2\nb: 1\n",
        ),
        (
            "- x:\n    - 1\n- y: 1",
            "[0].z",
            json!(2),
            "- z: 2\n  x:\n    - 1\n- y: 1",
        ),
        (
            "- x:\n    - 1\n- y: 1",
            "[1].z",
            json!(2),
            "- x:\n    - 1\n- y: 1\n  z: 2",
        ),
        ("a: 1\r\n", "b", json!("x"), "a: 1\r\nb: \"x\"\r\n"),
        ("a: 1\n", "on", json!(2), "a: 1\n\"on\": 2\n"),
        (
            "\u{e4}: {b: \"\u{1f600}\"} # \u{20ac}\n",
            "\u{e4}.b",
            json!("\u{20ac}"),
            "\u{e4}: {b: \"\u{20ac}\"} # \u{20ac}\n",
        ),
        // An anchor that nothing uses.
        ("a: &x 1\n", "a", json!(2), "a: &x 2\n"),
    ]
}

#[test]
fn only_what_changes_is_touched() {
    for (text, path, value, expected) in [in_json(), replacements(), additions()].concat() {
        let name = if text.starts_with('{') {
            "x.json"
        } else {
            "x.yaml"
        };
        let found = change(name, text, &[(path, value.clone())]);
        assert_eq!(found.as_deref(), Ok(expected), "{path} of {text}");
        // Once made it is no change.
        let document = read(name, expected);
        let again = document.edits(&[Change::new(path, value)]);
        assert_eq!(again, Ok(vec![]), "{path} of {expected}");
    }
}

#[test]
fn several_changes_are_made_at_once() {
    let text = "f:\n  a: {}   # none\n  b: 2\n  c: [1]\n";
    let changes = [
        ("f.c[0]", json!(7)),
        ("f.a.x", json!(1)),
        ("f.d", json!(4)),
        ("f.a.y", json!(2)),
        ("f.e", json!(5)),
        ("f.b", json!(3)),
    ];
    assert_eq!(
        change("x.yaml", text, &changes).as_deref(),
        Ok("f:\n  a: {x: 1, \"y\": 2}   # none\n  b: 3\n  c: [7]\n  d: 4\n  e: 5\n")
    );
}

#[test]
fn what_cannot_be_edited_is_refused() {
    let kind = |text: &str, path: &str| {
        change("x.yaml", text, &[(path, json!(9))])
            .unwrap_err()
            .kind()
    };
    for path in ["a.b.c", "a[0]", "x.y", "[0]", "..", "a[", "l[2]"] {
        assert_eq!(
            kind("a: 1\nl: [1, 2]\n", path),
            EditErrorKind::NoPlace,
            "{path}"
        );
    }
    let shared = "a: &x {v: 1}\nb: *x\nc: [&y 1, *y]\n";
    for path in ["b", "b.v", "a.v", "c[0]", "c[1]"] {
        assert_eq!(kind(shared, path), EditErrorKind::Alias, "{path}");
    }
    let both = [("a", json!(1)), ("a.b", json!(2))];
    let found = change("x.yaml", "a: {b: 1}\n", &both).unwrap_err();
    assert_eq!(found.kind(), EditErrorKind::Overlap);
    let strange = change("x.yaml", "? a\n: 1\n", &[("b", json!(1))]);
    assert!(strange.is_ok() || strange.unwrap_err().kind() == EditErrorKind::Form);

    let error = change("x.yaml", shared, &[("b.v", json!(9))]).unwrap_err();
    let finding = error.finding(nonevent_document::Code::new("NE9001"));
    assert_eq!(finding.at.unwrap().to_string(), "2:1");
    assert!(
        error
            .to_string()
            .starts_with("b.v 2:1: the value is shared"),
        "{error}"
    );
}

/// JSON values of a few levels.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[ -~\u{e4}\u{1f600}]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-d]|on|x y", inner, 0..4)
                .prop_map(|map| Value::from(map.into_iter().collect::<serde_json::Map<_, _>>())),
        ]
    })
}

/// A YAML text with a comment behind every line that can have one.
fn commented(text: &str) -> String {
    let lines = text.lines().map(|line| match line {
        "" => "\n".to_owned(),
        line => format!("{line} #why\n"),
    });
    let all: String = lines.collect();
    let same = |it: &Document| it.root().to_json() == read("x.yaml", text).root().to_json();
    // Inside a text of several lines it is no comment.
    let read = Document::parse("x.yaml", all.as_bytes(), &Limits::default());
    if read.is_ok_and(|it| same(&it)) {
        all
    } else {
        text.to_owned()
    }
}

/// Every path of a value.
fn paths(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let path = nonevent_document::item_path(path, index);
                found.push(path.clone());
                paths(item, &path, found);
            }
        }
        Value::Object(members) => {
            found.push(nonevent_document::member_path(path, "new"));
            for (key, item) in members {
                let path = nonevent_document::member_path(path, key);
                found.push(path.clone());
                paths(item, &path, found);
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    /// A text that a program wrote can be edited at every place, and nothing else changes.
    #[test]
    fn whatever_is_written_plainly_can_be_edited_anywhere(
        inner in values(),
        new in values(),
        pick in any::<proptest::sample::Index>(),
        form in 0..4_u8,
    ) {
        let value = json!({"f": inner});
        let (name, text) = match form {
            0 => ("x.json", value.to_string()),
            1 => ("x.json", serde_json::to_string_pretty(&value).unwrap()),
            2 => ("x.yaml", nonevent_document::to_yaml(&value).unwrap()),
            _ => ("x.yaml", commented(&nonevent_document::to_yaml(&value).unwrap())),
        };
        let mut all = Vec::new();
        paths(&value, "", &mut all);
        let path = &all[pick.index(all.len())];
        let document = read(name, &text);
        let edits = document.edits(&[Change::new(path.as_str(), new)]);
        let edits = edits.map_err(|error| TestCaseError::fail(format!("{path}: {error} in\n{text}")))?;
        prop_assert!(edits.len() <= 1);
        let is_scalar = document.root().at(path).is_none_or(|it| it.as_array().is_none() && it.as_object().is_none());
        for edit in &edits {
            prop_assert!(!is_scalar || !text[edit.bytes.clone()].contains("#why"), "{path} in\n{text}");
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[a-c:{}\\[\\], \n&*'\"#|>-]{0,40}", path in "[a-c.\\[\\]0-1]{0,6}") {
        if let Ok(document) = Document::parse("x.yaml", text.as_bytes(), &Limits::default()) {
            drop(document.edits(&[Change::new(path, 1)]));
        }
    }
}
