//! The four strategies on disk.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use nonevent_document::{DurationMs, Percent};
use serde::de::IntoDeserializer;
use serde::{Deserialize, Deserializer};

use super::quantity::{CountOrPercentWire, MINUTE_MS, or_ms};
use crate::deployment::{
    BlueGreen, Canary, CanaryScale, CanaryStep, CountOrPercent, Downtime, Judged, Match, Mirror,
    OnFailure, Partition, Recreate, Rolling, SplitBy, Strategy, StrategyKind, SwitchStage, Wave,
};

/// Requests that a user makes while a step lasts, unless the document says.
const REQUESTS_PER_USER: u32 = 50;

/// How the new version takes over; one of these.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(crate) struct StrategyWire {
    /// Traffic in steps, watched between them.
    #[serde(default)]
    canary: Option<CanaryWire>,
    /// Two whole environments, all traffic switched at once.
    #[serde(default, alias = "blue-green")]
    blue_green: Option<BlueGreenWire>,
    /// Instances replaced a few at a time.
    #[serde(default)]
    rolling: Option<RollingWire>,
    /// Stop the old, start the new.
    #[serde(default)]
    recreate: Option<RecreateWire>,
}

impl StrategyWire {
    /// How many strategies are named; must be one.
    pub(crate) fn named(&self) -> usize {
        usize::from(self.canary.is_some())
            + usize::from(self.blue_green.is_some())
            + usize::from(self.rolling.is_some())
            + usize::from(self.recreate.is_some())
    }

    /// Whether a rolling update is divided by zones and by waves.
    pub(crate) fn divided_twice(&self) -> bool {
        let rolling = self.rolling.as_ref();
        rolling.is_some_and(|it| it.by_zone.is_some() && !it.waves.is_empty())
    }

    pub(super) fn into_strategy(self) -> Option<Strategy> {
        if self.named() != 1 {
            return None;
        }
        let canary = self.canary.map(|it| Strategy::Canary(it.into_canary()));
        let blue_green = || Some(Strategy::BlueGreen(self.blue_green?.into_blue_green()));
        let rolling = || Some(Strategy::Rolling(self.rolling?.into_rolling()));
        let recreate = || Some(Strategy::Recreate(self.recreate?.into_recreate()));
        canary
            .or_else(blue_green)
            .or_else(rolling)
            .or_else(recreate)
    }
}

/// Traffic in steps.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct CanaryWire {
    /// The steps; default 5 % for 5 min, 25 % for 10 min, 50 % for 10 min, 100 % with 30 min.
    #[serde(default)]
    steps: Option<Vec<CanaryStepWire>>,
    /// What stays with one version; default `request`.
    #[serde(default)]
    split_by: Option<SplitBy>,
    /// Requests that a user makes while a step lasts; default 50.
    #[serde(default)]
    requests_per_user: Option<u32>,
    /// Whether fresh instances of the stable version, as many as the canary has and with the same
    /// share of the traffic, are what it is compared with; default `false`.
    #[serde(default)]
    baseline: Option<bool>,
}

impl CanaryWire {
    fn into_canary(self) -> Canary {
        let steps = self
            .steps
            .map(|steps| steps.into_iter().map(CanaryStepWire::into_step).collect());
        Canary {
            steps: steps.unwrap_or_else(default_ramp),
            split_by: self.split_by.unwrap_or(SplitBy::Request),
            requests_per_user: self.requests_per_user.unwrap_or(REQUESTS_PER_USER),
            baseline: self.baseline.unwrap_or(false),
        }
    }
}

/// One step of a canary.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct CanaryStepWire {
    /// The canary's share of requests.
    traffic: Percent,
    /// How long to watch at that share.
    pause: DurationMs,
    /// Canary instances: a number, a share of the replicas, `match`, or `by_share`, where no router
    /// divides the traffic and stable gives up what the canary gets; default `match`.
    #[serde(default)]
    replicas: Option<ScaleWire>,
    /// Users who are sent to the canary besides.
    #[serde(default)]
    chosen: ChosenWire,
    /// Requests that are sent to the canary besides, their answers thrown away.
    #[serde(default)]
    mirror: Option<MirrorWire>,
    /// The approval, by name, without which the step does not begin.
    #[serde(default)]
    approval: Option<String>,
    /// The analysis, by name, or `none`; default the document's `analysis`, or `none` at a traffic
    /// of 0 %: it compares shares of traffic, and chosen users and copied requests are none.
    #[serde(default)]
    analysis: Option<String>,
    /// A smoke suite to run once the step's traffic flows.
    #[serde(default)]
    smoke: Option<String>,
}

