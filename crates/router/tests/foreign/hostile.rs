//! What is wrong, cut short, endless or meant to harm: a typed error and never a panic.

use nonevent_router::{
    Adapter, Arm, Observed, Operation, REPLY_BYTES_MAX, Reply, RouterError, RouterErrorKind, Split,
    caddy, envoy, gateway_api, haproxy, nginx, traefik,
};
use proptest::prelude::*;

use crate::world::{
    CANARY_1, adapter, adapters, answered, backend, by_map, by_routes, by_runtime, by_weights,
    caddy_config, desired, envoy_config, five_percent, fixture, gateway_config, haproxy_config,
    nginx_config, recorded, said, traefik_config,
};

const NOT_NAMES: [&str; 8] = [
    "",
    "a b",
    "a;shutdown sessions server x/y",
    "a\nset weight x/y 0",
    "../../etc/passwd",
    "{{ env \"HOME\" }}",
    "$(reboot)",
    "a\0b",
];

#[test]
fn no_configuration_smuggles_a_command() {
    for bad in NOT_NAMES {
        let text = String::from(bad);
        let haproxy = |change: &dyn Fn(&mut haproxy::Config)| {
            let mut config = haproxy_config(by_weights());
            change(&mut config);
            haproxy::Haproxy::new(config).err()
        };
        let nginx = |change: &dyn Fn(&mut nginx::Config)| {
            let mut config = nginx_config(nginx::Method::SplitRequests);
            change(&mut config);
            nginx::Nginx::new(config).err()
        };
        let envoy = |change: &dyn Fn(&mut envoy::Config)| {
            let mut config = envoy_config(by_runtime());
            change(&mut config);
            envoy::Envoy::new(config).err()
        };
        let traefik = |change: &dyn Fn(&mut traefik::Config)| {
            let mut config = traefik_config();
            change(&mut config);
            traefik::Traefik::new(config).err()
        };
        let gateway = |change: &dyn Fn(&mut gateway_api::Config)| {
            let mut config = gateway_config();
            change(&mut config);
            gateway_api::GatewayApi::new(config).err()
        };
        let caddy = |change: &dyn Fn(&mut caddy::Config)| {
            let mut config = caddy_config();
            change(&mut config);
            caddy::Caddy::new(config).err()
        };
        let errors = [
            haproxy(&|c| c.socket.clone_from(&text)),
            haproxy(&|c| c.slots[0].server.clone_from(&text)),
            haproxy(&|c| {
                c.layout = haproxy::Layout::Weights {
                    backend: text.clone(),
                }
            }),
            haproxy(&|c| {
                c.layout = haproxy::Layout::Map {
                    stable: "a".into(),
                    canary: "b".into(),
                    file: "/m".into(),
                    key: text.clone(),
                }
            }),
            nginx(&|c| c.name.clone_from(&text)),
            nginx(&|c| c.file.clone_from(&text)),
            nginx(&|c| c.header.as_mut().unwrap().value.clone_from(&text)),
            envoy(&|c| c.stable.clone_from(&text)),
            envoy(&|c| c.admin = format!("http://{text}")),
            envoy(&|c| {
                c.share = envoy::Layout::Runtime {
                    prefix: text.clone(),
                    closed: None,
                }
            }),
            traefik(&|c| c.name.clone_from(&text)),
            traefik(&|c| c.cookie = Some(text.clone())),
            traefik(&|c| c.route.as_mut().unwrap().entry_points[0].clone_from(&text)),
            gateway(&|c| c.namespace.clone_from(&text)),
            gateway(&|c| c.canary.name.clone_from(&text)),
            gateway(&|c| c.hostnames[0].clone_from(&text)),
            caddy(&|c| c.id.clone_from(&text)),
            caddy(&|c| c.slots[0].address.clone_from(&text)),
        ];
        for (at, error) in errors.into_iter().enumerate() {
            let error = error.unwrap_or_else(|| panic!("{at} took {bad:?}"));
            assert_eq!(error.kind(), RouterErrorKind::Refused);
            assert!(!error.to_string().contains(['\n', '\0']), "{error}");
        }
    }
    let mut config = traefik_config();
    config.route.as_mut().unwrap().rule = "{{ env `HOME` }}".into();
    assert!(traefik::Traefik::new(config).is_err());
}

