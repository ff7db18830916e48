//! Which plan a page is about: that of a document, or that of the strategy's name in its header.

use std::path::Path;
use std::process::ExitCode;

use nonevent::document::{Digest, Findings, Severity, Timestamp};
use nonevent::driver::{Clock, PageFile, Prepared, Wanted, prepare_deployment};
use nonevent::runbook::{Circumstances, Reviewed, check, parse};
use nonevent::strategy::{Deployment, Facts, Plan, StrategyKind};

use super::sign::with_reviews;
use crate::args::{Follow, PageOrigin};
use crate::code::{USAGE, fail, failed, say};
use crate::{gate, planning};

/// The plan that a page names, which is about to be followed.
///
/// # Errors
/// The exit status, after it was said what is wrong: another plan, or error findings.
pub(super) fn source(arguments: &Follow, page: &PageFile) -> Result<Prepared, ExitCode> {
    let name = arguments.page.display();
    let origin = PageOrigin {
        file: arguments.file.clone(),
        env: arguments.env.clone(),
    };
    let begins = Some(Clock::new().now());
    let prepared = prepared(&arguments.page, page.text(), &origin, begins)?;
    let known = Circumstances {
        author: prepared.checked.deployment().author.clone(),
        begins,
        ..Circumstances::default()
    };
    let findings = check(page.text(), &prepared.plan, &known);
    let findings = findings.map_err(|error| fail(USAGE, error))?;
    if findings.has_errors() {
        let errors = findings.iter().filter(|it| it.severity == Severity::Error);
        let errors: Findings = errors.cloned().collect();
        say(errors.render(&name.to_string(), page.text(), false));
        return Err(fail(
            USAGE,
            format!("{name} cannot be followed as it stands"),
        ));
    }
    if let Some(trust) = &arguments.trust {
        let trust = gate::trust(trust)?;
        let signed = with_reviews(page, &arguments.signed_by, &trust, &arguments.state)?;
        let by = signed.signers(&prepared.plan, prepared.digest);
        let by = by.map_err(|error| failed(&error))?;
        say(format_args!("the page is signed by {}", by.join(", ")));
    }
    let reviewed = parse(page.text(), &prepared.plan).map_err(|error| fail(USAGE, error))?;
    let mut steps = reviewed.items.iter();
    if let Some(done) = steps.find(|it| it.ticked && it.id.starts_with("step/")) {
        return Err(fail(
            USAGE,
            format!(
                "{name}: {} is ticked, so it was followed before, and nothing of that is known in {}: \
                 render the runbook again, or name its state folder with --state",
                done.id,
                arguments.state.display()
            ),
        ));
    }
    Ok(prepared)
}

/// Refuses a page that is no longer about the plan that is carried out.
pub(super) fn still_about(page: &PageFile, plan: &Plan) -> Result<(), ExitCode> {
    let reviewed = parse(page.text(), plan).map_err(|error| fail(USAGE, error))?;
    if reviewed.matches {
        return Ok(());
    }
    Err(fail(
        USAGE,
        format!(
            "{} is no longer about the plan that is carried out: put the page back that was begun",
            page.path().display()
        ),
    ))
}

/// The plan that a page is to be held against: that of the document, or that which the page's header
/// tells, which must then be the one that it names.
pub(super) fn prepared(
    page: &Path,
    text: &str,
    origin: &PageOrigin,
    begins: Option<Timestamp>,
) -> Result<Prepared, ExitCode> {
    if let Some(file) = &origin.file {
        let wanted = Wanted {
            environment: origin.env.clone(),
            begins,
        };
        return planning::read(file, &wanted)?.into_prepared();
    }
    let rebuilt = from_header(text).ok_or_else(|| {
        fail(
            USAGE,
            format!(
                "{}: its header alone does not tell which plan it is about: name the deployment \
                 document with -f",
                page.display()
            ),
        )
    })?;
    let reviewed = parse(text, &rebuilt.plan).map_err(|error| fail(USAGE, error))?;
    if !reviewed.matches {
        return Err(not_rebuilt(page, &reviewed, rebuilt.digest));
    }
    Ok(rebuilt)
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