impl CanaryStepWire {
    fn into_step(self) -> CanaryStep {
        CanaryStep {
            traffic: self.traffic,
            pause_ms: self.pause.0,
            scale: self.replicas.map_or(CanaryScale::Match, |wire| wire.0),
            chosen: self.chosen.into_matches(),
            mirror: self.mirror.map(|wire| wire.0),
            approval: self.approval,
            analysis: match self.analysis {
                None => Judged::Default,
                Some(name) if name == "none" => Judged::Unjudged,
                Some(name) => Judged::Named(name),
            },
            smoke: self.smoke,
        }
    }
}

/// Users by their requests' marks: any of these.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct ChosenWire {
    /// Request headers, name and whole value.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Cookies, name and whole value.
    #[serde(default)]
    cookies: BTreeMap<String, String>,
}

impl ChosenWire {
    fn into_matches(self) -> Vec<Match> {
        let header = |(name, value)| Match::Header { name, value };
        let cookie = |(name, value)| Match::Cookie { name, value };
        let headers = self.headers.into_iter().map(header);
        headers
            .chain(self.cookies.into_iter().map(cookie))
            .collect()
    }
}

/// `2`, `25%`, `match` or `by_share`.
#[derive(Clone, Copy, Debug)]
pub(super) struct ScaleWire(CanaryScale);

impl<'de> Deserialize<'de> for ScaleWire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl Visitor {
            fn own<'de, E: serde::de::Error>(
                value: impl IntoDeserializer<'de, E>,
            ) -> Result<ScaleWire, E> {
                let count = CountOrPercentWire::deserialize(value.into_deserializer())?;
                Ok(ScaleWire(CanaryScale::Own(count.0)))
            }
        }
        impl serde::de::Visitor<'_> for Visitor {
            type Value = ScaleWire;
            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(
                    "`match`, `by_share`, a number of instances such as 2, or a share such as 25%",
                )
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ScaleWire, E> {
                match text {
                    "match" => Ok(ScaleWire(CanaryScale::Match)),
                    "by_share" => Ok(ScaleWire(CanaryScale::ByShare)),
                    text => Visitor::own(text),
                }
            }
            fn visit_u64<E: serde::de::Error>(self, count: u64) -> Result<ScaleWire, E> {
                Visitor::own(count)
            }
            fn visit_i64<E: serde::de::Error>(self, count: i64) -> Result<ScaleWire, E> {
                Visitor::own(count)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// `10%`, or a share with what may be copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct MirrorWire(Mirror);

impl<'de> Deserialize<'de> for MirrorWire {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Long {
            share: Percent,
            #[serde(default)]
            unsafe_methods: bool,
        }
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Long;
            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("a share such as 10%, or `share` with `unsafe_methods`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Long, E> {
                let share =
                    Percent::deserialize(serde::de::value::StrDeserializer::<E>::new(text))?;
                Ok(Long {
                    share,
                    unsafe_methods: false,
                })
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, map: A) -> Result<Long, A::Error> {
                Long::deserialize(serde::de::value::MapAccessDeserializer::new(map))
            }
        }
        let long = deserializer.deserialize_any(Visitor)?;
        Ok(MirrorWire(Mirror {
            share: long.share,
            unsafe_methods: long.unsafe_methods,
        }))
    }
}

/// All traffic at once between two whole environments.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct BlueGreenWire {
    /// The approval, by name, without which traffic is not switched.
    #[serde(default)]
    approval: Option<String>,
    /// How long the preview is watched before the switch; default 0.
    #[serde(default)]
    preview: Option<DurationMs>,
    /// Shares of the traffic that are switched before all of it; default none.
    #[serde(default)]
    stages: Vec<SwitchStageWire>,
    /// How long to watch after the switch; default 15m.
    #[serde(default)]
    bake: Option<DurationMs>,
    /// How long the old environment is kept after the switch; default 1h.
    #[serde(default)]
    scale_down_delay: Option<DurationMs>,
}

/// A part of the traffic that is switched first.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct SwitchStageWire {
    /// The share of requests.
    traffic: Percent,
    /// How long to watch.
    pause: DurationMs,
}

impl BlueGreenWire {
    fn into_blue_green(self) -> BlueGreen {
        let stage = |it: SwitchStageWire| SwitchStage {
            traffic: it.traffic,
            pause_ms: it.pause.0,
        };
        BlueGreen {
            approval: self.approval,
            preview_ms: or_ms(self.preview, 0),
            stages: self.stages.into_iter().map(stage).collect(),
            bake_ms: or_ms(self.bake, 15 * MINUTE_MS),
            scale_down_delay_ms: or_ms(self.scale_down_delay, 60 * MINUTE_MS),
        }
    }
}

