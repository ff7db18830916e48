//! When changes may be made, told to the machine as it changes.

use nonevent_document::Timestamp;
use nonevent_rollout::WindowSeen;
use nonevent_strategy::Plan;
use nonevent_strategy::windows::{HORIZON_DAYS, OnWindowClose, WindowState, Windows};

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// Watches the change windows of one plan.
#[derive(Clone, Debug)]
pub(crate) struct WindowWatch {
    /// Absent where nothing follows from a closed window.
    windows: Option<Windows>,
    /// What was said last does not change before.
    holds_until: Option<Timestamp>,
}

impl WindowWatch {
    pub(crate) fn new(plan: &Plan) -> WindowWatch {
        let heeded = |it: &&Windows| it.on_window_close() != OnWindowClose::Finish;
        WindowWatch {
            windows: plan.windows.as_ref().filter(heeded).cloned(),
            holds_until: None,
        }
    }

    /// What is so at `now`, if it was not said before.
    pub(crate) fn look(&mut self, now: Timestamp) -> Option<WindowSeen> {
        let windows = self.windows.as_ref()?;
        let holds = self.holds_until;
        if holds.is_some_and(|until| now.unix_ms() < until.unix_ms()) {
            return None;
        }
        let horizon = now.plus_ms(i64::from(HORIZON_DAYS) * DAY_MS);
        let (seen, until) = match windows.state(now) {
            WindowState::Open { until } => (WindowSeen::Open, until.unwrap_or(horizon)),
            WindowState::Closed { opens, .. } => {
                let opens = opens.unwrap_or(horizon);
                let opens_ms = opens.unix_ms();
                (WindowSeen::Closed { opens_ms }, opens)
            }
        };
        self.holds_until = Some(until);
        Some(seen)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::prepare::{Wanted, prepare};

    fn watch(on_close: &str) -> WindowWatch {
        let document = format!(
            "
apiVersion: nonevent/v1
kind: Deployment
service: shop
environment: test
release: {{ from: 1.0.0, to: 1.1.0 }}
fleet: {{ replicas: 2, spare: 2 }}
strategy: {{ canary: {{ steps: [ {{ traffic: 50%, pause: 1m }}, {{ traffic: 100%, pause: 1m }} ] }} }}
windows:
  zone: UTC
  allow: [ {{ days: [mon, tue, wed, thu, fri], from: \"08:00\", to: \"18:00\" }} ]
  on_window_close: {on_close}
"
        );
        let wanted = Wanted::default();
        let prepared = prepare("shop.yaml", document.as_bytes(), Path::new("."), &wanted);
        WindowWatch::new(
            &prepared
                .unwrap_or_else(|findings| panic!("{findings}"))
                .plan,
        )
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn it_is_said_at_the_start_and_at_each_change() {
        let closed = |until: &str| {
            let opens_ms = at(until).unix_ms();
            Some(WindowSeen::Closed { opens_ms })
        };
        for on_close in ["pause", "rollback"] {
            let mut watch = watch(on_close);
            // A Friday, and the weekend after it.
            for (now, seen) in [
                ("2026-11-27T07:59:00Z", closed("2026-11-27T08:00:00Z")),
                ("2026-11-27T07:59:59.999Z", None),
                ("2026-11-27T08:00:00Z", Some(WindowSeen::Open)),
                ("2026-11-27T17:59:59Z", None),
                ("2026-11-27T18:00:00Z", closed("2026-11-30T08:00:00Z")),
                ("2026-11-29T12:00:00Z", None),
                ("2026-11-30T08:00:01Z", Some(WindowSeen::Open)),
            ] {
                assert_eq!(watch.look(at(now)), seen, "{on_close} at {now}");
            }
        }
    }

    #[test]
    fn where_nothing_follows_nothing_is_said() {
        assert_eq!(watch("finish").look(at("2026-11-28T12:00:00Z")), None);
    }
}
