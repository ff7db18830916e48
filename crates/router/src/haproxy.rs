//! The dialect of HAProxy: its runtime API on a Unix socket (management guide, §9.3).
//!
//! | ask | success |
//! |---|---|
//! | `set server B/S weight N`, N 0 to 256 | an empty line |
//! | `set server B/S state ready\|drain\|maint` | an empty line |
//! | `set server B/S addr IP port P` | what was changed, as text |
//! | `set map FILE KEY VALUE` | an empty line; the key must be there |
//! | `show servers state B`, `show map FILE` | weights, states and addresses in force; the map |
//! | `show stat B -1 -1`, `show info` | counters as comma-separated values; number and start of the process |
//!
//! Shares come from the servers' weights ([`Layout::Weights`]): the ratio of two weights of 0 to
//! 256, the nearest that there is. Or exactly from a number in a map ([`Layout::Map`]), with a
//! server section for each version and these lines before them:
//!
//! ```text
//! http-request set-var(txn.draw) rand(10000)
//! http-request set-var(txn.share) str(canary),map_str_int(/etc/haproxy/share.map,0)
//! use_backend shop_canary if { var(txn.draw),sub(txn.share) lt 0 }
//! default_backend shop_stable
//! ```
//!
//! What to know: a reload reads weights and states from the configuration anew, so those set here
//! are lost (a map's file is written too, and stays; addresses and states do not). Weights as percentages are not used: of an
//! initial weight of 0 they give 0. A server of weight 0, or draining, still takes sessions that
//! persist on it; [`Haproxy::end_sessions`] ends them. HAProxy counts an answer that it made
//! itself, since the server could not be reached or broke off, with the section and not with the
//! server; here it is an error of the server, and so is a request that was sent on to another
//! (`option redispatch`), as it is with the embedded router.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::answers::{nth, said, unreadable, written};
use crate::names::{self, refused, shown};
use crate::weights::{self, PerInstance};
use crate::{
    Abilities, Adapter, Arm, Command, Desired, Dialect, FULL_WEIGHT, Fencing, Granularity,
    Observed, Operation, ReadBack, Reply, RouterError, RouterErrorKind, Split, Stickiness, Traffic,
};

mod table;

/// The largest weight of a server.
pub const WEIGHT_MAX: u16 = 256;

/// The longest line of commands sent at once, in bytes: well within the buffer that HAProxy reads
/// a line into (`tune.bufsize`, 16 384 by default).
pub const LINE_BYTES_MAX: usize = 8_192;

/// The most servers that are configured here.
pub const SLOTS_MAX: usize = 2_000;

/// What HAProxy can do with [`Layout::Weights`].
pub const ABILITIES: Abilities = Abilities {
    granularity: Granularity::Ratio(WEIGHT_MAX),
    read_back: ReadBack::State,
    fencing: Fencing::None,
    stickiness: Stickiness::Session,
    closes: true,
    counts: true,
    reports_draining: true,
    survives_restart: false,
    survives_reload: false,
    sets_pools: true,
    routes_headers: false,
    mirrors: false,
    ends_sessions: true,
};

/// Where the share of the canary is kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// One section with the servers of both versions, whose weights make the share.
    Weights {
        /// The `backend` section.
        backend: String,
    },
    /// A section for each version, and a number of 0 to 10 000 in a map.
    Map {
        /// The `backend` section of stable.
        stable: String,
        /// The `backend` section of the canary.
        canary: String,
        /// The map's file, as the configuration names it. It holds nothing but this key.
        file: String,
        /// The key.
        key: String,
    },
}

/// A server that the configuration has for an instance.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// The version.
    pub arm: Arm,
    /// The instance's name in its fleet.
    pub id: String,
    /// The server's name in its section.
    pub server: String,
}

/// The names that this dialect needs.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// The runtime socket's path; it needs `level admin`.
    pub socket: String,
    /// Where the share is kept.
    pub layout: Layout,
    /// The servers, one for each instance that may ever be in a pool.
    pub slots: Vec<Slot>,
    /// Whether servers are given their instance's address; otherwise the configuration has it.
    pub sets_addresses: bool,
}

/// HAProxy, configured.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Haproxy {
    config: Config,
}

impl Haproxy {
    /// Checks the names.
    ///
    /// # Errors
    ///
    /// [`RouterErrorKind::Refused`] if a name could be read as more than a name, or a server or
    /// an instance occurs twice.
    pub fn new(config: Config) -> Result<Haproxy, RouterError> {
        names::path("socket", &config.socket)?;
        match &config.layout {
            Layout::Weights { backend } => names::name("backend", backend)?,
            Layout::Map {
                stable,
                canary,
                file,
                key,
            } => {
                names::name("backend", stable)?;
                names::name("backend", canary)?;
                names::path("map", file)?;
                names::name("map key", key)?;
                if stable == canary {
                    return Err(refused(format!(
                        "both versions have the backend `{stable}`"
                    )));
                }
            }
        }
        if config.slots.len() > SLOTS_MAX {
            return Err(refused(format!("more than {SLOTS_MAX} servers")));
        }
        let haproxy = Haproxy { config };
        let (mut ids, mut servers) = (BTreeSet::new(), BTreeSet::new());
        for slot in &haproxy.config.slots {
            names::name("server", &slot.server)?;
            if !ids.insert((slot.arm, &slot.id)) || !servers.insert(haproxy.server(slot)) {
                return Err(refused(format!(
                    "server `{}` or its instance occurs twice",
                    slot.server
                )));
            }
        }
        Ok(haproxy)
    }

