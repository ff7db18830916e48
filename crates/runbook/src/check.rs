//! What stands against a page that people are about to follow.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::ops::Range;

use nonevent_document::{Finding, Findings, Rule, Severity, Timestamp, format_duration_ms};
use nonevent_strategy::{Plan, PlanError};

use crate::blank;
use crate::content::PLAN_ID;
use crate::lines::Lines;
use crate::marks::SIGN_OFF;
use crate::parse::{Reviewed, parse};
use crate::print::{Line, heading_level, imprint, lines};
use crate::rules;
use crate::runbook::{Facts, Runbook};

/// What a page and its plan do not know. A check that lacks one of these says that it was not made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circumstances {
    /// Who made the release.
    pub author: Option<String>,
    /// Everybody who may be named on the page.
    pub people: Option<BTreeSet<String>>,
    /// Who has signed the page as it is, verified.
    pub signed_by: Option<BTreeSet<String>>,
    /// When the document that the plan comes from was changed last.
    pub changed: Option<Timestamp>,
    /// When the rollout would begin, for a plan with change windows.
    pub begins: Option<Timestamp>,
    /// How long the change window is, in milliseconds.
    pub window_ms: Option<u64>,
}

/// Words that stand where a decision is missing.
const UNDECIDED: [&str; 5] = ["TODO", "TBD", "FIXME", "XXX", "???"];
/// What a step of people's own has to say, each in one of these words.
const TO_SEE: [&str; 5] = ["seen:", "expected:", "how to check", "expect:", "check:"];
const TO_GO_BACK: [&str; 4] = ["way back", "rollback", "roll back", "irreversible"];

/// Holds a page against the plan that will be run and against what else is known: everything that
/// [`parse`] finds, and what only matters to those who are about to follow it.
///
/// # Errors
/// If the plan has no digest; see [`Plan::digest`].
pub fn check(
    markdown: &str,
    plan: &Plan,
    circumstances: &Circumstances,
) -> Result<Findings, PlanError> {
    let reviewed = parse(markdown, plan)?;
    if markdown.len() > crate::PAGE_BYTES_MAX {
        return Ok(reviewed.findings);
    }
    let runbook = Runbook::of(plan, &Facts::at(Timestamp::from_unix_ms(0)))?;
    let end = imprint(markdown).map_or(markdown.len(), |(range, _)| range.start);
    let mut checker = Checker {
        places: Lines::of(markdown),
        lines: lines(&markdown[..end]),
        reviewed: &reviewed,
        runbook: &runbook,
        plan,
        known: circumstances,
        findings: reviewed.findings.clone(),
    };
    checker.way_back();
    checker.own_steps();
    checker.undecided();
    checker.order();
    checker.people();
    checker.time();
    checker.reworded();
    Ok(checker.findings)
}

struct Checker<'a> {
    places: Lines<'a>,
    lines: Vec<Line<'a>>,
    reviewed: &'a Reviewed,
    runbook: &'a Runbook,
    plan: &'a Plan,
    known: &'a Circumstances,
    findings: Findings,
}

