//! The command line.

mod evidence;
mod flags;
mod runbook;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use nonevent::document::{Timestamp, parse_duration_ms};
use nonevent::driver::Wanted;
use nonevent::strategy::StrategyKind;

use crate::demonstration::service::Fault;

pub(crate) use evidence::{
    Bundling, Evidence, EvidenceCommand, Import, Keygen, Listing, Matter, Review, SignOff, Speaker,
    Verify, Waive,
};
pub(crate) use flags::{
    Flags, FlagsCheck, FlagsCommand, FlagsDiffArguments, FlagsEval, FlagsFile, FlagsServe,
    FlagsStage,
};
pub(crate) use runbook::{
    CheckPage, DiffPages, Follow, PageOrigin, Runbook, RunbookCommand, RunbookFormat, SignPage,
    UpdatePage, VerifyPage,
};

/// Production deployments made a non-event: checked, planned, proved safe, reviewed, carried out
/// by the very machine that was proved, and rolled back by itself.
#[derive(Parser)]
#[command(name = "nonevent", version, max_term_width = 100)]
#[command(
    after_help = "Exit status: 0 yes; 1 the answer is no; 2 the text or the usage is wrong; \
    3 our own side could not be asked; 4 stuck, a person is needed; 130 interrupted."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Deploy: check, plan, prove, rehearse, gate, roll out, and go back by itself if need be
    Deploy(Deploy),
    /// Go on with a deployment whose process ended
    Resume(Watching),
    /// Go back to the old version
    ///
    /// The process at work does it, or this one where none is. Past the plan's point of no return nothing
    /// goes back: the rollout pauses, and a second abort ends it as it is.
    Abort(Watching),
    /// Hold the rollout where it is, for an hour at most
    ///
    /// `nonevent unpause` goes on; after an hour the rollout goes back. The new version goes on being judged.
    Pause(Place),
    /// Go on after a pause
    ///
    /// What failed is tried again. A closed change window is waited for all the same.
    Unpause(Place),
    /// End the present watch now, on your own word
    ///
    /// The next step begins. Approvals and steps by hand are not ended by it, nor what `nonevent pause` holds.
    Promote(Place),
    /// Agree to the step that waits for it, or refuse
    Approve(Approve),
    /// Say that what the present step asks of people is done, or that it failed
    Confirm(Confirm),
    /// Leave out the present step by hand, on your own word
    Skip(Skip),
    /// Tell how the rollout stands and what it waits for, from its journal alone
    Status(Status),
    /// End every process that was started here
    Cleanup(Place),
    /// Check a deployment document
    Check(Check),
    /// Explain the code of a finding: the rule, why it is there, and how it is broken
    Explain(Explain),
    /// Make the plan of a deployment document
    Plan(Plan),
    /// Say which strategy suits a situation, why, and what each would cost
    Recommend(Recommend),
    /// Prove a plan safe, or show the shortest run that is not
    Prove(Prove),
    /// Simulate a time of releases: what is caught, what is missed, and how many users are harmed
    Simulate(crate::simulate::Simulate),
    /// Render the runbook that people review; check, update, sign and follow one
    Runbook(Runbook),
    /// Run a smoke suite against a service
    Smoke(Box<crate::smoke::Smoke>),
    /// Evaluate a phase gate
    Gate(Gate),
    /// Evaluate, explain and check feature flags
    Flags(Flags),
    /// Make keys, sign and verify attestations
    Evidence(Evidence),
}

#[derive(Args)]
pub(crate) struct Place {
    /// The state folder
    #[arg(long, value_name = "DIR", default_value = ".nonevent")]
    pub(crate) state: PathBuf,
}

