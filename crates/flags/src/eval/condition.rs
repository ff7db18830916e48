//! Typed leaf operators, evaluated.

use super::val::short_text;
use super::{Machine, Scope, Stop};
use crate::condition::{At, Condition, Test, Versions};
use crate::index::same;
use crate::number::decimal_of;
use crate::trace::Trace;
use crate::value::Value;
use crate::version;
use alloc::sync::Arc;
use core::net::IpAddr;
use ipnet::IpNet;
use nonevent_document::Timestamp;

impl<'e, T: Trace> Machine<'e, T> {
    #[inline]
    pub(super) fn condition(
        &mut self,
        condition: &'e Condition,
        scope: &Scope<'e>,
    ) -> Result<bool, Stop> {
        if let Some(value) = self.found(&condition.of, scope)? {
            return Ok(self.tested(&condition.test, value)? == Some(condition.wanted));
        }
        let value = self.eval(&condition.of, scope)?;
        let result = self.tested(&condition.test, value.view())?;
        self.trace.because(|| match result {
            Some(_) => alloc::format!("it is {:?}", value.view()),
            None if value.is_null() => "it is not in the context".into(),
            None => alloc::format!("it is {:?}, which cannot be read so", value.view()),
        });
        Ok(result == Some(condition.wanted))
    }

    /// What the test comes to; `None` for a value that it cannot read.
    #[inline]
    fn tested(&mut self, test: &Test, value: Value<'_>) -> Result<Option<bool>, Stop> {
        Ok(match test {
            Test::Missing => Some(matches!(value, Value::Null)),
            Test::Number(relation, number) => {
                let order = number_of(value).and_then(|value| value.partial_cmp(number));
                order.map(|order| relation.holds(order))
            }
            Test::Time(relation, time) => {
                time_of(value).map(|value| relation.holds(value.cmp(time)))
            }
            test => match value {
                Value::Str(text) => self.tested_text(test, text)?,
                Value::Null => None,
                scalar => match short_text(scalar) {
                    Some(text) => self.tested_text(test, text.as_str())?,
                    None => None,
                },
            },
        })
    }

    #[inline]
    fn tested_text(&mut self, test: &Test, text: &str) -> Result<Option<bool>, Stop> {
        Ok(match test {
            Test::OneOf(texts) => Some(has(texts, text)),
            Test::Has {
                place,
                texts,
                ignore_case,
            } => {
                self.spend(texts.len() + text.len() / 16)?;
                let found = |part: &Arc<str>| stands(part, *place, text, *ignore_case);
                Some(texts.iter().any(found))
            }
            Test::Matches(pattern) => Some(pattern.occurs_in(text, |steps| self.spend(steps))?),
            Test::Version(relation, version, versions) => {
                let read = match versions {
                    Versions::Strict => version::strict(text),
                    Versions::Short => version::short(text),
                };
                read.map(|own| relation.holds(own.cmp_precedence(version)))
            }
            Test::Network(networks) => {
                self.spend(networks.len() / 16)?;
                address_of(text).map(|address| networks.iter().any(|net| net.contains(&address)))
            }
            Test::Missing | Test::Number(..) | Test::Time(..) => None,
        })
    }
}

/// So many are compared one by one, most of them by their length alone.
const FEW: usize = 8;

fn has(texts: &[Arc<str>], text: &str) -> bool {
    if texts.len() <= FEW {
        return texts.iter().any(|known| same(known, text));
    }
    texts.binary_search_by(|known| (**known).cmp(text)).is_ok()
}

fn number_of(value: Value<'_>) -> Option<f64> {
    match value {
        Value::Str(text) => decimal_of(text),
        number => number.number(),
    }
}

/// A time in RFC 3339, or in milliseconds since 1970.
fn time_of(value: Value<'_>) -> Option<Timestamp> {
    match value {
        Value::Str(text) => text.parse().ok(),
        Value::Int(ms) => Some(Timestamp::from_unix_ms(ms)),
        _ => None,
    }
}

/// An address; one of IPv4 written as IPv6 counts as IPv4.
fn address_of(text: &str) -> Option<IpAddr> {
    text.parse()
        .ok()
        .map(|address: IpAddr| address.to_canonical())
}

