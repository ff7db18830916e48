//! The dialect of nginx: a file that the configuration includes, a test of it, and a reload.
//!
//! The file belongs to nonevent as a whole. For the name `shop` it defines the upstreams
//! `shop_stable` and `shop_canary` and the variable `$shop_arm`, which is one of them or `closed`;
//! the server's own configuration says what is done with it:
//!
//! ```text
//! if ($shop_arm = closed) { return 503; }
//! proxy_pass http://$shop_arm;
//! ```
//!
//! Shares come from `split_clients` (`ngx_http_split_clients_module`), whose percentages have two
//! decimals, so that 0.01 % is exact; it refuses 0 %, so a version without traffic is left out.
//! The canary comes first: a growing share takes clients over and gives none back. Or they come
//! from the servers' weights in one upstream `shop_both` ([`Method::Weights`]), exact as well.
//!
//! What to know: `nginx -s reload` reports that a signal was sent and not that the file is in
//! force, and nginx tells no weights, so the effect must be probed. The variable `$shop_change`
//! has the change's number for that: where a location of the server answers with it
//! (`return 200 $shop_change;`) and [`Config::change_at`] says where, it is read back from
//! the processes that serve. Old processes finish the requests they have. Addresses are bound in
//! the file, so it survives restarts.

use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt::Write as _;

use crate::answers::{answer, fence_label, nth, parse_fence, ran, unreadable, written};
use crate::names::{self, refused, shown};
use crate::{
    Abilities, Adapter, Arm, Desired, Dialect, FULL_WEIGHT, Fencing, Granularity, HeaderRoute,
    Method as HttpMethod, Observed, Operation, ReadBack, Reply, Request, RouterError,
    RouterErrorKind, Split, Stickiness, Traffic, weights,
};

/// What nginx can do, with [`Method::SplitAddresses`] and a header.
pub const ABILITIES: Abilities = Abilities {
    granularity: Granularity::Parts(FULL_WEIGHT),
    read_back: ReadBack::Probe,
    fencing: Fencing::None,
    stickiness: Stickiness::Key,
    closes: true,
    counts: false,
    reports_draining: false,
    survives_restart: true,
    survives_reload: true,
    sets_pools: true,
    routes_headers: true,
    mirrors: false,
    ends_sessions: false,
};

/// How traffic is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// `split_clients` over the number of the request: each is divided by itself.
    SplitRequests,
    /// `split_clients` over the client's address: one address stays on one version.
    SplitAddresses,
    /// The weights of the servers in one upstream, in turn.
    Weights,
}

/// Where a location of the server answers with the change in force.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChangeAt {
    /// Scheme, host and port, such as `http://127.0.0.1:8081`.
    pub origin: String,
    /// The path.
    pub path: String,
}

/// The names that this dialect needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// What the upstreams and variables are called after: letters, digits and `_`.
    pub name: String,
    /// The file, which the `http` section includes.
    pub file: String,
    /// How traffic is divided.
    pub method: Method,
    /// A header that sends a request to the canary; not with [`Method::Weights`].
    pub header: Option<HeaderRoute>,
    /// The command that tests the configuration, such as `nginx -t`.
    pub test: Vec<String>,
    /// The command that reloads it, such as `nginx -s reload`.
    pub reload: Vec<String>,
    /// Where the change in force can be read, if anywhere.
    pub change_at: Option<ChangeAt>,
}

/// nginx, configured.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Nginx {
    config: Config,
}

impl Nginx {
    /// Checks the names.
    ///
    /// # Errors
    ///
    /// [`RouterErrorKind::Refused`] if a name could be read as more than a name, a command is
    /// empty, or a header is asked for where servers have weights.
    pub fn new(config: Config) -> Result<Nginx, RouterError> {
        names::word("name", &config.name)?;
        names::path("file", &config.file)?;
        names::command("test", &config.test)?;
        names::command("reload", &config.reload)?;
        if let Some(header) = &config.header {
            header.check()?;
            if config.method == Method::Weights {
                return Err(refused(
                    "weights of servers cannot route by a header".into(),
                ));
            }
        }
        if let Some(at) = &config.change_at {
            names::origin("change_at", &at.origin)?;
            names::path("change_at", &at.path)?;
        }
        Ok(Nginx { config })
    }

