//! What a flag is evaluated on.

use crate::load::Dialect;
use crate::record::Record;
use crate::value::Value;
use core::fmt;
use nonevent_document::Timestamp;

/// Who or what a flag is evaluated for: a targeting key, attributes and the time, all borrowed.
///
/// ```
/// use nonevent_flags::{Context, Value};
///
/// let attributes = [("plan", Value::from("pro")), ("age", Value::from(29))];
/// let context = Context::new("user-7").with(&attributes);
/// assert_eq!(context.targeting_key(), Some("user-7"));
/// ```
///
/// An attribute called `targetingKey` is the targeting key of a context made without one, so a
/// request body in the OpenFeature form can be passed as it is:
///
/// ```
/// use nonevent_flags::Context;
///
/// let body = serde_json::json!({"targetingKey": "user-7", "plan": "pro"});
/// let attributes = body.as_object().expect("an object");
/// assert_eq!(Context::anonymous().with(attributes).targeting_key(), Some("user-7"));
/// ```
#[derive(Clone, Copy)]
pub struct Context<'a> {
    targeting_key: Option<&'a str>,
    attributes: Option<&'a dyn Record>,
    now: Option<Timestamp>,
    lot: Option<u64>,
}

impl<'a> Context<'a> {
    /// The context of this subject: a user, a session, a tenant; whatever is to see the same
    /// variant each time.
    #[must_use]
    pub const fn new(targeting_key: &'a str) -> Self {
        Self {
            targeting_key: Some(targeting_key),
            attributes: None,
            now: None,
            lot: None,
        }
    }

    /// The context of nobody in particular. Rules that split by targeting key find none.
    #[must_use]
    pub const fn anonymous() -> Self {
        Self {
            targeting_key: None,
            attributes: None,
            now: None,
            lot: None,
        }
    }

    /// With these attributes, in place of earlier ones.
    #[must_use]
    pub const fn with(mut self, attributes: &'a dyn Record) -> Self {
        self.attributes = Some(attributes);
        self
    }

    /// At this time. Without it, rules that ask for the time find none: the engine has no clock.
    #[must_use]
    pub const fn at(mut self, now: Timestamp) -> Self {
        self.now = Some(now);
        self
    }

    /// With this random number, for rules that draw lots (Unleash's random rollouts): the engine
    /// has no randomness of its own. Without it such a rule is on only if it is for everyone. Draw
    /// a new one for each request, or keep one as long as a request's flags are to agree.
    #[must_use]
    pub const fn drawing(mut self, lot: u64) -> Self {
        self.lot = Some(lot);
        self
    }

    /// The targeting key: the one given, or a text attribute called `targetingKey`.
    #[must_use]
    pub fn targeting_key(&self) -> Option<&'a str> {
        match self.targeting_key {
            Some(key) => Some(key),
            None => self
                .attributes
                .and_then(|all| all.get(TARGETING_KEY))
                .and_then(Value::as_str),
        }
    }

    /// The targeting key that was given as one.
    #[inline]
    pub(crate) const fn explicit_key(&self) -> Option<&'a str> {
        self.targeting_key
    }

    #[inline]
    pub(crate) const fn attributes(&self) -> Option<&'a dyn Record> {
        self.attributes
    }

    /// The time, if one was given.
    #[must_use]
    pub const fn now(&self) -> Option<Timestamp> {
        self.now
    }
}

impl fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("targeting_key", &self.targeting_key)
            .field("attributes", &self.attributes.map(Value::Map))
            .field("now", &self.now.map(Timestamp::unix_ms))
            .field("lot", &self.lot)
            .finish()
    }
}

/// The name that rules have for the targeting key.
pub(crate) const TARGETING_KEY: &str = "targetingKey";
const PROPERTIES: &str = "$flagd";

/// The context as the rules of one flag see it: attributes, the targeting key under its name, and
/// what flagd injects under `$flagd`.
pub(crate) struct Root<'a> {
    context: &'a Context<'a>,
    dialect: Dialect,
    properties: Properties<'a>,
}

