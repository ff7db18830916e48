//! The short way, followed.

use super::bucket::hash;
use super::val::step;
use crate::context::Context;
use crate::index::word_of;
use crate::quick::{Ask, Hash, Of, Quick, Step};
use crate::value::Value;

/// Where the short way ends.
pub(crate) enum End {
    Serve { rule: usize, variant: usize },
    Default,
    GiveUp,
}

#[inline]
pub(crate) fn follow(quick: &Quick, context: &Context<'_>) -> End {
    let (mut at, mut last) = (0, 0);
    loop {
        match quick.0.get(at) {
            Some(Step::Ask {
                of,
                ask,
                wanted,
                otherwise,
            }) => match holds(ask, found(of, context), &mut last) {
                // Steps lead forward only, so this ends.
                Some(holds) if holds == *wanted => at += 1,
                Some(_) => at = *otherwise,
                None => return End::GiveUp,
            },
            Some(Step::Serve { rule, variant }) => {
                return End::Serve {
                    rule: *rule,
                    variant: *variant,
                };
            }
            Some(Step::Default) => return End::Default,
            Some(Step::GiveUp) | None => return End::GiveUp,
        }
    }
}

#[inline]
fn found<'c>(of: &[Of], context: &Context<'c>) -> Option<Value<'c>> {
    let attribute = |name: &str| context.attributes()?.get(name);
    of.iter().find_map(|of| match of {
        Of::TargetingKey => match context.explicit_key() {
            Some(key) => Some(Value::Str(key)),
            None => attribute(crate::context::TARGETING_KEY),
        },
        Of::Attribute(name) => attribute(name),
        Of::Inner(outer, name) => step(attribute(outer)?, name),
    })
}

/// Whether it holds; `None` for what the machine is to judge. The hash that was taken last is kept.
#[inline]
fn holds(ask: &Ask, value: Option<Value<'_>>, last: &mut u32) -> Option<bool> {
    let text = match value {
        Some(Value::Str(text)) => text,
        None | Some(Value::Null) => {
            // Where there is no key, a lot may be drawn, or it is an error.
            return matches!(ask, Ask::OneOf(_)).then_some(false);
        }
        Some(_) => return None,
    };
    match ask {
        Ask::OneOf(words) => {
            let word = word_of(text);
            Some(word.is_some_and(|word| words.contains(&word)))
        }
        Ask::Place {
            hash: salted,
            total,
            from,
            to,
        } => {
            if text.is_empty() {
                return None;
            }
            *last = match salted {
                Hash::AsBefore => *last,
                Hash::Murmur3(start) => {
                    let mut murmur = start.clone();
                    murmur.write(text.as_bytes());
                    murmur.finish()
                }
                Hash::Salted(digest, salt) => hash(*digest, salt, text),
            };
            // At least 1: said to the compiler.
            let place = *last % (*total).max(1);
            Some((*from..*to).contains(&place))
        }
    }
}
