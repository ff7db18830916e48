//! What a person types when a router has to be set without the machine.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use nonevent_document::Digest;
use nonevent_router::{
    Adapter, Arm, Backend, Command, Desired, Dialect, Fence, Pools, Split, envoy, gateway_api,
    haproxy,
};
use nonevent_strategy::{Action, Plan};
use serde::{Serialize, Serializer};

use crate::runbook::Runbook;

/// What a version is called where its own name is not known.
const STABLE: &str = "STABLE";
const CANARY: &str = "CANARY";

/// Commands of one step, to be copied into a POSIX shell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ByHand {
    /// Its id.
    pub id: String,
    /// The commands as argument vectors, in order.
    pub commands: Vec<Typed>,
    /// All of them as they are typed, quoted.
    pub shown: String,
}

/// One command: an argument vector, and what it reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed(Command);

impl Typed {
    /// A command that can be typed on one line and means nothing else.
    ///
    /// # Errors
    /// In words, if there is no program, or a word of it holds a NUL or a line break, or its input a
    /// NUL.
    pub fn new(command: Command) -> Result<Typed, String> {
        let program = command.argv.first().filter(|it| !it.is_empty());
        if program.is_none() {
            return Err(String::from("a command needs a program"));
        }
        let broken = |word: &&String| word.contains(['\0', '\n', '\r']);
        if let Some(word) = command.argv.iter().find(broken) {
            return Err(format!(
                "the word {word:?} of a command holds a line break or a NUL, which nobody can type"
            ));
        }
        if command.input.as_ref().is_some_and(|it| it.contains('\0')) {
            return Err(String::from("the input of a command holds a NUL"));
        }
        Ok(Typed(command))
    }

    /// The command.
    #[must_use]
    pub const fn command(&self) -> &Command {
        &self.0
    }
}

impl Serialize for Typed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Wire<'a> {
            argv: &'a [String],
            #[serde(skip_serializing_if = "Option::is_none")]
            input: Option<&'a str>,
        }
        let wire = Wire {
            argv: &self.0.argv,
            input: self.0.input.as_deref(),
        };
        wire.serialize(serializer)
    }
}

impl Runbook {
    /// The same runbook with the commands that set its router by hand, for each step that moves
    /// traffic: what `commands` gives for the step's split, such as what a bound
    /// [`Adapter::commands`] gives, in place of those with names in capitals.
    ///
    /// # Errors
    /// See [`Typed::new`].
    pub fn with_commands(
        mut self,
        plan: &Plan,
        commands: impl Fn(Split) -> Vec<Command>,
    ) -> Result<Runbook, String> {
        for (page, step) in self.steps.iter_mut().zip(&plan.steps) {
            if let Action::Shift { split } = step.action {
                page.by_hand = by_hand(&page.id, commands(split))?;
            }
        }
        Ok(self)
    }
}

fn by_hand(step: &str, commands: Vec<Command>) -> Result<Option<ByHand>, String> {
    if commands.is_empty() {
        return Ok(None);
    }
    let typed: Result<Vec<Typed>, String> = commands.into_iter().map(Typed::new).collect();
    let commands = typed?;
    let shown: Vec<String> = commands.iter().map(|it| it.0.to_string()).collect();
    Ok(Some(ByHand {
        id: format!("{step}/by-hand"),
        commands,
        shown: shown.join("\n"),
    }))
}

