//! A dialect with its names filled in: from what is desired to operations, and back from replies.

use alloc::string::String;
use alloc::vec::Vec;

use crate::{
    Abilities, Command, Desired, Dialect, Observed, Operation, Reply, RouterError, Traffic,
};

/// A configured dialect. It opens nothing and keeps nothing: whoever uses it does the operations
/// in their order, hands each reply back, stops at the first error, and then reads back.
///
/// 1. [`read`](Adapter::read), and [`observe`](Adapter::observe) the replies: what is, and the mark.
/// 2. [`traffic`](Adapter::traffic): what will come of the change where the router is coarse.
/// 3. [`set`](Adapter::set), and [`acknowledge`](Adapter::acknowledge) each reply.
/// 4. Read back until [`Observed::shows`] says so: an acknowledgement is not an effect.
pub trait Adapter {
    /// Which dialect this is.
    fn dialect(&self) -> Dialect;

    /// What the router can do as it is configured here.
    fn abilities(&self) -> Abilities;

    /// How traffic will be divided if this is set: the rounding rule of each dialect, applied.
    ///
    /// # Errors
    ///
    /// As [`set`](Adapter::set).
    fn traffic(&self, desired: &Desired) -> Result<Traffic, RouterError>;

    /// What to do, in order. `mark` is the [`Observed::mark`] of the last reading; routers that
    /// compare refuse the change if they have been changed since, others ignore it.
    ///
    /// # Errors
    ///
    /// [`Refused`](crate::RouterErrorKind::Refused) if the router cannot do it, or an instance is unknown.
    fn set(&self, desired: &Desired, mark: Option<&str>) -> Result<Vec<Operation>, RouterError>;

    /// Judges the reply to one operation of [`set`](Adapter::set).
    ///
    /// # Errors
    ///
    /// [`Stale`](crate::RouterErrorKind::Stale) if the mark is outdated; otherwise what the
    /// router says is wrong.
    fn acknowledge(&self, operation: &Operation, reply: &Reply) -> Result<(), RouterError>;

    /// What to ask in order to learn what is; empty if the router cannot tell.
    fn read(&self) -> Vec<Operation>;

    /// Understands the replies to [`read`](Adapter::read), in the same order.
    ///
    /// # Errors
    ///
    /// [`Unreadable`](crate::RouterErrorKind::Unreadable) if a reply is missing or not what this
    /// router says; otherwise what the router says is wrong.
    fn observe(&self, replies: &[Reply]) -> Result<Observed, RouterError>;

    /// The same as [`set`](Adapter::set) by hand, for a runbook.
    ///
    /// # Errors
    ///
    /// As [`set`](Adapter::set).
    fn commands(&self, desired: &Desired) -> Result<Vec<Command>, RouterError> {
        let operations = self.set(desired, None)?;
        Ok(operations.iter().flat_map(Operation::commands).collect())
    }

    /// The same as [`read`](Adapter::read) by hand, for a runbook.
    fn read_commands(&self) -> Vec<Command> {
        self.read().iter().flat_map(Operation::commands).collect()
    }
}

/// A header whose presence sends a request to the canary whatever the split.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeaderRoute {
    /// The header's name: letters, digits and `-`.
    pub name: String,
    /// The value it must have: letters, digits, `_`, `.` and `-`.
    pub value: String,
}

impl HeaderRoute {
    pub(crate) fn check(&self) -> Result<(), RouterError> {
        crate::names::header(&self.name)?;
        crate::names::name("header value", &self.value)
    }
}
