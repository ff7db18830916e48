//! The servers behind a router, out of what it says of itself.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_json::Value;

use crate::{Dialect, RouterError, RouterErrorKind};

/// A server that a router sends requests to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Server {
    /// What the router calls it, with its pool before it: `shop/stable-1`; else host and port.
    pub name: String,
    /// A host name or an address, without brackets.
    pub host: String,
    /// 1 to 65535.
    pub port: u16,
}

/// Servers of one list.
const SERVERS_MAX: usize = 100_000;

impl Dialect {
    /// The servers in a router's own list, in its order, each address once.
    ///
    /// | dialect | the list |
    /// |---|---|
    /// | HAProxy | the reply to `show servers state` (format 1) |
    /// | Envoy | `GET /clusters?format=json` of the admin API |
    /// | Caddy | `GET /reverse_proxy/upstreams` of the admin API, or the `upstreams` of a configuration |
    /// | Traefik | `GET /api/http/services` |
    /// | nginx | a configuration, as `nginx -T` prints it: the `server`s of its `upstream`s |
    ///
    /// Servers without a port of their own, such as Unix sockets, are left out. `pool` keeps only
    /// those of one backend, cluster, service or upstream; Caddy's list has no pools.
    ///
    /// # Errors
    ///
    /// [`RouterErrorKind::Unreadable`] when the text is no such list or has no server in it, and
    /// [`RouterErrorKind::Refused`] for a dialect that has no list.
    pub fn servers(self, list: &str, pool: Option<&str>) -> Result<Vec<Server>, RouterError> {
        let mut found = match self {
            Dialect::Haproxy => haproxy(list)?,
            Dialect::Envoy => envoy(&json(self, list)?),
            Dialect::Caddy => caddy(&json(self, list)?),
            Dialect::Traefik => traefik(&json(self, list)?),
            Dialect::Nginx => nginx(list),
            Dialect::Embedded | Dialect::GatewayApi => {
                let message = format!("{self} has no list of servers; give their addresses");
                return Err(RouterError::new(RouterErrorKind::Refused, message));
            }
        };
        if let Some(pool) = pool {
            found.retain(|(of, _)| of == pool);
        }
        let mut asked = BTreeSet::new();
        let servers: Vec<Server> = found
            .into_iter()
            .map(|(_, server)| server)
            .filter(|server| asked.insert((server.host.clone(), server.port)))
            .take(SERVERS_MAX)
            .collect();
        if servers.is_empty() {
            let of = pool.map_or(String::new(), |pool| format!(" of `{pool}`"));
            let message = format!("no server{of} is in this list of {self}");
            return Err(unreadable(message));
        }
        Ok(servers)
    }
}

fn unreadable(message: String) -> RouterError {
    RouterError::new(RouterErrorKind::Unreadable, message)
}

fn json(dialect: Dialect, list: &str) -> Result<Value, RouterError> {
    serde_json::from_str(list).map_err(|error| {
        let message = format!("this list of {dialect} is no JSON");
        unreadable(message).caused_by(error)
    })
}

/// A pool and one of its servers; nothing without a port.
type Found = (String, Server);

fn found(pool: &str, name: Option<&str>, host: &str, port: u64) -> Option<Found> {
    let port = u16::try_from(port).ok().filter(|port| *port > 0)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() {
        return None;
    }
    let name = match name {
        Some(name) if pool.is_empty() => name.to_string(),
        Some(name) => format!("{pool}/{name}"),
        None if host.contains(':') => format!("[{host}]:{port}"),
        None => format!("{host}:{port}"),
    };
    let host = host.to_string();
    Some((pool.to_string(), Server { name, host, port }))
}

/// `127.0.0.1:8080`, `[::1]:8080`, `app:8080`.
fn dialled(pool: &str, text: &str) -> Option<Found> {
    let (host, port) = text.rsplit_once(':')?;
    found(pool, None, host, port.parse().ok()?)
}

