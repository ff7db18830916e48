//! Moments as services write them.

use std::sync::LazyLock;

use nonevent_document::Timestamp;
use regex::{Captures, Regex};

use crate::differential::form::Form;

/// The ways in which moments are written, and what the groups of each are called.
static WAYS: LazyLock<[(Form, String); 8]> = LazyLock::new(|| {
    // Some put a narrow space before `PM` (CLDR 42).
    let time =
        r"(?<h>\d?\d):(?<m>\d\d)(?::(?<s>\d\d)(?:[.,]\d+)?)?(?:[ \x{202f}]?(?<half>[AaPp])[Mm]\b)?";
    let zone = r"(?: ?(?:(?:Z|UTC|GMT)\b|(?<zh>[+-]\d\d):?(?<zm>\d\d)))?";
    let month = r"(?<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*";
    let year = r"(?<year>\d{4})";
    [
        // RFC 3339, with what people leave out of it or write instead.
        (
            Form::DateTime,
            format!(r"{year}[-/](?<mm>\d\d)[-/](?<day>\d\d)[Tt ]{time}{zone}"),
        ),
        // ISO 8601, basic.
        (
            Form::DateTime,
            format!(r"{year}(?<mm>\d\d)(?<day>\d\d)T(?<h>\d\d)(?<m>\d\d)(?<s>\d\d)Z"),
        ),
        // RFC 9110, section 5.6.7: the preferred form, and that of RFC 850.
        (
            Form::HttpDate,
            format!(r"[A-Z][a-z]+, (?<day>\d\d)[ -]{month}[ -](?<year>\d\d(?:\d\d)?) {time}{zone}"),
        ),
        // Access logs; listings of folders.
        (
            Form::LogTime,
            format!(r"(?<day>\d\d)[/-]{month}[/-]{year}[: ]{time}{zone}"),
        ),
        // `ctime` and `date`, with or without a zone or a year.
        (
            Form::Ctime,
            format!(r"(?:[A-Z][a-z]{{2}} )?{month} (?<day>[ \d]\d) {time}{zone}(?: {year})?"),
        ),
        // As people write them: the month first, the day first, and in numbers.
        (
            Form::Written,
            format!(r"{month} (?<day>\d?\d), {year},?(?: at)? {time}{zone}"),
        ),
        (
            Form::Written,
            format!(r"(?<day>\d?\d)\.? {month} {year},?(?: at)? {time}{zone}"),
        ),
        (
            Form::Written,
            format!(r"(?<day>\d?\d)[./](?<mm>\d?\d)[./]{year},? {time}{zone}"),
        ),
    ]
});

static WHOLE: LazyLock<Vec<(Form, Regex)>> = LazyLock::new(|| {
    let whole = |(form, way): &(Form, String)| {
        let whole = Regex::new(&format!("^(?:{way})$"));
        (*form, whole.expect("the tests read each of them"))
    };
    WAYS.iter().map(whole).collect()
});

/// An expression of all moments within a text, without groups.
pub(super) fn within() -> String {
    let named = Regex::new(r"\?<[a-z]+>").expect("it is one");
    let ways: Vec<&str> = WAYS.iter().map(|(_, way)| way.as_str()).collect();
    let ways = ways.join("|");
    let ways = named.replace_all(&ways, "?:");
    format!(r"\b(?:{ways})\b")
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// The longest way of writing one, and then some.
const BYTES_MAX: usize = 48;

/// How a moment is written and, if it says so much, which one it is in milliseconds since the
/// epoch. Without a zone it is taken for UTC. What has the form of one and is none, such as the
/// 30th of February, is no moment.
pub(super) fn moment(text: &str) -> Option<(Form, Option<i64>)> {
    // What most texts are not is said at once.
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    let is_basic = || text.len() == 16 && is_digit(0) && is_digit(14) && text.ends_with('Z');
    if text.len() > BYTES_MAX || !text.contains(':') && !is_basic() {
        return None;
    }
    WHOLE.iter().find_map(|(form, way)| {
        let found = way.captures(text)?;
        if found.name("year").is_none() {
            return Some((*form, None));
        }
        let part = |name: &str| found.name(name).map(|it| it.as_str());
        let (day, mm) = (part("day")?.trim(), part("mm"));
        match (mm, form) {
            // The 4th of May, or April 5th.
            (Some(mm), Form::Written) if text.contains('/') => {
                let [first, second] = [unix_ms(&found, day, mm), unix_ms(&found, mm, day)];
                let is_either = first.is_some() && second.is_some() && first != second;
                let known = (!is_either).then_some(first.or(second)?);
                Some((*form, known))
            }
            (Some(mm), _) => Some((*form, Some(unix_ms(&found, day, mm)?))),
            (None, _) => {
                let name = part("month")?;
                let at = MONTHS.iter().position(|known| *known == name)?;
                let ms = unix_ms(&found, day, &(at + 1).to_string())?;
                Some((*form, Some(ms)))
            }
        }
    })
}

fn unix_ms(found: &Captures<'_>, day: &str, month: &str) -> Option<i64> {
    let part = |name: &str| found.name(name).map(|it| it.as_str());
    let year = part("year")?;
    let century = if year.len() == 2 { "20" } else { "" };
    let hour: u32 = part("h")?.parse().ok()?;
    let hour = match part("half") {
        Some(_) if !(1..=12).contains(&hour) => return None,
        Some(half) => hour % 12 + 12 * u32::from(half.eq_ignore_ascii_case("p")),
        None => hour,
    };
    let (m, s) = (part("m")?, part("s").unwrap_or("00"));
    let (zh, zm) = (part("zh").unwrap_or("+00"), part("zm").unwrap_or("00"));
    let text = format!("{century}{year}-{month:0>2}-{day:0>2}T{hour:02}:{m}:{s}{zh}:{zm}");
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
            ("Mon Jan  5 10:00:00 UTC 2026", Form::Ctime),
            ("2026/01/05 10:00:00", Form::DateTime),
            ("20260105T100000Z", Form::DateTime),
            ("Jan 5, 2026, 10:00:00", Form::Written),
            ("January 5, 2026 at 10:00 AM", Form::Written),
            ("5 Jan 2026 10:00:00", Form::Written),
            ("05.01.2026, 10:00", Form::Written),
        ] {
            assert_eq!(moment(text), Some((form, at)), "{text}");
        }
        assert_eq!(moment("Jan  5 10:00:00"), Some((Form::Ctime, None)));
        assert_eq!(moment("1/5/2026, 10:00:00 AM"), Some((Form::Written, None)));
        for text in ["1/23/2026, 12:00 AM", "23/1/2026, 0:00"] {
            assert_eq!(moment(text), Some((Form::Written, Some(1_769_126_400_000))));
        }
        assert_eq!(
            moment("Jan 6, 2026, 12:00:00 AM"),
            Some((Form::Written, Some(1_767_657_600_000)))
        );
        for text in [
            "10:00:00",
            "2026-01-05",
            "2026-01-05T10",
            "at 2026-01-05T10:00:00Z",
            "2026-02-30T10:00:00Z",
            "36-Nov-2026 10:00",
            "Jan 5, 2026, 13:00:00 PM",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
