//! One release: when it begins, what is wrong with it, and how people will take it.

use serde::{Deserialize, Serialize};

use super::chance::{Chance, float, whole};
use super::law::{HOUR_MS, Law};
use super::meter::Scene;

/// What is wrong with a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Nothing.
    None,
    /// More errors everywhere.
    Errors,
    /// Errors on one endpoint.
    Endpoint,
    /// Slower once it has been up for a while.
    Slow,
    /// It leaks.
    Leak,
    /// One instance is bad.
    Instance,
    /// Instances end by themselves.
    Crash,
    /// Nothing, but something that both versions call fails meanwhile.
    Dependency,
}

impl Fault {
    /// All of them, in the order in which they are reported.
    pub const ALL: [Fault; 8] = [
        Fault::None,
        Fault::Errors,
        Fault::Endpoint,
        Fault::Slow,
        Fault::Leak,
        Fault::Instance,
        Fault::Crash,
        Fault::Dependency,
    ];

    /// Whether the release should not reach users.
    #[must_use]
    pub const fn is_bad(self) -> bool {
        !matches!(self, Fault::None | Fault::Dependency)
    }

    /// The name that people read.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Fault::None => "none",
            Fault::Errors => "more errors",
            Fault::Endpoint => "errors on one endpoint",
            Fault::Slow => "slower after a while",
            Fault::Leak => "a leak",
            Fault::Instance => "one bad instance",
            Fault::Crash => "crashes",
            Fault::Dependency => "a dependency fails",
        }
    }
}

/// What the streams of chance are for.
pub(super) mod purpose {
    pub(in super::super) const RELEASE: u64 = 1;
    pub(in super::super) const PEOPLE: u64 = 2;
    pub(in super::super) const WORLD: u64 = 3;
    /// One for each step from here on.
    pub(in super::super) const ANALYSIS: u64 = 16;
    /// One for each time between the watches, from here on.
    pub(in super::super) const BETWEEN: u64 = 1 << 32;
}

/// One release, the same whatever the strategy.
#[derive(Clone, Debug)]
pub(super) struct Release {
    pub(super) starts_ms: i64,
    pub(super) fault: Fault,
    /// Traffic against what the hour says, in millionths.
    busy_ppm: u64,
    /// Its error rate without the fault.
    sound: f64,
    /// The share of its requests that fail besides, where the fault is in force.
    excess: f64,
    /// After the first request (crashes) or the beginning (a dependency).
    moment_ms: i64,
    /// Which instance is bad: its place among those that may be, from 0 to 1.
    place: f64,
    /// Harmed requests until people notice, and what they then take.
    pub(super) notice_after: u64,
    pub(super) reaction_ms: i64,
    pub(super) redeploy_ms: i64,
}

/// How the new version does at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Health {
    /// Share of requests that fail because of its fault.
    pub(super) excess: f64,
    /// Its latencies, in units of stable's.
    pub(super) slower: f64,
}

