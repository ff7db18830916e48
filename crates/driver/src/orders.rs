//! Orders from other terminals, left as files in the state folder.

use std::fs;
use std::io;
use std::time::Duration;

use nonevent_rollout::Command;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::conduct::Order;
use crate::state_dir::StateDir;

const FOLDER: &str = "orders";
const LOOK: Duration = Duration::from_millis(100);

const NAMES: [(Command, &str); 4] = [
    (Command::Abort, "abort"),
    (Command::Pause, "pause"),
    (Command::Resume, "resume"),
    (Command::Promote, "promote"),
];

fn name(command: Command) -> &'static str {
    NAMES
        .iter()
        .find(|(it, _)| *it == command)
        .map_or("abort", |(_, name)| name)
}

/// Leaves an order for the process that holds the lock.
///
/// # Errors
/// As the system says.
pub fn give_order(state: &StateDir, command: Command) -> io::Result<()> {
    state.write(&format!("{FOLDER}/{}", name(command)), b"")
}

/// Forgets orders that nobody has taken: they were meant for another rollout.
pub fn forget_orders(state: &StateDir) {
    for (_, name) in NAMES {
        // One that is not there needs no forgetting.
        drop(fs::remove_file(state.path(FOLDER).join(name)));
    }
}

/// Hands over orders as they are left, until nobody listens any more.
pub async fn take_orders(state: StateDir, to: mpsc::Sender<Order>) {
    loop {
        for (command, name) in NAMES {
            let taken = fs::remove_file(state.path(FOLDER).join(name)).is_ok();
            if taken && to.send(Order::Command(command)).await.is_err() {
                return;
            }
        }
        if to.is_closed() {
            return;
        }
        sleep(LOOK).await;
    }
}
