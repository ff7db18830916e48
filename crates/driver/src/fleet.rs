//! The instances of both versions: the trait that the workflow uses, and what a fleet reports.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use nonevent_router::{Arm, Backend, Pools};
use serde::{Deserialize, Serialize};

/// The name of an instance within its fleet, written `stable-1` or `canary-3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceId {
    /// The version that it runs.
    pub arm: Arm,
    /// Its number among the instances of that version, from 1.
    pub number: u32,
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}-{}", self.arm, self.number))
    }
}

/// A text is not the name of an instance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an instance is written `stable-1` or `canary-1`, with a number from 1")]
pub struct InstanceIdError(());

impl FromStr for InstanceId {
    type Err = InstanceIdError;

    fn from_str(text: &str) -> Result<InstanceId, InstanceIdError> {
        let (arm, number) = text.split_once('-').ok_or(InstanceIdError(()))?;
        let arm = match arm {
            "stable" => Arm::Stable,
            "canary" => Arm::Canary,
            _ => return Err(InstanceIdError(())),
        };
        // One way to write a number, so that two names never mean one instance.
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        match number.parse() {
            Ok(number @ 1..) if digits && !text.contains("-0") => Ok(InstanceId { arm, number }),
            _ => Err(InstanceIdError(())),
        }
    }
}

impl TryFrom<String> for InstanceId {
    type Error = InstanceIdError;

    fn try_from(text: String) -> Result<InstanceId, InstanceIdError> {
        text.parse()
    }
}

impl From<InstanceId> for String {
    fn from(id: InstanceId) -> String {
        id.to_string()
    }
}

/// How an instance is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstanceState {
    /// It runs and has not yet been found well.
    Starting {
        /// What the last probe found; `None` before the first, and while successes are counted.
        why: Option<String>,
    },
    /// It runs and is well.
    Ready,
    /// It runs, was well, and is not, or is being stopped.
    Unready {
        /// What is wrong.
        why: String,
    },
    /// It has ended without having been stopped.
    Exited {
        /// How it ended, as far as is known.
        why: String,
    },
}

/// One instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name.
    pub id: InstanceId,
    /// Where it answers.
    pub address: SocketAddr,
    /// The number of its process.
    pub pid: u32,
    /// The label of the version it runs.
    pub version: String,
    /// How it is.
    pub state: InstanceState,
    /// Since when it has been so, in milliseconds since the Unix epoch.
    pub since_unix_ms: i64,
    /// Where its output goes.
    pub log: PathBuf,
}

impl Instance {
    /// Whether it may get requests.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.state == InstanceState::Ready
    }

    /// Whether its process has ended.
    #[must_use]
    pub fn has_exited(&self) -> bool {
        matches!(self.state, InstanceState::Exited { .. })
    }
}

/// A fleet at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FleetState {
    /// Every instance, in the order of their names; those that ended too, until they are
    /// forgotten or replaced.
    pub instances: Vec<Instance>,
}

impl FleetState {
    /// The instances of one arm.
    pub fn of(&self, arm: Arm) -> impl Iterator<Item = &Instance> {
        self.instances
            .iter()
            .filter(move |instance| instance.id.arm == arm)
    }

    /// How many instances of an arm are ready.
    #[must_use]
    pub fn ready(&self, arm: Arm) -> usize {
        self.of(arm).filter(|instance| instance.is_ready()).count()
    }

    /// What a router may be given: the ready instances of both arms.
    #[must_use]
    pub fn ready_pools(&self) -> Pools {
        let pool = |arm| {
            let ready = self.of(arm).filter(|instance| instance.is_ready());
            ready
                .map(|instance| Backend {
                    id: instance.id.to_string(),
                    address: instance.address.to_string(),
                })
                .collect()
        };
        Pools {
            stable: pool(Arm::Stable),
            canary: pool(Arm::Canary),
        }
    }
}

