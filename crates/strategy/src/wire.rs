//! What a deployment document looks like on disk, `nonevent/v1`.

use alloc::string::String;
use alloc::vec::Vec;

use nonevent_analysis::Policy;
use nonevent_document::{DurationMs, Percent};
use serde::Deserialize;

use crate::deployment::{
    AnalysisSettings, BlueGreen, Canary, CanaryStep, ConnectionPolicy, CountOrPercent, Deployment,
    Downtime, Fleet, Recreate, Release, RollbackSettings, Rolling, SmokeSettings, Strategy,
};

/// The version of the format.
pub(crate) const API_VERSION: &str = "nonevent/v1";
/// The format's name.
pub(crate) const KIND: &str = "Deployment";

const MINUTE_MS: u64 = 60_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) struct DeploymentWire {
    #[serde(rename = "apiVersion")]
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) service: String,
    pub(crate) environment: String,
    pub(crate) release: Release,
    #[serde(default)]
    owner: Option<String>,
    fleet: FleetWire,
    pub(crate) strategy: StrategyWire,
    #[serde(default)]
    analysis: Option<AnalysisWire>,
    #[serde(default)]
    smoke: SmokeWire,
    #[serde(default)]
    rollback: RollbackWire,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FleetWire {
    replicas: u32,
    #[serde(default)]
    min_healthy: Option<CountOrPercentWire>,
    #[serde(default)]
    spare: u32,
    #[serde(default)]
    warm_up: Option<DurationMs>,
    #[serde(default)]
    ready_within: Option<DurationMs>,
    #[serde(default)]
    drain: Option<DurationMs>,
    #[serde(default)]
    connections: Option<ConnectionPolicy>,
    #[serde(default)]
    requests_per_second: Option<u32>,
}

/// `3` or `25%`.
#[derive(Clone, Copy, Debug)]
struct CountOrPercentWire(CountOrPercent);

