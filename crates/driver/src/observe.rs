//! What is there, asked of those who know it and of no file.

use nonevent_router::Arm;
use nonevent_strategy::FleetState;

use crate::error::{DriverError, DriverErrorKind};
use crate::router_client::{Router as _, RouterClient};
use crate::site::Binding;
use crate::state_dir::StateDir;

/// The fleet as the router of a state folder has it: the instances that it sends requests to, and how
/// it divides them. An instance that is in no pool is not seen.
///
/// # Errors
/// No rollout is known in the folder, or its router does not answer.
pub async fn observe(state: &StateDir) -> Result<FleetState, DriverError> {
    let binding = Binding::load(state)?;
    let router = RouterClient::new(&binding.router.control);
    let snapshot = router.read().await.map_err(|error| {
        DriverError::new(
            DriverErrorKind::Start,
            format!("the fleet cannot be seen: {error}"),
        )
    })?;
    let count = |arm| u32::try_from(snapshot.pools.of(arm).len()).unwrap_or(u32::MAX);
    Ok(FleetState {
        stable: count(Arm::Stable),
        canary: count(Arm::Canary),
        split: Some(snapshot.split),
        stable_version: None,
        canary_version: None,
    })
}
