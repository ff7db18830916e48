//! What real routers replied, understood.

use nonevent_router::{
    Arm, Fence, Instance, Observed, Operation, Reply, RouterError, RouterErrorKind, Share, Split,
    Tally, Traffic, haproxy,
};

use crate::world::{
    CANARY_1, CANARY_2, STABLE_1, STABLE_2, adapter, answered, by_weights, desired, five_percent,
    fixture, haproxy_config, recorded, said,
};

fn instance(arm: Arm, address: &str, takes: bool, in_flight: Option<u64>) -> Instance {
    Instance {
        arm,
        address: address.into(),
        takes,
        in_flight,
    }
}

fn three(in_flight: Option<u64>) -> Option<Vec<Instance>> {
    Some(vec![
        instance(Arm::Stable, STABLE_1, true, in_flight),
        instance(Arm::Stable, STABLE_2, true, in_flight),
        instance(Arm::Canary, CANARY_1, true, in_flight),
    ])
}

/// It shows 5 % over the pools that were desired, and no other split.
fn shows_five_percent(name: &str, observed: &Observed) {
    let adapter = adapter(name);
    let asked = five_percent();
    assert_eq!(observed.traffic.split(), Some(asked.split), "{name}");
    assert!(
        observed.shows(&asked, adapter.traffic(&asked).unwrap()),
        "{name}"
    );
    let other = desired(Split::canary(600).unwrap());
    assert!(
        !observed.shows(&other, adapter.traffic(&other).unwrap()),
        "{name}"
    );
    let mut fewer = five_percent();
    fewer.pools.stable.pop();
    if observed.instances.is_some() {
        assert!(
            !observed.shows(&fewer, Traffic::Open(Share::of(19, 1).unwrap())),
            "{name}"
        );
    }
}

/// Requests, of those finished, of those errors, of those connect failures.
fn counted(tally: &Tally) -> (u64, u64, u64, Option<u64>) {
    (
        tally.requests,
        tally.finished,
        tally.errors,
        tally.connect_failures,
    )
}

fn haproxy_replies() -> Vec<Reply> {
    vec![
        said(fixture!("haproxy/info.txt")),
        said(fixture!("haproxy/servers-state.txt")),
        said(fixture!("haproxy/stat.csv")),
    ]
}

#[test]
fn haproxy_by_weights() {
    let haproxy = adapter("haproxy-weights");
    let observed = haproxy.observe(&haproxy_replies()).unwrap();
    shows_five_percent("haproxy-weights", &observed);
    assert_eq!(observed.started.as_deref(), Some("3292.1795657256"));
    assert_eq!(
        observed.instances.as_deref().unwrap(),
        [
            instance(Arm::Stable, STABLE_1, true, Some(0)),
            instance(Arm::Stable, STABLE_2, true, Some(0)),
            instance(Arm::Canary, CANARY_1, true, Some(0)),
            instance(Arm::Canary, CANARY_2, false, Some(0)),
        ]
    );
    assert_eq!(observed.may_stop(Arm::Canary, CANARY_2), Some(true));
    assert_eq!(observed.may_stop(Arm::Canary, CANARY_1), Some(false));
    assert_eq!(observed.may_stop(Arm::Canary, STABLE_1), None);
    insta::assert_debug_snapshot!("haproxy-tallies", observed.tallies.unwrap());
}

/// Recorded: 20 requests of stable-1, 2 of them answered with 500; 3 that stable-2 broke off after
/// the head; 7 sent on to stable-1, since canary-1 could not be reached; 4 that canary-2 did not
/// answer.
#[test]
fn haproxy_counts_every_failure_once() {
    let mut replies = haproxy_replies();
    replies[2] = said(fixture!("haproxy/failures.csv"));
    let tallies = adapter("haproxy-weights")
        .observe(&replies)
        .unwrap()
        .tallies
        .unwrap();
    assert_eq!(counted(tallies.of(Arm::Stable)), (23, 23, 2 + 3, Some(0)));
    assert_eq!(counted(tallies.of(Arm::Canary)), (11, 11, 7 + 4, Some(7)));
}

