//! `runbook` without a command: rendered.

use std::fs;
use std::process::ExitCode;

use nonevent::driver::{Clock, Wanted};
use nonevent::runbook::{Facts, Runbook, Templates};
use nonevent::strategy::{self, Deployment, Plan, StrategyKind, check, plan};

use crate::args::{self, RunbookFormat};
use crate::code::{NO, UNASKED, USAGE, fail, print, say};
use crate::planning;

/// `nonevent runbook`.
pub(super) fn render(arguments: &args::Runbook) -> ExitCode {
    let plan = match named_plan(arguments) {
        Ok(plan) => plan,
        Err(code) => return code,
    };
    let page = match Runbook::of(&plan, &Facts::at(Clock::new().now())) {
        Ok(page) => page,
        Err(error) => return fail(USAGE, error),
    };
    let text = match arguments.format {
        RunbookFormat::Markdown => match markdown(&page, &arguments.templates) {
            Ok(text) => text,
            Err(code) => return code,
        },
        RunbookFormat::Html => page.to_html(),
        RunbookFormat::Json => page.to_json() + "\n",
        RunbookFormat::Text => page.to_text(columns()),
    };
    let Some(path) = &arguments.output else {
        print(text);
        return ExitCode::SUCCESS;
    };
    if let Some(dir) = path.parent()
        && let Err(error) = fs::create_dir_all(dir)
    {
        return fail(UNASKED, format!("{}: {error}", dir.display()));
    }
    // A page that people have worked on is theirs: it is not overwritten.
    match fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
    {
        Ok(mut file) => {
            use std::io::Write as _;
            match file.write_all(text.as_bytes()) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => fail(UNASKED, format!("{}: {error}", path.display())),
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => fail(
            USAGE,
            format!(
                "{} exists, with what people have written into it: name another file, or move it",
                path.display()
            ),
        ),
        Err(error) => fail(UNASKED, format!("{}: {error}", path.display())),
    }
}

/// How wide the terminal is, or a usual width where there is none.
fn columns() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    size.map_or(80, |size| usize::from(size.ws_col).clamp(40, 120))
}

/// The page by the templates that the command line names, or by our own.
pub(super) fn markdown(page: &Runbook, named: &[String]) -> Result<String, ExitCode> {
    let mut templates = Templates::new();
    for one in named {
        let (name, file) = one.split_once('=').ok_or_else(|| {
            let text = format!("--template {one}: write it as NAME=FILE, such as steps=steps.hbs");
            fail(USAGE, text)
        })?;
        let source = fs::read_to_string(file);
        let source = source.map_err(|error| fail(USAGE, format!("{file}: {error}")))?;
        let replaced = templates.with(name, &source);
        templates = replaced.map_err(|error| fail(USAGE, format!("{file}: {error}")))?;
    }
    let rendered = page.render_with(&templates);
    rendered.map_err(|error| fail(USAGE, error))
}

fn named_plan(arguments: &args::Runbook) -> Result<Plan, ExitCode> {
    let Some(file) = &arguments.file else {
        let kind = arguments
            .strategy
            .map_or(StrategyKind::Canary, StrategyKind::from);
        return from_name(kind, arguments);
    };
    let wanted = Wanted {
        environment: arguments.env.clone(),
        begins: None,
    };
    let read = planning::read(file, &wanted)?;
    let plan = read.plan()?.plan.clone();
    if arguments
        .strategy
        .map(StrategyKind::from)
        .is_some_and(|kind| kind != plan.strategy)
    {
        return Err(fail(
            USAGE,
            format!("{} is a {} deployment", file.display(), plan.strategy),
        ));
    }
    let named = [
        ("--service-name", &arguments.service_name),
        ("--release", &arguments.release),
        ("--previous", &arguments.previous),
    ];
    for (option, value) in named {
        if value.is_some() {
            return Err(fail(
                USAGE,
                format!(
                    "{option}: {} says it already; change it there",
                    file.display()
                ),
            ));
        }
    }
    Ok(plan)
}

/// The default document of a strategy, with named blanks for what is not given.
fn from_name(kind: StrategyKind, arguments: &args::Runbook) -> Result<Plan, ExitCode> {
    let mut deployment = Deployment::default_for(kind);
    let mut set = |field: fn(&mut Deployment) -> &mut String, value: &Option<String>| {
        if let Some(value) = value {
            field(&mut deployment).clone_from(value);
        }
    };
    set(|it| &mut it.service, &arguments.service_name);
    set(|it| &mut it.environment, &arguments.env);
    set(|it| &mut it.release.to, &arguments.release);
    set(|it| &mut it.release.from, &arguments.previous);
    match check(deployment, strategy::Facts::default(), None) {
        Ok(checked) => Ok(plan(&checked)),
        Err(findings) => {
            say(findings);
            Err(ExitCode::from(NO))
        }
    }
}