impl Release {
    pub(super) fn draw(law: &Law<'_>, seed: u64, number: u64) -> Release {
        let scenario = law.scenario;
        let (releases, people) = (&scenario.releases, &scenario.people);
        let chance = &mut Chance::of(seed, number, purpose::RELEASE);
        let day = number / u64::from(releases.per_day.max(1));
        let hours = u64::from(releases.to_hour.saturating_sub(releases.from_hour));
        let within_ms = chance.below(hours * HOUR_MS.unsigned_abs());
        let starts_ms =
            (day * 24 + u64::from(releases.from_hour)) * HOUR_MS.unsigned_abs() + within_ms;
        let mut around_one = |percent: u16| {
            let spread = f64::from(percent) / 100.0;
            if percent == 0 {
                return 1.0;
            }
            let shape = 1.0 / (spread * spread);
            chance.gamma(shape) / shape
        };
        let busy = around_one(scenario.traffic.variation_percent);
        let ordinary = around_one(releases.ordinary_variation_percent);
        let sound = (f64::from(scenario.service.error_rate_ppm) / 1e6 * ordinary).min(0.9);
        let fault = fault(law, chance);
        // The same number of draws whatever the fault, so that the streams stay side by side.
        let (size, moment, place) = (chance.uniform(), chance.uniform(), chance.uniform());
        let within = |ms: u64| i64::try_from(whole(moment * float(ms))).unwrap_or(i64::MAX / 4);
        let chance = &mut Chance::of(seed, number, purpose::PEOPLE);
        let time = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX / 4);
        Release {
            starts_ms: time(starts_ms),
            fault,
            busy_ppm: whole(busy * 1e6),
            sound,
            excess: excess(law, fault, sound, size),
            moment_ms: match fault {
                Fault::Crash => within(releases.crash.within_ms),
                Fault::Slow => time(releases.slow.after_ms),
                _ => within(releases.dependency.within_ms),
            },
            place,
            notice_after: chance.skewed(
                people.notice_after_requests_median,
                people.notice_after_requests_p95,
            ),
            reaction_ms: time(chance.skewed(people.reaction_median_ms, people.reaction_p95_ms)),
            redeploy_ms: time(chance.skewed(people.redeploy_median_ms, people.redeploy_p95_ms)),
        }
    }

    /// Requests per 1000 seconds.
    pub(super) fn requests_per_ks(&self, law: &Law<'_>, at_ms: i64) -> u64 {
        law.requests_per_ks(at_ms).saturating_mul(self.busy_ppm) / 1_000_000
    }

    /// The share of requests that fail at stable and at the canary, whose fault is as `health` says.
    pub(super) fn error_rates(&self, law: &Law<'_>, health: Health, at_ms: i64) -> [f64; 2] {
        let dependency = &law.scenario.releases.dependency;
        let normal = f64::from(law.scenario.service.error_rate_ppm) / 1e6;
        let from_ms = self.starts_ms + self.moment_ms;
        let until_ms = from_ms.saturating_add_unsigned(dependency.for_ms);
        let both = match self.fault {
            Fault::Dependency if (from_ms..until_ms).contains(&at_ms) => {
                f64::from(dependency.error_rate_ppm) / 1e6
            }
            _ => 0.0,
        };
        [normal + both, self.sound + both + health.excess].map(|rate| rate.min(0.99))
    }

    /// How the new version does so long after its first request.
    pub(super) fn health(&self, law: &Law<'_>, age_ms: i64, scene: Scene) -> Health {
        let releases = &law.scenario.releases;
        let well = Health {
            excess: 0.0,
            slower: 1.0,
        };
        match self.fault {
            Fault::None | Fault::Dependency => well,
            Fault::Errors | Fault::Endpoint => Health {
                excess: self.excess,
                ..well
            },
            Fault::Crash if age_ms < self.moment_ms => well,
            Fault::Crash => Health {
                excess: self.excess,
                ..well
            },
            Fault::Slow if age_ms < self.moment_ms => well,
            Fault::Slow => Health {
                slower: f64::from(releases.slow.latency_percent) / 100.0,
                ..well
            },
            Fault::Leak => {
                let age = float(age_ms.max(0).unsigned_abs());
                let part = (age / float(releases.leak.worst_after_ms.max(1))).min(1.0);
                Health {
                    excess: part * self.excess,
                    slower: 1.0 + part * (f64::from(releases.leak.latency_percent) / 100.0 - 1.0),
                }
            }
            Fault::Instance => {
                let (count, fleet) = (u64::from(scene.canary), u64::from(scene.replicas));
                let one_of = u64::from(releases.instance.one_of).min(fleet).max(1);
                let rank = whole(self.place * float(one_of));
                let bad = (count + one_of).saturating_sub(rank + 1) / one_of;
                Health {
                    excess: self.excess * float(bad) / float(count.max(1)),
                    ..well
                }
            }
        }
    }

    /// The age of the new version at which its health changes at once.
    pub(super) const fn turns_at_age_ms(&self) -> Option<i64> {
        match self.fault {
            Fault::Slow | Fault::Crash => Some(self.moment_ms),
            _ => None,
        }
    }
}

fn fault(law: &Law<'_>, chance: &mut Chance) -> Fault {
    let releases = &law.scenario.releases;
    let shares = [
        (releases.errors.basis_points, Fault::Errors),
        (releases.endpoint.basis_points, Fault::Endpoint),
        (releases.slow.basis_points, Fault::Slow),
        (releases.leak.basis_points, Fault::Leak),
        (releases.instance.basis_points, Fault::Instance),
        (releases.crash.basis_points, Fault::Crash),
        (releases.dependency.basis_points, Fault::Dependency),
    ];
    let mut left = chance.below(10_000);
    for (share, fault) in shares {
        if left < u64::from(share) {
            return fault;
        }
        left -= u64::from(share);
    }
    Fault::None
}

/// The share of requests that fail because of a fault; `size` is uniform in (0, 1).
fn excess(law: &Law<'_>, fault: Fault, sound: f64, size: f64) -> f64 {
    let releases = &law.scenario.releases;
    let ppm = |ppm: u32| f64::from(ppm) / 1e6;
    let share = match fault {
        Fault::None | Fault::Dependency | Fault::Slow => 0.0,
        Fault::Errors => {
            let least = f64::from(releases.errors.times_min);
            let most = f64::from(releases.errors.times_max).max(least);
            let times = least * libm::exp(size * libm::log(most / least));
            sound * (times - 1.0)
        }
        Fault::Endpoint => {
            let part = f64::from(releases.endpoint.traffic_percent) / 100.0;
            part * ppm(releases.endpoint.error_rate_ppm)
        }
        Fault::Leak => ppm(releases.leak.error_rate_ppm),
        Fault::Instance => ppm(releases.instance.error_rate_ppm),
        Fault::Crash => ppm(releases.crash.error_rate_ppm),
    };
    share.min(0.99)
}
