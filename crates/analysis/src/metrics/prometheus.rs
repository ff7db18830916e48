//! Questions to the HTTP API of Prometheus, and of what speaks it (Thanos, Mimir, Cortex,
//! VictoriaMetrics).

use alloc::format;
use alloc::string::{String, ToString};

use super::error::MetricsError;
use super::request::{HttpRequest, add_pair, base_path};

/// The longest query that is sent, in bytes.
pub const QUERY_BYTES_MAX: usize = 64 << 10;
/// The longest path and query that is sent by `GET`, in bytes; what is longer goes as a form.
pub const GET_BYTES_MAX: usize = 2_000;
/// The most points per series that a range may ask for. Prometheus refuses more than 11 000 steps.
pub const POINTS_MAX: u64 = 11_000;
/// The longest duration that a query may name, in milliseconds (366 days).
pub const DURATION_MS_MAX: u64 = 366 * 86_400_000;

/// Where the API is and how to ask it. Writes requests; sends nothing.
///
/// The API is <https://prometheus.io/docs/prometheus/latest/querying/api/>.
///
/// ```
/// use nonevent_analysis::metrics::{Method, PrometheusApi};
/// let api = PrometheusApi::new("/prometheus")?.timeout_ms(5_000);
/// let request = api.instant("sum(rate(http_requests_total[1m]))", 1_700_000_000_500)?;
/// assert_eq!(request.method, Method::Get);
/// assert_eq!(
///     request.target,
///     "/prometheus/api/v1/query?query=sum%28rate%28http_requests_total%5B1m%5D%29%29\
///      &time=1700000000.5&timeout=5s"
/// );
/// # Ok::<(), nonevent_analysis::metrics::MetricsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrometheusApi {
    base_path: String,
    always_post: bool,
    timeout_ms: Option<u64>,
    limit: Option<u32>,
}

impl PrometheusApi {
    /// The API under a base path: `""`, or the prefix of a proxy such as `/prometheus`.
    ///
    /// # Errors
    ///
    /// If the path does not begin with `/` or holds a query, a fragment or `..`.
    pub fn new(base: &str) -> Result<Self, MetricsError> {
        Ok(Self {
            base_path: base_path(base)?,
            always_post: false,
            timeout_ms: None,
            limit: None,
        })
    }

    /// Sends every query as a form by `POST`, so that queries stay out of access logs. Otherwise
    /// only those over [`GET_BYTES_MAX`] are.
    #[must_use]
    pub const fn always_post(mut self) -> Self {
        self.always_post = true;
        self
    }

    /// The evaluation time allowed, in milliseconds; the server has a limit of its own as well.
    #[must_use]
    pub const fn timeout_ms(mut self, timeout_ms: u64) -> Self {
        self.timeout_ms = Some(timeout_ms);
        self
    }

    /// The most series to return. A server that cuts the answer says so in a warning, which makes
    /// it [`PartialData`](crate::GapReason::PartialData); a server that does not know the
    /// parameter ignores it.
    #[must_use]
    pub const fn limit(mut self, series: u32) -> Self {
        self.limit = Some(series);
        self
    }

    /// A query at one time (milliseconds since 1970).
    ///
    /// # Errors
    ///
    /// If the query is empty or longer than [`QUERY_BYTES_MAX`].
    pub fn instant(&self, query: &str, time_ms: u64) -> Result<HttpRequest, MetricsError> {
        let form = form_of(query, &[("time", seconds(time_ms))])?;
        Ok(self.request("/api/v1/query", form))
    }

    /// A query at each step of a range.
    ///
    /// # Errors
    ///
    /// As [`instant`](Self::instant).
    pub fn range(&self, query: &str, range: &RangeTimes) -> Result<HttpRequest, MetricsError> {
        let times = [
            ("start", seconds(range.start_ms)),
            ("end", seconds(range.end_ms)),
            ("step", seconds(range.step_ms)),
        ];
        Ok(self.request("/api/v1/query_range", form_of(query, &times)?))
    }

