//! The runbook as plain text for a terminal.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::format_duration_ms;
use nonevent_router::{Arm, FULL_WEIGHT};

use crate::content::{share, within};
use crate::markdown::one_line;
use crate::runbook::{Item, Moment, Runbook, StepPage};
use crate::text::Text;

/// The narrowest page, in columns.
pub const TEXT_WIDTH_MIN: usize = 40;
/// The length of a bar that stands for all traffic, in columns.
const BAR: u32 = 20;

impl Runbook {
    /// The runbook as plain text, in lines of at most `width` columns, at least
    /// [`TEXT_WIDTH_MIN`]; only a word that is longer stands out. No value steers the terminal:
    /// control characters are shown as their pictures.
    #[must_use]
    pub fn to_text(&self, width: usize) -> String {
        let mut page = Lines {
            out: String::new(),
            width: width.max(TEXT_WIDTH_MIN),
        };
        let header = &self.header;
        page.heading(
            '=',
            &format!(
                "Runbook: {} {} to {}",
                header.service, header.release.to, header.environment
            ),
        );
        for fact in &header.facts {
            page.hanging(&format!("{}: ", fact.label), "  ", &words(&fact.value));
        }
        page.section("Overview");
        for text in &self.overview.summary {
            page.hanging("", "", &words(text));
            page.blank();
        }
        for moment in &self.overview.timeline {
            page.moment(moment);
        }
        page.tasks("Before the deployment", &self.checklist);
        page.section("Steps");
        for step in &self.steps {
            page.step(step);
        }
        page.tasks("After the deployment", &self.verification);
        page.triggers(self);
        page.section("Rollback");
        page.hanging("", "", &words(&self.rollback.bound));
        page.boxes(&self.rollback.items);
        page.list("Migrations", &self.migrations);
        page.list("Feature flags and kill switches", &self.flags);
        page.list("Escalation and contacts", &self.contacts);
        page.section("Messages");
        for message in &self.messages {
            page.hanging("", "", &format!("{}. {}", message.title, message.when));
            for line in &message.lines {
                page.hanging("  | ", "  | ", &words(line));
            }
            page.blank();
        }
        page.section("Sign-off");
        for slot in &self.sign_offs {
            page.hanging("[ ] ", "    ", slot.role);
            page.hanging("    ", "    ", "Name:             Date:");
        }
        page.out
    }
}

struct Lines {
    out: String,
    width: usize,
}

fn words(text: &Text) -> String {
    text.to_string()
}

impl Lines {
    fn blank(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    fn heading(&mut self, mark: char, text: &str) {
        self.blank();
        let text = one_line(text);
        let columns = text.chars().count().min(self.width);
        self.out.push_str(&text);
        self.out.push('\n');
        self.out.extend((0..columns).map(|_| mark));
        self.out.push_str("\n\n");
    }

    fn section(&mut self, title: &str) {
        self.heading('-', title);
    }

    /// Words behind `first`, further lines behind `rest`.
    fn hanging(&mut self, first: &str, rest: &str, text: &str) {
        let text = one_line(text);
        self.out.push_str(first);
        let mut column = first.chars().count();
        let mut fresh = true;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let length = word.chars().count();
            if !fresh && column + 1 + length > self.width {
                self.out.push('\n');
                self.out.push_str(rest);
                column = rest.chars().count();
                fresh = true;
            }
            if !fresh {
                self.out.push(' ');
                column += 1;
            }
            self.out.push_str(word);
            column += length;
            fresh = false;
        }
        self.out.push('\n');
    }

    fn moment(&mut self, moment: &Moment) {
        let (bar, part) = if moment.split.is_closed() {
            (
                String::from("x").repeat(BAR as usize),
                String::from("closed"),
            )
        } else {
            let weight = moment.split.weight(Arm::Canary);
            let full = u32::from(weight) * BAR / u32::from(FULL_WEIGHT);
            let bar = (0..BAR).map(|at| if at < full { '#' } else { '.' });
            (bar.collect(), share(weight))
        };
        let at = format_duration_ms(moment.at_ms);
        self.out.push_str(&format!("after {at:<10} {bar} {part}\n"));
    }

    fn boxes<'a>(&mut self, items: impl IntoIterator<Item = &'a Item>) {
        for item in items {
            self.hanging("[ ] ", "    ", &words(&item.text));
        }
    }

    fn tasks(&mut self, title: &str, items: &[Item]) {
        self.section(title);
        self.boxes(items);
    }

    fn list(&mut self, title: &str, items: &[Item]) {
        if items.is_empty() {
            return;
        }
        self.section(title);
        for item in items {
            self.hanging("* ", "  ", &words(&item.text));
        }
    }

    fn step(&mut self, step: &StepPage) {
        self.hanging(&format!("{}. ", step.number), "   ", &words(&step.title));
        let mut facts = Vec::from([
            ("Done by: ", words(&step.done_by)),
            ("How to check: ", words(&step.check)),
        ]);
        self.hanging("   [ ] ", "       ", &words(&step.action.text));
        self.hanging("   [ ] Seen: ", "       ", &words(&step.seen.text));
        if let Some(pause_ms) = step.pause_ms {
            facts.push(("Pause: ", format_duration_ms(pause_ms)));
        }
        let deadline = format_duration_ms(step.deadline_ms);
        facts.push(("Deadline: ", format!("{deadline}; {}", step.late)));
        let back = match step.no_return {
            true => words(&step.back.text),
            false => format!("{}: {}", within(step.back_within_ms), step.back.text),
        };
        facts.push(("Way back: ", back));
        for (label, value) in facts {
            self.hanging(&format!("   {label}"), "       ", &value);
        }
        if let Some(by_hand) = &step.by_hand {
            self.hanging("   By hand:", "", "");
            for line in by_hand.shown.lines() {
                self.out.push_str("     ");
                self.out.push_str(&one_line(line));
                self.out.push('\n');
            }
        }
        self.blank();
    }

    fn triggers(&mut self, runbook: &Runbook) {
        self.section("When to roll back");
        for trigger in &runbook.triggers.signals {
            let (signal, who) = (trigger.signal, &trigger.watched_by);
            let text = format!("{signal}: {}; {who}", trigger.threshold);
            self.hanging("* ", "  ", &text);
        }
        let people = runbook.triggers.by_people.iter().map(words);
        let people: Vec<String> = people.collect();
        let text = format!("A person may also decide it: {}.", people.join("; "));
        self.hanging("* ", "  ", &text);
        let none = runbook.triggers.not_reasons.iter().map(words);
        let none: Vec<String> = none.collect();
        self.hanging("* ", "  ", &format!("Not a reason: {}.", none.join("; ")));
    }
}
