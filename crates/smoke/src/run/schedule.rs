//! What is asked next: setup before tests, needed tests before those that need them, teardown
//! always. A pure value, driven by whoever asks.

use std::collections::VecDeque;

use crate::bind::select::Case;
use crate::report::result::Part;
use crate::suite::model::Test;

/// A case on one lane, which is one backend of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) lane: usize,
    pub(crate) case: Case,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Ask(Unit),
    /// A test that this one needs, by its place in the suite, did not pass.
    Refuse(Unit, usize),
    /// Something that is under way must end first.
    Wait,
    Done,
}

#[derive(Debug)]
pub(crate) struct Schedule<'s> {
    tests: &'s [Test],
    /// For each test, those that need it.
    dependents: Vec<Vec<usize>>,
    lanes: Vec<Lane>,
    /// The first lane that may have something to do.
    first: usize,
    is_cancelled: bool,
}

#[derive(Debug)]
struct Lane {
    part: Part,
    /// What may be asked now.
    ready: VecDeque<Case>,
    /// The cases of each test that have to wait, by test.
    waiting: Vec<Vec<Case>>,
    /// Cases of each test that have not ended.
    open: Vec<usize>,
    /// Tests that each test still waits for.
    needed: Vec<usize>,
    failed: Vec<bool>,
    /// The first test of the setup that did not pass.
    unprepared: Option<usize>,
    running: usize,
    has_begun: bool,
    teardown: VecDeque<Case>,
    tests: VecDeque<Case>,
}

impl<'s> Schedule<'s> {
    /// All lanes ask the same cases.
    pub(crate) fn new(tests: &'s [Test], cases: &[Case], lanes: usize) -> Schedule<'s> {
        let mut dependents = vec![Vec::new(); tests.len()];
        for (at, test) in tests.iter().enumerate() {
            for &needed in &test.needs {
                if let Some(dependents) = dependents.get_mut(needed) {
                    dependents.push(at);
                }
            }
        }
        let lane = || Lane::new(tests, cases);
        Schedule {
            tests,
            dependents,
            lanes: (0..lanes).map(|_| lane()).collect(),
            first: 0,
            is_cancelled: false,
        }
    }

    /// Nothing but the teardown of what was begun is asked from now on; what is not asked is given
    /// back, but for what was under way, which the caller knows and has given up.
    pub(crate) fn cancel(&mut self) -> Vec<Unit> {
        self.is_cancelled = true;
        self.first = 0;
        let mut unasked = Vec::new();
        for (at, lane) in self.lanes.iter_mut().enumerate() {
            if lane.part == Part::Teardown {
                // It is run to its end, with what was given up left out.
                lane.running = 0;
                continue;
            }
            let waiting = lane.waiting.iter_mut().flat_map(core::mem::take);
            let mut cases: Vec<Case> = lane
                .ready
                .drain(..)
                .chain(lane.tests.drain(..))
                .chain(waiting)
                .collect();
            if !lane.has_begun {
                cases.extend(lane.teardown.drain(..));
            }
            lane.running = 0;
            unasked.extend(cases.into_iter().map(|case| Unit { lane: at, case }));
        }
        unasked
    }

    #[must_use]
    pub(crate) fn next(&mut self) -> Next {
        let mut waits = false;
        for at in self.first..self.lanes.len() {
            let Some(lane) = self.lanes.get_mut(at) else {
                break;
            };
            lane.advance(self.is_cancelled);
            let is_serial = lane.part != Part::Test;
            if is_serial && lane.running > 0 {
                waits = true;
                continue;
            }
            let Some(case) = lane.ready.pop_front() else {
                if lane.is_done() && at == self.first {
                    self.first += 1;
                }
                waits |= !lane.is_done();
                continue;
            };
            lane.running += 1;
            lane.has_begun = true;
            let unit = Unit { lane: at, case };
            return match lane.obstacle(self.tests, case) {
                Some(needed) => Next::Refuse(unit, needed),
                None => Next::Ask(unit),
            };
        }
        if waits { Next::Wait } else { Next::Done }
    }

    /// A unit that was given out has ended.
    pub(crate) fn finish(&mut self, unit: Unit, passed: bool) {
        let Some(lane) = self.lanes.get_mut(unit.lane) else {
            return;
        };
        lane.running = lane.running.saturating_sub(1);
        let test = unit.case.test;
        if !passed {
            if let Some(failed) = lane.failed.get_mut(test) {
                *failed = true;
            }
            if lane.part == Part::Setup {
                lane.unprepared.get_or_insert(test);
            }
        }
        let Some(open) = lane.open.get_mut(test) else {
            return;
        };
        *open = open.saturating_sub(1);
        if *open > 0 {
            return;
        }
        for &dependent in self.dependents.get(test).into_iter().flatten() {
            let Some(needed) = lane.needed.get_mut(dependent) else {
                continue;
            };
            *needed = needed.saturating_sub(1);
            if *needed == 0
                && let Some(waiting) = lane.waiting.get_mut(dependent)
            {
                lane.ready.extend(waiting.drain(..));
            }
        }
    }
}

impl Lane {
    fn new(tests: &[Test], cases: &[Case]) -> Lane {
        let mut lane = Lane {
            part: Part::Setup,
            ready: VecDeque::new(),
            waiting: vec![Vec::new(); tests.len()],
            open: vec![0; tests.len()],
            needed: tests.iter().map(|test| test.needs.len()).collect(),
            failed: vec![false; tests.len()],
            unprepared: None,
            running: 0,
            has_begun: false,
            teardown: VecDeque::new(),
            tests: VecDeque::new(),
        };
        for &case in cases {
            if let Some(open) = lane.open.get_mut(case.test) {
                *open += 1;
            }
            match tests.get(case.test).map(|test| test.part) {
                // In the order of the file, in which what is needed stands before.
                Some(Part::Setup) => lane.ready.push_back(case),
                Some(Part::Teardown) => lane.teardown.push_back(case),
                Some(Part::Test) => lane.tests.push_back(case),
                None => {}
            }
        }
        lane
    }

