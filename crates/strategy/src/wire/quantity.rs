//! Quantities that a document may write in more than one way.

use nonevent_document::{DurationMs, Percent};
use serde::{Deserialize, Deserializer};

use crate::deployment::CountOrPercent;

/// Milliseconds of a minute.
pub(super) const MINUTE_MS: u64 = 60_000;

/// A duration, or its default.
pub(super) fn or_ms(duration: Option<DurationMs>, default_ms: u64) -> u64 {
    duration.map_or(default_ms, |duration| duration.0)
}

/// `3` or `25%`.
#[derive(Clone, Copy, Debug)]
pub(super) struct CountOrPercentWire(pub(super) CountOrPercent);

impl<'de> Deserialize<'de> for CountOrPercentWire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = CountOrPercentWire;
            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("a number of instances such as 1, or a share such as 25%")
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
                u32::try_from(value)
                    .map(|count| CountOrPercentWire(CountOrPercent::Count(count)))
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(value), &self))
            }
            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
                match u64::try_from(value) {
                    Ok(value) => self.visit_u64(value),
                    Err(_) => Err(E::invalid_value(
                        serde::de::Unexpected::Signed(value),
                        &self,
                    )),
                }
            }
            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Self::Value, E> {
                use serde::de::IntoDeserializer as _;
                let text: serde::de::value::StrDeserializer<'_, E> = value.into_deserializer();
                Percent::deserialize(text)
                    .map(|percent| CountOrPercentWire(CountOrPercent::Percent(percent)))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}
