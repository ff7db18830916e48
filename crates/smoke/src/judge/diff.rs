//! Where two texts differ, line by line, in few lines.

use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::judge::excerpt::around;

/// Lines of each text that are compared, from the first that differs.
const LINES_COMPARED_MAX: usize = 1_000;
/// Lines of each text that are looked at for the first that differs.
const LINES_READ_MAX: usize = 100_000;
/// Lines of a diff.
const LINES_SHOWN_MAX: usize = 40;
/// Lines of a diff that were changed alike, one after another.
const RUN_LINES_MAX: usize = 10;
/// Lines that are shown before and after a change although they are equal.
const CONTEXT_LINES: usize = 2;
/// Characters of one line of a diff.
const LINE_CHARS_MAX: usize = 160;

/// The lines of `expected` after `-`, those of `actual` after `+`, equal ones after a space; what
/// is left out is counted in brackets. Nothing if the texts are equal.
///
/// Both must be masked already: a secret may go over several lines.
pub(crate) fn diff(expected: &str, actual: &str) -> Option<String> {
    if expected == actual {
        return None;
    }
    let ((old, old_unread), (new, new_unread)) = (lines(expected), lines(actual));
    let same_start = common(old.iter(), new.iter());
    let (old_rest, new_rest) = (after(&old, same_start), after(&new, same_start));
    let same_end = if old_unread + new_unread == 0 {
        common(old_rest.iter().rev(), new_rest.iter().rev())
    } else {
        0
    };
    let (old_rest, old_uncompared) = compared(old_rest, same_end);
    let (new_rest, new_uncompared) = compared(new_rest, same_end);

    let mut out = Lines {
        shown: Vec::new(),
        ends_differ: expected.ends_with('\n') != actual.ends_with('\n'),
    };
    out.equal(old.get(..same_start).unwrap_or_default(), false, true);
    let (old_uncompared, new_uncompared) =
        (old_uncompared + old_unread, new_uncompared + new_unread);
    let uncompared = old_uncompared + new_uncompared;
    let ops = capture_diff_slices(Algorithm::Myers, old_rest, new_rest);
    for op in &ops {
        out.op(op, old_rest, new_rest);
    }
    for (sign, count) in [('-', old_uncompared), ('+', new_uncompared)] {
        if count > 0 {
            out.shown
                .push(format!("{sign}[{count} more lines, not compared]"));
        }
    }
    if uncompared == 0 {
        out.equal(after(&old, old.len() - same_end), true, false);
    }
    Some(out.text())
}

/// The first lines of a text, and how many there are after them.
fn lines(text: &str) -> (Vec<&str>, usize) {
    let mut lines = text.split_inclusive('\n');
    let read = lines.by_ref().take(LINES_READ_MAX).collect();
    (read, lines.count())
}

/// The number of the first line that differs, from 1.
pub(crate) fn first_line(expected: &str, actual: &str) -> usize {
    let lines = expected
        .split_inclusive('\n')
        .zip(actual.split_inclusive('\n'));
    lines.take_while(|(a, b)| a == b).count() + 1
}

fn common<'a>(a: impl Iterator<Item = &'a &'a str>, b: impl Iterator<Item = &'a &'a str>) -> usize {
    a.zip(b).take_while(|(a, b)| a == b).count()
}

fn after<'l, 't>(lines: &'l [&'t str], at: usize) -> &'l [&'t str] {
    lines.get(at..).unwrap_or_default()
}

/// What is compared of the lines before those at the end that are equal, and how many are not.
fn compared<'l, 't>(lines: &'l [&'t str], same_end: usize) -> (&'l [&'t str], usize) {
    let count = lines.len() - same_end;
    let kept = count.min(LINES_COMPARED_MAX);
    (lines.get(..kept).unwrap_or_default(), count - kept)
}

struct Lines {
    shown: Vec<String>,
    /// Whether only one of the texts ends with a line break.
    ends_differ: bool,
}

impl Lines {
    fn op(&mut self, op: &DiffOp, old: &[&str], new: &[&str]) {
        let (gone, came) = (op.old_range(), op.new_range());
        let gone = old.get(gone).unwrap_or_default();
        let came = new.get(came).unwrap_or_default();
        if let DiffOp::Equal { .. } = op {
            return self.equal(gone, true, true);
        }
        self.run('-', gone, came);
        self.run('+', came, gone);
    }

    /// Lines that are in one text only, each from where it differs from its like in the other.
    fn run(&mut self, sign: char, lines: &[&str], others: &[&str]) {
        for (at, line) in lines.iter().take(RUN_LINES_MAX).enumerate() {
            let other = others.get(at).copied().unwrap_or_default();
            let differs = line
                .char_indices()
                .zip(other.chars())
                .find(|((_, a), b)| a != b);
            self.line(sign, line, differs.map_or(0, |((at, _), _)| at));
        }
        if lines.len() > RUN_LINES_MAX {
            let more = lines.len() - RUN_LINES_MAX;
            self.shown.push(format!("{sign}[{more} more lines]"));
        }
    }

