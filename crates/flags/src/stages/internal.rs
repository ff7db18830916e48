//! Who comes first.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use serde_json::{Value, json};

/// Those who have a feature before everyone else: by what an attribute of theirs is, or ends with.
///
/// Written as `group=staff,qa` for one of some values, and as `email=*@shop.example` for a value
/// that ends so; `@shop.example` alone is short for the latter.
///
/// ```
/// use nonevent_flags::Internal;
///
/// assert_eq!("@shop.example".parse(), Ok(Internal::ends_with("email", ["@shop.example"])));
/// assert_eq!("group=staff,qa".parse(), Ok(Internal::one_of("group", ["staff", "qa"])));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Internal {
    attribute: String,
    ends: bool,
    values: Vec<String>,
}

/// A text that does not say who comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write ATTRIBUTE=VALUE,… for those who have one of the values, or ATTRIBUTE=*ENDING,… for those \
     whose value ends so, as email=*@shop.example"
)]
pub struct NotInternal(());

impl Internal {
    /// Those whose attribute has one of these values.
    #[must_use]
    pub fn one_of<V: Into<String>>(
        attribute: impl Into<String>,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        Self {
            attribute: attribute.into(),
            ends: false,
            values: values.into_iter().map(Into::into).collect(),
        }
    }

    /// Those whose attribute ends with one of these.
    #[must_use]
    pub fn ends_with<V: Into<String>>(
        attribute: impl Into<String>,
        endings: impl IntoIterator<Item = V>,
    ) -> Self {
        Self {
            ends: true,
            ..Self::one_of(attribute, endings)
        }
    }

    /// In JsonLogic, as flagd has it.
    pub(super) fn json_logic(&self) -> Value {
        let var = json!({"var": self.attribute});
        if !self.ends {
            return json!({"in": [var, self.values]});
        }
        let mut tests: Vec<Value> = self
            .values
            .iter()
            .map(|ending| json!({"ends_with": [var, ending]}))
            .collect();
        match tests.pop() {
            Some(only) if tests.is_empty() => only,
            last => {
                tests.extend(last);
                json!({"or": tests})
            }
        }
    }

    /// As rules of a plain file, of which one has to hold.
    pub(super) fn plain(&self) -> Value {
        let attribute = &self.attribute;
        if !self.ends {
            return json!([{"attribute": attribute, "operator": "in", "values": self.values}]);
        }
        self.values
            .iter()
            .map(|it| json!({"attribute": attribute, "operator": "ends_with", "value": it}))
            .collect()
    }

    /// As Unleash's constraints.
    pub(super) fn unleash(&self) -> Value {
        let operator = if self.ends { "STR_ENDS_WITH" } else { "IN" };
        json!([{"contextName": self.attribute, "operator": operator, "values": self.values}])
    }

    /// As UFC's rules, which know an ending as a pattern only.
    pub(super) fn ufc(&self) -> Value {
        let condition = if self.ends {
            let endings: Vec<String> = self.values.iter().map(|it| escaped(it)).collect();
            let pattern = format!("({})$", endings.join("|"));
            json!({"attribute": self.attribute, "operator": "MATCHES", "value": pattern})
        } else {
            json!({"attribute": self.attribute, "operator": "ONE_OF", "value": self.values})
        };
        json!([{"conditions": [condition]}])
    }

    /// As a condition of GrowthBook's, which knows an ending as a pattern only.
    pub(super) fn growthbook(&self) -> Value {
        let attribute = &self.attribute;
        if !self.ends {
            return json!({attribute: {"$in": self.values}});
        }
        let endings: Vec<String> = self.values.iter().map(|it| escaped(it)).collect();
        json!({attribute: {"$regex": format!("({})$", endings.join("|"))}})
    }

    /// As clauses of LaunchDarkly's.
    pub(super) fn launchdarkly(&self) -> Value {
        let op = if self.ends { "endsWith" } else { "in" };
        json!([{"attribute": self.attribute, "op": op, "values": self.values}])
    }
}

/// A text as a pattern that matches it and nothing else.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, '@' | '_' | '-') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

impl FromStr for Internal {
    type Err = NotInternal;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let short = text.starts_with('@').then(|| format!("email=*{text}"));
        let text = short.as_deref().unwrap_or(text);
        let (attribute, values) = text.split_once('=').ok_or(NotInternal(()))?;
        let values: Vec<&str> = values.split(',').map(str::trim).collect();
        let endings = values.iter().filter_map(|it| it.strip_prefix('*'));
        let endings: Vec<&str> = endings.collect();
        let attribute = attribute.trim();
        let internal = if endings.is_empty() {
            Self::one_of(attribute, values.iter().copied())
        } else if endings.len() == values.len() {
            Self::ends_with(attribute, endings)
        } else {
            return Err(NotInternal(()));
        };
        if attribute.is_empty() || internal.values.iter().any(String::is_empty) {
            return Err(NotInternal(()));
        }
        Ok(internal)
    }
}

impl fmt::Display for Internal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.ends { "*" } else { "" };
        let values: Vec<String> = self.values.iter().map(|it| format!("{star}{it}")).collect();
        write!(f, "{}={}", self.attribute, values.join(","))
    }
}
