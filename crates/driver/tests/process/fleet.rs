//! Instances are started, watched, stopped, and found again.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use nonevent_driver::process::{Ended, ProcessIdentity, find_marked};
use nonevent_driver::{
    Fleet, FleetErrorKind, FleetState, InstanceId, InstanceState, Launch, ProcessFleet,
};
use nonevent_router::Arm;
use rustix::process::Signal;

use crate::role::{TestFleet, program};

fn id(text: &str) -> InstanceId {
    text.parse().expect("a name")
}

fn ids(names: &[&str]) -> Vec<InstanceId> {
    names.iter().map(|name| id(name)).collect()
}

/// Observes until `seen`, for at most five seconds.
async fn until(fleet: &ProcessFleet, seen: impl Fn(&FleetState) -> bool) -> FleetState {
    let begun = Instant::now();
    loop {
        let state = fleet.observe().await.expect("observed");
        if seen(&state) {
            return state;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "not seen: {state:#?}"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn ask(address: SocketAddr, path: &str) {
    let mut stream = TcpStream::connect(address).expect("connected");
    let request = format!("GET {path} HTTP/1.1\r\nhost: a\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("written");
    // It may end instead of answering.
    let _ = stream.read_to_end(&mut Vec::new());
}

#[tokio::test]
async fn instances_start_get_ready_and_stop() {
    let test = TestFleet::new();
    let fleet = test.open();
    let scaled = fleet.scale(Arm::Stable, 2).await.unwrap();
    assert_eq!(scaled.started, ids(&["stable-1", "stable-2"]));
    let again = fleet.scale(Arm::Stable, 2).await.unwrap();
    assert!(again.started.is_empty() && again.surplus.is_empty());
    assert_eq!(
        fleet.scale(Arm::Canary, 1).await.unwrap().started,
        ids(&["canary-1"])
    );
    let state = until(&fleet, |state| state.ready_pools().stable.len() == 2).await;
    assert_eq!(
        state.of(Arm::Stable).map(|i| i.id).collect::<Vec<_>>(),
        ids(&["stable-1", "stable-2"])
    );
    let first = &state.instances[0];
    assert_eq!(first.version, "1.4.2");
    assert_eq!(
        state.ready_pools().stable[0].address,
        first.address.to_string()
    );
    let state = until(&fleet, |state| state.ready(Arm::Canary) == 1).await;
    assert_eq!(state.of(Arm::Canary).next().unwrap().version, "1.5.0");

    let surplus = fleet.surplus(Arm::Stable, 1).await.unwrap();
    assert_eq!(surplus, ids(&["stable-2"]), "the highest number goes first");
    let process = ProcessIdentity::of(state.of(Arm::Stable).nth(1).unwrap().pid)
        .unwrap()
        .unwrap();
    fleet.stop(surplus[0], 1_000).await.unwrap();
    fleet
        .stop(surplus[0], 1_000)
        .await
        .expect("stopping what is gone is fine");
    assert!(!process.lives());
    let state = fleet.observe().await.unwrap();
    assert_eq!(
        state.instances.iter().map(|i| i.id).collect::<Vec<_>>(),
        ids(&["stable-1", "canary-1"])
    );
    assert!(!test.dir.path().join("instances/stable-2.json").exists());
    // The lowest free number is taken again.
    assert_eq!(
        fleet.scale(Arm::Stable, 2).await.unwrap().started,
        ids(&["stable-2"])
    );
    assert_eq!(fleet.end_all(1_000).await.unwrap(), Ended::Asked);
    assert!(fleet.leftovers().unwrap().is_empty());
    assert!(fleet.observe().await.unwrap().instances.is_empty());
}

#[tokio::test]
async fn an_instance_that_crashes_is_reported_and_replaced() {
    let test = TestFleet::new();
    let fleet = test.open();
    let _ = fleet.scale(Arm::Canary, 2).await.unwrap();
    let state = until(&fleet, |state| state.ready(Arm::Canary) == 2).await;
    let crashed = state.instances[0].clone();
    ask(crashed.address, "/exit");
    let state = until(&fleet, |state| state.instances[0].has_exited()).await;
    let InstanceState::Exited { why } = &state.instances[0].state else {
        unreachable!("it has exited");
    };
    assert_eq!(why, "exit status 3");
    assert_eq!(state.ready(Arm::Canary), 1);
    assert_eq!(state.instances.len(), 2, "it stays in the books");
    let scaled = fleet.scale(Arm::Canary, 2).await.unwrap();
    assert_eq!(scaled.started, ids(&["canary-1"]));
    let state = until(&fleet, |state| state.ready(Arm::Canary) == 2).await;
    assert_ne!(state.instances[0].pid, crashed.pid);
    assert!(
        crashed.log.with_extension("log.1").exists(),
        "the crashed one's log is kept"
    );

    ask(state.instances[1].address, "/exit");
    until(&fleet, |state| state.instances[1].has_exited()).await;
    fleet.forget(id("canary-1")).await.unwrap();
    fleet.forget(id("canary-2")).await.unwrap();
    let state = fleet.observe().await.unwrap();
    assert_eq!(
        state.instances.iter().map(|i| i.id).collect::<Vec<_>>(),
        ids(&["canary-1"])
    );
}

#[tokio::test]
async fn an_instance_that_is_unwell_goes_first() {
    let test = TestFleet::new();
    let fleet = test.open();
    let _ = fleet.scale(Arm::Stable, 3).await.unwrap();
    let state = until(&fleet, |state| state.ready(Arm::Stable) == 3).await;
    ask(state.instances[0].address, "/sicken");
    let state = until(&fleet, |state| state.ready(Arm::Stable) == 2).await;
    let InstanceState::Unready { why } = &state.instances[0].state else {
        unreachable!("it is unready: {state:#?}");
    };
    assert_eq!(why, "GET /health answered 503");
    assert_eq!(state.ready_pools().stable[0].id, "stable-2");
    assert_eq!(
        fleet.surplus(Arm::Stable, 1).await.unwrap(),
        ids(&["stable-1", "stable-3"])
    );
    assert_eq!(
        fleet.scale(Arm::Stable, 2).await.unwrap().surplus,
        ids(&["stable-1"])
    );
}

#[tokio::test]
async fn an_instance_that_never_listens_stays_starting_and_is_forced_to_end() {
    let mut test = TestFleet::new();
    let script = "trap '' TERM; echo begun; while :; do sleep 0.05; done";
    test.config.canary = Launch::shell(script, "1.5.0");
    assert!(test.config.canary.shell);
    let fleet = test.open();
    let _ = fleet.scale(Arm::Canary, 1).await.unwrap();
    let log = test.dir.path().join("logs/canary-1.log");
    let state = until(&fleet, |_| {
        std::fs::read_to_string(&log).is_ok_and(|l| l == "begun\n")
    })
    .await;
    let InstanceState::Starting { why: Some(why) } = &state.instances[0].state else {
        unreachable!("it is starting: {state:#?}");
    };
    assert!(why.starts_with("no connection"), "{why}");
    // The shell and what it started carry the marker; only the shell leads.
    let marked = fleet.leftovers().unwrap();
    assert_eq!(
        marked
            .iter()
            .filter(|m| m.leads && m.name == "canary-1")
            .count(),
        1
    );
    let begun = Instant::now();
    fleet.stop(id("canary-1"), 60).await.unwrap();
    assert!(
        begun.elapsed() >= Duration::from_millis(60),
        "it had its grace"
    );
    assert!(fleet.leftovers().unwrap().is_empty());
}

#[tokio::test]
async fn what_an_instance_started_ends_with_it() {
    let mut test = TestFleet::new();
    // The shell ends on SIGTERM; its child, in the background, is signalled too.
    test.config.canary = Launch::shell("sleep 20 & sleep 20; true", "1.5.0");
    let fleet = test.open();
    let _ = fleet.scale(Arm::Canary, 1).await.unwrap();
    until(&fleet, |_| find_marked(test.marker()).unwrap().len() == 3).await;
    fleet.stop(id("canary-1"), 1_000).await.unwrap();
    assert!(find_marked(test.marker()).unwrap().is_empty());
}

#[tokio::test]
async fn a_program_that_is_missing_is_named() {
    let mut test = TestFleet::new();
    test.config.canary = Launch::program(["/nowhere/shop", "--fast"], "1.5.0");
    let fleet = test.open();
    let error = fleet.scale(Arm::Canary, 1).await.unwrap_err();
    assert_eq!(error.kind(), FleetErrorKind::Start);
    assert!(
        error.to_string().contains("/nowhere/shop --fast"),
        "{error}"
    );
    // One that a shell cannot find is seen to exit.
    test.config.canary = Launch::shell("/nowhere/shop", "1.5.0");
    let fleet = test.open();
    let _ = fleet.scale(Arm::Canary, 1).await.unwrap();
    let state = until(&fleet, |state| state.instances[0].has_exited()).await;
    let exited = InstanceState::Exited {
        why: "exit status 127".into(),
    };
    assert_eq!(state.instances[0].state, exited);

    test.config.start_marker = "a/b".into();
    let error = ProcessFleet::open(test.config.clone()).err().unwrap();
    assert_eq!(error.kind(), FleetErrorKind::Config);
}

#[tokio::test]
async fn a_fleet_outlives_a_killed_controller() {
    let test = TestFleet::new();
    let config = serde_json::to_string(&test.config).unwrap();
    let launch = program("controller", "");
    let mut controller = std::process::Command::new(&launch.argv[0])
        .args(&launch.argv[1..])
        .envs(launch.env)
        .env("NONEVENT_TEST_FLEET", config)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while !test.dir.path().join("ready").exists() {
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "the controller starts"
        );
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    controller.kill().unwrap();
    controller.wait().unwrap();
    // As if it had been killed between starting the second and writing its record.
    std::fs::remove_file(test.dir.path().join("instances/canary-2.json")).unwrap();

    let fleet = test.open();
    assert!(
        fleet
            .scale(Arm::Canary, 2)
            .await
            .unwrap()
            .started
            .is_empty(),
        "both are found"
    );
    let state = until(&fleet, |state| state.ready(Arm::Canary) == 2).await;
    assert!(
        state
            .instances
            .iter()
            .all(|instance| instance.version == "1.5.0")
    );
    assert!(
        test.dir.path().join("instances/canary-2.json").exists(),
        "it is on record again"
    );
    ask(state.instances[0].address, "/exit");
    let state = until(&fleet, |state| state.instances[0].has_exited()).await;
    let InstanceState::Exited { why } = &state.instances[0].state else {
        unreachable!("it has exited");
    };
    assert!(why.contains("not known"), "{why}");
    fleet.stop(id("canary-2"), 1_000).await.unwrap();
    assert!(fleet.leftovers().unwrap().is_empty());
}

#[tokio::test]
async fn an_instance_without_a_marker_is_found_by_its_record() {
    let mut test = TestFleet::new();
    let inner = program("instance", "1.5.0");
    let unmarked = ["/usr/bin/env", "-u", "NONEVENT_INSTANCE"].map(str::to_owned);
    test.config.canary = Launch {
        argv: unmarked.into_iter().chain(inner.argv).collect(),
        ..inner
    };
    let _ = test.open().scale(Arm::Canary, 1).await.unwrap();
    let fleet = test.open();
    let state = until(&fleet, |state| state.ready(Arm::Canary) == 1).await;
    let process = ProcessIdentity::of(state.instances[0].pid)
        .unwrap()
        .unwrap();
    assert!(
        fleet.leftovers().unwrap().is_empty(),
        "its environment does not tell"
    );
    assert_eq!(fleet.end_all(1_000).await.unwrap(), Ended::Asked);
    assert!(!process.lives());
}

#[tokio::test]
async fn a_reused_number_is_never_signalled() {
    let test = TestFleet::new();
    let _ = test.open().scale(Arm::Canary, 1).await.unwrap();
    let path = test.dir.path().join("instances/canary-1.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
    let process: ProcessIdentity =
        serde_json::from_value(record["spec"]["process"].clone()).unwrap();
    process.signal(Signal::KILL).unwrap();
    process.ended().await;
    // The number now belongs to this very test, which started at another time.
    record["spec"]["process"]["pid"] = std::process::id().into();
    std::fs::write(&path, record.to_string()).unwrap();
    let fleet = test.open();
    let state = fleet.observe().await.unwrap();
    assert!(state.instances[0].has_exited());
    fleet.stop(id("canary-1"), 10).await.unwrap();
    assert!(fleet.observe().await.unwrap().instances.is_empty());
}

#[tokio::test]
async fn a_damaged_record_is_noted_and_loses_nothing() {
    let test = TestFleet::new();
    let _ = test.open().scale(Arm::Stable, 1).await.unwrap();
    let path = test.dir.path().join("instances/stable-1.json");
    std::fs::write(&path, "{").unwrap();
    let fleet = test.open();
    assert_eq!(fleet.notes().len(), 1);
    assert!(
        fleet.notes()[0].contains("stable-1.json"),
        "{:?}",
        fleet.notes()
    );
    assert!(
        fleet
            .scale(Arm::Stable, 1)
            .await
            .unwrap()
            .started
            .is_empty()
    );
}

#[tokio::test]
async fn a_log_is_kept_within_its_limit() {
    let mut test = TestFleet::new();
    test.config.log_bytes_max = 6_000;
    let fleet = test.open();
    let _ = fleet.scale(Arm::Stable, 1).await.unwrap();
    let state = until(&fleet, |state| state.ready(Arm::Stable) == 1).await;
    let instance = &state.instances[0];
    for _ in 0..6 {
        ask(instance.address, "/say");
        fleet.observe().await.unwrap();
        assert!(std::fs::metadata(&instance.log).unwrap().len() <= 6_000);
    }
    let before = instance.log.with_extension("log.1");
    assert!(
        std::fs::read_to_string(before)
            .unwrap()
            .contains("said said")
    );
}
