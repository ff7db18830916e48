//! A body as text and as bytes.

use nonevent_document::Digest;
use regex::Regex;

use crate::judge::Judge;
use crate::judge::diff::{diff, first_line};
use crate::judge::excerpt::{around, nearest, visible};
use crate::net::exchange::Answer;
use crate::suite::expectations::BodyRule;

/// Characters of two texts that are still shown side by side in one sentence.
const SENTENCE_CHARS_MAX: usize = 60;

impl Judge<'_> {
    pub(super) fn body(&mut self, rule: &BodyRule<String>, answer: &Answer) {
        match rule {
            BodyRule::Equals(text) => self.equals(text, answer),
            BodyRule::Contains(text) => self.contains(text, answer),
            BodyRule::NotContains(text) => self.contains_not(text),
            BodyRule::Matches(regex) => self.matches(regex, answer),
            BodyRule::NotMatches(regex) => self.matches_not(regex),
            BodyRule::Bytes(bounds) => {
                let count = answer.body.len() as u64;
                if !bounds.contain(count) {
                    let (expected, actual) = (format!("{bounds} bytes"), format!("{count} bytes"));
                    let message = format!("body has {actual}, expected {expected}");
                    let excerpt = self.body_head();
                    self.fail(message, expected, actual).excerpt = excerpt;
                }
            }
            BodyRule::Sha256(wanted) => {
                let actual = Digest::of(&answer.body).hex();
                if actual != *wanted {
                    let message = format!("body has the SHA-256 {actual}, expected {wanted}");
                    let excerpt = self.body_head();
                    self.fail(message, wanted.clone(), actual).excerpt = excerpt;
                }
            }
        }
    }

    fn equals(&mut self, wanted: &str, answer: &Answer) {
        if answer.body == wanted.as_bytes() {
            return;
        }
        let masked = self.redactor.apply(self.body);
        let wanted = self.redactor.apply(wanted);
        let differing = diff(&wanted, &masked);
        let quoted = |text: &str| match text {
            "" => "empty".to_owned(),
            text => format!("`{}`", visible(text)),
        };
        let is_short =
            |text: &str| text.chars().take(SENTENCE_CHARS_MAX + 1).count() <= SENTENCE_CHARS_MAX;
        let mut message = if differing.is_none() {
            "body differs from the expected one in what is masked, or is no text".to_owned()
        } else if is_short(&wanted) && is_short(&masked) {
            format!("body is {}, expected {}", quoted(&masked), quoted(&wanted))
        } else {
            let line = first_line(&wanted, &masked);
            format!("body differs from the expected one, first in line {line}")
        };
        message.push_str(&undecoded(answer));
        let (expected, actual) = (self.shown(&wanted), self.shown(&masked));
        self.fail(message, expected, actual).diff = differing;
    }

    fn contains(&mut self, wanted: &str, answer: &Answer) {
        if self.body.contains(wanted) {
            return;
        }
        // The wanted text is masked too, or its nearest match could show a part of a secret.
        let masked = self.redactor.apply(self.body);
        let wanted = self.redactor.apply(wanted);
        let (excerpt, found) = nearest(&masked, &wanted, self.chars_max);
        let expected = format!("to contain `{}`", self.shown(&wanted));
        let actual = if self.body.is_empty() {
            "empty".to_owned()
        } else {
            match wanted.get(..found).filter(|prefix| !prefix.is_empty()) {
                Some(prefix) => format!("one that has only `{}` of it", self.shown(prefix)),
                None => "one without it".to_owned(),
            }
        };
        let mut message = format!("body is {actual}, expected {expected}");
        message.push_str(&undecoded(answer));
        let excerpt = (!self.body.is_empty()).then_some(excerpt);
        self.fail(message, expected, actual).excerpt = excerpt;
    }

    fn contains_not(&mut self, unwanted: &str) {
        if !self.body.contains(unwanted) {
            return;
        }
        let masked = self.redactor.apply(self.body);
        let unwanted = self.redactor.apply(unwanted);
        // It may be hidden in a mask, and then the start is as good as any place.
        let at = masked.find(&*unwanted).unwrap_or_default();
        let excerpt = around(&masked, at, self.chars_max);
        let expected = format!("not to contain `{}`", self.shown(&unwanted));
        let message = format!(
            "body contains `{}`, expected it not to",
            self.shown(&unwanted)
        );
        self.fail(message, expected, "one that contains it".to_owned())
            .excerpt = Some(excerpt);
    }

    fn matches(&mut self, regex: &Regex, answer: &Answer) {
        if regex.is_match(self.body) {
            return;
        }
        let expected = format!("to match `{}`", self.shown(regex.as_str()));
        let actual = if self.body.is_empty() {
            "empty"
        } else {
            "one that does not match"
        };
        let message = format!("body is {actual}, expected {expected}{}", undecoded(answer));
        let excerpt = self.body_head();
        self.fail(message, expected, actual.to_owned()).excerpt = excerpt;
    }

    fn matches_not(&mut self, regex: &Regex) {
        if !regex.is_match(self.body) {
            return;
        }
        let masked = self.redactor.apply(self.body);
        let found = regex.find(&masked);
        let at = found.as_ref().map_or(0, regex::Match::start);
        let excerpt = around(&masked, at, self.chars_max);
        let actual = match &found {
            Some(found) => format!("`{}`", self.shown(found.as_str())),
            None => "what is masked".to_owned(),
        };
        let regex = self.shown(regex.as_str());
        let message = format!("body has {actual}, which matches `{regex}`, expected it not to");
        self.fail(message, format!("not to match `{regex}`"), actual)
            .excerpt = Some(excerpt);
    }
}

/// Why a body may not be what it seems.
fn undecoded(answer: &Answer) -> String {
    match &answer.coding {
        Some(coding) => format!("; it is {} coded, which is not decoded", visible(coding)),
        None => String::new(),
    }
}
