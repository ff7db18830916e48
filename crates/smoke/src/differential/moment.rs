//! Moments as services write them.

use std::sync::LazyLock;

use nonevent_document::Timestamp;
use regex::{Captures, Regex};

use crate::differential::form::Form;

/// The ways in which moments are written, and what the groups of each are called.
static WAYS: LazyLock<Vec<(Form, Regex)>> = LazyLock::new(|| {
    let time = r"(?<h>\d\d):(?<m>\d\d)(?::(?<s>\d\d)(?:[.,]\d+)?)?";
    let zone = r"(?: ?(?:Z|UTC|GMT|(?<zh>[+-]\d\d):?(?<zm>\d\d)))?";
    let month = r"(?<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
    [
        // RFC 3339, with what people leave out of it.
        (
            Form::DateTime,
            format!(r"^(?<year>\d{{4}})-(?<mm>\d\d)-(?<day>\d\d)[Tt ]{time}{zone}$"),
        ),
        // RFC 9110, section 5.6.7: the preferred form, and that of RFC 850.
        (
            Form::HttpDate,
            format!(
                r"^[A-Z][a-z]+, (?<day>\d\d)[ -]{month}[ -](?<year>\d\d(?:\d\d)?) {time}{zone}$"
            ),
        ),
        // Access logs; listings of folders.
        (
            Form::LogTime,
            format!(r"^(?<day>\d\d)[/-]{month}[/-](?<year>\d{{4}})[: ]{time}{zone}$"),
        ),
        // `ctime`, with or without a year.
        (
            Form::Ctime,
            format!(r"^(?:[A-Z][a-z]{{2}} )?{month} (?<day>[ \d]\d) {time}(?: (?<year>\d{{4}}))?$"),
        ),
    ]
    .into_iter()
    .map(|(form, pattern)| {
        (
            form,
            Regex::new(&pattern).expect("the tests read each of them"),
        )
    })
    .collect()
});

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The longest way of writing one, and then some.
const BYTES_MAX: usize = 48;

/// How a moment is written and, if it says so much, which one it is in milliseconds since the
/// epoch. Without a zone it is taken for UTC.
pub(super) fn moment(text: &str) -> Option<(Form, Option<i64>)> {
    // What most texts are not is said at once.
    if text.len() > BYTES_MAX || !text.contains(':') {
        return None;
    }
    WAYS.iter().find_map(|(form, way)| {
        let found = way.captures(text)?;
        Some((*form, unix_ms(&found)))
    })
}

fn unix_ms(found: &Captures<'_>) -> Option<i64> {
    let part = |name: &str| found.name(name).map(|it| it.as_str());
    let year = part("year")?;
    let century = if year.len() == 2 { "20" } else { "" };
    let month = match part("mm") {
        Some(month) => month.parse().ok()?,
        None => {
            1 + MONTHS
                .iter()
                .position(|name| Some(*name) == part("month"))?
        }
    };
    let day: u32 = part("day")?.trim().parse().ok()?;
    let (h, m, s) = (part("h")?, part("m")?, part("s").unwrap_or("00"));
    let (zh, zm) = (part("zh").unwrap_or("+00"), part("zm").unwrap_or("00"));
    let text = format!("{century}{year}-{month:02}-{day:02}T{h}:{m}:{s}{zh}:{zm}");
    let parsed: Result<Timestamp, _> = text.parse();
    parsed.ok().map(Timestamp::unix_ms)
}

#[cfg(test)]
mod tests {
    use crate::differential::form::Form;
    use crate::differential::moment::moment;

    #[test]
    fn moments_are_read_however_they_are_written() {
        let at = Some(1_767_607_200_000);
        for (text, form) in [
            ("2026-01-05T10:00:00Z", Form::DateTime),
            ("2026-01-05T11:00:00+01:00", Form::DateTime),
            ("2026-01-05 10:00:00.123 UTC", Form::DateTime),
            ("2026-01-05 10:00", Form::DateTime),
            ("Mon, 05 Jan 2026 10:00:00 GMT", Form::HttpDate),
            ("Monday, 05-Jan-26 10:00:00 GMT", Form::HttpDate),
            ("Monday, 05-Jan-2026 10:00:00 UTC", Form::HttpDate),
            ("05/Jan/2026:09:00:00 -0100", Form::LogTime),
            ("05-Jan-2026 10:00", Form::LogTime),
            ("Mon Jan  5 10:00:00 2026", Form::Ctime),
        ] {
            assert_eq!(moment(text), Some((form, at)), "{text}");
        }
        assert_eq!(moment("Jan  5 10:00:00"), Some((Form::Ctime, None)));
        for text in [
            "10:00:00",
            "2026-01-05",
            "2026-01-05T10",
            "at 2026-01-05T10:00:00Z",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