#[test]
fn haproxy_by_a_map() {
    let haproxy = adapter("haproxy-map");
    let Operation::Say { text, .. } = haproxy.read().last().unwrap().clone() else {
        panic!("no map is asked for");
    };
    assert_eq!(text, "show map /etc/haproxy/share.map\n");
    // The recorded sections have one server each.
    let mut config = haproxy_config(crate::world::by_map());
    config.slots.retain(|slot| slot.id.ends_with("-1"));
    let haproxy = haproxy::Haproxy::new(config).unwrap();
    let stat =
        |section: &str| fixture!("haproxy/stat.csv").replace("\nshop,", &format!("\n{section},"));
    let replies = [
        said(fixture!("haproxy/info.txt")),
        said(fixture!("haproxy/servers-state-stable.txt")),
        said(&stat("shop_stable")),
        said(fixture!("haproxy/servers-state-canary.txt")),
        said(&stat("shop_canary")),
        said(fixture!("haproxy/map.txt")),
    ];
    let observed = nonevent_router::Adapter::observe(&haproxy, &replies).unwrap();
    assert_eq!(observed.traffic.split(), Some(five_percent().split));
    assert_eq!(observed.instances.unwrap().len(), 2);
}

/// Each command of the transcript with its reply: silence is success, text is not.
#[test]
fn haproxy_acknowledges() {
    let haproxy = haproxy::Haproxy::new(haproxy_config(by_weights())).unwrap();
    let mut judged = String::new();
    for entry in fixture!("haproxy/transcript.txt")
        .trim_start_matches("> ")
        .split("\n> ")
    {
        let (command, reply) = entry.split_once('\n').unwrap();
        let reply = format!("{reply}\n");
        let operation = Operation::Say {
            socket: "/run/haproxy/admin.sock".into(),
            text: format!("{command}\n"),
        };
        let verdict =
            match nonevent_router::Adapter::acknowledge(&haproxy, &operation, &said(&reply)) {
                Ok(()) => "done".into(),
                Err(error) => format!("{:?}: {error}", error.kind()),
            };
        judged.push_str(&format!("{command}\n    {verdict}\n"));
    }
    insta::assert_snapshot!("haproxy-acknowledged", judged);
}

#[test]
fn haproxy_drains_rests_and_closes() {
    let observe = |from: &str, to: &str| {
        let state = fixture!("haproxy/servers-state.txt").replace(from, to);
        let mut replies = haproxy_replies();
        replies[1] = said(&state);
        adapter("haproxy-weights").observe(&replies)
    };
    // Columns: address, operational state, administrative state, weight.
    let all = observe("127.0.0.1 2 0", "127.0.0.1 0 1").unwrap();
    assert_eq!(all.traffic, Traffic::Closed);
    assert!(all.shows(&desired(Split::Closed), Traffic::Closed));
    let dead = observe("127.0.0.1 2 0 2 ", "127.0.0.1 0 0 2 ").unwrap();
    assert_eq!(
        dead.traffic.split(),
        Some(Split::STABLE),
        "the canary's check failed"
    );
    let v6 = observe("stable-2 127.0.0.1", "stable-2 ::1").unwrap();
    assert!(
        v6.instances
            .unwrap()
            .contains(&instance(Arm::Stable, "[::1]:19103", true, Some(0)))
    );
    let foreign = observe("4 shop 3 stable-2", "4 shop 3 other").unwrap_err();
    assert_eq!(foreign.kind(), RouterErrorKind::Unreadable);
    let reloaded = observe(" 2 0 19 256", " 2 0 256 256").unwrap();
    assert!(!reloaded.shows(
        &five_percent(),
        adapter("haproxy-weights").traffic(&five_percent()).unwrap()
    ));
}

fn envoy_replies(share: &str) -> Vec<Reply> {
    vec![
        recorded(share),
        recorded(fixture!("envoy/clusters.http")),
        recorded(fixture!("envoy/stats.http")),
    ]
}

#[test]
fn envoy_by_its_runtime() {
    let envoy = adapter("envoy-runtime");
    let observed = envoy
        .observe(&envoy_replies(fixture!("envoy/runtime.http")))
        .unwrap();
    shows_five_percent("envoy-runtime", &observed);
    assert_eq!(observed.instances, three(Some(0)));
    insta::assert_debug_snapshot!("envoy-tallies", observed.tallies.unwrap());
    // After a restart nothing is overridden.
    let observed = envoy
        .observe(&envoy_replies(fixture!("envoy/runtime-empty.http")))
        .unwrap();
    assert_eq!(observed.traffic, Traffic::Untold);
    assert!(
        !observed.shows(&five_percent(), Traffic::Untold),
        "untold shows nothing"
    );
    let closed = fixture!("envoy/runtime.http").replace("\"0\"", "\"100\"");
    let observed = envoy.observe(&envoy_replies(&closed)).unwrap();
    assert_eq!(observed.traffic, Traffic::Closed);
}

