//! Builds the request that moves 25 % of the traffic, and reads a router's answer to it.
//!
//! `cargo run -p nonevent-router --example read_back`

use nonevent_document::Digest;
use nonevent_router::{
    Arm, Backend, Counters, Desired, Fence, LatencyBuckets, Pools, RouterError, Snapshot, Split,
    embedded,
};

fn main() -> Result<(), RouterError> {
    let desired = Desired {
        split: Split::canary(2_500).expect("25 % is a weight"),
        pools: Pools {
            stable: vec![backend("stable-1", 9_001), backend("stable-2", 9_002)],
            canary: vec![backend("canary-1", 9_003)],
        },
        plan: Digest::of(b"an example"),
        fence: Fence {
            epoch: 1,
            generation: 3,
        },
    };
    let request = embedded::set(&desired);
    println!("{} {}", request.method, request.path);
    println!("{}\n", String::from_utf8_lossy(&request.body));

    // What a router would do with it.
    let accepted = embedded::parse_desired(&request.body)?;
    let before = snapshot(&accepted, 0);
    let after = snapshot(&accepted, 400);
    let answer = embedded::snapshot_answer(&after);

    // What the controller makes of the answer.
    let read = embedded::parse_snapshot(answer.status, &answer.body)?;
    println!(
        "the router is at {}; as asked: {}",
        read.split,
        read.shows(&desired)
    );
    match read.since(&before) {
        Ok(change) => println!(
            "since then the canary finished {} requests, p99 {} µs",
            change.of(Arm::Canary).finished,
            change
                .of(Arm::Canary)
                .latency
                .quantile_us(9_900)
                .unwrap_or(0),
        ),
        Err(reset) => println!("no data: {reset}"),
    }
    Ok(())
}

fn backend(id: &str, port: u16) -> Backend {
    Backend {
        id: id.into(),
        address: format!("127.0.0.1:{port}"),
    }
}

fn snapshot(desired: &Desired, canary_requests: u64) -> Snapshot {
    let mut counters = Counters::default();
    counters.canary.requests = canary_requests;
    counters.canary.finished = canary_requests;
    let mut latency = LatencyBuckets::default();
    (0..canary_requests).for_each(|request| latency.record_us(900 + request));
    counters.canary.latency = latency;
    Snapshot {
        started: "an example".into(),
        listen: None,
        split: desired.split,
        pools: desired.pools.clone(),
        fence: Some(desired.fence),
        unsaved: None,
        counters,
        backends: Vec::new(),
    }
}