    /// Ends all sessions on the servers of one version at once, those in the middle of an answer
    /// too. Its reply is judged by [`Adapter::acknowledge`].
    #[must_use]
    pub fn end_sessions(&self, arm: Arm) -> Vec<Operation> {
        let slots = self.config.slots.iter().filter(|slot| slot.arm == arm);
        self.lines(slots.map(|slot| format!("shutdown sessions server {}", self.server(slot))))
    }

    fn backend(&self, arm: Arm) -> &str {
        match (&self.config.layout, arm) {
            (Layout::Weights { backend }, _) => backend,
            (Layout::Map { stable, .. }, Arm::Stable) => stable,
            (Layout::Map { canary, .. }, Arm::Canary) => canary,
        }
    }

    fn backends(&self) -> Vec<&str> {
        match &self.config.layout {
            Layout::Weights { backend } => vec![backend],
            Layout::Map { stable, canary, .. } => vec![stable, canary],
        }
    }

    fn server(&self, slot: &Slot) -> String {
        format!("{}/{}", self.backend(slot.arm), slot.server)
    }

    fn say(&self, commands: &str) -> Operation {
        Operation::Say {
            socket: self.config.socket.clone(),
            text: format!("{commands}\n"),
        }
    }

    /// Several commands in a line, as many as fit, so that they come into force close together.
    fn lines(&self, commands: impl Iterator<Item = String>) -> Vec<Operation> {
        let mut lines: Vec<String> = Vec::new();
        for command in commands {
            match lines.last_mut() {
                Some(line) if line.len() + 1 + command.len() < LINE_BYTES_MAX => {
                    line.push(';');
                    line.push_str(&command);
                }
                _ => lines.push(command),
            }
        }
        lines.iter().map(|line| self.say(line)).collect()
    }

    fn weights(&self, desired: &Desired) -> Result<PerInstance, RouterError> {
        weights::check(desired)?;
        for arm in Arm::BOTH {
            for backend in desired.pools.of(arm) {
                let known = |slot: &Slot| slot.arm == arm && slot.id == backend.id;
                if !self.config.slots.iter().any(known) {
                    return Err(refused(format!(
                        "HAProxy has no server for instance `{}` of {arm}",
                        backend.id
                    )));
                }
            }
        }
        Ok(weights::nearest(desired, u64::from(WEIGHT_MAX)))
    }

    fn addresses(&self, desired: &Desired) -> Result<Vec<Operation>, RouterError> {
        let mut operations = Vec::new();
        for slot in self
            .config
            .slots
            .iter()
            .filter(|_| self.config.sets_addresses)
        {
            let mut pool = desired.pools.of(slot.arm).iter();
            if let Some(backend) = pool.find(|backend| backend.id == slot.id) {
                let address = names::address(&backend.address)?;
                operations.push(self.say(&format!(
                    "set server {} addr {} port {}",
                    self.server(slot),
                    address.ip(),
                    address.port()
                )));
            }
        }
        Ok(operations)
    }

    /// The servers of one version's pool take requests, with this weight. The weight comes
    /// first, so that none takes requests with an old one.
    fn pooled(&self, desired: &Desired, weights: PerInstance, arm: Arm) -> Vec<String> {
        let slots = || {
            let slots = self.config.slots.iter();
            slots.filter(|slot| slot.arm == arm && in_pool(desired, slot))
        };
        let by_weight = matches!(self.config.layout, Layout::Weights { .. });
        let weight = weights.of(arm);
        let weights = slots()
            .filter(|_| by_weight)
            .map(|slot| format!("set server {} weight {weight}", self.server(slot)));
        let ready = slots().map(|slot| format!("set server {} state ready", self.server(slot)));
        weights.chain(ready).collect()
    }

    fn unpooled(&self, desired: &Desired) -> impl Iterator<Item = String> {
        let slots = self.config.slots.iter();
        slots
            .filter(|slot| !in_pool(desired, slot))
            .map(|slot| format!("set server {} state drain", self.server(slot)))
    }
}

fn in_pool(desired: &Desired, slot: &Slot) -> bool {
    let mut pool = desired.pools.of(slot.arm).iter();
    pool.any(|backend| backend.id == slot.id)
}

impl Adapter for Haproxy {
    fn dialect(&self) -> Dialect {
        Dialect::Haproxy
    }

    fn abilities(&self) -> Abilities {
        match self.config.layout {
            Layout::Weights { .. } => ABILITIES,
            Layout::Map { .. } => Abilities {
                granularity: Granularity::Parts(FULL_WEIGHT),
                stickiness: Stickiness::None,
                survives_restart: true,
                survives_reload: true,
                ..ABILITIES
            },
        }
    }