#[test]
fn what_cannot_be_is_refused() {
    let refused = |adapter: &dyn Adapter, change: &dyn Fn(&mut nonevent_router::Desired)| {
        let mut asked = five_percent();
        change(&mut asked);
        let error = adapter.set(&asked, None).unwrap_err();
        assert_eq!(error.kind(), RouterErrorKind::Refused, "{error}");
        assert!(adapter.traffic(&asked).is_err());
    };
    for (name, adapter) in adapters() {
        if name == "gateway-api" {
            continue;
        }
        refused(adapter.as_ref(), &|asked| asked.pools.canary.clear());
        refused(adapter.as_ref(), &|asked| {
            asked.pools.canary[0].address = "shop:80".into();
        });
        refused(adapter.as_ref(), &|asked| {
            asked.pools.canary[0].address = "127.0.0.1:1;reboot".into();
        });
        refused(adapter.as_ref(), &|asked| {
            asked.pools.stable.push(backend("twin", CANARY_1));
        });
    }
    for name in ["haproxy-weights", "haproxy-map", "caddy"] {
        refused(adapter(name).as_ref(), &|asked| {
            asked
                .pools
                .canary
                .push(backend("canary-3", "127.0.0.1:19999"));
        });
    }
    for name in ["caddy", "gateway-api"] {
        let error = adapter(name)
            .set(&five_percent(), Some("a\nb"))
            .unwrap_err();
        assert_eq!(error.kind(), RouterErrorKind::Refused);
    }
    let mut config = envoy_config(by_runtime());
    config.share = envoy::Layout::Runtime {
        prefix: "p".into(),
        closed: None,
    };
    let envoy = envoy::Envoy::new(config).unwrap();
    assert!(!envoy.abilities().closes);
    refused(&envoy, &|asked| asked.split = Split::Closed);
}

#[test]
fn doubled_names_are_refused() {
    let mut config = haproxy_config(by_weights());
    config.slots[1].server = "stable-1".into();
    assert!(haproxy::Haproxy::new(config).is_err());
    let mut config = haproxy_config(by_map());
    config.slots[1].id = "stable-1".into();
    assert!(haproxy::Haproxy::new(config).is_err());
    let mut config = haproxy_config(by_weights());
    config.slots = vec![config.slots[0].clone(); haproxy::SLOTS_MAX + 1];
    assert!(haproxy::Haproxy::new(config).is_err());
    let mut config = caddy_config();
    config.slots[1].address = config.slots[0].address.clone();
    assert!(caddy::Caddy::new(config).is_err());
    let mut config = envoy_config(by_routes());
    config.canary = config.stable.clone();
    assert!(envoy::Envoy::new(config).is_err());
    let mut config = gateway_config();
    config.canary = config.stable.clone();
    assert!(gateway_api::GatewayApi::new(config).is_err());
    let mut config = traefik_config();
    config.file = "/etc/traefik/shop.json".into();
    assert!(traefik::Traefik::new(config).is_err());
}

/// Each reply was wrong at one place, and is refused with the reason.
fn unreadable<const N: usize>(cases: [(&str, Result<Observed, RouterError>); N]) {
    for (at, (says, observed)) in cases.into_iter().enumerate() {
        let Err(error) = observed else {
            panic!("{at} ({says}) was read");
        };
        assert_eq!(error.kind(), RouterErrorKind::Unreadable, "{at}: {error}");
        assert!(error.to_string().contains(says), "{at} ({says}): {error}");
        assert!(error.to_string().len() < 1_000, "{at}");
    }
}

#[test]
fn wrong_replies_of_haproxy() {
    let state = fixture!("haproxy/servers-state.txt");
    let stat = fixture!("haproxy/stat.csv");
    let info = fixture!("haproxy/info.txt");
    let read = |info: &str, state: &str, stat: &str| {
        adapter("haproxy-weights").observe(&[said(info), said(state), said(stat)])
    };
    let with_state = |from: &str, to: &str| read(info, &state.replace(from, to), stat);
    let with_stat = |from: &str, to: &str| read(info, state, &stat.replace(from, to));
    let huge = "x".repeat(REPLY_BYTES_MAX + 1);
    unreadable([
        ("has no Pid", read("", state, stat)),
        (
            "has no Pid",
            read(&info.replace("Pid: ", "Pid: x"), state, stat),
        ),
        ("format 1", read(info, "", stat)),
        ("format 1", read(info, &state.replacen('1', "2", 1), stat)),
        (
            "Can't find backend.",
            read(info, "Can't find backend.\n\n", stat),
        ),
        ("not a table", read(info, state, "No such proxy.\n\n")),
        ("has no srv_uweight", with_state("srv_uweight", "x")),
        ("is no number", with_state(" 2 0 19 ", " 2 0 -1 ")),
        ("names a server twice", with_state("stable-2", "stable-1")),
        (
            "belongs to no version",
            with_state(
                "4 shop 3 ",
                "4 shop 3 more 127.0.0.1 2 0 1 1 1 1 0 2 0 0 0 0 - 1 - 0 0 - - 0\n4 shop 4 ",
            ),
        ),
        (
            "says nothing of server",
            with_stat("shop,canary-1", "shop,x"),
        ),
        ("has no econ", with_stat("econ", "x")),
        (
            "says nothing of server",
            read(info, state, &stat[..stat.len() / 2]),
        ),
        ("bytes", read(info, state, &huge)),
    ]);
}

