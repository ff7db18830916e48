//! A page that people have worked on, read back.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::ops::Range;

use nonevent_document::{Digest, Finding, Findings, Position, Rule, Timestamp};
use nonevent_strategy::{Plan, PlanError};
use serde::Serialize;

use crate::blank::known_blanks;
use crate::content::PLAN_ID;
use crate::lines::Lines;
use crate::markdown;
use crate::marks::{Slot, record_in, slots};
use crate::print::{Print, imprint, is_ticked, lines, shown};
use crate::rules;
use crate::runbook::{Facts, Place, Runbook};
use crate::scan::{Anchor, Scan, scan};

/// The longest page that is read, in bytes: 4 MiB.
pub const PAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A page that people have worked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reviewed {
    /// The plan that the page says it is about.
    pub digest_in_page: Option<Digest>,
    /// Whether that is the plan it was read against.
    pub matches: bool,
    /// The items that are ticked when done, in the order of the page. What people added without
    /// an id is among [`Reviewed::added`].
    pub items: Vec<ReviewedItem>,
    /// The sign-offs, in the order of the page.
    pub sign_offs: Vec<ReviewedSignOff>,
    /// Items whose words are not those that were rendered, where the page can tell.
    pub reworded: Vec<ReviewedEdit>,
    /// Items with a box that people added.
    pub added: Vec<ReviewedEdit>,
    /// Items of the plan's runbook that are not on the page.
    pub removed: Vec<String>,
    /// All that is wrong with the page, by line and column.
    pub findings: Findings,
}

/// A line that people wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReviewedEdit {
    /// The id of its item, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What it says, without its box and its comment.
    pub text: String,
    /// Whether it is ticked.
    pub ticked: bool,
    /// Where it begins.
    pub at: Position,
}

/// An item of the plan's runbook as it stands on the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReviewedItem {
    /// Its id.
    pub id: String,
    /// Whether it is ticked; an item that lost its box is not.
    pub ticked: bool,
    /// What people wrote under it, as it stands in the file.
    pub note: Option<String>,
    /// What became of it, by whom and when, as whoever followed the page left it there.
    pub records: Vec<ReviewedRecord>,
    /// Where its box is, or its id if it has none.
    pub at: Position,
}

/// A record under an item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReviewedRecord {
    /// `Done`, `Failed` or `Skipped`.
    pub outcome: String,
    /// When.
    pub at: Timestamp,
    /// By whom, how long it took, and what was seen.
    pub text: String,
}

/// A place for a signature, as it stands on the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReviewedSignOff {
    /// Its id.
    pub id: String,
    /// Whose word it is.
    pub role: &'static str,
    /// Whether it is ticked.
    pub ticked: bool,
    /// Who signed; absent while it is blank.
    pub name: Option<String>,
    /// When, as written; absent while it is blank.
    pub date: Option<String>,
    /// What else was written under it, as it stands in the file.
    pub note: Option<String>,
    /// Where its box is, or its id if it has none.
    pub at: Position,
}

/// Reads a Markdown page against the plan that will be run. Any text is a page: what is wrong with
/// it is in the findings.
///
/// # Errors
/// If the plan has no digest; see [`Plan::digest`].
pub fn parse(markdown: &str, plan: &Plan) -> Result<Reviewed, PlanError> {
    let runbook = Runbook::of(plan, &Facts::at(Timestamp::from_unix_ms(0)))?;
    let mut reader = Reader {
        lines: Lines::of(markdown),
        markdown,
        runbook: &runbook,
        findings: Vec::new(),
    };
    if markdown.len() > PAGE_BYTES_MAX {
        let message = format!("the page has {} bytes", markdown.len());
        let help = "remove what is no runbook";
        reader
            .findings
            .push(rules::PAGE_SIZE.finding("", message, help));
        return Ok(reader.finish(None, Vec::new(), Vec::new(), People::default()));
    }
    let page = scan(markdown, &known_blanks(&runbook));
    let found = reader.once_each(&page);
    let digest = reader.digest(&found);
    reader.known(&found);
    let (items, sign_offs) = reader.ticked(&page, &found);
    reader.blanks(&page);
    let people = reader.people(&page, &found);
    Ok(reader.finish(digest, items, sign_offs, people))
}