/// Which step a word is about.
#[derive(Args)]
pub(crate) struct About {
    /// The step, by its name in the plan; the present one if not said
    #[arg(value_name = "STEP")]
    pub(crate) step: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// A duration that is not nothing.
fn some_time(text: &str) -> Result<u64, String> {
    match parse_duration_ms(text) {
        Ok(0) => Err("a word that counts for no time says nothing".to_owned()),
        Ok(ms) => Ok(ms),
        Err(error) => Err(error.to_string()),
    }
}

/// What a word says is believed: whoever can write in the state folder can speak for everybody.
#[derive(Args)]
pub(crate) struct Approve {
    #[command(flatten)]
    pub(crate) about: About,
    /// Who agrees: one of the people whom the plan names for this approval
    #[arg(long, value_name = "NAME")]
    pub(crate) by: String,
    /// Refuse instead: the rollout goes back, or pauses, as the plan says
    #[arg(long, conflicts_with = "counts_for")]
    pub(crate) deny: bool,
    /// How long the word counts, such as 30m; as long as the approval may take, if not said
    #[arg(long = "for", value_name = "TIME", value_parser = some_time)]
    pub(crate) counts_for: Option<u64>,
}

#[derive(Args)]
pub(crate) struct Confirm {
    #[command(flatten)]
    pub(crate) about: About,
    /// It failed, or cannot be done
    #[arg(long)]
    pub(crate) failed: bool,
    /// Who says so
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

#[derive(Args)]
pub(crate) struct Skip {
    #[command(flatten)]
    pub(crate) about: About,
    /// Who says so
    #[arg(long, value_name = "NAME")]
    pub(crate) by: Option<String>,
}

#[derive(Args)]
pub(crate) struct Watching {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print events as JSON Lines on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Status {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum StrategyName {
    Canary,
    BlueGreen,
    Rolling,
    Recreate,
}

impl From<StrategyName> for StrategyKind {
    fn from(name: StrategyName) -> StrategyKind {
        match name {
            StrategyName::Canary => StrategyKind::Canary,
            StrategyName::BlueGreen => StrategyKind::BlueGreen,
            StrategyName::Rolling => StrategyKind::Rolling,
            StrategyName::Recreate => StrategyKind::Recreate,
        }
    }
}

#[derive(Args)]
pub(crate) struct Deploy {
    /// How the new version takes over; without -f, the demonstration of it on this machine
    #[arg(value_enum)]
    pub(crate) strategy: Option<StrategyName>,
    /// The deployment document (then --old and --new say what to run)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Which of the document's environments, instead of the one it names
    #[arg(long, value_name = "NAME", requires = "file")]
    pub(crate) environment: Option<String>,
    /// The present version's command, run by sh; it listens on 127.0.0.1 at the port in PORT
    #[arg(long, value_name = "CMD", requires = "new")]
    pub(crate) old: Option<String>,
    /// The new version's command
    #[arg(long, value_name = "CMD", requires = "old")]
    pub(crate) new: Option<String>,
    /// The path that answers 200 when an instance is well
    #[arg(long, value_name = "PATH", default_value = "/health")]
    pub(crate) health: String,
    /// Make the demonstration's new version bad: none, errors, latency or crash
    #[arg(
        long,
        value_name = "FAULT",
        default_value = "none",
        conflicts_with = "old"
    )]
    pub(crate) fault: Fault,
    /// Requests per second that the demonstration's clients send
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub(crate) rate: u32,
    /// Leave the processes running at the end
    #[arg(long)]
    pub(crate) keep: bool,
    /// Ask nothing; on Ctrl-C go back at once
    #[arg(long)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) admission: AdmissionArguments,
    #[command(flatten)]
    pub(crate) runbook: RunbookArguments,
    #[command(flatten)]
    pub(crate) glass: GlassArguments,
    #[command(flatten)]
    pub(crate) watching: Watching,
}

/// The page that was reviewed.
#[derive(Args)]
#[command(next_help_heading = "A runbook that people have signed")]
pub(crate) struct RunbookArguments {
    /// Begin only if this page is about the very plan that will run, and is signed as it stands
    #[arg(long, value_name = "FILE", requires = "trust")]
    pub(crate) runbook: Option<PathBuf>,
    /// A role that must have signed it; all that the page has a place for, if not said
    #[arg(long, value_name = "ROLE", requires = "runbook")]
    pub(crate) signed_by: Vec<String>,
}

/// The verdict of a gate that was asked elsewhere.
#[derive(Args)]
#[command(next_help_heading = "A gate that was asked elsewhere")]
pub(crate) struct AdmissionArguments {
    /// Begin only if this signed verdict, as `gate --sign` writes it, lets this plan, commit and
    /// artifact; it is looked at again at the very beginning. More than once: the newest decides
    #[arg(long = "verdict", value_name = "FILE", requires = "trust")]
    pub(crate) verdicts: Vec<PathBuf>,
    /// Whose signatures count: a trust policy
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// The policy that the verdict must be by; the built-in one if not said
    #[arg(long, value_name = "FILE", requires = "verdicts")]
    pub(crate) policy: Option<PathBuf>,
    /// The phase whose entry the verdict must let
    #[arg(
        long,
        value_name = "PHASE",
        default_value = "deployment",
        requires = "verdicts"
    )]
    pub(crate) phase: String,
    /// How old the verdict may be
    #[arg(
        long,
        value_name = "TIME",
        default_value = "24h",
        value_parser = some_time,
        requires = "verdicts"
    )]
    pub(crate) verdict_age_max: u64,
    /// The project whose commit the verdict must be about, if it is a git repository
    #[arg(long, value_name = "DIR", default_value = ".", requires = "verdicts")]
    pub(crate) project_dir: PathBuf,
    /// The artifact that is deployed, by its digest or as a file
    #[arg(long, value_name = "DIGEST|FILE", requires = "verdicts")]
    pub(crate) artifact: Option<String>,
}

