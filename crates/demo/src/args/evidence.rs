//! The command line of `evidence`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Place, some_time};

#[derive(Args)]
pub(crate) struct Evidence {
    #[command(subcommand)]
    pub(crate) command: EvidenceCommand,
}

#[derive(Subcommand)]
pub(crate) enum EvidenceCommand {
    /// Make a signing key, readable by its owner only, and print what a trust policy needs of it
    Keygen(Keygen),
    /// Sign an in-toto Statement; prints the envelope
    Sign {
        /// The key file
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// The statement
        statement: PathBuf,
    },
    /// Sign something off, or reject it, in a role, and keep that in the store
    SignOff(SignOff),
    /// Let a criterion pass for a while that is not met, and keep that in the store
    Waive(Waive),
    /// Review that gates were skipped, which closes it, and keep that in the store
    Review(Review),
    /// Verify envelopes against a trust policy
    Verify(Verify),
    /// List what the store holds
    List(Listing),
    /// Write what the store holds to one file, to be carried elsewhere
    Bundle(Bundling),
    /// Keep what bundles or envelopes from elsewhere hold in the store
    Import(Import),
}

#[derive(Args)]
pub(crate) struct Keygen {
    /// Where to; must not exist
    #[arg(long, value_name = "PATH")]
    pub(crate) output: PathBuf,
    /// Whose key it is
    #[arg(long, value_name = "TEXT")]
    pub(crate) label: String,
    /// The person who holds it, such as 'Ada <ada@shop.example>': only then it signs what a person
    /// says
    #[arg(long, value_name = "NAME")]
    pub(crate) person: Option<String>,
    /// A role in which that person speaks; may be given more than once
    #[arg(long = "role", value_name = "ROLE", requires = "person")]
    pub(crate) roles: Vec<String>,
    /// A trust policy; what is printed is that policy with the new key in it
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
}

/// Who speaks, and with which key.
#[derive(Args)]
pub(crate) struct Speaker {
    /// Who, as the trust policy calls them
    #[arg(long, value_name = "NAME")]
    pub(crate) person: String,
    /// That person's signing key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Whose signatures count: a trust policy, to see at once whether this one does
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// What a statement is about.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Matter {
    /// The commit that is checked out in this folder
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".")]
    pub(crate) commit: Option<PathBuf>,
    /// The plan, as `plan --json` printed it
    #[arg(long, value_name = "PLAN")]
    pub(crate) plan: Option<PathBuf>,
    /// The runbook's page
    #[arg(long, value_name = "FILE")]
    pub(crate) runbook: Option<PathBuf>,
    /// The artifact, by its digest or as a file
    #[arg(long, value_name = "DIGEST|FILE")]
    pub(crate) artifact: Option<String>,
    /// A file as it stands; may be given more than once
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Vec<PathBuf>,
    /// A gate policy, for whatever is asked by it
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct SignOff {
    /// In which role
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: String,
    #[command(flatten)]
    pub(crate) speaker: Speaker,
    #[command(flatten)]
    pub(crate) matter: Matter,
    /// Say that the runbook was reviewed, as rendered from the plan
    #[arg(long, requires_all = ["runbook", "plan"], conflicts_with = "comment")]
    pub(crate) review: bool,
    /// Reject it instead
    #[arg(long)]
    pub(crate) reject: bool,
    /// What there is to say
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,
}

#[derive(Args)]
pub(crate) struct Waive {
    /// Which criterion
    #[arg(value_name = "PHASE/CRITERION")]
    pub(crate) criterion: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Who answers for what is not met
    #[arg(long, value_name = "NAME")]
    pub(crate) owner: String,
    /// For how long, such as 3d
    #[arg(long = "for", value_name = "TIME", value_parser = some_time)]
    pub(crate) lasts: u64,
    /// In which role it is waived
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: String,
    #[command(flatten)]
    pub(crate) speaker: Speaker,
    #[command(flatten)]
    pub(crate) matter: Matter,
}

#[derive(Args)]
pub(crate) struct Review {
    /// The digest of the evidence that says that gates were skipped, or its beginning
    #[arg(value_name = "DIGEST")]
    pub(crate) opened: String,
    /// What was found
    #[arg(long, value_name = "TEXT")]
    pub(crate) finding: String,
    /// Who reviews it, as the trust policy calls them: somebody else than who had them skipped
    #[arg(long, value_name = "NAME")]
    pub(crate) person: String,
    /// That person's signing key
    #[arg(long, value_name = "FILE")]
    pub(crate) key: PathBuf,
    /// Whose signatures count: a trust policy
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: PathBuf,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args)]
pub(crate) struct Verify {
    /// Whose signatures count
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: PathBuf,
    /// The envelopes
    #[arg(required = true)]
    pub(crate) envelopes: Vec<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Listing {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Whose signatures count: a trust policy, to say which are good
    #[arg(long, value_name = "FILE")]
    pub(crate) trust: Option<PathBuf>,
    /// Print one JSON document
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct Bundling {
    /// Where to
    #[arg(long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Only what is about this; may be given more than once
    #[arg(long, value_name = "DIGEST")]
    pub(crate) about: Vec<nonevent::document::Digest>,
    #[command(flatten)]
    pub(crate) place: Place,
}

#[derive(Args)]
pub(crate) struct Import {
    /// Bundles, or single envelopes
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) place: Place,
}