/// What people did to a page beside filling it in.
#[derive(Default)]
struct People {
    reworded: Vec<ReviewedEdit>,
    added: Vec<ReviewedEdit>,
    removed: Vec<String>,
}

struct Reader<'a> {
    lines: Lines<'a>,
    markdown: &'a str,
    runbook: &'a Runbook,
    findings: Vec<Finding>,
}

/// The anchors by id, each its first one.
type Found<'p> = BTreeMap<&'p str, &'p Anchor>;

impl Reader<'_> {
    fn push(&mut self, rule: Rule, path: &str, span: Range<usize>, message: String, help: &str) {
        let mut found: Finding = rule.finding(path, message, help);
        found.at = Some(self.lines.position(span.start));
        found.span = Some(span);
        self.findings.push(found);
    }

    fn finish(
        self,
        digest: Option<Digest>,
        items: Vec<ReviewedItem>,
        sign_offs: Vec<ReviewedSignOff>,
        people: People,
    ) -> Reviewed {
        Reviewed {
            digest_in_page: digest,
            matches: digest == Some(self.runbook.header.plan),
            items,
            sign_offs,
            reworded: people.reworded,
            added: people.added,
            removed: people.removed,
            findings: self.findings.into_iter().collect(),
        }
    }

    /// What people did to the page beside filling it in.
    fn people(&self, page: &Scan, found: &Found<'_>) -> People {
        let own = page.own.iter().map(|(range, ticked)| {
            let text = self.markdown.get(range.clone()).unwrap_or_default();
            self.edit(
                text.lines().next().unwrap_or_default(),
                None,
                range.start,
                *ticked,
            )
        });
        let mut added: Vec<ReviewedEdit> = own.collect();
        added.sort_by_key(|it| it.at);
        let places = self.runbook.places();
        let missing = places.iter().filter(|(id, _)| !found.contains_key(id));
        People {
            reworded: self.reworded(),
            added,
            removed: missing.map(|(id, _)| (*id).to_string()).collect(),
        }
    }

    fn edit(&self, raw: &str, id: Option<&str>, at: usize, ticked: bool) -> ReviewedEdit {
        ReviewedEdit {
            id: id.map(String::from),
            text: shown(raw),
            ticked,
            at: self.lines.position(at),
        }
    }

    fn reworded(&self) -> Vec<ReviewedEdit> {
        let Some((range, Some(base))) = imprint(self.markdown) else {
            return Vec::new();
        };
        let rendered: BTreeMap<u32, Print> =
            base.iter().filter_map(|it| Some((it.id?, *it))).collect();
        let text = self.markdown.get(..range.start).unwrap_or_default();
        lines(text)
            .iter()
            .filter(|line| {
                let was = line.print.id.and_then(|id| rendered.get(&id));
                was.is_some_and(|was| !was.says_the_same(line.print))
            })
            .map(|line| self.edit(line.raw, line.id, line.at, is_ticked(line.raw)))
            .collect()
    }

    fn once_each<'p>(&mut self, page: &'p Scan) -> Found<'p> {
        let mut found = Found::new();
        for anchor in &page.anchors {
            if let Some(first) = found.get(anchor.id.as_str()) {
                let line = self.lines.position(first.span.start).line;
                self.push(
                    rules::TWICE,
                    &anchor.id,
                    anchor.span.clone(),
                    format!("this id already stands on line {line}; what is here does not count"),
                    "keep one of the two, and give an item of your own no id",
                );
            } else {
                found.insert(&anchor.id, anchor);
            }
        }
        found
    }

    fn digest(&mut self, found: &Found<'_>) -> Option<Digest> {
        let help = "render the runbook again from the plan that will be run, and review that page";
        let planned = self.runbook.header.plan;
        let Some(anchor) = found.get(PLAN_ID) else {
            let message = String::from("the page does not name the plan it is about");
            self.push(rules::NO_DIGEST, PLAN_ID, 0..0, message, help);
            return None;
        };
        let digest: Option<Digest> = anchor.code.as_deref().and_then(|code| code.parse().ok());
        match digest {
            None => self.push(
                rules::NO_DIGEST,
                PLAN_ID,
                anchor.span.clone(),
                String::from("there is no digest where the plan's should be"),
                help,
            ),
            Some(digest) if digest != planned => self.push(
                rules::OTHER_PLAN,
                PLAN_ID,
                anchor.span.clone(),
                format!(
                    "the page is about plan {}, but plan {} will be run",
                    digest.short(),
                    planned.short()
                ),
                help,
            ),
            Some(_) => {}
        }
        digest
    }

    /// What is on the page and not in the runbook, and the other way round.
    fn known(&mut self, found: &Found<'_>) {
        let runbook = self.runbook;
        let places: BTreeMap<&str, Place> = runbook.places().into_iter().collect();
        for (id, anchor) in found {
            match places.get(id) {
                Some(Place::Task) if anchor.ticked.is_none() => self.push(
                    rules::NO_BOX,
                    id,
                    anchor.span.clone(),
                    String::from("this item has no box, so it counts as not ticked"),
                    "write `- [ ]` or `- [x]` before it",
                ),
                Some(_) => {}
                // Depends on what was known when the page was made.
                None if *id == "header/target" => {}
                None => self.push(
                    rules::UNKNOWN_ID,
                    id,
                    anchor.span.clone(),
                    String::from("the plan's runbook has no item with this id"),
                    "render the runbook again, or remove the id from an item of your own",
                ),
            }
        }
        for (id, _) in places.iter().filter(|(id, _)| !found.contains_key(*id)) {
            if *id == PLAN_ID {
                continue;
            }
            let essential = id.starts_with("step/") || id.starts_with("rollback/");
            let rule = if essential {
                rules::MISSING_STEP
            } else {
                rules::MISSING_ITEM
            };
            self.findings.push(rule.finding(
                *id,
                "this item of the plan's runbook is not on the page",
                "put it back with its id, or render the runbook again",
            ));
        }
    }

    fn ticked(
        &mut self,
        page: &Scan,
        found: &Found<'_>,
    ) -> (Vec<ReviewedItem>, Vec<ReviewedSignOff>) {
        let places: BTreeMap<&str, Place> = self.runbook.places().into_iter().collect();
        let mut items = Vec::new();
        let mut sign_offs = Vec::new();
        for anchor in &page.anchors {
            let first = found
                .get(anchor.id.as_str())
                .is_some_and(|it| core::ptr::eq(*it, anchor));
            if !first || places.get(anchor.id.as_str()) != Some(&Place::Task) {
                continue;
            }
            let start = anchor
                .item
                .as_ref()
                .map_or(anchor.span.start, |item| item.start);
            let at = self.lines.position(start);
            let ticked = anchor.ticked == Some(true);
            let under = anchor.note.clone().map_or("", |note| &self.markdown[note]);
            match self
                .runbook
                .sign_offs
                .iter()
                .find(|slot| slot.id == anchor.id)
            {
                None => {
                    let (records, rest) = records(under);
                    items.push(ReviewedItem {
                        id: anchor.id.clone(),
                        ticked,
                        note: note(rest.trim()),
                        records,
                        at,
                    });
                }
                Some(slot) => {
                    let signed = signature(under);
                    let sign_off = ReviewedSignOff {
                        id: anchor.id.clone(),
                        role: slot.role,
                        ticked,
                        name: signed.name,
                        date: signed.date,
                        note: note(signed.rest.trim()),
                        at,
                    };
                    self.signed(anchor, &sign_off);
                    sign_offs.push(sign_off);
                }
            }
        }
        (items, sign_offs)
    }

    fn signed(&mut self, anchor: &Anchor, sign_off: &ReviewedSignOff) {
        if sign_off.ticked && (sign_off.name.is_none() || sign_off.date.is_none()) {
            let missing = match (&sign_off.name, &sign_off.date) {
                (None, None) => "name and date",
                (None, Some(_)) => "name",
                (Some(_), _) => "date",
            };
            self.push(
                rules::UNSIGNED,
                &sign_off.id,
                anchor.span.clone(),
                format!("this sign-off is ticked without a {missing}"),
                "fill in both lines under it, or take the tick away",
            );
        }
        if let Some(date) = &sign_off.date {
            let whole_day = format!("{date}T00:00:00Z");
            if date.parse::<Timestamp>().is_err() && whole_day.parse::<Timestamp>().is_err() {
                self.push(
                    rules::SIGN_DATE,
                    &sign_off.id,
                    anchor.span.clone(),
                    format!("{date:?} is not a date"),
                    "write it as 2026-01-05, or with the time as 2026-01-05T10:00:00Z",
                );
            }
        }
    }

    /// One finding for each blank, at its first place. The slots of a sign-off are blank until
    /// somebody signs.
    fn blanks(&mut self, page: &Scan) {
        let slots: Vec<&Range<usize>> = page
            .anchors
            .iter()
            .filter(|anchor| {
                self.runbook
                    .sign_offs
                    .iter()
                    .any(|slot| slot.id == anchor.id)
            })
            .filter_map(|anchor| anchor.item.as_ref())
            .collect();
        let mut by_name: BTreeMap<&str, (usize, &Range<usize>)> = BTreeMap::new();
        for blank in &page.blanks {
            if slots.iter().any(|slot| slot.contains(&blank.span.start)) {
                continue;
            }
            by_name.entry(&blank.name).or_insert((0, &blank.span)).0 += 1;
        }
        for (name, (count, span)) in by_name {
            let places = if count == 1 {
                String::new()
            } else {
                format!(", in {count} places")
            };
            let message = format!("{name} is still a blank{places}");
            let help = "name it in the deployment and render again, or write over it";
            self.push(rules::BLANK, "", span.clone(), message, help);
        }
    }
}

