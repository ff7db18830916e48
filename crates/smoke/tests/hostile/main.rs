//! Servers that mean harm or are broken: each ends with the right verdict and cause, within its
//! deadline, and with little memory.
//!
//! Each module has a table of cases; `case` says what one is made of, `measure` what is held of
//! each. A server is a raw socket in a thread of its own, and what it sends without end it sends
//! from one small buffer.

#[path = "../all/authority.rs"]
mod authority;
mod bodies;
mod case;
mod codings;
mod connections;
mod frames;
mod framing;
mod heads;
mod http2;
mod judging;
mod measure;
mod proxies;
mod redirects;
#[path = "../all/server.rs"]
mod server;
mod soup;
mod tls;

use case::Case;
use measure::hold;

#[test]
fn no_server_gets_more_than_its_time_and_memory() {
    let cases: Vec<Case> = [
        connections::cases(),
        heads::cases(),
        framing::cases(),
        bodies::cases(),
        codings::cases(),
        judging::cases(),
        redirects::cases(),
        proxies::cases(),
        http2::cases(),
        tls::cases(),
    ]
    .into_iter()
    .flatten()
    .collect();
    hold(cases);
}