impl<'de> Deserialize<'de> for CountOrPercentWire {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = CountOrPercentWire;
            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("a number of instances such as 1, or a share such as 25%")
            }
            fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Self::Value, E> {
                u32::try_from(value)
                    .map(|count| CountOrPercentWire(CountOrPercent::Count(count)))
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Unsigned(value), &self))
            }
            fn visit_i64<E: serde::de::Error>(self, value: i64) -> Result<Self::Value, E> {
                match u64::try_from(value) {
                    Ok(value) => self.visit_u64(value),
                    Err(_) => Err(E::invalid_value(
                        serde::de::Unexpected::Signed(value),
                        &self,
                    )),
                }
            }
            fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Self::Value, E> {
                use serde::de::IntoDeserializer as _;
                let text: serde::de::value::StrDeserializer<'_, E> = value.into_deserializer();
                Percent::deserialize(text)
                    .map(|percent| CountOrPercentWire(CountOrPercent::Percent(percent)))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StrategyWire {
    #[serde(default)]
    canary: Option<CanaryWire>,
    #[serde(default, alias = "blue-green")]
    blue_green: Option<BlueGreenWire>,
    #[serde(default)]
    rolling: Option<RollingWire>,
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
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CanaryWire {
    #[serde(default)]
    steps: Option<Vec<CanaryStepWire>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CanaryStepWire {
    traffic: Percent,
    pause: DurationMs,
    #[serde(default)]
    replicas: Option<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BlueGreenWire {
    #[serde(default)]
    bake: Option<DurationMs>,
    #[serde(default)]
    scale_down_delay: Option<DurationMs>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RollingWire {
    #[serde(default)]
    max_surge: Option<CountOrPercentWire>,
    #[serde(default)]
    max_unavailable: Option<CountOrPercentWire>,
    #[serde(default)]
    pause: Option<DurationMs>,
    #[serde(default)]
    watch: Option<DurationMs>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecreateWire {
    downtime: DowntimeWire,
    #[serde(default)]
    watch: Option<DurationMs>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DowntimeWire {
    at_most: DurationMs,
    accepted_by: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnalysisWire {
    every: DurationMs,
    #[serde(default)]
    warm_up: Option<DurationMs>,
    /// What is allowed, in the language of bounds; replaces the policy's own bounds.
    #[serde(default)]
    bounds: Option<String>,
    #[serde(default)]
    policy: Policy,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SmokeWire {
    #[serde(default)]
    before: Option<String>,
    #[serde(default)]
    canary: Option<String>,
    #[serde(default)]
    after: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RollbackWire {
    #[serde(default)]
    within: Option<DurationMs>,
    #[serde(default)]
    keep: Option<u32>,
}

fn or_ms(duration: Option<DurationMs>, default_ms: u64) -> u64 {
    duration.map_or(default_ms, |duration| duration.0)
}

/// The default ramp: 5 % for 5 min, 25 % for 10 min, 50 % for 10 min, 100 % with a 30 min bake.
fn default_ramp() -> Vec<CanaryStep> {
    [(500, 5), (2500, 10), (5000, 10), (10_000, 30)]
        .into_iter()
        .map(|(basis_points, minutes)| CanaryStep {
            traffic: Percent::from_basis_points(basis_points)
                .expect("the default ramp has shares of at most 100 %"),
            pause_ms: minutes * MINUTE_MS,
            replicas: None,
        })
        .collect()
}

impl DeploymentWire {
    /// The document with every default filled in; `None` unless exactly one strategy is named.
    /// The text of the analysis's bounds, and the policy that they belong to.
    pub(crate) fn bounds(&mut self) -> Option<(String, &mut Policy)> {
        let analysis = self.analysis.as_mut()?;
        Some((analysis.bounds.take()?, &mut analysis.policy))
    }

    pub(crate) fn into_deployment(self) -> Option<Deployment> {
        if self.strategy.named() != 1 {
            return None;
        }
        let strategy = self.strategy.into_strategy()?;
        let rollback_default_ms = match strategy {
            Strategy::Canary(_) | Strategy::BlueGreen(_) => 5 * MINUTE_MS,
            Strategy::Rolling(_) => 10 * MINUTE_MS,
            Strategy::Recreate(_) => 15 * MINUTE_MS,
        };
        let keep_default = match strategy {
            Strategy::Canary(_) | Strategy::BlueGreen(_) => 1,
            Strategy::Rolling(_) | Strategy::Recreate(_) => 0,
        };
        Some(Deployment {
            service: self.service,
            environment: self.environment,
            release: self.release,
            owner: self.owner,
            fleet: self.fleet.into_fleet(),
            strategy,
            analysis: self.analysis.map(|analysis| AnalysisSettings {
                every_ms: analysis.every.0,
                warm_up_ms: or_ms(analysis.warm_up, 0),
                policy: analysis.policy,
            }),
            smoke: SmokeSettings {
                before: self.smoke.before,
                canary: self.smoke.canary,
                after: self.smoke.after,
            },
            rollback: RollbackSettings {
                within_ms: or_ms(self.rollback.within, rollback_default_ms),
                keep: self.rollback.keep.unwrap_or(keep_default),
            },
        })
    }
}

impl FleetWire {
    fn into_fleet(self) -> Fleet {
        Fleet {
            replicas: self.replicas,
            min_healthy: self
                .min_healthy
                .map_or(CountOrPercent::Count(self.replicas), |wire| wire.0),
            spare: self.spare,
            warm_up_ms: or_ms(self.warm_up, 0),
            ready_within_ms: or_ms(self.ready_within, MINUTE_MS),
            drain_ms: or_ms(self.drain, 30_000),
            connections: self.connections.unwrap_or(ConnectionPolicy::CloseAfter),
            requests_per_second: self.requests_per_second,
        }
    }
}

impl StrategyWire {
    fn into_strategy(self) -> Option<Strategy> {
        if let Some(canary) = self.canary {
            let steps = match canary.steps {
                None => default_ramp(),
                Some(steps) => steps
                    .into_iter()
                    .map(|step| CanaryStep {
                        traffic: step.traffic,
                        pause_ms: step.pause.0,
                        replicas: step.replicas,
                    })
                    .collect(),
            };
            return Some(Strategy::Canary(Canary { steps }));
        }
        if let Some(blue_green) = self.blue_green {
            return Some(Strategy::BlueGreen(BlueGreen {
                bake_ms: or_ms(blue_green.bake, 15 * MINUTE_MS),
                scale_down_delay_ms: or_ms(blue_green.scale_down_delay, 60 * MINUTE_MS),
            }));
        }
        if let Some(rolling) = self.rolling {
            let count = |wire: Option<CountOrPercentWire>, default| {
                wire.map_or(CountOrPercent::Count(default), |wire| wire.0)
            };
            return Some(Strategy::Rolling(Rolling {
                max_surge: count(rolling.max_surge, 1),
                max_unavailable: count(rolling.max_unavailable, 0),
                pause_ms: or_ms(rolling.pause, 0),
                watch_ms: or_ms(rolling.watch, 15 * MINUTE_MS),
            }));
        }
        self.recreate.map(|recreate| {
            Strategy::Recreate(Recreate {
                downtime: Downtime {
                    at_most_ms: recreate.downtime.at_most.0,
                    accepted_by: recreate.downtime.accepted_by,
                },
                watch_ms: or_ms(recreate.watch, 15 * MINUTE_MS),
            })
        })
    }
}

impl Deployment {
    /// The document that a strategy's name alone stands for: the default figures of the field,
    /// three replicas, and named blanks (`<service>`) for what only the reader knows.
    #[must_use]
    pub fn default_for(kind: crate::StrategyKind) -> Deployment {
        let strategy = match kind {
            crate::StrategyKind::Canary => Strategy::Canary(Canary {
                steps: default_ramp(),
            }),
            crate::StrategyKind::BlueGreen => Strategy::BlueGreen(BlueGreen {
                bake_ms: 15 * MINUTE_MS,
                scale_down_delay_ms: 60 * MINUTE_MS,
            }),
            crate::StrategyKind::Rolling => Strategy::Rolling(Rolling {
                max_surge: CountOrPercent::Count(1),
                max_unavailable: CountOrPercent::Count(0),
                pause_ms: 0,
                watch_ms: 15 * MINUTE_MS,
            }),
            crate::StrategyKind::Recreate => Strategy::Recreate(Recreate {
                downtime: Downtime {
                    at_most_ms: 15 * MINUTE_MS,
                    accepted_by: String::from("<who accepts the downtime>"),
                },
                watch_ms: 15 * MINUTE_MS,
            }),
        };
        let recreate = kind == crate::StrategyKind::Recreate;
        let (spare, minutes, keep) = match kind {
            crate::StrategyKind::Canary => (3, 5, 1),
            crate::StrategyKind::BlueGreen => (3, 5, 1),
            crate::StrategyKind::Rolling => (1, 10, 0),
            crate::StrategyKind::Recreate => (0, 15, 0),
        };
        Deployment {
            service: String::from("<service>"),
            environment: String::from(if recreate { "staging" } else { "<environment>" }),
            release: Release {
                from: String::from("<previous>"),
                to: String::from("<release>"),
            },
            owner: None,
            fleet: Fleet {
                replicas: 3,
                min_healthy: CountOrPercent::Count(3),
                spare,
                warm_up_ms: 0,
                ready_within_ms: MINUTE_MS,
                drain_ms: 30_000,
                connections: ConnectionPolicy::CloseAfter,
                requests_per_second: None,
            },
            strategy,
            analysis: (!recreate).then(|| AnalysisSettings {
                every_ms: MINUTE_MS,
                warm_up_ms: 30_000,
                policy: Policy::default(),
            }),
            smoke: SmokeSettings::default(),
            rollback: RollbackSettings {
                within_ms: minutes * MINUTE_MS,
                keep,
            },
        }
    }
}
