//! The Markdown page: Handlebars templates, one for the page and one for each section.

use alloc::borrow::ToOwned as _;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderErrorReason,
    TemplateError as ParseError,
};
use nonevent_document::format_duration_ms;
use nonevent_router::{Arm, Split};
use serde_json::Value;

use crate::content::within;
use crate::markdown;
use crate::runbook::Runbook;
use crate::template_limits::refuse;

/// Name and text of each template; the page first.
const DEFAULTS: [(&str, &str); 10] = [
    ("page", include_str!("templates/page.hbs")),
    ("header", include_str!("templates/header.hbs")),
    ("overview", include_str!("templates/overview.hbs")),
    ("checklist", include_str!("templates/checklist.hbs")),
    ("steps", include_str!("templates/steps.hbs")),
    ("verification", include_str!("templates/verification.hbs")),
    ("triggers", include_str!("templates/triggers.hbs")),
    ("rollback", include_str!("templates/rollback.hbs")),
    ("messages", include_str!("templates/messages.hbs")),
    ("sign-off", include_str!("templates/sign-off.hbs")),
];

/// The templates of a Markdown runbook, parsed: the crate's own, or a team's in their place.
///
/// They are Handlebars templates in strict mode: a variable that a runbook does not have is an
/// error with its line. Their variables are the fields of [`Runbook`] as [`Runbook::to_json`]
/// writes them. The template `page` puts the sections together (`{{> header}}`); sections include
/// nothing. What a template inserts is escaped by these helpers:
///
/// | helper | for | takes |
/// |---|---|---|
/// | `{{text x}}` | running text, a heading, an item, a table's cell | a text, a string, a number |
/// | `{{code x}}` | an identifier in any of these places | the same |
/// | `{{fence x}}` | a block to copy, at the left margin | a string, or a list of texts, one a line |
/// | `{{anchor id}}` | an item's id, as an HTML comment | a string |
/// | `{{duration ms}}` | `1h 30m` | milliseconds |
/// | `{{bound ms}}` | `within 30s`, or `no bound` | milliseconds or null |
/// | `{{share split}}` | the new version's share of traffic, `25%`, or `closed` | a split |
///
/// A bare `{{x}}` is escaped as `{{text x}}` is. Only `{{{x}}}` inserts a value as it is.
#[derive(Debug)]
pub struct Templates {
    registry: Handlebars<'static>,
}

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

impl Templates {
    /// The crate's own templates.
    #[must_use]
    pub fn new() -> Templates {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.set_prevent_indent(true);
        registry.register_escape_fn(markdown::text);
        for sink in Sink::ALL {
            registry.register_helper(sink.name(), Box::new(sink));
        }
        for (name, source) in DEFAULTS {
            registry
                .register_template_string(name, source)
                .expect("the crate's own templates parse; a test renders all of them");
        }
        Templates { registry }
    }

    /// The names that [`Templates::with`] takes: `page`, then the sections in its order.
    pub fn names() -> impl Iterator<Item = &'static str> {
        DEFAULTS.iter().map(|(name, _)| *name)
    }

    /// The crate's own template of that name, to start from.
    #[must_use]
    pub fn default_source(name: &str) -> Option<&'static str> {
        DEFAULTS
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, source)| *source)
    }

    /// Puts `source` in the place of the template `name`.
    ///
    /// # Errors
    /// [`TemplateErrorKind::UnknownName`], [`TemplateErrorKind::Syntax`], or
    /// [`TemplateErrorKind::Limit`] for a template that is larger or more deeply nested than any
    /// page needs, or includes what it may not.
    pub fn with(mut self, name: &str, source: &str) -> Result<Templates, TemplateError> {
        if Templates::default_source(name).is_none() {
            let names: Vec<&str> = Templates::names().collect();
            return Err(TemplateError {
                kind: TemplateErrorKind::UnknownName,
                template: name.to_owned(),
                at: None,
                text: format!(
                    "there is no such template; write one of {}",
                    names.join(", ")
                ),
            });
        }
        if let Some((line, text)) = refuse(name, source) {
            return Err(TemplateError {
                kind: TemplateErrorKind::Limit,
                template: name.to_owned(),
                at: Some((line, 1)),
                text,
            });
        }
        self.registry
            .register_template_string(name, source)
            .map_err(|error| TemplateError::from_parse(name, &error))?;
        Ok(self)
    }

    /// The page.
    ///
    /// # Errors
    /// [`TemplateErrorKind::MissingVariable`] or [`TemplateErrorKind::Render`]; the crate's own
    /// templates give neither.
    pub fn render(&self, runbook: &Runbook) -> Result<String, TemplateError> {
        let context =
            Context::wraps(runbook).map_err(|error| TemplateError::from_render(&error))?;
        let page = self
            .registry
            .render_with_context("page", &context)
            .map_err(|error| TemplateError::from_render(&error))?;
        let mut page = page.trim_end().to_owned();
        page.push('\n');
        Ok(page)
    }
}

