//! Processes that outlive whoever started them, and are found again.

mod books;
mod config;
mod end;
mod entry;
mod fleet;
mod identity;
mod launch;
mod marked;
mod probe;
mod record;

pub use config::FleetConfig;
pub use end::Ended;
pub(crate) use end::end;
pub use fleet::ProcessFleet;
pub use identity::ProcessIdentity;
pub use launch::Launch;
pub(crate) use launch::{Start, start};
pub(crate) use marked::is_marker;
pub use marked::{INSTANCE_VARIABLE, Marked, PORT_VARIABLE, VERSION_VARIABLE, find_marked};
pub use probe::Health;