/// A network, or an address as a network of one.
pub(crate) fn network_of(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse()
        .ok()
        .or_else(|| address_of(text).map(IpNet::from))
}

/// Whether `part` stands at this place of `text`.
pub(super) fn stands(part: &str, place: At, text: &str, ignore_case: bool) -> bool {
    match (place, ignore_case) {
        (At::Start, false) => text.starts_with(part),
        (At::End, false) => text.ends_with(part),
        (At::Anywhere, false) => text.contains(part),
        (At::Start, true) => starts_folded(text, part).is_some(),
        (At::End, true) => tails(text).any(|tail| starts_folded(tail, part) == Some(true)),
        (At::Anywhere, true) => tails(text).any(|tail| starts_folded(tail, part).is_some()),
    }
}

/// `text` and what is left of it as letters are dropped from its start.
fn tails(text: &str) -> impl Iterator<Item = &str> {
    text.char_indices().map(|(at, _)| &text[at..]).chain([""])
}

/// Whether the lower case of `text` starts with that of `part`, and if so whether it ends there.
fn starts_folded(text: &str, part: &str) -> Option<bool> {
    let mut text = folded(text);
    for wanted in folded(part) {
        if text.next() != Some(wanted) {
            return None;
        }
    }
    Some(text.next().is_none())
}

/// In lower case. Greek has two small sigmas for one capital, of which a whole text's lower case
/// takes the one or the other by where it stands; here they are the same.
pub(super) fn folded(text: &str) -> impl Iterator<Item = char> {
    let lower = text.chars().flat_map(char::to_lowercase);
    lower.map(|letter| if letter == 'ς' { 'σ' } else { letter })
}

#[cfg(test)]
mod tests {
    use super::{At, Test, has, network_of, stands};
    use alloc::string::String;
    use proptest::prelude::*;

    #[test]
    fn parts_of_texts() {
        for (part, place, text, ignore_case, expected) in [
            ("ab", At::Start, "abc", false, true),
            ("bc", At::End, "abc", false, true),
            ("b", At::Anywhere, "abc", false, true),
            ("B", At::Anywhere, "abc", false, false),
            ("B", At::Anywhere, "abc", true, true),
            ("É", At::Start, "école", true, true),
            ("OLE", At::End, "école", true, true),
            ("ÉC", At::End, "école", true, false),
            ("", At::End, "", true, true),
            ("ΟΔΟΣ", At::Anywhere, "οδος", true, true),
            ("οδος", At::End, "Η ΟΔΟΣ", true, true),
        ] {
            assert_eq!(
                stands(part, place, text, ignore_case),
                expected,
                "{part} in {text}"
            );
        }
    }

    #[test]
    fn networks() {
        for (network, address, expected) in [
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            (" 10.1.2.3 ", "10.1.2.3", true),
            ("2001:db8::/32", "2001:db8::7", true),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
        ] {
            let network = network_of(network).expect("a network");
            let address = super::address_of(address).expect("an address");
            assert_eq!(
                network.contains(&address),
                expected,
                "{address} in {network}"
            );
        }
        for text in ["10.0.0.0/33", "10.0.0", "", "shop"] {
            assert_eq!(network_of(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn short_and_long_lists_have_what_is_in_them(
            texts in proptest::collection::vec("[a-d]{0,3}", 0..24),
            text in "[a-d]{0,3}",
        ) {
            let expected = texts.contains(&text);
            let Test::OneOf(listed) = Test::one_of(texts.iter().map(|text| text.as_str().into())) else {
                unreachable!()
            };
            prop_assert_eq!(has(&listed, &text), expected);
        }

        #[test]
        fn without_case_is_as_in_lower_case(part in "[aAbBéÉ]{0,3}", text in "[aAbBéÉ]{0,6}") {
            let (low_part, low_text): (String, String) = (part.to_lowercase(), text.to_lowercase());
            for place in [At::Start, At::End, At::Anywhere] {
                prop_assert_eq!(stands(&part, place, &text, true), stands(&low_part, place, &low_text, false));
            }
        }
    }
}
