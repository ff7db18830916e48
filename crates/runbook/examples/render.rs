//! Writes the runbook of the default canary to standard output, as Markdown; `--html` and `--json`
//! write the other two forms.

use std::error::Error;

use nonevent_document::Timestamp;
use nonevent_runbook::{Facts, Runbook};
use nonevent_strategy::{Deployment, StrategyKind, check, plan};

fn main() -> Result<(), Box<dyn Error>> {
    let deployment = Deployment::default_for(StrategyKind::Canary);
    let checked = check(deployment, nonevent_strategy::Facts::default(), None)?;
    let generated: Timestamp = "2026-01-05T10:00:00Z".parse()?;
    let runbook = Runbook::of(&plan(&checked), &Facts::at(generated))?;
    let page = match std::env::args().nth(1).as_deref() {
        None => runbook.to_markdown(),
        Some("--html") => runbook.to_html(),
        Some("--json") => runbook.to_json() + "\n",
        Some(other) => return Err(format!("{other}: write --html, --json, or nothing").into()),
    };
    print!("{page}");
    Ok(())
}
