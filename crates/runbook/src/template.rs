//! The Markdown page: Handlebars templates, one for the page and one for each section.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use handlebars::template::{Parameter, TemplateElement};
use handlebars::{
    Context, Handlebars, Helper, HelperDef, HelperResult, Output, RenderContext, RenderErrorReason,
    Template, TemplateError as ParseError,
};

use crate::markdown;
use crate::print::imprinted;
use crate::runbook::Runbook;
use crate::sink::Sink;
use crate::template_error::{TemplateError, TemplateErrorKind};
use crate::template_limits::refuse;

/// The template that puts the sections together.
const PAGE: &str = "page";
/// The helper that stands in for an inclusion; `with` puts it there, nobody writes it.
const SECTION: &str = "section";

/// Name and text of each template; the page first.
const DEFAULTS: [(&str, &str); 13] = [
    (PAGE, include_str!("templates/page.hbs")),
    ("header", include_str!("templates/header.hbs")),
    ("overview", include_str!("templates/overview.hbs")),
    ("checklist", include_str!("templates/checklist.hbs")),
    ("steps", include_str!("templates/steps.hbs")),
    ("verification", include_str!("templates/verification.hbs")),
    ("triggers", include_str!("templates/triggers.hbs")),
    ("rollback", include_str!("templates/rollback.hbs")),
    ("migrations", include_str!("templates/migrations.hbs")),
    ("flags", include_str!("templates/flags.hbs")),
    ("contacts", include_str!("templates/contacts.hbs")),
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
/// | `{{item x}}` | an item's text with its id behind it | an item |
/// | `{{rows steps}}` | a line of seven cells for each step, as in the overview's table | `steps` |
/// | `{{course step}}` | how a step goes, as items of a list: two boxes, done by, how to check, pause, deadline, way back | a step |
/// | `{{duration ms}}` | `1h 30m` | milliseconds |
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
        registry.register_helper(SECTION, Box::new(Section));
        let mut templates = Templates { registry };
        for (name, source) in DEFAULTS {
            templates
                .register(name, source)
                .expect("the crate's own templates parse; a test renders all of them");
        }
        templates
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
            let text = format!(
                "there is no such template; write one of {}",
                names.join(", ")
            );
            return Err(TemplateError::new(
                TemplateErrorKind::UnknownName,
                name,
                None,
                text,
            ));
        }
        if let Some((line, text)) = refuse(name, source) {
            return Err(TemplateError::new(
                TemplateErrorKind::Limit,
                name,
                Some((line, 1)),
                text,
            ));
        }
        self.register(name, source)
            .map_err(|error| TemplateError::from_parse(name, &error))?;
        Ok(self)
    }

    fn register(&mut self, name: &str, source: &str) -> Result<(), ParseError> {
        self.registry.register_template_string(name, source)?;
        let Some(template) = self.registry.get_template(name) else {
            return Ok(());
        };
        // The engine copies the whole context for every partial. Where the page includes a section
        // as it is, the section is rendered by itself instead, which gives the same text.
        let mut template = template.clone();
        for element in &mut template.elements {
            let TemplateElement::PartialExpression(partial) = element else {
                continue;
            };
            let plain = partial.params.is_empty() && partial.hash.is_empty();
            let Parameter::Name(section) = &partial.name else {
                continue;
            };
            if plain && section != PAGE && Self::default_source(section).is_some() {
                let call = Template::compile(&format!("{{{{{SECTION} \"{section}\"}}}}"))?;
                if let Some(call) = call.elements.into_iter().next() {
                    *element = call;
                }
            }
        }
        self.registry.register_template(name, template);
        Ok(())
    }

    /// The page.
    ///
    /// # Errors
    /// [`TemplateErrorKind::MissingVariable`] or [`TemplateErrorKind::Render`]; the crate's own
    /// templates give neither.
    pub fn render(&self, runbook: &Runbook) -> Result<String, TemplateError> {
        let context =
            Context::wraps(runbook).map_err(|error| TemplateError::from_render(&error))?;
        let mut page = self
            .registry
            .render_with_context(PAGE, &context)
            .map_err(|error| TemplateError::from_render(&error))?;
        page.truncate(page.trim_end().len());
        page.push('\n');
        Ok(imprinted(page))
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

/// Renders a section by itself, with the context of the page.
struct Section;

impl HelperDef for Section {
    fn call<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        registry: &'reg Handlebars<'reg>,
        context: &'rc Context,
        render: &mut RenderContext<'reg, 'rc>,
        out: &mut dyn Output,
    ) -> HelperResult {
        let name = helper.param(0).and_then(|param| param.value().as_str());
        let name = name.unwrap_or_default();
        // Only the page includes, and never itself, or there would be no end to it.
        let in_page = render
            .get_root_template_name()
            .is_some_and(|root| root == PAGE);
        if !in_page || name == PAGE {
            return Err(RenderErrorReason::CannotIncludeSelf.into());
        }
        if !registry.has_template(name) {
            return Err(RenderErrorReason::PartialNotFound(String::from(name)).into());
        }
        out.write(&registry.render_with_context(name, context)?)?;
        Ok(())
    }
}
