//! Conditions, held against an interpreter in three truth values that is as plain as can be.

use crate::{load, map, value};
use nonevent_flags::{Pruned, Reduction, prune_condition, reduce_payload};
use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};

/// Whether a feature with this condition has its rule applied.
fn holds(condition: &Json, attributes: &Json) -> bool {
    let flags = load(&json!({"features": {"f": {
        "defaultValue": false, "rules": [{"condition": condition, "force": true}],
    }}}));
    value(&flags, "f", attributes) == json!(true)
}

#[test]
fn operators() {
    for (condition, attributes, expected) in [
        (json!({"a": {"$notRegex": "^x"}}), json!({"a": "y"}), true),
        (
            json!({"a": {"$notRegexi": "^X"}}),
            json!({"a": "xy"}),
            false,
        ),
        (json!({"a": {"$notRegex": "("}}), json!({"a": "y"}), false),
        (json!({"a.length": 2}), json!({"a": [1, 2]}), true),
        (json!({"a.1.b": "c"}), json!({"a": [0, {"b": "c"}]}), true),
        (json!({"a.01": 1}), json!({"a": [0, 1]}), false),
        (
            json!({"a": {"b": 1, "c": [2]}}),
            json!({"a": {"c": [2.0], "b": 1}}),
            true,
        ),
        (json!({"a": {"$all": []}}), json!({"a": []}), true),
        (json!({"a": {"$all": []}}), json!({"a": 1}), false),
        (json!({"a": {"$not": {"$all": []}}}), json!({"a": 1}), true),
        (
            json!({"a": {"$elemMatch": {"b": {"$gt": 1}, "c": 1}}}),
            json!({"a": [{"b": 2}, {"c": 1}]}),
            false,
        ),
        (
            json!({"a": {"$elemMatch": {"$ne": 1}}}),
            json!({"a": [null, 1]}),
            false,
        ),
        (
            json!({"a": {"$elemMatch": {"$elemMatch": {"$eq": 3}}}}),
            json!({"a": [[1], [2, 3]]}),
            true,
        ),
        (json!({"a": {"$eq": [1]}}), json!({"a": [1]}), false),
        (
            json!({"a": {"$gt": "\u{ffff}"}}),
            json!({"a": "\u{10000}"}),
            false,
        ),
        (json!({"a": {"$vgt": "1.9"}}), json!({"a": "1.10"}), true),
        (json!({"a": {"$vgt": 1.9}}), json!({"a": 1.91}), true),
        (json!({"a": {"$vgte": 4}}), json!({"a": 4.0}), true),
        (json!({"a": {"$vgte": 4}}), json!({"a": "4"}), false),
        (json!({"a": {"$vne": 4}}), json!({"a": "4"}), true),
        (json!({"a": {"$veq": null}}), json!({"a": null}), false),
        (json!({"a": {"$vne": false}}), json!({}), true),
        (json!({"a": {"$ini": ["ΟΔΟΣ"]}}), json!({"a": "οδος"}), true),
        (
            json!({"a": {"$vlt": "1.2.3"}}),
            json!({"a": "1.2.3-rc.1"}),
            true,
        ),
        (json!({"a": {"$ini": ["ÉT"]}}), json!({"a": ["ét"]}), true),
        (json!({"a": {"$in": [null]}}), json!({}), true),
        (json!({"a": {"$exists": 0}}), json!({"a": null}), true),
        (json!({"$savedGroups": ["a"]}), json!({}), false),
        (
            json!({"a": {"$size": {"$not": {"$gt": 1}}}}),
            json!({"a": "text"}),
            false,
        ),
        (
            json!({"a": {"$not": {"$size": {"$gt": 1}}}}),
            json!({"a": "text"}),
            true,
        ),
    ] {
        assert_eq!(
            holds(&condition, &attributes),
            expected,
            "{condition} {attributes}"
        );
    }
}

type Truth = Option<bool>;

fn not(value: Truth) -> Truth {
    value.map(|value| !value)
}

fn all(values: impl IntoIterator<Item = Truth>) -> Truth {
    let values: Vec<Truth> = values.into_iter().collect();
    match () {
        () if values.contains(&Some(false)) => Some(false),
        () if values.contains(&None) => None,
        () => Some(true),
    }
}

fn any(values: impl IntoIterator<Item = Truth>) -> Truth {
    not(all(values.into_iter().map(not)))
}

fn operators_of(condition: &Json) -> Option<&Map<String, Json>> {
    let map = condition.as_object()?;
    map.keys().all(|key| key.starts_with('$')).then_some(map)
}

fn interpret(condition: &Json, attributes: &Json) -> Truth {
    all(condition
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, asked)| {
            let each = || {
                asked
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|one| interpret(one, attributes))
            };
            match key.as_str() {
                "$and" => all(each()),
                "$or" if asked == &json!([]) => Some(true),
                "$or" => any(each()),
                "$nor" if asked == &json!([]) => Some(false),
                "$nor" => not(any(each())),
                "$not" => not(interpret(asked, attributes)),
                name => asks(asked, attributes.get(name).unwrap_or(&Json::Null)),
            }
        }))
}

