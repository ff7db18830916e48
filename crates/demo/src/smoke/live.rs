//! What is seen while a suite runs: a live view at a terminal, one line for each test that did not
//! pass elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use nonevent::document::format_duration_ms;
use nonevent::smoke::{Counts, Event, Severity, Summary, TestResult, Verdict};

use crate::code::say;

/// The live view is drawn again at most this often.
const REDRAW: Duration = Duration::from_millis(100);
/// Cells of the bar.
const BAR: usize = 24;

/// Where progress is shown, and how.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Two lines that are drawn again and again.
    Live,
    /// A line for each test that did not pass, and one at the end.
    Plain,
    /// Standard output says it all as it happens.
    Silent,
}

impl Manner {
    /// Live at a terminal. Elsewhere nothing, where standard output shows each test as it ends to
    /// whoever reads standard error; that is not so if it is JSON or goes to a file.
    pub(crate) fn here(json: bool) -> Manner {
        let goes_to_file = || {
            let stat = rustix::fs::fstat(io::stdout());
            stat.is_ok_and(|stat| {
                rustix::fs::FileType::from_raw_mode(stat.st_mode)
                    == rustix::fs::FileType::RegularFile
            })
        };
        if io::stderr().is_terminal() {
            Manner::Live
        } else if json || goes_to_file() {
            Manner::Plain
        } else {
            Manner::Silent
        }
    }
}

/// The state of the run as far as it is seen.
pub(crate) struct Live {
    manner: Manner,
    begun: Instant,
    drawn: Option<Instant>,
    /// Lines that stand on the screen.
    lines: usize,
    total: usize,
    counts: Counts,
    /// What is being asked.
    running: Vec<String>,
    is_cancelled: bool,
}

impl Live {
    pub(crate) fn new(manner: Manner) -> Live {
        Live {
            manner,
            begun: Instant::now(),
            drawn: None,
            lines: 0,
            total: 0,
            counts: Counts::default(),
            running: Vec::new(),
            is_cancelled: false,
        }
    }

    pub(crate) fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Started {
                name,
                backend,
                total,
            } => {
                self.total = *total;
                self.running.push(called(name, *backend));
            }
            Event::Finished { result, total, .. } => {
                self.total = *total;
                self.ended(result);
            }
            _ => {}
        }
    }

    fn ended(&mut self, result: &TestResult) {
        let name = called(&result.name, result.backend.as_deref());
        if let Some(at) = self.running.iter().position(|running| *running == name) {
            self.running.remove(at);
        }
        self.counts.tests += 1;
        let counted = match result.verdict {
            Verdict::Passed => &mut self.counts.passed,
            Verdict::Flaky => &mut self.counts.flaky,
            Verdict::Failed => &mut self.counts.failed,
            Verdict::Inconclusive => &mut self.counts.inconclusive,
        };
        *counted += 1;
        if self.manner == Manner::Plain && !result.verdict.is_yes() {
            let word = match (result.severity, result.verdict) {
                (Severity::Warning, _) => "warning",
                (_, Verdict::Inconclusive) => "inconclusive",
                _ => "failed",
            };
            let why = result.failures().next();
            let why = why.map_or(String::new(), |why| harmless(&why.message));
            say(format_args!("{word}: {name}: {why}"));
        }
    }

    /// Says that the first Ctrl-C was heard.
    pub(crate) fn cancelled(&mut self) {
        self.wipe();
        self.is_cancelled = true;
        say("cancelled: what was prepared is cleaned up; Ctrl-C again ends at once");
    }

    /// Draws the live view, if it is time.
    pub(crate) fn draw(&mut self) {
        let now = Instant::now();
        let is_early = |drawn: Instant| now.duration_since(drawn) < REDRAW;
        if self.manner != Manner::Live || self.drawn.is_some_and(is_early) {
            return;
        }
        self.drawn = Some(now);
        self.wipe();
        let columns = columns().saturating_sub(1);
        let view = self.view(now.duration_since(self.begun));
        let text: String = view.map(|line| fit(&line, columns) + "\n").concat();
        self.lines = text.lines().count();
        drop(write!(io::stderr(), "{text}"));
    }

    /// Takes the live view off the screen.
    pub(crate) fn wipe(&mut self) {
        if self.lines > 0 {
            // The terminal may have written `^C` where the cursor stands.
            drop(write!(io::stderr(), "\r\x1b[{}A\x1b[J", self.lines));
            self.lines = 0;
        }
    }

    /// The last line, unless standard output has it on the same screen.
    pub(crate) fn close(&mut self, summary: &Summary) {
        self.wipe();
        let is_seen = self.manner == Manner::Live && io::stdout().is_terminal();
        if self.manner == Manner::Silent || is_seen {
            return;
        }
        let (verdict, counts) = (summary.verdict, counted(&summary.counts).join(", "));
        let (tests, time) = (
            summary.counts.tests,
            format_duration_ms(summary.duration_ms),
        );
        say(format_args!(
            "{verdict}: {counts} of {tests} tests in {time}"
        ));
    }

    fn view(&self, elapsed: Duration) -> [String; 2] {
        let (done, total) = (self.counts.tests, self.total);
        let full = (done * BAR).checked_div(total).unwrap_or_default().min(BAR);
        let bar = "█".repeat(full) + &"░".repeat(BAR - full);
        let mut line = format!("  {bar} {done}/{total}");
        for counted in counted(&self.counts) {
            line.push_str(&format!("  {counted}"));
        }
        let seconds = elapsed.as_secs_f64();
        if done > 0 && seconds >= 0.5 {
            let rate = done as f64 / seconds;
            let left = total.saturating_sub(done) as f64 / rate;
            let left = format_duration_ms((left.ceil() * 1000.0) as u64);
            line.push_str(&format!("  {rate:.1}/s  about {left} left"));
        }
        let now = if self.is_cancelled {
            "cleaning up"
        } else {
            "now"
        };
        let running = self.running.join(", ");
        [line, format!("  {now}: {running}")]
    }
}