fn haproxy(list: &str) -> Result<Vec<Found>, RouterError> {
    let mut lines = list.lines().filter(|line| !line.is_empty());
    let titles = lines
        .find_map(|line| line.strip_prefix("# "))
        .ok_or_else(|| unreadable("HAProxy's list has no line of titles".to_string()))?;
    let titles: Vec<&str> = titles.split(' ').collect();
    let column = |title: &str| {
        titles
            .iter()
            .position(|given| *given == title)
            .ok_or_else(|| unreadable(format!("HAProxy's list has no column {title}")))
    };
    let (pool, name) = (column("be_name")?, column("srv_name")?);
    let (address, port) = (column("srv_addr")?, column("srv_port")?);
    Ok(lines
        .filter_map(|line| {
            let cells: Vec<&str> = line.split(' ').collect();
            let cell = |at: usize| cells.get(at).copied();
            let port = cell(port)?.parse().ok()?;
            found(cell(pool)?, cell(name), cell(address)?, port)
        })
        .collect())
}

fn envoy(list: &Value) -> Vec<Found> {
    let mut servers = Vec::new();
    for cluster in items(&list["cluster_statuses"]) {
        let pool = cluster["name"].as_str().unwrap_or_default();
        for host in items(&cluster["host_statuses"]) {
            let socket = &host["address"]["socket_address"];
            let name = host["hostname"].as_str().filter(|name| !name.is_empty());
            if let (Some(address), Some(port)) =
                (socket["address"].as_str(), socket["port_value"].as_u64())
            {
                servers.extend(found(pool, name, address, port));
            }
        }
    }
    servers
}

fn caddy(list: &Value) -> Vec<Found> {
    let upstreams = if list.is_array() {
        list
    } else {
        &list["upstreams"]
    };
    items(upstreams)
        .filter_map(|upstream| {
            let text = upstream["address"].as_str().or(upstream["dial"].as_str())?;
            dialled("", text)
        })
        .collect()
}

fn traefik(list: &Value) -> Vec<Found> {
    let one = core::slice::from_ref(list);
    let services = list.as_array().map_or(one, Vec::as_slice);
    let mut servers = Vec::new();
    for service in services {
        let name = service["name"].as_str().unwrap_or_default();
        let pool = name.split('@').next().unwrap_or(name);
        for server in items(&service["loadBalancer"]["servers"]) {
            if let Some(url) = server["url"].as_str() {
                servers.extend(of_url(pool, url));
            }
        }
    }
    servers
}

fn of_url(pool: &str, url: &str) -> Option<Found> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let standard = if scheme == "https" { 443 } else { 80 };
    let has_port = authority
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    if has_port {
        dialled(pool, authority)
    } else {
        found(pool, None, authority, standard)
    }
}

