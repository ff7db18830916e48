//! The helpers of the templates: each makes a value harmless for the place where it lands.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderErrorReason,
};
use nonevent_document::format_duration_ms;
use nonevent_router::{Arm, Split};
use serde::Deserialize as _;
use serde_json::Value;

use crate::markdown;

/// Where a value lands.
#[derive(Clone, Copy)]
pub(crate) enum Sink {
    Text,
    Code,
    Fence,
    Anchor,
    Item,
    Rows,
    Course,
    Duration,
    Share,
}

impl Sink {
    pub(crate) const ALL: [Sink; 9] = [
        Sink::Text,
        Sink::Code,
        Sink::Fence,
        Sink::Anchor,
        Sink::Item,
        Sink::Rows,
        Sink::Course,
        Sink::Duration,
        Sink::Share,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Sink::Text => "text",
            Sink::Code => "code",
            Sink::Fence => "fence",
            Sink::Anchor => "anchor",
            Sink::Item => "item",
            Sink::Rows => "rows",
            Sink::Course => "course",
            Sink::Duration => "duration",
            Sink::Share => "share",
        }
    }

    const fn takes(self) -> &'static str {
        match self {
            Sink::Text | Sink::Code => "text, string or number",
            Sink::Fence => "string or list of texts",
            Sink::Anchor => "string",
            Sink::Item => "item with an id and a text",
            Sink::Rows => "list of steps",
            Sink::Course => "step",
            Sink::Duration => "milliseconds",
            Sink::Share => "split",
        }
    }

    fn write(self, value: &Value) -> Option<String> {
        match self {
            Sink::Text => text(value),
            Sink::Code => plain(value).map(|value| markdown::code(&value)),
            Sink::Fence => match value {
                Value::String(block) => Some(markdown::fence(block, "text")),
                Value::Array(lines) => {
                    let lines: Option<Vec<String>> = lines
                        .iter()
                        .map(|line| plain(line).map(|line| markdown::one_line(&line)))
                        .collect();
                    Some(markdown::fence(&lines?.join("\n"), "text"))
                }
                _ => None,
            },
            Sink::Anchor => value.as_str().map(markdown::anchor),
            Sink::Item => item(value),
            Sink::Rows => rows(value),
            Sink::Course => course(value),
            Sink::Duration => value.as_u64().map(format_duration_ms),
            Sink::Share => share(value),
        }
    }
}

/// The new version's share of a split.
fn share(value: &Value) -> Option<String> {
    let split = Split::deserialize(value).ok()?;
    Some(if split.is_closed() {
        String::from("closed")
    } else {
        crate::content::share(split.weight(Arm::Canary))
    })
}

/// The steps at a glance: the lines of the overview's table.
fn rows(steps: &Value) -> Option<String> {
    let rows: Option<Vec<String>> = steps.as_array()?.iter().map(row).collect();
    Some(rows?.join("\n"))
}

fn row(step: &Value) -> Option<String> {
    let time = |name: &str| Some(format_duration_ms(step.get(name)?.as_u64()?));
    let target = step.get("target")?;
    let count = |name: &str| target.get(name)?.as_u64();
    let back = match step.get("noReturn")?.as_bool()? {
        true => String::from("none"),
        false => format!("within {}", time("backWithinMs")?),
    };
    Some(format!(
        "| {} | {} | {} | {} | {} + {} | {} | {back} |",
        step.get("number")?.as_u64()?,
        text(step.get("title")?)?,
        time("beginsMs")?,
        share(target.get("split")?)?,
        count("stable")?,
        count("canary")?,
        time("deadlineMs")?,
    ))
}

/// How a step goes, as items of a list: what is done and then seen, each with a box, who does it, how
/// one looks, how long it waits, when it is late, and the way back.
fn course(step: &Value) -> Option<String> {
    let time = |name: &str| {
        step.get(name)
            .and_then(Value::as_u64)
            .map(format_duration_ms)
    };
    let mut out = String::with_capacity(1_024);
    let mut line = |label: &str, words: &str| {
        out.push_str(label);
        out.push_str(words);
        out.push('\n');
    };
    line("- [ ] ", &item(step.get("action")?)?);
    line("- [ ] Seen: ", &item(step.get("seen")?)?);
    line("- Done by: ", &text(step.get("doneBy")?)?);
    line("- How to check: ", &text(step.get("check")?)?);
    if let Some(pause) = time("pauseMs") {
        out.push_str("- Pause: ");
        out.push_str(&pause);
        out.push('\n');
    }
    out.push_str("- Deadline: ");
    out.push_str(&time("deadlineMs")?);
    out.push_str("; ");
    out.push_str(&text(step.get("late")?)?);
    out.push_str("\n- Way back");
    if !step.get("noReturn")?.as_bool()? {
        out.push_str(", within ");
        out.push_str(&time("backWithinMs")?);
    }
    out.push_str(": ");
    out.push_str(&item(step.get("back")?)?);
    Some(out)
}

/// An item's text with its id behind it.
fn item(value: &Value) -> Option<String> {
    let mut line = text(value.get("text")?)?;
    line.push(' ');
    line.push_str(&markdown::anchor(value.get("id")?.as_str()?));
    Some(line)
}

/// A [`crate::Text`] as the context holds it, or a scalar, as Markdown.
fn text(value: &Value) -> Option<String> {
    let Value::Array(pieces) = value else {
        return plain(value).map(|value| markdown::text(&value));
    };
    let mut out = String::new();
    for piece in pieces {
        let (value, is_code) = piece_of(piece)?;
        let first = out.is_empty();
        markdown::push_run(&mut out, value, is_code, first);
    }
    Some(if out.trim().is_empty() {
        markdown::text("")
    } else {
        out
    })
}

/// A [`crate::Text`] as the context holds it, or a scalar, without mark-up.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Array(pieces) => pieces
            .iter()
            .map(|piece| piece_of(piece).map(|(value, _)| value))
            .collect(),
        Value::Null | Value::Object(_) => None,
    }
}

fn piece_of(piece: &Value) -> Option<(&str, bool)> {
    match piece {
        Value::String(prose) => Some((prose, false)),
        Value::Object(map) => map
            .get("code")
            .and_then(Value::as_str)
            .map(|code| (code, true)),
        _ => None,
    }
}

impl HelperDef for Sink {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let name = self.name();
        let Some(param) = helper.param(0) else {
            return Err(RenderErrorReason::ParamNotFoundForIndex(name, 0).into());
        };
        if param.is_value_missing() {
            let path = param.relative_path().cloned();
            return Err(RenderErrorReason::MissingVariable(path).into());
        }
        let Some(written) = self.write(param.value()) else {
            return Err(RenderErrorReason::ParamTypeMismatchForName(
                name,
                param
                    .relative_path()
                    .cloned()
                    .unwrap_or_else(|| String::from("0")),
                String::from(self.takes()),
            )
            .into());
        };
        out.write(&written)?;
        Ok(())
    }
}