/// Recorded between the two: 3 answers of stable that broke off after the head; 4 requests that
/// the canary did not answer, and 5 that could not be connected.
#[test]
fn envoy_counts_lost_connections_apart() {
    let mut replies = envoy_replies(fixture!("envoy/runtime.http"));
    let read = |replies: &[Reply]| adapter("envoy-runtime").observe(replies).unwrap();
    let before = read(&replies).tallies.unwrap();
    replies[2] = recorded(fixture!("envoy/failures.http"));
    let after = read(&replies).tallies.unwrap();
    let change = |arm| after.of(arm).since(before.of(arm)).unwrap();
    assert_eq!(counted(&change(Arm::Stable)), (3, 3, 0, Some(0)));
    assert_eq!(change(Arm::Stable).lost, Some(3));
    assert_eq!(counted(&change(Arm::Canary)), (9, 9, 9, Some(5)));
    assert_eq!(change(Arm::Canary).lost, Some(4));
    assert_eq!(before.of(Arm::Canary).since(after.of(Arm::Canary)), None);
}

#[test]
fn envoy_by_a_file_of_routes() {
    let envoy = adapter("envoy-routes");
    let observed = envoy
        .observe(&envoy_replies(fixture!("envoy/routes.http")))
        .unwrap();
    shows_five_percent("envoy-routes", &observed);
    assert_eq!(observed.fence, Some(five_percent().fence));
    let older = fixture!("envoy/routes.http").replace("\"1.7\"", "\"1.6\"");
    let observed = envoy.observe(&envoy_replies(&older)).unwrap();
    let expected = envoy.traffic(&five_percent()).unwrap();
    assert!(
        !observed.shows(&five_percent(), expected),
        "it was another change"
    );
}

#[test]
fn envoy_acknowledges() {
    let envoy = adapter("envoy-runtime");
    let change = &envoy.set(&five_percent(), None).unwrap()[2];
    assert!(matches!(change, Operation::Send { .. }));
    for (reply, kind) in [
        (fixture!("envoy/modified.http"), None),
        (fixture!("envoy/usage.http"), Some(RouterErrorKind::Refused)),
        (
            fixture!("envoy/get-refused.http"),
            Some(RouterErrorKind::Refused),
        ),
    ] {
        let judged = envoy.acknowledge(change, &recorded(reply));
        assert_eq!(judged.err().map(|error| error.kind()), kind);
    }
}

fn caddy_replies() -> Vec<Reply> {
    vec![
        recorded(fixture!("caddy/weights.http")),
        recorded(fixture!("caddy/upstreams.http")),
        recorded(fixture!("caddy/in-flight.http")),
    ]
}

#[test]
fn caddy_compares() {
    let caddy = adapter("caddy");
    let observed = caddy.observe(&caddy_replies()).unwrap();
    shows_five_percent("caddy", &observed);
    assert_eq!(observed.instances, three(Some(0)));
    let mark = observed.mark.unwrap();
    let change = caddy.set(&five_percent(), Some(&mark)).unwrap().remove(0);
    let Operation::Send { request, .. } = &change else {
        panic!("{change:?}");
    };
    assert!(request.headers.contains(&("if-match".into(), mark)));
    for (reply, kind, says) in [
        (fixture!("caddy/changed.http"), None, ""),
        (
            fixture!("caddy/superseded.http"),
            Some(RouterErrorKind::Stale),
            "did not match",
        ),
        (
            fixture!("caddy/all-zero.http"),
            Some(RouterErrorKind::Refused),
            "loading new config",
        ),
        (
            fixture!("caddy/unknown-id.http"),
            Some(RouterErrorKind::Refused),
            "unknown object",
        ),
        (
            fixture!("caddy/truncated.http"),
            Some(RouterErrorKind::Failed),
            "unexpected end",
        ),
    ] {
        let error = caddy.acknowledge(&change, &recorded(reply)).err();
        assert_eq!(error.as_ref().map(RouterError::kind), kind);
        let text = error.map(|error| error.to_string()).unwrap_or_default();
        assert!(
            text.contains(says) || says == "loading new config",
            "{says}: {text}"
        );
    }
}