/// The servers of `upstream NAME { server ADDRESS …; }`; whatever else a configuration says is
/// passed over.
fn nginx(list: &str) -> Vec<Found> {
    let mut servers = Vec::new();
    let mut pool = None;
    let text: String = list
        .lines()
        .map(|line| line.split('#').next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join(" ");
    for statement in text.split_inclusive(['{', ';', '}']) {
        let mut words = statement
            .trim_end_matches(['{', ';', '}'])
            .split_whitespace();
        match (words.next(), words.next(), statement.chars().last()) {
            (Some("upstream"), Some(name), Some('{')) => pool = Some(name),
            (Some("server"), Some(address), Some(';')) => {
                if let Some(pool) = pool.filter(|_| !address.starts_with("unix:")) {
                    let is_bare = address.ends_with(']') || !address.contains(':');
                    servers.extend(if is_bare {
                        found(pool, None, address, 80)
                    } else {
                        dialled(pool, address)
                    });
                }
            }
            (_, _, Some('}')) => pool = None,
            _ => {}
        }
    }
    servers
}

fn items(value: &Value) -> core::slice::Iter<'_, Value> {
    value.as_array().map_or(&[][..], Vec::as_slice).iter()
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec::Vec;

    use crate::{Dialect, RouterErrorKind, Server};

    fn names(servers: &[Server]) -> Vec<&str> {
        servers.iter().map(|server| server.name.as_str()).collect()
    }

    fn body(http: &str) -> &str {
        http.split_once("\n\n")
            .or(http.split_once("\r\n\r\n"))
            .map_or(http, |(_, body)| body)
    }

    #[test]
    fn haproxy_lists_its_servers() {
        let list = include_str!("../../../fixtures/router/haproxy/servers-state.txt");
        let servers = Dialect::Haproxy
            .servers(list, Some("shop"))
            .expect("a list");
        assert_eq!(
            names(&servers),
            [
                "shop/stable-1",
                "shop/canary-1",
                "shop/stable-2",
                "shop/canary-2"
            ]
        );
        assert_eq!(
            (servers[0].host.as_str(), servers[0].port),
            ("127.0.0.1", 19101)
        );
        let error = Dialect::Haproxy
            .servers(list, Some("nope"))
            .expect_err("none");
        assert!(error.to_string().contains("`nope`"), "{error}");
    }

    #[test]
    fn envoy_lists_its_hosts() {
        let list = include_str!("../../../fixtures/router/envoy/clusters.http");
        let servers = Dialect::Envoy
            .servers(body(list), Some("shop_stable"))
            .expect("a list");
        assert_eq!(
            names(&servers),
            ["shop_stable/stable-1", "shop_stable/stable-2"]
        );
    }

    #[test]
    fn caddy_lists_its_upstreams() {
        let list = include_str!("../../../fixtures/router/caddy/upstreams.http");
        let servers = Dialect::Caddy.servers(body(list), None).expect("a list");
        assert_eq!(
            names(&servers),
            ["127.0.0.1:19101", "127.0.0.1:19103", "127.0.0.1:19102"]
        );
        let live = r#"[{"address":"[::1]:8081","num_requests":0,"fails":0}]"#;
        let servers = Dialect::Caddy.servers(live, None).expect("a list");
        assert_eq!(
            (names(&servers), servers[0].host.as_str()),
            (["[::1]:8081"].to_vec(), "::1")
        );
    }

    #[test]
    fn traefik_lists_its_services() {
        let list = r#"[ { "name": "shop@file", "loadBalancer": { "servers": [
            { "url": "http://127.0.0.1:8081" }, { "url": "https://b.example/x" }, { "url": "http://[::1]" } ] } },
            { "name": "api@internal" } ]"#;
        let servers = Dialect::Traefik
            .servers(list, Some("shop"))
            .expect("a list");
        assert_eq!(
            names(&servers),
            ["127.0.0.1:8081", "b.example:443", "[::1]:80"]
        );
    }

    #[test]
    fn nginx_lists_the_servers_of_its_upstreams() {
        let list = "http { # server 9.9.9.9:1;\n upstream shop { least_conn;\n server 10.0.0.1:8080 \
                    weight=5;\n server [::1]; server b.example max_fails=3; server unix:/run/x; }\n \
                    server { listen 80; server_name shop; location / { proxy_pass http://shop; } } \
                    upstream other { server 10.0.0.1:8080; server 10.0.0.2:1; } }";
        let servers = Dialect::Nginx.servers(list, Some("shop")).expect("a list");
        assert_eq!(
            names(&servers),
            ["10.0.0.1:8080", "[::1]:80", "b.example:80"]
        );
        let servers = Dialect::Nginx.servers(list, None).expect("a list");
        assert_eq!(servers.len(), 4, "an address is asked once: {servers:?}");
    }

    #[test]
    fn what_is_no_list_is_said() {
        for dialect in Dialect::ALL {
            for text in [
                "",
                "[]",
                "{}",
                "null",
                "# a b\n1 2",
                "upstream {",
                "[[{\"url\":1}]]",
            ] {
                let error = dialect.servers(text, None).expect_err(text);
                let kind = error.kind();
                assert!(
                    matches!(kind, RouterErrorKind::Unreadable | RouterErrorKind::Refused),
                    "{dialect}: {error}"
                );
            }
        }
    }
}
