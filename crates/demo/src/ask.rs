//! Ctrl-C and other signals, as orders to the rollout.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nonevent::driver::Order;
use nonevent::rollout::Command;
use tokio::io::{AsyncBufReadExt as _, BufReader, stdin};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::code::{INTERRUPTED, say};

/// How long the question at Ctrl-C waits.
const ANSWER: Duration = Duration::from_secs(10);

/// Turns signals into orders, until nobody takes them any more. At a terminal a first Ctrl-C asks;
/// elsewhere a signal goes back at once, since a cancelled job has seconds.
pub(crate) async fn signals(orders: mpsc::Sender<Order>, may_ask: bool, asking: Arc<AtomicBool>) {
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hang_up)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
        signal(SignalKind::hangup()),
    ) else {
        say("signals cannot be heard here; use `nonevent abort`");
        return;
    };
    let asks = may_ask && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let mut interrupted = false;
    loop {
        let by_key = tokio::select! {
            _ = interrupt.recv() => true,
            _ = terminate.recv() => false,
            _ = hang_up.recv() => false,
        };
        if interrupted {
            stop_at_once();
        }
        interrupted = true;
        let order = if by_key && asks {
            asking.store(true, Ordering::Relaxed);
            let order = tokio::select! {
                order = question() => order,
                _ = interrupt.recv() => stop_at_once(),
            };
            asking.store(false, Ordering::Relaxed);
            order
        } else {
            say("interrupted: going back to the old version, traffic first");
            Some(Order::Command(Command::Abort))
        };
        match order {
            Some(order) => {
                if orders.send(order).await.is_err() {
                    return;
                }
            }
            None => interrupted = false,
        }
    }
}

async fn question() -> Option<Order> {
    say(
        "\nroll back (r, in 10 s by itself), detach and leave it as it is (d), or go on (g)? \
         Ctrl-C again stops at once.",
    );
    let mut line = String::new();
    let mut input = BufReader::new(stdin());
    match timeout(ANSWER, input.read_line(&mut line)).await {
        Ok(Ok(_)) => match line.trim() {
            "g" | "go" | "go on" => None,
            "d" | "detach" => Some(Order::Detach),
            _ => Some(Order::Command(Command::Abort)),
        },
        _ => Some(Order::Command(Command::Abort)),
    }
}

/// Ends this process; instances, router and journal stay as they are.
fn stop_at_once() -> ! {
    say(
        "\nstopped; everything stays as it is. `nonevent resume` goes on, `nonevent abort` goes back",
    );
    std::process::exit(i32::from(INTERRUPTED));
}
