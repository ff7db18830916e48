//! What of a scenario cannot be meant.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::scenario::Scenario;

impl Scenario {
    /// Everything in it that cannot be meant, each with the field and what is allowed; empty if all is
    /// well.
    ///
    /// ```
    /// use nonevent_rollout::simulate::Scenario;
    /// let mut scenario = Scenario::default();
    /// assert!(scenario.problems().is_empty());
    /// scenario.releases.per_day = 0;
    /// assert_eq!(scenario.problems(), ["releases.per_day is 0; 1 to 1000 is allowed"]);
    /// ```
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut found = Found(Vec::new());
        self.traffic_and_service(&mut found);
        self.releases(&mut found);
        self.faults_of_releases(&mut found);
        self.around(&mut found);
        found.0
    }

    fn traffic_and_service(&self, found: &mut Found) {
        let (traffic, service) = (&self.traffic, &self.service);
        let greatest = |table: &[u16]| table.iter().copied().max().unwrap_or(0);
        let (hour, weekday) = (&traffic.hour_percent, &traffic.weekday_percent);
        found.outside(
            "traffic.requests_per_second",
            traffic.requests_per_second,
            1..=1_000_000,
        );
        found.outside("traffic.hour_percent", greatest(hour), 1..=10_000);
        found.outside("traffic.weekday_percent", greatest(weekday), 1..=10_000);
        found.outside(
            "traffic.variation_percent",
            traffic.variation_percent,
            0..=200,
        );
        found.outside(
            "service.error_rate_ppm",
            service.error_rate_ppm,
            0..=500_000,
        );
        let variation = service.error_variation_percent;
        found.outside("service.error_variation_percent", variation, 0..=300);
        found.outside("service.p50_us", service.p50_us, 1..=1_000_000_000);
        let above_p50 = u64::from(service.p50_us) + 1..=4_000_000_000;
        found.outside("service.p99_us", service.p99_us, above_p50);
    }

    fn releases(&self, found: &mut Found) {
        let releases = &self.releases;
        found.outside("releases.per_day", releases.per_day, 1..=1_000);
        found.outside("releases.from_hour", releases.from_hour, 0..=23);
        let after = u64::from(releases.from_hour) + 1..=24;
        found.outside("releases.to_hour", releases.to_hour, after);
        let variation = releases.ordinary_variation_percent;
        found.outside("releases.ordinary_variation_percent", variation, 0..=100);
        let shares = [
            releases.errors.basis_points,
            releases.endpoint.basis_points,
            releases.slow.basis_points,
            releases.leak.basis_points,
            releases.instance.basis_points,
            releases.crash.basis_points,
            releases.dependency.basis_points,
        ];
        let sum: u32 = shares.into_iter().map(u32::from).sum();
        if sum > 10_000 {
            found.0.push(format!(
                "the basis_points of releases sum to {sum}; 10000 are all releases"
            ));
        }
    }

    fn faults_of_releases(&self, found: &mut Found) {
        let releases = &self.releases;
        let (errors, endpoint, slow) = (&releases.errors, &releases.endpoint, &releases.slow);
        let (leak, dependency) = (&releases.leak, &releases.dependency);
        found.outside("releases.errors.times_min", errors.times_min, 2..=1_000_000);
        let above_least = u64::from(errors.times_min)..=1_000_000;
        found.outside("releases.errors.times_max", errors.times_max, above_least);
        let part = endpoint.traffic_percent;
        found.outside("releases.endpoint.traffic_percent", part, 0..=100);
        let latency = slow.latency_percent;
        found.outside("releases.slow.latency_percent", latency, 101..=10_000);
        found.outside("releases.slow.after_ms", slow.after_ms, 0..=LONGEST_MS);
        found.outside(
            "releases.leak.worst_after_ms",
            leak.worst_after_ms,
            1..=LONGEST_MS,
        );
        let latency = leak.latency_percent;
        found.outside("releases.leak.latency_percent", latency, 100..=10_000);
        found.outside(
            "releases.instance.one_of",
            releases.instance.one_of,
            1..=10_000,
        );
        found.outside(
            "releases.crash.within_ms",
            releases.crash.within_ms,
            0..=LONGEST_MS,
        );
        let within_ms = dependency.within_ms;
        found.outside("releases.dependency.within_ms", within_ms, 0..=LONGEST_MS);
        found.outside(
            "releases.dependency.for_ms",
            dependency.for_ms,
            0..=LONGEST_MS,
        );
        for (field, ppm) in [
            ("releases.endpoint.error_rate_ppm", endpoint.error_rate_ppm),
            ("releases.leak.error_rate_ppm", leak.error_rate_ppm),
            (
                "releases.instance.error_rate_ppm",
                releases.instance.error_rate_ppm,
            ),
            (
                "releases.crash.error_rate_ppm",
                releases.crash.error_rate_ppm,
            ),
            (
                "releases.dependency.error_rate_ppm",
                dependency.error_rate_ppm,
            ),
        ] {
            found.outside(field, ppm, 0..=1_000_000);
        }
    }

    fn around(&self, found: &mut Found) {
        let (fleet, faults, people) = (&self.fleet, &self.faults, &self.people);
        let above_median = fleet.ready_median_ms..=LONGEST_MS;
        found.outside("fleet.ready_p95_ms", fleet.ready_p95_ms, above_median);
        found.outside("fleet.smoke_requests", fleet.smoke_requests, 0..=10_000);
        found.outside("fleet.smoke_tries", fleet.smoke_tries, 1..=10);
        found.outside("fleet.smoke_ms", fleet.smoke_ms, 0..=60_000);
        found.outside("fleet.answer_ms", fleet.answer_ms, 0..=4_000);
        found.outside("faults.refused_ppm", faults.refused_ppm, 0..=500_000);
        let unavailable = faults.smoke_unavailable_ppm;
        found.outside("faults.smoke_unavailable_ppm", unavailable, 0..=1_000_000);
        found.outside(
            "faults.never_ready_ppm",
            faults.never_ready_ppm,
            0..=1_000_000,
        );
        found.outside(
            "faults.no_figures_ppm",
            faults.no_figures_ppm,
            0..=1_000_000,
        );
        let notice = people.notice_after_requests_median.max(1)..=LONGEST_MS;
        let p95 = people.notice_after_requests_p95;
        found.outside("people.notice_after_requests_p95", p95, notice);
        let reaction = people.reaction_median_ms.max(1)..=LONGEST_MS;
        found.outside("people.reaction_p95_ms", people.reaction_p95_ms, reaction);
        let redeploy = people.redeploy_median_ms.max(1)..=LONGEST_MS;
        found.outside("people.redeploy_p95_ms", people.redeploy_p95_ms, redeploy);
        let at_last_ms = people.notice_at_last_ms;
        found.outside("people.notice_at_last_ms", at_last_ms, 1..=LONGEST_MS);
        found.outside("analysis.per_watch", self.analysis.per_watch, 0..=1_000);
    }
}

/// A year.
const LONGEST_MS: u64 = 366 * 86_400_000;

/// What was found so far.
struct Found(Vec<String>);

impl Found {
    fn outside(&mut self, field: &str, value: impl Into<u64>, allowed: RangeInclusive<u64>) {
        let value = value.into();
        if !allowed.contains(&value) {
            let (least, most) = (allowed.start(), allowed.end());
            self.0
                .push(format!("{field} is {value}; {least} to {most} is allowed"));
        }
    }
}
