//! The dialects by name, for checks that know a router's kind and nothing else of it.

use core::fmt;

use crate::{Abilities, caddy, embedded, envoy, gateway_api, haproxy, nginx, traefik};

/// A kind of router.
///
/// ```
/// use nonevent_router::{Ability, Dialect};
/// let router = Dialect::by_name("caddy").expect("a known name");
/// let lacking: Vec<String> = Ability::ALL
///     .into_iter()
///     .filter(|ability| !router.abilities().has(*ability))
///     .map(|ability| format!("{router} cannot {ability}"))
///     .collect();
/// assert!(lacking.contains(&"caddy cannot answer all requests itself".to_owned()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// The router that `nonevent-driver` contains.
    Embedded,
    /// HAProxy through its runtime API.
    Haproxy,
    /// nginx through a file and a reload.
    Nginx,
    /// Envoy through its runtime or a file of routes.
    Envoy,
    /// Caddy through its admin API.
    Caddy,
    /// Traefik through a file of the file provider.
    Traefik,
    /// A Gateway API `HTTPRoute` on Kubernetes.
    GatewayApi,
}

impl Dialect {
    /// All dialects, in the order of their declaration.
    pub const ALL: [Dialect; 7] = [
        Dialect::Embedded,
        Dialect::Haproxy,
        Dialect::Nginx,
        Dialect::Envoy,
        Dialect::Caddy,
        Dialect::Traefik,
        Dialect::GatewayApi,
    ];

    /// The name that documents use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Dialect::Embedded => "embedded",
            Dialect::Haproxy => "haproxy",
            Dialect::Nginx => "nginx",
            Dialect::Envoy => "envoy",
            Dialect::Caddy => "caddy",
            Dialect::Traefik => "traefik",
            Dialect::GatewayApi => "gateway-api",
        }
    }

    /// The dialect of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Dialect> {
        Dialect::ALL
            .into_iter()
            .find(|dialect| dialect.name() == name)
    }

    /// What this kind of router can do in its usual configuration. A configured
    /// [`Adapter`](crate::Adapter) knows better: it may have been given a file that survives a
    /// reload, or no header to route by.
    #[must_use]
    pub const fn abilities(self) -> Abilities {
        match self {
            Dialect::Embedded => embedded::ABILITIES,
            Dialect::Haproxy => haproxy::ABILITIES,
            Dialect::Nginx => nginx::ABILITIES,
            Dialect::Envoy => envoy::ABILITIES,
            Dialect::Caddy => caddy::ABILITIES,
            Dialect::Traefik => traefik::ABILITIES,
            Dialect::GatewayApi => gateway_api::ABILITIES,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
