//! What can be wrong with a template, and where.

use alloc::borrow::ToOwned as _;
use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;

use handlebars::{RenderErrorReason, TemplateError as ParseError};

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
    pub(crate) fn new(
        kind: TemplateErrorKind,
        template: &str,
        at: Option<(usize, usize)>,
        text: String,
    ) -> TemplateError {
        TemplateError {
            kind,
            template: template.to_owned(),
            at,
            text,
        }
    }

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

    pub(crate) fn from_parse(name: &str, error: &ParseError) -> TemplateError {
        TemplateError {
            kind: TemplateErrorKind::Syntax,
            template: name.to_owned(),
            at: error.pos(),
            text: error.reason().to_string(),
        }
    }

    pub(crate) fn from_render(error: &handlebars::RenderError) -> TemplateError {
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
