//! The command line of `flags`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::CheckFormat;

#[derive(Args)]
pub(crate) struct Flags {
    #[command(subcommand)]
    pub(crate) command: FlagsCommand,
}

#[derive(Subcommand)]
pub(crate) enum FlagsCommand {
    /// Evaluate one flag, or all of them, for a context
    Eval(FlagsEval),
    /// Tell how a flag came to its value: each rule, what it compared, and why it decided or not
    Explain(FlagsEval),
    /// Check a flag file for errors and debt
    Check(FlagsCheck),
    /// Say who would get another value if a file took the place of another
    Diff(FlagsDiffArguments),
    /// Say how a flag's file is changed for a stage of its release, or change it
    Stage(FlagsStage),
    /// Serve flags to whatever speaks OFREP, the OpenFeature Remote Evaluation Protocol
    Serve(FlagsServe),
}

#[derive(Args)]
pub(crate) struct FlagsFile {
    /// The flag file
    #[arg(long, value_name = "FILE")]
    pub(crate) flags: PathBuf,
    /// Its dialect: flagd, growthbook, launchdarkly, plain, ufc or unleash; recognised from the file
    /// if not said
    #[arg(long, value_name = "DIALECT")]
    pub(crate) dialect: Option<nonevent::flags::Dialect>,
    /// A file with the decryption key of GrowthBook's SDK connection, for a flag file that is encrypted
    #[arg(long, value_name = "FILE")]
    pub(crate) decryption_key_file: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct FlagsCheck {
    #[command(flatten)]
    pub(crate) file: FlagsFile,
    /// What is printed
    #[arg(long, value_enum, default_value_t = CheckFormat::Text)]
    pub(crate) format: CheckFormat,
    /// Write what was found here as an in-toto Statement, for `evidence sign` and a gate
    #[arg(long, value_name = "FILE")]
    pub(crate) statement: Option<PathBuf>,
    /// The keys that the source asks for, one a line, to find dead flags and unknown keys
    #[arg(long, value_name = "FILE")]
    pub(crate) keys: Option<PathBuf>,
    /// How often each flag was evaluated, as `flags serve --usage` writes it or as a JSON object of
    /// numbers by key, to find dead flags
    #[arg(long, value_name = "FILE")]
    pub(crate) usage: Option<PathBuf>,
    /// The days that --usage counts; a flag whose last evaluation was before them is dead
    #[arg(long, value_name = "N", default_value_t = 30, requires = "usage", value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub(crate) days: u32,
}

#[derive(Args)]
pub(crate) struct FlagsEval {
    /// The flag; all of them if not named
    pub(crate) flag: Option<String>,
    #[command(flatten)]
    pub(crate) file: FlagsFile,
    /// The context as a JSON object; its targetingKey is the subject
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub(crate) context: String,
    /// The subject, such as a user's id
    #[arg(long, value_name = "KEY")]
    pub(crate) targeting_key: Option<String>,
    /// Let FEATURE_NAME=value in the environment override the file
    #[arg(long)]
    pub(crate) environment: bool,
}

#[derive(Args)]
pub(crate) struct FlagsDiffArguments {
    #[command(flatten)]
    pub(crate) file: FlagsFile,
    /// The file whose place it would take
    #[arg(long, value_name = "FILE")]
    pub(crate) since: PathBuf,
    /// The contexts to evaluate for: a JSON list, or one JSON object a line
    #[arg(long, value_name = "FILE", conflicts_with = "sample")]
    pub(crate) population: Option<PathBuf>,
    /// Without a population, how many made-up subjects to evaluate for
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) sample: u32,
    /// What all subjects have, as a JSON object
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub(crate) context: String,
    /// Answer no if more of them than this get another value of a flag
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub(crate) changed_at_most: Option<u32>,
    /// Answer no if anybody who has a feature (the value true) loses it
    #[arg(long)]
    pub(crate) nobody_loses: bool,
}

#[derive(Args)]
pub(crate) struct FlagsStage {
    /// The flag
    pub(crate) flag: String,
    /// The flag file
    #[arg(short = 'f', long, value_name = "FILE")]
    pub(crate) flags: PathBuf,
    /// Its dialect; recognised from the file if not said
    #[arg(long, value_name = "DIALECT")]
    pub(crate) dialect: Option<nonevent::flags::Dialect>,
    /// The stage: internal, a whole percentage from 1 to 100, or off
    #[arg(long, value_name = "STAGE")]
    pub(crate) at: nonevent::flags::Stage,
    /// Who comes first, as email=*@shop.example or group=staff,qa; whoever the file names if not said
    #[arg(long, value_name = "ATTRIBUTE=VALUE")]
    pub(crate) internal: Option<nonevent::flags::Internal>,
    /// The variant that is released; true, or of two the one that is not the default, if not said
    #[arg(long, value_name = "VARIANT")]
    pub(crate) on: Option<String>,
    /// Change the file, instead of printing what would be changed
    #[arg(long)]
    pub(crate) write: bool,
    /// Print one JSON document: the edits and the text
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct FlagsServe {
    /// The flag file, a folder of them, or an address (https://...); looked at again and again
    #[arg(long, value_name = "FILE|FOLDER|URL")]
    pub(crate) flags: PathBuf,
    /// Seconds between looks: 1 for files, 30 for an address
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) look_every: Option<u32>,
    /// A file of headers to ask an address with, such as `Authorization: ...`, one a line
    #[arg(long, value_name = "FILE")]
    pub(crate) headers_file: Option<PathBuf>,
    /// A file of certificates (PEM) that an address is trusted by, in place of this machine's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Its dialect; recognised from the file if not said
    #[arg(long, value_name = "DIALECT")]
    pub(crate) dialect: Option<nonevent::flags::Dialect>,
    /// A file with the decryption key of GrowthBook's SDK connection, for a flag file that is encrypted
    #[arg(long, value_name = "FILE")]
    pub(crate) decryption_key_file: Option<PathBuf>,
    /// Where to listen; port 0 for any free one. Other machines are served only with a token
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8016")]
    pub(crate) listen: std::net::SocketAddr,
    /// A file whose lines are tokens, one of which a client must send; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Vec<PathBuf>,
    /// An environment variable that holds such a token
    #[arg(long, value_name = "NAME")]
    pub(crate) token_env: Option<String>,
    /// An origin whose pages may ask, such as https://shop.example; may be given several times
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) allow_origin: Vec<String>,
    /// A file for how often each flag is evaluated, which `flags check --usage` reads; what is in it
    /// already is counted on from
    #[arg(long, value_name = "FILE")]
    pub(crate) usage: Option<PathBuf>,
    /// Seconds between writing it; it is also written at the end
    #[arg(long, value_name = "SECONDS", default_value_t = 60, requires = "usage", value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub(crate) usage_every: u32,
    /// Connections at the same time
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) connections: u32,
}