    /// The whole text of the file.
    ///
    /// # Errors
    ///
    /// [`RouterErrorKind::Refused`] if a version shall get traffic but has no instance.
    pub fn file(&self, desired: &Desired) -> Result<String, RouterError> {
        weights::check(desired)?;
        let name = &self.config.name;
        let mut text = format!(
            "# Change {} of plan {}, split {}. Do not edit.\n",
            fence_label(desired.fence),
            desired.plan,
            desired.split
        );
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "map $host ${name}_change {{\n    default \"{}\";\n}}",
            change_text(desired)
        );
        match self.config.method {
            Method::Weights => self.one_upstream(desired, &mut text),
            Method::SplitRequests => self.split_clients(desired, "request_id", &mut text),
            Method::SplitAddresses => self.split_clients(desired, "remote_addr", &mut text),
        }
        Ok(text)
    }

    fn split_clients(&self, desired: &Desired, key: &str, text: &mut String) {
        let name = &self.config.name;
        for arm in Arm::BOTH {
            let pool = desired.pools.of(arm);
            if !pool.is_empty() {
                let _ = writeln!(text, "upstream {name}_{arm} {{");
                for backend in pool {
                    let _ = writeln!(text, "    server {};", backend.address);
                }
                text.push_str("}\n");
            }
        }
        let _ = writeln!(text, "split_clients \"${{{key}}}{name}\" ${name}_split {{");
        match (desired.split, desired.split.weight(Arm::Canary)) {
            (Split::Closed, _) => text.push_str("    * closed;\n"),
            (_, 0) => {
                let _ = writeln!(text, "    * {name}_stable;");
            }
            (_, FULL_WEIGHT) => {
                let _ = writeln!(text, "    * {name}_canary;");
            }
            (_, share) => {
                let (whole, part) = (share / 100, share % 100);
                let _ = writeln!(text, "    {whole}.{part:02}% {name}_canary;");
                let _ = writeln!(text, "    * {name}_stable;");
            }
        }
        text.push_str("}\n");
        let by_header = self.config.header.as_ref().filter(|_| {
            // A header opens no closed router, and reaches no empty pool.
            !desired.split.is_closed() && !desired.pools.canary.is_empty()
        });
        let (variable, value) = match by_header {
            Some(header) => (
                format!(
                    "http_{}",
                    header.name.to_ascii_lowercase().replace('-', "_")
                ),
                format!("    \"{}\" {name}_canary;\n", header.value),
            ),
            None => ("host".into(), String::new()),
        };
        let _ = writeln!(
            text,
            "map ${variable} ${name}_arm {{\n{value}    default ${name}_split;\n}}"
        );
    }

    fn one_upstream(&self, desired: &Desired, text: &mut String) {
        let name = &self.config.name;
        let weights = weights::exact(desired);
        if desired.split.is_closed() {
            let _ = writeln!(text, "map $host ${name}_arm {{\n    default closed;\n}}");
            return;
        }
        let _ = writeln!(text, "upstream {name}_both {{");
        for arm in Arm::BOTH {
            for backend in desired.pools.of(arm) {
                let _ = match weights.of(arm) {
                    // nginx refuses a weight of 0.
                    0 => writeln!(text, "    server {} down;", backend.address),
                    weight => writeln!(text, "    server {} weight={weight};", backend.address),
                };
            }
        }
        let _ = writeln!(
            text,
            "}}\nmap $host ${name}_arm {{\n    default {name}_both;\n}}"
        );
    }
}

/// What the variable `$NAME_change` says: the change's number and the canary's weight.
fn change_text(desired: &Desired) -> String {
    let fence = fence_label(desired.fence);
    match desired.split {
        Split::Closed => format!("{fence} closed"),
        Split::Open { .. } => format!("{fence} {}", desired.split.weight(Arm::Canary)),
    }
}

impl Adapter for Nginx {
    fn dialect(&self) -> Dialect {
        Dialect::Nginx
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            stickiness: match self.config.method {
                Method::SplitAddresses => Stickiness::Key,
                Method::SplitRequests | Method::Weights => Stickiness::None,
            },
            read_back: match self.config.change_at {
                Some(_) => ReadBack::State,
                None => ReadBack::Probe,
            },
            routes_headers: self.config.header.is_some(),
            ..ABILITIES
        }
    }

    fn traffic(&self, desired: &Desired) -> Result<Traffic, RouterError> {
        weights::check(desired)?;
        Ok(Traffic::of(
            desired.split.weight(Arm::Stable).into(),
            desired.split.weight(Arm::Canary).into(),
        ))
    }

    fn set(&self, desired: &Desired, _: Option<&str>) -> Result<Vec<Operation>, RouterError> {
        Ok(vec![
            Operation::Write {
                path: self.config.file.clone(),
                content: self.file(desired)?,
            },
            Operation::Run {
                argv: self.config.test.clone(),
            },
            Operation::Run {
                argv: self.config.reload.clone(),
            },
        ])
    }

    fn acknowledge(&self, operation: &Operation, reply: &Reply) -> Result<(), RouterError> {
        match operation {
            Operation::Run { argv } => {
                let kind = if *argv == self.config.test {
                    RouterErrorKind::Refused
                } else {
                    RouterErrorKind::Failed
                };
                ran(&argv.join(" "), reply, kind)
            }
            _ => written(reply),
        }
    }

    fn read(&self) -> Vec<Operation> {
        let at = self.config.change_at.iter();
        at.map(|at| Operation::Send {
            origin: at.origin.clone(),
            request: Request {
                method: HttpMethod::Get,
                path: at.path.clone(),
                headers: Vec::new(),
                body: Vec::new(),
            },
        })
        .collect()
    }

    fn observe(&self, replies: &[Reply]) -> Result<Observed, RouterError> {
        if self.config.change_at.is_none() {
            return Ok(Observed::NOTHING);
        }
        let text = answer(nth(replies, 0, "the change")?)?
            .text("the change")?
            .trim();
        let unfit = || unreadable(format!("`{}` is no change in force", shown(text)));
        let (label, weight) = text.split_once(' ').ok_or_else(unfit)?;
        let fence = parse_fence(label).ok_or_else(unfit)?;
        let split = match weight {
            "closed" => Split::Closed,
            weight => weight
                .parse()
                .ok()
                .and_then(Split::canary)
                .ok_or_else(unfit)?,
        };
        Ok(Observed {
            fence: Some(fence),
            traffic: Traffic::of(
                split.weight(Arm::Stable).into(),
                split.weight(Arm::Canary).into(),
            ),
            ..Observed::NOTHING
        })
    }
}