fn traefik_replies() -> Vec<Reply> {
    vec![
        recorded(fixture!("traefik/shop.http")),
        recorded(fixture!("traefik/shop-stable.http")),
        recorded(fixture!("traefik/shop-canary.http")),
        recorded(fixture!("traefik/shop-change.http")),
        answered(200, fixture!("traefik/metrics.txt")),
    ]
}

#[test]
fn traefik_is_read_back() {
    let traefik = adapter("traefik");
    let observed = traefik.observe(&traefik_replies()).unwrap();
    shows_five_percent("traefik", &observed);
    assert_eq!(observed.instances, three(None));
    assert_eq!(
        observed.fence,
        Some(Fence {
            epoch: 1,
            generation: 7
        })
    );
    assert_eq!(observed.started.as_deref(), Some("1.79565700483e+09"));
    let tallies = observed.tallies.unwrap();
    let seen = |tally: &Tally| (tally.requests, tally.finished, tally.errors);
    assert_eq!(seen(tallies.of(Arm::Stable)), (235, 235, 1));
    assert_eq!(seen(tallies.of(Arm::Canary)), (15, 15, 0));
    // Before the file was read, nothing is in force.
    let mut replies = traefik_replies();
    replies[0] = recorded(fixture!("traefik/nope.http"));
    assert_eq!(traefik.observe(&replies).unwrap().traffic, Traffic::Untold);
}

#[test]
fn nginx_is_tested_reloaded_and_probed() {
    let nginx = adapter("nginx-split");
    let operations = nginx.set(&five_percent(), None).unwrap();
    let [write, test, reload] = &operations[..] else {
        panic!("{operations:?}");
    };
    let ran = |code, output: &str| Reply::Ran {
        code,
        output: output.into(),
    };
    assert!(nginx.acknowledge(write, &Reply::Written).is_ok());
    assert!(
        nginx
            .acknowledge(test, &ran(Some(0), fixture!("nginx/tested.txt")))
            .is_ok()
    );
    assert!(
        nginx
            .acknowledge(reload, &ran(Some(0), fixture!("nginx/reloaded.txt")))
            .is_ok()
    );
    let error = nginx
        .acknowledge(test, &ran(Some(1), fixture!("nginx/test-failed.txt")))
        .unwrap_err();
    assert_eq!(error.kind(), RouterErrorKind::Refused);
    assert!(
        error
            .to_string()
            .contains("invalid percent value \"0.00%\""),
        "{error}"
    );
    assert_eq!(
        nginx
            .acknowledge(reload, &ran(None, ""))
            .unwrap_err()
            .kind(),
        RouterErrorKind::Failed
    );
    let observed = nginx
        .observe(&[recorded(fixture!("nginx/change.http"))])
        .unwrap();
    shows_five_percent("nginx-split", &observed);
    assert_eq!(observed.fence, Some(five_percent().fence));
}

#[test]
fn a_gateway_has_taken_the_route_or_not() {
    let gateway = adapter("gateway-api");
    let text = fixture!("gateway-api/route.json");
    let observe = |text: &str| gateway.observe(&[answered(200, text)]);
    let observed = observe(text).unwrap();
    shows_five_percent("gateway-api", &observed);
    assert_eq!(observed.mark.as_deref(), Some("48213"));
    assert_eq!(observed.fence, Some(five_percent().fence));
    for (from, to) in [
        ("\"observedGeneration\": 12", "\"observedGeneration\": 11"),
        ("\"status\": \"True\"", "\"status\": \"Unknown\""),
        ("\"ResolvedRefs\"", "\"Other\""),
        (
            "\"name\": \"public\"\n        }",
            "\"name\": \"other\"\n        }",
        ),
    ] {
        let changed = text.replace(from, to);
        assert_ne!(changed, text, "{from}");
        assert_eq!(observe(&changed).unwrap().traffic, Traffic::Untold, "{to}");
    }
    let refused =
        observe(&text.replace("\"status\": \"True\"", "\"status\": \"False\"")).unwrap_err();
    assert_eq!(refused.kind(), RouterErrorKind::Failed);
    assert!(
        refused.to_string().contains("Accepted is False"),
        "{refused}"
    );
    let conflict = gateway.acknowledge(
        &gateway.set(&five_percent(), Some("1")).unwrap()[0],
        &answered(409, r#"{"kind":"Status","reason":"Conflict"}"#),
    );
    assert_eq!(conflict.unwrap_err().kind(), RouterErrorKind::Stale);
}
