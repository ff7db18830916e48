//! The peers, each made from the text of a definition.

use chrono::{DateTime, Utc};
use eppo_core::ufc::UniversalFlagConfig;
use eppo_core::{Configuration, SdkMetadata};
use launchdarkly_server_sdk_evaluation as ld;
use nonevent_flags::{Dialect, FlagSet};
use serde::Deserialize;
use std::collections::HashMap;
use unleash_yggdrasil::{ClientFeatures, EngineState, EvalWarning, UpdateMessage};

/// Our engine with these flags.
pub(crate) fn ours(definition: &str, dialect: Dialect) -> FlagSet {
    match FlagSet::load("flags.json", definition.as_bytes(), dialect) {
        Ok(loaded) => loaded.set,
        Err(findings) => panic!("our engine does not read {definition}: {findings}"),
    }
}

/// Yggdrasil with these features, and what it warns of.
pub(crate) fn yggdrasil(definition: &str) -> Option<(EngineState, Vec<EvalWarning>)> {
    let features: ClientFeatures = serde_json::from_str(definition).ok()?;
    let engine = EngineState::default();
    let warnings = engine.take_state(UpdateMessage::FullResponse(features));
    Some((engine, warnings.unwrap_or_default()))
}

/// Eppo's core with these flags.
pub(crate) fn eppo(definition: &str) -> Option<Configuration> {
    let sdk = SdkMetadata {
        name: "peers",
        version: "0",
    };
    let flags = UniversalFlagConfig::from_json(sdk, definition.as_bytes().to_vec()).ok()?;
    Some(Configuration::from_server_response(flags, None))
}

/// What LaunchDarkly's evaluation asks for flags and segments.
#[derive(Deserialize)]
pub(crate) struct LaunchDarklyStore {
    pub(crate) flags: HashMap<String, ld::Flag>,
    #[serde(default)]
    pub(crate) segments: HashMap<String, ld::Segment>,
}

impl ld::Store for LaunchDarklyStore {
    fn flag(&self, key: &str) -> Option<ld::Flag> {
        self.flags.get(key).cloned()
    }

    fn segment(&self, key: &str) -> Option<ld::Segment> {
        self.segments.get(key).cloned()
    }
}

/// The time of this many milliseconds since 1970, as peers have it.
pub(crate) fn chrono_time(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).unwrap_or_default()
}
