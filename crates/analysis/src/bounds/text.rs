//! Every part of a bound as text: read by `FromStr`, and serialised as its canonical form.

use alloc::format;
use core::fmt;
use core::str::FromStr;

use nonevent_document::Findings;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::bound::{Bound, Clause};
use super::check::read;
use super::metric::MetricName;
use super::rules::{EXPECTED, NAME, Sink};

impl FromStr for Bound {
    type Err = Findings;

    /// Reads a text by the grammar alone; [`check`](super::check) says more.
    ///
    /// # Errors
    ///
    /// All findings about the text, of which one at least is an error.
    fn from_str(text: &str) -> Result<Self, Findings> {
        let checked = read(text);
        checked.bound.ok_or(checked.findings)
    }
}

impl FromStr for Clause {
    type Err = Findings;

    /// Reads a bound of a single clause.
    ///
    /// # Errors
    ///
    /// All findings about the text, of which one at least is an error.
    fn from_str(text: &str) -> Result<Self, Findings> {
        match text.parse()? {
            Bound::Clause(clause) => Ok(clause),
            Bound::All(_) | Bound::Any(_) => {
                let mut sink = Sink::new(text);
                let message = "a single clause is expected";
                sink.push(EXPECTED, 0..text.len(), message, "leave out `and` and `or`");
                Err(sink.into_findings())
            }
        }
    }
}

impl FromStr for MetricName {
    type Err = Findings;

    /// Reads a name.
    ///
    /// # Errors
    ///
    /// One finding if it is none.
    fn from_str(text: &str) -> Result<Self, Findings> {
        MetricName::new(text).ok_or_else(|| {
            let mut sink = Sink::new(text);
            let help = "write letters, digits and `_` in parts joined by dots";
            let message = "this is not the name of a metric";
            sink.push(NAME, 0..text.len(), message, help);
            sink.into_findings()
        })
    }
}

macro_rules! as_text {
    ($($name:ident $expecting:literal)*) => {
        $(impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;

                impl de::Visitor<'_> for Visitor {
                    type Value = $name;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        text.parse().map_err(|findings| E::custom(first_error(&findings)))
                    }
                }
                deserializer.deserialize_str(Visitor)
            }
        })*
    };
}

as_text! {
    Bound "a bound such as `error_rate <= 1%`"
    Clause "a clause such as `error_rate <= 1%`"
    MetricName "the name of a metric such as `error_rate`"
}

/// Serde's errors are one line.
fn first_error(findings: &Findings) -> impl fmt::Display {
    let error = findings
        .iter()
        .min_by_key(|finding| finding.severity)
        .map(|finding| format!("{finding}"));
    error.unwrap_or_default()
}
