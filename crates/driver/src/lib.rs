#![doc = include_str!("../README.md")]

mod ability;
mod archive;
mod asked;
mod clock;
mod conduct;
mod driven;
pub mod embedded;
mod error;
mod event;
mod evidence_store;
mod fit;
mod flag_check;
mod flag_files;
mod flag_server;
mod fleet;
pub mod follow;
mod glass;
mod hands;
mod journal;
mod judging;
mod note;
mod observe;
mod orders;
mod page;
mod page_file;
mod people;
mod prepare;
pub mod process;
mod router_client;
mod router_process;
mod session;
mod shelf;
mod signed_runbook;
mod site;
mod state_dir;
mod suites;
mod summary;
mod table;
mod unix_path;
mod view;
mod watcher;
mod web_client;
mod window_watch;
mod words;

pub use archive::{Archive, new_signing_key, read_signing_key};
pub use asked::{Asked, Otherwise, Wants};
pub use clock::Clock;
pub use conduct::{Conducted, Conductor, Order, SmokePlace, Smoked, Smoker};
pub use error::{DriverError, DriverErrorKind};
pub use event::{ArmView, Event, Reporter, Silent, View};
pub use evidence_store::{EvidenceStore, all_evidence, find_evidence, stored_evidence};
pub use fit::begins_on;
pub use flag_check::flag_check_statement;
pub use flag_files::{FlagContents, FlagFiles};
pub use flag_server::{
    FlagPlace, FlagServer, FlagServerConfig, FlagServerLimits, FlagSource, Kept, KeptFlags, Looked,
    WebPlace,
};
pub use fleet::{
    Fleet, FleetError, FleetErrorKind, FleetState, Instance, InstanceId, InstanceIdError,
    InstanceState, Scaled,
};
pub use glass::{BreakingGlass, review_glass};
pub use hands::{Hands, Sight, trouble_of};
pub use journal::JournalFile;
pub use note::JournalNote;
pub use observe::observe;
pub use orders::{forget_orders, forget_orders_to_go_on, give_order, give_word, take_orders};
pub use page_file::PageFile;
pub use prepare::{Prepared, Wanted, alternatives, prepare, prepare_deployment, suite_facts};
pub use process::{FleetConfig, Health, Launch, ProcessFleet};
pub use router_client::{Router, RouterClient};
pub use router_process::{RouterProcess, RouterProcessConfig};
pub use session::{Admitting, Client, ClientFigures, DeployOptions, Deployed, Session};
pub use signed_runbook::{SignedRunbook, in_words, runbook_reviews};
pub use site::{
    Binding, KeptRouter, Programs, Site, SuiteText, clean_up, companion, establish, leftovers,
    marker,
};
pub use state_dir::{Lock, StateDir};
pub use suites::SmokeHand;
pub use summary::{ArmSummary, Stretch, Summary, outcome_text};
pub use table::{PlanRow, plan_table};
pub use watcher::{Memory, Watcher, Watchers, judgement};
pub use web_client::{WebAddress, WebAnswer, WebClient, WebLimits};
pub use words::{Refused, Says, Word};