fn note(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_string())
}

#[derive(Default)]
struct Signature {
    name: Option<String>,
    date: Option<String>,
    rest: String,
}

/// The records among the lines under an item, and the other lines.
fn records(under: &str) -> (Vec<ReviewedRecord>, String) {
    let mut records = Vec::new();
    let mut rest = String::new();
    for line in under.split_inclusive('\n') {
        match record_in(line) {
            Some((outcome, at, text)) => records.push(ReviewedRecord {
                outcome: outcome.to_string(),
                at,
                text: markdown::plain(text),
            }),
            None => rest.push_str(line),
        }
    }
    (records, rest)
}

/// The two slots among the lines under a sign-off, and the other lines.
fn signature(under: &str) -> Signature {
    let mut signed = Signature::default();
    let found = slots(under, 0);
    for (slot, range) in &found {
        let value = written(under.get(range.clone()).unwrap_or_default());
        match slot {
            Slot::Name => signed.name = value,
            Slot::Date => signed.date = value,
        }
    }
    let mut start = 0;
    for line in under.split_inclusive('\n') {
        let end = start + line.len();
        if !found
            .iter()
            .any(|(_, range)| (start..end).contains(&range.start))
        {
            signed.rest.push_str(line);
        }
        start = end;
    }
    signed
}

/// What stands in a slot, if anything does: a blank (`<name>`), dots and lines to write on are
/// nothing.
fn written(value: &str) -> Option<String> {
    let text = markdown::plain(value.trim().trim_start_matches('*').trim());
    let text = text.trim_matches(['`', ' ']);
    let filled = text.chars().any(char::is_alphanumeric) && !crate::blank::is_blank(text);
    filled.then(|| text.to_string())
}