/// Gates that somebody takes it upon themselves to skip.
#[derive(Args)]
#[command(next_help_heading = "Breaking the glass")]
pub(crate) struct GlassArguments {
    /// Skip gates, for this reason: it is signed, told to whoever watches, and stays open until
    /// somebody else has reviewed it (`evidence review`). Going back never asks a gate
    #[arg(
        long,
        value_name = "REASON",
        requires_all = ["skip_gate", "person", "key", "trust"]
    )]
    pub(crate) break_glass: Option<String>,
    /// The gate to skip, such as deployment/entry; may be given more than once
    #[arg(long, value_name = "PHASE/SIDE", requires = "break_glass")]
    pub(crate) skip_gate: Vec<String>,
    /// Who has it skipped, as the trust policy calls them
    #[arg(long, value_name = "NAME", requires = "break_glass")]
    pub(crate) person: Option<String>,
    /// That person's signing key
    #[arg(long, value_name = "FILE", requires = "break_glass")]
    pub(crate) key: Option<PathBuf>,
}

/// Which deployment, and when.
#[derive(Args)]
pub(crate) struct Source {
    /// The deployment document, YAML or JSON
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Which of the document's environments, instead of the one it names
    #[arg(long, value_name = "NAME")]
    pub(crate) environment: Option<String>,
    /// When the deployment would begin, such as 2026-11-24T09:00:00Z; change windows are held
    /// against it
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<Timestamp>,
}

impl Source {
    pub(crate) fn wanted(&self) -> Wanted {
        Wanted {
            environment: self.environment.clone(),
            begins: self.at,
        }
    }
}

