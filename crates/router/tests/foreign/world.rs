//! One service behind every router, and recorded replies as values.

use nonevent_document::Digest;
use nonevent_router::{
    Adapter, Arm, Backend, Desired, Fence, HeaderRoute, Pools, Reply, Split, caddy, envoy,
    gateway_api, haproxy, nginx, traefik,
};

pub(crate) const STABLE_1: &str = "127.0.0.1:19101";
pub(crate) const STABLE_2: &str = "127.0.0.1:19103";
pub(crate) const CANARY_1: &str = "127.0.0.1:19102";
pub(crate) const CANARY_2: &str = "127.0.0.1:19198";

pub(crate) fn backend(id: &str, address: &str) -> Backend {
    Backend {
        id: id.into(),
        address: address.into(),
    }
}

/// Two instances of stable and one of the canary: what was recorded.
pub(crate) fn desired(split: Split) -> Desired {
    Desired {
        split,
        pools: Pools {
            stable: vec![backend("stable-1", STABLE_1), backend("stable-2", STABLE_2)],
            canary: vec![backend("canary-1", CANARY_1)],
        },
        plan: Digest::of(b"plan"),
        fence: Fence {
            epoch: 1,
            generation: 7,
        },
    }
}

pub(crate) fn five_percent() -> Desired {
    desired(Split::canary(500).unwrap())
}

fn header() -> Option<HeaderRoute> {
    Some(HeaderRoute {
        name: "x-canary".into(),
        value: "always".into(),
    })
}

pub(crate) fn haproxy_config(layout: haproxy::Layout) -> haproxy::Config {
    let slot = |arm, id: &str| haproxy::Slot {
        arm,
        id: id.into(),
        server: id.into(),
    };
    haproxy::Config {
        socket: "/run/haproxy/admin.sock".into(),
        layout,
        slots: vec![
            slot(Arm::Stable, "stable-1"),
            slot(Arm::Stable, "stable-2"),
            slot(Arm::Canary, "canary-1"),
            slot(Arm::Canary, "canary-2"),
        ],
        sets_addresses: true,
    }
}

pub(crate) fn by_weights() -> haproxy::Layout {
    haproxy::Layout::Weights {
        backend: "shop".into(),
    }
}

pub(crate) fn by_map() -> haproxy::Layout {
    haproxy::Layout::Map {
        stable: "shop_stable".into(),
        canary: "shop_canary".into(),
        file: "/etc/haproxy/share.map".into(),
        key: "canary".into(),
    }
}

pub(crate) fn nginx_config(method: nginx::Method) -> nginx::Config {
    let words = |text: &str| text.split(' ').map(Into::into).collect();
    nginx::Config {
        name: "shop".into(),
        file: "/etc/nginx/conf.d/shop.conf".into(),
        method,
        header: match method {
            nginx::Method::Weights => None,
            _ => header(),
        },
        test: words("nginx -t"),
        reload: words("nginx -s reload"),
        change_at: Some(nginx::ChangeAt {
            origin: "http://127.0.0.1:19201".into(),
            path: "/change".into(),
        }),
    }
}

pub(crate) fn envoy_config(share: envoy::Layout) -> envoy::Config {
    envoy::Config {
        admin: "http://127.0.0.1:19401".into(),
        stable: "shop_stable".into(),
        canary: "shop_canary".into(),
        share,
        endpoints: Some(envoy::EndpointFiles {
            stable: "/etc/envoy/eds-stable.json".into(),
            canary: "/etc/envoy/eds-canary.json".into(),
        }),
    }
}

pub(crate) fn by_runtime() -> envoy::Layout {
    envoy::Layout::Runtime {
        prefix: "routing.traffic_split.shop".into(),
        closed: Some("routing.closed.shop".into()),
    }
}

pub(crate) fn by_routes() -> envoy::Layout {
    envoy::Layout::Routes {
        file: "/etc/envoy/rds.json".into(),
        name: "shop".into(),
        header: header(),
        mirrored: 100,
    }
}