#[test]
fn wrong_replies_of_envoy() {
    let stats = fixture!("envoy/stats.http");
    let clusters = fixture!("envoy/clusters.http");
    let runtime = fixture!("envoy/runtime.http");
    let routes = fixture!("envoy/routes.http");
    let read = |name: &str, share: &str, clusters: &str, stats: &str| {
        adapter(name).observe(&[recorded(share), recorded(clusters), recorded(stats)])
    };
    let with_runtime =
        |from: &str, to: &str| read("envoy-runtime", &runtime.replace(from, to), clusters, stats);
    let with_routes =
        |from: &str, to: &str| read("envoy-routes", &routes.replace(from, to), clusters, stats);
    let no_address = clusters.replace("socket_address", "pipe");
    let no_total = stats.replace("rq_total", "x");
    unreadable([
        ("one version only", with_runtime("shop.shop_canary", "x")),
        ("do not sum", with_runtime("9500", "9501")),
        ("do not sum", with_runtime("9500", "18446744073709551615")),
        ("is no number", with_runtime("9500", "9500.5")),
        ("% of Envoy's traffic", with_runtime("\"0\"", "\"50\"")),
        ("cannot be read", with_runtime("\n}", "")),
        (
            "do not sum",
            with_routes("\"weight\": 9500", "\"weight\": 1"),
        ),
        (
            "other clusters",
            with_routes("\"name\": \"shop_canary\"", "\"name\": \"x\""),
        ),
        ("not those", with_routes("weighted_clusters", "x")),
        (
            "no IP address",
            read("envoy-routes", routes, &no_address, stats),
        ),
        (
            "counts nothing",
            read("envoy-routes", routes, clusters, &no_total),
        ),
    ]);
}

#[test]
fn wrong_replies_of_the_others() {
    let caddy = |weights: &str| {
        adapter("caddy").observe(&[
            answered(200, weights),
            recorded(fixture!("caddy/upstreams.http")),
            recorded(fixture!("caddy/in-flight.http")),
        ])
    };
    let route = fixture!("gateway-api/route.json");
    let gateway = |text: &str| adapter("gateway-api").observe(&[answered(200, text)]);
    let nginx = |text: &str| adapter("nginx-split").observe(&[answered(200, text)]);
    let traefik = |service: &str, metrics: &str| {
        adapter("traefik").observe(&[
            answered(200, service),
            recorded(fixture!("traefik/shop-stable.http")),
            recorded(fixture!("traefik/shop-canary.http")),
            recorded(fixture!("traefik/shop-change.http")),
            answered(200, metrics),
        ])
    };
    let service = fixture!("traefik/shop.http").split_once("\n\n").unwrap().1;
    unreadable([
        ("weights for", caddy("[19,19]")),
        ("cannot be read", caddy("[19,19,-2]")),
        ("cannot be read", caddy("[19,19,2")),
        ("cannot be read", caddy(&"[".repeat(100_000))),
        ("bytes", caddy(&"x".repeat(REPLY_BYTES_MAX + 1))),
        ("other rules", gateway(&route.replace("shop-stable", "x"))),
        (
            "no HTTPRoute",
            gateway(&route.replace("HTTPRoute", "GRPCRoute")),
        ),
        ("cannot be read", gateway(&route[..route.len() / 2])),
        ("no change in force", nginx("")),
        ("no change in force", nginx("1.7 10001")),
        ("no change in force", nginx("1.+7 500")),
        ("no change in force", nginx("<html>")),
        ("not over the two versions", traefik("{}", "")),
        (
            "not over the two versions",
            traefik(&service.replace("shop-canary", "x"), ""),
        ),
        ("cannot be read", traefik(&service[..service.len() / 2], "")),
        (
            "no sample",
            traefik(service, "traefik_service_requests_total{code=\"2"),
        ),
        (
            "no count",
            traefik(
                service,
                "traefik_service_requests_total{service=\"shop-stable@file\"} NaN",
            ),
        ),
    ]);
}

