//! Which plan a page is about: that of a document, or that of the strategy's name in its header.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use nonevent::document::Digest;
use nonevent::driver::{Clock, Prepared, Wanted, prepare_deployment};
use nonevent::runbook::{Reviewed, parse};
use nonevent::strategy::{Deployment, Facts, StrategyKind};

use crate::args::Follow;
use crate::code::{UNASKED, USAGE, fail, say};
use crate::planning;

/// A page that may be followed, and what it is about.
pub(super) struct Source {
    /// Where the page is.
    pub(super) page: PathBuf,
    /// The plan that it names.
    pub(super) prepared: Prepared,
}

/// Reads the page and the plan that it names.
///
/// # Errors
/// The exit status, after it was said what is wrong: another plan, or error findings.
pub(super) fn source(arguments: &Follow) -> Result<Source, ExitCode> {
    let name = arguments.page.display();
    let bytes =
        fs::read(&arguments.page).map_err(|error| fail(USAGE, format!("{name}: {error}")))?;
    let text = String::from_utf8(bytes)
        .map_err(|_| fail(USAGE, format!("{name}: this is no text in UTF-8")))?;
    let prepared = match &arguments.file {
        Some(file) => {
            let wanted = Wanted {
                environment: arguments.env.clone(),
                begins: Some(Clock::new().now()),
            };
            planning::read(file, &wanted)?.into_prepared()?
        }
        None => from_header(&text).ok_or_else(|| {
            fail(
                USAGE,
                format!(
                    "{name}: its header alone does not tell which plan it is about: name the \
                     deployment document with -f"
                ),
            )
        })?,
    };
    let reviewed = parse(&text, &prepared.plan).map_err(|error| fail(USAGE, error))?;
    if arguments.file.is_none() && !reviewed.matches {
        return Err(not_rebuilt(&arguments.page, &reviewed, prepared.digest));
    }
    if reviewed.findings.has_errors() {
        say(reviewed.findings.render(&name.to_string(), &text, false));
        return Err(fail(
            USAGE,
            format!("{name} cannot be followed as it stands"),
        ));
    }
    let page = fs::canonicalize(&arguments.page)
        .map_err(|error| fail(UNASKED, format!("{name}: {error}")))?;
    Ok(Source { page, prepared })
}

fn not_rebuilt(page: &Path, reviewed: &Reviewed, rebuilt: Digest) -> ExitCode {
    let page = page.display();
    let text = match reviewed.digest_in_page {
        Some(named) => format!(
            "{page} is about plan {}, and what its header says makes plan {}: name the deployment \
             document that it was rendered from with -f",
            named.short(),
            rebuilt.short()
        ),
        None => format!(
            "{page} does not name the plan it is about: render the runbook again, and review that \
             page"
        ),
    };
    fail(USAGE, text)
}

/// The plan of a page that was rendered from a strategy's name. Whether it is that one its digest
/// tells, so that nothing here needs to be certain.
fn from_header(page: &str) -> Option<Prepared> {
    let kind = StrategyKind::ALL
        .into_iter()
        .find(|kind| cell(page, "strategy").as_deref() == Some(kind.name()))?;
    let mut deployment = Deployment::default_for(kind);
    deployment.service = value(&cell(page, "service")?);
    deployment.environment = value(&cell(page, "environment")?);
    let versions = cell(page, "versions")?;
    let (from, to) = versions.split_once(" → ")?;
    deployment.release.from = value(from);
    deployment.release.to = value(to);
    prepare_deployment(deployment, Vec::new(), Facts::default(), None).ok()
}

/// The text in the header's line of that name.
fn cell(page: &str, name: &str) -> Option<String> {
    let id = format!("<!-- id: header/{name} -->");
    let line = page.lines().find(|line| line.contains(&id))?;
    let (before, _) = line.split_once(&id)?;
    let (_, value) = before.strip_prefix("| ")?.split_once(" | ")?;
    Some(value.trim().to_owned())
}

/// What a cell means: the content of a code span, or text without its escapes.
fn value(cell: &str) -> String {
    let cell = cell.trim();
    let code = cell
        .strip_prefix('`')
        .and_then(|rest| rest.strip_suffix('`'));
    if let Some(code) = code.filter(|code| !code.contains('`')) {
        return code.to_owned();
    }
    let mut text = String::new();
    let mut signs = cell.chars().peekable();
    while let Some(sign) = signs.next() {
        match signs.peek() {
            Some(next) if sign == '\\' && next.is_ascii_punctuation() => {}
            _ => text.push(sign),
        }
    }
    text.replace("&#124;", "|")
}