#[derive(Args)]
pub(crate) struct Document {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum CheckFormat {
    /// With the lines that the findings are about
    Text,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, which code hosts and editors show beside the lines
    Sarif,
}

#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) source: Source,
    /// Print the document as it is with profile and environment laid over it, and check nothing
    #[arg(long)]
    pub(crate) resolved: bool,
    /// What to print
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub(crate) format: CheckFormat,
    /// The same as --format json
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Explain {
    /// The code, such as NE1014; without one, every code is listed
    #[arg(value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Plan {
    #[command(flatten)]
    pub(crate) document: Document,
    /// An earlier plan (as --json printed it), to say what changed since
    #[arg(long, value_name = "PLAN")]
    pub(crate) since: Option<PathBuf>,
    /// Plan for the fleet as the router in the state folder has it, not as the document declares it
    #[arg(long)]
    pub(crate) observe: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// What an instance keeps between requests.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum StateName {
    /// Nothing
    Nothing,
    /// Users' sessions, which are lost with it
    Sessions,
    /// A lock or a file that only one may hold
    Lock,
}

/// What stands before the instances.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum RouterName {
    /// It divides traffic by weights
    Weights,
    /// The share follows the number of instances
    Instances,
    /// All traffic goes to one version
    AllOrNothing,
    /// Clients reach the instances themselves
    None,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum MigrationName {
    Expand,
    Backfill,
    Contract,
    Reformat,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum AppetiteName {
    Cautious,
    Usual,
    Bold,
}

#[derive(Args)]
pub(crate) struct Recommend {
    /// Instances in steady state
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) replicas: u32,
    /// How many of them carry the whole traffic; all, if not given
    #[arg(long, value_name = "N")]
    pub(crate) min_healthy: Option<u32>,
    /// Instances that may run besides
    #[arg(long, value_name = "N")]
    pub(crate) spare: Option<u32>,
    /// Traffic at the hour of the deployment
    #[arg(long, value_name = "N")]
    pub(crate) requests_per_second: Option<u32>,
    /// What an instance keeps between requests
    #[arg(long, value_enum, default_value_t = StateName::Nothing)]
    pub(crate) keeps: StateName,
    /// There are long-lived connections (WebSocket, streams)
    #[arg(long)]
    pub(crate) long_lived: bool,
    /// What stands before the instances
    #[arg(long, value_enum, default_value_t = RouterName::Weights)]
    pub(crate) router: RouterName,
    /// What happens to the database
    #[arg(long, value_enum)]
    pub(crate) migration: Option<MigrationName>,
    /// Old and new may not serve at the same time
    #[arg(long)]
    pub(crate) alone: bool,
    /// The time without service that is tolerated, such as 5m
    #[arg(long, value_name = "TIME", value_parser = parse_duration_ms)]
    pub(crate) downtime: Option<u64>,
    /// How much risk is taken for speed
    #[arg(long, value_enum, default_value_t = AppetiteName::Usual)]
    pub(crate) appetite: AppetiteName,
    /// The way back must be instant
    #[arg(long)]
    pub(crate) instant_rollback: bool,
    /// It is development or staging
    #[arg(long)]
    pub(crate) not_production: bool,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Prove {
    #[command(flatten)]
    pub(crate) document: Document,
    /// How many faults may combine in one run
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=4))]
    pub(crate) faults: u8,
    /// Show the slowest way back, the faults that may happen and what is taken for granted
    #[arg(long)]
    pub(crate) explain: bool,
    /// States to search before giving up, some 200 bytes each
    #[arg(long, value_name = "N", default_value_t = 8_000_000)]
    pub(crate) states_max: usize,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum GateFormat {
    Text,
    Json,
    Markdown,
    Sarif,
    Junit,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum GateSide {
    Entry,
    Exit,
    Both,
}

#[derive(Subcommand)]
pub(crate) enum GateCommand {
    /// Evaluate a bundle's gates again: the same verdicts, byte for byte, or an answer no
    Replay {
        /// The bundle, as --bundle wrote it
        bundle: PathBuf,
        /// What to print
        #[arg(long, value_enum, default_value_t = GateFormat::Text)]
        format: GateFormat,
    },
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Gate {
    #[command(subcommand)]
    pub(crate) command: Option<GateCommand>,
    /// The phase
    #[arg(long, value_name = "PHASE", required_unless_present = "all")]
    pub(crate) phase: Option<String>,
    /// Every phase of the policy
    #[arg(long, conflicts_with = "phase")]
    pub(crate) all: bool,
    /// What must hold before the phase begins, before it counts as done, or both
    #[arg(long, value_enum, default_value_t = GateSide::Both)]
    pub(crate) side: GateSide,
    /// The plan it is about, as `plan --json` printed it; the state folder's if not said
    #[arg(long, value_name = "PLAN")]
    pub(crate) plan: Option<PathBuf>,
    /// The runbook it is about; the state folder's if not said
    #[arg(long, value_name = "FILE")]
    pub(crate) runbook: Option<PathBuf>,
    /// The artifact it is about, by its digest or as a file
    #[arg(long, value_name = "DIGEST|FILE")]
    pub(crate) artifact: Option<String>,
    /// The policy; the built-in one if not said
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// The project
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(crate) project_dir: PathBuf,
    /// The state folder whose evidence and plan are asked about
    #[arg(long, value_name = "DIR", default_value = ".nonevent")]
    pub(crate) state: PathBuf,
    /// Whose signatures count: a trust policy
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// What to print
    #[arg(long, value_enum, default_value_t = GateFormat::Text)]
    pub(crate) format: GateFormat,
    /// The same as --format json
    #[arg(long)]
    pub(crate) json: bool,
    /// Sign each verdict with this key, and put it with the state folder's evidence
    #[arg(long, value_name = "KEY")]
    pub(crate) sign: Option<PathBuf>,
    /// Who says so in a signed verdict: a URI
    #[arg(
        long,
        value_name = "URI",
        default_value = "urn:nonevent:gate",
        requires = "sign"
    )]
    pub(crate) verifier: String,
    /// Write all that the verdicts rest on to this file, for `gate replay`. It holds the contents of
    /// the files that the policy looks into
    #[arg(long, value_name = "FILE")]
    pub(crate) bundle: Option<PathBuf>,
}