impl Checker<'_> {
    fn push(&mut self, rule: Rule, path: &str, at: Option<usize>, message: String, help: &str) {
        let mut found: Finding = rule.finding(path, message, help);
        if let Some(at) = at {
            found.at = Some(self.places.position(at));
            found.span = Some(at..at);
        }
        self.findings.push(found);
    }

    /// A check that lacks a fact.
    fn unevaluated(&mut self, rule: Rule, fact: &str, help: &str) {
        let mut found = rule.finding("", format!("not evaluated: {fact}"), help);
        found.severity = Severity::Note;
        self.findings.push(found);
    }

    fn place_of(&self, id: &str) -> Option<usize> {
        let line = self.lines.iter().find(|line| line.id == Some(id));
        line.map(|line| line.at)
    }

    fn way_back(&mut self) {
        let without = self.runbook.steps.iter().find(|step| step.no_return);
        let Some(step) = without else {
            return;
        };
        let accepted = self.plan.rollback.no_way_back.as_ref();
        let at = self.place_of(&step.back.id);
        let Some(accepted) = accepted else {
            let message = String::from("there is no way back from here, and nobody accepted that");
            let help = "say in the deployment who accepts it, as `rollback.no_way_back`";
            self.push(rules::NO_WAY_BACK, &step.back.id, at, message, help);
            return;
        };
        let who = &accepted.accepted_by;
        let signed = match &self.known.signed_by {
            Some(people) => people.contains(who),
            None => self
                .reviewed
                .sign_offs
                .iter()
                .any(|it| it.ticked && it.name.as_ref() == Some(who)),
        };
        if !signed {
            let message = format!(
                "there is no way back from here; {who} accepted that ({}), and has not signed this page",
                accepted.reason
            );
            let help = "have them read the page and sign it";
            self.push(rules::NO_WAY_BACK, &step.back.id, at, message, help);
        }
    }

    /// Sections among the steps that are not the plan's, and hold something to be done.
    fn own_steps(&mut self) {
        let is_steps = |line: &Line<'_>| line.print.heading && line.raw.trim_end() == "## Steps";
        let Some(first) = self.lines.iter().position(is_steps) else {
            return;
        };
        let level = |line: &Line<'_>| {
            let heading = line
                .print
                .heading
                .then(|| heading_level(line.raw.trim_end()));
            heading.flatten()
        };
        let mut sections: Vec<(Range<usize>, bool)> = Vec::new();
        for (at, line) in self.lines.iter().enumerate().skip(first + 1) {
            match level(line) {
                Some(1 | 2) => break,
                Some(3) => sections.push((at..at + 1, line.id.is_none())),
                _ => {
                    if let Some((section, _)) = sections.last_mut() {
                        section.end = at + 1;
                    }
                }
            }
        }
        for (section, _) in sections.iter().filter(|(_, own)| *own) {
            let Some((title, body)) = self
                .lines
                .get(section.clone())
                .and_then(|it| it.split_first())
            else {
                continue;
            };
            let is_task = |line: &Line<'_>| crate::print::tick_in(line.raw).is_some();
            if !body.iter().any(is_task) {
                continue;
            }
            let says = |words: &[&str]| {
                body.iter().any(|line| {
                    let line = line.raw.to_lowercase();
                    words.iter().any(|word| line.contains(word))
                })
            };
            let missing = match (says(&TO_SEE), says(&TO_GO_BACK)) {
                (true, true) => continue,
                (false, true) => "does not say how one sees that it worked",
                (true, false) => "has no way back",
                (false, false) => {
                    "says neither how one sees that it worked nor what its way back is"
                }
            };
            let name = title.raw.trim().trim_start_matches('#').trim().to_string();
            let (at, message) = (
                title.at,
                format!("the step {name:?}, which people added, {missing}"),
            );
            let help = "add `Seen: …` and `Way back: …` under it, or `Irreversible, accepted by …`";
            self.push(rules::OWN_STEP, "", Some(at), message, help);
        }
    }

    fn undecided(&mut self) {
        let mut found = Vec::new();
        for line in &self.lines {
            for word in UNDECIDED {
                let place = line.raw.match_indices(word).find(|(at, _)| {
                    let before = line.raw[..*at].chars().next_back();
                    let after = line.raw[at + word.len()..].chars().next();
                    let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
                    !word.starts_with(char::is_alphabetic) || (apart(before) && apart(after))
                });
                if let Some((at, _)) = place {
                    found.push((line.at + at, word));
                }
            }
        }
        for (at, word) in found {
            let message = format!("{word} stands here");
            let help = "decide it, and write what was decided";
            self.push(rules::PLACEHOLDER, "", Some(at), message, help);
        }
    }

    fn order(&mut self) {
        let ticked: BTreeMap<&str, bool> = self
            .reviewed
            .items
            .iter()
            .map(|item| (item.id.as_str(), item.ticked))
            .collect();
        let steps = self.runbook.steps.iter();
        let course = steps.flat_map(|step| [&step.action, &step.seen]);
        let mut open: Option<&str> = None;
        let mut out_of_order = Vec::new();
        for item in course.chain(&self.runbook.verification) {
            match (ticked.get(item.id.as_str()), open) {
                (Some(true), Some(first)) => out_of_order.push((item.id.clone(), first)),
                (Some(false), None) => open = Some(&item.id),
                _ => {}
            }
        }
        if let Some((id, first)) = out_of_order.first() {
            let at = self.place_of(id);
            let more = match out_of_order.len() {
                1 => String::new(),
                count => format!(", and {} more after it", count - 1),
            };
            let message = format!("this is ticked{more}, and {first} before it is not");
            let help = "tick what was done, in its order; take the tick away from what was not";
            self.push(rules::ORDER, &id.clone(), at, message, help);
        }
    }

    fn people(&mut self) {
        let reviewed = self.reviewed;
        let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
        for sign_off in reviewed.sign_offs.iter().filter(|it| it.ticked) {
            let Some(name) = &sign_off.name else {
                continue;
            };
            let at = self.place_of(&sign_off.id);
            if self.known.author.as_ref() == Some(name) {
                let message = format!("{name} made this release");
                self.push(
                    rules::OWN_WORK,
                    &sign_off.id,
                    at,
                    message,
                    "have somebody else sign",
                );
            }
            if let Some(role) = seen.insert(name, sign_off.role) {
                let message = format!("{name} also signed as {role}");
                let help = "have another person sign in one of the roles";
                self.push(rules::ONE_PERSON, &sign_off.id, at, message, help);
            }
        }
        let signs = reviewed.sign_offs.iter().any(|it| it.ticked);
        if signs && self.known.author.is_none() {
            let help = "name the author in the deployment document";
            self.unevaluated(rules::OWN_WORK, "who made the release is not known", help);
        }
        let Some(people) = &self.known.people else {
            let fact = "who may be named on the page is not known";
            self.unevaluated(
                rules::UNKNOWN_PERSON,
                fact,
                "give a trust policy that names people",
            );
            return;
        };
        let owner = self
            .runbook
            .header
            .owner
            .as_deref()
            .map(|it| ("header/owner", it));
        let signed = reviewed.sign_offs.iter().filter(|it| it.ticked);
        let signed = signed.filter_map(|it| Some((it.id.as_str(), it.name.as_deref()?)));
        let tasks = self.runbook.steps.iter().filter_map(|step| {
            let planned = self.plan.steps.get(step.number.checked_sub(1)?)?;
            Some((step.id.as_str(), owner_of(planned)?))
        });
        let named: Vec<(String, String)> = owner
            .into_iter()
            .chain(tasks)
            .chain(signed)
            .filter(|(_, name)| !people.contains(*name) && !blank::is_blank(name))
            .map(|(id, name)| (id.to_string(), name.to_string()))
            .collect();
        for (id, name) in named {
            let at = self.place_of(&id);
            let message = format!("nobody knows {name}");
            let help = "name somebody whom the trust policy knows, in a role or as a person";
            self.push(rules::UNKNOWN_PERSON, &id, at, message, help);
        }
    }

    fn time(&mut self) {
        let longest_ms = self.runbook.header.longest_ms;
        let at = self.place_of("header/duration");
        let longest = format_duration_ms(longest_ms);
        if let Some(window_ms) = self.known.window_ms.filter(|window| longest_ms > *window) {
            let window = format_duration_ms(window_ms);
            let message = format!("the rollout may take {longest}, and the window has {window}");
            let help = "shorten the pauses, split the rollout, or ask for a longer window";
            self.push(rules::WINDOW, "header/duration", at, message, help);
        }
        match (&self.plan.windows, self.known.begins) {
            (Some(windows), Some(begins)) => {
                if let Err(misfit) = windows.fits(begins, longest_ms) {
                    let message = format!("beginning at {begins}, it may take {longest}: {misfit}");
                    let help = "begin at another time, or shorten the pauses";
                    self.push(rules::WINDOW, "header/duration", at, message, help);
                }
            }
            (Some(_), None) => {
                let fact = "when the rollout would begin is not known";
                self.unevaluated(rules::WINDOW, fact, "say when it begins");
            }
            (None, _) => {}
        }
        let made = self
            .lines
            .iter()
            .find(|it| it.id == Some("header/generated"));
        let made = made.and_then(|line| {
            let cell = line.raw.split('|').nth(2)?;
            let time = cell.split_whitespace().next()?.parse::<Timestamp>().ok()?;
            Some((line.at, time))
        });
        let (Some((at, made)), Some(changed)) = (made, self.known.changed) else {
            return;
        };
        if made < changed {
            let message =
                format!("the page was made at {made}, and the document was changed at {changed}");
            let help = "bring the page up to the plan with `nonevent runbook update`";
            self.push(rules::OLDER, "header/generated", Some(at), message, help);
        }
    }

    /// Items whose words are not what was rendered. Where a blank stood people had to write, and
    /// the digest is looked at by itself.
    fn reworded(&mut self) {
        let was_blank = self.blanks();
        for edit in &self.reviewed.reworded {
            let Some(id) = edit.id.as_deref().filter(|id| !was_blank.contains(*id)) else {
                continue;
            };
            if id == PLAN_ID {
                continue;
            }
            let acts = id.starts_with("step/") || id.starts_with("rollback/");
            let (rule, help) = if acts {
                let help = "change the deployment document and bring the page up to it, or put the \
                            words back; what is to be said about it goes under it, indented";
                (rules::REWORDED_STEP, help)
            } else {
                (rules::REWORDED, "nothing, if it is meant")
            };
            let message = String::from("these are not the words that were rendered");
            let mut found = rule.finding(id, message, help);
            found.at = Some(edit.at);
            self.findings.push(found);
        }
    }

    /// Items whose line holds a blank, as rendered.
    fn blanks(&self) -> BTreeSet<String> {
        let has_blank = |text: &crate::Text| {
            let text = text.to_string();
            blank::in_text(&text).next().is_some()
        };
        let facts = self.runbook.header.facts.iter();
        let facts = facts.map(|fact| (&fact.id, &fact.value));
        let runbook = self.runbook;
        let listed = [&runbook.checklist, &runbook.verification, &runbook.contacts];
        let steps = runbook.steps.iter();
        let steps = steps.flat_map(|step| [&step.action, &step.seen, &step.back]);
        let items = listed.into_iter().flatten().chain(steps);
        let items = items.chain(&runbook.rollback.items);
        let items = items.map(|item| (&item.id, &item.text));
        facts
            .chain(items)
            .filter(|(_, text)| has_blank(text))
            .map(|(id, _)| id.clone())
            .chain(self.reviewed.sign_offs.iter().map(|it| it.id.clone()))
            .collect()
    }
}

fn owner_of(step: &nonevent_strategy::Step) -> Option<&str> {
    use nonevent_strategy::{Action, Task};
    match &step.action {
        Action::Task(Task::Manual { owner, .. } | Task::Migrate { owner, .. }) => owner.as_deref(),
        _ => None,
    }
}

/// The roles that a page has a place for, by the ids of its sign-offs.
#[must_use]
pub fn roles(reviewed: &Reviewed) -> Vec<&str> {
    let roles = reviewed.sign_offs.iter();
    roles
        .filter_map(|it| it.id.strip_prefix(SIGN_OFF))
        .collect()
}