impl Runbook {
    /// The runbook as GitHub-flavoured Markdown, by the crate's own templates. To render many, or
    /// by a team's own templates, keep a [`Templates`] and call [`Runbook::render_with`].
    #[must_use]
    pub fn to_markdown(&self) -> String {
        self.render_with(&Templates::new())
            .expect("the crate's own templates name only what every runbook has")
    }

    /// The runbook as Markdown by the templates given.
    ///
    /// # Errors
    /// See [`Templates::render`].
    pub fn render_with(&self, templates: &Templates) -> Result<String, TemplateError> {
        templates.render(self)
    }
}

/// Where a value lands.
#[derive(Clone, Copy)]
enum Sink {
    Text,
    Code,
    Fence,
    Anchor,
    Duration,
    Bound,
    Share,
}

impl Sink {
    const ALL: [Sink; 7] = [
        Sink::Text,
        Sink::Code,
        Sink::Fence,
        Sink::Anchor,
        Sink::Duration,
        Sink::Bound,
        Sink::Share,
    ];

    const fn name(self) -> &'static str {
        match self {
            Sink::Text => "text",
            Sink::Code => "code",
            Sink::Fence => "fence",
            Sink::Anchor => "anchor",
            Sink::Duration => "duration",
            Sink::Bound => "bound",
            Sink::Share => "share",
        }
    }

    const fn takes(self) -> &'static str {
        match self {
            Sink::Text | Sink::Code => "text, string or number",
            Sink::Fence => "string or list of texts",
            Sink::Anchor => "string",
            Sink::Duration => "milliseconds",
            Sink::Bound => "milliseconds or null",
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
            Sink::Duration => value.as_u64().map(format_duration_ms),
            Sink::Bound if value.is_null() => Some(within(None)),
            Sink::Bound => value.as_u64().map(|ms| within(Some(ms))),
            Sink::Share => serde_json::from_value::<Split>(value.clone())
                .ok()
                .map(|split| {
                    if split.is_closed() {
                        String::from("closed")
                    } else {
                        crate::content::share(split.weight(Arm::Canary))
                    }
                }),
        }
    }
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
        out.push_str(&markdown::run(value, is_code, first));
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

/// What is wrong with a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateErrorKind {
    /// No template has that name.
    UnknownName,
    /// It does not parse.
    Syntax,
    /// It is larger or more deeply nested than allowed, or includes what it may not.
    Limit,
    /// It names a variable that a runbook does not have.
    MissingVariable,
    /// It does something that cannot be done, such as a duration of a text.
    Render,
}

/// A template that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    kind: TemplateErrorKind,
    template: String,
    at: Option<(usize, usize)>,
    text: String,
}

impl TemplateError {
    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> TemplateErrorKind {
        self.kind
    }

    /// The template's name.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.template
    }

    /// Line and column in it, from 1; absent where the fault has no place.
    #[must_use]
    pub const fn position(&self) -> Option<(usize, usize)> {
        self.at
    }

    fn from_parse(name: &str, error: &ParseError) -> TemplateError {
        TemplateError {
            kind: TemplateErrorKind::Syntax,
            template: name.to_owned(),
            at: error.pos(),
            text: error.reason().to_string(),
        }
    }

    fn from_render(error: &handlebars::RenderError) -> TemplateError {
        let (kind, text) = match error.reason() {
            RenderErrorReason::MissingVariable(name) => (
                TemplateErrorKind::MissingVariable,
                match name {
                    Some(name) => format!("a runbook has no `{name}` here"),
                    None => String::from("a runbook does not have what is named here"),
                },
            ),
            RenderErrorReason::HelperNotFound(name) => (
                TemplateErrorKind::Render,
                format!("there is no helper `{name}`, and no variable takes a parameter"),
            ),
            RenderErrorReason::ParamTypeMismatchForName(helper, name, takes) => (
                TemplateErrorKind::Render,
                format!("`{helper}` takes {takes}, and `{name}` is something else"),
            ),
            other => (TemplateErrorKind::Render, other.to_string()),
        };
        TemplateError {
            kind,
            template: error
                .template_name
                .clone()
                .unwrap_or_else(|| String::from("page")),
            at: error.line_no.zip(error.column_no),
            text,
        }
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template `{}`", self.template)?;
        if let Some((line, column)) = self.at {
            write!(f, " {line}:{column}")?;
        }
        write!(f, ": {}", self.text)
    }
}

impl core::error::Error for TemplateError {}
