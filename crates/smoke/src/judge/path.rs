//! Places in a JSON body: RFC 9535 queries (`$.a`) and RFC 6901 pointers (`/a`).

use core::cmp::Ordering;
use core::fmt;

use serde_json::{Number, Value as Json};
use serde_json_path::JsonPath as Query;

/// A query that begins with `$`, or a pointer that is empty or begins with `/`.
#[derive(Debug, Clone)]
pub(crate) enum JsonPath {
    Query(Query),
    Pointer(String),
}

impl JsonPath {
    /// The error says what is wrong.
    pub(crate) fn parse(text: &str) -> Result<JsonPath, String> {
        if text.starts_with('$') {
            return Query::parse(text)
                .map(JsonPath::Query)
                .map_err(|error| error.to_string());
        }
        if !text.is_empty() && !text.starts_with('/') {
            return Err("it begins with neither `$` nor `/`".into());
        }
        let escapes_hold = text
            .split('~')
            .skip(1)
            .all(|after| after.starts_with('0') || after.starts_with('1'));
        if !escapes_hold {
            return Err("`~` is written `~0` in a pointer".into());
        }
        Ok(JsonPath::Pointer(text.to_owned()))
    }

    /// The values at this place, in order; a pointer finds at most one.
    pub(crate) fn find<'b>(&self, body: &'b Json) -> Vec<&'b Json> {
        match self {
            JsonPath::Query(query) => query.query(body).all(),
            JsonPath::Pointer(pointer) => body.pointer(pointer).into_iter().collect(),
        }
    }
}

impl JsonPath {
    /// The place as a comparison of answers names it: `$.a[0].b`.
    pub(crate) fn place(&self) -> String {
        let JsonPath::Pointer(pointer) = self else {
            return self.to_string();
        };
        let part = |part: &str| {
            let name = part.replace("~1", "/").replace("~0", "~");
            match name.parse::<usize>() {
                Ok(index) => format!("[{index}]"),
                Err(_) => format!(".{name}"),
            }
        };
        let parts: String = pointer.split('/').skip(1).map(part).collect();
        format!("${parts}")
    }
}

impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JsonPath::Query(query) => query.fmt(f),
            JsonPath::Pointer(pointer) if pointer.is_empty() => f.write_str("the whole body"),
            JsonPath::Pointer(pointer) => f.write_str(pointer),
        }
    }
}

/// Equality of JSON values, numbers by value (`1` is `1.0`), objects whatever their order.
pub(crate) fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => {
            a == b || (is_float(a) || is_float(b)) && a.as_f64() == b.as_f64()
        }
        (Json::Array(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Json::Object(a), Json::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// Which of two numbers is greater: exactly if both are whole, else as doubles.
pub(crate) fn order(a: &Number, b: &Number) -> Ordering {
    let whole = |number: &Number| {
        let signed = number.as_i64().map(i128::from);
        signed.or_else(|| number.as_u64().map(i128::from))
    };
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        // A number of JSON is never NaN.
        _ => a
            .as_f64()
            .partial_cmp(&b.as_f64())
            .unwrap_or(Ordering::Equal),
    }
}

fn is_float(number: &Number) -> bool {
    number.is_f64()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{JsonPath, order, same};

    #[test]
    fn queries_and_pointers_find_values() {
        let body = json!({ "a": [ { "b": 1 }, { "b": 2 } ], "x/y": "z", "": 0 });
        let cases = [
            ("$.a[*].b", vec![json!(1), json!(2)]),
            ("$.a[1].b", vec![json!(2)]),
            ("$.none", vec![]),
            ("/a/0/b", vec![json!(1)]),
            ("/x~1y", vec![json!("z")]),
            ("/", vec![json!(0)]),
            ("", vec![body.clone()]),
            ("/a/9", vec![]),
        ];
        for (path, wanted) in cases {
            let found: Vec<_> = JsonPath::parse(path)
                .expect(path)
                .find(&body)
                .into_iter()
                .cloned()
                .collect();
            assert_eq!(found, wanted, "{path}");
        }
        for bad in ["a.b", "$[", "$.a[?", "/~2", "/~"] {
            assert!(JsonPath::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_are_ordered_by_value() {
        let number = |text: &str| serde_json::from_str(text).expect(text);
        for (low, high) in [
            ("1", "2"),
            ("-1", "0.5"),
            ("1.5", "2"),
            ("9007199254740992", "9007199254740993"),
            ("-9223372036854775808", "18446744073709551615"),
        ] {
            assert!(order(&number(low), &number(high)).is_lt(), "{low} {high}");
            assert!(order(&number(high), &number(low)).is_gt(), "{low} {high}");
        }
        assert!(order(&number("1"), &number("1.0")).is_eq());
    }

    #[test]
    fn numbers_are_equal_by_value() {
        assert!(same(&json!({ "a": [1, 2.0] }), &json!({ "a": [1.0, 2] })));
        assert!(!same(&json!(1), &json!("1")));
        assert!(!same(
            &json!(9_007_199_254_740_993_u64),
            &json!(9_007_199_254_740_992_u64)
        ));
        assert!(!same(&json!({ "a": 1 }), &json!({ "a": 1, "b": 1 })));
    }
}
