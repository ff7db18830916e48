//! What a test asserts of an answer and of its connection, as the suite writes it.
//!
//! Rules are generic in their texts: templates as the suite has them, plain once they are bound.

use core::fmt;
use std::sync::Arc;

use http::header::HeaderName;
use jsonschema::Validator;
use regex::Regex;

use crate::bind::template::Template;
use crate::judge::path::JsonPath;
use crate::net::exchange::Timings;
use crate::suite::model::{Field, JsonTemplate};
use crate::suite::status::StatusSet;

/// A text of the suite, with its references.
pub(crate) type Text = Field<Template>;

/// What a test asserts.
#[derive(Debug, Default)]
pub(crate) struct Expectations {
    pub(crate) status: Option<StatusSet>,
    /// Several of one name must all hold.
    pub(crate) headers: Vec<(HeaderName, HeaderRule<Text>)>,
    pub(crate) body: Vec<BodyRule<Text>>,
    pub(crate) json: Vec<(JsonPath, JsonRule<Field<JsonTemplate>>)>,
    pub(crate) schema: Option<Box<SchemaSource>>,
    pub(crate) build: Option<Box<Build>>,
    /// Where an answer that redirects must lead.
    pub(crate) location: Vec<TextRule<Text>>,
    /// Which URL must have answered, after redirects.
    pub(crate) url: Vec<TextRule<Text>>,
    /// Most milliseconds of each phase.
    pub(crate) latency: Vec<(Phase, u64)>,
    pub(crate) certificate: Vec<CertificateRule<Text>>,
    pub(crate) tls: Option<TlsVersion>,
    pub(crate) http: Option<HttpSpoken>,
}

/// A condition on a text.
#[derive(Debug, Clone)]
pub(crate) enum TextRule<T> {
    Equals(T),
    Contains(T),
    Matches(Regex),
}

#[derive(Debug, Clone)]
pub(crate) enum HeaderRule<T> {
    Text(TextRule<T>),
    Exists(bool),
}

#[derive(Debug, Clone)]
pub(crate) enum BodyRule<T> {
    Equals(T),
    Contains(T),
    NotContains(T),
    Matches(Regex),
    NotMatches(Regex),
    Bytes(Bounds),
    /// Hexadecimal digits, once bound in lower case.
    Sha256(T),
}

/// A condition on every value that a path finds.
#[derive(Debug, Clone)]
pub(crate) enum JsonRule<J> {
    Exists(bool),
    Equals(J),
    NotEquals(J),
    Contains(J),
    Matches(Regex),
    Type(JsonType),
    /// How many values are found.
    Count(Bounds),
    Min(serde_json::Number),
    Max(serde_json::Number),
}

#[derive(Debug, Clone)]
pub(crate) enum CertificateRule<T> {
    /// Days until it ends, at least.
    DaysLeft(u32),
    /// A name that it covers.
    Name(T),
    Issuer(TextRule<T>),
    /// Hexadecimal digits, once bound in lower case.
    Sha256(T),
}

/// Where a JSON Schema is.
#[derive(Debug)]
pub(crate) enum SchemaSource {
    Inline(Arc<Validator>),
    File(Text),
}

/// The types that a JSON value can have, as JSON Schema names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonType {
    String,
    Number,
    /// A number without a fraction: 1 and 1.0.
    Integer,
    Boolean,
    Null,
    Array,
    Object,
}

impl JsonType {
    pub(crate) const ALL: [JsonType; 7] = [
        JsonType::String,
        JsonType::Number,
        JsonType::Integer,
        JsonType::Boolean,
        JsonType::Null,
        JsonType::Array,
        JsonType::Object,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            JsonType::String => "string",
            JsonType::Number => "number",
            JsonType::Integer => "integer",
            JsonType::Boolean => "boolean",
            JsonType::Null => "null",
            JsonType::Array => "array",
            JsonType::Object => "object",
        }
    }
}

/// A phase of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Total,
    FirstByte,
    Connect,
    Tls,
    Resolve,
    Body,
}

impl Phase {
    pub(crate) const ALL: [Phase; 6] = [
        Phase::Total,
        Phase::FirstByte,
        Phase::Connect,
        Phase::Tls,
        Phase::Resolve,
        Phase::Body,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Phase::Total => "total",
            Phase::FirstByte => "first_byte",
            Phase::Connect => "connect",
            Phase::Tls => "tls",
            Phase::Resolve => "resolve",
            Phase::Body => "body",
        }
    }

    /// How many microseconds it took, if there was one.
    pub(crate) fn of(self, timings: &Timings) -> Option<u64> {
        match self {
            Phase::Total => Some(timings.total_us),
            Phase::FirstByte => timings.first_byte_us,
            Phase::Connect => timings.connect_us,
            Phase::Tls => timings.tls_us,
            Phase::Resolve => timings.resolve_us,
            Phase::Body => timings.body_us,
        }
    }
}

/// The oldest TLS that will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum TlsVersion {
    V1_2,
    V1_3,
}

impl TlsVersion {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            TlsVersion::V1_2 => "1.2",
            TlsVersion::V1_3 => "1.3",
        }
    }
}

/// The version of HTTP that must have been spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HttpSpoken {
    V1_1,
    V2,
}

impl HttpSpoken {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            HttpSpoken::V1_1 => "HTTP/1.1",
            HttpSpoken::V2 => "HTTP/2",
        }
    }
}

/// How many there may be, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) min: u64,
    pub(crate) max: Option<u64>,
}

