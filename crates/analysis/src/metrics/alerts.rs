//! Alerts of Alertmanager as reasons to pause.
//!
//! `GET /api/v2/alerts` tells all alerts there are; a webhook (version 4) tells of one group, so
//! one without a matching alert says nothing about the others.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};

use super::body::{Node, quoted, read};
use super::error::{MetricsError, MetricsErrorKind};
use super::number::{rfc3339, rfc3339_ms};
use super::reply::{Labels, http_status};
use super::request::{HttpRequest, add_pair, base_path};
use crate::window::GapReason;

/// The most alerts that a body may have.
pub const ALERTS_MAX: usize = 10_000;

/// Which alerts count.
///
/// There are no regular expressions (`=~`, `!~`): this crate carries no engine for them. Give the
/// alerts that should pause a rollout a label of their own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AlertSelect {
    /// All of them must match. None at all selects every alert.
    pub matchers: Vec<AlertMatcher>,
    /// Only alerts that began firing at this time or later, in milliseconds since 1970: one that
    /// fired before the rollout is not its doing.
    pub started_from_ms: Option<u64>,
}

/// A label and the value that it must, or must not, have. A label that is not there is empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlertMatcher {
    /// The label's name.
    pub label: String,
    /// Its value.
    pub value: String,
    /// `!=` instead of `=`.
    #[serde(default)]
    pub not: bool,
}

impl AlertMatcher {
    fn matches(&self, labels: &Labels) -> bool {
        let value = labels.get(&self.label).map_or("", String::as_str);
        (value == self.value) != self.not
    }
}

impl fmt::Display for AlertMatcher {
    /// As Alertmanager's `filter` takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operator = if self.not { "!=" } else { "=" };
        write!(f, "{}{operator}\"", self.label)?;
        for character in self.value.chars() {
            match character {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                _ => write!(f, "{character}")?,
            }
        }
        f.write_str("\"")
    }
}

/// An alert that is a reason to pause.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct FiringAlert {
    /// Its label `alertname`; empty if it has none.
    pub name: String,
    /// All its labels.
    pub labels: Labels,
    /// When it began firing, in milliseconds since 1970.
    pub since_ms: u64,
}

impl fmt::Display for FiringAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = rfc3339(self.since_ms);
        write!(f, "alert {} is firing since {since}", quoted(&self.name))
    }
}

/// What the alerts say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlertAnswer {
    /// These fire: the oldest first, then by name. At least one.
    Pause(Vec<FiringAlert>),
    /// None of the alerts in the body counts. From a webhook that is about its group only.
    None,
    /// Nothing is known: never to be taken for "no alerts".
    Unknown(MetricsError),
}

impl AlertSelect {
    /// The request for the alerts under a base path such as `""` or `/alertmanager`. The matchers
    /// are sent along, so that the server leaves others out.
    ///
    /// ```
    /// use nonevent_analysis::metrics::{AlertMatcher, AlertSelect};
    /// let matcher = AlertMatcher { label: "severity".into(), value: "page".into(), not: false };
    /// let select = AlertSelect { matchers: vec![matcher], started_from_ms: None };
    /// assert_eq!(
    ///     select.request("")?.target,
    ///     "/api/v2/alerts?active=true&silenced=false&inhibited=false&unprocessed=true\
    ///      &filter=severity%3D%22page%22"
    /// );
    /// # Ok::<(), nonevent_analysis::metrics::MetricsError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the base path is none.
    pub fn request(&self, base: &str) -> Result<HttpRequest, MetricsError> {
        let mut form = String::new();
        for (name, value) in [
            ("active", "true"),
            ("silenced", "false"),
            ("inhibited", "false"),
            ("unprocessed", "true"),
        ] {
            add_pair(&mut form, name, value);
        }
        for matcher in &self.matchers {
            add_pair(&mut form, "filter", &matcher.to_string());
        }
        let path = format!("{}/api/v2/alerts", base_path(base)?);
        Ok(HttpRequest::get(&path, &form))
    }

