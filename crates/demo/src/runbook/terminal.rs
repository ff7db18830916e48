//! Whoever sits before the terminal, or the script in the pipe.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use nonevent::driver::follow::{Answer, Aside, Countdown, Person, Place, Question};
use nonevent::driver::{Clock, Event};
use nonevent::rollout::WaitReason;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::answers::{answer, ways};
use super::shown;
use crate::code::say;

/// The longest line that is read, in bytes; the rest of a longer one is thrown away.
const LINE_BYTES_MAX: usize = 4_096;
/// How often the time that is left is shown.
const SHOWN: Duration = Duration::from_secs(1);

/// Asks on standard error, and reads answers from standard input, a line each.
pub(super) struct Terminal {
    lines: mpsc::Receiver<String>,
    /// A line that came while nothing was asked.
    kept: Option<String>,
    /// Whether nobody answers any more.
    ended: bool,
    at_terminal: bool,
    clock: Clock,
    place: Option<Place>,
    waits: Option<WaitReason>,
}

impl Terminal {
    pub(super) fn new() -> Terminal {
        let (to, lines) = mpsc::channel(16);
        // Reading cannot be given up: it has a thread of its own, which ends with the process.
        std::thread::spawn(move || {
            let mut input = std::io::stdin().lock();
            while let Some(line) = read_line(&mut input) {
                if to.blocking_send(line).is_err() {
                    return;
                }
            }
        });
        Terminal {
            lines,
            kept: None,
            ended: false,
            at_terminal: std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
            clock: Clock::new(),
            place: None,
            waits: None,
        }
    }

    /// Whether the answers came to an end.
    pub(super) const fn ended(&self) -> bool {
        self.ended
    }

    fn at(&mut self, place: &Place) {
        if self.place.as_ref() != Some(place) {
            say(plain(&format!("\n{}", shown::heading(place))));
            self.place = Some(place.clone());
            self.waits = None;
        }
    }

    async fn line(&mut self) -> Option<String> {
        match self.kept.take() {
            Some(line) => Some(line),
            None if self.ended => None,
            None => self.lines.recv().await,
        }
    }

    /// What was typed before a question stood on the screen is no answer to it; in a pipe, all is
    /// there before anything is asked.
    fn forget(&mut self) {
        if self.at_terminal {
            self.kept = None;
            while let Ok(line) = self.lines.try_recv() {
                drop(line);
            }
        }
    }

    /// The next line that is said while time passes, if it says anything then.
    async fn aside(&mut self) -> Option<Aside> {
        loop {
            if self.ended || self.kept.is_some() {
                std::future::pending::<()>().await;
            }
            let Some(line) = self.lines.recv().await else {
                // Whoever is asked next is not there.
                self.ended = true;
                continue;
            };
            match line.trim().to_ascii_lowercase().as_str() {
                "promote" => return Some(Aside::Promote),
                "pause" => return Some(Aside::Pause),
                "back" => return Some(Aside::Back),
                "leave" | "quit" => return Some(Aside::Leave),
                _ if self.at_terminal => {
                    say("  nothing is asked now: promote, pause, back, or leave");
                }
                _ => self.kept = Some(line),
            }
        }
    }
}

impl Person for Terminal {
    async fn ask(&mut self, question: &Question) -> Answer {
        self.waits = None;
        self.at(&question.place);
        self.forget();
        say(plain(&shown::question(&question.place, &question.ask)));
        loop {
            let Some(line) = self.line().await else {
                self.ended = true;
                return Answer::Leave;
            };
            if !self.at_terminal {
                say(plain(&format!("  : {}", line.trim())));
            }
            match answer(&question.ask, &line) {
                Some(answer) if question.takes(&answer) => return answer,
                _ => say(format_args!(
                    "  that is no answer to this; say {}",
                    ways(&question.place, &question.ask)
                )),
            }
        }
    }

    async fn wait(&mut self, countdown: &Countdown) -> Option<Aside> {
        self.at(&countdown.place);
        let left_ms = |until: nonevent::document::Timestamp, clock: Clock| {
            u64::try_from(until.ms_since(clock.now())).unwrap_or(0)
        };
        if self.waits != Some(countdown.reason) {
            self.waits = Some(countdown.reason);
            let left = left_ms(countdown.ends, self.clock);
            say(shown::countdown(countdown, left));
        }
        loop {
            let clock = self.clock;
            let wakes_ms = left_ms(countdown.wakes, clock);
            if self.at_terminal {
                let left = left_ms(countdown.ends, clock).div_ceil(1_000) * 1_000;
                let left = nonevent::document::format_duration_ms(left);
                drop(write!(std::io::stderr(), "\r  {left} left \x1b[K"));
            }
            let pause = Duration::from_millis(wakes_ms).min(SHOWN);
            tokio::select! {
                aside = self.aside() => return aside,
                () = sleep(pause) => {}
            }
            if left_ms(countdown.wakes, clock) == 0 {
                if self.at_terminal {
                    drop(write!(std::io::stderr(), "\r\x1b[K"));
                }
                return None;
            }
        }
    }

    fn hear(&mut self, event: &Event) {
        if let Some(text) = shown::news(event) {
            say(plain(&text));
        }
    }
}

/// A document's texts are no commands to a terminal.
fn plain(text: &str) -> String {
    let shown = |sign: char| match sign {
        '\n' => sign,
        sign if sign.is_control() => ' ',
        sign => sign,
    };
    text.chars().map(shown).collect()
}

/// The next line, cut where it is too long; nothing at the end of what can be read as text.
fn read_line(input: &mut impl std::io::BufRead) -> Option<String> {
    let mut line = Vec::new();
    loop {
        let part = input.fill_buf().ok()?;
        if part.is_empty() {
            // What stands at the end without a line break was not finished.
            return None;
        }
        let end = part.iter().position(|it| *it == b'\n');
        let taken = end.map_or(part.len(), |end| end + 1);
        let room = LINE_BYTES_MAX.saturating_sub(line.len());
        line.extend(part.iter().take(taken.min(room)));
        input.consume(taken);
        if end.is_some() {
            return Some(String::from_utf8_lossy(&line).into_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_whole_and_no_longer_than_they_may_be() {
        let long = "x".repeat(3 * LINE_BYTES_MAX);
        let text = format!("yes\n{long}\n\nno\u{1b}[2J\nunfinished");
        let mut input = text.as_bytes();
        let mut next = || read_line(&mut input);
        assert_eq!(next().as_deref(), Some("yes\n"));
        assert_eq!(next().map(|it| it.len()), Some(LINE_BYTES_MAX));
        assert_eq!(next().as_deref(), Some("\n"));
        assert_eq!(plain(&next().expect("a line")), "no [2J\n");
        assert_eq!(next(), None);
    }
}
