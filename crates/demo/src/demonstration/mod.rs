//! The demonstration: a small service in two versions, and a client that keeps a ledger.
//!
//! Both run as processes of their own, so that a deployment can be shown on a bare machine and
//! its controller can be killed without taking them along.
//!
//! - [`service`] is what gets deployed. A new version of it can be started with a fault.
//! - [`load`] sends steady traffic and writes down what became of every request. It knows nothing
//!   of routers or rollouts, which is what makes its ledger worth comparing with their counters.

pub(crate) mod load;
pub(crate) mod service;

mod arguments;
mod draw;

use std::io::Write as _;

use tokio::sync::watch;

/// The header in which the demonstration service names the version that answered.
pub(crate) const VERSION_HEADER: &str = "x-version";

/// Says `text` on standard error. A reader that has gone away is no reason to stop: these
/// processes outlive whoever started them, and `eprintln!` would panic.
fn announce(text: &str) {
    drop(writeln!(std::io::stderr(), "{text}"));
}

/// Waits until `stop` is true. A sender that is gone counts as the same order: nobody is left
/// who could give it.
async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stopped| *stopped).await);
}
