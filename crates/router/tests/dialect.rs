//! Both halves of the embedded dialect against each other, against frozen text, and against
//! texts they must refuse.

use nonevent_document::Digest;
use nonevent_router::{
    Admission, Arm, Backend, BackendState, CounterResetKind, Counters, Desired, Fence,
    LatencyBuckets, Pools, RouterErrorKind, Snapshot, Split, admit, embedded,
};
use proptest::prelude::*;

fn backend(id: &str, address: &str) -> Backend {
    Backend {
        id: id.into(),
        address: address.into(),
    }
}

fn desired() -> Desired {
    Desired {
        split: Split::canary(500).expect("5 % is a weight"),
        pools: Pools {
            stable: vec![backend("stable-1", "127.0.0.1:9001")],
            canary: vec![backend("canary-1", "[::1]:9002")],
        },
        plan: Digest::of(b"plan"),
        fence: Fence {
            epoch: 2,
            generation: 7,
        },
    }
}

fn snapshot() -> Snapshot {
    let desired = desired();
    let mut counters = Counters {
        refused: 3,
        ..Counters::default()
    };
    counters.canary.requests = 10;
    counters.canary.finished = 9;
    counters.canary.errors = 2;
    counters.canary.connect_failures = 1;
    counters.canary.retried = 1;
    counters.canary.in_flight = 1;
    counters.canary.latency = LatencyBuckets(vec![0, 4, 4]);
    counters.stable.requests = 190;
    counters.stable.finished = 189;
    counters.stable.abandoned = 1;
    Snapshot {
        started: "4711".into(),
        listen: Some("127.0.0.1:8080".into()),
        split: desired.split,
        pools: desired.pools,
        fence: Some(desired.fence),
        unsaved: None,
        counters,
        backends: vec![BackendState {
            id: "canary-9".into(),
            address: "127.0.0.1:9009".into(),
            arm: Arm::Canary,
            draining: true,
            requests: 4,
            failures: 1,
            in_flight: 0,
            upgraded: 1,
        }],
    }
}

#[test]
fn the_wire_is_frozen() {
    let request = embedded::set(&desired());
    insta::assert_snapshot!("desired", String::from_utf8(request.body).unwrap());
    let answer = embedded::snapshot_answer(&snapshot());
    insta::assert_snapshot!("snapshot", String::from_utf8(answer.body).unwrap());
    let request = embedded::shutdown(1_500);
    insta::assert_snapshot!("shutdown", String::from_utf8(request.body).unwrap());
    let error = embedded::parse_desired(b"{}").unwrap_err();
    let answer = embedded::error_answer(&error);
    insta::assert_snapshot!("error", String::from_utf8(answer.body).unwrap());
}

#[test]
fn both_halves_understand_each_other() {
    let request = embedded::set(&desired());
    assert_eq!(embedded::parse_desired(&request.body).unwrap(), desired());
    let answer = embedded::snapshot_answer(&snapshot());
    let read = embedded::parse_snapshot(answer.status, &answer.body).unwrap();
    assert_eq!(read, snapshot());
    assert!(read.shows(&desired()));
    let request = embedded::shutdown(250);
    assert_eq!(embedded::parse_shutdown(&request.body).unwrap(), 250);
    assert!(embedded::parse_accepted(202, b"").is_ok());
    assert!(embedded::read().headers.is_empty());
}

#[test]
fn a_refusal_keeps_its_kind_and_its_reason_on_the_wire() {
    let mut older = desired();
    older.fence.epoch = 1;
    let refusal = admit(Some(&desired()), &older).unwrap_err();
    let answer = embedded::error_answer(&refusal);
    assert_eq!(answer.status, 412);
    let error = embedded::parse_snapshot(answer.status, &answer.body).unwrap_err();
    assert_eq!(error.kind(), RouterErrorKind::Stale);
    assert!(
        error.to_string().contains("1.7 is older than 2.7"),
        "{error}"
    );
    assert_eq!(admit(None, &older).unwrap(), Admission::Apply);

    for (status, kind) in [
        (400, RouterErrorKind::Refused),
        (404, RouterErrorKind::Refused),
        (500, RouterErrorKind::Failed),
        (302, RouterErrorKind::Unreadable),
    ] {
        let error = embedded::parse_snapshot(status, b"not json").unwrap_err();
        assert_eq!(error.kind(), kind, "{status}");
    }
}

