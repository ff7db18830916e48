//! Which status codes are expected.

use core::fmt;

/// Inclusive ranges of status codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatusSet {
    ranges: Vec<(u16, u16)>,
}

impl StatusSet {
    pub(crate) fn only(status: u16) -> StatusSet {
        StatusSet {
            ranges: vec![(status, status)],
        }
    }

    pub(crate) fn of_ranges(ranges: Vec<(u16, u16)>) -> StatusSet {
        StatusSet { ranges }
    }

    pub(crate) fn contains(&self, status: u16) -> bool {
        self.ranges
            .iter()
            .any(|&(low, high)| (low..=high).contains(&status))
    }

    /// Whether no answer could fail it.
    pub(crate) fn is_everything(&self) -> bool {
        (200..=599).all(|status| self.contains(status))
    }
}

/// `200`, or `200-299`: one status or an inclusive range, each from 100 to 599.
pub(crate) fn parse_range(text: &str) -> Option<(u16, u16)> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (parse_code(low.trim())?, parse_code(high.trim())?);
    (low <= high).then_some((low, high))
}

fn parse_code(text: &str) -> Option<u16> {
    if text.len() != 3 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok().filter(|code| (100..=599).contains(code))
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, &(low, high)) in self.ranges.iter().enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            if low == high {
                write!(f, "{low}")?;
            } else {
                write!(f, "{low}-{high}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{StatusSet, parse_range};

    #[test]
    fn ranges_are_read_and_written_back() {
        for (text, range) in [
            ("200", Some((200, 200))),
            ("200-299", Some((200, 299))),
            ("200 - 204", Some((200, 204))),
        ] {
            assert_eq!(parse_range(text), range, "{text}");
        }
        for bad in [
            "",
            "99",
            "600",
            "0200",
            "299-200",
            "2xx",
            "200-",
            "-200",
            "+20",
            "200-204-206",
        ] {
            assert_eq!(parse_range(bad), None, "{bad}");
        }
        let set = StatusSet::of_ranges(vec![(200, 299), (304, 304)]);
        assert_eq!(set.to_string(), "200-299, 304");
        assert!(set.contains(204) && set.contains(304) && !set.contains(301));
    }

    #[test]
    fn a_set_that_every_answer_meets_is_known() {
        assert!(StatusSet::of_ranges(vec![(300, 599), (100, 299)]).is_everything());
        assert!(!StatusSet::of_ranges(vec![(200, 499)]).is_everything());
    }
}