    fn request(&self, endpoint: &str, mut form: String) -> HttpRequest {
        if let Some(timeout_ms) = self.timeout_ms {
            add_pair(&mut form, "timeout", &duration(timeout_ms));
        }
        if let Some(limit) = self.limit {
            add_pair(&mut form, "limit", &limit.to_string());
        }
        let path = format!("{}{endpoint}", self.base_path);
        if self.always_post || path.len() + 1 + form.len() > GET_BYTES_MAX {
            HttpRequest::post_form(&path, form)
        } else {
            HttpRequest::get(&path, &form)
        }
    }
}

fn form_of(query: &str, times: &[(&str, String)]) -> Result<String, MetricsError> {
    if query.trim().is_empty() {
        return Err(MetricsError::usage("the query is empty"));
    }
    if query.len() > QUERY_BYTES_MAX {
        return Err(MetricsError::usage(format!(
            "the query has {} bytes, over the limit of {QUERY_BYTES_MAX}; record a rule in \
             Prometheus and ask for that",
            query.len()
        )));
    }
    let mut form = String::new();
    add_pair(&mut form, "query", query);
    for (name, value) in times {
        add_pair(&mut form, name, value);
    }
    Ok(form)
}

/// The times of a range query, on a grid that stays the same from look to look.
///
/// Start and end are brought down to multiples of the step since 1970. Without that, each look
/// samples other moments, `rate()` over them gives other figures for the same past, and caches in
/// front of Prometheus never hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RangeTimes {
    start_ms: u64,
    end_ms: u64,
    step_ms: u64,
}

impl RangeTimes {
    /// From `start_ms` to `end_ms` (since 1970, both included once brought down to the grid).
    ///
    /// ```
    /// use nonevent_analysis::metrics::RangeTimes;
    /// let range = RangeTimes::aligned(1_700_000_007_000, 1_700_000_061_500, 15_000)?;
    /// assert_eq!(range.start_ms(), 1_699_999_995_000);
    /// assert_eq!(range.end_ms(), 1_700_000_055_000);
    /// assert_eq!(range.points(), 5);
    /// assert!(RangeTimes::aligned(0, 86_400_000, 1_000).is_err());
    /// # Ok::<(), nonevent_analysis::metrics::MetricsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the step is 0, the end lies before the start, or there would be more than
    /// [`POINTS_MAX`] points.
    pub fn aligned(start_ms: u64, end_ms: u64, step_ms: u64) -> Result<Self, MetricsError> {
        if step_ms == 0 {
            return Err(MetricsError::usage("the step of a range is at least 1 ms"));
        }
        if end_ms < start_ms {
            return Err(MetricsError::usage("the range ends before it starts"));
        }
        let range = Self {
            start_ms: start_ms - start_ms % step_ms,
            end_ms: end_ms - end_ms % step_ms,
            step_ms,
        };
        if range.points() > POINTS_MAX {
            let least = (end_ms - start_ms).div_ceil(POINTS_MAX - 2);
            return Err(MetricsError::usage(format!(
                "{} points per series, over Prometheus' limit of {POINTS_MAX}; take a step of at \
                 least {least} ms, or a shorter range",
                range.points()
            )));
        }
        Ok(range)
    }

    /// The first moment, in milliseconds since 1970.
    #[must_use]
    pub const fn start_ms(&self) -> u64 {
        self.start_ms
    }

    /// The last moment, in milliseconds since 1970.
    #[must_use]
    pub const fn end_ms(&self) -> u64 {
        self.end_ms
    }

    /// Milliseconds from one moment to the next.
    #[must_use]
    pub const fn step_ms(&self) -> u64 {
        self.step_ms
    }

    /// How many moments there are.
    #[must_use]
    pub const fn points(&self) -> u64 {
        ((self.end_ms - self.start_ms) / self.step_ms).saturating_add(1)
    }
}

/// Seconds with up to three decimals, exactly.
fn seconds(ms: u64) -> String {
    let text = format!("{}.{:03}", ms / 1_000, ms % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// A duration as `PromQL` writes it, in one unit.
pub(crate) fn duration(ms: u64) -> String {
    if ms.is_multiple_of(1_000) {
        format!("{}s", ms / 1_000)
    } else {
        format!("{ms}ms")
    }
}
