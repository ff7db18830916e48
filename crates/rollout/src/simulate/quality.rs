//! How many releases there are, and the law that their quality is drawn from.

use serde::{Deserialize, Serialize};

/// The releases of a day, and the law that their quality is drawn from.
///
/// Shares are of all releases, in basis points; what they leave of 10 000 has no fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Releases {
    /// Releases per day, 1 to 1000; default 20.
    pub per_day: u32,
    /// The first hour (UTC) in which one begins, 0 to 23; default 8.
    pub from_hour: u8,
    /// The hour at which the last has begun, above `from_hour`, up to 24; default 18.
    pub to_hour: u8,
    /// How error rates of sound releases differ from stable's: the coefficient of variation of a Gamma law
    /// with mean 1, in percent, up to 100; default 10. No such difference counts as bad.
    pub ordinary_variation_percent: u16,
    /// More errors everywhere.
    pub errors: ErrorsFault,
    /// Errors on one endpoint.
    pub endpoint: EndpointFault,
    /// Slower once it has been up for a while.
    pub slow: SlowFault,
    /// It leaks: errors and latencies grow until it is restarted.
    pub leak: LeakFault,
    /// One instance is bad.
    pub instance: InstanceFault,
    /// Instances end by themselves.
    pub crash: CrashFault,
    /// Something that both versions call fails meanwhile. The release is sound.
    pub dependency: DependencyFault,
}

impl Default for Releases {
    fn default() -> Self {
        Releases {
            per_day: 20,
            from_hour: 8,
            to_hour: 18,
            ordinary_variation_percent: 10,
            errors: ErrorsFault::default(),
            endpoint: EndpointFault::default(),
            slow: SlowFault::default(),
            leak: LeakFault::default(),
            instance: InstanceFault::default(),
            crash: CrashFault::default(),
            dependency: DependencyFault::default(),
        }
    }
}

/// More errors everywhere, at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorsFault {
    /// Share of releases; default 250.
    pub basis_points: u16,
    /// The least multiple of stable's error rate, at least 2; default 3.
    pub times_min: u32,
    /// The greatest, not below the least; default 60. Between them each factor is as likely.
    pub times_max: u32,
}

impl Default for ErrorsFault {
    fn default() -> Self {
        ErrorsFault {
            basis_points: 250,
            times_min: 3,
            times_max: 60,
        }
    }
}

/// Errors on one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EndpointFault {
    /// Share of releases; default 150.
    pub basis_points: u16,
    /// Failed requests of that endpoint in millionths, besides what is normal; default 20 000 (2 %).
    pub error_rate_ppm: u32,
    /// Its part of the traffic in percent, up to 100; default 20.
    pub traffic_percent: u16,
}

impl Default for EndpointFault {
    fn default() -> Self {
        EndpointFault {
            basis_points: 150,
            error_rate_ppm: 20_000,
            traffic_percent: 20,
        }
    }
}

/// Slower once it has been up for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SlowFault {
    /// Share of releases; default 100.
    pub basis_points: u16,
    /// Its latencies in percent of stable's, 101 to 10 000; default 130.
    pub latency_percent: u16,
    /// After how much time with traffic, in milliseconds; default 5 minutes.
    pub after_ms: u64,
}

impl Default for SlowFault {
    fn default() -> Self {
        SlowFault {
            basis_points: 100,
            latency_percent: 130,
            after_ms: 300_000,
        }
    }
}

/// A leak.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LeakFault {
    /// Share of releases; default 100.
    pub basis_points: u16,
    /// Until its worst, evenly from the first request on, in milliseconds; at least 1; default 6 hours.
    pub worst_after_ms: u64,
    /// Failed requests at its worst in millionths, besides what is normal; default 200 000 (20 %).
    pub error_rate_ppm: u32,
    /// Its latencies at its worst in percent of stable's, 100 to 10 000; default 300.
    pub latency_percent: u16,
}

impl Default for LeakFault {
    fn default() -> Self {
        LeakFault {
            basis_points: 100,
            worst_after_ms: 21_600_000,
            error_rate_ppm: 200_000,
            latency_percent: 300,
        }
    }
}

/// One bad instance among those of the new version; which of them is drawn, so that it may not be
/// among the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct InstanceFault {
    /// Share of releases; default 100.
    pub basis_points: u16,
    /// One of how many is bad, at least 1; default 8. In a smaller fleet it is one of all.
    pub one_of: u16,
    /// Failed requests of that instance in millionths; default 200 000 (20 %).
    pub error_rate_ppm: u32,
}

impl Default for InstanceFault {
    fn default() -> Self {
        InstanceFault {
            basis_points: 100,
            one_of: 8,
            error_rate_ppm: 200_000,
        }
    }
}

/// Instances of the new version end by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CrashFault {
    /// Share of releases; default 50.
    pub basis_points: u16,
    /// At the latest after so much time with traffic, in milliseconds; default 1 hour.
    pub within_ms: u64,
    /// Requests that fail because of it, in millionths, from then on; default 20 000 (2 %).
    pub error_rate_ppm: u32,
}

impl Default for CrashFault {
    fn default() -> Self {
        CrashFault {
            basis_points: 50,
            within_ms: 3_600_000,
            error_rate_ppm: 20_000,
        }
    }
}

/// Something that both versions call fails while the release is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DependencyFault {
    /// Share of releases; default 100.
    pub basis_points: u16,
    /// It begins at the latest so long after the release began, in milliseconds; default 1 hour.
    pub within_ms: u64,
    /// For how long, in milliseconds; default 10 minutes.
    pub for_ms: u64,
    /// Failed requests of both versions meanwhile in millionths, besides what is normal; default
    /// 50 000 (5 %).
    pub error_rate_ppm: u32,
}

impl Default for DependencyFault {
    fn default() -> Self {
        DependencyFault {
            basis_points: 100,
            within_ms: 3_600_000,
            for_ms: 600_000,
            error_rate_ppm: 50_000,
        }
    }
}
