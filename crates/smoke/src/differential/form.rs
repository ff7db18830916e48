//! The form of a value: what it still must look like where its content is noise.

use crate::differential::Response;
use crate::differential::moment::moment;

/// What a text looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Form {
    Empty,
    /// RFC 3339, with a `T` or a space between date and time.
    DateTime,
    /// `Mon, 05 Jan 2026 10:00:00 GMT` (RFC 9110, section 5.6.7).
    HttpDate,
    /// `26/Nov/2026:15:01:47 +0000`, as access logs have it.
    LogTime,
    /// `Mon Jan  5 10:00:00 2026`.
    Ctime,
    /// `Jan 5, 2026, 10:00:00 AM` and other ways of people.
    Written,
    Date,
    Time,
    Uuid,
    /// Hexadecimal digits, 8 or more, with at least one digit and one letter, or 16 or more.
    Hex,
    /// Letters and digits mixed, 8 or more of them, as in base64, ULIDs and tokens.
    Token,
    /// Fewer letters and digits mixed, such as `4a6f` or `web7`.
    Mixed,
    Number,
    /// A number with a unit of time, such as `12.5ms` or `3m20s`.
    Duration,
    /// Anything else.
    Words,
}

impl Form {
    pub(super) fn of(text: &str) -> Form {
        let text = text.trim();
        if text.is_empty() {
            Form::Empty
        } else if is_number(text) {
            Form::Number
        } else if is_pattern(text, "dddd-dd-dd") {
            Form::Date
        } else if let Some((form, _)) = moment(text) {
            form
        } else if is_pattern(text, "dd:dd:dd") {
            Form::Time
        } else if is_pattern(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") {
            Form::Uuid
        } else if is_duration(text) {
            Form::Duration
        } else {
            Form::of_word(text)
        }
    }

    fn of_word(text: &str) -> Form {
        let count = |is: fn(&u8) -> bool| text.bytes().filter(is).count();
        let digits = count(u8::is_ascii_digit);
        let letters = count(u8::is_ascii_alphabetic);
        if text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let mixed = digits > 0 && letters > 0 && text.len() >= 8;
            if mixed || text.len() >= 16 {
                return Form::Hex;
            }
        }
        let is_token_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+/=.~".contains(&byte);
        let cases = count(u8::is_ascii_uppercase) > 0 && count(u8::is_ascii_lowercase) > 0;
        let looks_random = digits > 1 && letters > 1 || cases && text.len() >= 16;
        if text.len() >= 8 && text.bytes().all(is_token_byte) && looks_random {
            return Form::Token;
        }
        if digits > 0 && letters > 0 && digits + letters == text.len() {
            return Form::Mixed;
        }
        Form::Words
    }

    /// Whether such a value is made anew for each answer more often than not.
    pub(super) fn is_made(self) -> bool {
        matches!(self, Form::Uuid | Form::Hex | Form::Token)
    }
}

impl Form {
    /// Whether a text may stand where one of this form was: where a number or a moment was, another
    /// one.
    pub(super) fn is_kept_by(self, text: &str) -> bool {
        let form = Form::of(text);
        match self {
            Form::Number | Form::HttpDate => matches!(form, Form::Number | Form::HttpDate),
            _ => true,
        }
    }
}

/// `d` is a digit, `x` a hexadecimal digit, and every other character itself.
fn is_pattern(text: &str, pattern: &str) -> bool {
    text.len() == pattern.len()
        && text
            .bytes()
            .zip(pattern.bytes())
            .all(|(byte, wanted)| match wanted {
                b'd' => byte.is_ascii_digit(),
                b'x' => byte.is_ascii_hexdigit(),
                other => byte == other,
            })
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
        && text.ends_with(|c: char| c.is_ascii_digit() || c == '.')
        && text.parse::<f64>().is_ok()
}

fn is_duration(text: &str) -> bool {
    let mut rest = text;
    let mut parts = 0;
    while !rest.is_empty() {
        let digits = rest.len()
            - rest
                .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
                .len();
        let (number, after) = rest.split_at(digits);
        let after = after.trim_start();
        let unit = ["ns", "us", "µs", "ms", "s", "m", "h", "d"]
            .into_iter()
            .filter(|unit| after.starts_with(unit))
            .max_by_key(|unit| unit.len());
        match unit {
            Some(unit) if !number.is_empty() => rest = after.get(unit.len()..).unwrap_or_default(),
            _ => return false,
        }
        parts += 1;
    }
    parts > 0
}

/// How far from an answer's own time a moment in it may lie and still be called "now".
const NEAR_MS: i64 = 15 * 60_000;

/// When an answer was made, by its `date` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock(Option<i64>);

impl Clock {
    pub(super) fn of(response: &Response) -> Clock {
        let date = response.headers.iter().find(|(name, _)| name == "date");
        let time = date.and_then(|(_, value)| moment(value));
        Clock(time.and_then(|(_, ms)| ms))
    }

    /// Whether a text is the time of the answer: it changes though nothing else does, even where
    /// two answers of one second have the same.
    pub(super) fn says(self, text: &str) -> bool {
        let text = text.trim();
        match moment(text) {
            Some((_, ms)) => ms.is_some_and(|ms| self.is_near(ms)),
            None if is_number(text) => text.parse().is_ok_and(|number| self.says_number(number)),
            None => false,
        }
    }

    /// Whether a number is the time of the answer in seconds, milliseconds, microseconds or
    /// nanoseconds since the epoch.
    pub(super) fn says_number(self, number: f64) -> bool {
        [1e3, 1.0, 1e-3, 1e-6].into_iter().any(|to_ms| {
            let ms = number * to_ms;
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a number out of the range becomes its end, which is near nothing"
            )]
            self.is_near(ms as i64)
        })
    }

    fn is_near(self, ms: i64) -> bool {
        self.0
            .is_some_and(|now| now.saturating_sub(ms).abs() <= NEAR_MS)
    }
}