/// What a fleet could not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FleetErrorKind {
    /// The configuration cannot be used.
    Config,
    /// A program could not be started.
    Start,
    /// A process could not be ended.
    Stop,
    /// The fleet's folder could not be read or written.
    Storage,
    /// The system does not tell about processes.
    System,
}

/// A fleet could not do what it was asked.
#[derive(Debug)]
pub struct FleetError {
    kind: FleetErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl FleetError {
    /// An error with a message that says where, what and what to do.
    pub fn new(kind: FleetErrorKind, message: impl Into<String>) -> FleetError {
        FleetError {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// The same error with its cause.
    #[must_use]
    pub fn caused_by(
        self,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> FleetError {
        FleetError {
            source: Some(source.into()),
            ..self
        }
    }

    /// What it could not do.
    #[must_use]
    pub const fn kind(&self) -> FleetErrorKind {
        self.kind
    }
}

impl fmt::Display for FleetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for FleetError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

/// What scaling has done and has left to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Scaled {
    /// The instances that were started.
    pub started: Vec<InstanceId>,
    /// The instances that are too many, in the order in which they shall go. They run on: drain
    /// them, then [`Fleet::stop`] them.
    pub surplus: Vec<InstanceId>,
}

/// Instances that can be started, watched and stopped.
pub trait Fleet: Send + Sync {
    /// Sees to it that an arm has at least `count` running instances, starting those that are
    /// missing under the lowest free numbers; one that has exited is replaced. Absolute: asking
    /// again for the same changes nothing. Nothing is stopped: what is too many is returned, as
    /// by [`Fleet::surplus`].
    ///
    /// # Errors
    ///
    /// One could not be started; those before it run.
    fn scale(
        &self,
        arm: Arm,
        count: u32,
    ) -> impl Future<Output = Result<Scaled, FleetError>> + Send;

    /// The running instances of an arm beyond `count`, in the order in which they shall go: those
    /// that are not ready first, then the highest number.
    ///
    /// # Errors
    ///
    /// The fleet cannot be asked.
    fn surplus(
        &self,
        arm: Arm,
        count: u32,
    ) -> impl Future<Output = Result<Vec<InstanceId>, FleetError>> + Send;

    /// Ends an instance, politely for `grace_ms`, and forgets it. One that is not there is a
    /// success.
    ///
    /// # Errors
    ///
    /// It does not end.
    fn stop(
        &self,
        id: InstanceId,
        grace_ms: u64,
    ) -> impl Future<Output = Result<(), FleetError>> + Send;

    /// Forgets an instance that has exited. One that runs, or is not there, is left alone.
    ///
    /// # Errors
    ///
    /// The fleet cannot be asked.
    fn forget(&self, id: InstanceId) -> impl Future<Output = Result<(), FleetError>> + Send;

    /// How the instances are now.
    ///
    /// # Errors
    ///
    /// The fleet cannot be asked.
    fn observe(&self) -> impl Future<Output = Result<FleetState, FleetError>> + Send;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn there_is_one_way_to_write_a_name() {
        for bad in [
            "",
            "stable",
            "stable-",
            "stable-0",
            "stable-01",
            "stable-+1",
            "Stable-1",
            "green-1",
            "stable-1 ",
            "stable-99999999999",
            "router",
        ] {
            assert!(bad.parse::<InstanceId>().is_err(), "{bad}");
        }
        assert_eq!(
            "canary-10".parse::<InstanceId>().unwrap().to_string(),
            "canary-10"
        );
    }

    proptest! {
        #[test]
        fn a_name_is_read_back(canary in any::<bool>(), number in 1u32..) {
            let arm = if canary { Arm::Canary } else { Arm::Stable };
            let id = InstanceId { arm, number };
            prop_assert_eq!(id.to_string().parse::<InstanceId>(), Ok(id));
            let json = serde_json::to_string(&id).unwrap();
            prop_assert_eq!(serde_json::from_str::<InstanceId>(&json).unwrap(), id);
        }
    }
}