/// `1 200 passed`, `3 failed`; what there is none of is left out.
fn counted(counts: &Counts) -> Vec<String> {
    let counts = [
        (counts.passed, "passed"),
        (counts.flaky, "flaky"),
        (counts.failed, "failed"),
        (counts.inconclusive, "inconclusive"),
    ];
    let some = counts.into_iter().filter(|(count, _)| *count > 0);
    some.map(|(count, word)| format!("{count} {word}"))
        .collect()
}

fn called(name: &str, backend: Option<&str>) -> String {
    let name = match backend {
        Some(backend) => format!("{name} at {backend}"),
        None => name.to_owned(),
    };
    harmless(&name)
}

/// Without what a terminal takes for a command.
pub(super) fn harmless(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// As much of a line as has room: a line that the terminal breaks could not be taken back. What is
/// not Latin is taken for two columns wide.
fn fit(line: &str, columns: usize) -> String {
    let mut left = columns;
    let mut out = String::new();
    for c in line.chars() {
        let width = if c < '\u{300}' || matches!(c, '█' | '░') {
            1
        } else {
            2
        };
        if left < width {
            break;
        }
        left -= width;
        out.push(c);
    }
    out
}

/// The width of the terminal, in columns.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(io::stderr());
    size.map_or(80, |size| usize::from(size.ws_col).max(20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_view_says_how_far_it_is_and_how_long_it_takes() {
        let mut live = Live::new(Manner::Silent);
        live.total = 200;
        live.counts = Counts {
            tests: 50,
            passed: 48,
            failed: 2,
            ..Counts::default()
        };
        live.running = vec![called("a\u{1b}[2J", Some("shop-1")), called("b", None)];
        let [progress, now] = live.view(Duration::from_secs(10));
        let bar = "█".repeat(6) + &"░".repeat(18);
        let wanted = format!("  {bar} 50/200  48 passed  2 failed  5.0/s  about 30s left");
        assert_eq!(progress, wanted);
        assert_eq!(now, "  now: a[2J at shop-1, b");
        assert!(Live::new(Manner::Silent).view(Duration::ZERO)[0].ends_with("0/0"));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        assert_eq!(fit("abcdef", 4), "abcd");
        assert_eq!(fit("日本語", 5), "日本");
    }
}