/// A few instances at a time.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RollingWire {
    /// Instances above the replicas; default 1.
    #[serde(default)]
    max_surge: Option<CountOrPercentWire>,
    /// Instances under the replicas; default 0.
    #[serde(default)]
    max_unavailable: Option<CountOrPercentWire>,
    /// How long to watch after each batch; default 0.
    #[serde(default)]
    pause: Option<DurationMs>,
    /// How long a new instance must have been ready before it counts; default 0.
    #[serde(default)]
    min_ready: Option<DurationMs>,
    /// A batch that is not available within this time has failed.
    #[serde(default)]
    progress_deadline: Option<DurationMs>,
    /// Zone by zone, with a pause after each.
    #[serde(default)]
    by_zone: Option<ByZoneWire>,
    /// Parts of the fleet that are replaced one after another.
    #[serde(default)]
    waves: Vec<WaveWire>,
    /// What is done when something fails; default `rollback`.
    #[serde(default)]
    on_failure: Option<OnFailure>,
    /// How long to watch at the end; default 15m.
    #[serde(default)]
    watch: Option<DurationMs>,
}

/// Zone by zone.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct ByZoneWire {
    /// How long to watch after each zone.
    pause: DurationMs,
}

/// A part of a fleet.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct WaveWire {
    /// New instances once the wave is done.
    upto: CountOrPercentWire,
    /// How long to watch after it.
    pause: DurationMs,
    /// The approval, by name, without which the next wave does not begin.
    #[serde(default)]
    approval: Option<String>,
}

impl RollingWire {
    fn into_rolling(self) -> Rolling {
        let count = |wire: Option<CountOrPercentWire>, default| {
            wire.map_or(CountOrPercent::Count(default), |wire| wire.0)
        };
        let wave = |it: WaveWire| Wave {
            upto: it.upto.0,
            pause_ms: it.pause.0,
            approval: it.approval,
        };
        let partition = match self.by_zone {
            Some(by_zone) => Partition::Zones {
                pause_ms: by_zone.pause.0,
            },
            None if self.waves.is_empty() => Partition::Whole,
            None => Partition::Waves(self.waves.into_iter().map(wave).collect()),
        };
        Rolling {
            max_surge: count(self.max_surge, 1),
            max_unavailable: count(self.max_unavailable, 0),
            pause_ms: or_ms(self.pause, 0),
            min_ready_ms: or_ms(self.min_ready, 0),
            progress_deadline_ms: self.progress_deadline.map(|it| it.0),
            partition,
            on_failure: self.on_failure.unwrap_or(OnFailure::Rollback),
            watch_ms: or_ms(self.watch, 15 * MINUTE_MS),
        }
    }
}

/// Stop the old, start the new.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct RecreateWire {
    /// The downtime that somebody accepted.
    downtime: DowntimeWire,
    /// How long to watch at the end; default 15m.
    #[serde(default)]
    watch: Option<DurationMs>,
}

/// A declared time without service.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct DowntimeWire {
    /// At most this long, one way.
    at_most: DurationMs,
    /// Who accepted it.
    accepted_by: String,
}

impl RecreateWire {
    fn into_recreate(self) -> Recreate {
        Recreate {
            downtime: Downtime {
                at_most_ms: self.downtime.at_most.0,
                accepted_by: self.downtime.accepted_by,
            },
            watch_ms: or_ms(self.watch, 15 * MINUTE_MS),
        }
    }
}

/// The default ramp: 5 % for 5 min, 25 % for 10 min, 50 % for 10 min, 100 % with a 30 min bake.
fn default_ramp() -> Vec<CanaryStep> {
    [(500, 5), (2500, 10), (5000, 10), (10_000, 30)]
        .into_iter()
        .map(|(basis_points, minutes)| {
            let traffic = Percent::from_basis_points(basis_points)
                .expect("the default ramp has shares of at most 100 %");
            CanaryStep::new(traffic, minutes * MINUTE_MS)
        })
        .collect()
}

/// A strategy with its default figures.
pub(super) fn default_strategy(kind: StrategyKind) -> Strategy {
    match kind {
        StrategyKind::Canary => Strategy::Canary(CanaryWire::default().into_canary()),
        StrategyKind::BlueGreen => Strategy::BlueGreen(BlueGreenWire::default().into_blue_green()),
        StrategyKind::Rolling => Strategy::Rolling(RollingWire::default().into_rolling()),
        StrategyKind::Recreate => Strategy::Recreate(Recreate {
            downtime: Downtime {
                at_most_ms: 15 * MINUTE_MS,
                accepted_by: String::from("<who accepts the downtime>"),
            },
            watch_ms: 15 * MINUTE_MS,
        }),
    }
}
