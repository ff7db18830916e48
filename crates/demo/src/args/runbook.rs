//! `runbook` and its commands.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use nonevent::document::Timestamp;

use super::{Speaker, StrategyName};

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum RunbookFormat {
    Markdown,
    Html,
    Json,
    /// Plain text for a terminal
    Text,
}

#[derive(Subcommand)]
pub(crate) enum RunbookCommand {
    /// Hold a page that people have worked on against its plan: what is missing, forged or undecided
    Check(CheckPage),
    /// Tell in words what differs between two pages, or a page and the plan
    Diff(DiffPages),
    /// Bring a page up to the plan; nothing that people wrote is lost
    Update(UpdatePage),
    /// Sign a page in a role: kept as evidence, and shown on the page
    Sign(SignPage),
    /// Tell who has signed a page, and whether that still holds
    Verify(VerifyPage),
    /// Follow a runbook step by step: what is done by hand is asked for, and kept as evidence
    Run(Follow),
}

/// A page and what it was rendered from.
#[derive(Args)]
pub(crate) struct Page {
    /// The runbook, a Markdown page
    #[arg(value_name = "FILE")]
    pub(crate) page: PathBuf,
    #[command(flatten)]
    pub(crate) origin: PageOrigin,
}

#[derive(Args)]
pub(crate) struct PageOrigin {
    /// The deployment document; not needed for a page rendered from a strategy's name
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Which of the document's environments, instead of the one it names
    #[arg(long, value_name = "ENV", requires = "file")]
    pub(crate) env: Option<String>,
}

#[derive(Args)]
pub(crate) struct CheckPage {
    #[command(flatten)]
    pub(crate) page: Page,
    /// Who may be named on the page: a trust policy
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// When the rollout would begin, such as 2026-01-06T06:00:00Z, for a plan with change windows
    #[arg(long, value_name = "TIME")]
    pub(crate) begins: Option<Timestamp>,
    /// How long the change window is, such as 2h
    #[arg(long, value_name = "TIME", value_parser = super::some_time)]
    pub(crate) window: Option<u64>,
    /// The state folder, whose evidence tells who has signed
    #[arg(
        long,
        value_name = "DIR",
        default_value = ".nonevent",
        requires = "trust"
    )]
    pub(crate) state: PathBuf,
    /// One JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct DiffPages {
    #[command(flatten)]
    pub(crate) page: Page,
    /// The page to compare it with; the plan's runbook, as it would be rendered now, if not said
    #[arg(value_name = "OTHER", conflicts_with_all = ["file", "env"])]
    pub(crate) other: Option<PathBuf>,
    /// One JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct UpdatePage {
    #[command(flatten)]
    pub(crate) page: Page,
    /// A template of your own for one section or the page, as NAME=FILE; may be given more than once
    #[arg(long = "template", value_name = "NAME=FILE")]
    pub(crate) templates: Vec<String>,
    /// Say what would change, and leave the file as it is
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// One JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct SignPage {
    #[command(flatten)]
    pub(crate) page: Page,
    /// In which role: one of those that the page has a place for
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: String,
    /// Refuse it instead
    #[arg(long)]
    pub(crate) reject: bool,
    #[command(flatten)]
    pub(crate) speaker: Speaker,
}

#[derive(Args)]
pub(crate) struct VerifyPage {
    #[command(flatten)]
    pub(crate) page: Page,
    /// Whose signatures count: a trust policy
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: PathBuf,
    /// A role that must have signed; all that the page has a place for, if not said
    #[arg(long = "role", value_name = "ROLE")]
    pub(crate) roles: Vec<String>,
    /// The state folder, with the evidence
    #[arg(long, value_name = "DIR", default_value = ".nonevent")]
    pub(crate) state: PathBuf,
    /// One JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

/// Nothing on the page is taken for granted: each step is asked for, and what was seen is the answer.
#[derive(Args)]
pub(crate) struct Follow {
    /// The runbook, a Markdown page; what is done is ticked in it
    #[arg(value_name = "FILE")]
    pub(crate) page: PathBuf,
    /// The deployment document that it was rendered from
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Which of the document's environments, instead of the one it names
    #[arg(long, value_name = "ENV", requires = "file")]
    pub(crate) env: Option<String>,
    /// Who follows it
    #[arg(long, value_name = "PERSON")]
    pub(crate) by: Option<String>,
    /// Where the service answers: its smoke suites are then run from here
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Begin only if the page is signed as it stands, by keys of this trust policy
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// A role that must have signed it; all that the page has a place for, if not said
    #[arg(long, value_name = "ROLE", requires = "trust")]
    pub(crate) signed_by: Vec<String>,
    /// The state folder
    #[arg(long, value_name = "DIR", default_value = ".nonevent")]
    pub(crate) state: PathBuf,
    /// Do what can be done from here without asking first
    #[arg(long)]
    pub(crate) yes_to_automated: bool,
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Runbook {
    #[command(subcommand)]
    pub(crate) command: Option<RunbookCommand>,
    /// The strategy, where there is no document
    #[arg(long, value_enum, required_unless_present = "file")]
    pub(crate) strategy: Option<StrategyName>,
    /// The deployment document
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The service's name
    #[arg(long, value_name = "NAME")]
    pub(crate) service_name: Option<String>,
    /// The environment's name
    #[arg(long, value_name = "ENV")]
    pub(crate) env: Option<String>,
    /// The version to be released
    #[arg(long, value_name = "VERSION")]
    pub(crate) release: Option<String>,
    /// The version that serves now
    #[arg(long, value_name = "VERSION")]
    pub(crate) previous: Option<String>,
    /// A template of your own for one section or the page, as NAME=FILE; may be given more than once
    #[arg(long = "template", value_name = "NAME=FILE")]
    pub(crate) templates: Vec<String>,
    /// What to write
    #[arg(long, value_enum, default_value_t = RunbookFormat::Markdown)]
    pub(crate) format: RunbookFormat,
    /// Where to; standard output if not said
    #[arg(long, value_name = "PATH")]
    pub(crate) output: Option<PathBuf>,
}