fn asks(asked: &Json, value: &Json) -> Truth {
    let Some(operators) = operators_of(asked) else {
        return Some(asked == value);
    };
    all(operators.iter().map(|(name, asked)| match name.as_str() {
        "$eq" => Some(asked == value),
        "$ne" => Some(asked != value),
        "$gt" => Some(
            asked
                .as_i64()
                .zip(value.as_i64())
                .is_some_and(|(a, v)| v > a),
        ),
        "$in" => Some(match value.as_array() {
            Some(items) => items
                .iter()
                .any(|item| asked.as_array().is_some_and(|all| all.contains(item))),
            None => asked.as_array().is_some_and(|all| all.contains(value)),
        }),
        "$exists" => Some(value.is_null() != (asked == &json!(true))),
        "$not" => not(asks(asked, value)),
        "$size" => value
            .as_array()
            .map_or(Some(false), |all| asks(asked, &json!(all.len()))),
        "$elemMatch" => value.as_array().map_or(Some(false), |items| {
            any(items
                .iter()
                .filter(|item| !item.is_null())
                .map(|item| asks(asked, item)))
        }),
        "$all" => value.as_array().map_or(Some(false), |items| {
            all(asked
                .as_array()
                .into_iter()
                .flatten()
                .map(|asked| any(items.iter().map(|item| asks(asked, item)))))
        }),
        _ => None,
    }))
}

fn scalar() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        (0..3_i64).prop_map(Json::from),
        "[ab]".prop_map(Json::from)
    ]
}

fn data() -> impl Strategy<Value = Json> {
    prop_oneof![2 => scalar(), 1 => proptest::collection::vec(scalar(), 0..3).prop_map(Json::from)]
}

/// What may be asked of a value.
fn asked() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        scalar(),
        scalar().prop_map(|it| json!({"$eq": it})),
        scalar().prop_map(|it| json!({"$ne": it})),
        (0..3).prop_map(|it| json!({"$gt": it})),
        proptest::collection::vec(scalar(), 0..3).prop_map(|it| json!({"$in": it})),
        proptest::bool::ANY.prop_map(|it| json!({"$exists": it})),
        Just(json!({"$tomorrow": 1})),
        Just(json!({})),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        // An object that is a value and one of operators differ by their keys alone.
        let operators = inner
            .clone()
            .prop_filter("operators", |it| operators_of(it).is_some());
        prop_oneof![
            inner.clone().prop_map(|it| json!({"$not": it})),
            operators.clone().prop_map(|it| json!({"$elemMatch": it})),
            inner.clone().prop_map(|it| json!({"$size": it})),
            proptest::collection::vec(inner, 0..3).prop_map(|it| json!({"$all": it})),
            (operators.clone(), operators).prop_map(|(a, b)| {
                let mut both = a.as_object().cloned().unwrap_or_default();
                both.extend(b.as_object().cloned().unwrap_or_default());
                Json::Object(both)
            }),
        ]
    })
}

fn condition() -> impl Strategy<Value = Json> {
    let leaf = proptest::collection::btree_map("[xy]", asked(), 0..3)
        .prop_map(|map| Json::Object(map.into_iter().collect()));
    leaf.prop_recursive(3, 16, 3, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..3);
        prop_oneof![
            list.clone().prop_map(|it| json!({"$and": it})),
            list.clone().prop_map(|it| json!({"$or": it})),
            list.prop_map(|it| json!({"$nor": it})),
            inner.clone().prop_map(|it| json!({"$not": it})),
            (inner.clone(), inner).prop_map(|(a, b)| {
                let mut both = a.as_object().cloned().unwrap_or_default();
                both.extend(b.as_object().cloned().unwrap_or_default());
                Json::Object(both)
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn conditions_hold_exactly_if_three_valued_logic_says_so(
        condition in condition(),
        x in data(),
        y in data(),
    ) {
        let attributes = json!({"x": x, "y": y});
        let expected = interpret(&condition, &attributes) == Some(true);
        prop_assert_eq!(holds(&condition, &attributes), expected, "{} {}", condition, attributes);
    }

    #[test]
    fn what_is_left_of_a_condition_holds_as_it_did(
        condition in condition(),
        grouped in condition(),
        x in data(),
        y in data(),
    ) {
        let groups = json!({
            "g": {"type": "condition", "condition": grouped},
            "l": {"type": "list", "attributeKey": "y", "values": [1, "a"]},
        });
        let condition = json!({"$and": [condition, {"$or": [
            {"$savedGroup": {"id": "g"}}, {"$not": {"$savedGroup": {"id": "l"}}}, {"x": {"$inGroup": "l"}},
        ]}]});
        let in_full = |condition: &Json| {
            let flags = load(&json!({"savedGroups": groups, "features": {"f": {
                "defaultValue": false, "rules": [{"condition": condition, "force": true}],
            }}}));
            value(&flags, "f", &json!({"x": x, "y": y})) == json!(true)
        };
        let known = map(&json!({"x": x}));
        let left = match prune_condition(&condition, &known, &map(&groups)) {
            Pruned::Holds => true,
            Pruned::Fails => false,
            Pruned::Depends(rest) => in_full(&rest),
        };
        prop_assert_eq!(left, in_full(&condition), "{}", condition);
        let payload = json!({"savedGroups": groups, "features": {"f": {
            "defaultValue": false, "rules": [{"condition": condition, "force": true}],
        }}});
        let by = Reduction { attributes: known, ..Reduction::default() };
        let reduced = load(&reduce_payload(&payload, &by));
        prop_assert_eq!(value(&reduced, "f", &json!({"x": x, "y": y})) == json!(true), left);
    }
}