/// A reply of the wrong kind, none, and every status.
#[test]
fn every_reply_is_judged() {
    for (name, adapter) in adapters() {
        let asked = adapter.read().len();
        for reply in [Reply::Written, said("\u{1}"), answered(200, "")] {
            let error = adapter.observe(&vec![reply; asked]).unwrap_err();
            assert_eq!(error.kind(), RouterErrorKind::Unreadable, "{name}");
        }
        assert_eq!(
            adapter.observe(&[]).unwrap_err().kind(),
            RouterErrorKind::Unreadable,
            "{name}"
        );
        for operation in adapter.set(&five_percent(), None).unwrap() {
            for status in [100, 302, 400, 404, 409, 412, 500, 503] {
                assert!(
                    adapter
                        .acknowledge(&operation, &answered(status, "x"))
                        .is_err(),
                    "{name}"
                );
            }
            let wrong = match operation {
                Operation::Write { .. } => answered(200, ""),
                _ => Reply::Written,
            };
            assert!(adapter.acknowledge(&operation, &wrong).is_err(), "{name}");
        }
    }
}

fn any_reply() -> impl Strategy<Value = Reply> {
    let text = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        "[\\[\\]{}\",:0-9a-z #\n.-]{0,200}".prop_map(String::into_bytes),
        "# [a-z_,]{0,40}\n([a-z0-9,\"]{0,40}\n){0,4}".prop_map(String::into_bytes),
        "1\n# [a-z_ ]{0,40}\n([a-z0-9 ]{0,40}\n){0,4}".prop_map(String::into_bytes),
    ];
    let status = prop_oneof![Just(200u16), any::<u16>()];
    (text, status, 0..3).prop_map(|(text, status, kind)| match kind {
        0 => Reply::Said(text),
        1 => Reply::Answered {
            status,
            headers: vec![("ETag".into(), String::from_utf8_lossy(&text).into_owned())],
            body: text,
        },
        _ => Reply::Ran {
            code: Some(i32::from(status)),
            output: text,
        },
    })
}

/// A recorded reply with some bytes of it changed.
fn spoilt(text: &'static str) -> impl Strategy<Value = String> {
    let change = (any::<prop::sample::Index>(), "[\\[\\]{}\",:0-9 \n-]{0,3}");
    proptest::collection::vec(change, 1..4).prop_map(move |changes| {
        let mut spoilt = String::from(text);
        for (at, with) in changes {
            let at = at.index(spoilt.len());
            if spoilt.is_char_boundary(at) && spoilt.is_char_boundary(at + 1) {
                spoilt.replace_range(at..=at, &with);
            }
        }
        spoilt
    })
}

proptest! {
    #[test]
    fn no_reply_makes_it_panic(replies in proptest::collection::vec(any_reply(), 0..7)) {
        for (_, adapter) in adapters() {
            let _ = adapter.observe(&replies);
            for operation in adapter.set(&five_percent(), None).unwrap() {
                if let Some(reply) = replies.first() {
                    let _ = adapter.acknowledge(&operation, reply);
                }
            }
        }
    }

    #[test]
    fn no_spoilt_reply_makes_it_panic(
        state in spoilt(fixture!("haproxy/servers-state.txt")),
        stat in spoilt(fixture!("haproxy/stat.csv")),
        share in spoilt(fixture!("envoy/runtime.http").split_once("\n\n").unwrap().1),
        clusters in spoilt(fixture!("envoy/clusters.http").split_once("\n\n").unwrap().1),
        route in spoilt(fixture!("gateway-api/route.json")),
    ) {
        let info = said(fixture!("haproxy/info.txt"));
        let _ = adapter("haproxy-weights").observe(&[info, said(&state), said(&stat)]);
        let stats = recorded(fixture!("envoy/stats.http"));
        let replies = [answered(200, &share), answered(200, &clusters), stats];
        let _ = adapter("envoy-runtime").observe(&replies);
        let _ = adapter("gateway-api").observe(&[answered(200, &route)]);
    }

    /// What comes of any split: nothing only of nothing, all only of all, and exact where the
    /// router says that it is.
    #[test]
    fn what_comes_of_a_split(asked in 0u16..=10_000) {
        let split = Split::canary(asked).unwrap();
        for (name, adapter) in adapters() {
            let given = adapter.traffic(&desired(split)).unwrap().split().unwrap();
            let canary = given.weight(Arm::Canary);
            prop_assert_eq!(canary == 0, asked == 0, "{}", name);
            prop_assert_eq!(canary == 10_000, asked == 10_000, "{}", name);
            let exact = nonevent_router::Granularity::Parts(10_000);
            if adapter.abilities().granularity == exact {
                prop_assert_eq!(given, split, "{}", name);
            }
            prop_assert_eq!(given.weight(Arm::Stable) + canary, 10_000);
        }
    }
}