pub(crate) fn caddy_config() -> caddy::Config {
    let slot = |arm, address: &str| caddy::Slot {
        arm,
        address: address.into(),
    };
    caddy::Config {
        admin: "http://127.0.0.1:19301".into(),
        id: "shop".into(),
        slots: vec![
            slot(Arm::Stable, STABLE_1),
            slot(Arm::Stable, STABLE_2),
            slot(Arm::Canary, CANARY_1),
        ],
    }
}

pub(crate) fn traefik_config() -> traefik::Config {
    traefik::Config {
        name: "shop".into(),
        file: "/etc/traefik/dynamic/shop.yml".into(),
        api: "http://127.0.0.1:19501".into(),
        metrics: Some("http://127.0.0.1:19501".into()),
        route: Some(traefik::Route {
            rule: "PathPrefix(`/`)".into(),
            entry_points: vec!["web".into()],
            header: header(),
        }),
        cookie: Some("shop".into()),
        mirror_percent: 0,
    }
}

pub(crate) fn gateway_config() -> gateway_api::Config {
    let service = |name: &str| gateway_api::Service {
        name: name.into(),
        port: 8080,
    };
    gateway_api::Config {
        api: "http://127.0.0.1:8001".into(),
        namespace: "shop".into(),
        name: "shop".into(),
        gateway: "public".into(),
        hostnames: vec!["shop.example".into()],
        stable: service("shop-stable"),
        canary: service("shop-canary"),
        header: header(),
        mirror: true,
    }
}

/// Every dialect in every layout, by the name of its golden file.
pub(crate) fn adapters() -> Vec<(&'static str, Box<dyn Adapter>)> {
    let haproxy = |layout| haproxy::Haproxy::new(haproxy_config(layout)).unwrap();
    let nginx = |method| nginx::Nginx::new(nginx_config(method)).unwrap();
    let envoy = |share| envoy::Envoy::new(envoy_config(share)).unwrap();
    let mirroring = traefik::Config {
        mirror_percent: 10,
        ..traefik_config()
    };
    vec![
        ("haproxy-weights", Box::new(haproxy(by_weights()))),
        ("haproxy-map", Box::new(haproxy(by_map()))),
        ("nginx-split", Box::new(nginx(nginx::Method::SplitRequests))),
        (
            "nginx-address",
            Box::new(nginx(nginx::Method::SplitAddresses)),
        ),
        ("nginx-weights", Box::new(nginx(nginx::Method::Weights))),
        ("envoy-runtime", Box::new(envoy(by_runtime()))),
        ("envoy-routes", Box::new(envoy(by_routes()))),
        (
            "caddy",
            Box::new(caddy::Caddy::new(caddy_config()).unwrap()),
        ),
        (
            "traefik",
            Box::new(traefik::Traefik::new(traefik_config()).unwrap()),
        ),
        (
            "traefik-mirror",
            Box::new(traefik::Traefik::new(mirroring).unwrap()),
        ),
        (
            "gateway-api",
            Box::new(gateway_api::GatewayApi::new(gateway_config()).unwrap()),
        ),
    ]
}

pub(crate) fn adapter(name: &str) -> Box<dyn Adapter> {
    let mut adapters = adapters().into_iter();
    adapters.find(|(given, _)| *given == name).unwrap().1
}

pub(crate) fn said(text: &str) -> Reply {
    Reply::Said(text.into())
}

pub(crate) fn answered(status: u16, body: &str) -> Reply {
    Reply::Answered {
        status,
        headers: Vec::new(),
        body: body.into(),
    }
}

/// A recorded answer: status line, header fields, empty line, content.
pub(crate) fn recorded(text: &str) -> Reply {
    let (head, body) = text.split_once("\n\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    Reply::Answered {
        status: status.parse().unwrap(),
        headers: lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        body: body.into(),
    }
}

/// A file below `fixtures/router`.
macro_rules! fixture {
    ($path:literal) => {
        include_str!(concat!("../../../../fixtures/router/", $path))
    };
}
pub(crate) use fixture;