    fn traffic(&self, desired: &Desired) -> Result<Traffic, RouterError> {
        let weights = self.weights(desired)?;
        Ok(match self.config.layout {
            Layout::Weights { .. } => weights.traffic(desired),
            Layout::Map { .. } => Traffic::of(
                desired.split.weight(Arm::Stable).into(),
                desired.split.weight(Arm::Canary).into(),
            ),
        })
    }

    fn set(&self, desired: &Desired, _: Option<&str>) -> Result<Vec<Operation>, RouterError> {
        let weights = self.weights(desired)?;
        if desired.split.is_closed() {
            let slots = self.config.slots.iter();
            return Ok(self
                .lines(slots.map(|slot| format!("set server {} state maint", self.server(slot)))));
        }
        // Who shall get traffic is ready before the other version loses it, and who leaves a pool
        // drains last.
        let mut operations = self.addresses(desired)?;
        let gets = |arm: &Arm| desired.split.weight(*arm) > 0;
        let (first, then) = (Arm::BOTH.into_iter(), Arm::BOTH.into_iter());
        let mut commands: Vec<String> = first
            .filter(gets)
            .chain(then.filter(|arm| !gets(arm)))
            .flat_map(|arm| self.pooled(desired, weights, arm))
            .collect();
        let Layout::Map { file, key, .. } = &self.config.layout else {
            commands.extend(self.unpooled(desired));
            operations.extend(self.lines(commands.into_iter()));
            return Ok(operations);
        };
        let share = desired.split.weight(Arm::Canary);
        commands.push(format!("set map {file} {key} {share}"));
        commands.extend(self.unpooled(desired));
        operations.extend(self.lines(commands.into_iter()));
        operations.push(Operation::Write {
            path: file.clone(),
            content: format!("{key} {share}\n"),
        });
        Ok(operations)
    }

    fn acknowledge(&self, operation: &Operation, reply: &Reply) -> Result<(), RouterError> {
        let Operation::Say { text, .. } = operation else {
            return written(reply);
        };
        let answer = said(reply)?;
        let commands = text.split(';').count();
        let of_address = commands == 1 && text.contains(" addr ");
        let silent = answer.len() == commands && answer.bytes().all(|byte| byte == b'\n');
        let told = of_address
            && (answer.starts_with("IP changed from ")
                || answer.starts_with("no need to change the addr"));
        if silent || told {
            return Ok(());
        }
        let fault = answer.lines().find(|line| !line.is_empty());
        let (kind, why) = match fault {
            // One command that is refused did nothing; of several, some may have been done.
            Some(line) if commands == 1 => (RouterErrorKind::Refused, shown(line)),
            Some(line) => (RouterErrorKind::Failed, shown(line)),
            None => (
                RouterErrorKind::Unreadable,
                "it did not acknowledge every command".to_owned(),
            ),
        };
        Err(RouterError::new(kind, format!("HAProxy says: {why}")))
    }

    fn read(&self) -> Vec<Operation> {
        let mut asks = vec![self.say("show info")];
        for backend in self.backends() {
            asks.push(self.say(&format!("show servers state {backend}")));
            asks.push(self.say(&format!("show stat {backend} -1 -1")));
        }
        if let Layout::Map { file, .. } = &self.config.layout {
            asks.push(self.say(&format!("show map {file}")));
        }
        asks
    }

    fn observe(&self, replies: &[Reply]) -> Result<Observed, RouterError> {
        let started = table::started(said(nth(replies, 0, "the process")?)?)?;
        let mut states = BTreeMap::new();
        let mut counts = BTreeMap::new();
        for (at, _) in self.backends().iter().enumerate() {
            let state = said(nth(replies, 1 + 2 * at, "the servers' state")?)?;
            table::server_states(state, &mut states)?;
            let stat = said(nth(replies, 2 + 2 * at, "the counters")?)?;
            table::server_counts(stat, &mut counts)?;
        }
        let mut read = table::join(self, &states, &counts)?;
        if let Layout::Map { key, .. } = &self.config.layout {
            let map = said(nth(replies, 1 + 2 * self.backends().len(), "the map")?)?;
            let split = table::share_in_map(map, key)?;
            if read.traffic != Traffic::Closed {
                read.traffic = Traffic::of(
                    split.weight(Arm::Stable).into(),
                    split.weight(Arm::Canary).into(),
                );
            }
        }
        read.started = Some(started);
        Ok(read)
    }

    fn commands(&self, desired: &Desired) -> Result<Vec<Command>, RouterError> {
        // A person reads one command a line; HAProxy takes them one by one as well.
        let mut commands = Vec::new();
        for operation in self.set(desired, None)? {
            match operation {
                Operation::Say { text, .. } => commands.extend(
                    text.trim_end()
                        .split(';')
                        .flat_map(|one| self.say(one).commands()),
                ),
                other => commands.extend(other.commands()),
            }
        }
        Ok(commands)
    }
}