struct Properties<'a> {
    flag_key: &'a str,
    now: Option<Timestamp>,
}

impl<'a> Root<'a> {
    #[inline]
    pub(crate) fn new(context: &'a Context<'a>, flag_key: &'a str, dialect: Dialect) -> Self {
        Self {
            context,
            dialect,
            properties: Properties {
                flag_key,
                now: context.now,
            },
        }
    }

    pub(crate) const fn context(&self) -> &'a Context<'a> {
        self.context
    }

    fn injects(&self) -> bool {
        !matches!(
            self.dialect,
            Dialect::GrowthBook | Dialect::Ufc | Dialect::Unleash
        )
    }

    pub(crate) const fn now(&self) -> Option<Timestamp> {
        self.context.now
    }

    pub(crate) const fn lot(&self) -> Option<u64> {
        self.context.lot
    }

    pub(crate) const fn flag_key(&self) -> &'a str {
        self.properties.flag_key
    }

    pub(crate) fn targeting_key(&self) -> Option<&'a str> {
        self.context.targeting_key()
    }
}

impl Record for Root<'_> {
    #[inline]
    fn get(&self, name: &str) -> Option<Value<'_>> {
        match name {
            PROPERTIES if self.injects() => Some(Value::Map(&self.properties)),
            TARGETING_KEY if self.context.targeting_key.is_some() => {
                self.context.targeting_key.map(Value::Str)
            }
            _ => {
                let found = self.context.attributes.and_then(|all| all.get(name));
                // What GrowthBook calls the subject's id.
                let is_id = name == "id" && self.dialect == Dialect::GrowthBook;
                match found {
                    None if is_id => self.targeting_key().map(Value::Str),
                    found => found,
                }
            }
        }
    }

    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        if self.injects() {
            visit(PROPERTIES, Value::Map(&self.properties));
        }
        if let Some(key) = self.context.targeting_key {
            visit(TARGETING_KEY, Value::Str(key));
        }
        if let Some(attributes) = self.context.attributes {
            let explicit = self.context.targeting_key.is_some();
            attributes.each(&mut |name, value| {
                let hidden = match name {
                    PROPERTIES => self.injects(),
                    TARGETING_KEY => explicit,
                    _ => false,
                };
                if !hidden {
                    visit(name, value);
                }
            });
        }
    }
}

impl Record for Properties<'_> {
    fn get(&self, name: &str) -> Option<Value<'_>> {
        match name {
            "flagKey" => Some(Value::Str(self.flag_key)),
            "timestamp" => self
                .now
                .map(|now| Value::Int(now.unix_ms().div_euclid(1000))),
            _ => None,
        }
    }

    fn each<'a>(&'a self, visit: &mut dyn FnMut(&'a str, Value<'a>)) {
        for name in ["flagKey", "timestamp"] {
            if let Some(value) = self.get(name) {
                visit(name, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Context, Root};
    use crate::load::Dialect;
    use crate::record::Record;
    use crate::value::Value;
    use nonevent_document::Timestamp;
    use serde_json::json;

    #[test]
    fn rules_see_attributes_the_key_and_the_injected_properties() {
        let attributes = [("a", Value::Int(1)), ("targetingKey", "other".into())];
        let context = Context::new("me")
            .with(&attributes)
            .at(Timestamp::from_unix_ms(1_700_000_000_999));
        let root = Root::new(&context, "flag", Dialect::Flagd);
        assert_eq!(
            Value::Map(&root).to_json(),
            json!({
                "a": 1,
                "targetingKey": "me",
                "$flagd": {"flagKey": "flag", "timestamp": 1_700_000_000}
            })
        );
        assert_eq!(root.get("missing"), None);
    }

    #[test]
    fn a_key_that_is_not_a_text_is_no_targeting_key() {
        let attributes = [("targetingKey", Value::Bool(true))];
        let context = Context::anonymous().with(&attributes);
        assert_eq!(context.targeting_key(), None);
        assert_eq!(
            Root::new(&context, "flag", Dialect::Flagd).get("targetingKey"),
            Some(Value::Bool(true))
        );
    }
}