/// The commands of a step that moves traffic, with names in capitals for what no plan knows: where
/// the router is reached, and what its parts are called. Absent for routers whose change is a file
/// with the instances' addresses in it, which nobody knows before they run.
pub(crate) fn of_step(
    plan: &Plan,
    digest: Option<Digest>,
    id: &str,
    action: &Action,
) -> Option<ByHand> {
    let Action::Shift { split } = action else {
        return None;
    };
    let dialect = Dialect::by_name(plan.target.router.as_deref()?)?;
    let router = unbound(dialect)?;
    let pool = |arm: &str, address: &str| {
        Vec::from([Backend {
            id: arm.to_string(),
            address: address.to_string(),
        }])
    };
    let desired = Desired {
        split: *split,
        pools: Pools {
            stable: pool(STABLE, "127.0.0.1:1"),
            canary: pool(CANARY, "127.0.0.1:2"),
        },
        plan: digest?,
        fence: Fence {
            epoch: 0,
            generation: 0,
        },
    };
    let mut commands = router.commands(&desired).ok()?;
    commands.extend(router.read_commands());
    // Which servers are in which pool is as it was: only the share is set.
    commands.retain(|command| {
        let input = command.input.as_deref().unwrap_or_default();
        let asks = command.argv.last().map_or("", String::as_str);
        let of_servers = ["set server ", "show servers ", "show stat ", "show info"];
        let of_clusters = ["/clusters?", "/stats?"];
        !of_servers.iter().any(|other| input.starts_with(other))
            && !of_clusters.iter().any(|other| asks.contains(other))
    });
    by_hand(id, commands).ok().flatten()
}

fn unbound(dialect: Dialect) -> Option<alloc::boxed::Box<dyn Adapter>> {
    let text = |name: &str| name.to_string();
    Some(match dialect {
        Dialect::Haproxy => {
            let config = haproxy::Config {
                socket: text("/RUNTIME-SOCKET"),
                layout: haproxy::Layout::Map {
                    stable: text(STABLE),
                    canary: text(CANARY),
                    file: text("/MAP-FILE"),
                    key: text("KEY"),
                },
                slots: Vec::from([(Arm::Stable, STABLE), (Arm::Canary, CANARY)].map(
                    |(arm, name)| haproxy::Slot {
                        arm,
                        id: text(name),
                        server: text(name),
                    },
                )),
                sets_addresses: false,
            };
            alloc::boxed::Box::new(haproxy::Haproxy::new(config).ok()?)
        }
        Dialect::Envoy => {
            let config = envoy::Config {
                admin: text("http://ADMIN-HOST:9901"),
                stable: text(STABLE),
                canary: text(CANARY),
                share: envoy::Layout::Runtime {
                    prefix: text("KEY-PREFIX"),
                    closed: Some(text("CLOSED-KEY")),
                },
                endpoints: None,
            };
            alloc::boxed::Box::new(envoy::Envoy::new(config).ok()?)
        }
        Dialect::GatewayApi => {
            let service = |name: &str| gateway_api::Service {
                name: text(name),
                port: 80,
            };
            let config = gateway_api::Config {
                api: text("http://API-HOST:8001"),
                namespace: text("NAMESPACE"),
                name: text("ROUTE"),
                gateway: text("GATEWAY"),
                hostnames: Vec::new(),
                stable: service(STABLE),
                canary: service(CANARY),
                header: None,
                mirror: false,
            };
            alloc::boxed::Box::new(gateway_api::GatewayApi::new(config).ok()?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;

    use nonevent_router::{Command, Dialect};

    use super::{Typed, unbound};

    #[test]
    fn only_what_can_be_typed_is_a_command() {
        assert!(Typed::new(Command::new(["nginx", "-s", "re load"])).is_ok());
        let cases: [&[&str]; 4] = [&[], &["", "a"], &["a", "b\nc"], &["a", "b\0"]];
        for words in cases {
            let command = Command::new(words.iter().copied());
            assert!(Typed::new(command).is_err(), "{words:?}");
        }
        let input = Command::new(["tee"]).reading("a\0");
        assert!(Typed::new(input).is_err());
    }

    #[test]
    fn the_names_in_capitals_are_names_to_the_dialects() {
        let bound: Vec<String> = Dialect::ALL
            .into_iter()
            .filter(|dialect| unbound(*dialect).is_some())
            .map(|dialect| String::from(dialect.name()))
            .collect();
        assert_eq!(bound, ["haproxy", "envoy", "gateway-api"]);
    }
}
