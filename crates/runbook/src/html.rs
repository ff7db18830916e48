//! The runbook as one HTML file: to read, to print, to tick in a browser.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::format_duration_ms;
use nonevent_page::svg::StepPlot;
use nonevent_page::{Html, Inline, Page, Section, Table, Tone, escape};
use nonevent_router::Arm;

use crate::blank;
use crate::content::{share, within};
use crate::markdown::{EMPTY, one_line};
use crate::runbook::{Item, Moment, Runbook, StepPage};
use crate::text::{Piece, Text};

/// What stands over commands.
const BY_HAND: &str =
    "By hand, if the router has to be set without the machine (names in capitals are your own):";

impl Runbook {
    /// The runbook as one self-contained HTML document, with the traffic drawn over the expected
    /// time. It loads nothing and runs nothing; a tick set in a browser lasts as long as its page,
    /// so what shall be kept is ticked in the Markdown file.
    #[must_use]
    pub fn to_html(&self) -> String {
        let header = &self.header;
        let title = format!(
            "Runbook: {} {} to {}",
            shown(&header.service),
            shown(&header.release.to),
            shown(&header.environment)
        );
        let summary = format!(
            "{}, {} expected, {} at the longest.",
            header.strategy,
            format_duration_ms(header.expected_ms),
            format_duration_ms(header.longest_ms)
        );
        let footer = format!("Generated {} from plan {}.", header.generated, header.plan);
        let page = Page::new(title)
            .summary(summary)
            .section(self.facts_section())
            .section(self.overview_section())
            .section(tasks(
                Section::new("Before the deployment"),
                &self.checklist,
            ))
            .section(self.steps_section())
            .section(tasks(
                Section::new("After the deployment"),
                &self.verification,
            ))
            .section(self.triggers_section())
            .section(tasks(
                Section::new("Rollback").paragraph(inline(&self.rollback.bound)),
                &self.rollback.items,
            ));
        let listed = [
            ("Migrations", &self.migrations),
            ("Feature flags and kill switches", &self.flags),
            ("Escalation and contacts", &self.contacts),
        ];
        let listed = listed.into_iter().filter(|(_, items)| !items.is_empty());
        listed
            .fold(page, |page, (title, items)| {
                page.section(list(title, items))
            })
            .section(self.messages_section())
            .section(self.sign_off_section())
            .footer(footer)
            .render()
    }

    fn facts_section(&self) -> Section {
        let facts = self
            .header
            .facts
            .iter()
            .map(|fact| (fact.label, inline(&fact.value)));
        let section = Section::new("This deployment").facts(facts);
        let blanks = blank::known_blanks(self);
        if blanks.is_empty() {
            return section;
        }
        let names: Vec<&str> = blanks.iter().map(String::as_str).collect();
        section.notice(
            Tone::Warning,
            format!("Still to be filled in: {}.", names.join(", ")),
        )
    }

    fn overview_section(&self) -> Section {
        let mut table = Table::new("The steps")
            .column("Step")
            .number_column("Begins after")
            .number_column("New version's traffic")
            .number_column("Instances old + new")
            .number_column("Done within")
            .column("Way back");
        for step in &self.steps {
            let target = &step.target;
            table = table.row([
                append(
                    Inline::new().plain(&format!("{}. ", step.number)),
                    &step.title,
                ),
                format_duration_ms(step.begins_ms).into(),
                if target.split.is_closed() {
                    "closed".into()
                } else {
                    share(target.split.weight(Arm::Canary)).into()
                },
                format!("{} + {}", target.stable, target.canary).into(),
                format_duration_ms(step.deadline_ms).into(),
                match step.no_return {
                    true => "none".into(),
                    false => within(step.back_within_ms).into(),
                },
            ]);
        }
        let summary = self.overview.summary.iter();
        summary
            .fold(Section::new("Overview"), |section, text| {
                section.paragraph(inline(text))
            })
            .figure(
                &self.timeline().draw(),
                "Traffic by version over the expected time, pauses included.",
            )
            .table(&table)
    }

    fn timeline(&self) -> StepPlot {
        let points = |arm: Arm| {
            self.overview
                .timeline
                .iter()
                .map(move |Moment { at_ms, split }| {
                    (
                        i64::try_from(*at_ms).unwrap_or(i64::MAX),
                        i64::from(split.weight(arm)),
                    )
                })
        };
        let release = &self.header.release;
        StepPlot::traffic("Traffic over the expected time")
            .series(shown(&release.from), points(Arm::Stable))
            .series(shown(&release.to), points(Arm::Canary))
    }

    fn steps_section(&self) -> Section {
        self.steps.iter().fold(Section::new("Steps"), step)
    }