    /// Goes on to the next part once all of this one has ended.
    fn advance(&mut self, is_cancelled: bool) {
        if self.part == Part::Setup && self.running == 0 && self.ready.is_empty() {
            self.part = Part::Test;
            for case in core::mem::take(&mut self.tests) {
                let needed = self.needed.get(case.test).copied().unwrap_or_default();
                // Without its setup a test is refused, whatever else it needs.
                if needed == 0 || self.unprepared.is_some() {
                    self.ready.push_back(case);
                } else if let Some(waiting) = self.waiting.get_mut(case.test) {
                    waiting.push(case);
                }
            }
        }
        let nothing_waits = || self.waiting.iter().all(Vec::is_empty);
        if self.part == Part::Test
            && self.running == 0
            && self.ready.is_empty()
            && (is_cancelled || nothing_waits())
        {
            self.part = Part::Teardown;
            self.ready = core::mem::take(&mut self.teardown);
        }
    }

    fn is_done(&self) -> bool {
        self.part == Part::Teardown && self.running == 0 && self.ready.is_empty()
    }

    /// The test that did not pass and without which this case is not asked.
    fn obstacle(&self, tests: &[Test], case: Case) -> Option<usize> {
        if let Some(unprepared) = self.unprepared.filter(|_| self.part != Part::Teardown) {
            return Some(unprepared);
        }
        let needs = tests.get(case.test).map_or(&[][..], |test| &test.needs);
        // What was given up is open and did not pass either.
        needs.iter().copied().find(|needed| {
            let failed = self.failed.get(*needed).copied().unwrap_or_default();
            failed || self.open.get(*needed).is_some_and(|open| *open > 0)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Next, Schedule, Unit};
    use crate::bind::select::select;
    use crate::options::Options;
    use crate::suite::model::Suite;
    use nonevent_document::Findings;

    fn suite(text: &str) -> Suite {
        Suite::parse("suite.yaml", text.as_bytes()).expect("a suite")
    }

    /// Runs a schedule with `jobs` at a time, the oldest ending first; what is asked, in order,
    /// `-name` where it is refused.
    fn order(
        suite: &Suite,
        lanes: usize,
        jobs: usize,
        passes: impl Fn(&str) -> bool,
    ) -> Vec<String> {
        let now = "2026-01-05T10:00:00Z".parse().expect("a time");
        let mut findings = Findings::default();
        let cases = select(suite, &Options::started_at(now), &mut findings);
        let mut schedule = Schedule::new(suite.tests(), &cases, lanes);
        let mut order = Vec::new();
        let mut running: Vec<Unit> = Vec::new();
        let name = |unit: Unit| suite.tests()[unit.case.test].name().to_owned();
        loop {
            let next = if running.len() < jobs {
                schedule.next()
            } else {
                Next::Wait
            };
            match next {
                Next::Ask(unit) => {
                    order.push(name(unit));
                    running.push(unit);
                }
                Next::Refuse(unit, _) => {
                    order.push(format!("-{}", name(unit)));
                    schedule.finish(unit, false);
                }
                Next::Wait => {
                    assert!(!running.is_empty(), "it waits for nothing: {order:?}");
                    let unit = running.remove(0);
                    schedule.finish(unit, passes(&name(unit)));
                }
                Next::Done => {
                    assert!(running.is_empty(), "{order:?}");
                    return order;
                }
            }
        }
    }

    const SUITE: &str = "
setup: [ { name: s1 }, { name: s2 } ]
tests:
  - { name: a }
  - { name: b, depends_on: a }
  - { name: c, depends_on: [ a, b ] }
  - { name: d, repeat: 2 }
teardown: [ { name: t1 }, { name: t2, depends_on: s2 } ]
";

    #[test]
    fn parts_and_needs_keep_their_order() {
        let suite = suite(SUITE);
        for jobs in [1, 2, 8] {
            let order = order(&suite, 1, jobs, |_| true);
            let at = |name: &str| order.iter().position(|n| n == name).expect(name);
            assert_eq!(order.len(), 9, "{order:?}");
            assert_eq!((at("s1"), at("s2")), (0, 1));
            assert!(at("a") < at("b") && at("b") < at("c"), "{order:?}");
            assert_eq!((at("t1"), at("t2")), (7, 8));
        }
    }

    #[test]
    fn what_needs_a_failed_test_is_refused_and_the_rest_is_asked() {
        let suite = suite(SUITE);
        let order = order(&suite, 1, 4, |name| name != "b");
        assert_eq!(order, ["s1", "s2", "a", "d", "d", "b", "-c", "t1", "t2"]);
    }

    #[test]
    fn without_its_setup_nothing_is_asked_but_the_teardown() {
        let suite = suite(SUITE);
        let order = order(&suite, 1, 4, |name| name != "s1");
        assert_eq!(
            order,
            ["s1", "-s2", "-a", "-b", "-c", "-d", "-d", "t1", "-t2"]
        );
    }

    #[test]
    fn lanes_go_on_side_by_side() {
        let suite = suite("setup: [ { name: s } ]\ntests: [ { name: a } ]\n");
        assert_eq!(order(&suite, 2, 1, |_| true), ["s", "a", "s", "a"]);
        assert_eq!(
            order(&suite, 3, 8, |_| true),
            ["s", "s", "s", "a", "a", "a"]
        );
    }

    #[test]
    fn a_cancelled_run_still_tears_down_what_was_begun() {
        let suite = suite(SUITE);
        let now = "2026-01-05T10:00:00Z".parse().expect("a time");
        let cases = select(&suite, &Options::started_at(now), &mut Findings::default());
        let mut schedule = Schedule::new(suite.tests(), &cases, 1);
        for _ in 0..2 {
            let Next::Ask(unit) = schedule.next() else {
                panic!("setup is asked first");
            };
            schedule.finish(unit, true);
        }
        assert!(matches!(schedule.next(), Next::Ask(_)));
        assert_eq!(schedule.cancel().len(), 4, "b, c and d twice");
        let mut asked = Vec::new();
        while let Next::Ask(unit) = schedule.next() {
            asked.push(suite.tests()[unit.case.test].name().to_owned());
            schedule.finish(unit, true);
        }
        assert_eq!(asked, ["t1", "t2"]);
        let mut schedule = Schedule::new(suite.tests(), &cases, 1);
        assert_eq!(schedule.cancel().len(), cases.len());
        assert_eq!(schedule.next(), Next::Done, "nothing was begun");
    }
}