#[test]
fn what_cannot_be_asked_is_refused_with_the_instance_named() {
    type Change = fn(&mut Desired);
    let cases: [(&str, Change); 7] = [
        ("instance name ``", |d| d.pools.stable[0].id.clear()),
        ("instance name `a\\nb`", |d| {
            d.pools.stable[0].id = "a\nb".into();
        }),
        ("is not an IP address", |d| {
            d.pools.canary[0].address = "localhost:1".into();
        }),
        ("port 0", |d| {
            d.pools.canary[0].address = "127.0.0.1:0".into();
        }),
        ("occurs twice", |d| {
            let mut twin = d.pools.stable[0].clone();
            twin.address = "127.0.0.1:1".into();
            d.pools.stable.push(twin);
        }),
        ("belongs to another instance", |d| {
            d.pools.canary[0].address = d.pools.stable[0].address.clone();
        }),
        ("at most 1000", |d| {
            d.pools.stable = vec![backend("a", "127.0.0.1:1"); embedded::BACKENDS_MAX + 1];
        }),
    ];
    for (expected, change) in cases {
        let mut asked = desired();
        change(&mut asked);
        let error = embedded::parse_desired(&embedded::set(&asked).body).unwrap_err();
        assert_eq!(error.kind(), RouterErrorKind::Refused);
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
}

#[test]
fn foreign_text_is_unreadable() {
    let answer = embedded::snapshot_answer(&snapshot());
    let text = String::from_utf8(answer.body).unwrap();
    let cases = [
        (
            text.replace("nonevent/v1", "nonevent/v2"),
            "apiVersion `nonevent/v2`",
        ),
        (
            text.replace("RouterSnapshot", "RouterDesired"),
            "kind `RouterDesired`",
        ),
        (
            text.replace("\"started\"", "\"begun\""),
            "unknown field `begun`",
        ),
        (
            text.replace("\"stable\":9500", "\"stable\":9501"),
            "do not sum to 10000",
        ),
        (
            text.replace("[0,4,4]", &format!("{:?}", vec![1; 97])),
            "more than 96",
        ),
        (String::new(), "EOF"),
    ];
    for (text, expected) in cases {
        let error = embedded::parse_snapshot(200, text.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), RouterErrorKind::Unreadable);
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
    let long = vec![b' '; embedded::CONTROL_BODY_BYTES_MAX + 1];
    assert!(embedded::parse_snapshot(200, &long).is_err());
}

#[test]
fn change_is_subtraction_and_a_reset_is_no_change() {
    let before = snapshot();
    let mut after = snapshot();
    after.counters.canary.requests += 5;
    after.counters.canary.finished += 6;
    after.counters.canary.errors += 1;
    after.counters.canary.latency = LatencyBuckets(vec![0, 4, 9, 0, 1]);
    after.counters.refused += 2;
    let change = after.since(&before).unwrap();
    let canary = change.of(Arm::Canary);
    assert_eq!((canary.requests, canary.finished, canary.errors), (5, 6, 1));
    assert_eq!(canary.latency, LatencyBuckets(vec![0, 0, 5, 0, 1]));
    assert_eq!((change.of(Arm::Stable).requests, change.refused), (0, 2));

    let backwards = before.since(&after).unwrap_err();
    assert_eq!(backwards.kind(), CounterResetKind::Shrunk);
    assert!(backwards.to_string().contains("of canary"), "{backwards}");

    after.started = "4712".into();
    let restarted = after.since(&before).unwrap_err();
    assert_eq!(restarted.kind(), CounterResetKind::Restarted);
}

#[test]
fn clients_are_counted_once_however_often_a_request_was_retried() {
    // 10 + 190 tries, one of them a retry, and 3 answered by the router itself.
    assert_eq!(snapshot().counters.client_requests(), 202);
}

#[test]
fn an_instance_may_stop_when_nothing_of_it_is_left() {
    let mut read = snapshot();
    assert!(!read.may_stop(Arm::Stable, "stable-1"), "it is in the pool");
    assert!(
        !read.may_stop(Arm::Canary, "canary-9"),
        "it holds a WebSocket"
    );
    read.backends[0].upgraded = 0;
    assert!(read.may_stop(Arm::Canary, "canary-9"));
    read.backends.clear();
    assert!(
        read.may_stop(Arm::Canary, "canary-9"),
        "the router has forgotten it"
    );
}

proptest! {
    #[test]
    fn any_split_survives_the_wire_and_prints_exactly(weight in 0u16..=10_000) {
        let split = Split::canary(weight).unwrap();
        let json = serde_json::to_string(&split).unwrap();
        prop_assert_eq!(serde_json::from_str::<Split>(&json).unwrap(), split);
        // The display is an exact decimal: digits without the point give back the weight.
        let text = split.to_string();
        let number = text.strip_suffix(" %").unwrap();
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let units: u16 = format!("{whole}{part:0<2}").parse().unwrap();
        prop_assert_eq!(units, weight);
    }

    #[test]
    fn weights_that_do_not_sum_are_refused(stable in any::<u32>(), canary in any::<u32>()) {
        prop_assume!(u64::from(stable) + u64::from(canary) != 10_000);
        let text = format!(r#"{{"weights":{{"stable":{stable},"canary":{canary}}}}}"#);
        prop_assert!(serde_json::from_str::<Split>(&text).is_err());
    }

    #[test]
    fn no_text_makes_the_reader_panic(status in any::<u16>(), body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = embedded::parse_snapshot(status, &body);
        let _ = embedded::parse_desired(&body);
        let _ = embedded::parse_shutdown(&body);
    }
}

#[test]
fn a_split_prints_as_people_write_it() {
    for (split, text) in [
        (Split::STABLE, "0 %"),
        (Split::CANARY, "100 %"),
        (Split::canary(50).unwrap(), "0.5 %"),
        (Split::canary(1_025).unwrap(), "10.25 %"),
        (Split::canary(7).unwrap(), "0.07 %"),
        (Split::Closed, "closed"),
    ] {
        assert_eq!(split.to_string(), text);
    }
    assert_eq!(
        serde_json::to_string(&Split::Closed).unwrap(),
        r#""closed""#
    );
    assert_eq!(Split::canary(10_001), None);
    for arm in Arm::BOTH {
        assert_eq!(Split::Closed.weight(arm), 0);
    }
}