    fn triggers_section(&self) -> Section {
        let triggers = &self.triggers;
        let table = triggers.signals.iter().fold(
            Table::new("Signals")
                .column("Signal")
                .column("Threshold")
                .column("Who watches, and what follows"),
            |table, trigger| {
                table.row([
                    trigger.signal.into(),
                    inline(&trigger.threshold),
                    inline(&trigger.watched_by),
                ])
            },
        );
        Section::new("When to roll back")
            .table(&table)
            .paragraph("A person may also decide it:")
            .list(false, triggers.by_people.iter().map(inline))
            .paragraph("Not a reason:")
            .list(false, triggers.not_reasons.iter().map(inline))
    }

    fn messages_section(&self) -> Section {
        let section = Section::new("Messages")
            .paragraph("Words in square brackets are filled in when a message is sent.");
        self.messages.iter().fold(section, |section, message| {
            let lines = message.lines.iter().map(|line| one_line(&line.to_string()));
            let body = lines.collect::<Vec<String>>().join("\n");
            section
                .html(&heading(&message.id, &message.title.into()))
                .paragraph(message.when)
                .code(&body)
        })
    }

    fn sign_off_section(&self) -> Section {
        let table = self.sign_offs.iter().fold(
            Table::new("Sign-off")
                .column("Role")
                .column("Name")
                .column("Date, UTC")
                .column("Signature"),
            |table, slot| table.row([Inline::from(slot.role)]),
        );
        Section::new("Sign-off")
            .paragraph(
                "Each of them has read this page and agrees that the plan named above is run.",
            )
            .table(&table)
    }
}

fn step(section: Section, step: &StepPage) -> Section {
    let title = append(
        Inline::new().plain(&format!("{}. ", step.number)),
        &step.title,
    );
    let mut facts = alloc::vec![
        ("Done by", inline(&step.done_by)),
        ("How to check", inline(&step.check)),
    ];
    if let Some(pause_ms) = step.pause_ms {
        facts.push(("Pause", format_duration_ms(pause_ms).into()));
    }
    let deadline = format_duration_ms(step.deadline_ms);
    let deadline = Inline::new().plain(&format!("{deadline}; "));
    facts.push(("Deadline", append(deadline, &step.late)));
    let back = match step.no_return {
        true => Inline::new(),
        false => Inline::new().plain(&format!("{}: ", within(step.back_within_ms))),
    };
    facts.push(("Way back", append(back, &step.back.text)));
    let seen = Item {
        id: step.seen.id.clone(),
        text: Text::plain("Seen: ").and_text(&step.seen.text),
    };
    let section = tasks(
        section.html(&heading(&step.id, &title)),
        [&step.action, &seen],
    )
    .facts(facts);
    match &step.by_hand {
        Some(by_hand) => section.paragraph(BY_HAND).code(
            &by_hand
                .shown
                .lines()
                .map(one_line)
                .collect::<Vec<_>>()
                .join("\n"),
        ),
        None => section,
    }
}

/// A section of things to look up.
fn list(title: &str, items: &[Item]) -> Section {
    let mut out = String::from("<ul>\n");
    for item in items {
        out.push_str(&format!(
            "<li id=\"{}\">{}</li>\n",
            escape::attribute(&item.id),
            inline(&item.text).html()
        ));
    }
    out.push_str("</ul>");
    Section::new(title).html(&Html::trusted(out))
}

/// A heading under the section's, with the id of what it is about.
fn heading(id: &str, title: &Inline) -> Html {
    Html::trusted(format!(
        "<h3 id=\"{}\">{}</h3>",
        escape::attribute(id),
        title.html()
    ))
}

/// Adds a list of boxes to tick.
fn tasks<'a>(section: Section, items: impl IntoIterator<Item = &'a Item>) -> Section {
    let mut out = String::from("<ul style=\"list-style: none; padding: 0\">\n");
    for item in items {
        out.push_str(&format!(
            "<li id=\"{}\"><label><input type=\"checkbox\"> {}</label></li>\n",
            escape::attribute(&item.id),
            inline(&item.text).html()
        ));
    }
    out.push_str("</ul>");
    section.html(&Html::trusted(out))
}

fn inline(text: &Text) -> Inline {
    append(Inline::new(), text)
}

/// Prose with its blanks in bold, and identifiers as code.
fn append(inline: Inline, text: &Text) -> Inline {
    text.pieces()
        .iter()
        .fold(inline, |mut inline, piece| match piece {
            Piece::Code(value) => inline.code(&shown(value)),
            Piece::Plain(prose) => {
                let prose = one_line(prose);
                let mut from = 0;
                for blank in blank::in_text(&prose) {
                    inline = inline
                        .plain(&prose[from..blank.start])
                        .strong(&prose[blank.clone()]);
                    from = blank.end;
                }
                inline.plain(&prose[from..])
            }
        })
}

/// A value on one line, and visible.
fn shown(value: &str) -> String {
    if value.trim().is_empty() {
        String::from(EMPTY)
    } else {
        one_line(value)
    }
}
