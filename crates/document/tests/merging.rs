//! Trees laid over each other: the results of RFC 7396, the places, and the limits.

#![expect(
    clippy::unwrap_used,
    reason = "clippy knows test functions as tests, and not what they call"
)]

use nonevent_document::{Document, Limits, Node, to_yaml};
use proptest::prelude::*;
use serde_json::{Value, json};

fn document(text: &str) -> Document {
    Document::parse("merge.yaml", text.as_bytes(), &Limits::default()).unwrap()
}

fn node(value: &Value) -> Node {
    document(&json!({ "it": value }).to_string())
        .root()
        .get("it")
        .unwrap()
        .clone()
}

#[test]
fn the_examples_of_the_specification() {
    // RFC 7396, appendix A: original, patch, result.
    let cases = json!([
        [{"a": "b"}, {"a": "c"}, {"a": "c"}],
        [{"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}],
        [{"a": "b"}, {"a": null}, {}],
        [{"a": "b", "b": "c"}, {"a": null}, {"b": "c"}],
        [{"a": ["b"]}, {"a": "c"}, {"a": "c"}],
        [{"a": "c"}, {"a": ["b"]}, {"a": ["b"]}],
        [{"a": {"b": "c"}}, {"a": {"b": "d", "c": null}}, {"a": {"b": "d"}}],
        [{"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}],
        [["a", "b"], ["c", "d"], ["c", "d"]],
        [{"a": "b"}, ["c"], ["c"]],
        [{"a": "foo"}, null, null],
        [{"a": "foo"}, "bar", "bar"],
        [{"e": null}, {"a": 1}, {"e": null, "a": 1}],
        [[1, 2], {"a": "b", "c": null}, {"a": "b"}],
        [{}, {"a": {"bb": {"ccc": null}}}, {"a": {"bb": {}}}],
    ]);
    for case in cases.as_array().unwrap() {
        let merged = node(&case[0]).merged(&node(&case[1]));
        assert_eq!(merged.to_json(), case[2], "{case}");
    }
}

/// RFC 7396, section 2, word for word.
fn merge_patch(target: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut target = target.as_object().cloned().unwrap_or_default();
    for (name, value) in patch {
        if value.is_null() {
            target.remove(name);
        } else {
            let old = target.get(name).cloned().unwrap_or(Value::Null);
            target.insert(name.clone(), merge_patch(&old, value));
        }
    }
    Value::Object(target)
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9..9_i64).prop_map(Value::from),
        "[a-c]{0,2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop::sample::select(vec!["a", "b", "c", "x.y"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(key.prop_map(String::from), inner, 0..4).prop_map(
                |members| members
                    .into_iter()
                    .collect::<serde_json::Map<_, _>>()
                    .into()
            ),
        ]
    })
}

proptest! {
    #[test]
    fn merging_is_what_the_specification_says(base in any_value(), over in any_value()) {
        let (base_node, over_node) = (node(&base), node(&over));
        let most = base_node.count() + over_node.count();
        let deepest = base_node.depth().max(over_node.depth());
        let merged = base_node.merged(&over_node);
        prop_assert_eq!(merged.to_json(), merge_patch(&base, &over));
        // So limits that held for both in one document hold for the result.
        prop_assert!(merged.count() <= most);
        prop_assert!(merged.depth() <= deepest);
        prop_assert_eq!(merged.clone().merged(&over_node).to_json(), merged.to_json());
    }

    #[test]
    fn a_tree_is_written_as_it_was_read(value in any_value()) {
        let yaml = to_yaml(&node(&json!({ "it": value }))).unwrap();
        prop_assert_eq!(document(&yaml).root().to_json(), json!({ "it": value }));
    }
}

#[test]
fn places_are_those_of_what_is_written_there() {
    let text = "\
base:
  fleet: { replicas: 8, drain: 30s }
  steps: [1, 2]
  roles: { sre: 1, qa: 2 }
over:
  fleet: { replicas: 2, zones: { a: 1 } }
  steps: [3]
  roles: { qa: null }
";
    let read = document(text);
    let [base, over] = ["base", "over"].map(|key| read.root().get(key).unwrap().clone());
    let merged = read.with_root(base.merged(&over)).unwrap();
    let places = [
        ("fleet", "2:3"),
        ("fleet.replicas", "6:22"),
        ("fleet.drain", "2:32"),
        ("fleet.zones", "6:25"),
        ("fleet.zones.a", "6:37"),
        ("steps", "7:3"),
        ("steps[0]", "7:11"),
        ("roles", "8:3"),
        ("roles.sre", "4:17"),
    ];
    for (path, at) in places {
        assert_eq!(merged.locate(path).unwrap().to_string(), at, "{path}");
    }
    assert_eq!(merged.locate("roles.qa"), None);
    assert_eq!(merged.locate("base"), None);
    assert_eq!((merged.name(), merged.text()), (read.name(), text));
}

#[test]
fn another_tree_keeps_to_the_limits_of_the_text() {
    let limits = Limits {
        nodes_max: 6,
        depth_max: 3,
        ..Limits::default()
    };
    let read = Document::parse("small.yaml", b"a: 1\nb: [2]\n", &limits).unwrap();
    let cases = [
        (json!({ "a": [1, 2, 3, 4] }), None),
        (json!({ "a": [1, 2, 3, 4, 5] }), Some("NE0006")),
        (json!([[[]]]), None),
        (json!([[[[]]]]), Some("NE0005")),
    ];
    for (value, code) in cases {
        let refused = read.with_root(node(&value)).err();
        let codes = refused.map(|it| it.iter().map(|it| it.code.as_str()).collect::<Vec<_>>());
        assert_eq!(codes, code.map(|code| vec![code]), "{value}");
    }
}