    /// What a reply of `/api/v2/alerts` says at `now_ms` (milliseconds since 1970).
    ///
    /// Silenced, inhibited and muted alerts do not count, nor those that have ended by `now_ms`.
    #[must_use]
    pub fn reply(&self, status: u16, body: &[u8], now_ms: u64) -> AlertAnswer {
        if !(200..300).contains(&status) {
            return AlertAnswer::Unknown(http_status(status));
        }
        let firing = read(body).and_then(|value| {
            let root = Node::root(&value);
            self.firing(&root, now_ms, |alert| {
                let status = alert.field("status")?;
                let state = status.field("state")?;
                match state.text()? {
                    // Not yet routed, so it may well be a reason.
                    "active" | "unprocessed" => Ok(true),
                    "suppressed" => Ok(false),
                    _ => Err(state.unlike("active, suppressed or unprocessed")),
                }
            })
        });
        answer(firing)
    }

    /// What a webhook's payload (version 4) says at `now_ms`.
    #[must_use]
    pub fn webhook(&self, body: &[u8], now_ms: u64) -> AlertAnswer {
        let firing = read(body).and_then(|value| {
            let root = Node::root(&value);
            let version = root.field("version")?;
            if version.text()? != "4" {
                return Err(version.unlike("the payload version \"4\""));
            }
            let cut = root.optional("truncatedAlerts")?;
            let alerts = root.field("alerts")?;
            let firing = self.firing(&alerts, now_ms, |alert| {
                let status = alert.field("status")?;
                match status.text()? {
                    "firing" => Ok(true),
                    "resolved" => Ok(false),
                    _ => Err(status.unlike("firing or resolved")),
                }
            })?;
            match cut {
                Some(cut) if firing.is_empty() && cut.value.as_u64() != Some(0) => {
                    Err(MetricsError::new(
                        MetricsErrorKind::Missing,
                        GapReason::PartialData,
                        cut.place(),
                        "the payload was cut, so an alert may be missing; raise `max_alerts`"
                            .to_string(),
                    ))
                }
                _ => Ok(firing),
            }
        });
        answer(firing)
    }

    /// The alerts of a list that count. All of the list must be readable.
    fn firing(
        &self,
        list: &Node<'_, '_>,
        now_ms: u64,
        active: impl Fn(&Node<'_, '_>) -> Result<bool, MetricsError>,
    ) -> Result<Vec<FiringAlert>, MetricsError> {
        let count = list.array()?.len();
        if count > ALERTS_MAX {
            return Err(MetricsError::new(
                MetricsErrorKind::TooLarge,
                GapReason::Unreadable,
                list.place(),
                format!("{count} alerts, over the limit of {ALERTS_MAX}; filter in the request"),
            ));
        }
        let mut firing = Vec::new();
        for alert in list.items()? {
            let mut labels = Labels::new();
            let node = alert.field("labels")?;
            for name in node.object()?.keys() {
                labels.insert(name.clone(), node.field(name)?.text()?.to_string());
            }
            let since = alert.field("startsAt")?;
            let since_ms = time(&since)?.ok_or_else(|| since.unlike("a time after 1970"))?;
            let ended = match alert.optional("endsAt")? {
                // Go's zero time stands for "not yet".
                Some(end) => time(&end)?.is_some_and(|end| end <= now_ms),
                None => false,
            };
            let counts = active(&alert)?
                && !ended
                && self.started_from_ms.is_none_or(|from| since_ms >= from)
                && self.matchers.iter().all(|matcher| matcher.matches(&labels));
            if counts {
                firing.push(FiringAlert {
                    name: labels.get("alertname").cloned().unwrap_or_default(),
                    labels,
                    since_ms,
                });
            }
        }
        firing.sort_by(|a, b| (a.since_ms, &a.name).cmp(&(b.since_ms, &b.name)));
        Ok(firing)
    }
}

fn answer(firing: Result<Vec<FiringAlert>, MetricsError>) -> AlertAnswer {
    match firing {
        Ok(firing) if firing.is_empty() => AlertAnswer::None,
        Ok(firing) => AlertAnswer::Pause(firing),
        Err(error) => AlertAnswer::Unknown(error),
    }
}

fn time(node: &Node<'_, '_>) -> Result<Option<u64>, MetricsError> {
    rfc3339_ms(node.text()?).ok_or_else(|| node.unlike("an RFC 3339 time"))
}
