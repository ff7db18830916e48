//! What the simulated year is like: plain data with defaults, so that a run can be said in one file
//! and had again.

use serde::{Deserialize, Serialize};

use super::quality::Releases;

/// A world to deploy in.
///
/// Integers only, every field has a default, and `{}` is a scenario; names end with their units
/// (`ppm` is millionths, `basis_points` are 0.01 %). The defaults are figures to begin with, and no
/// survey: put in your own. [`Scenario::problems`] says what cannot be meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// Requests.
    pub traffic: Traffic,
    /// What is normal for the service.
    pub service: Service,
    /// When there are releases, and how good they are.
    pub releases: Releases,
    /// How instances start, and what smoke suites see.
    pub fleet: Instances,
    /// What else goes wrong.
    pub faults: Faults,
    /// How fast people are.
    pub people: People,
    /// How often the analysis looks.
    pub analysis: Looks,
}

/// Requests by the hour of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Traffic {
    /// Requests per second where both tables below say 100; 1 to 1 000 000, default 400.
    pub requests_per_second: u32,
    /// For each hour of the day (UTC), in percent, each up to 10 000; default a night at 30 and an
    /// evening at 150.
    pub hour_percent: [u16; 24],
    /// For each day from Monday, in percent, each up to 10 000; default 100, at the weekend 70.
    pub weekday_percent: [u16; 7],
    /// How much busier or quieter the time of one release is than those tables say: the coefficient of
    /// variation in percent, up to 200; default 20.
    pub variation_percent: u16,
}

impl Default for Traffic {
    fn default() -> Self {
        Traffic {
            requests_per_second: 400,
            hour_percent: [
                50, 40, 30, 30, 30, 40, 60, 80, 100, 110, 120, 120, 120, 120, 110, 110, 120, 130,
                140, 150, 150, 130, 100, 70,
            ],
            weekday_percent: [100, 100, 100, 100, 100, 70, 70],
            variation_percent: 20,
        }
    }
}

/// What is normal for stable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Service {
    /// Failed requests in millionths, up to 500 000; default 500 (0.05 %).
    pub error_rate_ppm: u32,
    /// How error rates burst from look to look, each version by itself: the coefficient of variation of a
    /// Gamma law in percent, up to 300; default 30.
    pub error_variation_percent: u16,
    /// Median latency in microseconds; at least 1; default 40 000. Latencies are log-normal.
    pub p50_us: u32,
    /// 99th percentile in microseconds, above the median; default 200 000.
    pub p99_us: u32,
}

impl Default for Service {
    fn default() -> Self {
        Service {
            error_rate_ppm: 500,
            error_variation_percent: 30,
            p50_us: 40_000,
            p99_us: 200_000,
        }
    }
}

/// How instances start, and what smoke suites see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Instances {
    /// The median time until new instances are ready, in milliseconds, the plan's warm-up not counted;
    /// default 20 seconds.
    pub ready_median_ms: u64,
    /// The 95th percentile, not below the median; default 40 seconds. Cut off at what the plan allows.
    pub ready_p95_ms: u64,
    /// Requests of a smoke suite, up to 10 000; default 10.
    pub smoke_requests: u32,
    /// Tries of each before it counts as failed, 1 to 10; default 2.
    pub smoke_tries: u32,
    /// How long a suite takes, in milliseconds, up to 60 000; default 5 seconds.
    pub smoke_ms: u64,
    /// How long a change of the router or the fleet takes, in milliseconds, up to 4 000; default 200.
    pub answer_ms: u64,
}

impl Default for Instances {
    fn default() -> Self {
        Instances {
            ready_median_ms: 20_000,
            ready_p95_ms: 40_000,
            smoke_requests: 10,
            smoke_tries: 2,
            smoke_ms: 5_000,
            answer_ms: 200,
        }
    }
}

/// What goes wrong whatever the release is like; in millionths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Faults {
    /// A change of the router or the fleet, or a reading, that is refused; default 2 000.
    pub refused_ppm: u32,
    /// A smoke suite that cannot be run; default 500.
    pub smoke_unavailable_ppm: u32,
    /// New instances that are never ready; default 500.
    pub never_ready_ppm: u32,
    /// A deciding look of the analysis that brings no figures; default 2 000.
    pub no_figures_ppm: u32,
}

impl Default for Faults {
    fn default() -> Self {
        Faults {
            refused_ppm: 2_000,
            smoke_unavailable_ppm: 500,
            never_ready_ppm: 500,
            no_figures_ppm: 2_000,
        }
    }
}

/// How fast people are. Each time is log-normal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct People {
    /// How many harmed requests it takes until users have complained so that somebody looks: the
    /// median; at least 1; default 5 000.
    pub notice_after_requests_median: u64,
    /// The 95th percentile of the same; default 50 000.
    pub notice_after_requests_p95: u64,
    /// What nobody complains of is found in the end, so long after the release began, in milliseconds;
    /// default 24 hours.
    pub notice_at_last_ms: u64,
    /// From being alarmed or asked until a decision, in milliseconds: the median; default 15 minutes.
    pub reaction_median_ms: u64,
    /// The 95th percentile of the same; default 1 hour.
    pub reaction_p95_ms: u64,
    /// To bring the old version back once it has been removed, in milliseconds: the median; default 10
    /// minutes.
    pub redeploy_median_ms: u64,
    /// The 95th percentile of the same; default 30 minutes.
    pub redeploy_p95_ms: u64,
}

impl Default for People {
    fn default() -> Self {
        People {
            notice_after_requests_median: 5_000,
            notice_after_requests_p95: 50_000,
            notice_at_last_ms: 86_400_000,
            reaction_median_ms: 900_000,
            reaction_p95_ms: 3_600_000,
            redeploy_median_ms: 600_000,
            redeploy_p95_ms: 1_800_000,
        }
    }
}

/// How often the simulated analysis looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Looks {
    /// A watch of a release without a fault is looked at so often at first, and never less often than its
    /// policy's `looks_min`; only if one of these looks leans against the canary, or the last does not pass, is
    /// it looked at as often as the plan says, with the same requests. Releases with a fault always are. 0: every release is. Default 3.
    pub per_watch: u32,
}

impl Default for Looks {
    fn default() -> Self {
        Looks { per_watch: 3 }
    }
}

impl Scenario {
    /// A world in which nothing goes wrong: no release has a fault, nothing is refused.
    #[must_use]
    pub fn without_faults() -> Scenario {
        let mut scenario = Scenario {
            faults: Faults {
                refused_ppm: 0,
                smoke_unavailable_ppm: 0,
                never_ready_ppm: 0,
                no_figures_ppm: 0,
            },
            ..Scenario::default()
        };
        let releases = &mut scenario.releases;
        releases.errors.basis_points = 0;
        releases.endpoint.basis_points = 0;
        releases.slow.basis_points = 0;
        releases.leak.basis_points = 0;
        releases.instance.basis_points = 0;
        releases.crash.basis_points = 0;
        releases.dependency.basis_points = 0;
        scenario
    }
}
