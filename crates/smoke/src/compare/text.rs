//! A comparison as lines for a person.

use std::io::{self, Write};

use nonevent_document::format_duration_ms;

use crate::compare::report::{CompareVerdict, Compared, ComparedLatency, Comparison};
use crate::differential::{Difference, DifferenceKind};
use crate::judge::excerpt::visible;
use crate::report::text::Paint;

/// Differences of one test that are shown.
const SHOWN_MAX: usize = 12;
/// Bytes of a difference that is said in one line.
const ONE_LINE_MAX: usize = 100;

impl Comparison {
    /// Writes it as plain lines, with colours if `color`. Whatever a server sent stands in it with
    /// control characters as escapes.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_text(&self, mut out: impl Write, color: bool) -> io::Result<()> {
        let paint = Paint { color };
        let (suite, digest) = (visible(&self.suite.name), self.suite.digest.short());
        let (old, new) = (visible(&self.old), visible(&self.new));
        writeln!(out, "{suite} ({digest}): {new} compared with {old}")?;
        for test in &self.tests {
            write_test(&mut out, paint, test)?;
        }
        let counts: Vec<String> = [
            CompareVerdict::Same,
            CompareVerdict::Different,
            CompareVerdict::Inconclusive,
            CompareVerdict::Skipped,
        ]
        .into_iter()
        .map(|verdict| (self.count(verdict), verdict))
        .filter(|(count, _)| *count > 0)
        .map(|(count, verdict)| format!("{count} {verdict}"))
        .collect();
        let verdict = painted(paint, self.verdict, self.verdict.as_str());
        let (counts, tests) = (counts.join(", "), self.tests.len());
        let time = format_duration_ms(self.duration_ms);
        let cancelled = if self.is_cancelled { ", cancelled" } else { "" };
        writeln!(
            out,
            "{verdict}: {counts} of {tests} tests in {time}{cancelled}"
        )
    }

    /// The lines of [`Comparison::write_text`].
    #[must_use]
    pub fn text(&self, color: bool) -> String {
        let mut out = Vec::new();
        // Writing to memory cannot fail.
        let _infallible = self.write_text(&mut out, color);
        String::from_utf8_lossy(&out).into_owned()
    }
}

fn write_test(out: &mut impl Write, paint: Paint, test: &Compared) -> io::Result<()> {
    let verdict = painted(
        paint,
        test.verdict,
        &format!("{:<12}", test.verdict.as_str()),
    );
    let (name, method, url) = (visible(&test.name), &test.method, visible(&test.url));
    writeln!(out, "  {verdict}  {name}  ({method} {url})")?;
    if let Some(why) = &test.why {
        writeln!(out, "      {}", visible(why))?;
    }
    for difference in test.differences.iter().take(SHOWN_MAX) {
        write_difference(out, difference)?;
    }
    let more = test.differences.len().saturating_sub(SHOWN_MAX);
    if more > 0 {
        writeln!(out, "      and {more} more")?;
    }
    if let Some(latency) = &test.latency {
        writeln!(out, "      {}", latency_line(latency))?;
    }
    if test.verdict == CompareVerdict::Different && !test.noise.is_empty() {
        let noise: Vec<String> = test.noise.iter().map(|text| visible(text)).collect();
        writeln!(
            out,
            "      noise, since the old version differs from itself: {}",
            noise.join("; ")
        )?;
    }
    if let Some(curl) = &test.curl {
        writeln!(out, "      again: {}", visible(curl))?;
    }
    Ok(())
}

fn write_difference(out: &mut impl Write, difference: &Difference) -> io::Result<()> {
    let place = visible(&difference.place);
    let said = |text: &str| match text {
        "" => "nothing".to_owned(),
        text => visible(text),
    };
    let (old, new) = (said(&difference.old), said(&difference.new));
    match difference.kind {
        DifferenceKind::Text => {
            let sides = [("-", &difference.old), ("+", &difference.new)];
            for (sign, line) in sides.into_iter().filter(|(_, line)| !line.is_empty()) {
                writeln!(out, "      {place}: {sign}{}", visible(line))?;
            }
            Ok(())
        }
        DifferenceKind::Assertion => writeln!(out, "      assertion: {new}"),
        _ if place.len() + old.len() + new.len() <= ONE_LINE_MAX => {
            writeln!(out, "      {place}: was {old}, is {new}")
        }
        _ => writeln!(out, "      {place}:\n        was {old}\n        is  {new}"),
    }
}

fn latency_line(latency: &ComparedLatency) -> String {
    let figures = &latency.figures;
    let ms = |us: u64| format!("{}.{:03} ms", us / 1_000, us % 1_000);
    format!(
        "latency: old {}, new {}, {:.2} times as long ({:.2} to {:.2}), {} pairs",
        ms(figures.old_us),
        ms(figures.new_us),
        figures.ratio,
        figures.ratio_low,
        figures.ratio_high,
        figures.pairs
    )
}

fn painted(paint: Paint, verdict: CompareVerdict, word: &str) -> String {
    let code = match verdict {
        CompareVerdict::Same => "1;32",
        CompareVerdict::Different => "1;31",
        CompareVerdict::Inconclusive => "1;35",
        CompareVerdict::Skipped => return word.to_owned(),
    };
    paint.paint(word, code)
}
