//! Reads the conditions of a clause: for how long, and over how many requests.

use alloc::format;
use alloc::string::{String, ToString as _};

use nonevent_document::parse_duration_ms;

use super::bound::{REQUESTS_MIN_MAX, SUSTAINED_MS_MAX};
use super::clause::Read;
use super::lex::Sign;
use super::metric::RESERVED;
use super::parse::Parser;
use super::rules::{DURATION, REQUESTS};

impl Parser<'_, '_> {
    /// After the limit: `for 5m`.
    pub(super) fn sustained(&mut self) -> Option<Read<u64>> {
        let token = self.next();
        if !self.is(token, "for") {
            let message = format!("{} is not of this language", self.shown(token));
            let help = "write `for` before a duration";
            self.sink.push(DURATION, token.span(), message, help);
        }
        if self.peek().sign != Sign::Number {
            self.expected("a duration", "write one such as `for 5m`");
            return None;
        }
        let begin = self.peek().start;
        let mut text = String::new();
        while self.peek().sign == Sign::Number {
            let token = self.next();
            text.push_str(self.words(token));
            let unit = self.peek();
            let keyword = RESERVED.contains(&self.words(unit));
            if unit.sign == Sign::Word && !keyword {
                let token = self.next();
                text.push_str(self.words(token));
            }
        }
        let span = begin..self.end();
        let (message, help) = match parse_duration_ms(&text) {
            Ok(ms) if (1..=SUSTAINED_MS_MAX).contains(&ms) => return Some(Some(ms)),
            Ok(_) => (
                String::from("the duration is out of range"),
                "write 1ms to 7d; for a moment, leave `for` out",
            ),
            Err(error) => (error.to_string(), "write one such as `for 5m`"),
        };
        self.sink.push(DURATION, span, message, help);
        Some(None)
    }

    /// After the limit: `of at least 100 requests`.
    pub(super) fn requests(&mut self) -> Option<Read<u64>> {
        let help = "write one such as `of at least 100 requests`";
        let of = self.next();
        let mut whole = true;
        for word in ["at", "least"] {
            if self.is(self.peek(), word) {
                self.next();
            } else {
                whole = false;
            }
        }
        let count = self.peek();
        if count.sign != Sign::Number {
            self.expected("a count of requests", help);
            return None;
        }
        self.next();
        let unit = self.peek();
        whole &= self.is(unit, "requests") || self.is(unit, "request");
        if unit.sign == Sign::Word && !self.parts_clauses(unit) && !self.is(unit, "for") {
            self.next();
        }
        let span = of.start..self.end();
        if !whole {
            let message = "the condition is not complete";
            self.sink.push(REQUESTS, span, message, help);
            return Some(None);
        }
        let requests = self.words(count).parse::<u64>().ok();
        let requests = requests.filter(|requests| (1..=REQUESTS_MIN_MAX).contains(requests));
        if requests.is_none() {
            let message = format!("{} is not a count in range", self.shown(count));
            let help = format!("write a whole number from 1 to {REQUESTS_MIN_MAX}");
            self.sink.push(REQUESTS, count.span(), message, help);
        }
        Some(requests)
    }
}