impl Bounds {
    pub(crate) fn contain(self, count: u64) -> bool {
        count >= self.min && self.max.is_none_or(|max| count <= max)
    }

    pub(crate) fn is_everything(self) -> bool {
        self.min == 0 && self.max.is_none()
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (min, Some(max)) if min == max => write!(f, "{min}"),
            (0, Some(max)) => write!(f, "at most {max}"),
            (min, Some(max)) => write!(f, "{min} to {max}"),
            (min, None) => write!(f, "at least {min}"),
        }
    }
}

/// Build pinning: which build answers, on several fresh connections.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) source: BuildSource,
    pub(crate) equals: Text,
    /// 1 to [`CONNECTIONS_MAX`].
    pub(crate) connections: u32,
}

/// Where an answer names its build.
#[derive(Debug, Clone)]
pub(crate) enum BuildSource {
    Header(HeaderName),
    Json(JsonPath),
}

/// Fresh connections of one build check.
pub(crate) const CONNECTIONS_MAX: u32 = 1_000;
/// Fresh connections of a build check that does not say.
pub(crate) const CONNECTIONS_DEFAULT: u32 = 5;

impl Expectations {
    /// Whether no answer could fail it, as far as can be told without asking.
    pub(crate) fn is_nothing(&self) -> bool {
        // Every rule of the other kinds fails where there is no such header, JSON or TLS, or
        // where it takes too long.
        self.status.as_ref().is_none_or(StatusSet::is_everything)
            && self.body.iter().all(BodyRule::always_holds)
            && self.url.iter().all(TextRule::always_holds)
            && self.headers.is_empty()
            && self.json.is_empty()
            && self.schema.is_none()
            && self.build.is_none()
            && self.location.is_empty()
            && self.latency.is_empty()
            && self.certificate.is_empty()
            && self.tls.is_none()
            && self.http.is_none()
    }
}

impl TextRule<Text> {
    fn always_holds(&self) -> bool {
        match self {
            TextRule::Equals(_) => false,
            TextRule::Contains(text) => text.value.pieces().is_empty(),
            TextRule::Matches(regex) => matches_everything(regex),
        }
    }
}

impl BodyRule<Text> {
    fn always_holds(&self) -> bool {
        match self {
            BodyRule::Contains(text) => text.value.pieces().is_empty(),
            BodyRule::Matches(regex) => matches_everything(regex),
            BodyRule::Bytes(bounds) => bounds.is_everything(),
            BodyRule::Equals(_)
            | BodyRule::NotContains(_)
            | BodyRule::NotMatches(_)
            | BodyRule::Sha256(_) => false,
        }
    }
}

/// Whether a pattern matches whatever the text is. It may say no although it does: a pattern is
/// only known to match everything if it matches the empty text at any place, which holds for one
/// that asks for no place (`^`, `$`, `\b`) beyond being at the start or at the end.
pub(crate) fn matches_everything(regex: &Regex) -> bool {
    let pattern = regex.as_str();
    let inner = pattern
        .strip_prefix('^')
        .or_else(|| pattern.strip_suffix('$'))
        .unwrap_or(pattern);
    !inner.contains(['^', '$', '\\']) && regex.is_match("")
}

/// The 64 hexadecimal digits of a SHA-256, however they are usually written: `sha256:` before
/// them, colons between them, capitals.
pub(crate) fn sha256_digits(text: &str) -> Option<String> {
    let digits = text.trim();
    let digits = digits.strip_prefix("sha256:").unwrap_or(digits);
    let digits = digits.replace(':', "").to_ascii_lowercase();
    (digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digits)
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::{Bounds, matches_everything, sha256_digits};

    #[test]
    fn a_pattern_that_matches_everything_is_known() {
        let texts = ["", "a", "\n", "a\nb", "\u{1f600}", "ok\r\n"];
        for (pattern, known) in [
            ("", true),
            (".*", true),
            ("(?s).*", true),
            ("^.*", true),
            (".*$", true),
            ("a*|b", true),
            ("^|a", true),
            // Of the empty text and of one line only.
            ("^$", false),
            ("^.*$", false),
            // It does, and is not known to.
            ("\\d*", false),
            ("(?m)^", false),
            ("a", false),
            ("[^a]+", false),
            (r"\b", false),
            (r"a\$", false),
        ] {
            let regex = Regex::new(pattern).expect(pattern);
            assert_eq!(matches_everything(&regex), known, "{pattern}");
            assert!(
                !known || texts.iter().all(|text| regex.is_match(text)),
                "{pattern}"
            );
        }
    }

    #[test]
    fn bounds_are_written_as_they_are_read() {
        for (min, max, text) in [
            (2, Some(2), "2"),
            (0, Some(3), "at most 3"),
            (1, Some(3), "1 to 3"),
            (1, None, "at least 1"),
        ] {
            assert_eq!(Bounds { min, max }.to_string(), text);
        }
        let bounds = Bounds {
            min: 1,
            max: Some(3),
        };
        assert_eq!(
            [0, 1, 3, 4].map(|n| bounds.contain(n)),
            [false, true, true, false]
        );
    }

    #[test]
    fn digests_are_read_however_they_are_written() {
        let plain = "ab".repeat(32);
        let colons = ["AB"; 32].join(":");
        for text in [&plain, &format!("sha256:{plain}"), &colons] {
            assert_eq!(sha256_digits(text).as_ref(), Some(&plain), "{text}");
        }
        for bad in ["", "ab", &"zz".repeat(32), &"ab".repeat(33)] {
            assert_eq!(sha256_digits(bad), None, "{bad}");
        }
    }
}