    /// Equal lines: those next to what differs, before or after them.
    fn equal(&mut self, lines: &[&str], differs_before: bool, differs_after: bool) {
        let head = if differs_before { CONTEXT_LINES } else { 0 };
        let tail = if differs_after { CONTEXT_LINES } else { 0 };
        if lines.len() <= head + tail + 1 {
            lines.iter().for_each(|line| self.line(' ', line, 0));
            return;
        }
        for line in lines.iter().take(head) {
            self.line(' ', line, 0);
        }
        let left_out = lines.len() - head - tail;
        self.shown.push(format!(" [{left_out} equal lines]"));
        for line in after(lines, lines.len() - tail) {
            self.line(' ', line, 0);
        }
    }

    fn line(&mut self, sign: char, line: &str, from: usize) {
        let text = line.strip_suffix('\n');
        let shown = around(text.unwrap_or(line), from, LINE_CHARS_MAX);
        let ending = if text.is_none() && self.ends_differ {
            " [no line break]"
        } else {
            ""
        };
        self.shown.push(format!("{sign}{shown}{ending}"));
    }

    fn text(mut self) -> String {
        let more = self.shown.len().saturating_sub(LINES_SHOWN_MAX);
        if more > 0 {
            self.shown.truncate(LINES_SHOWN_MAX);
            self.shown.push(format!(" [{more} more lines]"));
        }
        self.shown.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::{LINE_CHARS_MAX, LINES_SHOWN_MAX, diff, first_line};

    #[test]
    fn what_differs_is_shown_with_its_surroundings() {
        let cases = [
            ("ok", "no", "-ok\n+no"),
            ("", "ok", "+ok"),
            ("ok\n", "ok", "-ok\n+ok [no line break]"),
            ("a\nb\nc\n", "a\nx\nc\n", " a\n-b\n+x\n c"),
            (
                "1\n2\n3\n4\n5\n6\n",
                "1\n2\n3\n4\n5\nx\n",
                " [3 equal lines]\n 4\n 5\n-6\n+x",
            ),
            (
                "a\n1\n2\n3\n4\n5\n6\nb\n",
                "x\n1\n2\n3\n4\n5\n6\ny\n",
                "-a\n+x\n 1\n 2\n [2 equal lines]\n 5\n 6\n-b\n+y",
            ),
            ("a\tb\r\n", "a\u{1b}b\r\n", "-a\\tb\\r\n+a\\u{1b}b\\r"),
        ];
        for (expected, actual, wanted) in cases {
            assert_eq!(
                diff(expected, actual).as_deref(),
                Some(wanted),
                "{expected:?}"
            );
        }
        assert_eq!(diff("ok\n", "ok\n"), None);
        assert_eq!(first_line("a\nb\nc", "a\nb\nd"), 3);
        assert_eq!(first_line("a\n", "a\nb"), 2);
    }

    #[test]
    fn long_lines_are_shown_where_they_differ() {
        let line = |end: &str| format!("{}{end}{}", "x".repeat(1_000), "y".repeat(1_000));
        let shown = diff(&line("old"), &line("new")).expect("a difference");
        assert!(shown.contains("xold") && shown.contains("xnew"), "{shown}");
    }

    #[test]
    fn a_diff_of_much_is_short() {
        let lines = |from: usize| {
            (from..from + 50_000)
                .map(|n| format!("{n}\n"))
                .collect::<String>()
        };
        let shown = diff(&lines(0), &lines(100_000)).expect("a difference");
        assert!(shown.contains("-[990 more lines]"), "{shown}");
        assert!(
            shown.contains("+[49000 more lines, not compared]"),
            "{shown}"
        );
        // What only differs after all that is read is not found, and that is said.
        let far = "x\n".repeat(super::LINES_READ_MAX);
        let shown = diff(&far, &format!("{far}y\n")).expect("a difference");
        assert!(shown.contains("+[1 more lines, not compared]"), "{shown}");
        let every_second = |n: usize| {
            if n.is_multiple_of(4) {
                "x\n".to_owned()
            } else {
                format!("{n}\n")
            }
        };
        let changed: String = (0..1_000).map(every_second).collect();
        let plain: String = (0..1_000).map(|n| format!("{n}\n")).collect();
        let shown = diff(&plain, &changed).expect("a difference");
        assert_eq!(shown.lines().count(), LINES_SHOWN_MAX + 1);
    }

    proptest! {
        #[test]
        fn it_is_bounded_and_each_line_has_its_sign(
            expected in "[ab\n\u{1b}]{0,400}", actual in "[ab\n\u{1b}]{0,400}",
        ) {
            let shown = diff(&expected, &actual);
            prop_assert_eq!(shown.is_none(), expected == actual);
            for line in shown.iter().flat_map(|text| text.lines()) {
                prop_assert!(line.starts_with(['-', '+', ' ']), "{line:?}");
                // A control character takes six, and what is left out is said.
                prop_assert!(line.len() < 6 * LINE_CHARS_MAX + 80, "{line:?}");
                prop_assert!(!line.chars().any(char::is_control), "{line:?}");
            }
            let lines = shown.iter().flat_map(|text| text.lines()).count();
            prop_assert!(lines <= LINES_SHOWN_MAX + 1);
        }
    }
}
